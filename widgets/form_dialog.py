"""A form in a dialog: labelled fields, messages beside what is wrong, keyboard only. See widgets/dialog.py.

The form checks what it can (required fields, each field's `check`, then `check` over all) and stays open with the
focus on the first bad field. Values are strings; a switch is "yes" or "no". It knows nothing of what they mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Static

from widgets.choice import Choice
from widgets.dialog_frame import DialogFrame


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a form."""

    key: str
    label: str
    value: str = ""
    kind: Literal["text", "password", "choice", "switch"] = "text"
    choices: tuple[str, ...] = ()
    """Of a choice; a switch has yes and no."""
    hint: str = ""
    """Shown in the empty field: an example."""
    is_required: bool = False
    check: Callable[[str], str] | None = None
    """Says what is wrong with a value; empty = nothing."""


class FormDialog(ModalScreen[dict[str, str] | None]):
    """Fields, a line for what is wrong, two buttons. The values, or None when cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", show=False),
        Binding("down", "app.focus_next", "next field", show=False),
        Binding("up", "app.focus_previous", "field before", show=False),
        Binding("ctrl+enter,f10", "submit", "save", show=False),
    ]
    """
    | Key | Does |
    | :- | :- |
    | down/tab, up/shift+tab | next field, field before |
    | enter | next field; on the last one and on the button: save |
    | f10 | save from anywhere |
    | escape | cancel |
    """

    DEFAULT_CSS = """
    FormDialog {
        align: center middle;
        background: $background;
        VerticalScroll { height: auto; max-height: 16; scrollbar-size-vertical: 1; }
        /* Textual looks again at the labels of a row only when the row has a rule for focus itself. */
        .form--row, .form--row:focus-within { height: 1; }
        .form--row Label { width: 18; color: $text-muted; }
        .form--row:focus-within Label { color: $foreground; text-style: bold; }
        .form--row.-wrong Label { color: $text-error; }
        .form--row Input, .form--row Choice { width: 1fr; }
    }
    """

    class Submitted(Message):
        """Posted instead of closing when the form was made with `is_closing=False`."""

        def __init__(self, control: FormDialog, values: dict[str, str]) -> None:
            super().__init__()
            self._form = control
            self.values = values

        @property
        def control(self) -> FormDialog:
            """The form."""
            return self._form

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        *,
        submit: str = "Save",
        text: str = "",
        check: Callable[[Mapping[str, str]], tuple[str, str] | None] | None = None,
        is_closing: bool = True,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """
        Args:
            check: over all values, when each alone is right: (key of the field, what is wrong) or None.
            is_closing: False = stay open, post `Submitted`, and wait for `show_error` or `dismiss`.
        """
        super().__init__(name=name, id=id, classes=classes)
        self._heading = title
        self._fields = tuple(fields)
        self._submit = submit
        self._text = text
        self._check = check
        self._is_closing = is_closing

    def compose(self) -> ComposeResult:
        """Title, fields, message, buttons, keys."""
        keys = f"enter next   f10 {self._submit.lower()}   esc cancel   * needed"
        with DialogFrame(self._heading, keys):
            if self._text:
                yield Static(self._text, classes="dialog--text", markup=False)
            with VerticalScroll(can_focus=False):
                for field in self._fields:
                    with Horizontal(classes="form--row", id=f"row-{field.key}"):
                        star = " *" if field.is_required else ""
                        yield Label(field.label + star, markup=False)
                        yield _editor(field)
            yield Label("", id="error", classes="dialog--error", markup=False)
            with Horizontal(classes="dialog--buttons"):
                yield Button(self._submit, id="submit", compact=True)
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        """The first field has the focus."""
        if self._fields:
            self._editor(self._fields[0].key).focus()

    @property
    def values(self) -> dict[str, str]:
        """What stands in the fields now."""
        return {field.key: self._value(field.key) for field in self._fields}

    def show_error(self, key: str, message: str) -> None:
        """Say what is wrong, and put the focus on the field (an empty key = the form as a whole)."""
        for field in self._fields:
            self.query_one(f"#row-{field.key}").set_class(field.key == key, "-wrong")
        self.query_one("#error", Label).update(message)
        if any(field.key == key for field in self._fields):
            self._editor(key).focus()

    def _editor(self, key: str) -> Widget:
        return self.query_one(f"#field-{key}")

    def _value(self, key: str) -> str:
        editor = self._editor(key)
        if isinstance(editor, Choice):
            return editor.value
        return editor.value if isinstance(editor, Input) else ""

    def action_submit(self) -> None:
        """Check all, then close with the values."""
        values = self.values
        for field in self._fields:
            value = values[field.key]
            if field.is_required and not value.strip():
                self.show_error(field.key, f"{field.label} is needed")
                return
            if field.check is not None and (message := field.check(value)):
                self.show_error(field.key, message)
                return
        if self._check is not None and (problem := self._check(values)) is not None:
            self.show_error(*problem)
            return
        self.show_error("", "")
        if self._is_closing:
            self.dismiss(values)
        else:
            self.post_message(self.Submitted(self, values))

    def action_cancel(self) -> None:
        """Close without values."""
        self.dismiss(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on; from the last field it saves."""
        event.stop()
        if event.input.id == f"field-{self._fields[-1].key}":
            self.action_submit()
        else:
            self.focus_next()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Save or cancel."""
        if event.button.id == "submit":
            self.action_submit()
        else:
            self.action_cancel()


def _editor(field: Field) -> Widget:
    editor_id = f"field-{field.key}"
    if field.kind == "choice":
        return Choice(field.choices, field.value, id=editor_id)
    if field.kind == "switch":
        return Choice(("yes", "no"), field.value or "no", id=editor_id)
    is_secret = field.kind == "password"
    return Input(field.value, placeholder=field.hint, password=is_secret, id=editor_id, compact=True)
