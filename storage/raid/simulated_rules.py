"""What the simulated back-end refuses, as a real one does, and the commands it would run. Changes nothing.

Raises InvalidInput (numbers, names), NotFound, OperationRefused (safety) and Unsupported.
"""

from __future__ import annotations

from typing import Final

from storage.errors import InvalidInput, NotFound, OperationRefused, Unsupported
from storage.raid import levels
from storage.raid import operations as ops
from storage.raid.backend import Command
from storage.raid.levels import LEVELS, check_layout
from storage.raid.simulated_layout import SimulatedLayout
from storage.raid.simulated_state import Content, SimDrive, SimGroup, SimState, SimTask
from storage.raid.simulated_tasks import can_pause, can_stop
from storage.raid.simulated_view import CONTROLLER
from storage.raid.states import DriveState, RaidLevel, SpareKind, TaskKind, VirtualDriveState

_MIGRATES: Final = (RaidLevel.RAID0, RaidLevel.RAID1, RaidLevel.RAID5, RaidLevel.RAID6)


def check(state: SimState, layout: SimulatedLayout, operation: ops.RaidOperation) -> tuple[Command, ...]:  # noqa: C901  # one line an operation
    """The commands of an operation that may be done."""
    match operation:
        case ops.CreateVirtualDrive():
            return _create(state, layout, operation)
        case ops.DeleteVirtualDrive():
            return _delete(state, operation)
        case ops.AssignSpare():
            return _assign_spare(state, layout, operation)
        case ops.ReleaseSpare():
            drive = state.drive(operation.drive)
            if drive.state is not DriveState.HOT_SPARE:
                raise OperationRefused(f"{drive.label} is no hot spare", "look at `watchdeck drive list`")
            return _command("release", drive.id)
        case ops.StartRebuild():
            return _rebuild(state, layout, operation)
        case ops.ReplaceMember():
            return _replace(state, layout, operation)
        case ops.ReAddMember():
            return _re_add(state, operation)
        case ops.StartCheck() | ops.StartInitialisation():
            return _read_all(state, operation)
        case ops.StartPatrolRead():
            _controller(operation.controller)
            if any(task.kind is TaskKind.PATROL_READ for task in state.tasks.values()):
                raise OperationRefused("a patrol read is under way", "wait for it, or stop it")
            return _command("patrol_read", CONTROLLER)
        case ops.StopTask() | ops.PauseTask() | ops.ResumeTask():
            return _task(state, operation)
        case ops.SetRates():
            return _rates(operation)
        case ops.SetOffline():
            return _offline(state, operation)
        case ops.SetGood() | ops.ClearForeign():
            names = operation.drives if isinstance(operation, ops.ClearForeign) else (operation.drive,)
            return tuple(command for name in names for command in _forget(state, operation, name))
        case ops.PrepareRemoval():
            return _prepare_removal(state, operation)
        case ops.ImportForeign():
            foreign_spans(state, operation.foreign)
            return _command("import", operation.foreign)
        case ops.Migrate():
            return _migrate(state, layout, operation)
        case ops.Silence():
            raise Unsupported("the simulated controller has no beeper of its own", "the box has one")


def _command(*words: str, note: str = "") -> tuple[Command, ...]:
    return (Command(argv=("simulate", *words), note=note),)


def _controller(id: str) -> None:
    if id != CONTROLLER:
        raise NotFound(f"there is no controller {id}", f"the simulated one is {CONTROLLER}")


# -- drives ------------------------------------------------------------------------------------------------


