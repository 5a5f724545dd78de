"""No room for a child process: said before the loop tries, and nothing is lost by trying. On the loop that the engine runs on."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import resource
import threading
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import uvloop

from engine.exports.mask_messages import MaskJob
from engine.exports.mask_process import MaskProcess
from engine.pictures.process import WorkerNotStarted, WorkerProcess
from engine.room_for_process import check_room
from storage.errors import ExportFailed

SPARE = 64
"""More than one try takes, beyond what the process that runs the tests has open."""


def limit() -> int:
    return max(map(int, os.listdir("/proc/self/fd"))) + SPARE


def descriptors(below: int) -> int:
    """Counted without opening any."""
    count = 0
    for descriptor in range(below):
        try:
            os.fstat(descriptor)
        except OSError:
            continue
        count += 1
    return count


async def picture_worker(_: int) -> None:
    """Started and ended. Raises WorkerNotStarted."""
    worker = await WorkerProcess.start()
    await worker.kill()


async def mask_process(out_fd: int) -> None:
    """Started, and ended with what it says of a video that is none. Raises ExportFailed."""

    async def video() -> AsyncIterator[bytes]:
        yield bytes(65536)

    async with MaskProcess() as process:
        await process.run(
            MaskJob(masks=(), out_fd=out_fd), video(), lambda _: None, length_us=1, room_bytes=1 << 20
        )


@pytest.mark.parametrize("spare", range(0, 24, 2))
@pytest.mark.parametrize(
    ("start", "error"), [(picture_worker, WorkerNotStarted), (mask_process, ExportFailed)]
)
def test_a_try_without_descriptors_loses_none(
    start: Callable[[int], Awaitable[None]], error: type[Exception], spare: int
) -> None:
    async def tried(out_fd: int) -> None:
        with contextlib.suppress(error):
            await start(out_fd)
        below = limit()
        before = descriptors(below)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (below, hard))
        taken: list[int] = []
        try:
            taken += [os.open("/dev/null", os.O_RDONLY) for _ in range(below - before)]
            for _ in range(spare):
                os.close(taken.pop())
            full = descriptors(below)
            for _ in range(3):
                with pytest.raises(error, match="cannot be started: Too many open files"):
                    await start(out_fd)
            assert descriptors(below) == full
        finally:
            for descriptor in taken:
                os.close(descriptor)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        with contextlib.suppress(error):
            await start(out_fd)
        assert descriptors(below) == before

    out_fd = os.memfd_create("masked")
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(tried(out_fd))
    finally:
        os.close(out_fd)


async def test_without_room_for_a_process_the_loop_is_not_even_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def asked(*_: object, **__: object) -> None:
        raise AssertionError("descriptors are lost here")

    monkeypatch.setattr(threading.Thread, "start", full)
    monkeypatch.setattr(asyncio, "create_subprocess_exec", asked)
    with pytest.raises(WorkerNotStarted, match=os.strerror(errno.EAGAIN)):
        await WorkerProcess.start()


def test_asking_takes_nothing() -> None:
    below = limit()
    before = descriptors(below), threading.active_count()
    check_room()
    assert (descriptors(below), threading.active_count()) == before
