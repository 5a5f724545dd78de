"""The footer follows the mode of a picture screen: every key that it shows does what it says there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine.wire_search import MotionHit
from engine.wire_wall import Arrangements, Tour, TourStop
from tests.fakes.engine import SCRIPT_NOW_US, FakeEngine
from tests.fakes.footage_calls import scripted_bookmarks
from tests.tui.desk_for import app_for, screen_text, shows, until
from tests.tui.wall_steps import SIZE, open_wall, type_line, view, wall_of
from tui.app import WatchdeckApp
from tui.commands import BY_ID, Scope
from tui.screens import mode_keys
from tui.wall_layouts import equal_layout


def footer(app: WatchdeckApp) -> str:
    return screen_text(app).splitlines()[-1]


@pytest.mark.parametrize(
    "labels",
    [
        *(
            each
            for name, each in vars(mode_keys).items()
            if name.isupper() and each and isinstance(each[0], tuple)
        ),
        *(mode_keys.playing(prefix) for prefix in ("motion", "bookmarks", "thumbnails")),
    ],
)
def test_every_key_that_is_named_is_one_of_the_screen_or_escape(labels: mode_keys.Labels) -> None:
    commands = [BY_ID[id] for id, _ in labels]
    assert all(command.keys for command in commands)
    assert len({command.scope for command in commands if command.id != mode_keys.BACK}) == 1


async def test_motion_tells_of_drawing_of_results_and_of_a_clip(tmp_path: Path) -> None:
    engine = FakeEngine()
    start_us = SCRIPT_NOW_US - 3_600 * 1_000_000
    hit = MotionHit(
        start_us=start_us, end_us=start_us + 5_000_000, peak_us=start_us + 1_000_000, peak_cells=12
    )
    engine.footage.hits = (hit,)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await type_line(pilot, "search motion driveway")
        await until(pilot, lambda: "O Camera  enter Corner  r Search  f Form" in footer(app))
        await pilot.press("enter")
        await until(pilot, lambda: "enter Corner  c Close" in footer(app) and "esc Delete" in footer(app))
        await pilot.press("right", "right", "enter", "down", "down", "enter", "c")
        await until(pilot, lambda: "enter Search" in footer(app) and "esc Delete" in footer(app))
        await pilot.press("r")
        await until(pilot, lambda: "enter Play  v Drawing  e Export" in footer(app))
        await pilot.press("enter")
        await until(pilot, lambda: "space Pause  esc Back  n Next" in footer(app))
        await pilot.press("escape", "v")
        await until(pilot, lambda: "enter Search" in footer(app) and "v Results" in footer(app))


async def test_a_motion_search_under_way_is_stopped_by_escape(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.footage.search_gate = asyncio.Event()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await type_line(pilot, "search motion driveway")
        await pilot.press("r")
        await until(pilot, lambda: footer(app).startswith(" esc Stop"))
        await pilot.press("escape")
        await shows(pilot, "search stopped")


async def test_evidence_tells_of_exports_of_cases_and_of_what_is_in_one(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("9")
        await until(pilot, lambda: "tab Cases  enter Open  f Fetch" in footer(app))
        await pilot.press("tab")
        await until(pilot, lambda: "tab Exports  enter Open  a New  e Edit" in footer(app))
        await pilot.press("tab")
        await until(pilot, lambda: "tab Cases" in footer(app))


@pytest.mark.parametrize(
    ("line", "resting"), [("bookmarks", "enter Play"), ("search thumbnails driveway", "m More")]
)
async def test_a_clip_that_is_played_has_its_own_keys(tmp_path: Path, line: str, resting: str) -> None:
    engine = FakeEngine()
    engine.footage.bookmarks = scripted_bookmarks(4, SCRIPT_NOW_US)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await type_line(pilot, line)
        await until(pilot, lambda: resting in footer(app))
        await pilot.press("enter")
        text = await shows(pilot, "space Pause  esc Back  right Next  left Previous  . Frame")
        (player,) = [row for row in text.splitlines() if "playing" in row or "paused" in row]
        assert player.rstrip().endswith(" s")
        await pilot.press("escape")
        await until(pilot, lambda: resting in footer(app))


async def test_the_line_of_a_clip_fits_the_smallest_terminal(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.footage.bookmarks = scripted_bookmarks(4, SCRIPT_NOW_US)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=(40, 12)) as pilot:
        await shows(pilot, "14:03:20")
        await type_line(pilot, "bookmarks")
        await shows(pilot, "white")
        await pilot.press("enter")
        await shows(pilot, "of 10.0 s")


async def test_the_wall_tells_of_editing_marking_and_one_camera_alone(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await until(pilot, lambda: "enter Full" in footer(app))
        await pilot.press("enter")
        await until(pilot, lambda: "enter Wall" in footer(app))
        await pilot.press("escape", "m")
        await until(pilot, lambda: "enter Put here  esc Leave" in footer(app))
        await pilot.press("escape", "e")
        await until(pilot, lambda: "enter Keep  esc Leave" in footer(app))
        await pilot.press("escape", "g")
        await until(pilot, lambda: "g Bar off  enter Full" in footer(app))
        await pilot.press("g")
        await until(pilot, lambda: footer(app).startswith(" enter Full"))


async def test_on_an_empty_cell_enter_is_told_to_pick_a_camera(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await shows(pilot, "enter Full  a Camera")
        await pilot.press("delete")
        await shows(pilot, "enter Camera  l Layout")
        await pilot.press("right")
        await shows(pilot, "enter Full  a Camera")


async def test_a_button_is_pressed_and_the_tour_goes_on(tmp_path: Path) -> None:
    engine = FakeEngine()
    views = (view("Doors", equal_layout(1), "driveway"), view("Yard", equal_layout(1), "garden"))
    tour = Tour(name="Night", stops=(TourStop(view="Doors", seconds=30), TourStop(view="Yard", seconds=30)))
    engine.arrangements = Arrangements(views=views, tours=(tour,))
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("g")
        button = (await app.desk.client.virtual_triggers())[0].name
        await shows(pilot, f" 1  {button}")
        await type_line(pilot, "tour night")
        await shows(pilot, "Night: Doors")
        await until(pilot, lambda: footer(app).startswith(" esc Stop the tour"))
        await pilot.press("1")
        await shows(pilot, f"pressed: {button}")
        assert wall_of(app).tour.is_running
        await pilot.press("right")
        await shows(pilot, "the tour has stopped")
        assert app.front is Scope.WALL
        assert wall_of(app).query_one("ButtonBar").display
