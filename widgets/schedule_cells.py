"""The cells of a week: seven days of 48 half-hours, each on or off. Values and what can be done to them; draws nothing.

    WeekCells(days)        seven strings of 48 `x` or `.`, Monday first
        .is_on(day, cell), .frame(day, cell), .frames(day), .hours
        .painted(first, last, is_on), .toggled(day, cell), .without_frame(day, cell), .with_day(day, cells)
    EMPTY_WEEK, FULL_WEEK, DAY_NAMES, CELLS
    frame_words(first, end)      `08:00-18:00`

Manual rows AS-02 and AS-03: half an hour is the smallest unit, and one grid serves alarms and recording.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

DAYS: Final = 7
CELLS: Final = 48
"""Half-hours of a day."""
DAY_NAMES: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEKDAYS: Final = range(5)

Place = tuple[int, int]
"""Day (0 = Monday) and half-hour."""


@dataclass(frozen=True, slots=True)
class WeekCells:
    """Which half-hours of a week are on. Immutable: every change is a new value."""

    days: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.days) != DAYS or any(len(day) != CELLS or set(day) - {"x", "."} for day in self.days):
            raise ValueError("a week is seven strings of 48 'x' or '.'")

    def is_on(self, day: int, cell: int) -> bool:
        return self.days[day][cell] == "x"

    @property
    def hours(self) -> float:
        """Of the whole week that are on."""
        return sum(day.count("x") for day in self.days) / 2

    def frames(self, day: int) -> tuple[tuple[int, int], ...]:
        """The time frames of a day: first half-hour and the one after the last."""
        return tuple((match.start(), match.end()) for match in re.finditer("x+", self.days[day]))

    def frame(self, day: int, cell: int) -> tuple[int, int] | None:
        """The frame a half-hour lies in; None where it is off."""
        return next((each for each in self.frames(day) if each[0] <= cell < each[1]), None)

    def painted(self, first: Place, last: Place, is_on: bool) -> WeekCells:
        """The rectangle between two corners, both included, switched on or off."""
        top, bottom = sorted((first[0], last[0]))
        left, right = sorted((first[1], last[1]))
        fill = ("x" if is_on else ".") * (right - left + 1)
        return WeekCells(
            tuple(
                cells[:left] + fill + cells[right + 1 :] if top <= day <= bottom else cells
                for day, cells in enumerate(self.days)
            )
        )

    def toggled(self, day: int, cell: int) -> WeekCells:
        return self.painted((day, cell), (day, cell), not self.is_on(day, cell))

    def without_frame(self, day: int, cell: int) -> WeekCells:
        """AS-02: the whole time frame under a half-hour goes."""
        found = self.frame(day, cell)
        return self if found is None else self.painted((day, found[0]), (day, found[1] - 1), False)

    def with_days(self, days: Iterable[int], cells: str) -> WeekCells:
        """These days get these cells."""
        wanted = set(days)
        return WeekCells(tuple(cells if day in wanted else own for day, own in enumerate(self.days)))


EMPTY_WEEK: Final = WeekCells(("." * CELLS,) * DAYS)
FULL_WEEK: Final = WeekCells(("x" * CELLS,) * DAYS)


def clock_of(cell: int) -> str:
    """`08:30`; 48 is `24:00`."""
    return f"{cell // 2:02}:{'30' if cell % 2 else '00'}"


def frame_words(first: int, end: int) -> str:
    """`08:00-18:00`."""
    return f"{clock_of(first)}-{clock_of(end)}"


def week_words(week: WeekCells) -> str:
    """As one says it, neighbouring days with equal times together: `Mon-Fri 08:00-18:00; Sat 09:00-12:00`."""
    if week == FULL_WEEK:
        return "always"
    if week == EMPTY_WEEK:
        return "never"
    parts: list[tuple[int, int, str]] = []
    for day in range(DAYS):
        frames = week.frames(day)
        words = "all day" if frames == ((0, CELLS),) else ", ".join(frame_words(*each) for each in frames)
        if words and parts and parts[-1][1:] == (day - 1, words):
            parts[-1] = (parts[-1][0], day, words)
        elif words:
            parts.append((day, day, words))
    return "; ".join(
        f"{DAY_NAMES[first]}{'-' + DAY_NAMES[last] if last > first else ''} {words}"
        for first, last, words in parts
    )
