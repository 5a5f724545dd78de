"""Playback: one camera or several along one timeline."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from tui.commands import Scope, bindings_of
from tui.screens.view import View


class PlaybackView(View):
    SCOPE = Scope.PLAYBACK
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(Scope.PLAYBACK)]
    can_focus = True

    def arrive(self) -> None:
        self.focus()
