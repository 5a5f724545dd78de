"""A chassis service that runs over a simulated box, with a real catalog, and notes what it says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from engine import wire
from engine.background import in_background
from engine.catalog_thread import CatalogThread
from engine.chassis.chassis import ChassisService
from engine.deadline import Deadline
from engine.wire_chassis import ChassisView, JobView
from storage.catalog.records import Severity
from storage.raid.simulated_layout import DriveSpec, SimulatedLayout, VirtualDriveSpec
from storage.raid.states import RaidLevel
from storage.simulated_hardware import SimulatedHardware
from tests.fakes.clock import FakeClock

SECOND_US = 1_000_000
PATIENCE_S = 60.0
"""A test that waits longer has failed."""

RAID5 = SimulatedLayout(
    drives={bay: DriveSpec() for bay in range(4)},
    virtual_drives=(
        VirtualDriveSpec(name="A", level=RaidLevel.RAID5, spans=((0, 1, 2, 3),), has_volume=True),
    ),
)
"""Bays 0 to 3; 4 to 7 are empty."""
RAID5_WITH_SPARE = SimulatedLayout(
    drives={bay: DriveSpec() for bay in range(5)},
    virtual_drives=(
        VirtualDriveSpec(name="A", level=RaidLevel.RAID5, spans=((0, 1, 2, 3),), has_volume=True),
    ),
    global_spares=(4,),
)


@dataclass(frozen=True)
class Said:
    kind: str
    text: str
    severity: Severity
    source: str
    actor: str


@dataclass
class NotedEvents:
    """What was said, oldest first."""

    said: list[Said] = field(default_factory=list)

    def publish(
        self, kind: str, text: str, *, severity: Severity = Severity.INFO, source: str = "", actor: str = ""
    ) -> Said:
        event = Said(kind, text, severity, source, actor)
        self.said.append(event)
        return event

    def kinds(self) -> list[str]:
        return [event.kind for event in self.said]

    def of(self, kind: str) -> list[Said]:
        return [event for event in self.said if event.kind == kind]


@dataclass
class OneVolume:
    """Recording on one volume with one camera."""

    path: str

    def volume_views(self) -> list[wire.VolumeView]:
        volume = wire.VolumeView(
            id=1, uuid="v", name="A", path=self.path, group="main", state=wire.VolumeState.OK
        )
        return [volume]

    def camera_views(self) -> list[wire.CameraView]:
        camera = wire.CameraView(
            id=1,
            uuid="c",
            name="Gate",
            url="rtsp://10.0.0.9/x",
            user="",
            has_password=False,
            group="main",
            transport="tcp",
            mode="always",
        )
        return [camera]


@dataclass
class OpenJobs:
    """Jobs as a test says."""

    jobs: tuple[JobView, ...] = ()

    def views(self) -> tuple[JobView, ...]:
        return self.jobs


@dataclass
class ChassisBench:
    """The service, its box and the hands of a test."""

    service: ChassisService
    hardware: SimulatedHardware
    clock: FakeClock
    events: NotedEvents
    catalog: CatalogThread
    changed: asyncio.Event

    async def until(self, is_so: Callable[[ChassisView], bool]) -> ChassisView:
        """Look again whenever something changed."""
        async with Deadline(PATIENCE_S):
            while True:
                self.changed.clear()
                view = self.service.view()
                if is_so(view):
                    return view
                await self.changed.wait()

    async def until_said(self, kind: str, times: int = 1) -> Said:
        await self.until(lambda _: len(self.events.of(kind)) >= times)
        return self.events.of(kind)[times - 1]

    def do(self, *steps: str) -> None:
        for step in steps:
            self.hardware.do(step)
        self.service.look_soon()

    def wait(self, seconds: float) -> None:
        """So much time passes; the service looks at once."""
        self.clock.advance(round(seconds * SECOND_US))
        self.service.look_soon()


@asynccontextmanager
async def chassis_bench(
    folder: Path,
    layout: SimulatedLayout = RAID5,
    *,
    hardware: SimulatedHardware | None = None,
    clock: FakeClock | None = None,
    events: NotedEvents | None = None,
) -> AsyncIterator[ChassisBench]:
    """Runs; the first look is done."""
    clock = clock or FakeClock()
    box = hardware or SimulatedHardware(folder / "chassis", clock, layout)
    noted = events or NotedEvents()
    changed = asyncio.Event()
    async with CatalogThread(folder / "catalog.sqlite") as catalog:
        service = ChassisService(
            box, catalog, noted, clock, OneVolume(str(folder / "chassis" / "A")), simulate=box.do
        )
        service.on_change = changed.set
        async with in_background(catalog=catalog.run, chassis=service.run):
            async with Deadline(PATIENCE_S):
                await service.has_looked.wait()
            yield ChassisBench(service, box, clock, noted, catalog, changed)
