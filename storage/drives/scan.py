"""Every physical drive the kernel shows, with who it is, where it is plugged in and what is on it.

Reads sysfs, udev's database and the mount table: nothing that a drive which does not answer could hold up. Only where udev
knows no signature is `blkid` asked, with a time limit, and never about a drive in use. Not here: SMART, RAID roles.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from storage.command import Runner
from storage.drives.chassis import Chassis
from storage.drives.drive_hwmon import Limits, hwmon_limits, hwmon_temperature_c
from storage.drives.enclosures import EnclosureSlot, enclosure_slots
from storage.drives.identity import DriveIdentity, drive_ids, read_identity
from storage.drives.signatures import Signature, SignatureReader
from storage.drives.udev_data import UdevEntry, udev_entry
from storage.raid.states import DriveKind
from storage.roots import Roots
from storage.volumes.block_chain import BlockChain, read_text

_NOT_DRIVES = re.compile(
    r"^(loop|ram|zram|dm-|md|nbd|sr|fd|drbd|rbd|zd|bcache|ublk|mtdblock|mmcblk\d+(boot|rpmb))"
)
_MEGARAID_FIRST_VOLUME_CHANNEL = 2
"""megaraid_sas shows its drives on channels 0 and 1, its virtual drives on 2 and 3 (megaraid_sas.h)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedDrive:
    """A drive at one moment."""

    device: str
    """/dev/sdb now."""
    name: str
    """sdb now."""
    id: str
    """`wwn-0x…`, else `model:serial`, else `model@place`: see identity.py."""
    bay: int | None = None
    place: str = ""
    """by-path name: the socket."""
    hctl: str = ""
    side: str = ""
    wwn: str = ""
    serial: str = ""
    model: str = ""
    vendor: str = ""
    firmware: str = ""
    size_bytes: int = 0
    sector_bytes: int = 512
    kind: DriveKind = DriveKind.UNKNOWN
    interface: str = ""
    rotation_rpm: int | None = None
    partitions: tuple[str, ...] = ()
    """Kernel names."""
    holders: tuple[str, ...] = ()
    """Kernel names of what stands directly on the drive or its partitions: md127, dm-0."""
    mounts: tuple[str, ...] = ()
    """Paths mounted of it through any stack of partitions, md and dm; `swap` where it is swapped to."""
    signature: str = ""
    """What is on it: ext4, linux_raid_member, gpt, LVM2_member; empty = blank; `unreadable` when nobody could tell."""
    md_uuid: str = ""
    """Of the md superblock on it or on one of its partitions, as mdadm writes it."""
    is_system: bool = False
    """The machine, or the engine's own state, stands on it."""
    temperature_c: int | None = None
    """The last reading by `temperatures`: reading it is a command to the drive."""
    temperature_warning_c: int | None = None
    temperature_critical_c: int | None = None
    requests: int = 0
    """Reads and writes completed since it was plugged in."""
    enclosure: str = ""
    """H:C:T:L of the enclosure it sits in."""
    enclosure_slot: int | None = None
    number: str = ""
    """major:minor now."""

    @property
    def is_in_use(self) -> bool:
        """Something of it is mounted, swapped to or held."""
        return bool(self.holders or self.mounts)


