"""Where the ticks of a time axis stand and what they say, right across clock changes. Pure; draws nothing.

Ticks stand on round *local* times: after a change to summer time midnight is still midnight. A local time that does
not exist has no tick, one that comes twice has two, and the first tick after a change of offset names its zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from widgets.format import DAY_US, HOUR_US, MINUTE_US, SECOND_US, local_datetime

STEPS_US: Final[tuple[int, ...]] = (
    SECOND_US,
    2 * SECOND_US,
    5 * SECOND_US,
    10 * SECOND_US,
    15 * SECOND_US,
    30 * SECOND_US,
    MINUTE_US,
    2 * MINUTE_US,
    5 * MINUTE_US,
    10 * MINUTE_US,
    15 * MINUTE_US,
    30 * MINUTE_US,
    HOUR_US,
    2 * HOUR_US,
    3 * HOUR_US,
    6 * HOUR_US,
    12 * HOUR_US,
    DAY_US,
)
"""Distances a ruler may use; all divide a day."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Tick:
    """A round local time."""

    time_us: int
    label: str


def tick_step_us(span_us: int, cells: int, label_cells: int = 9) -> int:
    """The finest step whose labels do not touch each other."""
    for step_us in STEPS_US:
        label = 9 if step_us < MINUTE_US else min(label_cells, 7)
        if step_us * cells >= span_us * label:
            return step_us
    return DAY_US


def ticks(start_us: int, end_us: int, step_us: int, zone: tzinfo) -> list[Tick]:
    """Ticks in [start_us, end_us), in order of time."""
    first = local_datetime(start_us, zone) - timedelta(days=1)
    day = datetime(first.year, first.month, first.day)  # noqa: DTZ001 - local wall time, zone put on below
    found: set[int] = set()
    # Whole days around the range: clock changes move times by at most a day's fraction.
    while True:
        midnight_us = _utc_us(day, zone, fold=0)
        if midnight_us is not None and midnight_us >= end_us + DAY_US:
            break
        if midnight_us is None or midnight_us > start_us - 2 * DAY_US:
            _add_day(found, day, start_us, end_us, step_us, zone)
        day += timedelta(days=1)
    result = []
    previous_offset = local_datetime(start_us, zone).utcoffset()
    for time_us in sorted(found):
        local = local_datetime(time_us, zone)
        label = _label(local, step_us)
        if (offset := local.utcoffset()) != previous_offset:
            label = f"{label} {local.tzname()}"
            previous_offset = offset
        result.append(Tick(time_us, label))
    return result


def _add_day(found: set[int], day: datetime, start_us: int, end_us: int, step_us: int, zone: tzinfo) -> None:
    base_us = _utc_us(day, zone, fold=0)
    offset_us = 0
    if base_us is not None and step_us < HOUR_US:
        # Seconds and minutes: do not walk the hours before the range (a change moves them by at most 3 h).
        offset_us = max(0, start_us - base_us - 3 * HOUR_US) // step_us * step_us
    while offset_us < DAY_US:
        wall = day + timedelta(microseconds=offset_us)
        for fold in (0, 1):
            time_us = _utc_us(wall, zone, fold=fold)
            if time_us is not None and start_us <= time_us < end_us:
                found.add(time_us)
        if base_us is not None and base_us + offset_us > end_us + 3 * HOUR_US:
            return
        offset_us += step_us


def _utc_us(wall: datetime, zone: tzinfo, *, fold: int) -> int | None:
    """A local wall time as UTC; None when clocks jump over it."""
    aware = wall.replace(tzinfo=zone, fold=fold)
    utc = aware.astimezone(UTC)
    if utc.astimezone(zone).replace(tzinfo=None, fold=0) != wall:
        return None
    return (utc - _EPOCH) // timedelta(microseconds=1)


def _label(local: datetime, step_us: int) -> str:
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return f"{local:%m-%d}"
    if step_us < MINUTE_US:
        return f"{local:%H:%M:%S}"
    return f"{local:%H:%M}"
