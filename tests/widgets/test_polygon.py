"""Polygons on cells: pure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widgets.glyphs import ASCII, CP437, UNICODE
from widgets.picture import CellPicture, CellRun
from widgets.polygon import blank, cell_of, line, outline, painted, point_of
from widgets.polygon_area import SHARE, area

SQUARE = ((0, 0), (SHARE, 0), (SHARE, SHARE), (0, SHARE))
cells = st.tuples(st.integers(0, 79), st.integers(0, 23))


def drawn(overlay: dict[tuple[int, int], tuple[str, str]], columns: int, rows: int) -> list[str]:
    letters = {
        "horizontal": "-",
        "vertical": "|",
        "falling": "\\",
        "rising": "/",
        "corner": "o",
        "first": "O",
        "cursor": "+",
    }
    return [
        "".join(
            letters[overlay[column, row][0]] if (column, row) in overlay else "." for column in range(columns)
        )
        for row in range(rows)
    ]


def test_a_square_is_drawn_along_the_edges_of_the_picture() -> None:
    assert drawn(outline(SQUARE, 6, 4, is_closed=True), 6, 4) == ["O----o", "|....|", "|....|", "o----o"]


def test_an_open_one_lacks_the_last_edge_and_a_band_leads_to_the_cursor() -> None:
    overlay = outline(SQUARE[:2], 6, 4, cursor=(0, SHARE))
    assert drawn(overlay, 6, 4)[0] == "O----o"
    assert drawn(overlay, 6, 4)[3][0] == "+"
    assert sum(tone == "band" for _, tone in overlay.values()) == 4
    assert {tone for _, tone in overlay.values()} == {"line", "band", "corner", "cursor"}


def test_slanting_lines_lean_the_right_way() -> None:
    assert drawn(outline(((0, 0), (SHARE, SHARE)), 5, 5), 5, 5)[1:4] == [".\\...", "..\\..", "...\\."]
    assert drawn(outline(((0, SHARE), (SHARE, 0)), 5, 5), 5, 5)[1:4] == [".../.", "../..", "./..."]


@given(cells, cells)
def test_a_line_is_whole_and_ends_where_it_should(start: tuple[int, int], end: tuple[int, int]) -> None:
    found = list(line(start, end))
    assert (found[0], found[-1]) == (start, end)
    assert len(found) == max(abs(end[0] - start[0]), abs(end[1] - start[1])) + 1
    for one, other in zip(found, found[1:], strict=False):
        assert max(abs(one[0] - other[0]), abs(one[1] - other[1])) == 1


@given(st.integers(2, 300), st.integers(2, 200), st.data())
def test_each_cell_has_its_own_point(columns: int, rows: int, data: st.DataObject) -> None:
    cell = (data.draw(st.integers(0, columns - 1)), data.draw(st.integers(0, rows - 1)))
    point = point_of(cell, columns, rows)
    assert 0 <= min(point) <= max(point) <= SHARE
    assert cell_of(point, columns, rows) == cell


def test_the_edges_of_the_picture_are_reached() -> None:
    assert point_of((0, 0), 67, 19) == (0, 0)
    assert point_of((66, 18), 67, 19) == (SHARE, SHARE)


@pytest.mark.parametrize(
    ("points", "doubled"),
    [
        (SQUARE, 2 * SHARE * SHARE),
        (((0, 0), (5, 5), (9, 9)), 0),
        (SQUARE[:3], SHARE * SHARE),
        (SQUARE[::-1], 2 * SHARE * SHARE),
    ],
)
def test_what_lies_on_one_line_encloses_nothing(points: tuple[tuple[int, int], ...], doubled: int) -> None:
    assert area(points) == doubled


@given(st.lists(st.tuples(st.integers(0, SHARE), st.integers(0, SHARE)), max_size=12), st.booleans())
def test_everything_drawn_lies_on_the_picture(points: list[tuple[int, int]], is_closed: bool) -> None:
    overlay = outline(points, 40, 11, is_closed=is_closed, cursor=(SHARE // 2, SHARE))
    assert all(0 <= column < 40 and 0 <= row < 11 for column, row in overlay)


def test_rows_keep_their_width_and_cells_beside_the_outline_their_colours() -> None:
    picture = CellPicture(6, 2, ((CellRun("▀▀▀", 1, 2), CellRun("▀▀▀", 3, 4)), (CellRun("▀▀▀▀▀▀", 5, 6),)))
    result = painted(picture, {(2, 0): ("vertical", "line")}, 256, UNICODE)
    assert result.lines[0] == (CellRun("▀▀", 1, 2), CellRun("│", 10, 0), CellRun("▀▀▀", 3, 4))
    assert result.lines[1] == picture.lines[1]


@pytest.mark.parametrize("glyphs", [UNICODE, CP437, ASCII])
@pytest.mark.parametrize("colors", [16_777_216, 256, 16, 8, 2])
def test_it_is_drawn_in_every_palette_and_glyph_set(glyphs: object, colors: int) -> None:
    overlay = outline(SQUARE, 12, 6, is_closed=True, cursor=(SHARE // 2, SHARE // 2))
    result = painted(blank(12, 6), overlay, colors, glyphs)  # type: ignore[arg-type]
    text = "".join(run.text for runs in result.lines for run in runs)
    text.encode("ascii" if glyphs is ASCII else "cp437")
    limit = colors if colors > 2 else 0
    assert all(
        -1 <= run.foreground < limit and -1 <= run.background < max(limit, 1)
        for runs in result.lines
        for run in runs
    )
    ramp = " .:-=+*#%@"
    if glyphs is ASCII:  # an outline that looks like the picture is none
        assert not {sign for sign in text if sign != " "} & set(ramp)


def test_an_empty_backdrop_has_the_shape_of_a_picture_and_says_why() -> None:
    picture = blank(80, 18, "no route to host")
    assert (picture.columns, picture.rows) == (64, 18)
    assert all(sum(len(run.text) for run in runs) == 64 for runs in picture.lines)
    assert "no route to host" in picture.lines[9][0].text
