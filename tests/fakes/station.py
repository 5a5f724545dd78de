"""A station without cameras and disks behind it: real catalog and events, made-up recording and pictures."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from engine import wire
from engine.alarms.rule_desk import RuleDesk
from engine.alarms.service import AlarmService
from engine.api.export_sources import export_sources
from engine.api.handlers_exports import export_statement
from engine.api.handlers_links import copy_clip, planned_clip
from engine.api.handlers_pictures import picture_of_camera
from engine.api.operation_log import OperationLog, keep_operations
from engine.api.permissions import Caller, Peers, Role
from engine.api.server import ApiServer
from engine.api.services import Services
from engine.api.stream import StreamHub
from engine.background import in_background
from engine.cameras.source import PacketSink, PacketSource, SourceSettings
from engine.catalog_thread import CatalogThread
from engine.chassis.chassis import ChassisService
from engine.chassis.job_work import JobWork
from engine.chassis.jobs import JobDesk
from engine.chassis.operation_gate import OperationGate
from engine.chassis.planning import Planner
from engine.client import EngineClient
from engine.config import LinksSection
from engine.events import EventBus
from engine.exports.folder import ExportFolder
from engine.exports.making import Workshop
from engine.exports.service import ExportService
from engine.links.desk import LinkDesk
from engine.links.http_port import link_application
from engine.links.live_tap import LiveTaps
from engine.pictures.keyframe import KeyframeSource, LiveKeyframe
from engine.pictures.live_streams import LiveStreams
from engine.recording.keyframe_news import KeyframeNews
from engine.recording.segment import SegmentTail
from engine.search.footage_search import FootageSearch
from engine.sources.listening import Listening
from engine.sources.settings_desk import AlarmSettingsDesk
from engine.wire_alarm_rules import ActionResult, ActionState
from engine.wire_chassis import ChassisView
from engine.wire_sources import AnalyticsView, CameraAnalytics, CameraIo
from storage.catalog.motion_looks import MotionLook
from storage.catalog.records import Camera, Volume
from storage.errors import NotFound, PictureUnavailable
from storage.evidence.station_key import StationKey, StationKeys
from storage.raid.simulated_layout import DEMO_LAYOUT, SimulatedLayout
from storage.segments.packet import Codec, Track
from storage.simulated_hardware import SimulatedHardware
from tests.fakes.action_runner import FakeRunner
from tests.fakes.clock import FakeClock

H264 = Track(codec=Codec.H264, time_base_hz=90_000, width=640, height=360)


def camera_view(camera: Camera) -> wire.CameraView:
    return wire.CameraView(
        id=camera.id,
        uuid=str(camera.uuid),
        name=camera.name,
        url=camera.url,
        user=camera.user,
        has_password=camera.has_password,
        group=camera.group,
        transport=camera.transport,
        mode=camera.mode,
        record_audio=camera.record_audio,
        verify_tls=camera.verify_tls,
        is_enabled=camera.is_enabled,
        live_url=camera.live_url,
    )


@dataclass
class FakeKeyframe:
    data: bytes
    track: Track
    time_us: int


@dataclass
class FakeRecording:
    """Shows what it was told and notes every password it was handed."""

    catalog: CatalogThread
    cameras: dict[UUID, wire.CameraView] = field(default_factory=dict)
    volumes: dict[UUID, wire.VolumeView] = field(default_factory=dict)
    open_tails: list[SegmentTail] = field(default_factory=list)
    groups: list[wire.GroupView] = field(default_factory=list)
    passwords: list[str] = field(default_factory=list)
    taps: dict[UUID, list[PacketSink]] = field(default_factory=dict)
    tracks: dict[UUID, tuple[Track, ...]] = field(default_factory=dict)
    newest: dict[UUID, FakeKeyframe] = field(default_factory=dict)
    keyframes: KeyframeNews = field(default_factory=KeyframeNews)

    def check_camera_limit(self) -> None:
        pass

    async def add_camera(self, camera: Camera, password: str) -> None:
        self.passwords.append(password)
        self.cameras[camera.uuid] = camera_view(camera)

    async def update_camera(self, camera: Camera, password: str) -> None:
        await self.add_camera(camera, password)

    async def remove_camera(self, uuid: UUID) -> None:
        del self.cameras[uuid]

    def tap(self, uuid: UUID, sink: PacketSink) -> tuple[Track, ...]:
        if uuid not in self.cameras:
            raise NotFound(f"no camera {uuid} in use")
        self.taps.setdefault(uuid, []).append(sink)
        return self.tracks.get(uuid, ())

    def untap(self, uuid: UUID, sink: PacketSink) -> None:
        if sink in self.taps.get(uuid, []):
            self.taps[uuid].remove(sink)

    async def add_volume(self, volume: Volume) -> None:
        self.volumes[volume.uuid] = wire.VolumeView(
            id=volume.id,
            uuid=str(volume.uuid),
            name=volume.name,
            path=volume.path,
            group=volume.group,
            state=wire.VolumeState.OK,
            total_bytes=10**12,
            floor_bytes=volume.floor_bytes,
        )

    async def remove_volume(self, uuid: UUID) -> None:
        del self.volumes[uuid]

    async def reload_groups(self) -> None:
        self.groups = [
            wire.GroupView(
                id=group.id,
                name=group.name,
                retention_days=group.retention_days,
                retention_bytes=group.retention_bytes,
            )
            for group in await self.catalog.read("groups")
        ]

    def camera_view(self, uuid: UUID) -> wire.CameraView:
        return self.cameras[uuid]

    def camera_views(self) -> list[wire.CameraView]:
        return list(self.cameras.values())

    def volume_views(self) -> list[wire.VolumeView]:
        return list(self.volumes.values())

    def group_views(self) -> list[wire.GroupView]:
        return self.groups

    def tails(self) -> list[SegmentTail]:
        return self.open_tails

    def last_keyframe(self, uuid: UUID) -> FakeKeyframe | None:
        return self.newest.get(uuid)


@dataclass
class FakePictures:
    asked: list[KeyframeSource] = field(default_factory=list)
    refused: list[type[KeyframeSource]] = field(default_factory=list)

    async def render(self, source: KeyframeSource, request: wire.PictureRequest) -> wire.PictureReply:
        if type(source) in self.refused:
            raise PictureUnavailable("nothing decodable")
        self.asked.append(source)
        time_us = source.time_us if isinstance(source, LiveKeyframe) else source.start_us
        return wire.PictureReply(
            camera=source.camera,
            time_us=time_us,
            format=request.format,
            width_px=640,
            height_px=360,
            data=b"\xff\xd8picture",
        )

    def has_lost(self, source: KeyframeSource, request: wire.PictureRequest) -> bool:
        return False


@dataclass
class FakeSource:
    """Plays a script into the sink, then stays silent, ends or fails."""

    script: list[object]

    async def run(self, sink: PacketSink) -> None:
        for step in self.script:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, tuple):
                sink.tracks_changed(step)
            else:
                sink.packet(step)  # type: ignore[arg-type]


@dataclass
class FakeCameraSources:
    """Keeps settings in memory; its cameras offer what `io_reply` says."""

    kept: dict[UUID, CameraAnalytics] = field(default_factory=dict)
    io_reply: CameraIo = CameraIo(presets=(("1", "gate"),), outputs=("DO1",))

    def view(self, camera: Camera) -> AnalyticsView:
        return AnalyticsView(camera=camera.name, settings=self.kept.get(camera.uuid, CameraAnalytics()))

    async def edit(self, camera: Camera, settings: CameraAnalytics, actor: str) -> AnalyticsView:
        self.kept[camera.uuid] = settings
        return self.view(camera)

    async def io(self, camera: Camera) -> CameraIo:
        return self.io_reply


class FakePeers(Peers):
    """Everybody who is let in has `role`; None = as the real one says."""

    role: Role | None = None

    def caller(self, connection: socket.socket) -> Caller:
        caller = super().caller(connection)
        return caller if self.role is None else Caller(caller.uid, str(self.role), self.role)


@dataclass
class FakeMail:
    """Notes who was written to."""

    sent: list[str] = field(default_factory=list)
    is_broken: bool = False

    async def __call__(self, to: str) -> ActionResult:
        self.sent.append(to)
        state = ActionState.FAILED if self.is_broken else ActionState.DONE
        return ActionResult(action=f"mail to {to}", state=state, tries=1, text="said the server")


@dataclass
class FakeStation:
    """Everything behind the API of one engine, and a client of it."""

    clock: FakeClock
    catalog: CatalogThread
    events: EventBus
    recording: FakeRecording
    pictures: FakePictures
    hardware: SimulatedHardware
    chassis: ChassisService
    jobs: JobDesk
    alarms: AlarmService
    runner: FakeRunner
    camera_sources: FakeCameraSources
    mail: FakeMail
    operations: OperationLog
    peers: FakePeers
    hub: StreamHub
    exports: ExportService
    services: Services
    client: EngineClient
    socket_path: Path
    sources: list[SourceSettings]
    next_source: list[PacketSource]


class FakeViews:
    """Station view of the fakes."""

    def __init__(self, recording: FakeRecording, chassis: ChassisService, clock: FakeClock) -> None:
        self._recording = recording
        self._chassis = chassis
        self._clock = clock
        self.hub: StreamHub | None = None
        self.camera_views = recording.camera_views
        self.volume_views = recording.volume_views
        self.group_views = recording.group_views

    def station_view(self) -> wire.StationView:
        return wire.StationView(
            name="test",
            uuid="00000000-0000-0000-0000-000000000001",
            version="1.2.3",
            now_us=self._clock.now_us(),
            started_us=1,
            cameras_total=len(self._recording.cameras),
        )

    def chassis_view(self) -> ChassisView:
        return self._chassis.view()

    def snapshot(self) -> wire.Snapshot:
        assert self.hub is not None
        return self.hub.snapshot()


@asynccontextmanager
async def fake_station(folder: Path, layout: SimulatedLayout = DEMO_LAYOUT) -> AsyncIterator[FakeStation]:
    """Served on a socket in `folder`, which must have a short path."""
    clock = FakeClock()
    sources: list[SourceSettings] = []
    next_source: list[PacketSource] = []

    def open_source(settings: SourceSettings) -> PacketSource:
        sources.append(settings)
        return next_source.pop(0)

    files = ThreadPoolExecutor(2, "files")
    looks: dict[UUID, list[MotionLook]] = {}
    socket_path = folder / "engine.sock"
    async with (
        CatalogThread(folder / "catalog.sqlite") as catalog,
        keep_operations(catalog) as operations,
    ):
        events = EventBus(catalog, clock)
        recording = FakeRecording(catalog)
        await recording.reload_groups()
        pictures = FakePictures()
        live_streams = LiveStreams(
            lambda camera: catalog.read("camera_password", camera), open_source, clock, recording.keyframes
        )
        hardware = SimulatedHardware(folder / "chassis", clock, layout)
        gate = OperationGate()
        chassis = ChassisService(hardware, catalog, events, clock, recording, gate=gate, simulate=hardware.do)
        work = JobWork(chassis, catalog, recording, events, clock, gate)
        jobs = JobDesk(work, on_change=chassis.jobs_changed)
        chassis.follow_jobs(jobs)
        views = FakeViews(recording, chassis, clock)
        hub = views.hub = StreamHub(views)
        runner = FakeRunner()
        alarms = AlarmService(catalog, clock, runner)
        alarms.camera_names = lambda: {camera.name for camera in recording.camera_views()}
        alarms.on_change = hub.changed
        alarms.on_raised = hub.alarm_raised
        hub.alarm_counts = lambda: alarms.counts
        rules = RuleDesk(alarms, catalog, events, clock)
        listening = Listening(events, clock, lambda event: ())
        settings = AlarmSettingsDesk(catalog, events, listening.apply)
        camera_sources, mail, peers = FakeCameraSources(), FakeMail(), FakePeers()
        await settings.load()
        await alarms.load()
        events.watch(alarms.take)
        search = FootageSearch(catalog, recording, lambda uuid: looks.get(uuid, ()), clock, files)
        keys = StationKeys.of(StationKey.generate(clock.now_us()))
        exports = ExportService(
            Workshop(
                folder=ExportFolder(folder / "exports"),
                sources=lambda ref, start_us, end_us: export_sources(services, ref, start_us, end_us),
                picture=lambda camera, request: picture_of_camera(services, camera, request),
                gaps=lambda camera_id, start_us, end_us: catalog.read("gaps", [camera_id], start_us, end_us),
                statement=lambda actor, comment: export_statement(services, actor, comment),
                keys=keys,
                clock=clock,
            ),
            catalog,
            events,
            files,
            keep_days=7,
        )
        links = LinkDesk(
            LinksSection(http_port=0, rtsp_port=0),
            LiveTaps(recording),
            lambda desk: link_application(
                desk,
                lambda link: planned_clip(services, link),
                lambda export, start, length, response: copy_clip(services, export, start, length, response),
            ),
            events,
            clock,
        )
        services = Services(
            alarms=alarms,
            rules=rules,
            settings=settings,
            camera_sources=camera_sources,
            listening=listening,
            test_mail=mail,
            operations=operations,
            links=links,
            search=search,
            keys=keys,
            exports=exports,
            station=views,
            catalog=catalog,
            recording=recording,
            chassis=chassis,
            planner=Planner(work, jobs),
            jobs=jobs,
            pictures=pictures,
            live_streams=live_streams,
            events=events,
            clock=clock,
            open_source=open_source,
            files=files,
        )
        with events.subscribe() as subscription:
            async with (
                in_background(
                    catalog=catalog.run,
                    events=events.run,
                    chassis=chassis.run,
                    jobs=jobs.run,
                    alarms=alarms.run,
                    listening=listening.run,
                    live_streams=live_streams.run,
                    search=search.run,
                    exports=exports.run,
                    links=links.run,
                    stream=hub.watch_state,
                    fan_out=lambda: hub.watch_events(subscription),
                ),
                ApiServer(services, hub, socket_path, peers=peers),
                EngineClient(socket_path) as client,
            ):
                await chassis.has_looked.wait()
                yield FakeStation(
                    clock,
                    catalog,
                    events,
                    recording,
                    pictures,
                    hardware,
                    chassis,
                    jobs,
                    alarms,
                    runner,
                    camera_sources,
                    mail,
                    operations,
                    peers,
                    hub,
                    exports,
                    services,
                    client,
                    socket_path,
                    sources,
                    next_source,
                )
    files.shutdown()
