"""Which controller an operation is for, by the drives, groups, virtual drives or tasks it names."""

from __future__ import annotations

from storage.errors import InvalidInput, NotFound
from storage.raid.inventory import Inventory
from storage.raid.operations import (
    AssignSpare,
    ClearForeign,
    CreateVirtualDrive,
    DeleteVirtualDrive,
    ImportForeign,
    Migrate,
    PauseTask,
    PrepareRemoval,
    RaidOperation,
    ReAddMember,
    ReleaseSpare,
    ReplaceMember,
    ResumeTask,
    SetGood,
    SetOffline,
    SetRates,
    Silence,
    StartCheck,
    StartInitialisation,
    StartPatrolRead,
    StartRebuild,
    StopTask,
)


def drives_named(operation: RaidOperation) -> tuple[str, ...]:
    """Ids of the drives that an operation names."""
    match operation:
        case CreateVirtualDrive(spans=spans, spares=spares):
            return (*(drive for span in spans for drive in span), *spares)
        case (
            AssignSpare(drive=drive)
            | ReleaseSpare(drive=drive)
            | StartRebuild(drive=drive)
            | ReAddMember(drive=drive)
            | SetOffline(drive=drive)
            | SetGood(drive=drive)
            | PrepareRemoval(drive=drive)
        ):
            return (drive,)
        case ReplaceMember(member=member, replacement=replacement):
            return (member, replacement)
        case ClearForeign(drives=drives) | Migrate(add=drives):
            return drives
        case _:
            return ()


def controller_of(operation: RaidOperation, inventory: Inventory) -> str:
    """Its id. Raises NotFound when something named is not there, InvalidInput when two controllers are meant."""
    found = {_of_drive(drive, inventory) for drive in drives_named(operation)}
    match operation:
        case (
            DeleteVirtualDrive(virtual_drive=ref)
            | StartCheck(virtual_drive=ref)
            | StartInitialisation(virtual_drive=ref)
            | Migrate(virtual_drive=ref)
        ):
            virtual_drive = inventory.virtual_drive(ref)
            if virtual_drive is None:
                raise NotFound(f"there is no virtual drive {ref}", "see the list of virtual drives")
            found.add(_of_group(virtual_drive.group, inventory))
        case StartRebuild(group=group):
            found.add(_of_group(group, inventory))
        case StopTask(task=id) | PauseTask(task=id) | ResumeTask(task=id):
            task = next((task for task in inventory.tasks if task.id == id), None)
            if task is None:
                raise NotFound(f"there is no task {id}", "it may have ended: see the list of tasks")
            found.add(task.controller or _of_drive_or_volume(task.drive, task.virtual_drive, inventory))
        case (
            StartPatrolRead(controller=controller)
            | SetRates(controller=controller)
            | Silence(controller=controller)
        ):
            found.add(controller)
        case ImportForeign(foreign=foreign):
            carriers = {drive.controller for drive in inventory.drives if drive.foreign == foreign}
            if not carriers:
                raise NotFound(f"no drive carries the foreign configuration {foreign}", "look again")
            found |= carriers
    if len(found) > 1:
        raise InvalidInput(
            f"the drives are on different controllers: {', '.join(sorted(found))}",
            "a drive group and its spares are on one controller (row HS-12)",
        )
    if not found:
        raise InvalidInput("the operation names no drive", "name at least one")
    return found.pop()


def _of_drive(id: str, inventory: Inventory) -> str:
    drive = inventory.drive(id)
    if drive is None:
        raise NotFound(f"there is no drive {id}", "it may have been pulled: see the bays")
    return drive.controller


def _of_group(id: str, inventory: Inventory) -> str:
    group = inventory.group(id)
    if group is None:
        raise NotFound(f"there is no drive group {id}", "see the list of drive groups")
    return group.controller


def _of_drive_or_volume(drive: str, virtual_drive: str, inventory: Inventory) -> str:
    found = inventory.virtual_drive(virtual_drive)
    return _of_group(found.group, inventory) if found else _of_drive(drive, inventory)
