"""Dialogs: ask, ask by typing, fill in a form, watch a job. All by keyboard, with the keys printed.

    ConfirmDialog(title, text, *, confirm="Delete", cancel="Cancel", is_destructive=True)      -> bool
    TypedDialog(title, text, *, word, confirm="Erase")           the word must be typed          -> bool
    FormDialog(title, fields, *, submit="Save", check=None, text="")                             -> dict[str, str] | None
        Field(key, label, value="", kind="text"|"password"|"choice"|"switch", choices=(), hint="", is_required=False, check=None)
        Field.check(text) -> message | "" ;  check(values) -> (key, message) | None: over all fields, before it closes
        .show_error(key, message): an answer from elsewhere while the form is open (with is_closing=False)
    ProgressDialog(title, *, can_cancel=True)    .advance(done, total, text)  .finish(text)       -> True done | False cancelled

All are ModalScreens: `app.push_screen(dialog, callback)` or `await app.push_screen_wait(dialog)`. Nothing dangerous is
ever the default: escape and enter-at-once cancel, the safe button comes first and has the focus, and the key that
opened a dialog does not confirm it.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static

from widgets.dialog_frame import DialogFrame
from widgets.form_dialog import Field, FormDialog
from widgets.progress_dialog import ProgressDialog


class ConfirmDialog(ModalScreen[bool]):
    """A question with two answers; the safe one has the focus. True = confirmed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "answer(False)", "cancel", show=False),
        Binding("left,right,h,l", "other", "other button", show=False),
        Binding("y", "answer(True)", "yes", show=False),
        Binding("n", "answer(False)", "no", show=False),
    ]
    """
    | Key | Does |
    | :- | :- |
    | escape, n | cancel |
    | y | confirm |
    | left/h, right/l, tab | the other button |
    | enter | press the button with the focus |
    """

    DEFAULT_CSS = "ConfirmDialog { align: center middle; background: $background; }"

    def __init__(
        self,
        title: str,
        text: str,
        *,
        confirm: str = "Delete",
        cancel: str = "Cancel",
        is_destructive: bool = True,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """
        Args:
            title: what is asked ("Remove camera yard?").
            text: the consequence, in full.
            confirm: the verb that happens.
        """
        super().__init__(name=name, id=id, classes=classes)
        self._question = title
        self._consequence = text
        self._confirm = confirm
        self._cancel = cancel
        self._is_destructive = is_destructive

    def compose(self) -> ComposeResult:
        """Title, consequence, buttons, keys."""
        keys = f"y {self._confirm.lower()}   n/esc {self._cancel.lower()}   tab other   enter press"
        with DialogFrame(self._question, keys, is_destructive=self._is_destructive):
            yield Static(self._consequence, classes="dialog--text", markup=False)
            with Horizontal(classes="dialog--buttons"):
                yield Button(self._cancel, id="cancel", compact=True)
                yield Button(self._confirm, id="confirm", compact=True)

    def on_mount(self) -> None:
        """The safe answer has the focus."""
        self.query_one("#cancel", Button).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(event.button.id == "confirm")

    def action_answer(self, answer: bool) -> None:
        """Answer by key."""
        self.dismiss(answer)

    def action_other(self) -> None:
        """Focus the other button."""
        self.focus_next()


class TypedDialog(ModalScreen[bool]):
    """For what cannot be undone: a word must be typed. True = typed and confirmed."""

    DEFAULT_CSS = "TypedDialog { align: center middle; background: $background; }"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel", show=False)]
    """
    | Key | Does |
    | :- | :- |
    | escape | cancel |
    | enter | confirm, once the word is right |
    """

    def __init__(
        self,
        title: str,
        text: str,
        *,
        word: str,
        confirm: str = "Erase",
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """
        Args:
            word: what must be typed, exactly: the name of the thing.
        """
        super().__init__(name=name, id=id, classes=classes)
        self._question = title
        self._consequence = text
        self._word = word
        self._confirm = confirm

    def compose(self) -> ComposeResult:
        """Title, consequence, the word, keys."""
        with DialogFrame(self._question, f"enter {self._confirm.lower()}   esc cancel", is_destructive=True):
            yield Static(self._consequence, classes="dialog--text", markup=False)
            yield Label(f'Type "{self._word}" to go on:', markup=False)
            yield Input(id="word", compact=True)
            yield Label("", id="error", classes="dialog--error", markup=False)

    def on_mount(self) -> None:
        """Type at once."""
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Only the exact word confirms."""
        if event.value == self._word:
            self.dismiss(True)
        elif event.value:
            self.query_one("#error", Label).update(f'That is not "{self._word}". Nothing was done.')

    def action_cancel(self) -> None:
        """Nothing happens."""
        self.dismiss(False)


__all__ = ["ConfirmDialog", "Field", "FormDialog", "ProgressDialog", "TypedDialog"]
