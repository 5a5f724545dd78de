"""A virtual drive becomes a mounted file system, and stops being one. GPT, one partition, mkfs, a mount that survives reboots.

Never onto anything that carries something: the device is looked at by the kernel, by blkid and by wipefs, and opened
exclusively, right before the first write. What was interrupted goes on where it stopped, known by the partition's own name.
Blocking; one caller at a time.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from uuid import uuid4

from storage.command import Runner
from storage.durable import write_atomically
from storage.errors import (
    CommandFailed,
    Conflict,
    FileError,
    InvalidInput,
    NotFound,
    OperationRefused,
    StateChanged,
)
from storage.hardware import MadeVolume
from storage.raid.backend import Command
from storage.raid.inventory import VirtualDrive
from storage.roots import Roots
from storage.volumes.block_chain import BlockChain, listed, read_text
from storage.volumes.mount_files import (
    MARK,
    device_drop_in,
    drop_in_text,
    fstab_has,
    fstab_line,
    fstab_with,
    fstab_without,
    unit_name,
    unit_text,
)
from storage.volumes.stripe import Stripe, read_stripe

FILE_SYSTEMS = {"xfs": 12, "ext4": 16}
"""With the most bytes of a label."""
TOOL_TIMEOUT_S = 60.0
MKFS_TIMEOUT_S = 900.0
NODE_TIMEOUT_S = 15.0
"""For the kernel and udev to show a new partition."""
_PARTITION_PREFIX = "watchdeck "
_NEW_UUID = "<new-uuid>"
_FORBIDDEN_MOUNTS = (
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
)


@dataclass(frozen=True, slots=True)
class _Site:
    """Where it goes, checked."""

    name: str
    stripe: Stripe
    label: str
    mount_point: str
    file_system: str

    @property
    def partition(self) -> str:
        """Kernel name of the first partition."""
        return f"{self.name}p1" if self.name[-1].isdigit() else f"{self.name}1"

    @property
    def partition_name(self) -> str:
        return f"{_PARTITION_PREFIX}{self.label}"[:36]


class Provision:
    """Makes and unmakes volumes; `owner` is who the recorder runs as (uid, gid)."""

    def __init__(self, roots: Roots, run: Runner, owner: tuple[int, int]) -> None:
        self._roots = roots
        self._run = run
        self._owner = owner

    # -- plan --------------------------------------------------------------------------------------------

    def plan(
        self, virtual_drive: VirtualDrive, label: str, mount_point: str, file_system: str
    ) -> tuple[Command, ...]:
        """Changes nothing. Raises InvalidInput, NotFound, OperationRefused."""
        site = self._site(virtual_drive, label, mount_point, file_system)
        started = self._is_started(site)
        if not started:
            self._require_blank(site.name, virtual_drive)
        device = f"/dev/{site.partition}"
        commands = [] if started else [self._partition_command(site)]
        commands += [
            self._mkfs_command(site, device, _NEW_UUID),
            *self._mount_commands(site, device, _NEW_UUID),
        ]
        uid, gid = self._owner
        commands.append(
            Command(
                argv=("chown", f"{uid}:{gid}", site.mount_point),
                note="the recorder writes there, nobody else",
            )
        )
        return tuple(commands)

    def _partition_command(self, site: _Site) -> Command:
        argv = (
            "sgdisk",
            "--set-alignment=1",
            f"--new=1:{site.stripe.start_sector}:0",
            "--typecode=1:8300",
            f"--change-name=1:{site.partition_name}",
            f"/dev/{site.name}",
        )
        return Command(argv=argv, note="one partition that begins on a whole stripe")

    @staticmethod
    def _mkfs_command(site: _Site, device: str, uuid: str) -> Command:
        # No extent size hint of 64 KiB on XFS: it measured four times the extents (docs/file-systems.md).
        argv: tuple[str, ...]
        if site.file_system == "xfs":
            argv = (
                "mkfs.xfs",
                "-q",
                "-L",
                site.label,
                "-m",
                f"uuid={uuid}",
                *site.stripe.xfs_options(),
                device,
            )
        else:
            ext4 = (
                "mkfs.ext4",
                "-q",
                "-b",
                "4096",
                "-m",
                "0",
                "-T",
                "largefile",
                "-L",
                site.label,
                "-U",
                uuid,
            )
            argv = (*ext4, *site.stripe.ext4_options(), device)
        return Command(argv=argv, note=f"{site.file_system} on it")

    def _mount_commands(self, site: _Site, device: str, uuid: str) -> list[Command]:
        if self._has_systemd():
            units = self._units()
            name = unit_name(site.mount_point)
            return [
                Command(
                    write_path=str(units / device_drop_in(uuid)),
                    write_text=drop_in_text(),
                    note="do not wait long for a missing drive at boot",
                ),
                Command(
                    write_path=str(units / name),
                    write_text=unit_text(uuid, site.mount_point, site.file_system, site.label),
                    note="mounted at every boot, by its UUID",
                ),
                Command(argv=("systemctl", "daemon-reload")),
                Command(argv=("systemctl", "enable", "--now", name)),
            ]
        return [
            Command(
                write_path=str(self._fstab),
                write_text=fstab_line(uuid, site.mount_point, site.file_system),
                note="mounted at every boot, by its UUID (this line is added)",
            ),
            Command(argv=("mount", "-t", site.file_system, "-o", "noatime", device, site.mount_point)),
        ]

    # -- make --------------------------------------------------------------------------------------------

    def make(self, virtual_drive: VirtualDrive, label: str, mount_point: str, file_system: str) -> MadeVolume:
        """Raises what `plan` does, and CommandFailed, CommandTimeout, StateChanged."""
        site = self._site(virtual_drive, label, mount_point, file_system)
        if not self._is_started(site):
            self._require_blank(site.name, virtual_drive)
            self._require_exclusive(site.name)
            self._do(self._partition_command(site), TOOL_TIMEOUT_S)
        self._settle(site)
        uuid = self._make_file_system(site)
        self._make_folder(site.mount_point)
        for command in self._mount_commands(site, f"/dev/{site.partition}", uuid):
            self._do(command, TOOL_TIMEOUT_S)
        self._require_mounted(site)
        try:
            os.chown(site.mount_point, *self._owner)
            os.chmod(site.mount_point, 0o755)
        except OSError as error:
            raise FileError(
                f"{site.mount_point} cannot be given to the recorder: {error.strerror}"
            ) from error
        return MadeVolume(path=site.mount_point, file_system=site.file_system, uuid=uuid)

    def _do(self, command: Command, timeout_s: float) -> None:
        if not command.write_path:
            self._run(command.argv, timeout_s=timeout_s).checked()
            return
        path, text = Path(command.write_path), command.write_text
        try:
            if path == self._fstab:
                text = fstab_with(path.read_text() if path.exists() else "", text)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, text.encode(), 0o644)
        except OSError as error:
            raise FileError(f"{path} cannot be written: {error.strerror}") from error

    def _settle(self, site: _Site) -> None:
        """Wait until the partition is there for everybody."""
        if (self._roots.run / "udev").exists():
            self._run(["udevadm", "settle", "--timeout=10"], timeout_s=NODE_TIMEOUT_S)
        until = time.monotonic() + NODE_TIMEOUT_S
        asked = False
        while not (self._is_started(site) and (self._roots.dev / site.partition).exists()):
            if not asked:
                self._run(["partx", "--update", f"/dev/{site.name}"], timeout_s=TOOL_TIMEOUT_S)
                asked = True
            if time.monotonic() > until:
                raise CommandFailed(
                    f"/dev/{site.name} has no partition although sgdisk made one",
                    f"see `sgdisk --print /dev/{site.name}` and the kernel log",
                )
            time.sleep(0.1)

    def _make_file_system(self, site: _Site) -> str:
        """Its UUID: the one an interrupted run made, or a new one."""
        device = f"/dev/{site.partition}"
        found = self._blkid(device)
        if found:
            if (found.get("TYPE"), found.get("LABEL")) != (site.file_system, site.label):
                raise OperationRefused(
                    f"{device} of {site.label} carries {found.get('TYPE') or 'something'} already",
                    "delete the virtual drive and create it again if that may be lost",
                )
            return found["UUID"]
        self._require_exclusive(site.partition)
        uuid = str(uuid4())
        self._do(self._mkfs_command(site, device, uuid), MKFS_TIMEOUT_S)
        made = self._blkid(device)
        if made.get("UUID", "").lower() != uuid or made.get("TYPE") != site.file_system:
            raise CommandFailed(
                f"mkfs.{site.file_system} ended well, but {device} carries no such file system",
                "see the kernel log for errors of the drives",
            )
        return uuid

    def _make_folder(self, mount_point: str) -> None:
        try:
            os.makedirs(mount_point, mode=0o755, exist_ok=True)
        except OSError as error:
            raise FileError(f"{mount_point} cannot be made: {error.strerror}") from error

    def _require_mounted(self, site: _Site) -> None:
        chain = BlockChain(self._roots)
        if not any(point.path == site.mount_point for point in chain.mounts_of(site.name)):
            raise CommandFailed(
                f"{site.label} is not mounted on {site.mount_point} although mounting it ended well",
                f"see `journalctl -u {unit_name(site.mount_point)}`",
            )

    # -- unmake ------------------------------------------------------------------------------------------

    def unmake(self, virtual_drive: VirtualDrive) -> None:
        """Unmounted, and not mounted again at the next boot; what is on it stays. Raises Conflict, NotFound, CommandFailed."""
        chain = BlockChain(self._roots)
        name = self._name(virtual_drive, chain)
        points = chain.mounts_of(name)
        uuids = {virtual_drive.file_system_uuid} | {
            self._blkid(f"/dev/{part}").get("UUID", "") for part in (*chain.partitions(name), name)
        }
        for point in reversed(points):
            done = self._run(["umount", point.path], timeout_s=TOOL_TIMEOUT_S)
            if done.status != 0:
                raise Conflict(
                    f"{point.path} ({virtual_drive.name}) cannot be unmounted: {done.complaint}",
                    "remove the volume from recording and close what has files open there (`fuser -m`)",
                )
        still = BlockChain(self._roots).mounts_of(name)
        if still:
            raise Conflict(f"{still[0].path} ({virtual_drive.name}) is still mounted", "unmount it by hand")
        for uuid in uuids - {""}:
            self._forget(uuid)

    def _forget(self, uuid: str) -> None:
        """Take our own units and fstab lines for this file system away."""
        units = self._units()
        was_there = False
        for name in listed(units):
            path = units / name
            text = read_text(path) if name.endswith(".mount") else ""
            if text.startswith(MARK) and f"What=/dev/disk/by-uuid/{uuid}\n" in f"{text}\n":
                if self._has_systemd():
                    self._run(["systemctl", "disable", name], timeout_s=TOOL_TIMEOUT_S)
                path.unlink(missing_ok=True)
                was_there = True
        drop_in = units / device_drop_in(uuid)
        if drop_in.exists():
            drop_in.unlink()
            if not listed(drop_in.parent):
                drop_in.parent.rmdir()
        if was_there and self._has_systemd():
            self._run(["systemctl", "daemon-reload"], timeout_s=TOOL_TIMEOUT_S)
        if self._fstab.exists():
            old = self._fstab.read_text()
            new = fstab_without(old, uuid)
            if new != old:
                write_atomically(self._fstab, new.encode(), 0o644)

    # -- checks ------------------------------------------------------------------------------------------

    @property
    def _fstab(self) -> Path:
        return self._roots.etc / "fstab"

    def _units(self) -> Path:
        return self._roots.etc / "systemd" / "system"

    def _has_systemd(self) -> bool:
        """As sd_booted(3) tells."""
        return (self._roots.run / "systemd" / "system").is_dir()

    def _site(self, virtual_drive: VirtualDrive, label: str, mount_point: str, file_system: str) -> _Site:
        if file_system not in FILE_SYSTEMS:
            raise InvalidInput(
                f"file system {file_system!r} is not offered", f"one of {', '.join(FILE_SYSTEMS)}"
            )
        limit = FILE_SYSTEMS[file_system]
        is_plain = label.isascii() and label.isprintable() and not set(label) & set("\\\"'/%:")
        if not label.strip() or label.startswith("-") or not is_plain or len(label) > limit:
            raise InvalidInput(
                f"{label!r} cannot be the label of an {file_system} file system",
                f"up to {limit} plain characters, no quotes, slashes or colons",
            )
        self._check_mount_point(mount_point)
        chain = BlockChain(self._roots)
        name = self._name(virtual_drive, chain)
        return _Site(
            name=name,
            stripe=read_stripe(chain.folder(name)),
            label=label,
            mount_point=mount_point,
            file_system=file_system,
        )

    def _check_mount_point(self, mount_point: str) -> None:
        path = PurePosixPath(mount_point)
        if not path.is_absolute() or ".." in path.parts or str(path) != mount_point or len(path.parts) < 2:
            raise InvalidInput(f"{mount_point!r} is not a mount point", "an absolute path without .. or //")
        if not mount_point.isprintable() or any(
            mount_point == bad or mount_point.startswith(f"{bad}/") for bad in _FORBIDDEN_MOUNTS
        ):
            raise InvalidInput(f"{mount_point} belongs to the system", "for example /srv/recordings")
        if os.path.realpath(mount_point) != mount_point:
            raise InvalidInput(f"{mount_point} leads through a link", "name the place itself")
        place = Path(mount_point)
        if place.exists() and (not place.is_dir() or place.is_mount() or any(place.iterdir())):
            raise OperationRefused(
                f"{mount_point} is not an empty folder", "name another mount point, or empty this one"
            )
        unit = self._units() / unit_name(mount_point)
        if unit.exists() and not read_text(unit).startswith(MARK):
            raise OperationRefused(f"{unit} is there already", "remove it, or name another mount point")
        if fstab_has(read_text(self._fstab), mount_point):
            raise OperationRefused(f"{self._fstab} mounts something on {mount_point}", "name another one")

    def _name(self, virtual_drive: VirtualDrive, chain: BlockChain) -> str:
        """The kernel's name of it now. Raises NotFound, StateChanged when another one has that name."""
        name = chain.name_of(virtual_drive.device) if virtual_drive.device else None
        if name is None or name not in chain.disks:
            raise NotFound(
                f"virtual drive {virtual_drive.name} has no device at the moment", "see its state, then again"
            )
        said = read_text(chain.folder(name) / "md" / "uuid").replace("-", "").replace(":", "")
        wanted = virtual_drive.id.removeprefix("md-").replace("-", "").replace(":", "")
        if virtual_drive.id.startswith("md-") and said and said != wanted:
            raise StateChanged(f"{virtual_drive.device} is no longer {virtual_drive.name}", "look again")
        size = read_text(chain.folder(name) / "size")
        size_bytes = int(size) * 512 if size.isdecimal() else 0
        if virtual_drive.size_bytes and size_bytes != virtual_drive.size_bytes:
            raise StateChanged(
                f"{virtual_drive.device} has {size_bytes} bytes, {virtual_drive.name} {virtual_drive.size_bytes}",
                "look again, then decide again",
            )
        return name

    def _is_started(self, site: _Site) -> bool:
        """Our own partition is there, alone, and nobody uses it."""
        chain = BlockChain(self._roots)
        if site.name not in chain or chain.partitions(site.name) != (site.partition,):
            return False
        uevent = read_text(chain.folder(site.partition) / "uevent").splitlines()
        if f"PARTNAME={site.partition_name}" not in uevent:
            return False
        if chain.holders(site.name) or chain.mounts_of(site.name):
            raise OperationRefused(
                f"{site.label} on /dev/{site.name} is in use already", "nothing is left to do"
            )
        return True

    def _require_blank(self, name: str, virtual_drive: VirtualDrive) -> None:
        chain = BlockChain(self._roots)
        what = f"virtual drive {virtual_drive.name} (/dev/{name})"
        remedy = "delete the virtual drive and create it again if what is on it may be lost"
        mounts = [point.path for point in chain.mounts_of(name)]
        used: list[tuple[str, Callable[[], object]]] = [
            ("is mounted on " + ", ".join(mounts), lambda: mounts),
            ("is swapped to", lambda: chain.above(name) & set(chain.swaps)),
            ("is used by " + ", ".join(chain.holders(name)), lambda: chain.holders(name)),
            ("has partitions", lambda: chain.partitions(name)),
        ]
        for words, is_so in used:
            if is_so():
                raise OperationRefused(f"{what} {words}", remedy)
        found = self._blkid(f"/dev/{name}")
        if found:
            kind = found.get("TYPE") or found.get("PTTYPE") or "something"
            raise OperationRefused(f"{what} carries {kind} already", remedy)
        wiped = self._run(["wipefs", "--no-act", "--parsable", f"/dev/{name}"], timeout_s=TOOL_TIMEOUT_S)
        signatures = [line for line in wiped.checked().text.splitlines() if line and not line.startswith("#")]
        if signatures:
            raise OperationRefused(f"{what} carries {signatures[0].split(',')[-1]} already", remedy)

    def _require_exclusive(self, name: str) -> None:
        """The kernel's own word on whether anybody, in whatever mount namespace, uses it."""
        try:
            os.close(os.open(self._roots.dev / name, os.O_RDWR | os.O_EXCL | os.O_CLOEXEC))
        except OSError as error:
            if error.errno == errno.EBUSY:
                raise OperationRefused(f"/dev/{name} is in use", "see what holds it: lsblk") from error
            raise CommandFailed(f"/dev/{name} cannot be opened: {error.strerror}") from error

    def _blkid(self, device: str) -> dict[str, str]:
        """What a probe of the device finds; empty = blank. Raises CommandFailed, OperationRefused when it is not clear."""
        done = self._run(["blkid", "-p", "-o", "export", device], timeout_s=TOOL_TIMEOUT_S)
        if done.status == 2 and not done.errors.strip():
            return {}
        if done.status == 8:
            raise OperationRefused(
                f"{device} carries signatures of several kinds", "clear it by hand: wipefs"
            )
        said = done.checked().text.splitlines()
        return dict(line.partition("=")[::2] for line in said if "=" in line)
