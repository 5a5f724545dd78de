"""Pictures of the live wall at 80x24 and 120x40."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from engine.wire_wall import Arrangements, StartUpRow, Tour, TourStop, WallView
from tests.fakes.engine import FakeEngine
from tests.tui.desk_for import app_for, shows
from tests.tui.test_snapshots import SnapCompare, Steps, arriving_at, settled
from tests.tui.wall_steps import LINUX, view
from tui.app import WatchdeckApp
from tui.screens.wall import LiveWall
from tui.screens.wall_cells import WallPicture
from tui.wall_layouts import equal_layout, layout_of_rows, standard_layout
from widgets.overlay import ELEMENTS, Overlay

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
FOLDER = Path("/home/operator/watchdeck-exports")


def kept() -> Arrangements:
    focus = standard_layout("1+5")
    assert focus is not None
    views: tuple[WallView, ...] = (
        view("Doors", equal_layout(2), "front-door", "garage", "cellar"),
        view("Perimeter", focus, "driveway", "garden", "parking-north", "loading-dock"),
    )
    return Arrangements(
        layouts=(layout_of_rows("Gate", ["AAB", "AAC", "DDD"]),),
        views=views,
        tours=(Tour(name="Night", stops=(TourStop(view="Doors"), TourStop(view="Perimeter", seconds=12))),),
        start_up=(StartUpRow(terminal="tty1", shows="tour Night"), StartUpRow(terminal="ssh", shows="live")),
    )


def console(cameras: int = 8) -> WatchdeckApp:
    engine = FakeEngine(cameras=cameras)
    engine.arrangements = kept()
    return app_for(engine, FOLDER)


def wall(*keys: str, words: tuple[str, ...]) -> Steps:
    steps = settled(arriving_at("7", "Live  2x2", "lost since", then=keys, finally_=words))

    async def until_drawn(pilot: Pilot[object]) -> None:
        await steps(pilot)
        seen = [cell for cell in pilot.app.screen_stack[0].query(WallPicture) if cell.display and cell.region]
        if len(pilot.app.screen_stack) == 1 and seen:
            await pilot.app.screen.query_one(LiveWall).cells.settled()
            await pilot.pause()

    return until_drawn


@SIZES
def test_wall(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    assert snap_compare(console(), terminal_size=size, run_before=wall("down", words=("► garden",)))


@SIZES
def test_words_above_in_sixteen_cells(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = console(40)
    app.desk.overlay = Overlay(ELEMENTS, is_on_top=True)
    steps = wall("l", *"1+12", "enter", words=("1+12", "cam-013"))
    assert snap_compare(app, terminal_size=size, run_before=steps)


@SIZES
def test_sixty_four_cells(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    steps = wall("l", "8", "enter", words=("8x8", "cam-040"))
    assert snap_compare(console(40), terminal_size=size, run_before=steps)


@SIZES
def test_full_picture(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    first = wall("enter", words=("FULL  driveway",))

    async def steps(pilot: Pilot[object]) -> None:
        await first(pilot)
        await shows(pilot, "▀" * 60)  # the small picture stands until the large one has come

    assert snap_compare(console(), terminal_size=size, run_before=steps)


@SIZES
def test_layout_under_edit(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    steps = wall("l", "4", "enter", "e", "right", "L", "J", words=(" EDIT ", "cellar"))
    assert snap_compare(console(), terminal_size=size, run_before=steps)


@SIZES
def test_layout_picker(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    steps = wall("l", *"1+1", words=("Own", "1+12", "13 cells"))
    assert snap_compare(console(), terminal_size=size, run_before=steps)


@SIZES
def test_views(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    assert snap_compare(console(), terminal_size=size, run_before=wall("v", words=("Perimeter", "in Night")))


@SIZES
def test_tour_editor(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    steps = wall("T", "ctrl+e", "tab", "down", words=("17 s in all", "2. Perimeter"))
    assert snap_compare(console(), terminal_size=size, run_before=steps)


@SIZES
def test_start_up(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    assert snap_compare(console(), terminal_size=size, run_before=wall("w", words=("Start-up", "tour Night")))


@SIZES
def test_words_on_pictures(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    steps = wall("i", words=("Words on pictures", "Throughput"))
    assert snap_compare(console(), terminal_size=size, run_before=steps)


def test_wall_on_the_linux_console(snap_compare: SnapCompare) -> None:
    app = app_for(FakeEngine(), FOLDER, LINUX)
    steps = settled(
        arriving_at("7", "Live  2x2", "lost since", then=("x", "down"), finally_=("here: driveway",))
    )
    assert snap_compare(app, terminal_size=(80, 25), run_before=steps)


def test_smallest_wall(snap_compare: SnapCompare) -> None:
    steps = arriving_at("7", "Live  2x2", "garage")
    assert snap_compare(console(), terminal_size=(40, 12), run_before=steps)


@SIZES
def test_several_walls(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    steps = wall("v", "ctrl+t", "n", *"Night", "f10", words=(" 1 2x2  2 Night ", "► front-door"))
    assert snap_compare(console(), terminal_size=size, run_before=steps)


@SIZES
def test_menu_of_a_cell(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    steps = wall("M", "down", words=("Empty the cell", "Play what this camera recorded"))
    assert snap_compare(console(), terminal_size=size, run_before=steps)
