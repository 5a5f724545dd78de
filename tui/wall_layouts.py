"""The layouts that are always there, and layouts as rows of letters. Pure. Manual rows LV-03 to LV-07.

Rows of letters name the cell of each field, as in `AAB AAC DEF`; `.` is a field in no cell.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from enum import StrEnum

from engine.wire_wall import CELL_LIMIT, GRID_LIMIT, Layout, LayoutCell

LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+*"
EMPTY = "."


class LayoutType(StrEnum):
    """LV-03, and the saved ones."""

    EQUAL = "equal"
    PANORAMA = "panorama"
    FOCUS = "focus"
    VERTICAL = "vertical"
    OWN = "own"


_ROWS: dict[LayoutType, dict[str, str]] = {
    LayoutType.PANORAMA: {
        "1P+6": "AAA BCD EFG",
        "2P": "A B",
        "2P+3": "AAA BBB CDE",
        "3P": "A B C",
    },
    LayoutType.FOCUS: {
        "1+3": "AAAB AAAC AAAD",
        "1+5": "AAB AAC DEF",
        "1+7": "AAAB AAAC AAAD EFGH",
        "1+9": "AAAAB AAAAC AAAAD AAAAE FGHIJ",
        "1+12": "ABCD EFFG HFFI JKLM",
        "1+16": "ABCDE FGGGH IGGGJ KGGGL MNOPQ",
        "2+8": "AABB AABB CDEF GHIJ",
    },
    LayoutType.VERTICAL: {
        "1V+6": "ABC ADE AFG",
        "2V+2": "ABC ABD",
        "2V+3": "ABC ABD ABE",
        "3V": "ABC",
        "3V+4": "ABCD ABCE ABCF ABCG",
        "4V": "ABCD",
        "4V+4": "ABCDE ABCDF ABCDG ABCDH",
        "5V": "ABCDE",
    },
}


def equal_layout(side: int) -> Layout:
    """LV-04: so many cells side by side and one above the other."""
    cells = tuple(LayoutCell(column, row) for row in range(side) for column in range(side))
    return Layout(name=f"{side}x{side}", columns=side, rows=side, cells=cells)


def layout_of_rows(name: str, rows: Sequence[str]) -> Layout:
    """Raises ValueError, with what is wrong."""
    widths = {len(row) for row in rows}
    if len(widths) != 1 or not 1 <= len(rows) <= GRID_LIMIT or not 1 <= widths.copy().pop() <= GRID_LIMIT:
        raise ValueError(
            f"a layout has 1 to {GRID_LIMIT} rows of 1 to {GRID_LIMIT} letters, all of one length"
        )
    places: dict[str, list[tuple[int, int]]] = {}
    for y, row in enumerate(rows):
        for x, letter in enumerate(row):
            if letter != EMPTY:
                places.setdefault(letter, []).append((x, y))
    if not places:
        raise ValueError("a layout has at least one cell")
    if len(places) > CELL_LIMIT:
        raise ValueError(f"a layout has at most {CELL_LIMIT} cells")
    cells = []
    for letter, fields in places.items():
        left, top = fields[0][0], fields[0][1]
        columns, height = max(x for x, _ in fields) - left + 1, fields[-1][1] - top + 1
        if min(x for x, _ in fields) < left or len(fields) != columns * height:
            raise ValueError(f"cell {letter} is no rectangle")
        cells.append(LayoutCell(left, top, columns, height))
    return Layout(name=name, columns=widths.pop(), rows=len(rows), cells=tuple(cells))


def rows_of_layout(layout: Layout) -> list[str]:
    """Rows of letters, cells in their order."""
    rows = [[EMPTY] * layout.columns for _ in range(layout.rows)]
    for letter, cell in zip(LETTERS, layout.cells, strict=False):
        for y in range(cell.row, cell.row + cell.rows):
            for x in range(cell.column, cell.column + cell.columns):
                rows[y][x] = letter
    return ["".join(row) for row in rows]


STANDARD: dict[LayoutType, tuple[Layout, ...]] = {
    LayoutType.EQUAL: tuple(equal_layout(side) for side in range(1, 9)),
    **{
        kind: tuple(layout_of_rows(name, rows.split()) for name, rows in named.items())
        for kind, named in _ROWS.items()
    },
}
"""By type; names are those of the manual."""


def standard_layout(name: str) -> Layout | None:
    """By name, in any case."""
    wanted = name.casefold()
    return next(
        (each for several in STANDARD.values() for each in several if each.name.casefold() == wanted), None
    )


def shape_of(layout: Layout) -> str:
    """`12 cells, 4 x 4`."""
    count = len(layout.cells)
    return f"{count} {'cell' if count == 1 else 'cells'}, {layout.columns} x {layout.rows}"
