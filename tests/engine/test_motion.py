"""Motion detection with a real worker on really coded keyframes."""

from __future__ import annotations

import asyncio
import errno
import itertools
import os
import signal
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import msgspec
import pytest

from engine.motion import CALM_US, LOOK_US, RAREST_LOOK_US, REST_US, ROUND_S, MotionService
from engine.pictures.keyframe import LiveKeyframe
from engine.wire_sources import CameraAnalytics
from storage.catalog.records import EventRecord
from storage.segments.packet import Codec, Track
from tests.engine.pictures.samples import keyframe
from tests.fakes.clock import FakeClock

STILL = keyframe(Codec.H264, 320, 180)
PERSON = keyframe(Codec.H264, 320, 180, person=True)
"""In the right half."""
EAGER = CameraAnalytics(motion=True, sensitivity=90, min_cells=4)


class Yard:
    """Cameras whose newest keyframe the test sets, and a service that looks when told."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.said: list[EventRecord] = []
        self.pictures: dict[UUID, LiveKeyframe] = {}
        self._turns = asyncio.Semaphore(0)
        self._done = asyncio.Event()
        self.noted: list[tuple[UUID, int, int]] = []
        """Camera, time, cells that moved."""
        self.look_costs_us = 0
        self.service = MotionService(
            events=self,  # type: ignore[arg-type]
            clock=clock,
            newest=self._newest,
            index=self,
            sleep=self._sleep,
        )

    def publish(self, kind: str, text: str, *, source: str = "") -> None:
        self.said.append(EventRecord(time_us=self.clock.now_us(), kind=kind, text=text, source=source))

    def note(self, camera: UUID, time_us: int, cells: bytes) -> None:
        self.noted.append((camera, time_us, int.from_bytes(cells, "big").bit_count()))

    def forget(self, camera: UUID) -> None:
        self.noted = [each for each in self.noted if each[0] != camera]

    def _newest(self, camera: UUID) -> tuple[bytes, Track, int] | None:
        picture = self.pictures.get(camera)
        self.clock.advance(self.look_costs_us)
        return None if picture is None else (picture.data, picture.track, picture.time_us)

    async def _sleep(self, seconds: float) -> None:
        assert seconds == ROUND_S
        self._done.set()
        await self._turns.acquire()

    async def look(self, after_us: int = LOOK_US) -> None:
        """One round, that much later."""
        await self._done.wait()
        self.clock.advance(after_us)
        self._done.clear()
        self._turns.release()
        await self._done.wait()

    def show(self, camera: UUID, picture: LiveKeyframe) -> None:
        self.pictures[camera] = msgspec.structs.replace(picture, time_us=self.clock.now_us() + 1)


@pytest.fixture
async def yard() -> AsyncIterator[Yard]:
    made = Yard(FakeClock())
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(made.service.run())
        yield made
        running.cancel()


async def shown(yard: Yard, camera: UUID, *pictures: LiveKeyframe) -> None:
    for picture in pictures:
        yard.show(camera, picture)
        await yard.look()


def left_half() -> tuple[str, ...]:
    """A mask of the left half."""
    return ("x" * 16 + "." * 16,) * 18


async def test_motion_is_said_when_it_begins_and_again_after_a_calm(yard: Yard) -> None:
    camera = uuid4()
    yard.service.watch(camera, "gate", EAGER)
    await shown(yard, camera, STILL, STILL, *([PERSON] * 3))
    (event,) = yard.said
    assert (event.kind, event.source) == ("detection.motion", "gate")
    assert yard.service.state(camera)[0] == "watching"
    assert yard.service.state(camera)[1] is not None
    for _ in range(CALM_US // LOOK_US + 30):  # the background follows what stays
        await shown(yard, camera, PERSON)
    await shown(yard, camera, STILL)
    assert len(yard.said) == 2


async def test_a_camera_that_is_not_watched_or_sends_nothing_costs_no_worker(yard: Yard) -> None:
    yard.service.watch(uuid4(), "gate", CameraAnalytics(motion=False, motion_index=False))
    camera = uuid4()
    yard.service.watch(camera, "door", EAGER)
    await yard.look()
    assert yard.service._worker is None
    assert not yard.said


async def test_the_same_keyframe_is_not_looked_at_twice(yard: Yard) -> None:
    camera = uuid4()
    yard.service.watch(camera, "gate", EAGER)
    await shown(yard, camera, STILL)
    before = yard.service._cameras[camera].looked_us
    await yard.look()
    assert yard.service._cameras[camera].looked_us == before


async def test_a_damaged_keyframe_is_that_cameras_trouble_and_passes(yard: Yard) -> None:
    camera, other = uuid4(), uuid4()
    yard.service.watch(camera, "gate", EAGER)
    yard.service.watch(other, "door", EAGER)
    yard.show(other, STILL)
    await shown(yard, camera, msgspec.structs.replace(STILL, data=b"\0\0\0\x05hello"))
    assert "corrupt" in yard.service.state(camera)[0]
    assert yard.service.state(other)[0] == "watching"
    await shown(yard, camera, STILL)
    assert yard.service.state(camera)[0] == "watching"


async def test_a_worker_that_dies_is_replaced_and_its_camera_rests(yard: Yard) -> None:
    camera, other = uuid4(), uuid4()
    yard.service.watch(camera, "gate", EAGER)
    await shown(yard, camera, STILL)
    worker = yard.service._worker
    assert worker is not None
    os.kill(worker.pid, signal.SIGKILL)
    await shown(yard, camera, STILL)
    assert "SIGKILL" in yard.service.state(camera)[0]
    yard.service.watch(other, "door", EAGER)
    await shown(yard, other, STILL)
    assert yard.service.state(other)[0] == "watching", "another camera goes on at once"
    yard.show(camera, STILL)
    await yard.look(REST_US + LOOK_US)
    assert yard.service.state(camera)[0] == "watching"


async def test_another_resolution_begins_anew_without_motion(yard: Yard) -> None:
    camera = uuid4()
    yard.service.watch(camera, "gate", EAGER)
    await shown(yard, camera, STILL, keyframe(Codec.H264, 640, 360), keyframe(Codec.H265, 320, 180))
    assert not yard.said


async def test_a_mask_leaves_out_what_moves_behind_it(yard: Yard) -> None:
    camera = uuid4()
    yard.service.watch(camera, "gate", msgspec.structs.replace(EAGER, mask=left_half()))
    await shown(yard, camera, STILL, STILL, PERSON, PERSON)
    assert not yard.said


async def test_what_is_no_longer_watched_ends_its_worker(yard: Yard) -> None:
    camera = uuid4()
    yard.service.watch(camera, "gate", EAGER)
    await shown(yard, camera, STILL)
    yard.service.forget(camera)
    await yard.look()
    assert yard.service._worker is None
    assert yard.service.state(camera) == ("off", None)


# -- kept for searches -----------------------------------------------------------------------------------


INDEXED = CameraAnalytics(sensitivity=90)


async def test_what_moved_is_kept_of_every_camera_and_only_those_that_want_it_say_so(yard: Yard) -> None:
    alarmed, kept, off = uuid4(), uuid4(), uuid4()
    yard.service.watch(alarmed, "gate", EAGER)
    yard.service.watch(kept, "door", INDEXED)
    yard.service.watch(off, "hall", msgspec.structs.replace(EAGER, motion_index=False))
    for picture in (STILL, STILL, PERSON):
        for camera in (alarmed, kept, off):
            yard.show(camera, picture)
        await yard.look()
    assert {event.source for event in yard.said} == {"gate", "hall"}
    moved = {
        camera: [count > 0 for each, _, count in yard.noted if each == camera] for camera in (alarmed, kept)
    }
    assert moved == {alarmed: [False, False, True], kept: [False, False, True]}
    assert not any(each == off for each, _, _ in yard.noted)
    assert yard.service.state(kept) == ("off", None)
    assert yard.service.index_state(kept)[0] == "keeping"
    assert yard.service.index_state(off) == ("off", None)


async def test_what_moves_behind_the_mask_is_kept_all_the_same(yard: Yard) -> None:
    camera = uuid4()
    yard.service.watch(camera, "gate", msgspec.structs.replace(EAGER, mask=left_half()))
    await shown(yard, camera, STILL, STILL, PERSON)
    assert not yard.said
    assert yard.noted[-1][2] > 0


async def test_cameras_only_kept_an_index_of_share_their_part_of_a_core(yard: Yard) -> None:
    """Four looks of 50 ms fit into the two seconds of worker time that 10 % of 20 s are; each camera gets its turn."""
    cameras = [uuid4() for _ in range(4)]
    for camera in cameras:
        yard.service.watch(camera, "x", INDEXED)
    yard.look_costs_us = 50_000
    before_us = yard.clock.monotonic_us()
    while yard.clock.monotonic_us() - before_us < 20_000_000:
        for camera in cameras:
            yard.show(camera, STILL)
        await yard.look(100_000)
    counts = [sum(1 for each, _, _ in yard.noted if each == camera) for camera in cameras]
    spent_us = sum(counts) * yard.look_costs_us
    assert max(counts) - min(counts) <= 1
    assert 1_500_000 <= spent_us <= 2_000_000 + 500_000 + 50_000, counts
    pace_s = yard.service.index_state(cameras[0])[1]
    assert pace_s is not None
    assert 1 <= pace_s <= 4


async def test_a_camera_that_looks_for_motion_keeps_its_look_a_second_beside_them(yard: Yard) -> None:
    alarmed, others = uuid4(), [uuid4() for _ in range(6)]
    yard.service.watch(alarmed, "gate", EAGER)
    for camera in others:
        yard.service.watch(camera, "x", INDEXED)
    yard.look_costs_us = 90_000
    for _ in range(30):
        for camera in (alarmed, *others):
            yard.show(camera, STILL)
        await yard.look(LOOK_US)
    assert sum(1 for each, _, _ in yard.noted if each == alarmed) == 30


async def test_however_dear_it_is_each_camera_is_looked_at_once_in_half_a_minute(yard: Yard) -> None:
    cameras = [uuid4() for _ in range(3)]
    yard.service.index_percent = 0.001
    for camera in cameras:
        yard.service.watch(camera, "x", INDEXED)
    yard.look_costs_us = 100_000
    for _ in range(100):
        for camera in cameras:
            yard.show(camera, STILL)
        await yard.look(LOOK_US)
    for camera in cameras:
        times = [time_us for each, time_us, _ in yard.noted if each == camera]
        assert 2 <= len(times) <= 5
        assert max(later - time for time, later in itertools.pairwise(times)) <= RAREST_LOOK_US + 2 * LOOK_US


async def test_without_a_budget_nothing_is_looked_at_for_the_index_alone(yard: Yard) -> None:
    camera, alarmed = uuid4(), uuid4()
    yard.service.index_percent = 0
    yard.service.watch(camera, "x", INDEXED)
    yard.service.watch(alarmed, "gate", EAGER)
    yard.show(alarmed, STILL)
    await shown(yard, camera, STILL, STILL)
    assert yard.service.index_state(camera) == ("off", None)
    assert not yard.noted


async def test_without_room_for_a_worker_no_camera_is_blamed_and_all_go_on_when_there_is(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = asyncio.create_subprocess_exec, []

    async def refused(*_: object, **__: object) -> None:
        tries.append(yard.clock.monotonic_us())
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(asyncio, "create_subprocess_exec", refused)
    cameras = [uuid4() for _ in range(3)]
    for number, camera in enumerate(cameras):
        yard.service.watch(camera, f"gate {number}", EAGER)
    for _ in range(10):
        for camera in cameras:
            yard.show(camera, STILL)
        await yard.look()
    assert all("cannot be started" in yard.service.state(camera)[0] for camera in cameras)
    assert 2 < len(tries) < 6, "ever more slowly, not once a camera and second"
    monkeypatch.setattr(asyncio, "create_subprocess_exec", real)
    for _ in range(12):
        for camera in cameras:
            yard.show(camera, STILL)
        await yard.look()
    assert [yard.service.state(camera)[0] for camera in cameras] == ["watching"] * 3
