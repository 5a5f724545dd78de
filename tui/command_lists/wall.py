"""What this screen does: live: cameras in layouts, views and tours."""

from __future__ import annotations

from tui.command import Command

WALL: tuple[Command, ...] = ()
