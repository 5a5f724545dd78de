"""A polygon on the picture to the cells it means. Pure. Manual rows SS-11, SS-18."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from engine.wire_search import SHARE
from storage.catalog.motion_looks import CELLS, COLUMNS, ROWS
from storage.errors import InvalidInput

WHOLE = (1 << CELLS) - 1
CORNERS_LIMIT = 64
_LEAST_AREA = 0.4
"""Of a cell that must be inside."""
_LINES = 8
"""Through each row of cells, along which the polygon is measured."""


def cells_in(polygon: Sequence[tuple[int, int]]) -> int:
    """A bit a cell, as in MotionLook; corners in 1/SHARE of width and height, none = the whole picture. Raises InvalidInput.

    Where lines cross, what is inside an even number of times is outside. A polygon thinner than cells means all it touches.
    """
    if not polygon:
        return WHOLE
    if not 3 <= len(polygon) <= CORNERS_LIMIT:
        raise InvalidInput(
            f"$.polygon has {len(polygon)} corners",
            f"give 3 to {CORNERS_LIMIT}, or none for the whole picture",
        )
    areas = _areas(polygon)
    chosen = [place for place, area in enumerate(areas) if area >= _LEAST_AREA]
    chosen = chosen or [place for place, area in enumerate(areas) if area > 0]
    if not chosen:
        raise InvalidInput("$.polygon has no area", "move its corners apart")
    return sum(1 << CELLS - 1 - place for place in chosen)


def _areas(polygon: Sequence[tuple[int, int]]) -> list[float]:
    """Per cell, which share of it is inside."""
    corners = [(x * COLUMNS / SHARE, y * ROWS / SHARE) for x, y in polygon]
    edges = list(pairwise([*corners, corners[0]]))
    areas = [0.0] * CELLS
    for row in range(ROWS):
        for line in range(_LINES):
            y = row + (line + 0.5) / _LINES
            crossings = sorted(
                x1 + (y - y1) * (x2 - x1) / (y2 - y1)
                for (x1, y1), (x2, y2) in edges
                if (y1 <= y) != (y2 <= y)
            )
            for left, right in zip(crossings[::2], crossings[1::2], strict=True):
                for column in range(int(left), min(COLUMNS, int(right) + 1)):
                    inside = min(right, column + 1) - max(left, column)
                    areas[row * COLUMNS + column] += max(0.0, inside) / _LINES
    return areas
