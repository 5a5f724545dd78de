"""Masks one video in a process of its own: feeds it, follows it, and ends it when it hangs or is not wanted any more. Loop only."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable

from engine.deadline import Deadline
from engine.exports.mask_messages import (
    LENGTH,
    MESSAGE_LIMIT_BYTES,
    MaskAnswer,
    MaskDone,
    MaskedStill,
    MaskFailed,
    MaskJob,
    MaskProgress,
    answer_decoder,
    framed,
    job_encoder,
)
from engine.supervise import flattened
from storage.errors import ExportFailed

SILENCE_LIMIT_S = 120.0
"""Ten frames of 8K take a slow machine some seconds; longer is a hang."""
STOP_LIMIT_S = 2.0
_PIPE_BYTES = 1 << 20


class MaskProcess:
    """One video, once. Use as `async with MaskProcess() as process: await process.run(...)`."""

    def __init__(self, *, silence_limit_s: float = SILENCE_LIMIT_S) -> None:
        self._silence_limit_s = silence_limit_s
        self._process: asyncio.subprocess.Process | None = None
        self.stills: dict[int, bytes] = {}
        """By their index in the job."""

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    async def __aenter__(self) -> MaskProcess:
        return self

    async def __aexit__(self, *_: object) -> None:
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            try:
                process.kill()
            except ProcessLookupError:
                pass
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with Deadline(STOP_LIMIT_S):
                await process.wait()
        except TimeoutError:
            return  # in a dead drive's write: left to the kernel

    async def run(self, job: MaskJob, video: AsyncIterator[bytes], follow: Callable[[int], None]) -> MaskDone:
        """Until the masked video is in `job.out_fd`; `follow` is told how far (media time in us).

        Raises ExportFailed, and what `video` raises.
        """
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "engine.exports.mask_worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=(job.out_fd,),
            limit=_PIPE_BYTES,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._feed(job, video), name="mask feed")
                done = await self._follow(follow)
        except BaseExceptionGroup as several:
            raise flattened(several)[0] from several
        return done

    async def _feed(self, job: MaskJob, video: AsyncIterator[bytes]) -> None:
        assert self._process is not None
        pipe = self._process.stdin
        assert pipe is not None
        try:
            pipe.write(framed(job_encoder.encode(job)))
            async for chunk in video:
                pipe.write(chunk)
                await pipe.drain()
            pipe.close()
        except (BrokenPipeError, ConnectionResetError):
            return  # it ended: why, the other pipe says

    async def _follow(self, follow: Callable[[int], None]) -> MaskDone:
        while True:
            answer = await self._answer()
            match answer:
                case MaskProgress():
                    follow(answer.media_us)
                case MaskedStill():
                    self.stills[answer.index] = answer.jpeg
                case MaskFailed():
                    raise ExportFailed(f"masking failed: {answer.what}", "export without masks to look at it")
                case MaskDone():
                    return answer

    async def _answer(self) -> MaskAnswer:
        assert self._process is not None
        pipe = self._process.stdout
        assert pipe is not None
        try:
            async with Deadline(self._silence_limit_s):
                (size_bytes,) = LENGTH.unpack(await pipe.readexactly(LENGTH.size))
                if size_bytes > MESSAGE_LIMIT_BYTES:
                    raise ExportFailed("the mask process speaks nonsense", "see the engine's log")
                return answer_decoder.decode(await pipe.readexactly(size_bytes))
        except TimeoutError:
            raise ExportFailed(
                f"the mask process was silent for {self._silence_limit_s:g} s and was stopped",
                "a drive may hang; else export without masks",
            ) from None
        except asyncio.IncompleteReadError:
            raise ExportFailed(
                "the mask process ended in the middle", "the video may be damaged: export without masks"
            ) from None
