"""What each operation says to storcli64. Arguments are built from numbers and checked names only; every list passes the
allow-list before it is run, so that nothing typed anywhere can become another command of the controller.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from storage.errors import InvalidInput, NotFound, OperationRefused, Unsupported
from storage.raid.backend import Command
from storage.raid.inventory import Drive, DriveGroup, Inventory, Task, VirtualDrive
from storage.raid.levels import MEGARAID, check_layout
from storage.raid.megaraid.addresses import controller_number, slot_of_place
from storage.raid.operations import (
    AssignSpare,
    ClearForeign,
    CreateVirtualDrive,
    DeleteVirtualDrive,
    ImportForeign,
    Migrate,
    PauseTask,
    PrepareRemoval,
    RaidOperation,
    ReAddMember,
    ReleaseSpare,
    ReplaceMember,
    ResumeTask,
    SetGood,
    SetOffline,
    SetRates,
    Silence,
    StartCheck,
    StartInitialisation,
    StartPatrolRead,
    StartRebuild,
    StopTask,
)
from storage.raid.spares import label, may_rebuild_now, why_unfit
from storage.raid.states import DriveState, SpareKind, TaskKind

PROGRAM = "storcli64"
NAME_LIMIT = 15
"""Characters of a virtual drive's name in the controller."""
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_SLOT = r"(?:/e\d{1,5})?/s\d{1,3}"
_DRIVE_LIST = r"\d{1,5}(?::\d{1,3})?(?:,\d{1,5}(?::\d{1,3})?)*"
_LEVEL = r"raid(?:0|00|1|5|6|10|50|60)"
ALLOWED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"/c\d+ add vd type={_LEVEL} name=[\w.-]{{1,15}} drives={_DRIVE_LIST}( pdperarray=\d{{1,2}})? strip=\d{{2,4}}( spares={_DRIVE_LIST})?",
        r"/c\d+/v\d+ del",
        rf"/c\d+{_SLOT} add hotsparedrive( dgs=\d+(,\d+)*)?( enclaffinity)?",
        rf"/c\d+{_SLOT} delete hotsparedrive",
        rf"/c\d+{_SLOT} insert dg=\d+ array=\d+ row=\d+",
        rf"/c\d+{_SLOT} (start|stop|pause|resume) (rebuild|copyback)",
        rf"/c\d+{_SLOT} start copyback target=\d+(:\d+)?",
        rf"/c\d+{_SLOT} set (offline|good|missing)",
        rf"/c\d+{_SLOT} (spindown|spinup)",
        rf"/c\d+{_SLOT} (start|stop) locate",
        r"/c\d+/v\d+ (start|stop|pause|resume) cc",
        r"/c\d+/v\d+ (stop|pause|resume) bgi",
        rf"/c\d+/v\d+ start migrate type={_LEVEL}( option=add drives={_DRIVE_LIST})?",
        r"/c\d+ (start|stop|pause|resume) patrolread",
        r"/c\d+ set (rebuildrate|ccrate|bgirate|prrate|migraterate)=\d{1,3}",
        r"/c\d+/fall (import|delete)",
        r"/c\d+ set alarm=silence",
        r"show",
        r"/c\d+ show( all)?",
        r"/c\d+/eall/sall show all",
        r"/c\d+/sall show all",
        r"/c\d+/vall show all",
        r"/c\d+/fall show all",
        rf"/c\d+{_SLOT} show (rebuild|copyback)",
        r"/c\d+ show patrolread",
    )
)


def storcli(words: str, note: str = "") -> Command:
    """A checked command line with `J`. Raises OperationRefused for anything that is not on the list."""
    if not any(pattern.fullmatch(words) for pattern in ALLOWED):
        raise OperationRefused(f"storcli64 {words}: not one of the commands that Watchdeck uses")
    return Command(argv=(PROGRAM, *words.split(), "J"), note=note)


