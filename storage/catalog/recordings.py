"""What is on disk: the recorder's changes come in, the timeline, playback and start-up recovery read.

Retention (what may go) is in recycling.py. Every query here is a range of one index; the tests read the plans.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from storage.catalog.changes import (
    BeginRun,
    Change,
    CloseGap,
    CloseSegment,
    DropSegment,
    EndRun,
    GrowSegment,
    OpenGap,
    OpenSegment,
)
from storage.catalog.connection import CatalogConnection
from storage.catalog.records import Gap, GapCause, Run, Segment
from storage.errors import NotFound
from storage.segments.packet import Track
from storage.units import US_PER_SECOND, Interval

_TRACKS = msgspec.json.Decoder(tuple[Track, ...])
JOIN_WITHIN_US = US_PER_SECOND
"""Stretches at most this far apart are drawn as one: smaller than a column of any timeline."""

SEGMENT_COLUMNS = (
    "id, camera_id, run_id, volume_id, sequence, path, start_us, end_us, media_duration_ticks, bytes,"
    " state, is_recovered"
)
_GAP_COLUMNS = "id, camera_id, start_us, end_us, cause, detail"

# A row of the recorder's run: `segment.run_id` by the run's UUID and the segment's number.
_BY_RUN = "run_id = (SELECT id FROM run WHERE uuid = ?) AND sequence = ? AND state = 0"


def segment_from_row(row: tuple[Any, ...]) -> Segment:
    return Segment(
        id=row[0],
        camera_id=row[1],
        run_id=row[2],
        volume_id=row[3],
        sequence=row[4],
        path=row[5],
        start_us=row[6],
        end_us=row[7],
        media_duration_ticks=row[8],
        bytes=row[9],
        is_open=row[10] == 0,
        is_recovered=bool(row[11]),
    )


def _gap(row: tuple[Any, ...]) -> Gap:
    return Gap(
        id=row[0], camera_id=row[1], start_us=row[2], end_us=row[3], cause=GapCause(row[4]), detail=row[5]
    )


class RecordingRows(CatalogConnection):
    """Tables `run`, `segment`, `segment_keyframes` and `gap`."""

    # -- the recorder writes -----------------------------------------------------------------------------

    def apply(self, changes: Sequence[Change]) -> None:
        """All of them or none, in one transaction."""
        with self.transaction():
            for change in changes:
                self._apply(change)

    def _apply(self, change: Change) -> None:
        match change:
            case GrowSegment():
                self._run(
                    f"UPDATE segment SET end_us = max(start_us, ?), media_duration_ticks = ?, bytes = ? WHERE {_BY_RUN}",
                    (
                        change.end_us,
                        change.media_duration_ticks,
                        change.bytes,
                        change.run.bytes,
                        change.sequence,
                    ),
                )
            case OpenSegment():
                self._run(
                    "INSERT INTO segment (camera_id, run_id, volume_id, sequence, path, start_us, end_us,"
                    " media_duration_ticks, bytes, state)"
                    " SELECT camera_id, id, ?, ?, ?, ?, ?, 0, 0, 0 FROM run WHERE uuid = ?"
                    " ON CONFLICT (run_id, sequence) DO NOTHING",
                    (
                        change.volume_id,
                        change.sequence,
                        change.path,
                        change.start_us,
                        change.start_us,
                        change.run.bytes,
                    ),
                )
            case CloseSegment():
                self._close_segment(change)
            case DropSegment():
                self._run(f"DELETE FROM segment WHERE {_BY_RUN}", (change.run.bytes, change.sequence))
            case BeginRun():
                self._run(
                    "INSERT INTO run (uuid, camera_id, start_us, tracks)"
                    " SELECT ?, id, ?, ? FROM camera WHERE id = ? ON CONFLICT (uuid) DO NOTHING",
                    (
                        change.uuid.bytes,
                        change.start_us,
                        msgspec.json.encode(change.tracks).decode(),
                        change.camera_id,
                    ),
                )
            case EndRun():
                self._run(
                    "UPDATE run SET end_us = max(start_us, ?), end_reason = ? WHERE uuid = ? AND end_us IS NULL",
                    (change.end_us, change.reason, change.uuid.bytes),
                )
                self._forget_empty_runs("uuid = ?", (change.uuid.bytes,))
            case OpenGap():
                self._run(
                    "INSERT INTO gap (camera_id, start_us, cause, detail)"
                    " SELECT id, ?, ?, ? FROM camera WHERE id = ?"
                    " ON CONFLICT (camera_id) WHERE end_us IS NULL DO NOTHING",
                    (change.start_us, change.cause, change.detail, change.camera_id),
                )
            case CloseGap():
                key = (change.camera_id, change.end_us)
                self._run("DELETE FROM gap WHERE camera_id = ? AND end_us IS NULL AND start_us >= ?", key)
                self._run("UPDATE gap SET end_us = ?2 WHERE camera_id = ?1 AND end_us IS NULL", key)

    def _close_segment(self, change: CloseSegment) -> None:
        row = self._row(
            f"SELECT id, camera_id, start_us FROM segment WHERE {_BY_RUN}",
            (change.run.bytes, change.sequence),
        )
        if row is None:
            return
        segment_id, camera_id, start_us = row
        end_us = max(start_us, change.end_us)
        self._run(
            "UPDATE segment SET end_us = ?1, media_duration_ticks = ?2, bytes = ?3, state = 1, is_recovered = ?4,"
            " lock_count = (SELECT count(*) FROM footage_lock"
            "   WHERE camera_id = ?5 AND end_us > ?6 AND start_us < ?1)"
            " WHERE id = ?7",
            (
                end_us,
                change.media_duration_ticks,
                change.bytes,
                int(change.is_recovered),
                camera_id,
                start_us,
                segment_id,
            ),
        )
        if change.is_recovered:
            self._trim_gaps(camera_id, start_us, end_us)
        if change.keyframes:
            self._run("INSERT INTO segment_keyframes VALUES (?, ?)", (segment_id, change.keyframes))

    def _trim_gaps(self, camera_id: int, start_us: int, end_us: int) -> None:
        """What a failing volume was thought to have lost is there after all: no gap covers it."""
        key = (camera_id, start_us, end_us)
        of_volume = "camera_id = ?1 AND cause GLOB 'volume_*'"
        self._run(f"DELETE FROM gap WHERE {of_volume} AND start_us >= ?2 AND end_us <= ?3", key)
        self._run(f"UPDATE gap SET start_us = ?3 WHERE {of_volume} AND start_us >= ?2 AND start_us < ?3", key)
        self._run(
            f"UPDATE gap SET end_us = ?2 WHERE {of_volume} AND start_us < ?2 AND end_us > ?2 AND end_us <= ?3",
            key,
        )

    def _forget_empty_runs(self, condition: str, values: Sequence[Any]) -> None:
        """Inside a transaction: ended runs without a segment are of no use to anybody."""
        self._run(
            f"DELETE FROM run WHERE {condition} AND end_us IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM segment WHERE run_id = run.id)",
            values,
        )

    # -- timeline and playback read ------------------------------------------------------------------------

    def segments(
        self, camera_ids: Iterable[int], start_us: int, end_us: int, *, limit: int | None = None
    ) -> list[Segment]:
        """Segments with footage in [start_us, end_us), oldest first; `limit` keeps the oldest."""
        found: list[Segment] = []
        hidden = self._hidden_volumes()
        for camera_id in camera_ids:
            rows = self._rows(
                f"SELECT {SEGMENT_COLUMNS} FROM segment"
                f" WHERE camera_id = ? AND start_us >= ? AND start_us < ? AND end_us > max(?, start_us) AND state < 2{hidden}"
                " ORDER BY start_us LIMIT ?",
                (camera_id, *self._reach(camera_id, start_us, end_us), -1 if limit is None else limit),
            )
            found.extend(map(segment_from_row, rows))
        found.sort(key=lambda segment: (segment.start_us, segment.id))
        return found if limit is None else found[:limit]

    def coverage(self, camera_ids: Iterable[int], start_us: int, end_us: int) -> dict[int, list[Interval]]:
        """Per camera what is on disk of [start_us, end_us), merged, stretches within a second joined.

        Merged here and not by SQL window functions: measured on 24 h of 16 cameras, see tests/bench/timeline.py.
        """
        covered: dict[int, list[Interval]] = {}
        hidden = self._hidden_volumes()
        for camera_id in camera_ids:
            rows = self._rows(
                "SELECT start_us, end_us FROM segment"
                f" WHERE camera_id = ? AND start_us >= ? AND start_us < ? AND end_us > max(?, start_us) AND state < 2{hidden}"
                " ORDER BY start_us",
                (camera_id, *self._reach(camera_id, start_us, end_us)),
            )
            covered[camera_id] = _joined(rows, start_us, end_us)
        return covered

    def segment_at(self, camera_id: int, time_us: int) -> Segment | None:
        """The segment that holds that moment; where two do (a clock stepped back), the one that began last."""
        row = self._row(
            f"SELECT {SEGMENT_COLUMNS} FROM segment"
            " WHERE camera_id = ? AND start_us >= ? AND start_us < ? AND end_us > max(?, start_us) AND state < 2"
            f"{self._hidden_volumes()} ORDER BY start_us DESC LIMIT 1",
            (camera_id, *self._reach(camera_id, time_us, time_us + 1)),
        )
        return None if row is None else segment_from_row(row)

    def segment(self, segment_id: int) -> Segment:
        """Raises NotFound (it was recycled)."""
        row = self._row(f"SELECT {SEGMENT_COLUMNS} FROM segment WHERE id = ?", (segment_id,))
        if row is None:
            raise NotFound(f"no segment {segment_id}: it was recycled or never was")
        return segment_from_row(row)

    def run(self, run_id: int) -> Run:
        """Raises NotFound."""
        row = self._row("SELECT id, uuid, camera_id, start_us, tracks FROM run WHERE id = ?", (run_id,))
        if row is None:
            raise NotFound(f"no run {run_id}: its recordings were recycled")
        return _run(row)

    def keyframes(self, segment_id: int) -> bytes:
        """As the recorder encoded them; empty when only the file knows."""
        row = self._row("SELECT places FROM segment_keyframes WHERE segment_id = ?", (segment_id,))
        return b"" if row is None else bytes(row[0])

    def keyframes_of(self, segment_ids: Iterable[int]) -> dict[int, bytes]:
        """As `keyframes`, of many; those without any are left out."""
        found = {}
        for segment_id in segment_ids:
            if places := self.keyframes(segment_id):
                found[segment_id] = places
        return found

    def oldest_us(self, camera_ids: Iterable[int]) -> dict[int, int]:
        """Start of each camera's oldest footage; cameras without any are left out."""
        hidden = self._hidden_volumes()
        oldest: dict[int, int] = {}
        for camera_id in camera_ids:
            row = self._row(
                f"SELECT start_us FROM segment WHERE camera_id = ? AND state < 2{hidden} ORDER BY start_us LIMIT 1",
                (camera_id,),
            )
            if row is not None:
                oldest[camera_id] = row[0]
        return oldest

    def gaps(self, camera_ids: Iterable[int], start_us: int, end_us: int) -> list[Gap]:
        """Gaps that reach into [start_us, end_us), in order of their start; one that goes on has no end."""
        found: list[Gap] = []
        for camera_id in camera_ids:
            row = self._row("SELECT longest_gap_us FROM camera WHERE id = ?", (camera_id,))
            from_us = start_us - (row[0] if row is not None else 0)
            for query in (
                "start_us >= ? AND start_us < ? AND end_us > ?",
                "end_us IS NULL AND start_us >= min(?, 0) AND start_us < ? AND ? IS NOT NULL",
            ):
                rows = self._rows(
                    f"SELECT {_GAP_COLUMNS} FROM gap WHERE camera_id = ? AND {query} ORDER BY start_us",
                    (camera_id, from_us, end_us, start_us),
                )
                found.extend(map(_gap, rows))
        found.sort(key=lambda gap: (gap.start_us, gap.id))
        return found

    def open_gap(self, camera_id: int) -> Gap | None:
        """The gap of a camera that goes on."""
        row = self._row(
            f"SELECT {_GAP_COLUMNS} FROM gap WHERE camera_id = ? AND end_us IS NULL", (camera_id,)
        )
        return None if row is None else _gap(row)

    def forget_gaps(self, bare_before_us: int) -> int:
        """Drop the gaps that ended before their camera's oldest footage: nobody misses what would be recycled by now.

        Of a camera without any footage, those that ended before `bare_before_us`. Footage on removed volumes counts:
        it comes back with its volume. Returns how many.
        """
        forgotten = 0
        with self.transaction():
            for (camera_id,) in self._rows("SELECT id FROM camera"):
                row = self._row(
                    "SELECT start_us FROM segment WHERE camera_id = ? AND state < 2 ORDER BY start_us LIMIT 1",
                    (camera_id,),
                )
                before_us = bare_before_us if row is None else row[0]
                forgotten += self._run(
                    "DELETE FROM gap WHERE camera_id = ? AND start_us < ? AND end_us <= ?",
                    (camera_id, before_us, before_us),
                )
        return forgotten

    # -- start-up recovery reads ---------------------------------------------------------------------------

    def open_segments(self) -> list[Segment]:
        """Rows still open: after a start, those a crash left behind."""
        rows = self._rows(f"SELECT {SEGMENT_COLUMNS} FROM segment WHERE state <> 1 AND state = 0 ORDER BY id")
        return [segment_from_row(row) for row in rows]

    def unended_runs(self) -> list[Run]:
        """Runs without an end: after a start, those a crash left behind."""
        rows = self._rows(
            "SELECT id, uuid, camera_id, start_us, tracks FROM run WHERE end_us IS NULL ORDER BY id"
        )
        return [_run(row) for row in rows]

    def _reach(self, camera_id: int, start_us: int, end_us: int) -> tuple[int, int, int]:
        """Bounds for start_us >= ?, start_us < ?, end_us > ?: how far back a segment may have begun."""
        row = self._row("SELECT longest_segment_us FROM camera WHERE id = ?", (camera_id,))
        return start_us - (row[0] if row is not None else 0), end_us, start_us

    def _hidden_volumes(self) -> str:
        """A condition that leaves out the footage of removed volumes; empty in the normal case of none."""
        rows = self._rows("SELECT id FROM volume WHERE is_removed = 1")
        return f" AND volume_id NOT IN ({', '.join(str(row[0]) for row in rows)})" if rows else ""


def _run(row: tuple[Any, ...]) -> Run:
    return Run(
        id=row[0],
        uuid=UUID(bytes=row[1]),
        camera_id=row[2],
        start_us=row[3],
        tracks=_TRACKS.decode(row[4]),
    )


def _joined(rows: list[tuple[Any, ...]], from_us: int, to_us: int) -> list[Interval]:
    """Sorted stretches, clipped and merged. Written out because it runs over tens of thousands of rows a query."""
    if not rows:
        return []
    joined: list[Interval] = []
    open_us, close_us = rows[0]
    for start_us, end_us in rows:
        if start_us > close_us + JOIN_WITHIN_US:
            joined.append(Interval(max(open_us, from_us), min(close_us, to_us)))
            open_us = start_us
            close_us = end_us
        elif end_us > close_us:
            close_us = end_us
    joined.append(Interval(max(open_us, from_us), min(close_us, to_us)))
    return joined
