"""Bookmarks, as a list or as pictures."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from tui.commands import Scope, bindings_of
from tui.screens.view import View


class BookmarksView(View):
    SCOPE = Scope.BOOKMARKS
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(Scope.BOOKMARKS)]
    can_focus = True

    def arrive(self) -> None:
        self.focus()