def plan(operation: RaidOperation, inventory: Inventory) -> tuple[Command, ...]:
    """See RaidBackend.plan."""
    build: Callable[..., Sequence[Command]] = _PLANS[type(operation)]
    return tuple(build(operation, inventory))


# -- finding what is meant -------------------------------------------------------------------------------


def _drive(inventory: Inventory, id: str) -> Drive:
    found = inventory.drive(id)
    if found is None:
        raise NotFound(f"no drive {id!r}", "look again: it may have been pulled")
    return found


def _free(inventory: Inventory, id: str) -> Drive:
    drive = _drive(inventory, id)
    if drive.state is DriveState.PROTECTED:
        raise OperationRefused(
            f"{label(drive)} is not used: {drive.cause or 'it is not ours'}", "choose another drive"
        )
    if drive.state is not DriveState.UNCONFIGURED_GOOD:
        raise OperationRefused(
            f"{label(drive)} is {drive.state.replace('_', ' ')}, not unconfigured good",
            "make it good first, or choose another",
        )
    return drive


def _group(inventory: Inventory, id: str) -> DriveGroup:
    found = inventory.group(id)
    if found is None:
        raise NotFound(f"no drive group {id!r}", "look again")
    return found


def _virtual_drive(inventory: Inventory, ref: str) -> VirtualDrive:
    found = inventory.virtual_drive(ref)
    if found is None:
        raise NotFound(f"no virtual drive {ref!r}", "look again")
    return found


def _task(inventory: Inventory, id: str) -> Task:
    found = next((task for task in inventory.tasks if task.id == id), None)
    if found is None:
        raise NotFound(f"no task {id!r}: it may have ended", "look again")
    return found


def _vd_path(virtual_drive: VirtualDrive) -> str:
    controller, _, number = virtual_drive.id.partition("-v")
    return f"/{controller}/v{number}"


def _dg(group: DriveGroup) -> str:
    return group.id.rpartition("-dg")[2]


def _slot(drive: Drive) -> str:
    return slot_of_place(drive.place).path


# -- arrays ----------------------------------------------------------------------------------------------


def _create(asked: CreateVirtualDrive, inventory: Inventory) -> Sequence[Command]:
    if not _NAME.fullmatch(asked.name) or len(asked.name) > NAME_LIMIT:
        raise InvalidInput(
            f"{asked.name!r} is no name for a virtual drive",
            f"up to {NAME_LIMIT} letters, digits, points, hyphens",
        )
    if inventory.virtual_drive(asked.name) is not None:
        raise InvalidInput(f"a virtual drive is called {asked.name} already", "choose another name")
    drives = [_free(inventory, id) for span in asked.spans for id in span]
    spares = [_free(inventory, id) for id in asked.spares]
    check_layout(
        asked.level,
        asked.spans,
        {drive.id: drive.coerced_bytes for drive in drives},
        asked.stripe_bytes,
        MEGARAID,
    )
    controllers = {drive.controller for drive in (*drives, *spares)}
    if len(controllers) != 1:
        raise InvalidInput(
            f"the drives are on controllers {', '.join(sorted(controllers))}", "an array is on one controller"
        )
    listed = ",".join(slot_of_place(drive.place).listed for drive in drives)
    words = f"/{controllers.pop()} add vd type=raid{asked.level} name={asked.name} drives={listed}"
    if len(asked.spans) > 1:
        words += f" pdperarray={len(asked.spans[0])}"
    words += f" strip={asked.stripe_bytes // 1024}"
    if spares:
        words += f" spares={','.join(slot_of_place(spare.place).listed for spare in spares)}"
    return [storcli(words, f"virtual drive {asked.name}")]


def _delete(asked: DeleteVirtualDrive, inventory: Inventory) -> Sequence[Command]:
    virtual_drive = _virtual_drive(inventory, asked.virtual_drive)
    if virtual_drive.mounts:
        raise OperationRefused(
            f"{virtual_drive.name} is mounted at {', '.join(mount.path for mount in virtual_drive.mounts)}",
            "take the volume down first",
        )
    return [storcli(f"{_vd_path(virtual_drive)} del", f"delete {virtual_drive.name}")]


