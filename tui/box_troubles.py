"""What is wrong with the box, worst first, in plain words with bay and serial: the dashboard shows the first, Bays all.

Pure: a reading of the engine's view, nothing is judged anew here.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.wire_chassis import (
    ChassisView,
    Drive,
    DriveState,
    Sensor,
    SensorState,
    Verdict,
    VirtualDriveState,
)
from tui.bay_wording import DRIVE_STATES, VERDICTS, VIRTUAL_DRIVE_STATES, drive_label

BAD_DRIVES = (DriveState.FAILED, DriveState.MISSING, DriveState.OFFLINE, DriveState.UNCONFIGURED_BAD)
BROKEN = (VirtualDriveState.FAILED, VirtualDriveState.OFFLINE)


@dataclass(frozen=True, slots=True)
class Trouble:
    text: str
    is_bad: bool = True
    """False: it works, and someone should look."""

    @property
    def style(self) -> str:
        return "bold $text-error" if self.is_bad else "bold $text-warning"

    @property
    def sign(self) -> str:
        return "!" if self.is_bad else "w"


def troubles(chassis: ChassisView) -> list[Trouble]:
    """All of them; empty when the box is well."""
    inventory = chassis.inventory
    found = [Trouble(job.alarm) for job in chassis.jobs if job.alarm]
    for drive in inventory.virtual_drives:
        if drive.state in BROKEN:
            word = VIRTUAL_DRIVE_STATES[drive.state].word.upper()
            found.append(Trouble(_with_cause(f"virtual drive {drive.name} {word}", drive.cause)))
    found += [Trouble(_capital(chain.exposure)) for chain in chassis.chains if chain.exposure]
    exposed = {chain.virtual_drive for chain in chassis.chains if chain.exposure}
    for drive in inventory.virtual_drives:
        wording = VIRTUAL_DRIVE_STATES[drive.state]
        if drive.state not in (*BROKEN, VirtualDriveState.ONLINE) and drive.id not in exposed:
            found.append(Trouble(_with_cause(f"virtual drive {drive.name} {wording.word}", drive.cause)))
    found += [_bad_drive(drive) for drive in inventory.drives if drive.state in BAD_DRIVES]
    found += [_sensor(sensor) for sensor in chassis.sensors if sensor.state is SensorState.FAILED]
    for verdict in (Verdict.FAILING, Verdict.WARNING):
        found += _unhealthy(chassis, verdict)
    found += [_sensor(sensor) for sensor in chassis.sensors if sensor.state is SensorState.WARNING]
    own = (*chassis.problems, *inventory.problems)
    from_controllers = tuple(problem for one in inventory.controllers for problem in one.problems)
    for problem in (*own, *from_controllers):
        text = problem.what + (f": {problem.remedy}" if problem.remedy else "")
        found.append(Trouble(text, is_bad=False))
    return list(dict.fromkeys(found))


def _bad_drive(drive: Drive) -> Trouble:
    wording = DRIVE_STATES[drive.state]
    place = drive_label(drive)
    return Trouble(_with_cause(f"{place} {wording.word}", drive.cause))


def _unhealthy(chassis: ChassisView, verdict: Verdict) -> list[Trouble]:
    found = []
    for health in chassis.health:
        drive = chassis.inventory.drive(health.drive)
        # Of a failed drive its failure was said already.
        if health.verdict is verdict and drive is not None and drive.state not in BAD_DRIVES:
            why = health.reasons[0] if health.reasons else ""
            words = _with_cause(f"{drive_label(drive)} SMART {VERDICTS[verdict].word}", why)
            found.append(Trouble(words, is_bad=verdict is Verdict.FAILING))
    return found


def _sensor(sensor: Sensor) -> Trouble:
    reading = f"{sensor.value:g} {sensor.unit}".strip() if sensor.value is not None else ""
    words = ", ".join(part for part in (sensor.text, reading) if part) or str(sensor.state)
    return Trouble(f"{sensor.name}: {words}", is_bad=sensor.state is SensorState.FAILED)


def _with_cause(what: str, cause: str) -> str:
    return f"{what}: {cause}" if cause else what


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
