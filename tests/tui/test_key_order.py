"""Keys that come in one burst, as over a slow line, do what they would do one by one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual import events
from textual.app import App

from tests.fakes.engine import FakeEngine
from tests.tui.desk_for import app_for, shows, until
from tui.commands import Scope
from widgets.dialog import FormDialog

NAMES = {":": "colon", " ": "space", "/": "slash", "-": "minus", "\r": "enter"}


def burst(app: App[str], text: str) -> None:
    """All at once, as the driver hands on what was read together."""
    for character in text:
        key = NAMES.get(character, character)
        app.post_message(events.Key(key, None if character == "\r" else character))


async def test_what_is_typed_behind_a_colon_is_text_and_no_command(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2")
        await shows(pilot, "Last seen")
        # Every letter of it is a command of this screen: o switches the camera off, d removes it.
        burst(app, ":notify 30\r")
        await shows(pilot, "notifications are off here for 30 minutes")
        burst(app, "/garad")
        await until(pilot, lambda: app.view is not None and app.view.filter_text == "garad")
        assert not [name for name, _ in engine.calls if name in ("edit_camera", "remove_camera")]
        assert app.screen is app.base


async def test_what_is_typed_into_a_dialog_that_is_not_there_yet(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await shows(pilot, "recorded  span 6 h")
        burst(app, "J-15m")
        await until(pilot, lambda: isinstance(app.screen, FormDialog))
        await shows(pilot, "-15m")
        burst(app, "\r")
        await until(pilot, lambda: app.screen is app.base)
        assert app.front is Scope.RECORDINGS


async def test_a_key_whose_widget_goes_away_holds_up_nothing(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "5 of 8")
        for _ in range(5):
            burst(app, "2346:")
            await asyncio.sleep(0)
            app.post_message(events.Key("escape", "\x1b"))
        burst(app, "4")
        await until(pilot, lambda: app.front is Scope.EVENTS)


async def test_what_is_pasted_waits_for_the_key_before_it(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2")
        await shows(pilot, "Last seen")
        burst(app, "/")
        app.post_message(events.Paste("gar"))
        burst(app, "ad")
        await until(pilot, lambda: app.view is not None and app.view.filter_text == "garad")
        assert not [name for name, _ in engine.calls if name in ("edit_camera", "remove_camera")]


async def test_a_flood_of_keys_is_cut_and_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.key_order.KEPT", 64)
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "5 of 8")
        burst(app, "2")
        burst(app, "/" + "x" * 200)
        # The first keys count, the last are too many: the filter stands and holds what had room.
        await until(pilot, lambda: not app.is_key_in_work)
        view = app.view
        assert view is not None
        assert 0 < len(view.filter_text or "") <= 64
        told = [line.text for line in app.desk.log if "too many keys" in line.text]
        assert len(told) == 1
        await pilot.press("escape", "4")
        await until(pilot, lambda: app.front is Scope.EVENTS)
