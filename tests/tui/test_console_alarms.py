"""Alarms by Pilot, keyboard only, at 80x24: three hundred over night, cleared; live arrivals; drafts; refusals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from engine.wire_alarms import (
    AlarmPage,
    AlarmPlace,
    AlarmPlaceQuery,
    AlarmQuery,
    AlarmStatus,
    AlarmTriage,
    AlarmView,
)
from storage.errors import NotPermitted
from tests.fakes.alarm_desk import FakeAlarmDesk
from tests.fakes.engine import FakeEngine
from tests.tui.desk_for import app_for, screen_text, shows, until
from tui.app import WatchdeckApp
from tui.screens.alarms import AlarmsView
from tui.screens.recordings import RecordingsView
from widgets.line_list import LineList
from widgets.line_window import PAGE_ROWS

SIZE = (80, 24)


def view(app: WatchdeckApp) -> AlarmsView:
    return app.screen_stack[0].query_one(AlarmsView)


def rows(app: WatchdeckApp) -> LineList:
    return view(app).rows


def steps(engine: FakeEngine) -> list[AlarmTriage]:
    return [step for name, step in engine.calls if name == "triage" and isinstance(step, AlarmTriage)]


def night(engine: FakeEngine, number: int) -> None:
    """Alarms there were when the operator came: nobody is told."""
    for index in range(number):
        source = ("front-door", "garden", "driveway")[index % 3]
        time_us = engine.clock.now_us() - (number - index) * 60_000_000
        is_real = index in (70, 71, 200)
        engine.desk.raise_alarm(
            rule="Gate forced" if is_real else "Motion at night",
            kind="detection.intrusion" if is_real else "detection.motion",
            severity="critical" if is_real else "info",
            source=source,
            camera=source,
            first_us=time_us,
            last_us=time_us,
            text="somebody climbs" if is_real else "motion in 9 cells",
        )
    engine.snapshot = msgspec.structs.replace(engine.snapshot, alarms=engine.desk.counts())


async def test_an_operator_clears_three_hundred_alarms_by_keys_alone(tmp_path: Path) -> None:
    engine = FakeEngine()
    night(engine, 300)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "6 Alarm 300")
        await pilot.press("6")
        await shows(pilot, "Alarms  300", "14:02:20", "Motion at night")

        # The critical ones first: two of them somebody goes and looks at, and says so.
        await pilot.press("S", "S")
        await shows(pilot, "Alarms  3", "critical only", "Gate forced")
        await pilot.press("shift+down")
        await shows(pilot, "2 marked")
        await pilot.press("p", *"guard is there", "enter")
        await shows(pilot, "2 alarms: in progress", "(u undoes)", "in progress")
        assert {engine.desk.alarms[id].comment for id in (72, 201)} == {"guard is there"}
        await pilot.press("escape")
        await shows(pilot, "Alarms  300")

        # The rest of the night is grouped; one camera looks at a tree: all of it is muted.
        await pilot.press("g")
        await shows(pilot, "groups", "99 detection.motion")
        await pilot.press("slash", *"garden motion", "enter")
        await shows(pilot, "1 group", "/garden motion")
        await pilot.press("m", *"90", "enter")
        await shows(pilot, "99 alarms: muted for 90 min", "no alarm fits")
        await pilot.press("escape", "g")
        await shows(pilot, "Alarms  201", "99 muted")

        # All that is left but the real ones was nothing.
        await pilot.press("slash", *"motion", "enter")
        await shows(pilot, "/motion", "Alarms  198")
        await pilot.press("asterisk")
        await shows(pilot, "all 198 marked")
        await pilot.press("f")
        await shows(pilot, "198 alarms: false alarm", "(u undoes)", "no alarm fits")
        await pilot.press("u")
        await shows(pilot, "198 alarms: undone", "Alarms  198")
        await pilot.press("asterisk", "f")
        await shows(pilot, "no alarm fits")
        await pilot.press("escape")
        await shows(pilot, "Alarms  3", "6 Alarms 1 ")

        # Who decided what goes into a file.
        await pilot.press("s", "7")
        await shows(pilot, "Alarms  300", "false alarm")
        await pilot.press("e")
        await shows(pilot, "saved 300 alarms")
    saved = list(tmp_path.glob("alarms-*.csv"))
    assert len(saved) == 1
    assert saved[0].read_bytes().count(b"false_alarm") == 198
    assert [step.selection.ids == () for step in steps(engine)] == [False, False, True, True]


async def test_the_row_in_hand_stays_in_hand_and_in_sight_while_others_arrive(tmp_path: Path) -> None:
    engine = FakeEngine(alarms=300)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "6 Alarm 2")
        await pilot.press("6")
        await shows(pilot, "Alarms  300")
        await pilot.press("j", "j", "j")
        key = rows(app).cursor_key
        for number in range(30):
            engine.raise_alarm(text=f"arrival {number}")
        await shows(pilot, "Alarms  330", "30 new (<)")
        assert rows(app).cursor_key == key
        assert "►" in screen_text(app)
        engine.raise_alarm(text="one more")
        await shows(pilot, "31 new (<)")
        assert rows(app).cursor_key == key
        await pilot.press("less_than_sign")
        await until(pilot, lambda: " new (<)" not in screen_text(app))
        assert rows(app).cursor == 0


async def test_marks_survive_arrivals_and_what_came_later_is_not_marked(tmp_path: Path) -> None:
    engine = FakeEngine(alarms=10)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "6 Alarm")
        await pilot.press("6")
        await shows(pilot, "Alarms  10")
        await pilot.press("ctrl+a")
        await shows(pilot, "all 10 marked")
        await pilot.press("j", "space")
        await shows(pilot, "all 9 marked")
        engine.raise_alarm(text="later", rule="Later")
        await shows(pilot, "Later", "all 9 marked")
        await pilot.press("f")
        await shows(pilot, "9 alarms: false alarm", "Alarms  2")
    statuses = {id: alarm.status for id, alarm in engine.desk.alarms.items()}
    assert statuses[11] is AlarmStatus.NEW
    assert statuses[9] is not AlarmStatus.FALSE_ALARM
    assert sum(status is AlarmStatus.FALSE_ALARM for status in statuses.values()) == 9


async def test_after_a_step_the_cursor_is_on_the_next_row_that_stays(tmp_path: Path) -> None:
    app = app_for(FakeEngine(alarms=60), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "6 Alarm")
        await pilot.press("6")
        await shows(pilot, "Alarms  60")
        await pilot.press(*"jjjjj")
        assert rows(app).cursor_key == 55
        await pilot.press("c")
        await shows(pilot, "1 alarm: closed", "Alarms  59")
        assert (rows(app).cursor_key, rows(app).cursor) == (54, 5)
        await pilot.press("space", "space", "f")  # 54 and 53; the cursor is on 52
        await shows(pilot, "2 alarms: false alarm", "Alarms  57")
        assert (rows(app).cursor_key, rows(app).cursor) == (52, 5)
        await pilot.press("G", "f")
        await shows(pilot, "Alarms  56")
        assert rows(app).cursor_key == 2
        await pilot.press("a")  # stays in the list, as somebody's: the cursor goes on all the same
        await shows(pilot, "1 alarm: in progress")
        assert rows(app).cursor_key == 3


async def test_a_status_chosen_in_the_panel_is_a_draft_until_it_is_acknowledged(tmp_path: Path) -> None:
    engine = FakeEngine(alarms=20)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "6 Alarm")
        await pilot.press("6")
        await shows(pilot, "Alarms  20")
        await pilot.press("enter")
        await shows(pilot, "Status  new", "left/right choose another")
        await pilot.press("right", "right", "right")
        await shows(pilot, "draft: closed (a applies it)")
        assert not steps(engine)
        await pilot.press("j")
        await until(pilot, lambda: "draft:" not in screen_text(app))
        await pilot.press("k", "left")
        await shows(pilot, "draft: closed")
        key = rows(app).cursor_key
        await pilot.press("a")
        await shows(pilot, "1 alarm: closed")
    assert [(step.status, step.selection.ids) for step in steps(engine)] == [(AlarmStatus.CLOSED, (key,))]


async def test_the_panel_says_what_to_do_and_who_did_what_and_leads_to_the_footage(tmp_path: Path) -> None:
    engine = FakeEngine(alarms=9)
    engine.desk.instructions["Motion at night"] = "Look first, then call the guard."
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "6 Alarm")
        await pilot.press("6")
        await shows(pilot, "Alarms  9")
        await pilot.press("slash", *"driveway", "enter")
        await shows(pilot, "/driveway", "Alarms  1")
        await pilot.press("C", *"a dog", "enter")
        await shows(pilot, "1 alarm: commented")
        await pilot.press("enter")
        await shows(pilot, "Look first, then call", "Comment  a dog", "event", "+7 s", "History", "▀▀▀▀")
        asked = [call for name, call in engine.calls if name == "picture"]
        assert len(asked) == 4
        alarm = view(app).alarm
        assert alarm is not None
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.query(RecordingsView)) and app.query_one(RecordingsView).display)
        recordings = app.query_one(RecordingsView)
        await until(pilot, lambda: recordings.camera_name == "driveway")
        assert recordings.timeline.playhead_us == alarm.first_us


async def test_muting_asks_for_minutes_and_refuses_what_is_too_long(tmp_path: Path) -> None:
    engine = FakeEngine(alarms=20)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "6 Alarm")
        await pilot.press("6")
        await shows(pilot, "Alarms  20")
        await pilot.press("m", *"6000", "enter")
        await shows(pilot, "1 alarm: muted for 6000 min", "Alarms  19")
        await pilot.press("m", *"10000", "enter")
        await shows(pilot, "minutes: 1 to 9,999")
        await pilot.press("escape", "colon", *"mute 10000", "enter")
        await shows(pilot, "! minutes: 1 to 9,999")
        await pilot.press("s", "4")
        await shows(pilot, "Alarms  20", "muted too", " muted  ")
        await pilot.press("M")
        await shows(pilot, "no longer muted")
    assert not any(alarm.muted_until_us for alarm in engine.desk.alarms.values())


async def test_a_group_is_opened_to_its_alarms_and_escape_goes_back(tmp_path: Path) -> None:
    app = app_for(FakeEngine(alarms=90), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "6 Alarm")
        await pilot.press("6")
        await shows(pilot, "Alarms  90")
        await pilot.press("g")
        await shows(pilot, "8 groups")
        assert rows(app).cursor_key == ("volume.full", "bay-2") or rows(app).cursor == 0
        await pilot.press("right")
        await shows(pilot, "Alarms  20", "(esc clears)")
        await pilot.press("escape")
        await shows(pilot, "8 groups")
        await pilot.press("g")
        await shows(pilot, "Alarms  90")


async def test_sources_kinds_and_dates_narrow_the_list(tmp_path: Path) -> None:
    app = app_for(FakeEngine(alarms=90), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "6 Alarm")
        await pilot.press("6")
        await shows(pilot, "Alarms  90")
        await pilot.press("t")
        await shows(pilot, "Whose alarms", "front-door")
        await pilot.press("space", "enter")
        await shows(pilot, "Alarms  20", "front-door")
        await pilot.press("escape")
        await shows(pilot, "Alarms  90")
        await pilot.press("colon", *"source garage", "enter")
        await shows(pilot, "Alarms  10", "garage  (esc clears)")
        await pilot.press("escape", "T")
        await shows(pilot, "Alarms of which kinds", "detection.motion")
        await pilot.press("space", "enter")
        await shows(pilot, "Alarms  30", "detection.motion")
        await pilot.press("escape", "d", *"-30m", "enter", "enter")
        await shows(pilot, "since 13:33:20", "Alarms  19")
        await pilot.press("escape", "colon", *"date 13:00 to 12:00", "enter")
        await shows(pilot, "that ends before it begins")


async def test_nothing_is_changed_in_read_only_mode_and_an_empty_list_teaches(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path, is_read_only=True)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("6")
        await shows(pilot, "no alarms", "(r)")
        engine.raise_alarm()
        await shows(pilot, "Alarms  1")
        for key in ("f", "c", "a", "m", "p", "u", "C", "A"):
            await pilot.press(key)
            await shows(pilot, "read-only")
            await pilot.press("escape")
    assert not steps(engine)


async def test_a_step_the_engine_refuses_leaves_marks_and_cursor(tmp_path: Path) -> None:
    class Refusing(FakeAlarmDesk):
        def triage(self, step: AlarmTriage, actor: str = "operator") -> object:  # type: ignore[override]
            raise NotPermitted("anna may not triage alarms", "ask an administrator")

    engine = FakeEngine()
    engine.desk = Refusing(engine.clock.now_us)
    for _ in range(5):
        engine.desk.raise_alarm()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("6")
        await shows(pilot, "Alarms  5")
        await pilot.press("space", "f")
        await shows(pilot, "anna may not triage alarms", "1 marked")
        assert rows(app).cursor == 1


async def test_a_lost_engine_shows_the_list_as_it_was_and_says_so(tmp_path: Path) -> None:
    engine = FakeEngine(alarms=20)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "6 Alarm")
        await pilot.press("6")
        await shows(pilot, "Alarms  20")
        engine.stop()
        await shows(pilot, "not live", "engine lost since", "Alarms  20", "Panic button")
        await pilot.press("f")
        await shows(pilot, "no engine: wait until it is back")
        engine.start()
        await pilot.press("R")
        await until(pilot, lambda: "not live" not in screen_text(app))


async def test_thumbnails_are_asked_for_only_of_alarms_in_sight(tmp_path: Path) -> None:
    engine = FakeEngine(alarms=300)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "6 Alarm")
        await pilot.press("6")
        await shows(pilot, "Alarms  300")
        await pilot.press("v")
        await shows(pilot, "▀▀▀▀", "►")
        shown = view(app).thumbs
        number = shown.columns * 2
        await pilot.press("right")
        assert rows(app).cursor == 1
        await pilot.pause(0.4)
        assert len([name for name, _ in engine.calls if name == "picture"]) <= number
        await pilot.press("v")
        await until(pilot, lambda: "▀▀▀▀" not in screen_text(app))


class ManyAlarms(FakeAlarmDesk):
    """A hundred thousand, each made when it is asked for."""

    NUMBER = 100_000

    def _made(self, id: int) -> AlarmView:
        time_us = self.now_us() - (self.NUMBER - id) * 1_000_000
        return AlarmView(
            id=id,
            rule="Motion at night",
            kind="detection.motion",
            source=f"camera-{id % 128}",
            severity="info",
            status=AlarmStatus.NEW,
            first_us=time_us,
            last_us=time_us,
            count=1,
            text="motion",
        )

    def page(self, query: AlarmQuery) -> AlarmPage:
        top = self.NUMBER - query.offset
        rows = tuple(self._made(id) for id in range(top, max(top - query.limit, 0), -1))
        return AlarmPage(total=self.NUMBER, revision=self.revision, alarms=rows)

    def place(self, query: AlarmPlaceQuery) -> AlarmPlace:
        return AlarmPlace(index=self.NUMBER - query.id)


@pytest.mark.parametrize("keys", [("j",), ("pagedown",), ("G",), ("home",), ("space",), ("shift+down",)])
async def test_of_a_hundred_thousand_alarms_a_key_fetches_a_few_windows_at_most(
    tmp_path: Path, keys: Sequence[str]
) -> None:
    engine = FakeEngine()
    engine.desk = ManyAlarms(engine.clock.now_us)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("6")
        await shows(pilot, "Alarms  100,000", "camera-32")
        await pilot.pause(0.6)
        assert len(windows(engine)) <= 6, "opening it"
        await pilot.press("pagedown", "pagedown")
        for key in keys:
            before = len(windows(engine))
            await pilot.press(key)
            await pilot.pause(0.2)
            assert len(windows(engine)) - before <= 3
        assert max(query.limit for query in windows(engine)) == PAGE_ROWS
        await pilot.press("ctrl+a")
        await shows(pilot, "all 100,000 marked")
        assert not rows(app).marks


def windows(engine: FakeEngine) -> list[AlarmQuery]:
    return [query for name, query in engine.calls if name == "alarms" and isinstance(query, AlarmQuery)]
