"""Drives, bays and sizes in plain words: always the bay and the serial number, as on the tray and on the label."""

from __future__ import annotations

from collections.abc import Iterable

from storage.raid.inventory import Drive, Inventory

_BYTES_PER_TB = 10**12
_BYTES_PER_GB = 10**9


def size_words(size_bytes: int) -> str:
    """Decimal, as on the label: 12 TB, 960 GB."""
    if size_bytes >= _BYTES_PER_TB:
        return f"{round(size_bytes / _BYTES_PER_TB, 1):g} TB"
    if size_bytes >= _BYTES_PER_GB:
        return f"{round(size_bytes / _BYTES_PER_GB, 1):g} GB"
    return f"{size_bytes / 10**6:.0f} MB"


def drive_words(drive: Drive) -> str:
    """`bay 4 (serial ZL2A1B2C)`."""
    label = f"serial {drive.serial}" if drive.serial else drive.id
    if drive.bay is None:
        return f"the drive with {label}, which is in no known bay"
    return f"bay {drive.bay} ({label})"


def drive_line(drive: Drive) -> str:
    """`bay 4  ST12000NM001G  ZL2A1B2C  12 TB`, for a list."""
    where = "no bay" if drive.bay is None else f"bay {drive.bay}"
    parts = (where, drive.model, drive.serial or drive.id, size_words(drive.size_bytes))
    return "  ".join(part for part in parts if part)


def bays_words(drives: Iterable[Drive]) -> str:
    """`bays 0 1 2 3`, or the serial numbers of those that are in none."""
    known = list(drives)
    bays = sorted(drive.bay for drive in known if drive.bay is not None)
    words = [f"{'bay' if len(bays) == 1 else 'bays'} {' '.join(map(str, bays))}"] if bays else []
    words += [drive_words(drive) for drive in known if drive.bay is None]
    return ", ".join(words) or "no drive"


def usable_bytes(drive: Drive) -> int:
    """What counts when it takes another's place (row HS-07)."""
    return drive.coerced_bytes or drive.size_bytes


def named(inventory: Inventory, ids: Iterable[str]) -> list[Drive]:
    """Those of these drives that the inventory knows."""
    return [drive for id in ids if (drive := inventory.drive(id)) is not None]


def id_words(inventory: Inventory, id: str) -> str:
    drive = inventory.drive(id)
    return drive_words(drive) if drive is not None else f"drive {id}"
