"""What all views of the console share: the mirror, the line to the engine, the terminal, and what the operator did.

No widgets here; the app makes one and hands it to each view.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path

from tui.connection import Client, Connection
from tui.mirror import Mirror
from tui.motion_hits import MotionHits
from tui.notify import Notifier
from tui.profile import Blinking, TerminalProfile
from tui.region_file import Regions
from widgets.glyphs import Glyphs
from widgets.overlay import Overlay

UNDO_KEPT = 20
LOG_KEPT = 200


@dataclass(frozen=True, slots=True)
class Undo:
    """The way back from one step."""

    words: str
    """`lock of driveway 14:00-14:10`."""
    step: Callable[[], Awaitable[bool]]
    """False when it failed, after saying so."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One thing the console did or was told, for the command log."""

    time_us: int
    text: str
    is_error: bool = False


@dataclass(slots=True)
class Desk:
    """Shared state of one console; event-loop thread only."""

    mirror: Mirror
    connection: Connection
    profile: TerminalProfile
    glyphs: Glyphs
    zone: tzinfo
    folder: Path
    """Where exports and snapshots go: `~/watchdeck-exports`."""
    is_read_only: bool = False
    blinking: Blinking = "full"
    """Of the lamps of the drive bays; the profile says how it starts."""
    notifier: Notifier = field(default_factory=Notifier)
    """Which alarms are told here."""
    overlay: Overlay = field(default_factory=Overlay)
    """Words beside the pictures of the wall, on this console."""
    wall_file: Path | None = None
    """Where that is kept; None = for this session only."""
    last_wall: str = ""
    """Terminal that the engine keeps the wall under, as it is left (VT-07); empty = it is not kept."""
    motion_hits: MotionHits | None = None
    """Of the last motion search taken over to the timeline (SS-17)."""
    regions: Regions = field(default_factory=dict)
    """Of motion searches, by camera's UUID."""
    region_file: Path | None = None
    """Where they are kept; None = for this session only."""
    undo: deque[Undo] = field(default_factory=lambda: deque(maxlen=UNDO_KEPT))
    """Newest last; the oldest are forgotten."""
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=LOG_KEPT))
    """Newest last; the oldest are forgotten."""

    @property
    def client(self) -> Client:
        return self.connection.client
