"""The live wall by keys alone, on a scripted engine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from engine import wire
from engine.wire_bookmarks import BookmarkAdd
from engine.wire_pictures import LiveStream
from engine.wire_wall import Layout, StartUpRow, Tour, TourStop, WallView
from storage.errors import PictureUnavailable
from tests.fakes.engine import FakeEngine
from tests.tui.desk_for import app_for, screen_text, shows, until
from tui.app import WatchdeckApp
from tui.profile import TerminalProfile
from tui.screens import wall_camera
from tui.screens.wall_cells import WordsPane
from tui.wall_layouts import rows_of_layout

# -- what is shown ---------------------------------------------------------------------------------------


async def test_the_first_start_shows_four_cameras_and_why_one_is_down(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        text = await open_wall(pilot, "2x2", "cameras 1-4 of 8", "1 without picture")
        assert names(app) == ["driveway", "front-door", "garden", "garage"]
        await until(pilot, lambda: [cell.picture is not None for cell in pictures(app)] == [True] * 3)
        text = await shows(pilot, "lost since 11:59:16 (2 h 4 min): no", "route to host 192.0.2.14")
        assert "► driveway  ■ recording  14:03:20" in text


async def test_a_camera_that_comes_back_gets_its_picture_and_one_that_goes_loses_it(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot, "lost since")
        engine.change_camera("garage", state=wire.CameraState.RECORDING, cause="")
        await until(pilot, lambda: len([c for c in pictures(app) if c.picture]) == 4)
        engine.change_camera("driveway", state=wire.CameraState.OFF, cause="switched off")
        await shows(pilot, "off since 12:02:19")
        assert len(pictures(app)) == 3


async def test_cells_without_room_for_a_picture_say_how_the_camera_is(tmp_path: Path) -> None:
    engine = FakeEngine(cameras=40)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "Storage")
        await pilot.press("7")
        await type_line(pilot, "layout 8x8")
        await shows(pilot, "8x8", "cam-040", "empty")
        asked = sum(name == "picture" for name, _ in engine.calls)
        assert pictures(app) == []
        engine.tick()
        await pilot.pause(0.1)
        assert sum(name == "picture" for name, _ in engine.calls) == asked
        panes = [pane.plain for pane in app.base.query(WordsPane) if pane.display]
        assert panes[3].splitlines() == ["  garage", "  x lost"]


async def test_another_layout_is_filled_and_pages_lead_through_all_cameras(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("l", *"1+5", "enter")
        await shows(pilot, "1+5", "cameras 1-6 of 8")
        await pilot.press("pagedown")
        await shows(pilot, "cameras 7-8 of 8")
        assert names(app) == ["parking-north", "server-room", "", "", "", ""]
        await pilot.press("pagedown")
        await shows(pilot, "these are the last cameras")
        await pilot.press("pageup")
        await shows(pilot, "cameras 1-6 of 8")


async def test_a_layout_is_found_by_typing_and_what_is_always_there_stays(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("l")
        await shows(pilot, "Vertical", "4 cells")
        await pilot.press("z")
        await shows(pilot, "no layout begins with 'z'")
        await pilot.press("4", "V", "plus")
        await shows(pilot, "4V+4", "8 cells")
        await pilot.press("delete")
        await shows(pilot, "this layout is always there")
        await pilot.press("escape", "escape")
        await shows(pilot, "2x2")


async def test_without_cameras_it_says_what_to_do(tmp_path: Path) -> None:
    app = app_for(FakeEngine(cameras=0), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "Dash")
        await pilot.press("7")
        await shows(pilot, "no camera yet (:camera add)")
        for key in ("c", "b", "p", "plus", "a", "m", "pagedown", "enter"):
            await pilot.press(key)
        await shows(pilot, "Live  2x2")


async def test_the_smallest_terminal_and_the_linux_console_show_it(tmp_path: Path) -> None:
    for size, profile in (((40, 12), None), ((80, 25), LINUX)):
        app = app_for(FakeEngine(), tmp_path, profile)
        async with app.run_test(size=size) as pilot:
            await shows(pilot, "8")
            await pilot.press("7")
            await until(pilot, lambda: any(c.picture for c in pictures(app)))  # noqa: B023
            text = screen_text(app)
            assert "driveway" in text
            if profile is not None:
                text.encode("cp437")


async def test_a_terminal_without_pictures_shows_words(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path, TerminalProfile(graphics="none"))
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot, "driveway", "■ recording")
        assert not [call for call in engine.calls if call[0] == "picture"]


# -- full picture, zoom ----------------------------------------------------------------------------------


async def test_enter_shows_one_camera_and_arrows_lead_to_the_others(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("enter")
        await shows(pilot, "FULL  driveway")
        assert len(pictures(app)) == 1
        await pilot.press("right")
        await shows(pilot, "FULL  front-door")
        await pilot.press("left", "left")
        await shows(pilot, "FULL  garage", "no route to host 192.0.2.14")
        await pilot.press("escape")
        await shows(pilot, "Live  2x2", "► garage")


async def test_zoom_asks_the_engine_for_the_part_that_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wall_camera, "FLASH_S", 3600.0)
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("enter", "plus", "plus")
        await shows(pilot, " PAN ", "2.0x driveway")
        monkeypatch.setattr(wall_camera, "FLASH_S", 0.01)
        await pilot.press("plus", "minus")
        await until(pilot, lambda: "2.0x driveway" not in screen_text(app))
        monkeypatch.setattr(wall_camera, "FLASH_S", 3600.0)
        await pilot.press("right", "up")
        wanted = (3750, 1250, 5000, 5000)
        await until(
            pilot, lambda: any(name == "picture" and call.region == wanted for name, call in engine.calls)
        )
        await pilot.press("c")
        await shows(pilot, "saved ")
        snapshots = [call for name, call in engine.calls if name == "picture" and call.format == "jpeg"]
        assert [(s.region, s.stream) for s in snapshots] == [(wanted, LiveStream.MAIN)]
        await pilot.press("0")
        await until(pilot, lambda: " PAN " not in screen_text(app))
        await shows(pilot, "1.0x driveway")


async def test_snapshot_lies_in_the_folder_and_a_failure_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("c")
        await shows(pilot, "saved ")
        assert [path.read_bytes()[:2] for path in tmp_path.glob("driveway*.jpg")] == [b"\xff\xd8"]

        async def fail(request: object) -> object:
            raise PictureUnavailable("camera driveway sends nothing", "wait")

        monkeypatch.setattr(app.desk.client, "picture", fail)
        await pilot.press("c")
        await shows(pilot, "snapshot of driveway: camera driveway sends nothing")


# -- arranging -------------------------------------------------------------------------------------------


async def test_cameras_are_picked_moved_swapped_and_taken_out(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("x", "right")
        await shows(pilot, " SWAP ", "here: driveway")
        await pilot.press("x")
        assert names(app) == ["front-door", "driveway", "garden", "garage"]
        await pilot.press("m", "down", "m")
        assert names(app) == ["front-door", "", "garden", "driveway"]
        await pilot.press("d", "enter")
        await shows(pilot, "Camera of this cell", "on the wall")
        await pilot.press("slash", *"server", "down", "enter")
        await until(pilot, lambda: names(app) == ["front-door", "", "garden", "server-room"])
        await pilot.press("ctrl+z", "u", "u")
        assert names(app) == ["front-door", "driveway", "garden", "garage"]
        await pilot.press("U", "ctrl+y", "ctrl+y", "U")
        await shows(pilot, "nothing to do again")
        assert names(app) == ["front-door", "", "garden", "server-room"]
        await pilot.press("m", "escape")
        await type_line(pilot, "pick camera cellar")
        await until(pilot, lambda: names(app)[3] == "cellar")


async def test_a_layout_is_made_by_keys_and_saved(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("l", "3", "enter")
        await shows(pilot, "3x3")
        await pilot.press("e", "shift+right", "J")
        await shows(pilot, " EDIT ", "╔═", "driveway")
        assert layout_rows(app) == ["AAB", "AAC", "DEF"]
        await pilot.press("x", "right")
        await shows(pilot, " SWAP ", "[x] driveway")
        await pilot.press("enter")
        assert names(app)[:2] == ["garden", "driveway"], "front-door was absorbed"
        await pilot.press("pagedown")
        await shows(pilot, "keep the layout (enter) or leave it (esc) first")
        await pilot.press("minus", "u", "escape")
        await shows(pilot, "the layout stays as it was")
        assert layout_rows(app) == ["ABC", "DEF", "GHI"]
        assert names(app)[:3] == ["driveway", "front-door", "garden"]
        await pilot.press("e", "L", "shift+down", "s", "G", "a", "t", "e", "enter")
        await shows(pilot, "layout Gate saved: 6 cells, 3 x 3")
        assert rows_of_layout(engine.arrangements.layouts[0]) == ["AAB", "AAC", "DEF"]
        await until(pilot, lambda: not wall_of(app).history.is_editing)
        await pilot.press("u")
        assert layout_rows(app) == ["ABC", "DEF", "GHI"]
        await type_line(pilot, "layout gate")
        await shows(pilot, "Live  Gate")
        await pilot.press("l", "G")
        await shows(pilot, "Own", "6 cells")
        await pilot.press("delete", "y")
        await until(pilot, lambda: engine.arrangements.layouts == ())
        await shows(pilot, "Vertical")


async def test_full_screen_has_no_bars_and_escape_brings_them_back(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("f")
        await until(pilot, lambda: "1 Dash" not in screen_text(app) and "Quit" not in screen_text(app))
        assert "Live  2x2" not in screen_text(app)
        await pilot.press("x", "x", "m", "x", "c")
        await shows(pilot, "saved")
        await pilot.press("escape")
        await shows(pilot, "1 Dash", "Live  2x2", "Quit")
        await pilot.press("f", "1")
        await shows(pilot, "1 Dashboard", "Quit")


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
    engine.arrangements = engine.arrangements.__class__(views=(view("A", equal_layout(2), "driveway"),))
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
    engine.arrangements = engine.arrangements.__class__(
        views=(view("Doors", two, "driveway"), view("Yard", one, "garden"))
    )
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
        await shows(pilot, " TOUR ", "Night: Yard, next Doors in 3")
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
    engine.arrangements = engine.arrangements.__class__(
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
    engine.arrangements = engine.arrangements.__class__(views=(view("Doors", equal_layout(2)),))
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("w", *"tty3", "insert")
        await shows(pilot, "Terminal", "< live >")
        await pilot.press("enter", "right", "right", "right", "right", "right", "f10")
        await until(pilot, lambda: bool(engine.arrangements.start_up))
        assert engine.arrangements.start_up == (StartUpRow(terminal="tty3", shows="view Doors"),)
        await shows(pilot, "tty3")
        await pilot.press("delete")
        await until(pilot, lambda: not engine.arrangements.start_up)


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        ("live", "Live  2x2  cameras"),
        ("alarms", "6 Alarms"),
        ("view doors", "Live  Doors"),
        ("tour Night", "Night: Doors"),
        ("view Gone", "start-up: there is no view 'Gone'; this is the dashboard"),
        ("dashboard", "5 of 8"),
    ],
)
async def test_a_console_begins_with_what_its_terminal_shows(tmp_path: Path, shown: str, words: str) -> None:
    engine = FakeEngine()
    engine.arrangements = engine.arrangements.__class__(
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
    engine.arrangements = engine.arrangements.__class__(start_up=(StartUpRow(terminal="*", shows="none"),))
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
        assert ("remove_bookmark", 7) in engine.calls


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
