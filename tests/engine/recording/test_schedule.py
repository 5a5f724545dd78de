"""Weekly schedules, also on the two days a year on which the local clock jumps."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.recording.schedule import check_schedule, is_on, next_change_us, previous_change_us
from storage.catalog.records import Schedule
from storage.errors import InvalidInput

BERLIN = ZoneInfo("Europe/Berlin")
ALWAYS = ("x" * 48,) * 7
NEVER = ("." * 48,) * 7
HOUR_US = 3_600_000_000


def us(year: int, month: int, day: int, hour: int, minute: int = 0, *, fold: int = 0) -> int:
    moment = datetime(year, month, day, hour, minute, tzinfo=BERLIN, fold=fold)
    return round(moment.timestamp()) * 1_000_000


def weekly(day: int, first_cell: int, last_cell: int, zone: str = "Europe/Berlin") -> Schedule:
    days = ["." * 48] * 7
    days[day] = "." * first_cell + "x" * (last_cell - first_cell) + "." * (48 - last_cell)
    return Schedule(zone=zone, days=tuple(days))


def test_a_cell_holds_from_its_half_hour_to_the_next() -> None:
    monday_eight_to_nine = weekly(0, 16, 18)
    assert not is_on(monday_eight_to_nine, us(2026, 11, 23, 8) - 1)
    assert is_on(monday_eight_to_nine, us(2026, 11, 23, 8))
    assert is_on(monday_eight_to_nine, us(2026, 11, 23, 9) - 1)
    assert not is_on(monday_eight_to_nine, us(2026, 11, 23, 9))


def test_the_next_change_is_computed_across_the_week() -> None:
    monday_eight_to_nine = weekly(0, 16, 18)
    assert next_change_us(monday_eight_to_nine, us(2026, 11, 23, 8, 7)) == us(2026, 11, 23, 9)
    assert next_change_us(monday_eight_to_nine, us(2026, 11, 23, 9)) == us(2026, 11, 30, 8)
    assert previous_change_us(monday_eight_to_nine, us(2026, 11, 23, 8, 7)) == us(2026, 11, 23, 8)


@pytest.mark.parametrize("days", [ALWAYS, NEVER])
def test_a_schedule_without_a_change_has_no_next_one(days: tuple[str, ...]) -> None:
    schedule = Schedule(zone="UTC", days=days)
    assert next_change_us(schedule, us(2026, 3, 1, 0)) is None
    assert previous_change_us(schedule, us(2026, 3, 1, 0)) is None


def test_cells_of_the_hour_that_spring_skips_never_come() -> None:
    sunday_two_to_three = weekly(6, 4, 6)  # 2026-03-29: 02:00 -> 03:00
    before_us = us(2026, 3, 29, 1, 59)
    assert not any(is_on(sunday_two_to_three, before_us + minute * 60_000_000) for minute in range(120))
    assert next_change_us(sunday_two_to_three, before_us) == us(2026, 4, 5, 2)


def test_a_stretch_across_the_spring_jump_is_an_hour_shorter() -> None:
    sunday_one_to_four = weekly(6, 2, 8)
    start_us = us(2026, 3, 29, 1)
    assert next_change_us(sunday_one_to_four, start_us) == start_us + 2 * HOUR_US


def test_cells_of_the_hour_that_autumn_repeats_hold_twice() -> None:
    sunday_two_to_three = weekly(6, 4, 6)  # 2026-10-25: 03:00 -> 02:00
    start_us = us(2026, 10, 25, 2, fold=0)
    assert is_on(sunday_two_to_three, start_us)
    assert is_on(sunday_two_to_three, us(2026, 10, 25, 2, 30, fold=1))
    assert next_change_us(sunday_two_to_three, start_us) == start_us + 2 * HOUR_US


def test_half_of_the_repeated_hour_comes_as_two_stretches() -> None:
    sunday_first_half = weekly(6, 4, 5)
    start_us = us(2026, 10, 25, 2, fold=0)
    end_us = next_change_us(sunday_first_half, start_us)
    assert end_us == start_us + HOUR_US // 2
    assert next_change_us(sunday_first_half, end_us) == start_us + HOUR_US


def test_zones_off_by_a_quarter_of_an_hour_change_on_time() -> None:
    kathmandu = weekly(0, 16, 18, "Asia/Kathmandu")
    moment = round(datetime(2026, 11, 23, 8, tzinfo=ZoneInfo("Asia/Kathmandu")).timestamp()) * 1_000_000
    assert next_change_us(kathmandu, moment - HOUR_US) == moment


@given(
    st.lists(st.text("x.", min_size=48, max_size=48), min_size=7, max_size=7),
    st.integers(us(2026, 1, 1, 0), us(2027, 1, 1, 0)),
)
def test_nothing_changes_before_the_next_change(days: list[str], time_us: int) -> None:
    schedule = Schedule(zone="Europe/Berlin", days=tuple(days))
    change_us = next_change_us(schedule, time_us)
    if change_us is None:
        return
    assert is_on(schedule, change_us) != is_on(schedule, time_us)
    assert is_on(schedule, change_us - 1) == is_on(schedule, time_us)
    assert previous_change_us(schedule, change_us) == change_us


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule(zone="Mars/Olympus", days=ALWAYS),
        Schedule(zone="../etc/passwd", days=ALWAYS),
        Schedule(zone="UTC", days=ALWAYS[:6]),
        Schedule(zone="UTC", days=("x" * 47, *ALWAYS[1:])),
        Schedule(zone="UTC", days=("y" * 48, *ALWAYS[1:])),
    ],
)
def test_a_schedule_that_is_none_is_refused(schedule: Schedule) -> None:
    with pytest.raises(InvalidInput):
        check_schedule(schedule)
