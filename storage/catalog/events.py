"""What happened, in plain words: appended in batches, read page by page, pruned from the old end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from storage.catalog import words
from storage.catalog.alarm_filter import kind_condition
from storage.catalog.connection import CatalogConnection
from storage.catalog.records import EventRecord, Severity

_SEVERITIES = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)
_COLUMNS = "event.id, time_us, kind, severity, event.source, event.text, actor, count"


def _event(row: tuple[Any, ...]) -> EventRecord:
    return EventRecord(
        id=row[0],
        time_us=row[1],
        kind=row[2],
        severity=_SEVERITIES[row[3]],
        source=row[4],
        text=row[5],
        actor=row[6],
        count=row[7],
    )


class EventRows(CatalogConnection):
    """Table `event`."""

    def add_events(self, events: Sequence[EventRecord]) -> list[EventRecord]:
        """Append in one transaction; returns them with their ids, in the same order."""
        added: list[EventRecord] = []
        with self.transaction():
            for event in events:
                row = self._row(
                    "INSERT INTO event (time_us, kind, severity, source, text, actor, count)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
                    (
                        event.time_us,
                        event.kind,
                        _SEVERITIES.index(event.severity),
                        event.source,
                        event.text,
                        event.actor,
                        event.count,
                    ),
                )
                assert row is not None
                added.append(msgspec.structs.replace(event, id=row[0]))
        return added

    def events(
        self,
        *,
        limit: int,
        before_id: int | None = None,
        after_id: int | None = None,
        kinds: Iterable[str] | None = None,
        min_severity: Severity | None = None,
        source: str | None = None,
        actor: str | None = None,
        start_us: int | None = None,
        end_us: int | None = None,
        text: str | None = None,
    ) -> list[EventRecord]:
        """A page: the newest first (below `before_id`), or with `after_id` the oldest first above it.

        A kind stands for itself and for all below it: `camera` means `camera.lost` too. `text` is words, all of which
        must be in text or source, whatever the case.
        """
        conditions: list[str] = []
        values: list[Any] = []

        def require(condition: str, needed: Iterable[Any]) -> None:
            conditions.append(condition)
            values.extend(needed)

        wanted = words.words(text or "")
        expression = words.expression(wanted)
        table, key = "event", "event.id"
        if expression:
            # The index hands out its finds in the order asked for, so that a page ends the search.
            table, key = "event_words CROSS JOIN event ON event.id = event_words.rowid", "event_words.rowid"
            require("event_words MATCH ?", (expression,))
        for word in words.short_words(wanted):
            require(*words.row_condition(word, ("event.text", "event.source")))
        if before_id is not None:
            require(f"{key} < ?", (before_id,))
        if after_id is not None:
            require(f"{key} > ?", (after_id,))
        if kinds is not None:
            require(*kind_condition("kind", kinds))
        if min_severity is not None and min_severity is not Severity.INFO:
            levels = range(_SEVERITIES.index(min_severity), len(_SEVERITIES))
            require(f"severity > 0 AND severity IN ({', '.join(map(str, levels))})", ())
        if source is not None:
            require("event.source = ?", (source,))
        if actor is not None:
            require("actor = ?" if not actor else "actor = ? AND actor <> ''", (actor,))
        if start_us is not None:
            require("time_us >= ?", (start_us,))
        if end_us is not None:
            require("time_us < ?", (end_us,))
        where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
        order = "DESC" if after_id is None else "ASC"
        rows = self._rows(
            f"SELECT {_COLUMNS} FROM {table} {where}ORDER BY {key} {order} LIMIT ?", (*values, limit)
        )
        return [_event(row) for row in rows]

    def newest_event_id(self) -> int:
        """0 when there is none."""
        row = self._row("SELECT max(id) FROM event")
        return 0 if row is None or row[0] is None else int(row[0])

    def prune_events(
        self,
        keep: int,
        *,
        before_us: int | Mapping[Severity, int] = 0,
        keep_at_least: int = 0,
        step: int = 5_000,
    ) -> int:
        """Drop the oldest beyond the newest `keep`, and those from before `before_us` but for the newest `keep_at_least`.

        The time may be another for each severity (PR-18). At most `step` of each a call, so that no call takes long;
        returns how many.
        """
        newest_id = self.newest_event_id()
        limits = before_us if isinstance(before_us, Mapping) else dict.fromkeys(_SEVERITIES, before_us)
        with self.transaction():
            gone = self._run(
                "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE id <= ? ORDER BY id LIMIT ?)",
                (newest_id - keep, step),
            )
            for number, severity in enumerate(_SEVERITIES):
                gone += self._run(
                    "DELETE FROM event WHERE id IN (SELECT id FROM event INDEXED BY event_by_age"
                    " WHERE severity = ? AND time_us < ? AND id <= ? ORDER BY time_us LIMIT ?)",
                    (number, limits.get(severity, 0), newest_id - keep_at_least, step),
                )
        return gone
