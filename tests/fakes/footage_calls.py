"""Searches, bookmarks and cases of the scripted engine, under the client's names. The station keeps what consoles did."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from engine.wire_bookmarks import (
    BOOKMARK_S,
    BookmarkAdd,
    BookmarkEdit,
    BookmarkPage,
    BookmarkQuery,
    BookmarkView,
)
from engine.wire_evidence import CaseAdd, CaseItemAdd, CaseItemView, CaseView
from engine.wire_search import ActivityView, MotionHit, MotionSearch, MotionSearchView, SearchState
from storage.errors import NotFound
from storage.units import US_PER_DAY, US_PER_SECOND

if TYPE_CHECKING:
    from tests.fakes.engine import FakeEngine


@dataclass
class FakeFootage:
    """What is kept: tests look into it and change it."""

    bookmarks: list[BookmarkView] = field(default_factory=list)
    cases: list[CaseView] = field(default_factory=list)
    searches: dict[str, MotionSearchView] = field(default_factory=dict)
    hits: tuple[MotionHit, ...] = ()
    """Of every search."""
    search_gate: asyncio.Event | None = None
    """None = a search is whole at once; else it runs until this is set."""
    search_trouble: str = ""
    """Then it fails."""


def scripted_bookmarks(number: int, now_us: int) -> list[BookmarkView]:
    """An hour apart, of two cameras in turn; the third is invalid, the fourth's time is over, the fifth is kept for ever."""
    bookmarks = []
    for index in range(number):
        start_us = now_us - (index + 1) * 3_600 * US_PER_SECOND
        bookmarks.append(
            BookmarkView(
                id=number - index,
                camera="driveway" if index % 2 == 0 else "garden",
                start_us=start_us,
                end_us=start_us + BOOKMARK_S * US_PER_SECOND,
                name=("white van", "fox", "courier", "")[index % 4],
                note="number plate in the next minute" if index == 0 else "",
                created_us=start_us + 600 * US_PER_SECOND,
                created_by="operator",
                is_valid=index != 2,
                is_protected=index not in (2, 3),
                expires_us=None if index == 4 else now_us + (20 - index % 40) * US_PER_DAY,
            )
        )
    return bookmarks


