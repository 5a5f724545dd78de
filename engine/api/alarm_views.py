"""What callers ask of alarms and of the log as the catalog takes it, and its log entries as messages. Pure.

Alarms as messages: engine/alarms/views.py.
"""

from __future__ import annotations

from engine.api.validation import checked_choice
from engine.wire_alarm_rules import RecordAction
from engine.wire_alarms import AlarmFilter
from engine.wire_log import LogCategory, LogEntry, LogQuery
from storage.catalog.alarm_records import (
    LOG_SEVERITIES,
    AlarmRow,
    AlarmRowFilter,
    LogFilter,
    LogRow,
)
from storage.catalog.records import Severity
from storage.errors import InvalidInput
from storage.units import US_PER_SECOND

TEXT_LENGTH = 200
"""Of what is searched for."""


def row_filter(asked: AlarmFilter) -> AlarmRowFilter:
    """Raises InvalidInput."""
    severity = asked.min_severity
    return AlarmRowFilter(
        statuses=tuple(status.value for status in asked.statuses),
        sources=asked.sources,
        kinds=asked.kinds,
        rules=asked.rules,
        min_severity=None if severity is None else checked_choice(Severity, severity, "min_severity"),
        start_us=asked.start_us,
        end_us=asked.end_us,
        text=checked_text(asked.text),
        with_muted=asked.with_muted,
        is_live=asked.is_live,
        up_to_id=asked.up_to_id,
        without_ids=asked.without_ids,
    )


def log_filter(asked: LogQuery) -> LogFilter:
    """Raises InvalidInput."""
    if asked.category not in ("", *LogCategory):
        raise InvalidInput(f"$.category: {asked.category!r} is none of {', '.join(LogCategory)}")
    if asked.min_severity not in (None, *LOG_SEVERITIES):
        raise InvalidInput(f"$.min_severity: {asked.min_severity!r} is none of {', '.join(LOG_SEVERITIES)}")
    return LogFilter(
        category=asked.category,
        types=asked.types,
        min_severity=asked.min_severity,
        actor=asked.actor,
        source=asked.source,
        start_us=asked.start_us,
        end_us=asked.end_us,
        text=checked_text(asked.text),
    )


def checked_text(text: str) -> str:
    if len(text) > TEXT_LENGTH:
        raise InvalidInput(f"$.text is longer than {TEXT_LENGTH} characters", "give fewer words")
    return text


def log_entry(row: LogRow) -> LogEntry:
    return LogEntry(
        id=row.id,
        time_us=row.time_us,
        category=LogCategory(row.category),
        type=row.type,
        actor=row.actor,
        source=row.source,
        text=row.text,
        severity=row.severity,
        is_success=row.is_success,
        digest=row.digest,
    )


def clip_us(row: AlarmRow, actions: tuple[object, ...]) -> tuple[int, int]:
    """[start, end) of what `enter` plays: from before the first to after the last event, as the rule records, else 5 s each."""
    recorded = [action for action in actions if isinstance(action, RecordAction)] or [RecordAction()]
    return (
        row.first_us - max(action.pre_event_s for action in recorded) * US_PER_SECOND,
        row.last_us + max(action.post_event_s for action in recorded) * US_PER_SECOND,
    )
