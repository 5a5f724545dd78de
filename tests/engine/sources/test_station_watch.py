"""What the station says of itself: once when it begins, once when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from engine import wire
from engine.catalog_thread import CatalogThread
from engine.events import EventBus
from engine.health import Health, active_members
from engine.sources.crash import tell_of_crash
from engine.sources.station_watch import HOLES_US, MINUTE, RESOURCE_PATIENCE, StationWatch
from storage.catalog.changes import CloseGap, OpenGap
from storage.catalog.records import Camera, GapCause, Severity
from tests.engine.sources.conftest import Said
from tests.fakes.clock import FakeClock
from tests.fakes.timer import FakeTimer, settle


class Watched:
    """A station whose figures the test sets."""

    def __init__(self) -> None:
        self.health = Health(cpu_percent=10, memory_percent=20)
        self.groups: list[wire.GroupView] = []

    def set(self, **changes: Any) -> None:
        self.health = Health(
            **{
                name: changes.get(name, getattr(self.health, name))
                for name in ("cpu_percent", "memory_percent", "links", "active_members")
            }
        )


def link(name: str = "eth0", *, is_up: bool = True, receive_bps: int = 0) -> wire.LinkView:
    return wire.LinkView(name=name, is_up=is_up, receive_bps=receive_bps, speed_bps=1_000_000_000)


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
async def timer(
    watched: Watched, catalog: CatalogThread, events: EventBus, clock: FakeClock
) -> AsyncIterator[FakeTimer]:
    timer = FakeTimer(clock)
    watch = StationWatch(
        events,
        catalog,
        clock,
        health=lambda: watched.health,
        groups=lambda: watched.groups,
        sleep=timer.sleep,
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(watch.run())
        await settle()
        yield timer
        running.cancel()


async def test_a_busy_processor_is_said_once_and_so_is_its_end(
    watched: Watched, timer: FakeTimer, said: Said
) -> None:
    watched.set(cpu_percent=90.0)
    await advance(timer, RESOURCE_PATIENCE * 2)
    assert not await said("station"), "90 is not over 90"
    watched.set(cpu_percent=97.0)
    await advance(timer, RESOURCE_PATIENCE * 3)
    (high,) = await said("station")
    assert (high.kind, high.severity) == ("station.cpu_high", Severity.WARNING)
    assert "97 %" in high.text
    watched.set(cpu_percent=20.0)
    await advance(timer, RESOURCE_PATIENCE * 3)
    assert [event.kind for event in await said("station")] == ["station.cpu_high", "station.cpu_ok"]


async def test_a_full_link_is_named(watched: Watched, timer: FakeTimer, said: Said) -> None:
    watched.set(links=(link("eth0"), link("eth1", receive_bps=950_000_000)))
    await timer.advance(RESOURCE_PATIENCE + 1)
    (high,) = await said("station.network_high")
    assert high.source == "eth1"


async def test_links_that_go_down_come_back_or_vanish_are_said(
    watched: Watched, timer: FakeTimer, said: Said
) -> None:
    watched.set(links=(link("eth0"), link("eth1", is_up=False)))
    await timer.advance(5)
    assert not await said("network"), "as it was found"
    watched.set(links=(link("eth0", is_up=False), link("eth1")))
    await timer.advance(5)
    watched.set(links=(link("eth0", is_up=False),))
    await timer.advance(5)
    assert [(event.kind, event.source) for event in await said("network")] == [
        ("network.link_down", "eth0"),
        ("network.link_up", "eth1"),
        ("network.link_down", "eth1"),
    ]


async def test_a_bond_that_changes_its_adapter_is_a_failover(
    watched: Watched, timer: FakeTimer, said: Said
) -> None:
    for active in ("eth0", "eth1", ""):
        watched.set(active_members={"bond0": active})
        await timer.advance(3)
    first, second = await said("network.failover")
    assert ("eth0" in first.text, "eth1" in first.text, first.severity) == (True, True, Severity.WARNING)
    assert second.severity is Severity.CRITICAL


def test_only_bonds_in_which_one_adapter_carries_all_have_an_active_one(tmp_path: Path) -> None:
    for bond, mode in (("bond0", "active-backup 1"), ("bond1", "802.3ad 4")):
        folder = tmp_path / bond / "bonding"
        folder.mkdir(parents=True)
        (folder / "mode").write_text(f"{mode}\n")
        (folder / "active_slave").write_text("eth3\n")
    assert active_members(tmp_path) == {"bond0": "eth3"}


async def test_retention_that_will_not_be_reached_is_said_once(
    watched: Watched, timer: FakeTimer, said: Said
) -> None:
    group = wire.GroupView(
        id=1, name="main", retention_days=30, recorded_days=2.0, remaining_days=5.0, is_below_retention=True
    )
    watched.groups = [group]
    await advance(timer, 10 * MINUTE)
    (short,) = await said("retention")
    assert short.kind == "retention.short"
    assert "30 days" in short.text
    watched.groups = [msgspec.structs.replace(group, is_below_retention=False)]
    await advance(timer, 10 * MINUTE)
    assert [event.kind for event in await said("retention")] == ["retention.short", "retention.ok"]


async def test_a_camera_with_many_holes_is_failing_until_its_footage_is_whole(
    catalog: CatalogThread, clock: FakeClock, timer: FakeTimer, said: Said
) -> None:
    camera: Camera = await catalog.write(
        "add_camera", uuid=uuid4(), name="door", url="rtsp://192.0.2.1/", group="main"
    )
    for seconds_ago in (300, 200, 100):
        start_us = clock.now_us() - seconds_ago * 1_000_000
        catalog.record(
            OpenGap(camera.id, start_us, GapCause.CAMERA_UNREACHABLE, ""),
            CloseGap(camera.id, start_us + 5_000_000),
        )
    await catalog.flush()
    await advance(timer, 3 * MINUTE)
    (failing,) = await said("recording.failing")
    assert failing.source == "door"
    assert "3 holes of 15 s" in failing.text
    await advance(timer, HOLES_US // 1_000_000)
    assert [event.kind for event in await said("recording")] == ["recording.failing", "recording.whole"]


async def advance(timer: FakeTimer, seconds: int) -> None:
    """Minute by minute: the catalog's answers come from its threads."""
    for second in range(0, seconds, MINUTE):
        await timer.advance(min(MINUTE, seconds - second))
        for _ in range(200):
            if timer.delays_s:
                break
            await asyncio.sleep(0.01)


async def test_a_start_after_an_orderly_stop_says_nothing_and_one_after_a_crash_does(
    catalog: CatalogThread, events: EventBus, said: Said
) -> None:
    await tell_of_crash(catalog, events)
    assert not await said(), "the first start ever"
    events.publish("engine.started", "engine 1 started")
    events.publish("engine.stopped", "engine stops in order")
    await events.flush()
    await tell_of_crash(catalog, events)
    assert not await said("engine.crashed")
    events.publish("engine.started", "engine 1 started")
    await events.flush()
    await tell_of_crash(catalog, events)
    assert len(await said("engine.crashed")) == 1
