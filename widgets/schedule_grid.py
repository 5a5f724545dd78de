"""A week of half-hours to be painted by keyboard: 7 rows of 48 cells, an hour ruler, and in words what is under the cursor.

    ScheduleGrid(week=EMPTY_WEEK, *, name, id, classes)
        .week (reactive WeekCells)         set it to show other cells
        .take(week)                        the same as a change by hand: it can be undone
        .day, .cell                        where the cursor is
    messages: ScheduleGrid.Changed(control, week) after every change by hand
    values: WeekCells in widgets/schedule_cells.py

On and off are two characters, the cursor is marked on the ruler, on the day and in words: no colour is needed. Where the
terminal knows no shift+arrows (the Linux console), `v` starts a range that plain arrows paint.
"""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from widgets.format import fit
from widgets.glyphs import glyphs_of
from widgets.paint_pass import PaintPass
from widgets.schedule_cells import (
    CELLS,
    DAY_NAMES,
    DAYS,
    EMPTY_WEEK,
    FULL_WEEK,
    WEEKDAYS,
    Place,
    WeekCells,
    frame_words,
)

NAME_CELLS = 6
"""Cursor mark, day name and a gap, left of the cells."""
MAX_CELL_WIDTH = 4
HEAD_ROWS = 2
ROWS = HEAD_ROWS + DAYS + 1
UNDO_KEPT = 100
"""Steps back; the oldest are forgotten."""


