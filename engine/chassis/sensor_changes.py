"""Readings of fans, supplies, temperatures -> states that may be believed, and what to say about them.

A BMC is a poor witness: a fan that is read as stopped once has not failed. A bad state counts when it was seen five times in a row,
as other appliances do; of power supplies at once, because the other one may be next. Pure but for its memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from engine.chassis.happenings import KINDS, Happening, happening
from storage.drives.sensors import Sensor, SensorKind, SensorState

PROBES = 5

_PREFIXES = {
    SensorKind.FAN: "fan",
    SensorKind.POWER_SUPPLY: "power",
    SensorKind.TEMPERATURE: "temperature",
    SensorKind.VOLTAGE: "voltage",
    SensorKind.INTRUSION: "intrusion",
}
_NAMES = {
    SensorKind.FAN: "Fan",
    SensorKind.POWER_SUPPLY: "Power supply",
    SensorKind.TEMPERATURE: "Temperature",
    SensorKind.VOLTAGE: "Voltage",
    SensorKind.INTRUSION: "Chassis intrusion",
}
_SUFFIXES = {SensorState.OK: "ok", SensorState.WARNING: "warning", SensorState.FAILED: "failed"}
_BAD = (SensorState.WARNING, SensorState.FAILED)


@dataclass(slots=True)
class _Memory:
    believed: SensorState
    seen: SensorState
    times: int


class SensorTeller:
    """Remembers each sensor, by name and source."""

    def __init__(self) -> None:
        self._memory: dict[tuple[str, str], _Memory] = {}

    def update(self, readings: Sequence[Sensor]) -> tuple[tuple[Sensor, ...], list[Happening]]:
        """The sensors with the state that is believed, and what there is to say."""
        believed: list[Sensor] = []
        said: list[Happening] = []
        for sensor in readings:
            state, change = self._believe(sensor)
            believed.append(msgspec.structs.replace(sensor, state=state))
            if change is not None:
                said.append(change)
        return tuple(believed), said

    def _believe(self, sensor: Sensor) -> tuple[SensorState, Happening | None]:
        key = (sensor.source, sensor.name)
        memory = self._memory.get(key)
        if memory is None:
            first = SensorState.OK if sensor.state in _BAD else sensor.state
            memory = self._memory[key] = _Memory(first, sensor.state, 0)
        memory.times = memory.times + 1 if sensor.state is memory.seen else 1
        memory.seen = sensor.state
        needed = 1 if sensor.kind is SensorKind.POWER_SUPPLY else PROBES
        if sensor.state is memory.believed or memory.times < needed:
            return memory.believed, None
        before, memory.believed = memory.believed, sensor.state
        return sensor.state, _said(sensor, before)


def _said(sensor: Sensor, before: SensorState) -> Happening | None:
    if sensor.state is SensorState.ABSENT:
        if before is not SensorState.OK or sensor.kind is SensorKind.INTRUSION:
            return None
        return happening(kind_of(sensor.kind, SensorState.FAILED), f"{_reading(sensor)}: gone", sensor.name)
    if sensor.state is SensorState.OK and before is SensorState.ABSENT:
        return happening(kind_of(sensor.kind, SensorState.OK), f"{_reading(sensor)}: there", sensor.name)
    return happening(kind_of(sensor.kind, sensor.state), _reading(sensor), sensor.name)


def kind_of(kind: SensorKind, state: SensorState) -> str:
    if kind is SensorKind.TEMPERATURE and state in _BAD:
        return "temperature.critical" if state is SensorState.FAILED else "temperature.high"
    if kind is SensorKind.INTRUSION and state in _BAD:
        return "intrusion.detected"
    name = f"{_PREFIXES[kind]}.{_SUFFIXES[state]}"
    assert name in KINDS, name
    return name


def _reading(sensor: Sensor) -> str:
    words = f"{_NAMES[sensor.kind]} {sensor.name}"
    if sensor.state is SensorState.OK:
        words += " is in order"
    elif sensor.state in _BAD:
        words += {SensorState.FAILED: " has failed", SensorState.WARNING: " needs attention"}[sensor.state]
    if sensor.kind is SensorKind.TEMPERATURE and sensor.state in _BAD:
        words = f"{_NAMES[sensor.kind]} {sensor.name} is too high"
    value = f"{sensor.value:g} {sensor.unit}".strip() if sensor.value is not None else ""
    detail = ", ".join(part for part in (sensor.text, value) if part)
    return f"{words} ({detail})" if detail else words
