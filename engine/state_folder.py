"""The engine's state folder: private to its user, and one engine at a time. Blocking; before the loop starts."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.errors import ConfigError, Conflict

FOLDER_MODE = 0o700
LOCK_NAME = "engine.lock"
CATALOG_NAME = "catalog.sqlite"
EXPORTS_NAME = "exports"


@contextmanager
def locked_state_folder(folder: Path) -> Iterator[Path]:
    """Make the folder if need be and hold its lock: the kernel lets go of it however the process ends.

    Raises ConfigError (cannot be made or written) or Conflict (another engine has it).
    """
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(FOLDER_MODE)
        fd = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ConfigError(
            f"the state folder {folder} cannot be used: {error.strerror}",
            "name one that belongs to the engine's user with --state",
        ) from error
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
            raise Conflict(
                f"an engine{f' (process {owner})' if owner else ''} runs on {folder} already",
                "stop it, or name another folder with --state",
            ) from error
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        yield folder
    finally:
        os.close(fd)
