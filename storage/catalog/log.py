"""The log: operations and events in one, newest first, in pages that nothing that arrives meanwhile disturbs.

Both are numbered in order of arrival. A page takes from the newest ends of both whichever happened later; the cursor is how far
each was read. A clock that was set back does not tear either apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from storage.catalog.alarm_records import LogFilter, LogPageRows, LogRow, OperationRow
from storage.catalog.events import EventRows
from storage.catalog.operations import OperationRows, severity_number
from storage.catalog.records import EventRecord, Severity
from storage.errors import InvalidInput

OPERATION, EVENT = "operation", "event"
_GRADES = {Severity.INFO: "minor", Severity.WARNING: "normal", Severity.CRITICAL: "major"}
_LEVELS = (None, Severity.WARNING, Severity.CRITICAL)


class LogRows(EventRows, OperationRows):
    """Tables `operation` and `event` together."""

    def log(self, filter: LogFilter, *, before: str = "", limit: int = 200) -> LogPageRows:
        """A page, below the `resume` of the page before. Raises InvalidInput."""
        if filter.category not in ("", OPERATION, EVENT):
            raise InvalidInput(f"no category {filter.category!r}", f"choose {OPERATION} or {EVENT}")
        with self._snapshot():
            operation_id, event_id = self._places(before)
            operations = [] if filter.category == EVENT else self._operations(filter, operation_id, limit + 1)
            events = [] if filter.category == OPERATION else self._events(filter, event_id, limit + 1)
        merged = _merged(operations, events)
        page = merged[:limit]
        for row in page:
            if row.category == OPERATION:
                operation_id = row.id
            else:
                event_id = row.id
        resume = f"{operation_id}.{event_id}" if len(merged) > limit else ""
        return LogPageRows(page, resume)

    def _places(self, before: str) -> tuple[int, int]:
        """Below which ids a page begins."""
        if not before:
            return self.newest_operation_id() + 1, self.newest_event_id() + 1
        if not re.fullmatch(r"[0-9]{1,18}\.[0-9]{1,18}", before):
            raise InvalidInput(f"no place in the log: {before!r}", "use `resume` of the page before")
        operation_id, _, event_id = before.partition(".")
        return int(operation_id), int(event_id)

    def _operations(self, filter: LogFilter, before_id: int, limit: int) -> list[LogRow]:
        return [_of_operation(row) for row in self.operations(filter, before_id=before_id, limit=limit)]

    def _events(self, filter: LogFilter, before_id: int, limit: int) -> list[LogRow]:
        level = _LEVELS[severity_number(filter.min_severity)] if filter.min_severity is not None else None
        rows = self.events(
            before_id=before_id,
            limit=limit,
            kinds=filter.types or None,
            min_severity=level,
            actor=filter.actor,
            source=filter.source,
            start_us=filter.start_us,
            end_us=filter.end_us,
            text=filter.text,
        )
        return [_of_event(row) for row in rows]


def _of_operation(row: OperationRow) -> LogRow:
    return LogRow(
        id=row.id,
        time_us=row.time_us,
        category=OPERATION,
        type=row.type,
        actor=row.actor,
        source=row.source,
        text=row.text,
        severity=row.severity,
        is_success=row.is_success,
        digest=row.digest,
    )


def _of_event(row: EventRecord) -> LogRow:
    text = row.text if row.count == 1 else f"{row.text} (x {row.count})"
    return LogRow(
        id=row.id,
        time_us=row.time_us,
        category=EVENT,
        type=row.kind,
        actor=row.actor,
        source=row.source,
        text=text,
        severity=_GRADES[row.severity],
    )


def _merged(operations: Sequence[LogRow], events: Sequence[LogRow]) -> list[LogRow]:
    """Each in its own order; of the two next ones the later first, of one time the operation."""
    merged: list[LogRow] = []
    i = j = 0
    while i < len(operations) and j < len(events):
        if operations[i].time_us >= events[j].time_us:
            merged.append(operations[i])
            i += 1
        else:
            merged.append(events[j])
            j += 1
    return [*merged, *operations[i:], *events[j:]]
