"""Mounts that survive a reboot: where their files are, which mount points are free, and how to take our own away again.

The text of the files is mount_files.py.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath

from storage.command import Runner
from storage.durable import write_atomically
from storage.errors import FileError, InvalidInput, OperationRefused
from storage.raid.backend import Command
from storage.roots import Roots
from storage.volumes.block_chain import listed, read_text
from storage.volumes.mount_files import (
    MARK,
    device_drop_in,
    drop_in_text,
    fstab_has,
    fstab_line,
    fstab_names,
    fstab_with,
    fstab_without,
    place_of_unit,
    unit_name,
    unit_text,
    uuid_of_unit,
)

SYSTEMCTL_TIMEOUT_S = 60.0
_FORBIDDEN = ("/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/root", "/run", "/sbin", "/sys", "/usr")


def check_spelling(mount_point: str) -> None:
    """Raises InvalidInput for what is no place for recordings."""
    path = PurePosixPath(mount_point)
    if not path.is_absolute() or ".." in path.parts or str(path) != mount_point or len(path.parts) < 2:
        raise InvalidInput(f"{mount_point!r} is not a mount point", "an absolute path without .. or //")
    is_system = any(mount_point == bad or mount_point.startswith(f"{bad}/") for bad in _FORBIDDEN)
    if not mount_point.isprintable() or is_system:
        raise InvalidInput(f"{mount_point} belongs to the system", "for example /srv/recordings")
    if os.path.realpath(mount_point) != mount_point:
        raise InvalidInput(f"{mount_point} leads through a link", "name the place itself")


def check_owners(mount_point: str) -> None:
    """Whoever may rename a folder on the way could lead what root does there elsewhere: into /etc, for instance. Raises
    OperationRefused."""
    for folder in PurePosixPath(mount_point).parents:
        try:
            status = os.lstat(folder)
        except FileNotFoundError:
            continue  # root makes it
        is_open = status.st_mode & stat.S_IWOTH or (status.st_mode & stat.S_IWGRP and status.st_gid != 0)
        if status.st_uid not in (0, os.geteuid()) or (is_open and not status.st_mode & stat.S_ISVTX):
            raise OperationRefused(
                f"{folder} may be changed by other users than root: no volume is mounted below it",
                "choose a folder that only root may change, for example below /srv",
            )


class LastingMounts:
    """Units where systemd runs, fstab where it does not."""

    def __init__(self, roots: Roots, run: Runner) -> None:
        self._roots = roots
        self._run = run
        self._fstab = roots.etc / "fstab"
        self._units = roots.etc / "systemd" / "system"

    def check_free(self, mount_point: str) -> None:
        """Raises OperationRefused when something is there, or is to be mounted there at boot."""
        place = Path(mount_point)
        if place.exists() and (not place.is_dir() or place.is_mount() or any(place.iterdir())):
            raise OperationRefused(
                f"{mount_point} is not an empty folder", "name another mount point, or empty this one"
            )
        unit = self._units / unit_name(mount_point)
        if unit.exists() and not read_text(unit).startswith(MARK):
            raise OperationRefused(f"{unit} is there already", "remove it, or name another mount point")
        if fstab_has(read_text(self._fstab), mount_point):
            raise OperationRefused(f"{self._fstab} mounts something on {mount_point}", "name another one")

    def commands(
        self, device: str, uuid: str, mount_point: str, file_system: str, label: str
    ) -> list[Command]:
        """Mount it now and at every boot."""
        if not self._has_systemd():
            return [
                Command(
                    write_path=str(self._fstab),
                    write_text=fstab_line(uuid, mount_point, file_system),
                    note="mounted at every boot, by its UUID (this line is added)",
                ),
                Command(argv=("mount", "-t", file_system, "-o", "noatime", device, mount_point)),
            ]
        name = unit_name(mount_point)
        return [
            Command(
                write_path=str(self._units / device_drop_in(uuid)),
                write_text=drop_in_text(),
                note="do not wait long for a missing drive at boot",
            ),
            Command(
                write_path=str(self._units / name),
                write_text=unit_text(uuid, mount_point, file_system, label),
                note="mounted at every boot, by its UUID",
            ),
            Command(argv=("systemctl", "daemon-reload")),
            Command(argv=("systemctl", "enable", "--now", name)),
        ]

    def places_of(self, uuid: str) -> list[str]:
        """Where our own units mount a file system."""
        texts = [read_text(self._units / name) for name in listed(self._units) if name.endswith(".mount")]
        return [place_of_unit(text) for text in texts if text.startswith(MARK) and uuid == uuid_of_unit(text)]

    def again(self, uuid: str, mount_point: str, file_system: str) -> Command:
        """Mount it where it was, as its unit or fstab says where one of them does."""
        name = unit_name(mount_point)
        note = "mounted again, by its UUID"
        if self._has_systemd() and (self._units / name).exists():
            return Command(argv=("systemctl", "start", name), note=note)
        if fstab_names(read_text(self._fstab), mount_point):
            return Command(argv=("mount", mount_point), note=note)
        kind = ("-t", file_system) if file_system else ()
        return Command(argv=("mount", *kind, "-o", "noatime", f"UUID={uuid}", mount_point), note=note)

    def write(self, command: Command) -> None:
        """A command of `commands` that writes a file. Raises FileError."""
        path, text = Path(command.write_path), command.write_text
        try:
            if path == self._fstab:
                text = fstab_with(path.read_text() if path.exists() else "", text)
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_public(path, text)
        except OSError as error:
            raise FileError(f"{path} cannot be written: {error.strerror}") from error

    def forget(self, uuids: set[str], mount_points: set[str]) -> None:
        """Take our own units and fstab lines for these file systems away, or for these mount points when a dead array no longer
        tells its UUID; what others wrote stays. Raises FileError."""
        try:
            is_removed = [self._forget_unit(name, uuids, mount_points) for name in listed(self._units)]
            if self._fstab.exists():
                old = self._fstab.read_text()
                new = fstab_without(old, uuids, mount_points)
                if new != old:
                    _write_public(self._fstab, new)
        except OSError as error:
            raise FileError(f"{error.filename} cannot be changed: {error.strerror}") from error
        if any(is_removed) and self._has_systemd():
            self._run(["systemctl", "daemon-reload"], timeout_s=SYSTEMCTL_TIMEOUT_S)

    def _forget_unit(self, name: str, uuids: set[str], mount_points: set[str]) -> bool:
        path = self._units / name
        text = read_text(path) if name.endswith(".mount") else ""
        uuid = uuid_of_unit(text)
        if not text.startswith(MARK) or not (
            uuid in uuids or name in {unit_name(point) for point in mount_points}
        ):
            return False
        if self._has_systemd():
            self._run(["systemctl", "disable", name], timeout_s=SYSTEMCTL_TIMEOUT_S)
        path.unlink(missing_ok=True)
        drop_in = self._units / device_drop_in(uuid)
        drop_in.unlink(missing_ok=True)
        if drop_in.parent.is_dir() and not listed(drop_in.parent):
            drop_in.parent.rmdir()
        return True

    def _has_systemd(self) -> bool:
        """As sd_booted(3) tells."""
        return (self._roots.run / "systemd" / "system").is_dir()


def _write_public(path: Path, text: str) -> None:
    """Readable for everybody, as such files are, whatever the umask of the drive service."""
    write_atomically(path, text.encode(), 0o644)
    path.chmod(0o644)
