"""Where escape leads at the top of a screen: back to the one it was opened from, as it was left; never round in circles."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.fakes.engine import FakeEngine
from tests.tui.desk_for import app_for, shows, until
from tests.tui.wall_steps import open_wall, type_line, wall_of
from tui.app import WatchdeckApp
from tui.command import Scope
from tui.screens.alarms import AlarmsView
from tui.screens.bookmarks import BookmarksView
from tui.screens.cameras import CamerasView
from tui.screens.events import EventsView
from tui.screens.motion import MotionView
from tui.screens.playback import PlaybackView
from tui.screens.recordings import RecordingsView
from tui.screens.thumbnails import ThumbnailsView
from tui.trail import Trail, numbered
from widgets.line_list import LineList

SIZE = (80, 24)


# -- the rule --------------------------------------------------------------------------------------------


def test_each_screen_is_behind_once_and_a_name_begins_anew() -> None:
    trail = Trail()
    trail.lead(Scope.WALL, Scope.THUMBNAILS)
    trail.lead(Scope.THUMBNAILS, Scope.PLAYBACK)
    trail.lead(Scope.PLAYBACK, Scope.THUMBNAILS)  # to one that is behind
    assert trail.back(Scope.THUMBNAILS) is Scope.WALL
    assert trail.back(Scope.WALL) is None
    trail.lead(Scope.WALL, Scope.MOTION)
    trail.begin()
    assert trail.back(Scope.MOTION) is Scope.PLAYBACK
    assert trail.back(Scope.SCHEDULES) is Scope.RULES
    assert numbered(Scope.SCHEDULES) is Scope.ALARMS


def test_up_never_leads_to_a_screen_that_escape_has_just_left() -> None:
    trail = Trail()
    trail.begin()  # :log
    trail.lead(Scope.LOG, Scope.EVENTS)
    assert trail.back(Scope.EVENTS) is Scope.LOG
    assert trail.back(Scope.LOG) is None
    trail.begin()
    trail.lead(Scope.SCHEDULES, Scope.RULES)
    assert trail.back(Scope.RULES) is Scope.SCHEDULES
    assert trail.back(Scope.SCHEDULES) is Scope.ALARMS
    trail.begin()
    assert trail.back(Scope.LOG) is Scope.EVENTS


def test_whatever_leads_where_escape_comes_to_an_end() -> None:
    chance = random.Random(24)
    screens = [scope for scope in Scope if scope is not Scope.EVERYWHERE]
    for _ in range(300):
        trail, front = Trail(), Scope.DASHBOARD
        for _ in range(chance.randrange(40)):
            there = chance.choice(screens)
            if chance.random() < 0.2:
                trail.begin()
            else:
                trail.lead(front, there)
            front = there
        seen = [front]
        while (behind := trail.back(front)) is not None:
            assert behind not in seen
            front = behind
            seen.append(front)


# -- on the screen ---------------------------------------------------------------------------------------


async def at(pilot: Pilot[Any], app: WatchdeckApp, scope: Scope) -> None:
    """Shown, and with the keys."""
    await until(pilot, lambda: app.front is scope and app.view is not None and app.view.display)
    view = app.view
    assert view is not None
    await until(pilot, lambda: view.has_focus or view.has_focus_within)


async def test_from_the_wall_and_back_to_the_camera_in_hand(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot, "cameras 1-4 of 8")
        await pilot.press("right")
        in_hand = wall_of(app).in_hand
        assert in_hand is not None
        assert in_hand.name == "front-door"
        for key, scope in (("t", Scope.THUMBNAILS), ("k", Scope.MOTION), ("p", Scope.PLAYBACK)):
            await pilot.press(key)
            await at(pilot, app, scope)
            await pilot.press("escape")
            await at(pilot, app, Scope.WALL)
            assert wall_of(app).in_hand == in_hand
        await pilot.press("escape", "escape")
        assert app.front is Scope.WALL


async def test_from_an_alarm_through_two_screens_and_back_to_its_open_panel(tmp_path: Path) -> None:
    app = app_for(FakeEngine(alarms=9), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "6 Alarm")
        await pilot.press("6")
        await shows(pilot, "Alarms  9")
        await pilot.press("slash", *"driveway", "enter")
        await shows(pilot, "/driveway", "Alarms  1")
        await pilot.press("enter")
        await shows(pilot, "Status  ")
        alarms = app.base.query_one(AlarmsView)
        alarm = alarms.alarm
        assert alarm is not None
        await pilot.press("i")
        await at(pilot, app, Scope.THUMBNAILS)
        await until(pilot, lambda: len(app.base.query_one(ThumbnailsView).levels) == 1)
        await pilot.press("m")
        await until(pilot, lambda: len(app.base.query_one(ThumbnailsView).levels) == 2)
        await pilot.press("p")
        await at(pilot, app, Scope.PLAYBACK)
        await pilot.press("escape")
        await at(pilot, app, Scope.THUMBNAILS)
        assert len(app.base.query_one(ThumbnailsView).levels) == 2
        await pilot.press("escape")  # up first
        assert app.front is Scope.THUMBNAILS
        await pilot.press("escape")
        await at(pilot, app, Scope.ALARMS)
        assert alarms.has_class("-panel")
        assert alarms.alarm is not None
        assert (alarms.alarm.id, alarms.filter_text) == (alarm.id, "driveway")


async def test_from_recordings_cameras_and_events_and_back_to_the_row_in_hand(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await shows(pilot, "span 6 h")
        await pilot.press("down", "left")
        recordings = app.base.query_one(RecordingsView)
        in_hand = recordings.camera_name, recordings.timeline.playhead_us
        assert in_hand[0] == "front-door"
        await pilot.press("B")
        await at(pilot, app, Scope.BOOKMARKS)
        await shows(pilot, "camera front-door  (esc clears)", "no bookmark fits; esc takes")
        await pilot.press("escape")  # the filter first
        await until(pilot, lambda: app.base.query_one(BookmarksView).filter_text == "")
        await shows(pilot, "  no bookmarks")
        assert app.front is Scope.BOOKMARKS
        await pilot.press("escape")
        await at(pilot, app, Scope.RECORDINGS)
        assert (recordings.camera_name, recordings.timeline.playhead_us) == in_hand

        await pilot.press("2")
        await at(pilot, app, Scope.CAMERAS)
        await pilot.press("down", "down", "K")
        await at(pilot, app, Scope.MOTION)
        assert app.base.query_one(MotionView)._camera == "garden"
        await shows(pilot, "enter corner  r search  esc back")
        await pilot.press("escape")
        await at(pilot, app, Scope.CAMERAS)
        await shows(pilot, "► garden")
        assert app.base.query_one(CamerasView).display

        await pilot.press("4")
        await shows(pilot, "300, all severities")
        await pilot.press("j", "t")
        await at(pilot, app, Scope.RECORDINGS)
        await pilot.press("p")
        await at(pilot, app, Scope.PLAYBACK)
        await pilot.press("escape")
        await at(pilot, app, Scope.RECORDINGS)
        await pilot.press("escape")
        await at(pilot, app, Scope.EVENTS)
        assert app.base.query_one(EventsView).query_one(LineList).cursor == 1


async def test_playback_keeps_its_time_while_a_search_was_in_front(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("8")
        await shows(pilot, "PLAYBACK")
        await pilot.press("left", "left", "down")
        view = app.base.query_one(PlaybackView)
        in_hand = view.camera_name, view.clock.playhead_us
        for key, scope in (("t", Scope.THUMBNAILS), ("k", Scope.MOTION)):
            await pilot.press(key)
            await at(pilot, app, scope)
            await pilot.press("escape")
            await at(pilot, app, Scope.PLAYBACK)
            assert (view.camera_name, view.clock.playhead_us) == in_hand
        await pilot.press("escape")
        assert app.front is Scope.PLAYBACK


@pytest.mark.parametrize(
    ("line", "scope", "above"),
    [
        ("search thumbnails", Scope.THUMBNAILS, Scope.PLAYBACK),
        ("search motion", Scope.MOTION, Scope.PLAYBACK),
        ("bookmarks", Scope.BOOKMARKS, Scope.EVIDENCE),
        ("alarm tab", Scope.ALARM_TAB, Scope.ALARMS),
    ],
)
async def test_a_screen_that_was_named_leads_up_and_there_it_ends(
    tmp_path: Path, line: str, scope: Scope, above: Scope
) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_wall(pilot, "cameras 1-4 of 8")
        await pilot.press("t")  # a step that the name forgets
        await at(pilot, app, Scope.THUMBNAILS)
        await pilot.press("2")
        await at(pilot, app, Scope.CAMERAS)
        await type_line(pilot, line)
        await pilot.press(*(["escape"] if app.screen is not app.base else []))
        await at(pilot, app, scope)
        await until(
            pilot, lambda: app.screen is app.base or bool(app.screen.query("PickList, LineList, Input"))
        )
        if app.screen is not app.base:  # which camera?
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is app.base)
        await pilot.press("escape")
        await at(pilot, app, above)
        await pilot.press("escape", "escape", "escape")
        assert app.front is above


async def test_schedules_rules_and_alarm_tab_lead_back_step_by_step(tmp_path: Path) -> None:
    app = app_for(FakeEngine(alarms=3), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "6 Alarm")
        await pilot.press("6")
        await shows(pilot, "Alarms  3")
        await pilot.press("r")
        await at(pilot, app, Scope.RULES)
        await pilot.press("c")
        await at(pilot, app, Scope.SCHEDULES)
        for scope in (Scope.RULES, Scope.ALARMS):
            await pilot.press("escape")
            await at(pilot, app, scope)
        await pilot.press("escape", "L")
        await at(pilot, app, Scope.ALARM_TAB)
        await pilot.press("escape")
        await at(pilot, app, Scope.ALARMS)
