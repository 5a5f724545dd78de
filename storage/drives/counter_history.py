"""One counter of a drive over time: how much it grew, how fast, on how many days. Pure; whoever judges brings the numbers.

Histories have holes (a drive sleeps, the engine was off) and are thinned with age, so that every question names the time
its answer really covers. A counter that falls was reset or healed: that is not growth.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from storage.units import US_PER_DAY


@dataclass(frozen=True, slots=True)
class Growth:
    """How much more there is than some time ago."""

    by: int
    since_us: int
    """When there was that much less."""
    over_us: int

    @property
    def a_day(self) -> float:
        """Over a day at least: what came in an hour is not extrapolated."""
        return self.by * US_PER_DAY / max(self.over_us, US_PER_DAY)


NO_GROWTH = Growth(by=0, since_us=0, over_us=0)


class CounterHistory:
    """Points in time order, the newest being now."""

    def __init__(self, points: Iterable[tuple[int, int | None]], now_us: int, value: int) -> None:
        """Points that are not known, or not older than now, are left out."""
        older = sorted(
            (time_us, count) for time_us, count in points if count is not None and time_us < now_us
        )
        self._points: list[tuple[int, int]] = [*older, (now_us, value)]
        self.now_us = now_us
        self.value = value

    def growth(self, over_us: int) -> Growth:
        """Against the last point at least that old; against the oldest one when all are newer."""
        before_us = self.now_us - over_us
        reference = max(
            (index for index, (time_us, _) in enumerate(self._points) if time_us <= before_us), default=0
        )
        window = self._points[reference:]
        grown = sum(max(0, later - earlier) for (_, earlier), (_, later) in pairwise(window))
        if not grown:
            return NO_GROWTH
        # the last point before anything grew: "since yesterday", not "since the last reading a month ago"
        start = next(index for index, (a, b) in enumerate(pairwise(window)) if b[1] > a[1])
        since_us = window[start][0]
        return Growth(by=grown, since_us=since_us, over_us=self.now_us - since_us)

    def growing_days(self, days: int) -> int:
        """On how many of the last days (24 h each, ending now) it grew."""
        grown = {
            (self.now_us - later_us) // US_PER_DAY
            for (_, earlier), (later_us, later) in pairwise(self._points)
            if later > earlier
        }
        return sum(1 for day in grown if day < days)

    def peak(self, over_us: int) -> tuple[int, int]:
        """(highest value, when it was last seen) within that time."""
        recent = [(value, time_us) for time_us, value in self._points if time_us >= self.now_us - over_us]
        return max(recent)
