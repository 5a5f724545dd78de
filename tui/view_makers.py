"""Which view belongs to which scope. Each is imported when it is first shown: the console paints before it knows them all."""

from __future__ import annotations

from collections.abc import Callable

from tui.commands import Scope
from tui.desk import Desk
from tui.screens.dashboard import DashboardView
from tui.screens.view import View


def _make_cameras(desk: Desk) -> View:
    from tui.screens.cameras import CamerasView

    return CamerasView(desk)


def _make_recordings(desk: Desk) -> View:
    from tui.screens.recordings import RecordingsView

    return RecordingsView(desk)


def _make_events(desk: Desk) -> View:
    from tui.screens.events import EventsView

    return EventsView(desk)


def _make_bays(desk: Desk) -> View:
    from tui.screens.bays import BaysView

    return BaysView(desk)


def _make_alarms(desk: Desk) -> View:
    from tui.screens.alarms import AlarmsView

    return AlarmsView(desk)


def _make_rules(desk: Desk) -> View:
    from tui.screens.alarm_rules import AlarmRulesView

    return AlarmRulesView(desk)


def _make_schedules(desk: Desk) -> View:
    from tui.screens.schedules import SchedulesView

    return SchedulesView(desk)


def _make_log(desk: Desk) -> View:
    from tui.screens.log import LogView

    return LogView(desk)


def _make_alarm_tab(desk: Desk) -> View:
    from tui.screens.alarm_tab import AlarmTabView

    return AlarmTabView(desk)


def _make_wall(desk: Desk) -> View:
    from tui.screens.wall import LiveWall

    return LiveWall(desk)


def _make_playback(desk: Desk) -> View:
    from tui.screens.playback import PlaybackView

    return PlaybackView(desk)


def _make_thumbnails(desk: Desk) -> View:
    from tui.screens.thumbnails import ThumbnailsView

    return ThumbnailsView(desk)


def _make_motion(desk: Desk) -> View:
    from tui.screens.motion import MotionView

    return MotionView(desk)


def _make_bookmarks(desk: Desk) -> View:
    from tui.screens.bookmarks import BookmarksView

    return BookmarksView(desk)


def _make_evidence(desk: Desk) -> View:
    from tui.screens.evidence import EvidenceView

    return EvidenceView(desk)


MAKERS: dict[Scope, Callable[[Desk], View]] = {
    Scope.DASHBOARD: DashboardView,
    Scope.CAMERAS: _make_cameras,
    Scope.RECORDINGS: _make_recordings,
    Scope.EVENTS: _make_events,
    Scope.BAYS: _make_bays,
    Scope.ALARMS: _make_alarms,
    Scope.RULES: _make_rules,
    Scope.SCHEDULES: _make_schedules,
    Scope.LOG: _make_log,
    Scope.ALARM_TAB: _make_alarm_tab,
    Scope.WALL: _make_wall,
    Scope.PLAYBACK: _make_playback,
    Scope.THUMBNAILS: _make_thumbnails,
    Scope.MOTION: _make_motion,
    Scope.BOOKMARKS: _make_bookmarks,
    Scope.EVIDENCE: _make_evidence,
}
