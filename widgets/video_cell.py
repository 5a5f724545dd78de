"""One camera's picture with a caption line below it.

    VideoCell(*, caption="", reason="", can_focus=False, name, id, classes)
        .set_picture(picture, colors=16_777_216)   CellPictureLike (also the engine's message) or TerminalPicture
        .clear(reason)                  no picture, and why ("no recording at this time", "fetching ...")
        .caption, .note, .is_stale, .reason (reactive)     caption left, note right ("14:03:07"), stale marker
        .room -> (columns, rows)        cells a picture may cover: what to ask for
    messages: VideoCell.RoomChanged(control, columns, rows): ask for another size; VideoCell.Opened(control) on click/enter
    values: CellPicture, CellRun, TerminalPicture in widgets/picture.py

It draws what it is given. Sixel and kitty payloads are not drawn here: the cells are kept free and marked, and the
app's `picture_output` (see `PictureWriter`) writes them when the surface is really in sight.
"""

from __future__ import annotations

from itertools import count
from typing import ClassVar

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
from widgets.picture import (
    PICTURE_META,
    TRUECOLOR,
    CellPictureLike,
    Picture,
    PictureWriter,
    TerminalPicture,
    run_style,
)

KEPT_RUN_STYLES = 16_384
"""Styles of picture cells remembered by each cell; when there are more the memory starts anew."""

_surface_ids = count(1)


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
    }
    """
    | Class | Of |
    | :- | :- |
    | `video-cell--caption`, `--caption-focus` | the line below the picture |
    | `video-cell--stale` | the marker of an old picture |
    | `video-cell--reason` | why there is no picture |
    """

    DEFAULT_CSS = """
    VideoCell {
        height: 1fr;
        background: $background;
        & > .video-cell--caption { color: $foreground; background: $surface; }
        & > .video-cell--caption-focus { color: $block-cursor-foreground; background: $block-cursor-background; text-style: $block-cursor-text-style; }
        & > .video-cell--stale { color: $text-warning; text-style: bold; }
        & > .video-cell--reason { color: $text-muted; }
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
        self._run_base: Style | None = None
        self._run_styles: dict[tuple[int, int, bool], Style] = {}
        """On `_run_base`, by colours."""
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

    def set_picture(self, picture: Picture, colors: int = TRUECOLOR) -> None:
        """Show a picture; `colors` says what the numbers in its runs are."""
        before, had_reason, was_truecolor = self._picture, bool(self.reason), self._is_truecolor
        if picture == before and not had_reason:
            return
        self._picture = picture
        self._is_truecolor = colors >= TRUECOLOR
        self.set_reactive(VideoCell.reason, "")
        if had_reason or was_truecolor is not self._is_truecolor:
            self.refresh()
        else:
            self._refresh_differing(before, picture)
        self._tell_writer()

    def _refresh_differing(self, before: Picture | None, after: Picture) -> None:
        """Of two pictures of one size only the rows that differ are painted: most of a camera's view stands still."""
        if (
            before is None
            or isinstance(before, TerminalPicture)
            or isinstance(after, TerminalPicture)
            or (before.columns, before.rows) != (after.columns, after.rows)
            or len(before.lines) != len(after.lines)
        ):
            self.refresh()
            return
        area = self._picture_area(after)
        for row in range(min(area.height, len(after.lines))):
            if before.lines[row] != after.lines[row]:
                self._refresh_row(area.y + row)

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

    def clear(self, reason: str) -> None:
        """No picture; `reason` is shown in its place."""
        self._picture = None
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

    def on_click(self) -> None:
        """Open."""
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
            segments = self._cells(picture, y - area.y, base)
        strip = Strip(segments).crop(0, area.width)
        return strip.crop_pad(area.width, area.x, width - area.right, base)

    def _cells(self, picture: CellPictureLike, row: int, base: Style) -> list[Segment]:
        if row >= len(picture.lines):
            return []
        if base != self._run_base:
            self._run_base = base
            self._run_styles.clear()
        segments = []
        for run in picture.lines[row]:
            key = (run.foreground, run.background, self._is_truecolor)
            if (style := self._run_styles.get(key)) is None:
                if len(self._run_styles) >= KEPT_RUN_STYLES:
                    self._run_styles.clear()
                style = self._run_styles[key] = base + run_style(*key)
            segments.append(Segment(run.text, style))
        return segments

    def _kept_free(self, picture: TerminalPicture, area: Region, y: int, base: Style) -> list[Segment]:
        if self._writer is None:
            text = f"{picture.kind} picture not available here" if y == area.y else ""
            return [Segment(fit(text, area.width), base)]
        return [Segment(" " * area.width, base + Style(meta={PICTURE_META: self.surface_id}))]

    def _render_reason(self, y: int, width: int, rows: int, base: Style) -> Strip:
        is_coming = self.reason.endswith("...")
        words = self.reason if is_coming else f"no picture: {self.reason}".removesuffix(": ")
        lines = _wrap(words, width)
        top = max((rows - len(lines)) // 2, 0)
        if not top <= y < top + len(lines):
            return Strip.blank(width, base)
        style = base + self.part_style("video-cell--reason")
        line = lines[y - top]
        left = max((width - len(line)) // 2, 0)
        return Strip([Segment(fit(" " * left + line, width, glyphs_of(self).ellipsis), style)], width)

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
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines
