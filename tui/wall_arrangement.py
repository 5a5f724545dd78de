"""What stands in the cells of the wall, and every change of it: cameras placed, swapped, cells grown and shrunk. Pure. Manual rows LV-08, LV-09, CL-01.

Invariant of all changes: cells stay inside the grid and never overlap. A cell that grows absorbs whole cells and a cell that
shrinks leaves cells of one field, so that a field once in a cell stays in one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from engine.wire_wall import CELL_LIMIT, Layout, LayoutCell


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A layout with a camera for each cell, and the cell in hand."""

    layout: Layout
    cameras: tuple[str, ...]
    """UUIDs, cell by cell; "" = empty."""
    selected: int = 0

    @property
    def camera(self) -> str:
        """Of the cell in hand."""
        return self.cameras[self.selected]

    @property
    def cell(self) -> LayoutCell:
        return self.layout.cells[self.selected]

    # -- cameras -----------------------------------------------------------------------------------------

    def put(self, camera: str, at: int | None = None) -> Arrangement:
        """This camera there, by default into the cell in hand; "" empties."""
        number = self.selected if at is None else at
        cameras = tuple(camera if n == number else each for n, each in enumerate(self.cameras))
        return replace(self, cameras=cameras)

    def swap(self, first: int, second: int) -> Arrangement:
        """LV-09."""
        cameras = list(self.cameras)
        cameras[first], cameras[second] = cameras[second], cameras[first]
        return replace(self, cameras=tuple(cameras))

    def move(self, source: int, target: int) -> Arrangement:
        """The camera goes to `target`, whatever was there; its old cell is empty."""
        return self if source == target else self.put(self.cameras[source], target).put("", source)

    def with_cameras(self, cameras: Sequence[str]) -> Arrangement:
        """Cell by cell; what has no cell is left out, cells without are empty."""
        count = len(self.layout.cells)
        kept = tuple(cameras[:count])
        return replace(self, cameras=kept + ("",) * (count - len(kept)))

    def with_layout(self, layout: Layout) -> Arrangement:
        """The cameras in their order; when there are fewer cells, empty ones are left out first."""
        cameras: Sequence[str] = self.cameras
        if len(layout.cells) < len(cameras):
            cameras = [camera for camera in cameras if camera]
        camera, count = self.camera, len(layout.cells)
        changed = Arrangement(layout, ("",) * count).with_cameras(cameras)
        selected = changed.cameras.index(camera) if camera and camera in changed.cameras else 0
        return replace(changed, selected=selected)

    # -- the selection -----------------------------------------------------------------------------------

    def select(self, number: int) -> Arrangement:
        """That cell in hand."""
        return replace(self, selected=number)

    def step(self, across: int, down: int) -> Arrangement:
        """The nearest cell in that direction; the same where there is none."""
        return replace(self, selected=neighbour(self.layout, self.selected, across, down))

    # -- cells -------------------------------------------------------------------------------------------

    def grow(self, across: int, down: int) -> Arrangement:
        """CL-01: one field more on that side; every cell met is absorbed whole. The same where the grid ends."""
        cell = self.cell
        left, top = cell.column + min(across, 0), cell.row + min(down, 0)
        right, bottom = (
            cell.column + cell.columns + max(across, 0),
            cell.row + cell.rows + max(down, 0),
        )
        if left < 0 or top < 0 or right > self.layout.columns or bottom > self.layout.rows:
            return self
        absorbed: set[int] = {self.selected}
        while met := [
            n
            for n, each in enumerate(self.layout.cells)
            if n not in absorbed and _meets(each, left, top, right, bottom)
        ]:
            for number in met:
                each = self.layout.cells[number]
                left, top = min(left, each.column), min(top, each.row)
                right, bottom = max(right, each.column + each.columns), max(bottom, each.row + each.rows)
                absorbed.add(number)
        grown = LayoutCell(left, top, right - left, bottom - top)
        pairs = [
            (grown if n == self.selected else each, self.cameras[n])
            for n, each in enumerate(self.layout.cells)
            if n == self.selected or n not in absorbed
        ]
        return self._with_pairs(pairs, grown)

    def shrink(self, across: int, down: int) -> Arrangement:
        """One field less: the edge moves that way (left or up: the far edge; right or down: the near one).

        Each field given up becomes a cell. The same where nothing can be given up, or there would be too many cells.
        """
        cell = self.cell
        columns, rows = cell.columns - abs(across), cell.rows - abs(down)
        freed = cell.columns * cell.rows - columns * rows
        if columns < 1 or rows < 1 or len(self.layout.cells) + freed > CELL_LIMIT:
            return self
        shrunk = LayoutCell(cell.column + max(across, 0), cell.row + max(down, 0), columns, rows)
        fields = [
            (LayoutCell(x, y), "")
            for y in range(cell.row, cell.row + cell.rows)
            for x in range(cell.column, cell.column + cell.columns)
            if not _meets(shrunk, x, y, x + 1, y + 1)
        ]
        pairs = [
            (shrunk if n == self.selected else each, self.cameras[n])
            for n, each in enumerate(self.layout.cells)
        ]
        return self._with_pairs([*pairs, *fields], shrunk)

    def _with_pairs(self, pairs: Iterable[tuple[LayoutCell, str]], in_hand: LayoutCell) -> Arrangement:
        """Cells in reading order with their cameras."""
        ordered = sorted(pairs, key=lambda pair: (pair[0].row, pair[0].column))
        cells = tuple(cell for cell, _ in ordered)
        layout = msgspec.structs.replace(self.layout, cells=cells)
        return Arrangement(layout, tuple(camera for _, camera in ordered), cells.index(in_hand))


def _meets(cell: LayoutCell, left: int, top: int, right: int, bottom: int) -> bool:
    return (
        cell.column < right
        and cell.column + cell.columns > left
        and cell.row < bottom
        and cell.row + cell.rows > top
    )


def neighbour(layout: Layout, at: int, across: int, down: int) -> int:
    """Which cell an arrow leads to: beyond the edge, beside the cell rather than aslant, then the nearest."""
    here = layout.cells[at]
    best: tuple[tuple[float, float, float], int] | None = None
    for number, cell in enumerate(layout.cells):
        if across > 0:
            distance = cell.column - (here.column + here.columns)
        elif across < 0:
            distance = here.column - (cell.column + cell.columns)
        elif down > 0:
            distance = cell.row - (here.row + here.rows)
        else:
            distance = here.row - (cell.row + cell.rows)
        if number == at or distance < 0:
            continue
        if across:
            aslant = max(cell.row - (here.row + here.rows - 1), here.row - (cell.row + cell.rows - 1), 0)
            offset = abs((cell.row + cell.rows / 2) - (here.row + here.rows / 2))
        else:
            aslant = max(
                cell.column - (here.column + here.columns - 1),
                here.column - (cell.column + cell.columns - 1),
                0,
            )
            offset = abs((cell.column + cell.columns / 2) - (here.column + here.columns / 2))
        if aslant:
            continue
        key = (float(distance), offset, float(number))
        if best is None or key < best[0]:
            best = key, number
    return at if best is None else best[1]
