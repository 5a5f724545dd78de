"""Bookmarks: moments somebody, or an alarm rule, wanted kept, and the locks that keep them. Manual rows BM, rule 1, Q-14.

A bookmark and its lock come, move and go in one transaction. The row outlives its protection (the lock expired, or was taken
away) and its video (recycled after that, or on a volume that is gone: "Invalid"); only a person removes it.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

import msgspec

from storage.catalog.recycling import RecyclingRows
from storage.catalog.words import row_condition, words
from storage.errors import InvalidInput, NotFound
from storage.units import US_PER_DAY, US_PER_SECOND

LENGTH_LIMIT_US = US_PER_DAY
UNWRITTEN_US = 60 * US_PER_SECOND
"""What was filmed so shortly ago may not be in the catalog yet: no reason to call it gone."""
CAMERAS_ONE_BY_ONE = 16
"""So many cameras are read each from its own index; of more, the newest of all are looked through."""
_REASON_LIMIT = 200
_NAME_LIMIT, _NOTE_LIMIT = 200, 4_000

_SELECT = (
    "SELECT b.id, b.camera_id, c.name, b.start_us, b.end_us, b.name, b.note, b.created_us, b.created_by,"
    " l.id, l.expires_us FROM bookmark AS b {indexed}"
    " CROSS JOIN camera AS c ON c.id = b.camera_id LEFT JOIN footage_lock AS l ON l.id = b.lock_id"
)


class BookmarkRow(msgspec.Struct, frozen=True, kw_only=True):
    """One bookmark, as it stands."""

    id: int
    camera_id: int
    camera: str
    start_us: int
    end_us: int
    name: str
    note: str
    created_us: int
    created_by: str
    is_protected: bool
    expires_us: int | None
    """Of the protection; None with `is_protected`: never."""
    is_valid: bool
    """Some of its video is there, or was filmed less than UNWRITTEN_US ago."""


class BookmarkFilter(msgspec.Struct, frozen=True, kw_only=True):
    """All conditions hold."""

    camera: str = ""
    """Part of the name, whatever the case."""
    text: str = ""
    """Words, each of which is in name, note or maker."""
    start_us: int | None = None
    end_us: int | None = None
    """Those that reach into [start_us, end_us)."""
    made_start_us: int | None = None
    made_end_us: int | None = None


class BookmarkRows(RecyclingRows):
    """Table `bookmark`."""

    def add_bookmark(
        self,
        *,
        camera_id: int,
        start_us: int,
        end_us: int,
        now_us: int,
        name: str = "",
        note: str = "",
        created_by: str = "",
        keep_days: int | None = None,
        latest_us: int | None = None,
        once: bool = False,
    ) -> BookmarkRow:
        """Keep a stretch: `keep_days` from now on, None = for ever. Raises InvalidInput, also when it ends after `latest_us`.

        `once`: another try of the same bookmark finds that of the first.
        """
        _check(start_us, end_us, latest_us, name, note)
        with self.transaction():
            known = (
                self._row(
                    "SELECT id FROM bookmark WHERE camera_id = ? AND start_us = ? AND end_us = ?"
                    " AND name = ? AND note = ? AND created_by = ?",
                    (camera_id, start_us, end_us, name, note, created_by),
                )
                if once
                else None
            )
            if known is None:
                lock = self._put_lock(
                    camera_id=camera_id,
                    start_us=start_us,
                    end_us=end_us,
                    reason=_reason(name, note),
                    created_us=now_us,
                    created_by=created_by,
                    expires_us=_expiry(keep_days, now_us),
                )
                known = self._row(
                    "INSERT INTO bookmark (camera_id, start_us, end_us, name, note, created_us, created_by, lock_id)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                    (camera_id, start_us, end_us, name, note, now_us, created_by, lock.id),
                )
        assert known is not None
        return self.bookmark(known[0], now_us=now_us)

    def edit_bookmark(
        self,
        id: int,
        *,
        now_us: int,
        actor: str = "",
        name: str | None = None,
        note: str | None = None,
        start_us: int | None = None,
        end_us: int | None = None,
        keep_days: int | None = None,
        latest_us: int | None = None,
    ) -> BookmarkRow:
        """Change what is given; its lock follows. Raises NotFound, and as `add_bookmark`.

        `keep_days` counts from now, 0 = for ever; given for one that is no longer protected, it is protected again.
        """
        with self.transaction():
            known = self._bookmark(id, now_us)
            start_us = known.start_us if start_us is None else start_us
            end_us = known.end_us if end_us is None else end_us
            name = known.name if name is None else name
            note = known.note if note is None else note
            _check(start_us, end_us, latest_us, name, note)
            self._run(
                "UPDATE bookmark SET start_us = ?, end_us = ?, name = ?, note = ? WHERE id = ?",
                (start_us, end_us, name, note, id),
            )
            expires_us = known.expires_us if keep_days is None else _expiry(keep_days or None, now_us)
            lock = self._row("SELECT lock_id FROM bookmark WHERE id = ? AND lock_id IS NOT NULL", (id,))
            if lock is not None:
                self._move_lock(lock[0], start_us, end_us, expires_us)
                self._run("UPDATE footage_lock SET reason = ? WHERE id = ?", (_reason(name, note), lock[0]))
            elif keep_days is not None:
                new = self._put_lock(
                    camera_id=known.camera_id,
                    start_us=start_us,
                    end_us=end_us,
                    reason=_reason(name, note),
                    created_us=now_us,
                    created_by=actor,
                    expires_us=expires_us,
                )
                self._run("UPDATE bookmark SET lock_id = ? WHERE id = ?", (new.id, id))
        return self.bookmark(id, now_us=now_us)

    def remove_bookmark(self, id: int, *, now_us: int) -> BookmarkRow:
        """With its lock; returns what it was. Raises NotFound."""
        with self.transaction():
            known = self._bookmark(id, now_us)
            lock = self._row("DELETE FROM bookmark WHERE id = ? RETURNING lock_id", (id,))
            if lock is not None and lock[0] is not None:
                self._drop_lock(lock[0])
            self._purge_removed_cameras()
        return known

    def prune_bookmarks(self, before_us: int, created_by: str, step: int = 1_000) -> int:
        """Drop at most `step` of those of one maker, from footage of before `before_us`, of which nothing is left: no lock, no video.

        Video on a volume that was removed is left: it comes back with its volume. Returns how many went.
        """
        with self.transaction():
            gone = self._run(
                "DELETE FROM bookmark WHERE id IN ("
                "SELECT b.id FROM bookmark AS b INDEXED BY bookmark_by_start CROSS JOIN camera AS c ON c.id = b.camera_id"
                " WHERE b.start_us < ?1 AND b.lock_id IS NULL AND b.created_by = ?2 AND NOT EXISTS ("
                "SELECT 1 FROM segment AS s WHERE s.camera_id = b.camera_id AND s.start_us >= b.start_us - c.longest_segment_us"
                " AND s.start_us < b.end_us AND s.end_us > b.start_us AND s.state < 2) LIMIT ?3)",
                (before_us, created_by, step),
            )
            if gone:
                self._purge_removed_cameras()
        return gone

    def bookmark(self, id: int, *, now_us: int) -> BookmarkRow:
        """Raises NotFound."""
        with self._snapshot():
            return self._bookmark(id, now_us)

    def bookmarks(
        self, filter: BookmarkFilter, *, now_us: int, before: tuple[int, int] | None = None, limit: int = 200
    ) -> list[BookmarkRow]:
        """Newest footage first: by start, then id, both falling; `before`: those behind that (start, id)."""
        with self._snapshot():
            return [self._row_of(row, now_us) for row in self._found(filter, before, limit)]

    def _found(
        self, filter: BookmarkFilter, before: tuple[int, int] | None, limit: int
    ) -> list[tuple[Any, ...]]:
        conditions, values = _conditions(filter, before)
        if not filter.camera.strip():
            return self._newest("bookmark_by_start", conditions, values, limit)
        wanted = filter.camera.strip().casefold()
        cameras = [each.id for each in self.cameras(with_removed=True) if wanted in each.name.casefold()]
        if len(cameras) > CAMERAS_ONE_BY_ONE:
            conditions.append(f"b.camera_id IN ({', '.join(map(str, cameras))})")
            return self._newest("bookmark_by_start", conditions, values, limit)
        of_each = [
            self._newest("bookmark_by_camera", [*conditions, "b.camera_id = ?"], [*values, camera_id], limit)
            for camera_id in cameras
        ]
        return list(heapq.merge(*of_each, key=lambda row: (-row[3], -row[0])))[:limit]

    def _newest(
        self, index: str, conditions: Sequence[str], values: Sequence[Any], limit: int
    ) -> list[tuple[Any, ...]]:
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return self._rows(
            f"{_SELECT.format(indexed=f'INDEXED BY {index}')}{where} ORDER BY b.start_us DESC, b.id DESC LIMIT ?",
            (*values, limit),
        )

    def _bookmark(self, id: int, now_us: int) -> BookmarkRow:
        row = self._row(f"{_SELECT.format(indexed='')} WHERE b.id = ?", (id,))
        if row is None:
            raise NotFound(f"no bookmark {id}", "`watchdeck bookmark list` shows all")
        return self._row_of(row, now_us)

    def _row_of(self, row: tuple[Any, ...], now_us: int) -> BookmarkRow:
        expires_us = row[10]
        return BookmarkRow(
            **dict(zip(BookmarkRow.__struct_fields__, row[:9], strict=False)),
            is_protected=row[9] is not None and (expires_us is None or expires_us > now_us),
            expires_us=expires_us,
            is_valid=row[4] > now_us - UNWRITTEN_US or self._has_footage(row[1], row[3], row[4]),
        )

    def _has_footage(self, camera_id: int, start_us: int, end_us: int) -> bool:
        row = self._row(
            "SELECT 1 FROM segment WHERE camera_id = ? AND start_us >= ? AND start_us < ?"
            f" AND end_us > max(?, start_us) AND state < 2{self._hidden_volumes()} LIMIT 1",
            (camera_id, *self._reach(camera_id, start_us, end_us)),
        )
        return row is not None


def _conditions(filter: BookmarkFilter, before: tuple[int, int] | None) -> tuple[list[str], list[int | str]]:
    conditions: list[str] = []
    values: list[int | str] = []

    def require(condition: str, *needed: int | str) -> None:
        conditions.append(condition)
        values.extend(needed)

    if before is not None:
        require("(b.start_us, b.id) < (?, ?)", *before)
    if filter.start_us is not None:
        # None is longer than the limit, so that the index bounds the search from below, too.
        require("b.start_us > ? AND b.end_us > ?", filter.start_us - LENGTH_LIMIT_US, filter.start_us)
    if filter.end_us is not None:
        require("b.start_us < ?", filter.end_us)
    if filter.made_start_us is not None:
        require("b.created_us >= ?", filter.made_start_us)
    if filter.made_end_us is not None:
        require("b.created_us < ?", filter.made_end_us)
    for word in words(filter.text):
        condition, patterns = row_condition(word, ("b.name", "b.note", "b.created_by"))
        require(condition, *patterns)
    return conditions, values


def _check(start_us: int, end_us: int, latest_us: int | None, name: str, note: str) -> None:
    if not 0 < start_us < end_us:
        raise InvalidInput("a bookmark ends after it begins", "exchange the two times")
    if end_us - start_us > LENGTH_LIMIT_US:
        raise InvalidInput("a bookmark is at most 24 hours long", "make several, or lock the stretch")
    if latest_us is not None and end_us > latest_us:
        raise InvalidInput("the bookmark ends too far in the future", "give an earlier end")
    if len(name) > _NAME_LIMIT or len(note) > _NOTE_LIMIT:
        raise InvalidInput(f"a name has at most {_NAME_LIMIT} characters, a note {_NOTE_LIMIT}", "shorten it")


def _expiry(keep_days: int | None, now_us: int) -> int | None:
    return None if keep_days is None else now_us + keep_days * US_PER_DAY


def _reason(name: str, note: str) -> str:
    """Of the lock, as `watchdeck recording locks` shows it."""
    return ": ".join(part for part in (name or "bookmark", note) if part)[:_REASON_LIMIT]
