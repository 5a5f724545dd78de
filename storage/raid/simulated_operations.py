"""Carries out operations that simulated_rules.py let pass."""

from __future__ import annotations

from storage.errors import CommandFailed
from storage.raid import operations as ops
from storage.raid.levels import LEVELS
from storage.raid.simulated_members import give_up, lose, re_add, release, start_copy, start_rebuild, vacate
from storage.raid.simulated_rules import find_task, foreign_spans, place_to_fill, size_after
from storage.raid.simulated_state import Content, SimDrive, SimGroup, SimState, SimTask, SpareRole
from storage.raid.states import DriveState, SpareKind, TaskKind


def apply(state: SimState, operation: ops.RaidOperation) -> None:  # noqa: C901  # one line an operation
    """Changes the state. Raises CommandFailed when a drive does not do what it is told."""
    match operation:
        case ops.CreateVirtualDrive():
            _create(state, operation)
        case ops.DeleteVirtualDrive():
            delete(state, state.group_with(operation.virtual_drive))
        case ops.AssignSpare():
            drive = state.drive(operation.drive)
            drive.state, drive.cause = DriveState.HOT_SPARE, ""
            drive.spare = SpareRole(operation.kind, operation.groups, operation.has_affinity)
        case ops.ReleaseSpare():
            drive = state.drive(operation.drive)
            drive.spare = None
            release(drive)
        case ops.StartRebuild():
            group = state.group(operation.group)
            place = place_to_fill(state, group, operation)
            start_rebuild(state, group, place, state.drive(operation.drive))
        case ops.ReplaceMember():
            member = state.drive(operation.member)
            member_group = state.group_of(member.id)
            assert member_group is not None
            start_copy(state, member_group, member, state.drive(operation.replacement))
        case ops.ReAddMember():
            drive = state.drive(operation.drive)
            home = state.group_of(drive.id)
            assert home is not None
            re_add(state, home, drive)
        case ops.StartCheck():
            group = state.group_with(operation.virtual_drive)
            _work(state, TaskKind.CHECK, group, state.rates.check).is_repair = operation.repair
        case ops.StartInitialisation():
            group = state.group_with(operation.virtual_drive)
            _work(state, TaskKind.INITIALISATION, group, state.rates.initialisation)
        case ops.StartPatrolRead():
            _work(state, TaskKind.PATROL_READ, None, state.rates.patrol_read)
        case ops.StopTask():
            _stop(state, find_task(state, operation.task))
        case ops.PauseTask():
            find_task(state, operation.task).is_paused = True
        case ops.ResumeTask():
            find_task(state, operation.task).is_paused = False
        case ops.SetRates():
            state.rates = operation.rates
        case ops.SetOffline():
            drive = state.drive(operation.drive)
            home = state.group_of(drive.id)
            assert home is not None
            lose(state, home, drive, DriveState.OFFLINE, "taken out of service by hand")
        case ops.SetGood():
            _set_good(state, state.drive(operation.drive))
        case ops.ClearForeign():
            for id in operation.drives:
                _set_good(state, state.drive(id))
        case ops.PrepareRemoval():
            drive = state.drive(operation.drive)
            drive.is_awaiting_removal = True
            drive.cause = drive.cause or "heads parked: it may be pulled"
        case ops.ImportForeign():
            level, spans = foreign_spans(state, operation.foreign)
            state.make_group(operation.foreign, level, spans).is_initialised = True
        case ops.Migrate():
            _migrate(state, operation)
        case ops.Silence():
            raise AssertionError("refused by the rules")


def _create(state: SimState, operation: ops.CreateVirtualDrive) -> None:
    group = state.make_group(operation.name, operation.level, [list(span) for span in operation.spans])
    group.stripe_bytes, group.has_bitmap = operation.stripe_bytes, operation.has_bitmap
    group.is_initialised = not LEVELS[operation.level].is_redundant
    for id in operation.spares:
        spare = state.drives[id]
        spare.state, spare.spare = DriveState.HOT_SPARE, SpareRole(SpareKind.DEDICATED, (group.id,))


def delete(state: SimState, group: SimGroup) -> None:
    """Everything that knows it forgets it."""
    for task in state.tasks_of(group):
        if task.kind is TaskKind.COPYBACK:
            give_up(state, task)
        else:
            del state.tasks[task.id]
    for drive in state.members(group):
        drive.spare = None
        release(drive)
    del state.groups[group.id]
    for drive in state.drives.values():
        if drive.member_of == group.id and drive.is_present:
            release(drive)
        if drive.spare is not None and group.id in drive.spare.groups:
            rest = tuple(id for id in drive.spare.groups if id != group.id)
            drive.spare = SpareRole(drive.spare.kind, rest, drive.spare.has_affinity) if rest else None
            if drive.is_present and drive.state is DriveState.HOT_SPARE:
                release(drive)


def _work(state: SimState, kind: TaskKind, group: SimGroup | None, rate: int) -> SimTask:
    name = group.vd_id if group else "all"
    task = SimTask(id=f"{kind}:{name}", kind=kind, group=group.id if group else "", rate=rate)
    state.tasks[task.id] = task
    return task


def _stop(state: SimState, task: SimTask) -> None:
    if task.kind is TaskKind.COPYBACK:
        give_up(state, task)
    else:
        del state.tasks[task.id]


def _set_good(state: SimState, drive: SimDrive) -> None:
    group = state.group_of(drive.id)
    drive.foreign, drive.spare, drive.is_awaiting_removal = None, None, False
    if group is not None:
        vacate(state, group, drive)
    else:
        release(drive)
    if drive.is_broken:
        raise CommandFailed(f"{drive.label} does not answer writes", "replace it")


def _migrate(state: SimState, operation: ops.Migrate) -> None:
    group = state.group_with(operation.virtual_drive)
    size_bytes = size_after(state, group, operation)
    for id in operation.add:
        drive = state.drives[id]
        drive.state, drive.cause, drive.content, drive.spare = DriveState.ONLINE, "", Content.CURRENT, None
        group.spans[0].append(id)
    task = _work(state, TaskKind.MIGRATION, group, state.rates.migration)
    task.new_level, task.new_size_bytes = operation.level, size_bytes
