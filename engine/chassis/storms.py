"""Keeps a thing that changes without end from filling the events: a drive with a loose plug, a device that calls itself something
else every second. What was held back is counted, and its last state is said. Pure but for its memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from engine.chassis.happenings import Happening
from storage.units import US_PER_SECOND

WINDOW_US = 600 * US_PER_SECOND
SOURCE_LIMIT = 10
"""Of one kind about one thing, in ten minutes."""
KIND_LIMIT = 100
"""Of one kind in all: a large box is filled with drives in one go."""
MEMORY_LIMIT = 1_000


@dataclass(slots=True)
class _Window:
    since_us: int
    said: int = 0
    held_back: int = 0
    last: Happening | None = None


class StormGuard:
    """On the monotonic clock."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], _Window] = {}

    def take(self, happenings: Iterable[Happening], now_us: int) -> list[Happening]:
        """What is to be said now: with what was held back earlier, when its ten minutes are over."""
        return [*self._ended(now_us), *(each for each in happenings if self._may_be_said(each, now_us))]

    def _may_be_said(self, happening: Happening, now_us: int) -> bool:
        own = self._window((happening.kind, happening.source), now_us)
        all_of_kind = self._window((happening.kind, ""), now_us)
        for window, limit in (
            (own, SOURCE_LIMIT if happening.source else KIND_LIMIT),
            (all_of_kind, KIND_LIMIT),
        ):
            if window.said >= limit:
                window.held_back += 1
                window.last = happening
                return False
        own.said += 1
        if all_of_kind is not own:
            all_of_kind.said += 1
        return True

    def _window(self, key: tuple[str, str], now_us: int) -> _Window:
        found = self._windows.get(key)
        if found is None:
            if len(self._windows) >= MEMORY_LIMIT:
                self._windows.pop(next((old for old in self._windows if old[1]), key), None)
            found = self._windows[key] = _Window(now_us)
        return found

    def _ended(self, now_us: int) -> list[Happening]:
        over = [key for key, window in self._windows.items() if now_us >= window.since_us + WINDOW_US]
        windows = [self._windows.pop(key) for key in over]
        return [
            replace(window.last, text=f"{window.last.text} ({window.held_back} such events in ten minutes)")
            for window in windows
            if window.last is not None
        ]
