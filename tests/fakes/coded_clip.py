"""Recordings whose every picture says when it was filmed: real streams with the demo's time code, in a catalog and on a volume."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import av
import numpy as np
from av.codec.context import Flags
from PIL import Image

from engine import wire
from engine.api.handlers_pictures import picture_of
from engine.api.services import Services
from engine.background import in_background
from engine.demo.time_code import draw_time_code, read_time_code
from engine.pictures.service import PictureService
from storage.catalog.changes import BeginRun, Change, CloseSegment, GrowSegment, OpenSegment
from storage.catalog.records import Camera
from storage.segments.packet import Codec, Packet, Track
from storage.segments.part import Part
from storage.segments.places import encode_places
from storage.segments.writer import SegmentWriter
from storage.units import ticks_to_us
from tests.fakes.encoded_video import nal_units, with_lengths
from tests.fakes.segment_files import identity, parts_of, write_segment
from tests.fakes.station import FakeStation

VIDEO_HZ = 90_000
START_US = 1_790_000_000_000_000
"""Wall time of the first picture of a clip."""
WIDTH, HEIGHT = 320, 180


@dataclass(frozen=True)
class Clip:
    """One encoded run."""

    track: Track
    packets: tuple[Packet, ...]
    frame_us: int
    times_us: tuple[int, ...]
    """What the time code of each picture says, in order of presentation."""


@cache
def clip(
    kind: str,
    frames: int = 100,
    gop: int = 25,
    *,
    start_us: int = START_US,
    rate: int = 25,
    is_open_gop: bool = False,
) -> Clip:
    """Kinds: h264, h264_b, h265, h265_b, mjpeg."""
    family = kind.partition("_")[0]
    name, codec = {
        "h264": ("libx264", Codec.H264),
        "h265": ("libx265", Codec.H265),
        "mjpeg": ("mjpeg", Codec.MJPEG),
    }[family]
    context: Any = av.CodecContext.create(name, "w")
    context.width, context.height = WIDTH, HEIGHT
    context.time_base, context.framerate = Fraction(1, rate), Fraction(rate)
    context.pix_fmt = "yuvj420p" if family == "mjpeg" else "yuv420p"
    b_frames = 3 if kind.endswith("_b") else 0
    common = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:open-gop={int(is_open_gop)}"
    if family != "mjpeg":
        context.flags |= Flags.global_header
    if family == "h264":
        context.options = {"preset": "veryfast", "x264-params": f"{common}:threads=1"}
    elif family == "h265":
        context.options = {
            "preset": "ultrafast",
            "x265-params": f"{common}:pools=none:frame-threads=1:log-level=none",
        }
    else:
        context.options = {"qmin": "2", "qmax": "2"}
    made = []
    times_us = tuple(start_us + number * 1_000_000 // rate for number in range(frames))
    for number, time_us in enumerate(times_us):
        frame = _picture(number, time_us).reformat(format=context.pix_fmt)
        frame.pts, frame.time_base = number, context.time_base
        made += context.encode(frame)
    made += context.encode(None)
    sets = tuple(nal for nal in nal_units(bytes(context.extradata or b"")) if _is_set(family, nal))
    track = Track(codec=codec, time_base_hz=VIDEO_HZ, parameter_sets=sets, width=WIDTH, height=HEIGHT)
    packets = []
    for order, packet in enumerate(made):
        data = bytes(packet)
        if family != "mjpeg":
            data = with_lengths([nal for nal in nal_units(data) if not _is_set(family, nal)])
        pts_ticks = 10_000_000 + packet.pts * VIDEO_HZ // rate
        packets.append(Packet(0, pts_ticks, bool(packet.is_keyframe), data, order * 1_000_000 // rate))
    return Clip(track, tuple(packets), 1_000_000 // rate, times_us)


def _picture(number: int, time_us: int) -> av.VideoFrame:
    luma = np.full((HEIGHT, WIDTH), 90, dtype=np.uint8)
    luma[:, (number * 5) % WIDTH : (number * 5) % WIDTH + 20] = 200
    draw_time_code(luma, time_us // 1000)
    gray = np.concatenate([luma, np.full((HEIGHT // 2, WIDTH), 128, dtype=np.uint8)])
    return av.VideoFrame.from_ndarray(gray, format="yuv420p")


def _is_set(family: str, nal: bytes) -> bool:
    return nal[0] & 0x1F in {7, 8} if family == "h264" else nal[0] >> 1 & 0x3F in {32, 33, 34}


def filmed_us(reply: wire.PictureReply) -> int | None:
    """What the picture itself says, to the millisecond."""
    time_ms = read_time_code(np.asarray(Image.open(io.BytesIO(reply.data)).convert("L")))
    return None if time_ms is None else time_ms * 1000


@dataclass
class Recorded:
    """A camera with recordings, and real picture workers."""

    camera: Camera
    volume_id: int
    root: Path
    services: Services
    pictures: PictureService
    _sequence: int = 0

    async def run(
        self,
        coded: Clip,
        *,
        seconds_a_segment: float = 2.0,
        part_us: int = 1_500_000,
        start_us: int | None = None,
        stretch: float = 1.0,
        is_indexed: bool = True,
        is_last_open: bool = False,
    ) -> list[Path]:
        """Write the clip as one run; the last segment may stay open. `stretch`: wall time of a media second."""
        run, at_us = uuid4(), coded.times_us[0] if start_us is None else start_us
        parts = parts_of((coded.track,), coded.packets, part_us)
        await self._apply(BeginRun(run, self.camera.id, at_us, (coded.track,)))
        paths = []
        groups = _segments(parts, seconds_a_segment)
        for sequence, group in enumerate(groups):
            relative = f"cam/{run}-{sequence}.mp4"
            who = identity(sequence, at_us, run)
            await self._apply(OpenSegment(run, sequence, self.volume_id, relative, at_us))
            if is_last_open and sequence == len(groups) - 1:
                writer = SegmentWriter.create(self.root, relative, who, (coded.track,))
                for part in group:
                    writer.append(part)
                ticks = writer.video_duration_ticks
                at_us += round(ticks_to_us(ticks, VIDEO_HZ) * stretch)
                await self._apply(GrowSegment(run, sequence, at_us, ticks, writer.bytes_written))
                paths.append(writer.path)
                continue
            path, summary = write_segment(self.root, relative, (coded.track,), group, who=who)
            at_us += round(ticks_to_us(summary.video_duration_ticks, VIDEO_HZ) * stretch)
            places = encode_places(summary.keyframes) if is_indexed else b""
            await self._apply(
                CloseSegment(run, sequence, at_us, summary.video_duration_ticks, summary.bytes, places)
            )
            paths.append(path)
        return paths

    async def _apply(self, *changes: Change) -> None:
        await self.services.catalog.write("apply", list(changes))

    async def ask(self, at_us: int, **options: Any) -> wire.PictureReply:
        """A JPEG of the coded size."""
        request = wire.PictureRequest(camera=self.camera.name, at_us=at_us, **options)
        return await picture_of(self.services, request)

    async def walk(self, at_us: int, step: int, count: int, **options: Any) -> list[wire.PictureReply]:
        """Step by step from the picture at that moment."""
        replies = []
        for _ in range(count):
            reply = await self.ask(at_us, step=step, **options)
            replies.append(reply)
            at_us = reply.time_us
        return replies


def _segments(parts: Sequence[Part], seconds: float) -> list[list[Part]]:
    groups: list[list[Part]] = []
    ticks = 0
    for part in parts:
        if not groups or (part.has_keyframe_first and ticks >= seconds * VIDEO_HZ):
            groups.append([])
            ticks = 0
        groups[-1].append(part)
        ticks += part.video_duration_ticks
    return groups


@asynccontextmanager
async def recorded(station: FakeStation, folder: Path, **options: Any) -> AsyncIterator[Recorded]:
    """Behind a station of fakes: real segments, catalog and picture workers."""
    added = await station.client.add_camera(wire.CameraAdd(name="Gate", url="rtsp://192.0.2.1/a"))
    root = folder / "v"
    volume = await station.client.add_volume(
        wire.VolumeAdd(name="Disk", path=str(root), allow_system_disk=True)
    )
    camera: Camera = await station.catalog.read("camera", UUID(added.uuid))
    pictures = PictureService(station.clock, **({"workers": 1} | options))
    async with in_background(pictures=pictures.run):
        services = replace(station.services, pictures=pictures)
        yield Recorded(camera, volume.id, root, services, pictures)
