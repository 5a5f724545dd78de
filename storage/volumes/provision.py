"""A virtual drive becomes a mounted file system, and stops being one. GPT, one partition, mkfs, a mount that survives reboots.

Never onto anything that carries something: the device is looked at by the kernel, by blkid and by wipefs, and opened
exclusively, right before the first write. What was interrupted goes on where it stopped, known by the partition's own name.
Blocking; one caller at a time.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from storage.command import Runner
from storage.errors import (
    CommandFailed,
    Conflict,
    DriveError,
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
from storage.volumes.block_chain import BlockChain, read_text
from storage.volumes.lasting_mounts import LastingMounts, check_owners, check_spelling
from storage.volumes.mount_files import unit_name
from storage.volumes.stripe import Stripe, read_stripe

FILE_SYSTEMS = {"xfs": 12, "ext4": 16}
"""With the most bytes of a label."""
TOOL_TIMEOUT_S = 60.0
MKFS_TIMEOUT_S = 900.0
NODE_TIMEOUT_S = 15.0
"""For the kernel and udev to show a new partition."""
_PARTITION_PREFIX = "watchdeck "
_NOTHING_FOUND, _AMBIVALENT = 2, 8
"""Exit codes of blkid -p."""
_ZAPPED_DAMAGED = 2
"""Exit code of `sgdisk --zap-all` when it removed a table that it could not read."""
_NEW_UUID = "<new-uuid>"


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
        self._files = LastingMounts(roots, run)

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
        commands = (
            [] if started else [_zap_command(site.name), self._partition_command(site), _wipe_command(device)]
        )
        commands += [
            self._mkfs_command(site, device, _NEW_UUID),
            *self._mount_commands(site, _NEW_UUID),
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

    def _mount_commands(self, site: _Site, uuid: str) -> list[Command]:
        return self._files.commands(
            f"/dev/{site.partition}", uuid, site.mount_point, site.file_system, site.label
        )

    # -- make --------------------------------------------------------------------------------------------

    def make(self, virtual_drive: VirtualDrive, label: str, mount_point: str, file_system: str) -> MadeVolume:
        """Raises what `plan` does, and CommandFailed, CommandTimeout, StateChanged."""
        site = self._site(virtual_drive, label, mount_point, file_system)
        is_new = not self._is_started(site)
        if is_new:
            self._require_blank(site.name, virtual_drive)
            self._require_exclusive(site.name)
            zapped = self._run(_zap_command(site.name).argv, timeout_s=TOOL_TIMEOUT_S)
            if zapped.status != _ZAPPED_DAMAGED:
                zapped.checked()
            self._do(self._partition_command(site), TOOL_TIMEOUT_S)
        self._settle(site)
        if is_new:
            self._require_exclusive(site.partition)
            self._do(_wipe_command(f"/dev/{site.partition}"), TOOL_TIMEOUT_S)
        uuid = self._make_file_system(site)
        if not self._is_mounted(site):
            self._make_folder(site.mount_point)
            for command in self._mount_commands(site, uuid):
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
        if command.write_path:
            self._files.write(command)
        else:
            self._run(command.argv, timeout_s=timeout_s).checked()

    def _settle(self, site: _Site) -> None:
        """Wait until the partition is there for everybody."""
        if (self._roots.run / "udev").exists():
            self._run(["udevadm", "settle", "--timeout=10"], timeout_s=NODE_TIMEOUT_S)
        until = time.monotonic() + NODE_TIMEOUT_S
        asked = False
        while not self._is_started(site):
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
        """Open to the engine's user all the way down: the drive service's own umask lets nobody in."""
        folder = Path(mount_point)
        try:
            for each in (*reversed(folder.parents), folder):
                if not each.exists():
                    each.mkdir()
                    each.chmod(0o755)
        except OSError as error:
            raise FileError(f"{mount_point} cannot be made: {error.strerror}") from error

    def _is_mounted(self, site: _Site) -> bool:
        """There, and nowhere else."""
        points = BlockChain(self._roots).mounts_of(site.name)
        return bool(points) and all(point.path == site.mount_point for point in points)

    def _require_mounted(self, site: _Site) -> None:
        if not self._is_mounted(site):
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
        uuids = {virtual_drive.file_system_uuid}
        for part in (*chain.partitions(name), name):
            # A dead array cannot be read: its mount point is known all the same.
            with contextlib.suppress(DriveError):
                uuids.add(self._blkid(f"/dev/{part}").get("UUID", ""))
        uppermost = {point.path: point for point in chain.mount_points}
        for point in points:
            if (over := uppermost[point.path]) != point:
                raise Conflict(
                    f"{over.source} is mounted over {virtual_drive.name} at {point.path}: it would be unmounted instead",
                    f"unmount {over.source} first, if nobody needs it",
                )
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
        self._files.forget(uuids - {""}, {point.path for point in points})

    # -- checks ------------------------------------------------------------------------------------------

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
        chain = BlockChain(self._roots)
        name = self._name(virtual_drive, chain)
        site = _Site(
            name=name,
            stripe=read_stripe(chain.folder(name)),
            label=label,
            mount_point=mount_point,
            file_system=file_system,
        )
        check_spelling(mount_point)
        check_owners(mount_point)
        if not self._is_mounted(site):
            self._files.check_free(mount_point)
        return site

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
        # A controller's tool rounds what it says.
        tolerance = 0 if virtual_drive.id.startswith("md-") else size_bytes // 100
        if virtual_drive.size_bytes and abs(size_bytes - virtual_drive.size_bytes) > tolerance:
            raise StateChanged(
                f"{virtual_drive.device} has {size_bytes} bytes, {virtual_drive.name} {virtual_drive.size_bytes}",
                "look again, then decide again",
            )
        return name

    def _is_started(self, site: _Site) -> bool:
        """Our own partition is there, alone, and in no use but the one wanted."""
        chain = BlockChain(self._roots)
        has_node = (self._roots.dev / site.partition).exists()
        if site.name not in chain or chain.partitions(site.name) != (site.partition,) or not has_node:
            return False
        if self._probe(f"/dev/{site.partition}").get("PART_ENTRY_NAME") != site.partition_name:
            return False
        if chain.holders(site.name) or (chain.mounts_of(site.name) and not self._is_mounted(site)):
            raise OperationRefused(
                f"{site.label} on /dev/{site.name} is in use already", "see `lsblk`, and unmount it first"
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
        """What a probe of the device finds on it; empty = blank."""
        found = self._probe(device)
        # Of a partition it also tells what the table says: that is not on it.
        return found if found.get("TYPE") or found.get("PTTYPE") else {}

    def _probe(self, device: str) -> dict[str, str]:
        """Raises CommandFailed when it cannot be read, OperationRefused when it is not clear."""
        done = self._run(["blkid", "-p", "-o", "export", device], timeout_s=TOOL_TIMEOUT_S)
        if done.status == _NOTHING_FOUND and not done.errors.strip():
            return {}
        if done.status == _AMBIVALENT:
            raise OperationRefused(
                f"{device} carries signatures of several kinds", "clear it by hand: wipefs"
            )
        said = done.checked().text.splitlines()
        return {key: _unescaped(value) for key, _, value in (line.partition("=") for line in said)}


def _zap_command(name: str) -> Command:
    """Half of a partition table, which blkid does not count as one, shows through from an earlier array of the same drives:
    sgdisk then makes no new table ("Invalid partition data!")."""
    return Command(
        argv=("sgdisk", "--zap-all", f"/dev/{name}"), note="nor does a half of an earlier partition table"
    )


def _wipe_command(partition: str) -> Command:
    """A blank array shows, where the partition begins, what stood there on an earlier array of the same drives: with the same
    label it would even be taken for the file system of an interrupted run."""
    return Command(
        # A partition table inside a partition is left alone without --force.
        argv=("wipefs", "--all", "--force", "--quiet", partition),
        note="nothing of an earlier array shows through",
    )


def _unescaped(value: str) -> str:
    """blkid puts a backslash before what a shell would take amiss."""
    return re.sub(r"\\(.)", r"\1", value)
