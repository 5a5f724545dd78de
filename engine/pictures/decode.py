"""One keyframe to one decoded frame, and that frame to pixels of the wanted size. Picture worker only.

The only place where libav meets camera bytes for pictures; a frame it had to patch up is refused, because a
half-invented picture is worse evidence than none.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from engine.pictures.keyframe import KeyframeSource, LiveKeyframe
from engine.pictures.spans import SPAN_LIMIT_TICKS, Span
from storage.errors import PictureUnavailable, WatchdeckError
from storage.segments.packet import Codec, Track
from storage.segments.reader import SegmentReader

Pixels = NDArray[np.uint8]

_START_CODE = b"\x00\x00\x00\x01"
_LIBAV_NAMES = {Codec.H264: "h264", Codec.H265: "hevc", Codec.MJPEG: "mjpeg"}
_PLAUSIBLE_ASPECT = (0.4, 2.5)
"""Anything else is a slip of the camera."""
_reformatter = VideoReformatter()


@dataclass(frozen=True, slots=True)
class Keyframe:
    """A keyframe's bytes with what is needed to decode them."""

    track: Track
    data: bytes
    time_us: int
    span: Span | None = None
    """Recorded: the media times of its file that this keyframe is the answer for."""


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """A decoded picture in the camera's own colour format, not yet scaled."""

    frame: av.VideoFrame
    width_px: int
    height_px: int
    time_us: int
    pixel_aspect: float = 1.0
    """Width of a pixel by its height: older cameras send 704x576 meant for 4:3."""

    @property
    def shape_px(self) -> tuple[int, int]:
        """Width and height as it should look, with square pixels."""
        return max(1, round(self.width_px * self.pixel_aspect)), self.height_px

    def rgb(self, width_px: int, height_px: int) -> Pixels:
        """height x width x 3, scaled and converted in one pass."""
        return self._scaled(width_px, height_px, "rgb24")

    def gray(self, width_px: int, height_px: int) -> Pixels:
        """height x width brightness, 0 to 255."""
        return self._scaled(width_px, height_px, "gray")

    def _scaled(self, width_px: int, height_px: int, pixel_format: str) -> Pixels:
        shrinks = width_px < self.width_px or height_px < self.height_px
        scaled = _reformatter.reformat(
            self.frame,
            width_px,
            height_px,
            pixel_format,
            interpolation="AREA" if shrinks else "BILINEAR",
            threads=1,
        )
        return np.asarray(scaled.to_ndarray(), dtype=np.uint8)


def read_keyframe(source: KeyframeSource) -> Keyframe:
    """The bytes of a live or recorded keyframe. Raises PictureUnavailable; may block on the file's drive."""
    if isinstance(source, LiveKeyframe):
        return Keyframe(source.track, source.data, source.time_us)
    try:
        with SegmentReader.open(Path(source.path)) as reader:
            sample = reader.keyframe_before(source.media_ticks)
            is_closed = reader.is_closed
    except WatchdeckError as exc:  # not there, damaged, or its volume failed
        raise PictureUnavailable(exc.what, exc.remedy) from exc
    time_us = source.wall_us(sample.media_ticks, sample.track.time_base_hz)
    until_ticks = sample.until_ticks
    if until_ticks is None:
        # The last one holds to the end of a closed file; in a growing one another may follow any moment.
        until_ticks = SPAN_LIMIT_TICKS if is_closed else source.media_ticks + 1
    span = Span(
        start_ticks=min(sample.media_ticks, source.media_ticks),
        until_ticks=until_ticks,
        keyframe_ticks=sample.media_ticks,
    )
    return Keyframe(sample.track, sample.data, time_us, span)


def decode(keyframe: Keyframe, *, is_rough: bool = False) -> DecodedFrame:
    """Raises PictureUnavailable saying what is wrong with the frame.

    `is_rough` leaves out the smoothing of block edges, a third of the work: for pictures that only a program looks at.
    """
    track = keyframe.track
    libav_name = _LIBAV_NAMES.get(track.codec)
    if libav_name is None:
        raise PictureUnavailable(f"{track.codec} is not video")
    data = keyframe.data if track.codec == Codec.MJPEG else _annex_b(track, keyframe.data)
    context = av.CodecContext.create(libav_name, "r")
    assert isinstance(context, av.VideoCodecContext)
    context.thread_count = 1
    context.skip_frame = "NONKEY"
    if is_rough:
        context.options = {"skip_loop_filter": "all"}
    try:
        frames = context.decode(av.Packet(data))
        frames += context.decode(None)
    except (av.FFmpegError, ValueError, MemoryError) as exc:
        raise PictureUnavailable(f"the {track.codec} frame is corrupt: {exc}") from exc
    if not frames:
        raise PictureUnavailable(f"the {track.codec} frame is corrupt: it holds no picture")
    frame = frames[0]
    if frame.is_corrupt:
        raise PictureUnavailable(f"the {track.codec} frame is corrupt: parts of the picture are missing")
    aspect = float(context.sample_aspect_ratio or 1)
    if not _PLAUSIBLE_ASPECT[0] <= aspect <= _PLAUSIBLE_ASPECT[1]:
        aspect = 1.0
    return DecodedFrame(frame, frame.width, frame.height, keyframe.time_us, aspect)


def _annex_b(track: Track, data: bytes) -> bytes:
    """Stored form (4-byte lengths) to a byte stream with the parameter sets in front."""
    pieces = [piece for unit in track.parameter_sets for piece in (_START_CODE, unit)]
    offset = 0
    while offset < len(data):
        end = offset + 4 + int.from_bytes(data[offset : offset + 4])
        if end > len(data) or end == offset + 4:
            raise PictureUnavailable(
                f"the {track.codec} frame is corrupt: a NAL unit overruns it at byte {offset}"
            )
        pieces += (_START_CODE, data[offset + 4 : end])
        offset = end
    return b"".join(pieces)
