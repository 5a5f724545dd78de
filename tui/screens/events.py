"""Events: newest first, older ones fetched as the operator goes down, new ones arriving without moving the row in hand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from engine import wire
from tui.commands import Scope, bindings_of
from tui.desk import Desk
from tui.mirror import Change
from tui.screens.text_pane import TextPane
from tui.screens.view import View
from tui.wording import severity_wording
from tui.work import start
from widgets import format
from widgets.line_list import LineList
from widgets.line_source import Column, Line, Tone, cell_text

PAGE_EVENTS = 500
EVENTS_MAX = 20_000
"""Kept in memory; beyond it the filter is the way."""
NEAR_END = 100
"""Rows left below the cursor when the next page is asked for."""

SOURCE_CELLS_MAX = 24
LEVELS: tuple[tuple[str, str | None, str], ...] = (
    ("all", None, "all severities"),
    ("warning", "warning", "warnings and worse"),
    ("critical", "critical", "critical only"),
)
_TONES: dict[str, Tone] = {"warning": "warning", "critical": "error"}


def fitted_columns(lines: Sequence[Line]) -> tuple[Column, ...]:
    """Time, severity and name as wide as the longest of them: the rest is the text's."""
    times, severities, sources = (
        max((len(cell_text(line.cells[index])) for line in lines), default=0) for index in range(3)
    )
    return (
        Column("time", "Time", max(times, 8), is_sortable=False),
        Column("severity", "Severity", max(severities, 8), is_sortable=False),
        Column("source", "About", min(max(sources, 5), SOURCE_CELLS_MAX), priority=1, is_sortable=False),
        Column("text", "Event", 28, grow=8, is_sortable=False),
        Column("kind", "Kind", 18, priority=2, is_sortable=False),
    )


