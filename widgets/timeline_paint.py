"""How a `Timeline` looks: rows of cells from its values. Pure functions of a `TimelinePaint`; no state, no events.

Meaning never rests on colour: recorded is solid, a gap is a light shade with a letter, a lock is a double line,
a gap too small for its cell is its letter cut into the solid, a range stands in brackets.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from widgets.format import MINUTE_US, fit, local_clock, local_date, zone_name
from widgets.glyphs import Glyphs
from widgets.ruler import tick_step_us, ticks
from widgets.timeline_cells import Fill, GapKind, StripCell, TimelineTrack

RULER_ROWS: Final = 2
"""Times, then ticks."""

_REVERSE: Final = Style(reverse=True)
_GAP_CLASS: Final = {
    GapKind.CAMERA: "gap-camera",
    GapKind.LOSS: "gap-camera",
    GapKind.STORAGE: "gap-storage",
    GapKind.ENGINE: "gap-engine",
    GapKind.CLOCK: "gap-engine",
    GapKind.UNKNOWN: "gap-engine",
    GapKind.PLANNED: "gap-planned",
}


@dataclass(frozen=True, slots=True)
class TimelinePaint:
    """Everything the rows of one frame have in common; cell numbers count from the left end of the strip."""

    glyphs: Glyphs
    base: Style
    styles: dict[str, Style]
    title_width: int
    cells: int
    playhead: int
    now: int
    selection: tuple[int, int] | None
    loaded: tuple[int, int] | None
    has_focus: bool

    def style(self, name: str) -> Style:
        """A component's style on the widget's own."""
        return self.base + self.styles[name]


def _joined(characters: list[tuple[str, Style]]) -> list[Segment]:
    """Neighbours of equal style become one segment."""
    segments: list[Segment] = []
    text = ""
    current: Style | None = None
    for character, style in characters:
        if style is not current and style != current:
            if text:
                segments.append(Segment(text, current))
            text, current = "", style
        text += character
    if text:
        segments.append(Segment(text, current))
    return segments


def _put(line: list[tuple[str, Style]], at: int, text: str, style: Style) -> None:
    """Write over a line, as far as it is inside."""
    for offset, character in enumerate(text):
        if 0 <= at + offset < len(line):
            line[at + offset] = (character, style)


def paint_labels(paint: TimelinePaint, start_us: int, span_us: int, playhead_us: int, zone: tzinfo) -> Strip:
    """The date, the times of the ticks, and above all of them the time under the playhead."""
    style = paint.style("ruler")
    line: list[tuple[str, Style]] = [(" ", style)] * paint.cells
    taken = range(0)
    if 0 <= paint.playhead < paint.cells:
        text = local_clock(playhead_us, zone)
        if span_us <= MINUTE_US:
            text += f".{playhead_us // 100_000 % 10}"
        at = max(0, min(paint.playhead - len(text) // 2, paint.cells - len(text)))
        _put(line, at, text, paint.style("playhead"))
        taken = range(at - 1, at + len(text) + 1)
    free_from = 0
    for tick in ticks(start_us, start_us + span_us, tick_step_us(span_us, paint.cells), zone):
        at = (tick.time_us - start_us) * paint.cells // span_us
        end = at + len(tick.label)
        is_clear = end <= taken.start or at >= taken.stop
        if at >= free_from and end <= paint.cells and is_clear:
            _put(line, at, tick.label, style)
            free_from = end + 1
    head = Segment(fit(local_date(playhead_us, zone), paint.title_width, paint.glyphs.ellipsis) + " ", style)
    return Strip([head, *_joined(line)], paint.title_width + 1 + paint.cells)


def paint_ruler(
    paint: TimelinePaint, start_us: int, span_us: int, zone: tzinfo, shown: tuple[int, int, int]
) -> Strip:
    """Ticks, the range chosen and the playhead; on the left which rows are in sight."""
    glyphs = paint.glyphs
    style = paint.style("ruler")
    line: list[tuple[str, Style]] = [(glyphs.horizontal, style)] * paint.cells
    for tick in ticks(start_us, start_us + span_us, tick_step_us(span_us, paint.cells), zone):
        _put(line, (tick.time_us - start_us) * paint.cells // span_us, glyphs.tee_down, style)
    if paint.selection is not None:
        first, last = paint.selection
        chosen = paint.style("selection")
        for at in range(max(first, 0), min(last + 1, paint.cells)):
            line[at] = (glyphs.lock, chosen)
        _put(line, first, "[", chosen)
        _put(line, max(last, first + 1), "]", chosen)
    _put(line, paint.playhead, glyphs.sort_down, paint.style("playhead"))
    first_row, last_row, total = shown
    text = zone_name(start_us, zone)
    if total and (first_row, last_row) != (1, total):
        text += f" {first_row}-{last_row}/{total}"
    head = Segment(fit(text, paint.title_width) + " ", style)
    return Strip([head, *_joined(line)], paint.title_width + 1 + paint.cells)


def paint_marks(paint: TimelinePaint, title: str, cells: list[tuple[str, str]]) -> Strip:
    """A row above the bars: characters with the names of their styles; the playhead goes through it."""
    glyphs = paint.glyphs
    line = [(character, paint.style(name)) for character, name in cells]
    if 0 <= paint.playhead < len(line):
        character, style = line[paint.playhead]
        head = paint.style("playhead")
        line[paint.playhead] = (glyphs.playhead, head) if character == " " else (character, style + _REVERSE)
    head_style = paint.style("ruler")
    text = Segment(fit(title, paint.title_width, glyphs.ellipsis) + " ", head_style)
    return Strip([text, *_joined(line)], paint.title_width + 1 + paint.cells)


def paint_row(
    paint: TimelinePaint, track: TimelineTrack, cells: list[StripCell], *, is_cursor: bool
) -> Strip:
    """A track: its name and its strip."""
    glyphs = paint.glyphs
    line: list[tuple[str, Style]] = []
    unknown = paint.style("unknown")
    for index, cell in enumerate(cells):
        if paint.loaded is not None and not paint.loaded[0] <= index <= paint.loaded[1]:
            line.append((glyphs.ellipsis if index % 4 == 0 else " ", unknown))
        else:
            line.append(_cell(paint, cell))
    if is_cursor and paint.selection is not None:
        chosen = paint.style("selection")
        first, last = paint.selection
        _put(line, first, "[", chosen)
        _put(line, max(last, first + 1), "]", chosen)
    if 0 <= paint.playhead < len(line):
        under = line[paint.playhead][1]
        head = paint.styles["playhead"]
        background = under.color if cells[paint.playhead].left is Fill.RECORDED else under.bgcolor
        line[paint.playhead] = (glyphs.playhead, paint.base + head + Style(bgcolor=background))
    name = "title-cursor" if is_cursor and paint.has_focus else "title"
    marker = glyphs.cursor if is_cursor else " "
    title = Segment(fit(marker + track.title, paint.title_width, glyphs.ellipsis), paint.style(name))
    return Strip([title, Segment(" ", paint.base), *_joined(line)], paint.title_width + 1 + paint.cells)


def _cell(paint: TimelinePaint, cell: StripCell) -> tuple[str, Style]:
    glyphs = paint.glyphs
    recorded = paint.style("recorded")
    gap = paint.style(_GAP_CLASS[cell.gap]) if cell.gap is not None else paint.base
    if cell.has_hint and cell.gap is not None:
        if Fill.GAP in (cell.left, cell.right):
            return glyphs.dense, gap  # with footage too short for half a cell
        return cell.gap.value, recorded + Style(reverse=True)  # with a gap too short for half a cell
    if cell.is_whole:
        if cell.left is Fill.RECORDED:
            return (glyphs.lock, paint.style("locked")) if cell.is_locked else (glyphs.full, recorded)
        if cell.left is Fill.GAP and cell.gap is not None:
            return cell.gap.value if cell.is_gap_start else glyphs.shade, gap
        return " ", paint.base
    # Two different halves: the solid one is drawn, the other is what lies beneath.
    if cell.left is Fill.RECORDED:
        return glyphs.left_half, recorded
    if cell.right is Fill.RECORDED:
        return glyphs.right_half, recorded
    return glyphs.shade, gap
