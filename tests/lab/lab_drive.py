"""A drive one can hold in the hand: serial number, name and contents stay with it, whichever bay it is put into."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab.fault_drive import FaultDrive, FaultServer

MIB = 1 << 20
DEFAULT_SIZE_BYTES = 256 * MIB
MODEL = "LABDISK"
VENDOR = "WATCHDK"


@dataclass(slots=True)
class LabDrive:
    """Make them with `LabDrive.create`."""

    serial: str
    size_bytes: int
    path: Path
    is_nvme: bool = False
    faults: FaultDrive | None = None
    """The knobs of a drive made with `can_fail`."""
    server: FaultServer | None = field(default=None, repr=False)

    @classmethod
    def create(
        cls,
        folder: Path,
        serial: str,
        *,
        size_bytes: int = DEFAULT_SIZE_BYTES,
        can_fail: bool = False,
        is_nvme: bool = False,
    ) -> LabDrive:
        """A blank one. `can_fail`: it goes through the fault server, and loses with the power what was not flushed."""
        path = folder / f"{serial}.img"
        if not can_fail:
            with path.open("xb") as file:
                file.truncate(size_bytes)
            return cls(serial, size_bytes, path, is_nvme)
        faults = FaultDrive(path, size_bytes)
        return cls(serial, size_bytes, path, is_nvme, faults, FaultServer(folder / f"{serial}.nbd", faults))

    @property
    def wwn(self) -> int:
        """World wide name, type 5, made of the serial number."""
        return 0x5000C50000000000 | int.from_bytes(hashlib.sha256(self.serial.encode()).digest()[:4], "big")

    @property
    def node(self) -> str:
        """QEMU's name of the block device."""
        return f"drive-{self.serial}"

    @property
    def block_device(self) -> dict[str, Any]:
        """What `blockdev-add` takes."""
        if self.server is not None:
            return {
                "driver": "nbd",
                "node-name": self.node,
                "server": {"type": "unix", "path": str(self.server.path)},
            }
        file = {"driver": "file", "filename": str(self.path)}
        return {"driver": "raw", "node-name": self.node, "file": file}

    def device(self, bay: int) -> dict[str, Any]:
        """What `device_add` takes to put it into the bay."""
        common = {"id": f"bay{bay}", "drive": self.node, "serial": self.serial}
        if self.is_nvme:
            return {"driver": "nvme", "bus": f"slot{bay}", **common}
        place = {"bus": "bays.0", "channel": 0, "scsi-id": bay, "lun": 0}
        words = {"product": MODEL, "vendor": VENDOR, "ver": "0001"}
        return {"driver": "scsi-hd", **common, **place, **words, "wwn": self.wwn}

    def close(self) -> None:
        if self.server is not None:
            self.server.close()
            self.server = None
