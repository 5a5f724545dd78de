"""Safe access beneath a volume's root: relative paths as Watchdeck makes them, never through a symbolic link.

Every step is taken from the descriptor of the folder above it, so neither a renamed folder nor a mount that
goes away in between can lead a write elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from storage.errors import InvalidInput

FOLDER_MODE = 0o750
FILE_MODE = 0o640
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,200}\Z")
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def path_steps(relative: str) -> list[str]:
    """The names of a relative path. Raises InvalidInput for absolute paths, `..`, and names never generated."""
    steps = relative.split("/")
    if not all(_NAME.match(step) for step in steps):
        raise InvalidInput(f"not a path of a segment: {relative!r}")
    return steps


def open_root(root: Path) -> int:
    """Descriptor of the root itself (which may be reached through links). OSError when it is not a folder."""
    return os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


@contextlib.contextmanager
def folder_beneath(root_fd: int, names: list[str], *, create: bool = False) -> Iterator[int]:
    """Descriptor of a folder beneath the root, for the duration of the block."""
    fd = os.dup(root_fd)
    try:
        for name in names:
            if create:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, FOLDER_MODE, dir_fd=fd)
            below = os.open(name, _FOLDER_FLAGS, dir_fd=fd)
            os.close(fd)
            fd = below
        yield fd
    finally:
        os.close(fd)


def create_file(root_fd: int, relative: str) -> int:
    """Descriptor of a new file, its folders made as needed. FileExistsError when the name is taken."""
    *folders, name = path_steps(relative)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    for is_last_try in (False, False, True):
        try:
            with folder_beneath(root_fd, folders, create=True) as folder_fd:
                return os.open(name, flags, FILE_MODE, dir_fd=folder_fd)
        except FileNotFoundError:
            # Recycling, on another thread, may have removed the still empty folder again.
            if is_last_try:
                raise
    raise AssertionError("unreachable")


def remove_file(root_fd: int, relative: str) -> int:
    """Remove the file and the folders it leaves empty; returns the bytes it held, 0 when it was gone already."""
    *folders, name = path_steps(relative)
    try:
        with folder_beneath(root_fd, folders) as folder_fd:
            size_bytes = os.stat(name, dir_fd=folder_fd, follow_symlinks=False).st_size
            os.unlink(name, dir_fd=folder_fd)
    except FileNotFoundError:
        size_bytes = 0
    for depth in range(len(folders), 0, -1):
        try:
            with folder_beneath(root_fd, folders[: depth - 1]) as above_fd:
                os.rmdir(folders[depth - 1], dir_fd=above_fd)
        except FileNotFoundError:
            continue
        except OSError:  # not empty
            break
    return size_bytes


def entries(root_fd: int, names: list[str], *, want_folders: bool) -> list[str]:
    """Sorted names of the real folders, or of the real files, in a folder beneath the root."""
    wanted = stat.S_ISDIR if want_folders else stat.S_ISREG
    found = []
    with folder_beneath(root_fd, names) as fd, os.scandir(fd) as scan:
        for entry in scan:
            with contextlib.suppress(FileNotFoundError):
                if wanted(entry.stat(follow_symlinks=False).st_mode):
                    found.append(entry.name)
    return sorted(found)