def usable(state: SimState, layout: SimulatedLayout, id: str, *, is_spare_good: bool = False) -> SimDrive:
    """A drive that may be erased and given a place. Raises NotFound, OperationRefused."""
    drive = state.drive(id)
    reasons = {
        DriveState.PROTECTED: (drive.cause, "choose another drive"),
        DriveState.FOREIGN: (drive.cause, "re-add or import it, or clear it"),
        DriveState.UNCONFIGURED_BAD: ("it failed", "replace it"),
        DriveState.HOT_SPARE: ("it is a hot spare", "release it"),
    }
    group = state.group_of(drive.id)
    if drive.state in reasons and not (is_spare_good and drive.state is DriveState.HOT_SPARE):
        what, remedy = reasons[drive.state]
        raise OperationRefused(f"{drive.label} cannot be used: {what}", remedy)
    if group is not None or drive.state not in (DriveState.UNCONFIGURED_GOOD, DriveState.HOT_SPARE):
        where = f"it belongs to {group.name}" if group else f"it is in use ({drive.state})"
        raise OperationRefused(f"{drive.label} cannot be used: {where}", "choose another drive")
    if drive.is_awaiting_removal:
        raise OperationRefused(f"{drive.label} awaits removal", "set it good first, or choose another drive")
    settled_us = drive.inserted_us + round(layout.settle_s * 1e6)
    if state.elapsed_us < settled_us:
        left_s = (settled_us - state.elapsed_us) / 1e6
        raise OperationRefused(f"{drive.label} was inserted just now", f"it can be used in {left_s:.0f} s")
    return drive


def _fits(drive: SimDrive, needed_bytes: int) -> None:
    if drive.coerced_bytes < needed_bytes:
        raise OperationRefused(
            f"{drive.label} is too small: {drive.coerced_bytes / 1e12:.2f} TB, {needed_bytes / 1e12:.2f} TB are needed",
            "use a drive of the same size or larger",
        )


def _smallest(state: SimState, group: SimGroup) -> int:
    return min((drive.coerced_bytes for drive in state.members(group)), default=0)


def _redundant(group: SimGroup, what: str) -> None:
    if not LEVELS[group.level].is_redundant:
        raise OperationRefused(
            f"{group.name} is RAID {group.level}: {what}", "levels 1, 5, 6, 10, 50 and 60 have redundancy"
        )


def _forget(state: SimState, operation: ops.RaidOperation, name: str) -> tuple[Command, ...]:
    drive = state.drive(name)
    may = [DriveState.FOREIGN]
    if isinstance(operation, ops.SetGood):
        may += [DriveState.UNCONFIGURED_BAD, DriveState.FAILED, DriveState.OFFLINE]
    if drive.state not in may and not (isinstance(operation, ops.SetGood) and drive.is_awaiting_removal):
        raise OperationRefused(f"{drive.label} is {drive.state}: there is nothing to forget", "leave it")
    group = state.group_of(drive.id)
    if group is not None and drive.content is Content.CURRENT:
        raise OperationRefused(
            f"{drive.label} holds data that {group.name} has nowhere else", "re-add it to its group"
        )
    return _command("set_good", drive.id, note="forgets what is on it")


def _prepare_removal(state: SimState, operation: ops.PrepareRemoval) -> tuple[Command, ...]:
    drive = state.drive(operation.drive)
    idle = (DriveState.UNCONFIGURED_GOOD, DriveState.UNCONFIGURED_BAD, DriveState.FAILED, DriveState.FOREIGN)
    if not drive.is_present:
        raise OperationRefused(f"{drive.label} is not in its bay", "nothing is to be done")
    if drive.state not in idle + (DriveState.OFFLINE,):
        raise OperationRefused(f"{drive.label} is in use ({drive.state})", "take it out of service first")
    return _command("spin_down", drive.id, note="heads parked: safe to pull")


# -- virtual drives ------------------------------------------------------------------------------------------


