"""The log: what people did, by name, and what happened, in one list; searched, exported, verified (rows LS-01 to LS-04).

Newest first, older pages by the engine's cursor. Operations are a chain that cannot be edited: `V` has the engine check it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from engine.wire_log import LogCategory, LogEntry, LogQuery, LogVerification
from tui.commands import Scope, bindings_of
from tui.desk import Desk
from tui.event_search import ALL, range_words, time_complaint, time_fields, typed_time
from tui.mirror import Change
from tui.screens.events import save_csv
from tui.screens.help import PageScreen
from tui.screens.text_pane import TextPane
from tui.screens.view import View
from tui.work import start
from widgets import format
from widgets.dialog import Field, FormDialog
from widgets.line_list import LineList
from widgets.line_source import Column, Line, Tone

PAGE_ENTRIES = 200
ENTRIES_MAX = 20_000
"""Kept in memory; beyond it the search is the way."""
NEAR_END = 100
"""Rows left below the cursor when the next page is asked for."""

COLUMNS = (
    Column("time", "Time", 11, is_sortable=False),
    Column("category", "Category", 9, priority=2, is_sortable=False),
    Column("type", "Type", 14, grow=1, max_width=24, is_sortable=False),
    Column("who", "Who", 8, grow=1, max_width=16, is_sortable=False),
    Column("text", "Description", 20, grow=6, is_sortable=False),
    Column("severity", "Severity", 8, priority=1, is_sortable=False),
    Column("status", "Status", 7, is_sortable=False),
)
CATEGORIES = ("", str(LogCategory.OPERATION), str(LogCategory.EVENT))
CATEGORY_WORDS = {"": "operations and events", "operation": "operations", "event": "events"}
SEVERITIES: tuple[tuple[str, str | None, str], ...] = (
    (ALL, None, ""),
    ("normal", "normal", "normal and major"),
    ("major", "major", "major only"),
)
_TONES: dict[str, Tone] = {"major": "warning", "minor": "muted"}


@dataclass(frozen=True, slots=True)
class LogSearch:
    """All conditions hold."""

    category: str = str(LogCategory.OPERATION)
    types: tuple[str, ...] = ()
    min_severity: str | None = None
    actor: str = ""
    source: str = ""
    start_us: int | None = None
    end_us: int | None = None
    text: str = ""

    def query(self, before: str = "") -> LogQuery:
        return LogQuery(
            category=self.category,
            types=self.types,
            min_severity=self.min_severity,
            actor=self.actor or None,
            source=self.source or None,
            start_us=self.start_us,
            end_us=self.end_us,
            text=self.text,
            before=before,
            limit=PAGE_ENTRIES,
        )

    def chips(self, now_us: int, zone: tzinfo) -> list[str]:
        """What narrows the list, for the title."""
        level = next(words for _, severity, words in SEVERITIES if severity == self.min_severity)
        chips = [each for each in (level, ", ".join(self.types), self.source) if each]
        if self.actor:
            chips.append(f"by {self.actor}")
        chips += range_words(self.start_us, self.end_us, now_us, zone)
        if self.text:
            chips.append(f"/{self.text}")
        return chips


class LogView(View):
    """Left by escape, to the events."""

    SCOPE = Scope.LOG
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(Scope.LOG)]
    DEFAULT_CSS = """
    LogView > .title { height: 1; background: $surface; }
    LogView > #log-detail { height: auto; max-height: 8; display: none; background: $surface; padding: 0 1; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._entries: list[LogEntry] = []
        self._search = LogSearch()
        self._resume = ""
        self._is_fetching = False

    def compose(self) -> ComposeResult:
        yield TextPane(classes="title")
        yield LineList(COLUMNS, empty_text="nothing in the log fits")
        yield Static(id="log-detail", markup=False)

    # -- the view ----------------------------------------------------------------------------------------

    def arrive(self) -> None:
        self.query_one(LineList).focus()
        self._restart()

    def refresh_from(self, change: Change) -> None:
        if change & Change.LINK:
            self._draw_title()

    @property
    def filter_text(self) -> str | None:
        return self._search.text

    def set_filter(self, text: str) -> None:
        self._look_for(replace(self._search, text=text))

    def back(self) -> bool:
        detail = self.query_one("#log-detail")
        if detail.display:
            detail.display = False
        elif self._search != LogSearch():
            self._look_for(LogSearch())
        else:
            return False
        return True

    async def reload(self) -> None:
        self._restart()

    def _look_for(self, search: LogSearch) -> None:
        if search != self._search:
            self._search = search
            self._restart()

    def _restart(self) -> None:
        start(self, partial(self._fetch, is_fresh=True), "log")

    async def _fetch(self, *, is_fresh: bool) -> None:
        self._is_fetching = True
        try:
            query = self._search.query("" if is_fresh else self._resume)
            page = await self.ask(self.desk.client.log(query), "log")
        finally:
            self._is_fetching = False
        if page is None:
            return
        if is_fresh:
            self._entries = []
        self._entries += page.entries
        self._resume = page.resume if len(self._entries) < ENTRIES_MAX else ""
        self._show()

    # -- drawing -----------------------------------------------------------------------------------------

    def _show(self) -> None:
        now_us, zone = self.desk.mirror.now_us, self.desk.zone
        lines = []
        for entry in self._entries:
            status: tuple[str, Tone] = ("ok", "") if entry.is_success else ("x fail", "error")
            about = f"{entry.source}: " if entry.source and entry.text else entry.source
            cells = (
                format.recent_time(entry.time_us, now_us, zone),
                str(entry.category),
                entry.type,
                entry.actor or "-",
                f"{about}{entry.text}",
                (entry.severity, _TONES.get(entry.severity, "")),
                status,
            )
            lines.append(Line(key=(str(entry.category), entry.id), cells=cells))
        self.query_one(LineList).set_lines(lines)
        self._draw_title()
        self._draw_detail()

    def _draw_title(self) -> None:
        count = f"{format.count(len(self._entries))}{'+' if self._resume else ''}"
        parts: list[Content | tuple[str, str]] = [
            (" Log", "bold"),
            (f"  {count} {CATEGORY_WORDS[self._search.category]}", ""),
        ]
        chips = self._search.chips(self.desk.mirror.now_us, self.desk.zone)
        if chips:
            parts.append((f"  {', '.join(chips)}  (esc clears)", "bold $text-accent"))
        if not self.desk.mirror.is_live:
            parts.append(("  not live", "bold $text-warning"))
        self.query_one(".title", TextPane).show([Content.assemble(*parts)])

    @property
    def _selected(self) -> LogEntry | None:
        cursor = self.query_one(LineList).cursor
        return self._entries[cursor] if cursor < len(self._entries) else None

    @on(LineList.Highlighted)
    def _moved(self) -> None:
        rows = self.query_one(LineList)
        if self._resume and not self._is_fetching and rows.cursor >= len(self._entries) - NEAR_END:
            start(self, partial(self._fetch, is_fresh=False), "log")
        self._draw_detail()

    def _draw_detail(self) -> None:
        entry = self._selected
        pane = self.query_one("#log-detail", Static)
        if entry is None or not pane.display:
            return
        status = "success" if entry.is_success else "fail"
        place = f"\nnumber {entry.id} of the chain\n{entry.digest}" if entry.digest else ""
        pane.update(
            Content.assemble(
                (f"{entry.type}  {entry.severity}, {status}", "bold"),
                f"  {format.local_time_with_zone(entry.time_us, self.desk.zone)}",
                f"\nby {entry.actor}" if entry.actor else "",
                f"{', ' if entry.actor else chr(10)}about {entry.source}" if entry.source else "",
                f"\n{format.harmless(entry.text)}" if entry.text else "",
                (place, "dim"),
            )
        )

    # -- actions -----------------------------------------------------------------------------------------

    @on(LineList.Selected)
    def action_details(self) -> None:
        pane = self.query_one("#log-detail")
        pane.display = not pane.display
        self._draw_detail()

    def action_category(self, which: str = "") -> None:
        names = {ALL: "", "operations": CATEGORIES[1], "events": CATEGORIES[2]}
        if which and which not in names:
            self.say(f"no category {which!r}; there are: {', '.join(names)}", is_error=True)
            return
        here = CATEGORIES.index(self._search.category)
        category = names[which] if which else CATEGORIES[(here + 1) % len(CATEGORIES)]
        self._look_for(replace(self._search, category=category))

    def action_severity(self, level: str = "") -> None:
        names = [name for name, _, _ in SEVERITIES]
        if level and level not in names:
            self.say(f"no severity {level!r}; there are: {', '.join(names)}", is_error=True)
            return
        levels = [severity for _, severity, _ in SEVERITIES]
        here = levels.index(self._search.min_severity)
        wanted = names.index(level) if level else (here + 1) % len(levels)
        self._look_for(replace(self._search, min_severity=levels[wanted]))

    def action_search(self) -> None:
        start(self, self._ask_search, "search")

    async def _ask_search(self) -> None:
        search, now_us, zone = self._search, self.desk.mirror.now_us, self.desk.zone
        fields = [
            Field(
                "category", "Category", search.category or ALL, kind="choice", choices=(ALL, *CATEGORIES[1:])
            ),
            Field(
                "severity",
                "Severity",
                search.min_severity or ALL,
                kind="choice",
                choices=tuple(name for name, _, _ in SEVERITIES),
            ),
            Field("types", "Types", ", ".join(search.types), hint="camera, alarm.triage; empty = all"),
            Field("actor", "Who", search.actor),
            Field("source", "About", search.source, hint="a camera, a volume, ..."),
            *time_fields(search.start_us, search.end_us, now_us, zone),
            Field("text", "Words", search.text, hint="all of them"),
        ]
        form = FormDialog(
            "Search the log",
            fields,
            submit="Search",
            check=lambda values: time_complaint(values, now_us, zone),
        )
        values = await self.app.push_screen_wait(form)
        if values is None:
            return
        self._look_for(
            LogSearch(
                category="" if values["category"] == ALL else values["category"],
                types=tuple(each.strip() for each in values["types"].split(",") if each.strip()),
                min_severity=None if values["severity"] == ALL else values["severity"],
                actor=values["actor"].strip(),
                source=values["source"].strip(),
                start_us=typed_time(values["from"], now_us, zone),
                end_us=typed_time(values["to"], now_us, zone),
                text=values["text"].strip(),
            )
        )

    def action_export(self) -> None:
        if self.has_engine():
            start(self, self._export, "export")

    async def _export(self) -> None:
        """LS-03: all that fit, not only those in sight."""
        data = await self.ask(self.desk.client.log_csv(self._search.query()), "export")
        if data is not None:
            await save_csv(self, data, "log")

    def action_verify(self) -> None:
        if self.has_engine():
            start(self, self._verify, "verify")

    async def _verify(self) -> None:
        self.say("checking the chain ...")
        found = await self.ask(self.desk.client.verify_log(), "verify")
        if found is None:
            return
        if found.is_whole:
            self.say(verdict_words(found))
        else:
            title = "The log was tampered with"
            lines = [Content.styled(f"! {verdict_words(found)}", "bold $text-error")]
            self.app.push_screen(PageScreen(title, lines, 2))
            self.say(verdict_words(found), is_error=True)

    def action_events(self) -> None:
        self.post_message(self.Wanted(Scope.EVENTS))


def verdict_words(found: LogVerification) -> str:
    """What came of the check."""
    span = f"{format.count(found.checked)} operations ({found.first_id} to {found.last_id})"
    if found.is_whole:
        return f"the chain is whole: {span} as they were written"
    return f"the chain is broken: {found.trouble}; {span} checked"
