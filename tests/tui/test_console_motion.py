"""Motion search in a region, as an operator uses it: rows SS-11, SS-15, SS-17 to SS-20, HK-31, EX-09."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.pilot import Pilot

from engine import wire
from engine.wire_search import MotionHit, MotionSearch
from storage.errors import CameraUnreachable
from tests.fakes.engine import SCRIPT_NOW_US, FakeEngine
from tests.tui.desk_for import app_for, screen_text, shows, until
from tui.app import WatchdeckApp
from tui.commands import Scope
from tui.profile import TerminalProfile
from tui.region_file import load_regions, save_regions
from tui.screens.alarms import AlarmsView
from tui.screens.motion import MotionView
from tui.thumbnail_plan import HOUR_US, MINUTE_US, SECOND_US
from widgets.polygon_area import SHARE

SIZE = (80, 24)


def hits(number: int) -> tuple[MotionHit, ...]:
    return tuple(
        MotionHit(
            start_us=SCRIPT_NOW_US - HOUR_US + index * MINUTE_US,
            end_us=SCRIPT_NOW_US - HOUR_US + index * MINUTE_US + 6 * SECOND_US,
            peak_us=SCRIPT_NOW_US - HOUR_US + index * MINUTE_US + 2 * SECOND_US,
            peak_cells=5 + index,
        )
        for index in range(number)
    )


def engine_with(number: int) -> FakeEngine:
    engine = FakeEngine()
    engine.footage.hits = hits(number)
    return engine


def called(engine: FakeEngine, name: str) -> list[object]:
    return [argument for each, argument in engine.calls if each == name]


def searches(engine: FakeEngine) -> list[MotionSearch]:
    return [each for each in called(engine, "search_motion") if isinstance(each, MotionSearch)]


def view_of(app: WatchdeckApp) -> MotionView:
    return app.screen_stack[0].query_one(MotionView)


async def opened(pilot: Pilot[object], camera: str = "driveway") -> MotionView:
    await shows(pilot, "5 of 8")
    await pilot.press("colon", *f"search motion {camera}", "enter")
    await shows(pilot, "Motion", camera, "whole picture")
    view = view_of(pilot.app)  # type: ignore[arg-type]
    await until(pilot, lambda: view.cell._backdrop is not None)
    return view


async def draw_a_triangle(pilot: Pilot[object]) -> None:
    await pilot.press("enter", *["shift+right"] * 3, "enter", *["shift+down"] * 2, "enter")
    await shows(pilot, "3 corners, open")


async def test_a_region_is_drawn_closed_and_searched(tmp_path: Path) -> None:
    engine = engine_with(3)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        view = await opened(pilot)
        assert "┼" in screen_text(app)
        await draw_a_triangle(pilot)
        assert screen_text(app).count("■") >= 2
        await pilot.press("c")
        await shows(pilot, "region of 3 corners", "enter or r search")
        polygon = view.cell.points
        await pilot.press("enter")
        await shows(pilot, "3 found", "13:03:20", "13:05:20", "6 s")
        (search,) = searches(engine)
        assert search.camera == "driveway"
        assert search.polygon == polygon
        assert all(0 <= value <= SHARE for point in polygon for value in point)
        assert (search.start_us, search.end_us) == (SCRIPT_NOW_US - 24 * HOUR_US, SCRIPT_NOW_US)
        shown = [
            request.at_us for request in called(engine, "picture") if isinstance(request, wire.PictureRequest)
        ]
        await until(pilot, lambda: hits(3)[2].peak_us in [r.at_us for r in called(engine, "picture")])  # type: ignore[attr-defined]
        assert None in shown  # what is drawn on is live


async def test_corners_go_back_one_by_one_and_esc_deletes_the_region(tmp_path: Path) -> None:
    app = app_for(engine_with(0), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        view = await opened(pilot)
        await pilot.press("c")
        await shows(pilot, "a region needs three corners")
        await draw_a_triangle(pilot)
        await pilot.press("enter")
        await shows(pilot, "there is a corner already")
        await pilot.press("c", "backspace")
        await shows(pilot, "3 corners, open")
        await pilot.press("backspace")
        await shows(pilot, "2 corners, open")
        await pilot.press("escape")
        await shows(pilot, "whole picture", "region deleted")
        await pilot.press("z")
        await shows(pilot, "2 corners, open")
        assert len(view.cell.points) == 2
        await pilot.press("r")
        await shows(pilot, "a region needs three corners: add more, or esc for the whole picture")


async def test_corners_on_one_line_are_refused(tmp_path: Path) -> None:
    app = app_for(engine_with(0), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("enter", "right", "right", "enter", "right", "enter", "c")
        await shows(pilot, "these corners lie on one line")


async def test_keys_that_every_terminal_knows_draw_too(tmp_path: Path) -> None:
    app = app_for(engine_with(0), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        view = await opened(pilot)
        before = view.cell.cursor
        await pilot.press("L", "J", "l", "j")
        columns, rows = view.cell.grid
        assert view.cell.cursor[0] - before[0] == pytest.approx(6 * SHARE / (columns - 1), abs=80)
        assert view.cell.cursor[1] - before[1] == pytest.approx(3 * SHARE / (rows - 1), abs=400)
        await pilot.press("H", "K", "h", "up")
        assert abs(view.cell.cursor[0] - before[0]) < SHARE // columns


async def test_a_region_is_remembered_for_its_camera(tmp_path: Path) -> None:
    app = app_for(engine_with(0), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await draw_a_triangle(pilot)
        await pilot.press("c", "colon", *"search motion garden", "enter")
        await shows(pilot, "garden", "whole picture")
        await pilot.press("colon", *"search motion driveway", "enter")
        await shows(pilot, "driveway", "region of 3 corners")


async def test_a_search_under_way_shows_progress_and_esc_stops_it(tmp_path: Path) -> None:
    engine = engine_with(5)
    engine.footage.search_gate = asyncio.Event()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        view = await opened(pilot)
        await pilot.press("r")
        await shows(pilot, "25 %, 1 found, esc stops", "13:03:20")
        await pilot.press("escape")
        await shows(pilot, "search stopped; what was found stays")
        await until(pilot, lambda: called(engine, "cancel_motion_search") == ["search-1"])
        assert len(view.hits) == 1
        assert not view.job.is_running
        engine.footage.search_gate.set()
        await pilot.press("escape", "r")
        await shows(pilot, "5 found")
        assert searches(engine)[0] == searches(engine)[1]


async def test_the_form_says_what_is_looked_for(tmp_path: Path) -> None:
    engine = engine_with(1)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("f")
        await shows(pilot, "Motion search of driveway", "low for near scenes", "Time filter")
        await pilot.press("ctrl+u", *"12:00", "enter", "ctrl+u", *"13:00", "enter", "ctrl+u", *"101", "f10")
        await shows(pilot, "a number from 1 to 100")
        await pilot.press("ctrl+u", *"80", "enter", "ctrl+u", *"4", "enter", "ctrl+u", *"2s", "f10")
        await shows(pilot, "1 found")
        (search,) = searches(engine)
        assert (search.sensitivity, search.min_cells, search.min_length_s, search.join_s) == (
            80,
            4,
            2.0,
            10.0,
        )
        assert search.end_us - search.start_us == HOUR_US
        assert search.polygon == ()


async def test_nothing_found_is_said_and_the_drawing_stays(tmp_path: Path) -> None:
    app = app_for(engine_with(0), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        view = await opened(pilot)
        await pilot.press("r")
        await shows(pilot, "no motion found, 3,600 moments of stored motion")
        assert view.is_drawing
        await pilot.press("v")
        await shows(pilot, "nothing was found yet")
        await pilot.press("b")
        await shows(pilot, "no motion in hand: search first (r)")


class _Time:
    now_s = 50.0

    def __call__(self) -> float:
        return self.now_s


async def test_hits_play_one_after_the_other(tmp_path: Path) -> None:
    app = app_for(engine_with(3), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        view = await opened(pilot)
        clock = _Time()
        view.player._monotonic = clock
        await pilot.press("r")
        await shows(pilot, "3 found")
        await pilot.press("enter")
        await shows(pilot, "1 of 3", "of 6.0 s")
        clock.now_s += 6.1
        await shows(pilot, "2 of 3")
        await pilot.press("right")
        await shows(pilot, "3 of 3")
        await pilot.press("right")
        await shows(pilot, "that was the last one")
        await pilot.press("left")
        await shows(pilot, "2 of 3")
        await pilot.press("escape")
        await until(pilot, lambda: view.grid.has_focus)
        assert view.grid.cursor == 1
        await pilot.press("escape")
        await until(pilot, lambda: view.cell.has_focus)
        await pilot.press("v")
        await until(pilot, lambda: view.grid.has_focus)


async def test_a_hit_is_exported_bookmarked_and_taken_to_playback(tmp_path: Path) -> None:
    engine = engine_with(3)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("r")
        await shows(pilot, "3 found")
        await pilot.press("right", "b")
        await shows(pilot, "bookmarked driveway")
        (bookmark,) = engine.footage.bookmarks
        assert bookmark.end_us - bookmark.start_us == 10 * SECOND_US
        assert bookmark.start_us < hits(3)[1].start_us < hits(3)[1].end_us < bookmark.end_us
        await pilot.press("e")
        await shows(pilot, "Export driveway", "2026-03-04 13:03:23", "2026-03-04 13:05:23")  # EX-09: 2 min
        await pilot.press("escape", "C")
        await shows(pilot, "New case")
        await pilot.press("escape", "p")
        await until(pilot, lambda: app.front is Scope.PLAYBACK)
        await shows(pilot, "PLAYBACK")
        found = app.desk.motion_hits
        assert found is not None
        assert (found.camera, len(found.stretches)) == ("driveway", 3)
        await pilot.press("colon", *"thumbnails of motion", "enter")
        await shows(pilot, "Thumbnails", "driveway")


async def test_a_camera_that_is_away_is_drawn_on_its_last_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_with(0)
    app = app_for(engine, tmp_path)
    picture = app.desk.client.picture

    async def only_recorded(request: wire.PictureRequest) -> wire.PictureReply:
        if request.at_us is None:
            raise CameraUnreachable("no route to host", "look at its cable")
        return await picture(request)

    monkeypatch.setattr(app.desk.client, "picture", only_recorded)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, "garage")
        await shows(pilot, "12:03:20", "▀▀▀")


async def test_without_any_picture_there_is_still_something_to_draw_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_for(engine_with(1), tmp_path)

    async def nothing(request: wire.PictureRequest) -> wire.PictureReply:
        raise CameraUnreachable("no route to host", "look at its cable")

    monkeypatch.setattr(app.desk.client, "picture", nothing)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("colon", *"search motion driveway", "enter")
        await shows(pilot, "no route to host", "┼")
        await draw_a_triangle(pilot)
        await pilot.press("r")
        await shows(pilot, "1 found")


@pytest.mark.parametrize("graphics", ["sixel", "kitty", "ascii", "half"])
async def test_what_is_drawn_on_is_always_made_of_cells(tmp_path: Path, graphics: str) -> None:
    engine = engine_with(0)
    app = app_for(engine, tmp_path, TerminalProfile(graphics=graphics))  # type: ignore[arg-type]
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        asked = [r for r in called(engine, "picture") if isinstance(r, wire.PictureRequest)]
        wanted = wire.PictureFormat.ASCII if graphics == "ascii" else wire.PictureFormat.HALF_BLOCK
        assert {request.format for request in asked} == {wanted}


async def test_a_search_that_fails_says_why_and_keeps_what_it_found(tmp_path: Path) -> None:
    engine = engine_with(2)
    engine.footage.search_gate = asyncio.Event()
    engine.footage.search_gate.set()
    engine.footage.search_trouble = "the volume bay-1 was taken out"
    app = app_for(engine, tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot)
        await pilot.press("r")
        await shows(pilot, "2 found", "the volume bay-1 was taken out")
        assert not view.job.is_running


@pytest.mark.parametrize(
    ("front", "key", "words"),
    [
        ("2", "T", "Thumbnails"),
        ("2", "K", "Motion"),
        ("3", "K", "Motion"),
        ("6", "i", "Thumbnails"),
    ],
)
async def test_searches_open_from_where_a_camera_is_in_hand(
    tmp_path: Path, front: str, key: str, words: str
) -> None:
    engine = FakeEngine(alarms=30)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press(front)
        await shows(pilot, {"2": "Last seen", "3": "span 6 h", "6": "Alarms  30"}[front])
        if front == "6":
            view = app.view
            assert isinstance(view, AlarmsView)
            await until(pilot, lambda: view.alarm is not None)
            for _ in range(30):  # to one of a camera
                if view.alarm is not None and view.alarm.camera:
                    break
                await pilot.press("j")
                await pilot.pause(0.05)
        await pilot.press(key)
        await shows(pilot, words, "every" if words == "Thumbnails" else "whole picture")


def snapshots(engine: FakeEngine) -> list[wire.PictureRequest]:
    asked = [each for each in called(engine, "picture") if isinstance(each, wire.PictureRequest)]
    return [request for request in asked if request.format is wire.PictureFormat.JPEG]


async def test_what_is_drawn_on_a_hit_and_a_frame_that_is_played_are_saved(tmp_path: Path) -> None:
    engine = engine_with(3)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        view = await opened(pilot)
        clock = _Time()
        view.player._monotonic = clock
        await pilot.press("s")
        await shows(pilot, "saved ")
        await pilot.press("r")
        await shows(pilot, "3 found")
        await pilot.press("right", "s")
        await until(pilot, lambda: len(snapshots(engine)) == 2)
        await pilot.press("enter")
        await shows(pilot, "2 of 3")
        clock.now_s += 3.0
        await shows(pilot, "3.0 of 6.0 s")
        await pilot.press("space", "s")
        await until(pilot, lambda: len(snapshots(engine)) == 3)
        hit = hits(3)[1]
        assert [each.at_us for each in snapshots(engine)] == [None, hit.peak_us, hit.start_us + 3 * SECOND_US]
        assert all(each.exact and each.camera == "driveway" for each in snapshots(engine))
        await until(pilot, lambda: len(list(tmp_path.glob("driveway-*.jpg"))) == 3)


# -- kept regions ----------------------------------------------------------------------------------------


async def test_a_region_is_there_again_when_the_next_console_begins(tmp_path: Path) -> None:
    path = tmp_path / "below" / "regions.toml"
    engine = engine_with(0)
    app = app_for(engine, tmp_path)
    app.desk.region_file = path
    async with app.run_test(size=SIZE) as pilot:
        view = await opened(pilot)
        await draw_a_triangle(pilot)
        assert not path.exists()
        await pilot.press("c")
        await shows(pilot, "region of 3 corners")
        await until(pilot, path.exists)
        drawn = view.cell.points
    regions, complaint = load_regions(path)
    assert (regions, complaint) == ({engine.snapshot.cameras[0].uuid: drawn}, "")
    again = app_for(engine, tmp_path)
    again.desk.regions, again.desk.region_file = regions, path
    async with again.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("colon", *"search motion driveway", "enter")
        await shows(pilot, "region of 3 corners")
        await pilot.press("escape")
        await shows(pilot, "region deleted")
        await until(pilot, lambda: load_regions(path) == ({}, ""))


@pytest.mark.parametrize(
    "text",
    [
        "regions = 3",
        "[regions]\na = 3",
        "[regions]\na = [[0, 0], [1, 1]]",
        "[regions]\na = [[0, 0], [1, 1], [1]]",
        "[regions]\na = [[0, 0], [1, 1], [1, 10001]]",
        "[regions]\na = [[0, 0], [1, 1], [true, 1]]",
        "[regions",
    ],
)
def test_a_wrong_file_is_reported_and_taken_as_empty(tmp_path: Path, text: str) -> None:
    path = tmp_path / "regions.toml"
    path.write_text(text)
    regions, complaint = load_regions(path)
    assert regions == {}
    assert str(path) in complaint


def test_what_is_saved_is_loaded_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "regions.toml"
    assert load_regions(path) == ({}, "")
    regions = {"b": ((0, 0), (SHARE, 0), (SHARE, SHARE)), "a": ((1, 2), (3, 4), (5, 7), (8, 9))}
    save_regions(path, regions)
    assert load_regions(path) == (regions, "")
    assert list(tmp_path.iterdir()) == [path]
