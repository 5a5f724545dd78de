"""From one look to the words of the manual: drives, groups and virtual drives with their states and causes."""

from __future__ import annotations

from dataclasses import dataclass, field

from storage.raid.inventory import Drive, DriveGroup, Mount, Span, VirtualDrive
from storage.raid.levels import LEVELS
from storage.raid.md.checks import can_be_put_together_again, label
from storage.raid.md.drive_source import ScannedDrive
from storage.raid.md.look import CONTROLLER, Look, Membership, coerced_bytes
from storage.raid.md.memory import KnownDrive, Memory
from storage.raid.md.stack import SpanPlace, Stack, group_id
from storage.raid.states import DriveState, SpareKind, VirtualDriveState
from storage.volumes.block_chain import BlockChain


@dataclass(slots=True)
class _Places:
    """Who is where, while it is worked out."""

    of: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    """Drive id -> group, span, slot."""
    missing: list[Drive] = field(default_factory=list)


def groups_and_drives(look: Look, memory: Memory) -> tuple[tuple[DriveGroup, ...], tuple[Drive, ...]]:
    """Drives that are there come first, places of missing ones after them."""
    places = _Places()
    groups = tuple(_group(stack, look, memory, places) for stack in look.stacks)
    present = tuple(_drive(drive, look, memory, places) for drive in look.drives)
    return groups, present + tuple(places.missing)


# -- groups ----------------------------------------------------------------------------------------------


def _group(stack: Stack, look: Look, memory: Memory, places: _Places) -> DriveGroup:
    spans: list[Span] = []
    for number, place in enumerate(stack.spans()):
        drives = tuple(_occupant(stack, number, place, slot, look, places) for slot in range(place.count))
        spans.append(
            Span(
                drives=drives,
                state=stack.span_state(place, memory.initialising),
                can_lose=stack.span_can_lose(place) if stack.is_active else 0,
            )
        )
    return DriveGroup(
        id=stack.id, name=stack.name, level=stack.level, spans=tuple(spans), controller=CONTROLLER
    )


def _occupant(stack: Stack, span: int, place: SpanPlace, slot: int, look: Look, places: _Places) -> str:
    """The drive in a slot, or a missing one in its place."""
    array = stack.legs[place.leg]
    at = (stack.id, span, slot)
    found = ""
    for member in array.in_slot(place.first + slot) if array is not None else ():
        drive = look.by_name.get(member.name)
        if drive is not None and member.is_there:
            places.of[drive.id] = at
            found = found or drive.id
    if found:
        return found
    known = _known_in(stack, place.leg, place.first + slot)
    if known is not None and known.id not in places.of:
        held = look.members.get(known.id)
        if held is not None and held.stack.id == stack.id:
            places.of[known.id] = at
            return known.id
        if not stack.is_active and known.id in stack.here:
            places.of[known.id] = at
            return known.id
        if known.id not in look.by_id:
            places.missing.append(_missing(known.id, known, at, stack))
            return known.id
    id = f"missing-{stack.id}-{slot}" if len(stack.spans()) == 1 else f"missing-{stack.id}-{span}-{slot}"
    places.missing.append(_missing(id, known, at, stack))
    return id


def _known_in(stack: Stack, leg: int, slot: int) -> KnownDrive | None:
    if stack.known is None or leg >= len(stack.known.slots) or slot >= len(stack.known.slots[leg]):
        return None
    return stack.known.slots[leg][slot]


def _missing(id: str, known: KnownDrive | None, at: tuple[str, int, int], stack: Stack) -> Drive:
    group, span, slot = at
    if known is None:
        return Drive(
            id=id,
            controller=CONTROLLER,
            state=DriveState.MISSING,
            cause=f"a member of {stack.name} is missing; it was gone before this program first looked",
            group=group,
            span=span,
            slot=slot,
        )
    where = f"bay {known.bay}" if known.bay is not None else known.place or "an unknown bay"
    if id == known.id:
        cause = f"pulled or no longer seen: it was a member of {stack.name} in {where}"
    else:
        cause = f"the member that was in {where} (serial {known.serial}) left {stack.name}"
    return Drive(
        id=id,
        bay=known.bay,
        place=known.place,
        controller=CONTROLLER,
        side=known.side,
        kind=known.kind,
        interface=known.interface,
        vendor=known.vendor,
        model=known.model,
        serial=known.serial,
        wwn=known.wwn,
        size_bytes=known.size_bytes,
        coerced_bytes=known.coerced_bytes,
        state=DriveState.MISSING,
        cause=cause,
        group=group,
        span=span,
        slot=slot,
    )


# -- drives ----------------------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class _Role:
    state: DriveState
    cause: str = ""
    spare: SpareKind | None = None
    spare_groups: tuple[str, ...] = ()
    has_affinity: bool = False
    foreign: str = ""
    foreign_group: str = ""
    group: str = ""
    is_awaiting_removal: bool = False


