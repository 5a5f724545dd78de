"""Volumes of the simulated chassis: folders that are out of reach while their virtual drive is.

A folder below the chassis' own stands for the mounted file system; when its virtual drive fails it is renamed away, and back
when it works again. Files that are open stay open, as they would on a drive that is gone until they are written.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from storage.durable import fsync_folder
from storage.errors import Conflict, DriveError, InvalidInput, OperationRefused
from storage.raid.inventory import Mount, VirtualDrive
from storage.raid.simulated_state import SimGroup, SimState, SimVolume
from storage.raid.states import VirtualDriveState

_AWAY: Final = ".away-"
_ERASED: Final = ".erased-"
_STRAY: Final = ".stray-"
_BYTES_PER_REQUEST: Final = 128 * 1024


class VolumeFolders:
    """All folders of one chassis. Called under the back-end's lock or by one caller at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._newest: dict[str, int] = {}
        self._requests: dict[str, int] = {}

    def new_volume(self, vd: VirtualDrive, label: str, mount_point: str, file_system: str) -> SimVolume:
        """Raises OperationRefused, InvalidInput; makes nothing."""
        if vd.file_system_uuid:
            raise OperationRefused(
                f"virtual drive {vd.name} carries a file system ({vd.file_system_uuid})",
                "delete and create it anew",
            )
        if vd.state is VirtualDriveState.FAILED:
            raise OperationRefused(f"virtual drive {vd.name} has failed", "delete and create it anew")
        name = Path(mount_point).name
        if not name or name.startswith("."):
            raise InvalidInput(f"{mount_point!r} is no place to mount a volume", "name a folder")
        path = self._folder / name
        if path.exists():
            raise OperationRefused(f"{path} exists already", "choose another name")
        mount = Mount(path=str(path), file_system=file_system, uuid=str(uuid.uuid4()))
        return SimVolume(mount=mount, label=label)

    def make(self, volume: SimVolume) -> None:
        Path(volume.mount.path).mkdir(0o750, exist_ok=True)
        fsync_folder(self._folder)

    def unmake(self, group: str, volume: SimVolume) -> None:
        """Out of reach for good; erased with the virtual drive. Raises Conflict while this process has files open on it."""
        path = Path(volume.mount.path)
        prefix = f"{path}/"
        for entry in Path("/proc/self/fd").iterdir():
            try:
                target = os.readlink(entry)
            except FileNotFoundError:
                continue
            if target == str(path) or target.startswith(prefix):
                raise Conflict(f"{target} is open", "take the volume out of recording first")
        for there in (path, self._away(group)):
            if there.exists():
                there.rename(self._folder / f"{_ERASED}{group}")
        fsync_folder(self._folder)

    def follow(self, state: SimState) -> None:
        """Bring the folders into line with the virtual drives. Raises DriveError."""
        try:
            self._follow_all(state)
        except OSError as exc:
            raise DriveError(
                f"the folder of a simulated volume cannot be moved: {exc}", f"look at {self._folder}"
            ) from exc

    def _follow_all(self, state: SimState) -> None:
        for group in state.groups.values():
            if group.volume is not None:
                self._follow(group, group.volume, state.vd_state(group) is VirtualDriveState.FAILED)
        for folder in self._folder.glob(f"{_ERASED}*"):
            if folder.name.removeprefix(_ERASED) not in state.groups:
                shutil.rmtree(folder, ignore_errors=True)
        for folder in self._folder.glob(f"{_AWAY}*"):
            if folder.name.removeprefix(_AWAY) not in state.groups:
                shutil.rmtree(folder, ignore_errors=True)

    def _follow(self, group: SimGroup, volume: SimVolume, is_failed: bool) -> None:
        here, away = Path(volume.mount.path), self._away(group.id)
        if is_failed and here.exists() and not away.exists():
            here.rename(away)
        elif not is_failed and away.exists():
            if here.exists():
                # Made by somebody while the volume was away: kept, out of the way.
                here.rename(self._folder / f"{_STRAY}{uuid.uuid4().hex[:8]}")
            away.rename(here)

    def _away(self, group: str) -> Path:
        return self._folder / f"{_AWAY}{group}"

    def write_requests(self, volumes: Mapping[str, SimVolume]) -> dict[str, int]:
        """Group -> write requests so far, guessed from the newest file of each camera: recordings only ever grow at their end."""
        for group, volume in volumes.items():
            newest = sum(_newest_bytes(camera) for camera in _folders(Path(volume.mount.path)))
            before = self._newest.get(group)
            self._newest[group] = newest
            if before is not None and newest != before:
                grown = max(newest - before, _BYTES_PER_REQUEST)
                self._requests[group] = self._requests.get(group, 0) + grown // _BYTES_PER_REQUEST
        return {group: self._requests.get(group, 0) for group in volumes}


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            found = [
                Path(entry.path) for entry in entries if not entry.name.startswith(".") and entry.is_dir()
            ]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(found)


def _newest_bytes(camera: Path) -> int:
    """Size of the last file of the last day; names sort by time."""
    days = _folders(camera)
    if not days:
        return 0
    try:
        with os.scandir(days[-1]) as entries:
            last = max(entries, key=lambda entry: entry.name, default=None)
            return last.stat().st_size if last is not None else 0
    except FileNotFoundError:
        return 0
