"""Statements only fsck and rebuild need: whole-table checks, and writing what the volumes tell."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from storage.catalog.evidence import Evidence
from storage.catalog.names import NAME_LIMIT, checked_name
from storage.catalog.recycling import RecyclingRows
from storage.catalog.volumes import VolumeRows
from storage.errors import CatalogDamaged, InvalidInput
from storage.segments.identity import PastGap

_SUMS = (
    "SELECT coalesce(sum(bytes), 0), coalesce(sum(bytes * (lock_count > 0)), 0)"
    " FROM segment WHERE volume_id = v.id AND state < 2"
)
_LOCKS = (
    "(SELECT count(*) FROM footage_lock AS l"
    " WHERE l.camera_id = s.camera_id AND l.end_us > s.start_us AND l.start_us < s.end_us)"
)


_ALARM_TALLY = (
    "SELECT count(*) FILTER (WHERE status = 0), count(*) FILTER (WHERE status = 1),"
    " count(*) FILTER (WHERE status = 0 AND severity = 2) FROM alarm"
)
_ALARM_GROUPS = "SELECT source, kind, count(*), sum(count) FROM alarm WHERE status < 2 GROUP BY source, kind"
_RAISED = "(SELECT count(*) FROM alarm WHERE rule_id = alarm_rule.id)"
_WORDS = ("event_words", "alarm_words")


class KnownFile(NamedTuple):
    """A segment's row as far as a file can contradict it."""

    id: int
    path: str
    start_us: int
    end_us: int
    bytes: int
    is_open: bool


