from __future__ import annotations

from pathlib import Path

from storage.drives.indicators import TrayPattern
from storage.drives.leds import LedctlLeds, StorcliLeds, SysfsEnclosureLeds, Tray, TrayLamps
from storage.errors import ToolMissing, Unsupported
from tests.storage.drives.fake_machine import FakeMachine, FakeRunner

GOOD = (0, "", "")


def lamps_of(folder: Path) -> tuple[str, str]:
    return (folder / "locate").read_text(), (folder / "fault").read_text()


def test_the_kernels_enclosure_files_show_locate_and_fail_of_the_slot_with_that_number(
    tmp_path: Path,
) -> None:
    machine = FakeMachine(tmp_path)
    machine.add_drive("sdb", hctl="1:0:3:0")
    wrong = machine.add_slot("1:0:15:0", "3", 7)
    right = machine.add_slot("1:0:15:0", "Slot 04", 3, "sdb")
    lamps = TrayLamps([SysfsEnclosureLeds(machine.roots)])
    tray = Tray(bay=0, device="/dev/sdb")
    assert lamps.show({0: TrayPattern.LOCATE}, {0: tray}) == ()
    assert lamps_of(right) == ("1", "0")
    assert lamps.show({0: TrayPattern.FAIL}, {0: tray}) == ()
    assert lamps_of(right) == ("0", "1")
    assert lamps.show({0: TrayPattern.ACTIVE}, {0: tray}) == ()
    assert lamps_of(right) == ("0", "0")
    assert lamps_of(wrong) == ("0", "0")


def test_the_lamp_of_an_empty_bay_is_reached_when_the_chassis_file_names_its_slot(tmp_path: Path) -> None:
    machine = FakeMachine(tmp_path)
    slot = machine.add_slot("1:0:15:0", "Slot 01", 0, id="0x5003")
    lamps = TrayLamps([SysfsEnclosureLeds(machine.roots)])
    assert lamps.show({2: TrayPattern.LOCATE}, {2: Tray(bay=2, enclosure="0x5003", slot=0)}) == ()
    assert lamps_of(slot) == ("1", "0")


def test_ledctl_is_always_told_to_leave_the_other_lamps_alone_and_only_changes_are_written() -> None:
    run = FakeRunner({"ledctl": GOOD})
    lamps = TrayLamps([LedctlLeds(run)])
    trays = {bay: Tray(bay=bay, device=f"/dev/sd{'abc'[bay]}") for bay in range(3)}
    lamps.show({0: TrayPattern.LOCATE, 1: TrayPattern.REBUILD, 2: TrayPattern.IDLE}, trays)
    assert run.lines() == [
        "ledctl -x normal=/dev/sda",
        "ledctl -x locate=/dev/sda",
        "ledctl -x locate_off=/dev/sdb",
        "ledctl -x rebuild=/dev/sdb",
        "ledctl -x locate_off=/dev/sdc",
        "ledctl -x normal=/dev/sdc",
    ]
    run.asked.clear()
    lamps.show({0: TrayPattern.LOCATE, 1: TrayPattern.REBUILD, 2: TrayPattern.ACTIVE}, trays)
    assert run.asked == []
    lamps.show({1: TrayPattern.FAIL}, trays)
    assert run.lines() == ["ledctl -x locate_off=/dev/sdb", "ledctl -x failure=/dev/sdb"]


def test_rebuild_goes_to_the_next_way_and_the_first_one_goes_dark(tmp_path: Path) -> None:
    machine = FakeMachine(tmp_path)
    machine.add_drive("sdb", hctl="1:0:3:0")
    slot = machine.add_slot("1:0:15:0", "1", 0, "sdb")
    run = FakeRunner({"ledctl": GOOD})
    lamps = TrayLamps([SysfsEnclosureLeds(machine.roots), LedctlLeds(run)])
    tray = {0: Tray(bay=0, device="/dev/sdb")}
    lamps.show({0: TrayPattern.FAIL}, tray)
    lamps.show({0: TrayPattern.REBUILD}, tray)
    assert lamps_of(slot) == ("0", "0")
    assert run.lines()[-1] == "ledctl -x rebuild=/dev/sdb"
    lamps.show({0: TrayPattern.IDLE}, tray)
    assert run.lines()[-1] == "ledctl -x normal=/dev/sdb"


