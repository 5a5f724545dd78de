"""A box for tests of plans and jobs: simulated drives, a real catalog, made-up recording, time that a test drives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from engine import wire
from engine.background import in_background
from engine.catalog_thread import CatalogThread
from engine.chassis.access import ChassisAccess
from engine.chassis.exposure import chains
from engine.chassis.job_work import JobWork
from engine.chassis.jobs import JobDesk
from engine.chassis.operation_gate import OperationGate
from engine.chassis.planning import Planner
from engine.wire_chassis import (
    ChassisOperation,
    ChassisView,
    JobState,
    JobView,
    OperationDone,
    OperationPlan,
    OperationRun,
)
from storage.catalog.records import Camera, Severity, Volume
from storage.errors import Unsupported
from storage.raid.backend import Command
from storage.raid.inventory import Drive, Inventory
from storage.raid.operations import RaidOperation
from storage.raid.simulated_layout import SimulatedLayout
from storage.simulated_hardware import SimulatedHardware
from tests.fakes.clock import FakeClock
from tests.fakes.station import camera_view

SECOND_US = 1_000_000


@dataclass
class BoxRecording:
    """Volumes and cameras as they were told."""

    catalog: CatalogThread
    volumes: dict[UUID, wire.VolumeView] = field(default_factory=dict)
    cameras: dict[UUID, wire.CameraView] = field(default_factory=dict)
    removed: list[UUID] = field(default_factory=list)

    async def add_volume(self, volume: Volume) -> None:
        self.volumes[volume.uuid] = wire.VolumeView(
            id=volume.id,
            uuid=str(volume.uuid),
            name=volume.name,
            path=volume.path,
            group=volume.group,
            state=wire.VolumeState.OK,
        )

    async def remove_volume(self, uuid: UUID) -> None:
        del self.volumes[uuid]
        self.removed.append(uuid)

    async def update_camera(self, camera: Camera, password: str) -> None:
        self.cameras[camera.uuid] = camera_view(camera)

    async def reload_groups(self) -> None:
        return None

    def camera_views(self) -> list[wire.CameraView]:
        return list(self.cameras.values())

    def volume_views(self) -> list[wire.VolumeView]:
        return list(self.volumes.values())

    def group_views(self) -> list[wire.GroupView]:
        return []


@dataclass(frozen=True)
class Said:
    kind: str
    text: str
    severity: Severity
    actor: str


@dataclass
class BoxEvents:
    said: list[Said] = field(default_factory=list)

    def publish(
        self, kind: str, text: str, *, severity: Severity = Severity.INFO, source: str = "", actor: str = ""
    ) -> None:
        self.said.append(Said(kind, text, severity, actor))

    def kinds(self) -> list[str]:
        return [event.kind for event in self.said]


class BoxChassis(ChassisAccess):
    """Over simulated hardware, on the loop's own thread. Notes what was performed, and fails when it is told to."""

    def __init__(self, hardware: SimulatedHardware, recording: BoxRecording) -> None:
        self._hardware = hardware
        self._recording = recording
        self._inventory = hardware.inventory()
        self.performed: list[RaidOperation] = []
        self.lamps: dict[int, bool] = {}
        """By bay."""
        self.settles_at_us: dict[str, int] = {}
        self.errors: dict[type, Exception] = {}
        """Raised instead of the operation of this type, or the method of this name."""
        self.gate: asyncio.Event | None = None
        """Operations wait for it."""

    @property
    def hardware(self) -> SimulatedHardware:
        return self._hardware

    def inventory(self) -> Inventory:
        return self._inventory

    def view(self) -> ChassisView:
        volumes = self._recording.volume_views()
        return ChassisView(
            layout=self._hardware.layout(),
            inventory=self._inventory,
            chains=chains(self._inventory, volumes, self._recording.camera_views()),
            is_simulated=True,
        )

    async def refresh(self) -> Inventory:
        self._inventory = self._hardware.inventory()
        return self._inventory

    async def plan(self, operation: RaidOperation, inventory: Inventory) -> tuple[Command, ...]:
        return self._hardware.plan(operation, inventory)

    async def perform(self, operation: RaidOperation, inventory: Inventory) -> Inventory:
        if self.gate is not None:
            await self.gate.wait()
        if (error := self.errors.get(type(operation))) is not None:
            raise error
        self.performed.append(operation)
        self._inventory = self._hardware.perform(operation, inventory)
        return self._inventory

    async def locate(self, drive_id: str, is_on: bool, seconds: float) -> None:
        drive = self._inventory.drive(drive_id)
        if drive is None or drive.bay is None:
            raise Unsupported(f"{drive_id}: no lamp can be lit")
        self.lamps[drive.bay] = is_on

    async def call(self, method: Callable[..., Any], *args: Any) -> Any:
        if (error := self.errors.get(getattr(method, "__name__", ""))) is not None:  # type: ignore[call-overload]
            raise error
        return method(*args)


