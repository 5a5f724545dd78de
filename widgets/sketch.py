"""A layout of cells drawn with lines: sketches in a picker, and the cells themselves while they are edited.

    sketch(columns, rows, cells, labels, width, height, glyphs, in_hand=None) -> lines of Content

Cells share their lines. The cell in hand has double lines, so that it is told without colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.cells import cell_len
from textual.content import Content

from widgets.cell_grid import CellBox
from widgets.format import fit
from widgets.glyphs import Glyphs

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
_LINES = {
    0: " ",
    LEFT | RIGHT: "─",
    LEFT: "─",
    RIGHT: "─",
    UP | DOWN: "│",
    UP: "│",
    DOWN: "│",
    DOWN | RIGHT: "┌",
    DOWN | LEFT: "┐",
    UP | RIGHT: "└",
    UP | LEFT: "┘",
    DOWN | LEFT | RIGHT: "┬",
    UP | LEFT | RIGHT: "┴",
    UP | DOWN | RIGHT: "├",
    UP | DOWN | LEFT: "┤",
    UP | DOWN | LEFT | RIGHT: "┼",
}
IN_HAND = "bold $text-accent"


def sketch(
    columns: int,
    rows: int,
    cells: Sequence[CellBox],
    labels: Sequence[str],
    width: int,
    height: int,
    glyphs: Glyphs,
    in_hand: int | None = None,
) -> list[Content]:
    """`height` lines, each `width` characters wide."""
    if width < 2 or height < 2:
        return [Content(" " * max(width, 0)) for _ in range(height)]
    xs = [number * (width - 1) // columns for number in range(columns + 1)]
    ys = [number * (height - 1) // rows for number in range(rows + 1)]
    lines = [[0] * width for _ in range(height)]
    letters: dict[tuple[int, int], str] = {}
    frame: dict[tuple[int, int], str] = {}
    for number, cell in enumerate(cells):
        left, right = xs[cell.column], xs[cell.column + cell.columns]
        top, bottom = ys[cell.row], ys[cell.row + cell.rows]
        _outline(lines, left, top, right, bottom)
        label = labels[number] if number < len(labels) else ""
        _write(letters, label, left, top, right, bottom, glyphs)
        if number == in_hand:
            frame = _frame(left, top, right, bottom, glyphs)
    return [
        _line([_character(x, y, lines, letters, frame, glyphs) for x in range(width)]) for y in range(height)
    ]


def _outline(lines: list[list[int]], left: int, top: int, right: int, bottom: int) -> None:
    for y in {top, bottom}:
        for x in range(left, right + 1):
            lines[y][x] |= (LEFT if x > left else 0) | (RIGHT if x < right else 0)
    for x in {left, right}:
        for y in range(top, bottom + 1):
            lines[y][x] |= (UP if y > top else 0) | (DOWN if y < bottom else 0)


def _write(
    letters: dict[tuple[int, int], str],
    label: str,
    left: int,
    top: int,
    right: int,
    bottom: int,
    glyphs: Glyphs,
) -> None:
    """In the middle of the cell; where there is no line inside, on its upper one."""
    room = right - left - 1
    if not label or room < 1:
        return
    text = fit(label, min(room, cell_len(label)), glyphs.ellipsis).rstrip()
    y = (top + bottom) // 2 if bottom - top > 1 else top
    x = left + 1 + max((room - cell_len(text)) // 2, 0)
    for letter in text:
        letters[x, y] = letter
        for beside in range(1, cell_len(letter)):
            letters[x + beside, y] = ""  # the second half of a wide one
        x += max(cell_len(letter), 1)


def _frame(left: int, top: int, right: int, bottom: int, glyphs: Glyphs) -> dict[tuple[int, int], str]:
    """Of the cell in hand."""
    upper_left, across, upper_right, down, lower_left, lower_right = tuple(glyphs.frame_selected)
    found = {(x, y): across for x in range(left, right + 1) for y in (top, bottom)}
    found |= {(x, y): down for y in range(top + 1, bottom) for x in (left, right)}
    corners = {(left, top): upper_left, (right, top): upper_right}
    return found | corners | {(left, bottom): lower_left, (right, bottom): lower_right}


def _character(
    x: int,
    y: int,
    lines: list[list[int]],
    letters: dict[tuple[int, int], str],
    frame: dict[tuple[int, int], str],
    glyphs: Glyphs,
) -> tuple[str, str]:
    if (letter := letters.get((x, y))) is not None:
        return letter, "bold" if frame and (x, y) in letters else ""
    if (edge := frame.get((x, y))) is not None:
        return edge, IN_HAND
    line = _LINES[lines[y][x]]
    if glyphs.name == "ascii" and line != " ":
        line = {"─": "-", "│": "|"}.get(line, "+")
    return line, "dim" if frame else ""


def _line(characters: list[tuple[str, str]]) -> Content:
    parts = [
        ("".join(character for character, _ in run), style)
        for style, run in ((style, list(each)) for style, each in groupby(characters, lambda pair: pair[1]))
    ]
    return Content.assemble(*parts)
