from __future__ import annotations

from pathlib import Path

import pytest

from storage.drives.ambient import judged
from storage.drives.beeper import Beeper
from storage.drives.box_sensors import BoxSensors
from storage.drives.hwmon import BoardSensors
from storage.drives.indicators import InformationPattern
from storage.drives.information_led import InformationLamp
from storage.drives.ipmi import parse_sdr_elist, read_sensors
from storage.drives.power_supplies import is_on_last_supply, supplies_with_input
from storage.drives.sensors import Sensor, SensorKind, SensorState
from storage.drives.ses import parse_join, sensors_of, slots_of
from storage.errors import CommandFailed, CommandTimeout, ToolMissing, Unsupported
from tests.fixtures_path import require_fixtures
from tests.storage.drives.fake_machine import FakeMachine, FakeRunner

DATA = Path(__file__).resolve().parents[2] / "data"
ELIST = "ipmitool -I open sdr elist"
SDR_ELIST_CAPTURES = {
    "lab/faults.sdr-elist.txt": 14,
    "lab/ok.sdr-elist.txt": 14,
    "lab/faults.sdr-type-fan.txt": 6,
    "lab/faults.sdr-type-psu.txt": 2,
    "influxdata_telegraf/ipmi_sensor_test.go.01.txt": 4,
}
OTHER_OUTPUT_OF_IPMITOOL = {
    "lab/ok.sensor.txt": "ipmitool sensor: slower, and discrete states are bit masks",
    "lab/faults.sdr-elist.csv": "ipmitool -c: readings with commas cannot be told apart",
    "lab/faults.sel-elist.txt": "the event log",
    "lab/faults.mc-info.txt": "about the BMC itself",
    "lab/faults.ipmi-sensors.csv": "an error message of FreeIPMI, another program",
}
NOT_IPMITOOL = ("influxdata_telegraf/redfish__", "metal-toolbox_ironlib/")
"""Redfish over HTTP, and Supermicro's ipmicfg: neither is used here."""


def by_name(sensors: tuple[Sensor, ...]) -> dict[str, Sensor]:
    return {sensor.name: sensor for sensor in sensors}


# -- IPMI ------------------------------------------------------------------------------------------------


def test_every_ipmi_capture_is_parsed_or_named_as_something_else() -> None:
    folder = require_fixtures("raid/ipmi")
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = str(path.relative_to(folder))
        found = parse_sdr_elist(path.read_text(errors="replace"))
        if name in SDR_ELIST_CAPTURES:
            assert len(found) == SDR_ELIST_CAPTURES[name], name
        else:
            assert name in OTHER_OUTPUT_OF_IPMITOOL or name.startswith(NOT_IPMITOOL), name
            assert found == (), name


def test_a_dead_power_supply_is_seen_although_its_status_says_ok() -> None:
    found = by_name(parse_sdr_elist((DATA / "ipmi" / "faults.sdr-elist.txt").read_text()))
    assert found["PS1 Status"].state is SensorState.FAILED
    assert found["PS1 Status"].text == "Presence detected, Power Supply AC lost"
    assert found["PS2 Status"].state is SensorState.FAILED
    assert found["Chassis Intru"].state is SensorState.WARNING
    assert (found["FAN3"].state, found["FAN3"].text) == (SensorState.FAILED, "does not turn")
    assert (found["FAN4"].state, found["FAN4"].value) == (SensorState.FAILED, 400)
    assert (found["System Temp"].state, found["System Temp"].value) == (SensorState.FAILED, 87)
    assert found["CPU Temp"].state is SensorState.OK
    assert "Drive Slot 1" not in found


def test_a_healthy_box_has_nothing_to_report() -> None:
    found = parse_sdr_elist((DATA / "ipmi" / "ok.sdr-elist.txt").read_text())
    assert {sensor.state for sensor in found} == {SensorState.OK}
    assert [sensor.kind for sensor in found].count(SensorKind.FAN) == 6