def _rebuild(asked: StartRebuild, inventory: Inventory) -> Sequence[Command]:
    group, drive = _group(inventory, asked.group), _drive(inventory, asked.drive)
    if drive.state is not DriveState.HOT_SPARE:
        _free(inventory, asked.drive)
    for number, span in enumerate(group.spans):
        for row, id in enumerate(span.drives):
            lost = inventory.drive(id)
            is_asked = asked.span in (None, number) and asked.slot in (None, row)
            if (
                lost is None
                or not is_asked
                or lost.state in (DriveState.ONLINE, DriveState.REBUILD, DriveState.COPYBACK)
            ):
                continue
            if reason := why_unfit(inventory, group, drive, lost) or may_rebuild_now(
                inventory, group, number
            ):
                raise OperationRefused(reason, "choose another drive, or wait")
            commands = []
            if drive.state is DriveState.HOT_SPARE:
                commands.append(storcli(f"{_slot(drive)} delete hotsparedrive", "no spare any more"))
            if lost.state in (DriveState.FAILED, DriveState.OFFLINE) and lost.place:
                commands.append(storcli(f"{_slot(lost)} set missing", f"{label(lost)} gives its place up"))
            return [
                *commands,
                storcli(
                    f"{_slot(drive)} insert dg={_dg(group)} array={number} row={row}", "into the empty place"
                ),
                storcli(f"{_slot(drive)} start rebuild", "rebuild"),
            ]
    raise OperationRefused(f"{group.name} has no empty place", "nothing is to be rebuilt")


def _replace(asked: ReplaceMember, inventory: Inventory) -> Sequence[Command]:
    member, target = _drive(inventory, asked.member), _free(inventory, asked.replacement)
    if member.state is not DriveState.ONLINE or not member.group:
        raise OperationRefused(f"{label(member)} is {member.state}, not an online member", "rebuild instead")
    if reason := why_unfit(inventory, _group(inventory, member.group), target, member):
        raise OperationRefused(reason, "choose another drive")
    return [
        storcli(
            f"{_slot(member)} start copyback target={slot_of_place(target.place).listed}",
            f"copy {label(member)}",
        )
    ]


def _re_add(asked: ReAddMember, inventory: Inventory) -> Sequence[Command]:
    drive = _drive(inventory, asked.drive)
    if drive.state in (DriveState.OFFLINE, DriveState.FAILED) and drive.group:
        return [storcli(f"{_slot(drive)} start rebuild", "the controller knows no quick way: a full rebuild")]
    raise Unsupported(
        f"{label(drive)} is {drive.state.replace('_', ' ')}: this controller takes a member back by rebuilding it",
        "clear its foreign configuration, then rebuild onto it",
    )


def _migrate(asked: Migrate, inventory: Inventory) -> Sequence[Command]:
    virtual_drive = _virtual_drive(inventory, asked.virtual_drive)
    added = [_free(inventory, id) for id in asked.add]
    if len(_group(inventory, virtual_drive.group).spans) > 1:
        raise Unsupported(
            f"RAID {virtual_drive.level} cannot be migrated by this controller", "back up and create anew"
        )
    words = f"{_vd_path(virtual_drive)} start migrate type=raid{asked.level}"
    if added:
        words += f" option=add drives={','.join(slot_of_place(drive.place).listed for drive in added)}"
    return [storcli(words, "goes on in the background; it cannot be stopped")]


# -- drives ----------------------------------------------------------------------------------------------