class DriveScan:
    """Looks at all drives, for any thread. `chassis` may be replaced between two looks."""

    def __init__(self, roots: Roots, run: Runner, chassis: Chassis, own_folders: Sequence[Path] = ()) -> None:
        self.chassis = chassis
        self._roots = roots
        self._own_folders = tuple(own_folders)
        self._signatures = SignatureReader(run)
        self._temperatures: dict[str, int] = {}
        self._limits: dict[str, Limits] = {}
        self._last: list[tuple[str, Path, str]] = []
        self._lock = threading.Lock()

    def drives(self) -> list[ScannedDrive]:
        """Sorted by bay, then place."""
        with self._lock:
            chain = BlockChain(self._roots)
            names = [name for name in chain.disks if self._is_drive(name, chain.folder(name))]
            udevs = {name: udev_entry(self._roots, chain.device_number(name)) for name in names}
            read = {name: read_identity(name, chain.folder(name), udevs[name]) for name in names}
            # A drive pulled while it is read has half an identity or none: it would be taken for another one.
            names = [name for name in names if _is_whole(read[name], chain.folder(name))]
            identities = [read[name] for name in names]
            slots = {slot.drive: slot for slot in enclosure_slots(self._roots) if slot.drive}
            system = chain.system_drives(self._own_folders)
            found = [
                self._scanned(name, id, identity, udevs[name], chain, slots, system)
                for name, id, identity in zip(names, drive_ids(identities), identities, strict=True)
            ]
            self._signatures.forget_all_but({drive.name for drive in found})
        self._last = [(drive.id, chain.folder(drive.name), self._sequence(drive.name)) for drive in found]
        return sorted(found, key=lambda drive: (drive.bay is None, drive.bay or 0, drive.place, drive.id))

    def temperatures(self) -> dict[str, int]:
        """Drive id -> degrees of the drives of the last look, where the kernel has a sensor for it. Takes no lock: it may wait
        for a drive that does not answer."""
        found: dict[str, int] = {}
        for id, folder in self._still_there():
            degrees = hwmon_temperature_c(folder)
            if degrees is None:
                continue
            found[id] = degrees
            if id not in self._limits:
                self._limits[id] = hwmon_limits(folder)
        self._temperatures = found
        return dict(found)

    def activity(self) -> dict[str, int]:
        """Drive id -> requests so far, of the drives of the last look: cheap enough for several times a second."""
        return {id: _requests(read_text(folder / "stat")) for id, folder in self._still_there()}

    def _still_there(self) -> list[tuple[str, Path]]:
        if not self._last:
            self.drives()
        return [
            (id, folder) for id, folder, sequence in self._last if self._sequence(folder.name) == sequence
        ]

    def _sequence(self, name: str) -> str:
        """Another one in the same place under the same name has another number (Linux 5.15)."""
        folder = self._roots.sys / "block" / name
        return read_text(folder / "diskseq") + read_text(folder / "size")

    # -- one drive ---------------------------------------------------------------------------------------

    def _is_drive(self, name: str, folder: Path) -> bool:
        if _NOT_DRIVES.match(name) or read_text(folder / "hidden") == "1":
            return False
        where = os.path.realpath(folder)
        if "/devices/virtual/" in where and "/nvme-subsystem/" not in where:
            return False
        if read_text(folder / "size") in ("", "0"):
            return False
        return not self._is_controller_volume(folder)

    def _is_controller_volume(self, folder: Path) -> bool:
        """A virtual drive of a RAID controller looks like a SCSI drive; it is not one."""
        address = Path(os.path.realpath(folder / "device")).name.split(":")
        if len(address) != 4 or not address[1].isdecimal():
            return False
        driver = read_text(self._roots.sys / "class" / "scsi_host" / f"host{address[0]}" / "proc_name")
        return driver == "megaraid_sas" and int(address[1]) >= _MEGARAID_FIRST_VOLUME_CHANNEL

    def _scanned(
        self,
        name: str,
        id: str,
        identity: DriveIdentity,
        udev: UdevEntry,
        chain: BlockChain,
        slots: dict[str, EnclosureSlot],
        system: set[str],
    ) -> ScannedDrive:
        folder = chain.folder(name)
        slot = slots.get(name)
        bay = self.chassis.bay_of(
            place=identity.place,
            hctl=identity.hctl,
            enclosure_slot=((slot.enclosure, slot.enclosure_id), slot.slot) if slot else None,
        )
        mounts = tuple(point.path for point in chain.mounts_of(name))
        if chain.above(name) & set(chain.swaps):
            mounts = (*mounts, "swap")
        holders = chain.holders(name)
        signature = self._signature(name, id, chain, udev, bool(holders or mounts))
        limits = self._limits.get(id, Limits())
        return ScannedDrive(
            device=f"/dev/{name}",
            name=name,
            id=id,
            bay=bay,
            place=identity.place,
            hctl=identity.hctl,
            side=self.chassis.side_of(bay),
            wwn=identity.wwn,
            serial=identity.serial,
            model=identity.model,
            vendor=identity.vendor,
            firmware=identity.firmware,
            size_bytes=_number(read_text(folder / "size")) * 512,
            sector_bytes=_number(read_text(folder / "queue" / "logical_block_size")) or 512,
            kind=identity.kind,
            interface=identity.interface,
            rotation_rpm=identity.rotation_rpm,
            partitions=chain.partitions(name),
            holders=holders,
            mounts=mounts,
            signature=signature.kind,
            md_uuid=signature.md_uuid,
            is_system=name in system,
            temperature_c=self._temperatures.get(id),
            temperature_warning_c=limits.warning_c,
            temperature_critical_c=limits.critical_c,
            requests=_requests(read_text(folder / "stat")),
            enclosure=slot.enclosure if slot else "",
            enclosure_slot=slot.slot if slot else None,
            number=chain.device_number(name),
        )

    def _signature(
        self, name: str, id: str, chain: BlockChain, udev: UdevEntry, is_in_use: bool
    ) -> Signature:
        partitions = [udev_entry(self._roots, chain.device_number(part)) for part in chain.partitions(name)]
        folder = chain.folder(name)
        # Nothing can have changed on a drive to which nothing was written: blkid need not look again.
        state = f"{id} {read_text(folder / 'diskseq')} {_writes(read_text(folder / 'stat'))}"
        return self._signatures.read(name, udev, partitions, state=state, is_in_use=is_in_use)


def _is_whole(identity: DriveIdentity, folder: Path) -> bool:
    """Still there when the last of it had been read."""
    is_somebody = bool(identity.wwn or identity.serial or identity.place)
    return is_somebody and read_text(folder / "size") not in ("", "0")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _fields(stat: str) -> list[int]:
    return [_number(field) for field in stat.split()]


def _requests(stat: str) -> int:
    """Reads and writes completed (Documentation/block/stat.rst: fields 1 and 5)."""
    fields = _fields(stat)
    return fields[0] + fields[4] if len(fields) > 4 else 0


def _writes(stat: str) -> int:
    fields = _fields(stat)
    return fields[4] if len(fields) > 4 else 0
