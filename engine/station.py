"""The station: its parts put together, started and stopped in the order of what needs what.

Catalog ▸ events ▸ recording (volumes ▸ recorders ▸ cameras) ▸ alarms and their actions ▸ chassis, jobs, pictures, health, stream ▸ API. Each is an async context around
the next; leaving them is the ordered stop. A part that fails for good ends the others in the same order.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from engine import wire
from engine.alarms.actions.assemble import AlarmActions
from engine.alarms.actions.snapshots import EventSnapshots
from engine.alarms.rule_desk import RuleDesk
from engine.alarms.service import AlarmService
from engine.api.export_sources import export_sources
from engine.api.handlers_exports import export_statement
from engine.api.handlers_links import copy_clip, planned_clip
from engine.api.handlers_pictures import picture_of, picture_of_camera
from engine.api.operation_log import OperationLog, keep_operations
from engine.api.server import ApiServer
from engine.api.services import Services
from engine.api.stream import NEWEST_EVENTS, StreamHub
from engine.background import in_background
from engine.cameras.open_source import open_source
from engine.cameras.source import PacketSource, SourceSettings
from engine.catalog_thread import CatalogThread
from engine.catalog_upkeep import upkeep_rounds
from engine.chassis.chassis import ChassisService
from engine.chassis.hardware_choice import open_hardware
from engine.chassis.job_work import JobWork
from engine.chassis.jobs import JobDesk
from engine.chassis.operation_gate import OperationGate
from engine.chassis.planning import Planner
from engine.config import RecordingSection, StationConfig
from engine.events import EventBus
from engine.exports.folder import ExportFolder
from engine.exports.making import Workshop
from engine.exports.service import ExportService
from engine.health import HealthWatch
from engine.links.desk import LinkDesk
from engine.links.http_port import link_application
from engine.links.live_tap import LiveTaps
from engine.pictures.live_streams import LiveStreams
from engine.pictures.service import PictureService
from engine.recording.recording import RecordingService
from engine.recording.settings import RecordingConfig
from engine.sd_notify import ServiceManager
from engine.search.footage_search import FootageSearch
from engine.sources.crash import tell_of_crash
from engine.sources.key import tell_of_key
from engine.sources.sources import StationSources
from engine.state_folder import CATALOG_NAME, EXPORTS_NAME
from engine.supervise import keep_running
from engine.wire_chassis import ChassisView
from storage.catalog.records import EventRecord, StationIdentity
from storage.clock import Clock
from storage.evidence.station_key import StationKeys, open_station_keys
from storage.segments.chain import Signer
from storage.units import US_PER_SECOND

log = logging.getLogger(__name__)

FILE_THREADS = 4
"""For exports and for looking at new volumes."""
STATUS_S = 10.0
"""Between two lines for `systemctl status`."""
CAMERA_LIMIT = 128
GATHER_MS = 100
"""Parts of all cameras that come within this time wake a volume's thread once: with 32 cameras, a tenth of the CPU."""


def software_version() -> str:
    try:
        return version("watchdeck")
    except PackageNotFoundError:
        return "0"


def recording_config(section: RecordingSection, signer: Signer | None = None) -> RecordingConfig:
    return RecordingConfig(
        signer=signer,
        segment_us=section.segment_s * US_PER_SECOND,
        part_us=section.part_ms * 1000,
        sync_interval_ms=round(section.sync_interval_s * 1000),
        gather_ms=GATHER_MS,
        queue_bytes=section.queue_mib * 1024 * 1024,
        pre_event_bytes=section.pre_event_mib * 1024 * 1024,
        camera_limit=CAMERA_LIMIT,
    )


class Overview:
    """The views of everything at this moment: what `status`, snapshots and the event stream show. Loop only."""

    def __init__(
        self,
        identity: StationIdentity,
        recording: RecordingService,
        health: HealthWatch,
        clock: Clock,
        *,
        chassis: ChassisService,
        is_demo: bool,
    ) -> None:
        self._identity = identity
        self._recording = recording
        self._chassis = chassis
        self._health = health
        self._clock = clock
        self._is_demo = is_demo
        self._started_us = clock.now_us()
        self._version = software_version()

    def station_view(self) -> wire.StationView:
        health = self._health.health
        states = [view.state for view in self._recording.camera_views()]
        return wire.StationView(
            name=self._identity.name,
            uuid=str(self._identity.uuid),
            version=self._version,
            now_us=self._clock.now_us(),
            started_us=self._started_us,
            cpu_percent=health.cpu_percent,
            memory_percent=health.memory_percent,
            engine_cpu_percent=health.engine_cpu_percent,
            engine_rss_bytes=health.engine_rss_bytes,
            links=health.links,
            cameras_total=len(states),
            cameras_expected=self._recording.expected_cameras(),
            cameras_waiting=states.count(wire.CameraState.WAITING),
            cameras_recording=states.count(wire.CameraState.RECORDING),
            is_demo=self._is_demo,
            camera_limit=CAMERA_LIMIT,
        )

    def camera_views(self) -> Sequence[wire.CameraView]:
        return self._recording.camera_views()

    def volume_views(self) -> Sequence[wire.VolumeView]:
        return self._recording.volume_views()

    def group_views(self) -> Sequence[wire.GroupView]:
        return self._recording.group_views()

    def chassis_view(self) -> ChassisView | None:
        """None until the drives were looked at, or could not be."""
        return self._chassis.view() if self._chassis.has_answer else None


