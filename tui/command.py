"""One thing the console can be told to do: its words, keys, action and where it works.

The commands themselves are in tui/command_lists/, looking them up is tui/commands.py.
"""

from __future__ import annotations

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
    BAYS = "bays"
    ALARMS = "alarms"
    RULES = "rules"
    SCHEDULES = "schedules"
    LOG = "log"
    ALARM_TAB = "alarm_tab"
    WALL = "live"
    PLAYBACK = "playback"
    THUMBNAILS = "thumbnails"
    MOTION = "motion"
    BOOKMARKS = "bookmarks"
    EVIDENCE = "evidence"

    @property
    def words(self) -> str:
        """What people call it: `Alarm tab`."""
        return self.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to do. `words` is what is typed after `:`; `takes` names its argument, `?` at the end = optional."""

    id: str
    words: str
    title: str
    help: str
    keys: str
    """Empty = by `:` and palette only."""
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
