"""A camera's picture on which several areas are drawn by keyboard. Manual rows EX-04, SS-11.

AreasCell(areas=(), *, has_polygons=True, limit=32, id=None)
    .areas                          those that are done, in 1/10,000 of the picture
    .is_rectangular, .switch()      two corners make a rectangle; or a polygon is closed on its first corner
    .add(), .close()                a corner at the cursor, the area done; why they did nothing, empty = done
    .undo(), .take_away()              the last step taken back; the area under the cursor taken away; False = nothing to do
messages: AreasCell.Changed(control), as of PolygonCell
"""

from __future__ import annotations

from collections.abc import Sequence

from widgets.areas import Area, contains, frame, middle_of, outlines, rectangle
from widgets.picture import CellPictureLike
from widgets.polygon import Overlay, cell_of
from widgets.polygon_cell import PolygonCell


class AreasCell(PolygonCell):
    """`points` are those of the area that is being drawn. Invariant: what is in `areas` is closed and covers something."""

    def __init__(
        self, areas: Sequence[Area] = (), *, has_polygons: bool = True, limit: int = 32, id: str | None = None
    ) -> None:
        """
        Args:
            has_polygons: False = rectangles alone.
            limit: so many areas at most.
        """
        super().__init__(id=id)
        self.areas: tuple[Area, ...] = tuple(areas)
        self.has_polygons = has_polygons
        self.is_rectangular = not has_polygons
        self._limit = limit
        self._steps: list[tuple[tuple[Area, ...], Area]] = []
        """Areas and corners as they were before each step."""

    # -- drawing -----------------------------------------------------------------------------------------

    def switch(self) -> str:
        """Polygons instead of rectangles, or back; why not, empty = done."""
        if not self.has_polygons:
            return "these are rectangles: what is masked has straight sides"
        if self.points:
            return "an area is being drawn: close it, or esc drops it"
        self.is_rectangular = not self.is_rectangular
        self.put(())
        return ""

    def add(self) -> str:
        """A corner at the cursor; the second one of a rectangle, and the first one of a polygon again, close it."""
        self.move(0, 0)
        if len(self.areas) >= self._limit:
            return f"there are at most {self._limit} areas"
        before = self.areas, self.points
        if not self.is_rectangular:
            wrong = super().add()
        elif not self.points:
            self.put((self.cursor,))
            wrong = ""
        else:
            wrong = self.close()
        if not wrong and self.areas == before[0]:
            self._steps.append(before)
        return wrong

    def close(self) -> str:
        """The area that is being drawn is done."""
        before = self.areas, self.points
        if not self.is_rectangular:
            if wrong := super().close():
                return wrong
            area = self.points
        elif self.points:
            area = rectangle(self._place(self.points[0]), self._place(self.cursor), *self.grid)
        else:
            return "a rectangle needs two corners: enter sets the first"
        self._steps.append(before)
        self.areas = (*self.areas, area)
        self.put(())
        return ""

    def undo(self) -> bool:
        """One step: a corner, an area, one taken away."""
        if not self._steps:
            return False
        self.areas, points = self._steps.pop()
        self.put(points)
        return True

    def take_away(self) -> bool:
        """Take the area under the cursor away; of several the last one drawn."""
        index = self.in_hand
        if index is None:
            return False
        self._steps.append((self.areas, self.points))
        self.areas = tuple(area for number, area in enumerate(self.areas) if number != index)
        self.put(self.points)
        return True

    def drop(self) -> bool:
        """The area that is being drawn, corners and all."""
        if not self.points:
            return False
        self._steps.append((self.areas, self.points))
        self.put(())
        return True

    # -- on the picture ----------------------------------------------------------------------------------

    @property
    def in_hand(self) -> int | None:
        """Of the areas, that under the cursor."""
        columns, rows = self.grid
        cell = cell_of(self.cursor, columns, rows)
        middle = middle_of(cell, columns, rows)
        return next(
            (
                index
                for index, area in reversed(tuple(enumerate(self.areas)))
                if contains(area, middle) or cell in outlines([area], columns, rows)
            ),
            None,
        )

    def _place(self, point: tuple[int, int]) -> tuple[int, int]:
        return cell_of(point, *self.grid)

    def _overlay(self, canvas: CellPictureLike) -> Overlay:
        overlay = outlines(self.areas, canvas.columns, canvas.rows, self.in_hand if self.has_focus else None)
        if self.is_rectangular and self.points:
            overlay.update(frame(self._place(self.points[0]), self._place(self.cursor)))
            overlay[self._place(self.cursor)] = ("cursor", "cursor")
        else:
            overlay.update(super()._overlay(canvas))
        return overlay
