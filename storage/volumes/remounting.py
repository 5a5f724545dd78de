"""A file system is taken off its array while the array is put together again, and mounted as it was afterwards.

For arrays that have failed and got their drives back: until then the kernel holds on to a file system that cannot be written any
more. Whoever records there has let go of it, or does so within a few seconds. Blocking; one caller at a time.
"""

from __future__ import annotations

import time

from storage.command import Runner
from storage.errors import CommandFailed, Conflict
from storage.raid.backend import Command
from storage.raid.inventory import VirtualDrive
from storage.roots import Roots
from storage.volumes.block_chain import BlockChain, MountPoint
from storage.volumes.lasting_mounts import SYSTEMCTL_TIMEOUT_S, LastingMounts

PAUSE_S = 0.5
TRIES = 40
"""Twenty seconds: the recorder looks at its volumes every five, and closes those that have failed."""
TOOL_TIMEOUT_S = 60.0


class Remounting:
    def __init__(self, roots: Roots, run: Runner) -> None:
        self._roots = roots
        self._run = run
        self._files = LastingMounts(roots, run)

    def around(self, virtual_drive: VirtualDrive, commands: tuple[Command, ...]) -> tuple[Command, ...]:
        """A plan with what is done before and after it."""
        points = self._points(virtual_drive)
        before = [Command(argv=("umount", point.path), note="let go of it") for point in reversed(points)]
        return (*before, *commands, *self._again(virtual_drive, points))

    def unmount(self, virtual_drive: VirtualDrive) -> list[MountPoint]:
        """What was mounted, for `mount`. Raises Conflict when somebody holds on to it."""
        points = self._points(virtual_drive)
        for point in reversed(points):
            self._unmount(point, virtual_drive)
        return points

    def _unmount(self, point: MountPoint, virtual_drive: VirtualDrive) -> None:
        done = self._run(["umount", point.path], timeout_s=TOOL_TIMEOUT_S)
        for _ in range(TRIES):
            if done.status == 0:
                return
            time.sleep(PAUSE_S)
            done = self._run(["umount", point.path], timeout_s=TOOL_TIMEOUT_S)
        if done.status != 0:
            raise Conflict(
                f"{point.path} ({virtual_drive.name}) cannot be unmounted: {done.complaint}",
                f"close what has files open there (`fuser -vm {point.path}`), then re-add the drive again",
            )

    def mount(self, virtual_drive: VirtualDrive, points: list[MountPoint]) -> None:
        """Where it was, and wherever it is to be mounted at boot. Raises CommandFailed."""
        for command in self._again(virtual_drive, points):
            done = self._run(command.argv, timeout_s=SYSTEMCTL_TIMEOUT_S)
            if done.status != 0:
                raise CommandFailed(
                    f"{virtual_drive.name} works again, but is not mounted: {done.complaint}",
                    f"check its file system, then `{command}`",
                )

    def _again(self, virtual_drive: VirtualDrive, points: list[MountPoint]) -> list[Command]:
        uuid = virtual_drive.file_system_uuid
        kinds = dict.fromkeys(self._files.places_of(uuid), "") | {p.path: p.file_system for p in points}
        return [self._files.again(uuid, path, kind) for path, kind in sorted(kinds.items())]

    def _points(self, virtual_drive: VirtualDrive) -> list[MountPoint]:
        chain = BlockChain(self._roots)
        name = chain.name_of(virtual_drive.device) if virtual_drive.device else None
        return chain.mounts_of(name) if name is not None else []
