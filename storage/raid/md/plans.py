"""Operation -> commands: the one place that knows which plan belongs to which operation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from storage.command import Runner
from storage.drives.signatures import probe
from storage.errors import Unsupported
from storage.raid.backend import Command
from storage.raid.inventory import Inventory
from storage.raid.md import plans_arrays, plans_members, plans_tasks
from storage.raid.md.look import Look
from storage.raid.md.memory import Memory
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
from storage.roots import Roots


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All a plan depends on."""

    look: Look
    inventory: Inventory
    memory: Memory
    run: Runner
    roots: Roots
    folder: Path


def plan(op: RaidOperation, at: Situation) -> tuple[Command, ...]:
    """See RaidBackend.plan."""
    match op:
        case SetRates() | StartCheck() | StartInitialisation() | StartPatrolRead() | StopTask():
            return _task_plan(op, at)
        case PauseTask() | ResumeTask():
            return _task_plan(op, at)
        case CreateVirtualDrive():
            return plans_arrays.create(op, at.look, at.inventory, at.run)
        case DeleteVirtualDrive():
            return plans_arrays.delete(op, at.look, at.inventory)
        case ImportForeign():
            return plans_arrays.import_foreign(op, at.look, at.inventory, at.run)
        case ClearForeign():
            return plans_arrays.clear_foreign(op, at.look, at.inventory)
        case Migrate():
            return plans_arrays.migrate(op, at.look, at.inventory, at.run, at.roots, at.folder)
        case Silence():
            raise Unsupported("Linux md has no beeper", "the chassis has its own")
        case _:
            return _member_plan(op, at)


_TaskOperation = (
    SetRates | StartCheck | StartInitialisation | StartPatrolRead | StopTask | PauseTask | ResumeTask
)


def _task_plan(op: _TaskOperation, at: Situation) -> tuple[Command, ...]:
    match op:
        case SetRates():
            return plans_tasks.set_rates(op, at.look, at.memory, at.roots)
        case StartCheck():
            return plans_tasks.start_check(op, at.look)
        case StartInitialisation():
            return plans_tasks.start_initialisation(op, at.look)
        case StartPatrolRead():
            return plans_tasks.start_patrol_read(op, at.look)
        case StopTask():
            return plans_tasks.stop_task(op, at.look, at.inventory, at.memory)
        case PauseTask():
            return plans_tasks.pause_task(op, at.look, at.inventory, at.memory)
        case ResumeTask():
            return plans_tasks.resume_task(op, at.look, at.inventory, at.memory)


_MemberOperation = (
    AssignSpare
    | ReleaseSpare
    | StartRebuild
    | ReplaceMember
    | ReAddMember
    | SetOffline
    | SetGood
    | PrepareRemoval
)


def _member_plan(op: _MemberOperation, at: Situation) -> tuple[Command, ...]:
    match op:
        case AssignSpare():
            return plans_members.assign_spare(op, at.look, at.inventory, at.run)
        case ReleaseSpare():
            return plans_members.release_spare(op, at.look, at.inventory)
        case StartRebuild():
            return plans_members.start_rebuild(op, at.look, at.inventory, at.run)
        case ReplaceMember():
            return plans_members.replace_member(op, at.look, at.inventory, at.run)
        case ReAddMember():
            return plans_members.re_add(op, at.look, at.inventory, at.run)
        case SetOffline():
            return plans_members.set_offline(op, at.look, at.inventory)
        case SetGood():
            return plans_members.set_good(op, at.look, at.inventory)
        case PrepareRemoval():
            return plans_members.prepare_removal(op, at.look, at.inventory, at.memory, at.roots)


def upper_arrays(look: Look, run: Runner) -> tuple[Command, ...]:
    """After legs were assembled: the arrays that stand on them, when all of their legs are there."""
    nodes: dict[str, list[str]] = {}
    for array in look.arrays:
        if array.is_active and array.uuid and not array.holders:
            found = probe(run, f"/dev/{array.device}")
            if found.md_uuid:
                nodes.setdefault(found.md_uuid, []).append(f"/dev/{array.device}")
    running = {array.uuid for array in look.arrays}
    return tuple(
        Command(
            argv=(
                "mdadm",
                "--assemble",
                f"--uuid={uuid}",
                "--config=none",
                f"/dev/md/imported-{uuid[:8]}",
                *legs,
            ),
            note="join the spans",
        )
        for uuid, legs in nodes.items()
        if uuid not in running
    )
