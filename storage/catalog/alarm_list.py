"""The list of alarms: windows of it, its length, places in it; alone or grouped by kind and source (AG-01).

Newest first by last event, then by id. Everything but the rows shown is answered from indexes: see schema.sql.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from storage.catalog.alarm_filter import COLUMNS, AlarmFilterRows, AlarmWhere, alarm_row
from storage.catalog.alarm_records import (
    IN_PROGRESS,
    NEW,
    OPEN_STATUSES,
    AlarmRow,
    AlarmRowFilter,
    AlarmTotals,
)
from storage.errors import CatalogDamaged, NotFound


class _Group(NamedTuple):
    last_us: int
    kind: str
    source: str
    members: int
    events: int
    first_us: int | None
    """None: not asked yet."""

    @property
    def place(self) -> tuple[int, str, str]:
        return -self.last_us, self.kind, self.source


class AlarmListRows(AlarmFilterRows):
    """Reading table `alarm`."""

    def alarm(self, id: int) -> AlarmRow:
        """Raises NotFound."""
        row = self._row(f"SELECT {COLUMNS} FROM alarm WHERE id = ?", (id,))
        if row is None:
            raise NotFound(f"no alarm {id}", "it was kept no longer than its preservation time")
        return alarm_row(row)

    def alarms(
        self, filter: AlarmRowFilter, *, now_us: int, grouped: bool = False, offset: int = 0, limit: int = 100
    ) -> tuple[list[AlarmRow], int]:
        """A window of the list, and the length of the whole, as of one moment. Raises InvalidInput."""
        with self._snapshot():
            where = self._alarm_where(filter, now_us)
            if grouped:
                groups = self._groups(filter, where, now_us)
                window = groups[offset : offset + limit]
                return [self._newest_of(group, where) for group in window], len(groups)
            total = self._length(filter, where, now_us)
            return self._window(where, total, offset, limit), total

    def alarm_index(
        self, filter: AlarmRowFilter, id: int, *, now_us: int, grouped: bool = False
    ) -> int | None:
        """At which index of that list the alarm, or its group, is; None when it is not in it. Raises InvalidInput."""
        with self._snapshot():
            where = self._alarm_where(filter, now_us)
            row = self._row(
                f"SELECT last_us, kind, source FROM alarm NOT INDEXED WHERE id = ? AND {where.sql}",
                (id, *where.values),
            )
            if row is None:
                return None
            last_us, kind, source = row
            if grouped:
                return next(
                    index
                    for index, group in enumerate(self._groups(filter, where, now_us))
                    if (group.kind, group.source) == (kind, source)
                )
            before = self._row(
                f"SELECT count(*) FROM {where.table} WHERE (last_us, id) > (?, ?) AND {where.sql}",
                (last_us, id, *where.values),
            )
            return 0 if before is None else int(before[0])

    def alarm_totals(self, now_us: int) -> AlarmTotals:
        """Of all open alarms."""
        with self._snapshot():
            return self._totals(now_us)

    def _totals(self, now_us: int) -> AlarmTotals:
        tally = self._row("SELECT fresh, in_progress, critical, revision FROM alarm_tally")
        if tally is None:
            raise CatalogDamaged(f"the catalog {self.path} counts no alarms", "restore it from a copy")
        muted = self._row(
            "SELECT total(status = 0), total(status = 1), total(status = 0 AND severity = 2) FROM alarm"
            " WHERE muted_until_us > ? AND status < 2",
            (now_us,),
        )
        assert muted is not None
        newest_id = self._row("SELECT max(id) FROM alarm")
        newest_us = self._row("SELECT max(last_us) FROM alarm INDEXED BY alarm_open WHERE status < 2")
        return AlarmTotals(
            new=tally[0] - int(muted[0]),
            in_progress=tally[1] - int(muted[1]),
            muted=int(muted[0] + muted[1]),
            critical=tally[2] - int(muted[2]),
            newest_id=0 if newest_id is None else newest_id[0] or 0,
            newest_us=0 if newest_us is None else newest_us[0] or 0,
            revision=tally[3],
        )

    # -- one by one ------------------------------------------------------------------------------------------

    def _length(self, filter: AlarmRowFilter, where: AlarmWhere, now_us: int) -> int:
        if _is_whole(filter) or (_is_plain(filter) and where.is_open and not filter.with_muted):
            totals = self._totals(now_us)
            shown = {NEW: totals.new, IN_PROGRESS: totals.in_progress}
            hidden = totals.muted if filter.with_muted else 0
            return sum(shown[status] for status in set(filter.statuses)) + hidden
        row = self._row(f"SELECT count(*) FROM {where.table} WHERE {where.sql}", where.values)
        return 0 if row is None else int(row[0])

    def _window(self, where: AlarmWhere, total: int, offset: int, limit: int) -> list[AlarmRow]:
        limit = max(0, min(limit, total - offset))
        # A window near the end is reached from the end: skipping costs.
        is_far = offset > total // 2
        order = "ASC" if is_far else "DESC"
        skipped = total - offset - limit if is_far else offset
        ids = self._rows(
            f"SELECT id FROM {where.table} WHERE {where.sql} ORDER BY last_us {order}, id {order} LIMIT ? OFFSET ?",
            (*where.values, limit, skipped),
        )
        wanted = [row[0] for row in (reversed(ids) if is_far else ids)]
        return self._in_order(wanted)

    def _in_order(self, ids: Iterable[int]) -> list[AlarmRow]:
        wanted = list(ids)
        rows = self._rows(
            f"SELECT {COLUMNS} FROM alarm WHERE id IN (SELECT value FROM json_each(?))",
            (msgspec.json.encode(wanted).decode(),),
        )
        found = {row[0]: alarm_row(row) for row in rows}
        return [found[id] for id in wanted]

    # -- groups ----------------------------------------------------------------------------------------------

    def _groups(self, filter: AlarmRowFilter, where: AlarmWhere, now_us: int) -> list[_Group]:
        """All of the list, in its order: there are as many as cameras times kinds, and they are small."""
        if _is_whole(filter):
            groups = self._open_groups(where, None if filter.with_muted else now_us)
        else:
            table = where.table
            if where.is_open and where.hint != "NOT INDEXED":
                table = "alarm INDEXED BY alarm_open_group"
            rows = self._rows(
                "SELECT max(last_us), kind, source, count(*), sum(count), min(first_us)"
                f" FROM {table} WHERE {where.sql} GROUP BY source, kind",
                where.values,
            )
            groups = [_Group(*row) for row in rows]
        return sorted(groups, key=lambda group: group.place)

    def _open_groups(self, where: AlarmWhere, now_us: int | None) -> list[_Group]:
        """Of all open alarms, without reading them: the running sums less those muted at `now_us`."""
        muted = {}
        if now_us is not None:
            for kind, source, members, events in self._rows(
                "SELECT kind, source, count(*), sum(count) FROM alarm INDEXED BY alarm_muted"
                " WHERE muted_until_us > ? AND status < 2 GROUP BY source, kind",
                (now_us,),
            ):
                muted[kind, source] = (members, events)
        groups = []
        for kind, source, members, events, last_us in self._rows(
            "SELECT kind, source, members, events, (SELECT last_us FROM alarm INDEXED BY alarm_open_group"
            f" WHERE kind = g.kind AND source = g.source AND {where.sql} ORDER BY last_us DESC LIMIT 1)"
            " FROM alarm_group AS g",
            where.values,
        ):
            hidden = muted.get((kind, source), (0, 0))
            if members > hidden[0]:
                groups.append(_Group(last_us, kind, source, members - hidden[0], events - hidden[1], None))
        return groups

    def _newest_of(self, group: _Group, where: AlarmWhere) -> AlarmRow:
        same = (group.kind, group.source, *where.values)
        row = self._row(
            f"SELECT max(id) FROM {where.table} WHERE last_us = ? AND kind = ? AND source = ? AND {where.sql}",
            (group.last_us, *same),
        )
        assert row is not None
        first_us = group.first_us
        if first_us is None:
            first = self._row(
                "SELECT first_us FROM alarm INDEXED BY alarm_open_first"
                f" WHERE kind = ? AND source = ? AND {where.sql} ORDER BY first_us LIMIT 1",
                same,
            )
            assert first is not None
            first_us = first[0]
        return msgspec.structs.replace(
            self.alarm(row[0]), members=group.members, count=group.events, first_us=first_us
        )


def _is_plain(filter: AlarmRowFilter) -> bool:
    """It asks for nothing but statuses and mutes: the running counts answer it."""
    return filter == AlarmRowFilter(statuses=filter.statuses, with_muted=filter.with_muted)


def _is_whole(filter: AlarmRowFilter) -> bool:
    """All open alarms."""
    return _is_plain(filter) and set(filter.statuses) == set(OPEN_STATUSES)
