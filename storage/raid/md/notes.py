"""What is written into the memory: after every look, and around every operation."""

from __future__ import annotations

import msgspec

from storage.clock import Clock
from storage.raid.inventory import Inventory
from storage.raid.md.look import Look, remembered_arrays
from storage.raid.md.memory import CheckResult, Memory, Paused, SpareNote
from storage.raid.md.plans_tasks import legs_of, task_named
from storage.raid.md.stack import Stack
from storage.raid.md.tasks import CHECKS, is_frozen
from storage.raid.operations import (
    AssignSpare,
    ClearForeign,
    CreateVirtualDrive,
    DeleteVirtualDrive,
    Migrate,
    PauseTask,
    RaidOperation,
    ReAddMember,
    ReleaseSpare,
    ReplaceMember,
    ResumeTask,
    SetGood,
    SetOffline,
    SetRates,
    StartCheck,
    StartPatrolRead,
    StartRebuild,
    StopTask,
)
from storage.raid.states import TaskKind

_CHECK_KINDS = (TaskKind.CHECK, TaskKind.PATROL_READ)


def observe(look: Look, memory: Memory, clock: Clock) -> None:
    """After a look: slots, checks that ended, notes that time has overtaken."""
    memory.arrays = remembered_arrays(look, memory)
    for stack in look.stacks:
        _observe_initialisation(stack, look, memory)
        _observe_checks(stack, memory, clock)
    _observe_pauses(look, memory)
    for id, held in look.members.items():
        if held.member.is_in_sync:
            for note in (memory.awaiting_removal, memory.bad, memory.set_offline):
                note.pop(id, None)
            memory.spares.pop(id, None)
        elif held.member.is_faulty and id not in memory.replaced and id not in memory.set_offline:
            memory.bad.setdefault(id, f"failed in {held.stack.name}")
    for id, replacement in list(memory.replaced.items()):
        held_new, held_old = look.members.get(replacement), look.members.get(id)
        is_over = held_new is None or not (held_new.member.is_filling or held_new.member.is_in_sync)
        if (is_over and (held_old is None or not held_old.member.is_faulty)) or (
            held_old is None and id not in look.by_id
        ):
            del memory.replaced[id]
    for id in [id for id in memory.awaiting_removal if id not in look.by_id]:
        del memory.awaiting_removal[id]


def _observe_initialisation(stack: Stack, look: Look, memory: Memory) -> None:
    for leg in stack.present_legs:
        target = memory.initialising.get(leg.uuid)
        if target is None:
            continue
        held = look.members.get(target)
        if held is None or held.array.uuid != leg.uuid or not held.member.is_filling:
            del memory.initialising[leg.uuid]


def _observe_checks(stack: Stack, memory: Memory, clock: Clock) -> None:
    ended = False
    for leg in stack.present_legs:
        if leg.action in CHECKS:
            memory.checking.setdefault(leg.uuid, TaskKind.CHECK)
        elif leg.uuid in memory.checking:
            # One that was interrupted, by a failure for instance, keeps its place in sync_min.
            ended = ended or (leg.last_action in CHECKS and leg.sync_from_sectors == 0)
            del memory.checking[leg.uuid]
    is_running = any(leg.uuid in memory.checking for leg in stack.present_legs)
    if ended and not is_running:
        found = sum(leg.mismatch_sectors or 0 for leg in stack.present_legs)
        memory.checks[stack.id] = CheckResult(mismatch_sectors=found, ended_us=clock.now_us())


def _observe_pauses(look: Look, memory: Memory) -> None:
    for id, paused in list(memory.paused.items()):
        stack = look.stack(id.split(":")[1])
        if stack is None or not stack.is_active:
            continue
        if paused.kind in _CHECK_KINDS:
            is_over = any(leg.action in CHECKS for leg in stack.present_legs)
        else:
            is_over = not is_frozen(stack)
        if is_over:
            del memory.paused[id]


