"""The words of the alarm list: columns, rows, what the filter leaves, an alarm in one line. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from textual.content import Content

from engine.wire_alarms import AlarmStatus, AlarmView
from tui.wording import Wording, severity_wording
from widgets import format
from widgets.line_source import Cell, Column, Line, Tone

STATUSES: dict[AlarmStatus, Wording] = {
    AlarmStatus.NEW: Wording("new", "bold"),
    AlarmStatus.IN_PROGRESS: Wording("in progress", "$text-accent"),
    AlarmStatus.FALSE_ALARM: Wording("false alarm", "dim"),
    AlarmStatus.CLOSED: Wording("closed", "dim"),
}
STATUS_TONES: dict[AlarmStatus, Tone] = {
    AlarmStatus.IN_PROGRESS: "accent",
    AlarmStatus.FALSE_ALARM: "muted",
    AlarmStatus.CLOSED: "muted",
}
SEVERITY_TONES: dict[str, Tone] = {"warning": "warning", "critical": "error"}

TODAY_CELLS, DATED_CELLS = 8, 11
"""Of `14:03:07` and `03-03 14:03`."""


def columns(*, is_dated: bool, is_grouped: bool) -> tuple[Column, ...]:
    """Severity, source and alarm always stay; what goes first where it is narrow: comment, count, status, time, age."""
    return (
        Column("severity", "Severity", 8, is_sortable=False),
        Column("time", "Time", DATED_CELLS if is_dated else TODAY_CELLS, priority=2, is_sortable=False),
        Column("age", "Age", 6, priority=1, is_right=True, is_sortable=False),
        Column("source", "Source", 12, grow=2, max_width=28, is_sortable=False),
        Column("alarm", "Group" if is_grouped else "Alarm", 15, grow=3, max_width=36, is_sortable=False),
        Column("status", "Status", 11, priority=3, is_sortable=False),
        Column("count", "Count", 5, priority=4, is_right=True, is_sortable=False),
        Column("comment", "Comment", 12, priority=5, grow=4, is_sortable=False),
    )


@dataclass(frozen=True, slots=True)
class Moment:
    """When and how rows are written: ages are of `now_us`, what is not the present is muted."""

    now_us: int
    zone: tzinfo
    is_live: bool = True
    is_grouped: bool = False


def key_of(alarm: AlarmView, *, is_grouped: bool) -> object:
    """Of a group: what it is about, which stays when a newer alarm joins it."""
    return (alarm.kind, alarm.source) if is_grouped else alarm.id


def line_of(alarm: AlarmView, moment: Moment) -> Line:
    """A row; `value` is the alarm."""
    tone = SEVERITY_TONES.get(alarm.severity, "")
    cells: tuple[Cell, ...] = (
        (severity_wording(alarm.severity).word, tone if moment.is_live else "muted"),
        format.recent_time(alarm.last_us, moment.now_us, moment.zone),
        age_of(alarm, moment.now_us),
        alarm.source or "station",
        group_title(alarm) if moment.is_grouped else title_of(alarm),
        (status_of(alarm, moment.now_us), STATUS_TONES.get(alarm.status, "")),
        short_count(alarm.count),
        alarm.comment,
    )
    return Line(
        key=key_of(alarm, is_grouped=moment.is_grouped),
        cells=cells,
        tone="" if moment.is_live else "muted",
        value=alarm,
    )


def group_title(alarm: AlarmView) -> str:
    """How many alarms, and of which kind of event: rules may differ (AG-01)."""
    return f"{format.count(alarm.members)} {alarm.kind}"


def title_of(alarm: AlarmView) -> str:
    """Its rule; of a test that it is one."""
    return f"test: {alarm.rule}" if alarm.is_test else alarm.rule


def status_of(alarm: AlarmView, now_us: int) -> str:
    """`muted` while it is, else the status."""
    if alarm.muted_until_us is not None and alarm.muted_until_us > now_us:
        return "muted"
    return STATUSES[alarm.status].word


def age_of(alarm: AlarmView, now_us: int) -> str:
    """Since the last event: `12 s`, `5 min`, `3 h`."""
    return format.age(alarm.last_us, now_us).removesuffix(" ago")


def short_count(number: int) -> str:
    """In five cells: `312`, `10k`, `1.2M`."""
    if number < 10_000:
        return str(number)
    return f"{number // 1000}k" if number < 1_000_000 else f"{number / 1_000_000:.1f}M"


def one_line(alarm: AlarmView) -> str:
    """What a toast says: source, alarm, the text of the newest event."""
    text = f": {alarm.text}" if alarm.text else ""
    return f"{alarm.source or 'station'}  {title_of(alarm)}{text}"


def detail_line(alarm: AlarmView, moment: Moment) -> Content:
    """Under the list: what the columns have no room for."""
    parts: list[Content | tuple[str, str]] = [(f" {alarm.text}" if alarm.text else " (no text)", "")]
    if alarm.comment:
        parts.append((f"  # {alarm.comment}", "bold $text-accent"))
    if alarm.muted_until_us is not None and alarm.muted_until_us > moment.now_us:
        parts.append((f"  muted until {format.local_minute(alarm.muted_until_us, moment.zone)}", "dim"))
    if alarm.count > 1:
        first = format.recent_time(alarm.first_us, moment.now_us, moment.zone)
        parts.append((f"  {format.plural(alarm.count, 'event')} since {first}", "dim"))
    if alarm.handler:
        parts.append((f"  by {alarm.handler}", "dim"))
    return Content.assemble(*parts)
