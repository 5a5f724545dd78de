"""An AlarmRowFilter as SQL: which index answers it, and the conditions. Used by the list and by triage."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from storage.catalog import words
from storage.catalog.alarm_records import OPEN_STATUSES, STATUSES, AlarmRow, AlarmRowFilter
from storage.catalog.connection import CatalogConnection
from storage.catalog.records import Severity
from storage.errors import InvalidInput

SEVERITIES = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)
"""The place in this tuple is what the column holds."""
COLUMNS = (
    "id, rule_id, rule, kind, source, camera, severity, status, first_us, last_us, count, text, comment, handler,"
    " muted_until_us, sound, is_live, is_test"
)
FEW = 5_000
"""So many alarms with the words looked for are fetched one by one; more are sieved out of the list."""
FEW_GROUPS = 8
"""Groups that have less than this part of all open alarms are read one by one."""
SEARCHED = ("text", "source", "rule", "comment")


def alarm_row(row: tuple[Any, ...]) -> AlarmRow:
    """Of COLUMNS."""
    return AlarmRow(
        id=row[0],
        rule_id=row[1],
        rule=row[2],
        kind=row[3],
        source=row[4],
        camera=row[5],
        severity=SEVERITIES[row[6]],
        status=STATUSES[row[7]],
        first_us=row[8],
        last_us=row[9],
        count=row[10],
        text=row[11],
        comment=row[12],
        handler=row[13],
        muted_until_us=row[14],
        sound=row[15],
        is_live=bool(row[16]),
        is_test=bool(row[17]),
    )


def status_number(status: str) -> int:
    """What the column holds. Raises InvalidInput."""
    if status not in STATUSES:
        raise InvalidInput(f"no status {status!r}", f"choose one of {', '.join(STATUSES)}")
    return STATUSES.index(status)


def kind_condition(column: str, kinds: Iterable[str]) -> tuple[str, list[str]]:
    """SQL, and its values: one of these kinds or below it."""
    wanted = sorted(set(kinds))
    # "/" follows "." in ASCII: the range holds exactly what begins with "kind."
    each = " OR ".join(f"{column} = ? OR {column} >= ? AND {column} < ?" for _ in wanted) or "0"
    return f"({each})", [part for kind in wanted for part in (kind, f"{kind}.", f"{kind}/")]


class AlarmWhere(NamedTuple):
    """Conditions on table `alarm`, their values, and how the table is best read."""

    sql: str
    values: tuple[Any, ...]
    is_open: bool
    """Only open alarms: the partial indexes answer it."""
    hint: str
    """Of the index; `NOT INDEXED` where the ids are known."""

    @property
    def table(self) -> str:
        return f"alarm {self.hint}"


class _Conditions:
    """What is collected until it is an AlarmWhere."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.values: list[Any] = []

    @property
    def sql(self) -> str:
        return " AND ".join(self.parts) or "1"

    def require(self, condition: str, needed: Iterable[Any] = ()) -> None:
        self.parts.append(condition)
        self.values.extend(needed)

    def require_one_of(self, column: str, wanted: Iterable[str]) -> None:
        choices = sorted(set(wanted))
        if choices:
            self.require(f"{column} IN ({', '.join('?' * len(choices))})", choices)


class AlarmFilterRows(CatalogConnection):
    """Conditions of a filter."""

    def _alarm_where(self, filter: AlarmRowFilter, now_us: int) -> AlarmWhere:
        """Asks the words' index first: how many have them decides how the table is read. Raises InvalidInput."""
        conditions = _Conditions()
        is_open = _require_state(conditions, filter, now_us)
        conditions.require_one_of("rule", filter.rules)
        if filter.start_us is not None:
            conditions.require("last_us >= ?", (filter.start_us,))
        if filter.end_us is not None:
            conditions.require("last_us < ?", (filter.end_us,))
        if filter.up_to_id is not None:
            conditions.require("id <= ?", (filter.up_to_id,))
        if filter.without_ids:
            left_out = msgspec.json.encode(filter.without_ids).decode()
            conditions.require("id NOT IN (SELECT value FROM json_each(?))", (left_out,))
        hint = f"INDEXED BY {'alarm_open' if is_open else 'alarm_history'}"
        about = _Conditions()
        about.require_one_of("source", filter.sources)
        if filter.kinds:
            about.require(*kind_condition("kind", filter.kinds))
        if about.parts:
            conditions.require(about.sql, about.values)
            if is_open and self._are_few_groups(about):
                hint = "INDEXED BY alarm_open_group"
                groups = f"(source, kind) IN (SELECT source, kind FROM alarm_group WHERE {about.sql})"
                conditions.require(groups, about.values)
        if self._require_words(conditions, words.words(filter.text)):
            hint = "NOT INDEXED"
        return AlarmWhere(conditions.sql, tuple(conditions.values), is_open, hint)

    def _are_few_groups(self, about: _Conditions) -> bool:
        """They have so few of all open alarms that it is quicker to read and sort just these."""
        row = self._row(f"SELECT total(members) FROM alarm_group WHERE {about.sql}", tuple(about.values))
        tally = self._row("SELECT fresh + in_progress FROM alarm_tally")
        return row is not None and tally is not None and row[0] * FEW_GROUPS < tally[0]

    def _require_words(self, conditions: _Conditions, wanted: list[str]) -> bool:
        """Whether only few alarms are left, by their ids."""
        for word in words.short_words(wanted):
            conditions.require(*words.row_condition(word, SEARCHED))
        expression = words.expression(wanted)
        if not expression:
            return False
        ids = self._rows(
            "SELECT rowid FROM alarm_words WHERE alarm_words MATCH ? LIMIT ?", (expression, FEW + 1)
        )
        if len(ids) > FEW:
            conditions.require(
                "id IN (SELECT rowid FROM alarm_words WHERE alarm_words MATCH ?)", (expression,)
            )
            return False
        found = msgspec.json.encode([row[0] for row in ids]).decode()
        conditions.require("id IN (SELECT value FROM json_each(?))", (found,))
        return True


def _require_state(conditions: _Conditions, filter: AlarmRowFilter, now_us: int) -> bool:
    """Whether all of them are open."""
    is_open = bool(filter.statuses) and set(filter.statuses) <= set(OPEN_STATUSES)
    statuses = {status_number(status) for status in filter.statuses}
    if is_open:
        conditions.require("status < 2")
    if statuses and statuses != {0, 1}:
        conditions.require(f"status IN ({', '.join(map(str, sorted(statuses)))})")
    if not filter.with_muted:
        # A mute is about the list: what is closed is in history all the same.
        shown = "muted_until_us IS NULL OR muted_until_us <= ?"
        conditions.require(f"({shown})" if is_open else f"(status >= 2 OR {shown})", (now_us,))
    if filter.min_severity is not None and filter.min_severity is not Severity.INFO:
        conditions.require(f"severity >= {SEVERITIES.index(filter.min_severity)}")
    if filter.is_live:
        conditions.require("is_live = 1")
    return is_open