class FakeFootageCalls:
    """Mixed into FakeEngineClient."""

    if TYPE_CHECKING:
        _engine: FakeEngine

        def _called(self, name: str, argument: object = None) -> None: ...

    @property
    def _footage(self) -> FakeFootage:
        return self._engine.footage

    async def activity(self, camera: str, start_us: int, end_us: int, bins: int) -> ActivityView:
        self._called("activity", (camera, start_us, end_us, bins))
        values = tuple(-1 if index % 7 == 6 else index * 100 // bins for index in range(bins))
        return ActivityView(
            camera=camera, start_us=start_us, end_us=end_us, bins=values, seen=tuple(v >= 0 for v in values)
        )

    # -- motion ------------------------------------------------------------------------------------------

    async def search_motion(self, search: MotionSearch) -> MotionSearchView:
        self._called("search_motion", search)
        footage = self._footage
        is_whole = footage.search_gate is None
        view = MotionSearchView(
            id=f"search-{len(footage.searches) + 1}",
            camera=search.camera,
            start_us=search.start_us,
            end_us=search.end_us,
            state=SearchState.DONE if is_whole else SearchState.RUNNING,
            progress=1.0 if is_whole else 0.25,
            hits=footage.hits if is_whole else footage.hits[:1],
            stored_looks=3_600,
        )
        footage.searches[view.id] = view
        return view

    async def motion_search(self, id: str, *, wait_ms: int = 0) -> MotionSearchView:
        self._called("motion_search", id)
        footage = self._footage
        if (view := footage.searches.get(id)) is None:
            raise NotFound(f"no motion search {id!r}", "begin it again")
        if view.state is SearchState.RUNNING and footage.search_gate is not None:
            await footage.search_gate.wait()
            view = footage.searches[id] = msgspec.structs.replace(
                view,
                state=SearchState.FAILED if footage.search_trouble else SearchState.DONE,
                progress=1.0,
                hits=footage.hits,
                trouble=footage.search_trouble,
            )
        return view

    async def cancel_motion_search(self, id: str) -> None:
        self._called("cancel_motion_search", id)
        view = self._footage.searches[id]
        self._footage.searches[id] = msgspec.structs.replace(view, state=SearchState.CANCELLED)

    # -- bookmarks ---------------------------------------------------------------------------------------

    async def bookmarks(self, query: BookmarkQuery) -> BookmarkPage:
        self._called("bookmarks", query)
        words = query.text.casefold().split()
        found = [
            each
            for each in sorted(self._footage.bookmarks, key=lambda each: -each.start_us)
            if query.camera.casefold() in each.camera.casefold()
            and all(word in f"{each.name} {each.note} {each.created_by}".casefold() for word in words)
            and (query.start_us is None or each.end_us > query.start_us)
            and (query.end_us is None or each.start_us < query.end_us)
            and (query.made_start_us is None or each.created_us >= query.made_start_us)
            and (query.made_end_us is None or each.created_us < query.made_end_us)
        ]
        first = int(query.before or 0)
        page = found[first : first + query.limit]
        is_more = first + len(page) < len(found)
        return BookmarkPage(bookmarks=tuple(page), resume=str(first + len(page)) if is_more else "")

    def _bookmark(self, id: int) -> BookmarkView:
        for each in self._footage.bookmarks:
            if each.id == id:
                return each
        raise NotFound(f"no bookmark {id}", "`watchdeck bookmark list` shows them")

    async def bookmark(self, id: int) -> BookmarkView:
        self._called("bookmark", id)
        return self._bookmark(id)

    async def add_bookmark(self, bookmark: BookmarkAdd) -> BookmarkView:
        self._called("add_bookmark", bookmark)
        footage = self._footage
        view = BookmarkView(
            id=max((each.id for each in footage.bookmarks), default=0) + 1,
            camera=bookmark.camera,
            start_us=bookmark.start_us,
            end_us=bookmark.end_us or bookmark.start_us + BOOKMARK_S * US_PER_SECOND,
            name=bookmark.name,
            note=bookmark.note,
            created_us=self._engine.clock.now_us(),
            created_by="operator",
        )
        footage.bookmarks.append(view)
        return view

    async def edit_bookmark(self, id: int, changes: BookmarkEdit) -> BookmarkView:
        self._called("edit_bookmark", (id, changes))
        before = self._bookmark(id)
        given = {name: value for name, value in msgspec.structs.asdict(changes).items() if value is not None}
        days = given.pop("keep_days", None)
        if days is not None:
            given["expires_us"] = self._engine.clock.now_us() + days * US_PER_DAY if days else None
        after = msgspec.structs.replace(before, **given)
        footage = self._footage
        footage.bookmarks = [after if each.id == id else each for each in footage.bookmarks]
        return after

    async def remove_bookmark(self, id: int) -> None:
        self._called("remove_bookmark", id)
        gone = self._bookmark(id)
        self._footage.bookmarks.remove(gone)

    # -- cases -------------------------------------------------------------------------------------------

    async def cases(self) -> tuple[CaseView, ...]:
        self._called("cases")
        return tuple(self._footage.cases)

    async def add_case(self, case: CaseAdd) -> CaseView:
        self._called("add_case", case)
        view = CaseView(id=len(self._footage.cases) + 1, name=case.name, comment=case.comment)
        self._footage.cases.append(view)
        return view

    async def add_case_item(self, ref: str, item: CaseItemAdd) -> CaseView:
        self._called("add_case_item", (ref, item))
        cases = self._footage.cases
        index = next(index for index, case in enumerate(cases) if ref in (str(case.id), case.name))
        view = CaseItemView(
            id=len(cases[index].items) + 1, camera=item.camera, start_us=item.start_us, end_us=item.end_us
        )
        cases[index] = msgspec.structs.replace(cases[index], items=(*cases[index].items, view))
        return cases[index]
