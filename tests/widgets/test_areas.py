"""Areas of a picture: what is drawn covers whole cells, what is a grid of cells comes back the same, steps are taken back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from widgets.areas import (
    bounds,
    contains,
    covered,
    frame,
    in_rectangles,
    is_rectangle,
    outlines,
    rectangle,
    rectangle_of,
)
from widgets.areas_cell import AreasCell
from widgets.picture import CellPicture, CellRun
from widgets.polygon_area import SHARE

COLUMNS, ROWS = 32, 18


@given(st.data(), st.integers(1, 200), st.integers(1, 80))
def test_a_rectangle_covers_its_cells_whole_and_is_drawn_over_the_same(
    data: st.DataObject, columns: int, rows: int
) -> None:
    first, second = (
        (data.draw(st.integers(0, columns - 1)), data.draw(st.integers(0, rows - 1))) for _ in range(2)
    )
    area = rectangle(first, second, columns, rows)
    left, top, width, height = bounds(area)
    assert left * columns <= min(first[0], second[0]) * SHARE
    assert top * rows <= min(first[1], second[1]) * SHARE
    assert (left + width) * columns >= (max(first[0], second[0]) + 1) * SHARE
    assert (top + height) * rows >= (max(first[1], second[1]) + 1) * SHARE
    assert 0 <= left <= left + width <= SHARE
    assert 0 <= top <= top + height <= SHARE
    assert outlines([area], columns, rows, 0) == frame(first, second)


@given(st.sets(st.tuples(st.integers(0, COLUMNS - 1), st.integers(0, ROWS - 1))))
def test_cells_of_a_grid_as_rectangles_are_the_same_cells(cells: set[tuple[int, int]]) -> None:
    areas = in_rectangles(cells, COLUMNS, ROWS)
    assert covered(areas, COLUMNS, ROWS) == cells
    assert len(areas) <= max(len(cells), 1)
    assert all(is_rectangle(area) for area in areas)


def test_a_block_of_cells_is_one_rectangle() -> None:
    block = {(column, row) for column in range(3, 9) for row in range(2, 5)}
    assert len(in_rectangles(block, COLUMNS, ROWS)) == 1


def test_a_thin_area_means_all_the_cells_it_touches() -> None:
    line = rectangle((36, 9), (46, 9), 72, 19)  # between the middles of two rows
    found = covered([line], COLUMNS, ROWS)
    assert {row for _, row in found} <= {8, 9}
    assert {column for column, _ in found} >= set(range(16, 20))
    speck = rectangle_of((5001, 5001, 3, 3))
    assert covered([speck], COLUMNS, ROWS) == frozenset()
    assert covered([rectangle_of((5000, 5000, 200, 200))], COLUMNS, ROWS) == {(16, 9)}


def test_inside_and_outside_of_a_polygon_with_a_bay() -> None:
    bay = ((0, 0), (9000, 0), (9000, 9000), (4500, 2000), (0, 9000))
    assert contains(bay, (1000, 5000))
    assert contains(bay, (8000, 5000))
    assert not contains(bay, (4500, 5000))
    assert not contains(bay, (9500, 100))
    assert not is_rectangle(bay)


def test_that_in_hand_is_drawn_over_the_others() -> None:
    whole = rectangle_of((0, 0, SHARE, SHARE))
    overlay = outlines([whole, whole], 10, 6, 0)
    assert overlay[5, 0] == ("horizontal", "line")
    assert outlines([whole, whole], 10, 6)[5, 0] == ("horizontal", "band")


# -- by keyboard -----------------------------------------------------------------------------------------


class Drawing(App[None]):
    def __init__(self, cell: AreasCell) -> None:
        super().__init__()
        self.cell = cell

    def compose(self) -> ComposeResult:
        yield self.cell

    def on_mount(self) -> None:
        lines = tuple((CellRun(" " * 40),) for _ in range(20))
        self.cell.set_picture(CellPicture(40, 20, lines))


async def test_polygons_and_rectangles_one_after_the_other() -> None:
    cell = AreasCell(limit=2)
    async with Drawing(cell).run_test(size=(44, 24)):
        assert not cell.is_rectangular
        assert cell.close() == "a region needs three corners"
        for columns, rows in ((0, 0), (6, 0), (0, 6)):
            cell.move(columns, rows)
            assert cell.add() == ""
        cell.move(-6, -6)
        assert cell.add() == ""  # on the first corner: closed
        assert len(cell.areas) == 1
        assert not cell.points
        assert cell.in_hand == 0
        assert cell.switch() == ""
        cell.move(-10, 0)
        assert cell.add() == ""
        cell.move(2, 2)
        assert cell.add() == ""
        assert bounds(cell.areas[1])[2:] == (750, 1500)
        assert cell.add() == "there are at most 2 areas"
        assert cell.undo()
        assert len(cell.points) == 1
        assert "close it, or esc" in cell.switch()
        assert len(cell.points) == 1
        assert cell.drop()
        assert cell.switch() == ""


async def test_every_step_is_taken_back_in_turn() -> None:
    cell = AreasCell([rectangle_of((4000, 4000, 2000, 2000))], has_polygons=False)
    async with Drawing(cell).run_test(size=(44, 24)):
        seen = []
        for step in (cell.take_away, cell.add, cell.drop, cell.add, cell.close):
            seen.append((cell.areas, cell.points))
            assert step() in ("", True)
        assert not cell.take_away() or cell.undo()
        while seen:
            assert cell.undo()
            assert (cell.areas, cell.points) == seen.pop()
        assert not cell.undo()


@pytest.mark.parametrize("key", ["take_away", "drop", "undo"])
async def test_with_nothing_drawn_nothing_happens(key: str) -> None:
    cell = AreasCell()
    async with Drawing(cell).run_test(size=(44, 24)):
        assert getattr(cell, key)() is False
