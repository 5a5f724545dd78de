"""The live wall by keys alone: what the station keeps of it, and what is done with a camera."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from engine.wire_bookmarks import BookmarkAdd
from engine.wire_wall import Arrangements, StartUpRow, Tour, TourStop
from tests.fakes.engine import FakeEngine
from tests.tui.desk_for import app_for, screen_text, shows, until
from tests.tui.wall_steps import (
    SIZE,
    names,
    open_wall,
    pictures,
    type_line,
    view,
    wall_of,
)
from tui.screens.wall_cells import WordsPane
from tui.wall_layouts import equal_layout, standard_layout
from widgets.overlay import Overlay

# -- views, tours, start-up ------------------------------------------------------------------------------


async def test_a_view_is_saved_renamed_opened_and_deleted(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("d", "v", *"Doors", "ctrl+s")
        await shows(pilot, "view Doors saved", "Live  Doors  2x2")
        assert engine.arrangements.views[0].cameras == ("", "front-door", "garden", "garage")
        await pilot.press("l", "1", "x", "enter")
        await shows(pilot, "1x1")
        await pilot.press("v")
        await shows(pilot, "2x2, 3 cameras")
        await pilot.press("f2", "end", "2", "enter", "f10")
        await shows(pilot, "Views", "Doors2")
        await pilot.press("enter")
        await shows(pilot, "Live  Doors2  2x2")
        assert names(app) == ["", "front-door", "garden", "garage"]
        await pilot.press("v", "delete")
        await shows(pilot, "Delete view Doors2?")
        await pilot.press("y")
        await shows(pilot, "view Doors2 deleted")
        await pilot.press("escape")
        await type_line(pilot, "view Doors2")
        await shows(pilot, "no view is called 'Doors2'")


async def test_saving_over_another_view_asks_and_over_the_own_does_not(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.arrangements = Arrangements(views=(view("A", equal_layout(2), "driveway"),))
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await type_line(pilot, "save view a")
        await shows(pilot, "Replace view A?")
        await pilot.press("n")
        await type_line(pilot, "view a")
        await shows(pilot, "Live  A")
        await pilot.press("d")
        await type_line(pilot, "save view A")
        await shows(pilot, "view A saved")
        assert engine.arrangements.views[0].cameras == ("", "", "", "")


async def test_a_tour_is_made_in_two_panes_and_runs_until_a_key(tmp_path: Path) -> None:
    engine = FakeEngine()
    one, two = equal_layout(1), equal_layout(2)
    engine.arrangements = Arrangements(views=(view("Doors", two, "driveway"), view("Yard", one, "garden")))
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("T", "insert", *"Night", "enter", "f10")
        await shows(pilot, "Tour Night", "nothing yet")
        await pilot.press("space", "down", "space", "space")
        await shows(pilot, "1. Doors", "2. Yard", "3. Yard", "15 s in all")
        await pilot.press("tab", "3", "0", "equals_sign", "delete", "K", "plus", "a")
        await shows(pilot, "Tours", "2 views, 61 s")
        assert engine.arrangements.tours[0].stops == (
            TourStop(view="Yard", seconds=31),
            TourStop(view="Doors", seconds=30),
        )
        await pilot.press("enter")
        await shows(pilot, " TOUR ", "Night: Yard, next Doors in")
        assert names(app) == ["garden"]
        for _ in range(31):
            wall_of(app).tour.tick()
        await shows(pilot, "Night: Doors, next Yard in")
        assert names(app) == ["driveway", "", "", ""]
        await pilot.press("q")
        await shows(pilot, "the tour has stopped", "Live  Doors")
        await type_line(pilot, "tour night")
        await shows(pilot, " TOUR ")
        await pilot.press("1")
        await until(pilot, lambda: " TOUR " not in screen_text(app))
        assert "Live  Yard" in screen_text(app), "the key only stops it"


async def test_tours_without_views_say_what_to_do_first(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("T", "insert")
        await shows(pilot, "a tour is made of views: save one first (V)")


async def test_a_view_that_a_tour_shows_stays_and_the_dialog_says_why(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.arrangements = Arrangements(
        views=(view("Doors", equal_layout(2)),),
        tours=(Tour(name="Night", stops=(TourStop(view="Doors"),)),),
    )
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("v", "delete", "y")
        await shows(pilot, "Views", "is shown by the tour 'Night'")
        assert len(engine.arrangements.views) == 1


async def test_start_up_rows_are_made_and_removed(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.arrangements = Arrangements(views=(view("Doors", equal_layout(2)),))
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("w", *"tty3", "insert")
        await shows(pilot, "Terminal", "< live >")
        await pilot.press("enter", *["right"] * 6, "f10")
        await until(pilot, lambda: bool(engine.arrangements.start_up))
        assert engine.arrangements.start_up == (StartUpRow(terminal="tty3", shows="view Doors"),)
        await shows(pilot, "tty3")
        await pilot.press("delete")
        await until(pilot, lambda: not engine.arrangements.start_up)


async def test_start_up_rows_of_two_consoles_are_both_kept(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.arrangements = Arrangements(start_up=(StartUpRow(terminal="tty1", shows="alarms"),))
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("w", *"tty3", "insert")
        await shows(pilot, "Terminal", "< live >")
        # Another console saves while this form is open.
        theirs = (
            StartUpRow(terminal="tty1", shows="alarms"),
            StartUpRow(terminal="tty2", shows="playback"),
        )
        engine.arrangements = structs.replace(engine.arrangements, start_up=theirs)
        await pilot.press("f10")
        await shows(pilot, "tty1", "tty2", "tty3")
        ours = StartUpRow(terminal="tty3", shows="live")
        assert engine.arrangements.start_up == (*theirs, ours)
        # The same row changed by both: the first wins, the second is told.
        await pilot.press(*"tty2", "enter")
        await shows(pilot, "Terminal", "< playback >")
        changed = StartUpRow(terminal="tty2", shows="none")
        engine.arrangements = structs.replace(engine.arrangements, start_up=(theirs[0], changed, ours))
        await pilot.press("enter", "right", "f10")
        await shows(pilot, "tty2 was changed elsewhere meanwhile")
        assert engine.arrangements.start_up == (theirs[0], changed, ours)


async def test_wrong_start_up_rows_are_told_in_the_form_and_leaving_it_saves_nothing(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.arrangements = Arrangements(start_up=(StartUpRow(terminal="tty1", shows="alarms"),))
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("w", *"tty", "insert")
        await shows(pilot, "Terminal")
        await pilot.press(*"/dev/tty1", "f10")
        await shows(pilot, "tty1 has a row: enter on it changes it")
        await pilot.press("ctrl+u", *"my tty", "f10")
        await shows(pilot, "tty1 as `tty` names it, ssh, or *")
        await pilot.press("escape")
        await shows(pilot, "Start-up", "ins new")
        assert not [name for name, _ in engine.calls if name == "put_start_up"]
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.base)


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        ("live", "Live  2x2  cameras"),
        ("alarms", "no alarms"),
        ("view doors", "Live  Doors"),
        ("tour Night", "Night: Doors"),
        ("view Gone", "start-up: there is no view 'Gone'; this is the dashboard"),
        ("dashboard", "5 of 8"),
    ],
)
async def test_a_console_begins_with_what_its_terminal_shows(tmp_path: Path, shown: str, words: str) -> None:
    engine = FakeEngine()
    engine.arrangements = Arrangements(
        views=(view("Doors", equal_layout(2)),),
        tours=(Tour(name="Night", stops=(TourStop(view="Doors"),)),),
        start_up=(StartUpRow(terminal="*", shows="playback"), StartUpRow(terminal="tty1", shows=shown)),
    )
    app = app_for(engine, tmp_path)
    app.terminal_names = ("tty1", "*")
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, words)


async def test_a_terminal_without_display_is_empty_until_a_key(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.arrangements = Arrangements(start_up=(StartUpRow(terminal="*", shows="none"),))
    app = app_for(engine, tmp_path)
    app.terminal_names = ("pts/3", "ssh", "*")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: not screen_text(app).strip())
        engine.tick()
        engine.raise_alarm()
        await pilot.pause(0.1)
        assert not screen_text(app).strip()
        await pilot.press("7")
        await shows(pilot, "5 of 8")


# -- the camera in hand, words, buttons ------------------------------------------------------------------


async def test_an_instant_bookmark_keeps_the_last_ten_seconds_and_can_be_taken_back(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("b")
        await shows(pilot, "bookmark driveway 14:03:20: the last 10 s are kept")
        (made,) = [call for name, call in engine.calls if name == "add_bookmark"]
        assert isinstance(made, BookmarkAdd)
        assert (made.camera, made.end_us) == ("driveway", made.start_us + 10_000_000)
        await pilot.press("z")
        await shows(pilot, "undone: bookmark driveway")
        assert [name for name, _ in engine.calls if name == "remove_bookmark"] == ["remove_bookmark"]


@pytest.mark.parametrize(
    ("key", "scope"), [("p", "playback"), ("t", "thumbnails"), ("k", "motion"), ("r", "recordings")]
)
async def test_keys_lead_to_what_this_camera_recorded(tmp_path: Path, key: str, scope: str) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press(key)
        await until(pilot, lambda: app.front == scope)


async def test_words_are_chosen_for_console_view_and_cell_and_kept(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    app.desk.wall_file = tmp_path / "wall.toml"
    async with app.run_test(size=(132, 43)) as pilot:
        await open_wall(pilot)
        await pilot.press("i")
        await shows(pilot, "Words on pictures")
        await pilot.press("down", "down", "space", "down", "space", "down", "space", "down", "space", "f10")
        await shows(pilot, "driveway  ■ recording  H.264  1920x1080  25.00 fps  3.91 Mbit/s")
        await until(pilot, lambda: (tmp_path / "wall.toml").exists())
        assert '"throughput"' in (tmp_path / "wall.toml").read_text()
        await pilot.press("I")
        await until(pilot, lambda: "H.264" not in screen_text(app))
        await pilot.press("I", "i")
        await pilot.press("up", "up", "up", "right", "right", "up", "right", "f10")
        await until(pilot, lambda: wall_of(app).overlay.of(wall_of(app).now.camera).is_on_top)
        panes = app.base.query(WordsPane)
        await until(pilot, lambda: 2 in {pane.region.y for pane in panes if pane.display})
        assert app.desk.overlay == Overlay(
            ("name", "state", "codec", "resolution", "fps", "throughput", "time")
        )


async def test_a_view_brings_its_own_words_and_the_next_one_those_of_the_console(tmp_path: Path) -> None:
    engine = FakeEngine()
    rates = view("Rates", equal_layout(1), "driveway")
    rates = structs.replace(rates, overlay=("fps", "throughput"), is_overlay_on_top=True)
    engine.arrangements = Arrangements(views=(rates, view("Plain", equal_layout(1), "driveway")))
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await type_line(pilot, "view rates")
        text = await shows(pilot, "► 25.00 fps  3.91 Mbit/s")
        assert "25.00 fps" in text.splitlines()[2]
        await type_line(pilot, "save view rates2")
        await shows(pilot, "view rates2 saved")
        saved = engine.arrangements.views[-1]
        assert (saved.overlay, saved.is_overlay_on_top) == (("fps", "throughput"), True)
        await type_line(pilot, "view plain")
        await shows(pilot, "► driveway  ■ recording")


async def test_buttons_are_pressed_by_their_keys_and_arrows_still_select(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("g")
        buttons = [button.name for button in await app.desk.client.virtual_triggers()]
        if not buttons:
            pytest.fail("the scripted station has no button")
        await shows(pilot, f" 1  {buttons[0]}")
        await pilot.press("right", "1")
        await shows(pilot, f"pressed: {buttons[0]}")
        assert wall_of(app).now.selected == 1
        await pilot.press("escape")
        await until(pilot, lambda: f" 1  {buttons[0]}" not in screen_text(app))


async def test_read_only_mode_looks_and_changes_nothing(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path, is_read_only=True)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        for keys in (("b",), ("s",), ("V",), ("g", "1", "escape")):
            await pilot.press(*keys)
            await shows(pilot, "read-only mode: nothing is changed")
            await pilot.press("escape")
        await pilot.press("x", "right", "x")
        assert names(app)[:2] == ["front-door", "driveway"]
        changes = {"put_view", "put_layout", "add_bookmark", "fire_trigger"}
        assert not changes & {name for name, _ in engine.calls}


async def test_pictures_are_asked_for_only_while_the_wall_is_in_front(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await until(pilot, lambda: len([c for c in pictures(app) if c.picture]) == 3)
        await pilot.press("1")
        await shows(pilot, "5 of 8")
        count = sum(name == "picture" for name, _ in engine.calls)
        await asyncio.sleep(1.2)
        assert sum(name == "picture" for name, _ in engine.calls) == count
        await pilot.press("7")
        await until(pilot, lambda: sum(name == "picture" for name, _ in engine.calls) > count)


async def test_a_renamed_camera_stays_and_a_removed_one_says_so(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("x", "right", "x")
        engine.change_camera("driveway", name="Einfahrt")
        await shows(pilot, "Einfahrt")
        await app.desk.client.remove_camera("Einfahrt")
        await shows(pilot, "this camera was removed")


async def test_show_target_opens_that_camera_alone(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        wall_of(app).show_target("cellar", None)
        await shows(pilot, "FULL  cellar")
        assert replace(wall_of(app).now, selected=0).cameras[0] == wall_of(app).now.camera
        assert standard_layout("2x2") == wall_of(app).now.layout
