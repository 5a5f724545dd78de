"""Alarms of a whole station: from before the first event to after the last, over crash and restart."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine import wire
from engine.client import EngineClient
from engine.config import StationConfig
from engine.sd_notify import ServiceManager
from engine.station import Station
from engine.wire_alarm_rules import ActionState, AlarmRuleAdd, AlarmRuleEdit, HttpAction, LiveAction, Trigger
from engine.wire_alarms import AlarmQuery, AlarmsMessage, AlarmView
from storage.catalog.alarm_records import AlarmRow, AlarmRowFilter
from storage.catalog.db import Catalog
from storage.clock import SystemClock


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="wd-", dir="/tmp") as name:
        yield Path(name)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[EngineClient]:
    station = Station(
        folder,
        folder / "engine.sock",
        StationConfig(),
        clock=SystemClock(),
        manager=ServiceManager({}),
        is_demo=True,
    )
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        life = tasks.create_task(station.run(stop))
        await station.is_serving.wait()
        async with EngineClient(folder / "engine.sock") as client:
            yield client
        stop.set()
        await life


@asynccontextmanager
async def receiver(heard: list[str]) -> AsyncIterator[str]:
    """An HTTP server that takes everything; yields its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1])
            for line in head.splitlines()
            if line.lower().startswith("content-length:")
        )
        heard.append((await reader.readexactly(length)).decode())
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"


async def first_alarm(client: EngineClient, **filter: object) -> AlarmView:
    async with asyncio.timeout(20):
        while True:
            page = await client.alarms(AlarmQuery(**filter))
            if page.alarms:
                return page.alarms[0]
            await asyncio.sleep(0.05)


def kept(folder: Path) -> list[AlarmRow]:
    catalog = Catalog.open(folder / "catalog.sqlite", read_only=True)
    try:
        return catalog.alarms(AlarmRowFilter(statuses=()), now_us=1)[0]
    finally:
        catalog.close()


async def test_what_happens_while_the_engine_stops_is_kept_and_acted_on(folder: Path) -> None:
    heard: list[str] = []
    async with receiver(heard) as url:
        async with running(folder) as client:
            await client.add_alarm_rule(
                AlarmRuleAdd(
                    name="Stopped",
                    triggers=(Trigger(kind="engine.stopped"),),
                    actions=(HttpAction(url=url, content="{text} {id}", content_type="text/plain"),),
                )
            )
        (row,) = kept(folder)
        assert (row.kind, row.rule) == ("engine.stopped", "Stopped")
        assert heard == [f"engine stops in order {row.id}"]


async def test_a_crash_is_an_alarm_of_the_next_start(folder: Path) -> None:
    async with running(folder) as client:
        await client.add_alarm_rule(
            AlarmRuleAdd(name="Crashed", triggers=(Trigger(kind="engine.crashed"),), severity="critical")
        )
    catalog = Catalog.open(folder / "catalog.sqlite")
    try:
        started = next(event for event in catalog.events(limit=9) if event.kind == "engine.started")
        catalog.add_events([started])
    finally:
        catalog.close()
    async with running(folder) as client:
        alarm = await first_alarm(client)
        assert (alarm.kind, alarm.severity) == ("engine.crashed", "critical")
        kinds = [event.kind for event in await client.events(limit=3)]
        assert kinds.index("engine.started") < kinds.index("engine.crashed")  # newest first


async def test_a_camera_that_is_lost_is_an_alarm_on_every_console(folder: Path) -> None:
    async with running(folder) as client:
        await client.add_camera(wire.CameraAdd(name="Gate", url="rtsp://127.0.0.1:1/x"))
        stream = client.stream()
        assert isinstance(await anext(stream), wire.SnapshotMessage)
        await client.add_alarm_rule(
            AlarmRuleAdd(
                name="Cameras",
                triggers=(Trigger(kind="camera.lost", sources=("gate",)),),
                actions=(LiveAction(),),
            )
        )
        await client.edit_camera("Gate", wire.CameraEdit(name="Front gate", url="rtsp://127.0.0.1:2/x"))
        async with asyncio.timeout(30):
            while not isinstance(message := await anext(stream), AlarmsMessage) or not message.counts.new:
                pass
        await stream.aclose()
        alarm = await first_alarm(client, is_live=True)
        assert (alarm.source, alarm.camera, alarm.rule) == ("Front gate", "Front gate", "Cameras")
        assert (await client.alarm_rule("cameras")).triggers[0].sources == ("Front gate",)


async def test_a_rule_is_tried_out_and_shows_what_came_of_each_action(folder: Path) -> None:
    heard: list[str] = []
    async with receiver(heard) as url, running(folder) as client:
        await client.add_alarm_rule(
            AlarmRuleAdd(
                name="Hook",
                triggers=(Trigger(kind="external.virtual", sources=("Help",)),),
                actions=(
                    HttpAction(url=url, content="{alarm}", content_type="text/plain"),
                    HttpAction(url="http://127.0.0.1:1/", headers=(("X-Key", "sesame"),)),
                ),
            )
        )
        reply = await client.test_alarm_rule("hook")
        assert [result.state for result in reply.results] == [ActionState.DONE, ActionState.FAILED]
        assert heard == ["Hook"]
        assert "sesame" not in str(reply)
        await client.edit_alarm_rule(
            "hook", AlarmRuleEdit(actions=(await client.alarm_rule("hook")).actions[:1])
        )
        await client.fire_trigger("help", "now")
        async with asyncio.timeout(20):
            while len(heard) < 2:
                await asyncio.sleep(0.05)
        alarms = (await client.alarms(AlarmQuery())).alarms
        assert [(alarm.is_test, alarm.source) for alarm in alarms] == [(False, "Help"), (True, "Help")]
