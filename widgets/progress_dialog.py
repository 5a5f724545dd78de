"""A job under way, with a bar, numbers and a way to stop it. See widgets/dialog.py.

Whoever runs the job calls `advance` and `finish`; the dialog runs nothing itself.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from widgets.dialog_frame import DialogFrame
from widgets.meters import Meter


class ProgressDialog(ModalScreen[bool]):
    """Closes with True when the job was finished and read, with False when it was cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "cancel", show=False),
        Binding("enter", "read", "close", show=False),
    ]
    """
    | Key | Does |
    | :- | :- |
    | escape | cancel the job; close when it is finished |
    | enter | close when it is finished |
    """

    DEFAULT_CSS = "ProgressDialog { align: center middle; background: $background; }"

    class Cancelled(Message):
        """The job is to stop."""

        def __init__(self, control: ProgressDialog) -> None:
            super().__init__()
            self._dialog = control

        @property
        def control(self) -> ProgressDialog:
            """The dialog."""
            return self._dialog

    def __init__(
        self,
        title: str,
        *,
        can_cancel: bool = True,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._heading = title
        self._can_cancel = can_cancel
        self.is_finished = False

    def compose(self) -> ComposeResult:
        """Title, bar, words, keys."""
        with DialogFrame(self._heading, "esc cancel" if self._can_cancel else ""):
            yield Meter("", id="progress")
            yield Static("", id="words", classes="dialog--text", markup=False)

    def advance(self, done: float, total: float, text: str = "") -> None:
        """`done` of `total`, and what to say about it ("120 MB of 400 MB, 12 s left")."""
        if self.is_mounted and not self.is_finished:
            share = done / total if total > 0 else 0.0
            self.query_one(Meter).show(share, f"{share * 100:.0f} %")
            if text:
                self.query_one("#words", Static).update(text)

    def finish(self, text: str, *, is_failed: bool = False) -> None:
        """The job ended; the dialog stays until it was read."""
        self.is_finished = True
        if self.is_mounted:
            if not is_failed:
                self.query_one(Meter).show(1.0, "done")
            self.query_one("#words", Static).update(text)
            self.query_one("#words").set_class(is_failed, "dialog--error")
            self.query_one(DialogFrame).say_keys("enter close")

    def action_close(self) -> None:
        """Cancel, or close a finished job."""
        if self.is_finished:
            self.dismiss(True)
        elif self._can_cancel:
            self.post_message(self.Cancelled(self))
            self.dismiss(False)

    def action_read(self) -> None:
        """Close a finished job."""
        if self.is_finished:
            self.dismiss(True)
