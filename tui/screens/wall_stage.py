"""Brings what is arranged on the wall to the screen: all cells, one of them alone, or the layout as lines while it is edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from engine.wire_wall import LayoutCell
from tui.screens.text_pane import TextPane
from tui.screens.wall_cells import CellContent
from widgets.cell_grid import CellGrid
from widgets.sketch import sketch

if TYPE_CHECKING:
    from tui.screens.wall import LiveWall

ONE = LayoutCell(0, 0)
"""The only cell of a full picture."""


class SketchPane(TextPane):
    """The layout as lines."""

    class Resized(Message):
        """There is another amount of room: draw anew."""

    def on_resize(self) -> None:
        self.post_message(self.Resized())


class WallStage:
    """Belongs to the wall. Event-loop thread only."""

    def __init__(self, wall: LiveWall) -> None:
        self._wall = wall

    async def show(self) -> None:
        """As it is now; the newest call wins."""
        wall = self._wall
        is_editing = wall.history.is_editing
        wall.query_one(CellGrid).display = not is_editing
        pane = wall.query_one("#wall-sketch", TextPane)
        pane.display = is_editing
        wall.draw_title()
        if is_editing:
            wall.cells.stop()
            self._draw_sketch(pane)
        elif wall.is_full:
            await wall.cells.show(1, 1, [self._content(wall.now.selected, ONE)])
        else:
            layout = wall.now.layout
            contents = [self._content(number, box) for number, box in enumerate(layout.cells)]
            await wall.cells.show(layout.columns, layout.rows, contents)

    def _content(self, number: int, box: LayoutCell) -> CellContent:
        wall = self._wall
        uuid = wall.now.cameras[number]
        camera = wall.camera_of(uuid) if uuid else None
        return CellContent(
            box,
            camera,
            wall.overlay.of(uuid),
            wall.camera.zoom_of(uuid),
            is_gone=bool(uuid) and camera is None,
            is_selected=number == wall.now.selected and not wall.is_full,
            is_marked=wall.mark is not None and wall.mark[1] == number,
            words=self._front_words(number, uuid),
        )

    def _front_words(self, number: int, uuid: str) -> str:
        """LV-08: the name stands on the cell it would be put into; else the ratio just chosen."""
        wall = self._wall
        if wall.mark is not None and number == wall.now.selected and number != wall.mark[1]:
            moved = wall.camera_of(wall.now.cameras[wall.mark[1]])
            return f"here: {moved.name}" if moved is not None else "here"
        return wall.camera.flashed(uuid)

    def _draw_sketch(self, pane: TextPane) -> None:
        wall = self._wall
        now, size = wall.now, pane.size
        names = [camera.name if (camera := wall.camera_of(uuid)) else "" for uuid in now.cameras]
        if wall.mark is not None:
            names[wall.mark[1]] = f"[x] {names[wall.mark[1]]}"
        lines = sketch(
            now.layout.columns,
            now.layout.rows,
            now.layout.cells,
            names,
            size.width,
            size.height,
            wall.desk.glyphs,
            now.selected,
        )
        pane.show(lines)
