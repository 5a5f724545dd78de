"""Events: everything that happened, newest first; searched by group, kind, source, time and words; exported (rows AL-20, ES-01 to ES-03).

Older ones are fetched as the operator goes down, new ones arrive without moving the row in hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from engine import wire
from tui.clip import Clip
from tui.commands import Scope, bindings_of
from tui.desk import Desk
from tui.event_search import EventSearch, is_below, search_fields, search_of, time_complaint
from tui.export_job import SaveFailed, file_name, save_bytes
from tui.mirror import Change
from tui.screens.case_dialog import add_to_case
from tui.screens.text_pane import TextPane
from tui.screens.view import View
from tui.wording import severity_wording
from tui.work import start
from widgets import format
from widgets.dialog import FormDialog
from widgets.line_list import LineList
from widgets.line_source import Column, Line, Tone, cell_text
from widgets.pick_dialog import Option, PickDialog

PAGE_EVENTS = 500
EVENTS_MAX = 20_000
"""Kept in memory; beyond it the filter is the way."""
NEAR_END = 100
"""Rows left below the cursor when the next page is asked for."""

CASE_US = 30 * format.SECOND_US
"""Of a camera, around its event."""
SOURCE_CELLS_MAX = 24
LEVELS: tuple[tuple[str, str | None, str], ...] = (
    ("all", None, "all severities"),
    ("warning", "warning", "warnings and worse"),
    ("critical", "critical", "critical only"),
)
DIFFERENCE = "what happened; Alarms: what rules call you for"
"""AL-20."""
_TONES: dict[str, Tone] = {"warning": "warning", "critical": "error"}


def fitted_columns(lines: Sequence[Line], *, has_counts: bool = False) -> tuple[Column, ...]:
    """Time, severity and name as wide as the longest of them: the rest is the text's."""
    times, severities, sources = (
        max((len(cell_text(line.cells[index])) for line in lines), default=0) for index in range(3)
    )
    counts = (Column("count", "Count", 5, is_right=True, is_sortable=False),) if has_counts else ()
    return (
        Column("time", "Time", max(times, 8), is_sortable=False),
        Column("severity", "Severity", max(severities, 8), is_sortable=False),
        Column("source", "About", min(max(sources, 5), SOURCE_CELLS_MAX), priority=1, is_sortable=False),
        *counts,
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
        self._search = EventSearch()
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
        return self._search.text

    def set_filter(self, text: str) -> None:
        self._look_for(replace(self._search, text=text))

    def _look_for(self, search: EventSearch) -> None:
        if search != self._search:
            self._search = search
            self._restart()

    def back(self) -> bool:
        detail = self.query_one("#event-detail")
        if detail.display:
            detail.display = False
            return True
        is_narrow = self._search.is_narrow
        self._look_for(EventSearch())
        return is_narrow

    async def reload(self) -> None:
        self._restart()

    # -- events ------------------------------------------------------------------------------------------

    def _restart(self) -> None:
        self._has_older = True
        start(self, partial(self._fetch, is_fresh=True), "events")

    async def _fetch(self, *, is_fresh: bool) -> None:
        """One page: the newest (after a change of filter), or the next older one."""
        before_id = None if is_fresh or not self._events else self._events[-1].id
        search = self._search
        self._is_fetching = True
        try:
            page = await self.ask(
                self.desk.client.events(
                    limit=PAGE_EVENTS,
                    before_id=before_id,
                    kinds=search.asked_kinds,
                    min_severity=search.min_severity,
                    source=search.source or None,
                    start_us=search.start_us,
                    end_us=search.end_us,
                    text=search.text or None,
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
        return self._search.wants(
            severity=event.severity,
            kind=event.kind,
            source=event.source,
            time_us=event.time_us,
            text=event.text,
        )

    def _show(self) -> None:
        zone = self.desk.zone
        now_us = self.desk.mirror.now_us
        self._shown_on = format.local_date(now_us, zone)
        has_counts = any(event.count > 1 for event in self._events)
        lines = []
        for event in self._events:
            wording = severity_wording(event.severity)
            tone = _TONES.get(event.severity, "")
            cells = (
                format.recent_time(event.time_us, now_us, zone),
                (f"{wording.sign} {wording.word}", tone),
                event.source,
                *((format.count(event.count) if event.count > 1 else "",) if has_counts else ()),
                event.text,
                event.kind,
            )
            lines.append(Line(key=event.id, cells=cells))
        rows = self.query_one(LineList)
        rows.set_columns(fitted_columns(lines, has_counts=has_counts))
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
            (f"  {count}, {self._level_words}", ""),
        ]
        chips = self._search.chips(self.desk.mirror.now_us, self.desk.zone)
        if self._search.text:
            chips.append(f"/{self._search.text}")
        if chips:
            parts.append((f"  {', '.join(chips)}  (esc clears)", "bold $text-accent"))
        elif not unseen and self.desk.mirror.is_live:
            parts.append((f"  {DIFFERENCE}", "dim"))
        if unseen:
            parts.append((f"  {unseen} new above (g)", "bold $text-warning"))
        if not self.desk.mirror.is_live:
            parts.append(("  not live", "bold $text-warning"))
        self.query_one(".title", TextPane).show([Content.assemble(*parts)])

    @property
    def _level_words(self) -> str:
        return next(words for _, severity, words in LEVELS if severity == self._search.min_severity)

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
        who += f", {format.count(event.count)} times" if event.count > 1 else ""
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
        severities = [severity for _, severity, _ in LEVELS]
        here = severities.index(self._search.min_severity)
        wanted = names.index(level) if level else (here + 1) % len(LEVELS)
        self._look_for(replace(self._search, min_severity=severities[wanted]))

    def action_search(self) -> None:
        start(self, self._ask_search, "search")

    async def _ask_search(self) -> None:
        now_us, zone = self.desk.mirror.now_us, self.desk.zone
        form = FormDialog(
            "Search events",
            search_fields(self._search, now_us, zone),
            submit="Search",
            check=lambda values: time_complaint(values, now_us, zone),
        )
        values = await self.app.push_screen_wait(form)
        if values is not None:
            self._look_for(search_of(values, self._search, now_us, zone))

    def action_kinds(self) -> None:
        start(self, self._ask_kinds, "search")

    async def _ask_kinds(self) -> None:
        """ES-03: a checklist of what can raise alarms, and of what has been seen besides."""
        known = await self.ask(self.desk.client.trigger_kinds(), "kinds")
        titles = {kind.kind: kind.title for kind in known or ()}
        for kind in sorted({event.kind for event in self._events} | set(self._search.kinds)):
            titles.setdefault(kind, "")
        group = replace(self._search, kinds=()).asked_kinds
        options = [
            Option(kind, kind, title)
            for kind, title in sorted(titles.items())
            if not group or any(is_below(kind, each) for each in group)
        ]
        picked = await self.app.push_screen_wait(
            PickDialog(
                "Events of which kinds?",
                options,
                text="None picked: all. A kind stands for all below it.",
                is_many=True,
                chosen=self._search.kinds,
                submit="Search",
            )
        )
        if picked is not None:
            self._look_for(replace(self._search, kinds=picked))

    def action_export(self) -> None:
        if self.has_engine():
            start(self, self._export, "export")

    async def _export(self) -> None:
        """ES-03: all that fit, not only those in sight."""
        search = self._search
        data = await self.ask(
            self.desk.client.event_csv(
                kinds=search.asked_kinds,
                min_severity=search.min_severity,
                source=search.source or None,
                start_us=search.start_us,
                end_us=search.end_us,
                text=search.text or None,
            ),
            "export",
        )
        if data is not None:
            await save_csv(self, data, "events")

    def action_log(self) -> None:
        self.post_message(self.Wanted(Scope.LOG))

    def action_newest(self) -> None:
        self.query_one(LineList).action_cursor_first()

    def action_footage(self) -> None:
        event = self._selected_of_camera()
        if event is not None:
            self.post_message(self.Wanted(Scope.RECORDINGS, camera=event.source, at_us=event.time_us))

    def action_to_case(self) -> None:
        """Half a minute of its camera, with the event in the middle."""
        event = self._selected_of_camera() if self.may_change() else None
        if event is not None:
            moment = Clip(event.source, event.time_us, event.time_us)
            clip = moment.around(CASE_US, self.desk.mirror.now_us)
            start(self, lambda: add_to_case(self, [clip], comment=event.text), "dialog")

    def _selected_of_camera(self) -> wire.EventView | None:
        """In hand; None after saying that it has no camera."""
        event = self._selected
        if event is None or self.desk.mirror.camera(event.source) is None:
            self.say("this event is not about a camera that exists", is_error=True)
            return None
        return event


async def save_csv(view: View, data: bytes, name: str) -> None:
    """Into the folder of exports; says where, or why not."""
    path = view.desk.folder / file_name(name, view.desk.mirror.now_us, view.desk.zone, ".csv")
    try:
        saved = await save_bytes(data, path)
    except SaveFailed as error:
        view.say(f"not saved: {error}", is_error=True)
    else:
        view.say(f"saved {saved}")
