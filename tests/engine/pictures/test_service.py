"""The picture service with real worker processes, and what it does when they crash, hang or are asked too much."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from engine.pictures import process
from engine.pictures import service as pictures_service
from engine.pictures.keyframe import LiveKeyframe, RecordedKeyframe
from engine.pictures.messages import framed
from engine.pictures.process import WorkerNotStarted, WorkerProcess
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


# -- no process to be had ----------------------------------------------------------------------------------


def refusing(monkeypatch: pytest.MonkeyPatch, number: int) -> Callable[[], None]:
    """No process can be made, until what is returned is called."""
    real = asyncio.create_subprocess_exec
    is_refused = [True]

    async def create(*arguments: object, **options: object) -> object:
        if is_refused[0]:
            raise OSError(number, os.strerror(number))
        return await real(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", create)

    def allow() -> None:
        is_refused[0] = False

    return allow


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE])
async def test_a_worker_that_cannot_be_forked_is_said_and_the_service_goes_on(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures_service, "FIRST_PAUSE_S", 0.01)
    allow = refusing(monkeypatch, number)
    async with running(workers=2) as service:
        for time_us in (1, 2, 3):
            with pytest.raises(PictureUnavailable, match=f"cannot be started: {os.strerror(number)}"):
                await service.render(at(time_us), HALF)
        allow()
        assert (await service.render(at(4), HALF)).time_us == 4


async def test_all_who_wait_are_told_when_no_worker_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing(monkeypatch, errno.EAGAIN)
    async with running(workers=2) as service, asyncio.TaskGroup() as group:
        asked = [group.create_task(outcome(service.render(at(1 + each), HALF))) for each in range(20)]
        errors = [await each for each in asked]
    assert all("cannot be started" in str(error) for error in errors)


async def test_no_descriptors_left_ends_neither_the_service_nor_leaks_any(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pictures_service, "FIRST_PAUSE_S", 0.01)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with running(workers=1) as service:
        before = len(os.listdir("/proc/self/fd"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        taken: list[int] = []
        try:
            with suppress(OSError):
                while True:
                    taken.append(os.open("/dev/null", os.O_RDONLY))
            with pytest.raises(PictureUnavailable, match="cannot be started: Too many open files"):
                await service.render(at(1), HALF)
        finally:
            for fd in taken:
                os.close(fd)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert len(os.listdir("/proc/self/fd")) == before
        assert (await service.render(at(2), HALF)).time_us == 2


@pytest.mark.parametrize("spoken", [b"", b"\xc1", b"\x81\xa4type\xa5worse"])
async def test_a_worker_that_speaks_nonsense_is_replaced(
    spoken: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(workers=1) as service:
        await service.render(at(1), HALF)
        (worker,) = service._running.values()
        reader = asyncio.StreamReader()
        reader.feed_data(framed(spoken))
        reader.feed_eof()
        monkeypatch.setattr(worker._process, "stdout", reader)
        with pytest.raises(PictureUnavailable, match="makes no sense"):
            await service.render(at(2), HALF)
        assert (await service.render(at(3), HALF)).time_us == 3


async def test_a_defect_over_one_picture_leaves_nobody_waiting_and_no_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = PictureService(FakeClock(), workers=2)
    serving = asyncio.create_task(service.run())
    await settle()
    await service.render(at(1), HALF)
    pids = service.worker_pids

    async def defect(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(WorkerProcess, "answer", defect)
    asked = [asyncio.create_task(outcome(service.render(at(2 + each), HALF))) for each in range(5)]
    await asyncio.wait([serving])
    assert serving.exception() is not None
    errors = [await each for each in asked]
    assert all("met a defect" in str(error) for error in errors)
    assert service.worker_pids == []
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_a_killed_worker_is_gone_with_its_pipes_before_anybody_goes_on() -> None:
    """What is left open is found by whoever runs next: here another test, with a warning that is not its own."""
    for end in (WorkerProcess.kill, WorkerProcess.close):
        before = set(os.listdir("/proc/self/fd"))
        worker = await WorkerProcess.start()
        os.kill(worker.pid, signal.SIGKILL)
        status = Path(f"/proc/{worker.pid}/stat")
        await settle(lambda status=status: not status.exists())
        await end(worker)
        assert set(os.listdir("/proc/self/fd")) == before
        worker = await WorkerProcess.start()
        await end(worker)
        assert set(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("colors", 1 << 64),
        ("colors", 1 << 25),
        ("width_px", 1 << 64),
        ("image_id", 1 << 64),
        ("columns", -1 << 64),
    ],
)
async def test_numbers_no_pipe_can_carry_are_refused(field: str, value: int) -> None:
    async with running(workers=1) as service:
        with pytest.raises(InvalidInput, match=field):
            await service.render(keyframe(), msgspec.structs.replace(HALF, **{field: value}))
        assert (await service.render(keyframe(), HALF)).time_us == 1


async def test_a_drive_that_hangs_for_ever_takes_a_few_workers_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In its reads even SIGKILL waits."""
    monkeypatch.setattr(process, "STOP_LIMIT_S", 0.01)
    monkeypatch.setattr(process, "STUCK_LIMIT", 2)
    kill = asyncio.subprocess.Process.kill
    monkeypatch.setattr(asyncio.subprocess.Process, "kill", lambda self: None)
    hung = [await WorkerProcess.start() for _ in range(2)]
    for worker in hung:
        os.kill(worker.pid, signal.SIGSTOP)
        await worker.kill()
    with pytest.raises(WorkerNotStarted, match="2 picture workers hang in a drive"):
        await WorkerProcess.start()
    monkeypatch.setattr(asyncio.subprocess.Process, "kill", kill)
    monkeypatch.setattr(process, "STOP_LIMIT_S", 20.0)
    await hung[0].kill()
    again = await WorkerProcess.start()
    for worker in (hung[1], again):
        await worker.kill()
