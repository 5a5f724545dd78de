"""Help of the view in front, generated from the command registry, and the log of what this console did."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.commands import Command, Scope, commands_for
from tui.desk import Desk
from tui.screens.frame import key_name
from widgets import format

HELP_INDENT = 19
LOG_INDENT = 10
"""Cells in front of the words: lines that are too long go on below the words."""

LIST_KEYS = (
    ("j, k, up, down", "move in a list"),
    ("pageup, pagedown, ctrl+u, ctrl+d", "a page"),
    ("home, end, G", "first, last row"),
)


class PageScreen(ModalScreen[None]):
    """A page of text to read and leave; keys scroll."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,enter,at", "leave", "Close"),
        Binding("j,down", "scroll('down')", show=False),
        Binding("k,up", "scroll('up')", show=False),
        Binding("pagedown,space,ctrl+d", "scroll('page_down')", show=False),
        Binding("pageup,ctrl+u", "scroll('page_up')", show=False),
        Binding("home,g", "scroll('home')", show=False),
        Binding("end,G", "scroll('end')", show=False),
    ]

    def __init__(self, title: str, lines: list[Content], indent: int = 0) -> None:
        """
        Args:
            indent: cells that the second and further rows of a long line stay clear of on the left.
        """
        super().__init__()
        self._title = title
        self._page_lines = lines
        self._indent = indent

    def compose(self) -> ComposeResult:
        with Vertical(classes="page"):
            yield Static(Content.styled(f" {self._title}", "bold reverse"), classes="page-title")
            with VerticalScroll(can_focus=True):
                yield Static(id="page-text")
            yield Static(Content.styled(" esc closes, j and k scroll", "dim"), classes="page-foot")

    def show_lines(self, lines: list[Content]) -> None:
        """Other words on the same page."""
        if lines != self._page_lines:
            self._page_lines = lines
            self._draw()

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        width = self.query_one(VerticalScroll).scrollable_content_region.width
        rows = [row for line in self._page_lines for row in hanging(line, width, self._indent)]
        self.query_one("#page-text", Static).update(Content("\n").join(rows))

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_scroll(self, where: str) -> None:
        scroll = self.query_one(VerticalScroll)
        getattr(scroll, f"scroll_{where}")(animate=False)


def hanging(line: Content, width: int, indent: int) -> list[Content]:
    """A line as rows of at most `width` cells; those after the first begin below its words."""
    if line.cell_length <= width or width <= indent:
        return [line]
    first, *others = line[indent:].wrap(width - indent)
    return [line[:indent] + first, *(row.pad_left(indent) for row in others)]


class HelpScreen(PageScreen):
    """Keys and `:` commands, those of the view in front first."""

    def __init__(self, scope: Scope, keys: dict[str, str]) -> None:
        super().__init__(f"Keys: {scope.words}", help_lines(scope, keys), HELP_INDENT)


class LogScreen(PageScreen):
    """What was done in this session, newest first."""

    def __init__(self, desk: Desk) -> None:
        lines = [
            Content.assemble(
                (format.local_clock(line.time_us or None, desk.zone).rjust(8), "dim"),
                "  ",
                (("! " if line.is_error else "") + line.text, "$text-error" if line.is_error else ""),
            )
            for line in reversed(desk.log)
        ]
        super().__init__("Command log", lines or [Content("nothing yet")], LOG_INDENT)


def help_lines(scope: Scope, keys: dict[str, str]) -> list[Content]:
    """One line a command: keys, what it does, what to type after `:`."""
    commands = commands_for(scope)
    lines: list[Content] = []
    for title, chosen in (
        ("This screen", [command for command in commands if command.scope is scope]),
        ("Everywhere", [command for command in commands if command.scope is Scope.EVERYWHERE]),
    ):
        lines.append(Content.styled(title, "bold $text-accent"))
        lines += [_command_line(command, keys) for command in chosen]
        lines.append(Content(""))
    lines.append(Content.styled("Lists", "bold $text-accent"))
    lines += [Content.assemble((f"  {names:<16}", "bold"), f" {words}") for names, words in LIST_KEYS]
    return lines


def _command_line(command: Command, keys: dict[str, str]) -> Content:
    chosen = keys.get(command.id, command.keys)
    names = ", ".join(key_name(key) for key in chosen.split(",")) if chosen else "-"
    takes = f" {command.takes.rstrip('?').upper()}" if command.takes else ""
    return Content.assemble(
        (f"  {names:<16}", "bold"), f" {command.help}  ", (f":{command.words}{takes}", "dim")
    )
