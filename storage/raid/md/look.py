"""One look at the machine: arrays, drives and how they belong together. Everything else here is computed from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from storage.raid.md.drive_source import ScannedDrive
from storage.raid.md.memory import KnownArray, KnownDrive, Memory
from storage.raid.md.stack import Stack, build_stacks, is_ours
from storage.raid.md.sysfs import MdArray, MdMember

CONTROLLER = "md"
_MIB = 1024 * 1024
_GIB = 1024 * _MIB
_LARGE_BYTES = 64 * _GIB


@dataclass(frozen=True, slots=True)
class Membership:
    """A drive in an array of ours."""

    stack: Stack
    leg: int
    array: MdArray
    member: MdMember


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    arrays: tuple[MdArray, ...]
    drives: tuple[ScannedDrive, ...]
    stacks: tuple[Stack, ...]
    members: dict[str, Membership]
    """By drive id."""
    in_other_arrays: dict[str, MdArray]
    """Drive id -> an array that is not ours to touch."""
    in_inactive: dict[str, MdArray]
    """Drive id -> an array that was begun and not started."""
    by_id: dict[str, ScannedDrive]
    by_name: dict[str, ScannedDrive]
    problems: tuple[str, ...] = field(default=())

    def stack(self, group: str) -> Stack | None:
        return next((stack for stack in self.stacks if stack.id == group), None)

    def group_of_uuid(self, uuid: str) -> str:
        """Id of the virtual drive an array belongs to; empty when it is none of those here."""
        return next((stack.id for stack in self.stacks if uuid and uuid in stack.uuids), "")


def coerced_bytes(size_bytes: int) -> int:
    """What a drive counts as, so that another make of the same nominal size can take its place: whole GiB, small ones MiB."""
    unit = _GIB if size_bytes >= _LARGE_BYTES else _MIB
    return size_bytes // unit * unit


def take_look(arrays: Sequence[MdArray], drives: Sequence[ScannedDrive], memory: Memory) -> Look:
    by_name = {drive.name: drive for drive in drives}
    whole = set(by_name)
    partitions = {part for drive in drives for part in drive.partitions}
    names = {array.device for array in arrays}
    known = {uuid for top, kept in memory.arrays.items() for uuid in (top, *kept.legs)}
    arrays = [
        _without_pulled(array, whole | partitions) if array.uuid in known else array for array in arrays
    ]
    ours = [array for array in arrays if is_ours(array, whole, names, partitions)]
    ours = [array for array in ours if not _holds_system(array, by_name)]
    our_names = {array.device for array in ours}
    # A raid0 over something that is not ours is not ours either.
    ours = [
        array
        for array in ours
        if all(
            member.name in our_names or not member.name.startswith("md") or not member.is_there
            for member in array.members
        )
    ]
    stacks = build_stacks(ours, memory.arrays, _carriers(drives))
    members: dict[str, Membership] = {}
    for stack in stacks:
        for number, leg in enumerate(stack.legs):
            for member in leg.members if leg is not None else ():
                drive = by_name.get(member.name)
                if leg is not None and drive is not None and member.is_there:
                    members[drive.id] = Membership(stack, number, leg, member)
    other: dict[str, MdArray] = {}
    inactive: dict[str, MdArray] = {}
    our_uuids = {array.device for array in ours}
    for array in arrays:
        if array.device in our_uuids:
            continue
        for member in array.members:
            holder = _drive_with(member.name, drives)
            if holder is not None and holder.id not in members:
                (other if array.is_active else inactive)[holder.id] = array
    return Look(
        arrays=tuple(arrays),
        drives=tuple(drives),
        stacks=tuple(stacks),
        members=members,
        in_other_arrays=other,
        in_inactive=inactive,
        by_id={drive.id: drive for drive in drives},
        by_name=by_name,
    )


def _carriers(drives: Sequence[ScannedDrive]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for drive in drives:
        if drive.md_uuid:
            found.setdefault(drive.md_uuid, set()).add(drive.id)
    return {uuid: frozenset(ids) for uuid, ids in found.items()}


def _without_pulled(array: MdArray, here: set[str]) -> MdArray:
    """Arrays are read before drives: a member pulled in between is no drive any more, and the array does not know it yet. Of an
    array that is ours it is gone; else the array would count as one made of something strange, and as lost, for this look."""
    members = tuple(
        member
        if member.name in here or member.name.startswith("md")
        else msgspec.structs.replace(member, is_there=False)
        for member in array.members
    )
    return array if members == array.members else msgspec.structs.replace(array, members=members)


def _holds_system(array: MdArray, by_name: dict[str, ScannedDrive]) -> bool:
    drives = (by_name.get(member.name) for member in array.members)
    return any(drive is not None and drive.is_system for drive in drives)


def _drive_with(name: str, drives: Sequence[ScannedDrive]) -> ScannedDrive | None:
    return next((drive for drive in drives if drive.name == name or name in drive.partitions), None)


def as_known(drive: ScannedDrive) -> KnownDrive:
    return KnownDrive(
        id=drive.id,
        bay=drive.bay,
        place=drive.place,
        side=drive.side,
        vendor=drive.vendor,
        model=drive.model,
        serial=drive.serial,
        wwn=drive.wwn,
        size_bytes=drive.size_bytes,
        coerced_bytes=coerced_bytes(drive.size_bytes),
        kind=drive.kind,
        interface=drive.interface,
    )


def remembered_arrays(look: Look, memory: Memory) -> dict[str, KnownArray]:
    """What to remember of each virtual drive after this look: a slot keeps its last member that was in sync."""
    found = dict(memory.arrays)
    # Legs are seen alone for a moment while a nested array is made.
    for leg in {uuid for stack in look.stacks if stack.is_nested for uuid in stack.leg_uuids}:
        found.pop(leg, None)
    for stack in look.stacks:
        if stack.top is None or not all(stack.leg_uuids):
            continue
        slots: list[tuple[KnownDrive | None, ...]] = []
        for number in range(len(stack.legs)):
            before = stack.known.slots[number] if stack.known and number < len(stack.known.slots) else ()
            slots.append(_slots(stack.legs[number], stack.slots_of(number), before, look))
        found[stack.uuid] = KnownArray(
            name=stack.name,
            level=stack.level,
            legs=stack.leg_uuids,
            slots=tuple(slots),
            size_bytes=stack.top.size_bytes,
            stripe_bytes=stack.top.chunk_bytes,
        )
    return found


def _slots(
    leg: MdArray | None, count: int, before: tuple[KnownDrive | None, ...], look: Look
) -> tuple[KnownDrive | None, ...]:
    kept: list[KnownDrive | None] = []
    for slot in range(count):
        drives = [
            drive
            for member in (leg.in_slot(slot) if leg is not None else ())
            if member.is_in_sync and not member.is_replacement
            if (drive := look.by_name.get(member.name)) is not None
        ]
        old = before[slot] if slot < len(before) else None
        kept.append(as_known(drives[0]) if drives else old)
    return tuple(kept)
