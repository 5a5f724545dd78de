"""What must be true before a command is planned: the drive is the one meant, carries nothing, is large enough, can be missed.

mdadm is not asked: it adds a drive with a file system on it without a word, and says that it refused to fail the last
redundant member of a RAID 5 after it has done so.
"""

from __future__ import annotations

from storage.command import Runner
from storage.drives.signatures import UNREADABLE, probe
from storage.errors import Conflict, InvalidInput, NotFound, OperationRefused
from storage.raid.inventory import Drive, Inventory
from storage.raid.md.drive_source import ScannedDrive
from storage.raid.md.look import CONTROLLER, Look, Membership
from storage.raid.md.stack import SpanPlace, Stack
from storage.raid.md.sysfs import MdArray
from storage.raid.states import DriveState, VirtualDriveState

_FREE = (DriveState.UNCONFIGURED_GOOD, DriveState.HOT_SPARE)
_LOST = (VirtualDriveState.FAILED, VirtualDriveState.OFFLINE)
_SECTOR_BYTES = 512


def label(drive: Drive | ScannedDrive) -> str:
    """As a person finds it."""
    where = f"bay {drive.bay}" if drive.bay is not None else drive.place or "no bay"
    return f"the drive in {where} (serial {drive.serial or 'unknown'})"


def drive_named(id: str, inventory: Inventory) -> Drive:
    drive = inventory.drive(id)
    if drive is None or (drive.controller and drive.controller != CONTROLLER):
        raise NotFound(f"no drive {id} at Linux md", "see the drives of the chassis for their ids")
    return drive


def present(id: str, look: Look, inventory: Inventory) -> tuple[Drive, ScannedDrive]:
    drive = drive_named(id, inventory)
    scanned = look.by_id.get(id)
    if scanned is None:
        raise Conflict(f"{label(drive)} is not there", "insert it first")
    return drive, scanned


def stack_named(ref: str, look: Look) -> Stack:
    found = look.stack(ref) or next((stack for stack in look.stacks if stack.name == ref), None)
    if found is None:
        raise NotFound(f"no virtual drive {ref} at Linux md", "see the virtual drives for their names")
    return found


def active(stack: Stack) -> MdArray:
    if stack.top is None:
        raise Conflict(f"{stack.name} is not assembled", "insert its drives, or import it")
    return stack.top


def member_of(drive: Drive, look: Look) -> Membership:
    held = look.members.get(drive.id)
    if held is None:
        raise Conflict(f"{label(drive)} is in no array", "choose a member of a drive group")
    return held


def blank(id: str, look: Look, inventory: Inventory, run: Runner) -> ScannedDrive:
    """A drive that may be erased: not in use, nothing of anybody on it, by the drive itself and not by a record of it."""
    drive, scanned = present(id, look, inventory)
    if drive.state not in _FREE:
        raise OperationRefused(
            f"{label(drive)} is {drive.state.replace('_', ' ')}{': ' + drive.cause if drive.cause else ''}",
            "choose an unconfigured good drive",
        )
    held = look.members.get(id)
    if held is not None:
        raise OperationRefused(f"{label(drive)} is in {held.stack.name}", "release it first")
    not_awaited(scanned, look)
    found = probe(run, scanned.device)
    if found.kind == UNREADABLE:
        raise OperationRefused(f"{label(drive)} cannot be read", "see its SMART report; use another drive")
    if found.kind and not (found.kind == "linux_raid_member" and drive.is_awaiting_removal):
        raise OperationRefused(
            f"{label(drive)} carries {found.kind}", "erase it by hand if nothing on it is needed"
        )
    return scanned


