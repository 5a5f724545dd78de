"""The rows around every view: header with the views and the clock, banner when the engine is lost, footer with keys.

Fitted to 80 columns: what does not fit is left out whole, never cut in the middle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.suggester import Suggester
from textual.timer import Timer
from textual.widgets import Input, Static

from tui.commands import BY_ID, Command, Scope, commands_for, completions
from tui.desk import Desk
from tui.mirror import Link, Mirror
from tui.screens.alarms_text import short_count
from tui.screens.mode_keys import Labels
from tui.screens.text_pane import TextPane
from tui.trail import numbered
from widgets import format

TABS: tuple[tuple[str, Scope, str], ...] = (
    ("1", Scope.DASHBOARD, "Dashboard"),
    ("2", Scope.CAMERAS, "Cameras"),
    ("3", Scope.RECORDINGS, "Recordings"),
    ("4", Scope.EVENTS, "Events"),
    ("5", Scope.BAYS, "Bays"),
    ("6", Scope.ALARMS, "Alarms"),
    ("7", Scope.WALL, "Live"),
    ("8", Scope.PLAYBACK, "Playback"),
    ("9", Scope.EVIDENCE, "Evidence"),
)
FULL, SHORT, NONE = range(3)
SHORT_TITLES = {
    Scope.DASHBOARD: "Dash",
    Scope.CAMERAS: "Cams",
    Scope.RECORDINGS: "Rec",
    Scope.EVENTS: "Evt",
    Scope.BAYS: "Bay",
    Scope.ALARMS: "Alarm",
    Scope.PLAYBACK: "Play",
    Scope.EVIDENCE: "Evid",
}
"""Where the whole titles have no room."""
MESSAGE_S = 6.0
ERROR_S = 12.0
TOAST_S = 8.0
HINTS = 4
ABSENT_KEYS = (("d", "Demo"), ("R", "Try again"))

KEY_NAMES = {
    "question_mark": "?",
    "colon": ":",
    "slash": "/",
    "escape": "esc",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "plus": "+",
    "minus": "-",
    "underscore": "_",
    "equals_sign": "=",
    "greater_than_sign": ">",
    "less_than_sign": "<",
    "at": "@",
    "asterisk": "*",
    "exclamation_mark": "!",
    "space": "space",
    "full_stop": ".",
    "comma": ",",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
}


def key_name(key: str) -> str:
    """A key as it is printed on the keyboard: `?`, `ctrl+p`, `enter`."""
    *modifiers, last = key.split("+")
    return "+".join([*modifiers, KEY_NAMES.get(last, last)])


class HeaderLine(TextPane):
    """Views on the left, station, mode and freshness on the right."""

    DEFAULT_CSS = """
    HeaderLine { height: 1; background: $panel; color: $foreground; }
    """

    def draw(self, desk: Desk, front: Scope) -> None:
        front = numbered(front)
        width = self.size.width
        right = self._status(desk)
        left = self._tabs(front, desk.mirror, width - len(right) - 1)
        station = desk.mirror.station
        if width >= 100 and len(left) + len(right) + 12 <= width:
            left = Content.styled(" Watchdeck ", "bold") + left
        names = [station.name] if station else []
        for name in names:
            if len(left) + len(right) + len(name) + 2 < width:
                right = Content(f"{name}  ") + right
        room = width - len(left) - len(right)
        if room < 1:  # the name of the screen is worth more than the clock
            right = Content("")
            left, room = left[:width], max(0, width - len(left))
        self.show([left + Content(" " * room) + right])

    @classmethod
    def _tabs(cls, front: Scope, mirror: Mirror, room: int) -> Content:
        """Titles, short titles or numbers, as there is room; the view in front is named longest."""
        tabs = Content("")
        for others, own in (
            (FULL, FULL),
            (SHORT, FULL),
            (SHORT, SHORT),
            (NONE, FULL),
            (NONE, SHORT),
        ):
            tabs = Content("").join(cls._tab(tab, front, mirror, others, own) for tab in enumerate(TABS, 2))
            if len(tabs) <= room:
                break
        return tabs

    @staticmethod
    def _tab(
        tab: tuple[int, tuple[str, Scope, str]], front: Scope, mirror: Mirror, others: int, own: int
    ) -> Content:
        number, (key, scope, title) = tab
        if front is Scope.BAYS:
            key = f"F{number}"  # digits are bays there
        new = mirror.alarm_counts.new if scope is Scope.ALARMS else 0
        shown = (title, SHORT_TITLES.get(scope, title), "")[own if scope is front else others]
        style = "reverse bold" if scope is front else ""
        text = f" {key} {shown} ".replace("  ", " ")
        count = short_count(new) if new else ""
        if others != FULL and scope is not front:  # nine of them in 80 columns
            text = text.rstrip()
            count = f" {count}" if count and others == SHORT else f"({count})" if count else ""
        elif count:
            count += " "
        alert = "bold $text-error" if mirror.alarm_counts.critical else "bold $text-warning"
        return Content.assemble((text, style), (count, style or alert))

    @staticmethod
    def _status(desk: Desk) -> Content:
        mirror = desk.mirror
        marks = Content("")
        if mirror.station and mirror.station.is_demo:
            marks += Content.styled("DEMO ", "bold")
        if desk.is_read_only:
            marks += Content.styled("READ-ONLY ", "bold $text-warning")
        if minutes := desk.notifier.minutes_left(mirror.now_us):
            marks += Content.styled(f"quiet {minutes} min ", "bold $text-warning")
        if mirror.link is Link.LOST:
            return marks + Content.styled("LOST ", "bold $text-error")
        if mirror.link is not Link.LIVE:
            return marks + Content.styled("no engine ", "dim")
        if not mirror.is_live:
            return marks + Content.styled(f"data {mirror.age_s:.0f} s old ", "bold $text-warning")
        return marks + Content(format.local_clock(mirror.now_us, desk.zone) + " ")


class Banner(TextPane):
    """One row that is only there while the engine is lost, or a job rings its alarm."""

    DEFAULT_CSS = """
    Banner { height: 1; display: none; color: $text-error; text-style: bold reverse; }
    """

    def draw(self, desk: Desk) -> None:
        mirror = desk.mirror
        alarm = alarm_of(mirror)
        self.display = mirror.link is Link.LOST or bool(alarm)
        if alarm and mirror.link is not Link.LOST:
            how = " (F6, then o)"
            room = max(0, self.app.size.width - len(how) - 2)
            text = format.fit(alarm, room, desk.glyphs.ellipsis).rstrip()
            self.show([Content(f" {text}{how}")])
        elif self.display:
            since = format.local_clock(mirror.lost_at_us, desk.zone)
            text = f" engine lost since {since}, trying again; what is shown is from then"
            why = f" ({mirror.trouble})"
            self.show([Content(text + why if len(text + why) <= self.app.size.width else text)])


def alarm_of(mirror: Mirror) -> str:
    """What a job shouts: the wrong drive was pulled."""
    jobs = mirror.chassis.jobs if mirror.chassis is not None else ()
    return next((job.alarm for job in jobs if job.alarm), "")


class FooterLine(TextPane):
    """The keys of what has the focus, or for some seconds what was just done."""

    DEFAULT_CSS = """
    FooterLine { height: 1; background: $panel; color: $foreground; }
    """

    _timer: Timer | None = None
    _message: Content | None = None
    _toast_timer: Timer | None = None
    _toast: Content | None = None

    keys: Mapping[str, str] = {}
    """The user's own keys by command id."""
    _scope = Scope.DASHBOARD
    _labels: Labels | None = None
    """Of the mode that the view is in; None = of its commands."""
    _has_filter = False
    _is_absent = True

    def on_resize(self) -> None:
        self.draw()

    def show_keys_of(self, scope: Scope, *, has_filter: bool, labels: Labels | None = None) -> None:
        """Another view came to the front, or it is in another mode."""
        self._scope = scope
        self._labels = labels
        self._has_filter = has_filter
        self._is_absent = False
        self.draw()

    def tell(self, text: str, *, is_error: bool, seconds: float | None = None) -> None:
        """Show words instead of the keys for a while."""
        style = "bold $text-error" if is_error else "bold"
        self._message = Content.styled(f" {'! ' if is_error else ''}{text}", style)
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(seconds or (ERROR_S if is_error else MESSAGE_S), self.forget)
        self.draw()

    @property
    def has_toast(self) -> bool:
        """A new alarm is told, or will be when the message before it has gone."""
        return self._toast is not None

    def toast(self, words: Content) -> None:
        """Tell of a new alarm for a while, behind the answer to what the operator just did."""
        self._toast = words
        if self._toast_timer is not None:
            self._toast_timer.stop()
        self._toast_timer = self.set_timer(TOAST_S, self._forget_toast)
        self.draw()

    def _forget_toast(self) -> None:
        self._toast = None
        self.draw()

    def forget(self) -> None:
        """Back to the keys."""
        if self._message is not None:
            self._message = None
            self.draw()

    def draw(self) -> None:
        if self._message is not None:
            self.show([self._message])
            return
        if self._toast is not None:
            self.show([self._toast])
            return
        if self._is_absent:
            self.show([fitted_keys(ABSENT_KEYS, (("?", "Help"), ("q", "Quit")), self.size.width)])
            return
        shown = [command for command in commands_for(self._scope) if command.footer]
        own = self._pairs((command, command.footer) for command in shown if command.scope is self._scope)
        if self._labels is not None:
            own = self._pairs((BY_ID[id], label) for id, label in self._labels)
        common = [command for command in shown if command.scope is not self._scope]
        if not self._has_filter:
            common = [command for command in common if command.id != "app.filter"]
        last = self._pairs((command, command.footer) for command in common)
        self.show([fitted_keys(own, last, self.size.width)])

    def _pairs(self, labels: Iterable[tuple[Command, str]]) -> list[tuple[str, str]]:
        return [
            (key_name(self.keys.get(command.id, command.keys).split(",")[0]), label)
            for command, label in labels
        ]


