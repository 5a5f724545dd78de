"""A recording service on scratch volumes and a hand-driven clock, with cameras that send what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from engine import wire
from engine.catalog_thread import CatalogThread
from engine.events import EventBus
from engine.recording.recording import RecordingService
from engine.recording.settings import RecordingConfig
from storage.catalog.records import Camera, EventRecord, Gap, Segment
from storage.catalog.records import Volume as VolumeRecord
from storage.segments.packet import Packet
from storage.volumes.volume import Volume
from tests.fakes.camera import CameraYard, FakeCamera, PacketScript
from tests.fakes.clock import FakeClock
from tests.fakes.timer import FakeTimer, settle
from tests.fakes.volume import FaultyVolumes

FOREVER_US = 1 << 60


class Rig:
    """Everything of a station that records, without sockets. Time moves only by `stream` and `wait`."""

    def __init__(self, folder: Path, catalog: CatalogThread, clock: FakeClock, timer: FakeTimer) -> None:
        self.folder = folder
        self.catalog = catalog
        self.clock = clock
        self.timer = timer
        self.yard = CameraYard()
        self.volumes = FaultyVolumes()
        self.config = RecordingConfig(stop_budget_ms=2_000)
        self.changes: list[tuple[str, str]] = []
        self.events = EventBus(catalog, clock)
        self.service: RecordingService
        self._task: asyncio.Task[None] | None = None

    # -- settings --------------------------------------------------------------------------------------------

    async def add_volume(
        self, name: str = "v1", *, group: str = "main", floor_bytes: int = 0, free_bytes: int | None = None
    ) -> VolumeRecord:
        station = await self.catalog.read("station")
        path = self.folder / name
        identity = Volume.initialise(path, uuid4(), name, station.uuid)
        self.volumes[name].free_bytes = free_bytes
        record: VolumeRecord = await self.catalog.write(
            "add_volume", uuid=identity.uuid, name=name, path=str(path), group=group, floor_bytes=floor_bytes
        )
        if self._task is not None:
            await self.service.add_volume(record)
            await self.quiet()
        return record

    async def add_camera(self, name: str = "yard", **settings: Any) -> Camera:
        given: dict[str, Any] = {
            "name": name,
            "url": f"rtsp://{name}/1",
            "user": "",
            "password": "",
            "transport": "auto",
            "group": "main",
            "mode": "continuous",
            "schedule": None,
            "record_audio": True,
            "verify_tls": False,
        } | settings
        camera: Camera = await self.catalog.write("add_camera", **given)
        if self._task is not None:
            await self.service.add_camera(camera, given["password"])
            await settle()
        return camera

    def camera(self, name: str = "yard") -> FakeCamera:
        return self.yard[f"rtsp://{name}/1"]

    # -- running ---------------------------------------------------------------------------------------------

    async def start(self) -> None:
        self.service = RecordingService(
            self.catalog,
            self.events,
            self.clock,
            self.config,
            self.yard.open_source,
            on_change=lambda kind, ref: self.changes.append((kind, ref)),
            open_volume=self.volumes.open_volume,
            sleep=self.timer.sleep,
            chance=lambda: 0.5,
        )
        self._task = asyncio.create_task(self.service.run())
        started = asyncio.create_task(self.service.is_started.wait())
        await asyncio.wait({self._task, started}, return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            started.cancel()
            self._task.result()
        await self.quiet()

    async def stop(self) -> None:
        """In order, as the station does it."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def crash(self) -> None:
        """As if the process were killed: nothing is flushed, closed or said."""
        task, self._task = self._task, None
        assert task is not None
        for place in self.service._cameras.values():
            recorder = place.runner.recorder
            recorder._run = recorder.footage._segment = None
            recorder.footage.is_expected = False
        self.catalog._pending.clear()
        record = self.catalog.record
        self.catalog.record = lambda *changes, is_urgent=False: None  # type: ignore[method-assign]
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        self.catalog.record = record  # type: ignore[method-assign]

    async def quiet(self) -> None:
        """Until every thread has done what was asked of it and the loop has heard of it."""
        for _ in range(3):
            await settle()
            for thread in self.service._volumes.threads:
                if not thread.is_hanging() and not self.volumes[thread.name].hanging.is_set():
                    await _unless(self.volumes[thread.name].hanging.is_set, thread.drained())
                    await thread.call(lambda: None)
            await self.catalog.read("station")
            await self.catalog.flush()

    async def release(self, name: str) -> None:
        """A volume that hung answers again; its thread has ended what it was stuck in before any time passes."""
        self.volumes[name].release()
        thread = next(each for each in self.service._volumes.threads if each.name == name)
        while thread.is_hanging():
            await asyncio.sleep(0.002)
        await self.quiet()

    async def wait(self, seconds: float, *, step_s: float = 1.0) -> None:
        """Time passes in steps that no thread takes for a hang."""
        while seconds > 0:
            await self.timer.advance(min(step_s, seconds))
            await self.quiet()
            seconds -= step_s

    async def retain(self) -> None:
        """A whole round of retention for every group."""
        for retention in list(self.service._volumes._retention.values()):
            await retention.round()
        await self.quiet()

    async def stream(self, seconds: float, script: PacketScript, *names: str) -> list[Packet]:
        """The cameras send while time passes."""
        cameras = [self.camera(name) for name in names or ("yard",)]
        sent: list[Packet] = []
        for _ in range(round(seconds * 1_000_000 / script.interval_us)):
            packet = script.next()
            for camera in cameras:
                if camera.sink is not None:
                    camera.send(packet)
            sent.append(packet)
            script.pass_interval()
            if script.number % max(1, round(500_000 / script.interval_us)) == 0:
                await self.timer.advance(0)
                await self.quiet()
        await self.quiet()
        return sent

    # -- what came of it -------------------------------------------------------------------------------------

    def view(self, name: str = "yard") -> wire.CameraView:
        return next(view for view in self.service.camera_views() if view.name == name)

    def volume_view(self, name: str = "v1") -> wire.VolumeView:
        return next(view for view in self.service.volume_views() if view.name == name)

    def group_view(self, name: str = "main") -> wire.GroupView:
        return next(view for view in self.service.group_views() if view.name == name)

    async def segments(self, camera_id: int = 1) -> list[Segment]:
        await self.catalog.flush()
        found: list[Segment] = await self.catalog.read("segments", [camera_id], 1, FOREVER_US)
        return found

    async def gaps(self, camera_id: int = 1) -> list[Gap]:
        await self.catalog.flush()
        found: list[Gap] = await self.catalog.read("gaps", [camera_id], 1, FOREVER_US)
        return found

    async def said(self) -> list[str]:
        """Kinds of all events, oldest first."""
        await self.events.flush()
        found: list[EventRecord] = await self.catalog.read("events", limit=1000)
        return [event.kind for event in reversed(found)]


async def _unless(is_stuck: Callable[[], bool], work: Any) -> None:
    """Wait for the work, or until something hangs that it waits for."""
    task = asyncio.ensure_future(work)
    while not task.done() and not is_stuck():
        await asyncio.wait({task}, timeout=0.001)
    if not task.done():
        task.cancel()


@asynccontextmanager
async def recording_rig(folder: Path) -> AsyncIterator[Rig]:
    clock = FakeClock()
    async with CatalogThread(folder / "catalog.db") as catalog:
        rig = Rig(folder, catalog, clock, FakeTimer(clock))
        try:
            yield rig
        finally:
            rig.volumes.release_all()
            await rig.stop()
