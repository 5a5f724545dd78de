"""What this screen does: thumbnail search: a stretch of time as pictures."""

from __future__ import annotations

from tui.command import Command

THUMBNAILS: tuple[Command, ...] = ()
