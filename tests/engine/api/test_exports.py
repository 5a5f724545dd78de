"""Exports over the socket: exact bytes, back-pressure, callers that leave, segments that break."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from engine import wire
from engine.api import handlers_exports
from engine.api.handlers_exports import RunningExports
from storage import errors
from storage.catalog.changes import BeginRun, CloseSegment, OpenSegment
from tests.fakes.station import H264, FakeStation

T0 = 1_767_225_600_000_000
SECOND = 1_000_000
PIECE = 64 * 1024


@dataclass
class FakeExport:
    """Produces `pieces` pieces and notes how far it got."""

    pieces: int
    start_us: int = T0
    end_us: int = T0 + 10 * SECOND
    parts: tuple[tuple[int, int], ...] = ((T0, T0 + 10 * SECOND),)
    fails_at: int = -1
    failure: Exception = field(default_factory=lambda: errors.SegmentDamaged("torn"))
    produced: int = 0
    threads: set[str] = field(default_factory=set)
    closed: threading.Event = field(default_factory=threading.Event)

    @property
    def total_bytes(self) -> int:
        return self.pieces * PIECE

    def chunks(self, chunk_bytes: int) -> Iterator[bytes]:
        try:
            for number in range(self.pieces):
                if number == self.fails_at:
                    raise self.failure
                self.threads.add(threading.current_thread().name)
                self.produced += 1
                yield bytes([number % 251]) * PIECE
        finally:
            self.closed.set()


Planned = Callable[[FakeExport], FakeExport]


@pytest.fixture
async def planned(station: FakeStation, monkeypatch: pytest.MonkeyPatch) -> Planned:
    """A camera with one recording; whatever is exported is the export given."""
    from uuid import UUID, uuid4

    camera = await station.client.add_camera(
        wire.CameraAdd(name="Gate/1".replace("/", " "), url="rtsp://h/x")
    )
    volume = await station.catalog.write(
        "add_volume", uuid=UUID(int=5), name="Disk", path="/nowhere", group="main", floor_bytes=0
    )
    run = uuid4()
    await station.catalog.write(
        "apply",
        [
            BeginRun(run, camera.id, T0, (H264,)),
            OpenSegment(run, 0, volume.id, "cam/0.mp4", T0),
            CloseSegment(run, 0, T0 + 10 * SECOND, 900_000, 1000),
        ],
    )

    def plan(export: FakeExport) -> FakeExport:
        monkeypatch.setattr(handlers_exports, "plan_export", lambda *_, **__: export)
        return export

    return plan


async def fetched_bytes(station: FakeStation) -> int:
    async with station.client.export("Gate 1", T0, T0 + SECOND) as stream:
        return sum([len(piece) async for piece in stream])


async def test_export_arrives_whole_and_is_an_event(station: FakeStation, planned: Planned) -> None:
    export = planned(FakeExport(pieces=40))
    plan = await station.client.plan_export("Gate 1", T0, T0 + SECOND)
    assert (plan.bytes, plan.parts, plan.camera) == (export.total_bytes, export.parts, "Gate 1")
    received = bytearray()
    async with station.client.export("Gate 1", T0, T0 + SECOND) as stream:
        assert (stream.total_bytes, stream.start_us, stream.end_us) == (
            export.total_bytes,
            T0,
            T0 + 10 * SECOND,
        )
        async for piece in stream:
            received += piece
    assert bytes(received) == b"".join(bytes([n % 251]) * PIECE for n in range(40))
    assert all(name.startswith("files") for name in export.threads), "never on the event loop"
    await station.events.flush()
    (event,) = await station.client.events(kinds=["recording.exported"])
    assert event.actor
    assert event.source == "Gate 1"


async def test_reader_that_stops_reading_stops_the_engine_reading(
    station: FakeStation, planned: Planned
) -> None:
    export = planned(FakeExport(pieces=2000))
    async with station.client.export("Gate 1", T0, T0 + SECOND) as stream:
        await anext(aiter(stream))
        before = -1
        while before != export.produced:  # until the sockets' buffers are full
            before = export.produced
            assert len(await station.client.cameras()) == 1, "other calls go on"
            await asyncio.sleep(0.05)
        assert export.produced < 200
    await asyncio.get_running_loop().run_in_executor(None, export.closed.wait, 10)
    assert export.closed.is_set(), "leaving early closes the files"
    assert export.produced < 400


async def test_who_never_reads_again_loses_its_place(
    station: FakeStation, planned: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers_exports, "STALL_LIMIT_S", 0.3)
    export = planned(FakeExport(pieces=2000))
    async with station.client.export("Gate 1", T0, T0 + SECOND) as stream:
        pieces = aiter(stream)
        await anext(pieces)
        assert await asyncio.get_running_loop().run_in_executor(None, export.closed.wait, 10)
        with pytest.raises(errors.EngineUnreachable, match="the export broke off"):
            async for _ in pieces:
                pass
    assert export.produced < 400


async def test_many_exports_at_once_arrive_whole(station: FakeStation, planned: Planned) -> None:
    planned(FakeExport(pieces=30))
    async with asyncio.TaskGroup() as group:
        fetching = [group.create_task(fetched_bytes(station)) for _ in range(8)]
    assert {task.result() for task in fetching} == {30 * PIECE}


@pytest.mark.parametrize("failure", [errors.SegmentDamaged("torn"), OSError(5, "EIO"), RuntimeError("bug")])
async def test_segment_that_breaks_half_way_breaks_the_connection_and_nothing_else(
    station: FakeStation, planned: Planned, failure: Exception
) -> None:
    planned(FakeExport(pieces=20, fails_at=10, failure=failure))
    with pytest.raises(errors.EngineUnreachable, match="broke off after"):
        await fetched_bytes(station)
    assert len(await station.client.cameras()) == 1


async def test_nothing_recorded_and_too_long_are_said_before_anything_is_sent(
    station: FakeStation, planned: Planned
) -> None:
    planned(FakeExport(pieces=1))
    with pytest.raises(errors.NotFound, match="nothing of camera Gate 1"):
        async with station.client.export("Gate 1", T0 + 60 * SECOND, T0 + 70 * SECOND):
            pass
    with pytest.raises(errors.InvalidInput, match="24 hours"):
        await station.client.plan_export("Gate 1", T0, T0 + 90_000 * SECOND)
    with pytest.raises(errors.InvalidInput):
        await station.client.plan_export("Gate 1", T0, T0)


def test_one_export_too_many_is_refused_and_places_are_given_back() -> None:
    running = RunningExports(limit=1)
    with running.one_more(), pytest.raises(errors.Conflict), running.one_more():
        pass
    with running.one_more():
        assert running.count == 1
    assert running.count == 0


async def test_a_removed_cameras_footage_can_be_exported(station: FakeStation, planned: Planned) -> None:
    planned(FakeExport(pieces=2))
    await station.client.remove_camera("Gate 1")
    plan = await station.client.plan_export("Gate 1", T0, T0 + 10 * SECOND)
    assert (plan.camera, plan.bytes) == ("Gate 1", 2 * PIECE)