class ScheduleGrid(PaintPass, Widget, can_focus=True):
    """State: the week, the cursor, and while a range is painted its corner with the week as it was before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(0,-1)", show=False),
        Binding("right,l", "move(0,1)", show=False),
        Binding("up,k", "move(-1,0)", show=False),
        Binding("down,j", "move(1,0)", show=False),
        Binding("shift+left,H", "paint(0,-1)", show=False),
        Binding("shift+right,L", "paint(0,1)", show=False),
        Binding("shift+up,K", "paint(-1,0)", show=False),
        Binding("shift+down,J", "paint(1,0)", show=False),
        Binding("home", "edge(0)", show=False),
        Binding("end", "edge(47)", show=False),
        Binding("space", "switch", show=False),
        Binding("x", "put(True)", show=False),
        Binding("full_stop", "put(False)", show=False),
        Binding("v", "range", show=False),
        Binding("A", "fill(True)", show=False),
        Binding("C", "fill(False)", show=False),
        Binding("w", "weekdays", show=False),
        Binding("y", "copy", show=False),
        Binding("p", "paste", show=False),
        Binding("delete,backspace", "remove_frame", show=False),
        Binding("u", "undo", show=False),
    ]
    """
    | Key | Does |
    | :- | :- |
    | arrows, h j k l, home, end | move |
    | space | switch the half-hour; the first press decides what a range paints |
    | shift+arrows, H J K L | paint a range from here |
    | v | begin a range that plain arrows paint; again: end it |
    | x, . | on, off, and go right |
    | A, C | all on, all off |
    | w | Monday to Friday as this day |
    | y, p | copy this day, put the copy on this day and go down |
    | delete | remove the time frame under the cursor |
    | u | take the last change back |
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "schedule-grid--on",
        "schedule-grid--off",
        "schedule-grid--cursor",
        "schedule-grid--ruler",
        "schedule-grid--words",
    }

    DEFAULT_CSS = """
    ScheduleGrid {
        height: 10;
        width: 1fr;
        color: $foreground;
        & > .schedule-grid--on { color: $text-success; }
        & > .schedule-grid--off { color: $text-disabled; }
        & > .schedule-grid--cursor { color: $foreground; text-style: reverse bold; }
        & > .schedule-grid--ruler { color: $text-muted; }
        & > .schedule-grid--words { color: $foreground; text-style: bold; }
    }
    """

    week: reactive[WeekCells] = reactive(EMPTY_WEEK, init=False)
    """What is painted."""

    class Changed(Message):
        """Other cells, by hand."""

        def __init__(self, control: ScheduleGrid, week: WeekCells) -> None:
            super().__init__()
            self._grid = control
            self.week = week

        @property
        def control(self) -> ScheduleGrid:
            """The grid."""
            return self._grid

    def __init__(
        self,
        week: WeekCells = EMPTY_WEEK,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.set_reactive(ScheduleGrid.week, week)
        self.day, self.cell = 0, 16  # Monday 08:00: where most weeks begin
        self._undo: list[WeekCells] = []
        self._copied = ""
        self._corner: Place | None = None
        """Of the range being painted."""
        self._before = week
        """The range is painted on this."""
        self._pen = True
        self._is_sticky = False
        """The range was begun by `v`: plain arrows paint."""

    # -- keys --------------------------------------------------------------------------------------------

    def action_move(self, days: int, cells: int) -> None:
        """The cursor; within a range begun by `v` it paints."""
        if self._is_sticky:
            self._stretch(days, cells)
            return
        self._end_range()
        self._go(days, cells)

    def action_paint(self, days: int, cells: int) -> None:
        """One step of a range: the rectangle between where it began and here."""
        if self._corner is None:
            self._begin_range()
        self._stretch(days, cells)

    def action_range(self) -> None:
        """Begin a range, or end it."""
        if self._is_sticky:
            self._end_range()
            self.refresh()
            return
        self._end_range()
        self._begin_range()
        self._is_sticky = True
        self._stretch(0, 0)

    def action_edge(self, cell: int) -> None:
        """First or last half-hour of the day."""
        step = cell - self.cell
        if self._is_sticky:
            self._stretch(0, step)
        else:
            self._end_range()
            self._go(0, step)

    def action_switch(self) -> None:
        """This half-hour."""
        self._end_range()
        self._change(self.week.toggled(self.day, self.cell))

    def action_put(self, is_on: bool) -> None:
        """On or off, and to the right: typing paints."""
        self._end_range()
        here = (self.day, self.cell)
        self._change(self.week.painted(here, here, is_on))
        self._go(0, 1)

    def action_fill(self, is_on: bool) -> None:
        """The whole week."""
        self._end_range()
        self._change(FULL_WEEK if is_on else EMPTY_WEEK)

    def action_weekdays(self) -> None:
        """Monday to Friday as this day."""
        self._end_range()
        self._change(self.week.with_days(WEEKDAYS, self.week.days[self.day]))

    def action_copy(self) -> None:
        """This day, for `p`."""
        self._end_range()
        self._copied = self.week.days[self.day]
        self.refresh()

    def action_paste(self) -> None:
        """The copied day here, and down."""
        self._end_range()
        if self._copied:
            self._change(self.week.with_days((self.day,), self._copied))
            self._go(1, 0)

    def action_remove_frame(self) -> None:
        """AS-02."""
        self._end_range()
        self._change(self.week.without_frame(self.day, self.cell))

    def take(self, week: WeekCells) -> None:
        """Another week as one change, which `u` takes back."""
        self._end_range()
        self._change(week)

    def action_undo(self) -> None:
        """The last change back; there is no way forward again."""
        self._end_range()
        if self._undo:
            self.week = self._undo.pop()
            self.post_message(self.Changed(self, self.week))

    def on_blur(self) -> None:
        """A range does not outlive the focus."""
        self._end_range()

    def on_click(self, event: events.Click) -> None:
        """To the cell; once more: switch it."""
        day = event.y - HEAD_ROWS
        cell = (event.x - NAME_CELLS) // self._cell_width
        if not (0 <= day < DAYS and 0 <= cell < CELLS):
            return
        self._end_range()
        if (day, cell) == (self.day, self.cell):
            self.action_switch()
        else:
            self.day, self.cell = day, cell
            self.refresh()

    # -- changing ----------------------------------------------------------------------------------------

    def _begin_range(self) -> None:
        self._corner = (self.day, self.cell)
        self._before = self.week
        self._pen = not self.week.is_on(self.day, self.cell)

    def _stretch(self, days: int, cells: int) -> None:
        self._go(days, cells)
        if self._corner is not None:
            self._show(self._before.painted(self._corner, (self.day, self.cell), self._pen))

    def _end_range(self) -> None:
        """One range is one step back."""
        if self._corner is not None:
            self._note(self._before)
        self._corner = None
        self._is_sticky = False

    def _change(self, week: WeekCells) -> None:
        self._note(self.week, week)
        self._show(week)

    def _note(self, before: WeekCells, after: WeekCells | None = None) -> None:
        if before != (after or self.week):
            self._undo.append(before)
            del self._undo[:-UNDO_KEPT]

    def _show(self, week: WeekCells) -> None:
        if week != self.week:
            self.week = week
            self.post_message(self.Changed(self, week))
        self.refresh()

    def _go(self, days: int, cells: int) -> None:
        """Days go around; hours run on into the next day."""
        position = self.cell + cells
        inside = position % CELLS if self._corner is None else max(0, min(position, CELLS - 1))
        over = position // CELLS if self._corner is None else 0
        if self._corner is None:
            self.day = (self.day + days + over) % DAYS
        else:
            self.day = max(0, min(self.day + days, DAYS - 1))
        self.cell = inside
        self.refresh()

    # -- drawing -----------------------------------------------------------------------------------------

    @property
    def _cell_width(self) -> int:
        room = self.content_size.width - NAME_CELLS
        return max(1, min(room // CELLS, MAX_CELL_WIDTH))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Ruler, marker, seven days, words."""
        return ROWS

    def render_line(self, y: int) -> Strip:
        """Ruler, marker of the cursor's half-hour, days, words."""
        base = self.rich_style
        width = self.content_size.width
        if y == 0:
            segments = [Segment(self._ruler(), base + self.part_style("schedule-grid--ruler"))]
        elif y == 1:
            segments = [Segment(self._marker(), base + self.part_style("schedule-grid--ruler"))]
        elif y < HEAD_ROWS + DAYS:
            segments = self._day(y - HEAD_ROWS, base)
        elif y == HEAD_ROWS + DAYS:
            segments = [Segment(self._words(width), base + self.part_style("schedule-grid--words"))]
        else:
            return Strip.blank(width, base)
        return Strip(segments).adjust_cell_length(width, base)

    def _ruler(self) -> str:
        """Hours, as many as can be told apart."""
        cell_width = self._cell_width
        every = 2 if cell_width == 1 else 1
        step = 2 * every * cell_width
        hours = "".join(f"{hour:02}".ljust(step) for hour in range(0, 24, every))
        return " " * NAME_CELLS + hours

    def _marker(self) -> str:
        """A tick at each full hour, and where the cursor is."""
        glyphs, cell_width = glyphs_of(self), self._cell_width
        ticks = [
            (glyphs.tee_down if cell % 2 == 0 else glyphs.horizontal).ljust(cell_width, glyphs.horizontal)
            for cell in range(CELLS)
        ]
        ticks[self.cell] = glyphs.sort_down.ljust(cell_width, glyphs.horizontal)
        return " " * NAME_CELLS + "".join(ticks)

    def _day(self, day: int, base: Style) -> list[Segment]:
        glyphs, cell_width = glyphs_of(self), self._cell_width
        is_here = day == self.day
        mark = glyphs.cursor if is_here else " "
        name_style = base + self.part_style("schedule-grid--words" if is_here else "schedule-grid--ruler")
        segments = [Segment(f"{mark} {DAY_NAMES[day]} ", name_style)]
        styles = {
            True: base + self.part_style("schedule-grid--on"),
            False: base + self.part_style("schedule-grid--off"),
        }
        signs = {True: glyphs.full, False: glyphs.lamp_dark}
        for cell in range(CELLS):
            is_on = self.week.is_on(day, cell)
            style = styles[is_on]
            if is_here and cell == self.cell and self.has_focus:
                style = base + self.part_style("schedule-grid--cursor")
                sign = ("x" if is_on else ".") * cell_width
            else:
                sign = signs[is_on] * cell_width
            segments.append(Segment(sign, style))
        return segments

    def _words(self, width: int) -> str:
        week, day, cell = self.week, self.day, self.cell
        here = f"{DAY_NAMES[day]} {frame_words(cell, cell + 1)} {'on' if week.is_on(day, cell) else 'off'}"
        found = week.frame(day, cell)
        frame = f", in {frame_words(*found)}" if found is not None and found[1] - found[0] > 1 else ""
        if self._corner is not None:
            frame = f", range {'on' if self._pen else 'off'}"
        left = f"  {here}{frame}"
        right = f"{week.hours:g} h a week"
        if self._copied:
            right = f"day copied   {right}"
        if len(left) + len(right) + 2 > width:
            return fit(left, width, glyphs_of(self).ellipsis)
        return left + " " * (width - len(left) - len(right)) + right
