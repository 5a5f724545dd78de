"""Polygons as the cells they mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.search.region import WHOLE, cells_in
from storage.catalog.motion_looks import CELLS, COLUMNS, ROWS
from storage.errors import InvalidInput

corners = st.tuples(st.integers(0, 10_000), st.integers(0, 10_000))


def places(cells: int) -> set[tuple[int, int]]:
    """(row, column) of each."""
    return {divmod(place, COLUMNS) for place in range(CELLS) if cells >> CELLS - 1 - place & 1}


def test_no_polygon_and_the_whole_picture_are_all_cells() -> None:
    assert cells_in(()) == cells_in(((0, 0), (10_000, 0), (10_000, 10_000), (0, 10_000))) == WHOLE


def test_a_half_is_a_half_whichever_way_it_is_drawn() -> None:
    left = ((0, 0), (5_000, 0), (5_000, 10_000), (0, 10_000))
    assert places(cells_in(left)) == {(row, column) for row in range(ROWS) for column in range(16)}
    assert cells_in(left[::-1]) == cells_in(left) == cells_in(left[2:] + left[:2])
    top = ((0, 0), (10_000, 0), (10_000, 5_000), (0, 5_000))
    assert places(cells_in(top)) == {(row, column) for row in range(9) for column in range(COLUMNS)}


def test_an_edge_takes_the_cells_that_are_mostly_inside() -> None:
    # 10,000 / 32 = 312.5 a cell: of the second column 20 %, then 60 % are inside.
    for right, columns in ((375, 1), (500, 2)):
        assert places(cells_in(((0, 0), (right, 0), (right, 10_000), (0, 10_000)))) == {
            (row, column) for row in range(ROWS) for column in range(columns)
        }


def test_a_hollow_shape_leaves_its_middle_out() -> None:
    horseshoe = (
        (0, 0),
        (10_000, 0),
        (10_000, 10_000),
        (6_000, 10_000),
        (6_000, 4_000),
        (4_000, 4_000),
        (4_000, 10_000),
        (0, 10_000),
    )
    chosen = places(cells_in(horseshoe))
    assert (15, 16) not in chosen
    assert {(15, 2), (15, 30), (2, 16)} <= chosen


def test_what_is_thinner_than_a_cell_means_what_it_touches() -> None:
    line = ((100, 5_000), (9_900, 5_000), (9_900, 5_080), (100, 5_080))
    assert {row for row, _ in places(cells_in(line))} == {9}
    assert len(places(cells_in(line))) == COLUMNS


@pytest.mark.parametrize(
    "polygon", [((0, 0), (1, 1)), ((5, 5), (5, 5), (5, 5)), tuple((each, each) for each in range(65))]
)
def test_what_is_no_polygon_is_refused(polygon: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(InvalidInput, match=r"\$.polygon"):
        cells_in(polygon)


@given(st.lists(corners, min_size=3, max_size=64))
def test_any_corners_mean_some_cells_or_are_refused(polygon: list[tuple[int, int]]) -> None:
    try:
        cells = cells_in(polygon)
    except InvalidInput:
        return
    assert 0 < cells <= WHOLE
