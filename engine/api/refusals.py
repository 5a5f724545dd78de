"""Callers who may not: events at once, `login.brute_force` when it goes on, and a count instead of a flood.

The first few calls of a minute are said one by one; the rest of it is one operation with their number. Loop only.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from engine.events import EventBus
from storage.catalog.records import Severity

THRESHOLD = 5
"""Refused calls within WINDOW_S from which on somebody tries doors."""
WINDOW_S = 60.0
CALLERS_LIMIT = 256
"""Remembered at the same time; the one refused longest ago is forgotten, with its count said."""


@dataclass(slots=True)
class _Window:
    timer: asyncio.TimerHandle
    count: int = 0
    said: int = 0
    """Of them, one by one or in a sum."""


class Refusals:
    """Counts by caller, in windows of a minute that begin with the first refusal and go on while there are more."""

    def __init__(self, events: EventBus, say_more: Callable[[str, str], None]) -> None:
        """`say_more(who, text)` keeps an operation without waiting."""
        self._events = events
        self._say_more = say_more
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def note(self, who: str, what: str) -> bool:
        """One more. False: do not write it down by itself, it will be counted."""
        window = self._windows.get(who)
        if window is None:
            window = self._windows[who] = _Window(self._timer(who))
            if len(self._windows) > CALLERS_LIMIT:
                self._forget(next(iter(self._windows)))
        self._windows.move_to_end(who)
        window.count += 1
        if window.count > THRESHOLD:
            return False
        window.said = window.count
        self._events.publish("login.refused", what, severity=Severity.WARNING, source=who)
        if window.count == THRESHOLD:
            self._events.publish(
                "login.brute_force",
                f"{who} was refused {THRESHOLD} times within a minute",
                severity=Severity.CRITICAL,
                source=who,
            )
        return True

    def _timer(self, who: str) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(WINDOW_S, self._end, who)

    def _end(self, who: str) -> None:
        """Of a window: while somebody goes on, a sum a minute is all that is said."""
        window = self._windows[who]
        if self._sum_up(who, window):
            window.timer = self._timer(who)
        else:
            del self._windows[who]

    def _sum_up(self, who: str, window: _Window) -> bool:
        more = window.count - window.said
        window.said = window.count
        if more:
            self._say_more(who, f"{more} more refused call{'' if more == 1 else 's'} within a minute")
        return more > 0

    def _forget(self, who: str) -> None:
        window = self._windows.pop(who)
        window.timer.cancel()
        self._sum_up(who, window)

    def close(self) -> None:
        """The engine stops: say what was only counted so far."""
        while self._windows:
            self._forget(next(iter(self._windows)))
