"""What this screen does: evidence: exports made by the engine, and cases."""

from __future__ import annotations

from tui.command import Command

EVIDENCE: tuple[Command, ...] = ()
