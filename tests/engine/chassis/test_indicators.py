"""The lamps of the manual: rows BY-04..09 and HW-07..11, HW-16."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chassis.indicators import (
    LAMP_PATTERNS,
    information_pattern,
    is_power_lost,
    lamp_pattern,
    tray_pattern,
    tray_word,
)
from storage.drives.health import DriveHealth, Verdict
from storage.drives.indicators import TRAY_TABLE, Blink, InformationPattern, TrayPattern
from storage.drives.sensors import Sensor, SensorKind, SensorState
from storage.raid.inventory import Task
from storage.raid.states import DriveState, SpareKind, TaskKind, TaskState
from tests.engine.chassis.raids import drive, spare


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (DriveState.ONLINE, TrayPattern.IDLE),
        (DriveState.HOT_SPARE, TrayPattern.IDLE),
        (DriveState.UNCONFIGURED_GOOD, TrayPattern.IDLE),
        (DriveState.FAILED, TrayPattern.FAIL),
        (DriveState.MISSING, TrayPattern.FAIL),
        (DriveState.OFFLINE, TrayPattern.FAIL),
        (DriveState.UNCONFIGURED_BAD, TrayPattern.FAIL),
        (DriveState.REBUILD, TrayPattern.REBUILD),
        (DriveState.COPYBACK, TrayPattern.REBUILD),
        (DriveState.FOREIGN, TrayPattern.IDLE),
        (DriveState.PROTECTED, TrayPattern.IDLE),
        (DriveState.SHIELD, TrayPattern.IDLE),
    ],
)
def test_tray_shows_the_state_of_its_drive(state: DriveState, shown: TrayPattern) -> None:
    assert tray_pattern(drive(3, state)) is shown


def test_empty_bay_is_dark_and_activity_blinks_green() -> None:
    assert tray_pattern(None) is TrayPattern.EMPTY
    assert tray_pattern(drive(1), is_active=True) is TrayPattern.ACTIVE


@given(st.sampled_from(DriveState), st.booleans())
def test_locate_wins_over_everything_and_green_is_off_while_amber_speaks(
    state: DriveState, is_active: bool
) -> None:
    assert tray_pattern(drive(1, state), is_located=True, is_active=is_active) is TrayPattern.LOCATE
    pattern = tray_pattern(drive(1, state), is_active=is_active)
    if pattern in LAMP_PATTERNS:
        assert TRAY_TABLE[pattern].green is Blink.OFF
    assert lamp_pattern(pattern) is not TrayPattern.ACTIVE


def test_drive_whose_place_a_spare_has_taken_is_lit_for_pulling() -> None:
    waiting = drive(2, DriveState.UNCONFIGURED_GOOD, is_awaiting_removal=True)
    assert tray_pattern(waiting) is TrayPattern.FAIL
    assert tray_word(waiting, None, (), is_active=False) == "pull out"


def test_words_say_the_same_without_colour() -> None:
    task = Task(id="t", kind=TaskKind.REBUILD, state=TaskState.RUNNING, drive="d1", progress=0.379)
    failing = DriveHealth(drive="d1", verdict=Verdict.FAILING)
    warning = DriveHealth(drive="d1", verdict=Verdict.WARNING)
    words = [
        tray_word(None, None, (), is_active=False),
        tray_word(drive(1, DriveState.REBUILD), None, (task,), is_active=True),
        tray_word(drive(1, DriveState.FAILED), failing, (), is_active=False),
        tray_word(drive(1), failing, (), is_active=False),
        tray_word(drive(1), warning, (), is_active=False),
        tray_word(drive(1), None, (), is_active=True),
        tray_word(drive(1), None, (), is_active=False),
        tray_word(spare(1), None, (), is_active=False),
        tray_word(spare(1, SpareKind.DEDICATED), None, (), is_active=False),
    ]
    assert words == [
        "empty",
        "rebuild 37 %",
        "FAILED",
        "failing",
        "warning",
        "active",
        "online",
        "spare",
        "dedicated spare",
    ]


def sensor(kind: SensorKind, state: SensorState, name: str = "x") -> Sensor:
    return Sensor(name=name, kind=kind, state=state)


HEAT = sensor(SensorKind.TEMPERATURE, SensorState.FAILED)
FAN = sensor(SensorKind.FAN, SensorState.FAILED)
POWER = sensor(SensorKind.POWER_SUPPLY, SensorState.FAILED)


@pytest.mark.parametrize(
    ("sensors", "shown"),
    [
        ((), InformationPattern.UID_LOCAL),
        ((POWER,), InformationPattern.POWER_FAILURE),
        ((POWER, FAN), InformationPattern.FAN_FAILURE),
        ((POWER, FAN, HEAT), InformationPattern.OVERHEAT),
    ],
)
def test_worst_trouble_comes_first_and_the_uid_gives_way(
    sensors: tuple[Sensor, ...], shown: InformationPattern
) -> None:
    assert information_pattern(sensors, uid=True) is shown


def test_lamp_is_off_when_nothing_is_the_matter() -> None:
    warning = sensor(SensorKind.FAN, SensorState.WARNING)
    assert information_pattern((warning,)) is InformationPattern.OFF


def test_drive_above_its_last_limit_is_overheat() -> None:
    hot = DriveHealth(drive="d", temperature_c=70, temperature_critical_c=70)
    assert information_pattern((), (hot,)) is InformationPattern.OVERHEAT
    warm = DriveHealth(drive="d", temperature_c=69, temperature_critical_c=70)
    assert information_pattern((), (warm,)) is InformationPattern.OFF


def test_alarm_when_only_one_of_two_supplies_is_connected() -> None:
    ok = sensor(SensorKind.POWER_SUPPLY, SensorState.OK, "PS1")
    absent = sensor(SensorKind.POWER_SUPPLY, SensorState.ABSENT, "PS2")
    assert is_power_lost((ok, absent))
    assert not is_power_lost((ok, sensor(SensorKind.POWER_SUPPLY, SensorState.OK, "PS2")))
    assert not is_power_lost((ok,)), "a box with one supply"
    assert is_power_lost((ok, POWER))
