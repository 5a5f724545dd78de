"""A whole OnvifService on a fake catalog, with time that passes as fast as it is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from engine.onvif.service import OnvifService
from engine.wire_sources import CameraAnalytics
from storage.catalog.records import Camera, Severity
from storage.errors import NotFound
from tests.fakes.clock import FakeClock


class Sleeper:
    """Sleeping moves the clock, and lets everybody else run.

    With `parks`, who waits to try again waits for ever: several cameras with one clock would else each make it jump for the others.
    """

    def __init__(self, clock: FakeClock, *, parks: bool = False) -> None:
        self.clock = clock
        self.parks = parks
        self.delays_s: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.delays_s.append(seconds)
        if self.parks and seconds >= 1:
            await asyncio.Event().wait()
        self.clock.advance(round(seconds * 1_000_000))
        await asyncio.sleep(0)


@dataclass(frozen=True)
class Said:
    kind: str
    text: str
    source: str
    severity: Severity
    count: int


class Events:
    """What was published, in order."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self._moved = asyncio.Event()

    def publish(
        self,
        kind: str,
        text: str,
        *,
        severity: Severity = Severity.INFO,
        source: str = "",
        actor: str = "",
        count: int = 1,
    ) -> None:
        self.said.append(Said(kind, text, source, severity, count))
        self._moved.set()

    def kinds(self, prefix: str = "") -> list[str]:
        return [said.kind for said in self.said if said.kind.startswith(prefix)]

    async def until(self, count: int, prefix: str = "") -> None:
        while len(self.kinds(prefix)) < count:
            self._moved.clear()
            await self._moved.wait()


class CameraCatalog:
    """Cameras and passwords, without a database."""

    def __init__(self) -> None:
        self.cameras: dict[str, Camera] = {}
        self.passwords: dict[UUID, str] = {}
        self.analytics: dict[UUID, str] = {}

    async def read(self, call: str, /, *args: Any, **kwargs: Any) -> Any:
        match call, args:
            case "camera_password", (uuid,):
                return self.passwords[uuid]
            case "camera_analytics", (uuid,):
                return self.analytics.get(uuid)
            case "camera", (name,):
                if name not in self.cameras:
                    raise NotFound(f"no camera {name}")
                return self.cameras[name]
        raise AssertionError(call)

    write = read

    def add(self, name: str, *, user: str = "ada", password: str = "pw", number: int = 1) -> Camera:
        camera = Camera(
            id=number,
            uuid=uuid4(),
            name=name,
            url="rtsp://127.0.0.1:8554/stream",
            user=user,
            has_password=bool(password),
            group="Default",
        )
        self.cameras[name] = camera
        self.passwords[camera.uuid] = password
        return camera


@dataclass
class Following:
    clock: FakeClock
    catalog: CameraCatalog
    events: Events
    sleep: Sleeper
    service: OnvifService

    def state(self, camera: Camera) -> str:
        return self.service.state(camera.uuid)[0]


def settings_for(url: str) -> CameraAnalytics:
    return CameraAnalytics(onvif=True, onvif_url=url)


@asynccontextmanager
async def following(clock: FakeClock, *, parks: bool = False) -> AsyncIterator[Following]:
    """The service runs while the block does, and is stopped in order at its end."""
    catalog, events, sleep = CameraCatalog(), Events(), Sleeper(clock, parks=parks)
    service = OnvifService(catalog, events, clock, sleep=sleep, chance=lambda: 0.5)
    task = asyncio.create_task(service.run())
    await asyncio.sleep(0)
    try:
        yield Following(clock, catalog, events, sleep, service)
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
