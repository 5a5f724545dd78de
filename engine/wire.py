"""API messages: everything that crosses the socket between the engine and its clients, versioned as `/v1`.

Requests forbid unknown fields, replies tolerate new ones. Times are integer microseconds UTC (`_us`).
Clients (console, command line, other stations) import this module and `engine.client`, nothing else of the engine.
"""

from __future__ import annotations

from enum import StrEnum

from engine.wire_alarm_rules import Seconds as EventSeconds
from engine.wire_alarms import AlarmCounts, AlarmRaised, AlarmsMessage
from engine.wire_chassis import ChassisView
from engine.wire_message import Reply as Reply
from engine.wire_message import Request as Request
from engine.wire_pictures import CellPicture as CellPicture
from engine.wire_pictures import CellRun as CellRun
from engine.wire_pictures import LiveStream as LiveStream
from engine.wire_pictures import PictureFormat as PictureFormat
from engine.wire_pictures import PictureReply as PictureReply
from engine.wire_pictures import PictureRequest as PictureRequest
from engine.wire_pictures import SixelStrip as SixelStrip
from engine.wire_schedule import ScheduleMessage as ScheduleMessage

API_VERSION = 1


# -- errors ----------------------------------------------------------------------------------------------


class ErrorReply(Reply, frozen=True, kw_only=True):
    """Body of every failed call."""

    code: str
    what: str
    remedy: str = ""


# -- cameras ---------------------------------------------------------------------------------------------


class CameraState(StrEnum):
    """What a camera is doing. Shown with `cause`; "recording" only while bytes reach the disk."""

    OFF = "off"
    """Disabled, or its schedule says not now."""
    CONNECTING = "connecting"
    RECORDING = "recording"
    STREAMING = "streaming"
    """Video arrives and is not (yet) on disk; `cause` says why."""
    WAITING = "waiting"
    """Video arrives and is kept in memory until an event asks for it (mode `events`): all is well."""
    LOST = "lost"
    """Will be tried again at `retry_at_us`."""
    REFUSED = "refused"
    """The camera says no; tried again slowly; someone must act."""


class CameraAdd(Request, frozen=True, kw_only=True):
    name: str
    url: str
    """rtsp://, rtsps://, rtmp://, http(s):// or file://; credentials inside are taken out and kept apart."""
    user: str = ""
    password: str = ""
    group: str = "main"
    transport: str = "auto"
    mode: str = "continuous"
    """continuous, schedule, events or off."""
    schedule: ScheduleMessage | None = None
    record_audio: bool = True
    verify_tls: bool = False
    pre_event_s: EventSeconds = 5
    """Mode `events`: so many seconds before an event are held in memory."""
    post_event_s: EventSeconds = 5
    """Mode `events`: recorded so long after an event, unless the rule says otherwise."""
    live_url: str = ""
    """Of its smaller stream, for live pictures; same user and password. Empty = it has none."""


class CameraEdit(Request, frozen=True, kw_only=True):
    """Only the fields given change."""

    name: str | None = None
    url: str | None = None
    user: str | None = None
    password: str | None = None
    group: str | None = None
    transport: str | None = None
    mode: str | None = None
    schedule: ScheduleMessage | None = None
    record_audio: bool | None = None
    verify_tls: bool | None = None
    is_enabled: bool | None = None
    pre_event_s: EventSeconds | None = None
    post_event_s: EventSeconds | None = None
    live_url: str | None = None
    """An empty one is removed."""


class CameraTest(Request, frozen=True, kw_only=True):
    """Try a camera without adding it; or an existing one by name (then only `camera` is given)."""

    camera: str = ""
    url: str = ""
    user: str = ""
    password: str = ""
    transport: str = "auto"
    verify_tls: bool = False


class TrackView(Reply, frozen=True, kw_only=True):
    codec: str
    width: int = 0
    height: int = 0
    sample_rate_hz: int = 0
    channels: int = 0


class CameraTestReply(Reply, frozen=True, kw_only=True):
    """What a test saw. A failed test is a normal reply with `ok` false."""

    ok: bool
    tracks: tuple[TrackView, ...] = ()
    fps: float = 0.0
    bitrate_bps: int = 0
    first_picture_ms: int = 0
    """From the call to the first keyframe."""
    code: str = ""
    what: str = ""
    remedy: str = ""


