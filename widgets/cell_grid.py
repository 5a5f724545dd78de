"""Widgets at given places: a wall of cells of different sizes, and where each cell of a grid comes to stand.

CellGrid()                                        .place({widget: Region}): these, there; all others are hidden
cell_regions(columns, rows, cells, width, height, gap=0)   one Region a cell
CellBox                                           what a cell offers: column, row, columns, rows, in fields of the grid
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from textual.geometry import NULL_OFFSET, Region, Size, Spacing
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.message import Message
from textual.widget import Widget


class CellBox(Protocol):
    """Fields of a grid, from the upper left corner."""

    @property
    def column(self) -> int: ...
    @property
    def row(self) -> int: ...
    @property
    def columns(self) -> int: ...
    @property
    def rows(self) -> int: ...


def cell_regions(
    columns: int, rows: int, cells: Sequence[CellBox], width: int, height: int, gap: int = 0
) -> list[Region]:
    """Where each cell stands in so many columns and rows of characters. Neighbours meet exactly; `gap` columns stay free between."""
    xs = [number * (width + gap) // columns for number in range(columns + 1)]
    ys = [number * height // rows for number in range(rows + 1)]
    regions = []
    for cell in cells:
        left, top = xs[cell.column], ys[cell.row]
        right, bottom = xs[cell.column + cell.columns] - gap, ys[cell.row + cell.rows]
        regions.append(Region(left, top, max(right - left, 0), max(bottom - top, 0)))
    return regions


class _Places(Layout):
    """Children where the grid was told."""

    name = "places"

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        assert isinstance(parent, CellGrid)
        parent.pre_layout(self)
        return [
            WidgetPlacement(place, NULL_OFFSET, Spacing(), child)
            for child in children
            if (place := parent.places.get(child)) is not None
        ]


class CellGrid(Widget):
    """A container whose children stand where `place` says."""

    DEFAULT_CSS = "CellGrid { height: 1fr; overflow: hidden; }"

    class Resized(Message):
        """There is another amount of room: place anew."""

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.places: Mapping[Widget, Region] = {}
        self._layout = _Places()

    @property
    def layout(self) -> Layout:
        """Its own."""
        return self._layout

    def on_resize(self) -> None:
        """Regions are the owner's to choose."""
        self.post_message(self.Resized())

    def place(self, places: Mapping[Widget, Region]) -> None:
        """Show these children at these places, and no others."""
        for child in self.children:
            child.display = child in places
        if self.places != places:
            self.places = places
            # By a child: Textual keeps a container's own arrangement until one of its children asks for another.
            next(iter(places), self).refresh(layout=True)
