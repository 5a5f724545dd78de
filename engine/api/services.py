"""What the handlers work with: the station's parts behind narrow interfaces, and one call on its way to a handler.

The real parts are engine/recording, engine/pictures, engine/catalog_thread and engine/events, put together by
engine/station.py; tests put fakes behind the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from engine import wire
from engine.api.permissions import Caller
from engine.cameras.source import PacketSource, SourceSettings
from engine.catalog_access import CatalogAccess as CatalogAccess
from engine.events import EventBus
from engine.pictures.keyframe import KeyframeSource, LiveKeyframe
from engine.recording.keyframe_news import KeyframeNews
from engine.recording.segment import SegmentTail
from engine.wire_alarm_rules import (
    ActionResult,
    AlarmRuleAdd,
    AlarmRuleEdit,
    AlarmRuleView,
    AlarmTestReply,
    ScheduleTemplate,
    ScheduleTemplateView,
)
from engine.wire_alarms import AlarmCounts
from engine.wire_chassis import (
    ChassisLayout,
    ChassisOperation,
    ChassisView,
    DetectionView,
    DriveDetail,
    DriveLocate,
    GoneDrive,
    JobAct,
    JobView,
    LearnBay,
    OperationDone,
    OperationPlan,
    OperationRun,
    ScheduleView,
    SelfTestKind,
    UpkeepEdit,
)
from engine.wire_evidence import ExportAsk, ExportJobView, ExportPlanView
from engine.wire_links import VideoLink, VideoLinkAsk
from engine.wire_search import ActivityQuery, ActivityView, MotionSearch, MotionSearchView
from engine.wire_sources import (
    AlarmSettings,
    AnalyticsView,
    CameraAnalytics,
    CameraIo,
    ListenView,
    VirtualTrigger,
)
from storage.catalog.alarm_records import OperationRow
from storage.catalog.records import Camera, Volume
from storage.clock import Clock
from storage.evidence.station_key import StationKeys
from storage.segments.packet import Track

Q = TypeVar("Q")
B = TypeVar("B")


class NewestKeyframe(Protocol):
    @property
    def data(self) -> bytes: ...

    @property
    def track(self) -> Track: ...

    @property
    def time_us(self) -> int: ...


class Recording(Protocol):
    """engine.recording.recording.RecordingService, as far as the API needs it. Loop only."""

    def check_camera_limit(self) -> None: ...

    async def add_camera(self, camera: Camera, password: str) -> None: ...

    async def update_camera(self, camera: Camera, password: str) -> None: ...

    async def remove_camera(self, uuid: UUID) -> None: ...

    async def add_volume(self, volume: Volume) -> None: ...

    async def remove_volume(self, uuid: UUID) -> None: ...

    async def reload_groups(self) -> None: ...

    def camera_view(self, uuid: UUID) -> wire.CameraView: ...

    def camera_views(self) -> Sequence[wire.CameraView]: ...

    def volume_views(self) -> Sequence[wire.VolumeView]: ...

    def group_views(self) -> Sequence[wire.GroupView]: ...

    def tails(self) -> Sequence[SegmentTail]: ...

    def last_keyframe(self, uuid: UUID) -> NewestKeyframe | None: ...

    @property
    def keyframes(self) -> KeyframeNews: ...


class Pictures(Protocol):
    """engine.pictures.service.PictureService."""

    async def render(self, source: KeyframeSource, request: wire.PictureRequest) -> wire.PictureReply:
        """Raises PictureUnavailable, InvalidInput, BeyondSegment."""

    def has_lost(self, source: KeyframeSource, request: wire.PictureRequest) -> bool:
        """A moment ago this ended a worker, and would again."""


class LiveStreams(Protocol):
    """engine.pictures.live_streams.LiveStreams. Loop only."""

    def newest(self, camera: Camera, wanted_px: int = 0) -> LiveKeyframe | None: ...


class Chassis(Protocol):
    """engine.chassis.chassis.ChassisService. Loop only. `drive_ref` is a bay number, a serial number or an id."""

    def view(self) -> ChassisView: ...

    async def detail(self, drive_ref: str) -> DriveDetail: ...

    async def locate_drive(self, drive_ref: str, locate: DriveLocate, actor: str) -> None: ...

    async def start_self_test(self, drive_ref: str, kind: SelfTestKind, actor: str) -> OperationDone: ...

    async def abort_self_test(self, drive_ref: str, actor: str) -> None: ...

    async def gone_drives(self) -> tuple[GoneDrive, ...]: ...

    async def forget_drive(self, drive_ref: str, actor: str) -> None: ...

    async def detect(self) -> DetectionView: ...

    async def switch_uid(self, is_on: bool, actor: str) -> None: ...

    async def learn_bay(self, learn: LearnBay, actor: str) -> ChassisLayout: ...

    async def edit_upkeep(self, changes: UpkeepEdit, actor: str) -> ScheduleView: ...

    async def simulate(self, step: str, actor: str) -> None: ...


class Planner(Protocol):
    """engine.chassis.planning.Planner."""

    async def plan(self, operation: ChassisOperation) -> OperationPlan: ...

    async def run(self, run: OperationRun, actor: str) -> OperationDone: ...


class JobDesk(Protocol):
    """engine.chassis.jobs.JobDesk."""

    def views(self) -> tuple[JobView, ...]: ...

    def view(self, id: str) -> JobView: ...

    async def act(self, id: str, act: JobAct, actor: str) -> JobView: ...


class AlarmDesk(Protocol):
    """engine.alarms.service.AlarmService: what it knows without asking the catalog."""

    @property
    def counts(self) -> AlarmCounts: ...

    async def changed(self) -> None:
        """Somebody handled alarms: count again, and tell the consoles."""


class RuleDesk(Protocol):
    """Alarm rules, the schedules they share with recording, and the buttons they have. Views hold no secret.

    `ref` is a name, in any case, or an id. Raises NotFound, AlreadyExists, InvalidInput, Conflict.
    """

    def views(self) -> tuple[AlarmRuleView, ...]:
        """By name."""

    def view(self, ref: str) -> AlarmRuleView: ...

    async def add(self, rule: AlarmRuleAdd, actor: str) -> AlarmRuleView: ...

    async def edit(self, ref: str, changes: AlarmRuleEdit, actor: str) -> AlarmRuleView: ...

    async def remove(self, ref: str, actor: str) -> None: ...

    async def test(self, ref: str, actor: str) -> AlarmTestReply:
        """The whole chain, now; returns when every action has ended."""

    async def camera_renamed(self, old: str, new: str) -> None:
        """Rules that name it go on naming it."""

    async def schedules(self) -> tuple[ScheduleTemplateView, ...]:
        """By name."""

    async def put_schedule(self, template: ScheduleTemplate, actor: str) -> ScheduleTemplateView: ...

    async def remove_schedule(self, name: str, actor: str) -> None: ...

    async def buttons(self) -> tuple[VirtualTrigger, ...]:
        """By name."""

    async def fire(self, button: str, text: str, actor: str) -> None: ...


class SettingsDesk(Protocol):
    """engine.sources.settings_desk.AlarmSettingsDesk: mail, ports, preservation."""

    def view(self) -> AlarmSettings:
        """All parts; secrets are PLACEHOLDER."""

    async def edit(self, changes: AlarmSettings, actor: str) -> AlarmSettings: ...


class CameraSources(Protocol):
    """engine.sources.camera_sources.CameraSources: what is done with a camera's own events and pictures besides recording."""

    def view(self, camera: Camera) -> AnalyticsView: ...

    async def edit(self, camera: Camera, settings: CameraAnalytics, actor: str) -> AnalyticsView: ...

    async def io(self, camera: Camera) -> CameraIo:
        """Asked of the camera now. Raises CameraError."""


