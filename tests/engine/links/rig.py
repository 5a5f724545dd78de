"""A link desk on real ports, with a camera that sends what a test pushes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from aiohttp import web

from engine.background import in_background
from engine.cameras.source import PacketSink
from engine.catalog_thread import CatalogThread
from engine.config import LinksSection
from engine.events import EventBus
from engine.links.desk import LIMITS, LinkDesk
from engine.links.door import DoorLimits
from engine.links.http_port import Clips, link_application
from engine.links.live_tap import LiveTaps
from engine.recording.recorder import LiveKeyframe
from engine.wire_links import VideoLink, VideoLinkAsk
from storage.catalog.records import Camera
from storage.errors import NotFound
from storage.segments.export import ExportFile
from storage.segments.packet import Packet, Track
from tests.fakes.clock import FakeClock

GATE = Camera(id=1, uuid=UUID(int=7), name="Gate, north", url="rtsp://192.0.2.1/", group="main")


@dataclass
class Cameras:
    """Stands for the recording service: one camera that is in use."""

    tracks: tuple[Track, ...] = ()
    sinks: list[PacketSink] = field(default_factory=list)
    newest: LiveKeyframe | None = None

    def tap(self, uuid: UUID, sink: PacketSink) -> tuple[Track, ...]:
        if uuid != GATE.uuid:
            raise NotFound("no camera")
        self.sinks.append(sink)
        return self.tracks

    def untap(self, uuid: UUID, sink: PacketSink) -> None:
        if sink in self.sinks:
            self.sinks.remove(sink)

    def last_keyframe(self, uuid: UUID) -> LiveKeyframe | None:
        if uuid != GATE.uuid:
            raise NotFound("no camera")
        return self.newest

    def push(self, packet: Packet) -> None:
        for sink in tuple(self.sinks):
            sink.packet(packet)


@dataclass
class Rig:
    desk: LinkDesk
    cameras: Cameras
    clock: FakeClock
    events: EventBus

    def link(self, **asked: object) -> VideoLink:
        return self.desk.add(VideoLinkAsk(camera=GATE.name, **asked), GATE, "ann")  # type: ignore[arg-type]

    async def watched(self) -> None:
        """Until somebody watches the camera."""
        while not self.cameras.sinks:
            await asyncio.sleep(0.01)


async def no_clip(link: object) -> ExportFile:
    raise NotFound("nothing of it is recorded")


async def copy_here(export: ExportFile, start: int, length: int, response: web.StreamResponse) -> None:
    for chunk in export.stretch(start, length, 4096):
        await response.write(chunk)
    await response.write_eof()


@asynccontextmanager
async def rig(
    folder: Path,
    clips: Clips = no_clip,
    config: LinksSection | None = None,
    limits: DoorLimits = LIMITS,
) -> AsyncIterator[Rig]:
    """A round of the desk is a hundredth of a second; time passes when the test says so."""

    async def soon(pause_s: float) -> None:
        await asyncio.sleep(pause_s / 100)

    clock = FakeClock()
    config = config or LinksSection(http_port=0, rtsp_port=0)
    async with CatalogThread(folder / "catalog.db") as catalog:
        events, cameras = EventBus(catalog, clock), Cameras()
        desk = LinkDesk(
            config,
            LiveTaps(cameras),
            lambda own: link_application(own, clips, copy_here),
            events,
            clock,
            sleep=soon,
            limits=limits,
        )
        async with in_background(catalog=catalog.run, events=events.run, links=desk.run):
            for _ in range(200):
                if desk.rtsp_port and desk.http_port:
                    break
                await asyncio.sleep(0.01)
            yield Rig(desk, cameras, clock, events)
