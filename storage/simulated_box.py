"""What the simulated chassis has besides drives: fans, power supplies, temperatures, the lid, self-tests. Plain data."""

from __future__ import annotations

import msgspec

from storage.drives.sensors import Sensor, SensorKind, SensorState
from storage.drives.smart_report import SelfTestKind, SelfTestResult
from storage.raid.simulated_state import SimDrive, SimState

_SOURCE = "simulated"
_FAN_RPM = 5400
_NORMAL_C = {"cpu": 48, "board": 36, "inlet": 24, "exhaust": 33}
_WARNING_C = {"cpu": 80, "board": 70, "inlet": 40, "exhaust": 60}
_OVERHEAT_C = {"cpu": 90, "board": 80, "inlet": 45, "exhaust": 70}
_DRIVE_C = 31
_RUNNING_TEST_C = 2
_WORKING_C = 6
_FAN_GONE_C = 4


class RunningTest(msgspec.Struct):
    kind: SelfTestKind
    started_us: int
    """Time of the simulation."""
    duration_us: int


class BoxState(msgspec.Struct):
    """Everything that a step of a scenario can set, and the drives' own test logs."""

    failed_fans: set[int] = set()
    failed_supplies: set[int] = set()
    temperatures_c: dict[str, int] = {}
    """Set by hand: a place, or the bay's number as text."""
    is_open: bool = False
    tests: dict[str, RunningTest] = {}
    results: dict[str, list[SelfTestResult]] = {}
    """Newest first."""


class Chassis(msgspec.Struct):
    """What is written to the file."""

    drives: SimState
    box: BoxState


def sensors_of(box: BoxState) -> tuple[Sensor, ...]:
    fans = [_fan(number, number in box.failed_fans) for number in range(1, 7)]
    supplies = [_supply(number, number in box.failed_supplies) for number in (1, 2)]
    places = [_place(name, box.temperatures_c.get(name, normal)) for name, normal in _NORMAL_C.items()]
    lid = Sensor(
        name="Chassis Intru",
        kind=SensorKind.INTRUSION,
        state=SensorState.WARNING if box.is_open else SensorState.OK,
        text="the chassis was opened" if box.is_open else "closed",
        source=_SOURCE,
    )
    return (*fans, *supplies, *places, lid)


def _fan(number: int, is_failed: bool) -> Sensor:
    return Sensor(
        name=f"FAN{number}",
        kind=SensorKind.FAN,
        state=SensorState.FAILED if is_failed else SensorState.OK,
        value=0.0 if is_failed else float(_FAN_RPM + 40 * number),
        unit="rpm",
        text="stands still" if is_failed else "",
        source=_SOURCE,
    )


def _supply(number: int, is_failed: bool) -> Sensor:
    return Sensor(
        name=f"PS{number} Status",
        kind=SensorKind.POWER_SUPPLY,
        state=SensorState.FAILED if is_failed else SensorState.OK,
        text="AC lost" if is_failed else "presence detected",
        source=_SOURCE,
    )


def _place(name: str, value_c: int) -> Sensor:
    state = SensorState.OK
    if value_c >= _WARNING_C[name]:
        state = SensorState.FAILED if value_c >= _OVERHEAT_C[name] else SensorState.WARNING
    return Sensor(
        name=f"{'CPU' if name == 'cpu' else name.capitalize()} Temp",
        kind=SensorKind.TEMPERATURE,
        state=state,
        value=float(value_c),
        unit="C",
        text=f"{value_c} degrees, limit {_OVERHEAT_C[name]}" if state is not SensorState.OK else "",
        source=_SOURCE,
    )


def drive_temperature_c(drive: SimDrive, box: BoxState, is_working_hard: bool) -> int:
    """Warmer at the top of the box, when it works hard, and with each fan that is gone."""
    set_c = box.temperatures_c.get(str(drive.bay))
    if set_c is not None:
        return set_c
    place = (drive.bay or 0) % 4 + (2 if drive.bay is not None and drive.bay >= 4 else 0)
    hard = _WORKING_C if is_working_hard else _RUNNING_TEST_C if drive.id in box.tests else 0
    return _DRIVE_C + place + hard + _FAN_GONE_C * len(box.failed_fans)
