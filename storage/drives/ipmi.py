"""The BMC's sensors by `ipmitool sdr elist`, in-band through /dev/ipmi0 only: no address, no user, no password.

The state of a sensor that measures comes from its status column (what the BMC's thresholds say). That of a sensor that
knows only states comes from the text of its reading: its status column says `ok` for a dead power supply.
"""

from __future__ import annotations

import re

from storage.command import Runner
from storage.drives.sensors import Sensor, SensorKind, SensorState
from storage.roots import Roots

IPMITOOL = ("ipmitool", "-I", "open")
TIMEOUT_S = 30.0
"""A BMC takes up to ten seconds for a few dozen sensors."""
SOURCE = "ipmi"
_ID = re.compile(r"^[0-9A-Fa-f]{1,2}h$")
_READING = re.compile(r"^(-?\d+(?:\.\d+)?) (degrees C|RPM|Volts|Watts|Amps|percent)\b,?\s*(.*)$")
_KINDS = {
    "degrees C": (SensorKind.TEMPERATURE, "C"),
    "RPM": (SensorKind.FAN, "rpm"),
    "Volts": (SensorKind.VOLTAGE, "V"),
}
_NO_READING = ("no reading", "disabled", "not available", "unavailable", "n/a")
_BY_STATUS = {
    "ok": SensorState.OK,
    "nc": SensorState.WARNING,
    "lnc": SensorState.WARNING,
    "unc": SensorState.WARNING,
    "cr": SensorState.FAILED,
    "lcr": SensorState.FAILED,
    "ucr": SensorState.FAILED,
    "nr": SensorState.FAILED,
    "lnr": SensorState.FAILED,
    "unr": SensorState.FAILED,
    "ns": SensorState.ABSENT,
}
_POWER_SUPPLY_ENTITY, _FAN_ENTITY = "10", "29"
"""IPMI 2.0, table 43-13."""
_PSU_FAILED = (
    "failure detected",
    "ac lost",
    "ac out-of-range",
    "config error",
    "redundancy lost",
    "insufficient",
)
_PSU_WARNING = (
    "predictive failure",
    "inactive",
    "redundancy degraded",
    "non-redundant",
    "out-of-range, but present",
)
_FAN_FAILED = ("redundancy lost", "insufficient", "failure", "device removed", "device absent")
_FAN_WARNING = ("redundancy degraded", "non-redundant", "predictive", "critical")


def has_bmc(roots: Roots) -> bool:
    """The kernel found one (modules ipmi_si and ipmi_devintf)."""
    return any((roots.dev / name).exists() for name in ("ipmi0", "ipmi/0", "ipmidev/0"))


def read_sensors(run: Runner) -> tuple[Sensor, ...]:
    """Raises ToolMissing, CommandTimeout, CommandFailed."""
    done = run([*IPMITOOL, "sdr", "elist"], timeout_s=TIMEOUT_S)
    found = parse_sdr_elist(done.text)
    if not found:
        done.checked()
    # One sensor that cannot be read makes it end with 1, with all the others printed.
    return found


def parse_sdr_elist(text: str) -> tuple[Sensor, ...]:
    """`name | 0Ah | status | 29.1 | reading`; lines of other shapes are not sensors."""
    found: list[Sensor] = []
    for line in text.splitlines():
        columns = [column.strip() for column in line.split("|", 4)]
        if len(columns) == 5 and _ID.match(columns[1]):
            sensor = _sensor(columns[0], columns[2].lower(), columns[3].partition(".")[0], columns[4])
            if sensor is not None:
                found.append(sensor)
    return tuple(found)


def _sensor(name: str, status: str, entity: str, reading: str) -> Sensor | None:
    measured = _READING.match(reading)
    if measured and measured[2] in _KINDS:
        return _measured(name, status, float(measured[1]), measured[2])
    text = measured[3] if measured else reading
    has_none = reading.lower() in _NO_READING or status == "ns"
    if _is_intrusion(name, text):
        return _stated(name, SensorKind.INTRUSION, _intrusion_state(text, has_none), text)
    if entity == _POWER_SUPPLY_ENTITY and (has_none or text or not measured):
        value = float(measured[1]) if measured and measured[2] == "Watts" else None
        if measured and not text:
            return None  # a current or a power alone says nothing about the supply
        return _stated(name, SensorKind.POWER_SUPPLY, _supply_state(text, has_none), text, value)
    if entity == _FAN_ENTITY or re.match(r"fan", name, re.IGNORECASE):
        return _stated(name, SensorKind.FAN, _fan_state(text, has_none), text)
    return None


def _measured(name: str, status: str, value: float, unit: str) -> Sensor:
    kind, short = _KINDS[unit]
    state = _BY_STATUS.get(status, SensorState.WARNING)
    text = {SensorState.WARNING: "outside its limits", SensorState.FAILED: "far outside its limits"}.get(
        state, ""
    )
    if kind is SensorKind.FAN and value == 0 and state is not SensorState.ABSENT:
        # No limit is set on some boards: a fan that is there and does not turn is dead all the same.
        state, text = SensorState.FAILED, "does not turn"
    return Sensor(name=name, kind=kind, state=state, value=value, unit=short, text=text, source=SOURCE)


def _stated(name: str, kind: SensorKind, state: SensorState, text: str, value: float | None = None) -> Sensor:
    unit = "W" if value is not None else ""
    return Sensor(name=name, kind=kind, state=state, value=value, unit=unit, text=text, source=SOURCE)


def _is_intrusion(name: str, text: str) -> bool:
    return "intru" in name.lower() or "intrusion" in text.lower()


def _intrusion_state(text: str, has_none: bool) -> SensorState:
    if has_none:
        return SensorState.ABSENT
    return SensorState.WARNING if "intrusion" in text.lower() else SensorState.OK


def _supply_state(text: str, has_none: bool) -> SensorState:
    said = text.lower()
    if has_none or not said or "not present" in said or "absent" in said:
        return SensorState.ABSENT
    return _worst(said, _PSU_FAILED, _PSU_WARNING)


def _fan_state(text: str, has_none: bool) -> SensorState:
    if has_none or not text:
        return SensorState.ABSENT
    return _worst(text.lower(), _FAN_FAILED, _FAN_WARNING)


def _worst(said: str, failed: tuple[str, ...], warning: tuple[str, ...]) -> SensorState:
    # "insufficient resources" is worse than the "non-redundant" before it; "out-of-range, but present" less than "out-of-range".
    lesser = next((words for words in warning if words in said), "")
    rest = said.replace(lesser, "") if lesser else said
    if any(words in rest for words in failed):
        return SensorState.FAILED
    return SensorState.WARNING if lesser else SensorState.OK
