"""What stands on what among block devices: from a path down to the drives, from a drive up to what is mounted. Reads sysfs only.

Kernel names (sdb, md127, dm-0) are the vocabulary here because they are true for the length of one look; nothing of it is kept.
A look is a value: take a new one to see what changed.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from storage.roots import Roots

_ESCAPED = re.compile(r"\\([0-7]{3})")
SYSTEM_MOUNTS = ("/", "/boot", "/boot/efi", "/efi", "/usr", "/var")
"""Where a machine that loses the drive below stops working."""


@dataclass(frozen=True, slots=True)
class MountPoint:
    """A line of mountinfo."""

    path: str
    device: str
    """major:minor; 0:N for file systems without a single block device (btrfs, overlay)."""
    source: str
    file_system: str
    is_read_only: bool = False


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)


def parse_mountinfo(text: str) -> list[MountPoint]:
    """Of /proc/PID/mountinfo (proc(5)); lines that are not one are left out."""
    found: list[MountPoint] = []
    for line in text.splitlines():
        front, separator, back = line.partition(" - ")
        first, second = front.split(), back.split()
        if not separator or len(first) < 6 or len(second) < 2:
            continue
        found.append(
            MountPoint(
                path=_unescaped(first[4]),
                device=first[2],
                source=_unescaped(second[1]),
                file_system=second[0],
                is_read_only="ro" in first[5].split(","),
            )
        )
    return found


def read_text(path: Path) -> str:
    """A kernel file without its end of line; empty when it is not there or cannot be read."""
    try:
        return path.read_bytes().decode("utf-8", "replace").strip()
    except OSError:
        return ""


def listed(folder: Path) -> list[str]:
    """Names in a folder, sorted; empty when it is not there."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


@dataclass(slots=True)
class _Node:
    folder: Path
    device: str
    disk: str
    """The drive this is a partition of; its own name when it is none."""
    partitions: tuple[str, ...] = ()
    slaves: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    mounts: list[MountPoint] = field(default_factory=list)


