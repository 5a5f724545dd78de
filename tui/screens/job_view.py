"""A job of the engine on the whole screen: it is the engine's, so a console that comes back opens it where it stands.

Leaving the view leaves the job alone. A digit answers; cancelling asks once more. An alarm (the wrong drive was pulled)
is a red block above everything and rings until it is over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.client import InvalidInput, WatchdeckError
from engine.wire_chassis import JobAct, JobKind, JobView
from tui.bay_wording import action_words
from tui.desk import Desk
from tui.mirror import Change
from tui.screens.job_text import OVER, answer_lines, job_lines
from tui.screens.paper import Paper
from tui.screens.text_pane import TextPane
from tui.work import start
from widgets.dialog import ConfirmDialog, Field, FormDialog

RING_S = 5.0
"""Between two bells of an alarm."""


class JobScreen(ModalScreen[None]):
    """Follows `mirror.chassis.jobs`; holds no state of the job."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "leave it running", show=False),
        *(Binding(str(digit), f"answer({digit})", f"answer {digit}", show=False) for digit in range(1, 10)),
    ]
    """
    | Key | Does |
    | :- | :- |
    | 1-9 | the answer of that number |
    | escape, q | leave the view; the job goes on |
    """

    DEFAULT_CSS = """
    JobScreen { background: $background; }
    JobScreen > Vertical { padding: 0 1; height: 1fr; }
    JobScreen .job-title, JobScreen .job-foot { height: 1; background: $panel; }
    """

    def __init__(self, desk: Desk, job_id: str) -> None:
        super().__init__()
        self._desk = desk
        self._job_id = job_id
        self._alarm = ""
        self._words = ""
        self._was_seen = False
        self._stop_listening: Callable[[], None] = lambda: None

    @property
    def job(self) -> JobView | None:
        """As the engine told it last."""
        chassis = self._desk.mirror.chassis
        jobs = chassis.jobs if chassis is not None else ()
        return next((job for job in jobs if job.id == self._job_id), None)

    def compose(self) -> ComposeResult:
        yield Static(Content.styled(" Job", "bold"), classes="job-title")
        with Vertical():
            yield TextPane(id="job-text")
        yield TextPane(classes="job-foot")

    def on_mount(self) -> None:
        self._stop_listening = self._desk.mirror.listen(self._mirror_changed)
        self.set_interval(RING_S, self._ring)
        self.call_after_refresh(self._draw)

    def on_unmount(self) -> None:
        self._stop_listening()

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._draw)

    def _mirror_changed(self, change: Change) -> None:
        if change & (Change.CHASSIS | Change.LINK):
            self.call_later(self._draw)

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        pane = self.query_one("#job-text", TextPane)
        job, mirror = self.job, self._desk.mirror
        foot = " esc leaves the view, the job goes on"
        if job is None:
            gone = "the engine does not know this job any more"
            pane.show([Content(gone if self._was_seen else "waiting for the engine's word ...")])
        else:
            self._was_seen = True
            paper = Paper(pane.size.width, pane.size.height, self._desk.glyphs, self._desk.zone)
            lines = job_lines(job, paper)
            answers = answer_lines(job) if job.state not in OVER else []
            if answers:
                # The answers stay in sight, however long the words above are.
                lines = lines[: max(0, paper.rows - len(answers) - 1)] + [Content(""), *answers]
            if not mirror.is_live:
                lines = [Content.styled(line.plain, "dim") for line in lines]
            pane.show(lines)
            if job.state in OVER:
                foot = " esc closes"
            if job.alarm != self._alarm:
                self._alarm = job.alarm
                self._ring()
        if not mirror.is_live:
            foot = " no engine: what is shown is old; the job goes on in the engine"
        words = self._words if mirror.is_live else ""
        self.query_one(".job-foot", TextPane).show([Content(words or foot)])

    def _ring(self) -> None:
        if self._alarm and self._desk.mirror.is_live:
            self.app.bell()

    # -- answers -----------------------------------------------------------------------------------------

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_answer(self, number: int) -> None:
        job = self.job
        if job is None or job.state in OVER or number > len(job.actions):
            return
        if self._desk.is_read_only:
            self._say("read-only mode: nothing is changed (:readonly leaves it)")
            return
        start(self, lambda: self._answer(job, job.actions[number - 1]), "answer")

    async def _answer(self, job: JobView, action: str) -> None:
        if action == "go_on":
            text = "The drive that was pulled by mistake stays out. Its virtual drive goes on without it, or not at all."
            question = ConfirmDialog("Leave the wrong drive out?", text, confirm="Leave out", cancel="Back")
            if not await self.app.push_screen_wait(question):
                return
        elif action == "cancel":
            text = "What was done so far stays as it is."
            if job.kind is JobKind.REPLACE:
                text += " A drive that is out of service stays out until one takes its place."
            question = ConfirmDialog(f"Cancel: {job.title}", text, confirm="Cancel job", cancel="Go on")
            if not await self.app.push_screen_wait(question):
                return
        try:
            await self._act(job, action)
        except WatchdeckError as error:
            self._say(f"{action_words(action)}: {error}")
        else:
            self._say("")

    async def _act(self, job: JobView, action: str) -> None:
        """Some answers need a word besides: the engine says which, and why."""
        client, value = self._desk.client, ""
        while True:
            try:
                await client.act_on_job(job.id, JobAct(action=action, value=value))
            except InvalidInput as error:
                field = Field("value", "Serial number", is_required=True)
                text = f"{error.what}: {error.remedy}." if error.remedy else f"{error.what}."
                values = await self.app.push_screen_wait(
                    FormDialog(action_words(action), [field], submit="Answer", text=text)
                )
                if values is None:
                    return
                value = values["value"].strip()
            else:
                return

    def _say(self, text: str) -> None:
        self._words = f" ! {text}" if text else ""
        self._draw()