def _create(
    state: SimState, layout: SimulatedLayout, operation: ops.CreateVirtualDrive
) -> tuple[Command, ...]:
    if not operation.name.strip() or len(operation.name) > 15:
        raise InvalidInput(f"{operation.name!r} is no name of a virtual drive", "use 1 to 15 characters")
    if any(group.name == operation.name for group in state.groups.values()):
        raise InvalidInput(f"there is a virtual drive {operation.name} already", "choose another name")
    names = [id for span in operation.spans for id in span]
    drives = {id: usable(state, layout, id) for id in [*names, *operation.spares]}
    sizes = {id: drive.coerced_bytes for id, drive in drives.items()}
    check_layout(operation.level, operation.spans, sizes, operation.stripe_bytes)
    for id in operation.spares:
        if id in names:
            raise InvalidInput(f"{drives[id].label} cannot be member and spare", "name it once")
        if not LEVELS[operation.level].is_redundant:
            raise OperationRefused(f"RAID {operation.level} has no use for a spare", "leave it out")
        _fits(drives[id], min(sizes[name] for name in names))
    spans = " ".join("+".join(span) for span in operation.spans)
    return _command(
        "create", f"--level={operation.level}", f"--name={operation.name}", spans, note="erases the drives"
    )


def _delete(state: SimState, operation: ops.DeleteVirtualDrive) -> tuple[Command, ...]:
    group = state.group_with(operation.virtual_drive)
    if group.volume is not None:
        raise OperationRefused(
            f"{group.name} is mounted at {group.volume.mount.path}", "take its volume down first"
        )
    return _command("delete", group.vd_id, note="erases it")


def _assign_spare(
    state: SimState, layout: SimulatedLayout, operation: ops.AssignSpare
) -> tuple[Command, ...]:
    drive = usable(state, layout, operation.drive, is_spare_good=True)
    if operation.kind is SpareKind.DEDICATED and not operation.groups:
        raise InvalidInput("a dedicated spare needs a drive group", "name one, or make it global")
    if operation.kind is SpareKind.GLOBAL and operation.groups:
        raise InvalidInput("a global spare serves all drive groups", "name none, or make it dedicated")
    for id in operation.groups:
        group = state.group(id)
        _redundant(group, "a spare has nothing to rebuild from")
        _fits(drive, _smallest(state, group))
    return _command("spare", drive.id, operation.kind, *operation.groups)


def _rebuild(state: SimState, layout: SimulatedLayout, operation: ops.StartRebuild) -> tuple[Command, ...]:
    group = state.group(operation.group)
    _redundant(group, "there is nothing to rebuild from")
    if state.tasks_of(group, TaskKind.MIGRATION):
        raise OperationRefused(
            f"the level of {group.name} is being changed", "start the rebuild when that is done"
        )
    span, slot = place_to_fill(state, group, operation)
    drive = usable(state, layout, operation.drive, is_spare_good=True)
    if drive.spare and drive.spare.kind is SpareKind.DEDICATED and group.id not in drive.spare.groups:
        raise OperationRefused(f"{drive.label} is dedicated to another drive group", "release it first")
    if state.vd_state(group) is VirtualDriveState.FAILED:
        raise OperationRefused(
            f"{group.name} has lost more drives than RAID {group.level} can bear",
            "put a drive that was pulled back, or delete the virtual drive",
        )
    lost = state.drives.get(group.spans[span][slot])
    _fits(drive, lost.coerced_bytes if lost else _smallest(state, group))
    return _command("rebuild", f"{group.id}/{span}/{slot}", drive.id, note="erases the drive")


def place_to_fill(state: SimState, group: SimGroup, operation: ops.StartRebuild) -> tuple[int, int]:
    """The place asked for, or the first empty one. Raises OperationRefused, InvalidInput."""
    empty = [
        (span, slot)
        for span, members in enumerate(group.spans)
        for slot, id in enumerate(members)
        if not state.is_working(group, id)
        and (id not in state.drives or state.drives[id].state is not DriveState.REBUILD)
    ]
    if operation.slot is not None:
        wanted = (operation.span or 0, operation.slot)
        if not 0 <= wanted[0] < len(group.spans) or not 0 <= wanted[1] < len(group.spans[wanted[0]]):
            raise InvalidInput(
                f"{group.name} has no place {wanted[0]}/{wanted[1]}", "look at `watchdeck raid list`"
            )
        if wanted not in empty:
            raise OperationRefused(
                f"place {wanted[0]}/{wanted[1]} of {group.name} is not empty", "name another"
            )
        return wanted
    if not empty:
        raise OperationRefused(f"{group.name} has all its drives", "there is nothing to rebuild")
    return empty[0]


