"""The live wall by keys alone, on a scripted engine: what it shows, and how it is arranged."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import wire
from engine.wire_pictures import LiveStream
from storage.errors import PictureUnavailable
from tests.fakes.engine import FakeEngine
from tests.tui.desk_for import app_for, screen_text, shows, until
from tests.tui.wall_steps import (
    LINUX,
    SIZE,
    layout_rows,
    names,
    open_wall,
    pictures,
    type_line,
    wall_of,
)
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


async def test_hints_of_the_title_are_whole_or_not_there(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=(40, 12)) as pilot:
        await shows(pilot, "14:03:20")
        await pilot.press("7")
        for keys, title in (
            ((), " Live  2x2  cameras 1-4 of 8  1 down"),
            (("enter",), " FULL  driveway  +/- zoom"),
            (("plus",), " FULL  driveway  1.5x  PAN  arrows move"),
            (("escape", "m"), " MOVE  driveway: arrows"),
            (("escape", "e"), " EDIT   shift+arrows, HJKL grow"),
        ):
            await pilot.press(*keys)
            await until(pilot, lambda title=title: screen_text(app).splitlines()[1].rstrip() == title)


async def test_hints_beside_wide_names_have_room_for_their_cells(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    name = "駐車場の北側の入口" * 2 + "東側"
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        engine.change_camera("driveway", name=name)
        await shows(pilot, "駐車場")
        for keys, title in (
            (("enter",), f" FULL  {name}  +/- zoom  arrows other cameras"),
            (("escape", "m"), f" MOVE  {name}: arrows  m puts it there"),
        ):
            await pilot.press(*keys)
            await until(pilot, lambda title=title: screen_text(app).splitlines()[1].rstrip() == title)
