"""The alarm rules: which there are, what they do, when they raised something last; add, edit, test, switch, delete (rows AL-21, AT-04)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from engine.client import WatchdeckError
from engine.wire_alarm_rules import ActionResult, AlarmRuleEdit, AlarmRuleView, TriggerKind
from tui.alarm_wording import (
    RESULT_STATES,
    action_title,
    action_words,
    actions_words,
    rule_schedule_words,
    trigger_words,
    triggers_words,
)
from tui.commands import Scope, bindings_of
from tui.desk import Desk, Undo
from tui.mirror import Change
from tui.screens.help import PageScreen, hanging
from tui.screens.text_pane import TextPane
from tui.screens.view import View
from tui.wording import severity_wording
from tui.work import start
from widgets import format
from widgets.dialog import ConfirmDialog
from widgets.line_list import LineList
from widgets.line_source import Cell, Column, Line
from widgets.pick_dialog import Option, PickDialog

COLUMNS = (
    Column("on", "On", 4),
    Column("name", "Name", 16, grow=2, max_width=32),
    Column("triggers", "Raised by", 20, grow=3, is_sortable=False),
    Column("schedule", "When", 10, grow=1, max_width=24, priority=2, is_sortable=False),
    Column("actions", "Actions", 14, grow=2, priority=3, is_sortable=False),
    Column("raised", "Raised", 6, is_right=True, priority=1),
    Column("last", "Last", 10, priority=1),
)
DETAIL_INDENT = 10
WAYS = (
    Option("mail", "Mail server", "for alarms that send e-mail"),
    Option("ports", "Ports for messages", "TCP messages and webhooks from outside"),
    Option("preservation", "Preservation", "how long alarms, log and bookmarks are kept"),
    Option("heard", "Messages heard", "the last ten from outside"),
)


class AlarmRulesView(View):
    """Left by escape, to the alarms."""

    SCOPE = Scope.RULES
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(Scope.RULES)]
    DEFAULT_CSS = """
    AlarmRulesView > .title { height: 1; background: $surface; }
    AlarmRulesView > #rule-detail { height: 7; background: $surface; padding: 0 1; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._rules: tuple[AlarmRuleView, ...] = ()
        self._kinds: dict[str, TriggerKind] = {}
        self._revision = -1
        """Of the alarms, when the rules were asked for: how often they raised something changes with it."""

    def compose(self) -> ComposeResult:
        yield TextPane(classes="title")
        yield LineList(COLUMNS, empty_text="no rule yet: a makes one")
        yield TextPane(id="rule-detail")

    # -- the view ----------------------------------------------------------------------------------------

    def arrive(self) -> None:
        self.query_one(LineList).focus()
        start(self, self.reload, "rules")

    def refresh_from(self, change: Change) -> None:
        if change & Change.ALARMS and self._revision not in (-1, self.desk.mirror.alarm_counts.revision):
            start(self, self.reload, "rules")
        if change & Change.LINK:
            self._draw_title()

    @property
    def filter_text(self) -> str | None:
        return self.query_one(LineList).filter_text

    def set_filter(self, text: str) -> None:
        self.query_one(LineList).filter_text = text

    def back(self) -> bool:
        if self.filter_text:
            self.set_filter("")
            return True
        return False

    async def reload(self) -> None:
        self._revision = self.desk.mirror.alarm_counts.revision
        if not self._kinds:
            kinds = await self.ask(self.desk.client.trigger_kinds(), "triggers")
            self._kinds = {kind.kind: kind for kind in kinds or ()}
        rules = await self.ask(self.desk.client.alarm_rules(), "alarm rules")
        if rules is not None:
            self._rules = rules
            self._draw()

    # -- drawing -----------------------------------------------------------------------------------------

    def _draw(self) -> None:
        self.query_one(LineList).set_lines(self._line(rule) for rule in self._rules)
        self._draw_title()
        self._draw_detail()

    def _line(self, rule: AlarmRuleView) -> Line:
        now_us, zone = self.desk.mirror.now_us, self.desk.zone
        on: Cell = ("on", "ok") if rule.is_enabled else ("off", "warning")
        last = format.recent_time(rule.last_raised_us, now_us, zone) if rule.last_raised_us else "never"
        cells = (
            on,
            rule.name,
            triggers_words(rule.triggers, self._kinds),
            rule_schedule_words(rule),
            actions_words(rule.actions),
            format.count(rule.raised),
            last,
        )
        values = (rule.is_enabled, rule.name.casefold(), "", "", "", rule.raised, rule.last_raised_us or 0)
        return Line(rule.id, cells, tone="" if rule.is_enabled else "muted", sort_values=values)

    def _draw_title(self) -> None:
        off = sum(not rule.is_enabled for rule in self._rules)
        parts: list[Content | tuple[str, str]] = [
            (" Alarm rules", "bold"),
            (f"  {len(self._rules)}{f', {off} off' if off else ''}", ""),
        ]
        if not self.desk.mirror.is_live:
            parts.append(("  not live", "bold $text-warning"))
        self.query_one(".title", TextPane).show([Content.assemble(*parts)])

    @on(LineList.Highlighted)
    def _draw_detail(self) -> None:
        pane = self.query_one("#rule-detail", TextPane)
        rule = self.selected
        width = max(20, pane.size.width - 2)
        rows: list[Content] = []
        for line in rule_lines(rule, self._kinds) if rule is not None else ():
            rows += hanging(line, width, DETAIL_INDENT)
        pane.show(rows)

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw_detail)

    @property
    def selected(self) -> AlarmRuleView | None:
        key = self.query_one(LineList).cursor_key
        return next((rule for rule in self._rules if rule.id == key), None)

    # -- actions -----------------------------------------------------------------------------------------

    def _work(self, work: Callable[[], Awaitable[object]]) -> None:
        if self.may_change():
            start(self, work, "work")

    def _work_on_rule(self, work: Callable[[AlarmRuleView], Awaitable[object]]) -> None:
        rule = self.selected
        if rule is None:
            self.say("no rule here: a makes one", is_error=True)
        else:
            self._work(partial(work, rule))

    def action_add(self) -> None:
        self._work(partial(self._edit, None))

    @on(LineList.Selected)
    def action_edit(self) -> None:
        self._work_on_rule(self._edit)

    async def _edit(self, rule: AlarmRuleView | None) -> None:
        from tui.screens.rule_editor import RuleEditor

        saved = await self.app.push_screen_wait(RuleEditor(self.desk, rule))
        if saved is None:
            return
        await self.reload()
        self.query_one(LineList).move_to_key(saved.id)
        self.say(f"saved the rule {saved.name} (t tests it)")

    def action_remove(self) -> None:
        self._work_on_rule(self._remove)

    async def _remove(self, rule: AlarmRuleView) -> None:
        text = (
            f"Nothing raises it any more. The {format.plural(rule.raised, 'alarm')} it has raised stay.\n"
            "This cannot be undone; o only switches it off."
        )
        if not await self.app.push_screen_wait(ConfirmDialog(f"Delete the rule {rule.name}?", text)):
            return
        if await self.carry(self.desk.client.remove_alarm_rule(str(rule.id)), f"delete {rule.name}"):
            self.say(f"deleted the rule {rule.name}")
            await self.reload()

    def action_switch(self) -> None:
        self._work_on_rule(self._toggle)

    async def _toggle(self, rule: AlarmRuleView) -> None:
        is_on = not rule.is_enabled
        if await self._enable(rule, is_on):
            word = "on" if is_on else "off"
            self.say(f"{rule.name} is switched {word} (z takes it back)")
            self.desk.undo.append(Undo(f"{rule.name} switched {word}", lambda: self._enable(rule, not is_on)))

    async def _enable(self, rule: AlarmRuleView, is_on: bool) -> bool:
        edit = AlarmRuleEdit(is_enabled=is_on)
        is_done = await self.carry(
            self.desk.client.edit_alarm_rule(str(rule.id), edit), f"switch {rule.name}"
        )
        await self.reload()
        return is_done

    def action_test(self) -> None:
        self._work_on_rule(self._test)

    async def _test(self, rule: AlarmRuleView) -> None:
        await self.app.push_screen_wait(RuleTestScreen(self.desk, rule))
        await self.reload()

    def action_schedules(self) -> None:
        self.post_message(self.Wanted(Scope.SCHEDULES))

    def action_settings(self, which: str = "") -> None:
        keys = [option.key for option in WAYS]
        if which and which not in keys:
            self.say(f"no such settings: {which!r}; there are: {', '.join(keys)}", is_error=True)
        elif self.has_engine():
            start(self, partial(self._settings, which), "settings")

    async def _settings(self, which: str) -> None:
        from tui.screens.alarm_settings import HeardScreen, ListenForm, MailForm, PreservationForm

        if not which:
            picked = await self.app.push_screen_wait(PickDialog("Settings of alarms", WAYS))
            if not picked:
                return
            which = picked[0]
        if which == "heard":
            await self.app.push_screen_wait(HeardScreen(self.desk))
            return
        if not self.may_change():
            return
        settings = await self.ask(self.desk.client.alarm_settings(), "settings")
        if settings is None:
            return
        forms = {"mail": MailForm, "ports": ListenForm, "preservation": PreservationForm}
        if await self.app.push_screen_wait(forms[which](self.desk, settings)) is not None:
            self.say(f"saved: {which}")


