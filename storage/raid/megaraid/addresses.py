"""Addresses of a controller's things: `/c0/e252/s3`, `/c0/s3` where there is no enclosure, `/c0/v1`; and our names for them."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from storage.errors import NotFound

_SLOT = re.compile(r"(?:(\d{1,9})\s*:)?\s*(\d{1,9})", re.ASCII)
_PLACE = re.compile(r"c(\d{1,9}):(?:e(\d{1,9}):)?s(\d{1,9})", re.ASCII)


class SlotAddress(msgspec.Struct, frozen=True, order=True):
    """Where a drive is."""

    controller: int
    enclosure: int | None
    slot: int

    @property
    def path(self) -> str:
        """/c0/e252/s3."""
        return f"/c{self.controller}{'' if self.enclosure is None else f'/e{self.enclosure}'}/s{self.slot}"

    @property
    def place(self) -> str:
        """c0:e252:s3, as chassis files name it."""
        return f"c{self.controller}{'' if self.enclosure is None else f':e{self.enclosure}'}:s{self.slot}"

    @property
    def listed(self) -> str:
        """252:3, as `drives=` takes it."""
        return f"{'' if self.enclosure is None else self.enclosure}:{self.slot}".lstrip(":")


def slot_of_row(controller: int, value: Any) -> SlotAddress | None:
    """Of `252:3`, ` :3` (direct attached); None for `-` (a missing drive)."""
    match = _SLOT.fullmatch(str(value or "").strip().lstrip(":").strip())
    if match is None:
        return None
    return SlotAddress(controller, int(match[1]) if match[1] else None, int(match[2]))


def slot_of_place(place: str) -> SlotAddress:
    """Raises NotFound for what is no place of a controller."""
    match = _PLACE.fullmatch(place)
    if match is None:
        raise NotFound(f"{place or 'a drive without a place'} is not behind a RAID controller")
    return SlotAddress(int(match[1]), int(match[2]) if match[2] else None, int(match[3]))


def controller_number(id: str) -> int:
    """Of `c0`. Raises NotFound."""
    if not re.fullmatch(r"c\d+", id):
        raise NotFound(f"no RAID controller {id!r}")
    return int(id[1:])