def _replace(state: SimState, layout: SimulatedLayout, operation: ops.ReplaceMember) -> tuple[Command, ...]:
    member = state.drive(operation.member)
    group = state.group_of(member.id)
    if group is None or member.state is not DriveState.ONLINE:
        raise OperationRefused(
            f"{member.label} is no working member of a drive group", "start a rebuild instead"
        )
    _redundant(group, "a member cannot be copied while it is in use")
    if state.tasks_of(group, TaskKind.MIGRATION):
        raise OperationRefused(f"the level of {group.name} is being changed", "wait for it")
    if any(task.source == member.id for task in state.tasks.values()):
        raise OperationRefused(f"{member.label} is being copied already", "wait for it, or stop it")
    replacement = usable(state, layout, operation.replacement, is_spare_good=True)
    _fits(replacement, member.coerced_bytes)
    return _command("copy", member.id, replacement.id, note="erases the replacement")


def _re_add(state: SimState, operation: ops.ReAddMember) -> tuple[Command, ...]:
    drive = state.drive(operation.drive)
    group = state.group_of(drive.id)
    if group is None:
        raise OperationRefused(
            f"{drive.label} has no place to go back to",
            "its place was taken: clear it, then use it as a new drive",
        )
    if not drive.is_present or drive.state not in (DriveState.FOREIGN, DriveState.OFFLINE, DriveState.FAILED):
        raise OperationRefused(
            f"{drive.label} is {drive.state}", "only a member that is back can be re-added"
        )
    if drive.is_broken:
        raise OperationRefused(f"{drive.label} does not work", "replace it")
    if state.vd_state(group) is VirtualDriveState.FAILED and drive.content is not Content.CURRENT:
        raise OperationRefused(
            f"{drive.label} is not up to date and {group.name} has nothing to bring it up to date from",
            "put the drive that was lost last back first",
        )
    return _command(
        "re_add", drive.id, note="by the bitmap" if group.has_bitmap else "in full: there is no bitmap"
    )


def _read_all(state: SimState, operation: ops.StartCheck | ops.StartInitialisation) -> tuple[Command, ...]:
    group = state.group_with(operation.virtual_drive)
    _redundant(group, "there is nothing to compare")
    if state.vd_state(group) is not VirtualDriveState.ONLINE:
        raise OperationRefused(f"{group.name} is not complete", "rebuild it first")
    if state.tasks_of(group):
        raise OperationRefused(f"{group.name} is busy with a {state.tasks_of(group)[0].kind}", "wait for it")
    if isinstance(operation, ops.StartInitialisation) and group.is_initialised:
        raise OperationRefused(f"{group.name} is initialised", "a consistency check reads it")
    words = ["check" if isinstance(operation, ops.StartCheck) else "initialise", group.vd_id]
    return _command(
        *words, *(["--repair"] if isinstance(operation, ops.StartCheck) and operation.repair else [])
    )


def _offline(state: SimState, operation: ops.SetOffline) -> tuple[Command, ...]:
    drive = state.drive(operation.drive)
    group = state.group_of(drive.id)
    place = group.place_of(drive.id) if group else None
    if group is None or place is None or drive.state is not DriveState.ONLINE:
        raise OperationRefused(
            f"{drive.label} is no working member of a drive group", "nothing is to be done"
        )
    if levels.span_can_lose(group.level, state.lost(group)[place[0]]) == 0:
        raise OperationRefused(
            f"without {drive.label} the data of {group.name} is lost", "rebuild the missing member first"
        )
    return _command("offline", drive.id)


