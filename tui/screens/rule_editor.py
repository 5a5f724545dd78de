"""An alarm rule in four steps, as in the manual: triggers, actions, schedule, name and instructions (row AT-04).

    rule = await app.push_screen_wait(RuleEditor(desk, rule))      AlarmRuleView | None

One list a step; what a line needs is asked in dialogs of its own. Saving goes to the first step in which something is
missing. Leaving asks when something was changed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label

from engine.client import WatchdeckError
from engine.wire_alarm_rules import AlarmRuleView, ScheduleTemplateView, TriggerKind
from engine.wire_sources import AlarmSettings
from tui.camera_abilities import CameraAbilities
from tui.desk import Desk
from tui.rule_draft import RuleDraft, ScheduleMode, Step
from tui.screens.action_dialogs import ActionDialogs, refusal
from tui.screens.rule_lines import COLUMNS, HINTS, KEYS, STEP_TITLES, action_rows, step_lines
from tui.screens.schedule_dialog import ScheduleDialog
from tui.screens.text_pane import TextPane
from tui.screens.trigger_dialogs import TriggerDialogs
from tui.work import start
from widgets.dialog import ConfirmDialog, Field, FormDialog
from widgets.line_list import LineList


class RuleEditor(ModalScreen[AlarmRuleView | None]):
    """The rule as the engine keeps it now, or None when nothing was saved."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "leave", show=False),
        Binding("f10", "save", "save", show=False),
        Binding("right,pagedown,n", "step(1)", "next step", show=False, priority=True),
        Binding("left,pageup,b", "step(-1)", "step before", show=False, priority=True),
        *(Binding(str(number), f"go({number - 1})", show=False) for number in range(1, 5)),
        Binding("a", "add", "add", show=False),
        Binding("d,delete", "drop", "remove", show=False),
        Binding("space", "switch", "on or off", show=False),
        Binding("e", "change", "change", show=False),
        Binding("m", "mail", "mail server", show=False),
    ]
    """
    | Key | Does |
    | :- | :- |
    | right/n/pagedown, left/b/pageup, 1-4 | the steps |
    | a | another trigger, another action of the kind in hand, a new template |
    | enter, e | change what is in hand |
    | space | an action on or off; choose a schedule |
    | d, delete | remove what is in hand |
    | m | the mail server |
    | f10 | save |
    | escape, q | leave; asks when something was changed |
    """

    DEFAULT_CSS = """
    RuleEditor { background: $background; }
    RuleEditor #rule-title, RuleEditor #rule-keys { height: 1; background: $panel; }
    RuleEditor #rule-steps { height: 1; background: $surface; }
    RuleEditor #rule-hint { height: 2; color: $text-muted; padding: 0 1; }
    RuleEditor Label { height: auto; padding: 0 1; color: $text-error; text-style: bold; width: 1fr; }
    """

    def __init__(self, desk: Desk, rule: AlarmRuleView | None = None) -> None:
        super().__init__()
        self._desk = desk
        self._draft = RuleDraft.begin(rule)
        self._step = Step.TRIGGERS
        self._kinds: tuple[TriggerKind, ...] = ()
        self._templates: tuple[ScheduleTemplateView, ...] = ()
        self._settings = AlarmSettings()
        self._abilities = CameraAbilities(desk.client)
        self._is_loaded = False

    def compose(self) -> ComposeResult:
        yield TextPane(id="rule-title")
        yield TextPane(id="rule-steps")
        yield TextPane(id="rule-hint")
        with Vertical():
            yield LineList(COLUMNS)
        yield Label("", id="error", markup=False)
        yield TextPane(id="rule-keys")

    def on_mount(self) -> None:
        self.query_one(LineList).focus()
        self._draw()
        start(self, self._load, "load")

    async def _load(self) -> None:
        """What can be chosen."""
        client = self._desk.client
        try:
            self._kinds = await client.trigger_kinds()
            self._templates = await client.schedules()
            self._settings = await client.alarm_settings()
        except WatchdeckError as error:
            self._say(str(error))
            return
        self._is_loaded = True
        self._draw()
        await self._abilities.ask_analytics(camera.name for camera in self._desk.mirror.cameras)

    # -- drawing -----------------------------------------------------------------------------------------

    @property
    def _by_kind(self) -> Mapping[str, TriggerKind]:
        return {kind.kind: kind for kind in self._kinds}

    def _draw(self) -> None:
        draft = self._draft
        name = draft.name or "(no name yet)"
        what = " New alarm rule" if draft.original is None else f" Alarm rule {name}"
        changed = "  changed, not saved" if draft.is_changed else ""
        title = Content.assemble((what, "bold"), (changed, "bold $text-warning"))
        self.query_one("#rule-title", TextPane).show([title])
        parts = []
        for step in Step:
            words = f" {step + 1} {self._step_words(step)} "
            parts.append(Content.styled(words, "reverse bold") if step is self._step else Content(words))
        self.query_one("#rule-steps", TextPane).show([Content(" ").join(parts)])
        self.query_one("#rule-hint", TextPane).show([Content(line) for line in HINTS[self._step]])
        self.query_one("#rule-keys", TextPane).show([Content(f" {KEYS[self._step]}")])
        self.query_one(LineList).set_lines(
            step_lines(self._step, draft, self._by_kind, self._templates, self._refusal, self._desk.glyphs)
        )

    def _step_words(self, step: Step) -> str:
        draft = self._draft
        counts = {
            Step.TRIGGERS: str(len(draft.triggers)),
            Step.ACTIONS: str(len(draft.actions)),
            Step.SCHEDULE: str(draft.mode) or "?",
            Step.NAME: "" if draft.name else "?",
        }
        return f"{STEP_TITLES[step]} {counts[step]}".rstrip()

    def _refusal(self, kind: str) -> str:
        cameras = len(self._desk.mirror.cameras)
        return refusal(kind, self._draft, self._by_kind, self._settings, cameras)

    def _say(self, words: str) -> None:
        self.query_one("#error", Label).update(words)

    def _changed(self, words: str = "") -> None:
        self._say(words)
        self._draw()

    # -- steps -------------------------------------------------------------------------------------------

    def action_step(self, steps: int) -> None:
        wanted = self._step + steps
        if 0 <= wanted <= Step.NAME:
            self.action_go(wanted)
        elif steps > 0:
            self._say("that was the last step: f10 saves")

    def action_go(self, number: int) -> None:
        """AS-04: the schedule's step is not left forwards without a choice."""
        wanted = Step(number)
        if self._step is Step.SCHEDULE and wanted > self._step and self._draft.mode is ScheduleMode.UNCHOSEN:
            self._say("choose when the rule works first")
            return
        self._step = wanted
        self._say("")
        rows = self.query_one(LineList)
        rows.cursor = 0
        self._draw()
        rows.cursor = 0
        if wanted is Step.NAME and not self._draft.name:
            self._work(self._ask_name)

    def _work(self, work: Callable[[], Awaitable[object]]) -> None:
        start(self, work, "ask")

    @property
    def _at(self) -> int:
        """Of the line in hand."""
        return self.query_one(LineList).cursor

    # -- keys --------------------------------------------------------------------------------------------

    def action_add(self) -> None:
        match self._step:
            case Step.TRIGGERS:
                self._work(self._ask_trigger)
            case Step.ACTIONS:
                self._work(self._another_action)
            case Step.SCHEDULE:
                self._work(self._new_template)
            case Step.NAME:
                self._work(self._ask_name)

    @on(LineList.Selected)
    def action_change(self) -> None:
        match self._step:
            case Step.TRIGGERS if self._draft.triggers:
                self._work(lambda: self._ask_trigger(self._at))
            case Step.TRIGGERS:
                self._work(self._ask_trigger)
            case Step.ACTIONS:
                self._work(self._change_action)
            case Step.SCHEDULE:
                self._choose_schedule(is_edit=True)
            case Step.NAME:
                self._work(self._ask_name)

    def action_switch(self) -> None:
        match self._step:
            case Step.ACTIONS:
                self._work(self._toggle_action)
            case Step.SCHEDULE:
                self._choose_schedule(is_edit=False)
            case _:
                self.action_change()

    def action_drop(self) -> None:
        if self._step is Step.TRIGGERS and self._draft.triggers:
            self._draft.drop_trigger(self._at)
            self._changed()
        elif self._step is Step.ACTIONS and (at := self._row[1]) is not None:
            self._draft.drop_action(at)
            self._changed()

    def action_mail(self) -> None:
        if self._step is Step.ACTIONS:
            self._work(self._ask_mail)

    async def _ask_mail(self) -> None:
        from tui.screens.alarm_settings import MailForm

        await self.app.push_screen_wait(MailForm(self._desk, self._settings))
        try:
            self._settings = await self._desk.client.alarm_settings()
        except WatchdeckError as error:
            self._say(str(error))
        self._draw()

    # -- triggers ----------------------------------------------------------------------------------------

    async def _ask_trigger(self, at: int | None = None) -> None:
        if not self._is_loaded:
            self._say("the engine has not said yet what there is")
            return
        dialogs = TriggerDialogs(self.app, self._desk, self._kinds, self._abilities)
        trigger = await dialogs.ask(self._draft.triggers[at] if at is not None else None)
        if trigger is not None:
            self._draft.put_trigger(trigger, at)
            self._changed()
            if at is None:
                self.query_one(LineList).cursor = len(self._draft.triggers) - 1

    # -- actions -----------------------------------------------------------------------------------------

    @property
    def _row(self) -> tuple[str, int | None]:
        """Kind of the line in hand, and which action of the draft it is."""
        rows = action_rows(self._draft)
        return rows[min(self._at, len(rows) - 1)]

    async def _toggle_action(self) -> None:
        kind, at = self._row
        if at is not None:
            self._draft.drop_action(at)
            self._changed()
        else:
            await self._ask_action(kind)

    async def _change_action(self) -> None:
        kind, at = self._row
        await self._ask_action(kind, at)

    async def _another_action(self) -> None:
        await self._ask_action(self._row[0])

    async def _ask_action(self, kind: str, at: int | None = None) -> None:
        if (reason := self._refusal(kind)) and at is None:
            self._say(reason)
            return
        if kind in ("preset", "output"):
            self._say("asking the cameras ...")
            await self._abilities.ask_io(camera.name for camera in self._desk.mirror.cameras)
            self._say("")
        dialogs = ActionDialogs(self.app, self._desk, self._draft, self._by_kind, self._abilities)
        action = await dialogs.ask(kind, self._draft.actions[at] if at is not None else None)
        if action is not None:
            self._draft.put_action(action, at)
            self._changed()

    # -- schedule ----------------------------------------------------------------------------------------

    def _choose_schedule(self, *, is_edit: bool) -> None:
        draft, at = self._draft, self._at
        if at == 0:
            draft.mode = ScheduleMode.ALWAYS
            self._changed()
        elif at == 1:
            if is_edit or draft.schedule is None:
                self._work(self._paint)
            else:
                draft.mode = ScheduleMode.OWN
                self._changed()
        elif at - 2 < len(self._templates):
            draft.mode = ScheduleMode.TEMPLATE
            draft.schedule_name = self._templates[at - 2].name
            self._changed()

    async def _paint(self) -> None:
        dialog = ScheduleDialog(self._desk, "When the rule works", self._draft.schedule)
        schedule = await self.app.push_screen_wait(dialog)
        if schedule is not None:
            self._draft.schedule = schedule
            self._draft.mode = ScheduleMode.OWN
            self._changed()

    async def _new_template(self) -> None:
        from tui.screens.schedules import ask_template

        try:
            made = await ask_template(self.app, self._desk, self._templates)
            self._templates = await self._desk.client.schedules()
        except WatchdeckError as error:
            self._say(str(error))
            return
        if made is not None:
            self._draft.mode = ScheduleMode.TEMPLATE
            self._draft.schedule_name = made.name
        self._changed()

    # -- name --------------------------------------------------------------------------------------------

    async def _ask_name(self) -> None:
        from tui.alarm_wording import from_one_line, to_one_line

        draft = self._draft
        fields = [
            Field("name", "Name", draft.name, hint="for example Yard at night", is_required=True),
            Field(
                "severity",
                "Severity",
                draft.severity,
                kind="choice",
                choices=("info", "warning", "critical"),
            ),
            Field("again", "Again after, s", str(draft.retrigger_s), check=_retrigger),
            Field("on", "Switched on", "yes" if draft.is_enabled else "no", kind="switch"),
            Field(
                "instructions",
                "Instructions",
                to_one_line(draft.instructions),
                hint="what to do; \\n begins a line",
            ),
        ]
        text = "Events within so many seconds of the last one join its alarm; 0 = each raises one."
        values = await self.app.push_screen_wait(
            FormDialog("Name and instructions", fields, submit="Keep", text=text)
        )
        if values is None:
            return
        draft.name = values["name"].strip()
        draft.severity = values["severity"]
        draft.retrigger_s = int(values["again"] or 0)
        draft.is_enabled = values["on"] == "yes"
        draft.instructions = from_one_line(values["instructions"])
        self._changed()

    # -- the end -----------------------------------------------------------------------------------------

    def action_save(self) -> None:
        start(self, self._save, "save")

    async def _save(self) -> None:
        draft, client = self._draft, self._desk.client
        if (missing := draft.complaint()) is not None:
            step, words = missing
            if step is not self._step:
                self._step = step
                self._draw()
                self.query_one(LineList).cursor = 0
            self._say(words)
            return
        self._say("saving ...")
        try:
            if draft.original is None:
                saved = await client.add_alarm_rule(draft.added())
            elif (changes := draft.edited()) is not None:
                saved = await client.edit_alarm_rule(str(draft.original.id), changes)
            else:
                saved = draft.original
        except WatchdeckError as error:
            self._say(str(error))
            return
        self.dismiss(saved)

    def action_leave(self) -> None:
        if self._draft.is_changed:
            start(self, self._ask_to_leave, "leave")
        else:
            self.dismiss(None)

    async def _ask_to_leave(self) -> None:
        question = ConfirmDialog(
            "Leave without saving?",
            "What was changed in this rule is lost.",
            confirm="Leave",
            cancel="Go on editing",
        )
        if await self.app.push_screen_wait(question):
            self.dismiss(None)


def _retrigger(text: str) -> str:
    text = text.strip()
    return "" if text.isdecimal() and int(text) <= 86_400 else "seconds: 0 to 86400"
