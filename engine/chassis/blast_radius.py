"""What an operation erases or puts at risk, what must be typed for it, and what to think of before: pure, from PlanFacts.

What is refused whatever is typed is refusals.py. Rows SF-04, BY-13, RL-07, RL-09, HS-01, RB-11; rules 3, 9, 10.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.chassis.drive_words import bays_words, drive_line, drive_words, named
from engine.chassis.facts import PlanFacts, VolumeUse, drives_erased, has_valid_data, home, members
from engine.chassis.plan_warnings import warnings_for
from engine.wire_chassis import BlastRadius, CameraAtRisk, ChassisOperation, ReplaceDrive, TakeDownVolume
from storage.catalog.footage import joined_footage
from storage.raid.inventory import Drive, Span, VirtualDrive
from storage.raid.operations import (
    AssignSpare,
    ClearForeign,
    CreateVirtualDrive,
    DeleteVirtualDrive,
    Migrate,
    RaidOperation,
    SetOffline,
    StartRebuild,
)
from storage.raid.states import DriveState


@dataclass(frozen=True, slots=True)
class Judgement:
    radius: BlastRadius
    confirmation: str = ""
    """What a person must type, exactly; empty = a yes is enough."""


def judge(operation: ChassisOperation, parts: Sequence[RaidOperation], facts: PlanFacts) -> Judgement:
    """`parts`: the operations of the RAID layer that it comes down to; of a simple one, itself."""
    lost = _volumes_lost(parts, facts)
    leaving = _leaving(operation, parts, facts)
    exposed = _exposed_volumes(leaving, facts)
    cameras = _cameras(lost or exposed, is_lost=bool(lost))
    radius = BlastRadius(
        erases=tuple(_erased_lines(parts, facts)),
        at_risk=tuple(_risk_lines(leaving, facts)),
        cameras=cameras,
        footage_bytes=sum(camera.bytes for camera in cameras),
        locked_bytes=sum(camera.locked_bytes for camera in cameras),
        warnings=tuple(warnings_for(parts, facts)),
    )
    return Judgement(radius, _confirmation(operation, parts, leaving, facts))


# -- what is erased ----------------------------------------------------------------------------------------


def _deleted(parts: Iterable[RaidOperation], facts: PlanFacts) -> list[VirtualDrive]:
    return [
        vd
        for part in parts
        if isinstance(part, DeleteVirtualDrive)
        and (vd := facts.inventory.virtual_drive(part.virtual_drive)) is not None
    ]


def _volumes_lost(parts: Iterable[RaidOperation], facts: PlanFacts) -> list[VolumeUse]:
    return [volume for vd in _deleted(parts, facts) for volume in facts.volumes_on(vd.id)]


def _erased_lines(parts: Sequence[RaidOperation], facts: PlanFacts) -> Iterable[str]:
    for vd in _deleted(parts, facts):
        group = facts.inventory.group(vd.group)
        for drive in members(facts.inventory, group) if group is not None else ():
            yield f"{drive_line(drive)}  of virtual drive {vd.name}"
    for part in parts:
        if isinstance(part, AssignSpare):
            continue  # an empty drive; nothing on it counts
        for drive in named(facts.inventory, drives_erased(part)):
            was = f"  carries {drive.foreign}" if drive.foreign else ""
            yield f"{drive_line(drive)}{was}"


def _cameras(volumes: Sequence[VolumeUse], *, is_lost: bool) -> tuple[CameraAtRisk, ...]:
    """What is on these volumes, by camera; and cameras that record there and have nothing yet."""
    names = {volume.name for volume in volumes}
    goes_on: dict[str, str] = {}
    for volume in volumes:
        other = next((other for other in volume.others if other not in names), "")
        goes_on.update(dict.fromkeys(volume.cameras, other if is_lost else volume.name))
    footage = joined_footage(part for volume in volumes for part in volume.footage)
    found = [
        CameraAtRisk(
            camera=row.camera,
            from_us=row.start_us,
            to_us=row.end_us,
            bytes=row.bytes,
            locked_bytes=row.locked_bytes,
            other_volume=goes_on.get(row.camera, ""),
        )
        for row in footage
    ]
    known = {row.camera for row in footage}
    return (
        *found,
        *(
            CameraAtRisk(camera=camera, from_us=0, to_us=0, bytes=0, other_volume=other)
            for camera, other in goes_on.items()
            if camera not in known and not other
        ),
    )


# -- what is put at risk -----------------------------------------------------------------------------------


def _leaving(operation: ChassisOperation, parts: Sequence[RaidOperation], facts: PlanFacts) -> list[Drive]:
    """Members with valid data that are taken out of service, or may be on the way."""
    ids = [part.drive for part in parts if isinstance(part, SetOffline)]
    if isinstance(operation, ReplaceDrive):
        ids.append(operation.drive)
    return [drive for drive in named(facts.inventory, ids) if has_valid_data(facts.inventory, drive)]


def _after(span: Span) -> int:
    return max(0, span.can_lose - 1)


def _exposed_volumes(leaving: Iterable[Drive], facts: PlanFacts) -> list[VolumeUse]:
    """Volumes that the next failure would take."""
    return [
        volume
        for drive in leaving
        if (at_home := home(facts.inventory, drive)) is not None and _after(at_home[1]) == 0
        for vd in facts.inventory.virtual_drives_of(at_home[0].id)
        for volume in facts.volumes_on(vd.id)
    ]


def _risk_lines(leaving: Iterable[Drive], facts: PlanFacts) -> Iterable[str]:
    for drive in leaving:
        at_home = home(facts.inventory, drive)
        if at_home is None:
            continue
        group, span = at_home
        rest = bays_words(other for other in named(facts.inventory, span.drives) if other.id != drive.id)
        for vd in facts.inventory.virtual_drives_of(group.id):
            volumes = ", ".join(volume.name for volume in facts.volumes_on(vd.id))
            what = f"virtual drive {vd.name}" + (f" with volume {volumes}" if volumes else "")
            if _after(span):
                yield f"{what} can lose {_after(span)} more in {rest} while {drive_words(drive)} is out"
            else:
                yield f"one more failure in {rest} loses {what} while {drive_words(drive)} is out"


# -- what must be typed ------------------------------------------------------------------------------------


def _confirmation(
    operation: ChassisOperation, parts: Sequence[RaidOperation], leaving: Sequence[Drive], facts: PlanFacts
) -> str:
    if leaving:
        drive = leaving[0]
        return str(drive.bay) if drive.bay is not None else drive.serial or drive.id
    creates = [part.name for part in parts if isinstance(part, CreateVirtualDrive)]
    if creates:
        return " ".join(creates)
    deleted = _deleted(parts, facts)
    if deleted:
        return deleted[0].name
    if isinstance(operation, TakeDownVolume):
        return operation.virtual_drive
    if isinstance(operation, Migrate):
        vd = facts.inventory.virtual_drive(operation.virtual_drive)
        return vd.name if vd is not None else operation.virtual_drive
    return _erasing_word(parts, facts)


def _erasing_word(parts: Iterable[RaidOperation], facts: PlanFacts) -> str:
    """The serial number of the drive erased; of several foreign ones the name of what they carry."""
    for part in parts:
        if isinstance(part, AssignSpare):
            continue
        erased = named(facts.inventory, drives_erased(part))
        if isinstance(part, StartRebuild) and all(drive.state is DriveState.HOT_SPARE for drive in erased):
            continue  # what a spare is for
        if isinstance(part, ClearForeign) and len(erased) > 1 and erased[0].foreign:
            return erased[0].foreign
        if erased:
            return erased[0].serial or erased[0].id
    return ""
