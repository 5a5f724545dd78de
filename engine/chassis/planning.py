"""Plan, confirm, run: every operation on drives goes this way, whoever asks (rows SF-01, SF-04; rules 8, 13, 14).

`plan` shows the commands, what would be erased or put at risk, and what must be typed; it changes nothing and is the dry run.
`run` looks again, plans again, refuses when anything the plan rested on is another now, and lets one operation at a time work
on a controller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from engine.chassis.blast_radius import judge
from engine.chassis.drive_words import drive_words
from engine.chassis.fact_finding import virtual_drives_touched
from engine.chassis.facts import PlanFacts, home, members
from engine.chassis.fingerprint import fingerprint
from engine.chassis.job_work import JobWork
from engine.chassis.jobs import JobDesk
from engine.chassis.operation_gate import controllers_of
from engine.chassis.outcome import check_outcome
from engine.chassis.refusals import check_safe
from engine.chassis.replace_checks import copy_target, may_leave
from engine.chassis.replace_job import Kept, ReplaceJob
from engine.chassis.replace_state import begin as begin_replacement
from engine.chassis.set_up import SetUpJob, SetUpState
from engine.chassis.set_up_layout import SetUpLayout, lay_out, spread
from engine.chassis.take_down import TakeDownJob
from engine.chassis.take_down import begin as begin_take_down
from engine.chassis.titles import title_of
from engine.supervise import attempt
from engine.wire_chassis import (
    BlastRadius,
    ChassisOperation,
    CommandView,
    OperationDone,
    OperationPlan,
    OperationRun,
    ReplaceDrive,
    SetUpStorage,
    TakeDownVolume,
)
from storage.catalog.groups import MAIN_GROUP
from storage.catalog.records import Camera, Severity, Volume
from storage.errors import (
    Conflict,
    DriveError,
    InvalidInput,
    NotFound,
    OperationRefused,
    StateChanged,
    WatchdeckError,
)
from storage.raid.inventory import Inventory
from storage.raid.operations import DeleteVirtualDrive, RaidOperation
from storage.raid.states import DriveState


@dataclass(frozen=True, slots=True)
class _Worked:
    """A plan with what it was made from."""

    plan: OperationPlan
    inventory: Inventory
    facts: PlanFacts
    layout: SetUpLayout | None = None


class Planner:
    """Loop only."""

    def __init__(self, work: JobWork, jobs: JobDesk) -> None:
        self._work = work
        self._jobs = jobs

    async def plan(self, operation: ChassisOperation) -> OperationPlan:
        """Changes nothing. What must not be done is a plan with `refused`. Raises NotFound."""
        return (await self._worked_out(operation)).plan

    async def run(self, asked: OperationRun, actor: str) -> OperationDone:
        """Raises OperationRefused, StateChanged, InvalidInput (the word typed), Conflict (something is under way), and what
        the back-end raises."""
        operation = asked.operation
        worked = await self._worked_out(operation)
        plan = worked.plan
        if plan.refused:
            raise OperationRefused(plan.refused, plan.refused_remedy)
        if plan.fingerprint != asked.fingerprint:
            raise StateChanged(
                f"{plan.title}: drives, arrays or volumes are no longer as they were when this was planned",
                "look at the new plan, and confirm that",
            )
        if asked.confirmation != plan.confirmation:
            raise InvalidInput(
                f"{plan.title}: the confirmation must be exactly {plan.confirmation!r}"
                if plan.confirmation
                else f"{plan.title} needs no confirmation, and {asked.confirmation!r} was given",
                "type what the plan shows" if plan.confirmation else "leave it empty",
            )
        if isinstance(operation, SetUpStorage | ReplaceDrive | TakeDownVolume):
            return await self._start_job(operation, worked, actor)
        return await self._perform(operation, worked, actor)

    async def _perform(self, operation: RaidOperation, worked: _Worked, actor: str) -> OperationDone:
        title = worked.plan.title

        async def perform() -> None:
            with self._work.gate.hold(controllers_of(operation, worked.inventory), title):
                await self._work.chassis.perform(operation, worked.inventory)
                check_outcome(operation, worked.inventory, await self._work.chassis.refresh())

        error = await attempt(title, perform)
        if error is None:
            self._work.events.publish("operation.done", title, actor=actor)
            return OperationDone(text=f"{title}: done")
        if not isinstance(error, Conflict):
            self._work.events.publish(
                "operation.failed", f"{title}: {error}", severity=Severity.WARNING, actor=actor
            )
        raise error

    async def _start_job(
        self, operation: SetUpStorage | ReplaceDrive | TakeDownVolume, worked: _Worked, actor: str
    ) -> OperationDone:
        match operation:
            case SetUpStorage():
                assert worked.layout is not None, "laid out for the plan"
                moves = await self._moves(worked.layout)
                state = SetUpState(layout=worked.layout, moves=moves)
                id = await self._jobs.start(SetUpJob(self._work, state, actor), actor)
            case ReplaceDrive():
                drive = worked.inventory.drive(operation.drive)
                assert drive is not None, "judged a moment ago"
                kept = Kept(state=begin_replacement(drive, worked.inventory))
                id = await self._jobs.start(ReplaceJob(self._work, kept), actor)
            case TakeDownVolume():
                vd = worked.inventory.virtual_drive(operation.virtual_drive)
                assert vd is not None, "judged a moment ago"
                on_it = worked.facts.volumes_on(vd.id)
                down = begin_take_down(vd.id, worked.inventory, on_it)
                id = await self._jobs.start(TakeDownJob(self._work, down, actor), actor)
        return OperationDone(text=f"{worked.plan.title}: begun", job=id)

    async def _moves(self, layout: SetUpLayout) -> tuple[tuple[UUID, str], ...]:
        """Cameras of `main` are spread over the new groups when none of them had a volume so far (row VD-05)."""
        groups = [volume.group for volume in layout.volumes]
        if MAIN_GROUP not in groups or len(set(groups)) < 2:
            return ()
        cameras: list[Camera] = await self._work.catalog.read("cameras")
        waiting = {str(camera.uuid): camera for camera in cameras if camera.group == MAIN_GROUP}
        return tuple(
            (waiting[uuid].uuid, group)
            for uuid, group in spread(list(waiting), groups)
            if group != MAIN_GROUP
        )

    # -- working it out --------------------------------------------------------------------------------------

    async def _worked_out(self, operation: ChassisOperation) -> _Worked:
        inventory = await self._work.chassis.refresh()
        title = title_of(operation, inventory)
        try:
            layout = await self._laid_out(operation, inventory)
            parts = _parts(operation, layout)
        except NotFound:
            raise
        except WatchdeckError as error:
            return _Worked(_refused(operation, title, error), inventory, PlanFacts(inventory=inventory))
        touched = virtual_drives_touched(operation, parts, inventory)
        facts = await self._work.facts.gather(inventory, touched)
        if layout is not None:
            title = "; ".join(title_of(part, inventory) for part in parts)
        judgement = judge(operation, parts, facts)
        try:
            self._check(operation, parts, layout, facts)
            commands = await self._commands(operation, parts, layout, inventory)
        except NotFound:
            raise
        except (DriveError, InvalidInput, Conflict) as error:
            refused = _refused(operation, title, error, judgement.radius)
            return _Worked(refused, inventory, facts, layout)
        plan = OperationPlan(
            operation=operation,
            title=title,
            commands=commands,
            radius=judgement.radius,
            confirmation=judgement.confirmation,
            fingerprint=fingerprint(operation, parts, facts, commands),
        )
        return _Worked(plan, inventory, facts, layout)

    async def _laid_out(self, operation: ChassisOperation, inventory: Inventory) -> SetUpLayout | None:
        if not isinstance(operation, SetUpStorage):
            return None
        volumes: list[Volume] = await self._work.catalog.read("volumes")
        return lay_out(
            operation,
            inventory,
            volumes=[volume.name for volume in volumes],
            is_main_empty=all(volume.group != MAIN_GROUP for volume in volumes),
        )

    def _check(
        self,
        operation: ChassisOperation,
        parts: Sequence[RaidOperation],
        layout: SetUpLayout | None,
        facts: PlanFacts,
    ) -> None:
        if isinstance(operation, ReplaceDrive):
            _check_replaceable(operation, facts)
        for part in parts:
            check_safe(part, facts, takes_down=isinstance(operation, TakeDownVolume))
        if layout is not None:
            paths = {volume.mount_point for volume in layout.volumes}
            taken = [volume for volume in facts.volumes if volume.path in paths]
            if taken:
                raise OperationRefused(
                    f"volume {taken[0].name} is registered at {taken[0].path}",
                    "choose another name or folder",
                )
        self._jobs.check_free(_subjects(operation, parts, facts.inventory))

    async def _commands(
        self,
        operation: ChassisOperation,
        parts: Sequence[RaidOperation],
        layout: SetUpLayout | None,
        inventory: Inventory,
    ) -> tuple[CommandView, ...]:
        if isinstance(operation, TakeDownVolume):
            return await self._taking_down(operation, parts[0], inventory)
        found = [command for part in parts for command in await self._planned(part, inventory)]
        for volume in layout.volumes if layout is not None else ():
            assert layout is not None
            text = f"sgdisk, mkfs.{layout.file_system}, mount {volume.mount_point}"
            found.append(CommandView(text=text, note=f"volume {volume.name}, recording group {volume.group}"))
        return tuple(found)

    async def _planned(self, part: RaidOperation, inventory: Inventory) -> list[CommandView]:
        commands = await self._work.chassis.plan(part, inventory)
        return [CommandView(text=str(command), note=command.note) for command in commands]

    async def _taking_down(
        self, operation: TakeDownVolume, part: RaidOperation, inventory: Inventory
    ) -> tuple[CommandView, ...]:
        vd = inventory.virtual_drive(operation.virtual_drive)
        assert vd is not None, "judged a moment ago"
        found = [
            CommandView(text=f"umount {mount.path}", note="for good: its mount unit goes too")
            for mount in vd.mounts
        ]
        try:
            found += await self._planned(part, inventory)
        except OperationRefused:
            if not vd.mounts:
                raise
            # The back-end deletes nothing that is mounted, and so cannot say yet how it would.
            found.append(CommandView(text=f"delete virtual drive {vd.name}", note="once it is unmounted"))
        return tuple(found)


def _parts(operation: ChassisOperation, layout: SetUpLayout | None) -> tuple[RaidOperation, ...]:
    """What it comes down to in the RAID layer."""
    match operation:
        case SetUpStorage():
            return layout.operations() if layout is not None else ()
        case TakeDownVolume():
            return (DeleteVirtualDrive(virtual_drive=operation.virtual_drive),)
        case ReplaceDrive():
            return ()
        case _:
            return (operation,)


def _subjects(
    operation: ChassisOperation, parts: Sequence[RaidOperation], inventory: Inventory
) -> frozenset[str]:
    """Drives and virtual drives that no job may have in hand meanwhile."""
    found: set[str] = set()
    for asked in (operation, *parts):
        for name in ("drive", "member", "replacement"):
            found.add(getattr(asked, name, ""))
        found.update(getattr(asked, "drives", ()))
        for span in getattr(asked, "spans", ()) if not isinstance(asked, SetUpStorage) else ():
            found.update(span)
        if (vd := inventory.virtual_drive(getattr(asked, "virtual_drive", ""))) is not None:
            found.add(vd.id)
            group = inventory.group(vd.group)
            if isinstance(asked, DeleteVirtualDrive) and group is not None:
                found.update(drive.id for drive in members(inventory, group))
    return frozenset(found - {""})


def _check_replaceable(operation: ReplaceDrive, facts: PlanFacts) -> None:
    drive = facts.inventory.drive(operation.drive)
    if drive is None:
        raise NotFound(f"no drive {operation.drive!r} is here", "`watchdeck drive list` shows all")
    if drive.state is DriveState.PROTECTED:
        raise OperationRefused(
            f"{drive_words(drive)} is not ours to touch: {drive.cause or 'it holds the system'}",
            "replace it with the machine switched off",
        )
    state = begin_replacement(drive, facts.inventory)
    why = may_leave(state, facts.inventory)
    if why and copy_target(state, facts.inventory) is None:
        at_home = home(facts.inventory, drive)
        lost = [
            drive_words(other)
            for other in (members(facts.inventory, at_home[0]) if at_home is not None else ())
            if other.state in (DriveState.FAILED, DriveState.MISSING, DriveState.OFFLINE)
        ]
        remedy = f"replace {lost[0]} first" if lost else "insert a drive to copy it to"
        raise OperationRefused(why, remedy)


def _refused(
    operation: ChassisOperation, title: str, error: WatchdeckError, radius: BlastRadius | None = None
) -> OperationPlan:
    return OperationPlan(
        operation=operation,
        title=title,
        radius=radius or BlastRadius(),
        refused=error.what,
        refused_remedy=error.remedy,
    )
