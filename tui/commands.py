"""Everything the console can be told to do, once: keys, the `:` line, the palette and help all read this list.

A command names a Textual action and where it lives (the app or one view). No behaviour is here.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import Binding

from tui.command import Command, Scope
from tui.command_lists.alarm_rules import ALARM_RULES
from tui.command_lists.alarm_tab import ALARM_TAB
from tui.command_lists.alarms import ALARMS
from tui.command_lists.bays import BAYS
from tui.command_lists.bookmarks import BOOKMARKS
from tui.command_lists.cameras import CAMERAS
from tui.command_lists.dashboard import DASHBOARD
from tui.command_lists.events import EVENTS
from tui.command_lists.everywhere import EVERYWHERE
from tui.command_lists.evidence import EVIDENCE
from tui.command_lists.log import LOG
from tui.command_lists.motion import MOTION
from tui.command_lists.playback import PLAYBACK
from tui.command_lists.recordings import RECORDINGS
from tui.command_lists.thumbnails import THUMBNAILS
from tui.command_lists.wall import WALL

__all__ = [
    "BY_ID",
    "COMMANDS",
    "Command",
    "Scope",
    "bindings_of",
    "commands_for",
    "completions",
    "parse",
]

COMMANDS: tuple[Command, ...] = (
    *EVERYWHERE,
    *DASHBOARD,
    *CAMERAS,
    *RECORDINGS,
    *EVENTS,
    *BAYS,
    *ALARMS,
    *ALARM_RULES,
    *ALARM_TAB,
    *LOG,
    *WALL,
    *PLAYBACK,
    *THUMBNAILS,
    *MOTION,
    *BOOKMARKS,
    *EVIDENCE,
)

BY_ID: dict[str, Command] = {command.id: command for command in COMMANDS}


def bindings_of(scope: Scope) -> list[Binding]:
    """The keys of the app (`EVERYWHERE`) or of one view."""
    return [command.binding for command in COMMANDS if command.scope is scope and command.keys]


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
