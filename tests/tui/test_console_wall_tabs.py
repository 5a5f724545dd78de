"""Several walls open at once, by keys; and the wall as it was left, where a terminal begins with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import structs
from textual.pilot import Pilot

from engine.wire_wall import Arrangements, LastTab, LastWall, StartUpRow
from tests.fakes.engine import FakeEngine
from tests.tui.desk_for import app_for, screen_text, shows, until
from tests.tui.wall_steps import SIZE, layout_rows, names, open_wall, type_line, view, wall_of
from tui.app import WatchdeckApp
from tui.screens.wall_tabs import tab_line
from tui.wall_layouts import equal_layout

FIRST_FOUR = ["driveway", "front-door", "garden", "garage"]


async def open_another(pilot: Pilot[Any], name: str) -> None:
    await pilot.press("ctrl+t")
    await shows(pilot, "Layout of another wall")
    await pilot.press(*name, "enter")


def tab_words(app: WatchdeckApp) -> str:
    return screen_text(app).splitlines()[2]


# -- tabs ------------------------------------------------------------------------------------------------


async def test_another_wall_is_empty_and_the_first_one_stays_as_it_was(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("d")
        await open_another(pilot, "3x3")
        await shows(pilot, " 1 2x2  2 3x3 ", "empty: a picks a camera")
        await type_line(pilot, "pick camera cellar")
        await pilot.press("right_square_bracket")
        await shows(pilot, "Live  2x2")
        assert names(app) == ["", *FIRST_FOUR[1:]]
        await pilot.press("u")
        await until(pilot, lambda: names(app) == FIRST_FOUR)
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: names(app) == ["cellar", *[""] * 8])
        await pilot.press("u", "u")
        await shows(pilot, "nothing to take back")
        assert names(app) == [""] * 9


async def test_walls_are_named_found_and_closed(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.arrangements = Arrangements(views=(view("Doors", equal_layout(2), "front-door"),))
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("ctrl+w")
        await shows(pilot, "this is the only wall")
        await pilot.press("right_square_bracket")
        await shows(pilot, "ctrl+t opens another")
        await open_another(pilot, "1x1")
        await type_line(pilot, "view Doors")
        await shows(pilot, " 1 2x2  2 Doors ")
        await pilot.press("n", *"Night", "f10")
        await shows(pilot, " 2 Night ")
        await type_line(pilot, "wall 1")
        await until(pilot, lambda: names(app) == FIRST_FOUR)
        await type_line(pilot, "wall 3")
        await shows(pilot, "no wall is called '3'; there are 1 to 2")
        await type_line(pilot, "wall night")
        await until(pilot, lambda: names(app) == ["front-door", "", "", ""])
        await type_line(pilot, "wall")
        await shows(pilot, "Walls", "Night")
        await pilot.press("up", "enter")
        await until(pilot, lambda: names(app) == FIRST_FOUR)
        await pilot.press("right_square_bracket", "ctrl+w")
        await shows(pilot, "wall Night closed (z brings it back)")
        assert not app.base.query_one("#wall-tabs").display
        assert names(app) == FIRST_FOUR
        await pilot.press("z")
        await shows(pilot, " 1 2x2  2 Night ", "undone: wall Night closed")
        assert names(app) == ["front-door", "", "", ""]
        assert wall_of(app).view_name == "Doors"


async def test_a_saved_view_is_opened_beside_the_wall(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.arrangements = Arrangements(views=(view("Doors", equal_layout(2), "front-door"),))
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("v")
        await shows(pilot, "Views", "Doors", "open beside this wall")
        await pilot.press("ctrl+t")
        await shows(pilot, " 1 2x2  2 Doors ", "Live  Doors")
        assert names(app) == ["front-door", "", "", ""]
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: names(app) == FIRST_FOUR)


async def test_there_is_an_end_to_how_many_and_full_screen_hides_the_line(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        for _ in range(7):
            await open_another(pilot, "1x1")
        await shows(pilot, " 8 1x1 ")
        await pilot.press("ctrl+t")
        await shows(pilot, "8 walls are open: ctrl+w closes")
        await pilot.press("f")
        await until(pilot, lambda: not app.base.query_one("#wall-tabs").display)
        await pilot.press("escape")
        await shows(pilot, " 8 1x1 ")


def test_the_line_of_walls_fits_however_many_there_are() -> None:
    labels = ["2x2", "A very long name of a wall", *(f"wall {n}" for n in range(6))]
    for width in (80, 120, 200):
        line = tab_line(labels, 1, width, "…").plain
        assert len(line) <= width
        assert all(f" {number} " in line for number in range(1, 9))
    assert "A very long name of a wall" in tab_line(labels, 1, 200, "…").plain


# -- as it was left --------------------------------------------------------------------------------------


def engine_beginning_with(shows_first: str) -> FakeEngine:
    engine = FakeEngine()
    engine.arrangements = Arrangements(start_up=(StartUpRow(terminal="*", shows=shows_first),))
    return engine


def started(engine: FakeEngine, folder: Path, *, is_read_only: bool = False) -> WatchdeckApp:
    app = app_for(engine, folder, is_read_only=is_read_only)
    app.terminal_names = ("pts/3", "*")
    return app


async def test_the_wall_comes_back_as_it_was_left(tmp_path: Path) -> None:
    engine = engine_beginning_with("last-wall")
    app = started(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "Live  2x2  cameras 1-4 of 8")
        await until(pilot, lambda: "*" in engine.last_walls)
        await open_another(pilot, "3x3")
        await type_line(pilot, "pick camera cellar")
        await pilot.press("n", *"Night", "f10", "plus", "plus")
        await until(pilot, lambda: engine.last_walls["*"].front == 1)
        await until(pilot, lambda: engine.last_walls["*"].tabs[1].name == "Night")
    kept = engine.last_walls["*"]
    assert [tab.is_automatic for tab in kept.tabs] == [True, False]
    again = started(engine, tmp_path)
    async with again.run_test(size=SIZE) as pilot:
        await shows(pilot, " 1 2x2  2 Night ", "Live  3x3")
        assert names(again) == ["cellar", *[""] * 8]
        assert not wall_of(again).camera.zoom_of(wall_of(again).now.camera).is_zoomed
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: names(again) == FIRST_FOUR)
    assert structs.replace(engine.last_walls["*"], front=1) == kept


async def test_only_where_the_start_up_choice_says_so(tmp_path: Path) -> None:
    engine = engine_beginning_with("live")
    engine.last_walls["*"] = LastWall(tabs=(LastTab(layout=equal_layout(1), cameras=("",)),))
    app = started(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "Live  2x2  cameras 1-4 of 8")
        await pilot.press("d")
        await until(pilot, lambda: names(app)[0] == "")
    assert not [call for call in engine.calls if call[0] in ("last_wall", "put_last_wall")]


async def test_a_choice_made_here_keeps_this_wall_from_now_on(tmp_path: Path) -> None:
    engine = engine_beginning_with("live")
    app = started(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "Live  2x2  cameras 1-4 of 8")
        await pilot.press("d", "w", "enter")
        await shows(pilot, "Terminal", "< live >")
        await pilot.press("enter", "right", "f10")
        await shows(pilot, "last-wall")
        await pilot.press("escape")
        await until(pilot, lambda: "*" in engine.last_walls)
        (tab,) = engine.last_walls["*"].tabs
        assert (tab.cameras[0], tab.is_automatic) == ("", False)


async def test_cameras_that_are_gone_leave_empty_cells(tmp_path: Path) -> None:
    engine = engine_beginning_with("last-wall")
    driveway = engine.snapshot.cameras[0].uuid
    tab = LastTab(layout=equal_layout(2), cameras=(driveway, "gone", "", driveway), overlay=("fps",))
    engine.last_walls["*"] = LastWall(tabs=(tab,))
    app = started(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "Live  2x2")
        await until(pilot, lambda: names(app) == ["driveway", "", "", "driveway"])
        assert wall_of(app).overlay.now.elements == ("fps",)
        assert layout_rows(app)


async def test_in_read_only_mode_it_comes_back_and_is_not_kept_anew(tmp_path: Path) -> None:
    engine = engine_beginning_with("last-wall")
    kept = LastWall(tabs=(LastTab(layout=equal_layout(1), cameras=("",)),))
    engine.last_walls["*"] = kept
    app = started(engine, tmp_path, is_read_only=True)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "Live  1x1")
        await type_line(pilot, "pick camera garden")
        await until(pilot, lambda: names(app) == ["garden"])
    assert engine.last_walls["*"] is kept


async def test_what_is_given_at_the_start_counts_instead_of_the_choice(tmp_path: Path) -> None:
    engine = engine_beginning_with("playback")
    engine.arrangements = structs.replace(
        engine.arrangements, views=(view("Doors", equal_layout(2), "front-door"),)
    )
    app = started(engine, tmp_path)
    app.shows = "view doors"
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "Live  Doors")
    app = started(engine, tmp_path)
    app.shows = "last-wall"
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "Live  2x2")
        await pilot.press("d")
        await until(pilot, lambda: "*" in engine.last_walls)


# -- the line of tabs -------------------------------------------------------------------------------------


def test_wide_names_have_their_cells_counted() -> None:
    labels = ["駐車場の監視カメラ北側入口", "2x2", "南側出口の長い名前前"]
    line = tab_line(labels, 2, 40, "…")
    assert line.cell_length <= 40
    assert all(f" {number} " in line.plain for number in (1, 2, 3))
    assert " 2 2x2 " in line.plain


def test_of_more_walls_than_fit_the_one_in_front_is_named() -> None:
    labels = [f"floor {number}" for number in range(1, 9)]
    for front in range(8):
        line = tab_line(labels, front, 40, "…")
        assert line.cell_length <= 40
        assert f" {front + 1} floor {front + 1} " in line.plain
        assert all(f" {number} " in line.plain for number in range(1, 9))
