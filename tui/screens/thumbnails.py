"""Thumbnail search: a stretch of time as pictures."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from tui.commands import Scope, bindings_of
from tui.screens.view import View


class ThumbnailsView(View):
    SCOPE = Scope.THUMBNAILS
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(Scope.THUMBNAILS)]
    can_focus = True

    def arrive(self) -> None:
        self.focus()