def _drive(drive: ScannedDrive, look: Look, memory: Memory, places: _Places) -> Drive:
    held = look.members.get(drive.id)
    role = _member_role(drive, held, memory) if held is not None else _free_role(drive, look, memory)
    _, span, slot = places.of.get(drive.id, ("", None, None))
    return Drive(
        id=drive.id,
        bay=drive.bay,
        place=drive.place,
        device=drive.device,
        controller=CONTROLLER,
        side=drive.side,
        kind=drive.kind,
        interface=drive.interface,
        vendor=drive.vendor,
        model=drive.model,
        serial=drive.serial,
        wwn=drive.wwn,
        firmware=drive.firmware,
        size_bytes=drive.size_bytes,
        coerced_bytes=coerced_bytes(drive.size_bytes),
        sector_bytes=drive.sector_bytes,
        rotation_rpm=drive.rotation_rpm,
        state=role.state,
        cause=role.cause,
        group=role.group,
        span=span,
        slot=slot,
        spare=role.spare,
        spare_groups=role.spare_groups,
        has_affinity=role.has_affinity,
        foreign=role.foreign,
        foreign_group=role.foreign_group,
        is_awaiting_removal=role.is_awaiting_removal,
        media_errors=held.member.error_sectors if held is not None else 0,
        temperature_c=drive.temperature_c,
    )


def _member_role(drive: ScannedDrive, held: Membership, memory: Memory) -> _Role:
    member, stack = held.member, held.stack
    if member.is_faulty:
        if drive.id in memory.replaced or drive.id in memory.awaiting_removal:
            return _Role(
                state=DriveState.UNCONFIGURED_GOOD,
                cause=f"another drive has taken its place in {stack.name}: it may be pulled",
                is_awaiting_removal=True,
            )
        if memory.set_offline.get(drive.id) == stack.id:
            return _Role(
                state=DriveState.OFFLINE, group=stack.id, cause=f"taken out of {stack.name} by a person"
            )
        return _Role(
            state=DriveState.FAILED,
            group=stack.id,
            cause=f"{stack.name} dropped it after a write to it failed; see its SMART report and the kernel log",
        )
    if member.is_spare:
        note = memory.spares.get(drive.id)
        is_global = note is not None and note.kind is SpareKind.GLOBAL
        return _Role(
            state=DriveState.HOT_SPARE,
            spare=SpareKind.GLOBAL if is_global else SpareKind.DEDICATED,
            spare_groups=() if is_global else (stack.id,),
            has_affinity=note is not None and note.has_affinity,
        )
    if member.is_filling:
        leg = stack.leg_uuids[held.leg]
        if member.is_replacement:
            cause = f"receives a copy of a member of {stack.name} that still works"
            return _Role(state=DriveState.COPYBACK, group=stack.id, cause=cause)
        if memory.initialising.get(leg) == drive.id:
            return _Role(state=DriveState.ONLINE, group=stack.id, cause=f"{stack.name} is being initialised")
        return _Role(state=DriveState.REBUILD, group=stack.id, cause=f"{stack.name} is rebuilt onto it")
    cause = "holds the write journal" if "journal" in member.states else ""
    return _Role(state=DriveState.ONLINE, group=stack.id, cause=cause)


def protection(drive: ScannedDrive, look: Look) -> str:
    """Why a drive that is in no array of ours is not to be touched; empty = nothing stands on it. A superblock of md is no
    reason here: such a drive is foreign."""
    other = look.in_other_arrays.get(drive.id)
    if twin := _twin(drive, look):
        return f"says that it is {label(twin)}: one drive on two paths, or a serial number given twice"
    if not (drive.wwn or drive.serial or drive.place):
        return "has no serial number, no WWN and no known place: nobody could tell which drive it is"
    if drive.is_system:
        return "holds the operating system or this program's own state"
    if other is not None:
        return f"is in the array {other.name or other.device}, which was not made here (partitions or another format)"
    if drive.mounts:
        return f"is mounted at {', '.join(drive.mounts)}"
    if drive.partitions:
        return f"has {len(drive.partitions)} partition(s)"
    inactive = look.in_inactive.get(drive.id)
    holders = [name for name in drive.holders if inactive is None or name != inactive.device]
    if holders:
        return f"is in use by {', '.join(holders)}"
    if drive.signature not in ("", "linux_raid_member"):
        return f"carries data ({drive.signature})"
    if drive.signature == "linux_raid_member" and not drive.md_uuid:
        return "carries an array whose description cannot be read"
    return ""


def _twin(drive: ScannedDrive, look: Look) -> ScannedDrive | None:
    """Another one that says it is the same drive, by all it says of itself."""
    if not drive.wwn and not drive.serial:
        return None
    who = (drive.wwn, drive.serial, drive.model, drive.size_bytes)
    others = (other for other in look.drives if other.id != drive.id)
    return next((o for o in others if (o.wwn, o.serial, o.model, o.size_bytes) == who), None)


