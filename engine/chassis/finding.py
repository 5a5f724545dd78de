"""How people name a drive, and how much of its history they are shown. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from engine.chassis.drive_words import drive_words
from engine.chassis.view import drives_in_bays
from storage.errors import Conflict, NotFound
from storage.raid.inventory import Drive, Inventory

T = TypeVar("T")

BAY_DIGITS = 3
"""No chassis has more than 999 bays (storage/drives/chassis.py), and no drive so short a serial number."""


def found_drive(inventory: Inventory, ref: str) -> Drive:
    """By bay number, serial number (as on the label, whatever the case) or id. Raises NotFound, Conflict when several bear that
    serial number: the wrong one might be pulled."""
    wanted = ref.strip()
    is_bay = wanted.isascii() and wanted.isdigit() and len(wanted) <= BAY_DIGITS
    if is_bay and (drive := drives_in_bays(inventory).get(int(wanted))):
        return drive
    by_id = next((drive for drive in inventory.drives if drive.id == wanted), None)
    if by_id is not None:
        return by_id
    found = [
        drive
        for drive in inventory.drives
        if wanted and wanted.casefold() in (drive.id.casefold(), drive.serial.casefold())
    ]
    if len(found) > 1:
        where = ", ".join(f"{drive_words(drive)} ({drive.id})" for drive in found)
        raise Conflict(f"several drives have the serial number {wanted}: {where}", "name the bay, or the id")
    if found and not is_bay:
        return found[0]
    if is_bay:
        raise NotFound(f"there is no drive in bay {wanted}", "`watchdeck drive list` shows all")
    raise NotFound(f"there is no drive {wanted!r}", "name its bay, or its serial number as on the label")


def thinned(items: Sequence[T], limit: int) -> tuple[T, ...]:
    """At most so many, evenly spread; the newest always among them."""
    if len(items) <= limit:
        return tuple(items)
    step = (len(items) - 1) / (limit - 1)
    return tuple(items[round(number * step)] for number in range(limit))
