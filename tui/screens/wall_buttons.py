"""The button bar of the wall: a row of the virtual triggers, pressed by digits and letters (VR-03)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.content import Content

from tui.commands import BY_ID
from tui.screens.mode_keys import Labels
from tui.screens.text_pane import TextPane
from widgets import format

if TYPE_CHECKING:
    from tui.screens.wall import LiveWall

KEYS = "123456789abcdefhijklmnoprstuvwxyz"
"""Without g, which puts the bar away, and q."""


class ButtonBar(TextPane):
    """One row; while it is there, its keys press buttons. Arrows still go to the wall."""

    DEFAULT_CSS = """
    ButtonBar { height: 1; background: $panel; display: none; }
    """
    can_focus = True

    def __init__(self, wall: LiveWall) -> None:
        super().__init__()
        self._wall = wall
        self._buttons: dict[str, str] = {}
        """Name by key."""

    async def toggle(self) -> None:
        """Show it with what there is to press now, or put it away."""
        wall = self._wall
        if self.display:
            self.hide()
            wall.focus()
            return
        found = await wall.ask(wall.desk.client.virtual_triggers(), "buttons")
        if not found:
            if found is not None:
                wall.say("no rule has a button: a rule with a virtual trigger makes one (:rules)")
            return
        self._buttons = {key: button.name for key, button in zip(KEYS, found, strict=False)}
        self.display = True
        self.draw(len(found) - len(self._buttons))
        self.focus()
        wall.tell_keys()

    def hide(self) -> None:
        self.display = False
        self._wall.tell_keys()

    def draw(self, left_out: int) -> None:
        parts: list[tuple[str, str]] = [(" ", "")]
        for key, name in self._buttons.items():
            parts += [(f" {key} ", "bold reverse"), (f" {format.harmless(name)}   ", "")]
        if left_out:
            parts.append((f"{left_out} more: !", "dim"))
        self.show([Content.assemble(*parts)])

    def labels(self, labels: Labels) -> Labels:
        """Of these keys those that are still the wall's while the bar is there."""
        own = (each for each in labels if BY_ID[each[0]].keys.split(",")[0] not in self._buttons)
        return (("wall.buttons", "Bar off"), *own)

    def on_key(self, event: events.Key) -> None:
        """Press a button; all other keys are the wall's."""
        if (name := self._buttons.get(event.character or "")) is not None:
            event.stop()
            event.prevent_default()
            if self._wall.may_change():
                self._wall.keep(lambda: self._press(name))

    async def _press(self, name: str) -> None:
        if await self._wall.carry(self._wall.desk.client.fire_trigger(name), name):
            self._wall.say(f"pressed: {name}")
