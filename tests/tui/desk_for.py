"""A console on the scripted engine, for Pilot and snapshot tests: fixed clock, zone, terminal and folder."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any

from textual.app import App
from textual.pilot import Pilot

from tests.fakes.engine import FakeEngine
from tui.app import WatchdeckApp
from tui.connection import Connection
from tui.desk import Desk
from tui.keymap import Keymap
from tui.mirror import Mirror
from tui.profile import TerminalProfile
from tui.themes import register_themes
from widgets.glyphs import GLYPH_SETS


class ScriptClock:
    """Monotonic seconds that follow the fake engine's clock."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine

    def __call__(self) -> float:
        return self._engine.clock.monotonic_us() / 1_000_000


def desk_for(
    engine: FakeEngine,
    folder: Path,
    profile: TerminalProfile | None = None,
    *,
    zone: tzinfo = UTC,
    is_read_only: bool = False,
) -> Desk:
    """Everything the app needs, on the fake engine."""
    profile = profile or TerminalProfile()
    mirror = Mirror(ScriptClock(engine))
    return Desk(
        blinking=profile.blinking,
        mirror=mirror,
        connection=Connection(engine.client(), mirror),
        profile=profile,
        glyphs=GLYPH_SETS[profile.glyphs],
        zone=zone,
        folder=folder,
        is_read_only=is_read_only,
    )


def app_for(
    engine: FakeEngine,
    folder: Path,
    profile: TerminalProfile | None = None,
    *,
    keymap: Keymap | None = None,
    is_read_only: bool = False,
) -> WatchdeckApp:
    register_themes()
    return WatchdeckApp(desk_for(engine, folder, profile, is_read_only=is_read_only), keymap or Keymap({}))


async def until(pilot: Pilot[Any], condition: Callable[[], bool], *, tries: int = 300) -> None:
    """Let the app work until the condition holds; fails with the screen when it never does."""
    for _ in range(tries):
        await pilot.pause()
        if condition():
            return
        await pilot.pause(0.02)
    raise AssertionError(f"waited in vain; the screen:\n{screen_text(pilot.app)}")


async def shows(pilot: Pilot[object], *words: str) -> str:
    """Wait until all of these stand on the screen; the whole text."""
    await until(pilot, lambda: all(word in screen_text(pilot.app) for word in words))
    return screen_text(pilot.app)


def screen_text(app: App[object]) -> str:
    """What stands on the screen, as text."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)
