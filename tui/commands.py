"""Everything the console can be told to do, once: keys, the `:` line, the palette and help all read this list.

A command names a Textual action and where it lives (the app or one view). No behaviour is here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from textual.binding import Binding


class Scope(StrEnum):
    """Where a command works; also the id of the view that carries its action."""

    EVERYWHERE = "everywhere"
    DASHBOARD = "dashboard"
    CAMERAS = "cameras"
    RECORDINGS = "recordings"
    EVENTS = "events"


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to do. `words` is what is typed after `:`; `takes` names its argument, `?` at the end = optional."""

    id: str
    words: str
    title: str
    help: str
    keys: str
    action: str
    scope: Scope = Scope.EVERYWHERE
    takes: str = ""
    footer: str = ""
    """Short label in the footer; empty = only in help and palette."""
    changes: bool = False
    """Changes the station: refused in read-only mode."""

    @property
    def is_optional(self) -> bool:
        return not self.takes or self.takes.endswith("?")

    @property
    def binding(self) -> Binding:
        return Binding(
            self.keys, self.action, self.title, show=bool(self.footer), id=self.id, tooltip=self.help
        )


def _view(number: int, scope: Scope, title: str) -> Command:
    return Command(
        f"view.{scope}",
        str(scope),
        title,
        f"Show the {scope} screen.",
        str(number),
        f"show('{scope}')",
        footer="",
    )


_C, _R, _E, _D = Scope.CAMERAS, Scope.RECORDINGS, Scope.EVENTS, Scope.DASHBOARD

