"""Ticks of the time axis, with the clock changes of spring and autumn."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widgets.format import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from widgets.ruler import STEPS_US, tick_step_us, ticks
from widgets.timeline import SPANS_US

BERLIN = ZoneInfo("Europe/Berlin")
SPRING_US = 1_774_738_800_000_000  # 2026-03-28 23:00 UTC = 2026-03-29 00:00 CET; at 02:00 clocks go to 03:00
AUTUMN_US = 1_792_879_200_000_000  # 2026-10-24 22:00 UTC = 2026-10-25 00:00 CEST; at 03:00 clocks go to 02:00


def labels(start_us: int, length_us: int, step_us: int, zone: ZoneInfo = BERLIN) -> list[str]:
    return [tick.label for tick in ticks(start_us, start_us + length_us, step_us, zone)]


def test_in_spring_the_missing_hour_has_no_tick_and_the_next_names_the_zone() -> None:
    assert labels(SPRING_US, 5 * HOUR_US, HOUR_US) == ["03-29", "01:00", "03:00 CEST", "04:00", "05:00"]


def test_in_autumn_the_hour_comes_twice_and_the_second_names_the_zone() -> None:
    assert labels(AUTUMN_US, 6 * HOUR_US, HOUR_US) == [
        "10-25",
        "01:00",
        "02:00",
        "02:00 CET",
        "03:00",
        "04:00",
    ]


def test_midnight_stays_midnight_across_a_change() -> None:
    found = ticks(SPRING_US - DAY_US, SPRING_US + 2 * DAY_US, DAY_US, BERLIN)
    assert [tick.label for tick in found] == ["03-28", "03-29", "03-30 CEST", "03-31"]
    assert found[2].time_us - found[1].time_us == 23 * HOUR_US


def test_half_hour_changes_and_odd_zones_stand_on_round_local_times() -> None:
    kathmandu = ZoneInfo("Asia/Kathmandu")  # UTC+5:45
    assert labels(SPRING_US, 3 * HOUR_US, HOUR_US, kathmandu) == ["05:00", "06:00", "07:00"]
    lord_howe = ZoneInfo("Australia/Lord_Howe")  # 30 minutes in April
    april_us = 1_775_311_200_000_000  # 2026-04-04 14:00 UTC
    shown = labels(april_us, 3 * HOUR_US, 30 * MINUTE_US, lord_howe)
    assert shown == ["01:00", "01:30", "01:30 +1030", "02:00", "02:30", "03:00"]


def test_seconds_are_shown_only_below_a_minute() -> None:
    assert labels(SPRING_US + HOUR_US, 30 * SECOND_US, 10 * SECOND_US) == ["01:00:00", "01:00:10", "01:00:20"]
    assert labels(SPRING_US + HOUR_US, 20 * MINUTE_US, 10 * MINUTE_US) == ["01:00", "01:10"]


@pytest.mark.parametrize("span_us", SPANS_US)
@pytest.mark.parametrize("cells", [20, 65, 117, 300])
def test_labels_never_touch_in_any_of_the_eight_spans(span_us: int, cells: int) -> None:
    step_us = tick_step_us(span_us, cells)
    found = ticks(AUTUMN_US + 7 * HOUR_US, AUTUMN_US + 7 * HOUR_US + span_us, step_us, BERLIN)
    places = [(tick.time_us - found[0].time_us) * cells // span_us for tick in found]
    for here, there, tick in zip(places, places[1:], found, strict=False):
        assert there - here > len(tick.label)
    if cells >= 65:
        assert len(found) >= 3


@given(
    st.integers(0, 4_000_000_000).map(lambda seconds: seconds * SECOND_US),
    st.sampled_from(SPANS_US),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
)
def test_ticks_are_in_order_and_inside(start_us: int, span_us: int, zone: str) -> None:
    step_us = tick_step_us(span_us, 65)
    assert step_us in STEPS_US
    times = [tick.time_us for tick in ticks(start_us, start_us + span_us, step_us, ZoneInfo(zone))]
    assert times == sorted(set(times))
    assert all(start_us <= time_us < start_us + span_us for time_us in times)
