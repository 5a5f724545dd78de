"""One camera's picture with a caption line below it.

    VideoCell(*, caption="", reason="", can_focus=False, name, id, classes)
        .set_picture(picture, colors=16_777_216)   CellPictureLike (also the engine's message) or TerminalPicture
        .clear(reason, is_fault=False)  no picture, and why ("no recording at this time", "fetching ..."); a fault is grey
        .caption, .note, .is_stale, .reason (reactive)     caption left, note right ("14:03:07"), stale marker
        .room -> (columns, rows)        cells a picture may cover: what to ask for
        .is_drawing                     the last picture is still on its way to the terminal; a newer one waits, one at most
        .follower                       a CellFollower, told when a picture was drawn and when there is other room
    messages: VideoCell.RoomChanged(control, columns, rows): ask for another size; VideoCell.Opened(control) on click/enter;
        VideoCell.MenuWanted(control) on a click with the right button
    values: CellPicture, CellRun, TerminalPicture in widgets/picture.py; rows are painted by widgets/picture_rows.py

It draws what it is given. Sixel and kitty payloads are not drawn here: the cells are kept free and marked, and the
app's `picture_output` (see `PictureWriter`) writes them when the surface is really in sight. Pictures of characters are
marked too, and sent by it a few rows at a time where the link is slow; a picture that came meanwhile waits, so that
never parts of more than two are seen.
"""

from __future__ import annotations

from itertools import count
from typing import ClassVar, Protocol

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from widgets.format import fit
from widgets.glyphs import glyphs_of
from widgets.paint_pass import PaintPass
from widgets.picture import TRUECOLOR, Picture, PictureWriter, TerminalPicture
from widgets.picture_rows import PictureRows, differing_rows

_surface_ids = count(1)
RIGHT_BUTTON = 3


class CellFollower(Protocol):
    """Who gives a cell its pictures."""

    def cell_drawn(self, cell: VideoCell) -> None:
        """The newest picture given was drawn, or is not in sight."""
        ...

    def cell_room_changed(self, cell: VideoCell) -> None:
        """Pictures of another size are wanted."""
        ...


