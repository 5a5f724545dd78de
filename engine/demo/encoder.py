"""A scene as H.264: one frame at a time, cheap enough for eight cameras beside everything else.

Constrained baseline without B-frames, one keyframe a second with its parameter sets in band, as plain cameras do.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

from engine.demo.scene import HEIGHT_PX, WIDTH_PX, Scene
from engine.demo.sprite import Plane, Planes

FRAMES_PER_SECOND = 10
FRAME_US = 1_000_000 // FRAMES_PER_SECOND
_BITRATE_BPS = 400_000
_SPS, _PPS = 7, 8


@dataclass(frozen=True, slots=True)
class CodedFrame:
    """One access unit: its NAL units without start codes."""

    units: tuple[bytes, ...]
    is_keyframe: bool


class SceneEncoder:
    """Draws and encodes one scene. Not shared between tasks; about 2 ms of CPU a frame."""

    def __init__(self, scene: Scene, width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX) -> None:
        self._scene = scene
        self.width_px = width_px
        self.height_px = height_px
        self._frames = 0
        context = av.CodecContext.create("libx264", "w")
        assert isinstance(context, av.VideoCodecContext)
        context.width, context.height = width_px, height_px
        context.pix_fmt = "yuv420p"
        context.time_base = Fraction(1, FRAMES_PER_SECOND)
        context.framerate = Fraction(FRAMES_PER_SECOND)
        context.gop_size = FRAMES_PER_SECOND
        context.bit_rate = _BITRATE_BPS * width_px * height_px // (WIDTH_PX * HEIGHT_PX)
        context.thread_count = 1
        context.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "profile": "baseline",
            # Keyframes at a fixed beat; a rate cap of one GOP keeps still night scenes from being starved.
            "x264-params": f"scenecut=0:keyint={FRAMES_PER_SECOND}:min-keyint={FRAMES_PER_SECOND}:sliced-threads=0",
        }
        self._context = context

    def encode(self, time_us: int) -> CodedFrame:
        """The scene at a moment, which is also its time code."""
        frame = av.VideoFrame(WIDTH_PX, HEIGHT_PX, "yuv420p")
        self._scene.draw(Planes(*(_writable(plane) for plane in frame.planes)), time_us)
        if (self.width_px, self.height_px) != (WIDTH_PX, HEIGHT_PX):
            frame = frame.reformat(self.width_px, self.height_px, "yuv420p", interpolation="AREA", threads=1)
        frame.pts = self._frames
        frame.time_base = Fraction(1, FRAMES_PER_SECOND)
        self._frames += 1
        packets = self._context.encode(frame)
        units = tuple(unit for packet in packets for unit in _nal_units(bytes(packet)))
        return CodedFrame(units, any(packet.is_keyframe for packet in packets))


def parameter_sets(scene: Scene, width_px: int, height_px: int) -> tuple[bytes, bytes]:
    """SPS and PPS that every encoder of this size produces, for the session description."""
    units = SceneEncoder(scene, width_px, height_px).encode(0).units
    by_type = {unit[0] & 31: unit for unit in units}
    return by_type[_SPS], by_type[_PPS]


def _writable(plane: av.video.plane.VideoPlane) -> Plane:
    """The frame's own memory as an array; lines may be padded."""
    memory: Plane = np.frombuffer(memoryview(plane), dtype=np.uint8)  # not a copy
    lines: Plane = memory.reshape(plane.height, plane.line_size)[:, : plane.width]
    return lines


def _nal_units(stream: bytes) -> list[bytes]:
    """Annex B byte stream to NAL units; zeros before a start code belong to it."""
    return [unit.rstrip(b"\x00") for unit in stream.split(b"\x00\x00\x01") if unit.strip(b"\x00")]
