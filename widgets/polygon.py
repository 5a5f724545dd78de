"""A polygon on a picture made of cells: which cell a corner is in, the characters of its outline, the picture with both. Pure.

    cell_of(point, columns, rows), point_of(cell, columns, rows)
    outline(points, columns, rows, is_closed=, cursor=) -> Overlay       {(column, row): (sign, tone)}
    painted(picture, overlay, colors, glyphs) -> CellPicture

Points are in 1/10,000 of the picture's width and height from its upper left corner; the outermost cells are its edges.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from widgets.glyphs import Glyphs
from widgets.picture import TRUECOLOR, CellPicture, CellPictureLike, CellRun, CellRunLike
from widgets.polygon_area import SHARE, Point

Place = tuple[int, int]
"""Column and row."""
Sign = Literal["horizontal", "vertical", "falling", "rising", "corner", "first", "cursor"]
Tone = Literal["line", "band", "corner", "cursor"]
Overlay = dict[Place, tuple[Sign, Tone]]

_SIGNS: dict[Sign, str] = {
    "horizontal": "─",
    "vertical": "│",
    "falling": "\\",
    "rising": "/",
    "corner": "■",
    "first": "■",
    "cursor": "┼",
}
_ASCII_SIGNS: dict[Sign, str] = {
    "horizontal": "_",
    "vertical": "|",
    "falling": "\\",
    "rising": "/",
    "corner": "O",
    "first": "O",
    "cursor": "X",
}
"""None of them stands in the ramp that ASCII pictures are drawn with."""
_BRIGHT = {"line": 10, "band": 2, "corner": 11, "cursor": 15}
_EIGHT = {"line": 2, "band": 6, "corner": 3, "cursor": 7}
_TRUE = {"line": 0x3CFF3C, "band": 0x2E9C2E, "corner": 0xFFE13C, "cursor": 0xFFFFFF}
BLACK = 0
"""Below the outline, so that it is seen on any picture; the same number in every palette."""


def cell_of(point: Point, columns: int, rows: int) -> Place:
    """The cell a point lies in."""
    x, y = point
    return (
        max(0, min(round(x * (columns - 1) / SHARE), columns - 1)),
        max(0, min(round(y * (rows - 1) / SHARE), rows - 1)),
    )


def point_of(cell: Place, columns: int, rows: int) -> Point:
    """The point a cell stands for: the middle ones in between, the outermost ones the edges."""
    column, row = cell
    return round(column * SHARE / max(columns - 1, 1)), round(row * SHARE / max(rows - 1, 1))


def line(start: Place, end: Place) -> Iterator[Place]:
    """The cells from one to the other, both included, each touching the next (Bresenham)."""
    column, row = start
    step_x, step_y = (1 if end[0] > column else -1), (1 if end[1] > row else -1)
    width, height = abs(end[0] - column), -abs(end[1] - row)
    error = width + height
    while True:
        yield column, row
        if (column, row) == end:
            return
        doubled = 2 * error
        if doubled >= height:
            error += height
            column += step_x
        if doubled <= width:
            error += width
            row += step_y


def outline(
    points: Sequence[Point],
    columns: int,
    rows: int,
    *,
    is_closed: bool = False,
    cursor: Point | None = None,
) -> Overlay:
    """Edges, corners and the cursor; while it is open a fainter line leads from the last corner to the cursor."""
    cells = [cell_of(point, columns, rows) for point in points]
    overlay: Overlay = {}
    if not is_closed and cursor is not None and cells:
        _edge(overlay, cells[-1], cell_of(cursor, columns, rows), "band")
    for start, end in zip(cells, cells[1:], strict=False):
        _edge(overlay, start, end, "line")
    if is_closed and len(cells) > 2:
        _edge(overlay, cells[-1], cells[0], "line")
    for index, cell in enumerate(cells):
        overlay[cell] = ("corner" if index else "first", "corner")
    if cursor is not None:
        overlay[cell_of(cursor, columns, rows)] = ("cursor", "cursor")
    return overlay


def _edge(overlay: Overlay, start: Place, end: Place, tone: Tone) -> None:
    cells = list(line(start, end))
    for index, cell in enumerate(cells):
        before, after = cells[max(index - 1, 0)], cells[min(index + 1, len(cells) - 1)]
        overlay[cell] = (_sign(after[0] - before[0], after[1] - before[1]), tone)


def _sign(across: int, down: int) -> Sign:
    """By where the line comes from and goes to."""
    if not down:
        return "horizontal"
    if not across:
        return "vertical"
    return "falling" if (across > 0) == (down > 0) else "rising"


def painted(picture: CellPictureLike, overlay: Overlay, colors: int, glyphs: Glyphs) -> CellPicture:
    """The picture with an outline over it; the cells below it are black."""
    signs = _ASCII_SIGNS if glyphs.name == "ascii" else _SIGNS
    tones = _TRUE if colors >= TRUECOLOR else _BRIGHT if colors > 8 else _EIGHT
    by_row: dict[int, dict[int, CellRun]] = {}
    for (column, row), (sign, tone) in overlay.items():
        is_mono = colors <= 2
        run = CellRun(signs[sign], -1 if is_mono else tones[tone], -1 if is_mono else BLACK)
        by_row.setdefault(row, {})[column] = run
    lines = []
    for row, runs in enumerate(picture.lines):
        own = by_row.get(row)
        lines.append(
            _with(runs, own) if own else tuple(CellRun(r.text, r.foreground, r.background) for r in runs)
        )
    return CellPicture(picture.columns, picture.rows, tuple(lines))


def _with(runs: Sequence[CellRunLike], own: dict[int, CellRun]) -> tuple[CellRun, ...]:
    """A row with some cells replaced; equal neighbours are one run again."""
    cells = [CellRun(sign, run.foreground, run.background) for run in runs for sign in run.text]
    for column, run in own.items():
        if column < len(cells):
            cells[column] = run
    merged: list[CellRun] = []
    for cell in cells:
        last = merged[-1] if merged else None
        if last is not None and (last.foreground, last.background) == (cell.foreground, cell.background):
            merged[-1] = CellRun(last.text + cell.text, cell.foreground, cell.background)
        else:
            merged.append(cell)
    return tuple(merged)


def blank(columns: int, rows: int, words: str = "") -> CellPicture:
    """Where there is no picture to draw on: an empty one, 16:9, with words on it."""
    columns = max(1, min(columns, rows * 32 // 9))
    rows = max(1, min(rows, columns * 9 // 32 or 1))
    lines = [(CellRun(" " * columns),)] * rows
    text = words[:columns].center(columns)
    lines[rows // 2] = (CellRun(text),)
    return CellPicture(columns, rows, tuple(lines))
