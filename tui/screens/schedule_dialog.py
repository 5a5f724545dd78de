"""A week painted in a dialog: of a recording schedule, of an alarm rule, of a template (manual rows AS-02, AS-03, RO-03).

schedule = await app.push_screen_wait(ScheduleDialog(desk, "When driveway records", schedule))   ScheduleMessage | None
"""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from engine.client import WatchdeckError
from engine.wire import ScheduleMessage
from tui.desk import Desk
from tui.schedule_wording import schedule_words, week_of, zone_key
from tui.work import start
from widgets.dialog import ConfirmDialog
from widgets.dialog_frame import DialogFrame
from widgets.pick_dialog import Option, PickDialog
from widgets.schedule_cells import EMPTY_WEEK, WeekCells
from widgets.schedule_grid import ScheduleGrid

KEYS = (
    "space on/off   shift+arrows (or v, arrows) paint   x . on off   del remove frame",
    "A all   C none   w Mon-Fri as this day   y copy day   p paste   u undo",
    "t take a template   enter/f10 keep   esc cancel",
)
NARROW_KEYS = (
    "space on/off  shift+arrows or v: paint  x . on/off",
    "del frame  A all  C none  w Mon-Fri as this day",
    "y copy day  p paste  u undo  t template",
    "enter/f10 keep  esc cancel",
)


class ScheduleDialog(ModalScreen[ScheduleMessage | None]):
    """The week, or None when nothing was kept. An existing schedule keeps its zone."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "cancel", show=False),
        Binding("enter,f10", "keep", "keep", show=False),
        Binding("t", "template", "template", show=False),
    ]
    """
    | Key | Does |
    | :- | :- |
    | enter, f10 | keep it |
    | t | begin with a template |
    | escape, q | cancel; asks when something was painted |
    """

    DEFAULT_CSS = """
    ScheduleDialog { align: center middle; background: $background; }
    ScheduleDialog DialogFrame { width: 62; }
    ScheduleDialog #legend { width: 1fr; color: $text-muted; margin: 1 0 0 0; }
    """

    def __init__(
        self, desk: Desk, title: str, schedule: ScheduleMessage | None = None, *, can_be_empty: bool = False
    ) -> None:
        super().__init__()
        self._desk = desk
        self._heading = title
        self._zone = schedule.zone if schedule is not None else zone_key(desk.zone)
        self._before = week_of(schedule)
        self._can_be_empty = can_be_empty

    def compose(self) -> ComposeResult:
        with DialogFrame(self._heading, ""):
            yield ScheduleGrid(self._before)
            yield Static("", id="legend", markup=False)
            yield Label("", id="error", classes="dialog--error", markup=False)

    def on_mount(self) -> None:
        self.query_one(ScheduleGrid).focus()

    def on_resize(self) -> None:
        """Half-hours two cells wide where they fit."""
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        is_wide = self.size.width >= 110
        frame = self.query_one(DialogFrame)
        frame.styles.width = 106 if is_wide else 62
        frame.say_keys("\n".join(KEYS if is_wide else NARROW_KEYS))
        glyphs = self._desk.glyphs
        legend = f"{glyphs.full} on   {glyphs.lamp_dark} off   {self._zone} time"
        self.query_one("#legend", Static).update(legend)

    @property
    def _week(self) -> WeekCells:
        return self.query_one(ScheduleGrid).week

    @on(ScheduleGrid.Changed)
    def _painted(self) -> None:
        self._say("")

    def _say(self, words: str) -> None:
        self.query_one("#error", Label).update(words)

    def action_keep(self) -> None:
        if self._week == EMPTY_WEEK and not self._can_be_empty:
            self._say("nothing is on: paint the times, or esc")
        else:
            self.dismiss(ScheduleMessage(zone=self._zone, days=self._week.days))

    def action_leave(self) -> None:
        if self._week == self._before:
            self.dismiss(None)
        else:
            start(self, self._ask_to_leave, "leave")

    async def _ask_to_leave(self) -> None:
        question = ConfirmDialog(
            "Drop what was painted?",
            "The times stay as they were before.",
            confirm="Drop",
            cancel="Go on painting",
        )
        if await self.app.push_screen_wait(question):
            self.dismiss(None)

    def action_template(self) -> None:
        start(self, self._take_template, "template")

    async def _take_template(self) -> None:
        try:
            templates = await self._desk.client.schedules()
        except WatchdeckError as error:
            self._say(str(error))
            return
        if not templates:
            self._say("there is no template yet: `:schedules` makes one")
            return
        options = [Option(each.name, each.name, schedule_words(each.schedule)) for each in templates]
        picked = await self.app.push_screen_wait(PickDialog("Begin with which template?", options))
        if picked:
            chosen = next(each for each in templates if each.name == picked[0])
            self.query_one(ScheduleGrid).take(week_of(chosen.schedule))
