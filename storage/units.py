"""Units of the whole product: microseconds, ticks, bytes. Pure functions, no state.

Absolute time is an `int` of microseconds since the Unix epoch, UTC, in names ending in `_us`.
Media time is an `int` of ticks of a track's `time_base_hz`, in names ending in `_ticks`; it is turned
into microseconds only at the edges of a segment, because summing rounded frame durations drifts.
"""

from __future__ import annotations

from dataclasses import dataclass

US_PER_SECOND = 1_000_000
US_PER_HOUR = 3600 * US_PER_SECOND
US_PER_DAY = 24 * US_PER_HOUR


def ticks_to_us(ticks: int, time_base_hz: int) -> int:
    """Media ticks as microseconds, rounded half up (exact for any sign)."""
    return (2 * ticks * US_PER_SECOND + time_base_hz) // (2 * time_base_hz)


def us_to_ticks(us: int, time_base_hz: int) -> int:
    """Microseconds as media ticks, rounded half up."""
    return (2 * us * time_base_hz + US_PER_SECOND) // (2 * US_PER_SECOND)


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """Half-open stretch of absolute time, [start_us, end_us)."""

    start_us: int
    end_us: int

    def __post_init__(self) -> None:
        if self.end_us < self.start_us:
            raise ValueError(f"interval ends before it starts: {self.start_us}..{self.end_us}")

    @property
    def duration_us(self) -> int:
        return self.end_us - self.start_us

    def overlaps(self, other: Interval) -> bool:
        return self.start_us < other.end_us and other.start_us < self.end_us

    def clipped_to(self, other: Interval) -> Interval | None:
        """The part inside `other`, or None when nothing is left."""
        start_us, end_us = max(self.start_us, other.start_us), min(self.end_us, other.end_us)
        return Interval(start_us, end_us) if start_us < end_us else None


def merged(intervals: list[Interval], join_within_us: int = 0) -> list[Interval]:
    """Sorted union; neighbours at most `join_within_us` apart become one."""
    result: list[Interval] = []
    for interval in sorted(intervals):
        if result and interval.start_us <= result[-1].end_us + join_within_us:
            if interval.end_us > result[-1].end_us:
                result[-1] = Interval(result[-1].start_us, interval.end_us)
        else:
            result.append(interval)
    return result
