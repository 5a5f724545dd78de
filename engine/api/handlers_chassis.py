"""Calls about the box: bays, drives, plans, operations, jobs. What they do is the chassis service's, the planner's and the
job desk's; here is who may ask for what beyond the route's own permission.
"""

from __future__ import annotations

from engine import wire_calls
from engine.api.permissions import job_permission, operation_permission
from engine.api.services import Call, Services
from engine.chassis.set_up_choices import set_up_choices
from engine.wire_chassis import (
    ChassisLayout,
    ChassisView,
    DetectionView,
    Drive,
    DriveDetail,
    DriveLocate,
    JobAct,
    JobView,
    LearnBay,
    OperationDone,
    OperationPlan,
    OperationRun,
    PlanAsk,
    ScheduleView,
    SelfTestStart,
    SetUpChoices,
    SimulatedStep,
    UidSwitch,
    UpkeepEdit,
)
from storage.errors import InvalidInput

LOCATE_LIMIT_S = 86_400


async def get_chassis(services: Services, call: Call[None, None]) -> ChassisView:
    return services.chassis.view()


# -- drives ----------------------------------------------------------------------------------------------


async def list_drives(services: Services, call: Call[None, None]) -> wire_calls.DriveList:
    return wire_calls.DriveList(drives=tuple(sorted(services.chassis.view().inventory.drives, key=_by_bay)))


def _by_bay(drive: Drive) -> tuple[bool, int, str]:
    return drive.bay is None, drive.bay or 0, drive.id


async def get_drive(services: Services, call: Call[None, None]) -> DriveDetail:
    return await services.chassis.detail(call.path["ref"])


async def locate_drive(services: Services, call: Call[None, DriveLocate]) -> None:
    if call.body.is_on and not 1 <= call.body.seconds <= LOCATE_LIMIT_S:
        raise InvalidInput(f"$.seconds: {call.body.seconds} is not from 1 to {LOCATE_LIMIT_S}")
    await services.chassis.locate_drive(call.path["ref"], call.body, call.caller.name)


async def start_self_test(services: Services, call: Call[None, SelfTestStart]) -> OperationDone:
    return await services.chassis.start_self_test(call.path["ref"], call.body.kind, call.caller.name)


async def abort_self_test(services: Services, call: Call[None, None]) -> None:
    await services.chassis.abort_self_test(call.path["ref"], call.caller.name)


async def list_gone_drives(services: Services, call: Call[None, None]) -> wire_calls.GoneDriveList:
    return wire_calls.GoneDriveList(drives=await services.chassis.gone_drives())


async def forget_drive(services: Services, call: Call[None, None]) -> None:
    await services.chassis.forget_drive(call.path["ref"], call.caller.name)


async def detect_drives(services: Services, call: Call[None, None]) -> DetectionView:
    return await services.chassis.detect()


# -- plans, operations, jobs -----------------------------------------------------------------------------


async def plan_operation(services: Services, call: Call[None, PlanAsk]) -> OperationPlan:
    return await services.planner.plan(call.body.operation)


async def list_levels(services: Services, call: Call[wire_calls.LevelQuery, None]) -> SetUpChoices:
    asked = call.query
    inventory = services.chassis.view().inventory
    return set_up_choices(inventory, asked.drive, asked.virtual_drives, asked.spans)


async def run_operation(services: Services, call: Call[None, OperationRun]) -> OperationDone:
    operation = call.body.operation
    call.caller.require(operation_permission(operation), f"the operation `{operation.__struct_config__.tag}`")
    return await services.planner.run(call.body, call.caller.name)


async def list_jobs(services: Services, call: Call[None, None]) -> wire_calls.JobList:
    return wire_calls.JobList(jobs=services.jobs.views())


async def get_job(services: Services, call: Call[None, None]) -> JobView:
    return services.jobs.view(call.path["id"])


async def act_on_job(services: Services, call: Call[None, JobAct]) -> JobView:
    job = services.jobs.view(call.path["id"])
    call.caller.require(job_permission(job.kind), f"the job `{job.title}`")
    return await services.jobs.act(job.id, call.body, call.caller.name)


# -- the box ---------------------------------------------------------------------------------------------


async def switch_uid(services: Services, call: Call[None, UidSwitch]) -> None:
    await services.chassis.switch_uid(call.body.is_on, call.caller.name)


async def learn_bay(services: Services, call: Call[None, LearnBay]) -> ChassisLayout:
    return await services.chassis.learn_bay(call.body, call.caller.name)


async def edit_upkeep(services: Services, call: Call[None, UpkeepEdit]) -> ScheduleView:
    return await services.chassis.edit_upkeep(call.body, call.caller.name)


async def simulate(services: Services, call: Call[None, SimulatedStep]) -> None:
    await services.chassis.simulate(call.body.step, call.caller.name)
