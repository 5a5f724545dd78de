"""Events by Pilot: pages, live arrivals without a jump, severity, filter, details, footage."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.engine import FakeEngine
from tests.tui.desk_for import app_for, screen_text, shows, until
from tui.app import WatchdeckApp
from tui.screens.events import fitted_columns
from widgets.line_list import LineList
from widgets.line_source import Line

SIZE = (80, 24)


def rows(app: WatchdeckApp) -> LineList:
    return app.screen_stack[0].query_one(LineList)


async def test_events_come_in_pages_as_the_cursor_goes_down(tmp_path: Path) -> None:
    engine = FakeEngine()
    for number in range(900):
        engine.add_event(f"step {number}")
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("4")
        await shows(pilot, "500+", "step 899")
        await pilot.press("G")
        await until(pilot, lambda: rows(app).count == 1000)
        await pilot.press("G")
        await until(pilot, lambda: rows(app).count == 1200)
        await shows(pilot, "1,200, all severities")


def event_line(when: str, source: str) -> Line:
    return Line(key=1, cells=(when, "i info", source, "a text", "camera.added"))


def test_time_and_name_take_no_more_room_than_the_longest_of_them() -> None:
    widths = {each.key: each.width for each in fitted_columns([event_line("14:01:31", "gate")])}
    assert (widths["time"], widths["source"]) == (8, 5)
    older = [event_line("03-03 14:01", "x" * 40), event_line("14:01:31", "gate")]
    widths = {each.key: each.width for each in fitted_columns(older)}
    assert (widths["time"], widths["source"]) == (11, 24)


async def test_a_new_event_does_not_move_the_row_in_hand_and_is_counted(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("4")
        await shows(pilot, "300, all severities")
        await pilot.press("j", "j", "j")
        key = rows(app).cursor_key
        engine.add_event("something happened", "warning", "driveway")
        engine.add_event("and again", "warning", "driveway")
        await shows(pilot, "2 new above (g)")
        assert rows(app).cursor_key == key
        await pilot.press("g")
        await shows(pilot, "and again")
        await until(pilot, lambda: "new above" not in screen_text(app))


async def test_at_the_top_new_events_are_followed(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("4")
        await shows(pilot, "300, all severities")
        engine.add_event("something happened", "warning", "driveway")
        await shows(pilot, "something happened")
        assert rows(app).cursor == 0


async def test_the_severity_key_and_command_narrow_the_list(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("4")
        await shows(pilot, "i info")
        await pilot.press("s")
        await shows(pilot, "200, warnings and worse")
        assert "i info" not in screen_text(app)
        await pilot.press("colon", *"severity critical", "enter")
        await shows(pilot, "50, critical only")
        await pilot.press("escape")
        await shows(pilot, "300, all severities")


async def test_the_filter_searches_the_whole_history_on_the_engine(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("4")
        await shows(pilot, "300, all severities")
        await pilot.press("slash", *"recycling", "enter")
        await shows(pilot, "50, all severities", "/recycling")
        await pilot.press("escape")
        await shows(pilot, "300, all severities")


async def test_enter_shows_the_text_in_full_and_escape_hides_it(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("4")
        await shows(pilot, "300, all severities")
        await pilot.press("j", "enter")
        await shows(pilot, "2026-03-04 14:01:31 UTC", "tried every 5 minutes", "camera.refused")
        await pilot.press("escape")
        await until(pilot, lambda: "14:01:31 UTC" not in screen_text(app))


async def test_t_goes_to_the_recording_of_that_camera_at_that_time(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("4")
        await shows(pilot, "300, all severities")
        await pilot.press("j", "t")
        await shows(pilot, "2026-03-04 14:01:31 UTC  loading-dock")
        await pilot.press("4")
        await shows(pilot, "300, all severities")
        await pilot.press("j", "t")
        await shows(pilot, "not about a camera that exists")


async def test_half_a_minute_around_an_event_goes_into_a_case(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("4")
        await shows(pilot, "300, all severities")
        await pilot.press("j", "C")
        await shows(pilot, "New case", "loading-dock 14:01:16, 30 s")
        await pilot.press(*"dock", "f10")
        await shows(pilot, "added to case dock")
        (item,) = engine.footage.cases[0].items
        assert (item.camera, item.end_us - item.start_us) == ("loading-dock", 30_000_000)
        assert item.comment
        await pilot.press("j", "C")
        await shows(pilot, "not about a camera that exists")
        app.desk.is_read_only = True
        await pilot.press("k", "C")
        await shows(pilot, "read-only mode")
        assert len(engine.footage.cases[0].items) == 1


async def test_events_are_searched_by_group_source_time_and_words(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.add_event("line 1 crossed", "warning", "driveway", "detection.line_crossing")
    engine.add_event("three failures", "warning", "anna", "login.brute_force")
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("4")
        await shows(pilot, "302, all severities", "Alarms: what rules call you for")
        await pilot.press("f")
        await shows(pilot, "Search events", "Group", "< all >")
        await pilot.press("tab", "a", "f10")
        await shows(pilot, "1, all severities", "analytics  (esc clears)", "line 1 crossed")
        engine.add_event("line 2 crossed", "warning", "garden", "detection.line_crossing")
        engine.add_event("recording again", "info", "garden", "recording.resumed")
        await shows(pilot, "2, all severities", "line 2 crossed")
        await pilot.press("f")
        await shows(pilot, "Search events")
        await pilot.press("tab", "tab", *"driveway", "tab", *"-1h", "tab", *"-2h", "f10")
        await shows(pilot, "the end lies before the beginning")
        await pilot.press("ctrl+u", "f10")
        await shows(pilot, "1, all severities", "analytics, driveway, from 13:03:20")
        await pilot.press("f")
        await shows(pilot, "Search events")
        await pilot.press("tab", "s", "s", "tab", "ctrl+u", "tab", "ctrl+u", "f10")
        await shows(pilot, "security  (esc clears)", "three failures")
        await pilot.press("escape")
        await shows(pilot, "304, all severities")


async def test_kinds_are_picked_from_a_checklist_and_exported(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.add_event("a flood", "warning", "garden", "detection.motion", count=1234)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=(120, 30)) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("4")
        await shows(pilot, "301, all severities", "Count", "1,234")
        await pilot.press("T")
        await shows(pilot, "Events of which kinds?", "camera.lost")
        await pilot.press("slash", *"motion", "enter", "space", "enter")
        await shows(pilot, "1, all severities", "detection.motion  (esc clears)")
        await pilot.press("enter")
        await shows(pilot, "1,234 times")
        await pilot.press("e")
        await until(pilot, lambda: (tmp_path / "events-2026-03-04-140320.csv").exists())
    assert (tmp_path / "events-2026-03-04-140320.csv").read_bytes().startswith(b"time,severity")
    exported = [argument for name, argument in engine.calls if name == "event_csv"]
    assert exported[0][0] == ("detection.motion",)  # type: ignore[index]


async def test_o_leads_to_the_log_and_back(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("4", "o")
        await shows(pilot, "Log  40 operations")
        await pilot.press("o")
        await shows(pilot, "300, all severities")
