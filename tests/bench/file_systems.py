"""XFS against ext4 for what a recorder does to a file system: many files growing at once, a sync every five seconds, the
oldest deleted. On loop devices side by side, in turns, so that both meet the same neighbours. Needs root.

Run alone: `python -m tests.bench.file_systems`. Says what a loop device on this machine can say: ratios, not megabytes a second.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

WRITERS = 48
PART_BYTES = 1_000_000
"""One second of a camera, about: a part is appended whole."""
PARTS_A_SYNC = 5 * WRITERS
PARTS_A_FILE = 12
ROUNDS = 3
SYNCS_A_ROUND = 6
DEVICE_BYTES = 3 * 1024**3
FULL_AT = 0.85
VARIANTS: dict[str, tuple[list[str], str]] = {
    "xfs": (["mkfs.xfs", "-q"], "noatime"),
    "xfs_64k_extents": (["mkfs.xfs", "-q", "-d", "extszinherit=16"], "noatime"),
    "ext4": (["mkfs.ext4", "-q", "-F", "-m", "0", "-T", "largefile", "-E", "lazy_itable_init=0"], "noatime"),
}
_FS_IOC_FIEMAP = 0xC020660B


@dataclass(slots=True)
class Figures:
    """What one variant did over all rounds."""

    seconds: float = 0.0
    written_bytes: int = 0
    part_ms: list[float] = field(default_factory=list)
    sync_ms: list[float] = field(default_factory=list)
    delete_ms: list[float] = field(default_factory=list)
    extents: list[int] = field(default_factory=list)

    def summary(self) -> dict[str, float]:
        return {
            "mb_s": round(self.written_bytes / self.seconds / 1e6, 1),
            "part_p50_ms": round(statistics.median(self.part_ms), 3),
            "part_p99_ms": round(statistics.quantiles(self.part_ms, n=100)[98], 3),
            "sync_p50_ms": round(statistics.median(self.sync_ms), 1),
            "sync_max_ms": round(max(self.sync_ms), 1),
            "delete_p50_ms": round(statistics.median(self.delete_ms), 3),
            "delete_max_ms": round(max(self.delete_ms), 3),
            "extents_a_file": round(statistics.fmean(self.extents), 2),
        }


class Load:
    """The recorder's files on one file system; goes on where the round before left it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._part = os.urandom(PART_BYTES)
        self._closed: deque[Path] = deque()
        self._number = 0
        self._open: dict[int, tuple[int, Path, int]] = {}
        self.figures = Figures()

    def round(self) -> None:
        root_fd = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            begun = time.monotonic()
            for _ in range(SYNCS_A_ROUND):
                self._write_parts()
                self.figures.sync_ms.append(_timed_ms(lambda: _syncfs(root_fd)))
            self.figures.seconds += time.monotonic() - begun
        finally:
            os.close(root_fd)

    def _write_parts(self) -> None:
        for index in range(PARTS_A_SYNC):
            writer = index % WRITERS
            fd, path, parts = self._open.get(writer) or self._new_file(writer)
            self.figures.part_ms.append(_timed_ms(lambda fd=fd: os.write(fd, self._part)))
            self.figures.written_bytes += PART_BYTES
            if parts + 1 == PARTS_A_FILE:
                self._close(writer)
            else:
                self._open[writer] = (fd, path, parts + 1)

    def _new_file(self, writer: int) -> tuple[int, Path, int]:
        space = os.statvfs(self._root)
        while self._closed and 1 - space.f_bavail / space.f_blocks > FULL_AT:
            oldest = self._closed.popleft()
            self.figures.extents.append(_extents(oldest))
            self.figures.delete_ms.append(_timed_ms(oldest.unlink))
            space = os.statvfs(self._root)
        self._number += 1
        path = self._root / f"camera-{writer}" / f"{self._number:08}.mp4"
        path.parent.mkdir(exist_ok=True)
        # Cameras do not begin their files together: neither do these.
        parts = (writer * 5) % PARTS_A_FILE if self._number <= WRITERS else 0
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._open[writer] = (fd, path, parts)
        return self._open[writer]

    def _close(self, writer: int) -> None:
        fd, path, _ = self._open.pop(writer)
        os.close(fd)
        self._closed.append(path)

    def close(self) -> None:
        for writer in list(self._open):
            self._close(writer)


def _timed_ms(call: object) -> float:
    assert callable(call)
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1000


def _syncfs(fd: int) -> None:
    import ctypes

    if ctypes.CDLL(None, use_errno=True).syncfs(fd) != 0:
        raise OSError(ctypes.get_errno(), "syncfs")


def _extents(path: Path) -> int:
    """FIEMAP with no room for extents only counts them."""
    request = array.array("B", bytes(32))
    request[8:16] = array.array("B", b"\xff" * 8)
    with path.open("rb") as file:
        fcntl.ioctl(file, _FS_IOC_FIEMAP, request)
    return int.from_bytes(request.tobytes()[20:24], sys.byteorder)


def _command(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


@contextlib.contextmanager
def _mounted(folder: Path, name: str) -> Iterator[Path]:
    mkfs, options = VARIANTS[name]
    image, mount = folder / f"{name}.img", folder / name
    with image.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, DEVICE_BYTES)
    mount.mkdir()
    loop = _command("losetup", "--find", "--show", "--direct-io=on", str(image))
    try:
        _command(*mkfs, loop)
        _command("mount", "-o", options, loop, str(mount))
        try:
            yield mount
        finally:
            _command("umount", str(mount))
    finally:
        _command("losetup", "--detach", loop)


def measure(folder: Path) -> dict[str, object]:
    """Figures of each variant, and each one's ratio to ext4."""
    with contextlib.ExitStack() as stack:
        loads: dict[str, Load] = {}
        for name in VARIANTS:
            loads[name] = Load(stack.enter_context(_mounted(folder, name)))
            stack.callback(loads[name].close)
        for number in range(ROUNDS):
            # The order turns, so that none always follows the same one.
            names = list(loads)
            for name in names[number % len(names) :] + names[: number % len(names)]:
                loads[name].round()
    figures = {name: load.figures.summary() for name, load in loads.items()}
    base = figures["ext4"]
    ratios = {
        name: {key: round(value / base[key], 2) for key, value in found.items() if base[key]}
        for name, found in figures.items()
    }
    return {
        "writers": WRITERS,
        "part_bytes": PART_BYTES,
        "rounds": ROUNDS,
        "kernel": os.uname().release,
        "figures": figures,
        "ratios_to_ext4": ratios,
    }


def main() -> int:
    if os.geteuid() != 0:
        print("needs root for loop devices and mounts", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="watchdeck-file-systems-", dir="/var/tmp") as folder:
        json.dump(measure(Path(folder)), sys.stdout, indent=2)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
