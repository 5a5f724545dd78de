"""Rows of the catalog as values: what storage hands out and takes in. schema.sql documents every column."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

import msgspec

from storage.segments.packet import Track


class RecordingMode(StrEnum):
    """When a camera is expected to be on disk."""

    CONTINUOUS = "continuous"
    SCHEDULE = "schedule"
    EVENTS = "events"
    """Only around events (RO-01): what an alarm's actions ask for."""
    OFF = "off"


class Transport(StrEnum):
    """How a camera's stream is fetched."""

    AUTO = "auto"
    """rtsp:// and rtsps:// over TCP natively; every other URL through PyAV."""
    TCP = "tcp"
    UDP = "udp"
    """RTSP with RTP over UDP, through PyAV."""


class GapCause(StrEnum):
    """Why something that was expected is not on disk. One cause a gap: the first that was true."""

    CAMERA_UNREACHABLE = "camera_unreachable"
    CAMERA_REFUSED = "camera_refused"
    CAMERA_STALLED = "camera_stalled"
    CAMERA_PROTOCOL_ERROR = "camera_protocol_error"
    CAMERA_UNSUPPORTED = "camera_unsupported"
    FRAMES_LOST = "frames_lost"
    """RTP packets were lost or frames damaged; nothing decodable until the next keyframe."""
    NO_VOLUME = "no_volume"
    VOLUME_FULL = "volume_full"
    VOLUME_FAILED = "volume_failed"
    VOLUME_MISSING = "volume_missing"
    VOLUME_STALLED = "volume_stalled"
    ENGINE_STOPPED = "engine_stopped"
    """An ordered stop, update or reboot."""
    ENGINE_CRASHED = "engine_crashed"
    """Power cut or kill: the last run has no ordered end."""
    CLOCK_STEPPED = "clock_stepped"
    UNKNOWN = "unknown"
    """Found by fsck: the catalog was lost and no segment says why."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Weekly half-hour cells in a named time zone (manual rows RO-03, AS-*)."""

    zone: str
    """IANA name, e.g. "Europe/Berlin"."""
    days: tuple[str, ...]
    """Seven strings, Monday first, of 48 characters each: `x` = record, `.` = not."""


class Camera(msgspec.Struct, frozen=True, kw_only=True):
    """A camera as edited by the operator. Its password is apart (`Catalog.camera_password`)."""

    id: int
    """Order of addition, never changed or reused (manual row CA-10)."""
    uuid: UUID
    name: str
    url: str
    """Without user and password."""
    user: str = ""
    has_password: bool = False
    transport: Transport = Transport.AUTO
    group: str
    """Name of its recording group."""
    mode: RecordingMode = RecordingMode.CONTINUOUS
    schedule: Schedule | None = None
    record_audio: bool = True
    is_enabled: bool = True
    verify_tls: bool = False
    """rtsps/https: check the camera's certificate (most cameras carry a self-signed one)."""
    pre_event_s: int = 5
    """Mode `events` (RO-02): what is held in memory, and recorded when an event asks for it."""
    post_event_s: int = 5
    """Mode `events`: recorded after an event, unless the rule says otherwise."""
    is_removed: bool = False
    """Not recorded any more; known while footage of it is left."""
    live_url: str = ""
    """Of its smaller stream, for live pictures; without user and password, which are the same; empty = it has none."""


class Volume(msgspec.Struct, frozen=True, kw_only=True):
    """A registered place for segments."""

    id: int
    uuid: UUID
    name: str
    path: str
    group: str
    floor_bytes: int
    """Recording never lets the file system's free space fall below this."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A recording group: cameras that share volumes and retention."""

    id: int
    name: str
    retention_days: int | None = None
    """Older unlocked segments are recycled; None = as long as there is room."""
    retention_bytes: int | None = None
    """The group's segments together stay at or below this; None = no limit but the floor."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One unbroken session of a camera with one set of tracks: wall time is taken once, at its start."""

    id: int
    uuid: UUID
    camera_id: int
    start_us: int
    tracks: tuple[Track, ...]


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a run."""

    id: int
    camera_id: int
    run_id: int
    volume_id: int
    sequence: int
    path: str
    """Relative to the volume's root."""
    start_us: int
    end_us: int
    """Wall time, half-open; of an open segment: what is known to be on disk."""
    media_duration_ticks: int
    """In the video track's time base; differs from wall time when the camera's clock does."""
    bytes: int
    is_open: bool = False
    is_recovered: bool = False


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Expected and not on disk."""

    id: int
    camera_id: int
    start_us: int
    end_us: int | None
    """None = still going on."""
    cause: GapCause
    detail: str = ""


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a camera's recordings that is never recycled."""

    id: int
    camera_id: int
    start_us: int
    end_us: int
    reason: str
    created_us: int
    created_by: str
    expires_us: int | None = None


class Severity(StrEnum):
    """How much an event matters."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class EventRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, once, in plain words."""

    id: int = 0
    time_us: int
    kind: str
    """Dotted, stable, documented in docs/events.md: `camera.lost`, `volume.full`, `engine.started` …"""
    severity: Severity = Severity.INFO
    source: str = ""
    """Name of the camera, volume, group … it is about; empty = the station."""
    text: str
    actor: str = ""
    """Who asked for it, for operations; empty = the engine itself."""
    count: int = 1
    """How many events this row stands for: a flood is counted."""


class StationIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Who this station is: written into every segment."""

    uuid: UUID
    name: str
    created_us: int


class GroupUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What a recording group has on its volumes: open and closed segments, not those being deleted."""

    bytes: int
    locked_bytes: int
    """The closed part of `bytes` under at least one lock."""
    oldest_us: int | None
    """Start of the oldest closed segment, locked or not."""
    newest_us: int | None
    """Start of the newest closed segment."""
