"""Masks one video in a process of its own: feeds it, follows it, and ends it when it hangs or is not wanted any more. Loop only.

It decodes what a camera sent: nothing it says is believed before it was looked at, and neither its words, its pictures, its file
nor its time are without bounds.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from itertools import pairwise

import msgspec

from engine.child_end import has_ended
from engine.deadline import Deadline
from engine.exports.mask_messages import (
    ANSWER_LIMIT_BYTES,
    LENGTH,
    STILL_LIMIT_BYTES,
    SUFFIXES,
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
from engine.room_for_process import check_room
from engine.supervise import flattened
from storage.errors import ExportFailed
from storage.plain_text import printable
from storage.units import US_PER_SECOND

SILENCE_LIMIT_S = 120.0
"""Ten frames of 8K take a slow machine some seconds; longer is a hang."""
STOP_LIMIT_S = 2.0
LONGEST_S = 600.0
LONGEST_PER_S = 60.0
"""Of the whole work, besides: so long for each second of video."""
ANSWERS = 1000
ANSWERS_PER_S = 100
"""It reports every ten frames: a thousand frames a second, and some."""
WORDS_LIMIT = 300
_PIPE_BYTES = 1 << 20
_JPEG_MAGIC = b"\xff\xd8\xff"


class MaskProcess:
    """One video, once. Use as `async with MaskProcess() as process: await process.run(...)`."""

    def __init__(self, *, silence_limit_s: float = SILENCE_LIMIT_S) -> None:
        self._silence_limit_s = silence_limit_s
        self._process: asyncio.subprocess.Process | None = None
        self._answers_left = ANSWERS
        self._reached_us = -1
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
        with suppress(ProcessLookupError):  # with whatever it has started: they hold the file
            os.killpg(process.pid, signal.SIGKILL)
        assert process.stdin is not None
        process.stdin.close()
        await has_ended(process, STOP_LIMIT_S)

    async def run(
        self,
        job: MaskJob,
        video: AsyncIterator[bytes],
        follow: Callable[[int], None],
        *,
        length_us: int,
        room_bytes: int,
    ) -> MaskDone:
        """Until the masked video is in `job.out_fd`; `follow` is told how far (media time in us).

        `length_us`: of the video; `room_bytes`: the most that its file may take. Raises ExportFailed, and what `video` raises.
        """
        length_s = length_us / US_PER_SECOND
        self._answers_left = ANSWERS + round(ANSWERS_PER_S * length_s)
        limit_s = LONGEST_S + LONGEST_PER_S * length_s
        await self._start(job, room_bytes)
        try:
            async with Deadline(limit_s), asyncio.TaskGroup() as group:
                feed = group.create_task(self._feed(job, video), name="mask feed")
                done = await self._follow(job, follow)
                feed.cancel()  # it needs not read what stands behind the last picture
        except TimeoutError:
            raise ExportFailed(
                f"masking took longer than {limit_s:.0f} s and was stopped", "export shorter stretches"
            ) from None
        except BaseExceptionGroup as several:
            raise flattened(several)[0] from several
        return done

    async def _start(self, job: MaskJob, room_bytes: int) -> None:
        try:
            check_room()
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
        except OSError as exc:  # no memory, no room for another process, no descriptors for its pipes
            raise ExportFailed(
                f"the mask process cannot be started: {exc.strerror or exc}",
                "free memory or processes on the station, then export again",
            ) from exc
        with suppress(
            OSError
        ):  # it has ended already, or the system does not allow it: the disk is watched besides
            resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (room_bytes, room_bytes))

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

    async def _follow(self, job: MaskJob, follow: Callable[[int], None]) -> MaskDone:
        while True:
            answer = await self._answer()
            self._answers_left -= 1
            if self._answers_left < 0:
                raise _nonsense("it never stops talking")
            match answer:
                case MaskProgress():
                    if answer.media_us <= self._reached_us:
                        raise _nonsense("it goes backwards")
                    self._reached_us = answer.media_us
                    follow(answer.media_us)
                case MaskedStill():
                    is_wanted = 0 <= answer.index < len(job.stills_us) and answer.index not in self.stills
                    if not is_wanted or not answer.jpeg.startswith(_JPEG_MAGIC):
                        raise _nonsense("a picture that nobody asked for")
                    if len(answer.jpeg) > STILL_LIMIT_BYTES:
                        raise _nonsense(f"a small picture of {len(answer.jpeg)} bytes")
                    self.stills[answer.index] = answer.jpeg
                case MaskFailed():
                    words = printable(answer.what[:WORDS_LIMIT])
                    raise ExportFailed(f"masking failed: {words}", "export without masks to look at it")
                case MaskDone():
                    if answer.suffix not in SUFFIXES or answer.frames < 1 or not answer.cuts:
                        raise _nonsense("it made no video")
                    if any(one[0] >= other[0] or one[1] >= other[1] for one, other in pairwise(answer.cuts)):
                        raise _nonsense("its video goes backwards")
                    return answer

    async def _answer(self) -> MaskAnswer:
        assert self._process is not None
        pipe = self._process.stdout
        assert pipe is not None
        try:
            async with Deadline(self._silence_limit_s):
                (size_bytes,) = LENGTH.unpack(await pipe.readexactly(LENGTH.size))
                if size_bytes > ANSWER_LIMIT_BYTES:
                    raise _nonsense(f"a message of {size_bytes} bytes")
                return answer_decoder.decode(await pipe.readexactly(size_bytes))
        except TimeoutError:
            raise ExportFailed(
                f"the mask process was silent for {self._silence_limit_s:g} s and was stopped",
                "a drive may hang; else export without masks",
            ) from None
        except msgspec.MsgspecError:
            raise _nonsense("a message that is none") from None
        except (asyncio.IncompleteReadError, ConnectionError):
            raise ExportFailed(
                "the mask process ended in the middle", "the video may be damaged: export without masks"
            ) from None


def _nonsense(what: str) -> ExportFailed:
    return ExportFailed(
        f"the mask process speaks nonsense ({what}) and was stopped",
        "the video may be damaged: export without masks",
    )
