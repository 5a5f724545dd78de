"""Sounds of alarms (AA-10): consoles ring by the alarm's own mark; the box rings its beeper, one pattern after the other."""

from __future__ import annotations

from typing import Protocol

from engine.alarms.actions.occasion import Occasion
from engine.wire_alarm_rules import SoundAction
from storage.errors import InvalidInput

PLACES = ("console", "box", "both")


class Beeper(Protocol):
    """engine.alarms.actions.box_beeper.BoxBeeper."""

    async def ring(self, pattern: int) -> None:
        """Returns when it has rung. Raises WatchdeckError where the box has no beeper, saying why."""
        ...


def check_sound(action: SoundAction) -> None:
    """Raises InvalidInput."""
    if action.where not in PLACES:
        raise InvalidInput(f"$.where: no {action.where[:20]!r}", f"choose one of {', '.join(PLACES)}")


class Ringer:
    def __init__(self, beeper: Beeper) -> None:
        self._beeper = beeper

    async def perform(self, action: SoundAction, occasion: Occasion) -> str:
        """Raises WatchdeckError when the box cannot ring."""
        check_sound(action)
        if action.where == "console":
            return "rung by the consoles"
        await self._beeper.ring(action.pattern)
        return "rung by the box" + (" and the consoles" if action.where == "both" else "")