def _assign(asked: AssignSpare, inventory: Inventory) -> Sequence[Command]:
    drive = _free(inventory, asked.drive)
    words = f"{_slot(drive)} add hotsparedrive"
    if asked.kind is SpareKind.DEDICATED:
        groups = [_group(inventory, id) for id in asked.groups]
        if not groups:
            raise InvalidInput("a dedicated spare needs at least one drive group", "name a virtual drive")
        for group in groups:
            members = (inventory.drive(id) for span in group.spans for id in span.drives)
            largest = max(
                (member for member in members if member), key=lambda each: each.coerced_bytes, default=None
            )
            if largest is not None and (reason := why_unfit(inventory, group, drive, largest)):
                raise OperationRefused(reason, "choose another drive")
        words += f" dgs={','.join(_dg(group) for group in groups)}"
    if asked.has_affinity:
        words += " enclaffinity"
    return [storcli(words, "hot spare")]


def _release(asked: ReleaseSpare, inventory: Inventory) -> Sequence[Command]:
    drive = _drive(inventory, asked.drive)
    if drive.state is not DriveState.HOT_SPARE:
        raise OperationRefused(f"{label(drive)} is no hot spare")
    return [storcli(f"{_slot(drive)} delete hotsparedrive")]


def _offline(asked: SetOffline, inventory: Inventory) -> Sequence[Command]:
    drive = _drive(inventory, asked.drive)
    if drive.state is not DriveState.ONLINE or not drive.group or drive.span is None:
        raise OperationRefused(f"{label(drive)} is {drive.state.replace('_', ' ')}, not an online member")
    group = _group(inventory, drive.group)
    if group.spans[drive.span].can_lose < 1:
        raise OperationRefused(
            f"{label(drive)} is the last one that {group.name} can do without: taking it out loses the data",
            "rebuild the missing member first",
        )
    return [storcli(f"{_slot(drive)} set offline", "the group loses redundancy by one")]


def _good(asked: SetGood, inventory: Inventory) -> Sequence[Command]:
    drive = _drive(inventory, asked.drive)
    if drive.state not in (DriveState.UNCONFIGURED_BAD, DriveState.FAILED, DriveState.OFFLINE):
        raise OperationRefused(
            f"{label(drive)} is {drive.state.replace('_', ' ')}",
            "foreign ones: clear the foreign configuration",
        )
    commands = []
    if drive.group:
        commands.append(storcli(f"{_slot(drive)} set missing", "gives its place in the group up"))
    return [*commands, storcli(f"{_slot(drive)} set good")]


def _prepare(asked: PrepareRemoval, inventory: Inventory) -> Sequence[Command]:
    drive = _drive(inventory, asked.drive)
    if drive.state in (DriveState.FAILED, DriveState.OFFLINE, DriveState.UNCONFIGURED_BAD):
        return []  # no input and output goes there any more: it may be pulled as it is
    _free(inventory, asked.drive)
    return [storcli(f"{_slot(drive)} spindown", "parks the heads")]


def _import(asked: ImportForeign, inventory: Inventory) -> Sequence[Command]:
    return [
        storcli(
            f"/c{_foreign_controller(asked.foreign, inventory)}/fall import", "take the foreign arrays over"
        )
    ]


def _foreign_controller(foreign: str, inventory: Inventory) -> int:
    if not any(drive.foreign == foreign for drive in inventory.drives if foreign):
        raise NotFound(f"no foreign configuration {foreign!r}", "look again")
    return controller_number(foreign.partition("-foreign")[0])


def _clear(asked: ClearForeign, inventory: Inventory) -> Sequence[Command]:
    drives = [_drive(inventory, id) for id in asked.drives]
    if not drives or any(not drive.foreign for drive in drives):
        raise OperationRefused(
            "not all of these drives carry a foreign configuration", "name foreign drives only"
        )
    foreign = {drive.foreign for drive in drives}
    every = {drive.id for drive in inventory.drives if drive.foreign in foreign}
    if every != set(asked.drives):
        others = ", ".join(
            label(drive) for drive in inventory.drives if drive.id in every - set(asked.drives)
        )
        raise OperationRefused(
            f"this controller clears all foreign drives at once, also {others}",
            "name them too, or pull them first",
        )
    return [
        storcli(f"/c{_foreign_controller(id, inventory)}/fall delete", "erases what they carry")
        for id in sorted(foreign)
    ]


