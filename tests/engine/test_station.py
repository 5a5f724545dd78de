"""The station as a whole, in this process: start, serve, stop in order, and what ends it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine import wire
from engine.background import in_background
from engine.client import EngineClient
from engine.config import StationConfig, parse_config
from engine.sd_notify import ServiceManager
from engine.station import Station
from storage.catalog.db import Catalog
from storage.clock import SystemClock
from storage.errors import AlreadyExists, Conflict, KeyUnusable


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="wd-", dir="/tmp") as name:
        yield Path(name)


def station_in(folder: Path, config: StationConfig | None = None) -> Station:
    return Station(
        folder,
        folder / "engine.sock",
        config or StationConfig(),
        clock=SystemClock(),
        manager=ServiceManager({}),
        is_demo=True,
    )


@asynccontextmanager
async def running(station: Station, folder: Path) -> AsyncIterator[EngineClient]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        life = tasks.create_task(station.run(stop))
        await station.is_serving.wait()
        async with EngineClient(folder / "engine.sock") as client:
            yield client
        stop.set()
        await life


async def test_fresh_station_serves_and_leaves_in_order(folder: Path) -> None:
    async with running(station_in(folder), folder) as client:
        status = await client.status()
        assert (status.cameras_total, status.cameras_expected, status.is_demo) == (0, 0, True)
        snapshot = await client.snapshot()
        assert [group.name for group in snapshot.groups] == ["main"]
    assert not (folder / "engine.sock").exists()
    catalog = Catalog.open(folder / "catalog.sqlite", read_only=True)
    try:
        kinds = [event.kind for event in catalog.events(limit=10)]
    finally:
        catalog.close()
    assert kinds == ["engine.stopped", "engine.started"]


async def test_name_in_the_file_wins_and_settings_survive_a_restart(folder: Path) -> None:
    async with running(station_in(folder), folder) as client:
        await client.add_group(wire.GroupAdd(name="Yard", retention_days=3))
        added = await client.add_volume(
            wire.VolumeAdd(name="Disk", path=str(folder / "v"), group="Yard", allow_system_disk=True)
        )
        assert (added.state, added.total_bytes > 0) == (wire.VolumeState.OK, True)
    named = parse_config("[station]\nname = 'Harbour'", "x")
    async with running(station_in(folder, named), folder) as client:
        assert (await client.status()).name == "Harbour"
        assert (await client.group("Yard")).volumes == ("Disk",)
        with pytest.raises(AlreadyExists):
            await client.add_group(wire.GroupAdd(name="yard"))


async def test_camera_that_cannot_be_reached_is_shown_with_its_cause(folder: Path) -> None:
    async with running(station_in(folder), folder) as client:
        await client.add_camera(wire.CameraAdd(name="Gate", url="rtsp://127.0.0.1:1/x"))
        stream = client.stream()
        async with asyncio.timeout(20):
            while True:
                message = await anext(stream)
                if isinstance(message, wire.CameraMessage) and message.camera.state is wire.CameraState.LOST:
                    break
        await stream.aclose()
        assert message.camera.cause
        assert message.camera.cause_code == "camera_unreachable"
        assert (await client.status()).cameras_expected == 1
        await client.remove_camera("Gate")
        assert await client.cameras() == ()


async def test_second_engine_on_the_same_socket_ends_with_conflict(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    first = station_in(folder / "a")
    first._socket_path = folder / "engine.sock"
    second = station_in(folder / "b")
    second._socket_path = folder / "engine.sock"
    async with running(first, folder) as client:
        with pytest.raises(ExceptionGroup) as raised:
            await second.run(asyncio.Event())
        assert raised.group_contains(Conflict)
        assert (await client.status()).is_demo


async def test_background_work_that_fails_ends_the_block_with_its_error() -> None:
    async def broken() -> None:
        raise Conflict("broken")

    with pytest.raises(ExceptionGroup) as raised:
        async with in_background(broken=broken):
            await asyncio.Event().wait()
    assert raised.group_contains(Conflict)


async def test_background_work_ends_with_the_block() -> None:
    ended: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("endless")

    async with in_background(endless=endless):
        await asyncio.sleep(0)
    assert ended == ["endless"]


async def test_station_records_when_the_drives_cannot_be_reached(folder: Path) -> None:
    config = parse_config("[chassis]\nhardware = 'service'", "x")
    async with running(station_in(folder, config), folder) as client:
        stream = client.stream()
        async with asyncio.timeout(20):
            async for message in stream:
                if isinstance(message, wire.ChassisMessage) and message.chassis.problems:
                    break
        chassis = await client.chassis()
        assert any("no drive service answers" in problem.what for problem in chassis.problems)
        assert chassis.bays == ()
        added = await client.add_volume(
            wire.VolumeAdd(name="Disk", path=str(folder / "v"), group="main", allow_system_disk=True)
        )
        assert added.state is wire.VolumeState.OK


async def test_the_stations_key_stays_and_its_loss_is_said_and_stops_nothing(folder: Path) -> None:
    async with running(station_in(folder), folder) as client:
        first = await client.station_key()
    async with running(station_in(folder), folder) as client:
        assert await client.station_key() == first
    (folder / "station.key").unlink()
    async with running(station_in(folder), folder) as client:
        with pytest.raises(KeyUnusable, match=r"station\.key is not there"):
            await client.station_key()
        (event,) = await client.events(kinds=["station.key_unusable"])
        assert (event.severity, event.source) == ("critical", "")
        assert (await client.status()).cameras_total == 0, "it serves all the same"
    assert not (folder / "station.key").exists()
