"""All sources of events besides cameras' streams, volumes and drives, as one part of the station: made, loaded and run together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

from engine import wire
from engine.catalog_thread import CatalogThread
from engine.events import EventBus
from engine.health import Health
from engine.motion import MotionService
from engine.motion_index import MotionIndex
from engine.onvif.service import OnvifService
from engine.recording.recording import RecordingService
from engine.sources.camera_sources import CameraSources
from engine.sources.heard import Matching
from engine.sources.listening import Listening
from engine.sources.settings_desk import AlarmSettingsDesk
from engine.sources.station_watch import StationWatch
from engine.supervise import keep_running
from storage.clock import Clock
from storage.errors import NotFound
from storage.segments.packet import Track


class StationSources:
    """`load`, then `run` for ever; a part that fails is begun again without the others. `matching` is AlarmService.matching. Loop only."""

    def __init__(
        self,
        catalog: CatalogThread,
        events: EventBus,
        clock: Clock,
        recording: RecordingService,
        *,
        health: Callable[[], Health],
        groups: Callable[[], Sequence[wire.GroupView]],
        matching: Matching,
        motion_percent: float,
    ) -> None:
        self.listening = Listening(events, clock, matching)
        self.settings = AlarmSettingsDesk(catalog, events, self.listening.apply)
        self.onvif = OnvifService(catalog, events, clock)
        self.motion_index = MotionIndex(catalog, clock, recording.tails)
        self.motion = MotionService(
            events=events,
            clock=clock,
            newest=lambda uuid: _newest(recording, uuid),
            index=self.motion_index,
            index_percent=motion_percent,
        )
        self.cameras = CameraSources(catalog, events, self.motion, self.onvif, recording.cameras)
        self._watch = StationWatch(events, catalog, clock, health=health, groups=groups)

    async def load(self) -> None:
        """Settings, before anybody asks for them."""
        await self.settings.load()
        await self.cameras.load()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for name, work in (
                ("station watch", self._watch.run),
                ("messages from outside", self.listening.run),
                ("cameras' sources", self.cameras.run),
                ("motion detection", self.motion.run),
                ("stored motion", self.motion_index.run),
                ("ONVIF", self.onvif.run),
            ):
                tasks.create_task(keep_running(name, work), name=name)


def _newest(recording: RecordingService, camera: UUID) -> tuple[bytes, Track, int] | None:
    try:
        newest = recording.last_keyframe(camera)
    except NotFound:  # removed this moment
        return None
    return None if newest is None else (newest.data, newest.track, newest.footage_us)
