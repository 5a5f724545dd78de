"""The side panel of an alarm: pictures from pre- to post-event, what to do, what was done by itself, who decided what.

A status chosen here is a draft until it is acknowledged (rule 2).
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from engine.wire_alarm_rules import ActionState
from engine.wire_alarms import AlarmDetail, AlarmStatus, AlarmStep
from tui.picture_feed import PictureBoard
from tui.picture_wish import Wish
from tui.screens.alarms_text import STATUSES, Moment, status_of, title_of
from tui.screens.view import View
from tui.wording import severity_wording
from widgets import format
from widgets.video_cell import VideoCell

PICTURES = 4
DRAFTS: tuple[AlarmStatus | None, ...] = (
    None,
    AlarmStatus.IN_PROGRESS,
    AlarmStatus.FALSE_ALARM,
    AlarmStatus.CLOSED,
)
RESULT_WORDS = {
    ActionState.WAITING: ("waiting", "dim"),
    ActionState.RUNNING: ("running", "$text-accent"),
    ActionState.DONE: ("done", "$text-success"),
    ActionState.FAILED: ("failed", "bold $text-error"),
    ActionState.SKIPPED: ("skipped", "dim"),
}


class AlarmPanel(Vertical):
    """Shows one alarm; the list keeps the keys."""

    DEFAULT_CSS = """
    AlarmPanel { display: none; height: 15; background: $surface; }
    AlarmPanel #alarm-strip { height: 6; layout: grid; grid-size: 4 1; grid-gutter: 0 1; }
    AlarmPanel #alarm-strip VideoCell { background: $surface; }
    AlarmPanel VerticalScroll { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    AlarmPanel.-no-pictures #alarm-strip { display: none; }
    """

    def __init__(self, view: View) -> None:
        super().__init__(id="alarm-panel")
        self._view = view
        self._board = PictureBoard(view, writes_notes=False, keeps_picture=False)
        self._detail: AlarmDetail | None = None

    def compose(self) -> ComposeResult:
        with Container(id="alarm-strip"):
            for number in range(PICTURES):
                yield VideoCell(id=f"alarm-picture-{number}")
        with VerticalScroll():
            yield Static(id="alarm-words", markup=False)

    @property
    def detail(self) -> AlarmDetail | None:
        """Of the alarm shown, once it has come."""
        return self._detail

    def show_nothing(self) -> None:
        """The list is empty."""
        self._detail = None
        self._board.stop()
        self.query_one("#alarm-words", Static).update("no alarm in hand")
        for cell in self.query(VideoCell):
            cell.caption = ""
            cell.clear("no alarm")

    def show(self, detail: AlarmDetail, draft: AlarmStatus | None, moment: Moment) -> None:
        """This alarm, with the status drafted for it."""
        is_other = self._detail is None or self._detail.alarm.id != detail.alarm.id
        self._detail = detail
        self.query_one("#alarm-words", Static).update(Content("\n").join(panel_lines(detail, draft, moment)))
        if is_other:
            self.query_one(VerticalScroll).scroll_home(animate=False)
        self._show_pictures(detail, moment)

    def _show_pictures(self, detail: AlarmDetail, moment: Moment) -> None:
        cells = [cell for cell in self.query(VideoCell) if cell.display]
        self.set_class(not detail.alarm.camera or self._view.desk.profile.graphics == "none", "-no-pictures")
        if not detail.alarm.camera or not cells:
            self._board.stop()
            return
        wanted = []
        for cell, (at_us, words) in zip(cells, strip_moments(detail, len(cells)), strict=False):
            cell.caption = words
            cell.note = format.local_clock(at_us, moment.zone)
            if at_us > moment.now_us:
                cell.clear("not yet")
            else:
                wanted.append((cell, Wish(detail.alarm.camera, at_us, is_rough=True)))
        self._board.show(wanted)

    def again(self) -> None:
        """The room changed, or the view came back."""
        if self._detail is not None and self.display:
            self._board.again()

    def stop(self) -> None:
        """Closed, or the view went to the back."""
        self._board.stop()


def strip_moments(detail: AlarmDetail, number: int) -> list[tuple[int, str]]:
    """So many times from pre- to post-event, one of them the event itself, with its distance in words."""
    alarm = detail.alarm
    start_us = detail.clip_start_us or alarm.first_us
    end_us = max(detail.clip_end_us or alarm.last_us, start_us)
    steps = max(number - 1, 1)
    times = [start_us + (end_us - start_us) * index // steps for index in range(number)]
    nearest = min(range(number), key=lambda index: abs(times[index] - alarm.first_us))
    times[nearest] = alarm.first_us
    return [
        (time_us, "event" if index == nearest else _distance(time_us - alarm.first_us))
        for index, time_us in enumerate(times)
    ]


def _distance(length_us: int) -> str:
    return f"{'-' if length_us < 0 else '+'}{format.duration(abs(length_us))}"


def panel_lines(detail: AlarmDetail, draft: AlarmStatus | None, moment: Moment) -> list[Content]:
    """Everything about it, the most wanted first."""
    alarm = detail.alarm
    wording = severity_wording(alarm.severity)
    lines = [
        Content.assemble(
            (wording.word, wording.style or "bold"),
            (f"  {title_of(alarm)}", "bold"),
            f"  {alarm.source or 'station'}  ",
            format.local_time_with_zone(alarm.last_us, moment.zone),
        ),
        _status_line(detail, draft, moment),
    ]
    if alarm.text:
        lines.append(Content(alarm.text))
    if alarm.count > 1:
        first = format.local_time(alarm.first_us, moment.zone)
        lines.append(Content.styled(f"{format.plural(alarm.count, 'event')} since {first}", "dim"))
    if alarm.comment:
        lines.append(Content.assemble(("Comment  ", "bold $text-accent"), alarm.comment))
    if detail.instructions:
        lines.append(Content.assemble(("What to do  ", "bold $text-accent"), detail.instructions))
    for result in detail.results:
        word, style = RESULT_WORDS[result.state]
        text = f": {result.text}" if result.text else ""
        tries = f" after {result.tries} tries" if result.tries > 1 else ""
        lines.append(Content.assemble("Action  ", (word, style), f"{tries}  {result.action}{text}"))
    lines += _history(detail.steps, moment)
    return lines


def _status_line(detail: AlarmDetail, draft: AlarmStatus | None, moment: Moment) -> Content:
    alarm = detail.alarm
    parts: list[Content | tuple[str, str]] = [("Status  ", ""), (status_of(alarm, moment.now_us), "bold")]
    if alarm.muted_until_us is not None and alarm.muted_until_us > moment.now_us:
        parts.append((f" until {format.local_time(alarm.muted_until_us, moment.zone)}", ""))
    if alarm.handler:
        parts.append((f" by {alarm.handler}", ""))
    if draft is None:
        parts.append(("  left/right choose another", "dim"))
    else:
        parts.append((f"  draft: {STATUSES[draft].word}", "bold $text-warning"))
        parts.append((" (a applies it)", ""))
    return Content.assemble(*parts)


def _history(steps: Sequence[AlarmStep], moment: Moment) -> list[Content]:
    lines = []
    for step in reversed(steps):
        when = format.recent_time(step.time_us, moment.now_us, moment.zone)
        if step.what == "status" or step.old_status is not step.new_status:
            words = f"{STATUSES[step.old_status].word} -> {STATUSES[step.new_status].word}"
        elif step.what == "mute":
            until = step.muted_until_us
            words = f"muted until {format.local_time(until, moment.zone)}" if until else "mute ended"
        else:
            words = step.what
        if step.what == "undo":
            words = f"undo: {words}" if words != "undo" else "undo"
        comment = f"  # {step.comment}" if step.comment else ""
        style = "dim strike" if step.is_undone else ""
        lines.append(
            Content.assemble(("History  ", "dim"), (f"{when}  {step.actor}  {words}{comment}", style))
        )
    return lines
