"""Who a drive is: WWN, serial number, model, firmware, from udev and sysfs; and the id that everything else uses for it.

Kernel names identify nothing. An id is the WWN, else `model:serial`, else the socket; drives that share one (cheap SSDs and
bridges do) are told apart by the next better thing.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from storage.drives.udev_data import UdevEntry
from storage.plain_text import plain_text
from storage.raid.states import DriveKind
from storage.volumes.block_chain import read_text

_HCTL = re.compile(r"^\d+:\d+:\d+:\d+$")
_PCI = re.compile(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]")
_NO_SERIAL = re.compile(r"^[0\s.-]*$|^(none|unknown|default string|to be filled.*)$", re.IGNORECASE)
_NO_WWN = re.compile(r"^(0x)?0*$")


@dataclass(frozen=True, slots=True)
class DriveIdentity:
    """What a drive says it is, and where it is plugged in."""

    wwn: str
    serial: str
    model: str
    vendor: str
    firmware: str
    place: str
    hctl: str
    interface: str
    kind: DriveKind
    rotation_rpm: int | None


def read_identity(name: str, folder: Path, udev: UdevEntry) -> DriveIdentity:
    """Of the drive whose sysfs folder this is. Costs no command on the drive."""
    device = os.path.realpath(folder / "device")
    hctl = Path(device).name if _HCTL.match(Path(device).name) else ""
    interface = _interface(name, device, folder, udev)
    rpm = _rotation(folder, udev)
    return DriveIdentity(
        wwn=plain_text(_wwn(folder, udev)),
        serial=plain_text(_serial(folder, udev, interface)),
        model=plain_text(udev.decoded("ID_MODEL_ENC", "ID_MODEL") or read_text(folder / "device" / "model")),
        vendor=plain_text(_vendor(folder, udev)),
        firmware=plain_text(udev.get("ID_REVISION") or _first_text(folder / "device", "rev", "firmware_rev")),
        place=plain_text(udev.get("ID_PATH") or _place(device, hctl)),
        hctl=hctl,
        interface=interface,
        kind=_kind(name, folder, rpm),
        rotation_rpm=rpm or None,
    )


def _first_text(folder: Path, *names: str) -> str:
    return next((text for name in names if (text := read_text(folder / name))), "")


def _wwn(folder: Path, udev: UdevEntry) -> str:
    """`0x5000c500a1b2c3d4`, or an NVMe `eui.…`; empty when there is none worth the name."""
    said = udev.get("ID_WWN_WITH_EXTENSION", "ID_WWN")
    if not said:
        raw = read_text(folder / "wwid") or read_text(folder / "device" / "wwid")
        said = f"0x{raw.removeprefix('naa.')}" if raw.startswith("naa.") else raw
    if said.startswith(("eui.", "uuid.")):
        # An EUI-64 in the 128-bit form may be all zeros on cheap drives.
        return "" if _NO_WWN.match(said.partition(".")[2]) else said.lower()
    return "" if _NO_WWN.match(said) or not said.startswith("0x") else said.lower()


def _serial(folder: Path, udev: UdevEntry, interface: str) -> str:
    # For SCSI, udev's ID_SERIAL_SHORT is the WWN; the number on the label is ID_SCSI_SERIAL.
    keys = ("ID_SERIAL_SHORT",) if interface in ("SATA", "NVMe") else ("ID_SCSI_SERIAL", "ID_SERIAL_SHORT")
    said = udev.get(*keys)
    if interface == "virtio" and not said:
        said = udev.get("ID_SERIAL")
    said = said or _page_80(folder / "device" / "vpd_pg80") or _first_text(folder / "device", "serial")
    said = said or read_text(folder / "serial")
    return "" if _NO_SERIAL.match(said) or said.lower() == udev.get("ID_WWN").removeprefix("0x") else said


def _page_80(path: Path) -> str:
    """Unit serial number page: four bytes of header, then text (SPC-4, 7.8.15)."""
    try:
        raw = path.read_bytes()
    except OSError:
        return ""
    return raw[4:].decode("ascii", "replace").strip("\0 \n") if len(raw) > 4 else ""


def _vendor(folder: Path, udev: UdevEntry) -> str:
    said = read_text(folder / "device" / "vendor") or udev.decoded("ID_VENDOR_ENC", "ID_VENDOR")
    # "ATA" is the translation layer; virtio and PCI give a number there.
    return "" if said == "ATA" or said.startswith("0x") else said


def _interface(name: str, device: str, folder: Path, udev: UdevEntry) -> str:
    if name.startswith("nvme"):
        return "NVMe"
    if name.startswith("vd"):
        return "virtio"
    if name.startswith("mmcblk"):
        return "MMC"
    if "/usb" in device:
        return "USB"
    if "/session" in device:
        return "iSCSI"
    if udev.get("ID_ATA") or udev.get("ID_BUS") == "ata" or read_text(folder / "device" / "vendor") == "ATA":
        return "SATA"
    if "/end_device-" in device or read_text(folder / "device" / "sas_address"):
        return "SAS"
    return "virtio" if "/virtio" in device else "SCSI"


def _rotation(folder: Path, udev: UdevEntry) -> int | None:
    """Revolutions a minute; 0 = does not turn; None = it does not say (SBC-3 block device characteristics page)."""
    said = udev.get("ID_ATA_ROTATION_RATE_RPM")
    if said.isdecimal():
        return int(said)
    try:
        raw = (folder / "device" / "vpd_pgb1").read_bytes()
    except OSError:
        return None
    rate = int.from_bytes(raw[4:6], "big") if len(raw) >= 6 else 0
    return {0: None, 1: 0}.get(rate, rate)


def _kind(name: str, folder: Path, rpm: int | None) -> DriveKind:
    if name.startswith("nvme"):
        return DriveKind.NVME
    if rpm is not None:
        return DriveKind.HDD if rpm else DriveKind.SSD
    return {"0": DriveKind.SSD, "1": DriveKind.HDD}.get(
        read_text(folder / "queue" / "rotational"), DriveKind.UNKNOWN
    )


def _place(device: str, hctl: str) -> str:
    """Where udev does not say it: the PCI function nearest to the drive and the SCSI address there."""
    functions = _PCI.findall(device)
    if not functions:
        return ""
    base = f"pci-{functions[-1]}"
    return f"{base}-scsi-{hctl}" if hctl else base


def drive_ids(identities: Sequence[DriveIdentity]) -> list[str]:
    """One id each, all different, in the same order."""
    candidates = [_candidates(identity) for identity in identities]
    chosen = [ids[0] for ids in candidates]
    for step in (1, 2):
        counts = Counter(chosen)
        chosen = [
            ids[min(step, len(ids) - 1)] if counts[one] > 1 else one
            for one, ids in zip(chosen, candidates, strict=True)
        ]
    seen: Counter[str] = Counter()
    for number, one in enumerate(chosen):
        # Without any difference, and so of no use to anybody; but never taken for one another.
        seen[one] += 1
        chosen[number] = f"{one}#{seen[one]}" if seen[one] > 1 else one
    return chosen


def _candidates(identity: DriveIdentity) -> list[str]:
    found: list[str] = []
    if identity.wwn:
        found.append(f"wwn-{identity.wwn}")
    model = identity.model.replace(" ", "_") or "drive"
    if identity.serial:
        found.append(f"{model}:{identity.serial}")
    found.append(f"{model}@{identity.place or identity.hctl}")
    return found
