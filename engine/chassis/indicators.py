"""Which lamp shows what: one pure function for a tray (rows BY-04..09) and one for the box's information LED (HW-07..11).

The lamps' own table is storage/drives/indicators.py; driving them is the hardware's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from storage.drives.health import DriveHealth, Verdict
from storage.drives.indicators import InformationPattern, TrayPattern
from storage.drives.sensors import Sensor, SensorKind, SensorState
from storage.raid.inventory import Drive, Task
from storage.raid.states import DriveState, SpareKind, TaskKind

FAIL_STATES = frozenset(
    {DriveState.FAILED, DriveState.OFFLINE, DriveState.UNCONFIGURED_BAD, DriveState.MISSING}
)
"""Missing too: it may well sit in its bay, dead; and if not, this is where the new one goes."""
REBUILD_STATES = frozenset({DriveState.REBUILD, DriveState.COPYBACK})
LAMP_PATTERNS = frozenset({TrayPattern.LOCATE, TrayPattern.FAIL, TrayPattern.REBUILD})
"""What the engine switches; empty, idle and active the hardware shows by itself."""

_WORDS = {
    DriveState.ONLINE: "online",
    DriveState.UNCONFIGURED_GOOD: "ready",
    DriveState.FAILED: "FAILED",
    DriveState.REBUILD: "rebuild",
    DriveState.UNCONFIGURED_BAD: "BAD",
    DriveState.MISSING: "MISSING",
    DriveState.OFFLINE: "OFFLINE",
    DriveState.SHIELD: "shield",
    DriveState.COPYBACK: "copyback",
    DriveState.FOREIGN: "foreign",
    DriveState.PROTECTED: "system",
}


def tray_pattern(drive: Drive | None, *, is_located: bool = False, is_active: bool = False) -> TrayPattern:
    """A locate wins over everything: somebody stands in front of the box. A drive that is only predicted to fail is not
    lit: beside one that has failed it must not be the one that is pulled."""
    if is_located:
        return TrayPattern.LOCATE
    if drive is None:
        return TrayPattern.EMPTY
    if drive.state in FAIL_STATES or drive.is_awaiting_removal:
        return TrayPattern.FAIL
    if drive.state in REBUILD_STATES:
        return TrayPattern.REBUILD
    return TrayPattern.ACTIVE if is_active else TrayPattern.IDLE


def lamp_pattern(pattern: TrayPattern) -> TrayPattern:
    """What is asked of the hardware: activity is no change."""
    return TrayPattern.IDLE if pattern is TrayPattern.ACTIVE else pattern


def tray_word(
    drive: Drive | None, health: DriveHealth | None, tasks: Iterable[Task], *, is_active: bool
) -> str:
    """The same in a word or two, for eyes that see no colour."""
    if drive is None:
        return "empty"
    if drive.state in REBUILD_STATES:
        task = next((task for task in tasks if task.drive == drive.id and task.kind in _WRITES), None)
        word = _WORDS[drive.state]
        return word if task is None or task.progress is None else f"{word} {int(task.progress * 100)} %"
    if drive.is_awaiting_removal:
        return "pull out"
    if drive.state is DriveState.HOT_SPARE:
        return "dedicated spare" if drive.spare is SpareKind.DEDICATED else "spare"
    if drive.state not in FAIL_STATES:
        if drive.is_predicted_to_fail or (health is not None and health.verdict is Verdict.FAILING):
            return "failing"
        if health is not None and health.verdict is Verdict.WARNING:
            return "warning"
        if drive.state is DriveState.ONLINE and is_active:
            return "active"
    return _WORDS[drive.state]


_WRITES = (TaskKind.REBUILD, TaskKind.COPYBACK)


def is_power_lost(sensors: Sequence[Sensor]) -> bool:
    """A supply has failed, or only one of several has mains (row HW-16)."""
    supplies = [sensor for sensor in sensors if sensor.kind is SensorKind.POWER_SUPPLY]
    if any(supply.state is SensorState.FAILED for supply in supplies):
        return True
    working = sum(supply.state in (SensorState.OK, SensorState.WARNING) for supply in supplies)
    return len(supplies) > 1 and working == 1


def information_pattern(
    sensors: Sequence[Sensor], healths: Iterable[DriveHealth] = (), *, uid: bool = False
) -> InformationPattern:
    """The worst first: heat, fans, power; then the UID. `sensors` are debounced already."""

    def has_failed(kind: SensorKind) -> bool:
        return any(sensor.kind is kind and sensor.state is SensorState.FAILED for sensor in sensors)

    if has_failed(SensorKind.TEMPERATURE) or any(is_overheated(health) for health in healths):
        return InformationPattern.OVERHEAT
    if has_failed(SensorKind.FAN):
        return InformationPattern.FAN_FAILURE
    if is_power_lost(sensors):
        return InformationPattern.POWER_FAILURE
    return InformationPattern.UID_LOCAL if uid else InformationPattern.OFF


def is_overheated(health: DriveHealth) -> bool:
    limit_c = health.temperature_critical_c
    return limit_c is not None and health.temperature_c is not None and health.temperature_c >= limit_c
