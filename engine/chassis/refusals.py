"""What is not done, whoever asks and whatever is typed: operations that would cost data nobody gave up. Pure.

The back-ends have refusals of their own (a level that cannot be, a controller that cannot); these here are about what is on
the drives and who uses it. Rows SF-01, SF-04, BY-12, RB-01, RB-07, HS-04, HS-11, HS-12, HS-14, VD-30; rules 8, 13, 14.
"""

from __future__ import annotations

from engine.chassis.drive_words import bays_words, drive_words, size_words, usable_bytes
from engine.chassis.facts import (
    MEMBER_STATES,
    PlanFacts,
    drives_erased,
    has_valid_data,
    home,
    members,
)
from storage.errors import NotFound, OperationRefused
from storage.raid.inventory import Drive, DriveGroup, VirtualDrive
from storage.raid.levels import LEVELS
from storage.raid.operations import (
    AssignSpare,
    ClearForeign,
    CreateVirtualDrive,
    DeleteVirtualDrive,
    Migrate,
    PrepareRemoval,
    RaidOperation,
    ReAddMember,
    ReleaseSpare,
    ReplaceMember,
    SetGood,
    SetOffline,
    StartCheck,
    StartInitialisation,
    StartRebuild,
)
from storage.raid.spares import larger_sectors, lost_places, needed_bytes
from storage.raid.states import DriveState, SpareKind, TaskKind, VirtualDriveState
from storage.units import US_PER_SECOND

_LOST = (VirtualDriveState.FAILED, VirtualDriveState.OFFLINE)


def check_safe(operation: RaidOperation, facts: PlanFacts, *, takes_down: bool = False) -> None:
    """Raises OperationRefused or NotFound. `takes_down`: recording is taken off and unmounted first, by the same job."""
    for id in drives_erased(operation):
        _check_not_in_use(_drive(facts, id), operation, facts)
    match operation:
        case CreateVirtualDrive():
            _check_new_name(operation.name, facts)
        case DeleteVirtualDrive():
            _check_deletable(_virtual_drive(facts, operation.virtual_drive), facts, takes_down)
        case SetOffline():
            _check_can_spare(_drive(facts, operation.drive), facts)
        case PrepareRemoval() | ReleaseSpare() | ReAddMember():
            _check_idle_drive(operation, _drive(facts, operation.drive), facts)
        case StartRebuild():
            _check_rebuild(operation, facts)
        case ReplaceMember():
            _check_replacement(operation, facts)
        case AssignSpare():
            _check_spare(operation, facts)
        case SetGood():
            _check_forgettable(_drive(facts, operation.drive), facts)
        case StartCheck() | StartInitialisation():
            _check_redundant(_virtual_drive(facts, operation.virtual_drive), "check or initialise")
        case Migrate():
            _check_migration(_virtual_drive(facts, operation.virtual_drive), facts)
        case _:
            pass


def _drive(facts: PlanFacts, id: str) -> Drive:
    drive = facts.inventory.drive(id)
    if drive is None:
        raise NotFound(f"no drive {id!r} is here", "`watchdeck drive list` shows all")
    if drive.state is DriveState.PROTECTED:
        raise OperationRefused(
            f"{drive_words(drive)} is not ours to touch: {drive.cause or 'it holds the system or a mounted file system'}",
            "choose another drive",
        )
    return drive


def _virtual_drive(facts: PlanFacts, ref: str) -> VirtualDrive:
    vd = facts.inventory.virtual_drive(ref)
    if vd is None:
        raise NotFound(f"no virtual drive {ref!r} is here", "`watchdeck raid list` shows all")
    for drive in _members_of(vd, facts):
        if drive.state is DriveState.PROTECTED:
            raise OperationRefused(
                f"virtual drive {vd.name} holds the system or another program's files: {drive.cause or drive_words(drive)}",
                "it stays as it is",
            )
    return vd


def _members_of(vd: VirtualDrive, facts: PlanFacts) -> list[Drive]:
    group = facts.inventory.group(vd.group)
    return members(facts.inventory, group) if group is not None else []


