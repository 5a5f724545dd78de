"""Background work of the simulated chassis: what runs, what waits, how far it is after so much time, what its end does."""

from __future__ import annotations

from collections.abc import Callable

from storage.raid.levels import simultaneous_rebuilds
from storage.raid.simulated_layout import SimulatedLayout
from storage.raid.simulated_members import finish_copy, finish_rebuild
from storage.raid.simulated_state import SimGroup, SimState, SimTask
from storage.raid.states import TaskKind, TaskState, VirtualDriveState

_STANDARD_RATE = 30


def can_pause(task: SimTask) -> bool:
    return task.kind is not TaskKind.MIGRATION


def can_stop(task: SimTask) -> bool:
    """A rebuild cannot: it would only leave the group without redundancy for longer."""
    return task.kind not in (TaskKind.MIGRATION, TaskKind.REBUILD)


def duration_s(layout: SimulatedLayout, task: SimTask) -> float:
    """Of the whole task at its rate."""
    return layout.full_pass_s * _STANDARD_RATE / task.rate


def waits_for(state: SimState, task: SimTask) -> str:
    """Why it does not go on; empty = it may."""
    group = state.groups.get(task.group)
    if group is None:
        return ""
    rebuilds = state.tasks_of(group, TaskKind.REBUILD)
    if task.kind is TaskKind.REBUILD:
        if state.tasks_of(group, TaskKind.MIGRATION):
            return "for the change of level"
        return _waits_for_rebuilds(state, group, task, rebuilds)
    if task.kind is TaskKind.COPYBACK:
        return ""
    others = rebuilds + state.tasks_of(group, TaskKind.COPYBACK)
    if task.kind is not TaskKind.MIGRATION and others:
        return f"for the rebuild of {state.drives[others[0].drive].label}"
    if task.kind is TaskKind.INITIALISATION and state.vd_state(group) is not VirtualDriveState.ONLINE:
        return "for all members"
    return ""


def _waits_for_rebuilds(state: SimState, group: SimGroup, task: SimTask, rebuilds: list[SimTask]) -> str:
    """RAID 6 one after the other, RAID 60 two of a set at once (rows RB-08, RB-09)."""
    place = group.place_of(task.drive)
    span = group.spans[place[0]] if place else []
    same = [other for other in rebuilds if other.drive in span]
    before = same[: same.index(task)]
    if len(before) < simultaneous_rebuilds(group.level):
        return ""
    return f"for the rebuild of {state.drives[before[0].drive].label}"


def task_state(state: SimState, task: SimTask) -> TaskState:
    if task.is_paused:
        return TaskState.PAUSED
    return TaskState.WAITING if waits_for(state, task) else TaskState.RUNNING


def run_until(state: SimState, layout: SimulatedLayout, until_us: int, settle: Callable[[], None]) -> bool:
    """Let the time of the simulation pass, end by end in their order; `settle` after each. True when a task ended."""
    has_ended = False
    while True:
        running = [task for task in state.tasks.values() if task_state(state, task) is TaskState.RUNNING]
        first = min(running, key=lambda task: (1.0 - task.progress) * duration_s(layout, task), default=None)
        left_us = until_us - state.elapsed_us
        if first is None:
            state.elapsed_us = until_us
            return has_ended
        needed_us = round((1.0 - first.progress) * duration_s(layout, first) * 1e6)
        step_us = min(left_us, needed_us)
        for task in running:
            task.progress = min(1.0, task.progress + step_us / 1e6 / duration_s(layout, task))
        state.elapsed_us += step_us
        if needed_us > left_us:
            return has_ended
        _finish(state, first)
        has_ended = True
        settle()


def _finish(state: SimState, task: SimTask) -> None:
    del state.tasks[task.id]
    match task.kind:
        case TaskKind.REBUILD:
            finish_rebuild(state, task)
        case TaskKind.COPYBACK:
            finish_copy(state, task)
        case TaskKind.CHECK:
            _finish_check(state, state.groups[task.group], is_repair=task.is_repair)
        case TaskKind.INITIALISATION:
            state.groups[task.group].is_initialised = True
        case TaskKind.MIGRATION:
            group = state.groups[task.group]
            assert task.new_level is not None
            group.level, group.size_bytes = task.new_level, task.new_size_bytes
        case _:
            pass  # a patrol read changes nothing


def _finish_check(state: SimState, group: SimGroup, *, is_repair: bool) -> None:
    """Unreadable sectors are rewritten from the redundancy by any check; wrong parity only by one that repairs."""
    group.mismatches = group.inconsistent_sectors
    group.checked_us = state.elapsed_us + state.wall_offset_us
    if is_repair:
        group.inconsistent_sectors = 0
    for drive in state.members(group):
        drive.reallocated += drive.pending
        drive.pending = 0
