"""A month in which one day is picked; days with recordings and today are marked, by colour and by character. Manual row PB-07.

    Calendar(*, today, chosen, name, id, classes)
        .month (first day), .chosen (date)      reactive; arrows move days and weeks, pageup and pagedown months
        .set_marked(month, days)                days with recordings of that month; None = not known yet
    messages: Calendar.MonthShown(control, month): fetch its days; Calendar.Picked(control, day) on enter or click

    Mo Tu We Th Fr Sa Su
                       1
     2• 3• 4  5_            • recorded, _ today

Dates are local; whoever owns the calendar knows the zone. Weeks begin on Monday (ISO 8601).
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import date, timedelta
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

from widgets.glyphs import glyphs_of
from widgets.paint_pass import PaintPass

CELL = 4
"""Columns of a day: sign of the cursor, two digits, mark."""
WEEKS = 6
HEAD_ROWS = 2
WIDTH = 7 * CELL + 1
NAMES = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


def weeks_of(month: date) -> list[list[date]]:
    """Six whole weeks from the Monday at or before its first day."""
    monday = month.replace(day=1)
    monday -= timedelta(days=monday.weekday())
    return [[monday + timedelta(days=7 * week + day) for day in range(7)] for week in range(WEEKS)]


def month_moved(day: date, months: int) -> date:
    """The same day so many months later, or the last of a shorter month. Within the years a date can have."""
    number = day.year * 12 + day.month - 1 + months
    year, month = max(date.min.year, min(number // 12, date.max.year - 1)), number % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


class Calendar(PaintPass, Widget, can_focus=True):
    """Invariant: `month` is the first day of the month of `chosen`; messages are posted only on change."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "days(-1)", "day before", show=False),
        Binding("right,l", "days(1)", "day after", show=False),
        Binding("up,k", "days(-7)", "week before", show=False),
        Binding("down,j", "days(7)", "week after", show=False),
        Binding("pageup,left_curly_bracket", "months(-1)", "month before", show=False),
        Binding("pagedown,right_curly_bracket", "months(1)", "month after", show=False),
        Binding("home,t", "today", "today", show=False),
        Binding("n", "marked(1)", "next recorded day", show=False),
        Binding("N", "marked(-1)", "recorded day before", show=False),
        Binding("enter,space", "pick", "pick", show=False),
    ]
    """
    | Key | Does |
    | :- | :- |
    | arrows, h j k l | another day |
    | pageup, pagedown (or `{` `}`) | another month |
    | n, N | next, previous day with recordings of this month |
    | home, t | today |
    | enter, space | pick it |
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "calendar--title",
        "calendar--names",
        "calendar--recorded",
        "calendar--plain",
        "calendar--outside",
        "calendar--today",
        "calendar--cursor",
    }
    """
    | Class | Of |
    | :- | :- |
    | `calendar--title`, `--names` | the month; the days of the week |
    | `calendar--recorded`, `--plain` | days with recordings, days without |
    | `calendar--outside` | days of other months |
    | `calendar--today`, `--cursor` | today; the day in hand |
    """

    DEFAULT_CSS = """
    Calendar {
        width: 29; height: 8;
        & > .calendar--title { text-style: bold; }
        & > .calendar--names { color: $text-muted; }
        & > .calendar--recorded { color: $text-primary; text-style: bold; }
        & > .calendar--plain { color: $foreground; }
        & > .calendar--outside { color: $text-disabled; }
        & > .calendar--today { color: $text-warning; text-style: underline; }
        & > .calendar--cursor { color: $block-cursor-foreground; background: $block-cursor-background; text-style: bold; }
    }
    """

    chosen = reactive(date(2000, 1, 1), init=False)
    """The day in hand."""

    class _CalendarMessage(Message):
        def __init__(self, control: Calendar, day: date) -> None:
            super().__init__()
            self._calendar = control
            self.day = day

        @property
        def control(self) -> Calendar:
            """The calendar."""
            return self._calendar

    class MonthShown(_CalendarMessage):
        """Another month came into sight: `day` is its first; fetch what it holds."""

    class Picked(_CalendarMessage):
        """This day is wanted."""

    def __init__(
        self,
        *,
        today: date,
        chosen: date,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.today = today
        self.set_reactive(Calendar.chosen, min(chosen, today))
        self._marked: dict[date, frozenset[date]] = {}

    @property
    def month(self) -> date:
        """First day of the month in sight."""
        return self.chosen.replace(day=1)

    def set_marked(self, month: date, days: Iterable[date]) -> None:
        """Days with recordings of a month (its first day)."""
        if len(self._marked) >= 24:
            self._marked.pop(next(iter(self._marked)))
        self._marked[month] = frozenset(days)
        self.refresh()

    def on_mount(self) -> None:
        self.post_message(self.MonthShown(self, self.month))

    def validate_chosen(self, day: date) -> date:
        """Never in the future."""
        return min(day, self.today)

    def watch_chosen(self, before: date, day: date) -> None:
        """Tell when another month came into sight."""
        if before.replace(day=1) != self.month:
            self.post_message(self.MonthShown(self, self.month))

    # -- actions -----------------------------------------------------------------------------------------

    def action_days(self, days: int) -> None:
        """Move by days."""
        self.chosen += timedelta(days=days)

    def action_months(self, months: int) -> None:
        """Move by months."""
        self.chosen = month_moved(self.chosen, months)

    def action_today(self) -> None:
        """To today."""
        self.chosen = self.today

    def action_marked(self, direction: int) -> None:
        """To the nearest day with recordings of this month."""
        days = self._marked.get(self.month, frozenset())
        beyond = [day for day in days if (day > self.chosen if direction > 0 else day < self.chosen)]
        if beyond:
            self.chosen = min(beyond) if direction > 0 else max(beyond)

    def action_pick(self) -> None:
        """This day."""
        self.post_message(self.Picked(self, self.chosen))

    def on_click(self, event: events.Click) -> None:
        """Pick the day clicked."""
        week, place = event.y - HEAD_ROWS, event.x // CELL
        if 0 <= week < WEEKS and 0 <= place < 7:
            self.chosen = weeks_of(self.month)[week][place]
            self.action_pick()

    # -- drawing -----------------------------------------------------------------------------------------

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Seven days."""
        return WIDTH

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Title, names, six weeks."""
        return HEAD_ROWS + WEEKS

    def render_line(self, y: int) -> Strip:
        """Title, names of the days, weeks."""
        base = self.rich_style
        width = self.content_size.width
        if y == 0:
            words = f" {self.month:%B %Y}"
            if self.month not in self._marked:
                words += " ..."
            line = [Segment(words, base + self.part_style("calendar--title"))]
        elif y == 1:
            names = "".join(f" {name} " for name in NAMES)
            line = [Segment(names, base + self.part_style("calendar--names"))]
        elif y < HEAD_ROWS + WEEKS:
            line = [self._day(day, base) for day in weeks_of(self.month)[y - HEAD_ROWS]]
        else:
            line = []
        return Strip(line).adjust_cell_length(width, base)

    def _day(self, day: date, base: Style) -> Segment:
        glyphs = glyphs_of(self)
        is_recorded = day in self._marked.get(day.replace(day=1), frozenset())
        mark = "_" if day == self.today else glyphs.bullet if is_recorded else " "
        name = "recorded" if is_recorded else "plain" if day <= self.today else "outside"
        if day.replace(day=1) != self.month:
            name = "outside"
        style = base + self.part_style(f"calendar--{name}")
        if day == self.today:
            style += self.part_style("calendar--today")
        is_chosen = day == self.chosen
        if is_chosen:
            style += self.part_style("calendar--cursor")
        return Segment(f"{glyphs.cursor if is_chosen else ' '}{day.day:2}{mark}", style)
