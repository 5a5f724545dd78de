"""Which drive may be copied to, and whether the one just inserted may be used: every no with its reason. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from engine.chassis.drive_words import drive_words, size_words, usable_bytes
from engine.chassis.facts import has_valid_data, home
from engine.chassis.replace_state import ReplaceState, is_here
from storage.raid.inventory import Drive, Inventory
from storage.raid.spares import choose_spare
from storage.raid.states import DriveState

_IN_WORK = (DriveState.ONLINE, DriveState.SHIELD, DriveState.REBUILD, DriveState.COPYBACK)


def copy_target(state: ReplaceState, inventory: Inventory) -> Drive | None:
    """The spare that fits best, else a free drive; None = nothing, or nothing to copy."""
    drive = inventory.drive(state.drive)
    if drive is None or not has_valid_data(inventory, drive):
        return None
    at_home = home(inventory, drive)
    if at_home is None:
        return None
    spare = choose_spare(inventory, at_home[0], drive)
    if spare is not None and not why_not_erase(spare, allow_spare=True):
        return spare
    free = [
        other
        for other in inventory.drives
        if other.controller == drive.controller
        and usable_bytes(other) >= state.need_bytes
        and other.id != drive.id
        and not why_not_erase(other)
    ]
    return min(free, key=lambda other: (usable_bytes(other), other.bay or 0), default=None)


def why_not_erase(drive: Drive, *, allow_spare: bool = False) -> str:
    """Why nothing may be written to this drive without asking anybody; empty = it is empty, and nobody's."""
    if drive.state is DriveState.HOT_SPARE and allow_spare and not drive.foreign_group:
        return ""
    if drive.state is not DriveState.UNCONFIGURED_GOOD:
        return f"it is {drive.state.replace('_', ' ')}"
    if drive.foreign or drive.foreign_group or drive.group:
        return "it was a member of an array"
    return ""


def may_leave(state: ReplaceState, inventory: Inventory) -> str:
    """Why the old drive cannot be taken out of service now; empty = it can."""
    drive = inventory.drive(state.drive)
    if drive is None or not has_valid_data(inventory, drive):
        return ""
    at_home = home(inventory, drive)
    if at_home is None or at_home[1].can_lose >= 1:
        return ""
    return (
        f"group {at_home[0].name} (RAID {at_home[0].level}) cannot do without {drive_words(drive)} now:"
        " taking it out would lose the data"
    )


def why_not_use(
    state: ReplaceState, inventory: Inventory, drive: Drive, unfit: Mapping[str, str] | None = None
) -> str:
    """What is wrong with a drive inserted for the old one, in a sentence for the person who holds it; empty = nothing."""
    words = drive_words(drive)
    if drive.id == state.drive:
        return f"{words} is the drive that was taken out: insert another one"
    if drive.state in _IN_WORK and drive.group == state.group and state.group:
        return ""
    match drive.state:
        case DriveState.PROTECTED:
            return f"{words} is not empty: {drive.cause or 'it carries a file system'}. Nothing is written to it; insert an empty drive"
        case DriveState.FOREIGN:
            return (
                f"{words} carries the configuration of another array ({drive.foreign or 'unknown'}): import or clear it,"
                " or insert an empty drive"
            )
        case DriveState.UNCONFIGURED_BAD | DriveState.FAILED:
            return (
                f"{words} does not work: {drive.cause or drive.state.replace('_', ' ')}. Insert another one"
            )
        case DriveState.UNCONFIGURED_GOOD | DriveState.HOT_SPARE:
            pass
        case _:
            return f"{words} is {drive.state.replace('_', ' ')}: it is in use elsewhere"
    if (reason := why_not_erase(drive, allow_spare=True)) != "":
        return (
            f"{words} cannot be used: {reason}, and may hold data. Clear it first, or insert an empty drive"
        )
    if usable_bytes(drive) < state.need_bytes:
        return (
            f"{words} is too small: {size_words(usable_bytes(drive))}, and {size_words(state.need_bytes)} are needed"
            " (the same size or larger)"
        )
    if drive.sector_bytes > state.sector_bytes and state.group:
        return (
            f"{words} has sectors of {drive.sector_bytes} bytes, the group works with {state.sector_bytes}:"
            " insert a drive of the same kind"
        )
    if unfit and drive.id in unfit:
        return f"{words} should not be trusted: {unfit[drive.id]}"
    return ""


def newcomer(state: ReplaceState, inventory: Inventory) -> tuple[Drive | None, Drive | None]:
    """The drive in the bay of the old one, and a new drive in another bay. With no known bay any new drive is the one."""
    seated = {seat.drive for seat in state.seats}
    new = [
        drive
        for drive in inventory.drives
        if drive.id not in seated and is_here(inventory, drive.id) and drive.id != state.drive
    ]
    if state.bay is None:
        return (new[0] if new else None), None
    in_bay = next(
        (
            drive
            for drive in inventory.drives
            if drive.bay == state.bay and is_here(inventory, drive.id) and drive.id != state.drive
        ),
        None,
    )
    return in_bay, next((drive for drive in new if drive.bay != state.bay), None)
