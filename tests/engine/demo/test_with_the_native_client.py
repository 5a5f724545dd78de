"""The engine's own RTSP client on the demo's cameras: pictures arrive whole, and every fault comes out as its error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from engine.cameras.rtsp import RtspSource
from engine.cameras.source import SourceSettings
from engine.demo.access import Login
from engine.demo.faults import Garbage
from engine.demo.feed import DemoCamera
from engine.demo.rtsp_server import DemoServer
from engine.demo.time_code import read_time_code
from engine.pictures.decode import decode, read_keyframe
from engine.pictures.keyframe import LiveKeyframe
from storage.errors import CameraError, CameraProtocolError, CameraRefused, CameraStalled, CameraUnreachable
from storage.segments.packet import Codec, Packet, Track
from tests.engine.demo.test_rtsp_server import serving

LOGIN = Login("admin", "pass word")


class Sink:
    """Keeps everything and wakes whoever waits."""

    def __init__(self) -> None:
        self.tracks: list[tuple[Track, ...]] = []
        self.packets: list[Packet] = []
        self.losses: list[str] = []
        self._news = asyncio.Event()

    def tracks_changed(self, tracks: tuple[Track, ...]) -> None:
        self.tracks.append(tracks)

    def packet(self, packet: Packet) -> None:
        self.packets.append(packet)
        self._news.set()

    def frames_lost(self, detail: str) -> None:
        self.losses.append(detail)
        self._news.set()

    async def until(self, is_true: Callable[[], bool]) -> None:
        while not is_true():
            self._news.clear()
            await self._news.wait()

    def video(self) -> list[Packet]:
        return [packet for packet in self.packets if packet.track == 0]


@asynccontextmanager
async def recording(
    server: DemoServer, camera: str, login: Login | None = None
) -> AsyncIterator[tuple[Sink, asyncio.Task[None]]]:
    sink = Sink()
    settings = SourceSettings(
        url=await server.url(camera),
        user=login.user if login else "",
        password=login.password if login else "",
        transport="tcp",
        stall_timeout_ms=600,
    )
    async with asyncio.TaskGroup() as group:

        async def run() -> None:
            with suppress(CameraError):
                await RtspSource(settings).run(sink)

        task = group.create_task(run())
        yield sink, task
        task.cancel()


async def failure(server: DemoServer, camera: str, login: Login | None = None) -> BaseException:
    settings = SourceSettings(
        url=await server.url(camera),
        user=login.user if login else "",
        password=login.password if login else "",
        transport="tcp",
        connect_timeout_ms=500,
        stall_timeout_ms=500,
    )
    with pytest.raises(CameraError) as caught:
        await RtspSource(settings).run(Sink())
    return caught.value


async def test_pictures_arrive_whole_and_show_when_they_were_taken() -> None:
    camera = DemoCamera("dock", "loading-dock", has_audio=True, login=LOGIN)
    async with serving(camera) as server, recording(server, "dock", LOGIN) as (sink, _):
        await sink.until(lambda: len(sink.video()) >= 12)
        (tracks,) = sink.tracks
        assert [track.codec for track in tracks] == [Codec.H264, Codec.PCMU]
        assert (tracks[0].width, tracks[0].height) == (640, 360)
        keyframes = [packet for packet in sink.video() if packet.is_keyframe]
        for packet in keyframes:
            picture = decode(
                read_keyframe(LiveKeyframe(camera="d", time_us=1, track=tracks[0], data=packet.data))
            )
            assert read_time_code(picture.rgb(640, 360)) is not None
        assert not sink.losses


async def test_a_change_of_resolution_is_announced() -> None:
    async with serving() as server, recording(server, "gate") as (sink, _):
        await sink.until(lambda: len(sink.video()) >= 3)
        server.faults["gate"].size_px = (320, 180)
        await sink.until(lambda: len(sink.tracks) == 2)
        assert (sink.tracks[1][0].width, sink.tracks[1][0].height) == (320, 180)


async def test_a_time_leap_begins_anew() -> None:
    async with serving() as server, recording(server, "gate") as (sink, _):
        await sink.until(lambda: len(sink.video()) >= 3)
        server.faults["gate"].time_leap_ms = 3_600_000
        await sink.until(lambda: any(packet.is_discontinuity for packet in sink.packets))


async def test_lost_packets_are_noticed_and_video_goes_on() -> None:
    async with serving() as server, recording(server, "gate") as (sink, _):
        server.faults["gate"].lose_every = 60
        await sink.until(lambda: bool(sink.losses))
        server.faults["gate"].lose_every = 0
        count = len(sink.video())
        await sink.until(lambda: len(sink.video()) > count)


async def test_a_stall_ends_the_session() -> None:
    async with serving() as server:
        server.faults["gate"].is_stalled = True
        assert isinstance(await failure(server, "gate"), CameraStalled)


async def test_a_dropped_connection_ends_the_session() -> None:
    async with serving() as server, recording(server, "gate") as (sink, task):
        await sink.until(lambda: bool(sink.packets))
        server.drop("gate")
        await task


@pytest.mark.parametrize("password", ["wrong", ""])
async def test_a_wrong_password_is_a_refusal(password: str) -> None:
    async with serving(DemoCamera("gate", "gate", login=LOGIN)) as server:
        assert isinstance(await failure(server, "gate", Login(LOGIN.user, password)), CameraRefused)


async def test_a_silent_camera_is_given_up_in_time() -> None:
    async with serving() as server:
        server.faults["gate"].is_deaf = True
        assert isinstance(await failure(server, "gate"), CameraUnreachable | CameraStalled)


async def test_a_camera_that_hangs_up_is_unreachable() -> None:
    async with serving() as server:
        server.faults["gate"].hangs_up = True
        assert isinstance(await failure(server, "gate"), CameraUnreachable | CameraProtocolError)


@pytest.mark.parametrize("kind", [Garbage.RTP, Garbage.FRAMING])
async def test_nonsense_on_the_connection_ends_the_session(kind: Garbage) -> None:
    async with serving() as server:
        server.faults["gate"].garbage = kind
        assert isinstance(
            await failure(server, "gate"), CameraProtocolError | CameraStalled | CameraUnreachable
        )


async def test_random_payloads_are_dropped_and_video_goes_on_afterwards() -> None:
    async with serving() as server, recording(server, "gate") as (sink, task):
        await sink.until(lambda: len(sink.video()) >= 3)
        server.faults["gate"].garbage = Garbage.PAYLOAD
        await sink.until(lambda: bool(sink.losses) or task.done())
        server.faults["gate"].garbage = None
        if not task.done():
            count = len([packet for packet in sink.video() if packet.is_keyframe])
            await sink.until(lambda: len([packet for packet in sink.video() if packet.is_keyframe]) > count)
