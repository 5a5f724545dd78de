"""Redundant power supplies (rows HW-15, HW-16): how many of them have input, and whether only one is left."""

from __future__ import annotations

from collections.abc import Sequence

from storage.drives.sensors import Sensor, SensorKind, SensorState


def power_supplies(sensors: Sequence[Sensor]) -> tuple[Sensor, ...]:
    """One sensor a supply; what speaks of the redundancy as a whole is not one."""
    return tuple(
        sensor
        for sensor in sensors
        if sensor.kind is SensorKind.POWER_SUPPLY
        and "redundan" not in sensor.name.lower()
        and "redundan" not in sensor.text.lower()
    )


def supplies_with_input(sensors: Sequence[Sensor]) -> tuple[Sensor, ...]:
    """Those that deliver: present, not failed, with mains."""
    return tuple(
        sensor
        for sensor in power_supplies(sensors)
        if sensor.state in (SensorState.OK, SensorState.WARNING) and "inactive" not in sensor.text.lower()
    )


def is_on_last_supply(sensors: Sequence[Sensor]) -> bool:
    """Exactly one of several has input: the box sounds its alarm (row HW-16). A box built with one supply has none to lose;
    supplies of an enclosure beside the box are counted apart."""
    for source in {sensor.source for sensor in power_supplies(sensors)}:
        one_box = [sensor for sensor in sensors if sensor.source == source]
        if len(power_supplies(one_box)) > 1 and len(supplies_with_input(one_box)) == 1:
            return True
    return False