@pytest.mark.parametrize(
    ("reading", "state"),
    [
        ("Presence detected", SensorState.OK),
        ("", SensorState.ABSENT),
        ("No Reading", SensorState.ABSENT),
        ("Presence detected, AC lost or out-of-range", SensorState.FAILED),
        ("Presence detected, AC out-of-range, but present", SensorState.WARNING),
        ("Presence detected, Predictive failure", SensorState.WARNING),
        ("Presence detected, Power Supply Inactive", SensorState.WARNING),
        ("Presence detected, Config Error", SensorState.FAILED),
        ("110 Watts, Presence detected", SensorState.OK),
        ("Fully Redundant", SensorState.OK),
        ("Redundancy Lost", SensorState.FAILED),
        ("Non-Redundant: Insufficient Resources", SensorState.FAILED),
        ("Non-Redundant: Sufficient from Redundant", SensorState.WARNING),
    ],
)
def test_the_text_of_a_power_supply_decides(reading: str, state: SensorState) -> None:
    (found,) = parse_sdr_elist(f"PS1 Status       | C8h | ok  | 10.1 | {reading}\n")
    assert (found.kind, found.state) == (SensorKind.POWER_SUPPLY, state)


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("FAN1 | 41h | nc  | 29.1 | 700 RPM", SensorState.WARNING),
        ("FAN1 | 41h | cr  | 29.1 | 500 RPM", SensorState.FAILED),
        ("FAN1 | 41h | ns  | 29.1 | No Reading", SensorState.ABSENT),
        ("FAN1 | 41h | ok  | 29.1 | 0 RPM", SensorState.FAILED),
        ("Fan Redundancy | 75h | ok  | 29.1 | Redundancy Lost", SensorState.FAILED),
    ],
)
def test_a_fan_is_judged_by_its_limits(line: str, state: SensorState) -> None:
    (found,) = parse_sdr_elist(line)
    assert (found.kind, found.state) == (SensorKind.FAN, state)


def test_one_unreadable_sensor_does_not_hide_the_others() -> None:
    text = (DATA / "ipmi" / "ok.sdr-elist.txt").read_text()
    assert len(read_sensors(FakeRunner({ELIST: (1, text, "Get SDR record failed")}))) == 14
    with pytest.raises(CommandFailed, match="Could not open device"):
        read_sensors(FakeRunner({ELIST: (1, "", "Could not open device at /dev/ipmi0")}))


def test_the_bmc_is_asked_in_band_and_no_password_is_ever_named() -> None:
    run = FakeRunner({"ipmitool": (0, "", "")})
    read_sensors(run)
    assert run.asked == [("ipmitool", "-I", "open", "sdr", "elist")]


# -- power supplies --------------------------------------------------------------------------------------


def supply(name: str, state: SensorState, text: str = "Presence detected", source: str = "ipmi") -> Sensor:
    return Sensor(name=name, kind=SensorKind.POWER_SUPPLY, state=state, text=text, source=source)


def test_the_alarm_is_for_exactly_one_supply_with_input_of_several() -> None:
    good, lost = supply("PS1", SensorState.OK), supply("PS2", SensorState.FAILED, "AC lost")
    absent = supply("PS2", SensorState.ABSENT, "")
    whole = supply("PS Redundancy", SensorState.FAILED, "Redundancy Lost")
    assert not is_on_last_supply([good, supply("PS2", SensorState.OK)])
    assert is_on_last_supply([good, lost])
    assert is_on_last_supply([good, absent])
    assert is_on_last_supply([good, lost, whole])
    assert not is_on_last_supply([good])
    assert not is_on_last_supply([lost, absent])
    assert supplies_with_input([good, lost, whole]) == (good,)


def test_supplies_of_an_enclosure_are_counted_apart_from_those_of_the_box() -> None:
    box = [supply("PS1", SensorState.OK), supply("PS2", SensorState.OK)]
    shelf = [supply("A", SensorState.OK, source="ses"), supply("B", SensorState.FAILED, source="ses")]
    assert is_on_last_supply([*box, *shelf])
    assert not is_on_last_supply([*box, shelf[0]])


# -- SES -------------------------------------------------------------------------------------------------


def test_an_enclosure_tells_fans_supplies_temperatures_and_slots() -> None:
    elements = parse_join((DATA / "sg_ses" / "areca-join.txt").read_text())
    found = by_name(sensors_of(elements))
    assert (found["CPUFan"].value, found["CPUFan"].state) == (7500, SensorState.OK)
    assert found["Fan 01"].state is SensorState.ABSENT
    assert (found["ENC. Temp"].value, found["ENC. Temp"].unit) == (49, "C")
    assert found["0.95V"].value == 0.94
    assert found["PowerSupply01"].state is SensorState.ABSENT
    slots = slots_of(elements)
    assert [slot.number for slot in slots] == list(range(24))
    assert [(slot.number, slot.sas_address) for slot in slots if slot.state == "ok"][0] == (
        18,
        "0x5000c5003011cb29",
    )


