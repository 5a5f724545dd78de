"""The chassis calls of the scripted engine's client: notes what was asked, answers as the test said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from engine.chassis.set_up_choices import set_up_choices
from engine.wire_chassis import (
    ChassisLayout,
    ChassisOperation,
    ChassisView,
    CommandView,
    DriveDetail,
    DriveLocate,
    GoneDrive,
    JobAct,
    JobView,
    LearnBay,
    OperationDone,
    OperationPlan,
    OperationRun,
    ScheduleView,
    SelfTestStart,
    SetUpChoices,
    SimulatedStep,
    UidSwitch,
    UpkeepEdit,
)
from storage.errors import InvalidInput, NotFound, WatchdeckError
from tests.fakes.chassis_views import history

if TYPE_CHECKING:
    from tests.fakes.engine import FakeEngine


class FakeChassisCalls:
    """The names of engine.client_chassis."""

    _engine: FakeEngine

    def _called(self, name: str, argument: object = None) -> None:
        raise NotImplementedError

    @property
    def _chassis(self) -> ChassisView:
        if self._engine.chassis is None:
            raise NotFound("no bays here", "")
        return self._engine.chassis

    async def drive(self, ref: str) -> DriveDetail:
        self._called("drive", ref)
        chassis = self._chassis
        for drive in chassis.inventory.drives:
            if ref in (drive.id, drive.serial, str(drive.bay)):
                return DriveDetail(
                    drive=drive,
                    health=chassis.health_of(drive.id),
                    history=history(),
                    self_tests=self._engine.self_tests,
                )
        raise NotFound(f"no drive {ref!r}", "")

    async def locate_drive(self, ref: str, locate: DriveLocate) -> None:
        self._called("locate_drive", (ref, locate))

    async def start_self_test(self, ref: str, start: SelfTestStart) -> OperationDone:
        self._called("start_self_test", (ref, start))
        return OperationDone(text=f"a {start.kind} self-test runs: about 2 minutes")

    async def abort_self_test(self, ref: str) -> None:
        self._called("abort_self_test", ref)

    async def plan_operation(self, operation: ChassisOperation) -> OperationPlan:
        self._called("plan_operation", operation)
        plan = self._engine.plan
        if isinstance(plan, WatchdeckError):
            raise plan
        if plan is not None:
            return msgspec.structs.replace(plan, operation=operation)
        command = CommandView(text="echo check > /sys/block/md127/md/sync_action", note="virtual drive A")
        title = f"Operation {msgspec.to_builtins(operation)['operation']}"
        return OperationPlan(operation=operation, title=title, commands=(command,), fingerprint="f1")

    async def run_operation(self, run: OperationRun) -> OperationDone:
        self._called("run_operation", run)
        done = self._engine.operation_done
        if isinstance(done, WatchdeckError):
            raise done
        return done

    async def set_up_choices(
        self, drives: Sequence[str] = (), virtual_drives: int = 1, spans: int = 0
    ) -> SetUpChoices:
        """As the engine answers it."""
        return set_up_choices(self._chassis.inventory, drives, virtual_drives, spans)

    async def gone_drives(self) -> tuple[GoneDrive, ...]:
        self._called("gone_drives")
        return self._engine.gone_drives

    async def edit_upkeep(self, changes: UpkeepEdit) -> ScheduleView:
        self._called("edit_upkeep", changes)
        if changes.hour is not None and changes.hour > 23:
            raise InvalidInput(f"hour: {changes.hour} is not from 0 to 23", "")
        return self._chassis.upkeep

    async def simulate(self, step: SimulatedStep) -> None:
        self._called("simulate", step)

    async def act_on_job(self, job_id: str, act: JobAct) -> JobView:
        self._called("act_on_job", (job_id, act))
        if self._engine.act_refusals:
            raise self._engine.act_refusals.pop(0)
        return next(job for job in self._chassis.jobs if job.id == job_id)

    async def switch_uid(self, switch: UidSwitch) -> None:
        self._called("switch_uid", switch)

    async def learn_bay(self, learn: LearnBay) -> ChassisLayout:
        self._called("learn_bay", learn)
        return self._chassis.layout
