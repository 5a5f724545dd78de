"""Weekly schedules between the API, the grid and words. Pure."""

from __future__ import annotations

from datetime import tzinfo

from engine.wire import ScheduleMessage
from widgets.schedule_cells import EMPTY_WEEK, WeekCells, week_words


def zone_key(zone: tzinfo) -> str:
    """IANA name; a zone without one is UTC."""
    return str(getattr(zone, "key", "UTC"))


def week_of(schedule: ScheduleMessage | None) -> WeekCells:
    """The cells of a message; an unreadable one of a later engine is an empty week."""
    try:
        return WeekCells(schedule.days) if schedule is not None else EMPTY_WEEK
    except ValueError:
        return EMPTY_WEEK


def schedule_words(schedule: ScheduleMessage) -> str:
    """`Mon-Fri 08:00-18:00`."""
    return week_words(week_of(schedule))
