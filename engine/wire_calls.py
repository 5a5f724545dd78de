"""The parts of API calls around the values of `engine.wire`: query parameters and replies that hold several values.

A list is an object with the plural noun as key, so that a reply can grow fields. The server decodes and documents
these, `engine.client` unwraps them; consoles never meet them.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from engine import wire
from engine.wire_alarm_rules import AlarmRuleView, ScheduleTemplateView, TriggerKind
from engine.wire_chassis import Drive, GoneDrive, JobView
from engine.wire_sources import VirtualTrigger

Time = Annotated[int, msgspec.Meta(ge=0, description="Microseconds since the Unix epoch, UTC.")]


# -- query parameters ------------------------------------------------------------------------------------


class CameraQuery(wire.Request, frozen=True, kw_only=True):
    removed: bool = False
    """The removed cameras of which footage is left, instead of those in use."""


class StretchQuery(wire.Request, frozen=True, kw_only=True):
    """Cameras and a half-open stretch of time; no camera named = all in use. Removed ones are found by name or UUID."""

    start_us: Time
    end_us: Time
    camera: tuple[str, ...] = ()
    """May be repeated."""


class RecordingQuery(wire.Request, frozen=True, kw_only=True):
    """As StretchQuery, in pages."""

    start_us: Time
    end_us: Time
    camera: tuple[str, ...] = ()
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 2_000


class ExportQuery(wire.Request, frozen=True, kw_only=True):
    camera: str
    start_us: Time
    end_us: Time


class LockQuery(wire.Request, frozen=True, kw_only=True):
    """Locks that overlap a stretch; the whole of time unless told otherwise."""

    camera: tuple[str, ...] = ()
    start_us: Time = 0
    end_us: Time = 2**62


class EventFileQuery(wire.Request, frozen=True, kw_only=True):
    """Which events. All conditions hold."""

    kind: tuple[str, ...] = ()
    """May be repeated."""
    min_severity: str | None = None
    source: str | None = None
    start_us: Time | None = None
    end_us: Time | None = None
    text: str | None = None
    """Words, all of which must be in text or source; whatever the case."""


class EventQuery(EventFileQuery, frozen=True, kw_only=True):
    """Newest first; `before_id` pages backwards, `after_id` fetches what is new (oldest first)."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 100
    before_id: int | None = None
    after_id: int | None = None


class LevelQuery(wire.Request, frozen=True, kw_only=True):
    """What could be made of these drives; none named = of all that are free."""

    drive: tuple[str, ...] = ()
    """Ids; may be repeated."""
    virtual_drives: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    spans: Annotated[int, msgspec.Meta(ge=0, le=8)] = 0
    """0 = as recommended."""


# -- replies ---------------------------------------------------------------------------------------------


class VersionReply(wire.Reply, frozen=True, kw_only=True):
    api: int
    """Of the routes: `/v1`."""
    version: str
    """Of the software."""


class CameraList(wire.Reply, frozen=True, kw_only=True):
    cameras: tuple[wire.CameraView, ...]


class VolumeList(wire.Reply, frozen=True, kw_only=True):
    volumes: tuple[wire.VolumeView, ...]


class GroupList(wire.Reply, frozen=True, kw_only=True):
    groups: tuple[wire.GroupView, ...]


class RecordingList(wire.Reply, frozen=True, kw_only=True):
    """In order of start time."""

    recordings: tuple[wire.RecordingView, ...]
    resume_us: int | None = None
    """Set when there are more: ask again with this as start_us; some already seen may come again."""


class GapList(wire.Reply, frozen=True, kw_only=True):
    gaps: tuple[wire.GapView, ...]


class LockList(wire.Reply, frozen=True, kw_only=True):
    locks: tuple[wire.LockView, ...]


class EventList(wire.Reply, frozen=True, kw_only=True):
    events: tuple[wire.EventView, ...]


class DriveList(wire.Reply, frozen=True, kw_only=True):
    """By bay; those in none come last."""

    drives: tuple[Drive, ...]


class GoneDriveList(wire.Reply, frozen=True, kw_only=True):
    """The one seen last first."""

    drives: tuple[GoneDrive, ...]


class JobList(wire.Reply, frozen=True, kw_only=True):
    """Newest first."""

    jobs: tuple[JobView, ...]


class TriggerKindList(wire.Reply, frozen=True, kw_only=True):
    """In the order of the picker."""

    kinds: tuple[TriggerKind, ...]


class AlarmRuleList(wire.Reply, frozen=True, kw_only=True):
    """By name."""

    rules: tuple[AlarmRuleView, ...]


class ScheduleList(wire.Reply, frozen=True, kw_only=True):
    """By name."""

    schedules: tuple[ScheduleTemplateView, ...]


class VirtualTriggerList(wire.Reply, frozen=True, kw_only=True):
    """By name."""

    triggers: tuple[VirtualTrigger, ...]


class CsvReply(wire.Reply, frozen=True, kw_only=True):
    """A table as a file."""

    data: bytes
    """CSV (RFC 4180), UTF-8; base64 in JSON."""
    rows: int
    is_cut: bool = False
    """There were more rows than one file takes."""