class CameraView(Reply, frozen=True, kw_only=True):
    """A camera with its live state."""

    id: int
    uuid: str
    name: str
    url: str
    user: str
    has_password: bool
    group: str
    transport: str
    mode: str
    schedule: ScheduleMessage | None = None
    record_audio: bool = True
    verify_tls: bool = False
    is_enabled: bool = True
    pre_event_s: int = 5
    post_event_s: int = 5
    live_url: str = ""
    state: CameraState = CameraState.OFF
    state_since_us: int = 0
    cause: str = ""
    """Plain words: why it is in this state; empty when all is well."""
    cause_code: str = ""
    retry_at_us: int | None = None
    tracks: tuple[TrackView, ...] = ()
    fps: float = 0.0
    bitrate_bps: int = 0
    last_picture_us: int | None = None
    """Wall time of the newest keyframe received."""
    last_written_us: int | None = None
    """Wall time up to which its video is on disk."""
    volume: str = ""
    """Volume being written."""
    oldest_us: int | None = None
    lost_packets: int = 0
    reconnects: int = 0
    is_removed: bool = False
    """Only footage of it is left."""


# -- storage ---------------------------------------------------------------------------------------------


class VolumeState(StrEnum):
    OK = "ok"
    FULL = "full"
    MISSING = "missing"
    MISMATCH = "mismatch"
    READ_ONLY = "read_only"
    FAILED = "failed"
    STALLED = "stalled"


class VolumeAdd(Request, frozen=True, kw_only=True):
    name: str
    path: str
    group: str = "main"
    floor_bytes: int | None = None
    """Free space that recording leaves alone; None = 5 % of the file system, at least 1 GiB (less on small ones), at most 20."""
    allow_system_disk: bool = False
    """A plain folder on the system's own file system is refused unless this is set."""


class VolumeView(Reply, frozen=True, kw_only=True):
    id: int
    uuid: str
    name: str
    path: str
    group: str
    state: VolumeState
    cause: str = ""
    total_bytes: int = 0
    free_bytes: int = 0
    floor_bytes: int = 0
    used_bytes: int = 0
    """By Watchdeck's segments."""
    write_bps: int = 0
    queue_bytes: int = 0
    is_on_system_disk: bool = False


class GroupAdd(Request, frozen=True, kw_only=True):
    name: str
    retention_days: int | None = None
    retention_bytes: int | None = None


class GroupEdit(Request, frozen=True, kw_only=True):
    """Only the fields given change; -1 for a retention field removes that limit."""

    name: str | None = None
    retention_days: int | None = None
    retention_bytes: int | None = None


class GroupView(Reply, frozen=True, kw_only=True):
    id: int
    name: str
    retention_days: int | None = None
    retention_bytes: int | None = None
    cameras: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    used_bytes: int = 0
    locked_bytes: int = 0
    oldest_us: int | None = None
    recorded_days: float = 0.0
    remaining_days: float | None = None
    """Days until the volumes are full at the measured rate; None = not known yet."""
    write_bps: int = 0
    is_below_retention: bool = False
    """Rule 21: recorded + remaining days < retention days."""


# -- recordings ------------------------------------------------------------------------------------------


class RecordingView(Reply, frozen=True, kw_only=True):
    """One segment."""

    camera: str
    start_us: int
    end_us: int
    bytes: int
    path: str
    """Absolute path of the file on the engine's machine."""
    volume: str
    is_open: bool = False
    is_locked: bool = False
    is_recovered: bool = False


class GapView(Reply, frozen=True, kw_only=True):
    camera: str
    start_us: int
    end_us: int | None
    cause: str
    detail: str = ""


class LockAdd(Request, frozen=True, kw_only=True):
    camera: str
    start_us: int
    end_us: int
    reason: str = ""
    expires_us: int | None = None


class LockView(Reply, frozen=True, kw_only=True):
    id: int
    camera: str
    start_us: int
    end_us: int
    reason: str = ""
    created_us: int = 0
    created_by: str = ""
    expires_us: int | None = None


