"""Motion in the pictures of cameras that tell of none themselves: one keyframe a second, in a worker process of its own.

Never on the recording path: it takes the newest keyframe that the recorder holds anyway, one camera after the other; when the
machine is too slow, cameras are looked at less often. What the worker finds becomes `detection.motion`, once when motion
begins. A keyframe that cannot be decoded, or kills the worker, is that camera's trouble alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from engine.events import EventBus
from engine.pictures.keyframe import LiveKeyframe
from engine.pictures.messages import Failed, MotionJob, MotionSeen
from engine.pictures.process import WorkerLost, WorkerProcess
from engine.supervise import Sleep
from engine.wire_sources import CameraAnalytics
from storage.clock import Clock
from storage.segments.packet import Track
from storage.units import US_PER_SECOND

log = logging.getLogger(__name__)

KIND = "detection.motion"
LOOK_US = US_PER_SECOND
"""At most one look a camera in this time; cameras with fewer keyframes are looked at when one comes."""
ROUND_S = 0.1
CALM_US = 10 * US_PER_SECOND
"""Motion is over after so long without any; what comes later is motion again."""
JOB_LIMIT_S = 5.0
REST_US = 60 * US_PER_SECOND
"""A camera whose picture cost a worker is left alone for so long: it shall not cost the others theirs."""


Newest = Callable[[UUID], "tuple[bytes, Track, int] | None"]
"""A camera's newest keyframe: data, track, wall time; None = nothing arrives."""


@dataclass(slots=True)
class _Watched:
    """One camera's state. `background` and `mask` are opaque here."""

    name: str
    settings: CameraAnalytics
    mask: bytes
    background: bytes = b""
    track: Track | None = None
    seen_us: int = 0
    """Wall time of the keyframe looked at last."""
    looked_us: int = 0
    """Monotonic."""
    moved_us: int | None = None
    """Monotonic, when something moved last; None = calm."""
    last_motion_us: int | None = None
    """Wall time."""
    trouble: str = ""


@dataclass(slots=True)
class MotionService:
    """`watch` says which cameras; `run` for ever. Loop only."""

    events: EventBus
    clock: Clock
    newest: Newest
    sleep: Sleep = asyncio.sleep
    _cameras: dict[UUID, _Watched] = field(default_factory=dict)
    _worker: WorkerProcess | None = None

    def watch(self, camera: UUID, name: str, settings: CameraAnalytics) -> None:
        """Added or edited; `settings.motion` false = no longer. The background is kept over a change of name only."""
        if not settings.motion:
            self._cameras.pop(camera, None)
            return
        known = self._cameras.get(camera)
        if known is not None and known.settings == settings:
            known.name = name
        else:
            self._cameras[camera] = _Watched(name, settings, packed_mask(settings.mask))

    def forget(self, camera: UUID) -> None:
        """It was removed."""
        self._cameras.pop(camera, None)

    def state(self, camera: UUID) -> tuple[str, int | None]:
        """In words, and when it moved last: `off`, `watching`, or why not."""
        watched = self._cameras.get(camera)
        if watched is None:
            return "off", None
        return watched.trouble or "watching", watched.last_motion_us

    async def run(self) -> None:
        try:
            while True:
                await self.sleep(ROUND_S)
                for uuid in list(self._cameras):
                    await self._look_if_due(uuid)
                if not self._cameras and self._worker is not None:
                    worker, self._worker = self._worker, None
                    await worker.close()
        finally:
            if self._worker is not None:
                await self._worker.kill()
                self._worker = None

    async def _look_if_due(self, uuid: UUID) -> None:
        watched = self._cameras.get(uuid)
        now_us = self.clock.monotonic_us()
        if watched is None or now_us - watched.looked_us < LOOK_US:
            return
        newest = self.newest(uuid)
        if newest is None or newest[2] == watched.seen_us:
            self._calm_down(watched, now_us)
            return
        data, track, time_us = newest
        if track != watched.track:  # another resolution, another stream: nothing to compare with
            watched.background, watched.track = b"", track
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
            answer = await self._worker.answer(job, JOB_LIMIT_S)
        except WorkerLost as error:
            log.warning("motion of %s: %s", watched.name, error)
            watched.trouble, watched.background = str(error), b""
            watched.looked_us = now_us + REST_US
            worker, self._worker = self._worker, None
            if worker is not None:
                await worker.kill()
            return
        if isinstance(answer, MotionSeen):
            self._note(watched, answer, time_us)
        elif isinstance(answer, Failed):
            watched.trouble = answer.what

    def _note(self, watched: _Watched, seen: MotionSeen, time_us: int) -> None:
        watched.trouble = ""
        watched.background = seen.background
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
