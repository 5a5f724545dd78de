"""What happened, in plain words: appended in batches, read page by page, pruned from the old end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from storage.catalog.connection import CatalogConnection
from storage.catalog.records import EventRecord, Severity

_SEVERITIES = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)
_COLUMNS = "id, time_us, kind, severity, source, text, actor"


def _event(row: tuple[Any, ...]) -> EventRecord:
    return EventRecord(
        id=row[0],
        time_us=row[1],
        kind=row[2],
        severity=_SEVERITIES[row[3]],
        source=row[4],
        text=row[5],
        actor=row[6],
    )


class EventRows(CatalogConnection):
    """Table `event`."""

    def add_events(self, events: Sequence[EventRecord]) -> list[EventRecord]:
        """Append in one transaction; returns them with their ids, in the same order."""
        added: list[EventRecord] = []
        with self.transaction():
            for event in events:
                row = self._row(
                    "INSERT INTO event (time_us, kind, severity, source, text, actor) VALUES (?, ?, ?, ?, ?, ?)"
                    " RETURNING id",
                    (
                        event.time_us,
                        event.kind,
                        _SEVERITIES.index(event.severity),
                        event.source,
                        event.text,
                        event.actor,
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
        start_us: int | None = None,
        end_us: int | None = None,
        text: str | None = None,
    ) -> list[EventRecord]:
        """A page: the newest first (below `before_id`), or with `after_id` the oldest first above it.

        A kind stands for itself and for all below it: `camera` means `camera.lost` too. `text` is looked for in
        text and source, whatever the case.
        """
        conditions: list[str] = []
        values: list[Any] = []

        def require(condition: str, *needed: Any) -> None:
            conditions.append(condition)
            values.extend(needed)

        if before_id is not None:
            require("id < ?", before_id)
        if after_id is not None:
            require("id > ?", after_id)
        if kinds is not None:
            wanted = sorted(set(kinds))
            # "/" follows "." in ASCII: the range holds exactly what begins with "kind."
            each = " OR ".join("kind = ? OR kind >= ? AND kind < ?" for _ in wanted) or "0"
            require(f"({each})", *(part for kind in wanted for part in (kind, f"{kind}.", f"{kind}/")))
        if min_severity is not None and min_severity is not Severity.INFO:
            levels = range(_SEVERITIES.index(min_severity), len(_SEVERITIES))
            require(f"severity > 0 AND severity IN ({', '.join(map(str, levels))})")
        if source is not None:
            require("source = ?", source)
        if start_us is not None:
            require("time_us >= ?", start_us)
        if end_us is not None:
            require("time_us < ?", end_us)
        if text:
            pattern = "%" + text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
            require(r"(text LIKE ? ESCAPE '\' OR source LIKE ? ESCAPE '\')", pattern, pattern)
        where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
        order = "DESC" if after_id is None else "ASC"
        rows = self._rows(
            f"SELECT {_COLUMNS} FROM event {where}ORDER BY id {order} LIMIT ?", (*values, limit)
        )
        return [_event(row) for row in rows]

    def newest_event_id(self) -> int:
        """0 when there is none."""
        row = self._row("SELECT max(id) FROM event")
        return 0 if row is None or row[0] is None else int(row[0])

    def prune_events(
        self, keep: int, *, before_us: int = 0, keep_at_least: int = 0, step: int = 5_000
    ) -> int:
        """Drop the oldest beyond the newest `keep`, and those from before `before_us` but for the newest `keep_at_least`.

        At most `step` of each a call, so that no call takes long; returns how many.
        """
        newest_id = self.newest_event_id()
        with self.transaction():
            return self._run(
                "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE id <= ? ORDER BY id LIMIT ?)",
                (newest_id - keep, step),
            ) + self._run(
                "DELETE FROM event WHERE id IN"
                " (SELECT id FROM event WHERE time_us < ? AND id <= ? ORDER BY time_us LIMIT ?)",
                (before_us, newest_id - keep_at_least, step),
            )
