"""The event stream: what a reader sees, and what a reader that does not read costs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import wire
from engine.api.outbox import EVENT_LIMIT, Outbox
from engine.api.stream import NEWEST_EVENTS
from engine.wire_alarms import AlarmCounts, AlarmsMessage, AlarmStatus, AlarmView
from storage.catalog.records import EventRecord
from storage.errors import EngineUnreachable
from tests.fakes.station import FakeStation


def gate(name: str = "Gate") -> wire.CameraAdd:
    return wire.CameraAdd(name=name, url="rtsp://10.0.0.9/main")


async def until(stream: AsyncIterator[wire.StreamMessage], kind: type[msgspec.Struct]) -> wire.StreamMessage:
    async with asyncio.timeout(10):
        while True:
            message = await anext(stream)
            if isinstance(message, kind):
                return message


async def test_stream_begins_with_a_snapshot_and_goes_on_with_changes(station: FakeStation) -> None:
    await station.client.add_camera(gate())
    stream = station.client.stream()
    first = await anext(stream)
    assert isinstance(first, wire.SnapshotMessage)
    assert [camera.name for camera in first.snapshot.cameras] == ["Gate"]
    assert [group.name for group in first.snapshot.groups] == ["main"]

    await station.client.add_camera(gate("Door"))
    added = await until(stream, wire.CameraMessage)
    assert isinstance(added, wire.CameraMessage)
    assert added.camera.name == "Door"
    assert added.sequence > first.snapshot.sequence
    await station.client.remove_camera("Gate")
    removed = await until(stream, wire.CameraRemoved)
    assert isinstance(removed, wire.CameraRemoved)
    assert removed.name == "Gate"
    await stream.aclose()


async def test_events_reach_the_reader_and_the_next_snapshot(station: FakeStation) -> None:
    stream = station.client.stream()
    await anext(stream)
    station.events.publish("camera.lost", "Gate lost", source="Gate")
    message = await until(stream, wire.EventMessage)
    assert isinstance(message, wire.EventMessage)
    assert (message.event.text, message.event.id > 0) == ("Gate lost", True)
    assert (await station.client.snapshot()).events[0] == message.event
    await stream.aclose()


async def test_snapshot_holds_the_newest_events_only(station: FakeStation) -> None:
    for number in range(NEWEST_EVENTS + 10):
        station.hub.event(EventRecord(id=number, time_us=1, kind="test", text=str(number)))
    events = (await station.client.snapshot()).events
    assert [event.text for event in events] == [str(n) for n in range(NEWEST_EVENTS + 9, 9, -1)]


async def test_counts_of_alarms_are_sent_once_however_often_they_changed(station: FakeStation) -> None:
    stream = station.client.stream()
    await anext(stream)
    for new in range(1, 400):
        station.alarms.counts = AlarmCounts(new=new, revision=new)
        station.hub.changed()
    message = await until(stream, AlarmsMessage)
    assert isinstance(message, AlarmsMessage)
    assert message.counts.new == 399
    station.hub.publish_changes()
    station.hub.changed()
    assert not isinstance(await until(stream, AlarmsMessage | wire.StationMessage), AlarmsMessage)  # type: ignore[arg-type]
    await stream.aclose()


async def test_a_flood_of_alarms_is_a_snapshot_for_a_reader_that_does_not_keep_up(
    station: FakeStation,
) -> None:
    stream = station.client.stream()
    await anext(stream)
    station.alarms.counts = AlarmCounts(new=EVENT_LIMIT + 1, revision=7)
    for number in range(EVENT_LIMIT + 1):
        alarm = AlarmView(
            id=number,
            rule="Door",
            kind="camera.lost",
            source="Gate",
            severity="info",
            status=AlarmStatus.NEW,
            first_us=1,
            last_us=1,
            count=1,
            text="lost",
        )
        station.hub.alarm_raised(alarm, True)
    message = await until(stream, wire.SnapshotMessage)
    assert isinstance(message, wire.SnapshotMessage)
    assert message.snapshot.alarms.new == EVENT_LIMIT + 1
    await stream.aclose()


async def test_station_is_sent_every_second(station: FakeStation) -> None:
    stream = station.client.stream()
    await anext(stream)
    assert isinstance(await until(stream, wire.StationMessage), wire.StationMessage)
    await stream.aclose()


async def test_sequence_numbers_grow_with_every_message(station: FakeStation) -> None:
    stream = station.client.stream()
    first = await anext(stream)
    assert isinstance(first, wire.SnapshotMessage)
    last = first.snapshot.sequence
    for number in range(5):
        await station.client.add_camera(gate(f"Camera {number}"))
    seen = 0
    while seen < 5:
        message = await until(stream, msgspec.Struct)
        assert not isinstance(message, wire.SnapshotMessage)
        assert message.sequence > last
        last = message.sequence
        seen += isinstance(message, wire.CameraMessage)
    await stream.aclose()


async def test_unchanged_objects_are_not_sent_again(station: FakeStation) -> None:
    await station.client.add_camera(gate())
    stream = station.client.stream()
    await anext(stream)
    station.hub.changed()
    message = await until(stream, wire.StationMessage | wire.CameraMessage)  # type: ignore[arg-type]
    assert isinstance(message, wire.StationMessage)
    await stream.aclose()


async def test_reader_that_goes_is_forgotten(station: FakeStation) -> None:
    stream = station.client.stream()
    await anext(stream)
    assert station.hub.readers == 1
    await stream.aclose()
    async with asyncio.timeout(10):
        while station.hub.readers:
            await asyncio.sleep(0)


async def test_stopping_engine_ends_the_stream_with_a_remedy(station: FakeStation) -> None:
    stream = station.client.stream()
    await anext(stream)
    await station.hub.close()
    with pytest.raises(EngineUnreachable, match="watchdeck engine"):
        _ = [message async for message in stream]


# -- outbox ----------------------------------------------------------------------------------------------


def ready_outbox(event_limit: int = 3) -> Outbox:
    outbox = Outbox(event_limit)
    outbox.snapshot_taken()
    outbox.take()
    return outbox


def test_outbox_keeps_the_newest_state_of_an_object_in_the_order_of_its_change() -> None:
    outbox = ready_outbox()
    outbox.put_state("a", b"a1")
    outbox.put_state("b", b"b1")
    outbox.put_event(3, b"e1")
    outbox.put_state("a", b"a2")
    assert outbox.take() == [b"b1", b"e1", b"a2"]
    assert outbox.take() == []


def test_too_many_events_become_a_snapshot() -> None:
    outbox = ready_outbox(event_limit=3)
    for number in range(4):
        outbox.put_event(number, b"e")
    assert outbox.needs_snapshot
    assert len(outbox) == 0
    outbox.put_state("a", b"a")
    assert len(outbox) == 0, "the snapshot will hold it"
    outbox.snapshot_taken()
    outbox.put_event(9, b"e9")
    assert outbox.take() == [b"e9"]


@given(st.lists(st.one_of(st.integers(0, 5), st.just("event")), max_size=200))
def test_an_outbox_nobody_empties_stays_small(steps: list[int | str]) -> None:
    outbox = ready_outbox(event_limit=10)
    for sequence, step in enumerate(steps):
        if step == "event":
            outbox.put_event(sequence, b"e")
        else:
            outbox.put_state(step, b"s")
    assert len(outbox) <= 6 + 10