class UpkeepRows(VolumeRows, RecyclingRows):
    """Slow on purpose where it must be: these may read whole tables. Never called by a running engine."""

    def database_faults(self) -> list[str]:
        """What SQLite itself finds wrong with the file; empty when all is well."""
        faults = [str(row[0]) for row in self._rows("PRAGMA integrity_check(20)") if row[0] != "ok"]
        for table, rowid, parent, _ in self._rows("PRAGMA foreign_key_check"):
            faults.append(f"row {rowid} of {table} names a {parent} that is not there")
        return faults

    def miscounted_volumes(self) -> list[str]:
        """Names of the volumes whose running sums differ from a recount."""
        rows = self._rows(f"SELECT name FROM volume AS v WHERE (used_bytes, locked_bytes) <> ({_SUMS})")
        return [row[0] for row in rows]

    def miscounted_locks(self) -> int:
        """Closed segments whose lock_count differs from a recount."""
        row = self._row(f"SELECT count(*) FROM segment AS s WHERE state = 1 AND lock_count <> {_LOCKS}")
        return 0 if row is None else int(row[0])

    def has_miscounted_alarms(self) -> bool:
        """The running counts of alarms differ from a recount."""
        differs = (
            f"SELECT 1 FROM alarm_tally WHERE (fresh, in_progress, critical) <> ({_ALARM_TALLY})",
            f"SELECT 1 FROM (SELECT * FROM ({_ALARM_GROUPS}) EXCEPT SELECT * FROM alarm_group)",
            f"SELECT 1 FROM (SELECT * FROM alarm_group EXCEPT SELECT * FROM ({_ALARM_GROUPS}))",
            f"SELECT 1 FROM alarm_rule WHERE raised <> {_RAISED}",
        )
        return any(self._row(each) is not None for each in differs)

    def rebuild_words(self) -> list[str]:
        """Make those indexes of words anew that do not fit their rows; their names."""
        rebuilt = []
        for table in _WORDS:
            try:
                self._run(f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 1)")
            except CatalogDamaged:
                self._run(f"INSERT INTO {table} ({table}) VALUES ('rebuild')")
                rebuilt.append(table)
        return rebuilt

    def recount(self) -> None:
        """Set lock counts and running sums to what a recount gives."""
        with self.transaction():
            self._run(f"UPDATE alarm_tally SET (fresh, in_progress, critical) = ({_ALARM_TALLY})")
            self._run("DELETE FROM alarm_group")
            self._run(f"INSERT INTO alarm_group {_ALARM_GROUPS}")
            self._run(f"UPDATE alarm_rule SET raised = {_RAISED}")
            # Out of the way first: from a sum that is too small the triggers could not subtract.
            self._run("UPDATE volume SET used_bytes = 1 << 61, locked_bytes = 1 << 60")
            self._run(
                f"UPDATE segment AS s SET lock_count = {_LOCKS} WHERE state = 1 AND lock_count <> {_LOCKS}"
            )
            self._run(f"UPDATE volume AS v SET (used_bytes, locked_bytes) = ({_SUMS})")

    def known_files(self, camera_id: int, volume_id: int) -> dict[str, KnownFile]:
        """By path, all open and closed segments of a camera on a volume."""
        rows = self._rows(
            "SELECT id, path, start_us, end_us, bytes, state = 0 FROM segment"
            " WHERE camera_id = ? AND volume_id = ? AND state < 2",
            (camera_id, volume_id),
        )
        return {row[1]: KnownFile(row[0], row[1], row[2], row[3], row[4], bool(row[5])) for row in rows}

    def path_of(self, run: UUID, sequence: int) -> tuple[int, str] | None:
        """(volume, path) of the segment that has this identity in the catalog."""
        row = self._row(
            "SELECT volume_id, path FROM segment"
            " WHERE run_id = (SELECT id FROM run WHERE uuid = ?) AND sequence = ?",
            (run.bytes, sequence),
        )
        return None if row is None else (row[0], row[1])

    def camera_of_run(self, run: UUID) -> int | None:
        """Whose the run is in the catalog."""
        row = self._row("SELECT camera_id FROM run WHERE uuid = ?", (run.bytes,))
        return None if row is None else int(row[0])

    def remeasure(self, segment_id: int, evidence: Evidence) -> None:
        """Believe the file: its size, its duration, its end."""
        with self.transaction():
            self._run(
                "UPDATE segment AS s SET end_us = max(start_us, ?), media_duration_ticks = ?, bytes = ?, state = 1,"
                " is_recovered = 1 WHERE id = ?",
                (evidence.end_us, evidence.media_duration_ticks or 0, evidence.bytes, segment_id),
            )
            self._run(f"UPDATE segment AS s SET lock_count = {_LOCKS} WHERE id = ?", (segment_id,))
            self._run("DELETE FROM segment_keyframes WHERE segment_id = ?", (segment_id,))
            if evidence.keyframes:
                self._run("INSERT INTO segment_keyframes VALUES (?, ?)", (segment_id, evidence.keyframes))

    def set_ends(self, ends: list[tuple[int, int]]) -> None:
        """(segment, end): the ends that their successors' starts prove."""
        with self.transaction():
            for segment_id, end_us in ends:
                self._run("UPDATE segment SET end_us = max(start_us, ?) WHERE id = ?", (end_us, segment_id))
                self._run(f"UPDATE segment AS s SET lock_count = {_LOCKS} WHERE id = ?", (segment_id,))

    def forget_lost(self, segment_ids: list[int]) -> None:
        """Rows whose files are gone, whatever their state."""
        with self.transaction():
            for segment_id in segment_ids:
                self._run("UPDATE segment SET state = 2 WHERE id = ?", (segment_id,))
        self.forget(segment_ids)

    def add_past_gaps(self, camera_id: int, gaps: list[PastGap]) -> int:
        """Gaps that are over; the part that known gaps cover already is left out. Returns how many were added."""
        added = 0
        with self.transaction():
            for gap in sorted(gaps, key=lambda each: each.start_us):
                start_us = gap.start_us
                for known in self.gaps([camera_id], gap.start_us, gap.end_us):
                    if known.start_us <= start_us:
                        start_us = max(start_us, gap.end_us if known.end_us is None else known.end_us)
                if start_us < gap.end_us:
                    added += 1
                    self._run(
                        "INSERT INTO gap (camera_id, start_us, end_us, cause, detail) VALUES (?, ?, ?, ?, ?)",
                        (camera_id, start_us, gap.end_us, gap.cause, gap.detail),
                    )
        return added

    def overlapping_gaps(self, camera_id: int) -> list[tuple[int, int, int]]:
        """(gap, its start, end of the ones before) of ended gaps that begin before an earlier one has ended."""
        found = []
        covered_us = 0
        for gap_id, start_us, end_us in self._rows(
            "SELECT id, start_us, end_us FROM gap WHERE camera_id = ? AND end_us IS NOT NULL ORDER BY start_us, id",
            (camera_id,),
        ):
            if start_us < covered_us:
                found.append((gap_id, start_us, covered_us))
            covered_us = max(covered_us, end_us)
        return found

    def trim_gap(self, gap_id: int, start_us: int) -> None:
        """Let a gap begin later; it vanishes when nothing is left of it."""
        with self.transaction():
            self._run("DELETE FROM gap WHERE id = ? AND end_us <= ?", (gap_id, start_us))
            self._run("UPDATE gap SET start_us = ? WHERE id = ?", (start_us, gap_id))

    def end_runs(self, reason: str) -> int:
        """End every run that goes on (nobody records): at the end of its last segment. Returns how many."""
        with self.transaction():
            ended = self._run(
                "UPDATE run SET end_reason = ?, end_us = max(start_us, coalesce("
                "(SELECT max(end_us) FROM segment WHERE run_id = run.id), start_us)) WHERE end_us IS NULL",
                (reason,),
            )
            self._forget_empty_runs("1 = 1", ())
        return ended

    # -- what a lost catalog knew ----------------------------------------------------------------------------

    def adopt_station(self, uuid: UUID) -> None:
        """The station's identity as its volumes know it."""
        with self.transaction():
            self._run("UPDATE station SET uuid = ?", (uuid.bytes,))

    def restore_camera(
        self, *, camera_id: int | None, uuid: UUID, name: str, is_removed: bool, **columns: Any
    ) -> int:
        """A camera by the identity its segments carry; a taken or impossible name or number is replaced."""
        with self.transaction():
            row = self._row("SELECT id FROM camera WHERE uuid = ?", (uuid.bytes,))
            if row is not None:
                return int(row[0])
            if camera_id is not None and self._row("SELECT 1 FROM camera WHERE id = ?", (camera_id,)):
                camera_id = None
            values = {
                "id": camera_id,
                "uuid": uuid.bytes,
                "name": self._possible_name(name, uuid),
                "is_removed": int(is_removed),
                "group_id": None,
                "transport": "auto",
                "mode": "continuous",
                **columns,
            }
            marks = ", ".join("?" * len(values))
            row = self._row(
                f"INSERT INTO camera ({', '.join(values)}) VALUES ({marks}) RETURNING id",
                tuple(values.values()),
            )
        assert row is not None
        return int(row[0])

    def _possible_name(self, name: str, uuid: UUID) -> str:
        try:
            checked = checked_name(name, "camera")
        except InvalidInput:
            checked = f"camera {uuid.hex[:8]}"
        if self._row("SELECT 1 FROM camera WHERE name = ? AND is_removed = 0", (checked,)):
            suffix = f" {uuid.hex[:8]}"
            checked = checked[: NAME_LIMIT - len(suffix)] + suffix
        return checked
