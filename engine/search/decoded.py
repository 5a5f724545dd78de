"""A search where no motion was stored: keyframes of the recording, one a second at most, decoded one after the other in a worker.

A process of its own, at the low priority of all picture workers: pictures that people look at do not wait for it. A keyframe that
cannot be decoded is stepped over and counted as unseen.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from engine.api import live_tail
from engine.pictures.keyframe import RecordedKeyframe
from engine.pictures.messages import Answer, Failed, MotionJob, MotionSeen
from engine.pictures.process import WorkerLost, WorkerNotStarted, WorkerProcess
from engine.search.stored import HOLD_US
from engine.supervise import Sleep
from storage.catalog.records import Camera, Segment, Volume
from storage.errors import PictureUnavailable
from storage.units import US_PER_SECOND, Interval

log = logging.getLogger(__name__)

JOB_LIMIT_S = 10.0
LOOK_US = US_PER_SECOND
LEAD_US = 2 * US_PER_SECOND
"""Looked at before a stretch begins, so that there is something to compare its first picture with."""
FAILURES_IN_A_ROW = 5
"""Then the rest of the file is given up."""
START_PAUSES_S = (1.0, 4.0, 16.0)
"""Between tries to start a worker; the searches wait meanwhile."""
LOSSES_IN_A_ROW = 3
"""Workers that died one after the other: then the search is."""


class SearchWorker:
    """The one worker of all searches, started when there is something to decode.

    `answer` in order of asking: each search asks for its next keyframe when it has the last one, so that all go on keyframe by
    keyframe in turns, and a short one ends beside long ones.
    """

    def __init__(self, sleep: Sleep = asyncio.sleep) -> None:
        self._turn = asyncio.Lock()
        self._process: WorkerProcess | None = None
        self._losses = 0
        self._sleep = sleep

    async def answer(self, job: MotionJob) -> Answer:
        """Failed when the worker was lost over it. Raises PictureUnavailable when one after the other was, or none can be started."""
        async with self._turn:
            try:
                if self._process is None:
                    self._process = await self._started()
                answer = await self._process.answer(job, JOB_LIMIT_S)
            except WorkerNotStarted as error:
                raise PictureUnavailable(
                    str(error), "begin the search again when the machine has room for a process"
                ) from error
            except WorkerLost as error:
                await self._kill()
                self._losses += 1
                if self._losses >= LOSSES_IN_A_ROW:
                    self._losses = 0
                    raise PictureUnavailable(
                        str(error), "begin the search again; the engine's log says more"
                    ) from error
                return Failed(what=str(error))
            except BaseException:  # in the middle of a message: its pipe is of no use any more
                await self._kill()
                raise
            self._losses = 0
            return answer

    async def _started(self) -> WorkerProcess:
        """Want of memory or descriptors may pass. Raises WorkerNotStarted."""
        for pause_s in START_PAUSES_S:
            try:
                return await WorkerProcess.start()
            except WorkerNotStarted as error:
                log.warning("motion searches: %s; again in %g s", error, pause_s)
                await self._sleep(pause_s)
        return await WorkerProcess.start()

    async def rest(self) -> None:
        """Nothing is searched: no process."""
        async with self._turn:
            process, self._process = self._process, None
            if process is not None:
                await process.close()

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await process.kill()


@dataclass(slots=True)
class Step:
    """What one keyframe added."""

    until_us: int
    """All before this was looked at, or given up."""
    looks: int = 0
    unseen_us: int = 0
    moment: tuple[int, int, int] | None = None
    """Start, end, cells that moved inside the region."""


@dataclass(slots=True)
class StretchDecoder:
    """Keyframes of one camera through a worker."""

    footage: live_tail.LiveFootage
    worker: SearchWorker
    camera: Camera
    cells: int
    least_cells: int
    sensitivity: int
    _background: bytes = b""
    _run_id: int = field(default=-1)
    _volumes: dict[int, Volume] = field(default_factory=dict)
    """Those of the footage so far: a search goes through thousands of stretches of a few volumes."""

    async def steps(self, stretch: Interval) -> AsyncIterator[Step]:
        """Through the stretch in order of time. Raises WatchdeckError."""
        self._background = b""
        from_us = stretch.start_us - LEAD_US
        segments = await live_tail.segments(self.footage, [self.camera.id], from_us, stretch.end_us)
        if any(segment.volume_id not in self._volumes for segment in segments):
            self._volumes = {volume.id: volume for volume in await self.footage.catalog.read("volumes")}
        for segment in segments:
            if segment.run_id != self._run_id:
                self._background, self._run_id = b"", segment.run_id
            volume = self._volumes.get(segment.volume_id)
            length_us = segment.end_us - segment.start_us
            if volume is not None and length_us > 0 and segment.media_duration_ticks > 0:
                async for step in self._through(segment, f"{volume.path}/{segment.path}", from_us, stretch):
                    yield step
        yield Step(stretch.end_us)

    async def _through(
        self, segment: Segment, path: str, from_us: int, stretch: Interval
    ) -> AsyncIterator[Step]:
        length_us = segment.end_us - segment.start_us

        def ticks_at(time_us: int) -> int:
            return (time_us - segment.start_us) * segment.media_duration_ticks // length_us

        def us_at(ticks: int) -> int:
            return segment.start_us + ticks * length_us // segment.media_duration_ticks

        second_ticks = max(1, ticks_at(segment.start_us + LOOK_US))
        ticks = max(0, ticks_at(from_us))
        stop_ticks = ticks_at(min(segment.end_us, stretch.end_us))
        last_ticks, failures = -1, 0
        while ticks < stop_ticks:
            answer = await self.worker.answer(
                MotionJob(
                    source=RecordedKeyframe(
                        camera=str(self.camera.uuid),
                        path=path,
                        media_ticks=ticks,
                        start_us=segment.start_us,
                        end_us=segment.end_us,
                        duration_ticks=segment.media_duration_ticks,
                    ),
                    background=self._background,
                    sensitivity=self.sensitivity,
                )
            )
            if not isinstance(answer, MotionSeen) or answer.span is None:
                failures += 1
                next_ticks = stop_ticks if failures >= FAILURES_IN_A_ROW else ticks + second_ticks
                began_us = max(us_at(ticks), stretch.start_us)
                until_us = max(began_us, us_at(min(next_ticks, stop_ticks)))
                yield Step(until_us, unseen_us=until_us - began_us)
                ticks = next_ticks
                continue
            failures = 0
            if answer.span.keyframe_ticks == last_ticks:
                return  # the last one of what is in the file
            last_ticks = answer.span.keyframe_ticks
            self._background = answer.background
            ticks = max(answer.span.until_ticks, last_ticks + second_ticks, ticks + 1)
            until_us = us_at(min(ticks, stop_ticks))
            if stretch.start_us <= answer.time_us < stretch.end_us:
                yield self._seen(answer, until_us)

    def _seen(self, answer: MotionSeen, until_us: int) -> Step:
        step = Step(until_us, looks=1)
        moved = (int.from_bytes(answer.everywhere, "big") & self.cells).bit_count()
        if moved >= self.least_cells:
            end_us = min(until_us, answer.time_us + HOLD_US)
            step.moment = (answer.time_us, max(end_us, answer.time_us + 1), moved)
        return step
