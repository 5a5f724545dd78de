"""Everything an operation is judged by, as values at one moment: drives, volumes with their footage, bays that settle.

Gathered by engine/chassis/planning.py; read by refusals.py and blast_radius.py, which are pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from storage.catalog.footage import CameraFootage
from storage.catalog.records import Camera
from storage.catalog.records import Volume as VolumeRecord
from storage.drives.health import DriveHealth
from storage.raid.inventory import Drive, DriveGroup, Inventory, Span, VirtualDrive
from storage.raid.operations import (
    AssignSpare,
    ClearForeign,
    CreateVirtualDrive,
    Migrate,
    RaidOperation,
    ReplaceMember,
    SetGood,
    StartRebuild,
)
from storage.raid.states import DriveState

MEMBER_STATES = frozenset(
    {
        DriveState.ONLINE,
        DriveState.REBUILD,
        DriveState.COPYBACK,
        DriveState.FAILED,
        DriveState.OFFLINE,
        DriveState.MISSING,
        DriveState.SHIELD,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeUse:
    """A recording volume, where it lies and what would be missed."""

    uuid: UUID
    name: str
    path: str
    group: str
    virtual_drive: str = ""
    """Id of the one its file system is on; empty = none of ours."""
    cameras: tuple[str, ...] = ()
    """Those that record to its group."""
    others: tuple[str, ...] = ()
    """Other volumes of the group: where recording goes on."""
    footage: tuple[CameraFootage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFacts:
    inventory: Inventory
    now_us: int = 0
    volumes: tuple[VolumeUse, ...] = ()
    own_mounts: frozenset[str] = frozenset()
    """Mount points that hold nothing but volumes of this station."""
    settles_at_us: Mapping[str, int] = field(default_factory=dict)
    """Drives inserted a moment ago (row BY-12)."""
    health: Mapping[str, DriveHealth] = field(default_factory=dict)

    def volumes_on(self, virtual_drive: str) -> list[VolumeUse]:
        return [volume for volume in self.volumes if volume.virtual_drive == virtual_drive]


def volume_uses(
    inventory: Inventory,
    volumes: Sequence[VolumeRecord],
    cameras: Iterable[Camera],
    footage: Mapping[int, Sequence[CameraFootage]],
    chained: Mapping[str, str],
) -> tuple[VolumeUse, ...]:
    """`footage` by volume number; `chained`: path of a volume -> virtual drive, as the block devices say."""
    by_group: dict[str, list[str]] = {}
    for camera in cameras:
        by_group.setdefault(camera.group, []).append(camera.name)
    return tuple(
        VolumeUse(
            uuid=volume.uuid,
            name=volume.name,
            path=volume.path,
            group=volume.group,
            virtual_drive=carrier(inventory, volume.path) or chained.get(volume.path, ""),
            cameras=tuple(by_group.get(volume.group, ())),
            others=tuple(
                other.name for other in volumes if other.group == volume.group and other.uuid != volume.uuid
            ),
            footage=tuple(footage.get(volume.id, ())),
        )
        for volume in volumes
    )


def carrier(inventory: Inventory, path: str) -> str:
    """Id of the virtual drive whose mount holds this path, the innermost mount winning; empty = none."""
    best, length = "", -1
    for vd in inventory.virtual_drives:
        for mount in vd.mounts:
            if is_within(path, mount.path) and len(mount.path) > length:
                best, length = vd.id, len(mount.path)
    return best


def is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


# -- what an operation touches -----------------------------------------------------------------------------


def drives_erased(operation: RaidOperation) -> tuple[str, ...]:
    """Ids of the drives whose content is gone afterwards (the members of a deleted virtual drive are another matter)."""
    match operation:
        case CreateVirtualDrive():
            return tuple(id for span in operation.spans for id in span) + operation.spares
        case StartRebuild() | SetGood():
            return (operation.drive,)
        case ReplaceMember():
            return (operation.replacement,)
        case ClearForeign():
            return operation.drives
        case Migrate():
            return operation.add
        case AssignSpare():
            return (operation.drive,)
        case _:
            return ()


def home(inventory: Inventory, drive: Drive) -> tuple[DriveGroup, Span] | None:
    """The group and span this drive has a place in."""
    for group in inventory.groups:
        for span in group.spans:
            if drive.id in span.drives:
                return group, span
    group_of = inventory.group(drive.group)
    if group_of is None or not group_of.spans:
        return None
    number = drive.span or 0
    return group_of, group_of.spans[number if number < len(group_of.spans) else 0]


def has_valid_data(inventory: Inventory, drive: Drive) -> bool:
    """It is a member whose part of the data counts."""
    return drive.state in (DriveState.ONLINE, DriveState.SHIELD) and home(inventory, drive) is not None


def members(inventory: Inventory, group: DriveGroup) -> list[Drive]:
    return [drive for span in group.spans for id in span.drives if (drive := inventory.drive(id)) is not None]


def spares_for(inventory: Inventory, group: DriveGroup) -> list[Drive]:
    """Hot spares that would serve this group, whatever their size."""
    return [
        drive
        for drive in inventory.drives
        if drive.state is DriveState.HOT_SPARE
        and drive.controller == group.controller
        and (not drive.spare_groups or group.id in drive.spare_groups)
    ]


def names_of(virtual_drives: Iterable[VirtualDrive]) -> str:
    return ", ".join(vd.name for vd in virtual_drives)
