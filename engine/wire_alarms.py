"""API messages about alarms: the list, triage, history, what consoles are told. Part of `engine.wire`'s API.

An *event* is something that happened, once. An *alarm rule* (wire_alarm_rules.py) says which events call a person. An *alarm* is
one time a rule was met: raised by a first event, joined by those that follow within the rule's re-trigger interval, handled by
people, kept in history until its preservation time. Manual rows AL, AG, AB.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from engine.wire_alarm_rules import ActionResult
from engine.wire_message import Reply, Request

MUTE_MINUTES_MAX = 9_999
"""AB-03, AL-09."""
COMMENT_LENGTH = 2_000


class AlarmStatus(StrEnum):
    """AL-04 … AL-07. False alarm and closed leave the list, never the history."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    FALSE_ALARM = "false_alarm"
    CLOSED = "closed"


OPEN_STATUSES = (AlarmStatus.NEW, AlarmStatus.IN_PROGRESS)


# -- alarms ----------------------------------------------------------------------------------------------


class AlarmFilter(Request, frozen=True, kw_only=True):
    """Which alarms. All conditions hold; within one, any."""

    statuses: tuple[AlarmStatus, ...] = OPEN_STATUSES
    """() = whatever its status."""
    sources: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    """A kind stands for all below it too."""
    rules: tuple[str, ...] = ()
    """Names."""
    min_severity: str | None = None
    start_us: int | None = None
    end_us: int | None = None
    """Of the last event: start_us <= last_us < end_us."""
    text: str = ""
    """Words, all of which must be in text, source, rule or comment; whatever the case."""
    with_muted: bool = False
    is_live: bool = False
    """Only those that send live streaming."""
    up_to_id: int | None = None
    """None newer than this alarm: what arrived after the operator looked is not meant."""
    without_ids: tuple[int, ...] = ()
    """Not these: all were marked, and some unmarked by hand."""


class AlarmQuery(AlarmFilter, frozen=True, kw_only=True):
    """A window of the list, newest (by last event) first. Grouped: one row for each (kind, source), AG-01."""

    grouped: bool = False
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 100


class AlarmPlaceQuery(AlarmFilter, frozen=True, kw_only=True):
    """At which index of the list an alarm is."""

    id: int
    grouped: bool = False


class AlarmView(Reply, frozen=True, kw_only=True):
    """One alarm; or with `members` > 1 the newest of a group, with the group's count, first and last time."""

    id: int
    rule: str
    """Name of the rule when it was raised."""
    kind: str
    source: str
    camera: str = ""
    """The source, when it is a camera; else the first camera of a live or record action."""
    severity: str
    status: AlarmStatus
    first_us: int
    last_us: int
    count: int
    """Events in it."""
    text: str
    """Of the newest event."""
    comment: str = ""
    """The newest."""
    handler: str = ""
    """Who took the last step."""
    muted_until_us: int | None = None
    sound: int = 0
    """Pattern to ring, 0 = none."""
    is_live: bool = False
    is_test: bool = False
    members: int = 1


class AlarmPage(Reply, frozen=True, kw_only=True):
    total: int
    """Rows of the whole list."""
    revision: int
    """Of all alarms: grows with every change."""
    alarms: tuple[AlarmView, ...]


class AlarmPlace(Reply, frozen=True, kw_only=True):
    index: int | None
    """None = not in this list."""


class AlarmStep(Reply, frozen=True, kw_only=True):
    """One step of triage, as kept in history."""

    id: int
    time_us: int
    actor: str
    what: str
    """status, mute, comment or undo."""
    old_status: AlarmStatus
    new_status: AlarmStatus
    muted_until_us: int | None = None
    comment: str = ""
    is_undone: bool = False


class AlarmDetail(Reply, frozen=True, kw_only=True):
    alarm: AlarmView
    instructions: str = ""
    steps: tuple[AlarmStep, ...] = ()
    """Oldest first."""
    results: tuple[ActionResult, ...] = ()
    clip_start_us: int = 0
    clip_end_us: int = 0
    """From pre-event to post-event: what `enter` plays."""


class AlarmSelection(Request, frozen=True, kw_only=True):
    """Which alarms a step is for: these ids, or all that fit a filter. Exactly one is given."""

    ids: tuple[int, ...] = ()
    filter: AlarmFilter | None = None
    with_groups: bool = False
    """Each of `ids` stands for all open alarms of its (kind, source) up to it (rule 20)."""


class AlarmTriage(Request, frozen=True, kw_only=True):
    """One step on all of the selection, one transaction. At least one of status, mute_minutes and comment is given."""

    selection: AlarmSelection
    status: AlarmStatus | None = None
    mute_minutes: Annotated[int, msgspec.Meta(ge=0, le=MUTE_MINUTES_MAX)] | None = None
    """0 ends a mute."""
    comment: str | None = None


class TriageDone(Reply, frozen=True, kw_only=True):
    step_id: int
    changed: int
    """Alarms."""
    what: str
    """In words: `312 alarms: false alarm`."""


class AlarmCounts(Reply, frozen=True, kw_only=True):
    """Of open alarms that are not muted; `muted` apart."""

    new: int = 0
    in_progress: int = 0
    muted: int = 0
    critical: int = 0
    """Of new ones."""
    newest_id: int = 0
    newest_us: int = 0
    revision: int = 0


class AlarmsMessage(Reply, frozen=True, kw_only=True, tag="alarms"):
    """Stream: counts changed. Coalesced: lists ask again when `revision` grew."""

    sequence: int
    counts: AlarmCounts


class AlarmRaised(Reply, frozen=True, kw_only=True, tag="alarm_raised"):
    """Stream: an alarm was raised (or joined by another event, `is_new` false). At most ten a second; lists are complete, this is for toasts."""

    sequence: int
    alarm: AlarmView
    is_new: bool = True
