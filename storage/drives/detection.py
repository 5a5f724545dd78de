"""A second opinion on which drives there are: what smartctl finds by itself, held against the inventory. Pure.

The finding is self_tests.py's, through pySMART; whoever only compares or shows does not load that.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from storage.raid.inventory import Drive


class DetectedDrive(msgspec.Struct, frozen=True, kw_only=True):
    """A drive as pySMART found it."""

    device: str
    type: str
    """How smartctl reaches it: sat, scsi, nvme, `megaraid,8` ..."""
    model: str
    serial: str
    """Up to its first space."""
    size_bytes: int


def detection_differences(detected: Sequence[DetectedDrive], drives: Sequence[Drive]) -> tuple[str, ...]:
    """Plain words for drives that only smartctl or only the inventory knows, matched by serial number.

    Virtual drives have serials too and hide what is behind them: only drives with a kernel name are compared.
    """
    seen = {drive.serial for drive in detected if drive.serial}
    known = {drive.serial.split()[0]: drive for drive in drives if drive.serial.strip()}
    missing = [
        f"smartctl finds {drive.model} {drive.serial} ({drive.device}), the inventory does not"
        for drive in detected
        if drive.serial and drive.serial not in known
    ]
    unseen = [
        f"smartctl does not find {drive.model} {drive.serial}"
        + ("" if drive.bay is None else f" in bay {drive.bay}")
        for serial, drive in known.items()
        if serial not in seen and drive.device
    ]
    return (*missing, *unseen)
