"""One picture worker seen from the engine: start it, hand it a job, and end it for good when it misbehaves."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress

import msgspec

from engine.child_end import has_ended
from engine.deadline import Deadline
from engine.pictures.messages import (
    LENGTH,
    MESSAGE_LIMIT_BYTES,
    Answer,
    AnyJob,
    Failed,
    Ready,
    answer_decoder,
    framed,
    job_encoder,
)
from engine.room_for_process import check_room

START_LIMIT_S = 20.0
"""To load its libraries; a cold, busy machine needs several seconds."""
STOP_LIMIT_S = 1.0
"""After its pipe is closed, or after SIGKILL; a worker stuck in a dead drive's read is left to the kernel."""
_PIPE_BUFFER_BYTES = 1 << 20
STUCK_LIMIT = 8
"""Workers that SIGKILL did not end: in a read of a drive that does not answer. No more are given to it."""
_stuck: set[asyncio.subprocess.Process] = set()
"""Of the whole engine, until the kernel lets them go."""


class WorkerLost(Exception):
    """The worker died, hung or spoke nonsense; the text says which. A new one must be started."""


class WorkerNotStarted(WorkerLost):
    """There is no worker: no room for a process, no descriptors, or it does not come up. No picture is to blame."""


class WorkerProcess:
    """A child process that answers one job at a time. Invariant: at most one job is in flight."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, shelf_bytes: int = 0) -> WorkerProcess:
        """`shelf_bytes` is what it may keep of pictures played backwards. Raises WorkerNotStarted."""
        _stuck.difference_update([each for each in _stuck if each.returncode is not None])
        if len(_stuck) >= STUCK_LIMIT:
            raise WorkerNotStarted(
                f"{len(_stuck)} picture workers hang in a drive that does not answer, and cannot be ended"
            )
        try:
            check_room()
            # A session of its own: Ctrl-C in the operator's terminal is not for the workers.
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "engine.pictures.worker",
                str(shelf_bytes),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
                limit=_PIPE_BUFFER_BYTES,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )
        except OSError as exc:  # no memory, no room for another process, no descriptors for its pipes
            raise WorkerNotStarted(f"the picture worker cannot be started: {exc.strerror or exc}") from exc
        worker = cls(process)
        try:
            async with Deadline(START_LIMIT_S):
                message = await worker._receive()
        except TimeoutError:
            await worker.kill()
            raise WorkerNotStarted(f"the picture worker did not start within {START_LIMIT_S:g} s") from None
        except WorkerLost as exc:
            await worker.kill()
            raise WorkerNotStarted(f"{exc}, before it was ready") from exc
        except BaseException:
            await worker.kill()
            raise
        if not isinstance(message, Ready):
            await worker.kill()
            raise WorkerNotStarted("the picture worker started with a wrong message")
        return worker

    @property
    def pid(self) -> int:
        return self._process.pid

    async def answer(self, job: AnyJob, limit_s: float) -> Answer:
        """Raises WorkerLost. When this is cancelled or fails, the worker must be killed: its pipe is mid-message."""
        try:
            body = job_encoder.encode(job)
        except OverflowError:  # a moment of a file whose times are nonsense
            return Failed(what="its times do not fit 64 bits")
        if len(body) > MESSAGE_LIMIT_BYTES:
            return Failed(what=f"the keyframe is too large: {len(body)} bytes")
        pipe = self._process.stdin
        assert pipe is not None
        try:
            async with Deadline(limit_s):
                pipe.write(framed(body))
                await pipe.drain()
                return await self._receive()
        except TimeoutError:
            raise WorkerLost(
                f"the picture worker did not answer within {limit_s:g} s and was stopped"
            ) from None
        except OSError:  # its pipe is gone
            raise WorkerLost(await self._end_reason()) from None

    async def close(self) -> None:
        """Let it end by itself, bounded."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        await has_ended(self._process, STOP_LIMIT_S)
        await self.kill()

    async def kill(self) -> None:
        """SIGKILL and a bounded wait; safe at any time."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
        if self._process.stdin is not None:
            self._process.stdin.close()
        if not await has_ended(self._process, STOP_LIMIT_S):
            _stuck.add(self._process)

    async def _receive(self) -> Answer:
        pipe = self._process.stdout
        assert pipe is not None
        try:
            (size,) = LENGTH.unpack(await pipe.readexactly(LENGTH.size))
            if size > MESSAGE_LIMIT_BYTES:
                raise WorkerLost(f"the picture worker announced a message of {size} bytes")
            return answer_decoder.decode(await pipe.readexactly(size))
        except msgspec.MsgspecError:  # of another version, or overwritten by what it decoded
            raise WorkerLost("the picture worker's answer makes no sense") from None
        except asyncio.IncompleteReadError:
            raise WorkerLost(await self._end_reason()) from None

    async def _end_reason(self) -> str:
        await has_ended(self._process, STOP_LIMIT_S)
        code = self._process.returncode
        if code is None:
            return "the picture worker closed its pipe"
        if code < 0:
            return f"the picture worker was ended by {_signal_name(-code)}"
        return f"the picture worker ended with exit code {code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
