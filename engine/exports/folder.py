"""The folder in which exports are made: what is not whole is hidden in it, and gone after a restart. Blocking: file threads.

An export grows in `.NAME.part`; when all of it is on disk, one rename makes it `NAME`. All is private to the engine's user.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from storage.durable import fsync_folder
from storage.errors import VolumeError, VolumeFailed, VolumeFull
from storage.units import US_PER_SECOND
from storage.volumes.errno_map import volume_error
from storage.volumes.volume import default_floor_bytes

log = logging.getLogger(__name__)

MODE = 0o700
_PART = ".part"
_OWN_PART = re.compile(r"\..+-[0-9]{8}-[0-9]{6}-[0-9a-f]{4}\.part", re.DOTALL)
"""NAME-YYYYMMDD-HHMMSS-xxxx, as the service names them."""


@dataclass(frozen=True, slots=True)
class Space:
    """Of the file system of the folder."""

    free_bytes: int
    spare_bytes: int
    """What is left alone: a full disk would stop what else lives on it, the catalog or the system."""

    @property
    def usable_bytes(self) -> int:
        return max(0, self.free_bytes - self.spare_bytes)


@dataclass(frozen=True, slots=True)
class ExportFolder:
    path: Path

    def prepare(self) -> list[str]:
        """Make it, and remove what a crash left half-written: the names of that. Raises VolumeError.

        What others put there is left alone: somebody may have named a folder that is not only ours.
        """
        try:
            self.path.mkdir(mode=MODE, parents=True, exist_ok=True)
            with os.scandir(self.path) as entries:
                left = [entry.name for entry in entries if _is_own_part(entry)]
        except OSError as exc:
            raise folder_error(exc, self.path) from exc
        stuck: VolumeError | None = None
        for name in left:
            try:
                self._remove(self.path / name)
            except VolumeError as exc:  # the others go all the same
                stuck = exc
        if stuck is not None:
            raise stuck
        return left

    def space(self) -> Space:
        """Also before the folder was made. Raises VolumeError."""
        existing = self.path
        try:
            while not existing.exists() and existing != existing.parent:
                existing = existing.parent
            stat = os.statvfs(existing)
        except OSError as exc:
            raise folder_error(exc, self.path) from exc
        # Half of what recording leaves free: on a disk that also records, an export must find room beyond that floor.
        spare_bytes = default_floor_bytes(stat.f_blocks * stat.f_frsize) // 2
        return Space(stat.f_bavail * stat.f_frsize, spare_bytes)

    def begin(self, name: str) -> Path:
        """A new hidden folder for an export of this name. Raises VolumeError."""
        part = self.path / f".{name}{_PART}"
        try:
            self.path.mkdir(mode=MODE, parents=True, exist_ok=True)
            part.mkdir(mode=MODE)
        except OSError as exc:
            raise folder_error(exc, self.path) from exc
        return part

    def reveal(self, part: Path, name: str) -> Path:
        """Everything in it is on disk, then it gets its name. Raises VolumeError, and then it has not got it."""
        whole = self.path / name
        try:
            fsync_folder(part)
            part.rename(whole)
        except OSError as exc:
            raise folder_error(exc, self.path) from exc
        try:
            fsync_folder(self.path)
        except OSError as exc:
            self._remove(whole)
            raise folder_error(exc, self.path) from exc
        return whole

    def give_up(self, name: str) -> None:
        """Remove one that was begun and not revealed; what else has its name is of somebody else. Raises VolumeError."""
        self._remove(self.path / f".{name}{_PART}")

    def discard(self, name: str) -> None:
        """Remove an export, whole or not. Raises VolumeError when something of it is left."""
        for path in (self.path / f".{name}{_PART}", self.path / name):
            self._remove(path)

    def _remove(self, path: Path) -> None:
        try:
            if path.is_symlink():
                path.unlink()  # never what it points to
                return
            shutil.rmtree(path)
        except FileNotFoundError:
            return
        except OSError as exc:
            raise folder_error(exc, path) from exc


def _is_own_part(entry: os.DirEntry[str]) -> bool:
    """As `begin` makes them; a browser's or rsync's half-written files are no folders, and are called otherwise."""
    return (
        _OWN_PART.fullmatch(entry.name) is not None
        and entry.is_dir(follow_symlinks=False)
        and entry.stat(follow_symlinks=False).st_uid == os.geteuid()
    )


def folder_error(exc: OSError, path: Path) -> VolumeError:
    """What the error means for the folder of exports."""
    known = volume_error(exc, str(path))
    seen = os.strerror(exc.errno) if exc.errno else str(exc)
    remedy = {
        VolumeFull: "remove exports that were fetched (`watchdeck export remove`), or free space there",
        VolumeFailed: known.remedy,
    }.get(type(known), "check [exports] folder in station.toml, its owner and its mount")
    return type(known)(f"exports in {path}: {seen}", remedy)


def expires_us(ended_us: int, keep_days: int) -> int:
    return ended_us + keep_days * 86_400 * US_PER_SECOND
