"""Numbers that callers send, beyond what anything behind the API can hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import wire, wire_calls
from engine.api.server import decoded_body, decoded_query
from engine.decoding import TIME_LIMIT_US, check_numbers
from engine.wire_search import MotionSearch
from storage.errors import InvalidInput


@pytest.mark.parametrize(
    "at_us", [TIME_LIMIT_US, 1 << 63, (1 << 63) - 1, -(1 << 63), 1 << 64, 10**40, 10**4000]
)
def test_a_moment_beyond_the_calendar_is_named(at_us: int) -> None:
    with pytest.raises(InvalidInput, match=r"\$\.at_us: .* no moment .*year 10000") as refused:
        check_numbers(wire.PictureRequest(camera="gate", at_us=at_us))
    assert len(str(refused.value)) < 200


def test_any_number_beyond_64_bits_is_named_wherever_it_stands() -> None:
    with pytest.raises(InvalidInput, match=r"\$\.colors: .*64 bits"):
        check_numbers(wire.PictureRequest(camera="gate", colors=1 << 63))
    with pytest.raises(InvalidInput, match=r"\$\.region\[2\]: "):
        check_numbers(wire.PictureRequest(camera="gate", region=(0, 0, 1 << 70, 1)))
    with pytest.raises(InvalidInput, match=r"\$\.x\[1\]\.start_us: "):
        check_numbers({"x": ({}, MotionSearch(camera="gate", start_us=1 << 62, end_us=1))})


@pytest.mark.parametrize("digits", ["9223372036854775808", "1" + "0" * 40, "1" + "0" * 5_000, "1e400"])
@pytest.mark.parametrize("field", ["at_us", "newer_than_us", "columns", "colors", "image_id", "width_px"])
def test_a_body_with_a_number_without_end_is_bad_input(digits: str, field: str) -> None:
    with pytest.raises(InvalidInput):
        decoded_body(wire.PictureRequest, f'{{"camera": "gate", "{field}": {digits}}}'.encode())
    with pytest.raises(InvalidInput):
        decoded_query(wire_calls.StretchQuery, [("start_us", "0"), ("end_us", digits)])


@given(st.integers(0, TIME_LIMIT_US - 1), st.none() | st.integers(0, 9))
def test_moments_of_calendars_pass(at_us: int, newer_than_us: int | None) -> None:
    check_numbers(wire.PictureRequest(camera="gate", at_us=at_us, newer_than_us=newer_than_us))
