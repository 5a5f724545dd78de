"""Gathers what an operation is judged by: an inventory read anew, the volumes on it, and their footage where it would be lost."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from engine.chassis.access import CatalogAccess, ChassisAccess
from engine.chassis.facts import PlanFacts, VolumeUse, carrier, home, is_within, volume_uses
from engine.supervise import attempt_blocking
from engine.wire_chassis import ChassisOperation, ReplaceDrive, TakeDownVolume
from storage.catalog.footage import CameraFootage, joined_footage
from storage.catalog.records import Volume as VolumeRecord
from storage.clock import Clock
from storage.errors import VolumeError
from storage.raid.inventory import Inventory
from storage.raid.operations import DeleteVirtualDrive, RaidOperation, SetOffline
from storage.units import US_PER_DAY
from storage.volumes.volume import Volume

WINDOWS = 64
"""At most so many reads a volume, of a day or more each: other readers of the catalog wait for one of them only."""


class FactFinder:
    """Loop only."""

    def __init__(self, chassis: ChassisAccess, catalog: CatalogAccess, clock: Clock) -> None:
        self._chassis = chassis
        self._catalog = catalog
        self._clock = clock

    async def gather(self, inventory: Inventory, virtual_drives: frozenset[str] = frozenset()) -> PlanFacts:
        """`virtual_drives`: those of whose volumes the footage is wanted."""
        volumes: list[VolumeRecord] = await self._catalog.read("volumes")
        cameras = await self._catalog.read("cameras")
        view = self._chassis.view()
        chained = {chain.volume_path: chain.virtual_drive for chain in view.chains if chain.volume_path}
        uses = volume_uses(inventory, volumes, cameras, {}, chained)
        footage = {
            volume.id: await self._footage(volume.id)
            for volume, use in zip(volumes, uses, strict=True)
            if use.virtual_drive in virtual_drives
        }
        uses = volume_uses(inventory, volumes, cameras, footage, chained)
        return PlanFacts(
            inventory=inventory,
            now_us=self._clock.now_us(),
            volumes=uses,
            own_mounts=await self._own_mounts(inventory, uses, virtual_drives),
            settles_at_us={bay.drive: bay.settles_at_us for bay in view.bays if bay.settles_at_us},
            health={health.drive: health for health in view.health},
        )

    async def _footage(self, volume_id: int) -> list[CameraFootage]:
        parts: list[CameraFootage] = await self._catalog.read("open_footage", volume_id)
        span: tuple[int, int] | None = await self._catalog.read("footage_span", volume_id)
        if span is not None:
            from_us, to_us = span
            step_us = max(US_PER_DAY, -(-(to_us - from_us) // WINDOWS))
            while from_us < to_us:
                until_us = min(from_us + step_us, to_us)
                parts += await self._catalog.read("footage_between", volume_id, from_us, until_us)
                from_us = until_us
        return joined_footage(parts)

    async def _own_mounts(
        self, inventory: Inventory, volumes: Iterable[VolumeUse], virtual_drives: frozenset[str]
    ) -> frozenset[str]:
        """Mounts that hold a volume of ours, or nothing at all (a set-up that did not get further)."""
        known = [volume.path for volume in volumes if volume.virtual_drive]
        station = await self._catalog.read("station")
        found: set[str] = set()
        for vd in inventory.virtual_drives:
            for mount in vd.mounts:
                if any(
                    is_within(path, mount.path) and carrier(inventory, path) == vd.id for path in known
                ) or (
                    vd.id in virtual_drives
                    and await self._chassis.call(_is_ours_or_empty, mount.path, station.uuid)
                ):
                    found.add(mount.path)
        return frozenset(found)


def _is_ours_or_empty(path: str, station: UUID) -> bool:
    """Blocking. What cannot be read is not ours."""
    answer = attempt_blocking(f"look at {path}", lambda: _looked_at(Path(path), station))
    return answer is True


def _looked_at(path: Path, station: UUID) -> bool:
    try:
        if not set(os.listdir(path)) - {"lost+found"}:
            return True
        identity = Volume.read_identity(path)
    except OSError as error:
        raise VolumeError(f"{path} cannot be read: {error.strerror}") from error
    return identity is not None and identity.station == station


def virtual_drives_touched(
    operation: ChassisOperation, parts: Iterable[RaidOperation], inventory: Inventory
) -> frozenset[str]:
    """Ids of those whose footage is lost, or would be with one more failure."""
    found: set[str] = set()
    drives = {operation.drive} if isinstance(operation, ReplaceDrive | SetOffline) else set()
    for part in (*parts, *([operation] if isinstance(operation, TakeDownVolume) else [])):
        if isinstance(part, DeleteVirtualDrive | TakeDownVolume):
            vd = inventory.virtual_drive(part.virtual_drive)
            found |= {vd.id} if vd is not None else set()
    for id in drives:
        drive = inventory.drive(id)
        at_home = home(inventory, drive) if drive is not None else None
        if at_home is not None:
            found |= {vd.id for vd in inventory.virtual_drives_of(at_home[0].id)}
    return frozenset(found)
