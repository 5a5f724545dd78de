"""The picture service with real worker processes, and what it does when they crash, hang or are asked too much."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import msgspec
import pytest

from engine.pictures.keyframe import LiveKeyframe, RecordedKeyframe
from engine.pictures.service import PictureService
from engine.wire import PictureFormat, PictureRequest
from storage.errors import InvalidInput, PictureUnavailable
from tests.engine.pictures.samples import keyframe
from tests.fakes.clock import FakeClock

HALF = PictureRequest(camera="gate", format=PictureFormat.HALF_BLOCK, columns=40, rows=11)


@asynccontextmanager
async def running(**options: float) -> AsyncIterator[PictureService]:
    service = PictureService(FakeClock(), **options)  # type: ignore[arg-type]
    async with asyncio.TaskGroup() as group:
        task = group.create_task(service.run())
        await settle()
        yield service
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def settle(is_true: Callable[[], bool] | None = None) -> None:
    """Let tasks run until the condition holds (or just a few turns)."""
    for _ in range(10):
        await asyncio.sleep(0)
    while is_true is not None and not is_true():
        await asyncio.sleep(0.001)


async def outcome(picture: Awaitable[object]) -> object:
    try:
        return await picture
    except PictureUnavailable as exc:
        return exc


def at(time_us: int) -> LiveKeyframe:
    return msgspec.structs.replace(keyframe(), time_us=time_us)


async def test_a_live_keyframe_becomes_a_picture_named_for_its_camera() -> None:
    async with running(workers=1) as service:
        reply = await service.render(keyframe(), HALF)
    assert (reply.camera, reply.time_us, reply.width_px, reply.height_px) == ("gate", 1, 320, 180)
    assert reply.cells is not None
    assert all(sum(len(run.text) for run in line) == 40 for line in reply.cells.lines)


async def test_the_second_time_the_picture_comes_from_the_cache() -> None:
    async with running(workers=1) as service:
        first = await service.render(keyframe(), HALF)
        os.kill(service.worker_pids[0], signal.SIGKILL)
        assert await service.render(keyframe(), HALF) is first


async def test_equal_requests_under_way_share_one_result() -> None:
    async with running(workers=2) as service, asyncio.TaskGroup() as group:
        replies = [group.create_task(service.render(keyframe(), HALF)) for _ in range(6)]
        await settle()
        assert service.queued <= 1
        first = await replies[0]
        assert [await reply is first for reply in replies] == [True] * 6


async def test_a_killed_worker_fails_its_picture_and_the_next_one_is_made() -> None:
    async with running(workers=1) as service, asyncio.TaskGroup() as group:
        await service.render(at(1), HALF)
        (pid,) = service.worker_pids
        os.kill(pid, signal.SIGSTOP)
        lost = group.create_task(outcome(service.render(at(2), HALF)))
        await settle(lambda: service.queued == 0)
        os.kill(pid, signal.SIGKILL)
        error = await lost
        assert isinstance(error, PictureUnavailable)
        assert "SIGKILL" in error.what
        assert (await service.render(at(3), HALF)).time_us == 3
        assert service.worker_pids != [pid]


async def test_a_hanging_worker_is_stopped_and_replaced() -> None:
    async with running(workers=1, job_limit_s=30) as service:
        await service.render(at(1), HALF)
        (pid,) = service.worker_pids
        os.kill(pid, signal.SIGSTOP)
        # Short only while nothing can answer: a busy machine needs its time for the others.
        service._job_limit_s = 0.2
        with pytest.raises(PictureUnavailable, match="did not answer within 0.2 s"):
            await service.render(at(2), HALF)
        service._job_limit_s = 30
        assert (await service.render(at(3), HALF)).time_us == 3
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_garbage_is_answered_by_name_and_leaves_the_worker_alive() -> None:
    broken = msgspec.structs.replace(keyframe(), data=b"\x00\x00\x00\x10garbage", time_us=4)
    noise = msgspec.structs.replace(keyframe(), data=(200).to_bytes(4) + bytes(range(200)), time_us=5)
    async with running(workers=1) as service:
        await service.render(at(1), HALF)
        pids = service.worker_pids
        for source in (broken, noise):
            with pytest.raises(PictureUnavailable, match="live keyframe of .* corrupt"):
                await service.render(source, HALF)
        assert service.worker_pids == pids


async def test_a_full_queue_drops_the_oldest_request_and_says_too_busy() -> None:
    async with running(workers=1, queue_limit=2) as service, asyncio.TaskGroup() as group:
        await service.render(at(1), HALF)
        os.kill(service.worker_pids[0], signal.SIGSTOP)
        in_work = group.create_task(service.render(at(2), HALF))
        await settle(lambda: service.queued == 0)
        waiting = [group.create_task(outcome(service.render(at(3 + number), HALF))) for number in range(3)]
        await settle()
        oldest = await waiting[0]
        assert isinstance(oldest, PictureUnavailable)
        assert "too busy" in oldest.what
        os.kill(service.worker_pids[0], signal.SIGCONT)
        assert (await in_work).time_us == 2
        assert [(await reply).time_us for reply in waiting[1:]] == [4, 5]  # type: ignore[union-attr]


async def test_a_request_whose_caller_went_away_is_dropped_before_work() -> None:
    async with running(workers=1) as service, asyncio.TaskGroup() as group:
        await service.render(at(1), HALF)
        os.kill(service.worker_pids[0], signal.SIGSTOP)
        in_work = group.create_task(service.render(at(2), HALF))
        await settle(lambda: service.queued == 0)
        abandoned = group.create_task(service.render(at(3), HALF))
        await settle()
        assert service.queued == 1
        abandoned.cancel()
        await settle()
        assert service.queued == 0
        os.kill(service.worker_pids[0], signal.SIGCONT)
        assert (await in_work).time_us == 2


async def test_one_of_two_callers_going_away_does_not_disturb_the_other() -> None:
    async with running(workers=1) as service, asyncio.TaskGroup() as group:
        first = group.create_task(service.render(at(9), HALF))
        second = group.create_task(service.render(at(9), HALF))
        await settle()
        first.cancel()
        assert (await second).time_us == 9


async def test_an_idle_worker_ends_and_comes_back_when_needed() -> None:
    async with running(workers=1, idle_limit_s=0.01) as service:
        await service.render(at(1), HALF)
        await settle(lambda: not service.worker_pids)
        assert (await service.render(at(2), HALF)).time_us == 2


async def test_stopping_answers_every_caller_and_leaves_no_process() -> None:
    async with asyncio.TaskGroup() as group, running(workers=1) as service:
        await service.render(at(1), HALF)
        (pid,) = service.worker_pids
        os.kill(pid, signal.SIGSTOP)
        pictures = [group.create_task(outcome(service.render(at(2 + number), HALF))) for number in range(3)]
        await settle(lambda: service.queued == 2)
    assert ["stopping" in str(picture.result()) for picture in pictures] == [True] * 3
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_without_running_workers_there_is_no_picture() -> None:
    with pytest.raises(PictureUnavailable, match="not running"):
        await PictureService(FakeClock()).render(keyframe(), HALF)


async def test_a_size_nobody_can_mean_is_refused() -> None:
    async with running(workers=1) as service:
        with pytest.raises(InvalidInput, match="columns is 0"):
            await service.render(keyframe(), msgspec.structs.replace(HALF, columns=0))


async def test_a_segment_that_was_recycled_is_named() -> None:
    gone = RecordedKeyframe(
        camera="cam", path="/nowhere/a.mp4", media_ticks=0, start_us=0, end_us=0, duration_ticks=0
    )
    async with running(workers=1) as service:
        with pytest.raises(PictureUnavailable, match=r"/nowhere/a.mp4 is not there"):
            await service.render(gone, HALF)


async def test_the_sixel_palette_of_a_camera_stays_until_the_scene_changes() -> None:
    sixel = msgspec.structs.replace(HALF, format=PictureFormat.SIXEL, colors=32)

    def registers(data: bytes) -> bytes:
        return data[data.index(b"#0;2;") : data.index(b"#", data.index(b"#31;2;") + 1)]

    noisy = keyframe(noise=True)
    async with running(workers=1) as service:
        first = await service.render(noisy, sixel)
        second = await service.render(msgspec.structs.replace(noisy, time_us=2), sixel)
        assert registers(first.data) == registers(second.data)
