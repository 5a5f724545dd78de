"""A camera's picture on which a polygon is drawn by keyboard. Manual rows SS-11, SS-22, HK-31.

    PolygonCell(*, id=None)
        .set_picture(picture, colors)   the backdrop, made of cells: what the terminal draws itself could not be drawn over
        .clear(reason)                  no backdrop: the polygon is drawn on an empty one that says why
        .points, .is_closed, .cursor    in 1/10,000 of the picture
        .move(columns, rows), .add(), .close(), .remove_last(), .delete(), .put(points, is_closed)
    messages: PolygonCell.Changed(control)

`add` and `close` return why they did nothing; empty = done.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.message import Message

from widgets.glyphs import glyphs_of
from widgets.picture import TRUECOLOR, CellPictureLike, Picture, TerminalPicture
from widgets.polygon import Overlay, blank, cell_of, outline, painted, point_of
from widgets.polygon_area import SHARE, Point, area
from widgets.video_cell import VideoCell

CORNERS_MAX = 64
LEAST_AREA = 20_000
"""Twice, in squared 1/10,000: what rounding makes of a slanting line, and less than half a cell."""


class PolygonCell(VideoCell):
    """Invariant: a closed polygon has at least three corners and covers something."""

    class Changed(Message):
        """Corners came or went, or it was closed."""

        def __init__(self, control: PolygonCell) -> None:
            super().__init__()
            self._cell = control

        @property
        def control(self) -> PolygonCell:
            """The cell."""
            return self._cell

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(can_focus=True, id=id)
        self.points: tuple[Point, ...] = ()
        self.is_closed = False
        self.cursor: Point = (SHARE // 2, SHARE // 2)
        self._backdrop: CellPictureLike | None = None
        self._colors = TRUECOLOR
        self._words = ""

    # -- the backdrop ------------------------------------------------------------------------------------

    def set_picture(self, picture: Picture, colors: int = TRUECOLOR) -> None:
        """Draw on this from now on."""
        if isinstance(picture, TerminalPicture):
            raise TypeError("a polygon is drawn on pictures made of cells")
        self._backdrop, self._colors, self._words = picture, colors, ""
        self._draw()

    def clear(self, reason: str, *, is_fault: bool = False) -> None:
        """Draw on nothing, which says why."""
        self._backdrop, self._words = None, reason
        self._draw()

    @property
    def grid(self) -> tuple[int, int]:
        """Columns and rows of the picture drawn on."""
        canvas = self._canvas
        return canvas.columns, canvas.rows

    @property
    def _canvas(self) -> CellPictureLike:
        columns, rows = self.room
        return self._backdrop or blank(max(columns, 1), max(rows, 1), self._words)

    def _draw(self) -> None:
        canvas = self._canvas
        super().set_picture(
            painted(canvas, self._overlay(canvas), self._colors, glyphs_of(self)), self._colors
        )

    def _overlay(self, canvas: CellPictureLike) -> Overlay:
        """What stands over the picture."""
        return outline(
            self.points,
            canvas.columns,
            canvas.rows,
            is_closed=self.is_closed,
            cursor=self.cursor if self.has_focus else None,
        )

    def on_focus(self) -> None:
        """The cursor is there while it has the focus."""
        self._draw()

    def on_blur(self) -> None:
        """The cursor goes with the focus."""
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """An empty backdrop fits itself. (The base's own handler is called, too.)"""
        if self._backdrop is None:
            self._draw()

    # -- drawing -----------------------------------------------------------------------------------------

    def move(self, columns: int, rows: int) -> None:
        """The cursor, by cells of the picture; with none it comes to the middle of its cell."""
        width, height = self.grid
        column, row = cell_of(self.cursor, width, height)
        cell = (max(0, min(column + columns, width - 1)), max(0, min(row + rows, height - 1)))
        self.cursor = point_of(cell, width, height)
        self._draw()

    def add(self) -> str:
        """A corner at the cursor; on the first one it closes."""
        self.move(0, 0)
        if self.is_closed:
            return "the region is closed: backspace opens it, esc deletes it"
        if len(self.points) > 2 and self.cursor == self.points[0]:
            return self.close()
        if self.points and self.cursor == self.points[-1]:
            return "there is a corner already"
        if len(self.points) >= CORNERS_MAX:
            return f"a region has at most {CORNERS_MAX} corners"
        self.put((*self.points, self.cursor))
        return ""

    def close(self) -> str:
        """Join the last corner to the first."""
        if self.is_closed:
            return ""
        if len(self.points) < 3:
            return "a region needs three corners"
        if area(self.points) < LEAST_AREA:
            return "these corners lie on one line: they enclose nothing"
        self.put(self.points, is_closed=True)
        return ""

    def remove_last(self) -> bool:
        """Open a closed one; else take the last corner back."""
        if not self.points:
            return False
        self.put(self.points if self.is_closed else self.points[:-1])
        return True

    def delete(self) -> bool:
        """All of it."""
        if not self.points:
            return False
        self.put(())
        return True

    def put(self, points: Sequence[Point], *, is_closed: bool = False) -> None:
        """These corners."""
        self.points, self.is_closed = tuple(points), is_closed
        self._draw()
        self.post_message(self.Changed(self))
