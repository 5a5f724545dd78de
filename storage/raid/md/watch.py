"""When to look again: md's own notifications and the kernel's about block devices.

asyncio cannot wait for EPOLLPRI, but an epoll is itself readable: the inner one holds sysfs files and mdstat, the event loop
watches the inner one. A poll every few seconds stays necessary: a file that appears between two drains is not watched yet.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
from collections.abc import Sequence
from pathlib import Path

from storage.roots import Roots
from storage.volumes.block_chain import listed, read_text

_FILES = ("sync_action", "sync_completed", "degraded")
_STATE_FILE = "array_state"
"""Only of levels without redundancy: on others it changes twice a second while the array is written."""
_READ_BYTES = 1 << 16
_MOST_EVENTS = 1000
"""A drain."""
_NETLINK_KOBJECT_UEVENT = 15
_KERNEL_AND_UDEV = 3
"""Groups 1 (the kernel, at once) and 2 (udev, when its database is up to date)."""


class ArrayWatch:
    """A Wakeup on /proc/mdstat and the files of every array and member."""

    def __init__(self, roots: Roots) -> None:
        self._roots = roots
        self._epoll = select.epoll()
        self._fds: dict[Path, int] = {}
        self._arm()

    def fileno(self) -> int:
        return self._epoll.fileno()

    def drain(self) -> Sequence[str]:
        by_fd = {fd: path for path, fd in self._fds.items()}
        for fd, _ in self._epoll.poll(0):
            path = by_fd.get(fd)
            if path is not None and not self._read(fd):
                self._drop(path)
        self._arm()
        return ()

    @property
    def watched(self) -> list[Path]:
        return sorted(self._fds)

    def _arm(self) -> None:
        wanted = self._wanted()
        for path in [path for path in self._fds if path not in wanted]:
            self._drop(path)
        for path in wanted:
            if path not in self._fds:
                self._add(path)

    def _wanted(self) -> set[Path]:
        found = {self._roots.proc / "mdstat"}
        base = self._roots.sys / "block"
        for name in listed(base):
            md = base / name / "md"
            if not name.startswith("md") or not md.is_dir():
                continue
            is_plain = read_text(md / "level") in ("raid0", "linear")
            found |= {md / file for file in ((_STATE_FILE,) if is_plain else _FILES)}
            found |= {md / entry / "state" for entry in listed(md) if entry.startswith("dev-")}
        return found

    def _add(self, path: Path) -> None:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return  # gone again, or this level has no such file
        # Before it is armed it must have been read once: the kernel reports changes since the last read.
        if not self._read(fd):
            os.close(fd)
            return
        try:
            self._epoll.register(fd, select.EPOLLPRI | select.EPOLLERR)
        except PermissionError:
            os.close(fd)  # a plain file, in a captured tree: it never notifies
            return
        self._fds[path] = fd

    def _read(self, fd: int) -> bool:
        try:
            os.lseek(fd, 0, os.SEEK_SET)
            while os.read(fd, _READ_BYTES):
                pass
        except OSError:
            return False
        return True

    def _drop(self, path: Path) -> None:
        fd = self._fds.pop(path)
        with contextlib.suppress(OSError):
            self._epoll.unregister(fd)
        os.close(fd)

    def close(self) -> None:
        for path in list(self._fds):
            self._drop(path)
        self._epoll.close()


class BlockDeviceWatch:
    """A Wakeup on uevents of block devices: a drive was inserted, pulled or written to for the first time."""

    def __init__(self) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK,
            socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC,
            _NETLINK_KOBJECT_UEVENT,
        )
        self._socket.bind((0, _KERNEL_AND_UDEV))

    def fileno(self) -> int:
        return self._socket.fileno()

    def drain(self) -> Sequence[str]:
        for _ in range(_MOST_EVENTS):
            try:
                self._socket.recv(_READ_BYTES)
            except BlockingIOError:
                break
            except OSError:
                continue  # ENOBUFS: some were lost; the look that follows sees what is there
        return ()

    def close(self) -> None:
        self._socket.close()
