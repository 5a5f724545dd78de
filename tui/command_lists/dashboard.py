"""What the dashboard does."""

from __future__ import annotations

from tui.command import Command, Scope

_D = Scope.DASHBOARD

DASHBOARD: tuple[Command, ...] = (
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
)
