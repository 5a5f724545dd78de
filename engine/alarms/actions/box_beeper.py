"""The box's own beeper as alarms ring it: five patterns of tones and pauses, through whoever looks after the chassis.

The drive service holds the speaker (it needs privileges); the beeper that sounds for a broken array already is left sounding. Loop
only; where the box has no speaker the reason is the action's result.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from engine.supervise import Sleep

PATTERNS: Mapping[int, tuple[tuple[int, int], ...]] = {
    1: ((200, 0),),
    2: ((200, 200), (200, 0)),
    3: ((120, 120), (120, 120), (120, 0)),
    4: ((800, 400), (800, 0)),
    5: ((150, 100), (150, 100), (150, 400), (150, 100), (150, 100), (150, 0)),
}
"""Milliseconds of tone and of the pause behind it."""


class Speaker(Protocol):
    """engine.chassis.lamps.Lamps."""

    async def sound(self, is_on: bool) -> None:
        """Raises WatchdeckError: no speaker, no permission, nobody who looks after the chassis."""
        ...


class BoxBeeper:
    """Rings one pattern at a time."""

    def __init__(self, speaker: Speaker, *, sleep: Sleep = asyncio.sleep) -> None:
        self._speaker = speaker
        self._sleep = sleep
        self._ringing = asyncio.Lock()

    async def ring(self, pattern: int) -> None:
        """Returns when it has rung. Raises WatchdeckError, and KeyError for a pattern that is none."""
        tones = PATTERNS[pattern]
        async with self._ringing:
            try:
                for tone_ms, pause_ms in tones:
                    await self._speaker.sound(True)
                    await self._sleep(tone_ms / 1000)
                    await self._speaker.sound(False)
                    await self._sleep(pause_ms / 1000)
            except asyncio.CancelledError:
                await self._speaker.sound(False)
                raise
