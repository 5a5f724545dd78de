"""Cases: stretches of footage to be handed over together, each locked from recycling while it is in one. Manual rows RS, rule 24.

A lock may be released by hand all the same, and footage may be lost with a volume: what is left is then said by `is_valid`.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from storage.catalog.names import as_number, checked_name
from storage.catalog.recycling import RecyclingRows
from storage.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from storage.units import US_PER_DAY

CASE_LIMIT = 1_000
ITEM_LIMIT = 500
"""Of one case."""
LONGEST_US = US_PER_DAY
"""Of one item: as long as one file of an export may be."""
COMMENT_LENGTH = 4_000

_CASE = "id, name, comment, created_us, created_by"
_ITEM = "i.id, i.case_id, c.name, c.uuid, i.camera_id, i.start_us, i.end_us, i.comment, i.added_us, i.added_by, i.lock_id"


class CaseItemRow(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch of a case."""

    id: int
    case_id: int
    camera: str
    camera_uuid: UUID
    camera_id: int
    start_us: int
    end_us: int
    comment: str
    added_us: int
    added_by: str
    lock_id: int | None
    is_valid: bool = True
    """Some of its footage is there."""


class CaseRow(msgspec.Struct, frozen=True, kw_only=True):
    """A case with its items in their order."""

    id: int
    name: str
    comment: str
    created_us: int
    created_by: str
    items: tuple[CaseItemRow, ...] = ()


