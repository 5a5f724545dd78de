"""Fans, power supplies, temperatures and intrusion as values, whoever measured them (BMC, hwmon, SES, simulated)."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class SensorKind(StrEnum):
    FAN = "fan"
    POWER_SUPPLY = "power_supply"
    TEMPERATURE = "temperature"
    VOLTAGE = "voltage"
    INTRUSION = "intrusion"


class SensorState(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    ABSENT = "absent"
    """Not plugged in, or no reading."""


class Sensor(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    """As the box names it: FAN3, PS1 Status."""
    kind: SensorKind
    state: SensorState
    value: float | None = None
    unit: str = ""
    """rpm, C, V; empty for states."""
    text: str = ""
    """Plain words: `AC lost`, `intrusion detected`."""
    source: str = ""
    """ipmi, hwmon, ses or simulated."""
