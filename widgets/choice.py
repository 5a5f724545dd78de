"""One of a few words on one line: `< tcp >`. Left and right, space or the first letter choose; no pop-up.

Choice(choices, value="", *, name, id, classes)     .value (reactive str)     message: Choice.Changed(control, value)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class Choice(Widget, can_focus=True):
    """A value out of `choices`; never anything else."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "previous", show=False),
        Binding("right,space", "move(1)", "next", show=False),
        Binding("enter", "app.focus_next", "next field", show=False),
    ]
    """
    | Key | Does |
    | :- | :- |
    | left, right/space | previous, next value |
    | a letter | the next value that starts with it |
    | enter | next field |
    """

    DEFAULT_CSS = """
    Choice { height: 1; background: $panel; color: $foreground; }
    Choice:focus { background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style; }
    """

    value = reactive("")
    """The word chosen."""

    class Changed(Message):
        """Another word."""

        def __init__(self, control: Choice, value: str) -> None:
            super().__init__()
            self._choice = control
            self.value = value

        @property
        def control(self) -> Choice:
            """The choice."""
            return self._choice

    def __init__(
        self,
        choices: Sequence[str],
        value: str = "",
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.choices = tuple(choices)
        self.set_reactive(
            Choice.value, value if value in self.choices else self.choices[0] if self.choices else ""
        )

    def validate_value(self, value: str) -> str:
        """Only what is offered."""
        return value if value in self.choices else self.value

    def watch_value(self, old: str, new: str) -> None:
        """Tell."""
        if old != new and self.is_attached:
            self.post_message(self.Changed(self, new))

    def action_move(self, steps: int) -> None:
        """Around the list."""
        if self.choices:
            self.value = self.choices[(self.choices.index(self.value) + steps) % len(self.choices)]

    def on_key(self, event: events.Key) -> None:
        """Letters choose."""
        character = event.character
        if character is None or not character.isalnum():
            return
        here = self.choices.index(self.value) + 1 if self.value in self.choices else 0
        around = self.choices[here:] + self.choices[:here]
        found = next((each for each in around if each.casefold().startswith(character.casefold())), None)
        if found is not None:
            event.stop()
            self.value = found

    def on_click(self) -> None:
        """Next value."""
        self.action_move(1)

    def render(self) -> Content:
        """The word between arrows."""
        return Content(f"< {self.value} >")
