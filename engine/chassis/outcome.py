"""Whether an operation did what it was for: read from the state after it, never from what a tool said. Pure."""

from __future__ import annotations

from engine.chassis.drive_words import id_words
from engine.chassis.facts import has_valid_data
from storage.errors import CommandFailed
from storage.raid.inventory import Inventory
from storage.raid.operations import (
    AssignSpare,
    CreateVirtualDrive,
    DeleteVirtualDrive,
    RaidOperation,
    ReleaseSpare,
    SetGood,
    SetOffline,
    StartRebuild,
)
from storage.raid.states import DriveState

_LATER = "look at the events and the kernel's log, then plan again"


def check_outcome(operation: RaidOperation, before: Inventory, after: Inventory) -> None:
    """Raises CommandFailed."""
    if why := _missing(operation, before, after):
        raise CommandFailed(why, _LATER)


def _missing(operation: RaidOperation, before: Inventory, after: Inventory) -> str:
    drive = after.drive(getattr(operation, "drive", ""))
    words = id_words(after, getattr(operation, "drive", ""))
    match operation:
        case CreateVirtualDrive() if after.virtual_drive(operation.name) is None:
            return f"virtual drive {operation.name} is not there after it was created"
        case DeleteVirtualDrive():
            vd = before.virtual_drive(operation.virtual_drive)
            if vd is not None and any(other.id == vd.id for other in after.virtual_drives):
                return f"virtual drive {vd.name} is still there after it was deleted"
        case AssignSpare() if drive is not None and drive.state in (
            DriveState.UNCONFIGURED_GOOD,
            DriveState.UNCONFIGURED_BAD,
        ):
            return f"{words} is no hot spare after it was made one"
        case ReleaseSpare() if drive is not None and drive.state is DriveState.HOT_SPARE:
            return f"{words} is still a hot spare"
        case SetOffline() if drive is not None and has_valid_data(after, drive):
            return f"{words} is still in service"
        case SetGood() if drive is not None and drive.state is not DriveState.UNCONFIGURED_GOOD:
            if drive.state not in (DriveState.REBUILD, DriveState.HOT_SPARE, DriveState.ONLINE):
                return f"{words} is {drive.state.replace('_', ' ')} after it was set good"
        case StartRebuild() if drive is not None and drive.state in (
            DriveState.UNCONFIGURED_GOOD,
            DriveState.HOT_SPARE,
        ):
            if not any(task.drive == operation.drive for task in after.tasks):
                return f"the rebuild onto {words} has not begun"
        case _:
            pass
    return ""
