"""A still, empty screen, for a monitor kept for other purposes (VT-08): any key leaves it."""

from __future__ import annotations

from textual import events
from textual.screen import Screen


class StillScreen(Screen[None]):
    """Nothing on it changes."""

    DEFAULT_CSS = "StillScreen { background: $background; }"

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        self.dismiss()

    def on_click(self) -> None:
        self.dismiss()
