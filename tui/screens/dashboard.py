"""Dashboard: what records, what does not and why; the machine, the volumes, the newest events."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from engine import wire
from engine.client import WatchdeckError
from engine.wire_alarms import AlarmQuery, AlarmView
from tui.commands import Scope, bindings_of
from tui.desk import Desk
from tui.mirror import Change
from tui.screens.dashboard_alarms import NEWEST
from tui.screens.dashboard_text import dashboard_lines
from tui.screens.paper import Paper
from tui.screens.text_pane import TextPane
from tui.screens.view import View
from tui.work import start


class DashboardPane(TextPane, can_focus=True):
    """All of the dashboard; only lines that changed are painted."""


class DashboardView(View):
    """Number key 1."""

    SCOPE = Scope.DASHBOARD
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(Scope.DASHBOARD)]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._alarms: tuple[AlarmView, ...] = ()
        self._revision = -1
        """Of the alarms that are shown."""

    def compose(self) -> ComposeResult:
        yield DashboardPane()

    def arrive(self) -> None:
        self.query_one(DashboardPane).focus()

    def refresh_from(self, change: Change) -> None:
        pane = self.query_one(DashboardPane)
        desk = self.desk
        paper = Paper(pane.size.width, pane.size.height, desk.glyphs, desk.zone)
        if paper.columns and paper.rows:
            pane.show(dashboard_lines(desk.mirror, paper, self._alarms))
        if desk.mirror.is_connected and desk.mirror.alarm_counts.revision != self._revision:
            self._revision = desk.mirror.alarm_counts.revision
            start(self, self._fetch_alarms, "alarms")

    async def _fetch_alarms(self) -> None:
        """The newest few: counts come by themselves, alarms do not."""
        try:
            page = await self.desk.client.alarms(AlarmQuery(limit=NEWEST))
        except WatchdeckError:
            self._revision = -1  # with the next tick again
            return
        if page.alarms != self._alarms:
            self._alarms = page.alarms
            self.refresh_from(Change.NOTHING)

    def on_resize(self) -> None:
        self.call_after_refresh(self.refresh_from, Change.EVERYTHING)

    def action_open(self) -> None:
        """The first camera that does not record, in Cameras."""
        fine = (wire.CameraState.RECORDING, wire.CameraState.WAITING, wire.CameraState.OFF)
        trouble = [camera.name for camera in self.desk.mirror.cameras if camera.state not in fine]
        self.post_message(self.Wanted(Scope.CAMERAS, camera=trouble[0] if trouble else ""))
