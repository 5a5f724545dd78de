"""A folder becomes a volume: the checks that keep recordings off the wrong disk. Blocking; on a file thread."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from storage.catalog.records import Volume as VolumeRecord
from storage.errors import AlreadyExists, Conflict, InvalidInput
from storage.volumes.errno_map import volume_error
from storage.volumes.volume import Volume, default_floor_bytes, is_on_system_disk


@dataclass(frozen=True, slots=True)
class PreparedVolume:
    """It carries its identity file now."""

    uuid: UUID
    floor_bytes: int


def prepare_volume(
    *,
    name: str,
    path: str,
    floor_bytes: int | None,
    may_be_system_disk: bool,
    known: Sequence[VolumeRecord],
    station: UUID,
) -> PreparedVolume:
    """Write the identity file, or adopt the one this station wrote earlier. Raises before anything is changed."""
    root = Path(path)
    try:
        _check_apart(root, known)
        if not may_be_system_disk and is_on_system_disk(root):
            raise InvalidInput(
                f"{path} lies on the system's own disk: recording there competes with the machine itself",
                "mount a disk there, or allow the system disk on purpose (--allow-system-disk)",
            )
        identity = Volume.read_identity(root)
        if identity is None:
            identity = Volume.initialise(root, uuid4(), name, station)
        elif identity.station != station:
            raise Conflict(
                f"{path} holds recordings of another station (volume {identity.name}, {identity.uuid})",
                f"choose another folder, or take its `{path}/.watchdeck` away if the recordings are not wanted",
            )
        if any(volume.uuid == identity.uuid for volume in known):
            raise AlreadyExists(f"the volume at {path} is registered already", "`watchdeck volume list`")
        _check_writable(root)
        stat = os.statvfs(root)
    except OSError as error:
        raise volume_error(error, name) from error
    total_bytes = stat.f_blocks * stat.f_frsize
    return PreparedVolume(
        identity.uuid, default_floor_bytes(total_bytes) if floor_bytes is None else floor_bytes
    )


def _check_apart(root: Path, known: Sequence[VolumeRecord]) -> None:
    """Neither the same folder as another volume (through whatever links), nor inside one, nor around one."""
    real = root.resolve()
    for volume in known:
        other = Path(volume.path).resolve()
        if real == other:
            raise AlreadyExists(f"{root} is the volume {volume.name} already", "`watchdeck volume list`")
        if real.is_relative_to(other) or other.is_relative_to(real):
            raise InvalidInput(
                f"{root} and the volume {volume.name} ({volume.path}) lie inside each other",
                "keep them apart",
            )


def _check_writable(root: Path) -> None:
    """Permissions and quotas of the engine's user, seen now and not in the first minute of recording."""
    probe = root / ".watchdeck" / f".probe.{os.getpid()}"
    fd = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, b"x")
    finally:
        os.close(fd)
        probe.unlink()
