"""What Bays asks for in dialogs, by Pilot and keyboard at 80x24: set-up, spares, self-tests, rates, upkeep, learning bays."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot

from engine import wire_chassis as wire
from storage.errors import DriveError
from tests.fakes import chassis_views as views
from tests.fakes.engine import FakeEngine
from tests.tui.desk_for import app_for, screen_text, shows, until
from tests.tui.test_console_bays import at_bays, called
from tui.screens.operation_dialog import OperationDialog
from widgets.pick_dialog import PickDialog

SIZE = (80, 24)
FREE = [views.drive_id(bay) for bay in (0, 1, 2, 3, 4, 5, 7)]


async def at_rest(pilot: Pilot[object]) -> None:
    """No dialog stands in front any more."""
    await until(pilot, lambda: not isinstance(pilot.app.screen, PickDialog | OperationDialog))


# -- set-up ----------------------------------------------------------------------------------------------


async def test_simple_set_up_is_level_number_and_a_summary(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.free_eight())
    async with app_for(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot, "n sets up storage")
        await pilot.press("n")
        await shows(pilot, "1 Simple", "2 Advanced", "- 128 cameras  it takes 8 free drives, here are 7")
        await pilot.press("3")
        await shows(pilot, "esc back")
        await pilot.press("1")
        await shows(pilot, "4 RAID 5", "Survives one failure", "- RAID 60  7 drives cannot be divided evenly")
        await pilot.press("enter")
        await shows(pilot, "How many", "1 virtual drive   7 drives", "2 virtual drives  3 drives each")
        assert "4 virtual drives" not in screen_text(pilot.app)
        await pilot.press("2")
        await shows(pilot, "2 virtual drives of RAID 5: 3 drives each", "2 volumes (xfs), 2 recording groups")
        await pilot.press("y")
        await shows(pilot, "done as planned")
    assert called(engine, "plan_operation") == [wire.SetUpStorage(virtual_drives=2)]


async def test_escape_goes_one_step_back(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.free_eight())
    async with app_for(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press("n", "1")
        await shows(pilot, "RAID level")
        await pilot.press("5")
        await shows(pilot, "virtual drives of RAID 6?")
        await pilot.press("escape")
        await shows(pilot, "RAID level", "Survives any two failures")
        await pilot.press("escape")
        await shows(pilot, "1 Simple")
        await pilot.press("escape")
        await at_rest(pilot)
    assert called(engine, "plan_operation") == []


async def test_advanced_creation_asks_for_everything(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.free_eight())
    async with app_for(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press(":", *"create", "enter")
        await shows(pilot, "[x] bay 0 (ZL2A00BC)", "it is foreign", "it is protected: it holds the system")
        await pilot.press("space", "a", "a", "enter")
        await shows(pilot, "pick its drives")
        await pilot.press("a", "space", "enter")
        await shows(pilot, "Of 6 drives", "7 RAID 50")
        await pilot.press("7")
        await shows(pilot, "Dedicated hot spares", "[ ] bay 0")
        await pilot.press("space", "enter")
        await shows(pilot, "RAID 50 of 6 drives", "Stripe", "256 KiB")
        await pilot.press(
            *"archive", "down", "right", "right", "down", "right", "down", "right", "down", "right"
        )
        await shows(pilot, "1024 KiB", "ext4", "main")
        await pilot.press("f10")
        await shows(pilot, "RAID 50: 6 drives in 2 spans", "1 dedicated hot spare", "recording group main")
        await pilot.press("y")
        await shows(pilot, "done as planned")
    assert called(engine, "plan_operation") == [
        wire.SetUpStorage(
            level=wire.RaidLevel.RAID50,
            drives=tuple(FREE[1:]),
            stripe_bytes=1024 * 1024,
            has_bitmap=False,
            file_system="ext4",
            group_each=False,
            names=("archive",),
            dedicated_spares=(FREE[0],),
        )
    ]


async def test_the_128_camera_default_is_one_key_and_a_confirmation(tmp_path: Path) -> None:
    box = views.free_eight()
    drives = [
        msgspec.structs.replace(each, state=wire.DriveState.UNCONFIGURED_GOOD, foreign="")
        if each.bay is not None
        else each
        for each in box.inventory.drives
    ]
    inventory = msgspec.structs.replace(box.inventory, drives=tuple(drives))
    engine = FakeEngine(chassis=msgspec.structs.replace(box, inventory=inventory))
    async with app_for(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press("n", "3")
        await shows(pilot, "2 virtual drives of RAID 5, 4 drives each", "64 cameras each")
        await pilot.press("escape")
    eight = tuple(views.drive_id(bay) for bay in range(8))
    assert called(engine, "plan_operation") == [wire.SetUpStorage(virtual_drives=2, drives=eight)]


async def test_a_box_without_free_drives_says_so(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.degraded_eight())
    async with app_for(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press("n")
        await shows(pilot, "- Simple       no drive is free", "it takes 8 free drives, here are 0")
        await pilot.press("enter", "escape")
        await at_rest(pilot)


async def test_a_virtual_drive_gets_another_level_and_more_drives(tmp_path: Path) -> None:
    box = views.healthy_eight()
    spare = next(each for each in box.inventory.drives if each.bay == 7)
    free = msgspec.structs.replace(spare, state=wire.DriveState.UNCONFIGURED_GOOD, spare=None)
    drives = tuple(free if each.bay == 7 else each for each in box.inventory.drives)
    inventory = msgspec.structs.replace(box.inventory, drives=drives)
    engine = FakeEngine(chassis=msgspec.structs.replace(box, inventory=inventory))
    async with app_for(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press(":", *"migrate A", "enter")
        await shows(pilot, "Drives to add to A", "it is in a virtual drive", "[ ] bay 7")
        await pilot.press("space", "enter")
        await shows(pilot, "RAID level of A")
        await pilot.press("5")
        await shows(pilot, "A becomes RAID 6 of")
        await pilot.press("y")
        await shows(pilot, "done as planned")
    assert called(engine, "plan_operation") == [
        wire.Migrate(virtual_drive="v-A", level=wire.RaidLevel.RAID6, add=(views.drive_id(7),))
    ]


# -- spares, tests ---------------------------------------------------------------------------------------


async def test_a_spare_is_asked_whom_it_serves_and_for_its_side(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.free_eight())
    async with app_for(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press("2", "s")
        await shows(pilot, "Hot spare: bay 2 (ZL2A02BC)", "1 every virtual drive  global")
        await pilot.press("enter")
        await shows(pilot, "its own side first  drives of the right side")
        await pilot.press("2")
        await shows(pilot, "y do it")
        await pilot.press("escape", "s", "escape")
        await at_rest(pilot)
    assert called(engine, "plan_operation") == [wire.AssignSpare(drive=views.drive_id(2), has_affinity=True)]


async def test_what_a_drive_or_a_controller_cannot_is_greyed_with_its_reason(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.free_eight())
    box = views.free_eight()
    refusals = {wire.Capability.GLOBAL_SPARE: "this controller has none"}
    controllers = tuple(msgspec.structs.replace(one, refusals=refusals) for one in box.inventory.controllers)
    engine = FakeEngine(
        chassis=msgspec.structs.replace(
            box, inventory=msgspec.structs.replace(box.inventory, controllers=controllers)
        )
    )
    engine.self_tests = wire.SelfTestState(
        kinds=(wire.SelfTestKind.SHORT,), minutes={wire.SelfTestKind.SHORT: 2}, text="the last one passed"
    )
    async with app_for(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press("s")
        await shows(pilot, "this controller has none")
        await pilot.press("enter", "escape")
        await at_rest(pilot)
        await pilot.press("t")
        await shows(
            pilot, "the last one passed", "about 2 min", "long        this drive has none", "none runs"
        )
        await pilot.press("2")
        await shows(pilot, "this drive has none")
        await pilot.press("1")
        await shows(pilot, "a short self-test runs")


# -- rates, upkeep, bays ---------------------------------------------------------------------------------


async def test_rates_are_percent_and_go_through_a_plan(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.healthy_eight())
    async with app_for(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press(":", *"rates", "enter")
        await shows(pilot, "Rebuild %", "Patrol read %")
        await pilot.press("end", "0", "f10")
        await shows(pilot, "1 to 100")
        await pilot.press("backspace", "backspace", "backspace", *"60", "f10")
        await shows(pilot, "y do it")
        await pilot.press("y")
        await shows(pilot, "done as planned")
    assert called(engine, "plan_operation") == [wire.SetRates(controller="sim", rates=wire.Rates(rebuild=60))]


async def test_the_schedule_is_saved_and_a_refusal_keeps_it_open(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.healthy_eight())
    async with app_for(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press(":", *"schedule", "enter")
        await shows(pilot, "Check, days", "Automatic rebuild", "Next check never")
        await pilot.press("down", "down", "down", "down", "end", "9", "f10")
        await shows(pilot, "is not from 0 to 23")
        await pilot.press("backspace", "backspace", *"3", "down", "right", "f10")
        await shows(pilot, "the schedule is saved")
    assert called(engine, "edit_upkeep")[-1] == wire.UpkeepEdit(hour=3, auto_rebuild=False)


async def test_bays_are_learned_drive_by_drive_while_the_lamp_blinks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine(chassis=views.free_eight())
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press(":", *"learn", "enter")
        await shows(pilot, "Which socket is which bay?", "not in a bay (S0SYS)")
        await pilot.press("home", "enter")
        await shows(pilot, "Drive ZL2A00BC", "Its amber lamp blinks fast now")
        await pilot.press("9", "f10")
        await shows(pilot, "a bay of this box: 0 to 7")
        await pilot.press("backspace", "3", "f10")
        await shows(pilot, "Which socket is which bay?")

        async def no_lamp(ref: str, locate: wire.DriveLocate) -> None:
            raise DriveError("no lamp can be driven", "install ledmon")

        monkeypatch.setattr(app.desk.client, "locate_drive", no_lamp)
        await pilot.press("home", "enter")
        await shows(pilot, "no lamp can be driven", "serial numbers on the trays")
        await pilot.press("escape")
        await shows(pilot, "Which socket is which bay?")
        await pilot.press("escape")
        await at_rest(pilot)
    assert called(engine, "learn_bay") == [wire.LearnBay(bay=3, drive=views.drive_id(0))]
    assert [locate.is_on for _, locate in called(engine, "locate_drive")] == [True, False]  # type: ignore[attr-defined]


async def test_a_bay_is_learned_by_number_and_serial_at_once(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.free_eight())
    async with app_for(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press(":", *"learn 4", "enter")
        await shows(pilot, "say bay and serial number")
        await pilot.press(":", *"learn 4 NONE", "enter")
        await shows(pilot, "no drive with the serial number 'NONE'")
        await pilot.press(":", *"learn 4 ZL2A01BC", "enter")
        await shows(pilot, "the socket of drive ZL2A01BC is bay 4")


async def test_drives_that_left_and_steps_of_a_scenario(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.free_eight())
    async with app_for(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press(":", *"gone", "enter")
        await shows(pilot, "Drives that left", "none has left")
        await pilot.press("escape")
        engine.gone_drives = (
            wire.GoneDrive(
                id="x",
                model="ST4000",
                serial="OLD1",
                wwn="",
                size_bytes=4 * views.TB,
                bay=2,
                first_seen_us=views.NOW_US,
                last_seen_us=views.NOW_US,
            ),
        )
        await pilot.press(":", *"gone", "enter")
        await shows(pilot, "OLD1", "last in bay 2 on")
        await pilot.press("escape", ":", *"simulate pull 2", "enter")
        await shows(pilot, "simulated: pull 2")
    assert called(engine, "simulate") == [wire.SimulatedStep(step="pull 2")]