def not_awaited(drive: ScannedDrive, look: Look) -> None:
    """Nothing is erased that belonged to an array whose data is lost or which is not assembled, whatever state the drive is in:
    a member that was dropped first may be the only way to get the footage back."""
    held = look.members.get(drive.id)
    stack = held.stack if held is not None else look.stack(look.group_of_uuid(drive.md_uuid))
    if stack is not None and stack.state({}) in _LOST:
        raise OperationRefused(
            f"{label(drive)} holds a part of {stack.name}, which has lost its data without it",
            "bring the drives of that array back first, or delete it if nothing on it is needed",
        )


def rebuildable(stack: Stack) -> None:
    """There is something to rebuild from."""
    if stack.state({}) in _LOST:
        raise OperationRefused(
            f"{stack.name} has lost more drives than RAID {stack.level} bears: there is nothing to rebuild from",
            "put the drives back that were pulled",
        )


def can_be_put_together_again(stack: Stack) -> bool:
    """By a forced assembly of the drives it was last made of."""
    return stack.top is not None and not stack.is_nested and stack.top.level in ("raid5", "raid6")


def put_together_again(stack: Stack) -> None:
    """A single member that md takes back into an array that has failed is written down as one to be rebuilt, with nothing to rebuild
    from: then not even a forced assembly finds its data. So either that, or nothing."""
    if not can_be_put_together_again(stack):
        raise OperationRefused(
            f"{stack.name} has failed: taking back one member would spoil it for assembling all of them again",
            "put all its drives back, then see docs/raid-md.md, 'An array that lost too many drives at once'",
        )


def is_marked(drive: ScannedDrive) -> bool:
    """Carries an old md superblock that is to be cleared."""
    return drive.signature == "linux_raid_member" or bool(drive.md_uuid)


def large_enough(drive: ScannedDrive, array: MdArray) -> None:
    """For a place in this array: its data and the room before it, as on the other members."""
    offset = max((member.offset_sectors for member in array.members), default=0) * _SECTOR_BYTES
    needed = array.component_bytes + offset
    if drive.size_bytes < needed:
        raise OperationRefused(
            f"{label(drive)} has {drive.size_bytes} bytes, {needed} are needed",
            "use a drive as large as the other members or larger",
        )


def span_of(held: Membership) -> SpanPlace:
    slot = held.member.slot
    for place in held.stack.spans():
        if place.leg == held.leg and slot is not None and place.first <= slot < place.first + place.count:
            return place
    raise Conflict(f"the drive has no slot in {held.stack.name}", "look again in a moment")


def not_in_use(stack: Stack, inventory: Inventory) -> None:
    """Nothing mounted of it and nothing stacked on it."""
    found = inventory.virtual_drive(stack.id)
    if found is not None and found.mounts:
        paths = ", ".join(mount.path for mount in found.mounts)
        raise OperationRefused(f"{stack.name} is mounted at {paths}", "unmount it first")
    if stack.top is not None and stack.top.holders:
        raise OperationRefused(
            f"{stack.name} is in use by {', '.join(stack.top.holders)}", "remove what stands on it first"
        )


def quiet(stack: Stack) -> None:
    """No background work on it."""
    busy = [leg.action for leg in stack.present_legs if leg.action not in ("idle", "frozen")]
    if busy:
        raise Conflict(f"{stack.name} is busy ({busy[0]})", "wait until it has ended, or stop it")


def good_name(name: str, look: Look) -> None:
    if not name or len(name) > 32 or not name.isascii() or not all(c.isalnum() or c in "-_." for c in name):
        raise InvalidInput(
            f"'{name}' cannot be the name of a virtual drive", "1 to 32 letters, digits, '-', '_' or '.'"
        )
    if not name[0].isalnum():
        raise InvalidInput(
            f"'{name}' cannot be the name of a virtual drive", "begin with a letter or a digit"
        )
    taken = {array.name for array in look.arrays} | {stack.name for stack in look.stacks}
    if any(
        used == name or used.startswith(f"{name}-") and used[len(name) + 1 :].isdecimal() for used in taken
    ):
        raise InvalidInput(f"the name {name} is taken by another array", "choose another name")