# -- background work -------------------------------------------------------------------------------------


def _check(asked: StartCheck, inventory: Inventory) -> Sequence[Command]:
    virtual_drive = _virtual_drive(inventory, asked.virtual_drive)
    if virtual_drive.level in ("0", "00"):
        raise OperationRefused(f"RAID {virtual_drive.level} has nothing to compare: no consistency check")
    return [storcli(f"{_vd_path(virtual_drive)} start cc", "this controller repairs what it finds")]


def _initialise(asked: StartInitialisation, inventory: Inventory) -> Sequence[Command]:
    virtual_drive = _virtual_drive(inventory, asked.virtual_drive)
    raise Unsupported(
        f"{virtual_drive.name}: this controller starts the background initialisation by itself",
        "a consistency check does the same work",
    )


def _patrol(asked: StartPatrolRead, inventory: Inventory) -> Sequence[Command]:
    return [storcli(f"/c{controller_number(asked.controller)} start patrolread")]


def _on_task(verb: str) -> Callable[[StopTask | PauseTask | ResumeTask, Inventory], Sequence[Command]]:
    def build(asked: StopTask | PauseTask | ResumeTask, inventory: Inventory) -> Sequence[Command]:
        task = _task(inventory, asked.task)
        match task.kind:
            case TaskKind.REBUILD | TaskKind.COPYBACK:
                return [storcli(f"{_slot(_drive(inventory, task.drive))} {verb} {task.kind}")]
            case TaskKind.CHECK:
                return [storcli(f"{_vd_path(_virtual_drive(inventory, task.virtual_drive))} {verb} cc")]
            case TaskKind.INITIALISATION:
                return [storcli(f"{_vd_path(_virtual_drive(inventory, task.virtual_drive))} {verb} bgi")]
            case TaskKind.PATROL_READ:
                return [storcli(f"/{task.controller} {verb} patrolread")]
        raise Unsupported(f"a {task.kind.replace('_', ' ')} cannot be {verb}ed by this controller")

    return build


def _rates(asked: SetRates, inventory: Inventory) -> Sequence[Command]:
    number = controller_number(asked.controller)
    rates = {
        "rebuildrate": asked.rates.rebuild,
        "ccrate": asked.rates.check,
        "bgirate": asked.rates.initialisation,
        "prrate": asked.rates.patrol_read,
        "migraterate": asked.rates.migration,
    }
    for name, value in rates.items():
        if not 1 <= value <= 100:
            raise InvalidInput(f"{name} of {value} %", "1 to 100")
    return [storcli(f"/c{number} set {name}={value}") for name, value in rates.items()]


def _silence(asked: Silence, inventory: Inventory) -> Sequence[Command]:
    return [storcli(f"/c{controller_number(asked.controller)} set alarm=silence")]


_PLANS: dict[type, Callable[..., Sequence[Command]]] = {
    CreateVirtualDrive: _create,
    DeleteVirtualDrive: _delete,
    AssignSpare: _assign,
    ReleaseSpare: _release,
    StartRebuild: _rebuild,
    ReplaceMember: _replace,
    ReAddMember: _re_add,
    StartCheck: _check,
    StartInitialisation: _initialise,
    StartPatrolRead: _patrol,
    StopTask: _on_task("stop"),
    PauseTask: _on_task("pause"),
    ResumeTask: _on_task("resume"),
    SetRates: _rates,
    SetOffline: _offline,
    SetGood: _good,
    PrepareRemoval: _prepare,
    ImportForeign: _import,
    ClearForeign: _clear,
    Migrate: _migrate,
    Silence: _silence,
}
