"""Second streams: opened by asking, closed when nobody asks, bounded in number, tried again ever more slowly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from engine.background import in_background
from engine.cameras.open_source import open_source
from engine.cameras.source import PacketSink, SourceSettings
from engine.demo.faults import Faults
from engine.demo.feed import DemoCamera
from engine.demo.rtsp_server import DemoServer
from engine.demo.time_code import read_time_code
from engine.pictures import live_streams
from engine.pictures.decode import decode, read_keyframe
from engine.pictures.live_streams import LiveStreams
from engine.recording.keyframe_news import KeyframeNews
from storage.catalog.records import Camera
from storage.clock import SystemClock
from storage.errors import CameraRefused, CameraUnreachable
from storage.segments.packet import Codec, Packet, Track
from tests.fakes.clock import FakeClock

SECOND = 1_000_000


def camera(number: int) -> Camera:
    return Camera(
        id=number,
        uuid=UUID(int=number),
        name=f"cam{number}",
        url="rtsp://h/a",
        live_url="rtsp://h/b",
        group="main",
    )


@dataclass
class Rig:
    """Streams whose sleeps end when the test says so."""

    clock: FakeClock
    streams: LiveStreams = field(init=False)
    errors: list[Exception | None] = field(default_factory=list)
    opened: list[SourceSettings] = field(default_factory=list)
    closed: int = 0
    sinks: list[PacketSink] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    looks: list[asyncio.Future[None]] = field(default_factory=list)

    def open(self, settings: SourceSettings) -> Rig:
        self.opened.append(settings)
        return self

    async def run(self, sink: PacketSink) -> None:
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        self.sinks.append(sink)
        try:
            await asyncio.Event().wait()
        finally:
            self.closed += 1

    async def password(self, uuid: UUID) -> str:
        return f"secret{uuid.int}"

    async def sleep(self, seconds: float) -> None:
        if seconds != live_streams.LOOK_S:
            self.delays.append(seconds)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.looks.append(future)
        await future

    async def look(self) -> None:
        self.looks.pop().set_result(None)
        await settle()

    def send(self, number: int, width: int = 640) -> None:
        sink = self.sinks[number]
        sink.tracks_changed((Track(codec=Codec.H264, time_base_hz=90_000, width=width, height=360),))
        sink.packet(Packet(0, 0, False, b"no keyframe", self.clock.monotonic_us()))
        sink.packet(Packet(0, 0, True, b"key", self.clock.monotonic_us()))


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@asynccontextmanager
async def running(limit: int = 3) -> AsyncIterator[Rig]:
    rig = Rig(FakeClock())
    rig.streams = LiveStreams(
        rig.password, rig.open, rig.clock, KeyframeNews(), limit=limit, sleep=rig.sleep, chance=lambda: 0.5
    )
    async with in_background(streams=rig.streams.run):
        await settle()
        yield rig


async def test_asking_opens_one_stream_and_keeps_its_newest_keyframe() -> None:
    async with running() as rig:
        assert rig.streams.newest(camera(1), 320) is None
        assert rig.streams.newest(camera(1), 320) is None
        await settle()
        assert [settings.password for settings in rig.opened] == ["secret1"]
        rig.send(0)
        found = rig.streams.newest(camera(1), 320)
        assert found is not None
        assert (found.data, found.camera, found.time_us) == (b"key", str(UUID(int=1)), rig.clock.now_us())


async def test_nobody_asking_for_half_a_minute_closes_it() -> None:
    async with running() as rig:
        rig.streams.newest(camera(1))
        await settle()
        rig.clock.advance(29 * SECOND)
        await rig.look()
        assert (rig.closed, len(rig.streams.open_cameras)) == (0, 1)
        rig.streams.newest(camera(1))
        rig.clock.advance(29 * SECOND)
        await rig.look()
        assert rig.closed == 0
        rig.clock.advance(2 * SECOND)
        await rig.look()
        assert (rig.closed, len(rig.streams.open_cameras)) == (1, 0)


async def test_wide_pictures_do_not_open_it_unless_it_is_known_to_be_as_wide() -> None:
    async with running() as rig:
        assert rig.streams.newest(camera(1), 1000) is None
        await settle()
        assert not rig.opened
        rig.streams.newest(camera(1), 320)
        await settle()
        rig.send(0, width=1280)
        assert rig.streams.newest(camera(1), 1000) is None, "its width is learnt when a picture of it is used"
        assert rig.streams.newest(camera(1), 320) is not None
        assert rig.streams.newest(camera(1), 1000) is not None
        assert rig.streams.newest(camera(1), 1281) is None


async def test_there_are_never_more_than_the_limit_and_the_one_asked_for_longest_ago_makes_room() -> None:
    async with running(limit=2) as rig:
        for number in (1, 2, 3):
            rig.streams.newest(camera(number))
            await settle()
        assert [uuid.int for uuid in rig.streams.open_cameras] == [1, 2]
        rig.clock.advance(6 * SECOND)
        rig.streams.newest(camera(2))
        rig.streams.newest(camera(3))
        await settle()
        assert [uuid.int for uuid in rig.streams.open_cameras] == [2, 3]
        assert rig.closed == 1


async def test_a_failing_stream_is_tried_again_more_and_more_slowly_and_a_refused_one_slowly_at_once() -> (
    None
):
    async with running() as rig:
        rig.errors += [
            CameraUnreachable("no"),
            CameraUnreachable("no"),
            CameraUnreachable("no"),
            CameraRefused("no"),
        ]
        rig.streams.newest(camera(1))
        await settle()
        assert rig.delays == [1.0, 2.0, 4.0, live_streams.REFUSED_RETRY_S]
        assert len(rig.opened) == 5


async def test_an_edited_address_is_another_stream_and_a_disabled_camera_is_left_alone() -> None:
    async with running() as rig:
        rig.streams.newest(camera(1))
        await settle()
        rig.send(0)
        moved = msgspec.structs.replace(camera(1), live_url="rtsp://h/c")
        assert rig.streams.newest(moved) is None
        await settle()
        assert [settings.url for settings in rig.opened] == ["rtsp://h/b", "rtsp://h/c"]
        assert rig.closed == 1
        for left_alone in (
            msgspec.structs.replace(camera(2), is_enabled=False),
            msgspec.structs.replace(camera(2), is_removed=True),
            msgspec.structs.replace(camera(2), live_url=""),
        ):
            assert rig.streams.newest(left_alone) is None
        await settle()
        assert len(rig.opened) == 2


async def test_the_end_of_the_service_closes_all_streams() -> None:
    async with running() as rig:
        rig.streams.newest(camera(1))
        await settle()
    assert rig.closed == 1
    assert rig.streams.newest(camera(1)) is None


async def test_a_second_stream_of_a_real_server_shows_the_present_and_stops_when_nobody_asks() -> None:
    """The demo's cameras over RTSP: the picture's own time code says when it was filmed."""
    clock = SystemClock()
    server = DemoServer(
        [DemoCamera("gate-live", "gate")], clock, faults={"gate-live": Faults(size_px=(320, 180))}
    )
    streams = LiveStreams(no_password, open_source, clock, KeyframeNews())
    async with in_background(server=server.run, streams=streams.run):
        seen = msgspec.structs.replace(camera(1), live_url=await server.url("gate-live"))
        while (found := streams.newest(seen, 320)) is None:
            await asyncio.sleep(0.01)
        shown = decode(read_keyframe(found))
        assert (shown.width_px, shown.height_px) == (320, 180)
        filmed_ms = read_time_code(shown.gray(320, 180))
        assert filmed_ms is not None
        assert abs(found.time_us // 1000 - filmed_ms) < 5000
        assert len(server.feeds["gate-live"].viewers) == 1
        streams._close_unasked(-1)
        while server.feeds["gate-live"].viewers:
            await asyncio.sleep(0.01)


async def no_password(uuid: UUID) -> str:
    return ""
