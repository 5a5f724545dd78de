"""What this screen does: playback: one camera or several along one timeline."""

from __future__ import annotations

from tui.command import Command

PLAYBACK: tuple[Command, ...] = ()
