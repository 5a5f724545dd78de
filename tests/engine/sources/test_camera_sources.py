"""Which cameras are asked and looked at, as they come, change and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import msgspec
import pytest

from engine.catalog_thread import CatalogThread
from engine.events import EventBus
from engine.motion import MotionService
from engine.sources.camera_sources import FOLLOW_S, CameraSources, check
from engine.wire_sources import CameraAnalytics, CameraIo
from storage.catalog.records import Camera
from storage.errors import InvalidInput
from tests.engine.sources.conftest import Said
from tests.fakes.clock import FakeClock
from tests.fakes.timer import FakeTimer, settle

BOTH = CameraAnalytics(onvif=True, motion=True)


class FakeOnvif:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.followed: dict[UUID, tuple[Camera, CameraAnalytics]] = {}

    def follow(self, camera: Camera, settings: CameraAnalytics) -> None:
        if not settings.onvif:
            self.forget(camera.uuid)
            return
        self.followed[camera.uuid] = (camera, settings)

    def forget(self, camera: UUID) -> None:
        self.followed.pop(camera, None)

    def state(self, camera: UUID) -> tuple[str, str, tuple[str, ...]]:
        return ("listening", "", ("detection.motion",)) if camera in self.followed else ("off", "", ())

    async def io(self, camera: Camera, settings: CameraAnalytics) -> CameraIo:
        return CameraIo(outputs=(f"{camera.name} 1",))


class FakeIndex:
    """Takes what is seen."""

    def note(self, camera: UUID, time_us: int, cells: bytes) -> None: ...

    def forget(self, camera: UUID) -> None: ...


class Yard:
    """Cameras in use, and those who are told of them."""

    def __init__(self, catalog: CatalogThread, events: EventBus, clock: FakeClock, timer: FakeTimer) -> None:
        self.cameras: list[Camera] = []
        self.onvif = FakeOnvif()
        self.motion = MotionService(events=events, clock=clock, newest=lambda uuid: None, index=FakeIndex())
        self.catalog, self.events, self.timer = catalog, events, timer
        self.sources = self.opened()

    def opened(self) -> CameraSources:
        return CameraSources(
            self.catalog, self.events, self.motion, self.onvif, lambda: self.cameras, sleep=self.timer.sleep
        )

    async def add(self, name: str) -> Camera:
        camera: Camera = await self.catalog.write(
            "add_camera", uuid=uuid4(), name=name, url="rtsp://192.0.2.1/", group="main"
        )
        self.cameras.append(camera)
        return camera

    def watched(self) -> dict[UUID, str]:
        return {uuid: each.name for uuid, each in self.motion._cameras.items()}


@pytest.fixture
async def yard(catalog: CatalogThread, events: EventBus, clock: FakeClock) -> AsyncIterator[Yard]:
    made = Yard(catalog, events, clock, FakeTimer(clock))
    await made.sources.load()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(made.sources.run())
        await settle()
        yield made
        running.cancel()


async def test_a_camera_is_neither_asked_nor_looked_at_until_it_is_said(yard: Yard) -> None:
    door = await yard.add("door")
    await yard.timer.advance(FOLLOW_S)
    assert not yard.onvif.followed
    view = yard.sources.view(door)
    assert view.motion_state == "off"
    # What moved where is kept of every camera, said or not.
    assert yard.watched() == {door.uuid: "door"}
    assert view.index_state == "keeping"
    await yard.sources.edit(door, CameraAnalytics(motion_index=False), "ada")
    assert not yard.watched()


async def test_settings_reach_those_who_act_and_hold_after_a_restart(yard: Yard, said: Said) -> None:
    door = await yard.add("door")
    view = await yard.sources.edit(door, BOTH, "ada")
    assert (view.onvif_state, view.motion_state, view.topics) == (
        "listening",
        "watching",
        ("detection.motion",),
    )
    assert yard.onvif.followed == {door.uuid: (door, BOTH)}
    (event,) = await said("camera.analytics_edited")
    assert (event.source, event.actor) == ("door", "ada")
    again = yard.opened()
    await again.load()
    assert again.settings(door.uuid) == BOTH


async def test_cameras_that_are_renamed_disabled_and_removed_are_followed(yard: Yard) -> None:
    door, gate = await yard.add("door"), await yard.add("gate")
    for camera in (door, gate):
        await yard.sources.edit(camera, BOTH, "ada")
    renamed = msgspec.structs.replace(door, name="back door")
    yard.cameras = [renamed, msgspec.structs.replace(gate, is_enabled=False)]
    await yard.timer.advance(FOLLOW_S)
    assert yard.watched() == {door.uuid: "back door"}
    assert yard.onvif.followed == {door.uuid: (renamed, BOTH)}
    yard.cameras = []
    await yard.timer.advance(FOLLOW_S)
    assert not yard.watched()
    assert not yard.onvif.followed


async def test_what_a_camera_offers_is_asked_of_it(yard: Yard) -> None:
    assert (await yard.sources.io(await yard.add("door"))).outputs == ("door 1",)


@pytest.mark.parametrize(
    "settings",
    [
        CameraAnalytics(onvif_url="ftp://192.0.2.1/"),
        CameraAnalytics(onvif_url="http://admin:secret@192.0.2.1/onvif"),
        CameraAnalytics(mask=("x" * 32,)),
        CameraAnalytics(mask=("y" * 32,) * 18),
        CameraAnalytics(mask=("x" * 31,) * 18),
    ],
)
def test_what_cannot_be_meant_is_refused(settings: CameraAnalytics) -> None:
    with pytest.raises(InvalidInput):
        check(settings)
    check(CameraAnalytics(mask=("x" * 32,) * 18, onvif_url="https://192.0.2.1:8000/onvif/device_service"))
