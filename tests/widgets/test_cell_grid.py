from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.wire_wall import Layout
from tui.wall_layouts import STANDARD, equal_layout, layout_of_rows
from widgets.cell_grid import cell_regions
from widgets.glyphs import GLYPH_SETS, UNICODE
from widgets.sketch import sketch

EVERY = [each for several in STANDARD.values() for each in several]
layouts = st.sampled_from(EVERY)


def regions(layout: Layout, width: int, height: int, gap: int = 0) -> list[tuple[int, int, int, int]]:
    found = cell_regions(layout.columns, layout.rows, layout.cells, width, height, gap)
    return [(each.x, each.y, each.width, each.height) for each in found]


def test_neighbours_meet_and_a_gap_stays_free_between_but_not_at_the_edge() -> None:
    two = equal_layout(2)
    assert regions(two, 80, 21) == [(0, 0, 40, 10), (40, 0, 40, 10), (0, 10, 40, 11), (40, 10, 40, 11)]
    assert regions(two, 81, 21, 1)[:2] == [(0, 0, 40, 10), (41, 0, 40, 10)]


@given(layouts, st.integers(0, 300), st.integers(0, 100))
def test_cells_of_any_size_of_screen_cover_it_once(layout: Layout, width: int, height: int) -> None:
    seen = [[0] * width for _ in range(height)]
    for x, y, columns, rows in regions(layout, width, height):
        for row in range(y, y + rows):
            for column in range(x, x + columns):
                seen[row][column] += 1
    assert all(count == 1 for row in seen for count in row)


@pytest.mark.parametrize("name", sorted(GLYPH_SETS))
@given(layout=layouts, width=st.integers(0, 120), height=st.integers(0, 40), in_hand=st.integers(0, 63))
def test_a_sketch_is_as_large_as_asked_and_made_of_the_set(
    name: str, layout: Layout, width: int, height: int, in_hand: int
) -> None:
    labels = [f"cam {number}" for number in range(len(layout.cells))]
    chosen = in_hand % len(layout.cells)
    lines = sketch(layout.columns, layout.rows, layout.cells, labels, width, height, GLYPH_SETS[name], chosen)
    assert [line.cell_length for line in lines] == [width] * height
    text = "".join(line.plain for line in lines)
    if name == "ascii":
        assert text.isascii()
    elif name == "cp437":
        text.encode("cp437")


def test_a_sketch_shares_lines_and_frames_the_cell_in_hand() -> None:
    layout = layout_of_rows("x", ["AB", "AC"])
    lines = sketch(2, 2, layout.cells, ["one", "", "長い名前"], 15, 7, UNICODE, 1)
    assert [line.plain for line in lines] == [
        "┌──────╔══════╗",
        "│      ║      ║",
        "│      ║      ║",
        "│ one  ╚══════╝",
        "│      │長い …│",
        "│      │      │",
        "└──────┴──────┘",
    ]
