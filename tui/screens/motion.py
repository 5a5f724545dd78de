"""Motion search in a region of the picture."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from tui.commands import Scope, bindings_of
from tui.screens.view import View


class MotionView(View):
    SCOPE = Scope.MOTION
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(Scope.MOTION)]
    can_focus = True

    def arrive(self) -> None:
        self.focus()
