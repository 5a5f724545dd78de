"""The menu of a picture: by M and by the right mouse button, in the live wall and in playback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from engine.wire_wall import Arrangements, Tour, TourStop
from tests.fakes.engine import FakeEngine
from tests.tui.desk_for import app_for, screen_text, shows, until
from tests.tui.wall_steps import SIZE, names, open_wall, pictures, type_line, view, wall_of
from tui.app import WatchdeckApp
from tui.commands import BY_ID, Scope
from tui.keymap import Keymap
from tui.screens.cell_menu import PLAYBACK_MENU, WALL_MENU
from tui.screens.playback import PlaybackView
from tui.screens.playback_grid import PlaybackCell
from tui.wall_layouts import equal_layout


@pytest.mark.parametrize(("menu", "scope"), [(WALL_MENU, Scope.WALL), (PLAYBACK_MENU, Scope.PLAYBACK)])
def test_a_menu_has_commands_of_its_screen_each_with_a_key(menu: tuple[str, ...], scope: Scope) -> None:
    assert len(menu) == len(set(menu))
    for id in menu:
        assert BY_ID[id].scope in (scope, Scope.EVERYWHERE)
        assert BY_ID[id].keys
        assert BY_ID[id].is_optional


async def test_the_menu_of_the_wall_does_what_the_keys_do(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path, keymap=Keymap({"wall.empty": "insert"}))
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("right", "M")
        await shows(pilot, "front-door", "Playback", "Snapshot", "Empty the cell", "insert")
        await pilot.press("end", "enter")
        await until(pilot, lambda: names(app)[:2] == ["driveway", ""])
        await pilot.press("M")
        await shows(pilot, "no camera is in hand")
        await pilot.press("left", "M")
        await shows(pilot, "driveway", "Thumbnail search")
        await pilot.press("escape")
        await pilot.press("M", "3")
        await shows(pilot, "saved ")
        assert list(tmp_path.glob("driveway-*.jpg"))


async def test_while_a_layout_is_edited_the_menu_says_what_to_do_first(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("e", "M")
        await shows(pilot, "keep the layout (enter) or leave it (esc) first")
        assert "no camera is in hand" not in screen_text(app)


async def test_the_right_button_takes_the_cell_in_hand_and_stops_a_tour_first(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.arrangements = Arrangements(
        views=(view("Doors", equal_layout(2), "driveway", "front-door"),),
        tours=(Tour(name="Night", stops=(TourStop(view="Doors"),)),),
    )
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await type_line(pilot, "tour Night")
        await shows(pilot, "TOUR")
        await until(pilot, lambda: len(pictures(app)) > 1)
        cell = pictures(app)[1]
        await pilot.click(cell, button=3)
        await shows(pilot, "the tour has stopped")
        assert "Thumbnail search" not in screen_text(app)
        await pilot.click(cell, button=3)
        await shows(pilot, "front-door", "Thumbnail search", "Swap")
        assert wall_of(app).now.selected == 1
        await pilot.press("escape")


async def open_two(pilot: Pilot[Any], app: WatchdeckApp) -> PlaybackView:
    await shows(pilot, "5 of 8")
    await pilot.press("8")
    await shows(pilot, "PLAYBACK")
    view = app.base.query_one(PlaybackView)
    view.play_cameras(["driveway", "garden"], "driveway")
    await until(pilot, lambda: len([cell for cell in view.query(PlaybackCell) if cell.region]) == 2)
    return view


async def test_in_playback_clicks_choose_enlarge_and_open_the_menu(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        played = await open_two(pilot, app)
        garden = next(cell for cell in played.query(PlaybackCell) if cell.camera == "garden")
        await pilot.click(garden)
        await until(pilot, lambda: played.camera_name == "garden")
        await pilot.click(garden)
        await until(pilot, lambda: played.is_enlarged)
        await pilot.press("M")
        await shows(pilot, "garden", "Return to live", "Motion search")
        await pilot.press("9", "M")
        await until(pilot, lambda: not played.is_enlarged)
        await pilot.press("escape")
        driveway = next(cell for cell in played.query(PlaybackCell) if cell.camera == "driveway")
        await until(pilot, lambda: bool(driveway.region))
        await pilot.click(driveway, button=3)
        await shows(pilot, "Return to live")
        assert played.camera_name == "driveway"
