"""How a `LineList` looks: head and rows as strips, from values. Pure functions of a `LinePaint`; no state, no events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from widgets.format import count as count_text
from widgets.format import fit
from widgets.glyphs import Glyphs
from widgets.line_source import GAP_CELLS, Cell, Column, Line

GUTTER_CELLS: Final = 2
"""In front of a row: cursor and mark."""
PARTS: Final = (
    "header",
    "filter",
    "cursor",
    "cursor-blurred",
    "mark",
    "muted",
    "ok",
    "warning",
    "error",
    "accent",
    "placeholder",
)
"""What has a style of its own, as component class `line-list--PART`: the head and the filter chip in it; the row under
the cursor with and without focus; the mark in front of a row; the tones of cells; rows not fetched yet and the words
of an empty list."""


@dataclass(frozen=True, slots=True)
class LinePaint:
    """What head and rows of one list have in common."""

    glyphs: Glyphs
    base: Style
    component: Callable[[str], Style]
    """Partial style of a component class, by the part of its name after `line-list--`."""
    columns: tuple[Column, ...]
    layout: list[tuple[int, int]]
    """Which columns are shown, and how wide."""
    width: int
    has_focus: bool

    def style(self, name: str) -> Style:
        """A component's style on the widget's own."""
        return self.base + self.component(name)


def paint_header(paint: LinePaint, order: tuple[str, bool] | None, filter_text: str, count: int) -> Strip:
    """Titles, the marker of the order, and the filter as a chip on the right."""
    glyphs, width = paint.glyphs, paint.width
    parts = []
    for index, column_width in paint.layout:
        column = paint.columns[index]
        title = column.title
        if order is not None and order[0] == column.key:
            title += glyphs.sort_down if order[1] else glyphs.sort_up
        parts.append(fit(title, column_width, glyphs.ellipsis, is_right=column.is_right))
    text = " " * GUTTER_CELLS + " ".join(parts)
    style = paint.style("header")
    if not filter_text:
        return Strip([Segment(fit(text, width), style)], width)
    number = f" ({count_text(count)})"
    chip = (
        fit(f"/{filter_text}", min(len(filter_text) + 1, max(width - len(number) - 2, 1)), glyphs.ellipsis)
        + number
    )
    room = max(width - len(chip) - 1, 0)
    segments = [Segment(fit(text, room), style), Segment(" ", style), Segment(chip, paint.style("filter"))]
    return Strip(segments).adjust_cell_length(width, style)


def paint_empty(paint: LinePaint, text: str) -> Strip:
    """A row below the last one, with or without words."""
    return Strip(
        [Segment(fit(" " * GUTTER_CELLS + text, paint.width), paint.style("placeholder"))], paint.width
    )


def paint_line(paint: LinePaint, line: Line | None, *, is_cursor: bool, is_marked: bool) -> Strip:
    """A row; None = not fetched yet. On the cursor's row tones give way to the cursor's colours."""
    glyphs = paint.glyphs
    row_style = paint.base
    if is_cursor:
        row_style += paint.component("cursor" if paint.has_focus else "cursor-blurred")
    if line is None:
        style = row_style + paint.component("placeholder")
        return Strip([Segment(fit(" " * GUTTER_CELLS + glyphs.ellipsis, paint.width), style)], paint.width)
    mark_style = row_style + paint.component("mark") if is_marked else row_style
    segments = [
        Segment(glyphs.cursor if is_cursor else " ", row_style),
        Segment(glyphs.mark if is_marked else " ", mark_style),
    ]
    for position, (cell, column_width, is_right) in enumerate(_cells(paint, line)):
        text, tone = (cell, line.tone) if isinstance(cell, str) else cell
        style = row_style
        if tone and not (is_cursor and paint.has_focus):
            style = row_style + paint.component(tone)
        if position:
            segments.append(Segment(" ", row_style))
        shown = fit(text, column_width, glyphs.ellipsis, is_right=is_right)
        segments.append(Segment(shown, style))
    return Strip(segments).adjust_cell_length(paint.width, row_style)


def _cells(paint: LinePaint, line: Line) -> list[tuple[Cell, int, bool]]:
    """What stands in the columns shown, how wide, and whether on the right; a span is one wide cell."""
    cells: list[tuple[Cell, int, bool]] = []
    keys = [column.key for column in paint.columns]
    span = line.span
    covered = range(0)
    if span is not None and keys.index(span.unless) not in (index for index, _ in paint.layout):
        covered = range(keys.index(span.first), keys.index(span.last) + 1)
    has_span = False
    for index, width in paint.layout:
        if span is None or index not in covered:
            text = line.cells[index] if index < len(line.cells) else ""
            cells.append((text, width, paint.columns[index].is_right))
        elif has_span:
            cells[-1] = (span.cell, cells[-1][1] + GAP_CELLS + width, False)
        else:
            has_span = True
            cells.append((span.cell, width, False))
    return cells
