"""Dashboard: what records, what does not and why; the machine, the volumes, the newest events."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from engine import wire
from tui.commands import Scope, bindings_of
from tui.mirror import Change
from tui.screens.dashboard_text import dashboard_lines
from tui.screens.paper import Paper
from tui.screens.text_pane import TextPane
from tui.screens.view import View


class DashboardPane(TextPane, can_focus=True):
    """All of the dashboard; only lines that changed are painted."""


class DashboardView(View):
    """Number key 1."""

    SCOPE = Scope.DASHBOARD
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(Scope.DASHBOARD)]

    def compose(self) -> ComposeResult:
        yield DashboardPane()

    def arrive(self) -> None:
        self.query_one(DashboardPane).focus()

    def refresh_from(self, change: Change) -> None:
        pane = self.query_one(DashboardPane)
        desk = self.desk
        paper = Paper(pane.size.width, pane.size.height, desk.glyphs, desk.zone)
        if paper.columns and paper.rows:
            pane.show(dashboard_lines(desk.mirror, paper))

    def on_resize(self) -> None:
        self.call_after_refresh(self.refresh_from, Change.EVERYTHING)

    def action_open(self) -> None:
        """The first camera that does not record, in Cameras."""
        fine = (wire.CameraState.RECORDING, wire.CameraState.OFF)
        trouble = [camera.name for camera in self.desk.mirror.cameras if camera.state not in fine]
        self.post_message(self.Wanted(Scope.CAMERAS, camera=trouble[0] if trouble else ""))
