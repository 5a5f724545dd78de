"""What hangs on what: from a virtual drive to its bays, its recording volume and the cameras on it; and what one more failure
would do, in plain words (the manual's tolerance is per span). Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine import wire
from engine.chassis.drive_words import bays_words, named
from engine.chassis.facts import is_within
from engine.wire_chassis import ChainView
from storage.raid.inventory import Drive, DriveGroup, Inventory, Span, VirtualDrive
from storage.raid.states import DriveState, RaidLevel, VirtualDriveState

_WORKING = frozenset({DriveState.ONLINE, DriveState.SHIELD})
_UNPROTECTED = (RaidLevel.RAID0, RaidLevel.RAID00)


def chains(
    inventory: Inventory,
    volumes: Sequence[wire.VolumeView] = (),
    cameras: Sequence[wire.CameraView] = (),
    mounted: Mapping[str, Sequence[str]] | None = None,
) -> tuple[ChainView, ...]:
    """One a virtual drive. `mounted`: where each was mounted last, by id; one that has failed is mounted nowhere any more."""
    paths = mount_paths(inventory, mounted or {})
    return tuple(
        _chain(inventory, vd, volume_on(vd, paths, volumes), cameras) for vd in inventory.virtual_drives
    )


def mount_paths(inventory: Inventory, before: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Where each virtual drive is mounted, or was before."""
    return {
        vd.id: tuple(mount.path for mount in vd.mounts) or tuple(before.get(vd.id, ()))
        for vd in inventory.virtual_drives
    }


def _chain(
    inventory: Inventory,
    vd: VirtualDrive,
    volume: wire.VolumeView | None,
    cameras: Sequence[wire.CameraView],
) -> ChainView:
    group = inventory.group(vd.group)
    members = members_of(inventory, group)
    lost = f"volume {volume.name}" if volume is not None else f"virtual drive {vd.name}"
    return ChainView(
        virtual_drive=vd.id,
        bays=tuple(sorted({drive.bay for drive in members if drive.bay is not None})),
        volume=volume.name if volume is not None else "",
        volume_path=volume.path if volume is not None else "",
        group=volume.group if volume is not None else "",
        cameras=()
        if volume is None
        else tuple(sorted(camera.name for camera in cameras if camera.group == volume.group)),
        can_lose=can_lose(vd, group),
        exposure=exposure(inventory, vd, group, lost),
    )


def members_of(inventory: Inventory, group: DriveGroup | None) -> list[Drive]:
    if group is None:
        return []
    return named(inventory, (id for span in group.spans for id in span.drives))


def volume_on(
    vd: VirtualDrive, paths: Mapping[str, Sequence[str]], volumes: Sequence[wire.VolumeView]
) -> wire.VolumeView | None:
    """The recording volume whose path lies on a mount of this virtual drive, and on no mount further inside."""
    mounts = sorted(
        ((path, id) for id, its_paths in paths.items() for path in its_paths),
        key=lambda mount: -len(mount[0]),
    )
    for volume in volumes:
        carrier = next((id for path, id in mounts if is_within(volume.path, path)), None)
        if carrier == vd.id:
            return volume
    return None


def can_lose(vd: VirtualDrive, group: DriveGroup | None) -> int:
    """Drives it can lose for certain, whichever they are."""
    if group is None or vd.state in (VirtualDriveState.FAILED, VirtualDriveState.OFFLINE):
        return 0
    return min((span.can_lose for span in group.spans), default=0)


def exposure(inventory: Inventory, vd: VirtualDrive, group: DriveGroup | None, lost: str) -> str:
    """Empty while it is as redundant as its level makes it. `lost` is what goes: `volume A`."""
    if vd.state in (VirtualDriveState.FAILED, VirtualDriveState.OFFLINE):
        return f"{lost} is lost: more drives are gone than RAID {vd.level} can bear"
    if group is None:
        return ""
    if vd.level in _UNPROTECTED:
        drives = members_of(inventory, group)
        return f"RAID {vd.level} has no redundancy: a failure in {bays_words(drives)} loses {lost}"
    if vd.state is VirtualDriveState.ONLINE:
        return ""
    bare = [span for span in group.spans if span.can_lose == 0]
    if bare:
        drives = [drive for span in bare for drive in _working(inventory, span)]
        return f"one more failure in {bays_words(drives)} loses {lost}"
    reduced = [span for span in group.spans if span.state is not VirtualDriveState.ONLINE] or list(
        group.spans
    )
    drives = [drive for span in reduced for drive in _working(inventory, span)]
    count = min(span.can_lose for span in reduced)
    return (
        f"{_more(count)} in {bays_words(drives)} would still be borne, {_more(count + 1)} would lose {lost}"
    )


def _working(inventory: Inventory, span: Span) -> list[Drive]:
    return [drive for drive in named(inventory, span.drives) if drive.state in _WORKING]


def _more(count: int) -> str:
    return "one more failure" if count == 1 else f"{count} more failures"
