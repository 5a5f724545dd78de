"""Marks: by key, or all but some without their keys; marking by going."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from widgets.line_marks import Marks, MarkTrail


def test_all_are_marked_without_a_list_of_them_and_what_came_later_is_not() -> None:
    marks = Marks(covers=lambda key: isinstance(key, int) and key <= 100_000, total=100_000)
    assert len(marks) == 100_000
    assert 1 in marks
    assert 100_001 not in marks
    assert not marks.keys


def test_of_all_some_are_taken_out_and_put_back() -> None:
    marks = Marks(covers=lambda key: key != 9, total=8).toggled(3)
    assert 3 not in marks
    assert len(marks) == 7
    assert 3 in marks.toggled(3)
    assert 9 not in marks.toggled(9), "a row that came later cannot be marked with those that were there"


@given(st.lists(st.integers(0, 5)))
def test_a_row_toggled_is_marked_when_it_was_toggled_an_odd_number_of_times(keys: list[int]) -> None:
    marks = Marks()
    for key in keys:
        marks = marks.toggled(key)
    assert {key for key in range(6) if key in marks} == {key for key in keys if keys.count(key) % 2}


@given(st.lists(st.sampled_from([-1, 1]), min_size=1, max_size=30))
def test_a_trail_marks_what_lies_between_its_beginning_and_the_cursor(moves: list[int]) -> None:
    trail, marks, here, low, high = MarkTrail(), Marks(), 0, 0, 0
    for move in moves:
        marks = trail.step(marks, here, here + move)
        here += move
        low, high = min(low, here), max(high, here)
    assert here in marks
    assert 0 in marks
    assert set(marks.keys) <= set(range(low, high + 1))
    if len(set(moves)) == 1:
        assert marks.keys == frozenset(range(min(0, here), max(0, here) + 1))


def test_going_back_unmarks_and_a_new_beginning_leaves_the_old_marks() -> None:
    trail, marks = MarkTrail(), Marks()
    for here, there in ((1, 2), (2, 3), (3, 2)):
        marks = trail.step(marks, here, there)
    assert marks.keys == {1, 2}
    marks = trail.step(marks, 7, 8)
    assert marks.keys == {1, 2, 7, 8}
