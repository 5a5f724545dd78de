"""A polygon on the picture to the cells it means. Pure. Manual rows SS-11, SS-18."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import dist

from engine.wire_search import SHARE
from storage.catalog.motion_looks import CELLS, COLUMNS, ROWS
from storage.errors import InvalidInput

WHOLE = (1 << CELLS) - 1
CORNERS_LIMIT = 64
_LEAST_AREA = 0.4
"""Of a cell that must be inside."""
_LINES = 8
"""Through each row and column of cells, along which the polygon is measured."""
_NOTHING = 1e-9
_Point = tuple[float, float]


def cells_in(polygon: Sequence[tuple[int, int]]) -> int:
    """A bit a cell, as in MotionLook; corners in 1/SHARE of width and height, none = the whole picture. Raises InvalidInput.

    Where lines cross, what is inside an even number of times is outside. Where a polygon is thinner than a cell it means the cells it passes.
    """
    if not polygon:
        return WHOLE
    if not 3 <= len(polygon) <= CORNERS_LIMIT:
        raise InvalidInput(
            f"$.polygon has {len(polygon)} corners",
            f"give 3 to {CORNERS_LIMIT}, or none for the whole picture",
        )
    corners = [(x * COLUMNS / SHARE, y * ROWS / SHARE) for x, y in polygon]
    edges = list(pairwise([*corners, corners[0]]))
    if _is_flat(corners):
        raise InvalidInput("$.polygon has no area", "move its corners apart")
    areas, chosen = [0.0] * CELLS, set[int]()
    for row, column, inside, is_thin in _crossed(edges, COLUMNS, ROWS):
        areas[row * COLUMNS + column] += inside / _LINES
        if is_thin:
            chosen.add(row * COLUMNS + column)
    for column, row, _, is_thin in _crossed([(a[::-1], b[::-1]) for a, b in edges], ROWS, COLUMNS):
        if is_thin:
            chosen.add(row * COLUMNS + column)
    chosen.update(place for place, area in enumerate(areas) if area >= _LEAST_AREA)
    # Between all lines: where its corners are.
    chosen = chosen or {min(int(y), ROWS - 1) * COLUMNS + min(int(x), COLUMNS - 1) for x, y in corners}
    return sum(1 << CELLS - 1 - place for place in chosen)


def _is_flat(corners: Sequence[_Point]) -> bool:
    """All on one line: nothing is inside."""
    (x0, y0), (x1, y1) = corners[0], max(corners, key=lambda each: dist(each, corners[0]))
    return all(abs((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) < _NOTHING for x, y in corners)


def _crossed(
    edges: Sequence[tuple[_Point, _Point]], columns: int, rows: int
) -> Iterator[tuple[int, int, float, bool]]:
    """Along lines through each row: row, column, which share of the cell's part of the line is inside, and whether the
    polygon is so thin there that no cell has enough of it."""
    for line in range(rows * _LINES):
        y = (line + 0.5) / _LINES
        crossings = sorted(
            x1 + (y - y1) * (x2 - x1) / (y2 - y1) for (x1, y1), (x2, y2) in edges if (y1 <= y) != (y2 <= y)
        )
        for left, right in zip(crossings[::2], crossings[1::2], strict=True):
            parts = [
                (column, min(right, column + 1) - max(left, column))
                for column in range(int(left), min(columns, int(right) + 1))
            ]
            is_thin = max((inside for _, inside in parts), default=0) < _LEAST_AREA
            for column, inside in parts:
                yield line // _LINES, column, max(0.0, inside), is_thin
