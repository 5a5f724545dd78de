"""Drives that were in this box and are not now: listed, and forgotten when they left for good. Loop only."""

from __future__ import annotations

from engine.chassis.access import CatalogAccess
from engine.wire_chassis import GoneDrive
from storage.catalog.drives import KnownDrive
from storage.errors import Conflict, InvalidInput, NotFound
from storage.raid.inventory import Inventory


async def gone_drives(catalog: CatalogAccess, inventory: Inventory) -> tuple[GoneDrive, ...]:
    """The one seen last first."""
    here = {drive.id for drive in inventory.drives}
    known: list[KnownDrive] = await catalog.read("known_drives")
    return tuple(_view(drive) for drive in known if drive.identity not in here)


async def forget_drive(catalog: CatalogAccess, inventory: Inventory, ref: str) -> GoneDrive:
    """With its history. Raises NotFound, InvalidInput, Conflict for a drive that is here or is missed."""
    wanted = ref.strip().casefold()
    here = next((drive for drive in inventory.drives if wanted in _names(drive.id, drive.serial)), None)
    if here is not None:
        where = "no bay" if here.bay is None else f"bay {here.bay}"
        raise Conflict(
            f"the drive with serial {here.serial or here.id} belongs to this box ({where}, {here.state})",
            "only drives that are gone for good are forgotten",
        )
    found = [
        drive for drive in await gone_drives(catalog, inventory) if wanted in _names(drive.id, drive.serial)
    ]
    if not found:
        raise NotFound(
            f"no drive {ref!r} was ever here", "`watchdeck drive list --gone` shows those that were"
        )
    if len(found) > 1:
        raise InvalidInput(f"{ref!r} names {len(found)} drives", "name it by its id")
    await catalog.write("forget_drive", found[0].id)
    return found[0]


def _names(id: str, serial: str) -> set[str]:
    return {name.casefold() for name in (id, serial) if name}


def _view(drive: KnownDrive) -> GoneDrive:
    return GoneDrive(
        id=drive.identity,
        model=drive.model,
        serial=drive.serial,
        wwn=drive.wwn,
        size_bytes=drive.size_bytes,
        bay=drive.bay,
        first_seen_us=drive.first_seen_us,
        last_seen_us=drive.last_seen_us,
    )
