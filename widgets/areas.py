"""Areas of a picture, each a polygon; a rectangle is one whose sides are those of the picture. Pure.

    rectangle(cell, cell, columns, rows) -> Area        over both cells, whole
    bounds(area) -> (left, top, width, height)          the rectangle around it
    outlines(areas, columns, rows, in_hand=) -> Overlay
    contains(area, point), covered(areas, columns, rows) -> {(column, row)}

Points are in 1/10,000 of the picture's width and height from its upper left corner.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from widgets.polygon import Overlay, Place, Tone, outline
from widgets.polygon_area import SHARE, Point

Area = tuple[Point, ...]
Bounds = tuple[int, int, int, int]
"""Left, top, width, height."""
LEAST_SHARE = 0.4
"""Of a cell that must be inside, as in motion searches."""
POINTS = 5
"""Each way, in every cell."""


def rectangle(first: Place, second: Place, columns: int, rows: int) -> Area:
    """What two cells of a picture span, both of them whole: nothing that was outlined is left bare."""
    left, right = sorted((first[0], second[0]))
    top, bottom = sorted((first[1], second[1]))
    x, y = left * SHARE // columns, top * SHARE // rows
    return rectangle_of((x, y, -(-(right + 1) * SHARE // columns) - x, -(-(bottom + 1) * SHARE // rows) - y))


def rectangle_of(bounds: Bounds) -> Area:
    """Its four corners, clockwise from the upper left one."""
    left, top, width, height = bounds
    right, bottom = left + width, top + height
    return (left, top), (right, top), (right, bottom), (left, bottom)


def bounds(area: Area) -> Bounds:
    """The rectangle around it."""
    xs, ys = [x for x, _ in area], [y for _, y in area]
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)


def is_rectangle(area: Area) -> bool:
    """Whether it is the rectangle around it."""
    return area == rectangle_of(bounds(area))


def contains(area: Area, point: Point) -> bool:
    """By the number of sides to the right; what lies inside an even number of times is outside."""
    x, y = point
    is_inside = False
    for (x1, y1), (x2, y2) in zip(area, (*area[1:], *area[:1]), strict=True):
        if (y1 > y) != (y2 > y) and (x - x1) * abs(y2 - y1) < (x2 - x1) * (y - y1) * (1 if y2 > y1 else -1):
            is_inside = not is_inside
    return is_inside


def covered(areas: Iterable[Area], columns: int, rows: int) -> frozenset[Place]:
    """The cells of a grid of which enough lies in one of them; of an area smaller than cells all it touches."""
    cells: set[Place] = set()
    for area in areas:
        shares = _shares(area, columns, rows)
        cells.update([cell for cell, share in shares.items() if share >= LEAST_SHARE] or shares)
    return frozenset(cells)


def _shares(area: Area, columns: int, rows: int) -> dict[Place, float]:
    """How much of each cell lies inside, measured at points of it; cells without any are left out."""
    left, top, width, height = bounds(area)
    shares: dict[Place, float] = {}
    for row in range(top * rows // SHARE, min(rows, (top + height) * rows // SHARE + 1)):
        for column in range(left * columns // SHARE, min(columns, (left + width) * columns // SHARE + 1)):
            inside = sum(
                contains(
                    area,
                    middle_of((column * POINTS + x, row * POINTS + y), columns * POINTS, rows * POINTS),
                )
                for x in range(POINTS)
                for y in range(POINTS)
            )
            if inside:
                shares[column, row] = inside / POINTS**2
    return shares


def middle_of(cell: Place, columns: int, rows: int) -> Point:
    """Of a cell, rounded down."""
    return (2 * cell[0] + 1) * SHARE // (2 * columns), (2 * cell[1] + 1) * SHARE // (2 * rows)


def in_rectangles(cells: Iterable[Place], columns: int, rows: int) -> tuple[Area, ...]:
    """Cells of a grid as rectangles, few of them: runs of a row, joined to the same run of the row below."""
    left_over = set(cells)
    found = []
    while left_over:
        row, column = min((row, column) for column, row in left_over)
        right = column
        while (right + 1, row) in left_over:
            right += 1
        run, bottom = range(column, right + 1), row
        while all((each, bottom + 1) in left_over for each in run):
            bottom += 1
        left_over -= {(each, y) for each in run for y in range(row, bottom + 1)}
        found.append(rectangle((column, row), (right, bottom), columns, rows))
    return tuple(found)


# -- on the picture --------------------------------------------------------------------------------------


def outlines(areas: Sequence[Area], columns: int, rows: int, in_hand: int | None = None) -> Overlay:
    """All of them; that in hand brighter, and over the others."""
    overlay: Overlay = {}
    for index in sorted(range(len(areas)), key=lambda each: each == in_hand):
        tone: Tone = "line" if index == in_hand else "band"
        overlay.update(_outline(areas[index], columns, rows, tone))
    return overlay


def frame(first: Place, second: Place, tone: Tone = "line") -> Overlay:
    """A rectangle around two cells, both of them on its edge."""
    left, right = sorted((first[0], second[0]))
    top, bottom = sorted((first[1], second[1]))
    overlay: Overlay = {}
    for row in (top, bottom):
        overlay.update({(column, row): ("horizontal", tone) for column in range(left, right + 1)})
    for column in (left, right):
        overlay.update({(column, row): ("vertical", tone) for row in range(top, bottom + 1)})
    overlay.update({(column, row): ("corner", "corner") for column in (left, right) for row in (top, bottom)})
    return overlay


def _outline(area: Area, columns: int, rows: int, tone: Tone) -> Overlay:
    if is_rectangle(area):
        left, top, width, height = bounds(area)
        return frame(
            (_first(left, columns), _first(top, rows)),
            (_last(left + width, columns), _last(top + height, rows)),
            tone,
        )
    return {
        cell: (sign, tone if kind == "line" else kind)
        for cell, (sign, kind) in outline(area, columns, rows, is_closed=True).items()
    }


def _first(share: int, count: int) -> int:
    """The first cell that begins there or before; shares were rounded down."""
    return min(((share + 1) * count - 1) // SHARE, count - 1)


def _last(share: int, count: int) -> int:
    """The last cell that ends there or later; shares were rounded up."""
    return max(0, min((share - 1) * count // SHARE, count - 1))
