"""Motion in the pictures of cameras: one keyframe a second, in a worker process of its own.

For two ends. Cameras that tell of no motion themselves and are set to (`motion`) are looked at once a second; what the worker finds
becomes `detection.motion`, once when motion begins. And what moved where is kept for searches (`motion_index`, engine/motion_index.py):
cameras that are looked at only for that share a part of a core, from one look a second each to one in 30 s, and wait for the others.

Never on the recording path: it takes the newest keyframe that the recorder holds anyway, one camera after the other; when the
machine is too slow, cameras are looked at less often. A keyframe that cannot be decoded, or kills the worker, is that camera's
trouble alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from engine.events import EventBus
from engine.pictures.keyframe import LiveKeyframe
from engine.pictures.messages import Failed, MotionJob, MotionSeen
from engine.pictures.process import WorkerLost, WorkerNotStarted, WorkerProcess
from engine.supervise import Backoff, Sleep
from engine.wire_sources import CameraAnalytics
from storage.clock import Clock
from storage.segments.packet import Track
from storage.units import US_PER_SECOND

log = logging.getLogger(__name__)

KIND = "detection.motion"
LOOK_US = US_PER_SECOND
"""At most one look a camera in this time; cameras with fewer keyframes are looked at when one comes."""
RAREST_LOOK_US = 30 * US_PER_SECOND
"""A camera that is only kept an index of is looked at this often, whatever that costs."""
CREDIT_LIMIT_US = US_PER_SECOND // 2
"""Worker time that may be saved up: no more than a short burst of looks."""
ROUND_S = 0.1
ROUND_LIMIT_US = 200_000
"""For cameras only kept an index of, before the others are looked at again."""
CALM_US = 10 * US_PER_SECOND
"""Motion is over after so long without any; what comes later is motion again."""
JOB_LIMIT_S = 5.0
REST_US = 60 * US_PER_SECOND
"""A camera whose picture cost a worker is left alone for so long: it shall not cost the others theirs."""


Newest = Callable[[UUID], "tuple[bytes, Track, int] | None"]
"""A camera's newest keyframe: data, track, wall time in the footage; None = nothing arrives."""


class Index(Protocol):
    """engine.motion_index.MotionIndex."""

    def note(self, camera: UUID, time_us: int, cells: bytes) -> None: ...

    def forget(self, camera: UUID) -> None: ...


@dataclass(slots=True)
class _Watched:
    """One camera's state. `background` and `mask` are opaque here."""

    name: str
    settings: CameraAnalytics
    mask: bytes
    looked_us: int
    """Monotonic."""
    background: bytes = b""
    track: Track | None = None
    seen_us: int = 0
    """Wall time of the keyframe looked at last."""
    moved_us: int | None = None
    """Monotonic, when something moved last; None = calm."""
    last_motion_us: int | None = None
    """Wall time."""
    trouble: str = ""
    pace_us: float = 0.0
    """Between looks, lately."""