def rule_lines(rule: AlarmRuleView, kinds: dict[str, TriggerKind]) -> list[Content]:
    """Everything about a rule."""
    wording = severity_wording(rule.severity)
    when = rule_schedule_words(rule)
    if rule.is_enabled and not rule.is_active:
        when += " (not now)"
    again = f"again after {rule.retrigger_s} s of quiet" if rule.retrigger_s else "each event raises one"
    rows = [
        ("Severity", f"{wording.word}, {again}"),
        ("Raised by", " or ".join(trigger_words(trigger, kinds) for trigger in rule.triggers)),
        ("When", when),
        (
            "Actions",
            "; ".join(f"{action_title(each)} {action_words(each)}" for each in rule.actions) or "none",
        ),
    ]
    if rule.instructions:
        rows.append(("To do", " / ".join(rule.instructions.splitlines())))
    return [Content.assemble((f"{name:<{DETAIL_INDENT}}", "dim"), words) for name, words in rows]


class RuleTestScreen(PageScreen):
    """Runs the whole chain of a rule once and shows what came of each action; leaving does not stop it."""

    def __init__(self, desk: Desk, rule: AlarmRuleView) -> None:
        self._desk = desk
        self._rule = rule
        first = Content(f"running {format.plural(len(rule.actions), 'action')} {desk.glyphs.ellipsis}")
        super().__init__(f"Test of {rule.name}", [first], 12)

    def on_mount(self) -> None:
        start(self, self._run, "test")

    async def _run(self) -> None:
        try:
            reply = await self._desk.client.test_alarm_rule(str(self._rule.id))
        except WatchdeckError as error:
            self.show_lines([Content.styled(f"! {error}", "bold $text-error")])
            return
        lines = [
            Content(f"Alarm {reply.alarm_id} was raised, marked as a test. What came of its actions:"),
            Content(""),
            *(self._result(result) for result in reply.results),
        ]
        if not reply.results:
            lines.append(Content.styled("this rule has no actions: the alarm is in the list", "dim"))
        self.show_lines(lines)

    def _result(self, result: ActionResult) -> Content:
        wording = RESULT_STATES[result.state]
        tries = f" ({result.tries} tries)" if result.tries > 1 else ""
        sign = wording.sign or self._desk.glyphs.mark
        return Content.assemble(
            (f"{sign} {wording.word:<10}", wording.style),
            (result.action, "bold"),
            f"{tries}{': ' if result.text else ''}{format.harmless(result.text)}",
        )
