"""A keyframe that ends whichever worker decodes it: the first step into it fails, the next leads past it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.pictures import losses
from engine.pictures.keyframe import LEFT_OUT, RecordedKeyframe
from engine.pictures.messages import Answer, AnyJob, Job
from engine.pictures.process import WorkerProcess
from engine.wire import PictureRequest
from storage.errors import PictureUnavailable
from tests.fakes.clock import FakeClock
from tests.fakes.coded_clip import START_US, Recorded, clip, recorded
from tests.fakes.station import FakeStation

SECOND = 1_000_000


@pytest.fixture
def ends_on(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], None]:
    """Workers die over steps until so many keyframes behind it are left out."""
    real = WorkerProcess.answer
    deadly: dict[int, int] = {}

    async def answer(self: WorkerProcess, job: AnyJob, limit_s: float) -> Answer:
        if isinstance(job, Job) and job.left_out < deadly.get(job.request.step, 0):
            os.kill(self.pid, signal.SIGKILL)
        return await real(self, job, limit_s)

    monkeypatch.setattr(WorkerProcess, "answer", answer)
    return deadly.__setitem__


async def lost(rig: Recorded, at_us: int, step: int, *, exact: bool) -> None:
    with pytest.raises(PictureUnavailable, match="ended by SIGKILL") as caught:
        await rig.ask(at_us, step=step, exact=exact)
    assert caught.value.remedy == losses.STEP_REMEDY


@pytest.mark.parametrize("is_exact", [False, True])
async def test_the_second_step_leads_past_it(
    station: FakeStation, short_folder: Path, ends_on: Callable[[int, int], None], is_exact: bool
) -> None:
    coded = clip("h264")
    async with recorded(station, short_folder) as rig:
        await rig.run(coded, seconds_a_segment=4)
        here_us = START_US + SECOND - coded.frame_us if is_exact else START_US
        ends_on(1, 1)
        await lost(rig, here_us, 1, exact=is_exact)
        passed = await rig.ask(here_us, step=1, exact=is_exact)
        assert (passed.time_us, passed.notice) == (START_US + 2 * SECOND, LEFT_OUT)
        # Who steps from elsewhere loses nothing that is whole.
        ends_on(1, 0)
        other = await rig.ask(START_US + 2 * SECOND, step=1, exact=False)
        assert (other.time_us, other.notice) == (START_US + 3 * SECOND, "")


async def test_two_in_a_row_take_two_more(
    station: FakeStation, short_folder: Path, ends_on: Callable[[int, int], None]
) -> None:
    async with recorded(station, short_folder) as rig:
        await rig.run(clip("h264"), seconds_a_segment=4)
        ends_on(-1, 2)
        for _ in range(2):
            await lost(rig, START_US + 3 * SECOND, -1, exact=False)
        passed = await rig.ask(START_US + 3 * SECOND, step=-1)
        assert (passed.time_us, passed.notice) == (START_US, LEFT_OUT)


async def test_it_is_tried_anew_when_some_time_has_passed(
    station: FakeStation,
    short_folder: Path,
    ends_on: Callable[[int, int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What hung may have been a drive."""
    async with recorded(station, short_folder) as rig:
        await rig.run(clip("h264"), seconds_a_segment=4)
        ends_on(1, 1)
        await lost(rig, START_US, 1, exact=False)
        ends_on(1, 0)
        monkeypatch.setattr(losses, "LOSS_AGE_US", -1)
        found = await rig.ask(START_US, step=1)
        assert (found.time_us, found.notice) == (START_US + SECOND, "")


@pytest.mark.parametrize("is_exact", [False, True])
async def test_at_the_edge_of_a_file_too(
    station: FakeStation, short_folder: Path, ends_on: Callable[[int, int], None], is_exact: bool
) -> None:
    """A step back into a file asks for its last picture."""
    coded = clip("h264")
    async with recorded(station, short_folder) as rig:
        assert len(await rig.run(coded)) == 2
        ends_on(0, 1)
        with pytest.raises(PictureUnavailable, match="ended by SIGKILL"):
            await rig.ask(START_US + 2 * SECOND, step=-1, exact=is_exact)
        passed = await rig.ask(START_US + 2 * SECOND, step=-1, exact=is_exact)
        assert passed.notice == LEFT_OUT
        assert passed.time_us < START_US + 2 * SECOND


def test_what_is_remembered_is_bounded() -> None:
    kept = losses.Losses(FakeClock())
    request = PictureRequest(camera="gate", at_us=1, step=1)
    sources = [
        RecordedKeyframe(camera="c", path=f"/{number}", media_ticks=0, start_us=0, end_us=1, duration_ticks=1)
        for number in range(losses.LOSSES_LIMIT + 9)
    ]
    for source in sources:
        kept.add(source, request)
    counts = [kept.count(source, request) for source in sources]
    assert counts == [0] * 9 + [1] * losses.LOSSES_LIMIT
