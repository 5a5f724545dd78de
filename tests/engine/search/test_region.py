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


def test_between_any_lines_it_is_measured_along_a_thin_region_is_found() -> None:
    # Half way between two of eight lines through a row of 555 parts.
    line = ((100, 5_025), (9_900, 5_025), (9_900, 5_030), (100, 5_030))
    assert places(cells_in(line)) == {(9, column) for column in range(COLUMNS)}
    assert places(cells_in(((5_000, 5_025), (5_004, 5_025), (5_004, 5_030)))) == {(9, 16)}


def test_a_thin_part_counts_beside_a_fat_one() -> None:
    """A house and the path to its door."""
    house = ((0, 0), (3_125, 0), (3_125, 5_000), (9_900, 5_000), (9_900, 5_060), (0, 5_060))
    chosen = places(cells_in(house))
    assert {(row, column) for row in range(9) for column in range(10)} <= chosen
    assert {(9, column) for column in range(11, COLUMNS)} <= chosen


@given(corners, corners, st.integers(1, 40))
def test_a_thin_region_covers_every_cell_it_passes(
    start: tuple[int, int], end: tuple[int, int], width: int
) -> None:
    """Against a walk along its middle in small steps; a corner cut off by less than a quarter of a cell does not count."""
    (x1, y1), (x2, y2) = start, end
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    if length < 400:
        return
    aside_x, aside_y = round(-(y2 - y1) * width / length), round((x2 - x1) * width / length)
    quad = [start, end, (x2 + aside_x, y2 + aside_y), (x1 + aside_x, y1 + aside_y)]
    if any(not 0 <= value <= 10_000 for corner in quad for value in corner) or (aside_x, aside_y) == (0, 0):
        return
    walked: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for step in range(4_001):
        x = (x1 + aside_x / 2 + (x2 - x1) * step / 4_000) * COLUMNS / 10_000
        y = (y1 + aside_y / 2 + (y2 - y1) * step / 4_000) * ROWS / 10_000
        walked.setdefault((min(int(y), ROWS - 1), min(int(x), COLUMNS - 1)), []).append((x, y))
    passed = {
        cell
        for cell, points in walked.items()
        if max(points)[0] - min(points)[0] > 0.25
        or max(y for _, y in points) - min(y for _, y in points) > 0.25
    }
    assert passed <= places(cells_in(quad))


@given(st.lists(corners, min_size=3, max_size=64))
def test_any_corners_mean_some_cells_or_are_refused(polygon: list[tuple[int, int]]) -> None:
    try:
        cells = cells_in(polygon)
    except InvalidInput:
        return
    assert 0 < cells <= WHOLE
