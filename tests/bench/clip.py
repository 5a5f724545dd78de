"""The benchmarks' camera: 1080p, 25 pictures a second, 4 Mbit/s, a keyframe every 2 s; encoded once and kept."""

from __future__ import annotations

import os
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT, FPS, SECONDS, BITRATE_BPS = 1920, 1080, 25, 10, 4_000_000


def clip_path() -> Path:
    """An Annex B H.264 file; made on first use (some 20 s of CPU)."""
    path = Path(tempfile.gettempdir()) / f"watchdeck-bench-{os.getuid()}-1080p25-4M.h264"
    if not path.exists():
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(encode())
        temporary.rename(path)
    return path


def encode() -> bytes:
    """Moving blocks over noise: hard enough that the encoder spends its whole rate."""
    random = np.random.default_rng(1)
    noise = random.integers(0, 60, (HEIGHT + 256, WIDTH + 256, 3), dtype=np.uint8)
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    codec.time_base, codec.framerate, codec.bit_rate = Fraction(1, FPS), FPS, BITRATE_BPS
    codec.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "x264-params": f"nal-hrd=cbr:vbv-maxrate={BITRATE_BPS // 1000}:vbv-bufsize={BITRATE_BPS // 1000}"
        f":keyint={2 * FPS}:scenecut=0:sliced-threads=0",
    }
    out = bytearray()
    for number in range(FPS * SECONDS):
        picture = noise[
            number % 256 : number % 256 + HEIGHT, (2 * number) % 256 : (2 * number) % 256 + WIDTH
        ].copy()
        picture[100:400, 4 * number : 4 * number + 300] = (40, 180, 90)
        for packet in codec.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
            out += bytes(packet)
    for packet in codec.encode(None):
        out += bytes(packet)
    return bytes(out)
