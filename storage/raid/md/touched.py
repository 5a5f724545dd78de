"""Whether what an operation touches is still as the person saw it."""

from __future__ import annotations

from storage.raid.inventory import Drive, Inventory, VirtualDrive
from storage.raid.md.checks import label
from storage.raid.operations import (
    ClearForeign,
    CreateVirtualDrive,
    ImportForeign,
    Migrate,
    RaidOperation,
)


def changed(op: RaidOperation, seen: Inventory, now: Inventory) -> str:
    """The first difference in words; empty = none that matters."""
    for id in drives_of(op, seen):
        before, after = seen.drive(id), now.drive(id)
        if before is None and after is None:
            continue
        if before is None or after is None:
            drive = before or after
            came = "was not there" if before is None else "is not there any more"
            return f"{label(drive)} {came}" if drive is not None else f"{id} {came}"
        if _drive_facts(before) != _drive_facts(after):
            return (
                f"{label(after)} was {before.state.replace('_', ' ')} and is {after.state.replace('_', ' ')}"
            )
    for ref in virtual_drives_of(op, seen):
        one, other = seen.virtual_drive(ref), now.virtual_drive(ref)
        if one is None and other is None:
            continue
        if one is None or other is None or _virtual_drive_facts(one) != _virtual_drive_facts(other):
            return f"the virtual drive {ref} has changed"
        mine, theirs = seen.group(one.group), now.group(other.group)
        if mine is not None and theirs is not None and mine.spans != theirs.spans:
            return f"the drives of {one.name} have changed"
    return ""


def _drive_facts(drive: Drive) -> tuple[object, ...]:
    return (
        drive.state,
        drive.serial,
        drive.bay,
        drive.size_bytes,
        drive.group,
        drive.span,
        drive.slot,
        drive.spare,
        drive.foreign,
    )


def _virtual_drive_facts(vd: VirtualDrive) -> tuple[object, ...]:
    return (vd.id, vd.level, vd.state, vd.size_bytes, vd.mounts)


def drives_of(op: RaidOperation, seen: Inventory) -> tuple[str, ...]:
    """Ids of the drives an operation names."""
    if isinstance(op, CreateVirtualDrive):
        return (*(id for span in op.spans for id in span), *op.spares)
    if isinstance(op, ClearForeign):
        return op.drives
    if isinstance(op, Migrate):
        return op.add
    if isinstance(op, ImportForeign):
        return tuple(drive.id for drive in seen.drives if drive.foreign == op.foreign)
    named = (getattr(op, field, "") for field in ("drive", "member", "replacement"))
    return tuple(id for id in named if isinstance(id, str) and id)


def virtual_drives_of(op: RaidOperation, seen: Inventory) -> tuple[str, ...]:
    """References to the virtual drives it names."""
    groups = getattr(op, "groups", ())
    named = (getattr(op, "virtual_drive", ""), getattr(op, "group", ""), *groups)
    return tuple(ref for ref in named if isinstance(ref, str) and ref)
