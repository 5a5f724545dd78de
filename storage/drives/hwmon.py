"""Fans and temperatures of the board from the kernel (hwmon), for boxes without a BMC or beside one.

Not here: the drives' own sensors (drive_hwmon.py). Voltages are left out: a Super-I/O chip reports them unscaled.
"""

from __future__ import annotations

import re
from pathlib import Path

from storage.drives.sensors import Sensor, SensorKind, SensorState
from storage.roots import Roots
from storage.volumes.block_chain import listed, read_text

SOURCE = "hwmon"
_DRIVES = ("drivetemp", "nvme")
_INPUT = re.compile(r"^(fan|temp)(\d+)_input$")
_COLDEST_C, _HOTTEST_C = -40.0, 150.0
"""Outside of this nothing is connected."""


class BoardSensors:
    """Remembers which fans ever turned: a header without a fan reads 0 as a dead fan does. One thread at a time."""

    def __init__(self, roots: Roots) -> None:
        self._base = roots.sys / "class" / "hwmon"
        self._turned: set[str] = set()

    def read(self) -> tuple[Sensor, ...]:
        found: list[Sensor] = []
        for folder in (self._base / name for name in listed(self._base)):
            chip = read_text(folder / "name")
            if chip in _DRIVES:
                continue
            inputs = [match for name in listed(folder) if (match := _INPUT.match(name))]
            for match in sorted(inputs, key=lambda match: (match[1], int(match[2]))):
                sensor = self._sensor(folder, chip, match[1], match[2])
                if sensor is not None:
                    found.append(sensor)
        return tuple(found)

    def _sensor(self, folder: Path, chip: str, what: str, number: str) -> Sensor | None:
        base = f"{what}{number}"
        value = _value(folder / f"{base}_input")
        if value is None:
            return None
        label = read_text(folder / f"{base}_label") or base
        name = f"{chip} {label}".strip()
        has_alarm = any(
            read_text(folder / f"{base}_{suffix}") == "1" for suffix in ("alarm", "fault", "crit_alarm")
        )
        if what == "fan":
            return self._fan(name, value, _value(folder / f"{base}_min") or 0.0, has_alarm)
        return _temperature(name, value / 1000, _limits(folder, base), has_alarm)

    def _fan(self, name: str, rpm: float, lowest_rpm: float, has_alarm: bool) -> Sensor | None:
        if rpm > 0:
            self._turned.add(name)
        is_expected = name in self._turned or lowest_rpm > 0
        state, text = SensorState.OK, ""
        if rpm == 0 and not is_expected:
            state, text = SensorState.ABSENT, "no fan connected, or it has not turned since the start"
        elif rpm == 0:
            state, text = SensorState.FAILED, "does not turn"
        elif has_alarm or rpm < lowest_rpm:
            state, text = SensorState.WARNING, "turns too slowly"
        return Sensor(
            name=name, kind=SensorKind.FAN, state=state, value=rpm, unit="rpm", text=text, source=SOURCE
        )


def _value(path: Path) -> float | None:
    try:
        return float(read_text(path))
    except ValueError:
        return None


def _limits(folder: Path, base: str) -> tuple[float | None, float | None]:
    """Warning and critical, degrees; a limit of nought or far out is one that nobody set."""
    found = []
    for suffix in ("max", "crit"):
        value = _value(folder / f"{base}_{suffix}")
        found.append(value / 1000 if value is not None and 0 < value <= _HOTTEST_C * 1000 else None)
    return found[0], found[1]


def _temperature(
    name: str, degrees: float, limits: tuple[float | None, float | None], has_alarm: bool
) -> Sensor | None:
    if not _COLDEST_C < degrees < _HOTTEST_C or degrees == 0:
        return None
    warning, critical = limits
    state, text = SensorState.OK, ""
    if critical is not None and degrees >= critical:
        state, text = SensorState.FAILED, f"at or above its limit of {critical:g} C"
    elif has_alarm or (warning is not None and degrees >= warning):
        state, text = SensorState.WARNING, "above its limit" if warning is None else f"above {warning:g} C"
    return Sensor(
        name=name,
        kind=SensorKind.TEMPERATURE,
        state=state,
        value=degrees,
        unit="C",
        text=text,
        source=SOURCE,
    )
