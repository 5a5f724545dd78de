"""The cells of the wall on the screen: pictures at their places, words beside them, pictures asked for where there is room.

A cell is a picture and a pane of words above or below it; one too small for a picture is words alone (LV-04). Which camera is in
which cell is the wall's business (tui/wall_arrangement.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

from textual import events
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget

from engine import wire
from tui.picture_feed import PictureBoard
from tui.picture_wish import Wish
from tui.picture_zoom import Zoom
from tui.screens.text_pane import TextPane
from tui.wall_words import GONE, camera_words, down_words, is_down, word_line
from widgets.cell_grid import CellBox, CellGrid, cell_regions
from widgets.overlay import Overlay, OverlayWord, overlay_lines, rows_needed
from widgets.video_cell import VideoCell

if TYPE_CHECKING:
    from tui.screens.view import View

PICTURE_COLUMNS, PICTURE_ROWS = 12, 4
"""Less room than this shows words alone."""
GAP_FROM = 20
"""Cells of at least so many columns have one free between them."""
WORD_ROWS = 3
"""Lines of words beside a picture, at most."""
EMPTY = "empty"
SOME_TIME = "00:00:00"
"""As long as any of today."""


class WallPicture(VideoCell):
    """A picture without a caption of its own: the words pane of the cell says more."""

    DEFAULT_CSS = "WallPicture { height: 1fr; }"

    class Turned(Message):
        """The mouse wheel: nearer (1) or farther (-1)."""

        def __init__(self, control: WallPicture, by: int) -> None:
            super().__init__()
            self.cell = control
            self.by = by

    def __init__(self, say: Callable[[WallPicture], None]) -> None:
        super().__init__()
        self._say = say
        """Called when time or age of the picture changed."""

    @property
    def room(self) -> tuple[int, int]:
        """All of it."""
        return self.content_size.width, self.content_size.height

    def watch_note(self) -> None:
        self._say(self)

    def watch_is_stale(self) -> None:
        self._say(self)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.post_message(self.Turned(self, 1))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.post_message(self.Turned(self, -1))


class WordsPane(TextPane):
    """What a cell says; a click on it selects the cell."""

    DEFAULT_CSS = """
    WordsPane { background: $surface; }
    WordsPane.-alone { background: $background; color: $text-muted; }
    WordsPane.-selected { background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style; }
    WordsPane.-marked { text-style: reverse; }
    """

    class Clicked(Message):
        def __init__(self, control: WordsPane) -> None:
            super().__init__()
            self.pane = control

    def on_click(self) -> None:
        self.post_message(self.Clicked(self))


@dataclass(frozen=True, slots=True)
class CellContent:
    """What one cell is to show."""

    box: CellBox
    camera: wire.CameraView | None
    """None = empty."""
    overlay: Overlay
    zoom: Zoom
    is_gone: bool = False
    is_selected: bool = False
    is_marked: bool = False
    words: str = ""
    """In front of all others: the ratio just chosen, what is being moved here."""


class WallCells:
    """Keeps as many pairs of widgets as the wall ever had cells; belongs to one view. Event-loop thread only."""

    def __init__(self, view: View, grid: CellGrid, *, has_pictures: bool) -> None:
        self._view = view
        self._grid = grid
        self._has_pictures = has_pictures
        self._pairs: list[tuple[WallPicture, WordsPane]] = []
        self._contents: Sequence[CellContent] = ()
        self._board = PictureBoard(view)
        self._places: dict[Widget, Region] = {}

    # -- asked by the view -------------------------------------------------------------------------------

    def number_of(self, widget: Widget) -> int | None:
        """Which cell a picture or a pane of words belongs to."""
        return next((n for n, pair in enumerate(self._pairs) if widget in pair), None)

    def reply_of(self, number: int) -> wire.PictureReply | None:
        """Of the picture that a cell shows."""
        return self._board.reply_of(self._pairs[number][0]) if number < len(self._pairs) else None

    async def settled(self) -> None:
        """Wait until every picture was drawn, or has said why not."""
        await self._board.settled()

    def stop(self) -> None:
        self._board.stop()

    def again(self) -> None:
        self._board.again()

    # -- showing -----------------------------------------------------------------------------------------

    async def show(self, columns: int, rows: int, contents: Sequence[CellContent]) -> None:
        """These cells in a grid of so many fields, and no others."""
        self._contents = contents
        if (missing := len(contents) - len(self._pairs)) > 0:
            added = [(WallPicture(self._draw_words_of), WordsPane()) for _ in range(missing)]
            self._pairs += added  # before anything is awaited: a newer wish may take over meanwhile
            await self._grid.mount_all(widget for pair in added for widget in pair)
        size = self._grid.size
        gap = 1 if columns > 1 and size.width // columns >= GAP_FROM else 0
        regions = cell_regions(columns, rows, [each.box for each in contents], size.width, size.height, gap)
        places: dict[Widget, Region] = {}
        wishes: list[tuple[VideoCell, Wish]] = []
        focused: VideoCell | None = None
        for (picture, words), content, region in zip(self._pairs, contents, regions, strict=False):
            if not region:
                continue
            words_place, picture_place = self._split(content, region)
            places[words] = words_place
            if picture_place is None:
                continue
            places[picture] = picture_place
            assert content.camera is not None
            wishes.append((picture, Wish(content.camera.name, region=content.zoom.region)))
            focused = picture if content.is_selected else focused
        self._places = places
        self._grid.place(places)
        self._board.focused = focused
        self._board.show(wishes)
        self.draw_words()

    def _split(self, content: CellContent, region: Region) -> tuple[Region, Region | None]:
        """Words and picture; words alone where there is no picture, or no room for one."""
        camera = content.camera
        has_room = region.width >= PICTURE_COLUMNS and region.height > PICTURE_ROWS
        if camera is None or is_down(camera) or not (has_room and self._has_pictures):
            return region, None
        most = min(WORD_ROWS, max(1, (region.height - PICTURE_ROWS) // 3))
        words = self._words(content, time=SOME_TIME)
        rows = min(most, rows_needed(words, content.overlay.shown, region.width - 2))
        if content.overlay.is_on_top:
            return region.split_horizontal(rows)
        picture, bottom = region.split_horizontal(-rows)
        return bottom, picture

    def _words(self, content: CellContent, *, time: str, is_old: bool = False) -> dict[str, OverlayWord]:
        assert content.camera is not None
        desk = self._view.desk
        return camera_words(
            content.camera, desk.glyphs, time=time, is_old=is_old, is_live=desk.mirror.is_live
        )

    def draw_words(self) -> None:
        """All that is said; lines that stay as they were cost nothing."""
        for number, content in enumerate(self._contents):
            if number < len(self._pairs):
                self._draw_cell(content, *self._pairs[number])

    def _draw_words_of(self, picture: WallPicture) -> None:
        number = self.number_of(picture)
        if number is not None and number < len(self._contents):
            self._draw_cell(self._contents[number], *self._pairs[number])

    def _draw_cell(self, content: CellContent, picture: WallPicture, pane: WordsPane) -> None:
        if (place := self._places.get(pane)) is None:
            return
        pane.set_class(content.is_selected, "-selected")
        pane.set_class(content.is_marked, "-marked")
        pane.set_class(picture not in self._places, "-alone")
        glyphs = self._view.desk.glyphs
        mark = f"{glyphs.cursor} " if content.is_selected else "  "
        mark += "[x] " if content.is_marked else ""
        front = f"{content.words} " if content.words else ""
        room = max(place.width - len(mark) - len(front), 1)
        lines = self._lines(content, picture if picture in self._places else None, room, place.height)
        first = Content.assemble((mark, ""), (front, "reverse bold" if front else ""), lines[0])
        pane.show([first, *(Content("  ") + line for line in lines[1:])])

    def _lines(
        self, content: CellContent, picture: WallPicture | None, room: int, height: int
    ) -> list[Content]:
        """At least one."""
        desk, camera = self._view.desk, content.camera
        if camera is None:
            return [Content(GONE if content.is_gone else EMPTY)]
        is_old = picture is not None and picture.is_stale
        words = self._words(content, time=picture.note if picture is not None else "", is_old=is_old)
        elements = content.overlay.shown
        if picture is None:
            elements = ("name", "state", *(each for each in elements if each not in ("name", "state")))
        why: list[Content] = []
        if is_down(camera):
            text = down_words(camera, desk.mirror.now_us, desk.zone)
            why = [Content(line) for line in wrap(text, room)]
        most = max(height - len(why), min(height, 2))
        lines = overlay_lines(words, elements, room, most, desk.glyphs.ellipsis)
        return [word_line(line) for line in lines] + why[: height - len(lines)] or [Content("")]