class EventsView(View):
    """Number key 4."""

    SCOPE = Scope.EVENTS
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(Scope.EVENTS)]
    DEFAULT_CSS = """
    EventsView > .title { height: 1; background: $surface; }
    EventsView > #event-detail { height: auto; max-height: 8; display: none; background: $surface; padding: 0 1; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._events: list[wire.EventView] = []
        self._level = 0
        self._filter = ""
        self._has_older = True
        self._is_fetching = False
        self._seen_id = 0
        self._shown_on = ""
        """Local date the rows were written on: those of this day need none."""

    def compose(self) -> ComposeResult:
        yield TextPane(classes="title")
        yield LineList(fitted_columns(()), follows_top=True, empty_text="no events")
        yield Static(id="event-detail", markup=False)

    # -- the view ----------------------------------------------------------------------------------------

    def arrive(self) -> None:
        self.query_one(LineList).focus()
        if not self._events:
            self._restart()

    def refresh_from(self, change: Change) -> None:
        if change & Change.EVENTS:
            self._take_new()
        if self._events and self._shown_on != format.local_date(self.desk.mirror.now_us, self.desk.zone):
            self._show()  # what was of today has a date now
        self._draw_title()

    @property
    def filter_text(self) -> str | None:
        return self._filter

    def set_filter(self, text: str) -> None:
        if text != self._filter:
            self._filter = text
            self._restart()

    def back(self) -> bool:
        detail = self.query_one("#event-detail")
        if detail.display:
            detail.display = False
            return True
        if self._filter or self._level:
            self._level = 0
            self._filter = ""
            self._restart()
            return True
        return False

    async def reload(self) -> None:
        self._restart()

    # -- events ------------------------------------------------------------------------------------------

    def _restart(self) -> None:
        self._has_older = True
        start(self, partial(self._fetch, is_fresh=True), "events")

    async def _fetch(self, *, is_fresh: bool) -> None:
        """One page: the newest (after a change of filter), or the next older one."""
        before_id = None if is_fresh or not self._events else self._events[-1].id
        self._is_fetching = True
        try:
            page = await self.ask(
                self.desk.client.events(
                    limit=PAGE_EVENTS,
                    before_id=before_id,
                    min_severity=LEVELS[self._level][1],
                    text=self._filter or None,
                ),
                "events",
            )
        finally:
            self._is_fetching = False
        if page is None:
            return
        if is_fresh:
            self._events = []
        self._events += page
        self._has_older = len(page) == PAGE_EVENTS and len(self._events) < EVENTS_MAX
        self._show()

    def _take_new(self) -> None:
        newest = self._events[0].id if self._events else 0
        fresh = [event for event in self.desk.mirror.events if event.id > newest and self._is_wanted(event)]
        if fresh and self._events:
            self._events = (fresh + self._events)[:EVENTS_MAX]
            self._show()

    def _is_wanted(self, event: wire.EventView) -> bool:
        ranks = [name for name, _, _ in LEVELS]
        if self._level and (event.severity not in ranks or ranks.index(event.severity) < self._level):
            return False
        return not self._filter or self._filter.casefold() in event.text.casefold()

    def _show(self) -> None:
        zone = self.desk.zone
        now_us = self.desk.mirror.now_us
        self._shown_on = format.local_date(now_us, zone)
        lines = []
        for event in self._events:
            wording = severity_wording(event.severity)
            tone = _TONES.get(event.severity, "")
            cells = (
                format.recent_time(event.time_us, now_us, zone),
                (f"{wording.sign} {wording.word}", tone),
                event.source,
                event.text,
                event.kind,
            )
            lines.append(Line(key=event.id, cells=cells))
        rows = self.query_one(LineList)
        rows.set_columns(fitted_columns(lines))
        rows.set_lines(lines)
        self._draw_title()

    def _draw_title(self) -> None:
        rows = self.query_one(LineList)
        if rows.cursor == 0 and self._events:
            self._seen_id = self._events[0].id
        unseen = sum(event.id > self._seen_id for event in self._events[:PAGE_EVENTS])
        count = f"{format.count(len(self._events))}{'+' if self._has_older else ''}"
        parts: list[Content | tuple[str, str]] = [
            (" Events", "bold"),
            (f"  {count}, {LEVELS[self._level][2]}", ""),
        ]
        if self._filter:
            parts.append((f"  /{self._filter}  (esc clears)", "bold $text-accent"))
        if unseen:
            parts.append((f"  {unseen} new above (g)", "bold $text-warning"))
        if not self.desk.mirror.is_live:
            parts.append(("  not live", "bold $text-warning"))
        self.query_one(".title", TextPane).show([Content.assemble(*parts)])

    @property
    def _selected(self) -> wire.EventView | None:
        cursor = self.query_one(LineList).cursor
        return self._events[cursor] if cursor < len(self._events) else None

    @on(LineList.Highlighted)
    def _moved(self) -> None:
        rows = self.query_one(LineList)
        if self._has_older and not self._is_fetching and rows.cursor >= len(self._events) - NEAR_END > 0:
            start(self, partial(self._fetch, is_fresh=False), "events")
        self._draw_title()
        if self.query_one("#event-detail").display:
            self._draw_detail()

    @on(LineList.Selected)
    def action_details(self) -> None:
        detail = self.query_one("#event-detail")
        detail.display = not detail.display
        self._draw_detail()

    def _draw_detail(self) -> None:
        event = self._selected
        if event is None:
            return
        wording = severity_wording(event.severity)
        who = f", by {event.actor}" if event.actor else ""
        self.query_one("#event-detail", Static).update(
            Content.assemble(
                (f"{wording.sign} {wording.word}", wording.style or "bold"),
                f"  {format.local_time_with_zone(event.time_us, self.desk.zone)}  {event.kind}{who}\n",
                (f"{event.source}: " if event.source else "", "bold"),
                event.text,
            )
        )

    # -- actions -----------------------------------------------------------------------------------------

    def action_severity(self, level: str = "") -> None:
        """The next level, or the one named."""
        names = [name for name, _, _ in LEVELS]
        if level and level not in names:
            self.say(f"no severity {level!r}; there are: {', '.join(names)}", is_error=True)
            return
        self._level = names.index(level) if level else (self._level + 1) % len(LEVELS)
        self._restart()

    def action_newest(self) -> None:
        self.query_one(LineList).action_cursor_first()

    def action_footage(self) -> None:
        event = self._selected
        if event is None or self.desk.mirror.camera(event.source) is None:
            self.say("this event is not about a camera that exists", is_error=True)
            return
        self.post_message(self.Wanted(Scope.RECORDINGS, camera=event.source, at_us=event.time_us))
