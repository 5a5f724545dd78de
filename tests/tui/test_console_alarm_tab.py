"""The alarm tab by Pilot at 80x24: cells that open by themselves, newest and selected told without colour, the pin, triage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from engine.wire_alarms import AlarmStatus
from engine.wire_evidence import ExportAsk
from tests.fakes.engine import FakeEngine
from tests.tui.desk_for import app_for, screen_text, shows, until
from tui.app import WatchdeckApp
from tui.profile import TerminalProfile
from tui.screens.alarm_tab import AlarmCell, AlarmTabView

SIZE = (80, 24)


def console(engine: FakeEngine, folder: Path) -> WatchdeckApp:
    return app_for(engine, folder, TerminalProfile(blinking="off"))


def live(engine: FakeEngine, camera: str, **fields: Any) -> int:
    known: dict[str, Any] = {"rule": "Yard", "source": camera, "camera": camera, "is_live": True}
    return engine.raise_alarm(**{**known, **fields}).id


def cells(app: WatchdeckApp) -> dict[str, AlarmCell]:
    return {cell.caption: cell for cell in app.base.query(AlarmCell) if cell.display}


def title(app: WatchdeckApp, camera: str) -> str:
    return str(cells(app)[camera].border_title)


async def open_tab(pilot: Pilot[Any]) -> None:
    await shows(pilot, "5 of 8")
    await pilot.press("colon", *"alarm tab", "enter")
    await shows(pilot, "Alarm tab")


async def test_cells_open_by_themselves_and_only_for_alarms_that_send_live_pictures(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_tab(pilot)
        await shows(pilot, "no open alarm sends live pictures")
        live(engine, "garage", is_live=False)
        live(engine, "driveway")
        await shows(pilot, "1 camera", "driveway", "■ NEW w 14:03:20 Yard")
        live(engine, "garden")
        live(engine, "garden", text="again")
        await shows(pilot, "2 cameras", "garden")
        await until(pilot, lambda: all(cell.picture is not None for cell in cells(app).values()))
        assert set(cells(app)) == {"driveway", "garden"}
        assert "NEW" in title(app, "garden")
        assert "NEW" not in title(app, "driveway")
        assert title(app, "driveway").startswith("► ")
        assert cells(app)["driveway"].has_class("-selected")
        assert cells(app)["garden"].has_class("-newest", "-lit")


async def test_the_pin_freezes_the_tab_against_new_arrivals(tmp_path: Path) -> None:
    engine = FakeEngine()
    live(engine, "driveway")
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_tab(pilot)
        await shows(pilot, "1 camera")
        await pilot.press("T")
        await shows(pilot, "PINNED T unpins")
        live(engine, "garden")
        live(engine, "driveway")
        await shows(pilot, "2 waiting (T lets them in)")
        assert set(cells(app)) == {"driveway"}
        assert "NEW" in title(app, "driveway")
        await pilot.press("T")
        await shows(pilot, "2 cameras", "garden")
        assert "PINNED" not in screen_text(app)


async def test_triage_is_for_the_alarm_in_hand_and_its_group(tmp_path: Path) -> None:
    engine = FakeEngine()
    first, second = live(engine, "garden"), live(engine, "driveway")
    third = live(engine, "garden")
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_tab(pilot)
        await shows(pilot, "2 cameras", "► ■ NEW")
        await pilot.press("right")
        await until(pilot, lambda: cells(app)["driveway"].has_class("-selected"))
        await pilot.press("left", "f")
        await shows(pilot, "(u undoes)", "1 camera")
        assert {engine.desk.alarms[id].status for id in (first, third)} == {AlarmStatus.FALSE_ALARM}
        assert engine.desk.alarms[second].status is AlarmStatus.NEW
        await pilot.press("u")
        await shows(pilot, "2 cameras")
        await pilot.press("p")
        await shows(pilot, "In progress:")
        await pilot.press(*"guard called", "f10")
        await until(
            pilot, lambda: any(each.comment == "guard called" for each in engine.desk.alarms.values())
        )
        await pilot.press("m")
        await shows(pilot, "Mute ", "Minutes")
        await pilot.press("ctrl+u", *"10000", "f10")
        await shows(pilot, "minutes: 1 to 9,999")
        await pilot.press("backspace", "f10")
        await shows(pilot, "1 camera")


async def test_enter_goes_to_the_recording_of_the_moment(tmp_path: Path) -> None:
    engine = FakeEngine()
    live(engine, "garden", first_us=engine.clock.now_us() - 60_000_000)
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_tab(pilot)
        await shows(pilot, "1 camera")
        await pilot.press("enter")
        await shows(pilot, "2026-03-04 14:02:20 UTC  garden")


async def test_the_newest_frame_blinks_in_words_and_only_while_it_is_seen(tmp_path: Path) -> None:
    engine = FakeEngine()
    live(engine, "garden")
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_tab(pilot)
        await shows(pilot, "■ NEW")
        await shows(pilot, "· NEW")
        await shows(pilot, "■ NEW")
        await pilot.press("1")
        await shows(pilot, "Newest events")
        assert not [work for work in app.workers if work.group == "live" and work.is_running]


async def test_many_cameras_fill_the_terminal_and_the_rest_is_counted(tmp_path: Path) -> None:
    engine = FakeEngine(cameras=40)
    for camera in engine.snapshot.cameras[:12]:
        live(engine, camera.name)
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "36 of 39")
        await pilot.press("colon", *"alarm tab", "enter")
        await shows(pilot, "6 cameras, 6 more with older alarms")
        assert all(cell.room >= (20, 3) for cell in cells(app).values())


async def test_while_notifications_are_off_here_no_live_picture_opens(tmp_path: Path) -> None:
    engine = FakeEngine()
    live(engine, "garden")
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_tab(pilot)
        await shows(pilot, "1 camera")
        app.desk.notifier.quiet_for(5, app.desk.mirror.now_us)
        engine.tick()
        await shows(pilot, "notifications off here for 5 min", "1 alarm not shown here (:notify)")
        app.desk.notifier.quiet_for(0, app.desk.mirror.now_us)
        app.desk.notifier.off_rules.add("Yard")
        live(engine, "garage", rule="Gate")
        await shows(pilot, "1 of rules switched off here", "garage")
        assert set(cells(app)) == {"garage"}


async def test_the_video_of_the_alarm_in_hand_is_exported_and_goes_into_a_case(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_tab(pilot)
        await pilot.press("x")
        await shows(pilot, "no alarm is in hand")
        first_us = engine.clock.now_us() - 60_000_000
        live(engine, "driveway")
        garden = live(engine, "garden", first_us=first_us, last_us=first_us + 4_000_000)
        await shows(pilot, "2 cameras")
        app.base.query_one(AlarmTabView).wall.selected = "garden"
        await pilot.press("x")
        await shows(pilot, "Export garden", "2026-03-04 14:02:15", "2026-03-04 14:02:29", "Yard")
        await pilot.press("f10")
        await shows(pilot, "Export this?")
        await pilot.press("y")
        await shows(pilot, "begun: Evidence")
        await pilot.press("A")
        await shows(pilot, "New case", "garden 14:02:15, 14 s", "Yard")
        await pilot.press(*"theft", "f10")
        await shows(pilot, "added to case theft: garden")
    (ask,) = (argument for name, argument in engine.calls if name == "start_export_job")
    assert isinstance(ask, ExportAsk)
    (item,) = engine.footage.cases[0].items
    wanted = (engine.desk.alarms[garden].camera, first_us - 5_000_000, first_us + 9_000_000)
    assert (item.camera, item.start_us, item.end_us) == wanted
    assert [(each.camera, each.start_us // 1_000_000) for each in ask.ranges] == [
        ("garden", (first_us - 5_000_000) // 1_000_000)
    ]


async def test_nothing_goes_into_a_case_in_read_only_mode(tmp_path: Path) -> None:
    engine = FakeEngine()
    live(engine, "garden")
    app = app_for(engine, tmp_path, TerminalProfile(blinking="off"), is_read_only=True)
    async with app.run_test(size=SIZE) as pilot:
        await open_tab(pilot)
        await shows(pilot, "1 camera")
        await pilot.press("A")
        await shows(pilot, "read-only mode")
    assert not engine.footage.cases