def fitted_keys(own: Sequence[tuple[str, str]], common: Sequence[tuple[str, str]], width: int) -> Content:
    """`a Add  e Edit ...  ? Help  q Quit`: what does not fit is left out, the last common ones (help, quit) never."""
    first, last = list(own), list(common)

    def needed() -> int:
        return 1 + sum(len(key) + len(label) + 3 for key, label in (*first, *last))

    while needed() > width and (len(last) > 2 or first):
        if len(last) > 2:
            last.pop(0)
        else:
            first.pop()
    parts = [Content.assemble((key, "bold $text-accent"), f" {label}") for key, label in (*first, *last)]
    return Content(" ") + Content("  ").join(parts)


class CommandSuggester(Suggester):
    """Completes `:` commands, those of the view in front first."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self.scope = Scope.EVERYWHERE

    async def get_suggestion(self, value: str) -> str | None:
        found = completions(value, self.scope) if value else []
        return found[0].words if found else None


class PromptLine(Horizontal):
    """The `:` and `/` line: takes the footer's row while it is open."""

    DEFAULT_CSS = """
    PromptLine { height: 1; display: none; background: $panel; }
    PromptLine #prompt-sign { width: auto; text-style: bold; color: $text-accent; }
    PromptLine #prompt-hints { width: auto; max-width: 60%; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
    PromptLine Input { width: 1fr; height: 1; border: none; padding: 0; background: $panel; }
    PromptLine Input:focus { border: none; }
    """

    class Closed(Message):
        """Enter (`text`) or escape (`text` None) in the line."""

        def __init__(self, prompt: str, text: str | None) -> None:
            super().__init__()
            self.prompt = prompt
            self.text = text

    class Typed(Message):
        """The text changed."""

        def __init__(self, prompt: str, text: str) -> None:
            super().__init__()
            self.prompt = prompt
            self.text = text

    def compose(self) -> ComposeResult:
        self._suggester = CommandSuggester()
        yield Static(" :", id="prompt-sign")
        yield Input(suggester=None, select_on_focus=False)
        yield Static("", id="prompt-hints", markup=False)

    @property
    def prompt(self) -> str:
        return self._prompt

    _prompt = ":"
    _typed_words = ""
    """What was typed by hand: tab goes through what begins with it."""

    def open(self, prompt: str, scope: Scope, text: str = "") -> None:
        self._prompt = prompt
        self._suggester.scope = scope
        self._typed_words = text
        self.query_one("#prompt-sign", Static).update(f" {prompt}")
        box = self.query_one(Input)
        box.suggester = self._suggester if prompt == ":" else None
        with box.prevent(Input.Changed):
            box.value = text
        box.cursor_position = len(text)
        self.display = True
        self._hint(text)
        self.screen.set_focus(box)  # at once: the next key is text

    def _hint(self, text: str) -> None:
        """What tab would choose from; for a filter, how to use it."""
        words = "enter keeps, esc clears" if self._prompt == "/" else ""
        if self._prompt == ":":
            found = [command.words for command in completions(text, self._suggester.scope)][:HINTS]
            words = "tab: " + ", ".join(found) if found and found != [text] else ""
        self.query_one("#prompt-hints", Static).update(words)

    def close(self) -> None:
        self.display = False

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._typed_words = event.value
        self._hint(event.value)
        self.post_message(self.Typed(self._prompt, event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Closed(self._prompt, event.value))

    def key_escape(self) -> None:
        self.post_message(self.Closed(self._prompt, None))

    def key_tab(self, event: events.Key) -> None:
        """Complete; again: the next one that fits. Outside the `:` line tab does nothing here."""
        event.prevent_default()
        event.stop()
        if self._prompt != ":":
            return
        box = self.query_one(Input)
        found = [command.words for command in completions(self._typed_words, self._suggester.scope)]
        if found:
            here = found.index(box.value) + 1 if box.value in found else 0
            with box.prevent(Input.Changed):
                box.value = found[here % len(found)]
            box.cursor_position = len(box.value)
