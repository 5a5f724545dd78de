"""Which hot spare takes the place of a lost drive (rows HS-01..14, RB-08/09): pure, from an inventory.

Order of Q-30: dedicated before global, then a spare with enclosure affinity on the side of the lost drive, then the capacity
closest to and at least as great as the lost drive's. When to act is the engine's policy.
"""

from __future__ import annotations

from typing import Final

import msgspec

from storage.raid.inventory import Drive, DriveGroup, Inventory
from storage.raid.levels import LEVELS, simultaneous_rebuilds
from storage.raid.states import DriveState, SpareKind, TaskKind, VirtualDriveState

_LOST: Final = (DriveState.FAILED, DriveState.MISSING, DriveState.OFFLINE)


class LostPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a span whose drive does not work."""

    group: str
    span: int
    slot: int
    drive: Drive
    """The one that was there, as it is last known."""


def label(drive: Drive) -> str:
    """A drive as a person finds it: bay and serial number."""
    name = drive.serial or drive.id
    return f"bay {drive.bay} ({name})" if drive.bay is not None else f"drive {name}"


def needed_bytes(inventory: Inventory, group: DriveGroup, lost: Drive) -> int:
    """What a replacement must have at least: the coerced size of the lost drive; of one that nobody knows any more,
    the smallest of its group."""
    if lost.coerced_bytes:
        return lost.coerced_bytes
    members = (inventory.drive(id) for span in group.spans for id in span.drives)
    sizes = [member.coerced_bytes for member in members if member is not None and member.coerced_bytes]
    return min(sizes, default=0)


def lost_places(inventory: Inventory, group: DriveGroup) -> tuple[LostPlace, ...]:
    """Places of a group that a rebuild could fill, in span and slot order. A drive that rebuilds is in its place; one that
    was pulled and is back without being re-added is not (its `group` is empty)."""
    found: list[LostPlace] = []
    for number, span in enumerate(group.spans):
        for slot, id in enumerate(span.drives):
            drive = inventory.drive(id)
            if drive is None:
                drive = Drive(id=id, controller=group.controller, group=group.id, state=DriveState.MISSING)
            if drive.group != group.id or drive.state in _LOST:
                found.append(LostPlace(group=group.id, span=number, slot=slot, drive=drive))
    return tuple(found)


def why_not(inventory: Inventory, group: DriveGroup, spare: Drive, lost: Drive) -> str:
    """Why this drive cannot take the place of the lost one without being asked; empty = it can (rows HS-04..14)."""
    if spare.state is not DriveState.HOT_SPARE or spare.spare is None:
        return f"{label(spare)} is not a hot spare: only an assigned one is used by itself"
    if spare.spare is SpareKind.DEDICATED and group.id not in spare.spare_groups:
        return f"{label(spare)} is dedicated to another drive group"
    return why_unfit(inventory, group, spare, lost)


def why_unfit(inventory: Inventory, group: DriveGroup, replacement: Drive, lost: Drive) -> str:
    """Why a drive, spare or not, cannot take the place of the lost one; empty = it can (rows HS-10..14)."""
    if not LEVELS[group.level].is_redundant:
        return f"RAID {group.level} has nothing to rebuild from: spares serve levels 1, 5, 6, 10, 50 and 60"
    if replacement.controller != group.controller:
        return (
            f"{label(replacement)} is on controller {replacement.controller}, the group on {group.controller}"
        )
    if reason := larger_sectors(inventory, group, replacement):
        return reason
    needed = needed_bytes(inventory, group, lost)
    if replacement.coerced_bytes < needed:
        return (
            f"{label(replacement)} is too small: {replacement.coerced_bytes / 1e12:.2f} TB, "
            f"{needed / 1e12:.2f} TB are needed"
        )
    return ""


def larger_sectors(inventory: Inventory, group: DriveGroup, replacement: Drive) -> str:
    """A file system with sectors of 512 bytes cannot be mounted any more once a member has sectors of 4096; empty = none has."""
    members = [
        drive for span in group.spans for id in span.drives if (drive := inventory.drive(id)) is not None
    ]
    sectors = max(
        (drive.sector_bytes for drive in members if drive.state is not DriveState.MISSING), default=0
    )
    if sectors and replacement.sector_bytes > sectors:
        return f"{label(replacement)} has sectors of {replacement.sector_bytes} bytes, the group works with {sectors}"
    return ""


def choose_spare(inventory: Inventory, group: DriveGroup, failed_drive: Drive) -> Drive | None:
    """The spare for a lost drive, or None. Of equal ones the lowest bay, so that the choice can be foreseen."""
    fit = [
        drive
        for drive in inventory.drives
        if drive.id != failed_drive.id and not why_not(inventory, group, drive, failed_drive)
    ]

    def rank(spare: Drive) -> tuple[bool, bool, int, int, str]:
        is_near = spare.has_affinity and spare.side != "" and spare.side == failed_drive.side
        bay = spare.bay if spare.bay is not None else 1 << 30
        return (spare.spare is not SpareKind.DEDICATED, not is_near, spare.coerced_bytes, bay, spare.id)

    return min(fit, key=rank, default=None)


def may_rebuild_now(inventory: Inventory, group: DriveGroup, span: int) -> str:
    """Why no further rebuild may start in this span now; empty = it may.

    RAID 6 rebuilds one drive after the other, RAID 60 two of a set at the same time (rows RB-08, RB-09); not while the level
    is being changed (row RB-07); not when data is lost already.
    """
    ids = {vd.id for vd in inventory.virtual_drives_of(group.id)}
    tasks = [task for task in inventory.tasks if task.virtual_drive in ids]
    if any(task.kind is TaskKind.MIGRATION for task in tasks):
        return "its level is being changed: start the rebuild by hand when that is done"
    if any(each.state is VirtualDriveState.FAILED for each in group.spans):
        return "more drives are lost than its level can bear"
    rebuilding = {task.drive for task in tasks if task.kind is TaskKind.REBUILD} & set(
        group.spans[span].drives
    )
    if len(rebuilding) >= simultaneous_rebuilds(group.level):
        return f"waits for the rebuild of {_names(inventory, rebuilding)}"
    return ""


def _names(inventory: Inventory, ids: set[str]) -> str:
    drives = (inventory.drive(id) for id in sorted(ids))
    return ", ".join(label(drive) for drive in drives if drive is not None)
