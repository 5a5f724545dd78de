"""The frame by Pilot: engine absent, lost and back; views on number keys; help, command line, palette, read-only."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input, Static

from tests.fakes import chassis_views
from tests.fakes.engine import FakeEngine
from tests.tui.desk_for import app_for, screen_text, shows, until
from tui.app import DEMO
from tui.commands import Scope
from tui.keymap import Keymap
from tui.mirror import Link
from tui.profile import TerminalProfile
from tui.screens.frame import HeaderLine

SIZE = (80, 24)


async def test_it_connects_and_shows_the_dashboard(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        text = await shows(pilot, "5 of 8", "Storage", "Newest events", "6 Alarm")
        assert "no route to host" in text


async def test_without_an_engine_it_explains_how_to_start_one_and_offers_the_demo(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.stop()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "systemctl start watchdeck", "watchdeck engine --state DIR", "d  demo")
        await pilot.press("2")
        await shows(pilot, "systemctl start watchdeck")
        await pilot.press("d")
        await pilot.pause()
    assert app.return_value == DEMO


async def test_an_engine_that_comes_later_is_shown_without_a_restart(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.stop()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "No recording engine answers")
        engine.start()
        await pilot.press("R")
        await shows(pilot, "5 of 8")


async def test_a_lost_engine_gets_a_banner_and_nothing_is_shown_as_live(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2")
        await shows(pilot, "driveway", "Last seen")
        engine.stop()
        text = await shows(pilot, "engine lost since 14:03:20, trying again", "not live", "LOST")
        assert " now" not in text
        engine.start()
        await pilot.press("R")
        await until(pilot, lambda: "engine lost" not in screen_text(app))
        assert app.desk.mirror.link is Link.LIVE


async def test_silence_shows_how_old_the_data_is(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        engine.clock.advance(7_000_000)
        await shows(pilot, "data 7 s old")


async def test_number_keys_switch_views_and_keep_their_state(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2")
        await shows(pilot, "Last seen")
        await pilot.press("j", "j")
        await pilot.press("4")
        await shows(pilot, "all severities")
        await pilot.press("3")
        await shows(pilot, "span 6 h")
        await pilot.press("2")
        await until(pilot, lambda: app.front is Scope.CAMERAS)
        await shows(pilot, "► garden")
        await pilot.press("1")
        await shows(pilot, "Newest events")


async def test_keys_pressed_before_a_view_is_ready_do_no_harm(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("3", "right", "4", "2", "j", "3", "x", "1", "4", "3")
        await shows(pilot, "span 6 h")
        engine.tick()
        await shows(pilot, "span 6 h")


async def test_help_lists_the_keys_of_the_view_in_front(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=(100, 60)) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2")
        await shows(pilot, "Last seen")
        await pilot.press("question_mark")
        await shows(pilot, "Keys: Cameras", "Add a camera; it is tested", ":camera add", "Everywhere")
        await pilot.press("escape")
        await until(pilot, lambda: "Keys: Cameras" not in screen_text(app))


async def test_the_alarm_tab_is_called_by_its_words_in_help_and_palette(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=(100, 60)) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("colon", *"alarm tab", "enter")
        await until(pilot, lambda: app.front is Scope.ALARM_TAB and app.view is not None)
        await pilot.press("question_mark")
        await shows(pilot, "Keys: Alarm tab")
        await pilot.press("escape", "ctrl+p", *"pin")
        await shows(pilot, "Alarm tab: Pin")


async def test_long_lines_of_help_go_on_below_their_words_beside_the_scrollbar_too(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("6")
        await until(pilot, lambda: app.front is Scope.ALARMS and app.view is not None)
        await pilot.press("question_mark")
        await shows(pilot, "Keys: Alarms")
        page = app.screen.query_one("#page-text", Static)
        await until(pilot, lambda: page.size.width == 77)  # between a blank and the scrollbar
        assert max(len(row) for row in str(page.content).splitlines()) <= 77


async def test_the_command_line_completes_and_runs_commands_of_other_views(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("colon", *"cam")
        await shows(pilot, "tab: cameras")
        await pilot.press("tab", "tab", "tab")
        assert app.screen.query_one(Input).value == "camera add"
        await pilot.press("enter")
        await shows(pilot, "Add camera", "Password")


async def test_an_unknown_command_says_so_and_escape_leaves_the_line(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("colon", *"frobnicate", "enter")
        await shows(pilot, "no such command: frobnicate")
        await pilot.press("escape")
        await shows(pilot, "? Help")
        await pilot.press("at")
        await shows(pilot, "Command log", "no such command: frobnicate")


async def test_the_palette_finds_a_command_and_runs_it_in_its_view(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("ctrl+p")
        await shows(pilot, "Search for commands")
        await pilot.press(*"jump to")
        await shows(pilot, "Recordings: Jump to time")
        await pilot.press("down", "enter")
        await shows(pilot, "For example -15m")


async def test_read_only_mode_refuses_changes_and_says_so(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path, is_read_only=True)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "READ-ONLY")
        await pilot.press("2")
        await shows(pilot, "Last seen")
        for key in ("a", "e", "d", "o"):
            await pilot.press(key)
            await shows(pilot, "read-only mode: nothing is changed")
        await pilot.press("f12")
        await until(pilot, lambda: "READ-ONLY" not in screen_text(app))
        await pilot.press("a")
        await shows(pilot, "Add camera")
    assert not any(name in ("add_camera", "remove_camera", "edit_camera") for name, _ in engine.calls)


async def test_the_users_keymap_replaces_a_key_in_bindings_and_footer(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path, keymap=Keymap({"view.events": "f4", "cameras.add": "f5"}))
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("4")
        await shows(pilot, "Newest events")
        await pilot.press("f4")
        await shows(pilot, "all severities")
        await pilot.press("2")
        await shows(pilot, "f5 Add")


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (132, 43), (200, 60)])
async def test_every_view_survives_every_size(tmp_path: Path, size: tuple[int, int]) -> None:
    app = app_for(FakeEngine(cameras=40), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "36 of 39")
        for key, word in (("2", "Cameras  40"), ("3", "driveway"), ("4", "Events"), ("1", "recording")):
            await pilot.press(key)
            await shows(pilot, word)
            await pilot.resize_terminal(*size)
            await shows(pilot, word)
            await pilot.resize_terminal(*SIZE)


@pytest.mark.parametrize(
    "profile",
    [
        TerminalProfile(colors=8, glyphs="cp437", graphics="ascii", is_plain=True),
        TerminalProfile(colors=2, glyphs="ascii", graphics="ascii"),
    ],
    ids=["linux", "vt"],
)
async def test_plain_terminals_get_only_characters_they_have(
    tmp_path: Path, profile: TerminalProfile
) -> None:
    encoding = "cp437" if profile.glyphs == "cp437" else "ascii"
    app = app_for(FakeEngine(cameras=128), tmp_path, profile)
    async with app.run_test(size=(80, 25)) as pilot:
        await shows(pilot, "119")
        screen_text(app).encode(encoding)
        for key, word in (("2", "Last seen"), ("3", "span 6 h"), ("4", "all severities")):
            await pilot.press(key)
            (await shows(pilot, word)).encode(encoding)
        await pilot.press("question_mark")
        (await shows(pilot, "Everywhere")).encode(encoding)
        await pilot.press("escape", "ctrl+p")
        (await shows(pilot, "Search for commands")).encode(encoding)


async def test_quitting_leaves_the_engine_alone(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("q")
    assert app.return_value is None
    assert {name for name, _ in engine.calls} <= {"stream", "picture", "snapshot", "alarms"}


@pytest.mark.parametrize("width", [40, 50, 60, 70, 80, 100])
async def test_every_width_names_the_screen_in_front_and_the_key_of_every_other(
    tmp_path: Path, width: int
) -> None:
    app = app_for(FakeEngine(chassis=chassis_views.healthy_eight()), tmp_path)
    async with app.run_test(size=(width, 20)) as pilot:
        await shows(pilot, "5 of 8", "14:03:20")
        for key, title in (("f3", "Cam"), ("f6", "Bay"), ("f2", "Das")):
            await pilot.press(key)
            header = app.query_one(HeaderLine)
            await until(pilot, lambda: f" {title}" in header.plain)  # noqa: B023
            names = ("F2", "F3", "F4", "F5", "F6") if key == "f6" else "12345"
            assert all(f" {name}" in header.plain for name in names)
            assert len(header.plain) <= width
