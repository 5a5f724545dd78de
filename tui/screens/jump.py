"""Jumping to a time that is typed: for views with a timeline."""

from __future__ import annotations

from tui.screens.view import View
from tui.when import HINT, parse_when
from widgets.dialog import Field, FormDialog


class JumpView(View):
    """Base of views that go to a time."""

    @property
    def shown_us(self) -> int:
        """The time looked at: a bare clock time is on its day."""
        raise NotImplementedError

    def go_to(self, time_us: int) -> None:
        """Look at this time."""
        raise NotImplementedError

    def action_jump(self, text: str = "") -> None:
        if text:
            self._jump(text)
            return
        field = Field("when", "Time", is_required=True, check=self._when_complaint)
        form = FormDialog("Jump to time", [field], submit="Jump", text=f"For example {HINT}")
        self.app.push_screen(form, lambda values: self._jump(values["when"]) if values else None)

    def _when(self, text: str) -> int | None:
        return parse_when(text, self.desk.mirror.now_us, self.shown_us, self.desk.zone)

    def _when_complaint(self, text: str) -> str:
        return "" if self._when(text) is not None else f"not a time: {text!r}"

    def _jump(self, text: str) -> None:
        time_us = self._when(text)
        if time_us is None:
            self.say(f"not a time: {text!r} (try {HINT})", is_error=True)
        elif time_us > self.desk.mirror.now_us:
            self.say("that is in the future", is_error=True)
        else:
            self.go_to(time_us)
