"""Real encoded streams, made once a session with PyAV's encoders: small pictures, every codec that is recorded.

`encoded(kind)` gives a Stream: its Track and its packets as a source would push them (session zero at
`ZERO_US`, 90 kHz video, sample-rate audio). `merged(video, audio)` interleaves two as they would arrive.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.codec.context import Flags

from storage.segments.packet import Codec, Packet, Track
from storage.units import us_to_ticks

VIDEO_HZ = 90_000
FRAME_RATE = 25
ZERO_US = 1_234_567_890
_START_CODE = re.compile(rb"\x00\x00\x00?\x01")
_PARAMETER_SETS = {"h264": {7, 8}, "hevc": {32, 33, 34}}


@dataclass(frozen=True)
class Stream:
    """One encoded track; `packets` in decode order, all of track 0."""

    track: Track
    packets: tuple[Packet, ...]

    def shifted(self, us: int) -> Stream:
        """The same packets later (or earlier)."""
        ticks = us_to_ticks(us, self.track.time_base_hz)
        moved = tuple(
            replace(
                packet,
                pts_ticks=packet.pts_ticks + ticks,
                arrival_monotonic_us=packet.arrival_monotonic_us + us,
            )
            for packet in self.packets
        )
        return Stream(self.track, moved)


@functools.cache
def encoded(
    kind: str, seconds: float = 4.0, gop: int = 25, width: int = 160, height: int = 96, seed: int = 0
) -> Stream:
    """Kinds: h264, h264_b (B-frames), h265, h265_b, mjpeg, aac, opus, pcmu, pcma, l16."""
    if kind in {"aac", "opus", "pcmu", "pcma", "l16"}:
        return _audio(kind, seconds)
    return _video(kind, round(seconds * FRAME_RATE), gop, width, height, seed)


def merged(*streams: Stream) -> tuple[tuple[Track, ...], list[Packet]]:
    """Tracks in the given order, and all packets by arrival."""
    packets = [
        replace(packet, track=index) for index, stream in enumerate(streams) for packet in stream.packets
    ]
    packets.sort(key=lambda packet: (packet.arrival_monotonic_us, packet.track))
    return tuple(stream.track for stream in streams), packets


def nal_units(annex_b: bytes) -> list[bytes]:
    """NAL units between start codes."""
    return [nal for nal in (piece.rstrip(b"\0") for piece in _START_CODE.split(annex_b)) if nal]


def with_lengths(nals: list[bytes]) -> bytes:
    """NAL units as Packet.data holds them."""
    return b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)


def _picture(index: int, width: int, height: int, seed: int) -> np.ndarray[Any, Any]:
    y, x = np.mgrid[0:height, 0:width]
    red = (x + 3 * index + 40 * seed) % 256
    green = (y * 2 + index) % 256
    blue = np.where((x - 2 * index) % width < 16, 255, 32)
    return np.stack([red, green, blue], axis=-1).astype(np.uint8)


def _video(kind: str, frames: int, gop: int, width: int, height: int, seed: int) -> Stream:
    pictures = [_picture(index, width, height, seed) for index in range(frames)]
    return coded(kind, pictures, gop=gop, frame_rate=FRAME_RATE)


def coded(
    kind: str, pictures: Sequence[np.ndarray[Any, Any]], *, gop: int = 1, frame_rate: int = 1
) -> Stream:
    """Pictures of the caller's own (height x width x 3), evenly spaced; a keyframe every `gop` of them."""
    height, width = pictures[0].shape[:2]
    family = kind.partition("_")[0]
    name, codec = {
        "h264": ("libx264", Codec.H264),
        "h265": ("libx265", Codec.H265),
        "mjpeg": ("mjpeg", Codec.MJPEG),
    }[family]
    context: Any = av.CodecContext.create(name, "w")
    context.width, context.height = width, height
    context.time_base = Fraction(1, frame_rate)
    context.framerate = Fraction(frame_rate)
    context.pix_fmt = "yuvj420p" if family == "mjpeg" else "yuv420p"
    b_frames = 2 if kind.endswith("_b") else 0
    if family == "h264":
        context.flags |= Flags.global_header
        context.options = {
            "preset": "veryfast",
            "x264-params": f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:threads=1:open-gop=0",
        }
    elif family == "h265":
        context.flags |= Flags.global_header
        context.options = {
            "preset": "ultrafast",
            "x265-params": f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:pools=none:"
            "frame-threads=1:open-gop=0:log-level=none",
        }
    made = []
    for index, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame = frame.reformat(format=context.pix_fmt)
        frame.pts, frame.time_base = index, context.time_base
        made.extend(context.encode(frame))
    made.extend(context.encode(None))
    parameter_sets = tuple(nal_units(bytes(context.extradata))) if family != "mjpeg" else ()
    parameter_sets = tuple(nal for nal in parameter_sets if _is_parameter_set(family, nal))
    track = Track(
        codec=codec,
        time_base_hz=VIDEO_HZ,
        parameter_sets=parameter_sets,
        width=width,
        height=height,
    )
    zero = us_to_ticks(ZERO_US, VIDEO_HZ)
    packets = []
    for order, packet in enumerate(made):
        data = bytes(packet)
        if family != "mjpeg":
            data = with_lengths([nal for nal in nal_units(data) if not _is_parameter_set(family, nal)])
        pts = zero + packet.pts * VIDEO_HZ // frame_rate
        arrival = ZERO_US + order * 1_000_000 // frame_rate
        packets.append(Packet(0, pts, bool(packet.is_keyframe), data, arrival))
    return Stream(track, tuple(packets))


