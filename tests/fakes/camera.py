"""Cameras that send what a test tells them to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from engine.cameras.source import PacketSink, SourceSettings
from storage.errors import CameraError
from storage.segments.packet import Codec, Packet, Track
from tests.fakes.clock import FakeClock

SPS = bytes.fromhex("6742c01fd9005005bb016a02020280000003008000001907a30329")
PPS = bytes.fromhex("68cb83cb20")
VIDEO_HZ = 90_000

H264_TRACK = Track(codec=Codec.H264, time_base_hz=VIDEO_HZ, parameter_sets=(SPS, PPS), width=1280, height=720)
AUDIO_TRACK = Track(codec=Codec.PCMU, time_base_hz=8_000, sample_rate_hz=8_000, channels=1)


def picture(number: int, *, is_keyframe: bool, size_bytes: int = 200) -> bytes:
    """An access unit as it is stored, that says which picture it is."""
    header = bytes([0x65 if is_keyframe else 0x41]) + number.to_bytes(4, "big")
    body = header + bytes(max(0, size_bytes - 4 - len(header)))
    return len(body).to_bytes(4, "big") + body


class PacketScript:
    """Packets of a steady camera, one after the other; a test bends what it needs."""

    def __init__(
        self,
        clock: FakeClock,
        *,
        fps: float = 25.0,
        declared_fps: float | None = None,
        gop: int = 25,
        first_ticks: int = 0,
        size_bytes: int = 200,
    ) -> None:
        self.clock = clock
        self.interval_us = 1_000_000 / fps
        self.ticks = VIDEO_HZ / (declared_fps or fps)
        self.gop = gop
        self.size_bytes = size_bytes
        self.number = 0
        self._next_ticks = float(first_ticks)
        self._owed_us = 0.0

    def next(self, *, is_discontinuity: bool = False) -> Packet:
        """The next picture; the clock does not move."""
        is_keyframe = self.number % self.gop == 0
        packet = Packet(
            0,
            round(self._next_ticks),
            is_keyframe,
            picture(self.number, is_keyframe=is_keyframe, size_bytes=self.size_bytes),
            self.clock.monotonic_us(),
            is_discontinuity,
        )
        self.number += 1
        self._next_ticks += self.ticks
        return packet

    def pass_interval(self) -> None:
        self._owed_us += self.interval_us
        whole_us = int(self._owed_us)
        self._owed_us -= whole_us
        self.clock.advance(whole_us)

    def leap(self, us: float) -> None:
        """Media time jumps."""
        self._next_ticks += us * VIDEO_HZ / 1_000_000

    def for_seconds(self, seconds: float) -> Iterator[Packet]:
        """As many pictures as the camera sends in that time; the clock moves on behind each."""
        for _ in range(round(seconds * 1_000_000 / self.interval_us)):
            yield self.next()
            self.pass_interval()


class FakeCamera:
    """A PacketSource: `streaming` is set while a session runs; `end` ends it, with an error or by itself."""

    def __init__(self, tracks: tuple[Track, ...] = (H264_TRACK,)) -> None:
        self.tracks = tracks
        self.sink: PacketSink | None = None
        self.sessions = 0
        self.connections = 0
        """Open now."""
        self.settings: SourceSettings | None = None
        self.refuses: Exception | None = None
        """Raised by every session instead of streaming."""
        self.connected = asyncio.Event()
        self.tried = asyncio.Condition()
        self._ended: asyncio.Future[Exception | None] | None = None

    def source(self, settings: SourceSettings) -> FakeCamera:
        self.settings = settings
        return self

    async def run(self, sink: PacketSink) -> None:
        self.sessions += 1
        self.connections += 1
        try:
            async with self.tried:
                self.tried.notify_all()
            if self.refuses is not None:
                raise self.refuses
            self._ended = asyncio.get_running_loop().create_future()
            self.sink = sink
            sink.tracks_changed(self.tracks)
            self.connected.set()
            error = await self._ended
            if error is not None:
                raise error
        finally:
            self.connections -= 1
            self.sink = None
            self.connected.clear()

    def end(self, error: CameraError | Exception | None = None) -> None:
        assert self._ended is not None, "no session"
        self._ended.set_result(error)

    def send(self, *packets: Packet) -> None:
        assert self.sink is not None, "no session"
        for packet in packets:
            self.sink.packet(packet)


class CameraYard:
    """Several cameras by URL, as a source factory."""

    def __init__(self) -> None:
        self.cameras: dict[str, FakeCamera] = {}

    def __getitem__(self, url: str) -> FakeCamera:
        return self.cameras.setdefault(url, FakeCamera())

    def open_source(self, settings: SourceSettings) -> FakeCamera:
        return self[settings.url].source(settings)
