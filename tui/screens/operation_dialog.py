"""One operation from its plan to its result: what happens, what is lost, the commands, a refusal, the confirmation.

    done = await app.push_screen_wait(OperationDialog(desk, operation))     OperationDone | None

The engine plans and judges; this shows its words and carries the answer back. Nothing dangerous is one key away: where
something is lost a word must be typed, and a plan that is no longer true is made anew and shown again.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from engine.client import WatchdeckError
from engine.wire_chassis import ChassisOperation, OperationDone, OperationPlan, OperationRun
from tui.desk import Desk
from tui.screens.help import hanging
from tui.screens.plan_text import command_lines, makes_lines, plan_lines
from tui.work import start
from widgets.dialog_frame import DialogFrame
from widgets.glyphs import glyphs_of

READ_KEYS = "up/down read   d commands"


class OperationDialog(ModalScreen[OperationDone | None]):
    """None = nothing was done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "cancel", show=False),
        Binding("y", "confirm", "yes", show=False),
        Binding("n", "leave", "no", show=False),
        Binding("d", "commands", "commands", show=False),
        Binding("enter", "on", "go on", show=False),
        Binding("down,j", "scroll('down')", show=False),
        Binding("up,k", "scroll('up')", show=False),
        Binding("pagedown,space", "scroll('page_down')", show=False),
        Binding("pageup", "scroll('page_up')", show=False),
    ]
    """
    | Key | Does |
    | :- | :- |
    | y | do it, where nothing is lost |
    | tab | to the field in which the word is typed, where something is lost |
    | d | the commands that would run |
    | escape, n | nothing happens |
    """

    DEFAULT_CSS = """
    OperationDialog { align: center middle; background: $background; }
    OperationDialog DialogFrame { width: 78; max-height: 100%; }
    OperationDialog VerticalScroll { height: auto; max-height: 16; scrollbar-size-vertical: 1; }
    OperationDialog.-tall VerticalScroll { max-height: 30; }
    OperationDialog.-low VerticalScroll { max-height: 6; }
    OperationDialog #plan { width: 1fr; height: auto; }
    OperationDialog #word-row { height: auto; display: none; }
    OperationDialog Input, OperationDialog #ask { display: none; }
    OperationDialog.-typed Input, OperationDialog.-typed #ask { display: block; }
    """

    def __init__(self, desk: Desk, operation: ChassisOperation, makes: tuple[str, ...] = ()) -> None:
        """
        Args:
            makes: what comes of it, in a few lines, where that was chosen step by step.
        """
        super().__init__()
        self._makes = makes
        self._desk = desk
        self._operation = operation
        self._plan: OperationPlan | None = None
        self._has_commands = False
        self._is_running = False

    def compose(self) -> ComposeResult:
        with DialogFrame("What would happen", "esc closes"):
            with VerticalScroll(can_focus=True):
                yield Static("asking the engine ...", id="plan", markup=False)
            yield Label("", id="ask", markup=False)
            yield Input(id="word", compact=True)
            yield Label("", id="error", classes="dialog--error", markup=False)

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        start(self, self._make_plan, "operation")

    # -- the plan ----------------------------------------------------------------------------------------

    async def _make_plan(self) -> None:
        try:
            self._plan = await self._desk.client.plan_operation(self._operation)
        except WatchdeckError as error:
            self._show_words([Content.styled(str(error), "bold $text-error")], "esc closes")
            return
        self._draw()

    def _draw(self) -> None:
        plan = self._plan
        if plan is None:
            return
        lines = plan_lines(plan, self._desk.zone)
        if self._makes and not plan.refused:
            lines = [*makes_lines(self._makes), *lines]
        if self._has_commands:
            lines += command_lines(plan)
        frame = self.query_one(DialogFrame)
        frame.border_title = plan.title.replace("[", "\\[")
        is_typed = bool(plan.confirmation) and not plan.refused
        frame.set_class(is_typed or bool(plan.refused), "-destructive")
        self.set_class(is_typed, "-typed")
        if plan.refused:
            keys = "esc, enter close   d commands"
        elif is_typed:
            self.query_one("#ask", Label).update(f'tab, then type "{plan.confirmation}" to do it:')
            keys = f"{READ_KEYS}   tab type   enter do it   esc cancel"
        else:
            keys = f"{READ_KEYS}   y do it   n/esc cancel"
        self._show_words(lines, keys)

    def _show_words(self, lines: list[Content], keys: str) -> None:
        width = self.query_one(VerticalScroll).scrollable_content_region.width
        rows = [row for line in lines for row in hanging(line, width, _indent(line))]
        self.query_one("#plan", Static).update(Content("\n").join(rows))
        frame = self.query_one(DialogFrame)
        if frame.query("#keys"):
            frame.say_keys(keys)

    def _say(self, text: str) -> None:
        self.query_one("#error", Label).update(text)

    # -- answers -----------------------------------------------------------------------------------------

    def action_scroll(self, where: str) -> None:
        getattr(self.query_one(VerticalScroll), f"scroll_{where}")(animate=False)

    def action_commands(self) -> None:
        self._has_commands = not self._has_commands
        self._draw()

    def action_leave(self) -> None:
        if not self._is_running:
            self.dismiss(None)

    def action_on(self) -> None:
        """Enter: closes what was refused, goes to the field where a word is wanted, and never confirms."""
        if self._plan is None or self._plan.refused:
            self.action_leave()
        elif self._plan.confirmation:
            self.query_one(Input).focus()
        else:
            self._say("y does it, n or esc cancels")

    def action_confirm(self) -> None:
        plan = self._plan
        if plan is None or plan.refused:
            return
        if plan.confirmation:
            self._say(f'something is lost: tab, then type "{plan.confirmation}"')
        else:
            self._run("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Only the exact word does it."""
        event.stop()
        plan = self._plan
        if plan is None or plan.refused or not event.value:
            return
        if event.value.strip() == plan.confirmation:
            self._run(event.value.strip())
        else:
            self._say(f'That is not "{plan.confirmation}". Nothing was done.')

    def _run(self, word: str) -> None:
        if not self._is_running:
            self._is_running = True
            self._say(f"at it {glyphs_of(self).ellipsis}")
            start(self, lambda: self._carry_out(word), "operation")

    async def _carry_out(self, word: str) -> None:
        plan = self._plan
        if plan is None:
            return
        run = OperationRun(operation=plan.operation, fingerprint=plan.fingerprint, confirmation=word)
        try:
            done = await self._desk.client.run_operation(run)
        except WatchdeckError as error:
            self._is_running = False
            self.query_one(Input).value = ""
            if error.code == "state_changed":
                await self._make_plan()
                self._say("the drives changed meanwhile: this is the plan of now, read it again")
            else:
                self._say(f"not done: {error}")
        else:
            self.dismiss(done)


def _indent(line: Content) -> int:
    """Where a long line goes on: a little to the right of where it began."""
    text = line.plain
    return len(text) - len(text.lstrip()) + 2 if text.startswith(" ") else 0
