"""How drives, bays and virtual drives are typed, and found in what the engine says of the box."""

from __future__ import annotations

import re

from engine.client import InvalidInput, NotFound
from engine.wire_chassis import ChassisView, Drive, DriveState, RaidLevel, Task, VirtualDrive

_BAYS = re.compile(r"(\d+)(?:-(\d+))?")
BAY_LIMIT = 1000


def drive_of(chassis: ChassisView, ref: str) -> Drive:
    """By bay number, serial number, WWN or id. Raises NotFound and, for a serial that two drives have, InvalidInput."""
    drives = chassis.inventory.drives
    if ref.isdecimal() and (found := chassis.inventory.drive_in(int(ref))) is not None:
        return found
    named = [drive for drive in drives if ref.casefold() in _names(drive)]
    if len(named) > 1:
        raise InvalidInput(f"{ref!r} names {len(named)} drives", "name it by its bay, or by its id")
    if named:
        return named[0]
    if ref.isdecimal() and int(ref) in chassis.layout.bays:
        raise NotFound(f"bay {ref} is empty", "`watchdeck drive list` shows all drives")
    raise NotFound(
        f"no drive {ref!r}", "name a bay, a serial number or an id; `watchdeck drive list` shows all"
    )


def _names(drive: Drive) -> set[str]:
    return {name.casefold() for name in (drive.id, drive.serial, drive.wwn) if name}


def drives_of(chassis: ChassisView, refs: str) -> tuple[Drive, ...]:
    """`0-3,5`, serial numbers, or a mixture; in the order given. Raises InvalidInput, NotFound."""
    found: list[Drive] = []
    for part in filter(None, (part.strip() for part in refs.split(","))):
        bays = _BAYS.fullmatch(part)
        if bays is None or (bays[2] is None):
            found.append(drive_of(chassis, part))
            continue
        first, last = int(bays[1]), int(bays[2])
        if first > last or last > BAY_LIMIT:
            raise InvalidInput(f"{part!r} is no range of bays", "for example 0-3")
        found.extend(drive_of(chassis, str(bay)) for bay in range(first, last + 1))
    if len({drive.id for drive in found}) != len(found):
        raise InvalidInput(f"a drive is named twice in {refs!r}", "name each once")
    return tuple(found)


def virtual_drive_of(chassis: ChassisView, ref: str) -> VirtualDrive:
    """By name (in any case) or id. Raises NotFound."""
    found = chassis.inventory.virtual_drive(ref) or next(
        (each for each in chassis.inventory.virtual_drives if each.name.casefold() == ref.casefold()), None
    )
    if found is None:
        names = ", ".join(each.name for each in chassis.inventory.virtual_drives) or "there is none"
        raise NotFound(f"no virtual drive {ref!r}", f"known: {names}")
    return found


def task_of(chassis: ChassisView, ref: str) -> Task:
    """By id, or by the name of the virtual drive when only one task works on it. Raises NotFound, InvalidInput."""
    tasks = chassis.inventory.tasks
    named = [task for task in tasks if task.id == ref]
    if not named:
        ids = {each.id for each in chassis.inventory.virtual_drives if each.name.casefold() == ref.casefold()}
        named = [task for task in tasks if task.virtual_drive in ids]
    if len(named) > 1:
        raise InvalidInput(
            f"{len(named)} tasks work on {ref}", f"name one: {', '.join(task.id for task in named)}"
        )
    if not named:
        raise NotFound(f"no task {ref!r}", "`watchdeck raid tasks` shows all")
    return named[0]


def spans_of(level: RaidLevel, drives: tuple[Drive, ...], spans: int) -> tuple[tuple[str, ...], ...]:
    """The drives divided evenly, in order. Raises InvalidInput when they cannot be."""
    if level in (RaidLevel.RAID0, RaidLevel.RAID1, RaidLevel.RAID5, RaidLevel.RAID6):
        count = 1
    else:
        count = spans or 2
    size, rest = divmod(len(drives), count)
    if rest or not size:
        raise InvalidInput(
            f"{len(drives)} drives cannot be divided into {count} spans",
            "each span has the same number of drives",
        )
    return tuple(tuple(drive.id for drive in drives[at : at + size]) for at in range(0, len(drives), size))


def named_drive(drive: Drive) -> str:
    """`bay 3 (ZL2A1B2C)`: what a person compares with the label."""
    place = f"bay {drive.bay}" if drive.bay is not None else (drive.place or "no bay")
    return f"{place} ({drive.serial or 'no serial'})"


def state_word(state: DriveState) -> str:
    return state.replace("_", " ")
