"""Text for numbers and times: exact words, no surprises at the edges."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from widgets import format as text
from widgets.format import DAY_US, HOUR_US, MINUTE_US, SECOND_US

BERLIN = ZoneInfo("Europe/Berlin")
UTC = ZoneInfo("UTC")
NOON_US = 1_783_857_787_000_000  # 2026-07-12 12:03:07 UTC


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (None, "-"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (999_499, "999 kB"),
        (999_600, "1.00 MB"),
        (1_820_000_000_000, "1.82 TB"),
        (12_345_678, "12.3 MB"),
        (99_960_000, "100 MB"),
        (-1500, "-1.50 kB"),
        (10**21, "1000 EB"),
    ],
)
def test_storage_is_decimal_with_three_digits(size: int | None, shown: str) -> None:
    assert text.decimal_bytes(size) == shown


def test_memory_is_binary_and_rates_are_bits() -> None:
    assert text.binary_bytes(4 * 1024**3) == "4.00 GiB"
    assert text.bit_rate(4_210_000) == "4.21 Mbit/s"
    assert text.byte_rate(1_200_000) == "1.20 MB/s"
    assert text.bit_rate(None) == text.byte_rate(None) == text.binary_bytes(None) == "-"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "-"), (0, "0.0 %"), (7.34, "7.3 %"), (9.94, "9.9 %"), (9.96, "10 %"), (100, "100 %")],
)
def test_percentages(value: float | None, shown: str) -> None:
    assert text.percent(value) == shown


def test_counts_and_nouns() -> None:
    assert text.count(1_234_567) == "1,234,567"
    assert text.plural(1, "camera") == "1 camera"
    assert text.plural(0, "camera") == "0 cameras"
    assert text.plural(2, "entry", "entries") == "2 entries"
    assert text.frame_rate(25.0) == "25 fps"
    assert text.frame_rate(12.5) == "12.5 fps"
    assert text.frame_rate(29.97) == "30 fps"
    assert text.frame_rate(None) == text.frame_rate(0) == "-"
    assert text.resolution(1920, 1080) == "1920x1080"
    assert text.resolution(0, 0) == "-"
    assert text.days(None) == "-"
    assert text.days(0.44) == "0.4 d"
    assert text.days(119.6) == "120 d"


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        (None, "-"),
        (0, "0.0 s"),
        (800_000, "0.8 s"),
        (5 * SECOND_US, "5 s"),
        (12 * MINUTE_US + 5 * SECOND_US, "12 min 5 s"),
        (HOUR_US, "1 h"),
        (3 * DAY_US + 4 * HOUR_US + 9 * MINUTE_US, "3 d 4 h"),
        (-MINUTE_US, "-1 min"),
    ],
)
def test_lengths_of_time_show_their_two_largest_units(length: int | None, shown: str) -> None:
    assert text.duration(length) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-5, "now"), (0, "now"), (3, "3 s ago"), (59, "59 s ago"), (60, "1 min ago"), (7200, "2 h ago")],
)
def test_ages_are_one_unit_and_never_in_the_future(seconds: int, shown: str) -> None:
    assert text.age(NOON_US - seconds * SECOND_US, NOON_US) == shown


def test_old_ages_are_days_and_no_time_is_never() -> None:
    assert text.age(NOON_US - 47 * HOUR_US, NOON_US) == "47 h ago"
    assert text.age(NOON_US - 49 * HOUR_US, NOON_US) == "2 d ago"
    assert text.age(None, NOON_US) == "never"
    assert text.until(NOON_US + 12 * SECOND_US, NOON_US) == "in 12 s"
    assert text.until(NOON_US - 1, NOON_US) == "now"
    assert text.until(None, NOON_US) == "-"


def test_local_times_come_from_the_zone_given() -> None:
    assert text.local_clock(NOON_US, UTC) == "12:03:07"
    assert text.local_clock(NOON_US, BERLIN) == "14:03:07"
    assert text.local_minute(NOON_US, BERLIN) == "14:03"
    assert text.local_date(NOON_US, BERLIN) == "2026-07-12"
    assert text.local_time(NOON_US, BERLIN) == "2026-07-12 14:03:07"
    assert text.local_time_with_zone(NOON_US, BERLIN) == "2026-07-12 14:03:07 CEST"
    assert text.zone_name(NOON_US, BERLIN) == "CEST"
    assert text.local_time(None, BERLIN) == "-"


def test_the_hour_that_comes_twice_is_told_apart_by_its_zone() -> None:
    first_us = 1_792_888_200_000_000  # 2026-10-25 00:30 UTC = 02:30 CEST
    assert text.local_time_with_zone(first_us, BERLIN) == "2026-10-25 02:30:00 CEST"
    assert text.local_time_with_zone(first_us + HOUR_US, BERLIN) == "2026-10-25 02:30:00 CET"


def test_recent_times_shorten_with_distance() -> None:
    assert text.recent_time(NOON_US, NOON_US, BERLIN) == "14:03:07"
    assert text.recent_time(NOON_US - DAY_US, NOON_US, BERLIN) == "07-11 14:03"
    assert text.recent_time(NOON_US - 300 * DAY_US, NOON_US, BERLIN) == "2025-09-15"
    assert text.recent_time(None, NOON_US, BERLIN) == "-"


def test_lengths_on_a_clock() -> None:
    assert text.clock_length(123 * SECOND_US) == "02:03"
    assert text.clock_length(HOUR_US + 123 * SECOND_US) == "1:02:03"
    assert text.clock_length(-5) == "00:00"


@given(st.text(max_size=40), st.integers(0, 50), st.booleans())
def test_fitted_text_is_exactly_as_wide_as_asked(value: str, width: int, is_right: bool) -> None:
    fitted = text.fit(value, width, is_right=is_right)
    assert cell_len(fitted) == width
    assert "\n" not in fitted


@given(st.text(max_size=60), st.integers(1, 50))
def test_shortened_text_never_exceeds_its_room(value: str, width: int) -> None:
    assert cell_len(text.shorten_middle(value, width)) <= max(width, 0)


def test_shortened_paths_keep_both_ends() -> None:
    assert text.shorten_middle("/var/lib/watchdeck/exports/front-door.mp4", 21) == "/var/lib/w…t-door.mp4"
    assert text.shorten_middle("short", 21) == "short"


def test_names_from_outside_cannot_carry_escape_sequences() -> None:
    assert text.fit("yard\x1b[2J\x9b31m\u202eevil", 24) == "yard [2J 31m evil       "
    assert "\x1b" not in text.shorten_middle("\x1b[2J/very/long/path/to/somewhere", 12)