class CaseRows(RecyclingRows):
    """Tables `evidence_case` and `case_item`, with the locks of the latter."""

    def cases(self) -> list[CaseRow]:
        """Newest first."""
        rows = self._rows(f"SELECT {_CASE} FROM evidence_case ORDER BY created_us DESC, id DESC")
        return [self._case(row) for row in rows]

    def case(self, ref: str | int) -> CaseRow:
        """By number, else name: some of an earlier version are called like the number of another. Raises NotFound."""
        row = None
        number = as_number(ref) if isinstance(ref, str) else ref
        if number is not None:
            row = self._row(f"SELECT {_CASE} FROM evidence_case WHERE id = ?", (number,))
        if row is None and isinstance(ref, str):
            row = self._row(f"SELECT {_CASE} FROM evidence_case WHERE name = ?", (ref.strip(),))
        if row is None:
            raise NotFound(f"no case {ref!r}", "`watchdeck case list` shows all")
        return self._case(row)

    def add_case(self, *, name: str, comment: str = "", created_us: int, created_by: str = "") -> CaseRow:
        """Raises AlreadyExists, InvalidInput, Conflict (too many)."""
        checked, comment = checked_name(name, "case"), _checked_comment(comment)
        with self.transaction():
            self._check_free(checked, except_id=0)
            count = self._row("SELECT count(*) FROM evidence_case")
            if count is not None and count[0] >= CASE_LIMIT:
                raise Conflict(f"there are {CASE_LIMIT} cases", "remove one that is closed")
            row = self._row(
                "INSERT INTO evidence_case (name, comment, created_us, created_by) VALUES (?, ?, ?, ?)"
                f" RETURNING {_CASE}",
                (checked, comment, created_us, created_by),
            )
        assert row is not None
        return self._case(row)

    def edit_case(
        self,
        id: int,
        *,
        name: str | None = None,
        comment: str | None = None,
        order: tuple[int, ...] | None = None,
    ) -> CaseRow:
        """Change what is given; locks of its items follow a new name. Raises NotFound, AlreadyExists, InvalidInput."""
        checked = None if name is None else checked_name(name, "case")
        comment = None if comment is None else _checked_comment(comment)
        with self.transaction():
            if checked is not None:
                self._check_free(checked, except_id=id)
            changed = self._run(
                "UPDATE evidence_case SET name = coalesce(?, name), comment = coalesce(?, comment) WHERE id = ?",
                (checked, comment, id),
            )
            if not changed:
                raise NotFound(f"no case {id}", "`watchdeck case list` shows all")
            if checked is not None:
                self._run(
                    "UPDATE footage_lock SET reason = ? WHERE id IN (SELECT lock_id FROM case_item WHERE case_id = ?)",
                    (_reason(checked), id),
                )
            if order is not None:
                self._reorder(id, order)
        return self.case(id)

    def remove_case(self, id: int) -> CaseRow:
        """With its items and their locks; returns what it was. Raises NotFound."""
        gone = self.case(id)
        with self.transaction():
            for item in gone.items:
                self._release(item.lock_id)
            self._run("DELETE FROM case_item WHERE case_id = ?", (id,))
            self._run("DELETE FROM evidence_case WHERE id = ?", (id,))
            self._purge_removed_cameras()
        return gone

    def add_case_item(
        self,
        case_id: int,
        *,
        camera_id: int,
        start_us: int,
        end_us: int,
        comment: str = "",
        added_us: int,
        added_by: str = "",
    ) -> CaseRow:
        """At the end of the case. Raises NotFound, InvalidInput, Conflict (too many)."""
        _check_stretch(start_us, end_us)
        comment = _checked_comment(comment)
        case = self.case(case_id)
        if len(case.items) >= ITEM_LIMIT:
            raise Conflict(f"the case {case.name} has {ITEM_LIMIT} items", "begin another case")
        with self.transaction():
            lock_id = self._lock(case.name, camera_id, start_us, end_us, added_us, added_by)
            self._run(
                "INSERT INTO case_item"
                " (case_id, place, camera_id, start_us, end_us, comment, added_us, added_by, lock_id)"
                " VALUES (?1, (SELECT coalesce(max(place) + 1, 0) FROM case_item WHERE case_id = ?1),"
                " ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                (case_id, camera_id, start_us, end_us, comment, added_us, added_by, lock_id),
            )
        return self.case(case_id)

    def edit_case_item(
        self,
        case_id: int,
        item_id: int,
        *,
        start_us: int | None = None,
        end_us: int | None = None,
        comment: str | None = None,
        edited_us: int,
        edited_by: str = "",
    ) -> CaseRow:
        """Change what is given; another stretch is locked anew. Raises NotFound, InvalidInput."""
        case, item = self._item_of(case_id, item_id)
        start_us = item.start_us if start_us is None else start_us
        end_us = item.end_us if end_us is None else end_us
        _check_stretch(start_us, end_us)
        comment = item.comment if comment is None else _checked_comment(comment)
        with self.transaction():
            lock_id = item.lock_id
            if (start_us, end_us) != (item.start_us, item.end_us):
                # The new lock first: nothing in both stretches is free for a moment.
                lock_id = self._lock(case.name, item.camera_id, start_us, end_us, edited_us, edited_by)
                self._release(item.lock_id)
            self._run(
                "UPDATE case_item SET start_us = ?, end_us = ?, comment = ?, lock_id = ? WHERE id = ?",
                (start_us, end_us, comment, lock_id, item_id),
            )
        return self.case(case_id)

    def remove_case_item(self, case_id: int, item_id: int) -> CaseRow:
        """Its footage may be recycled again, unless another lock holds it. Raises NotFound."""
        _, item = self._item_of(case_id, item_id)
        with self.transaction():
            self._release(item.lock_id)
            self._run("DELETE FROM case_item WHERE id = ?", (item_id,))
            self._purge_removed_cameras()
        return self.case(case_id)

    # -- inside ------------------------------------------------------------------------------------------

    def _case(self, row: tuple[Any, ...]) -> CaseRow:
        items = self._rows(
            f"SELECT {_ITEM} FROM case_item AS i JOIN camera AS c ON c.id = i.camera_id"
            " WHERE i.case_id = ? ORDER BY i.place, i.id",
            (row[0],),
        )
        return CaseRow(
            id=row[0],
            name=row[1],
            comment=row[2],
            created_us=row[3],
            created_by=row[4],
            items=tuple(self._item(item) for item in items),
        )

    def _item(self, row: tuple[Any, ...]) -> CaseItemRow:
        id, case_id, camera, uuid, camera_id, start_us, end_us, comment, added_us, added_by, lock_id = row
        return CaseItemRow(
            id=id,
            case_id=case_id,
            camera=camera,
            camera_uuid=UUID(bytes=uuid),
            camera_id=camera_id,
            start_us=start_us,
            end_us=end_us,
            comment=comment,
            added_us=added_us,
            added_by=added_by,
            lock_id=lock_id,
            is_valid=self._is_recorded(camera_id, start_us, end_us),
        )

    def _is_recorded(self, camera_id: int, start_us: int, end_us: int) -> bool:
        """Footage reaches into the stretch; of a file being written the row grows a little behind it."""
        row = self._row(
            "SELECT 1 FROM segment WHERE camera_id = ? AND start_us >= ? AND start_us < ?"
            f" AND (end_us > max(?, start_us) OR state = 0) AND state < 2{self._hidden_volumes()} LIMIT 1",
            (camera_id, *self._reach(camera_id, start_us, end_us)),
        )
        return row is not None

    def _item_of(self, case_id: int, item_id: int) -> tuple[CaseRow, CaseItemRow]:
        case = self.case(case_id)
        for item in case.items:
            if item.id == item_id:
                return case, item
        raise NotFound(f"the case {case.name} has no item {item_id}", "`watchdeck case show` lists them")

    def _lock(
        self, case: str, camera_id: int, start_us: int, end_us: int, created_us: int, created_by: str
    ) -> int:
        """Inside a transaction: a new lock for an item."""
        row = self._row(
            "INSERT INTO footage_lock (camera_id, start_us, end_us, reason, created_us, created_by)"
            " VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
            (camera_id, start_us, end_us, _reason(case), created_us, created_by),
        )
        assert row is not None
        self._count_lock(camera_id, start_us, end_us, 1)
        return int(row[0])

    def _release(self, lock_id: int | None) -> None:
        """Inside a transaction; one that was released by hand is gone already."""
        if lock_id is not None:
            self._drop_lock(lock_id)

    def _reorder(self, case_id: int, order: tuple[int, ...]) -> None:
        ids = [
            row[0] for row in self._rows("SELECT id FROM case_item WHERE case_id = ? ORDER BY id", (case_id,))
        ]
        if sorted(order) != ids:
            raise InvalidInput("an order names each item of the case once", "look at the case again")
        for place, item_id in enumerate(order):
            self._run("UPDATE case_item SET place = ? WHERE id = ?", (place, item_id))

    def _check_free(self, name: str, *, except_id: int) -> None:
        is_its_own = self._row("SELECT 1 FROM evidence_case WHERE name = ? AND id = ?", (name, except_id))
        if as_number(name) is not None and not is_its_own:
            raise InvalidInput(f"{name} is no name for a case: it reads as the number of one", "add a word")
        if self._row("SELECT 1 FROM evidence_case WHERE name = ? AND id <> ?", (name, except_id)):
            raise AlreadyExists(f"a case is called {name!r} already", "choose another name")


def _reason(case: str) -> str:
    return f"case {case}"


def _checked_comment(comment: str) -> str:
    if len(comment) > COMMENT_LENGTH:
        raise InvalidInput(f"the comment is longer than {COMMENT_LENGTH} characters", "shorten it")
    return comment


def _check_stretch(start_us: int, end_us: int) -> None:
    if not 0 < start_us < end_us:
        raise InvalidInput("the stretch of time ends at or before its start", "exchange the two times")
    if end_us - start_us > LONGEST_US:
        raise InvalidInput("an item of a case holds at most 24 hours", "add the stretch as several items")
