"""One hash over everything a plan rests on, so that a confirmation counts only for what the person saw. Pure.

Not in it: temperatures, progress, and how much footage there is, which grows while somebody reads the question. In it: whose
footage, and whether some of it is locked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

from engine.chassis.facts import PlanFacts, drives_erased
from engine.wire_chassis import ChassisOperation, CommandView
from storage.raid.inventory import Drive, DriveGroup, VirtualDrive
from storage.raid.operations import RaidOperation


def fingerprint(
    operation: ChassisOperation,
    parts: Sequence[RaidOperation],
    facts: PlanFacts,
    commands: Sequence[CommandView],
) -> str:
    """16 hexadecimal digits."""
    drives, groups = _touched((operation, *parts), facts)
    vds = [vd for group in groups for vd in facts.inventory.virtual_drives_of(group.id)]
    basis = (
        operation,
        parts,
        [command.text for command in commands],
        [_drive_basis(drive) for drive in drives],
        groups,
        [_vd_basis(vd) for vd in vds],
        [
            (volume.name, volume.path, volume.group, volume.cameras, _locked(volume.footage))
            for volume in facts.volumes
            if volume.virtual_drive in {vd.id for vd in vds}
        ],
    )
    return hashlib.blake2b(msgspec.json.encode(basis, order="deterministic"), digest_size=8).hexdigest()


def _touched(
    operations: Iterable[ChassisOperation], facts: PlanFacts
) -> tuple[list[Drive], list[DriveGroup]]:
    """Drives named, the groups they or the virtual drives named belong to, and all members of these."""
    inventory = facts.inventory
    ids: set[str] = set()
    group_ids: set[str] = set()
    for operation in operations:
        ids.update(getattr(operation, name, "") for name in ("drive", "member", "replacement"))
        ids.update(getattr(operation, "drives", ()))
        ids.update(drives_erased(operation))  # type: ignore[arg-type]  # the job operations erase through their parts
        group_ids.add(getattr(operation, "group", ""))
        group_ids.update(getattr(operation, "groups", ()))
        vd = inventory.virtual_drive(getattr(operation, "virtual_drive", ""))
        group_ids.add(vd.group if vd is not None else "")
    group_ids.update(drive.group for drive in inventory.drives if drive.id in ids)
    groups = [group for group in inventory.groups if group.id in group_ids]
    ids.update(id for group in groups for span in group.spans for id in span.drives)
    return [drive for drive in inventory.drives if drive.id in ids], groups


def _drive_basis(drive: Drive) -> Drive:
    return msgspec.structs.replace(drive, temperature_c=None, media_errors=0, cause="")


def _vd_basis(vd: VirtualDrive) -> VirtualDrive:
    return msgspec.structs.replace(vd, mismatches=None, checked_us=None, is_initialised=True, cause="")


def _locked(footage: Iterable[object]) -> list[tuple[str, bool]]:
    return [(getattr(row, "camera", ""), bool(getattr(row, "locked_bytes", 0))) for row in footage]
