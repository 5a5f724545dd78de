"""Writes to md's files that start, stop, pause and pace background work.

A check is paused by ending it and remembering how far it was: a failure meanwhile must find the array free to rebuild.
All else is frozen, which also keeps a spare waiting; that is what a person who pauses a rebuild asks for.
"""

from __future__ import annotations

from storage.errors import Conflict, NotFound, OperationRefused, Unsupported
from storage.raid.backend import Command
from storage.raid.inventory import Inventory, Task
from storage.raid.md import checks
from storage.raid.md.look import Look
from storage.raid.md.memory import Memory
from storage.raid.md.plans_arrays import zeroed
from storage.raid.md.plans_members import node
from storage.raid.md.rates import limit_kib_s, percent_for
from storage.raid.md.stack import Stack
from storage.raid.md.sysfs import MdArray
from storage.raid.md.tasks import CHECKS
from storage.raid.md.view import is_redundant
from storage.raid.operations import (
    PauseTask,
    ResumeTask,
    SetRates,
    StartCheck,
    StartInitialisation,
    StartPatrolRead,
    StopTask,
)
from storage.raid.states import TaskKind, TaskState
from storage.roots import Roots

_CHECK_KINDS = (TaskKind.CHECK, TaskKind.PATROL_READ)


def _write(array: MdArray, name: str, text: str, note: str) -> Command:
    return Command(write_path=f"/sys/block/{array.device}/md/{name}", write_text=text, note=note)


def _check(array: MdArray, action: str, from_sectors: int = 0) -> tuple[Command, ...]:
    return (
        _write(array, "sync_max", "max", "to the end"),
        _write(
            array,
            "sync_min",
            str(from_sectors),
            "from where it stopped" if from_sectors else "from the start",
        ),
        _write(array, "sync_action", action, f"{action} {array.name}"),
    )


def start_check(op: StartCheck, look: Look) -> tuple[Command, ...]:
    stack = checks.stack_named(op.virtual_drive, look)
    checks.active(stack)
    if not is_redundant(stack):
        raise Unsupported(f"{stack.name} is RAID {stack.level}: it has nothing to check against")
    checks.quiet(stack)
    if any(leg.lost() for leg in stack.present_legs):
        raise OperationRefused(f"{stack.name} is degraded", "rebuild it first")
    action = "repair" if op.repair else "check"
    return tuple(command for leg in stack.present_legs for command in (*_readable(leg), *_check(leg, action)))


def _readable(leg: MdArray) -> tuple[Command, ...]:
    if not leg.is_waiting_for_a_write:
        return ()
    return (Command(argv=("mdadm", "--readwrite", node(leg)), note="it waits for a first write"),)


def start_initialisation(op: StartInitialisation, look: Look) -> tuple[Command, ...]:
    """md begins by itself when it makes an array; by hand: wake one that waits, or make all stripes consistent again."""
    stack = checks.stack_named(op.virtual_drive, look)
    checks.active(stack)
    if not is_redundant(stack):
        raise Unsupported(f"{stack.name} is RAID {stack.level}: it has nothing to initialise")
    waiting = tuple(command for leg in stack.present_legs for command in _readable(leg))
    if waiting:
        return waiting
    checks.quiet(stack)
    if any(leg.lost() for leg in stack.present_legs):
        raise OperationRefused(f"{stack.name} is degraded", "rebuild it first")
    return tuple(command for leg in stack.present_legs for command in _check(leg, "repair"))


def start_patrol_read(op: StartPatrolRead, look: Look) -> tuple[Command, ...]:
    """Reads every redundant array that is free; drives in none are read by their own long SMART test, which the engine starts."""
    free = [
        leg
        for stack in look.stacks
        if is_redundant(stack) and stack.is_active
        for leg in stack.present_legs
        if leg.action == "idle" and not leg.lost() and not leg.is_read_only
    ]
    if not free:
        raise Conflict(
            "no array is free for a patrol read",
            "wait for background work; drives in no redundant array are read by their long SMART self-test",
        )
    return tuple(command for leg in free for command in (*_readable(leg), *_check(leg, "check")))


# -- a task that runs --------------------------------------------------------------------------------------


def task_named(id: str, look: Look, inventory: Inventory) -> tuple[Task, Stack]:
    task = next((task for task in inventory.tasks if task.id == id), None)
    if task is None:
        raise NotFound(f"no background work {id}", "it may have ended")
    return task, checks.stack_named(task.virtual_drive, look)