class Station:
    """One engine on one state folder, which the caller has locked."""

    def __init__(
        self,
        state: Path,
        socket_path: Path,
        config: StationConfig,
        *,
        clock: Clock,
        manager: ServiceManager,
        is_demo: bool = False,
        open_camera: Callable[[SourceSettings], PacketSource] = open_source,
    ) -> None:
        self._state = state
        self._socket_path = socket_path
        self._config = config
        self._clock = clock
        self._manager = manager
        self._is_demo = is_demo
        self._open_camera = open_camera
        self.is_serving = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set, then stop in order. Raises what ended a part for good."""
        async with CatalogThread(self._state / CATALOG_NAME) as catalog, in_background(catalog=catalog.run):
            identity = await self._identity(catalog)
            newest: list[EventRecord] = await catalog.read("events", limit=NEWEST_EVENTS)
            keys = await self._keys()
            async with self._events(catalog) as events:
                recording = RecordingService(
                    catalog,
                    events,
                    self._clock,
                    recording_config(self._config.recording, keys.current),
                    self._open_camera,
                )
                alarms = await self._alarms(catalog, events, recording)
                await tell_of_crash(catalog, events)
                tell_of_key(keys, events)
                async with in_background(recording=recording.run), keep_operations(catalog) as operations:
                    await recording.is_started.wait()
                    await self._serve(
                        identity, keys, catalog, events, recording, alarms, operations, newest, stop
                    )

    @asynccontextmanager
    async def _events(self, catalog: CatalogThread) -> AsyncIterator[EventBus]:
        """Everything said until the very end is kept: written before the bus's own task is cancelled in the middle."""
        events = EventBus(catalog, self._clock)
        async with in_background(events=events.run):
            try:
                yield events
            finally:
                await events.flush()

    async def _alarms(
        self, catalog: CatalogThread, events: EventBus, recording: RecordingService
    ) -> AlarmService:
        """Takes events from before recording begins; what they are written and acted on by begins in `_serve`."""
        alarms = AlarmService(catalog, self._clock)
        alarms.camera_names = lambda: {camera.name for camera in recording.cameras()}
        await alarms.load()
        events.watch(alarms.take)
        return alarms

    @asynccontextmanager
    async def _settling(self, alarms: AlarmService) -> AsyncIterator[None]:
        """What happened until the end is written, and its actions begun, before those who do it are cancelled."""
        try:
            yield
        finally:
            await alarms.close()

    async def _identity(self, catalog: CatalogThread) -> StationIdentity:
        """A name in station.toml wins over the one in the catalog."""
        identity: StationIdentity = await catalog.read("station")
        name = self._config.station.name
        if name and name != identity.name:
            identity = await catalog.write("rename_station", name)
        return identity

    async def _keys(self) -> StationKeys:
        """Made at the first start. A key that cannot be used keeps nothing from being recorded."""
        with ThreadPoolExecutor(1, "station key") as opening:
            return await asyncio.get_running_loop().run_in_executor(opening, open_station_keys, self._state)

    async def _serve(
        self,
        identity: StationIdentity,
        keys: StationKeys,
        catalog: CatalogThread,
        events: EventBus,
        recording: RecordingService,
        alarms: AlarmService,
        operations: OperationLog,
        newest: Sequence[EventRecord],
        stop: asyncio.Event,
    ) -> None:
        health = HealthWatch(self._clock)
        files = ThreadPoolExecutor(FILE_THREADS, "files")
        gate = OperationGate()
        chassis = await self._chassis(catalog, events, recording, gate, files)
        work = JobWork(chassis, catalog, recording, events, self._clock, gate)
        jobs = JobDesk(work, on_change=chassis.jobs_changed)
        chassis.follow_jobs(jobs)
        overview = Overview(identity, recording, health, self._clock, chassis=chassis, is_demo=self._is_demo)
        pictures = PictureService(self._clock, self._config.pictures.workers)
        live_streams = LiveStreams(
            lambda camera: catalog.read("camera_password", camera),
            self._open_camera,
            self._clock,
            recording.keyframes,
        )
        hub = StreamHub(overview, newest)
        sources = StationSources(
            catalog,
            events,
            self._clock,
            recording,
            health=lambda: health.health,
            groups=recording.group_views,
            matching=alarms.matching,
            motion_percent=self._config.pictures.motion_percent,
        )
        actions = AlarmActions(
            catalog,
            self._clock,
            station=lambda: identity.name,
            recording=recording,
            onvif=sources.onvif,
            speaker=chassis,
            snapshots=EventSnapshots(lambda request: picture_of(services, request)),
        )
        search = FootageSearch(catalog, recording, sources.motion_index.recent, self._clock, files)
        alarms.runner = actions.runner
        alarms.on_change = hub.changed
        alarms.on_raised = hub.alarm_raised
        hub.alarm_counts = lambda: alarms.counts
        await sources.load()
        recording.on_change = lambda kind, ref: hub.changed()

        def chassis_changed() -> None:
            jobs.changed()
            hub.changed()

        chassis.on_change = chassis_changed
        chassis.has_readers = lambda: hub.readers > 0
        exports = ExportService(
            Workshop(
                folder=ExportFolder(Path(self._config.exports.folder or self._state / EXPORTS_NAME)),
                sources=lambda ref, start_us, end_us: export_sources(services, ref, start_us, end_us),
                picture=lambda camera, request: picture_of_camera(services, camera, request),
                gaps=lambda camera_id, start_us, end_us: catalog.read("gaps", [camera_id], start_us, end_us),
                statement=lambda actor, comment: export_statement(services, actor, comment),
                keys=keys,
                clock=self._clock,
            ),
            catalog,
            events,
            files,
            keep_days=self._config.exports.keep_days,
        )
        links = LinkDesk(
            self._config.links,
            LiveTaps(recording),
            lambda desk: link_application(
                desk,
                lambda link: planned_clip(services, link),
                lambda export, start, length, response: copy_clip(services, export, start, length, response),
            ),
            events,
            self._clock,
        )
        services = Services(
            station=hub,
            catalog=catalog,
            recording=recording,
            chassis=chassis,
            planner=Planner(work, jobs),
            jobs=jobs,
            pictures=pictures,
            live_streams=live_streams,
            events=events,
            clock=self._clock,
            open_source=self._open_camera,
            alarms=alarms,
            rules=RuleDesk(alarms, catalog, events, self._clock),
            settings=sources.settings,
            camera_sources=sources.cameras,
            listening=sources.listening,
            test_mail=lambda to: actions.mailer.test(to, identity.name),
            operations=operations,
            links=links,
            search=search,
            keys=keys,
            exports=exports,
            files=files,
        )
        try:
            with events.subscribe() as subscription:
                async with (
                    in_background(
                        actions=lambda: keep_running("actions of alarms", actions.run),
                        alarms=lambda: keep_running("alarms", alarms.run),
                    ),
                    self._settling(alarms),
                    in_background(
                        sources=sources.run,
                        health=health.run,
                        upkeep=lambda: keep_running(
                            "catalog upkeep",
                            lambda: upkeep_rounds(catalog, self._clock, self._config.catalog),
                        ),
                        chassis=chassis.run,
                        jobs=lambda: keep_running("jobs", jobs.run),
                        pictures=lambda: keep_running("pictures", pictures.run),
                        live_streams=lambda: keep_running("live streams", live_streams.run),
                        search=lambda: keep_running("motion searches", search.run),
                        exports=lambda: keep_running("exports", exports.run),
                        links=lambda: keep_running("video links", links.run),
                        stream=hub.watch_state,
                        event_stream=lambda: hub.watch_events(subscription),
                        status=lambda: self._tell_status(overview),
                    ),
                    ApiServer(services, hub, self._socket_path),
                ):
                    events.publish("engine.started", f"engine {software_version()} started")
                    self._manager.ready(self._status(overview))
                    self.is_serving.set()
                    await stop.wait()
                    events.publish("engine.stopped", "engine stops in order")
        finally:
            self.is_serving.clear()
            files.shutdown(wait=False, cancel_futures=True)

    async def _chassis(
        self,
        catalog: CatalogThread,
        events: EventBus,
        recording: RecordingService,
        gate: OperationGate,
        files: Executor,
    ) -> ChassisService:
        opened = await asyncio.get_running_loop().run_in_executor(
            files,
            lambda: open_hardware(self._config.chassis, self._state, self._clock, is_demo=self._is_demo),
        )
        return ChassisService(
            opened.hardware,
            catalog,
            events,
            self._clock,
            recording,
            gate=gate,
            simulate=opened.simulate,
        )

    async def _tell_status(self, overview: Overview) -> None:
        while True:
            await asyncio.sleep(STATUS_S)
            self._manager.status(self._status(overview))

    def _status(self, overview: Overview) -> str:
        view = overview.station_view()
        return f"recording {view.cameras_recording} of {view.cameras_expected} cameras"
