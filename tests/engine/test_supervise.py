"""Back-off, and what is caught where."""

from __future__ import annotations

import asyncio

import pytest

from engine.supervise import Backoff, as_error, attempt, attempt_blocking, flattened, keep_running
from storage.errors import CameraRefused, CameraUnreachable, InternalError, WatchdeckError


def test_delays_double_up_to_thirty_seconds_and_stay_there() -> None:
    backoff = Backoff(random=lambda: 0.5)
    assert [backoff.next_delay_s() for _ in range(8)] == [1, 2, 4, 8, 16, 30, 30, 30]
    backoff.reset()
    assert backoff.next_delay_s() == 1


def test_jitter_spreads_a_delay_by_a_fifth_to_both_sides() -> None:
    assert Backoff(random=lambda: 0.0).next_delay_s() == pytest.approx(0.8)
    assert Backoff(random=lambda: 1.0).next_delay_s() == pytest.approx(1.2)


def test_groups_in_groups_are_flattened() -> None:
    leaf, other = CameraRefused("no"), ValueError("bug")
    assert flattened(ExceptionGroup("a", [ExceptionGroup("b", [leaf]), other])) == [leaf, other]


def test_the_known_error_inside_groups_is_found() -> None:
    error = CameraUnreachable("gone")
    assert as_error(ExceptionGroup("a", [ExceptionGroup("b", [error])]), "x") is error


def test_a_bug_beside_a_known_error_is_reported_as_a_bug(caplog: pytest.LogCaptureFixture) -> None:
    error = as_error(ExceptionGroup("a", [CameraUnreachable("gone"), KeyError("bug")]), "camera yard")
    assert isinstance(error, InternalError)
    assert "KeyError" in caplog.text
    assert caplog.records[0].exc_info


async def test_an_attempt_says_what_went_wrong() -> None:
    async def refused() -> None:
        raise CameraRefused("wrong password")

    async def fine() -> None:
        return

    assert isinstance(await attempt("x", refused), CameraRefused)
    assert await attempt("x", fine) is None


async def test_cancelling_passes_through_an_attempt() -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(attempt("x", forever))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_work_that_loses_a_task_of_its_own_counts_as_failed() -> None:
    async def loses_its_child() -> None:
        child = asyncio.create_task(asyncio.Event().wait())
        child.cancel()
        await child

    assert isinstance(await attempt("x", loses_its_child), InternalError)


async def test_a_round_that_fails_runs_again_after_a_back_off() -> None:
    tries, delays = [], []

    async def work() -> None:
        tries.append(1)
        if len(tries) < 4:
            raise OSError("bug")

    async def sleep(seconds: float) -> None:
        delays.append(seconds)

    await keep_running("x", work, backoff=Backoff(random=lambda: 0.5), sleep=sleep)
    assert delays == [1, 2, 4]


def test_blocking_work_returns_its_result_or_its_error() -> None:
    def broken() -> int:
        raise ZeroDivisionError

    assert attempt_blocking("x", lambda: 7) == 7
    assert isinstance(attempt_blocking("x", broken), WatchdeckError)
