"""What was in hand stays in hand while rows come and go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.held_place import place_after


@pytest.mark.parametrize(
    ("before", "held", "after", "place"),
    [
        ("abc", 1, "abc", (1, True)),
        ("abc", 1, "xabc", (2, True)),
        ("abc", 1, "ac", (1, False)),
        ("abcd", 2, "a", (1, False)),
        ("abcd", 1, "d", (0, False)),
        ("abc", 1, "", (0, False)),
        ("abc", 1, "xyz", (0, False)),
        ("", 0, "abc", (0, False)),
    ],
)
def test_what_is_gone_leaves_its_place_to_what_stood_behind_it(
    before: str, held: int, after: str, place: tuple[int, bool]
) -> None:
    assert place_after(before, held, after) == place


@given(st.lists(st.integers(), unique=True), st.integers(0, 50), st.lists(st.integers(), unique=True))
def test_the_place_is_always_one_of_the_list_or_its_end(
    before: list[int], held: int, after: list[int]
) -> None:
    index, is_there = place_after(before, held, after)
    assert 0 <= index <= len(after)
    if is_there:
        assert after[index] == before[held]
