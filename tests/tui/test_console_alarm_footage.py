"""What is made of the footage of alarms, by Pilot: files here, exports, stretches of a case; of marks, the panel and groups."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.wire_evidence import ExportAsk
from tests.fakes.engine import FakeEngine
from tests.tui.desk_for import app_for, shows, until
from tests.tui.test_console_alarms import SIZE, night, view
from tui.screens.frame import FooterLine


async def test_footage_of_the_marked_is_saved_as_files(tmp_path: Path) -> None:
    engine = FakeEngine(alarms=20)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "6 Alarm")
        await pilot.press("6")
        await shows(pilot, "Alarms  20")
        await pilot.press("slash", *"motion", "enter")
        await shows(pilot, "/motion", "Alarms  9")
        await pilot.press("space", "space", "E")
        await shows(pilot, "Save the footage of these alarms?", "2 files")
        await pilot.press("y")
        await shows(pilot, "Saved 2 clips")
    assert len(list(tmp_path.glob("alarm-*.mp4"))) == 2


async def test_video_of_alarms_goes_into_a_case_one_stretch_an_alarm(tmp_path: Path) -> None:
    engine = FakeEngine(alarms=20)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "6 Alarm")
        await pilot.press("6")
        await shows(pilot, "Alarms  20")
        await pilot.press("slash", *"motion", "enter")
        await shows(pilot, "/motion", "Alarms  9")
        await pilot.press("space", "space", "A")
        await shows(pilot, "New case", "2 clips", "Motion at night")
        await pilot.press(*"night", "f10")
        await shows(pilot, "added to case night: 2 clips")
        await pilot.press("escape", "enter")
        await shows(pilot, "Status  ")
        alarm = view(app).alarm
        assert alarm is not None
        await pilot.press("A")  # in the panel
        await shows(pilot, "Add to which case?", "night", "2 clips")
        await pilot.press("enter")
        await shows(pilot, "Add to case night", f"{alarm.camera} ")
        await pilot.press("f10")
        await until(pilot, lambda: len(engine.footage.cases[0].items) == 3)
        assert view(app).has_class("-panel")
        first, second, third = engine.footage.cases[0].items
        assert first.start_us < second.start_us
        assert third == msgspec.structs.replace(
            third,
            camera=alarm.camera,
            start_us=alarm.first_us - 5_000_000,
            end_us=alarm.last_us + 5_000_000,
            comment="Motion at night",
        )
        await pilot.press("z")
        await until(pilot, lambda: len(engine.footage.cases[0].items) == 2)


async def test_a_row_of_a_group_means_the_footage_of_all_of_it(tmp_path: Path) -> None:
    engine = FakeEngine()
    night(engine, 12)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "6 Alarm")
        await pilot.press("6")
        await shows(pilot, "Alarms  12")
        await pilot.press("g")
        await shows(pilot, "3 groups")
        await pilot.press("A")
        await shows(pilot, "New case", "4 clips")
        await pilot.press("escape", "E")
        await shows(pilot, "Save the footage of these alarms?", "4 files")
        await pilot.press("escape", "asterisk", "x")
        await shows(pilot, "Export 12 ranges", "Motion at night")


async def test_an_alarm_is_exported_by_the_dialog_of_all_exports(tmp_path: Path) -> None:
    engine = FakeEngine()
    night(engine, 1)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "6 Alarm")
        await pilot.press("6")
        await shows(pilot, "Alarms  1")
        await pilot.press("x")
        await shows(
            pilot, "Export front-door", "2026-03-04 14:02:15", "2026-03-04 14:02:25", "Motion at night"
        )
        await pilot.press("f10")
        await shows(pilot, "Export this?")
        await pilot.press("y")
        await shows(pilot, "begun: Evidence (9)")
        (ask,) = [argument for name, argument in engine.calls if name == "start_export_job"]
        assert isinstance(ask, ExportAsk)
        assert [(each.camera, each.end_us - each.start_us) for each in ask.ranges] == [
            ("front-door", 10_000_000)
        ]
        assert ask.comment == "Motion at night"


async def test_alarms_without_a_camera_have_nothing_for_a_case(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.desk.raise_alarm(rule="Full", kind="volume.full", severity="critical", source="bay-2", camera="")
    engine.snapshot = msgspec.structs.replace(engine.snapshot, alarms=engine.desk.counts())
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "6 Alarm")
        await pilot.press("6")
        await shows(pilot, "Alarms  1")
        for key in ("A", "x"):
            await pilot.press(key)
            await shows(pilot, "no camera has footage of these alarms")
            app.base.query_one(FooterLine).forget()
    assert not [name for name, _ in engine.calls if name in ("cases", "plan_export_job")]
