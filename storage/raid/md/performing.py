"""Carrying out a plan, step by step, up to the first that complains."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from storage.command import Runner
from storage.raid.backend import Command
from storage.raid.md.look import Look
from storage.raid.operations import CreateVirtualDrive
from storage.roots import Roots
from storage.volumes.block_chain import listed, read_text

_TIMEOUT_S = 120.0
"""Creating and growing write to every member; a drive that does not answer ends it."""


class Steps:
    """Runs commands and writes kernel files below the roots. Made before the look that the commands rest on: a kernel name that
    has passed to another drive since then is touched no more."""

    def __init__(self, run: Runner, roots: Roots) -> None:
        self._run = run
        self._roots = roots
        self._seen = {name: self._marks(name) for name in listed(roots.sys / "block")}

    def carry_out(self, commands: Sequence[Command]) -> str:
        """The complaint of the first that failed, empty = none did. What was reached is judged by the state after it.
        Raises ToolMissing, CommandTimeout."""
        for command in commands:
            complaint = self._exchanged(command)
            complaint = complaint or (self.write(command) if command.write_path else self._start(command))
            if complaint:
                return complaint
        return ""

    def _marks(self, name: str) -> tuple[str, ...]:
        """What differs when another drive has the name; the first is enough, and new in Linux 5.15."""
        folder = self._roots.sys / "block" / name
        return tuple(read_text(folder / file) for file in ("diskseq", "size", "device/wwid"))

    def _exchanged(self, command: Command) -> str:
        """The first drive of a command that is another one now, in words."""
        below_sys = [Path(command.write_path)] if command.write_path else []
        names = {path.parts[3] for path in below_sys if path.parts[1:3] == ("sys", "block")}
        names |= {word.removeprefix("/dev/") for word in command.argv if word.startswith("/dev/")}
        for name in sorted(name for name in names if not name.startswith("md")):
            if name not in self._seen or self._marks(name) != self._seen[name]:
                return f"/dev/{name} is another drive now, or gone: {command} was not done"
        return ""

    def _start(self, command: Command) -> str:
        done = self._run(command.argv, timeout_s=_TIMEOUT_S)
        return "" if done.status == 0 else done.complaint

    def write(self, command: Command) -> str:
        path = self.below_roots(command.write_path)
        try:
            # One write is one order to the kernel; some of its files cannot be opened for reading.
            fd = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
            try:
                os.write(fd, command.write_text.encode())
            finally:
                os.close(fd)
        except OSError as error:
            return f"{command}: {error.strerror}"
        return ""

    def below_roots(self, path: str) -> Path:
        """Plans show the usual paths; a captured tree has others."""
        inside = Path(path)
        if inside.is_relative_to("/sys") and not inside.is_relative_to(self._roots.sys):
            return self._roots.sys / inside.relative_to("/sys")
        return inside


def rolled_back(op: CreateVirtualDrive, before: Look, after: Look, steps: Steps) -> list[str]:
    """Of a creation that failed half-way: arrays that were not there before are stopped, their drives made blank again.
    Returns their UUIDs. Raises ToolMissing, CommandTimeout."""
    old = {array.device for array in before.arrays}
    new = [array for array in after.arrays if array.device not in old]
    wanted = {id for span in op.spans for id in span} | set(op.spares)
    devices = [drive.device for drive in after.drives if drive.id in wanted]
    names = {drive.name for drive in after.drives if drive.id in wanted}
    ours = [array for array in new if any(member.name in names for member in array.members)]
    ours_names = {array.device for array in ours}
    tops = [array for array in new if any(member.name in ours_names for member in array.members)]
    for array in (*tops, *ours):
        steps.carry_out([Command(argv=("mdadm", "--stop", f"/dev/{array.device}"))])
    for device in devices:
        steps.carry_out([Command(argv=("mdadm", "--zero-superblock", device))])
    return [array.uuid for array in (*tops, *ours)]