def test_every_joined_ses_capture_parses() -> None:
    folder = require_fixtures("raid/sg_ses")
    joined = sorted(folder.rglob("*join*.txt")) + [folder / "lab" / "areca-all.txt"]
    for path in joined:
        elements = parse_join(path.read_text(errors="replace"))
        assert len(sensors_of(elements)) >= 11, path
        assert len({slot.number for slot in slots_of(elements)}) == len(slots_of(elements)) >= 15, path


@pytest.mark.parametrize(
    ("body", "state", "text"),
    [
        ("status: OK\n    Ident=0, AC fail=1, DC fail=0", SensorState.FAILED, "AC lost"),
        ("status: Critical\n    Ident=0, AC fail=0", SensorState.FAILED, "critical"),
        ("status: Noncritical\n    Temperature warn=1", SensorState.WARNING, "warm"),
        ("status: Not installed\n    Fail=1", SensorState.ABSENT, "not installed"),
        ("status: OK\n    Ident=0, Fail=0", SensorState.OK, ""),
    ],
)
def test_the_flags_of_an_element_count_as_its_status_does(body: str, state: SensorState, text: str) -> None:
    text_of = (
        f"PSU A [7,0]  Element type: Power supply\n  Enclosure Status:\n    Predicted failure=0, {body}\n"
    )
    (found,) = sensors_of(parse_join(text_of))
    assert (found.name, found.state, found.text) == ("PSU A", state, text)


# -- the board's own chips -------------------------------------------------------------------------------


def test_a_header_without_a_fan_is_no_failure_but_a_fan_that_stops_is(tmp_path: Path) -> None:
    machine = FakeMachine(tmp_path)
    chip = machine.roots.sys / "class" / "hwmon" / "hwmon3"
    for name, text in {
        "name": "nct6775",
        "fan1_input": "1200",
        "fan1_label": "CPU",
        "fan2_input": "0",
    }.items():
        machine.write(chip, name, text)
    board = BoardSensors(machine.roots)
    first = by_name(board.read())
    assert (first["nct6775 CPU"].state, first["nct6775 CPU"].value) == (SensorState.OK, 1200)
    assert first["nct6775 fan2"].state is SensorState.ABSENT
    machine.write(chip, "fan1_input", "0")
    assert by_name(board.read())["nct6775 CPU"].state is SensorState.FAILED


def test_a_temperature_is_judged_by_the_chips_limits_and_drives_are_left_to_the_scan(tmp_path: Path) -> None:
    machine = FakeMachine(tmp_path)
    base = machine.roots.sys / "class" / "hwmon"
    for name, text in {
        "name": "coretemp",
        "temp1_input": "85000",
        "temp1_label": "Package id 0",
        "temp1_max": "80000",
        "temp1_crit": "100000",
        "temp2_input": "101000",
        "temp2_crit": "100000",
        "temp3_input": "-128000",
        "temp4_input": "40000",
        "temp4_max": "0",
    }.items():
        machine.write(base / "hwmon0", name, text)
    machine.write(base / "hwmon1", "name", "drivetemp")
    machine.write(base / "hwmon1", "temp1_input", "40000")
    found = by_name(BoardSensors(machine.roots).read())
    assert {name: sensor.state for name, sensor in found.items()} == {
        "coretemp Package id 0": SensorState.WARNING,
        "coretemp temp2": SensorState.FAILED,
        "coretemp temp4": SensorState.OK,
    }


@pytest.mark.parametrize(
    ("name", "degrees", "state"),
    [
        ("Inlet Temp", 36, SensorState.WARNING),
        ("Ambient", 4, SensorState.WARNING),
        ("Inlet Temp", 35, SensorState.OK),
        ("CPU Temp", 60, SensorState.OK),
    ],
)
def test_the_air_around_the_box_has_limits_of_its_own(name: str, degrees: float, state: SensorState) -> None:
    sensor = Sensor(name=name, kind=SensorKind.TEMPERATURE, state=SensorState.OK, value=degrees, unit="C")
    assert judged([sensor])[0].state is state


# -- joined ----------------------------------------------------------------------------------------------


