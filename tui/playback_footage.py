"""What is recorded of the cameras that are played, as far as it is known: where playback may stand, and where it goes over a gap. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

Stretch = tuple[int, int]
"""[start_us, end_us)."""


class Place(Enum):
    """What is at a time."""

    RECORDED = "recorded"
    GAP = "gap"
    """Nothing of any of the cameras."""
    UNKNOWN = "unknown"
    """Outside of what was asked for."""


@dataclass(frozen=True, slots=True)
class Footage:
    """Recorded stretches of several cameras, merged and in order, known for [start_us, end_us)."""

    stretches: tuple[Stretch, ...] = ()
    start_us: int = 0
    end_us: int = 0
    edge_us: int | None = None
    """Where what is being recorded now ends; None = nothing is, or it is out of what is known."""

    def place(self, time_us: int) -> Place:
        """What is at this time."""
        if not self.start_us <= time_us < self.end_us:
            return Place.UNKNOWN
        at = self._at_or_before(time_us)
        return Place.RECORDED if at >= 0 and time_us < self.stretches[at][1] else Place.GAP

    def next_us(self, time_us: int, direction: int) -> int | None:
        """The nearest instant with footage from here on, forwards (1) or backwards (-1); None = none that is known."""
        at = self._at_or_before(time_us)
        if at >= 0 and time_us < self.stretches[at][1]:
            return time_us
        if direction < 0:
            return self.stretches[at][1] - 1 if at >= 0 else None
        return self.stretches[at + 1][0] if at + 1 < len(self.stretches) else None

    def _at_or_before(self, time_us: int) -> int:
        """Index of the last stretch that begins at or before the time; -1 = none."""
        return bisect_right(self.stretches, time_us, key=lambda stretch: stretch[0]) - 1


def merged(cameras: Iterable[Iterable[Stretch]]) -> tuple[Stretch, ...]:
    """What at least one camera has."""
    result: list[Stretch] = []
    for start_us, end_us in sorted(stretch for camera in cameras for stretch in camera):
        if result and start_us <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end_us))
        else:
            result.append((start_us, end_us))
    return tuple(result)
