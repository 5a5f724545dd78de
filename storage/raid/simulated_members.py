"""What happens to members of the simulated groups: lost, back, rebuilt onto, copied, given back (rows RB-*, VD-13..22).

Every function changes the state and asks nothing: whether it may be done is simulated_rules.py.
"""

from __future__ import annotations

from storage.raid.simulated_state import Content, SimDrive, SimGroup, SimState, SimTask
from storage.raid.states import DriveState, SpareKind, TaskKind, VirtualDriveState

BITMAP_PROGRESS = 0.95
"""Where the rebuild of a member with old content starts when a bitmap says what is old."""


def start_rebuild(state: SimState, group: SimGroup, place: tuple[int, int], drive: SimDrive) -> SimTask:
    """Put the drive in the place and begin to write it. Who was there is ready for removal from now on (row RB-05)."""
    span, slot = place
    before = state.drives.get(group.spans[span][slot])
    if before is not None and before is not drive:
        _take_out(group, before)
    is_quick = before is drive and drive.content is Content.OLD and group.has_bitmap
    group.spans[span][slot] = drive.id
    drive.state, drive.cause = DriveState.REBUILD, ""
    drive.foreign, drive.member_of, drive.is_awaiting_removal = None, "", False
    if before is not drive:
        drive.content = Content.NOTHING
    return _start(
        state,
        TaskKind.REBUILD,
        group,
        drive,
        progress=BITMAP_PROGRESS if is_quick else 0.0,
        rate=state.rates.rebuild,
    )


def start_copy(state: SimState, group: SimGroup, source: SimDrive, target: SimDrive) -> SimTask:
    """Copy a working member; it stays in its place until the end."""
    target.state, target.cause, target.is_awaiting_removal = DriveState.COPYBACK, "", False
    task = _start(state, TaskKind.COPYBACK, group, target, rate=state.rates.rebuild)
    task.source = source.id
    return task


def _start(
    state: SimState, kind: TaskKind, group: SimGroup, drive: SimDrive, *, rate: int, progress: float = 0.0
) -> SimTask:
    task = SimTask(
        id=f"{kind}:{group.vd_id}:{drive.id}",
        kind=kind,
        group=group.id,
        drive=drive.id,
        rate=rate,
        progress=progress,
    )
    state.tasks[task.id] = task
    return task


def _take_out(group: SimGroup, drive: SimDrive) -> None:
    """Its place is another drive's now."""
    drive.member_of = group.id
    if drive.is_present and drive.state is not DriveState.FOREIGN:
        drive.state, drive.member_of, drive.spare = DriveState.UNCONFIGURED_GOOD, "", None
        drive.is_awaiting_removal = True
        drive.cause = f"another drive has taken its place in {group.name}: it may be pulled"


def release(drive: SimDrive) -> None:
    """Not a member any more: a spare again when it was one (rows RB-06), else unconfigured."""
    drive.member_of, drive.content, drive.cause = "", Content.NOTHING, ""
    if drive.is_broken:
        drive.state, drive.cause = DriveState.UNCONFIGURED_BAD, "does not answer"
    else:
        drive.state = DriveState.HOT_SPARE if drive.spare else DriveState.UNCONFIGURED_GOOD


def vacate(state: SimState, group: SimGroup, drive: SimDrive) -> None:
    """The drive leaves its place, which stays empty."""
    place = group.place_of(drive.id)
    if place is not None:
        group.spans[place[0]][place[1]] = group.empty_name(*place)
    release(drive)


def give_up(state: SimState, task: SimTask) -> None:
    """A rebuild or copy that does not go on: the drive written goes back to what it was."""
    del state.tasks[task.id]
    drive, group = state.drives[task.drive], state.groups[task.group]
    if task.kind is TaskKind.COPYBACK:
        release(drive)
    elif drive.content is Content.OLD:
        drive.state, drive.cause = DriveState.FOREIGN, f"a member of {group.name} that is not up to date"
    else:
        vacate(state, group, drive)


def lose(state: SimState, group: SimGroup, drive: SimDrive, now: DriveState, cause: str) -> None:
    """A member fails, is pulled or is taken out of service."""
    was_whole = drive.state is DriveState.ONLINE
    was_failed = state.vd_state(group) is VirtualDriveState.FAILED
    for task in state.tasks_of(group, TaskKind.REBUILD, TaskKind.COPYBACK):
        if task.drive == drive.id:
            del state.tasks[task.id]
    drive.state, drive.cause = now, cause
    if state.vd_state(group) is VirtualDriveState.FAILED:
        if was_whole:
            drive.content = Content.CURRENT
        if not was_failed:
            _stop_everything(state, group, drive)
    else:
        if was_whole:
            drive.content = Content.OLD
        _go_on_degraded(state, group, drive)


def _stop_everything(state: SimState, group: SimGroup, source: SimDrive) -> None:
    """The virtual drive failed: rows RB-06."""
    place = group.place_of(source.id)
    span = group.spans[place[0]] if place else []
    for task in state.tasks_of(group):
        if task.kind in (TaskKind.REBUILD, TaskKind.COPYBACK):
            if task.kind is TaskKind.REBUILD and task.drive in span and source.state is DriveState.FAILED:
                source.state = DriveState.OFFLINE
                source.cause = f"failed while {state.drives[task.drive].label} was rebuilt from it"
            give_up(state, task)
        else:
            del state.tasks[task.id]


