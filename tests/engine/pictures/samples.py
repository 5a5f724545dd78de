"""Coded keyframes made on the spot: a colour chart whose pixels tests know."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import av
import numpy as np
from numpy.typing import NDArray

from engine.pictures.keyframe import LiveKeyframe
from storage.segments.packet import Codec, Track

BARS = [(235, 40, 40), (40, 200, 40), (40, 40, 220), (230, 230, 230)]


def chart(width: int, height: int) -> NDArray[np.uint8]:
    """Four upright bars: red, green, blue, white; the lower half at half brightness."""
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    for number, colour in enumerate(BARS):
        picture[:, number * width // 4 : (number + 1) * width // 4] = colour
    picture[height // 2 :] //= 2
    return picture


@cache
def keyframe(
    codec: Codec = Codec.H264,
    width: int = 320,
    height: int = 180,
    *,
    noise: bool = False,
    person: bool = False,
) -> LiveKeyframe:
    """One coded picture of the chart, as a recorder would hand it over; with somebody before its blue bar if wanted."""
    encoder_name = {Codec.H264: "libx264", Codec.H265: "libx265", Codec.MJPEG: "mjpeg"}[codec]
    encoder = av.CodecContext.create(encoder_name, "w")
    encoder.width, encoder.height = width, height
    encoder.time_base = Fraction(1, 10)
    encoder.pix_fmt = "yuvj420p" if codec is Codec.MJPEG else "yuv420p"
    encoder.options = {"log-level": "none"} if codec is Codec.H265 else {"preset": "ultrafast"}
    if codec is Codec.MJPEG:
        encoder.options = {"qmin": "2", "qmax": "2"}
    if codec is Codec.H265:
        encoder.options = {"preset": "ultrafast", "x265-params": "log-level=none"}
    pixels = chart(width, height)
    if person:
        pixels[height // 4 : height * 3 // 4, width * 9 // 16 : width * 11 // 16] = (200, 180, 150)
    if noise:
        grain = np.random.default_rng(7).integers(-40, 40, pixels.shape)
        pixels = np.clip(pixels.astype(np.int16) + grain, 0, 255).astype(np.uint8)
    packets = encoder.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")) + encoder.encode(None)
    stream = b"".join(bytes(packet) for packet in packets)
    if codec is Codec.MJPEG:
        track = Track(codec=codec, time_base_hz=90_000, width=width, height=height)
        return LiveKeyframe(camera="cam", time_us=1, track=track, data=stream)
    units = [
        unit for unit in stream.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01") if unit
    ]
    is_parameters = (
        (lambda unit: unit[0] & 31 in (7, 8))
        if codec is Codec.H264
        else (lambda unit: 32 <= unit[0] >> 1 <= 34)
    )
    parameters = tuple(unit for unit in units if is_parameters(unit))
    data = b"".join(len(unit).to_bytes(4) + unit for unit in units if not is_parameters(unit))
    track = Track(codec=codec, time_base_hz=90_000, parameter_sets=parameters, width=width, height=height)
    return LiveKeyframe(camera="cam", time_us=1, track=track, data=data)
