"""Evidence: exports made by the engine, and cases."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from tui.commands import Scope, bindings_of
from tui.screens.view import View


class EvidenceView(View):
    SCOPE = Scope.EVIDENCE
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(Scope.EVIDENCE)]
    can_focus = True

    def arrive(self) -> None:
        self.focus()