def note_intent(op: RaidOperation, look: Look, inventory: Inventory, memory: Memory) -> None:
    """Before the commands: so that what md reports meanwhile is not taken for a failure."""
    if isinstance(op, SetOffline):
        held = look.members.get(op.drive)
        if held is not None:
            memory.set_offline[op.drive] = held.stack.id
    elif isinstance(op, ReplaceMember):
        memory.replaced[op.member] = op.replacement
    elif isinstance(op, PauseTask):
        _note_pause(op, look, inventory, memory)
    elif isinstance(op, ResumeTask):
        task, stack = task_named(op.task, look, inventory)
        if task.kind in _CHECK_KINDS:
            memory.checking |= {leg.uuid: task.kind for leg in legs_of(task, stack, memory)}
    elif isinstance(op, StopTask):
        task, stack = task_named(op.task, look, inventory)
        for leg in legs_of(task, stack, memory):
            memory.checking.pop(leg.uuid, None)
        memory.paused.pop(op.task, None)
    elif isinstance(op, StartPatrolRead | StartCheck):
        kind = TaskKind.PATROL_READ if isinstance(op, StartPatrolRead) else TaskKind.CHECK
        wanted = [
            s for s in look.stacks if isinstance(op, StartPatrolRead) or op.virtual_drive in (s.id, s.name)
        ]
        for one in wanted:
            for leg in one.present_legs:
                if leg.is_redundant and leg.action == "idle":
                    memory.checking[leg.uuid] = kind
        memory.paused = {
            id: paused
            for id, paused in memory.paused.items()
            if paused.kind not in _CHECK_KINDS or id.split(":")[1] not in {s.id for s in wanted}
        }


def _named(ref: str, look: Look) -> Stack | None:
    return next((stack for stack in look.stacks if ref in (stack.id, stack.name)), None)


def _note_pause(op: PauseTask, look: Look, inventory: Inventory, memory: Memory) -> None:
    task, stack = task_named(op.task, look, inventory)
    legs = legs_of(task, stack, memory)
    is_check = task.kind in _CHECK_KINDS
    memory.paused[op.task] = Paused(
        kind=task.kind,
        progress=task.progress,
        drive=task.drive,
        action=legs[0].action if is_check and legs else "",
        from_sectors={leg.uuid: (leg.done_sectors or 0) if is_check else 0 for leg in legs},
    )
    for leg in legs:
        memory.checking.pop(leg.uuid, None)


def note_done(op: RaidOperation, before: Look, after: Look, memory: Memory) -> None:
    """When it has succeeded."""
    if isinstance(op, CreateVirtualDrive):
        _note_created(op, after, memory)
    elif isinstance(op, DeleteVirtualDrive):
        stack = _named(op.virtual_drive, before)
        if stack is not None:
            memory.forget_array(stack.id, stack.uuids)
            for id, held in before.members.items():
                if held.stack.id == stack.id:
                    memory.forget_drive(id)
    elif isinstance(op, Migrate):
        for id in op.add:
            memory.forget_drive(id)
    elif isinstance(op, SetRates):
        memory.rates = msgspec.structs.replace(op.rates)
    else:
        _note_drive_done(op, memory)


def _note_drive_done(op: RaidOperation, memory: Memory) -> None:
    if isinstance(op, AssignSpare):
        memory.forget_drive(op.drive)
        memory.spares[op.drive] = SpareNote(kind=op.kind, groups=op.groups, has_affinity=op.has_affinity)
    elif isinstance(op, ReleaseSpare):
        memory.spares.pop(op.drive, None)
    elif isinstance(op, SetGood | ReAddMember):
        memory.forget_drive(op.drive)
    elif isinstance(op, StartRebuild):
        note = memory.spares.get(op.drive)
        memory.forget_drive(op.drive)
        if note is not None:
            memory.spares[op.drive] = note  # it is a spare again should the rebuild fail (row RB-06)
    elif isinstance(op, ReplaceMember):
        memory.spares.pop(op.replacement, None)
        memory.awaiting_removal.pop(op.replacement, None)
    elif isinstance(op, ClearForeign):
        for id in op.drives:
            memory.forget_drive(id)


def _note_created(op: CreateVirtualDrive, after: Look, memory: Memory) -> None:
    stack = _named(op.name, after)
    for id in (*(id for span in op.spans for id in span), *op.spares):
        memory.forget_drive(id)
    for leg in stack.present_legs if stack is not None else ():
        for member in leg.members:
            drive = after.by_name.get(member.name)
            if member.is_filling and drive is not None:
                memory.initialising[leg.uuid] = drive.id
