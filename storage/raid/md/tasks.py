"""Background operations from md's sync_action, and what is remembered of those that were paused.

`resync=DELAYED` in mdstat may be a recovery that waits: only `sync_action` and `sync_completed` are believed.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from storage.raid.inventory import Task
from storage.raid.md.look import CONTROLLER, Look
from storage.raid.md.memory import Memory, Paused
from storage.raid.md.stack import Stack
from storage.raid.md.sysfs import MdArray, MdMember
from storage.raid.states import TaskKind, TaskState

CHECKS = ("check", "repair")
_SECTOR_BYTES = 512
_NAMES = {
    TaskKind.REBUILD: "rebuild",
    TaskKind.COPYBACK: "copyback",
    TaskKind.CHECK: "check",
    TaskKind.PATROL_READ: "patrol_read",
    TaskKind.INITIALISATION: "initialisation",
    TaskKind.MIGRATION: "migration",
}


def task_id(kind: TaskKind, group: str, drive: str = "") -> str:
    return ":".join(part for part in (_NAMES[kind], group, drive) if part)


def tasks(look: Look, memory: Memory) -> tuple[Task, ...]:
    """Legs of one virtual drive that do the same are one task, except rebuilds: those are one for each drive."""
    found: dict[str, list[Task]] = {}
    for stack in look.stacks:
        for number, leg in enumerate(stack.legs):
            for task in _leg_tasks(stack, number, leg, look, memory) if leg is not None else ():
                found.setdefault(task.id, []).append(task)
        for id, paused in memory.paused.items():
            if id.split(":")[1] == stack.id and id not in found:
                found[id] = [_paused(id, paused, stack)]
    return tuple(_joined(parts) for parts in found.values())


def is_frozen(stack: Stack) -> bool:
    return any(leg.action == "frozen" for leg in stack.present_legs)


def _leg_tasks(stack: Stack, number: int, leg: MdArray, look: Look, memory: Memory) -> list[Task]:
    if leg.action == "recover":
        return _recoveries(stack, number, leg, look, memory)
    if leg.action in CHECKS:
        kind = memory.checking.get(leg.uuid, TaskKind.CHECK)
        detail = "repairs what does not match" if leg.action == "repair" else ""
        return [_running(kind, stack, leg, detail=detail, can_stop=True)]
    if leg.action == "resync":
        return [_running(TaskKind.INITIALISATION, stack, leg)]
    if leg.action == "reshape":
        return [
            _running(
                TaskKind.MIGRATION, stack, leg, detail="a drive replaced now is rebuilt by hand after it"
            )
        ]
    if leg.is_waiting_for_a_write and leg.resync_from is not None:
        waiting = _running(TaskKind.INITIALISATION, stack, leg, detail="begins with the first write")
        return [msgspec.structs.replace(waiting, state=TaskState.WAITING, can_pause=False)]
    return []


def _recoveries(stack: Stack, number: int, leg: MdArray, look: Look, memory: Memory) -> list[Task]:
    """One for each drive that is written; md writes several at the same time only when they were added together."""
    found: list[Task] = []
    for member in leg.members:
        if not member.is_filling:
            continue
        drive = look.by_name.get(member.name)
        id = drive.id if drive is not None else ""
        kind = _recovery_kind(stack.leg_uuids[number], member, id, memory)
        target = "" if kind is TaskKind.INITIALISATION else id
        found.append(_running(kind, stack, leg, drive=target, can_stop=kind is TaskKind.COPYBACK))
    return found


def _recovery_kind(uuid: str, member: MdMember, drive: str, memory: Memory) -> TaskKind:
    if member.is_replacement:
        return TaskKind.COPYBACK
    return TaskKind.INITIALISATION if drive and memory.initialising.get(uuid) == drive else TaskKind.REBUILD


def _running(
    kind: TaskKind, stack: Stack, leg: MdArray, *, drive: str = "", detail: str = "", can_stop: bool = False
) -> Task:
    done, total, speed = leg.done_sectors, leg.total_sectors, leg.speed_kib_s
    is_known = done is not None and bool(total)
    progress = min(1.0, done / total) if done is not None and total else None
    eta_s = None
    if is_known and speed and done is not None and total is not None:
        eta_s = max(0, (total - done) * _SECTOR_BYTES // (speed * 1024))
    return Task(
        id=task_id(kind, stack.id, drive),
        kind=kind,
        state=TaskState.WAITING if leg.is_delayed else TaskState.RUNNING,
        controller=CONTROLLER,
        virtual_drive=stack.id,
        drive=drive,
        progress=progress,
        rate_bps=speed * 1024 if speed else None,
        eta_s=eta_s,
        detail="waits for another one on the same drives" if leg.is_delayed else detail,
        can_pause=not leg.is_delayed,
        can_stop=can_stop,
    )


def _paused(id: str, paused: Paused, stack: Stack) -> Task:
    return Task(
        id=id,
        kind=paused.kind,
        state=TaskState.PAUSED,
        controller=CONTROLLER,
        virtual_drive=stack.id,
        drive=paused.drive,
        progress=paused.progress,
        can_stop=paused.kind in (TaskKind.CHECK, TaskKind.PATROL_READ),
    )


def _joined(parts: Sequence[Task]) -> Task:
    first = parts[0]
    if len(parts) == 1:
        return first
    known = [part.progress for part in parts if part.progress is not None]
    states = {part.state for part in parts}
    rates = [part.rate_bps for part in parts if part.rate_bps is not None]
    times = [part.eta_s for part in parts if part.eta_s is not None]
    return msgspec.structs.replace(
        first,
        state=TaskState.RUNNING if TaskState.RUNNING in states else first.state,
        progress=sum(known) / len(known) if known else None,
        rate_bps=min(rates) if rates else None,
        eta_s=max(times) if times else None,
        can_pause=any(part.can_pause for part in parts),
    )
