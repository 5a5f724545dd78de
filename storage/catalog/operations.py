"""What people did, as a chain that cannot be edited: each row carries a digest of itself and of the row before it.

The table refuses changes (triggers in schema.sql); who changes the file behind their back is found by `verify_operations`. It is no
proof against somebody who may write the file and writes the whole chain anew. Rows go from the old end only, and the chain remembers
the digest it begins after.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from storage.catalog import words
from storage.catalog.alarm_filter import kind_condition
from storage.catalog.alarm_records import LOG_SEVERITIES, ChainCheck, LogFilter, OperationRow
from storage.catalog.connection import CatalogConnection
from storage.errors import InvalidInput

_COLUMNS = "id, time_us, actor, type, source, text, severity, is_success, digest"
_VERIFY_AT_ONCE = 10_000


def digest(before: bytes, values: Sequence[Any]) -> bytes:
    """SHA-256 over the digest before and the row: JSON of id, time_us, actor, type, source, text, severity and success as the columns hold them."""
    return hashlib.sha256(before + msgspec.json.encode(values)).digest()


def severity_number(severity: str) -> int:
    """What the column holds. Raises InvalidInput."""
    if severity not in LOG_SEVERITIES:
        raise InvalidInput(f"no severity {severity!r}", f"choose one of {', '.join(LOG_SEVERITIES)}")
    return LOG_SEVERITIES.index(severity)


def _operation(row: tuple[Any, ...]) -> OperationRow:
    return OperationRow(
        id=row[0],
        time_us=row[1],
        actor=row[2],
        type=row[3],
        source=row[4],
        text=row[5],
        severity=LOG_SEVERITIES[row[6]],
        is_success=bool(row[7]),
        digest=row[8].hex(),
    )


class OperationRows(CatalogConnection):
    """Tables `operation` and `operation_chain`."""

    def add_operations(self, operations: Sequence[OperationRow]) -> list[OperationRow]:
        """Append in one transaction; returns them with ids and digests, in the same order."""
        added = []
        with self.transaction():
            last_id, last = self._end_of_chain()
            for each in operations:
                values = (
                    last_id + 1,
                    each.time_us,
                    each.actor,
                    each.type,
                    each.source,
                    each.text,
                    severity_number(each.severity),
                    int(each.is_success),
                )
                last_id, last = last_id + 1, digest(last, values)
                self._run(
                    f"INSERT INTO operation ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*values, last)
                )
                added.append(msgspec.structs.replace(each, id=last_id, digest=last.hex()))
        return added

    def operations(
        self, filter: LogFilter, *, limit: int, before_id: int | None = None
    ) -> list[OperationRow]:
        """The newest first, below `before_id`. Raises InvalidInput."""
        conditions: list[str] = []
        values: list[Any] = []

        def require(condition: str, needed: Sequence[Any]) -> None:
            conditions.append(condition)
            values.extend(needed)

        if before_id is not None:
            require("id < ?", (before_id,))
        if filter.types:
            require(*kind_condition("type", filter.types))
        if filter.min_severity is not None:
            require("severity >= ?", (severity_number(filter.min_severity),))
        for column in ("actor", "source"):
            if (wanted := getattr(filter, column)) is not None:
                require(f"{column} = ?", (wanted,))
        if filter.start_us is not None:
            require("time_us >= ?", (filter.start_us,))
        if filter.end_us is not None:
            require("time_us < ?", (filter.end_us,))
        for word in words.words(filter.text):
            require(*words.row_condition(word, ("text", "source", "type", "actor")))
        where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
        rows = self._rows(
            f"SELECT {_COLUMNS} FROM operation {where}ORDER BY id DESC LIMIT ?", (*values, limit)
        )
        return [_operation(row) for row in rows]

    def newest_operation_id(self) -> int:
        """0 when there never was one."""
        row = self._row("SELECT last_id FROM operation_chain")
        return 0 if row is None else int(row[0])

    def prune_operations(
        self, before_us: Mapping[str, int], step: int = 5_000, *, keep_at_least: int = 0
    ) -> int:
        """Drop at most `step` rows from the old end that are all from before the time of their severity (none given: kept).

        One that has to stay holds all after it. The newest `keep_at_least` stay whatever the clock says. Returns how many went.
        """
        limits = [before_us.get(severity, 0) for severity in LOG_SEVERITIES]
        with self.transaction():
            first_id, last_id = self._row("SELECT first_id, last_id FROM operation_chain") or (1, 0)
            stop_id = min(first_id + step, last_id + 1 - keep_at_least)
            held = self._row(
                "SELECT id FROM operation WHERE id >= ? AND id < ?"
                " AND time_us >= CASE severity WHEN 0 THEN ? WHEN 1 THEN ? ELSE ? END ORDER BY id LIMIT 1",
                (first_id, stop_id, *limits),
            )
            stop_id = stop_id if held is None else held[0]
            if stop_id <= first_id:
                return 0
            self._run(
                "UPDATE operation_chain SET first_id = ?1, first_digest = (SELECT digest FROM operation WHERE id = ?1 - 1)",
                (stop_id,),
            )
            return self._run("DELETE FROM operation WHERE id < ?", (stop_id,))

    def verify_operations(self) -> ChainCheck:
        """Whether the chain is whole; if not, `trouble` names the first row that was changed or is missing. Reads all of it."""
        with self._snapshot():
            chain = self._row("SELECT first_id, first_digest, last_id FROM operation_chain")
            if chain is None:
                return ChainCheck(False, 0, 0, 0, "where the log begins is not known any more")
            first_id, last, last_id = chain
            checked = 0

            def broken(trouble: str) -> ChainCheck:
                return ChainCheck(False, checked, first_id, last_id, trouble)

            for row in self._chain():
                expected_id = first_id + checked
                if row[0] < expected_id:
                    return broken(f"entry {row[0]} is there, but the log begins with {first_id}")
                if row[0] > expected_id:
                    return broken(f"entry {expected_id} is missing")
                last_expected = digest(last, row[:8])
                if row[8] != last_expected:
                    return broken(f"entry {row[0]} was changed")
                last = last_expected
                checked += 1
            if first_id + checked - 1 != last_id:
                return broken(f"entry {first_id + checked} is missing")
            return ChainCheck(True, checked, first_id, last_id, "")

    def _chain(self) -> Iterator[tuple[Any, ...]]:
        after_id = 0
        while rows := self._rows(
            f"SELECT {_COLUMNS} FROM operation WHERE id > ? ORDER BY id LIMIT ?", (after_id, _VERIFY_AT_ONCE)
        ):
            yield from rows
            after_id = rows[-1][0]

    def _end_of_chain(self) -> tuple[int, bytes]:
        row = self._row(
            "SELECT last_id, coalesce((SELECT digest FROM operation WHERE id = last_id), first_digest) FROM operation_chain"
        )
        return (0, bytes(32)) if row is None else (row[0], row[1])
