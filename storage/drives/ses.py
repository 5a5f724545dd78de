"""Fans, power supplies, temperatures, voltages and slots of SES enclosures, from `sg_ses --join`. Lamps: leds.py.

The text is stable over sg3_utils 1.42 to 1.48; JSON came only with 1.48.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from storage.command import Runner
from storage.drives.sensors import Sensor, SensorKind, SensorState
from storage.errors import DriveError
from storage.roots import Roots
from storage.volumes.block_chain import listed

TIMEOUT_S = 20.0
SOURCE = "ses"
_ELEMENT = re.compile(r"^(.*?)\s*\[(\d+),(-?\d+)\]\s+Element type: (.+?)\s*$")
_STATUS = re.compile(r"\bstatus: ([A-Za-z][A-Za-z -]*)")
_FLAG = re.compile(r"(?:^|, *)([A-Z][A-Za-z/ ]*?)=(\d+)(?=,|$)")
_SPEED = re.compile(r"Actual speed=(\d+) rpm")
_TEMPERATURE = re.compile(r"Temperature=(-?\d+) C")
_VOLTAGE = re.compile(r"Voltage: (-?\d+(?:\.\d+)?) volts", re.IGNORECASE)
_SLOT = re.compile(r"device slot number: (\d+)")
_ADDRESS = re.compile(r"^\s+SAS address: (0x[0-9a-f]+)", re.MULTILINE)
_KINDS = {
    "Cooling": SensorKind.FAN,
    "Power supply": SensorKind.POWER_SUPPLY,
    "Temperature sensor": SensorKind.TEMPERATURE,
    "Voltage sensor": SensorKind.VOLTAGE,
}
_BY_STATUS = {
    "ok": SensorState.OK,
    "noncritical": SensorState.WARNING,
    "non-critical": SensorState.WARNING,
    "critical": SensorState.FAILED,
    "unrecoverable": SensorState.FAILED,
    "not installed": SensorState.ABSENT,
    "not available": SensorState.ABSENT,
    "unsupported": SensorState.ABSENT,
    "unknown": SensorState.ABSENT,
}
_FAULTS = {
    "Fail": "failed",
    "AC fail": "AC lost",
    "DC fail": "DC output lost",
    "DC overvoltage": "DC overvoltage",
    "DC undervoltage": "DC undervoltage",
    "DC overcurrent": "DC overcurrent",
    "Overtmp fail": "too hot",
    "OT failure": "too hot",
    "UT failure": "too cold",
    "Crit Over": "far above its limit",
    "Crit Under": "far below its limit",
}
_WARNINGS = {
    "Predicted failure": "failure predicted",
    "Temperature warn": "warm",
    "OT warning": "warm",
    "UT warning": "cold",
    "Warn Over": "above its limit",
    "Warn Under": "below its limit",
}


@dataclass(frozen=True, slots=True)
class SesElement:
    """An element of an enclosure; overall elements (index -1) are left out."""

    name: str
    kind: str
    """As sg_ses names the type."""
    status: str
    flags: dict[str, int]
    text: str


@dataclass(frozen=True, slots=True)
class SesSlot:
    """A slot for a drive."""

    number: int
    name: str
    state: str
    """ok, not installed, ..."""
    sas_address: str
    is_locating: bool
    is_failed: bool


def parse_join(text: str) -> list[SesElement]:
    """Of `sg_ses --join`, with or without `--filter`."""
    found: list[SesElement] = []
    head: re.Match[str] | None = None
    body: list[str] = []
    for line in [*text.splitlines(), "end [0,0]  Element type: end"]:
        match = _ELEMENT.match(line)
        if match is None:
            body.append(line)
            continue
        if head is not None and int(head[3]) >= 0:
            found.append(_element(head, "\n".join(body)))
        head, body = match, []
    return found


def _element(head: re.Match[str], body: str) -> SesElement:
    kind = head[4].strip()
    status = _STATUS.search(body)
    flags = {
        flag[1].strip(): int(flag[2]) for line in body.splitlines() for flag in _FLAG.finditer(line.strip())
    }
    return SesElement(
        name=head[1].strip() or f"{kind} {head[2]}.{head[3]}",
        kind=kind,
        status=status[1].strip().lower() if status else "unknown",
        flags=flags,
        text=body,
    )


def sensors_of(elements: list[SesElement]) -> tuple[Sensor, ...]:
    """Fans, supplies, temperatures and voltages; what is not supported by the enclosure is left out."""
    found: list[Sensor] = []
    for element in elements:
        kind = _KINDS.get(element.kind)
        if kind is None or element.status == "unsupported":
            continue
        state, text = _judged(element)
        value, unit = _value(element, kind)
        if kind is SensorKind.FAN and value == 0 and state is SensorState.OK:
            state, text = SensorState.FAILED, "does not turn"
        found.append(
            Sensor(
                name=element.name, kind=kind, state=state, value=value, unit=unit, text=text, source=SOURCE
            )
        )
    return tuple(found)


def _judged(element: SesElement) -> tuple[SensorState, str]:
    state = _BY_STATUS.get(element.status, SensorState.WARNING)
    if state is SensorState.ABSENT:
        return state, element.status
    faults = [words for flag, words in _FAULTS.items() if element.flags.get(flag)]
    warnings = [words for flag, words in _WARNINGS.items() if element.flags.get(flag)]
    if faults or state is SensorState.FAILED:
        return SensorState.FAILED, ", ".join(faults + warnings) or element.status
    if warnings or state is SensorState.WARNING:
        return SensorState.WARNING, ", ".join(warnings) or element.status
    return state, ""


def _value(element: SesElement, kind: SensorKind) -> tuple[float | None, str]:
    pattern, unit = {
        SensorKind.FAN: (_SPEED, "rpm"),
        SensorKind.TEMPERATURE: (_TEMPERATURE, "C"),
        SensorKind.VOLTAGE: (_VOLTAGE, "V"),
    }.get(kind, (None, ""))
    match = pattern.search(element.text) if pattern else None
    return (float(match[1]), unit) if match else (None, "")


def slots_of(elements: list[SesElement]) -> list[SesSlot]:
    """By the device slot number of the additional status page; elements without one are not slots."""
    found: list[SesSlot] = []
    for element in elements:
        number = _SLOT.search(element.text)
        if element.kind not in ("Array device slot", "Device slot") or number is None:
            continue
        address = _ADDRESS.search(element.text)
        found.append(
            SesSlot(
                number=int(number[1]),
                name=element.name,
                state=element.status,
                sas_address=address[1] if address and int(address[1], 16) else "",
                is_locating=bool(element.flags.get("Ident")),
                is_failed=bool(element.flags.get("Fault sensed") or element.flags.get("Fault reqstd")),
            )
        )
    return found


def enclosure_devices(roots: Roots) -> list[str]:
    """/dev/sgN of every enclosure the kernel knows."""
    base = roots.sys / "class" / "enclosure"
    return [
        f"/dev/{name}"
        for enclosure in listed(base)
        for name in listed(base / enclosure / "device" / "scsi_generic")
    ]


def read_enclosures(roots: Roots, run: Runner) -> tuple[Sensor, ...]:
    """Of all enclosures; none on a box without. Raises ToolMissing; CommandFailed, CommandTimeout when none answers."""
    found: list[Sensor] = []
    failure: DriveError | None = None
    answered = 0
    for device in enclosure_devices(roots):
        try:
            done = run(["sg_ses", "--join", device], timeout_s=TIMEOUT_S).checked()
        except DriveError as error:
            failure = error
            continue
        answered += 1
        found += sensors_of(parse_join(done.text))
    if failure is not None and not answered:
        raise failure
    return tuple(found)