class VideoCell(PaintPass, Widget):
    """A picture, or in words why there is none; then one line of caption.

    Invariant: an old picture is never shown as live: `is_stale` says so in words in the caption.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", "open", show=False)]
    """
    | Key | Does |
    | :- | :- |
    | enter | post `Opened` (when it can have the focus) |
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "video-cell--caption",
        "video-cell--caption-focus",
        "video-cell--stale",
        "video-cell--reason",
        "video-cell--fault",
    }
    """
    | Class | Of |
    | :- | :- |
    | `video-cell--caption`, `--caption-focus` | the line below the picture |
    | `video-cell--stale` | the marker of an old picture |
    | `video-cell--reason` | why there is no picture |
    | `video-cell--fault` | the grey of a cell whose picture failed |
    """

    DEFAULT_CSS = """
    VideoCell {
        height: 1fr;
        background: $background;
        & > .video-cell--caption { color: $foreground; background: $surface; }
        & > .video-cell--caption-focus { color: $block-cursor-foreground; background: $block-cursor-background; text-style: $block-cursor-text-style; }
        & > .video-cell--stale { color: $text-warning; text-style: bold; }
        & > .video-cell--reason { color: $text-muted; }
        & > .video-cell--fault { color: $foreground; background: $panel; }
    }
    """

    caption = reactive("", init=False, repaint=False)
    """Name and state, on the left below the picture."""
    note = reactive("", init=False, repaint=False)
    """Time of the picture, on the right."""
    reason = reactive("", init=False)
    """Why there is no picture; words that end in `...` say that it is coming and stand alone."""
    is_stale = reactive(False, init=False, repaint=False)
    """The picture is older than it should be."""

    class RoomChanged(Message):
        """There is another amount of room: ask for pictures of this size."""

        def __init__(self, control: VideoCell, columns: int, rows: int) -> None:
            super().__init__()
            self._cell = control
            self.columns, self.rows = columns, rows

        @property
        def control(self) -> VideoCell:
            """The cell."""
            return self._cell

    class MenuWanted(Message):
        """The right mouse button."""

        def __init__(self, control: VideoCell) -> None:
            super().__init__()
            self._cell = control

        @property
        def control(self) -> VideoCell:
            """The cell."""
            return self._cell

    class Opened(Message):
        """Click or enter."""

        def __init__(self, control: VideoCell) -> None:
            super().__init__()
            self._cell = control

        @property
        def control(self) -> VideoCell:
            """The cell."""
            return self._cell

    def __init__(
        self,
        *,
        caption: str = "",
        reason: str = "",
        can_focus: bool = False,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.can_focus = can_focus
        self.surface_id = next(_surface_ids)
        self._picture: Picture | None = None
        self._is_truecolor = True
        self._room = (0, 0)
        self._rows = PictureRows(self.surface_id)
        self._is_fault = False
        self._waiting: tuple[Picture, int] | None = None
        """The newest picture, while the one before is drawn."""
        self._drawing = 0
        """Number of the picture on its way to the terminal; 0 = none is."""
        self._drawings = 0
        self.follower: CellFollower | None = None
        self.set_reactive(VideoCell.caption, caption)
        self.set_reactive(VideoCell.reason, reason)

    # -- values ------------------------------------------------------------------------------------------

    @property
    def room(self) -> tuple[int, int]:
        """Columns and rows a picture may cover."""
        size = self.content_size
        return size.width, max(size.height - 1, 0)

    @property
    def picture(self) -> Picture | None:
        """What is shown."""
        return self._picture

    @property
    def is_drawing(self) -> bool:
        """The last picture is on its way to the terminal."""
        return bool(self._drawing)

    def set_picture(self, picture: Picture, colors: int = TRUECOLOR) -> None:
        """Show a picture, once the one before is drawn; `colors` says what the numbers in its runs are."""
        if self._drawing:
            self._waiting = picture, colors
        else:
            self._apply(picture, colors)

    def _apply(self, picture: Picture, colors: int) -> None:
        before, had_reason, was_truecolor = self._picture, bool(self.reason), self._is_truecolor
        is_other = picture != before or had_reason
        if is_other:
            self._picture = picture
            self._is_truecolor = colors >= TRUECOLOR
            self.set_reactive(VideoCell.reason, "")
            rows = differing_rows(before, picture)
            if rows is None or had_reason or was_truecolor is not self._is_truecolor:
                self.refresh()
            else:
                area = self._picture_area(picture)
                for row in rows:
                    if row < area.height:
                        self._refresh_row(area.y + row)
        if self.is_attached:
            self._drawings += 1
            self._drawing = self._drawings
            if is_other:
                self._tell_writer()
            self.call_after_refresh(self._painted, self._drawing)

    def _painted(self, number: int) -> None:
        """The compositor has the picture: from here on it is the writer's."""
        if number == self._drawing:
            if (writer := self._writer) is None:
                self.drawn()
            else:
                writer.painted(self)

    def drawn(self) -> None:
        """The picture is at the terminal: the next one, if it waits."""
        if not self._drawing:
            return
        self._drawing = 0
        if (waiting := self._waiting) is not None:
            self._waiting = None
            self._apply(*waiting)
        elif self.follower is not None:
            self.follower.cell_drawn(self)

    def _refresh_row(self, y: int) -> None:
        self.refresh(Region(0, y, max(self.content_size.width, 1), 1).translate(self._content_offset))

    @property
    def _content_offset(self) -> Offset:
        gutter = self.gutter
        return Offset(gutter.left, gutter.top)

    def _watch_caption(self) -> None:
        self._refresh_row(self.room[1])

    def _watch_note(self) -> None:
        self._refresh_row(self.room[1])

    def _watch_is_stale(self) -> None:
        self._refresh_row(self.room[1])

    def clear(self, reason: str, *, is_fault: bool = False) -> None:
        """No picture; `reason` is shown in its place. `is_fault`: there should have been one, the cell is grey."""
        self._picture = self._waiting = None
        self._drawing = 0
        self._is_fault = is_fault
        self.reason = reason
        self.refresh()
        self._tell_writer()

    def terminal_picture(self) -> tuple[TerminalPicture, Region] | None:
        """The payload and its place on the screen, when all of it is in sight."""
        picture = self._picture
        if not isinstance(picture, TerminalPicture) or not self.is_attached or not self.display:
            return None
        if self.app.screen is not self.screen or not self.is_on_screen:
            return None
        area = self._picture_area(picture)
        place = area.translate(self.content_region.offset)
        visible = self.region.intersection(self.screen.region)
        if not area or not visible.contains_region(place):
            return None
        # A sixel that touches the last row scrolls some terminals: that row is never covered.
        return None if place.bottom >= self.app.size.height else (picture, place)

    def cell_picture_region(self) -> Region | None:
        """Where on the screen a picture of characters stands; None = there is none in sight."""
        picture = self._picture
        if (
            picture is None
            or isinstance(picture, TerminalPicture)
            or not self.is_attached
            or not self.display
        ):
            return None
        if self.app.screen is not self.screen or not self.is_on_screen:
            return None
        place = self._picture_area(picture).translate(self.content_region.offset)
        return place.intersection(self.region).intersection(self.screen.region) or None

    def _picture_area(self, picture: Picture) -> Region:
        """Where the picture stands inside the widget: centred, never larger than the room."""
        width, height = self.room
        columns, rows = min(picture.columns, width), min(picture.rows, height)
        return Region((width - columns) // 2, (height - rows) // 2, columns, rows)

    @property
    def _writer(self) -> PictureWriter | None:
        return getattr(self.app, "picture_output", None)

    def _tell_writer(self) -> None:
        if self.is_attached and (writer := self._writer) is not None:
            writer.changed(self)

    # -- events ------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Announce the surface."""
        if (writer := self._writer) is not None:
            writer.register(self)

    def on_unmount(self) -> None:
        """Take the picture off the screen."""
        if (writer := self._writer) is not None:
            writer.unregister(self)

    def on_resize(self, event: events.Resize) -> None:
        """Ask for pictures that fit."""
        if self.room != self._room:
            self._room = self.room
            self.post_message(self.RoomChanged(self, *self._room))
            if self.follower is not None:
                self.follower.cell_room_changed(self)

    def on_click(self, event: events.Click) -> None:
        """Open; with the right button post `MenuWanted`."""
        if event.button == RIGHT_BUTTON:
            self.post_message(self.MenuWanted(self))
        else:
            self.action_open()

    def action_open(self) -> None:
        """Post `Opened`."""
        self.post_message(self.Opened(self))

    # -- drawing -----------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """Picture rows, then the caption."""
        width, rows = self.room
        base = self.rich_style
        if y >= rows:
            return self._render_caption(width)
        picture = self._picture
        if picture is None:
            return self._render_reason(y, width, rows, base)
        area = self._picture_area(picture)
        if not area.y <= y < area.bottom:
            return Strip.blank(width, base)
        if isinstance(picture, TerminalPicture):
            segments = self._kept_free(picture, area, y, base)
        else:
            segments = self._rows.segments(picture, y - area.y, base, is_truecolor=self._is_truecolor)
        strip = Strip(segments).crop(0, area.width)
        return strip.crop_pad(area.width, area.x, width - area.right, base)

    def _kept_free(self, picture: TerminalPicture, area: Region, y: int, base: Style) -> list[Segment]:
        writer = self._writer
        if writer is None or not writer.has_pixels:
            text = f"{picture.kind} picture not available here" if y == area.y else ""
            return [Segment(fit(text, area.width), base)]
        return self._rows.kept_free(picture, base)

    def _render_reason(self, y: int, width: int, rows: int, base: Style) -> Strip:
        is_coming = self.reason.endswith("...")
        words = self.reason if is_coming else f"no picture: {self.reason}".removesuffix(": ")
        lines = _wrap(words, width)
        top = max((rows - len(lines)) // 2, 0)
        style = base + self.part_style("video-cell--fault" if self._is_fault else "video-cell--reason")
        # Where a theme has no grey of its own a fault is told by what the cell is filled with.
        is_filled = self._is_fault and self.app.current_theme.ansi
        filling = glyphs_of(self).shade if is_filled else " "
        if not top <= y < top + len(lines):
            return Strip([Segment(filling * width, style if self._is_fault else base)], width)
        line = lines[y - top]
        left = max((width - cell_len(line)) // 2, 0)
        text = fit(filling * left + line, width, glyphs_of(self).ellipsis)
        words = text[: left + len(line)]
        return Strip([Segment(words + filling * (width - cell_len(words)), style)], width)

    def _render_caption(self, width: int) -> Strip:
        name = "video-cell--caption-focus" if self.has_focus else "video-cell--caption"
        style = self.rich_style + self.part_style(name)
        right: list[Segment] = []
        if self.is_stale:
            marker = style + self.part_style("video-cell--stale")
            right.append(Segment(" OLD", marker))
        if self.note:
            right.append(Segment(f" {self.note}", style))
        taken = sum(segment.cell_length for segment in right)
        if taken > width // 2 and self.note:
            right, taken = right[:-1], taken - len(self.note) - 1  # the name is worth more than the time
        left = fit(self.caption, max(width - taken, 0), glyphs_of(self).ellipsis)
        return Strip([Segment(left, style), *right]).adjust_cell_length(width, style)


def _wrap(text: str, width: int) -> list[str]:
    """Words to lines; a word longer than a line is cut by the caller."""
    lines: list[str] = []
    for word in text.split():
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines
