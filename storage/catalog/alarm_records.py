"""Rows about alarms, their rules and the log as values: what storage hands out and takes in. schema.sql documents every column.

Storage knows no API: rules, settings and schedules are JSON here that the engine decodes; actions are words.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from storage.catalog.records import Severity

NEW, IN_PROGRESS, FALSE_ALARM, CLOSED = "new", "in_progress", "false_alarm", "closed"
STATUSES = (NEW, IN_PROGRESS, FALSE_ALARM, CLOSED)
"""AL-04 to AL-07; the place in this tuple is what the column holds."""
OPEN_STATUSES = (NEW, IN_PROGRESS)
"""In the list; the others are in history only."""

LOG_SEVERITIES = ("minor", "normal", "major")
"""LS-04, PR-18; the place in this tuple is what the column holds, and of the event severity that is shown as it."""


# -- alarms ----------------------------------------------------------------------------------------------


class AlarmHit(msgspec.Struct, frozen=True, kw_only=True):
    """Events of one kind and source that met a rule: what intake hands over."""

    rule_id: int | None
    """None: no rule (a rule that is gone by now)."""
    rule: str
    kind: str
    source: str
    camera: str = ""
    severity: Severity
    first_us: int
    last_us: int
    count: int = 1
    text: str
    """Of the newest event."""
    sound: int = 0
    is_live: bool = False
    is_test: bool = False
    """A test never joins, and nothing joins it."""
    retrigger_us: int
    """It joins the alarm that is there when `first_us` is at most so long after that one's last event; 0: each hit is an alarm."""


class AlarmRow(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm; or with `members` > 1 the newest of its (kind, source), with count, first and last time of all of them."""

    id: int
    rule_id: int | None
    rule: str
    kind: str
    source: str
    camera: str
    severity: Severity
    status: str
    first_us: int
    last_us: int
    count: int
    text: str
    comment: str
    handler: str
    muted_until_us: int | None
    """Muted while it is later than now; it may lie in the past."""
    sound: int
    is_live: bool
    is_test: bool
    members: int = 1


class AlarmOutcome(NamedTuple):
    """What a hit did."""

    row: AlarmRow
    is_new: bool


class AlarmRowFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which alarms. All conditions hold; within one, any. As `engine.wire_alarms.AlarmFilter`."""

    statuses: tuple[str, ...] = OPEN_STATUSES
    """() = whatever its status."""
    sources: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    """A kind stands for all below it too."""
    rules: tuple[str, ...] = ()
    """Names."""
    min_severity: Severity | None = None
    start_us: int | None = None
    end_us: int | None = None
    """Of the last event: start_us <= last_us < end_us."""
    text: str = ""
    """Words, all of which must be in text, source, rule or comment; whatever the case."""
    with_muted: bool = False
    is_live: bool = False
    up_to_id: int | None = None
    without_ids: tuple[int, ...] = ()
    """Not these."""


class AlarmTotals(msgspec.Struct, frozen=True, kw_only=True):
    """Of open alarms that are not muted; `muted` apart."""

    new: int = 0
    in_progress: int = 0
    muted: int = 0
    critical: int = 0
    """Of new ones."""
    newest_id: int = 0
    newest_us: int = 0
    """Id and last event of the open alarm, muted or not, whose last event is the newest."""
    revision: int = 0
    """Grows with every change of any alarm."""


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """One step of triage as one alarm met it."""

    id: int
    time_us: int
    actor: str
    what: str
    """status, mute, comment or undo."""
    old_status: str
    new_status: str
    muted_until_us: int | None = None
    """After the step."""
    comment: str = ""
    """Written in this step."""
    is_undone: bool = False


class ResultRow(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one action of an alarm."""

    alarm_id: int
    position: int
    """Of the action in its rule, from 0."""
    action: str
    """In words, without secrets."""
    state: str
    """waiting, running, done, failed, skipped."""
    tries: int = 0
    text: str = ""
    time_us: int = 0
    """Of the last try; 0 = none yet."""


# -- rules -----------------------------------------------------------------------------------------------


class RuleRow(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm rule; its body is the engine's."""

    id: int
    name: str
    body: str
    """JSON."""
    is_enabled: bool
    created_us: int
    created_by: str
    raised: int = 0
    """Alarms of it that are still kept."""
    last_raised_us: int | None = None


class ScheduleRow(NamedTuple):
    """A named week (AS-02, AS-03)."""

    name: str
    schedule: str
    """JSON."""


# -- the log ---------------------------------------------------------------------------------------------


class OperationRow(msgspec.Struct, frozen=True, kw_only=True):
    """Something a person or program did through console, command or API: a link of the chain that cannot be edited."""

    id: int = 0
    """From 1 without holes; 0 = not yet added."""
    time_us: int
    actor: str
    type: str
    """What was called: `camera.edit`."""
    source: str = ""
    text: str
    severity: str = "normal"
    """major, normal or minor."""
    is_success: bool = True
    digest: str = ""
    """SHA-256 over the digest before and this row, 64 hex digits."""


class LogFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries of the log. As `engine.wire_log.LogQuery` without its page."""

    category: str = ""
    """operation, event, or '' = both."""
    types: tuple[str, ...] = ()
    """A type stands for all below it too."""
    min_severity: str | None = None
    actor: str | None = None
    source: str | None = None
    start_us: int | None = None
    end_us: int | None = None
    text: str = ""
    """Words, all of which must be there; whatever the case."""


class LogRow(msgspec.Struct, frozen=True, kw_only=True):
    """An operation or an event."""

    id: int
    time_us: int
    category: str
    type: str
    actor: str
    source: str
    text: str
    severity: str
    is_success: bool = True
    digest: str = ""


class LogPageRows(NamedTuple):
    rows: list[LogRow]
    resume: str
    """`before` of the next page; empty = that was all."""


class ChainCheck(NamedTuple):
    """Whether the chain of operations is whole."""

    is_whole: bool
    checked: int
    first_id: int
    last_id: int
    trouble: str