COMMANDS: tuple[Command, ...] = (
    _view(1, Scope.DASHBOARD, "Dashboard"),
    _view(2, Scope.CAMERAS, "Cameras"),
    _view(3, Scope.RECORDINGS, "Recordings"),
    _view(4, Scope.EVENTS, "Events"),
    # everywhere
    Command(
        "app.filter",
        "filter",
        "Filter",
        "Narrow the list by words; esc clears.",
        "slash",
        "filter",
        takes="words?",
        footer="Filter",
    ),
    Command(
        "app.command",
        "command",
        "Command line",
        "Type a command; tab completes.",
        "colon",
        "command_line",
        footer="Cmd",
    ),
    Command(
        "app.help",
        "help",
        "Help",
        "Keys and commands of this screen.",
        "question_mark,f1",
        "help",
        footer="Help",
    ),
    Command(
        "app.quit",
        "quit",
        "Quit",
        "Leave the console; the engine goes on recording.",
        "q",
        "quit_console",
        footer="Quit",
    ),
    Command("app.palette", "palette", "Command palette", "Search all commands.", "ctrl+p", "command_palette"),
    Command(
        "app.back", "back", "Back", "Close, clear the filter, or go up one level.", "escape", "step_back"
    ),
    Command(
        "app.refresh", "refresh", "Refresh", "Ask the engine again for what is shown.", "R", "refresh_view"
    ),
    Command("app.repaint", "repaint", "Repaint", "Draw the whole screen again.", "ctrl+l", "repaint"),
    Command(
        "app.undo",
        "undo",
        "Undo",
        "Take back the last step that can be taken back (a lock, switching a camera).",
        "z",
        "undo",
    ),
    Command(
        "app.readonly",
        "readonly",
        "Read-only mode",
        "Refuse everything that changes the station.",
        "f9",
        "toggle_read_only",
    ),
    Command("app.theme", "theme", "Theme", "Change the colours: name a theme.", "f8", "theme", takes="name?"),
    Command(
        "app.log", "log", "Command log", "What was done in this session, newest first.", "at", "command_log"
    ),
    # dashboard
    Command(
        "dashboard.open",
        "open",
        "Open",
        "Go to the first camera that is not recording.",
        "enter",
        "open",
        _D,
        footer="Cameras",
    ),
    # cameras
    Command(
        "cameras.details",
        "camera",
        "Details",
        "Everything about the selected camera.",
        "enter",
        "details",
        _C,
        takes="camera?",
        footer="Details",
    ),
    Command(
        "cameras.add",
        "camera add",
        "Add camera",
        "Add a camera; it is tested before it is saved.",
        "a",
        "add",
        _C,
        footer="Add",
        changes=True,
    ),
    Command(
        "cameras.edit",
        "camera edit",
        "Edit camera",
        "Change the selected camera.",
        "e",
        "edit",
        _C,
        footer="Edit",
        changes=True,
    ),
    Command(
        "cameras.test",
        "camera test",
        "Test camera",
        "Connect and report codec, resolution, frames and bit rate.",
        "t",
        "test",
        _C,
        footer="Test",
    ),
    Command(
        "cameras.remove",
        "camera remove",
        "Remove camera",
        "Stop recording and forget the camera; recordings stay.",
        "d",
        "remove",
        _C,
        footer="Remove",
        changes=True,
    ),
    Command(
        "cameras.enable",
        "camera enable",
        "Enable or disable",
        "Switch the selected camera on or off.",
        "o",
        "toggle_enabled",
        _C,
        changes=True,
    ),
    Command(
        "cameras.snapshot",
        "snapshot",
        "Snapshot",
        "Save the newest picture as a JPEG file.",
        "s",
        "snapshot",
        _C,
        footer="Snapshot",
    ),
    Command(
        "cameras.preview",
        "preview",
        "Preview on/off",
        "Show or hide the live picture.",
        "v",
        "toggle_preview",
        _C,
    ),
    Command(
        "cameras.sort",
        "sort",
        "Sort",
        "Order by number, name, state, bit rate or age of the picture.",
        "S",
        "sort",
        _C,
        takes="column?",
    ),
    Command(
        "cameras.recordings",
        "camera recordings",
        "Its recordings",
        "Show the selected camera in Recordings.",
        "r",
        "recordings",
        _C,
    ),
    # recordings
    Command(
        "recordings.wider",
        "wider",
        "Longer span",
        "Show more time (up to 3 days).",
        "minus,underscore",
        "span(1)",
        _R,
    ),
    Command(
        "recordings.closer",
        "closer",
        "Shorter span",
        "Show less time (down to 1 minute).",
        "plus,equals_sign,enter",
        "span(-1)",
        _R,
        footer="Zoom",
    ),
    Command("recordings.later", "later", "Forward", "Move the playhead forward.", "right,l", "move(1)", _R),
    Command(
        "recordings.earlier", "earlier", "Back in time", "Move the playhead back.", "left,h", "move(-1)", _R
    ),
    Command(
        "recordings.page_later",
        "page later",
        "Page forward",
        "Move one whole span forward.",
        "shift+right,greater_than_sign",
        "page(1)",
        _R,
    ),
    Command(
        "recordings.page_earlier",
        "page earlier",
        "Page back",
        "Move one whole span back.",
        "shift+left,less_than_sign",
        "page(-1)",
        _R,
    ),
    Command(
        "recordings.jump",
        "jump",
        "Jump to time",
        "Go to a time: 14:30, -15m, 2026-03-01 14:30.",
        "J",
        "jump",
        _R,
        takes="time?",
        footer="Jump",
    ),
    Command(
        "recordings.next_gap",
        "gap next",
        "Next gap",
        "Go to the next gap of this camera.",
        "n",
        "gap(1)",
        _R,
        footer="Gap",
    ),
    Command(
        "recordings.previous_gap", "gap previous", "Previous gap", "Go to the gap before.", "N", "gap(-1)", _R
    ),
    Command(
        "recordings.oldest",
        "oldest",
        "Oldest",
        "Go to the oldest recording of this camera.",
        "home",
        "oldest",
        _R,
    ),
    Command(
        "recordings.newest",
        "newest",
        "Newest",
        "Go to the newest recording of this camera.",
        "end",
        "newest",
        _R,
    ),
    Command(
        "recordings.range_end",
        "range end",
        "Range ends here",
        "Set the end of the range.",
        "right_square_bracket",
        "mark('end')",
        _R,
        footer="End",
    ),
    Command(
        "recordings.export",
        "export",
        "Export range",
        "Save the range as an MP4 file.",
        "x",
        "export",
        _R,
        footer="Export",
    ),
    Command(
        "recordings.lock",
        "lock",
        "Lock range",
        "Keep the range from being recycled.",
        "L",
        "lock",
        _R,
        takes="reason?",
        footer="Lock",
        changes=True,
    ),
    Command("recordings.live", "live", "Go live", "Follow the present.", "g", "live", _R, footer="Live"),
    Command(
        "recordings.range_start",
        "range start",
        "Range starts here",
        "Set the start of the range.",
        "left_square_bracket",
        "mark('start')",
        _R,
        footer="Start",
    ),
    Command(
        "recordings.unlock",
        "unlock",
        "Unlock",
        "Remove the lock under the playhead.",
        "u",
        "unlock",
        _R,
        changes=True,
    ),
    Command(
        "recordings.snapshot",
        "snapshot here",
        "Snapshot",
        "Save the picture under the playhead as a JPEG file.",
        "s",
        "snapshot",
        _R,
    ),
    # events
    Command(
        "events.details",
        "event",
        "Details",
        "Show or hide the text in full.",
        "enter",
        "details",
        _E,
        footer="Details",
    ),
    Command(
        "events.severity",
        "severity",
        "Severity",
        "Show all, warnings and worse, or errors only.",
        "s",
        "severity",
        _E,
        takes="level?",
        footer="Severity",
    ),
    Command(
        "events.newest",
        "newest events",
        "Newest",
        "Go to the newest event.",
        "g,home",
        "newest",
        _E,
        footer="Newest",
    ),
    Command(
        "events.footage",
        "footage",
        "To the footage",
        "Show the recording of that camera at that time.",
        "t",
        "footage",
        _E,
        footer="Footage",
    ),
)

