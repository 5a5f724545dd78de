from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.sources.limit import Crossing, Limit


def test_a_peak_shorter_than_the_patience_says_nothing() -> None:
    limit = Limit(90, 3)
    assert [limit.read(value) for value in (95, 95, 50, 95, 95, 50)] == [None] * 6


def test_exactly_the_limit_is_not_over_it() -> None:
    limit = Limit(90, 1)
    assert limit.read(90.0) is None
    assert limit.read(90.1) is Crossing.ROSE
    assert limit.read(90.0) is Crossing.FELL


@given(st.lists(st.floats(0, 100), max_size=200), st.integers(1, 5))
def test_what_rose_falls_before_it_rises_again_and_each_took_its_patience(
    values: list[float], patience: int
) -> None:
    limit = Limit(90, patience)
    said = [(index, crossing) for index, value in enumerate(values) if (crossing := limit.read(value))]
    for number, (index, crossing) in enumerate(said):
        assert crossing is (Crossing.ROSE, Crossing.FELL)[number % 2]
        row = values[index - patience + 1 : index + 1]
        assert len(row) == patience
        assert all((value > 90) is (crossing is Crossing.ROSE) for value in row)
