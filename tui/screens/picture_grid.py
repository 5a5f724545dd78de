"""A grid of small pictures with a cursor, page by page: thumbnail search, hits of a motion search, bookmarks.

    PictureGrid(view, *, can_mark=False, id=None)
        .show(count, item)       items [0, count), made when they come into sight; the cursor stays where it can
        .cursor, .page_cells, .marks
    messages: PictureGrid.Moved, PictureGrid.Opened (enter), PictureGrid.AtEnd(direction)

What an item means is its owner's business; where there is no picture its reason stands on grey.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message

from engine.client import WatchdeckError
from tui.picture_feed import MIN_COLUMNS, MIN_ROWS, PictureBoard
from tui.picture_wish import Wish
from tui.screens.view import View
from tui.work import start
from widgets.glyphs import glyphs_of
from widgets.video_cell import VideoCell

ROWS_MAX, COLUMNS_MAX = 6, 8
MARK_KEYS = ("space", "shift+left", "shift+right", "shift+up", "shift+down")
AHEAD_S = 0.3
"""A page that is left within this has no next page fetched."""
LEAST_ROWS = 4
"""Of a cell, caption and all."""


@dataclass(frozen=True, slots=True)
class GridItem:
    """One cell."""

    key: Hashable
    caption: str
    wish: Wish | None = None
    note: str = ""
    reason: str = ""
    """Why there is no picture."""


def shape_for(width: int, height: int) -> tuple[int, int]:
    """Columns and rows of cells in which a 16:9 picture and its caption are well seen."""
    columns = 2 if width < 50 else 3 if width < 70 else 4 if width < 104 else min(COLUMNS_MAX, width // 24)
    cell_rows = max(LEAST_ROWS, round((width / columns - 1) * 9 / 32) + 1)
    return columns, max(1, min(ROWS_MAX, height // cell_rows))


class PictureGrid(Container, can_focus=True):
    """A page of pictures; the one with the cursor in it is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", show=False),
        Binding("right", "move(1)", show=False),
        Binding("up", "row(-1)", show=False),
        Binding("down", "row(1)", show=False),
        Binding("pageup,ctrl+u", "page(-1)", show=False),
        Binding("pagedown,ctrl+d", "page(1)", show=False),
        Binding("home", "ends(0)", show=False),
        Binding("end", "ends(1)", show=False),
        Binding("enter", "open", show=False),
        Binding("space", "mark", show=False),
        Binding("shift+left,shift+up", "mark_on(-1)", show=False),
        Binding("shift+right,shift+down", "mark_on(1)", show=False),
    ]
    DEFAULT_CSS = """
    PictureGrid { height: 1fr; layout: grid; grid-gutter: 0 1; }
    PictureGrid VideoCell.-selected > .video-cell--caption {
        color: $block-cursor-foreground; background: $block-cursor-background; text-style: $block-cursor-text-style;
    }
    """

    class _GridMessage(Message):
        def __init__(self, control: PictureGrid) -> None:
            super().__init__()
            self._grid = control

        @property
        def control(self) -> PictureGrid:
            """The grid."""
            return self._grid

    class Moved(_GridMessage, namespace="picture_grid"):
        """The cursor is on another item, or marks changed."""

    class Opened(_GridMessage, namespace="picture_grid"):
        """Enter, or a click on the item in hand."""

    class Reshaped(_GridMessage, namespace="picture_grid"):
        """Another number of cells fits."""

    class AtEnd(_GridMessage, namespace="picture_grid"):
        """Moved against the first (-1) or last (1) item."""

        def __init__(self, control: PictureGrid, direction: int) -> None:
            super().__init__(control)
            self.direction = direction

    def __init__(self, view: View, *, can_mark: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view = view
        self.board = PictureBoard(view, writes_notes=False, keeps_picture=False)
        self._can_mark = can_mark
        if not can_mark:
            for key in MARK_KEYS:  # the view's own
                self._bindings.key_to_bindings.pop(key, None)
        self._shape = (1, 1)
        self._count = 0
        self._ahead_group = f"ahead-{id}"
        self._item: Callable[[int], GridItem] | None = None
        self._cells: list[VideoCell] = []
        self.cursor = 0
        self.marks: frozenset[Hashable] = frozenset()

    def compose(self) -> ComposeResult:
        self._cells = [VideoCell() for _ in range(ROWS_MAX * COLUMNS_MAX)]
        yield from self._cells

    # -- values ------------------------------------------------------------------------------------------

    @property
    def page_cells(self) -> int:
        """Cells in sight."""
        return self._shape[0] * self._shape[1]

    @property
    def first(self) -> int:
        """Index of the first item in sight."""
        return self.cursor // self.page_cells * self.page_cells

    def cell_for(self, index: int) -> VideoCell:
        """Where an item stands when its page is in sight."""
        return self._cells[index % self.page_cells]

    def show(self, count: int, item: Callable[[int], GridItem], *, cursor: int | None = None) -> None:
        """These items from now on."""
        self._count, self._item = count, item
        self.cursor = max(0, min(self.cursor if cursor is None else cursor, count - 1))
        self.draw()

    def stop(self) -> None:
        """Nothing more is asked for."""
        self.board.stop()
        self._view.workers.cancel_group(self._view, self._ahead_group)

    # -- drawing -----------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        """As many cells as there is room for."""
        self.fit()
        self.call_after_refresh(self.draw)

    def fit(self) -> None:
        """Take the shape for the room there is, also when nobody has said yet that there is any."""
        if not self.size:
            return
        shape = shape_for(self.size.width, self.size.height)
        if shape != self._shape:
            self._shape = shape
            self.styles.grid_size_columns, self.styles.grid_size_rows = shape
            self.post_message(self.Reshaped(self))

    def draw(self) -> None:
        """The page with the cursor in it."""
        item = self._item
        if item is None or not self.is_attached or not self.size:
            return
        self.fit()
        glyphs = glyphs_of(self)
        first, number = self.first, self.page_cells
        wanted: list[tuple[VideoCell, Wish]] = []
        has_pictures = self._view.desk.profile.graphics != "none"
        for place, cell in enumerate(self._cells):
            cell.display = place < number
            index = first + place
            cell.visible = index < self._count
            if not cell.display or not cell.visible:
                continue
            each = item(index)
            is_selected = index == self.cursor
            cell.set_class(is_selected, "-selected")
            sign = glyphs.cursor if is_selected else " "
            mark = (glyphs.mark if each.key in self.marks else " ") if self._can_mark else ""
            cell.caption = f"{sign}{mark}{each.caption}"
            cell.note = each.note
            if each.wish is None:
                cell.clear(each.reason, is_fault=not each.reason.endswith("..."))
            elif has_pictures:
                wanted.append((cell, each.wish))
            else:
                cell.clear("--graphics none")
        self.board.show(wanted)
        if has_pictures:
            start(self._view, lambda: self._fetch_ahead(item, first + number), self._ahead_group)

    async def _fetch_ahead(self, item: Callable[[int], GridItem], first: int) -> None:
        """The next page, once this one is drawn: nothing else is to do then."""
        await asyncio.sleep(AHEAD_S)
        await self.board.settled()
        for index in range(first, min(first + self.page_cells, self._count)):
            wish, cell = item(index).wish, self.cell_for(index)
            if not self._view.is_front:
                return
            if wish is not None and cell.room[0] >= MIN_COLUMNS and cell.room[1] >= MIN_ROWS:
                try:
                    await self.board.fetch_ahead(cell, wish)
                except WatchdeckError:
                    return  # said when it is looked at

    @on(VideoCell.Opened)
    def _cell_clicked(self, event: VideoCell.Opened) -> None:
        event.stop()
        index = self.first + self._cells.index(event.control)
        if index == self.cursor:
            self.post_message(self.Opened(self))
        elif index < self._count:
            self._go(index)

    # -- keys --------------------------------------------------------------------------------------------

    def _go(self, index: int) -> bool:
        """False = there is nothing that way, after saying so."""
        wanted = max(0, min(index, self._count - 1))
        if wanted == self.cursor:
            self.post_message(self.AtEnd(self, 1 if index > self.cursor else -1))
            return False
        self.cursor = wanted
        self.draw()
        self.post_message(self.Moved(self))
        return True

    def action_move(self, steps: int) -> None:
        """One to the side, over the ends of rows and pages."""
        self._go(self.cursor + steps)

    def action_row(self, steps: int) -> None:
        """One row; against the last row: the last item."""
        self._go(self.cursor + steps * self._shape[0])

    def action_page(self, steps: int) -> None:
        """One page."""
        self._go(self.cursor + steps * self.page_cells)

    def action_ends(self, which: int) -> None:
        """First or last item."""
        wanted = which * (self._count - 1)
        if wanted != self.cursor:
            self._go(wanted)

    def action_open(self) -> None:
        """Post `Opened`."""
        if self._count:
            self.post_message(self.Opened(self))

    def action_mark(self) -> None:
        """Mark the item in hand, or take its mark off (HK-21), and go on."""
        if self._can_mark and self._item is not None and self._count:
            self.marks ^= {self._item(self.cursor).key}
            self.cursor = min(self.cursor + 1, self._count - 1)
            self.draw()
            self.post_message(self.Moved(self))

    def action_mark_on(self, steps: int) -> None:
        """Mark what is gone over."""
        if not self._can_mark or self._item is None or not self._count:
            return
        self.marks |= {self._item(self.cursor).key}
        if self._go(self.cursor + steps):
            self.marks |= {self._item(self.cursor).key}
            self.draw()
            self.post_message(self.Moved(self))
