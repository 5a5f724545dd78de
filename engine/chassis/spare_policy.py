"""What is done without being asked: a spare takes over, a new drive in the bay of a lost one is used, a member that was pulled by
mistake comes back, a spare that was pulled is one again, background initialisation begins. Pure: inventory, settings, memory and
time -> operations; the chassis service performs them.

A MegaRAID controller does all of this by itself; there only what it leaves undone after a while is done here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from engine.chassis.drive_words import drive_words
from storage.raid.inventory import Controller, Drive, DriveGroup, Inventory, VirtualDrive
from storage.raid.levels import LEVELS, initialisation_by_hand
from storage.raid.operations import (
    AssignSpare,
    RaidOperation,
    ReAddMember,
    StartInitialisation,
    StartRebuild,
)
from storage.raid.spares import LostPlace, choose_spare, lost_places, may_rebuild_now, why_unfit
from storage.raid.states import Capability, DriveState, SpareKind, TaskKind, VirtualDriveState
from storage.units import US_PER_SECOND

SETTLE_US = 10 * US_PER_SECOND
"""Row BY-12: a drive is not used before."""
KERNEL_GRACE_US = 3 * US_PER_SECOND
"""md takes its own (dedicated) spare by itself, within a second."""
CONTROLLER_GRACE_US = 60 * US_PER_SECOND
"""A RAID controller chooses a spare by itself."""
TOGETHER_US = 10 * US_PER_SECOND
"""Drives that go within this time went together: a cable, a backplane, an enclosure without power, a controller that was reset."""
RETURN_GRACE_US = 300 * US_PER_SECOND
"""Those are waited for: they come back as they were, and a spare that was used for one of them is not there for a failure."""
FLAP_GRACE_US = 60 * US_PER_SECOND
"""A member that is back, and goes and comes again, is waited for no longer than this before a spare takes its place."""
INITIALISE_AFTER_US = 300 * US_PER_SECOND
"""Row BG-02."""

Place = tuple[str, int, int]
"""Group, span, slot."""


@dataclass(frozen=True, slots=True)
class SpareRole:
    """What a drive was before it was pulled."""

    kind: SpareKind
    groups: tuple[str, ...]
    has_affinity: bool


@dataclass(slots=True)
class PolicyMemory:
    """What an inventory does not show. Kept up to date by `remember`."""

    present: dict[str, int] = field(default_factory=dict)
    """Drive id -> when it may be used (microseconds): ten seconds after it came."""
    vanished: dict[str, int] = field(default_factory=dict)
    """Drive id -> when it went, of the last minutes."""
    lost_since: dict[Place, int] = field(default_factory=dict)
    lost_in_migration: set[Place] = field(default_factory=set)
    """Rebuilt only by hand (row RB-07)."""
    lost_members: dict[Place, tuple[str, DriveState]] = field(default_factory=dict)
    spares: dict[str, SpareRole] = field(default_factory=dict)
    """Those present, and those that were pulled while they were spares."""
    states: dict[str, DriveState] = field(default_factory=dict)
    """Of those present, as last seen."""
    created: dict[str, int] = field(default_factory=dict)
    """Virtual drives that came while the engine ran."""
    known: set[str] | None = None
    """Virtual drives seen before."""


@dataclass(frozen=True, slots=True)
class Automatic:
    """One operation that is due."""

    operation: RaidOperation
    kind: str
    """Of the event."""
    text: str
    source: str

    @property
    def key(self) -> str:
        return repr(self.operation)


@dataclass(frozen=True, slots=True)
class NotUsed:
    """A drive that stands in the right bay and is not used: why. Said once."""

    drive: str
    text: str
    source: str


@dataclass(slots=True)
class Due:
    operations: list[Automatic] = field(default_factory=list)
    not_used: list[NotUsed] = field(default_factory=list)
    next_us: int | None = None
    """When to look again at the latest."""

    def later(self, at_us: int) -> None:
        self.next_us = at_us if self.next_us is None else min(self.next_us, at_us)


def remember(memory: PolicyMemory, inventory: Inventory, now_us: int) -> None:
    """Take in what is there now. Drives found at the first look have settled long ago."""
    first = memory.known is None
    here = {drive.id for drive in inventory.drives if drive.state is not DriveState.MISSING}
    _remember_spares(memory, inventory)
    missing = {drive.id for drive in inventory.drives if drive.state is DriveState.MISSING}
    gone = missing if first else memory.present.keys() - here
    memory.vanished |= dict.fromkeys(gone, now_us)
    memory.vanished = {
        id: at_us
        for id, at_us in memory.vanished.items()
        if id not in here and now_us < at_us + RETURN_GRACE_US + TOGETHER_US
    }
    for id in [id for id in memory.present if id not in here]:
        del memory.present[id]
        memory.states.pop(id, None)
    for id in here - memory.present.keys():
        memory.present[id] = now_us if first else now_us + SETTLE_US
    _remember_losses(memory, inventory, now_us)
    ids = {vd.id for vd in inventory.virtual_drives}
    if memory.known is not None:
        memory.created.update((id, now_us) for id in ids - memory.known)
    memory.known = ids
    for id in memory.created.keys() - ids:
        del memory.created[id]


def _remember_spares(memory: PolicyMemory, inventory: Inventory) -> None:
    """A spare that was pulled, or whose rebuild failed (row RB-06), is a spare again; one that was released or has taken a place for
    good is none."""
    for drive in inventory.drives:
        if drive.state is DriveState.MISSING:
            continue
        before, stayed = memory.states.get(drive.id), drive.id in memory.present
        memory.states[drive.id] = drive.state
        if drive.state is DriveState.HOT_SPARE and drive.spare is not None:
            memory.spares[drive.id] = SpareRole(drive.spare, drive.spare_groups, drive.has_affinity)
        elif drive.state is DriveState.ONLINE or (
            stayed and before is DriveState.HOT_SPARE and drive.state is DriveState.UNCONFIGURED_GOOD
        ):
            memory.spares.pop(drive.id, None)


def _remember_losses(memory: PolicyMemory, inventory: Inventory, now_us: int) -> None:
    lost = {
        (place.group, place.span, place.slot): place
        for group in inventory.groups
        for place in lost_places(inventory, group)
    }
    for key in memory.lost_since.keys() - lost.keys():
        del memory.lost_since[key]
        memory.lost_in_migration.discard(key)
        memory.lost_members.pop(key, None)
    for key, place in lost.items():
        if key not in memory.lost_since:
            memory.lost_since[key] = now_us
            if _is_migrating(inventory, place.group):
                memory.lost_in_migration.add(key)
        if key not in memory.lost_members or place.drive.state in (DriveState.FAILED, DriveState.MISSING):
            before = memory.lost_members.get(key)
            # Once the drive is back, its place is "missing" under a name that no drive has: that one is not remembered.
            if before is None or before == (place.drive.id, DriveState.MISSING):
                memory.lost_members[key] = (place.drive.id, place.drive.state)


def _is_migrating(inventory: Inventory, group: str) -> bool:
    ids = {vd.id for vd in inventory.virtual_drives_of(group)}
    return any(task.kind is TaskKind.MIGRATION and task.virtual_drive in ids for task in inventory.tasks)


def due(
    inventory: Inventory,
    memory: PolicyMemory,
    now_us: int,
    *,
    auto_rebuild: bool,
    claimed: frozenset[str] = frozenset(),
    failing: Collection[str] = (),
) -> Due:
    """What is to be done now, in order. `claimed` are the ids and serial numbers of drives that a person's job works on: theirs are
    left alone. `failing` are the keys of operations that did not work: another way is taken where there is one."""
    found = Due()
    for group in inventory.groups:
        if LEVELS[group.level].is_redundant and _can(inventory, group.controller, Capability.REBUILD):
            _fill_places(found, inventory, memory, group, now_us, auto_rebuild, claimed, failing)
    _restore_spares(found, inventory, memory, now_us, claimed)
    _initialise(found, inventory, memory, now_us)
    return found


def _can(inventory: Inventory, controller: str, capability: Capability) -> bool:
    known = _controller(inventory, controller)
    return known is None or capability not in known.refusals


def _controller(inventory: Inventory, id: str) -> Controller | None:
    return next((controller for controller in inventory.controllers if controller.id == id), None)


# -- lost members ----------------------------------------------------------------------------------------


def _fill_places(
    found: Due,
    inventory: Inventory,
    memory: PolicyMemory,
    group: DriveGroup,
    now_us: int,
    auto_rebuild: bool,
    claimed: frozenset[str],
    failing: Collection[str],
) -> None:
    started: set[int] = set()
    used: set[str] = set()
    members = [
        drive for span in group.spans for id in span.drives if (drive := inventory.drive(id)) is not None
    ]
    # A job that replaces one of its drives puts back what was pulled by mistake, and uses what is put in, by itself.
    may_use = auto_rebuild and not any({drive.id, drive.serial} & claimed for drive in members)
    for place in lost_places(inventory, group):
        key = (place.group, place.span, place.slot)
        if key in memory.lost_in_migration or {place.drive.id, place.drive.serial} & claimed:
            continue
        if place.span in started:
            continue
        if may_rebuild_now(inventory, group, place.span):
            if may_use and _has_failed(inventory, group):
                _bring_back(found, inventory, memory, group, place, now_us)
            continue
        back = _returned(found, inventory, memory, group, place, now_us) if may_use else None
        step = back if back is not None and back.key not in failing else None
        step = step or _spare(found, inventory, memory, group, place, now_us, used)
        if step is None and may_use:
            step = back or _same_bay(found, inventory, memory, group, place, now_us, used)
        if step is not None:
            found.operations.append(step)
            started.add(place.span)
            if isinstance(step.operation, StartRebuild):
                used.add(step.operation.drive)


def _returned(
    found: Due, inventory: Inventory, memory: PolicyMemory, group: DriveGroup, place: LostPlace, now_us: int
) -> Automatic | None:
    """A member that was healthy when it was pulled is back."""
    id, state = memory.lost_members.get((place.group, place.span, place.slot), ("", DriveState.MISSING))
    drive = inventory.drive(id)
    if drive is None or drive.foreign_group != group.id or state is not DriveState.MISSING:
        return None
    if not _has_settled(found, memory, drive, now_us):
        return None
    return Automatic(
        ReAddMember(drive=drive.id),
        "rebuild.automatic",
        f"{_name(group)}: {drive_words(drive)} is back and is brought up to date",
        group.name,
    )


def _has_failed(inventory: Inventory, group: DriveGroup) -> bool:
    """And no RAID controller sees to it by itself."""
    controller = _controller(inventory, group.controller)
    is_controllers = controller is not None and controller.backend == "megaraid"
    return not is_controllers and any(span.state is VirtualDriveState.FAILED for span in group.spans)


def _bring_back(
    found: Due, inventory: Inventory, memory: PolicyMemory, group: DriveGroup, place: LostPlace, now_us: int
) -> None:
    """With the member that went last the data is there again; whether this is it, the back-end knows."""
    back = _returned(found, inventory, memory, group, place, now_us)
    if back is not None:
        text = back.text.replace("is brought up to date", "the group, which had failed, works again with it")
        found.operations.append(replace(back, text=text))


def _spare(
    found: Due,
    inventory: Inventory,
    memory: PolicyMemory,
    group: DriveGroup,
    place: LostPlace,
    now_us: int,
    used: set[str],
) -> Automatic | None:
    spare = choose_spare(_without(inventory, used), group, place.drive)
    if spare is None:
        return None
    at_us = _waits_until_us(inventory, memory, group, place, spare, now_us)
    if now_us < at_us:
        found.later(at_us)
        return None
    return Automatic(
        StartRebuild(group=group.id, drive=spare.id, span=place.span, slot=place.slot),
        "rebuild.automatic",
        f"{_name(group)}: the {spare.spare} hot spare in {drive_words(spare)} takes the place of {drive_words(place.drive)}",
        group.name,
    )


def _waits_until_us(
    inventory: Inventory,
    memory: PolicyMemory,
    group: DriveGroup,
    place: LostPlace,
    spare: Drive,
    now_us: int,
) -> int:
    """When a spare may be used for a place at the earliest: others may do better, or the drive may come back."""
    key = (place.group, place.span, place.slot)
    since_us = memory.lost_since.get(key, now_us)
    controller = _controller(inventory, group.controller)
    is_missing = place.drive.state not in (DriveState.FAILED, DriveState.OFFLINE)
    grace_us = KERNEL_GRACE_US if spare.spare is SpareKind.DEDICATED or is_missing else 0
    if controller is not None and controller.backend == "megaraid":
        grace_us = CONTROLLER_GRACE_US
    at_us = since_us + grace_us
    if not is_missing:
        return at_us
    member = inventory.drive(memory.lost_members.get(key, ("", DriveState.MISSING))[0])
    if member is not None and member.foreign_group == group.id:
        at_us = min(max(at_us, memory.present.get(member.id, 0)), since_us + FLAP_GRACE_US)
    together = [gone_us for gone_us in memory.vanished.values() if abs(gone_us - since_us) <= TOGETHER_US]
    return max(at_us, max(together) + RETURN_GRACE_US) if len(together) > 1 else at_us


def _without(inventory: Inventory, used: set[str]) -> Inventory:
    if not used:
        return inventory
    return Inventory(
        controllers=inventory.controllers,
        drives=tuple(drive for drive in inventory.drives if drive.id not in used),
        groups=inventory.groups,
        virtual_drives=inventory.virtual_drives,
        tasks=inventory.tasks,
    )


def _same_bay(
    found: Due,
    inventory: Inventory,
    memory: PolicyMemory,
    group: DriveGroup,
    place: LostPlace,
    now_us: int,
    used: set[str],
) -> Automatic | None:
    """Rows SW-01 and SW-02: the same bay, and as large or larger. A drive that carries anything is never used by itself."""
    bay = place.drive.bay
    if bay is None:
        return None
    for drive in inventory.drives:
        is_other = drive.id not in used and drive.id != place.drive.id and not drive.is_awaiting_removal
        if drive.bay != bay or not is_other:
            continue
        if drive.foreign_group == group.id and (drive.id, DriveState.MISSING) in memory.lost_members.values():
            continue  # taken back when it has settled: nobody must be told to clear it
        if drive.state in (DriveState.FOREIGN, DriveState.PROTECTED):
            carries = drive.foreign or drive.cause or "something"
            found.not_used.append(_not_used(group, drive, f"it carries {carries}: clear it first"))
        elif drive.state is DriveState.UNCONFIGURED_GOOD:
            if reason := why_unfit(inventory, group, drive, place.drive):
                found.not_used.append(_not_used(group, drive, reason))
            elif _has_settled(found, memory, drive, now_us):
                return Automatic(
                    StartRebuild(group=group.id, drive=drive.id, span=place.span, slot=place.slot),
                    "rebuild.automatic",
                    f"{_name(group)}: the new drive in {drive_words(drive)} takes the place of the lost one",
                    group.name,
                )
    return None


def _has_settled(found: Due, memory: PolicyMemory, drive: Drive, now_us: int) -> bool:
    at_us = memory.present.get(drive.id, now_us + SETTLE_US)
    if now_us < at_us:
        found.later(at_us)
        return False
    return True


def _not_used(group: DriveGroup, drive: Drive, reason: str) -> NotUsed:
    text = f"{_name(group)}: {drive_words(drive)} is not used by itself: {reason}"
    return NotUsed(drive.id, text, group.name)


def _name(group: DriveGroup) -> str:
    return f"Drive group {group.name}"


# -- spares that come back -------------------------------------------------------------------------------


def _restore_spares(
    found: Due, inventory: Inventory, memory: PolicyMemory, now_us: int, claimed: frozenset[str]
) -> None:
    groups = {group.id for group in inventory.groups}
    taken = {step.operation.drive for step in found.operations if isinstance(step.operation, StartRebuild)}
    for drive in inventory.drives:
        role = memory.spares.get(drive.id)
        if role is None or drive.id in taken or {drive.id, drive.serial} & claimed:
            continue
        if drive.state not in (DriveState.UNCONFIGURED_GOOD, DriveState.FOREIGN):
            continue
        if drive.state is DriveState.FOREIGN and drive.foreign_group not in role.groups:
            continue
        if role.kind is SpareKind.DEDICATED and not groups.issuperset(role.groups):
            continue
        if _has_settled(found, memory, drive, now_us):
            operation = AssignSpare(
                drive=drive.id, kind=role.kind, groups=role.groups, has_affinity=role.has_affinity
            )
            text = f"The drive in {drive_words(drive)} is back and is a {role.kind} hot spare again"
            found.operations.append(Automatic(operation, "rebuild.automatic", text, _bay(drive)))


def _bay(drive: Drive) -> str:
    return f"bay {drive.bay}" if drive.bay is not None else drive.serial


# -- background initialisation ---------------------------------------------------------------------------


def _initialise(found: Due, inventory: Inventory, memory: PolicyMemory, now_us: int) -> None:
    """Rows BG-02..04: five minutes after the virtual drive was made, where there are drives enough."""
    for vd in inventory.virtual_drives:
        created_us = memory.created.get(vd.id)
        if created_us is None or vd.is_initialised or not _may_initialise(inventory, vd):
            continue
        if now_us < created_us + INITIALISE_AFTER_US:
            found.later(created_us + INITIALISE_AFTER_US)
            continue
        text = f"Background initialisation of virtual drive {vd.name}: five minutes after it was made"
        found.operations.append(
            Automatic(StartInitialisation(virtual_drive=vd.id), "initialisation.automatic", text, vd.name)
        )


def _may_initialise(inventory: Inventory, vd: VirtualDrive) -> bool:
    group = inventory.group(vd.group)
    if group is None or not LEVELS[vd.level].is_redundant or vd.state is not VirtualDriveState.ONLINE:
        return False
    if not _can(inventory, group.controller, Capability.INITIALISE):
        return False
    if any(task.virtual_drive == vd.id for task in inventory.tasks):
        return False
    return not initialisation_by_hand(vd.level, sum(len(span.drives) for span in group.spans))


def settles_at_us(memory: PolicyMemory, now_us: int) -> Mapping[str, int]:
    """Drives that came a moment ago, and until when they are not used."""
    return {id: at_us for id, at_us in memory.present.items() if now_us < at_us}
