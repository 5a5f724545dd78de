"""What this screen does: motion search in a region of the picture."""

from __future__ import annotations

from tui.command import Command

MOTION: tuple[Command, ...] = ()