def test_the_board_is_read_only_where_no_bmc_answers(tmp_path: Path) -> None:
    machine = FakeMachine(tmp_path)
    machine.write(machine.roots.sys / "class/hwmon/hwmon0", "name", "nct6775")
    machine.write(machine.roots.sys / "class/hwmon/hwmon0", "fan1_input", "900")
    run = FakeRunner({ELIST: (0, "FAN1 | 41h | ok | 29.1 | 4200 RPM\n", "")})
    assert [sensor.source for sensor in BoxSensors(machine.roots, run).read()] == ["hwmon"]
    assert run.asked == []
    machine.write(machine.roots.dev, "ipmi0", "")
    assert [sensor.source for sensor in BoxSensors(machine.roots, run).read()] == ["ipmi"]


def test_a_source_that_fails_is_a_problem_while_the_others_go_on(tmp_path: Path) -> None:
    machine = FakeMachine(tmp_path)
    machine.write(machine.roots.dev, "ipmi0", "")
    box = BoxSensors(machine.roots, FakeRunner({ELIST: ToolMissing("the program ipmitool is not installed")}))
    with pytest.raises(ToolMissing):
        box.read()
    machine.write(machine.roots.sys / "class/hwmon/hwmon0", "fan1_input", "900")
    assert len(box.read()) == 1
    (problem,) = box.problems
    assert problem.what == "sensors: the program ipmitool is not installed"


def test_enclosures_are_asked_through_their_own_device(tmp_path: Path) -> None:
    machine = FakeMachine(tmp_path)
    for number in (4, 9):
        (machine.roots.sys / f"class/enclosure/0:0:{number}:0/device/scsi_generic/sg{number}").mkdir(
            parents=True
        )
    text = (DATA / "sg_ses" / "areca-join.txt").read_text()
    run = FakeRunner(
        {
            "sg_ses --join /dev/sg4": CommandTimeout("sg_ses did not end"),
            "sg_ses --join /dev/sg9": (0, text, ""),
        }
    )
    assert len(BoxSensors(machine.roots, run).read()) == 11


# -- lamps of the box ------------------------------------------------------------------------------------


def test_the_uid_goes_through_the_bmc_and_only_changes_are_sent(tmp_path: Path) -> None:
    machine = FakeMachine(tmp_path)
    machine.write(machine.roots.dev, "ipmi0", "")
    run = FakeRunner({"ipmitool": (0, "", "")})
    lamp = InformationLamp(machine.roots, run)
    assert lamp.show(InformationPattern.OFF) == ()
    for pattern in (InformationPattern.UID_REMOTE, InformationPattern.UID_REMOTE, InformationPattern.OFF):
        assert lamp.show(pattern) == ()
    assert run.lines() == [
        "ipmitool -I open chassis identify force",
        "ipmitool -I open chassis identify 0",
    ]


def test_an_old_bmc_is_asked_for_as_long_as_it_can_and_that_is_said(tmp_path: Path) -> None:
    machine = FakeMachine(tmp_path)
    machine.write(machine.roots.dev, "ipmi0", "")
    run = FakeRunner(
        {
            "ipmitool -I open chassis identify force": (1, "", "Set Chassis Identify command failed"),
            "ipmitool -I open chassis identify 255": (0, "", ""),
        }
    )
    (said,) = InformationLamp(machine.roots, run).show(InformationPattern.UID_LOCAL)
    assert "after 255 s" in said


def test_lamps_that_are_the_bmcs_own_are_said_to_be_so_once(tmp_path: Path) -> None:
    run = FakeRunner()
    lamp = InformationLamp(FakeMachine(tmp_path).roots, run)
    assert "fan failure" in lamp.show(InformationPattern.FAN_FAILURE)[0]
    assert lamp.show(InformationPattern.FAN_FAILURE) == ()
    assert "no BMC" in lamp.show(InformationPattern.UID_REMOTE)[0]
    assert run.asked == []


def test_the_beeper_says_why_it_cannot(tmp_path: Path) -> None:
    machine = FakeMachine(tmp_path)
    beeper = Beeper(machine.roots)
    beeper.set(False)
    with pytest.raises(Unsupported, match="no beeper"):
        beeper.set(True)
    machine.write(machine.roots.sys / "class/input/input5", "name", "PC Speaker")
    machine.write(machine.roots.dev, "tty0", "")
    with pytest.raises(Unsupported, match="cannot be switched"):
        beeper.set(True)
