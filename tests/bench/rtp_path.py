"""Cost of the frame loop: RTP packets of a 1080p25, 4 Mbit/s camera through the receive buffer to access units.

    python -m tests.bench.rtp_path [--seconds 2] [--read-bytes 16384] [--codec h264] [--profile]

Prints one JSON document. `camera_cpu_percent` is this code's share for one such camera; sockets and the recorder come
on top.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import time

from engine.cameras.delivery import Delivery
from engine.cameras.h26x import H264Assembler, H265Assembler
from engine.cameras.interleaved import InterleavedReader
from engine.cameras.rtp import RtpStream
from engine.cameras.rtp_clock import RtpClock, SessionZero
from engine.cameras.rtsp_message import RtspMessage
from storage.segments.packet import Packet, Track
from tests.rtsp.rtp_packets import H264_SETS, H265_SETS, PayloadType, fragment, frames_of

FRAMES_PER_S = 25
BYTES_PER_S = 4_000_000 // 8
GOP_FRAMES = 50
KEYFRAME_WEIGHT = 8


class CountingSink:
    """Counts and drops."""

    def __init__(self) -> None:
        self.packets = 0
        self.bytes = 0

    def tracks_changed(self, tracks: tuple[Track, ...]) -> None:
        """Not of interest here."""

    def packet(self, packet: Packet) -> None:
        self.packets += 1
        self.bytes += len(packet.data)

    def frames_lost(self, detail: str) -> None:
        raise AssertionError(detail)


def camera_bytes(codec: str, seconds: int) -> tuple[bytes, int]:
    """What such a camera sends in so many seconds, and the number of RTP packets in it."""
    unit = BYTES_PER_S * GOP_FRAMES / FRAMES_PER_S / (GOP_FRAMES - 1 + KEYFRAME_WEIGHT)
    payloads = []
    for number in range(seconds * FRAMES_PER_S):
        is_keyframe = number % GOP_FRAMES == 0
        size = int(unit * (KEYFRAME_WEIGHT if is_keyframe else 1))
        if codec == "h264":
            nal = bytes((0x65 if is_keyframe else 0x41, 0x88)) + bytes([number % 251]) * size
        else:
            nal = bytes((0x26 if is_keyframe else 0x02, 0x01, 0x88)) + bytes([number % 251]) * size
        payloads.append((number * 90_000 // FRAMES_PER_S, fragment(nal, codec, 1386)))
    stream = frames_of(payloads, PayloadType.VIDEO)
    return b"".join(stream), len(stream)


def make_reader(codec: str, sink: CountingSink) -> InterleavedReader:
    def no_message(message: RtspMessage) -> None:
        raise AssertionError(message)

    delivery = Delivery(sink, RtpClock(90_000, SessionZero()))
    assembler = H264Assembler(delivery, H264_SETS) if codec == "h264" else H265Assembler(delivery, H265_SETS)
    reader = InterleavedReader(no_message)
    reader.add_video(0, RtpStream(assembler, PayloadType.VIDEO, frozenset(), delivery, is_video=True))
    reader.start_streaming()
    return reader


def feed(reader: InterleavedReader, data: bytes, read_bytes: int) -> None:
    """As a socket would: so many bytes a read."""
    now_us = 1_000_000
    position = 0
    while position < len(data):
        room = reader.writable()
        count = min(read_bytes, len(room), len(data) - position)
        room[:count] = data[position : position + count]
        reader.received(count, now_us)
        position += count
        now_us += 16_000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--read-bytes", type=int, default=16 * 1024)
    parser.add_argument("--codec", choices=("h264", "h265"), default="h264")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    media_s = 20
    data, packets = camera_bytes(options.codec, media_s)
    rounds: list[float] = []
    profile = cProfile.Profile()
    until = time.perf_counter() + options.seconds
    while time.perf_counter() < until or not rounds:
        sink = CountingSink()
        reader = make_reader(options.codec, sink)
        started = time.process_time()
        if options.profile:
            profile.runcall(feed, reader, data, options.read_bytes)
        else:
            feed(reader, data, options.read_bytes)
        rounds.append(time.process_time() - started)
        assert sink.packets == media_s * FRAMES_PER_S, "pictures are missing"
    if options.profile:
        profile.print_stats("tottime")
    best = min(rounds)
    print(
        json.dumps(
            {
                "benchmark": "rtp_path",
                "codec": options.codec,
                "read_bytes": options.read_bytes,
                "rtp_packets": packets,
                "ns_per_rtp_packet": round(best / packets * 1e9, 1),
                "mb_per_s": round(len(data) / best / 1e6, 1),
                "camera_cpu_percent": round(best / media_s * 100, 4),
            }
        )
    )


if __name__ == "__main__":
    main()
