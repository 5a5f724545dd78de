"""The operations log by Pilot: columns, pages, filters, export, and the verdict on its chain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from engine.wire_log import LogQuery, LogVerification
from tests.fakes.engine import FakeEngine
from tests.fakes.scripted_alarms import scripted_log
from tests.tui.desk_for import app_for, screen_text, shows, until
from tui.app import WatchdeckApp
from widgets.line_list import LineList

SIZE = (80, 24)


def queries(engine: FakeEngine) -> list[LogQuery]:
    return [query for name, query in engine.calls if name == "log" and isinstance(query, LogQuery)]


async def open_log(pilot: Any) -> None:
    await shows(pilot, "5 of 8")
    await pilot.press("colon", *"log", "enter")
    await shows(pilot, "Log  40 operations")


def console(engine: FakeEngine, folder: Path) -> WatchdeckApp:
    return app_for(engine, folder)


async def test_who_did_what_and_whether_it_worked_is_seen_at_80_columns(tmp_path: Path) -> None:
    app = console(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_log(pilot)
        text = await shows(pilot, "Type", "Who", "Description", "Severity", "Status")
        assert "camera.edit" in text
        assert "root" in text
        assert "x fail" in text
        await pilot.press("enter")
        await shows(pilot, "alarm.triage  normal, success", "by anna", "number 40 of the chain")
        await pilot.press("escape")
        await until(pilot, lambda: "of the chain" not in screen_text(app))


async def test_the_log_is_narrowed_by_person_severity_and_time(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_log(pilot)
        await pilot.press("f")
        await shows(pilot, "Search the log", "Who")
        await pilot.press("tab", "m", "tab", *"camera", "tab", *"anna", "f10")
        await shows(pilot, "Log  8 operations", "major only, camera, by anna  (esc clears)")
        await pilot.press("f")
        await shows(pilot, "Search the log")
        await pilot.press(*["tab"] * 5, *"-30m", "f10")
        await shows(pilot, "by anna, from 13:33:20", "Log  2 operations")
        await pilot.press("escape")
        await shows(pilot, "Log  40 operations")
        await pilot.press("slash", *"panic", "enter")
        await shows(pilot, "Log  8 operations", "/panic")
    assert queries(engine)[1] == LogQuery(
        category="operation", types=("camera",), min_severity="major", actor="anna"
    )


async def test_category_and_severity_have_keys(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_log(pilot)
        await pilot.press("s")
        await shows(pilot, "normal and major  (esc clears)", "Log  32 operations")
        await pilot.press("s")
        await shows(pilot, "Log  16 operations", "major only")
        await pilot.press("c")
        await shows(pilot, "Log  0 events")
        await pilot.press("colon", *"category all", "enter")
        await shows(pilot, "Log  16 operations and events")


async def test_older_pages_come_as_the_cursor_goes_down(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.alarm_state.log = scripted_log(700, engine.clock.now_us())
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("colon", *"log", "enter")
        await shows(pilot, "Log  200+ operations")
        rows = app.query_one("#log", expect_type=None).query_one(LineList)  # type: ignore[call-overload]
        for count in (400, 600, 700):
            await pilot.press("G")
            await until(pilot, lambda count=count: rows.count == count)
        await shows(pilot, "Log  700 operations")
    assert [query.before for query in queries(engine)] == ["", "200", "400", "600"]


async def test_the_log_is_saved_as_a_file(tmp_path: Path) -> None:
    app = console(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_log(pilot)
        await pilot.press("e")
        await until(pilot, lambda: (tmp_path / "log-2026-03-04-140320.csv").exists())
    assert (tmp_path / "log-2026-03-04-140320.csv").read_bytes().startswith(b"time,category")


async def test_verifying_says_that_the_chain_is_whole_or_where_it_breaks(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_log(pilot)
        await pilot.press("V")
        await shows(pilot, "the chain is whole: 40 operations (1 to 40)")
        engine.alarm_state.verification = msgspec.structs.replace(
            LogVerification(is_whole=False, checked=16, first_id=1, last_id=17), trouble="row 17 was changed"
        )
        await pilot.press("V")
        await shows(pilot, "The log was tampered with", "row 17 was changed")
