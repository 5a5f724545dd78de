"""Draws areas on a camera's picture by keyboard: privacy masks of an export, what motion is not looked for in. Manual row EX-04.

areas = await app.push_screen_wait(AreasDialog(desk, "Masks of driveway", "driveway", at_us, areas))      a tuple, or None = cancelled
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen

from tui.desk import Desk
from tui.screens.backdrop import fetch_backdrop
from tui.screens.text_pane import TextPane, hints
from tui.work import start
from widgets import format
from widgets.areas import Area
from widgets.areas_cell import AreasCell
from widgets.dialog import ConfirmDialog
from widgets.polygon_cell import PolygonCell
from widgets.video_cell import VideoCell

FASTER = 5
"""Cells that shift moves by; of rows half of it."""
LEAST_HEADING = 16
"""Cells of it, however much there is to say beside it."""


class AreasDialog(ModalScreen[tuple[Area, ...] | None]):
    """The areas drawn; an empty tuple = all were taken away."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(-1, 0)", show=False),
        Binding("right,l", "move(1, 0)", show=False),
        Binding("up,k", "move(0, -1)", show=False),
        Binding("down,j", "move(0, 1)", show=False),
        Binding("shift+left,H", f"move({-FASTER}, 0)", show=False),
        Binding("shift+right,L", f"move({FASTER}, 0)", show=False),
        Binding("shift+up,K", f"move(0, {-FASTER // 2})", show=False),
        Binding("shift+down,J", f"move(0, {FASTER // 2})", show=False),
        Binding("c", "close", show=False),
        Binding("tab,p", "switch", show=False),
        Binding("u,z,backspace,ctrl+z", "undo_step", show=False),
        Binding("x,delete", "take_away", show=False),
        Binding("f10,d", "done", show=False),
        Binding("escape,q", "leave", show=False),
    ]
    """
    | Key | Does |
    | :- | :- |
    | arrows, h j k l; with shift, H J K L | move the cursor; faster |
    | enter, c | a corner; close the area |
    | tab, p | polygons or rectangles |
    | u, z, backspace | one step back |
    | x, delete | take the area under the cursor away |
    | f10, d | done |
    | escape, q | drop the area being drawn; else cancel, after a question when something was drawn |
    """

    MORE_KEYS: ClassVar[str] = ""
    """Of a dialog that can do more with the area under the cursor."""

    DEFAULT_CSS = """
    AreasDialog { background: $background; }
    AreasDialog > .title { height: 1; background: $surface; }
    AreasDialog > #areas-words { height: 2; background: $surface; }
    """

    def __init__(
        self,
        desk: Desk,
        title: str,
        camera: str,
        at_us: int | None,
        areas: Sequence[Area] = (),
        *,
        has_polygons: bool = True,
        limit: int = 32,
    ) -> None:
        """
        Args:
            at_us: of the picture; None = live.
            has_polygons, limit: as of AreasCell.
        """
        super().__init__()
        self._desk = desk
        self._heading = title
        self._camera = camera
        self._at_us = at_us
        self._before = tuple(areas)
        self._said = ""
        self.cell = AreasCell(areas, has_polygons=has_polygons, limit=limit)

    def compose(self) -> ComposeResult:
        yield TextPane(classes="title")
        yield self.cell
        yield TextPane(id="areas-words")

    def on_mount(self) -> None:
        self.cell.caption = self._camera
        self.cell.clear("fetching the picture ...")
        self.cell.focus()
        self._draw_words()

    @on(VideoCell.RoomChanged)
    def _room_changed(self) -> None:
        self._draw_words()
        start(self, lambda: fetch_backdrop(self._desk, self.cell, self._camera, self._at_us), "backdrop")

    @on(PolygonCell.Changed)
    def _changed(self) -> None:
        self._draw_words()

    def _draw_words(self) -> None:
        cell = self.cell
        count = format.plural(len(cell.areas), "area") if cell.areas else "no area yet"
        shape = "rectangle" if cell.is_rectangular else "polygon"
        corners = f", {format.plural(len(cell.points), 'corner')} of a {shape}" if cell.points else ""
        width = self.app.size.width - 1
        state = f"  {count}{corners}{self.hand_words()}"
        room = max(LEAST_HEADING, width - len(state))
        heading = format.shorten_middle(self._heading, room, self._desk.glyphs.ellipsis)
        self.query_one(".title", TextPane).show([Content.assemble((f" {heading}", "bold"), state)])
        if cell.is_rectangular:
            enter = "enter other corner" if cell.points else "enter corner of a rectangle"
        else:
            enter = "enter corner  c close" if cell.points else "enter corner of a polygon"
        other = f"  tab {'polygon' if cell.is_rectangular else 'rectangle'}" if cell.has_polygons else ""
        moving, back = "arrows, shift or HJKL faster", "u back  x take away"
        keys = _fitting(f"{moving}  {enter}{other}", f"{enter}{other}  {moving}", width)
        leaving = "f10 done  esc cancel"
        more = _fitting(
            f"{back}  {self.MORE_KEYS}{leaving}", f"{leaving}  {self.MORE_KEYS}{back}".rstrip(), width
        )
        first = Content.styled(f" {self._said}", "bold $text-error") if self._said else Content(f" {keys}")
        self.query_one("#areas-words", TextPane).show([first, Content.styled(f" {more}", "dim")])

    @property
    def is_changed(self) -> bool:
        """Something would be lost."""
        return self.cell.areas != self._before

    def hand_words(self) -> str:
        """More about the area under the cursor."""
        return ""

    def say(self, words: str) -> None:
        self._said = words
        self._draw_words()

    # -- keys --------------------------------------------------------------------------------------------

    def action_move(self, columns: int, rows: int) -> None:
        self.cell.move(columns, rows)
        self.say("")

    @on(VideoCell.Opened)
    def _entered(self) -> None:
        self.say(self.cell.add())

    def action_close(self) -> None:
        self.say(self.cell.close())

    def action_switch(self) -> None:
        self.say(self.cell.switch())

    def action_undo_step(self) -> None:
        self.say("" if self.cell.undo() else "nothing to take back")

    def action_take_away(self) -> None:
        self.say("" if self.cell.take_away() else "no area is under the cursor")

    def action_done(self) -> None:
        if self.cell.points:
            self.say("not closed yet: c closes, esc drops it")
        else:
            self.dismiss(self.cell.areas)

    def action_leave(self) -> None:
        if self.cell.drop():
            self.say("")
        elif not self.is_changed:
            self.dismiss(None)
        else:
            start(self, self._ask_to_leave, "leave")

    async def _ask_to_leave(self) -> None:
        question = ConfirmDialog(
            "Drop what was drawn?",
            "The areas stay as they were before.",
            confirm="Drop",
            cancel="Go on drawing",
        )
        if await self.app.push_screen_wait(question):
            self.dismiss(None)


def _fitting(whole: str, by_rank: str, width: int) -> str:
    """All hints in the usual order; where there is no room for all, those needed most."""
    return whole if len(whole) <= width else hints(by_rank, width)
