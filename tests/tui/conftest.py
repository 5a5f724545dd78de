"""Pilots here wait for the event loop, not for the processor; and for a key until what it does is done."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.pilot_idle import quick_pilot
from tui.key_order import KeyOrderMixin

__all__ = ["quick_pilot"]


@pytest.fixture(autouse=True)
def pressed_keys_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app hands on a key when the one before has ended; a pilot that went on at once would look too early."""
    press = Pilot.press

    async def press_and_wait(self: Pilot[Any], *keys: str) -> None:
        await press(self, *keys)
        app = self.app
        while isinstance(app, KeyOrderMixin) and app.is_running and app.is_key_in_work:
            await asyncio.sleep(0.001)

    monkeypatch.setattr(Pilot, "press", press_and_wait)
