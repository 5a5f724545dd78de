"""Two inventories -> which background operations began, paused, ended, and how. Pure."""

from __future__ import annotations

from collections.abc import Collection

from engine.chassis.drive_words import drive_words
from engine.chassis.happenings import Happening, happening
from storage.raid.inventory import Inventory, Task
from storage.raid.states import DriveState, TaskKind, TaskState

TASK_WORDS = {
    TaskKind.REBUILD: "Rebuild",
    TaskKind.COPYBACK: "Copy",
    TaskKind.CHECK: "Consistency check",
    TaskKind.INITIALISATION: "Background initialisation",
    TaskKind.MIGRATION: "Migration",
    TaskKind.PATROL_READ: "Patrol read",
    TaskKind.SELF_TEST: "Self-test",
}


def task_changes(before: Inventory | None, now: Inventory, stopped: Collection[str] = ()) -> list[Happening]:
    """`stopped` are the ids of tasks that a person stopped. Self-tests are told with their results, by health_changes.py. At the
    first look, what goes on by itself after a restart is said (row RB-03)."""
    old = {task.id: task for task in before.tasks} if before is not None else {}
    said = []
    for task in now.tasks:
        if task.kind is TaskKind.SELF_TEST:
            continue
        was = old.get(task.id)
        if was is None and before is not None:
            said.append(happening("task.started", f"{words(now, task)} began", _source(now, task)))
        elif was is None:
            said.append(
                happening("task.resumed", f"{words(now, task)} goes on{_at(task)}", _source(now, task))
            )
        elif was.state is not task.state:
            said += _new_state(now, task)
    if before is not None:
        running = {task.id for task in now.tasks}
        said += [
            _ended(before, now, task, task.id in stopped)
            for task in before.tasks
            if task.id not in running and task.kind is not TaskKind.SELF_TEST
        ]
    return said


def words(inventory: Inventory, task: Task) -> str:
    """`Rebuild of virtual drive A onto bay 3 (serial ZL2A1B2C)`."""
    vd = inventory.virtual_drive(task.virtual_drive) if task.virtual_drive else None
    drive = inventory.drive(task.drive) if task.drive else None
    parts = [TASK_WORDS[task.kind]]
    if vd is not None:
        parts.append(f"of virtual drive {vd.name}")
    if drive is not None:
        parts.append(f"onto {drive_words(drive)}")
    return " ".join(parts)


def _source(inventory: Inventory, task: Task) -> str:
    vd = inventory.virtual_drive(task.virtual_drive) if task.virtual_drive else None
    return vd.name if vd is not None else task.controller


def _at(task: Task) -> str:
    return f" at {task.progress * 100:.0f} %" if task.progress is not None else ""


def _new_state(now: Inventory, task: Task) -> list[Happening]:
    match task.state:
        case TaskState.PAUSED:
            return [happening("task.paused", f"{words(now, task)} is paused{_at(task)}", _source(now, task))]
        case TaskState.RUNNING:
            return [happening("task.resumed", f"{words(now, task)} goes on{_at(task)}", _source(now, task))]
        case TaskState.WAITING:
            return []


def _ended(before: Inventory, now: Inventory, task: Task, is_stopped: bool) -> Happening:
    name, source = words(before, task), _source(before, task)
    vd = now.virtual_drive(task.virtual_drive) if task.virtual_drive else None
    if task.virtual_drive and vd is None:
        return happening("task.stopped", f"{name} ended with the virtual drive", source)
    if task.kind in (TaskKind.REBUILD, TaskKind.COPYBACK):
        drive = now.drive(task.drive)
        if drive is not None and drive.state is DriveState.ONLINE:
            return happening("task.finished", f"{name} is done", source)
        if not is_stopped:
            state = drive.state.replace("_", " ") if drive is not None else "gone"
            return happening("task.failed", f"{name} has failed{_at(task)}: the drive is {state}", source)
    if is_stopped:
        return happening("task.stopped", f"{name} was stopped{_at(task)}", source)
    if task.kind is TaskKind.CHECK and vd is not None:
        found = "nothing amiss" if not vd.mismatches else f"{vd.mismatches} sectors that do not match"
        return happening("task.finished", f"{name} is done: {found}", source)
    return happening("task.finished", f"{name} is done", source)
