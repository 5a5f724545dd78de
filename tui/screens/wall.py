"""Live: cameras in layouts, views and tours."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from tui.commands import Scope, bindings_of
from tui.screens.view import View


class LiveWall(View):
    SCOPE = Scope.WALL
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(Scope.WALL)]
    can_focus = True

    def arrive(self) -> None:
        self.focus()
