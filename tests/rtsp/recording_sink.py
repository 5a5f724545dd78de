"""A PacketSink that keeps everything, and the reader with its streams as the RTSP client builds it."""

from __future__ import annotations

import asyncio

from engine.cameras.delivery import Delivery
from engine.cameras.h26x import H264Assembler, H265Assembler
from engine.cameras.interleaved import InterleavedReader
from engine.cameras.rtp import Depacketizer, RtpStream
from engine.cameras.rtp_clock import RtpClock, SessionZero
from engine.cameras.rtsp_message import RtspMessage
from storage.segments.packet import Packet, Track
from tests.rtsp.rtp_packets import H264_SETS, H265_SETS


class RecordingSink:
    """Keeps tracks, packets and losses in order; `arrived` wakes who waits for a number of packets."""

    def __init__(self) -> None:
        self.tracks: list[tuple[Track, ...]] = []
        self.packets: list[Packet] = []
        self.losses: list[str] = []
        self.order: list[str] = []
        self._changed = asyncio.Event()

    def tracks_changed(self, tracks: tuple[Track, ...]) -> None:
        self.tracks.append(tracks)
        self.order.append("tracks")

    def packet(self, packet: Packet) -> None:
        assert self.tracks, "a packet before its tracks"
        self.packets.append(packet)
        self.order.append("key" if packet.is_keyframe and packet.track == 0 else "packet")
        self._changed.set()

    def frames_lost(self, detail: str) -> None:
        self.losses.append(detail)
        self.order.append("lost")

    @property
    def video(self) -> list[Packet]:
        return [packet for packet in self.packets if packet.track == 0]

    @property
    def audio(self) -> list[Packet]:
        return [packet for packet in self.packets if packet.track == 1]

    async def wait_for(self, video: int, audio: int = 0) -> None:
        while len(self.video) < video or len(self.audio) < audio:
            self._changed.clear()
            await self._changed.wait()


class StreamBench:
    """The receive buffer with one picture stream on channel 0, driven by hand."""

    def __init__(
        self, codec: str = "h264", *, with_sets: bool = True, sets: list[bytes] | None = None
    ) -> None:
        self.sink = RecordingSink()
        self.messages: list[RtspMessage] = []
        self.zero = SessionZero()
        self.delivery = Delivery(self.sink, RtpClock(90_000, self.zero))
        known = (
            sets if sets is not None else (H264_SETS if codec == "h264" else H265_SETS) if with_sets else []
        )
        kind = H264Assembler if codec == "h264" else H265Assembler
        self.depacketizer: Depacketizer = kind(self.delivery, known)
        self.reader = InterleavedReader(self.messages.append)
        self.now_us = 1_000_000
        self.add_video(self.depacketizer)
        self.reader.start_streaming()

    def add_video(self, depacketizer: Depacketizer, kind: int = 96) -> None:
        stream = RtpStream(depacketizer, kind, frozenset(), self.delivery, is_video=True)
        self.reader.add_video(0, stream)

    def feed(self, data: bytes, chunk: int = 65_536, *, step_us: int = 0) -> None:
        position = 0
        while position < len(data):
            room = self.reader.writable()
            count = min(chunk, len(room), len(data) - position)
            room[:count] = data[position : position + count]
            self.reader.received(count, self.now_us)
            position += count
            self.now_us += step_us

    def feed_units(self, units: list[bytes]) -> None:
        for unit in units:
            self.feed(unit)


def nals_of(data: bytes) -> list[bytes]:
    """The NAL units of a stored access unit; fails when the lengths do not add up."""
    nals = []
    position = 0
    while position < len(data):
        size = int.from_bytes(data[position : position + 4], "big")
        nal = data[position + 4 : position + 4 + size]
        assert len(nal) == size, "a NAL length points past the end"
        nals.append(nal)
        position += 4 + size
    return nals