@dataclass(slots=True)
class MotionService:
    """`watch` says which cameras; `run` for ever. Loop only."""

    events: EventBus
    clock: Clock
    newest: Newest
    index: Index | None = None
    index_percent: float = 10.0
    """Of a core, for cameras only kept an index of; 0 = none of them is looked at."""
    sleep: Sleep = asyncio.sleep
    _cameras: dict[UUID, _Watched] = field(default_factory=dict)
    _worker: WorkerProcess | None = None
    _starts: Backoff = field(default_factory=Backoff)
    _start_us: int = 0
    """Monotonic: not tried before, after a worker could not be started."""
    _start_trouble: str = ""
    _credit_us: float = 0.0
    """Worker time that cameras only kept an index of may use now; below 0: used ahead."""
    _accrued_us: int = 0
    """Monotonic: credit is counted up to here."""

    def watch(self, camera: UUID, name: str, settings: CameraAnalytics) -> None:
        """Added or edited. The background is kept over a change of name only."""
        if not settings.motion and not self._keeps(settings):
            self.forget(camera)
            return
        if not self._keeps(settings) and self.index is not None:
            self.index.forget(camera)
        known = self._cameras.get(camera)
        if known is not None and known.settings == settings:
            known.name = name
        else:
            due_us = self.clock.monotonic_us() - LOOK_US
            self._cameras[camera] = _Watched(name, settings, packed_mask(settings.mask), due_us)

    def _keeps(self, settings: CameraAnalytics) -> bool:
        return settings.motion_index and self.index is not None and self.index_percent > 0

    def forget(self, camera: UUID) -> None:
        """It was removed, or is looked at no more."""
        self._cameras.pop(camera, None)
        if self.index is not None:
            self.index.forget(camera)

    def state(self, camera: UUID) -> tuple[str, int | None]:
        """Of the search for motion, in words, and when it moved last: `off`, `watching`, or why not."""
        watched = self._cameras.get(camera)
        if watched is None or not watched.settings.motion:
            return "off", None
        return watched.trouble or "watching", watched.last_motion_us

    def index_state(self, camera: UUID) -> tuple[str, float | None]:
        """Of what is kept for searches, in words: `off`, `keeping`, or why not; and seconds between looks, once there were two."""
        watched = self._cameras.get(camera)
        if watched is None or not self._keeps(watched.settings):
            return "off", None
        return watched.trouble or "keeping", round(watched.pace_us / US_PER_SECOND, 1) or None

    async def run(self) -> None:
        self._accrued_us = self.clock.monotonic_us()
        try:
            while True:
                await self.sleep(ROUND_S)
                for uuid, watched in list(self._cameras.items()):
                    if watched.settings.motion:
                        await self._look_if_due(uuid)
                await self._look_for_the_index()
                if not self._cameras and self._worker is not None:
                    worker, self._worker = self._worker, None
                    await worker.close()
        finally:
            if self._worker is not None:
                await self._worker.kill()
                self._worker = None

    async def _look_for_the_index(self) -> None:
        """The one that waited longest first, as far as the budget reaches."""
        began_us = self.clock.monotonic_us()
        share = self.index_percent / 100
        self._credit_us = min(CREDIT_LIMIT_US, self._credit_us + (began_us - self._accrued_us) * share)
        self._accrued_us = began_us
        waiting = sorted(
            (watched.looked_us, uuid)
            for uuid, watched in self._cameras.items()
            if not watched.settings.motion and began_us - watched.looked_us >= LOOK_US
        )
        for looked_us, uuid in waiting:
            now_us = self.clock.monotonic_us()
            is_overdue = now_us - looked_us >= RAREST_LOOK_US
            if now_us - began_us > ROUND_LIMIT_US or not (self._credit_us > 0 or is_overdue):
                return
            await self._look_if_due(uuid)
            # As the clock on the wall has it, the wait for a busy core included: then there is less of this, too.
            self._credit_us = max(-CREDIT_LIMIT_US, self._credit_us - (self.clock.monotonic_us() - now_us))

    async def _look_if_due(self, uuid: UUID) -> None:
        watched = self._cameras.get(uuid)
        now_us = self.clock.monotonic_us()
        if watched is None or now_us - watched.looked_us < LOOK_US:
            return
        newest = self.newest(uuid)
        if newest is None or newest[2] == watched.seen_us:
            self._calm_down(watched, now_us)
            return
        if self._worker is None and now_us < self._start_us:
            watched.trouble = self._start_trouble
            return
        data, track, time_us = newest
        if track != watched.track:  # another resolution, another stream: nothing to compare with
            watched.background, watched.track = b"", track
        pace_us = min(now_us - watched.looked_us, 2 * RAREST_LOOK_US)
        watched.pace_us = (
            pace_us if not watched.seen_us else watched.pace_us + (pace_us - watched.pace_us) / 8
        )
        watched.looked_us, watched.seen_us = now_us, time_us
        job = MotionJob(
            source=LiveKeyframe(camera=str(uuid), time_us=time_us, track=track, data=data),
            background=watched.background,
            sensitivity=watched.settings.sensitivity,
            mask=watched.mask,
        )
        try:
            if self._worker is None:
                self._worker = await WorkerProcess.start()
                self._starts.reset()
            answer = await self._worker.answer(job, JOB_LIMIT_S)
        except WorkerNotStarted as error:  # no fault of the camera's: all of them wait
            if not self._start_trouble:
                log.warning("motion of cameras: %s; tried again", error)
            watched.trouble = self._start_trouble = str(error)
            self._start_us = self.clock.monotonic_us() + round(self._starts.next_delay_s() * US_PER_SECOND)
            return
        except WorkerLost as error:
            log.warning("motion of %s: %s", watched.name, error)
            watched.trouble, watched.background = str(error), b""
            watched.looked_us = now_us + REST_US
            worker, self._worker = self._worker, None
            if worker is not None:
                await worker.kill()
            return
        self._start_trouble = ""
        if isinstance(answer, MotionSeen):
            self._note(uuid, watched, answer, time_us)
        elif isinstance(answer, Failed):
            watched.trouble = answer.what

    def _note(self, camera: UUID, watched: _Watched, seen: MotionSeen, time_us: int) -> None:
        watched.trouble = ""
        watched.background = seen.background
        if self._keeps(watched.settings) and self.index is not None:
            self.index.note(camera, time_us, seen.everywhere)
        if not watched.settings.motion:
            return
        now_us = self.clock.monotonic_us()
        if seen.count < watched.settings.min_cells:
            self._calm_down(watched, now_us)
            return
        begins = watched.moved_us is None
        watched.moved_us, watched.last_motion_us = now_us, time_us
        if begins:
            self.events.publish(KIND, f"motion in {seen.count} cells of the picture", source=watched.name)

    def _calm_down(self, watched: _Watched, now_us: int) -> None:
        if watched.moved_us is not None and now_us - watched.moved_us > CALM_US:
            watched.moved_us = None


def packed_mask(rows: tuple[str, ...]) -> bytes:
    """18 rows of 32 `x` or `.` as a bit a cell; empty = all. The rows were checked when they were given."""
    bits = "".join(rows).replace("x", "1").replace(".", "0")
    return int(bits, 2).to_bytes(len(bits) // 8, "big") if bits else b""
