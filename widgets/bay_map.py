"""The front of the box as it stands in the rack: every bay at its place, with its lamps.

    BayMap(*, name, id, classes)
        .show(rows, faces)            bay numbers row by row, top first; faces by bay number
        .turn(is_lit, rates)          lamps of these rates changed: only their cells are drawn again
        .selected (reactive int)      the bay in hand
        .box -> (width, height)       of one bay, for the room there is
    messages: BayMap.Highlighted(control, bay), BayMap.Opened(control, bay) on click

Arrows move to the neighbour, digits to a bay by its number (two digits in a row: 1 then 2 is bay 12).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from widgets.blink import Rate
from widgets.drive_bay import MAX_WIDTH, MIN_WIDTH, BayFace, box_height, face_row, lamp_cells
from widgets.glyphs import glyphs_of
from widgets.paint_pass import PaintPass

SECOND_DIGIT_S = 1.5
"""A digit so soon after another makes a number of two digits with it."""
PARTS = (
    *("cursor", "number", "frame", "bar", "lamp-green", "lamp-amber"),
    *("group-1", "group-2", "group-3", "group-4"),
    *("ok", "warning", "error", "accent", "muted"),
)


class BayMap(PaintPass, Widget, can_focus=True):
    """All bays of the front. Invariant: blinking touches the cells of the lamps and nothing else."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1, 0)", "left", show=False),
        Binding("right", "step(1, 0)", "right", show=False),
        Binding("up,k", "step(0, -1)", "up", show=False),
        Binding("down,j", "step(0, 1)", "down", show=False),
        *(Binding(digit, f"digit({digit})", f"bay {digit}", show=False) for digit in "0123456789"),
    ]
    """
    | Key | Does |
    | :- | :- |
    | arrows, j, k | the neighbouring bay |
    | 0-9 | the bay of that number |
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"bay-map--{part}" for part in PARTS}

    DEFAULT_CSS = """
    BayMap {
        height: 12;
        background: $background;
        color: $foreground;
        & > .bay-map--cursor { color: $block-cursor-foreground; background: $block-cursor-background; text-style: bold; }
        & > .bay-map--number { text-style: bold; }
        & > .bay-map--frame { color: $text-muted; }
        & > .bay-map--bar { color: $text-warning; }
        & > .bay-map--lamp-green { color: $text-success; }
        & > .bay-map--lamp-amber { color: $text-warning; }
        & > .bay-map--group-1 { color: #5fafd7; }
        & > .bay-map--group-2 { color: #af87d7; }
        & > .bay-map--group-3 { color: #5fafaf; }
        & > .bay-map--group-4 { color: #d787af; }
        &:light > .bay-map--group-1 { color: #005faf; }
        &:light > .bay-map--group-2 { color: #5f00af; }
        &:light > .bay-map--group-3 { color: #005f5f; }
        &:light > .bay-map--group-4 { color: #870087; }
        &:ansi > .bay-map--group-1 { color: $primary; }
        &:ansi > .bay-map--group-2 { color: $accent; }
        &:ansi > .bay-map--group-3 { color: $secondary; }
        &:ansi > .bay-map--group-4 { color: $foreground; }
        & > .bay-map--ok { color: $text-success; }
        & > .bay-map--warning { color: $text-warning; text-style: bold; }
        & > .bay-map--error { color: $text-error; text-style: bold; }
        & > .bay-map--accent { color: $text-accent; }
        & > .bay-map--muted { color: $text-muted; }
    }
    """

    selected = reactive(0, repaint=False, init=False)
    """Number of the bay in hand."""

    class Highlighted(Message):
        """Another bay is in hand."""

        def __init__(self, control: BayMap, bay: int) -> None:
            super().__init__()
            self._map = control
            self.bay = bay

        @property
        def control(self) -> BayMap:
            """The map."""
            return self._map

    class Opened(Highlighted):
        """The bay in hand was clicked."""

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._rows: tuple[tuple[int, ...], ...] = ()
        self._faces: dict[int, BayFace] = {}
        self._is_lit: Callable[[Rate], bool] = lambda rate: rate != "off"
        self._first_digit = 0
        self._digit_timer: Timer | None = None

    # -- values ------------------------------------------------------------------------------------------

    def show(self, rows: Sequence[Sequence[int]], faces: Mapping[int, BayFace]) -> None:
        """Other bays or other faces; boxes that stay as they are cost nothing."""
        new_rows = tuple(tuple(row) for row in rows)
        before, self._faces = self._faces, dict(faces)
        if new_rows != self._rows:
            self._rows = new_rows
            bays = {bay for row in new_rows for bay in row}
            if self.selected not in bays and bays:
                self.selected = min(bays)
            self.refresh()
            return
        for bay, face in self._faces.items():
            if before.get(bay) != face:
                self._refresh_box(bay)

    def turn(self, is_lit: Callable[[Rate], bool], rates: Iterable[Rate]) -> None:
        """Draw the lamps of these rates as they are now."""
        self._is_lit = is_lit
        turned = frozenset(rates)
        width, height = self.box
        lamps = lamp_cells(width, height)
        regions = []
        for bay, face in self._faces.items():
            place = self._place(bay)
            for rate, (x, y) in zip((face.green, face.amber), lamps, strict=True):
                if place is not None and rate in turned:
                    regions.append(Region(place[0] * width + x, place[1] * height + y, 1, 1))
        if regions:
            self.refresh(*regions)

    @property
    def rates(self) -> frozenset[Rate]:
        """Of all lamps."""
        return frozenset(rate for face in self._faces.values() for rate in face.rates)

    @property
    def box(self) -> tuple[int, int]:
        """Width and height of a bay."""
        columns = max((len(row) for row in self._rows), default=1)
        width = max(MIN_WIDTH, min(MAX_WIDTH, self.size.width // columns))
        return width, box_height(len(self._rows) or 1, self.size.height, width)

    # -- moving ------------------------------------------------------------------------------------------

    def _place(self, bay: int) -> tuple[int, int] | None:
        for y, row in enumerate(self._rows):
            if bay in row:
                return row.index(bay), y
        return None

    def watch_selected(self, before: int, bay: int) -> None:
        self._refresh_box(before)
        self._refresh_box(bay)
        if before != bay:
            self.post_message(self.Highlighted(self, bay))

    def _refresh_box(self, bay: int) -> None:
        place = self._place(bay)
        if place is not None:
            width, height = self.box
            self.refresh(Region(place[0] * width, place[1] * height, width, height))

    def action_step(self, right: int, down: int) -> None:
        place = self._place(self.selected)
        if place is None:
            return
        row = self._rows[max(0, min(place[1] + down, len(self._rows) - 1))]
        self.selected = row[max(0, min(place[0] + right, len(row) - 1))]

    def action_digit(self, digit: int) -> None:
        known = {bay for row in self._rows for bay in row}
        both = self._first_digit * 10 + digit
        if self._digit_timer is not None:
            self._digit_timer.stop()
            self._digit_timer = None
        if self._first_digit and both in known:
            self._first_digit = 0
            self.selected = both
            return
        self._first_digit = digit
        self._digit_timer = self.set_timer(SECOND_DIGIT_S, self._forget_digit)
        if digit in known:
            self.selected = digit

    def _forget_digit(self) -> None:
        self._first_digit = 0
        self._digit_timer = None

    def on_click(self, event: events.Click) -> None:
        width, height = self.box
        column, line = event.x // width, event.y // height
        if line < len(self._rows) and column < len(self._rows[line]):
            bay = self._rows[line][column]
            if bay == self.selected:
                self.post_message(self.Opened(self, bay))
            self.selected = bay

    # -- drawing -----------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width, height = self.box
        base = self.rich_style
        line, row = divmod(y, height)
        if line >= len(self._rows):
            return Strip.blank(self.size.width, base)
        glyphs = glyphs_of(self)
        segments: list[Segment] = []
        for bay in self._rows[line]:
            face = self._faces.get(bay) or BayFace(bay)
            parts = face_row(face, row, width, height, glyphs, self._is_lit, is_selected=bay == self.selected)
            for text, part in parts:
                if text:
                    style = base + self.part_style(f"bay-map--{part}") if part else base
                    segments.append(Segment(text, style))
        return Strip(segments).adjust_cell_length(self.size.width, base)
