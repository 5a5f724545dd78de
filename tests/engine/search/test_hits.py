"""Moments to stretches: joined, filtered, in order, whatever the order they come in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.search.hits import Stretches

S = 1_000_000


def stretches(
    moments: list[tuple[int, int]], *, join_s: float = 0, least_s: float = 0, limit: int = 100
) -> list[tuple[int, int, int, int]]:
    """Moments are (second, cells), each a second long."""
    found = Stretches(int(join_s * S), int(least_s * S))
    for second, cells in moments:
        found.add(second * S, (second + 1) * S, cells)
    hits, _ = found.hits(limit)
    return [(hit.start_us // S, hit.end_us // S, hit.peak_us // S, hit.peak_cells) for hit in hits]


def test_what_follows_within_the_join_is_one_with_its_peak() -> None:
    moments = [(10, 3), (11, 9), (12, 4), (20, 5)]
    assert stretches(moments) == [(10, 13, 11, 9), (20, 21, 20, 5)]
    assert stretches(moments, join_s=6.9) == [(10, 13, 11, 9), (20, 21, 20, 5)]
    assert stretches(moments, join_s=7) == [(10, 21, 11, 9)]


def test_what_is_too_short_is_left_out() -> None:
    assert stretches([(10, 3), (20, 1), (21, 1)], least_s=2) == [(20, 22, 20, 1)]


def test_the_limit_keeps_the_first_and_says_so() -> None:
    found = Stretches(0, 0)
    for second in range(0, 10, 2):
        found.add(second * S, (second + 1) * S, 1)
    hits, is_more = found.hits(4)
    assert ([hit.start_us // S for hit in hits], is_more) == ([0, 2, 4, 6], True)
    assert found.hits(5)[1] is False


def test_short_ones_that_nothing_can_lengthen_make_room() -> None:
    found = Stretches(5 * S, 3 * S)
    for second in (0, 20, 21, 22, 40):
        found.add(second * S, (second + 1) * S, 1)
    found.drop_short(41 * S)
    assert len(found) == 2
    found.add(43 * S, 44 * S, 1)
    assert [hit.start_us // S for hit in found.hits(9)[0]] == [20, 40]


@given(
    st.lists(
        st.tuples(st.integers(0, 300), st.integers(1, 576)), max_size=60, unique_by=lambda each: each[0]
    ),
    st.integers(0, 20),
    st.randoms(use_true_random=False),
)
def test_the_order_of_arrival_makes_no_difference(moments, join_s, random) -> None:  # type: ignore[no-untyped-def]
    in_order = stretches(sorted(moments), join_s=join_s)
    shuffled = list(moments)
    random.shuffle(shuffled)
    found = stretches(shuffled, join_s=join_s)
    assert [(start, end, cells) for start, end, _, cells in found] == [
        (start, end, cells) for start, end, _, cells in in_order
    ]
    for (_, end, _, _), (start, _, _, _) in zip(found, found[1:], strict=False):
        assert start - end > join_s
