"""Exports by the engine and cases of the scripted engine, under the client's names. The station keeps what consoles did."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from engine.wire_evidence import (
    CaseAdd,
    CaseEdit,
    CaseItemAdd,
    CaseItemEdit,
    CaseItemView,
    CaseView,
    ExportAsk,
    ExportedFile,
    ExportJobView,
    ExportPlanView,
    ExportState,
    RangePlan,
    StationKeyView,
)
from storage.errors import Conflict, NotFound
from storage.units import US_PER_DAY, US_PER_SECOND

if TYPE_CHECKING:
    from tests.fakes.engine import FakeEngine

FINGERPRINT = " ".join(f"{number:04x}" for number in range(0x5A10, 0x5A20))


def file_of_zeros(name: str, size_bytes: int) -> ExportedFile:
    return ExportedFile(name=name, bytes=size_bytes, sha256=hashlib.sha256(bytes(size_bytes)).hexdigest())


class FakeFile:
    """Bytes of a file in steps; each waits for the gate when there is one."""

    def __init__(self, total_bytes: int, gate: asyncio.Event | None) -> None:
        self.total_bytes = total_bytes
        self._gate = gate

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self.total_bytes
        while left:
            if left < self.total_bytes and self._gate is not None:
                await self._gate.wait()
            step = min(left, max(1, self.total_bytes // 4))
            left -= step
            yield bytes(step)


@dataclass
class FakeEvidence:
    """What is kept: tests look into it and change it."""

    jobs: list[ExportJobView] = field(default_factory=list)
    """Newest first."""
    plan: ExportPlanView | None = None
    """What is answered; None = a megabyte a range and room for all."""
    file_gate: asyncio.Event | None = None


class FakeEvidenceCalls:
    """Mixed into FakeEngineClient."""

    if TYPE_CHECKING:
        _engine: FakeEngine

        def _called(self, name: str, argument: object = None) -> None: ...

    # -- cases -------------------------------------------------------------------------------------------

    def _place(self, ref: str) -> int:
        for index, case in enumerate(self._engine.footage.cases):
            if ref in (str(case.id), case.name):
                return index
        raise NotFound(f"no case {ref!r}", "`watchdeck case list` shows all")

    def _put(self, index: int, case: CaseView) -> CaseView:
        self._engine.footage.cases[index] = case
        return case

    async def cases(self) -> tuple[CaseView, ...]:
        self._called("cases")
        return tuple(self._engine.footage.cases)

    async def case(self, ref: str) -> CaseView:
        self._called("case", ref)
        return self._engine.footage.cases[self._place(ref)]

    async def add_case(self, case: CaseAdd) -> CaseView:
        self._called("add_case", case)
        cases = self._engine.footage.cases
        view = CaseView(
            id=max((each.id for each in cases), default=0) + 1,
            name=case.name,
            comment=case.comment,
            created_us=self._engine.clock.now_us(),
            created_by="operator",
        )
        cases.append(view)
        return view

    async def edit_case(self, ref: str, changes: CaseEdit) -> CaseView:
        self._called("edit_case", (ref, changes))
        index = self._place(ref)
        case = self._engine.footage.cases[index]
        if changes.order is not None:
            items = {item.id: item for item in case.items}
            case = msgspec.structs.replace(case, items=tuple(items[id] for id in changes.order))
        name, comment = changes.name or case.name, changes.comment
        comment = case.comment if comment is None else comment
        return self._put(index, msgspec.structs.replace(case, name=name, comment=comment))

    async def remove_case(self, ref: str) -> None:
        self._called("remove_case", ref)
        del self._engine.footage.cases[self._place(ref)]

    async def add_case_item(self, ref: str, item: CaseItemAdd) -> CaseView:
        self._called("add_case_item", (ref, item))
        index = self._place(ref)
        case = self._engine.footage.cases[index]
        view = CaseItemView(
            id=max((each.id for each in case.items), default=0) + 1,
            camera=item.camera,
            start_us=item.start_us,
            end_us=item.end_us,
            comment=item.comment,
            added_by="operator",
        )
        return self._put(index, msgspec.structs.replace(case, items=(*case.items, view)))

    async def edit_case_item(self, ref: str, item_id: int, changes: CaseItemEdit) -> CaseView:
        self._called("edit_case_item", (ref, item_id, changes))
        index = self._place(ref)
        case = self._engine.footage.cases[index]
        given = {name: value for name, value in msgspec.structs.asdict(changes).items() if value is not None}
        items = tuple(
            msgspec.structs.replace(item, **given) if item.id == item_id else item for item in case.items
        )
        return self._put(index, msgspec.structs.replace(case, items=items))

    async def remove_case_item(self, ref: str, item_id: int) -> CaseView:
        self._called("remove_case_item", (ref, item_id))
        index = self._place(ref)
        case = self._engine.footage.cases[index]
        items = tuple(item for item in case.items if item.id != item_id)
        return self._put(index, msgspec.structs.replace(case, items=items))

    # -- exports -----------------------------------------------------------------------------------------

    def _job(self, id: str) -> ExportJobView:
        for job in self._engine.evidence.jobs:
            if id in (job.id, job.name):
                return job
        raise NotFound(f"no export {id!r}", "`watchdeck export list` shows all")

    def _replace(self, job: ExportJobView, **changes: object) -> ExportJobView:
        changed = msgspec.structs.replace(job, **changes)
        jobs = self._engine.evidence.jobs
        jobs[jobs.index(job)] = changed
        return changed

    async def plan_export_job(self, ask: ExportAsk) -> ExportPlanView:
        self._called("plan_export_job", ask)
        if self._engine.evidence.plan is not None:
            return self._engine.evidence.plan
        ranges = tuple(
            RangePlan(
                camera=each.camera,
                start_us=each.start_us,
                end_us=each.end_us,
                bytes=0 if each.masks else 1_000_000,
                parts=((each.start_us, each.end_us),),
                is_masked=bool(each.masks),
            )
            for each in ask.ranges
        )
        return ExportPlanView(
            ranges=ranges,
            bytes=1_000_000 * max(1, len(ranges)),
            free_bytes=80_000_000_000,
            folder="/var/lib/watchdeck/exports",
            is_possible=True,
        )

    async def start_export_job(self, ask: ExportAsk) -> ExportJobView:
        self._called("start_export_job", ask)
        plan = await self.plan_export_job(ask)
        jobs = self._engine.evidence.jobs
        job = ExportJobView(
            id=f"{len(jobs) + 1:08x}-0000-4000-8000-000000000000",
            name=ask.name or ask.case or f"{ask.ranges[0].camera} 2026-03-04 14:00:00",
            state=ExportState.WAITING,
            total_bytes=plan.bytes,
            ranges=ask.ranges,
            case=ask.case,
            comment=ask.comment,
            is_encrypted=bool(ask.password),
            created_us=self._engine.clock.now_us(),
            created_by="operator",
        )
        jobs.insert(0, job)
        return job

    def finish_export(self, id: str) -> ExportJobView:
        """What a test does: the engine is done with it."""
        now_us = self._engine.clock.now_us()
        return self._replace(
            self._job(id),
            state=ExportState.DONE,
            progress=1.0,
            ended_us=now_us,
            expires_us=now_us + 7 * US_PER_DAY,
            folder="/var/lib/watchdeck/exports/gate-20260304-140000-0001",
            files=(
                file_of_zeros("gate-20260304-140000.mp4", 1_000_000),
                file_of_zeros("index.html", 20_000),
            ),
            bytes=1_020_000,
        )

    async def export_jobs(self) -> tuple[ExportJobView, ...]:
        self._called("export_jobs")
        return tuple(self._engine.evidence.jobs)

    async def export_job(self, id: str) -> ExportJobView:
        self._called("export_job", id)
        return self._job(id)

    async def cancel_export_job(self, id: str) -> ExportJobView:
        self._called("cancel_export_job", id)
        job = self._job(id)
        if job.state not in (ExportState.WAITING, ExportState.RUNNING):
            raise Conflict(f"the export {job.name} is {job.state} already", "nothing is left to stop")
        return self._replace(job, state=ExportState.CANCELLED, ended_us=self._engine.clock.now_us())

    async def remove_export_job(self, id: str) -> None:
        self._called("remove_export_job", id)
        self._engine.evidence.jobs.remove(self._job(id))

    @asynccontextmanager
    async def export_file(self, id: str, name: str, *, from_bytes: int = 0) -> AsyncIterator[FakeFile]:
        self._called("export_file", (id, name, from_bytes))
        file = next(file for file in self._job(id).files if file.name == name)
        yield FakeFile(file.bytes - from_bytes, self._engine.evidence.file_gate)

    async def station_key(self) -> StationKeyView:
        self._called("station_key")
        return StationKeyView(
            algorithm="ed25519",
            public_key="A" * 43 + "=",
            fingerprint=FINGERPRINT,
            pem="-----BEGIN PUBLIC KEY-----\n",
            created_us=self._engine.clock.now_us() - 30 * US_PER_DAY - 5 * US_PER_SECOND,
        )