def _go_on_degraded(state: SimState, group: SimGroup, lost: SimDrive) -> None:
    for task in state.tasks_of(group):
        if task.kind is TaskKind.CHECK:
            del state.tasks[task.id]
        elif task.kind is TaskKind.MIGRATION:
            group.needs_manual_rebuild = True
        elif task.kind is TaskKind.COPYBACK and task.source == lost.id:
            # What is copied already counts: the rest comes from the redundancy.
            del state.tasks[task.id]
            place = group.place_of(lost.id)
            assert place is not None
            start_rebuild(state, group, place, state.drives[task.drive]).progress = task.progress


def fail(state: SimState, drive: SimDrive, cause: str) -> None:
    """The drive stops working, whatever it is."""
    drive.is_broken = True
    group = state.group_of(drive.id)
    if group is not None:
        if drive.state in (DriveState.ONLINE, DriveState.REBUILD):
            lose(state, group, drive, DriveState.FAILED, cause)
        else:
            drive.state, drive.cause = DriveState.FAILED, cause
    elif drive.state is DriveState.HOT_SPARE:
        drive.state, drive.cause, drive.spare = DriveState.FAILED, cause, None
    elif drive.state is DriveState.COPYBACK:
        _drop_copies(state, drive)
        drive.state, drive.cause, drive.spare = DriveState.UNCONFIGURED_BAD, cause, None
    elif drive.state is not DriveState.PROTECTED:
        drive.state, drive.cause = DriveState.UNCONFIGURED_BAD, cause


def _drop_copies(state: SimState, target: SimDrive) -> None:
    for task in [task for task in state.tasks.values() if task.drive == target.id]:
        give_up(state, task)


def pull(state: SimState, drive: SimDrive) -> None:
    """Out of its bay."""
    drive.is_present, drive.pulled_us, drive.is_awaiting_removal = False, state.elapsed_us, False
    group = state.group_of(drive.id)
    cause = f"pulled from bay {drive.bay}"
    if group is None:
        _drop_copies(state, drive)
    elif drive.state in (DriveState.ONLINE, DriveState.REBUILD):
        lose(state, group, drive, DriveState.MISSING, cause)
    else:
        drive.state, drive.cause = DriveState.MISSING, cause


def insert(state: SimState, drive: SimDrive, bay: int) -> None:
    """Into a bay: a new drive, or one that was pulled."""
    drive.is_present, drive.bay, drive.inserted_us = True, bay, state.elapsed_us
    home = state.group_of(drive.id) or state.groups.get(drive.member_of)
    if drive.foreign is not None:
        drive.state, drive.cause = DriveState.FOREIGN, f"carries array {drive.foreign.name} of another box"
    elif home is None:
        if drive.spare is not None and drive.spare.kind is SpareKind.DEDICATED:
            known = tuple(group for group in drive.spare.groups if group in state.groups)
            drive.spare = (
                type(drive.spare)(SpareKind.DEDICATED, known, drive.spare.has_affinity) if known else None
            )
        release(drive)
    elif drive.is_broken and home.place_of(drive.id) is not None:
        drive.state, drive.cause = DriveState.FAILED, "is back and still does not work"
    else:
        drive.state, drive.cause = DriveState.FOREIGN, f"was a member of {home.name}, was pulled and is back"
        if home.place_of(drive.id) is not None:
            drive.member_of = home.id


def re_add(state: SimState, group: SimGroup, drive: SimDrive) -> None:
    """Back into its own place: at once when nothing was written since, else by the bitmap, else in full."""
    place = group.place_of(drive.id)
    assert place is not None
    was_failed = state.vd_state(group) is VirtualDriveState.FAILED
    if was_failed:
        drive.state, drive.cause, drive.member_of = DriveState.ONLINE, "", ""
        if state.vd_state(group) is not VirtualDriveState.FAILED:
            for other in state.members(group):
                if other.state is not DriveState.ONLINE and other.content is Content.CURRENT:
                    other.content = Content.OLD
    else:
        start_rebuild(state, group, place, drive)


def finish_rebuild(state: SimState, task: SimTask) -> None:
    drive, group = state.drives[task.drive], state.groups[task.group]
    drive.state, drive.cause, drive.content = DriveState.ONLINE, "", Content.CURRENT
    if not any(state.lost(group)):
        group.needs_manual_rebuild = False


def finish_copy(state: SimState, task: SimTask) -> None:
    target, source, group = state.drives[task.drive], state.drives[task.source], state.groups[task.group]
    place = group.place_of(source.id)
    assert place is not None
    group.spans[place[0]][place[1]] = target.id
    target.state, target.cause, target.content = DriveState.ONLINE, "", Content.CURRENT
    target.spare, was_spare = None, source.spare is not None
    release(source)
    if not was_spare:
        source.is_awaiting_removal = True
        source.cause = f"{target.label} has taken its place in {group.name}: it may be pulled"