class BlockChain:
    """One look at all block devices and what is mounted of them."""

    def __init__(self, roots: Roots) -> None:
        self._roots = roots
        self._nodes: dict[str, _Node] = {}
        self._by_device: dict[str, str] = {}
        for disk in listed(roots.sys / "block"):
            self._read_disk(disk)
        self.mount_points = self._read_mounts()
        self.swaps = self._read_swaps()

    # -- reading -----------------------------------------------------------------------------------------

    def _read_disk(self, disk: str) -> None:
        folder = self._roots.sys / "block" / disk
        names = [name for name in listed(folder) if name.startswith(disk)]
        partitions = tuple(name for name in names if (folder / name / "partition").exists())
        self._add(disk, folder, disk, partitions)
        for name in partitions:
            self._add(name, folder / name, disk, ())

    def _add(self, name: str, folder: Path, disk: str, partitions: tuple[str, ...]) -> None:
        device = read_text(folder / "dev")
        node = _Node(
            folder=folder,
            device=device,
            disk=disk,
            partitions=partitions,
            slaves=tuple(listed(folder / "slaves")),
            holders=tuple(listed(folder / "holders")),
        )
        self._nodes[name] = node
        if device:
            self._by_device[device] = name

    def _read_mounts(self) -> list[MountPoint]:
        # A service may live in a mount namespace of its own: what process 1 has mounted is in use too.
        found = {
            point: None
            for who in ("self", "1")
            for point in parse_mountinfo(read_text(self._roots.proc / who / "mountinfo"))
        }
        for point in found:
            for name in self._names_of_mount(point):
                self._nodes[name].mounts.append(point)
        return list(found)

    def _names_of_mount(self, point: MountPoint) -> set[str]:
        name = self._by_device.get(point.device) or self._name_of_source(point.source)
        names = {name} if name else set()
        if point.file_system == "btrfs":
            names |= self._btrfs_siblings(names)
        return names

    def _name_of_source(self, source: str) -> str | None:
        if not source.startswith("/dev/"):
            return None
        below_dev = source.removeprefix("/dev/")
        if below_dev in self._nodes:
            return below_dev
        if below_dev.startswith("mapper/"):
            wanted = below_dev.removeprefix("mapper/")
            for name, node in self._nodes.items():
                if read_text(node.folder / "dm" / "name") == wanted:
                    return name
        resolved = Path(os.path.realpath(self._roots.dev / below_dev)).name
        return resolved if resolved in self._nodes else None

    def _btrfs_siblings(self, names: set[str]) -> set[str]:
        """All devices of the same btrfs: mountinfo names only one of them."""
        base = self._roots.sys / "fs" / "btrfs"
        for uuid in listed(base):
            members = {name for name in listed(base / uuid / "devices") if name in self._nodes}
            if members & names:
                return members
        return set()

    def _read_swaps(self) -> list[str]:
        """Kernel names of devices that are swapped to, and of those under swap files."""
        found: list[str] = []
        for line in read_text(self._roots.proc / "swaps").splitlines()[1:]:
            source = _unescaped(line.split()[0]) if line.split() else ""
            name = self._name_of_source(source)
            if name is None and source.startswith("/") and not source.startswith("/dev/"):
                found += sorted(self.names_of_path(Path(source)))
            elif name is not None:
                found.append(name)
        return found

    # -- asking ------------------------------------------------------------------------------------------

    def __contains__(self, name: str) -> bool:
        return name in self._nodes

    @property
    def disks(self) -> list[str]:
        """Whole devices, in the kernel's spelling."""
        return [name for name, node in self._nodes.items() if node.disk == name]

    def folder(self, name: str) -> Path:
        return self._nodes[name].folder

    def device_number(self, name: str) -> str:
        """`8:16`."""
        return self._nodes[name].device

    def partitions(self, name: str) -> tuple[str, ...]:
        return self._nodes[name].partitions

    def holders(self, name: str) -> tuple[str, ...]:
        """What stands directly on it or on one of its partitions: md127, dm-0."""
        node = self._nodes[name]
        parts = (self._nodes[part] for part in node.partitions)
        return tuple(sorted({*node.holders, *(holder for part in parts for holder in part.holders)}))

    def name_of(self, device: str) -> str | None:
        """The kernel name of /dev/sdb, of a link below /dev, or of major:minor."""
        return self._by_device.get(device) or self._name_of_source(device)

    def above(self, name: str) -> set[str]:
        """It, its partitions, and everything that stands on them."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            one = waiting.pop()
            if one in found or one not in self._nodes:
                continue
            found.add(one)
            waiting += [*self._nodes[one].partitions, *self._nodes[one].holders]
        return found

    def below(self, name: str) -> set[str]:
        """The devices at the very bottom of it: drives."""
        found: set[str] = set()
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            one = waiting.pop()
            if one in seen or one not in self._nodes:
                continue
            seen.add(one)
            node = self._nodes[one]
            if node.disk != one:
                waiting.append(node.disk)
            elif node.slaves:
                waiting += node.slaves
            else:
                found.add(one)
        return found

    def mounts_of(self, name: str) -> list[MountPoint]:
        """What is mounted of it, its partitions and everything that stands on them."""
        found = [point for one in self.above(name) for point in self._nodes[one].mounts]
        return sorted(set(found), key=lambda point: point.path)

    def names_of_path(self, path: Path) -> set[str]:
        """The block devices that carry the file system of a path (or of its nearest folder that exists)."""
        place = path
        while not place.exists() and place != place.parent:
            place = place.parent
        number = place.stat().st_dev
        name = self._by_device.get(f"{os.major(number)}:{os.minor(number)}")
        if name is not None:
            return {name}
        wanted = os.path.realpath(place)
        holding = [point for point in self.mount_points if _is_inside(wanted, point.path)]
        if not holding:
            return set()
        return self._names_of_mount(max(holding, key=lambda point: len(point.path)))

    def drives_of_path(self, path: Path) -> set[str]:
        """Kernel names of the drives below a path."""
        return {drive for name in self.names_of_path(path) for drive in self.below(name)}

    def system_drives(self, folders: tuple[Path, ...] = ()) -> set[str]:
        """Drives below the system's own mounts, below swap, and below these folders."""
        names = set(self.swaps)
        for point in self.mount_points:
            if point.path in SYSTEM_MOUNTS:
                names |= self._names_of_mount(point)
        found = {drive for name in names for drive in self.below(name)}
        for folder in folders:
            found |= self.drives_of_path(folder)
        return found


def _is_inside(path: str, mount: str) -> bool:
    return mount == "/" or path == mount or path.startswith(f"{mount}/")
