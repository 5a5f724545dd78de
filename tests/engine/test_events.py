"""Events are numbered, kept, and handed out in order; nobody waits for anybody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from engine.catalog_thread import CatalogThread
from engine.events import EventBus
from storage.catalog.db import Catalog
from storage.catalog.records import EventRecord, Severity
from storage.errors import VolumeFull
from tests.fakes.clock import FakeClock


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[EventBus]:
    async with CatalogThread(tmp_path / "catalog.db") as catalog:
        yield EventBus(catalog, FakeClock())


async def kept(bus: EventBus) -> list[EventRecord]:
    found: list[EventRecord] = await bus._catalog.read("events", limit=100)
    return found


async def test_an_event_is_kept_with_its_time_and_source(bus: EventBus) -> None:
    bus.publish("camera.lost", "no answer", severity=Severity.WARNING, source="yard", actor="ada")
    await bus.flush()
    (event,) = await kept(bus)
    assert (event.kind, event.text, event.source, event.actor) == ("camera.lost", "no answer", "yard", "ada")
    assert event.severity is Severity.WARNING
    assert event.time_us == FakeClock().now_us()


async def test_subscribers_get_events_in_order_with_their_catalog_ids(bus: EventBus) -> None:
    with bus.subscribe() as first, bus.subscribe() as second:
        for number in range(5):
            bus.publish("test", str(number))
        await bus.flush()
        for subscription in (first, second):
            events = subscription.take_all()
            assert [event.text for event in events] == list("01234")
            assert [event.id for event in events] == [1, 2, 3, 4, 5]


async def test_a_subscriber_can_be_iterated(bus: EventBus) -> None:
    task = asyncio.create_task(bus.run())
    with bus.subscribe() as subscription:
        bus.publish("test", "a")
        bus.publish("test", "b")
        seen = []
        async for event in subscription:
            seen.append(event.text)
            if len(seen) == 2:
                break
    assert seen == ["a", "b"]
    task.cancel()


async def test_a_slow_subscriber_loses_the_oldest_and_knows_how_many(bus: EventBus) -> None:
    with bus.subscribe(limit=3) as slow:
        for number in range(10):
            bus.publish("test", str(number))
        await bus.flush()
        assert slow.dropped == 7
        assert [event.text for event in slow.take_all()] == ["7", "8", "9"]
    assert len(await kept(bus)) == 10


async def test_nothing_reaches_a_subscriber_that_left(bus: EventBus) -> None:
    with bus.subscribe() as gone:
        pass
    bus.publish("test", "late")
    await bus.flush()
    assert gone.take_all() == []


async def test_a_catalog_that_does_not_take_events_silences_nobody(
    bus: EventBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Catalog, events: Sequence[EventRecord]) -> list[EventRecord]:
        raise VolumeFull("no space left for the catalog")

    monkeypatch.setattr(Catalog, "add_events", full)
    with bus.subscribe() as subscription:
        bus.publish("test", "a")
        await bus.flush()
        (event,) = subscription.take_all()
    assert (event.id, event.text) == (0, "a")


async def test_a_watcher_sees_each_event_before_publish_returns(bus: EventBus) -> None:
    seen: list[str] = []
    bus.watch(lambda event: seen.append(event.text))
    bus.publish("test", "a")
    assert seen == ["a"]
    bus.publish("test", "b", count=3)
    assert seen == ["a", "b"]


async def test_a_watcher_that_fails_disturbs_neither_publisher_nor_the_others(bus: EventBus) -> None:
    seen: list[str] = []

    def broken(event: EventRecord) -> None:
        raise ValueError("a bug")

    bus.watch(broken)
    bus.watch(lambda event: seen.append(event.text))
    bus.publish("test", "a")
    await bus.flush()
    assert seen == ["a"]
    assert [event.text for event in await kept(bus)] == ["a"]