def legs_of(task: Task, stack: Stack, memory: Memory) -> list[MdArray]:
    """Arrays that do this."""
    paused = memory.paused.get(task.id)
    if paused is not None and task.state is TaskState.PAUSED:
        return [leg for leg in stack.present_legs if leg.uuid in paused.from_sectors]
    if task.kind in _CHECK_KINDS:
        return [leg for leg in stack.present_legs if leg.action in CHECKS]
    action = {TaskKind.INITIALISATION: ("resync", "recover"), TaskKind.MIGRATION: ("reshape",)}
    return [leg for leg in stack.present_legs if leg.action in action.get(task.kind, ("recover",))]


def stop_task(op: StopTask, look: Look, inventory: Inventory, memory: Memory) -> tuple[Command, ...]:
    task, stack = task_named(op.task, look, inventory)
    if task.kind in _CHECK_KINDS:
        return tuple(
            command
            for leg in legs_of(task, stack, memory)
            for command in (
                _write(leg, "sync_action", "idle", f"stop checking {leg.name}"),
                _write(leg, "sync_min", "0", "the next one begins at the start"),
            )
        )
    if task.kind is TaskKind.COPYBACK:
        _, scanned = checks.present(task.drive, look, inventory)
        held = look.members[task.drive]
        member = held.array.in_slot(held.member.slot or 0)[0]
        device = f"/dev/{held.array.device}"
        return (
            Command(argv=("mdadm", device, "--fail", scanned.device), note="give the copy up"),
            _write(held.array, f"dev-{member.name}/state", "-want_replacement", "the old member stays"),
            Command(argv=("mdadm", device, "--remove", scanned.device), note=checks.label(scanned)),
            zeroed(scanned, "half a copy is of no use"),
        )
    raise OperationRefused(
        f"a {task.kind} of {stack.name} can be paused, not stopped", "without it the array stays unprotected"
    )


def pause_task(op: PauseTask, look: Look, inventory: Inventory, memory: Memory) -> tuple[Command, ...]:
    task, stack = task_named(op.task, look, inventory)
    if task.state is not TaskState.RUNNING:
        raise Conflict(f"the {task.kind} of {stack.name} does not run", "nothing to pause")
    action = "idle" if task.kind in _CHECK_KINDS else "frozen"
    note = "keeps how far it was" if action == "idle" else "no spare is used until it goes on"
    return tuple(_write(leg, "sync_action", action, note) for leg in legs_of(task, stack, memory))


def resume_task(op: ResumeTask, look: Look, inventory: Inventory, memory: Memory) -> tuple[Command, ...]:
    task, stack = task_named(op.task, look, inventory)
    paused = memory.paused.get(task.id)
    if task.state is not TaskState.PAUSED or paused is None:
        raise Conflict(f"the {task.kind} of {stack.name} is not paused", "nothing to resume")
    legs = legs_of(task, stack, memory)
    if task.kind in _CHECK_KINDS:
        checks.quiet(stack)
        return tuple(
            command for leg in legs for command in _check(leg, paused.action, paused.from_sectors[leg.uuid])
        )
    return tuple(_write(leg, "sync_action", "idle", "go on") for leg in legs)


# -- rates -----------------------------------------------------------------------------------------------


def set_rates(op: SetRates, look: Look, memory: Memory, roots: Roots) -> tuple[Command, ...]:
    rates = op.rates
    for percent in (rates.rebuild, rates.check, rates.initialisation, rates.patrol_read, rates.migration):
        if not 1 <= percent <= 100:
            raise OperationRefused(f"a rate of {percent} % cannot be set", "use 1 to 100")
    busy = Memory(checking=memory.checking, initialising=memory.initialising, rates=rates)
    return limits(look, busy, roots)


def limits(look: Look, memory: Memory, roots: Roots) -> tuple[Command, ...]:
    """For arrays that work now and have other limits than their rate says. Both files hold KiB/s."""
    commands: list[Command] = []
    for stack in look.stacks:
        for leg in stack.present_legs:
            percent = percent_for(leg, memory.rates, memory)
            if percent is None:
                continue
            wanted = limit_kib_s(leg, percent, look, roots)
            if leg.speed_limit_kib_s != wanted:
                note = f"{percent} % of what its drives can do"
                # The kernel refuses a minimum above the maximum: the smaller one is written first.
                order = ("sync_speed_min", "sync_speed_max")
                is_rising = leg.speed_limit_kib_s is None or wanted > leg.speed_limit_kib_s
                for name in reversed(order) if is_rising else order:
                    commands.append(_write(leg, name, str(wanted), note))
    return tuple(commands)
