"""Pictures of alarm rules, schedules, the alarm tab and the log at 80x24 and 120x40. Fixed clock, zone, theme, names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from engine.wire_sources import CameraAnalytics
from tests.fakes.engine import FakeEngine
from tests.fakes.scripted_alarms import scripted_results
from tests.tui.desk_for import app_for, shows, until
from tests.tui.test_snapshots import FOLDER, SnapCompare, seen_cells, still
from tui.profile import TerminalProfile
from tui.screens.frame import HeaderLine

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
Steps = Callable[[Pilot[Any]], Awaitable[None]]


def by_command(command: str, *scenes: tuple[tuple[str, ...], tuple[str, ...]]) -> Steps:
    """Type a command, then for each scene wait for its words and press its keys."""

    async def steps(pilot: Pilot[Any]) -> None:
        still(pilot.app)
        await shows(pilot, "of 8", "14:03:20")
        await pilot.press("colon", *command, "enter")
        for words, keys in scenes:
            await shows(pilot, *words)
            await until(pilot, lambda: all(cell.picture is not None for cell in seen_cells(pilot.app)))
            if keys:
                await pilot.press(*keys)

    return steps


@SIZES
def test_rules(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = app_for(FakeEngine(), FOLDER)
    steps = by_command("rules", (("Camera trouble",), ("down",)), (("Bookmark 10 s",), ()))
    assert snap_compare(app, terminal_size=size, run_before=steps)


@SIZES
def test_rule_triggers(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    engine = FakeEngine()
    engine.alarm_state.analytics["driveway"] = CameraAnalytics(onvif=True)
    app = app_for(engine, FOLDER)

    async def steps(pilot: Pilot[Any]) -> None:
        await by_command("rules", (("Camera trouble",), ("a",)), (("New alarm rule",), ()))(pilot)
        await until(pilot, lambda: sum(name == "analytics" for name, _ in engine.calls) == 8)
        await pilot.press("a", "6")
        await shows(pilot, "reported by 1 camera")

    assert snap_compare(app, terminal_size=size, run_before=steps)


@SIZES
def test_rule_actions(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = app_for(FakeEngine(), FOLDER)
    steps = by_command("rules", (("Camera trouble",), ("e", "2")), (("no mail server",), ()))
    assert snap_compare(app, terminal_size=size, run_before=steps)


@SIZES
def test_rule_schedule(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = app_for(FakeEngine(), FOLDER)
    steps = by_command("rules", (("Camera trouble",), ("e", "3")), (("(x) Always",), ()))
    assert snap_compare(app, terminal_size=size, run_before=steps)


@SIZES
def test_schedule_grid(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = app_for(FakeEngine(), FOLDER)
    paint = ("down", "down", "shift+right", "shift+right", "shift+down")
    steps = by_command("schedules", (("night",), ("e",)), (("Template night",), paint), (("range on",), ()))
    assert snap_compare(app, terminal_size=size, run_before=steps)


@SIZES
def test_rule_test(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    engine = FakeEngine()
    engine.alarm_state.test_results = scripted_results(engine.clock.now_us())
    app = app_for(engine, FOLDER)
    app.desk.notifier.off_rules.add("Camera trouble")  # no toast that comes and goes

    async def steps(pilot: Pilot[Any]) -> None:
        await by_command("rules", (("Camera trouble",), ("t",)), (("no connection within 5 s",), ()))(pilot)
        await until(pilot, lambda: "Alarms 1" in app.base.query_one(HeaderLine).plain)

    assert snap_compare(app, terminal_size=size, run_before=steps)


@SIZES
def test_alarm_tab(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = app_for(FakeEngine(alarms=20), FOLDER, TerminalProfile(blinking="off"))
    steps = by_command("alarm tab", (("3 cameras",), ("right",)), (("front-door  Motion at night",), ()))
    assert snap_compare(app, terminal_size=size, run_before=steps)


@SIZES
def test_log(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = app_for(FakeEngine(), FOLDER)
    steps = by_command("log", (("40 operations",), ("down", "enter")), (("number 39 of the chain",), ()))
    assert snap_compare(app, terminal_size=size, run_before=steps)


@SIZES
def test_event_search(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = app_for(FakeEngine(), FOLDER)
    steps = by_command("events", (("300, all",), ("f",)), (("Search events",), ()))
    assert snap_compare(app, terminal_size=size, run_before=steps)
