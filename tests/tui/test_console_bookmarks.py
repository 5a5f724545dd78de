"""Bookmarks, as an operator uses them: rows BM-01 to BM-08, HK-21, HK-22."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs
from textual.pilot import Pilot

from engine.wire_bookmarks import BookmarkEdit, BookmarkQuery
from tests.fakes.engine import SCRIPT_NOW_US, FakeEngine
from tests.fakes.footage_calls import scripted_bookmarks
from tests.tui.desk_for import app_for, screen_text, shows, until
from tui.app import WatchdeckApp
from tui.commands import Scope
from tui.screens.bookmarks import PAGE_BOOKMARKS, BookmarksView
from tui.thumbnail_plan import HOUR_US, SECOND_US

SIZE = (80, 24)


def engine_with(number: int) -> FakeEngine:
    engine = FakeEngine()
    engine.footage.bookmarks = scripted_bookmarks(number, SCRIPT_NOW_US)
    return engine


def called(engine: FakeEngine, name: str) -> list[object]:
    return [argument for each, argument in engine.calls if each == name]


def queries(engine: FakeEngine) -> list[BookmarkQuery]:
    return [each for each in called(engine, "bookmarks") if isinstance(each, BookmarkQuery)]


def view_of(app: WatchdeckApp) -> BookmarksView:
    return app.screen_stack[0].query_one(BookmarksView)


async def opened(pilot: Pilot[object]) -> None:
    await shows(pilot, "5 of 8")
    await pilot.press("colon", *"bookmarks", "enter")
    await shows(pilot, "Bookmarks  ")


async def test_status_is_told_in_words_and_by_a_sign(tmp_path: Path) -> None:
    app = app_for(engine_with(6), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        text = await shows(pilot, "+ Valid", "x Invalid", "! Not kept", "for ever", "white van")
        assert text.index("13:03:20") < text.index("12:03:20")  # newest footage first
        await shows(pilot, "kept until 2026-03-24", "by operator", "number plate in the next minute")
        await pilot.press("j", "j")
        await shows(pilot, "its video is gone")
        await pilot.press("j")
        await shows(pilot, "its time is over: may be recycled")
        await pilot.press("j")
        await shows(pilot, "kept for ever")


async def test_it_plays_and_left_and_right_go_to_the_neighbours_that_are_valid(tmp_path: Path) -> None:
    app = app_for(engine_with(5), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("enter")
        await shows(pilot, "white van  1 of 5", "of 10.0 s", "2026-03-04 13:03:2")
        await pilot.press("left")
        await shows(pilot, "that was the first bookmark")
        await pilot.press("right")
        await shows(pilot, "fox  2 of 5")
        await pilot.press("right")
        await shows(pilot, "4 of 5")  # the third is invalid
        await pilot.press("escape")
        await until(pilot, lambda: view_of(app).rows.has_focus)
        assert view_of(app).rows.cursor == 3
        await pilot.press("k", "enter")
        await shows(pilot, "Invalid: the video of this bookmark is gone")
        assert not view_of(app).player.is_open


async def test_pictures_and_list_have_one_cursor_and_the_same_marks(tmp_path: Path) -> None:
    app = app_for(engine_with(8), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("j", "space", "v")
        await shows(pilot, "▀▀▀▀▀", "1 marked", "Invalid, the")
        grid = view_of(app).grid
        await until(pilot, lambda: grid.has_focus)
        assert grid.marks == {7}
        await pilot.press("right", "space", "v")
        await shows(pilot, "+ Valid", "2 marked")
        assert view_of(app).rows.marks == {7, 5}
        assert view_of(app).rows.cursor == grid.cursor
        await pilot.press("escape")
        await until(pilot, lambda: "marked" not in screen_text(app))


async def test_the_filter_is_the_cameras_name_only(tmp_path: Path) -> None:
    engine = engine_with(6)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("slash", *"gard", "enter")
        await shows(pilot, "Bookmarks  3", "camera gard")
        assert queries(engine)[-1] == BookmarkQuery(camera="gard")
        await pilot.press("escape")
        await shows(pilot, "Bookmarks  6")


async def test_both_times_and_words_are_searched_by(tmp_path: Path) -> None:
    engine = engine_with(6)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("f")
        await shows(pilot, "Search bookmarks", "Recorded from", "Bookmarked to", "Words (extra)")
        await pilot.press("enter", *"10:00", "enter", *"09:00", "f10")
        await shows(pilot, "the end lies before the beginning")
        await pilot.press("ctrl+u", *"12:30", "down", *"-5h", "f10")
        await shows(pilot, "from 10:00:00", "made from 09:03:20")
        query = queries(engine)[-1]
        assert query.made_start_us == SCRIPT_NOW_US - 5 * HOUR_US
        assert query.end_us == SCRIPT_NOW_US - 93 * 60 * SECOND_US - 20 * SECOND_US
        await shows(pilot, "Bookmarks  3")


async def test_it_is_edited_and_only_what_changed_is_sent(tmp_path: Path) -> None:
    engine = engine_with(3)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("e")
        await shows(pilot, "Bookmark of driveway", "white van", "10s")
        await pilot.press("f10")
        assert called(engine, "edit_bookmark") == []
        await pilot.press("e")
        await shows(pilot, "Bookmark of driveway")
        await pilot.press("ctrl+u", *"black van", "enter", "enter", "enter", "ctrl+u", *"x", "enter", "f10")
        await shows(pilot, "a length like")
        await pilot.press("ctrl+u", *"1m", "enter", *"90", "enter")
        await shows(pilot, "bookmark saved", "black van", "01:00", "90 d")
        start_us = SCRIPT_NOW_US - HOUR_US
        edit = BookmarkEdit(
            name="black van", start_us=start_us, end_us=start_us + 60 * SECOND_US, keep_days=90
        )
        assert called(engine, "edit_bookmark") == [(3, edit)]


async def test_those_marked_are_deleted_after_a_question(tmp_path: Path) -> None:
    engine = engine_with(6)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("space", "shift+down", "delete")
        await shows(pilot, "Delete 3 bookmarks?", "kept from recycling")
        await pilot.press("enter")
        assert len(engine.footage.bookmarks) == 6
        await pilot.press("d")
        await shows(pilot, "Delete 3 bookmarks?")
        await pilot.press("y")
        await shows(pilot, "deleted 3 bookmarks", "Bookmarks  3")
        assert sorted(each.id for each in engine.footage.bookmarks) == [1, 2, 3]
        await pilot.press("d")
        await shows(pilot, "Delete the bookmark of")
        await pilot.press("escape", "f12", "d", "e")
        await shows(pilot, "read-only mode: nothing is changed")


async def test_a_thousand_are_fetched_page_by_page(tmp_path: Path) -> None:
    engine = engine_with(1_000)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await shows(pilot, "Bookmarks  200+")
        assert len(queries(engine)) == 1
        for loaded in (400, 600, 800, 1_000):
            await pilot.press("end")
            await until(pilot, lambda: len(view_of(app)._bookmarks) == loaded)  # noqa: B023
        assert all(query.limit == PAGE_BOOKMARKS for query in queries(engine))
        await until(pilot, lambda: "1,000 " in screen_text(app) and "1,000+" not in screen_text(app))


async def test_it_goes_to_export_case_and_playback(tmp_path: Path) -> None:
    engine = engine_with(4)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("x")
        await shows(pilot, "Export driveway", "2026-03-04 13:03:20")
        await pilot.press("escape", "space", "space", "C")
        await shows(pilot, "New case")
        await pilot.press(*"vans", "f10")
        await shows(pilot, "added to case vans: 2 clips")
        assert [item.camera for item in engine.footage.cases[0].items] == ["driveway", "garden"]
        await pilot.press("p")
        await until(pilot, lambda: app.front is Scope.PLAYBACK)
        await shows(pilot, "PLAYBACK")


async def test_without_any_it_says_how_they_are_made(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await shows(pilot, "no bookmarks", "b in Recordings, Playback and the searches makes one")
        await pilot.press("enter", "e", "d", "x", "C", "p")
        await shows(pilot, "no bookmark in hand")


def with_a_new_one(engine: FakeEngine) -> None:
    """A rule has just made one: it stands before all the others."""
    (newest, *_) = engine.footage.bookmarks
    start_us = newest.start_us + 60 * SECOND_US
    made = structs.replace(newest, id=99, start_us=start_us, end_us=start_us + SECOND_US, name="brand new")
    engine.footage.bookmarks = [made, *engine.footage.bookmarks]


async def test_the_picture_in_hand_stays_the_same_bookmark_when_a_new_one_comes(tmp_path: Path) -> None:
    engine = engine_with(6)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("v", "right")  # bookmark 5
        await shows(pilot, "Invalid, the")
        with_a_new_one(engine)
        await pilot.press("R")
        await shows(pilot, "Bookmarks  7", "brand new")
        await pilot.press("e")
        await shows(pilot, "Bookmark of garden", "fox")
        await pilot.press("escape", "d", "y")
        await shows(pilot, "deleted 1 bookmark")
        assert called(engine, "remove_bookmark") == [5]
        assert view_of(app).grid.cursor == 2  # what stood behind it


async def test_what_is_played_is_what_is_edited_and_where_its_neighbours_are(tmp_path: Path) -> None:
    engine = engine_with(8)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("j", "enter")
        await shows(pilot, "fox  2 of 8")
        with_a_new_one(engine)
        await pilot.press("R")
        await until(pilot, lambda: len(called(engine, "bookmarks")) == 2)
        await until(pilot, lambda: view_of(app).rows.count == 9)
        await pilot.press("e")
        await shows(pilot, "Bookmark of garden", "fox")
        await pilot.press("escape", "left")
        await shows(pilot, "white van  2 of 9")
        await pilot.press("left")
        await shows(pilot, "brand new  1 of 9")
        # Gone meanwhile: it plays on, and the neighbours are those it had.
        del engine.footage.bookmarks[0]
        await pilot.press("R")
        await until(pilot, lambda: view_of(app).rows.count == 8)
        await pilot.press("e")
        await shows(pilot, "Bookmark of driveway", "brand new")
        await pilot.press("escape", "right")
        await shows(pilot, "white van  1 of 8")


async def test_one_that_is_gone_already_does_not_keep_the_others(tmp_path: Path) -> None:
    engine = engine_with(6)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("space", "space", "space", "d")
        await shows(pilot, "Delete 3 bookmarks?")
        del engine.footage.bookmarks[0]
        await pilot.press("y")
        await shows(pilot, "deleted 3 bookmarks", "Bookmarks  3")
        assert [each.id for each in engine.footage.bookmarks] == [3, 2, 1]


async def test_its_first_picture_and_the_frame_that_is_played_are_saved(tmp_path: Path) -> None:
    engine = engine_with(2)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("s")
        await shows(pilot, "saved ")
        await pilot.press("enter")
        await shows(pilot, "white van  1 of 2", "of 10.0 s")
        await pilot.press("full_stop")
        await shows(pilot, "paused")
        await pilot.press("s")
        await until(pilot, lambda: len(list(tmp_path.glob("driveway-*.jpg"))) == 2)


@pytest.mark.parametrize("keys", [("space",), ("v", "space")])
async def test_a_mark_goes_with_its_bookmark(tmp_path: Path, keys: tuple[str, ...]) -> None:
    engine = engine_with(3)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press(*keys)
        await shows(pilot, "1 marked")
        del engine.footage.bookmarks[0]
        await pilot.press("R")
        await until(pilot, lambda: "marked" not in screen_text(app))
        await pilot.press("d")
        await shows(pilot, "Delete the bookmark of garden?")