class TimelineRow(Reply, frozen=True, kw_only=True):
    """One camera's coverage of a stretch of time."""

    camera: str
    recorded: tuple[tuple[int, int], ...]
    """[start_us, end_us) stretches that are on disk, merged, in order."""
    gaps: tuple[tuple[int, int, str], ...]
    """[start_us, end_us) and cause; a gap that goes on ends at the moment of asking."""
    locks: tuple[tuple[int, int], ...] = ()
    oldest_us: int | None = None


class Timeline(Reply, frozen=True, kw_only=True):
    start_us: int
    end_us: int
    now_us: int
    rows: tuple[TimelineRow, ...]


class ExportPlan(Reply, frozen=True, kw_only=True):
    """What an export would hold, before it is fetched."""

    camera: str
    start_us: int
    """Of the keyframe at or before the asked start."""
    end_us: int
    bytes: int
    parts: tuple[tuple[int, int], ...]
    """[start_us, end_us) stretches inside; more than one = there are gaps."""


# -- station ---------------------------------------------------------------------------------------------


class LinkView(Reply, frozen=True, kw_only=True):
    """A network interface."""

    name: str
    is_up: bool
    receive_bps: int = 0
    send_bps: int = 0
    speed_bps: int = 0


class StationView(Reply, frozen=True, kw_only=True):
    name: str
    uuid: str
    version: str
    now_us: int
    started_us: int
    cpu_percent: float = 0.0
    memory_percent: float = 0.0
    engine_cpu_percent: float = 0.0
    engine_rss_bytes: int = 0
    links: tuple[LinkView, ...] = ()
    cameras_total: int = 0
    cameras_expected: int = 0
    """That should be recording now."""
    cameras_waiting: int = 0
    """Of the others, those that are recorded when an event asks for it, and are ready."""
    cameras_recording: int = 0
    is_demo: bool = False
    camera_limit: int = 128


class EventView(Reply, frozen=True, kw_only=True):
    id: int
    time_us: int
    kind: str
    severity: str
    source: str = ""
    text: str = ""
    actor: str = ""
    count: int = 1
    """A flood of one kind and source is one event with a count."""


class Snapshot(Reply, frozen=True, kw_only=True):
    """The whole state at `sequence`; the stream goes on from there."""

    sequence: int
    station: StationView
    cameras: tuple[CameraView, ...]
    volumes: tuple[VolumeView, ...]
    groups: tuple[GroupView, ...]
    events: tuple[EventView, ...]
    """The newest 50, newest first."""
    chassis: ChassisView | None = None
    """None until the drives were looked at."""
    alarms: AlarmCounts = AlarmCounts()


# -- event stream (WebSocket /v1/stream) -----------------------------------------------------------------
# The first message is SnapshotMessage; then changes. Slow clients get coalesced state (the newest view of
# each object), never an unbounded queue; `sequence` grows by at least 1 with each message.


class SnapshotMessage(Reply, frozen=True, kw_only=True, tag="snapshot"):
    snapshot: Snapshot


class CameraMessage(Reply, frozen=True, kw_only=True, tag="camera"):
    sequence: int
    camera: CameraView


class CameraRemoved(Reply, frozen=True, kw_only=True, tag="camera_removed"):
    sequence: int
    name: str
    uuid: str


class VolumeMessage(Reply, frozen=True, kw_only=True, tag="volume"):
    sequence: int
    volume: VolumeView


class VolumeRemoved(Reply, frozen=True, kw_only=True, tag="volume_removed"):
    sequence: int
    name: str
    uuid: str


class GroupMessage(Reply, frozen=True, kw_only=True, tag="group"):
    sequence: int
    group: GroupView


class GroupRemoved(Reply, frozen=True, kw_only=True, tag="group_removed"):
    sequence: int
    name: str


class StationMessage(Reply, frozen=True, kw_only=True, tag="station"):
    sequence: int
    station: StationView


class ChassisMessage(Reply, frozen=True, kw_only=True, tag="chassis"):
    sequence: int
    chassis: ChassisView


class EventMessage(Reply, frozen=True, kw_only=True, tag="event"):
    sequence: int
    event: EventView


StreamMessage = (
    SnapshotMessage
    | CameraMessage
    | CameraRemoved
    | VolumeMessage
    | VolumeRemoved
    | GroupMessage
    | GroupRemoved
    | StationMessage
    | ChassisMessage
    | EventMessage
    | AlarmsMessage
    | AlarmRaised
)
