"""A mounted volume: is it the right one, how full is it, segments on it, one sync for all of them.

Blocking; every method but the constructor is called on the volume's own thread. When to record where, floors
and retention are the engine's.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec

from storage.catalog.records import Camera
from storage.catalog.records import Volume as VolumeRecord
from storage.durable import fsync_folder, write_atomically
from storage.errors import AlreadyExists, VolumeError, VolumeMismatch, VolumeMissing, VolumeReadOnly
from storage.segments.chain import RunChain
from storage.segments.identity import SegmentIdentity
from storage.segments.packet import Track
from storage.segments.writer import SegmentWriter
from storage.volumes.errno_map import volume_error
from storage.volumes.folders import FOLDER_MODE, entries, open_root, remove_file
from storage.volumes.identity import IDENTITY_NAME, OWN_FOLDER, VolumeIdentity, read_identity_at
from storage.volumes.settings_copy import SETTINGS_NAME, CameraCopy, SettingsCopy, camera_copy

_SETTINGS_COPY = msgspec.json.Decoder(SettingsCopy)
_GIB = 1024**3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UUID_NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_DAY_NAME = re.compile(r"\d{4}-\d\d-\d\d\Z")
_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syncfs.argtypes = [ctypes.c_int]
_LIBC.syncfs.restype = ctypes.c_int


@dataclass(frozen=True, slots=True)
class Space:
    """Room on the file system."""

    total_bytes: int
    free_bytes: int
    """What an unprivileged writer may still use."""


def segment_path(camera: UUID, start_us: int, run: UUID, sequence: int) -> str:
    """Where a segment lies, relative to its volume: camera, UTC day, UTC time, run and place in the run."""
    start = _EPOCH + timedelta(microseconds=start_us)
    return f"{camera}/{start:%Y-%m-%d}/{start:%H%M%S.%f}Z-{run.hex[:8]}-{sequence}.mp4"


def default_floor_bytes(total_bytes: int) -> int:
    """Free space recording leaves on a volume: 5 %, but not more than 20 GiB and, on all but small ones, 1 GiB."""
    return min(20 * _GIB, max(total_bytes // 20, min(_GIB, total_bytes // 10)))


def is_on_system_disk(path: Path) -> bool:
    """The path (or what exists of it) lies on the file system of `/`, so filling it would stop the machine."""
    existing = path.absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    return existing.stat().st_dev == Path("/").stat().st_dev


class Volume:
    """A registered volume. Nothing is written before its identity file has been seen to be the right one."""

    def __init__(self, record: VolumeRecord) -> None:
        self._root_fd = -1
        self.record = record
        self.root = Path(record.path)

    @staticmethod
    def initialise(path: Path, uuid: UUID, name: str, station: UUID) -> VolumeIdentity:
        """Make the folder a volume: its identity file, durable. The folder is created when only it is missing.

        Raises AlreadyExists when it is one already (its identity is in the message), else VolumeError.
        """
        try:
            with contextlib.suppress(FileExistsError):
                path.mkdir(FOLDER_MODE)
                fsync_folder(path.parent)
            root_fd = open_root(path)
            try:
                with contextlib.suppress(FileNotFoundError):
                    there = read_identity_at(root_fd, str(path))
                    raise AlreadyExists(
                        f"{path} is volume {there.name} ({there.uuid}) of station {there.station} already",
                        "adopt it with `watchdeck fsck --repair`, or choose another folder",
                    )
                with contextlib.suppress(FileExistsError):
                    os.mkdir(OWN_FOLDER, FOLDER_MODE, dir_fd=root_fd)
                os.fsync(root_fd)
            finally:
                os.close(root_fd)
            identity = VolumeIdentity(uuid=uuid, name=name, station=station)
            write_atomically(path / OWN_FOLDER / IDENTITY_NAME, msgspec.json.encode(identity), 0o640)
        except OSError as exc:
            raise volume_error(exc, name) from exc
        return identity

    @staticmethod
    def read_identity(path: Path) -> VolumeIdentity | None:
        """Identity of whatever volume is mounted at the path; None when it is no volume."""
        try:
            root_fd = open_root(path)
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise volume_error(exc, str(path)) from exc
        try:
            return read_identity_at(root_fd, str(path))
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise volume_error(exc, str(path)) from exc
        finally:
            os.close(root_fd)

    # -- checks ----------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Make sure that the registered volume is mounted there and can be written.

        Raises VolumeMissing, VolumeMismatch, VolumeReadOnly, or what the OSError means.
        """
        try:
            root_fd = open_root(self.root)
        except OSError as exc:
            self.close()
            raise volume_error(exc, self.record.name) from exc
        try:
            self._check_root(root_fd)
        except BaseException:
            os.close(root_fd)
            self.close()
            raise
        if self._root_fd >= 0 and os.path.sameopenfile(self._root_fd, root_fd):
            # Kept: write-back errors are reported once to a descriptor that was open before they happened.
            os.close(root_fd)
        else:
            self.close()
            self._root_fd = root_fd

    def _check_root(self, root_fd: int) -> None:
        name = self.record.name
        try:
            identity = read_identity_at(root_fd, f"volume {name} at {self.root}")
            is_read_only = bool(os.fstatvfs(root_fd).f_flag & os.ST_RDONLY)
        except FileNotFoundError as exc:
            raise VolumeMissing(
                f"volume {name}: no identity file at {self.root}, so it is not mounted there",
                "mount it, or remove it from Watchdeck",
            ) from exc
        except OSError as exc:
            raise volume_error(exc, name) from exc
        if identity.uuid != self.record.uuid:
            raise VolumeMismatch(
                f"volume {name}: another volume ({identity.name}, {identity.uuid}) is mounted at {self.root}",
                f"mount the volume {self.record.uuid} there, or add the other one under its own name",
            )
        if is_read_only:
            raise VolumeReadOnly(
                f"volume {name}: the file system at {self.root} is mounted read-only",
                "look at the kernel log, check the file system and mount it read-write",
            )

    def close(self) -> None:
        """Let go of the mount; the next use opens it again."""
        fd, self._root_fd = self._root_fd, -1
        if fd >= 0:
            with contextlib.suppress(OSError):
                os.close(fd)

    def __del__(self) -> None:
        # A forgotten descriptor would keep a removed volume from being unmounted until the engine stops.
        self.close()

    def _root(self) -> int:
        if self._root_fd < 0:
            self.check()
        return self._root_fd

    def space(self) -> Space:
        """Of the volume's file system. Raises VolumeError."""
        try:
            stat = os.fstatvfs(self._root())
        except OSError as exc:
            raise volume_error(exc, self.record.name) from exc
        return Space(stat.f_blocks * stat.f_frsize, stat.f_bavail * stat.f_frsize)

    # -- segments --------------------------------------------------------------------------------------------

    def create_segment(
        self,
        relative: str,
        identity: SegmentIdentity,
        tracks: tuple[Track, ...],
        chain: RunChain | None = None,
    ) -> SegmentWriter:
        """A new segment file, after the volume's identity has been checked once more. Raises VolumeError."""
        self.check()
        return SegmentWriter.create_at(
            self._root_fd, self.root, relative, identity, tracks, self.record.name, chain
        )

    def remove_segment(self, relative: str) -> int:
        """Delete a segment and the folders it leaves empty; returns its bytes, 0 when it was gone. VolumeError."""
        try:
            return remove_file(self._root(), relative)
        except OSError as exc:
            raise volume_error(exc, self.record.name) from exc

    def segment_files(self) -> Iterator[str]:
        """Relative paths of all segment files, by camera and time; what is no segment is passed over.

        Raises VolumeError. Folders removed meanwhile are left out.
        """
        for camera in self._entries([], want_folders=True):
            if not _UUID_NAME.match(camera):
                continue
            for day in self._entries([camera], want_folders=True):
                if not _DAY_NAME.match(day):
                    continue
                for name in self._entries([camera, day], want_folders=False):
                    if name.endswith(".mp4"):
                        yield f"{camera}/{day}/{name}"

    def _entries(self, names: list[str], *, want_folders: bool) -> list[str]:
        try:
            return entries(self._root(), names, want_folders=want_folders)
        except FileNotFoundError:
            return []
        except OSError as exc:
            raise volume_error(exc, self.record.name) from exc

    def sync(self) -> None:
        """Make everything written to the volume durable: one syncfs(2), whatever the number of files.

        Raises VolumeError, also for write-back errors since the last sync (Linux 5.8).
        """
        if _LIBC.syncfs(self._root()) != 0:
            number = ctypes.get_errno()
            raise volume_error(OSError(number, os.strerror(number)), self.record.name)

    # -- settings copy ---------------------------------------------------------------------------------------

    def write_settings_copy(self, cameras: Sequence[Camera]) -> None:
        """Replace `.watchdeck/cameras.json`. Raises VolumeError."""
        self.check()
        copy = SettingsCopy(cameras=tuple(map(camera_copy, cameras)))
        try:
            write_atomically(self.root / OWN_FOLDER / SETTINGS_NAME, msgspec.json.encode(copy), 0o640)
        except OSError as exc:
            raise volume_error(exc, self.record.name) from exc

    def read_settings_copy(self) -> tuple[CameraCopy, ...]:
        """The cameras as last copied; empty when there is no copy. Raises VolumeError."""
        try:
            content = (self.root / OWN_FOLDER / SETTINGS_NAME).read_bytes()
            return _SETTINGS_COPY.decode(content).cameras
        except FileNotFoundError:
            return ()
        except OSError as exc:
            raise volume_error(exc, self.record.name) from exc
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise VolumeError(
                f"volume {self.record.name}: the copy of the cameras' settings is damaged: {exc}",
                f"remove {OWN_FOLDER}/{SETTINGS_NAME}; the engine writes it again",
            ) from exc