@dataclass
class Box:
    clock: FakeClock
    hardware: SimulatedHardware
    chassis: BoxChassis
    catalog: CatalogThread
    recording: BoxRecording
    events: BoxEvents
    work: JobWork
    desk: JobDesk
    planner: Planner

    def drive(self, bay: int) -> Drive:
        found = self.hardware.inventory().drive_in(bay)
        assert found is not None, f"bay {bay} is empty"
        return found

    async def agree(self, operation: ChassisOperation, actor: str = "eve") -> OperationDone:
        """Plan it, type what is asked for, run it."""
        plan = await self.planner.plan(operation)
        assert not plan.refused, plan.refused
        return await self.planner.run(run_of(plan), actor)

    async def do(self, step: str) -> None:
        self.hardware.do(step)
        await self.look()

    async def look(self) -> None:
        """A second passes; what there is to see is seen."""
        self.clock.advance(SECOND_US)
        self.hardware.tend(self.hardware.inventory())
        await self.chassis.refresh()
        self.desk.changed()
        for _ in range(4):
            await asyncio.sleep(0)
            await self.catalog.write("volumes")  # behind what a job writes

    async def until(self, is_so: Callable[[], bool]) -> None:
        for _ in range(400):
            if is_so():
                return
            await self.look()
        raise AssertionError(f"it did not come to that: {self.desk.views()}")

    async def until_job(self, id: str, is_so: Callable[[JobView], bool]) -> JobView:
        await self.until(lambda: is_so(self.desk.view(id)))
        return self.desk.view(id)

    async def until_ended(self, id: str) -> JobView:
        over = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)
        return await self.until_job(id, lambda job: job.state in over)


def run_of(plan: OperationPlan, confirmation: str | None = None) -> OperationRun:
    return OperationRun(
        operation=plan.operation,
        fingerprint=plan.fingerprint,
        confirmation=plan.confirmation if confirmation is None else confirmation,
    )


@asynccontextmanager
async def box_of(folder: Path, layout: SimulatedLayout, clock: FakeClock | None = None) -> AsyncIterator[Box]:
    """The same folder again is the same box after a restart of the engine."""
    clock = clock or FakeClock()
    hardware = SimulatedHardware(folder / "chassis", clock, layout)

    async def sleep(seconds: float) -> None:
        clock.advance(round(seconds * SECOND_US))
        await asyncio.sleep(0)

    async with CatalogThread(folder / "catalog.sqlite") as catalog:
        recording = BoxRecording(catalog)
        for volume in await catalog.read("volumes"):
            await recording.add_volume(volume)
        for camera in await catalog.read("cameras"):
            recording.cameras[camera.uuid] = camera_view(camera)
        events = BoxEvents()
        chassis = BoxChassis(hardware, recording)
        work = JobWork(chassis, catalog, recording, events, clock, OperationGate(), sleep)
        desk = JobDesk(work)
        box = Box(clock, hardware, chassis, catalog, recording, events, work, desk, Planner(work, desk))
        async with in_background(jobs=desk.run):
            await desk.is_running.wait()
            await box.look()
            yield box
    hardware.close()
