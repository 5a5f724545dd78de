"""The week as a value: frames, painting, and words that say the same as the cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widgets.schedule_cells import (
    CELLS,
    DAYS,
    EMPTY_WEEK,
    FULL_WEEK,
    WEEKDAYS,
    WeekCells,
    week_words,
)

DAY_TEXTS = st.text(alphabet="x.", min_size=CELLS, max_size=CELLS)
WEEKS = st.tuples(*[DAY_TEXTS] * DAYS).map(WeekCells)
PLACES = st.tuples(st.integers(0, DAYS - 1), st.integers(0, CELLS - 1))


@given(WEEKS)
def test_the_frames_of_a_week_are_the_week(week: WeekCells) -> None:
    painted = EMPTY_WEEK
    for day in range(DAYS):
        for first, end in week.frames(day):
            painted = painted.painted((day, first), (day, end - 1), True)
    assert painted == week


@given(WEEKS, PLACES, PLACES, st.booleans())
def test_a_painted_rectangle_has_its_colour_and_all_else_stays(
    week: WeekCells, first: tuple[int, int], last: tuple[int, int], is_on: bool
) -> None:
    after = week.painted(first, last, is_on)
    days, cells = sorted((first[0], last[0])), sorted((first[1], last[1]))
    for day in range(DAYS):
        for cell in range(CELLS):
            is_inside = days[0] <= day <= days[1] and cells[0] <= cell <= cells[1]
            assert after.is_on(day, cell) is (is_on if is_inside else week.is_on(day, cell))


@given(WEEKS, PLACES)
def test_a_removed_frame_is_off_and_its_neighbours_stay(week: WeekCells, place: tuple[int, int]) -> None:
    frame, after = week.frame(*place), week.without_frame(*place)
    gone = set(range(*frame)) if frame is not None else set()
    for cell in range(CELLS):
        assert after.is_on(place[0], cell) is (week.is_on(place[0], cell) and cell not in gone)


@given(WEEKS, PLACES)
def test_switching_twice_changes_nothing(week: WeekCells, place: tuple[int, int]) -> None:
    assert week.toggled(*place) != week
    assert week.toggled(*place).toggled(*place) == week


@given(WEEKS)
def test_days_that_are_copied_are_equal(week: WeekCells) -> None:
    after = week.with_days(WEEKDAYS, week.days[6])
    assert after.days == (*(week.days[6],) * 5, week.days[5], week.days[6])


def test_hours_are_counted_by_halves() -> None:
    assert (FULL_WEEK.hours, EMPTY_WEEK.hours) == (168, 0)
    assert EMPTY_WEEK.toggled(3, 9).hours == 0.5


def test_words_put_equal_neighbouring_days_together() -> None:
    week = EMPTY_WEEK.painted((0, 16), (4, 35), True).painted((5, 18), (5, 23), True)
    week = week.painted((6, 0), (6, 47), True)
    assert week_words(week) == "Mon-Fri 08:00-18:00; Sat 09:00-12:00; Sun all day"
    assert (week_words(FULL_WEEK), week_words(EMPTY_WEEK)) == ("always", "never")
    assert week_words(EMPTY_WEEK.toggled(0, 3).toggled(2, 3)) == "Mon 01:30-02:00; Wed 01:30-02:00"


@pytest.mark.parametrize("days", [(), ("x" * 48,) * 6, ("x" * 47,) * 7, ("o" * 48,) * 7])
def test_what_is_no_week_is_refused(days: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="seven strings"):
        WeekCells(days)
