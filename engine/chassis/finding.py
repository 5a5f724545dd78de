"""How people name a drive, and how much of its history they are shown. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from engine.chassis.view import drives_in_bays
from storage.errors import NotFound
from storage.raid.inventory import Drive, Inventory

T = TypeVar("T")


def found_drive(inventory: Inventory, ref: str) -> Drive:
    """By bay number, serial number (as on the label, whatever the case) or id. Raises NotFound."""
    wanted = ref.strip()
    if wanted.isascii() and wanted.isdigit() and (drive := drives_in_bays(inventory).get(int(wanted))):
        return drive
    for drive in inventory.drives:
        if wanted and wanted.casefold() in (drive.id.casefold(), drive.serial.casefold()):
            return drive
    if wanted.isdigit():
        raise NotFound(f"there is no drive in bay {wanted}", "`watchdeck drive list` shows all")
    raise NotFound(f"there is no drive {wanted!r}", "name its bay, or its serial number as on the label")


def thinned(items: Sequence[T], limit: int) -> tuple[T, ...]:
    """At most so many, evenly spread; the newest always among them."""
    if len(items) <= limit:
        return tuple(items)
    step = (len(items) - 1) / (limit - 1)
    return tuple(items[round(number * step)] for number in range(limit))
