"""Times as typed, around clock changes too."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.when import floor_to_hour_us, parse_when

BERLIN = ZoneInfo("Europe/Berlin")
KOLKATA = ZoneInfo("Asia/Kolkata")


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * 1_000_000


NOW_US = us("2026-03-04T14:03:20+00:00")
SHOWN_US = us("2026-03-02T09:00:00+00:00")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("now", "2026-03-04T14:03:20+00:00"),
        ("-15m", "2026-03-04T13:48:20+00:00"),
        ("-2h", "2026-03-04T12:03:20+00:00"),
        ("-1.5h", "2026-03-04T12:33:20+00:00"),
        ("- 3 d", "2026-03-01T14:03:20+00:00"),
        ("14:30", "2026-03-02T14:30:00+00:00"),
        ("9:05:30", "2026-03-02T09:05:30+00:00"),
        ("yesterday 14:30", "2026-03-03T14:30:00+00:00"),
        ("today", "2026-03-04T00:00:00+00:00"),
        ("2026-03-01 14:30", "2026-03-01T14:30:00+00:00"),
        ("2026-03-01T14:30:00+02:00", "2026-03-01T12:30:00+00:00"),
        ("2026-03-01", "2026-03-01T00:00:00+00:00"),
    ],
)
def test_times_are_understood(text: str, meant: str) -> None:
    assert parse_when(text, NOW_US, SHOWN_US, UTC) == us(meant)


@pytest.mark.parametrize(
    "text", ["", "noon-ish", "25:00", "12:61", "-5", "2026-13-01", "-m", "yesterday 99:00"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    assert parse_when(text, NOW_US, SHOWN_US, UTC) is None


@given(st.text(max_size=25))
def test_no_text_breaks_the_parser(text: str) -> None:
    parse_when(text, NOW_US, SHOWN_US, BERLIN)


def test_an_hour_that_comes_twice_means_the_first() -> None:
    shown_us = us("2026-10-25T12:00:00+01:00")
    assert parse_when("2:30", NOW_US, shown_us, BERLIN) == us("2026-10-25T02:30:00+02:00")


def test_the_hour_is_floored_in_local_time_and_a_full_hour_is_its_own_start() -> None:
    assert floor_to_hour_us(us("2026-03-04T10:30:00+00:00"), UTC) == us("2026-03-04T10:00:00+00:00")
    assert floor_to_hour_us(us("2026-03-04T10:00:00+00:00"), UTC) == us("2026-03-04T10:00:00+00:00")
    assert floor_to_hour_us(us("2026-03-04T10:15:00+05:30"), KOLKATA) == us("2026-03-04T10:00:00+05:30")