def _check_not_in_use(drive: Drive, operation: RaidOperation, facts: PlanFacts) -> None:
    """Everything that is written to is unconfigured good, settled, and a spare only where it does a spare's work."""
    words = drive_words(drive)
    if isinstance(operation, SetGood):
        return
    if isinstance(operation, ClearForeign):
        if drive.state is not DriveState.FOREIGN:
            raise OperationRefused(f"{words} is {_state(drive)}, not foreign", "look at its details")
        _check_not_awaited(drive, facts)
        return
    if (settles_us := facts.settles_at_us.get(drive.id, 0)) > facts.now_us:
        seconds = -(-(settles_us - facts.now_us) // US_PER_SECOND)
        raise OperationRefused(f"{words} was inserted a moment ago and settles", f"again in {seconds} s")
    if drive.foreign_group:
        raise OperationRefused(
            f"{words} was a member of {_group_name(drive.foreign_group, facts)} and may hold valid data of it",
            "put it back in service (re-add), or forget what is on it (set good)",
        )
    if drive.state is DriveState.HOT_SPARE and isinstance(operation, StartRebuild | ReplaceMember):
        return
    if drive.state is not DriveState.UNCONFIGURED_GOOD or drive.group:
        raise OperationRefused(f"{words} is {_state(drive)}: it is not free", _way_out(drive))


def _way_out(drive: Drive) -> str:
    match drive.state:
        case DriveState.HOT_SPARE:
            return "release the hot spare first"
        case DriveState.FOREIGN:
            return "import what it carries, or clear it, first"
        case DriveState.UNCONFIGURED_BAD | DriveState.FAILED:
            return "replace it, or set it good if you know better"
        case _:
            return "choose a drive that is unconfigured good"


def _check_new_name(name: str, facts: PlanFacts) -> None:
    if any(vd.name.casefold() == name.casefold() for vd in facts.inventory.virtual_drives):
        raise OperationRefused(f"a virtual drive is called {name} already", "choose another name")


def _check_deletable(vd: VirtualDrive, facts: PlanFacts, takes_down: bool) -> None:
    foreign = [mount.path for mount in vd.mounts if mount.path not in facts.own_mounts]
    if foreign:
        raise OperationRefused(
            f"virtual drive {vd.name} is mounted at {', '.join(foreign)}, which is no volume of this station",
            "unmount it yourself if nobody needs what is on it",
        )
    if takes_down:
        return
    volumes = facts.volumes_on(vd.id)
    if volumes:
        names = ", ".join(volume.name for volume in volumes)
        raise OperationRefused(
            f"virtual drive {vd.name} carries the recording volume {names}",
            "take the volume down: that stops recording on it first",
        )
    if vd.mounts:
        raise OperationRefused(
            f"virtual drive {vd.name} is mounted at {', '.join(mount.path for mount in vd.mounts)}",
            "take the volume down: that unmounts it first",
        )


def _check_can_spare(drive: Drive, facts: PlanFacts) -> None:
    at_home = home(facts.inventory, drive)
    if at_home is None:
        raise OperationRefused(f"{drive_words(drive)} is a member of nothing", "it can be pulled as it is")
    if not has_valid_data(facts.inventory, drive):
        return
    group, span = at_home
    if span.can_lose < 1:
        raise OperationRefused(
            f"{drive_words(drive)} holds the last good copy: without it group {group.name} (RAID {group.level}) is lost",
            _keep_redundancy(group, facts),
        )


def _keep_redundancy(group: DriveGroup, facts: PlanFacts) -> str:
    lost = [drive for drive in members(facts.inventory, group) if not _is_in_service(drive)]
    if lost:
        return f"first bring {bays_words(lost)} back in order"
    return (
        "copy it to a spare first (replace member)"
        if LEVELS[group.level].is_redundant
        else "there is no redundancy"
    )


def _is_in_service(drive: Drive) -> bool:
    return drive.state in (DriveState.ONLINE, DriveState.SHIELD)


def _check_idle_drive(
    operation: PrepareRemoval | ReleaseSpare | ReAddMember, drive: Drive, facts: PlanFacts
) -> None:
    words = drive_words(drive)
    match operation:
        case ReleaseSpare() if drive.state is not DriveState.HOT_SPARE:
            raise OperationRefused(f"{words} is {_state(drive)}, not a hot spare", "nothing to release")
        case ReAddMember() if not drive.foreign_group and drive.state not in (
            DriveState.OFFLINE,
            DriveState.FAILED,
            DriveState.MISSING,
        ):
            raise OperationRefused(f"{words} is {_state(drive)}: it has no place to go back to", "")
        case PrepareRemoval() if drive.state in MEMBER_STATES and drive.state not in (
            DriveState.FAILED,
            DriveState.OFFLINE,
        ):
            raise OperationRefused(
                f"{words} is {_state(drive)}: it is in use", "replace it (guided), or set it offline"
            )
        case _:
            pass


def _check_rebuild(operation: StartRebuild, facts: PlanFacts) -> None:
    group, drive = facts.inventory.group(operation.group), _drive(facts, operation.drive)
    if group is None:
        raise NotFound(f"no drive group {operation.group!r} is here", "`watchdeck raid list` shows all")
    if not LEVELS[group.level].is_redundant:
        raise OperationRefused(
            f"RAID {group.level} has nothing to rebuild from", "delete it and create it anew"
        )
    places = [
        place
        for place in lost_places(facts.inventory, group)
        if operation.slot is None or (place.span, place.slot) == (operation.span or 0, operation.slot)
    ]
    if not places:
        raise OperationRefused(f"group {group.name} has no empty place", "nothing to rebuild")
    if any(vd.state in _LOST for vd in facts.inventory.virtual_drives_of(group.id)):
        raise OperationRefused(
            f"group {group.name} has lost more drives than RAID {group.level} bears: there is nothing to rebuild from",
            "put back the drives that were pulled, if they were; else delete it",
        )
    _check_fits(drive, group, facts, places[0].drive)
    migrating = [
        vd.name
        for task in facts.inventory.tasks
        if task.kind is TaskKind.MIGRATION
        and (vd := facts.inventory.virtual_drive(task.virtual_drive)) is not None
        and vd.group == group.id
    ]
    if migrating:
        raise OperationRefused(
            f"virtual drive {migrating[0]} is being migrated", "start the rebuild when that has ended"
        )


def _check_replacement(operation: ReplaceMember, facts: PlanFacts) -> None:
    member, drive = _drive(facts, operation.member), _drive(facts, operation.replacement)
    at_home = home(facts.inventory, member)
    if at_home is None or not has_valid_data(facts.inventory, member):
        raise OperationRefused(
            f"{drive_words(member)} is {_state(member)}: nothing can be copied from it",
            "rebuild onto the other drive instead",
        )
    _check_fits(drive, at_home[0], facts, member)


def _check_fits(drive: Drive, group: DriveGroup, facts: PlanFacts, lost: Drive | None = None) -> None:
    """Same controller, not promised to others, and large enough for the place of `lost`, or for the smallest place."""
    if drive.controller != group.controller:
        raise OperationRefused(
            f"{drive_words(drive)} is on controller {drive.controller}, group {group.name} on {group.controller}",
            "choose a drive of the same controller",
        )
    if drive.spare_groups and group.id not in drive.spare_groups:
        names = ", ".join(_group_name(id, facts) for id in drive.spare_groups)
        raise OperationRefused(f"{drive_words(drive)} is a spare dedicated to {names}", "release it first")
    if reason := larger_sectors(facts.inventory, group, drive):
        raise OperationRefused(reason, "use a drive with sectors of the same size")
    sizes = [usable_bytes(member) for member in members(facts.inventory, group) if usable_bytes(member)]
    need = needed_bytes(facts.inventory, group, lost) if lost is not None else min(sizes, default=0)
    if usable_bytes(drive) < need:
        raise OperationRefused(
            f"{drive_words(drive)} has {size_words(usable_bytes(drive))}, group {group.name} needs {size_words(need)}",
            "use a drive of the same size or larger",
        )


def _check_spare(operation: AssignSpare, facts: PlanFacts) -> None:
    drive = _drive(facts, operation.drive)
    if operation.kind is SpareKind.DEDICATED and not operation.groups:
        raise OperationRefused("a dedicated spare serves a group: none is named", "name the groups")
    for id in operation.groups:
        group = facts.inventory.group(id)
        if group is None:
            raise NotFound(f"no drive group {id!r} is here", "`watchdeck raid list` shows all")
        if not LEVELS[group.level].is_redundant:
            raise OperationRefused(
                f"RAID {group.level} cannot use a spare", "spares serve RAID 1, 5, 6, 10, 50 and 60"
            )
        _check_fits(drive, group, facts)


def _check_forgettable(drive: Drive, facts: PlanFacts) -> None:
    if drive.state not in (
        DriveState.UNCONFIGURED_BAD,
        DriveState.FAILED,
        DriveState.FOREIGN,
        DriveState.OFFLINE,
    ) and not (drive.foreign_group):
        raise OperationRefused(f"{drive_words(drive)} is {_state(drive)}: there is nothing to set good", "")
    _check_not_awaited(drive, facts)


def _check_not_awaited(drive: Drive, facts: PlanFacts) -> None:
    """A member that came back to a group that cannot do without it."""
    at_home = home(facts.inventory, drive)
    group = facts.inventory.group(drive.foreign_group) or (at_home[0] if at_home is not None else None)
    if group is None:
        return
    if any(vd.state in _LOST for vd in facts.inventory.virtual_drives_of(group.id)):
        raise OperationRefused(
            f"{drive_words(drive)} belongs to group {group.name}, which is lost without it",
            "put it back in service, or delete the virtual drive first",
        )


def _check_redundant(vd: VirtualDrive, what: str) -> None:
    if not LEVELS[vd.level].is_redundant:
        raise OperationRefused(f"RAID {vd.level} has no redundancy to {what}: virtual drive {vd.name}", "")
    if vd.state in _LOST:
        raise OperationRefused(f"virtual drive {vd.name} is {vd.state}", "bring its drives back first")


def _check_migration(vd: VirtualDrive, facts: PlanFacts) -> None:
    if vd.state is not VirtualDriveState.ONLINE:
        raise OperationRefused(f"virtual drive {vd.name} is {vd.state.replace('_', ' ')}", "rebuild it first")
    if any(task.virtual_drive == vd.id for task in facts.inventory.tasks):
        raise OperationRefused(f"a background task runs on virtual drive {vd.name}", "let it end, or stop it")


def _state(drive: Drive) -> str:
    return drive.state.replace("_", " ") + (f" ({drive.cause})" if drive.cause else "")


def _group_name(id: str, facts: PlanFacts) -> str:
    group = facts.inventory.group(id)
    return f"group {group.name}" if group is not None else f"group {id}"
