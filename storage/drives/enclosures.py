"""The slots that enclosures (SES, NPEM, VMD) show in sysfs. A slot is known by the content of its file `slot`.

Directory names are the enclosure's own words ("Slot 01", "ArrayDevice00", "1") and number from 0 or 1 as they like.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from storage.roots import Roots
from storage.volumes.block_chain import listed, read_text


@dataclass(frozen=True, slots=True)
class EnclosureSlot:
    """A place for a drive in an enclosure."""

    enclosure: str
    """H:C:T:L of the enclosure now."""
    enclosure_id: str
    """Its logical identifier, 0x5003…: stays over reboots; empty when it has none."""
    slot: int
    folder: Path
    """Holds `locate`, `fault`, `active`, `status`."""
    drive: str
    """Kernel name of the drive in it now; empty when there is none."""


def enclosure_slots(roots: Roots) -> list[EnclosureSlot]:
    """All slots of all enclosures that the kernel knows."""
    base = roots.sys / "class" / "enclosure"
    found: list[EnclosureSlot] = []
    for enclosure in listed(base):
        identifier = read_text(base / enclosure / "id")
        for component in listed(base / enclosure):
            folder = base / enclosure / component
            number = read_text(folder / "slot")
            if not number.isdecimal():
                continue
            names = listed(folder / "device" / "block")
            found.append(
                EnclosureSlot(
                    enclosure=enclosure,
                    enclosure_id=identifier,
                    slot=int(number),
                    folder=folder,
                    drive=names[0] if names else "",
                )
            )
    return found
