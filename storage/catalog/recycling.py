"""Which footage may go, and the order in which it goes: mark, unlink the file, forget.

A crash between two of these leaves a row marked `deleting`, whose file is unlinked again at the next start: never
a file nobody knows, never a row that promises footage which is gone. Locked footage is stepped over.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from storage.catalog.cameras import CameraRows
from storage.catalog.motion_looks import BLOCK_LIMIT_US
from storage.catalog.recordings import SEGMENT_COLUMNS, RecordingRows, segment_from_row
from storage.catalog.records import Lock, Segment
from storage.errors import InvalidInput, NotFound

_LOCK_COLUMNS = "id, camera_id, start_us, end_us, reason, created_us, created_by, expires_us"


class RecyclingRows(CameraRows, RecordingRows):
    """The end of a segment's life, and table `footage_lock`."""

    def recycle_candidates(
        self, group_id: int, limit: int, *, before_us: int | None = None, volume_id: int | None = None
    ) -> list[Segment]:
        """The oldest closed, unlocked segments of the group's volumes (or one volume): at most `limit`, oldest first.

        `before_us`: only those that ended by then.
        """
        volumes = self._rows(
            "SELECT id FROM volume WHERE group_id = ? AND (?2 IS NULL OR id = ?2)", (group_id, volume_id)
        )
        oldest = [
            self._rows(
                f"SELECT {SEGMENT_COLUMNS} FROM segment"
                " WHERE volume_id = ? AND (lock_count > 0) = 0 AND state = 1 AND start_us < ?"
                " ORDER BY start_us LIMIT ?",
                (volume[0], (1 << 62) if before_us is None else before_us, limit),
            )
            for volume in volumes
        ]
        rows = list(heapq.merge(*oldest, key=lambda row: row[6]))[:limit]
        return [segment_from_row(row) for row in rows if before_us is None or row[7] <= before_us]

    def mark_deleting(self, segment_ids: Iterable[int]) -> list[int]:
        """Step 1 of 3: they are no footage any more. Only closed, unlocked ones are marked: returns which."""
        marked: list[int] = []
        with self.transaction():
            for segment_id in segment_ids:
                if self._run(
                    "UPDATE segment SET state = 2 WHERE id = ? AND state = 1 AND lock_count = 0",
                    (segment_id,),
                ):
                    marked.append(segment_id)
        return marked

    def deleting(self) -> list[Segment]:
        """Marked and not yet forgotten: their files are to be unlinked (again)."""
        rows = self._rows(f"SELECT {SEGMENT_COLUMNS} FROM segment WHERE state <> 1 AND state = 2 ORDER BY id")
        return [segment_from_row(row) for row in rows]

    def forget(self, segment_ids: Iterable[int]) -> None:
        """Step 3 of 3, after their files are gone: the rows, and what only they kept alive."""
        with self.transaction():
            runs: set[int] = set()
            for segment_id in segment_ids:
                row = self._row(
                    "DELETE FROM segment WHERE id = ? RETURNING run_id, camera_id, start_us, end_us",
                    (segment_id,),
                )
                if row is not None:
                    runs.add(row[0])
                    self._forget_motion(*row[1:])
            for run_id in runs:
                self._forget_empty_runs("id = ?", (run_id,))
            self._purge_removed_cameras()

    def _forget_motion(self, camera_id: int, start_us: int, end_us: int) -> None:
        """Inside a transaction: stored motion around a stretch, as far as no footage is left that it is about."""
        blocks = self._rows(
            "SELECT start_us, end_us FROM motion_block"
            " WHERE camera_id = ? AND start_us >= ? AND start_us < ? AND end_us >= ?",
            (camera_id, start_us - BLOCK_LIMIT_US, end_us, start_us),
        )
        for first_us, last_us in blocks:
            if not self._row(
                "SELECT 1 FROM segment WHERE camera_id = ? AND start_us >= ? AND start_us < ? AND end_us > ?"
                " AND state < 2 LIMIT 1",
                (camera_id, *self._reach(camera_id, first_us, last_us + 1)),
            ):
                self._run(
                    "DELETE FROM motion_block WHERE camera_id = ? AND start_us = ?", (camera_id, first_us)
                )

    # -- locks -----------------------------------------------------------------------------------------------

    def add_lock(
        self,
        *,
        camera_id: int,
        start_us: int,
        end_us: int,
        created_us: int,
        reason: str = "",
        created_by: str = "",
        expires_us: int | None = None,
    ) -> Lock:
        """Protect a stretch, which may reach into the future. Footage already being deleted is not brought back."""
        with self.transaction():
            return self._put_lock(
                camera_id=camera_id,
                start_us=start_us,
                end_us=end_us,
                reason=reason,
                created_us=created_us,
                created_by=created_by,
                expires_us=expires_us,
            )

    def _put_lock(
        self,
        *,
        camera_id: int,
        start_us: int,
        end_us: int,
        created_us: int,
        reason: str,
        created_by: str,
        expires_us: int | None,
    ) -> Lock:
        """Inside a transaction: `add_lock`."""
        if not 0 < start_us < end_us:
            raise InvalidInput("a lock ends after it begins")
        if expires_us is not None and expires_us <= created_us:
            raise InvalidInput("a lock expires in the future")
        row = self._row(
            "INSERT INTO footage_lock (camera_id, start_us, end_us, reason, created_us, created_by, expires_us)"
            f" VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING {_LOCK_COLUMNS}",
            (camera_id, start_us, end_us, reason, created_us, created_by, expires_us),
        )
        assert row is not None
        self._count_lock(camera_id, start_us, end_us, 1)
        return Lock(**dict(zip(Lock.__struct_fields__, row, strict=True)))

    def _move_lock(self, lock_id: int, start_us: int, end_us: int, expires_us: int | None) -> None:
        """Inside a transaction: the same lock, of another stretch of its camera, for another time."""
        row = self._row("SELECT camera_id, start_us, end_us FROM footage_lock WHERE id = ?", (lock_id,))
        assert row is not None, "a lock is only moved by what holds it"
        self._count_lock(row[0], row[1], row[2], -1)
        self._run(
            "UPDATE footage_lock SET start_us = ?, end_us = ?, expires_us = ? WHERE id = ?",
            (start_us, end_us, expires_us, lock_id),
        )
        self._count_lock(row[0], start_us, end_us, 1)

    def locks(
        self, camera_ids: Iterable[int] | None = None, start_us: int | None = None, end_us: int | None = None
    ) -> list[Lock]:
        """Locks that reach into [start_us, end_us), of these cameras; None = no restriction. In order of start."""
        found: list[Lock] = []
        ids = [row[0] for row in self._rows("SELECT id FROM camera")] if camera_ids is None else camera_ids
        for camera_id in ids:
            rows = self._rows(
                f"SELECT {_LOCK_COLUMNS} FROM footage_lock WHERE camera_id = ? AND end_us > ? AND start_us < ?",
                (
                    camera_id,
                    0 if start_us is None else start_us,
                    (1 << 62) if end_us is None else end_us,
                ),
            )
            found.extend(Lock(**dict(zip(Lock.__struct_fields__, row, strict=True))) for row in rows)
        return sorted(found, key=lambda lock: (lock.start_us, lock.id))

    def remove_lock(self, lock_id: int) -> None:
        """Raises NotFound."""
        with self.transaction():
            if not self._drop_lock(lock_id):
                raise NotFound(f"no lock {lock_id}", "`watchdeck recording locks` shows all")

    def expire_locks(self, now_us: int) -> int:
        """Drop the locks whose time is over: how many. Called before each retention step."""
        if self._row("SELECT 1 FROM footage_lock WHERE expires_us <= ? LIMIT 1", (now_us,)) is None:
            return 0
        with self.transaction():
            over = self._rows("SELECT id FROM footage_lock WHERE expires_us <= ?", (now_us,))
            return sum(self._drop_lock(row[0]) for row in over)

    def _drop_lock(self, lock_id: int) -> bool:
        row = self._row(
            "DELETE FROM footage_lock WHERE id = ? RETURNING camera_id, start_us, end_us", (lock_id,)
        )
        if row is None:
            return False
        camera_id, start_us, end_us = row
        self._count_lock(camera_id, start_us, end_us, -1)
        return True

    def _count_lock(self, camera_id: int, start_us: int, end_us: int, step: int) -> None:
        """Every closed segment that the lock overlaps counts it; `_close_segment` counts by the same rule."""
        self._run(
            "UPDATE segment SET lock_count = lock_count + ?"
            " WHERE camera_id = ? AND start_us >= ? AND start_us < ? AND end_us > ? AND state < 2 AND state = 1",
            (step, camera_id, *self._reach(camera_id, start_us, end_us)),
        )