def _free_role(drive: ScannedDrive, look: Look, memory: Memory) -> _Role:
    reason = protection(drive, look)
    if reason:
        return _Role(state=DriveState.PROTECTED, cause=reason)
    is_waiting = drive.id in memory.awaiting_removal
    bad = memory.bad.get(drive.id, "")
    if bad:
        return _Role(state=DriveState.UNCONFIGURED_BAD, cause=bad, is_awaiting_removal=is_waiting)
    if is_waiting:
        return _Role(
            state=DriveState.UNCONFIGURED_GOOD,
            cause=memory.awaiting_removal[drive.id],
            is_awaiting_removal=True,
        )
    if drive.signature:
        return _foreign_role(drive, look)
    note = memory.spares.get(drive.id)
    if note is not None:
        return _Role(
            state=DriveState.HOT_SPARE,
            spare=note.kind,
            spare_groups=note.groups,
            has_affinity=note.has_affinity,
        )
    return _Role(state=DriveState.UNCONFIGURED_GOOD)


def _foreign_role(drive: ScannedDrive, look: Look) -> _Role:
    group = look.group_of_uuid(drive.md_uuid)
    stack = look.stack(group) if group else None
    if stack is not None:
        has_room = any(leg.uuid == drive.md_uuid and leg.lost() for leg in stack.present_legs)
        what = "it can be re-added" if has_room else "its place is taken: set it good to use it again"
        if stack.state({}) is VirtualDriveState.FAILED:
            what = (
                "the array has failed; re-adding the member that went last brings its data back"
                if can_be_put_together_again(stack)
                else "the array has failed, and it is kept as it is: see docs/raid-md.md"
            )
        cause = f"was a member of {stack.name} and is back: {what}"
        if not stack.is_active:
            cause = f"is a member of {stack.name}, which is not assembled"
        return _Role(state=DriveState.FOREIGN, foreign=group, foreign_group=group, cause=cause)
    inactive = look.in_inactive.get(drive.id)
    begun = "; it was begun and not started: members are absent" if inactive is not None else ""
    return _Role(
        state=DriveState.FOREIGN,
        foreign=group_id(drive.md_uuid),
        cause=f"carries a member of the array {drive.md_uuid}, which is not active here{begun}",
    )


# -- virtual drives --------------------------------------------------------------------------------------


def virtual_drives(look: Look, memory: Memory, chain: BlockChain) -> tuple[VirtualDrive, ...]:
    return tuple(_virtual_drive(stack, memory, chain) for stack in look.stacks)


def _virtual_drive(stack: Stack, memory: Memory, chain: BlockChain) -> VirtualDrive:
    top, known = stack.top, stack.known
    state = stack.state(memory.initialising)
    result = memory.checks.get(stack.id)
    mounts, uuid = _mounts(stack, chain)
    legs = stack.present_legs
    return VirtualDrive(
        id=stack.id,
        name=stack.name,
        group=stack.id,
        level=stack.level,
        state=state,
        cause=_cause(stack, state, memory),
        size_bytes=top.size_bytes if top is not None else known.size_bytes if known else 0,
        stripe_bytes=top.chunk_bytes if top is not None else known.stripe_bytes if known else 0,
        device=f"/dev/{top.device}" if top is not None else "",
        mounts=mounts,
        file_system_uuid=uuid,
        is_read_only=top is not None and (top.is_read_only or any(leg.is_read_only for leg in legs)),
        has_bitmap=bool(legs) and all(leg.has_bitmap for leg in legs),
        cache="write journal" if _has_journal(stack) else "",
        mismatches=result.mismatch_sectors if result else None,
        checked_us=result.ended_us if result else None,
        is_initialised=all(leg.resync_from is None and leg.uuid not in memory.initialising for leg in legs),
    )


def _has_journal(stack: Stack) -> bool:
    return any("journal" in member.states for leg in stack.present_legs for member in leg.members)


def _cause(stack: Stack, state: VirtualDriveState, memory: Memory) -> str:
    if state is VirtualDriveState.ONLINE:
        if any(leg.uuid in memory.initialising for leg in stack.present_legs):
            return "its parity is being built: one failure now would lose it"
        return ""
    if state is VirtualDriveState.OFFLINE:
        return "not assembled: it could not be started, or somebody stopped it"
    worst = [
        f"span {number + 1}: {stack.lost_in(place)} of {place.count} drives lost"
        for number, place in enumerate(stack.spans())
        if stack.span_state(place, memory.initialising) is not VirtualDriveState.ONLINE
    ]
    if not worst:
        return "a drive of it no longer answers"
    if len(stack.spans()) == 1:
        worst = [worst[0].partition(": ")[2]]
    return "; ".join([*worst, *([] if stack.is_active else ["it is not assembled"])])


def _mounts(stack: Stack, chain: BlockChain) -> tuple[tuple[Mount, ...], str]:
    if stack.top is None:
        return (), ""
    uuid = stack.top.file_system_uuid
    found = chain.mounts_of(stack.top.device) if stack.top.device in chain else []
    mounts = tuple(Mount(path=point.path, file_system=point.file_system, uuid=uuid) for point in found)
    return mounts, uuid


def is_redundant(stack: Stack) -> bool:
    return LEVELS[stack.level].is_redundant
