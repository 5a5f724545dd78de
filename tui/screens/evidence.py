"""Evidence: exports that the engine makes, and cases with what is in them. Number key 9. Manual rows EX-02, RS-04 to RS-07."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from engine.wire_evidence import CaseItemView, CaseView, ExportJobView
from tui.commands import Scope, bindings_of
from tui.desk import Desk
from tui.mirror import Change
from tui.screens.evidence_actions import CaseActions, ExportActions
from tui.screens.evidence_text import (
    CASE_COLUMNS,
    EXPORT_COLUMNS,
    ITEM_COLUMNS,
    case_detail,
    case_line,
    export_detail,
    export_line,
    is_active,
    item_detail,
    item_line,
)
from tui.screens.mode_keys import CASE_ITEMS, CASES, EXPORTS, Labels
from tui.screens.text_pane import TextPane
from tui.screens.view import View
from tui.work import is_under_way, start
from widgets.line_list import LineList

POLL_S = 1.0
IDLE_POLLS = 5
"""When no export runs, every fifth poll is enough."""


class Part(StrEnum):
    EXPORTS = "exports"
    CASES = "cases"
    ITEMS = "items"
    """Of the case that was opened."""


class EvidenceView(View):
    """Three lists of which one is in front."""

    SCOPE = Scope.EVIDENCE
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(Scope.EVIDENCE)]
    DEFAULT_CSS = """
    EvidenceView > .title { height: 1; background: $surface; }
    EvidenceView > #evidence-detail { height: 4; background: $surface; }
    EvidenceView LineList { display: none; }
    EvidenceView.-exports #evidence-exports, EvidenceView.-cases #evidence-cases,
    EvidenceView.-items #evidence-items { display: block; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.part = Part.EXPORTS
        self.exports: tuple[ExportJobView, ...] = ()
        self.cases: tuple[CaseView, ...] = ()
        self._case_id: int | None = None
        self._polls = 0
        self._is_loaded = False
        self._export_actions = ExportActions(self)
        self._case_actions = CaseActions(self)

    def compose(self) -> ComposeResult:
        yield TextPane(classes="title")
        yield LineList(EXPORT_COLUMNS, empty_text="no exports", id="evidence-exports")
        yield LineList(CASE_COLUMNS, empty_text="no cases", id="evidence-cases")
        yield LineList(ITEM_COLUMNS, empty_text="nothing in this case", id="evidence-items")
        yield TextPane(id="evidence-detail")

    def on_mount(self) -> None:
        self._lists = {part: self.query_one(f"#evidence-{part}", LineList) for part in Part}
        self._show_part(Part.EXPORTS)
        self.set_interval(POLL_S, self._poll)

    # -- the view ----------------------------------------------------------------------------------------

    def arrive(self) -> None:
        self.rows.focus()
        self.fetch_again()

    @property
    def rows(self) -> LineList:
        """The list in front."""
        return self._lists[self.part]

    def refresh_from(self, change: Change) -> None:
        if change & Change.LINK and self.desk.mirror.is_connected:
            self.fetch_again()
        self._draw_words()

    def back(self) -> bool:
        if self.part is Part.ITEMS:
            self._show_part(Part.CASES)
            return True
        return False

    @property
    def labels(self) -> Labels:
        return {Part.EXPORTS: EXPORTS, Part.CASES: CASES, Part.ITEMS: CASE_ITEMS}[self.part]

    async def reload(self) -> None:
        await self._fetch()

    def _show_part(self, part: Part) -> None:
        self.part = part
        for each in Part:
            self.set_class(each is part, f"-{each}")
        if self.is_front:
            self.rows.focus()
        self._draw_words()

    # -- fetching ----------------------------------------------------------------------------------------

    def fetch_again(self) -> None:
        start(self, self._fetch, "evidence")

    def _poll(self) -> None:
        self._polls += 1
        is_busy = any(is_active(job) for job in self.exports)
        if not self.is_front or not self.desk.mirror.is_connected or is_under_way(self, "evidence"):
            return
        if is_busy or self._polls % IDLE_POLLS == 0:
            self.fetch_again()

    async def _fetch(self) -> None:
        if not self.desk.mirror.is_connected:
            return
        client = self.desk.client
        exports = await self.ask(client.export_jobs(), "exports")
        cases = await self.ask(client.cases(), "cases") if exports is not None else None
        if exports is None or cases is None:
            return
        self.exports, self.cases = exports, cases
        self._is_loaded = True
        self.draw()

    def put_case(self, case: CaseView) -> None:
        """What the engine answered to a change."""
        known = [case if each.id == case.id else each for each in self.cases]
        self.cases = tuple(known if case in known else [case, *known])
        self.draw()

    # -- drawing -----------------------------------------------------------------------------------------

    def draw(self) -> None:
        now_us, zone = self.desk.mirror.now_us, self.desk.zone
        self._lists[Part.EXPORTS].set_lines([export_line(each, now_us, zone) for each in self.exports])
        self._lists[Part.CASES].set_lines([case_line(each, now_us, zone) for each in self.cases])
        case = self.opened_case
        if self.part is Part.ITEMS and case is None:
            self._show_part(Part.CASES)
        items = case.items if case is not None else ()
        self._lists[Part.ITEMS].set_lines(
            [item_line(place, item, zone) for place, item in enumerate(items, 1)]
        )
        self._draw_words()

    def _draw_words(self) -> None:
        if not self.is_mounted:
            return
        self.tell_keys()
        active = sum(is_active(job) for job in self.exports)
        working = f" ({active} to do)" if active else ""
        exports = f" Exports {len(self.exports)}{working} "
        cases = f" Cases {len(self.cases)} "
        is_exports = self.part is Part.EXPORTS
        parts: list[Content | tuple[str, str]] = [
            (exports, "bold reverse" if is_exports else "dim"),
            (" ", ""),
            (cases, "dim" if is_exports else "bold reverse"),
        ]
        case = self.opened_case
        if self.part is Part.ITEMS and case is not None:
            parts.append((f"  {case.name}", "bold $text-accent"))
            parts.append(("  esc back", "dim"))
        else:
            parts.append(("  tab: the other", "dim"))
        if not self.desk.mirror.is_live:
            parts.append(("  not live", "bold $text-warning"))
        self.write(".title", [Content.assemble(*parts)])
        self.write("#evidence-detail", self._detail())

    def _detail(self) -> list[Content]:
        zone = self.desk.zone
        match self.part:
            case Part.EXPORTS:
                job = self.job_in_hand
                if job is not None:
                    return export_detail(job, self.size.width, self.desk.glyphs, zone)
                hint = " x in Recordings, e in Playback and the searches begin one"
            case Part.CASES:
                found = self.case_in_hand
                if found is not None:
                    return case_detail(found)
                hint = " C in Recordings, Playback and the searches puts footage into a case; a begins one"
            case Part.ITEMS:
                item = self.item_in_hand
                if item is not None:
                    return item_detail(item, zone)
                hint = " C in Recordings, Playback and the searches puts footage into it"
        return [Content.styled(hint, "dim")] if self._is_loaded else []

    @on(LineList.Highlighted)
    def _moved(self) -> None:
        self._draw_words()

    @on(LineList.Selected)
    def _selected(self) -> None:
        self.action_open()

    # -- what is in hand ---------------------------------------------------------------------------------

    @property
    def job_in_hand(self) -> ExportJobView | None:
        index = self._lists[Part.EXPORTS].cursor
        return self.exports[index] if index < len(self.exports) else None

    @property
    def opened_case(self) -> CaseView | None:
        return next((case for case in self.cases if case.id == self._case_id), None)

    @property
    def case_in_hand(self) -> CaseView | None:
        """The one opened, else the one under the cursor."""
        if self.part is Part.ITEMS:
            return self.opened_case
        index = self._lists[Part.CASES].cursor
        return self.cases[index] if index < len(self.cases) else None

    @property
    def item_in_hand(self) -> CaseItemView | None:
        case, index = self.opened_case, self._lists[Part.ITEMS].cursor
        return case.items[index] if case is not None and index < len(case.items) else None

    def go_to_item(self, index: int) -> None:
        self._lists[Part.ITEMS].cursor = index

    # -- commands ----------------------------------------------------------------------------------------

    def action_part(self) -> None:
        self._show_part(Part.CASES if self.part is Part.EXPORTS else Part.EXPORTS)

    def action_open(self) -> None:
        if self.part is Part.EXPORTS:
            self._export_actions.tell(self._job())
        elif self.part is Part.CASES:
            case = self.case_in_hand
            if case is not None:
                self._case_id = case.id
                self.go_to_item(0)
                self._show_part(Part.ITEMS)
                self.draw()
        else:
            self.action_play()

    def _job(self) -> ExportJobView | None:
        """The export in hand, or None after saying so."""
        job = self.job_in_hand if self.part is Part.EXPORTS else None
        if job is None:
            self.say(
                "no export in hand" if self.part is Part.EXPORTS else "tab: to the exports", is_error=True
            )
        return job

    def _case(self) -> CaseView | None:
        case = self.case_in_hand if self.part is not Part.EXPORTS else None
        if case is None:
            self.say(
                "tab: to the cases" if self.part is Part.EXPORTS else "no case in hand: a begins one",
                is_error=True,
            )
        return case

    def _item(self) -> CaseItemView | None:
        item = self.item_in_hand if self.part is Part.ITEMS else None
        if item is None:
            self.say("no stretch in hand: open a case with enter", is_error=True)
        return item

    def action_fetch(self) -> None:
        if self.has_engine() and (job := self._job()) is not None:
            self._export_actions.fetch(job)

    def action_cancel(self) -> None:
        if self.may_change() and (job := self._job()) is not None:
            self._export_actions.cancel(job)

    def action_remove(self) -> None:
        if not self.may_change():
            return
        if self.part is Part.EXPORTS:
            if (job := self._job()) is not None:
                self._export_actions.remove(job)
        elif self.part is Part.CASES:
            if (case := self._case()) is not None:
                self._case_actions.remove(case)
        elif (case := self._case()) is not None and (item := self._item()) is not None:
            self._case_actions.remove_item(case, item)

    def action_export(self) -> None:
        if self.has_engine() and (case := self._case()) is not None:
            self._case_actions.export(case)

    def action_add(self) -> None:
        if self.may_change():
            self._show_part(Part.CASES)
            self._case_actions.add()

    def action_edit(self) -> None:
        if not self.may_change() or (case := self._case()) is None:
            return
        if self.part is Part.ITEMS and (item := self._item()) is not None:
            self._case_actions.edit_item(case, item)
        elif self.part is Part.CASES:
            self._case_actions.edit(case)

    def action_reorder(self, step: int) -> None:
        if self.may_change() and (item := self._item()) is not None and (case := self._case()) is not None:
            self._case_actions.reorder(case, item, step)

    def action_play(self) -> None:
        if (item := self._item()) is not None:
            if item.is_valid:
                self.post_message(View.Wanted(Scope.PLAYBACK, camera=item.camera, at_us=item.start_us))
            else:
                self.say(f"the video of {item.camera} is gone", is_error=True)

    def action_key(self) -> None:
        if self.has_engine():
            self._export_actions.key()
