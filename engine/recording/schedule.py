"""Weekly schedules: half-hour cells of local time in a named zone. Pure; who waits for the next change is the caller.

Cells are of the local clock. In the hour that the clock skips in spring its cells never come; in the hour it
repeats in autumn they hold twice. Nothing is polled: `next_change_us` says when to look again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from storage.catalog.records import Schedule
from storage.errors import InvalidInput

CELLS_A_DAY = 48
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = timedelta(minutes=15)
"""Offsets of zones are multiples of 15 minutes, so every change of a cell falls on one in UTC."""
_LOOK_AHEAD = timedelta(days=8)


def check_schedule(schedule: Schedule) -> None:
    """Raises InvalidInput when it is not seven days of 48 cells in a known zone."""
    _zone(schedule.zone)
    if len(schedule.days) != 7:
        raise InvalidInput(f"a schedule has seven days, not {len(schedule.days)}", "begin with Monday")
    for number, day in enumerate(schedule.days, 1):
        if len(day) != CELLS_A_DAY or set(day) - {"x", "."}:
            raise InvalidInput(
                f"day {number} of the schedule is not {CELLS_A_DAY} half hours of `x` or `.`",
                "one character for each half hour from midnight: x = record",
            )


def is_on(schedule: Schedule, time_us: int) -> bool:
    """The cell of that moment says yes."""
    return _is_on(schedule, _EPOCH + timedelta(microseconds=time_us))


def next_change_us(schedule: Schedule, time_us: int) -> int | None:
    """The first moment after `time_us` at which `is_on` differs; None when it never does."""
    now = _EPOCH + timedelta(microseconds=time_us)
    current = _is_on(schedule, now)
    step = now.replace(minute=now.minute - now.minute % 15, second=0, microsecond=0)
    for _ in range(_LOOK_AHEAD // _STEP):
        step += _STEP
        if _is_on(schedule, step) != current:
            return (step - _EPOCH) // timedelta(microseconds=1)
    return None


def previous_change_us(schedule: Schedule, time_us: int) -> int | None:
    """Since when (at or before `time_us`) `is_on` is as it is then; None when it always was."""
    now = _EPOCH + timedelta(microseconds=time_us)
    current = _is_on(schedule, now)
    step = now.replace(minute=now.minute - now.minute % 15, second=0, microsecond=0)
    for _ in range(_LOOK_AHEAD // _STEP):
        if _is_on(schedule, step - _STEP) != current:
            return (step - _EPOCH) // timedelta(microseconds=1)
        step -= _STEP
    return None


def _is_on(schedule: Schedule, moment: datetime) -> bool:
    local = moment.astimezone(_zone(schedule.zone))
    return schedule.days[local.weekday()][local.hour * 2 + local.minute // 30] == "x"


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(f"no time zone named {name!r}", "use a name such as Europe/Berlin") from error