def _is_parameter_set(family: str, nal: bytes) -> bool:
    if family == "h264":
        return nal[0] & 0x1F in _PARAMETER_SETS["h264"]
    return nal[0] >> 1 & 0x3F in _PARAMETER_SETS["hevc"]


def _audio(kind: str, seconds: float) -> Stream:
    name, sample_format, rate_hz, frame_size, channels = {
        "aac": ("aac", "fltp", 16_000, 1024, 1),
        "opus": ("libopus", "s16", 48_000, 960, 2),
        "pcmu": ("pcm_mulaw", "s16", 8_000, 160, 1),
        "pcma": ("pcm_alaw", "s16", 8_000, 160, 1),
        "l16": ("pcm_s16be", "s16", 16_000, 320, 1),
    }[kind]
    layout = "mono" if channels == 1 else "stereo"
    context: Any = av.CodecContext.create(name, "w")
    context.sample_rate, context.format, context.layout = rate_hz, sample_format, layout
    context.time_base = Fraction(1, rate_hz)
    if kind == "aac":
        context.flags |= Flags.global_header
    made = []
    for start in range(0, round(seconds * rate_hz), frame_size):
        t = (np.arange(start, start + frame_size)) / rate_hz
        tone = np.sin(2 * np.pi * 440 * t) * 0.5
        if sample_format == "fltp":
            samples = tone.astype(np.float32)[np.newaxis, :]
        else:
            samples = np.repeat((tone * 20_000).astype(np.int16), channels)[np.newaxis, :]
        frame = av.AudioFrame.from_ndarray(samples, format=sample_format, layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, start, Fraction(1, rate_hz)
        made.extend(context.encode(frame))
    made.extend(context.encode(None))
    config = bytes(context.extradata or b"") if kind == "aac" else b""
    track = Track(
        codec=Codec(kind), time_base_hz=rate_hz, config=config, sample_rate_hz=rate_hz, channels=channels
    )
    zero = us_to_ticks(ZERO_US, rate_hz)
    packets = tuple(
        Packet(
            0,
            zero + index * frame_size,
            True,
            bytes(packet),
            ZERO_US + (index + 1) * frame_size * 1_000_000 // rate_hz,
        )
        for index, packet in enumerate(made)
    )
    return Stream(track, packets)
