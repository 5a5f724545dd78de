"""Steps that tests of playback share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from engine import wire
from storage.units import US_PER_SECOND
from tests.fakes.engine import SCRIPT_NOW_US, FakeEngine
from tests.tui.desk_for import app_for, shows, until
from tui.app import WatchdeckApp
from tui.profile import TerminalProfile
from tui.screens.playback import PlaybackView

HOUR_US = SCRIPT_NOW_US - (3 * 60 + 20) * US_PER_SECOND
GAP_START_US = HOUR_US - 143 * 60 * US_PER_SECOND
"""Of driveway, for 20 minutes."""


class Played:
    """A console with playback in front."""

    def __init__(self, engine: FakeEngine, app: WatchdeckApp, pilot: Pilot[Any]) -> None:
        self.engine, self.app, self.pilot = engine, app, pilot

    @property
    def view(self) -> PlaybackView:
        return self.app.screen_stack[0].query_one(PlaybackView)

    @property
    def playhead_us(self) -> int:
        return self.view.clock.playhead_us

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def pass_s(self, seconds: float) -> None:
        """The engine's clock goes on; the console notices by itself."""
        self.engine.clock.advance(round(seconds * US_PER_SECOND))
        self.view.tell_clock()
        self.view.moved()
        await self.pilot.pause()

    def requests(self, camera: str = "driveway") -> list[wire.PictureRequest]:
        return [
            argument
            for name, argument in self.engine.calls
            if name == "picture" and isinstance(argument, wire.PictureRequest) and argument.camera == camera
        ]

    async def loaded(self) -> None:
        """The timeline knows what is recorded."""
        await until(self.pilot, lambda: self.view.footage() is not None)


@asynccontextmanager
async def playback(
    folder: Path, engine: FakeEngine | None = None, size: tuple[int, int] = (80, 24), **profile: Any
) -> AsyncIterator[Played]:
    engine = engine or FakeEngine()
    app = app_for(engine, folder, TerminalProfile(**profile))
    async with app.run_test(size=size) as pilot:
        await shows(pilot, "of 8") if engine.cameras == 8 else await pilot.pause()
        await pilot.press("8")
        played = Played(engine, app, pilot)
        await until(pilot, lambda: bool(app.screen_stack[0].query(PlaybackView)))
        await played.loaded()
        yield played
