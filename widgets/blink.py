"""One beat for all lamps of a screen, so that lamps of one rate blink in phase.

    beat = BlinkBeat(node, turned)    `turned(rates)` is called with the rates whose lamps changed
    beat.follow(rates)                the rates in sight: the timer runs only while one of them blinks
    beat.is_lit(rate)

It draws nothing. A lamp that stands still is `off` or `steady`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Literal

from textual.dom import DOMNode
from textual.timer import Timer

Rate = Literal["off", "steady", "4hz", "1hz", "0.25hz"]

BEAT_S: Final = 0.125
"""Half a period of the fastest lamp."""
BEATS: Final[dict[Rate, int]] = {"4hz": 1, "1hz": 4, "0.25hz": 16}
"""Beats for which a lamp stays lit, and then dark."""


class BlinkBeat:
    """Counts half periods. Owned by whoever is on the screen; `stop` when it leaves."""

    def __init__(self, node: DOMNode, turned: Callable[[frozenset[Rate]], None]) -> None:
        self._node = node
        self._turned = turned
        self._timer: Timer | None = None
        self._rates: frozenset[Rate] = frozenset()
        self._count = 0

    @property
    def is_running(self) -> bool:
        return self._timer is not None

    def follow(self, rates: Iterable[Rate]) -> None:
        """Blink these; without any the timer stops and every lamp counts as lit."""
        self._rates = frozenset(rate for rate in rates if rate in BEATS)
        if self._rates and self._timer is None:
            self._count = 0
            self._timer = self._node.set_interval(BEAT_S, self.advance, name="blink")
        elif not self._rates:
            self.stop()

    def stop(self) -> None:
        """The screen is not shown."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._count = 0

    def advance(self) -> None:
        """One beat."""
        self._count += 1
        changed = frozenset(rate for rate in self._rates if self._count % BEATS[rate] == 0)
        if changed:
            self._turned(changed)

    def is_lit(self, rate: Rate) -> bool:
        """Whether a lamp of this rate shines now; all rates begin lit."""
        if rate in BEATS:
            return self._count // BEATS[rate] % 2 == 0
        return rate == "steady"