BY_ID: dict[str, Command] = {command.id: command for command in COMMANDS}


def bindings_of(scope: Scope) -> list[Binding]:
    """The keys of the app (`EVERYWHERE`) or of one view."""
    return [command.binding for command in COMMANDS if command.scope is scope]


def commands_for(scope: Scope) -> list[Command]:
    """What can be done with this view in front: its own commands first."""
    own = [command for command in COMMANDS if command.scope is scope and scope is not Scope.EVERYWHERE]
    return own + [command for command in COMMANDS if command.scope is Scope.EVERYWHERE]


def completions(text: str, scope: Scope) -> list[Command]:
    """Commands whose words begin with `text`, those of the view in front first."""
    wanted = " ".join(text.split()).casefold()
    ordered = commands_for(scope) + [c for c in COMMANDS if c.scope not in (scope, Scope.EVERYWHERE)]
    return [command for command in ordered if command.words.startswith(wanted)]


def parse(line: str, scope: Scope) -> tuple[Command, str] | None:
    """The command meant and its argument: the longest `words` that begins the line; a unique prefix is enough."""
    typed = " ".join(line.split())
    best = _longest(typed, commands_for(scope)) or _longest(typed, COMMANDS)
    if best is not None:
        return best, typed[len(best.words) :].strip()
    first, _, argument = typed.partition(" ")
    matching = completions(first, scope) if first else []
    if len({command.id for command in matching}) == 1 or (matching and not argument):
        return matching[0], argument
    return None


def _longest(typed: str, commands: Iterable[Command]) -> Command | None:
    folded = typed.casefold()
    fitting = [c for c in commands if folded == c.words or folded.startswith(c.words + " ")]
    return max(fitting, key=lambda command: len(command.words), default=None)
