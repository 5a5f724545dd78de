"""The calendar of playback: a month of days, marked where one of the cameras has recordings; enter goes to that day. Manual row PB-07."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, time, timedelta, tzinfo
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Label

from engine.client import WatchdeckError
from tui.desk import Desk
from tui.when import local_us
from tui.work import start
from widgets.calendar import Calendar, month_moved
from widgets.dialog_frame import DialogFrame
from widgets.format import local_datetime


def days_with(stretches: Iterable[tuple[int, int]], zone: tzinfo) -> frozenset[date]:
    """Local days that [start_us, end_us) stretches touch, right across clock changes."""
    days: set[date] = set()
    for start_us, end_us in stretches:
        if end_us <= start_us:
            continue
        day = local_datetime(start_us, zone).date()
        last = local_datetime(end_us - 1, zone).date()
        while day <= last:
            days.add(day)
            day += timedelta(days=1)
    return frozenset(days)


def same_time_on(day: date, time_us: int, zone: tzinfo) -> int:
    """The local clock time of `time_us` on another day; of an hour that comes twice the first one."""
    return local_us(day, local_datetime(time_us, zone).time().replace(fold=0), zone)


class CalendarDialog(ModalScreen[date | None]):
    """A day, or None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,d", "dismiss(None)", "close", show=False)]
    DEFAULT_CSS = """
    CalendarDialog {
        align: center middle;
        DialogFrame { width: 35; }
        #trouble { color: $text-error; display: none; }
    }
    """

    def __init__(self, desk: Desk, cameras: Sequence[str], shown_us: int) -> None:
        super().__init__()
        self._desk = desk
        self._cameras = tuple(cameras)
        zone = desk.zone
        self._calendar = Calendar(
            today=local_datetime(desk.mirror.now_us, zone).date(),
            chosen=local_datetime(shown_us, zone).date(),
        )

    def compose(self) -> ComposeResult:
        keys = f"{self._desk.glyphs.bullet} recorded  _ today\narrows, pageup/down; enter goes"
        with DialogFrame("Go to day", keys):
            yield self._calendar
            yield Label("", id="trouble", markup=False)

    def on_mount(self) -> None:
        self._calendar.focus()

    @on(Calendar.MonthShown)
    def _month_shown(self, event: Calendar.MonthShown) -> None:
        start(self, partial(self._fetch, event.day), "month")

    async def _fetch(self, month: date) -> None:
        zone = self._desk.zone
        start_us = local_us(month, time(), zone)
        end_us = local_us(month_moved(month, 1), time(), zone)
        trouble = self.query_one("#trouble", Label)
        try:
            timeline = await self._desk.client.timeline(self._cameras, max(start_us, 0), max(end_us, 1))
        except WatchdeckError as error:
            trouble.update(error.what)
            trouble.display = True
            return
        trouble.display = False
        days = days_with((stretch for row in timeline.rows for stretch in row.recorded), zone)
        self._calendar.set_marked(month, days)

    @on(Calendar.Picked)
    def _picked(self, event: Calendar.Picked) -> None:
        self.dismiss(event.day)
