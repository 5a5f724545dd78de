"""Row HW-18: the box may work between 5 and 35 degrees; judged on the sensors that measure the air it draws in."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from storage.drives.sensors import Sensor, SensorKind, SensorState

LOWEST_C, HIGHEST_C = 5.0, 35.0
_AIR = re.compile(r"inlet|ambient|intake", re.IGNORECASE)


def judged(sensors: Sequence[Sensor]) -> tuple[Sensor, ...]:
    """The same sensors; one that is fine by the box's own limits but outside of these warns."""
    return tuple(_judged(sensor) for sensor in sensors)


def _judged(sensor: Sensor) -> Sensor:
    is_air = sensor.kind is SensorKind.TEMPERATURE and _AIR.search(sensor.name) is not None
    if not is_air or sensor.state is not SensorState.OK or sensor.value is None:
        return sensor
    if LOWEST_C <= sensor.value <= HIGHEST_C:
        return sensor
    text = f"the air around the box should have {LOWEST_C:g} to {HIGHEST_C:g} C"
    return msgspec.structs.replace(sensor, state=SensorState.WARNING, text=text)
