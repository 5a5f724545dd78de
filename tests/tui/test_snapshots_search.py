"""Pictures of the search screens at 80x24 and 120x40, and on the Linux console."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.fakes.engine import SCRIPT_NOW_US, FakeEngine
from tests.fakes.footage_calls import scripted_bookmarks
from tests.tui.desk_for import app_for, shows, until
from tests.tui.test_console_motion import hits
from tests.tui.test_snapshots import SnapCompare, arriving_at, settled
from tui.profile import TerminalProfile
from widgets.polygon_cell import PolygonCell

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
FOLDER = Path("/home/operator/watchdeck-exports")
LINUX = TerminalProfile(colors=16, glyphs="cp437", graphics="half", is_plain=True)
TRIANGLE = ("enter", "L", "L", "L", "enter", "J", "J", "enter", "c")


def line(words: str) -> tuple[str, ...]:
    """Typed after `:`."""
    return ("colon", *words, "enter")


@SIZES
def test_thumbnail_search(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    # 13:10 to 13:30: the loading dock has a gap.
    steps = arriving_at(
        "2",
        "Last seen",
        then=line("search thumbnails garden"),
        finally_=("Thumbnails", "garden", "no picture"),
    )
    assert snap_compare(app_for(FakeEngine(), FOLDER), terminal_size=size, run_before=settled(steps))


@SIZES
def test_bookmarks(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    engine = FakeEngine()
    engine.footage.bookmarks = scripted_bookmarks(12, SCRIPT_NOW_US)
    steps = arriving_at(
        "2", "Last seen", then=(*line("bookmarks"), "j", "space"), finally_=("1 marked", "Invalid")
    )
    assert snap_compare(app_for(engine, FOLDER), terminal_size=size, run_before=steps)


@SIZES
def test_bookmarks_as_pictures(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    engine = FakeEngine()
    engine.footage.bookmarks = scripted_bookmarks(12, SCRIPT_NOW_US)
    steps = arriving_at("2", "Last seen", then=(*line("bookmarks"), "v", "right"), finally_=("▀▀▀▀", "Valid"))
    assert snap_compare(app_for(engine, FOLDER), terminal_size=size, run_before=settled(steps))


async def drawing(pilot: Pilot[object]) -> None:
    """A region, once there is a picture to draw on."""
    await arriving_at("2", "Last seen", then=line("search motion driveway"), finally_=("whole picture",))(
        pilot
    )
    cell = pilot.app.screen.query_one(PolygonCell)
    await until(pilot, lambda: cell._backdrop is not None)
    await pilot.press(*TRIANGLE)
    await shows(pilot, "region of 3 corners", "▀▀▀")


@SIZES
def test_region_of_a_motion_search(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    assert snap_compare(app_for(FakeEngine(), FOLDER), terminal_size=size, run_before=settled(drawing))


@SIZES
def test_results_of_a_motion_search(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    engine = FakeEngine()
    engine.footage.hits = hits(7)
    steps = arriving_at(
        "2",
        "Last seen",
        then=(*line("search motion driveway"), "r"),
        finally_=("7 found", "▀▀▀▀", "13:09:20", "plays on and on"),
    )
    assert snap_compare(app_for(engine, FOLDER), terminal_size=size, run_before=settled(steps))


def test_region_on_the_linux_console(snap_compare: SnapCompare) -> None:
    app = app_for(FakeEngine(), FOLDER, LINUX)
    assert snap_compare(app, terminal_size=(80, 25), run_before=settled(drawing))