class FootageSearch(Protocol):
    """engine.search.footage_search.FootageSearch. Loop only."""

    async def activity(self, camera: Camera, query: ActivityQuery) -> ActivityView: ...

    async def begin(self, camera: Camera, search: MotionSearch, caller: Caller) -> MotionSearchView:
        """Answers when all that was stored is searched, or after a moment."""

    async def view(self, id: str, caller: Caller, wait_ms: int = 0) -> MotionSearchView:
        """Raises NotFound: of another caller, or forgotten."""

    def cancel(self, id: str, caller: Caller) -> None:
        """What was found stays until it is forgotten. Raises NotFound."""


class MailTester(Protocol):
    async def __call__(self, to: str) -> ActionResult:
        """A server that refuses is a result, not an error."""


class Listening(Protocol):
    """engine.sources.listening.Listening: the ports for messages from outside."""

    def view(self) -> ListenView: ...


class Operations(Protocol):
    """engine.api.operation_log.OperationLog."""

    async def add(self, row: OperationRow) -> None: ...

    def add_at_once(self, row: OperationRow) -> None: ...

    async def flush(self) -> None: ...


class Links(Protocol):
    """engine.links.desk.LinkDesk."""

    def add(self, ask: VideoLinkAsk, camera: Camera, actor: str) -> VideoLink: ...

    def views(self, actor: str, *, sees_all: bool) -> tuple[VideoLink, ...]: ...

    def remove(self, id: str, actor: str, *, sees_all: bool) -> None: ...

    def forget_camera(self, camera: Camera) -> None: ...


class LiveViews(Protocol):
    """What the event stream looks at again and again. Cheap, no waiting."""

    def station_view(self) -> wire.StationView: ...

    def camera_views(self) -> Sequence[wire.CameraView]: ...

    def volume_views(self) -> Sequence[wire.VolumeView]: ...

    def group_views(self) -> Sequence[wire.GroupView]: ...

    def chassis_view(self) -> ChassisView | None: ...


class ExportDesk(Protocol):
    """engine.exports.service.ExportService. Loop only. `ref` is an id or its beginning, a name or a folder's name."""

    async def plan(self, ask: ExportAsk) -> ExportPlanView: ...

    async def start(self, ask: ExportAsk, actor: str) -> ExportJobView: ...

    def jobs(self) -> tuple[ExportJobView, ...]: ...

    def job(self, ref: str) -> ExportJobView: ...

    async def cancel(self, ref: str, actor: str) -> ExportJobView: ...

    async def remove(self, ref: str) -> None: ...

    def file_path(self, ref: str, name: str) -> Path: ...


class LiveStation(Protocol):
    """The station as a whole."""

    def station_view(self) -> wire.StationView: ...

    def snapshot(self) -> wire.Snapshot: ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a handler may use."""

    station: LiveStation
    catalog: CatalogAccess
    recording: Recording
    chassis: Chassis
    planner: Planner
    jobs: JobDesk
    pictures: Pictures
    live_streams: LiveStreams
    events: EventBus
    clock: Clock
    open_source: Callable[[SourceSettings], PacketSource]
    alarms: AlarmDesk
    rules: RuleDesk
    settings: SettingsDesk
    camera_sources: CameraSources
    listening: Listening
    test_mail: MailTester
    operations: Operations
    links: Links
    search: FootageSearch
    keys: StationKeys
    """What signs recordings and exports, or why nothing does."""
    exports: ExportDesk
    files: Executor
    """Threads for reading segments and looking at new volumes; never used by the recording path."""


@dataclass(frozen=True, slots=True)
class Call(Generic[Q, B]):
    """A decoded request."""

    caller: Caller
    path: Mapping[str, str]
    query: Q
    body: B
