"""Recording times as they are typed: `Mon-Fri 08:00-18:00`, several with commas or several times."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import tzinfo

from engine import wire
from engine.client import InvalidInput

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CELLS = 48
"""Half-hours of a day."""
_ENTRY = re.compile(r"(?:([a-z]{3})(?:-([a-z]{3}))?\s+)?(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")


def schedule_of(entries: Iterable[str], zone: tzinfo) -> wire.ScheduleMessage:
    """Of `Mon-Fri 08:00-18:00`, `22:00-06:00` (every day, past midnight) ... Raises InvalidInput."""
    cells = [[False] * CELLS for _ in DAYS]
    for text in (part.strip() for entry in entries for part in entry.split(",")):
        match = _ENTRY.fullmatch(text.lower())
        if match is None:
            raise InvalidInput(f"no recording time: {text!r}", "for example `Mon-Fri 08:00-18:00`")
        first, last, *clock = match.groups()
        begin, end = _half_hour(text, *clock[:2]), _half_hour(text, *clock[2:])
        for day in _days(text, first, last):
            for cell in range(begin, end if end > begin else end + CELLS):
                cells[(day + cell // CELLS) % 7][cell % CELLS] = True
    days = tuple("".join("x" if is_on else "." for is_on in day) for day in cells)
    return wire.ScheduleMessage(zone=getattr(zone, "key", "UTC"), days=days)


def _half_hour(text: str, hours: str, minutes: str) -> int:
    if minutes not in ("00", "30") or int(hours) * 60 + int(minutes) > 24 * 60:
        raise InvalidInput(f"recording times go by half-hours up to 24:00, not {text!r}", "use :00 or :30")
    return int(hours) * 2 + (minutes == "30")


def _days(text: str, first: str | None, last: str | None) -> list[int]:
    if first is None:
        return list(range(7))
    if first not in DAYS or (last is not None and last not in DAYS):
        raise InvalidInput(f"no day of the week in {text!r}", f"days are {', '.join(DAYS)}")
    begin, end = DAYS.index(first), DAYS.index(last or first)
    return [day % 7 for day in range(begin, (end if end >= begin else end + 7) + 1)]


def schedule_text(schedule: wire.ScheduleMessage) -> str:
    """As it would be typed, days with equal times together."""
    parts: list[tuple[int, int, str]] = []
    for day, cells in enumerate(schedule.days):
        spans = ", ".join(_spans(cells))
        if spans and parts and parts[-1][2] == spans and parts[-1][1] == day - 1:
            parts[-1] = (parts[-1][0], day, spans)
        elif spans:
            parts.append((day, day, spans))
    names = [day.capitalize() for day in DAYS]
    return "; ".join(
        f"{names[first]}{'-' + names[last] if last > first else ''} {spans}" for first, last, spans in parts
    )


def _spans(cells: str) -> list[str]:
    return [f"{_clock(match.start())}-{_clock(match.end())}" for match in re.finditer("x+", cells)]


def _clock(cell: int) -> str:
    return f"{cell // 2:02}:{'30' if cell % 2 else '00'}"