def _migrate(state: SimState, layout: SimulatedLayout, operation: ops.Migrate) -> tuple[Command, ...]:
    group = state.group_with(operation.virtual_drive)
    if group.level not in _MIGRATES or operation.level not in _MIGRATES:
        raise Unsupported(
            f"RAID {group.level} cannot be changed to RAID {operation.level}",
            "levels 0, 1, 5 and 6 can be changed",
        )
    if state.vd_state(group) is not VirtualDriveState.ONLINE:
        raise OperationRefused(f"{group.name} is not complete", "rebuild it first")
    if state.tasks_of(group):
        raise OperationRefused(f"{group.name} is busy with a {state.tasks_of(group)[0].kind}", "wait for it")
    for id in operation.add:
        _fits(usable(state, layout, id), _smallest(state, group))
    if operation.level == group.level and not operation.add:
        raise InvalidInput(
            f"{group.name} is RAID {group.level} already", "name another level, or drives to add"
        )
    spans = [[*group.spans[0], *operation.add]]
    check_layout(
        operation.level, spans, {id: state.drives[id].coerced_bytes for id in spans[0]}, group.stripe_bytes
    )
    if size_after(state, group, operation) < group.size_bytes:
        raise OperationRefused(f"{group.name} would become smaller", "add drives to it")
    return _command(
        "migrate", group.vd_id, f"--level={operation.level}", *operation.add, note="erases added drives"
    )


def size_after(state: SimState, group: SimGroup, operation: ops.Migrate) -> int:
    sizes = [state.drives[id].coerced_bytes for id in [*group.spans[0], *operation.add]]
    return levels.usable_bytes(operation.level, [sizes])


# -- tasks, rates, foreign -----------------------------------------------------------------------------------


def _task(state: SimState, operation: ops.StopTask | ops.PauseTask | ops.ResumeTask) -> tuple[Command, ...]:
    task = find_task(state, operation.task)
    match operation:
        case ops.StopTask():
            if not can_stop(task):
                raise Unsupported(f"a {task.kind} cannot be stopped", "pause it, or wait")
            return _command("stop", task.id)
        case ops.PauseTask():
            if not can_pause(task) or task.is_paused:
                raise Unsupported(f"this {task.kind} cannot be paused now", "wait for it")
            return _command("pause", task.id)
        case _:
            if not task.is_paused:
                raise OperationRefused(f"the {task.kind} is not paused", "nothing is to be done")
            return _command("resume", task.id)


def find_task(state: SimState, id: str) -> SimTask:
    """Raises NotFound."""
    if id not in state.tasks:
        raise NotFound(f"there is no task {id}", "it may have ended: look at `watchdeck raid tasks`")
    return state.tasks[id]


def _rates(operation: ops.SetRates) -> tuple[Command, ...]:
    _controller(operation.controller)
    rates = operation.rates
    for rate in (rates.rebuild, rates.check, rates.initialisation, rates.patrol_read, rates.migration):
        if not 1 <= rate <= 100:
            raise InvalidInput(f"a rate of {rate} percent is not possible", "use 1 to 100")
    return _command("rates", str(rates.rebuild), note="what runs keeps its rate until it is started again")


def foreign_spans(state: SimState, name: str) -> tuple[RaidLevel, list[list[str]]]:
    """Level and places of a foreign array. Raises NotFound, OperationRefused when too many of its drives are missing."""
    found = [
        drive
        for drive in state.drives.values()
        if drive.is_present and drive.foreign and drive.foreign.name == name
    ]
    if not found:
        raise NotFound(f"there is no foreign array {name}", "look at `watchdeck drive list`")
    config = found[0].foreign
    assert config is not None
    if any(group.name == name for group in state.groups.values()):
        raise OperationRefused(
            f"there is a virtual drive {name} already", "clear the foreign drives, or delete it"
        )
    span = [f"missing-{name}-{slot}" for slot in range(config.drives)]
    for drive in found:
        if drive.foreign is not None and drive.foreign.slot < len(span):
            span[drive.foreign.slot] = drive.id
    lost = sum(id.startswith("missing-") for id in span)
    if levels.state_of_span(config.level, lost) is VirtualDriveState.FAILED:
        raise OperationRefused(
            f"{lost} of the {config.drives} drives of {name} are not here", "insert them, or clear these"
        )
    return config.level, [span]
