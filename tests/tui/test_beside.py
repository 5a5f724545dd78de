"""What is kept with one key (a snapshot, an instant bookmark, a button) never waits for the one before it, nor ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from engine import wire
from engine.wire_bookmarks import BookmarkAdd
from tests.fakes.engine import FakeEngine, FakeEngineClient
from tests.tui.desk_for import app_for, shows, until
from tests.tui.wall_steps import SIZE, open_wall
from tui.app import WatchdeckApp
from tui.commands import Scope
from tui.work import BESIDE_MOST
from widgets.pick_dialog import PickDialog


def slow(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    gate: asyncio.Event,
    is_slow: Callable[..., bool] = lambda *_: True,
) -> list[Any]:
    """Calls of this name wait for the gate; what they were called with."""
    call: Callable[..., Awaitable[Any]] = getattr(FakeEngineClient, name)
    calls: list[Any] = []

    async def wait(self: FakeEngineClient, *args: Any, **named: Any) -> Any:
        if is_slow(*args):
            calls.append(args[0])
            await gate.wait()
        return await call(self, *args, **named)

    monkeypatch.setattr(FakeEngineClient, name, wait)
    return calls


def is_jpeg(request: wire.PictureRequest) -> bool:
    return request.format == "jpeg"


def told(app: WatchdeckApp, word: str) -> list[str]:
    return [line.text for line in app.desk.log if word in line.text]


async def test_two_snapshots_of_one_second_are_two_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    calls = slow(monkeypatch, "picture", gate, is_jpeg)
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("c", "c", "right", "c")
        await until(pilot, lambda: len(calls) == 3)
        await pilot.press("a")  # a dialog, too, opens while they are made
        await until(pilot, lambda: isinstance(app.screen, PickDialog))
        gate.set()
        await until(pilot, lambda: len(told(app, "saved")) == 3)
        assert len(set(told(app, "saved"))) == 3
        names = sorted(path.name for path in tmp_path.iterdir())
        assert names[:2] == ["driveway-2026-03-04-140320-2.jpg", "driveway-2026-03-04-140320.jpg"]
        assert len(names) == 3
        assert not [name for name in names if "part" in name]


async def test_too_many_snapshots_at_once_are_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    calls = slow(monkeypatch, "picture", gate, is_jpeg)
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press(*"c" * (BESIDE_MOST + 1))
        await shows(pilot, f"{BESIDE_MOST} of these are still under way")
        gate.set()
        await until(pilot, lambda: len(told(app, "saved")) == BESIDE_MOST)
        assert len(calls) == BESIDE_MOST
        await pilot.press("c")
        await until(pilot, lambda: len(told(app, "saved")) == BESIDE_MOST + 1)


async def test_instant_bookmarks_are_of_the_moment_of_their_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    calls = slow(monkeypatch, "add_bookmark", gate)
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        await pilot.press("b", "right", "b")
        await until(pilot, lambda: len(calls) == 2)
        gate.set()
        await until(pilot, lambda: len(told(app, "are kept")) == 2)
        cameras = [call.camera for call in calls if isinstance(call, BookmarkAdd)]
        assert len(set(cameras)) == 2
        assert len(app.desk.undo) == 2


@pytest.mark.parametrize(("screen", "words", "key"), [("8", "Playback", "c"), ("3", "recorded  span", "s")])
async def test_bookmarks_and_snapshots_of_recorded_time_stand_beside_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, screen: str, words: str, key: str
) -> None:
    gate = asyncio.Event()
    bookmarks = slow(monkeypatch, "add_bookmark", gate)
    pictures = slow(monkeypatch, "picture", gate, is_jpeg)
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press(screen)
        await shows(pilot, words)
        await pilot.press(key, "b", "b", key)
        await until(pilot, lambda: (len(bookmarks), len(pictures)) == (2, 2))
        gate.set()
        await until(pilot, lambda: len(told(app, "saved")) == 2 and len(told(app, "takes it back")) == 2)


async def test_a_snapshot_of_cameras_is_of_the_one_the_key_was_pressed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    calls = slow(monkeypatch, "picture", gate, is_jpeg)
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2")
        await until(pilot, lambda: app.front is Scope.CAMERAS and app.view is not None)
        await shows(pilot, "Last seen")
        await pilot.press("s", "down", "s")
        await until(pilot, lambda: len(calls) == 2)
        gate.set()
        await until(pilot, lambda: len(told(app, "saved")) == 2)
        assert len({call.camera for call in calls}) == 2


async def test_buttons_pressed_in_a_row_are_all_pressed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    calls = slow(monkeypatch, "fire_trigger", gate)
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot)
        button = (await app.desk.client.virtual_triggers())[0].name
        await pilot.press("g")
        await shows(pilot, f" 1  {button}")
        await pilot.press("1", "1")
        await until(pilot, lambda: len(calls) == 2)
        gate.set()
        await until(pilot, lambda: len(told(app, "pressed")) == 2)


async def test_cameras_switched_in_a_row_can_all_be_switched_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    calls = slow(monkeypatch, "edit_camera", gate)
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2")
        await shows(pilot, "Last seen")
        await pilot.press("o", "down", "o")
        await until(pilot, lambda: len(calls) == 2)
        gate.set()
        await until(pilot, lambda: len(app.desk.undo) == 2)
        assert len(set(calls)) == 2
