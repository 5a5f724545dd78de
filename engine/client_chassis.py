"""The client's calls about the box: bays, drives, plans and operations, jobs. Mixed into EngineClient, which connects.

The same rules hold as there: each method mirrors a route of docs/api.md, nothing is repeated by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from engine import wire_calls
from engine.path_segment import path_segment
from engine.wire_chassis import (
    ChassisLayout,
    ChassisOperation,
    ChassisView,
    DetectionView,
    Drive,
    DriveDetail,
    DriveLocate,
    GoneDrive,
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

if TYPE_CHECKING:
    from engine import wire

T = TypeVar("T")

DRIVE_TIMEOUT_MS = 60_000
"""For calls that talk to one drive: it may be waking, or dying."""
OPERATION_TIMEOUT_MS = 300_000
"""For calls that change arrays: a controller thinks, a drive retries."""


class ChassisCalls:
    """What EngineClient can do with the box."""

    if TYPE_CHECKING:

        async def _call(
            self,
            method: str,
            path: str,
            reply: type[T] | None,
            *,
            body: wire.Request | None = None,
            query: Mapping[str, str | int | Iterable[str] | None] | None = None,
            timeout_ms: int | None = None,
        ) -> T: ...

    # -- looking ---------------------------------------------------------------------------------------

    async def chassis(self) -> ChassisView:
        """Everything at once: bays, drives, virtual drives, tasks, sensors, jobs."""
        return await self._call("GET", "/v1/chassis", ChassisView)

    async def drives(self) -> tuple[Drive, ...]:
        return (await self._call("GET", "/v1/drives", wire_calls.DriveList)).drives

    async def drive(self, ref: str) -> DriveDetail:
        """By bay number, serial number or id."""
        return await self._call("GET", f"/v1/drives/{path_segment(ref)}", DriveDetail)

    async def chassis_jobs(self) -> tuple[JobView, ...]:
        """Those not ended, and the last few that are; newest first."""
        return (await self._call("GET", "/v1/chassis/jobs", wire_calls.JobList)).jobs

    async def chassis_job(self, id: str) -> JobView:
        return await self._call("GET", f"/v1/chassis/jobs/{path_segment(id)}", JobView)

    # -- one drive -------------------------------------------------------------------------------------

    async def locate_drive(self, ref: str, locate: DriveLocate) -> None:
        """Its bay blinks until told otherwise, or for the time given."""
        await self._call(
            "POST",
            f"/v1/drives/{path_segment(ref)}/locate",
            None,
            body=locate,
            timeout_ms=DRIVE_TIMEOUT_MS,
        )

    async def start_self_test(self, ref: str, test: SelfTestStart) -> OperationDone:
        """The drive tests itself; the result comes as an event and stands in its detail."""
        return await self._call(
            "POST",
            f"/v1/drives/{path_segment(ref)}/tests",
            OperationDone,
            body=test,
            timeout_ms=DRIVE_TIMEOUT_MS,
        )

    async def abort_self_test(self, ref: str) -> None:
        await self._call("DELETE", f"/v1/drives/{path_segment(ref)}/tests", None, timeout_ms=DRIVE_TIMEOUT_MS)

    async def gone_drives(self) -> tuple[GoneDrive, ...]:
        """Those that were here and are not now; the one seen last first."""
        return (await self._call("GET", "/v1/gone-drives", wire_calls.GoneDriveList)).drives

    async def forget_drive(self, ref: str) -> None:
        """One that is gone for good, by serial number or id; its history goes with it."""
        await self._call("DELETE", f"/v1/gone-drives/{path_segment(ref)}", None)

    async def detect_drives(self) -> DetectionView:
        """A second opinion on which drives there are; opens each."""
        return await self._call(
            "GET", "/v1/chassis/detection", DetectionView, timeout_ms=OPERATION_TIMEOUT_MS
        )

    # -- arrays ----------------------------------------------------------------------------------------

    async def plan_operation(self, operation: ChassisOperation) -> OperationPlan:
        """What it would do, erase and put at risk. Changes nothing; a refusal is in the plan, not an error."""
        return await self._call(
            "POST",
            "/v1/chassis/plans",
            OperationPlan,
            body=PlanAsk(operation=operation),
            timeout_ms=DRIVE_TIMEOUT_MS,
        )

    async def set_up_choices(
        self, drives: Sequence[str] = (), virtual_drives: int = 1, spans: int = 0
    ) -> SetUpChoices:
        """What could be made of these drives (ids; none = all that are free), and why not."""
        return await self._call(
            "GET",
            "/v1/chassis/levels",
            SetUpChoices,
            query={"drive": tuple(drives), "virtual_drives": virtual_drives, "spans": spans},
        )

    async def run_operation(self, run: OperationRun) -> OperationDone:
        """Carry out what was planned. Raises StateChanged when it is not as it was planned any more."""
        return await self._call(
            "POST", "/v1/chassis/operations", OperationDone, body=run, timeout_ms=OPERATION_TIMEOUT_MS
        )

    async def act_on_job(self, id: str, act: JobAct) -> JobView:
        """Answer a job that waits for a person."""
        return await self._call(
            "POST",
            f"/v1/chassis/jobs/{path_segment(id)}",
            JobView,
            body=act,
            timeout_ms=OPERATION_TIMEOUT_MS,
        )

    # -- the box ---------------------------------------------------------------------------------------

    async def switch_uid(self, switch: UidSwitch) -> None:
        """The blue lamp that finds this box in a rack."""
        await self._call("PUT", "/v1/chassis/uid", None, body=switch, timeout_ms=DRIVE_TIMEOUT_MS)

    async def learn_bay(self, learn: LearnBay) -> ChassisLayout:
        return await self._call(
            "POST", "/v1/chassis/bays", ChassisLayout, body=learn, timeout_ms=DRIVE_TIMEOUT_MS
        )

    async def edit_upkeep(self, changes: UpkeepEdit) -> ScheduleView:
        return await self._call("PATCH", "/v1/chassis/upkeep", ScheduleView, body=changes)

    async def simulate(self, step: SimulatedStep) -> None:
        """Only on a simulated chassis."""
        await self._call("POST", "/v1/chassis/simulation", None, body=step, timeout_ms=DRIVE_TIMEOUT_MS)
