"""What a person should think of before an operation that is allowed: mixed models, no spare left, slow levels. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.chassis.drive_words import bays_words, drive_words, named, size_words, usable_bytes
from engine.chassis.facts import PlanFacts, drives_erased, home, spares_for
from storage.drives.health import Verdict
from storage.raid.inventory import Drive, DriveGroup, VirtualDrive
from storage.raid.levels import LEVELS
from storage.raid.operations import (
    AssignSpare,
    CreateVirtualDrive,
    DeleteVirtualDrive,
    Migrate,
    RaidOperation,
    ReAddMember,
    ReleaseSpare,
    ReplaceMember,
    SetOffline,
    StartCheck,
    StartInitialisation,
    StartRebuild,
    StopTask,
)
from storage.raid.states import RaidLevel, TaskKind, VirtualDriveState

_PARITY = (RaidLevel.RAID5, RaidLevel.RAID6, RaidLevel.RAID50, RaidLevel.RAID60)
_SLOW_WRITES = (RaidLevel.RAID6, RaidLevel.RAID60)


def warnings_for(parts: Sequence[RaidOperation], facts: PlanFacts) -> list[str]:
    """Each once, in the order of the parts."""
    found: dict[str, None] = {}
    for part in parts:
        for line in (*_of_drives(part, facts), *_of_operation(part, facts)):
            found[line] = None
    creates = [part for part in parts if isinstance(part, CreateVirtualDrive)]
    if creates and not _has_spare(creates, parts, facts):
        found["no hot spare is left: a failed drive stays out until somebody replaces it"] = None
    return list(found)


def _has_spare(
    creates: Sequence[CreateVirtualDrive], parts: Sequence[RaidOperation], facts: PlanFacts
) -> bool:
    if all(not LEVELS[create.level].is_redundant for create in creates):
        return True  # it could not use one
    return (
        any(isinstance(part, AssignSpare) for part in parts)
        or any(create.spares for create in creates)
        or any(drive.spare is not None and not drive.spare_groups for drive in facts.inventory.drives)
    )


def _of_drives(part: RaidOperation, facts: PlanFacts) -> Iterable[str]:
    for drive in named(facts.inventory, drives_erased(part)):
        health = facts.health.get(drive.id)
        if health is not None and health.verdict in (Verdict.WARNING, Verdict.FAILING):
            reason = f": {health.reasons[0]}" if health.reasons else ""
            yield f"{drive_words(drive)} is {health.verdict}{reason}"
        elif drive.is_predicted_to_fail:
            yield f"{drive_words(drive)} is predicted to fail"


def _of_operation(part: RaidOperation, facts: PlanFacts) -> Iterable[str]:
    inventory = facts.inventory
    match part:
        case CreateVirtualDrive():
            drives = named(inventory, (id for span in part.spans for id in span))
            yield from _of_a_mixture(drives)
            yield from _of_a_level(part.level, drives, facts)
        case StartRebuild() | ReplaceMember():
            id = part.drive if isinstance(part, StartRebuild) else part.replacement
            yield from _of_a_newcomer(part, id, facts)
        case AssignSpare():
            yield from _too_small_for(part, facts)
        case ReleaseSpare():
            drive = inventory.drive(part.drive)
            for group in inventory.groups:
                left = [spare for spare in spares_for(inventory, group) if drive and spare.id != drive.id]
                if not left and LEVELS[group.level].is_redundant:
                    yield f"group {group.name} has no hot spare then"
        case DeleteVirtualDrive() | StartCheck() | StartInitialisation() | Migrate():
            vd = inventory.virtual_drive(part.virtual_drive)
            if vd is not None:
                yield from _of_tasks(vd, facts)
            if isinstance(part, Migrate):
                yield "this takes a day or more; no drive that fails meanwhile is rebuilt by itself"
        case SetOffline() | ReAddMember():
            drive = inventory.drive(part.drive)
            at_home = home(inventory, drive) if drive is not None else None
            for vd in inventory.virtual_drives_of(at_home[0].id) if at_home is not None else ():
                yield from _of_tasks(vd, facts)
                if isinstance(part, ReAddMember) and not vd.has_bitmap:
                    yield f"virtual drive {vd.name} keeps no write-intent bitmap: the whole drive is rebuilt"
        case StopTask():
            task = next((task for task in inventory.tasks if task.id == part.task), None)
            if task is not None and task.kind in (TaskKind.REBUILD, TaskKind.COPYBACK):
                yield "what has been rebuilt so far is lost, and the group stays without this drive"
        case _:
            pass


def _of_a_mixture(drives: Sequence[Drive]) -> Iterable[str]:
    """Row BY-13: same model, capacity, rotation speed and preferably firmware."""
    for what, values in (
        ("models", sorted({drive.model for drive in drives})),
        ("kinds", sorted({str(drive.kind).upper() for drive in drives})),
        ("rotation speeds", sorted({f"{drive.rotation_rpm} rpm" for drive in drives if drive.rotation_rpm})),
        ("firmware versions", sorted({drive.firmware for drive in drives})),
    ):
        if len(values) > 1:
            yield f"drives of different {what} in one group: {', '.join(value or '?' for value in values)}"
    sizes = {usable_bytes(drive) for drive in drives}
    if len(sizes) > 1:
        unused = sum(usable_bytes(drive) - min(sizes) for drive in drives)
        yield f"drives of different sizes in one group: {size_words(unused)} of the larger ones stay unused"
    sides = {drive.side for drive in drives}
    if len(sides) > 1:
        yield f"drives on different sides of the backplane: {', '.join(sorted(side or '?' for side in sides))}"


def _of_a_level(level: RaidLevel, drives: Sequence[Drive], facts: PlanFacts) -> Iterable[str]:
    if not LEVELS[level].is_redundant:
        yield f"RAID {level} has no redundancy: one failed drive loses everything on it"
    if level in _SLOW_WRITES:
        yield f"RAID {level} writes slowly: two sets of parity for every stripe"
    ids = {drive.controller for drive in drives}
    for controller in facts.inventory.controllers:
        if controller.id in ids and level in _PARITY and not controller.has_write_cache:
            yield f"no protected write cache: small writes on RAID {level} are slow"


def _of_a_newcomer(part: StartRebuild | ReplaceMember, id: str, facts: PlanFacts) -> Iterable[str]:
    inventory = facts.inventory
    drive = inventory.drive(id)
    if drive is None:
        return
    if isinstance(part, StartRebuild):
        group = inventory.group(part.group)
    else:
        member = inventory.drive(part.member)
        at_home = home(inventory, member) if member is not None else None
        group = at_home[0] if at_home is not None else None
    if group is None:
        return
    yield from _of_a_strange_drive(drive, group, facts)
    if drive.spare is not None and len(spares_for(inventory, group)) == 1:
        yield f"{drive_words(drive)} is the last hot spare of group {group.name}"


def _of_a_strange_drive(drive: Drive, group: DriveGroup, facts: PlanFacts) -> Iterable[str]:
    others = [other for other in facts.inventory.drives if other.group == group.id and other.model]
    models = sorted({other.model for other in others})
    if models and drive.model not in models:
        yield f"{drive_words(drive)} is a {drive.model or 'drive of unknown model'}, the group has {', '.join(models)}"


def _too_small_for(part: AssignSpare, facts: PlanFacts) -> Iterable[str]:
    drive = facts.inventory.drive(part.drive)
    for group in facts.inventory.groups:
        if (
            drive is None
            or group.controller != drive.controller
            or (part.groups and group.id not in part.groups)
        ):
            continue
        larger = [
            member
            for span in group.spans
            for member in named(facts.inventory, span.drives)
            if usable_bytes(member) > usable_bytes(drive)
        ]
        if larger:
            yield f"{drive_words(drive)} is too small to stand in for {bays_words(larger)} of group {group.name}"


def _of_tasks(vd: VirtualDrive, facts: PlanFacts) -> Iterable[str]:
    for task in facts.inventory.tasks:
        if task.virtual_drive == vd.id:
            yield f"a {task.kind.replace('_', ' ')} of virtual drive {vd.name} is under way"
    if vd.state is not VirtualDriveState.ONLINE:
        yield f"virtual drive {vd.name} is {vd.state.replace('_', ' ')}"
