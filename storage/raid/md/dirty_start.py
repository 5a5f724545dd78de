"""A RAID 5 or 6 that was written to when the power went, and lacked a drive or was being rebuilt: mdadm and md refuse to start it.

Parity of the stripes under way may not match, and without all drives nobody can tell which; md leaves the decision to a person.
A recorder must not stand still until one comes: the array is started when every drive that worked last is there, exactly
from these, as a RAID controller would. Arrays that are clean or whole are started by mdadm's own rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from storage.command import Runner
from storage.errors import DriveError
from storage.raid.backend import Command
from storage.raid.md.drive_source import ScannedDrive
from storage.raid.md.last_members import BEARS, EVENTS_BEHIND, Superblock, examined
from storage.raid.md.look import Look
from storage.raid.md.memory import Memory
from storage.raid.md.sysfs import MdArray

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""Names that can be a file's."""


@dataclass(frozen=True, slots=True)
class DirtyStart:
    name: str
    lost: int
    """Places without a whole member."""
    commands: tuple[Command, ...]


def dirty_starts(look: Look, memory: Memory, run: Runner) -> Iterator[DirtyStart]:
    """Of arrays known as ours that udev has begun to assemble. Asks their members."""
    known = {uuid for top, kept in memory.arrays.items() for uuid in (top, *kept.legs)}
    begun = {array.device: array for array in look.in_inactive.values()}
    for device, array in sorted(begun.items()):
        drives = [look.by_id[id] for id, held_by in look.in_inactive.items() if held_by.device == device]
        if {drive.md_uuid for drive in drives} <= known and (found := _start(array, drives, run)):
            yield found


def _start(array: MdArray, drives: list[ScannedDrive], run: Runner) -> DirtyStart | None:
    try:
        told = [(drive, block) for drive in drives if (block := examined(drive, run)) is not None]
    except DriveError:
        # A member that hangs may be the one that knows better; and other arrays must not wait for it.
        return None
    if not told or len({block.uuid for _, block in told}) > 1:
        return None
    newest = max((block for _, block in told), key=lambda block: block.events)
    fresh = [
        (drive, block)
        for drive, block in told
        if block.place is not None and newest.events - block.events <= EVENTS_BEHIND
    ]
    whole = {block.place for _, block in fresh if not block.is_recovering}
    lost = newest.wanted - len(whole)
    is_absent = bool(newest.working - {block.place for _, block in fresh})
    if newest.is_clean or is_absent or not 0 < lost <= BEARS.get(newest.level, 0):
        return None
    return DirtyStart(newest.name or array.device, lost, _commands(array, newest, fresh))


def _commands(
    array: MdArray, newest: Superblock, fresh: list[tuple[ScannedDrive, Superblock]]
) -> tuple[Command, ...]:
    in_order = sorted(fresh, key=lambda pair: pair[1].place or 0)
    node = f"md/{newest.name}" if _PLAIN.fullmatch(newest.name) else array.device
    argv = ("mdadm", "--assemble", "--force", "--run", "--config=none", f"/dev/{node}")
    return (
        Command(argv=("mdadm", "--stop", f"/dev/{array.device}"), note="begun, and refused by md"),
        Command(argv=(*argv, *(drive.device for drive, _ in in_order)), note="every drive that worked last"),
    )
