"""Areas drawn on a picture as the mask of motion detection, and back: 18 rows of 32 `x` (looked at) or `.` (not). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from widgets.areas import Area, covered, in_rectangles

COLUMNS, ROWS = 32, 18
CELLS_MAX = COLUMNS * ROWS
LOOKED_AT, LEFT_OUT = "x", "."


def mask_of(areas: Sequence[Area], *, is_left_out: bool) -> tuple[str, ...]:
    """A cell belongs to an area that two fifths of it lie in."""
    cells = covered(areas, COLUMNS, ROWS)
    return tuple(
        "".join(LEFT_OUT if ((x, y) in cells) is is_left_out else LOOKED_AT for x in range(COLUMNS))
        for y in range(ROWS)
    )


def left_out_areas(mask: Sequence[str]) -> tuple[Area, ...]:
    """What is not looked at, as rectangles; `mask_of` makes the same mask of them. An empty mask looks at all."""
    cells = [
        (x, y)
        for y, row in enumerate(mask[:ROWS])
        for x, sign in enumerate(row[:COLUMNS])
        if sign == LEFT_OUT
    ]
    return in_rectangles(cells, COLUMNS, ROWS)


def looked_at(mask: Sequence[str]) -> int:
    """How many cells are; of an empty mask all."""
    return sum(row.count(LOOKED_AT) for row in mask) if mask else CELLS_MAX
