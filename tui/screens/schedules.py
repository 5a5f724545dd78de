"""Schedule templates: named weeks for alarm rules and recording alike (manual rows AS-01 to AS-03). `:schedules`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.content import Content

from engine.wire_alarm_rules import ScheduleTemplate, ScheduleTemplateView
from tui.commands import Scope, bindings_of
from tui.desk import Desk
from tui.mirror import Change
from tui.schedule_wording import schedule_words, week_of
from tui.screens.schedule_dialog import ScheduleDialog
from tui.screens.text_pane import TextPane
from tui.screens.view import View
from tui.work import start
from widgets import format
from widgets.dialog import ConfirmDialog, Field, FormDialog
from widgets.line_list import LineList
from widgets.line_source import Column, Line

COLUMNS = (
    Column("name", "Name", 16, grow=1, max_width=28),
    Column("hours", "Hours", 6, is_right=True, priority=1),
    Column("times", "On", 30, grow=3, is_sortable=False),
    Column("used", "Used by", 16, grow=1, priority=2, is_sortable=False),
)


async def ask_template(
    app: App[Any],
    desk: Desk,
    known: Sequence[ScheduleTemplateView],
    before: ScheduleTemplateView | None = None,
) -> ScheduleTemplateView | None:
    """Name and week of a new template, or the week of one. Raises WatchdeckError when the engine does not keep it."""
    name = before.name if before is not None else await _ask_name(app, known)
    if name is None:
        return None
    schedule = await app.push_screen_wait(
        ScheduleDialog(desk, f"Template {name}", before.schedule if before is not None else None)
    )
    if schedule is None:
        return None
    return await desk.client.put_schedule(ScheduleTemplate(name=name, schedule=schedule))


async def _ask_name(app: App[Any], known: Sequence[ScheduleTemplateView]) -> str | None:
    names = {each.name.casefold() for each in known}

    def check(text: str) -> str:
        return "a template of that name exists" if text.strip().casefold() in names else ""

    field = Field("name", "Name", hint="for example office hours", is_required=True, check=check)
    values = await app.push_screen_wait(FormDialog("New schedule template", [field], submit="Paint it"))
    return values["name"].strip() if values is not None else None


class SchedulesView(View):
    """Left by escape, to the alarm rules."""

    SCOPE = Scope.SCHEDULES
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(Scope.SCHEDULES)]
    DEFAULT_CSS = "SchedulesView > .title { height: 1; background: $surface; }"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._templates: tuple[ScheduleTemplateView, ...] = ()
        self._is_loaded = False

    def compose(self) -> ComposeResult:
        yield TextPane(classes="title")
        yield LineList(COLUMNS, empty_text="no template yet: a makes one")

    def arrive(self) -> None:
        self.query_one(LineList).focus()
        start(self, self.reload, "schedules")

    def refresh_from(self, change: Change) -> None:
        if change & Change.LINK:
            self._draw_title()

    def back(self) -> bool:
        if self.filter_text:
            self.set_filter("")
            return True
        return False

    @property
    def filter_text(self) -> str | None:
        return self.query_one(LineList).filter_text

    def set_filter(self, text: str) -> None:
        self.query_one(LineList).filter_text = text

    async def reload(self) -> None:
        found = await self.ask(self.desk.client.schedules(), "schedules")
        if found is not None:
            self._templates, self._is_loaded = found, True
            self._draw()

    def _draw(self) -> None:
        self.query_one(LineList).set_lines(
            Line(
                each.name,
                (
                    each.name,
                    f"{week_of(each.schedule).hours:g}",
                    schedule_words(each.schedule),
                    ", ".join(each.used_by) or ("nothing", "muted"),
                ),
                sort_values=(each.name.casefold(), week_of(each.schedule).hours, "", ""),
            )
            for each in self._templates
        )
        self._draw_title()

    def _draw_title(self) -> None:
        count = format.plural(len(self._templates), "template") if self._is_loaded else ""
        parts = [("  Schedules", "bold"), (f"  {count}, for alarm rules and recording", "")]
        self.query_one(".title", TextPane).show([Content.assemble(*parts)])

    @property
    def _selected(self) -> ScheduleTemplateView | None:
        key = self.query_one(LineList).cursor_key
        return next((each for each in self._templates if each.name == key), None)

    def _work(self, work: Callable[[], Awaitable[object]]) -> None:
        if self.may_change():
            start(self, work, "work")

    # -- actions -----------------------------------------------------------------------------------------

    def action_add(self) -> None:
        self._work(partial(self._put, None))

    @on(LineList.Selected)
    def action_edit(self) -> None:
        if (template := self._selected) is not None:
            self._work(partial(self._put, template))

    async def _put(self, before: ScheduleTemplateView | None) -> None:
        saved = await self.ask(ask_template(self.app, self.desk, self._templates, before), "schedule")
        if saved is not None:
            self.say(f"saved the schedule {saved.name}: {schedule_words(saved.schedule)}")
            await self.reload()
            self.query_one(LineList).move_to_key(saved.name)

    def action_remove(self) -> None:
        if (template := self._selected) is not None:
            self._work(partial(self._remove, template))

    async def _remove(self, template: ScheduleTemplateView) -> None:
        if template.used_by:
            self.say(f"{template.name} is used by {', '.join(template.used_by)}", is_error=True)
            return
        question = ConfirmDialog(
            f"Delete the schedule {template.name}?", "Nothing uses it. This cannot be undone."
        )
        if await self.app.push_screen_wait(question) and await self.carry(
            self.desk.client.remove_schedule(template.name), f"delete {template.name}"
        ):
            self.say(f"deleted the schedule {template.name}")
            await self.reload()
