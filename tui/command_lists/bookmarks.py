"""What this screen does: bookmarks, as a list or as pictures."""

from __future__ import annotations

from tui.command import Command

BOOKMARKS: tuple[Command, ...] = ()