def test_what_cannot_be_driven_is_said_once_with_all_its_bays() -> None:
    run = FakeRunner({"ledctl": (0, "", "ledctl: device not supported\n")})
    lamps = TrayLamps([LedctlLeds(run)])
    trays = {bay: Tray(bay=bay, device="/dev/sda", serial=f"S{bay}") for bay in range(2)}
    wanted = {0: TrayPattern.LOCATE, 1: TrayPattern.LOCATE}
    assert lamps.show(wanted, trays) == (
        "the lamp of bay 0 (S0), bay 1 (S1) cannot be driven: ledctl: ledctl: device not supported",
    )
    asked = len(run.asked)
    for _ in range(10):
        assert lamps.show(wanted, trays) == ()
    assert len(run.asked) == asked
    for _ in range(40):
        assert lamps.show(wanted, trays) == ()
    assert len(run.asked) == asked + 2


def test_a_bay_without_drive_or_mapping_is_only_missed_when_its_lamp_is_wanted() -> None:
    lamps = TrayLamps([LedctlLeds(FakeRunner())])
    assert lamps.show({5: TrayPattern.EMPTY}, {}) == ()
    (said,) = lamps.show({5: TrayPattern.LOCATE}, {})
    assert said.startswith("the lamp of bay 5 cannot be driven: there is no drive in it")


def test_a_missing_tool_is_a_reason_not_an_error() -> None:
    run = FakeRunner({"ledctl": ToolMissing("the program ledctl is not installed")})
    (said,) = TrayLamps([LedctlLeds(run)]).show({1: TrayPattern.FAIL}, {1: Tray(bay=1, device="/dev/sda")})
    assert said == "the lamp of bay 1 cannot be driven: the program ledctl is not installed"


def test_a_controller_is_asked_to_locate_and_shows_the_rest_by_itself() -> None:
    run = FakeRunner({"storcli64": GOOD})
    lamps = TrayLamps([StorcliLeds(run)])
    tray = {3: Tray(bay=3, controller_slot="c0:e252:s3")}
    lamps.show({3: TrayPattern.LOCATE}, tray)
    lamps.show({3: TrayPattern.REBUILD}, tray)
    assert run.lines() == ["storcli64 /c0/e252/s3 start locate", "storcli64 /c0/e252/s3 stop locate"]


def test_a_new_drive_in_the_bay_is_shown_the_pattern_again() -> None:
    run = FakeRunner({"ledctl": GOOD})
    lamps = TrayLamps([LedctlLeds(run)])
    lamps.show({0: TrayPattern.FAIL}, {0: Tray(bay=0, device="/dev/sda", serial="A")})
    lamps.show({0: TrayPattern.FAIL}, {0: Tray(bay=0, device="/dev/sdq", serial="B")})
    assert run.lines()[-1] == "ledctl -x failure=/dev/sdq"


def test_an_old_way_that_fails_while_going_dark_stops_nothing() -> None:
    class Once:
        name = "once"
        calls = 0

        def show(self, tray: Tray, pattern: TrayPattern) -> None:
            self.calls += 1
            if self.calls > 1:
                raise Unsupported("gone")

    run = FakeRunner({"ledctl": GOOD})
    lamps = TrayLamps([Once(), LedctlLeds(run)])
    tray = {0: Tray(bay=0, device="/dev/sda")}
    assert lamps.show({0: TrayPattern.LOCATE}, tray) == ()
    assert lamps.show({0: TrayPattern.FAIL}, tray) == ()
    assert run.lines()[-1] == "ledctl -x failure=/dev/sda"
