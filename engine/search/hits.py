"""Moments of motion to stretches: what is near enough in time is one, what is too short is none. Pure. Manual row SS-08."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from engine.wire_search import MotionHit

STRETCHES_LIMIT = 20_000
"""Held in memory, the short ones among them; beyond this a search is cut."""


@dataclass(slots=True)
class _Stretch:
    start_us: int
    end_us: int
    peak_us: int
    peak_cells: int


class Stretches:
    """Grows in any order; what is within `join_us` of each other is one."""

    def __init__(self, join_us: int, least_us: int) -> None:
        self._join_us = join_us
        self._least_us = least_us
        self._found: list[_Stretch] = []

    def add(self, start_us: int, end_us: int, cells: int) -> None:
        """So many cells moved at `start_us`; nothing else is known until `end_us`."""
        new = _Stretch(start_us, max(end_us, start_us + 1), start_us, cells)
        found = self._found
        place = bisect_left(found, start_us, key=lambda each: each.start_us)
        if place and new.start_us - found[place - 1].end_us <= self._join_us:
            place -= 1
            new = _joined(found.pop(place), new)
        while place < len(found) and found[place].start_us - new.end_us <= self._join_us:
            new = _joined(new, found.pop(place))
        found.insert(place, new)

    @property
    def is_full(self) -> bool:
        return len(self._found) >= STRETCHES_LIMIT

    def __len__(self) -> int:
        return len(self._found)

    def drop_short(self, before_us: int) -> None:
        """Those that ended so long ago that nothing can lengthen them any more."""
        self._found = [
            each
            for each in self._found
            if each.end_us - each.start_us >= self._least_us or each.end_us + self._join_us >= before_us
        ]

    def hits(self, limit: int) -> tuple[tuple[MotionHit, ...], bool]:
        """The first so many that are long enough, and whether there are more."""
        long = [each for each in self._found if each.end_us - each.start_us >= self._least_us]
        return tuple(
            MotionHit(
                start_us=each.start_us,
                end_us=each.end_us,
                peak_us=each.peak_us,
                peak_cells=each.peak_cells,
            )
            for each in long[:limit]
        ), len(long) > limit


def _joined(one: _Stretch, other: _Stretch) -> _Stretch:
    peak = max(one, other, key=lambda each: each.peak_cells)
    return _Stretch(
        min(one.start_us, other.start_us), max(one.end_us, other.end_us), peak.peak_us, peak.peak_cells
    )
