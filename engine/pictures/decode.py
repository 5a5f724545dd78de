"""One keyframe to one decoded frame. Picture worker only.

With gop_decoder.py the only place where libav meets camera bytes for pictures; a frame it had to patch up is refused,
because a half-invented picture is worse evidence than none.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import av
from av.codec.context import Flags

from engine.pictures.keyframe import KeyframeSource, LiveKeyframe, RecordedKeyframe
from engine.pictures.picture import DecodedFrame as DecodedFrame
from engine.pictures.picture import Pixels as Pixels
from engine.pictures.picture import plausible_aspect
from engine.pictures.recorded_files import RecordedFiles
from engine.pictures.spans import SPAN_LIMIT_TICKS, Span
from storage.errors import PictureUnavailable, SegmentDamaged, VolumeError
from storage.segments.gops import GopFile, ShownKeyframe
from storage.segments.packet import Codec, Track

T = TypeVar("T")

PARTS_LIMIT = 64
"""Damaged parts one after the other that a step leaves out."""
_START_CODE = b"\x00\x00\x00\x01"
_LIBAV_NAMES = {Codec.H264: "h264", Codec.H265: "hevc", Codec.MJPEG: "mjpeg"}
_LOWRES_LIMIT = 3
"""libav decodes JPEG at 1/2, 1/4 or 1/8 of its size, at a fraction of the work."""


@dataclass(frozen=True, slots=True)
class Keyframe:
    """A keyframe's bytes with what is needed to decode them."""

    track: Track
    data: bytes
    time_us: int
    span: Span | None = None
    """Recorded: the media times of its file that this keyframe is the answer for."""
    until_us: int | None = None
    """Recorded: wall time of the next one in its file."""
    pts_ticks: int = 0
    """Recorded: where it is in its file."""
    leaves_out: bool = False
    """Recorded, stepped to: something between could not be read."""


class BeyondFile(Exception):
    """The picture before or behind is not in this file."""


def read_keyframe(source: KeyframeSource, files: RecordedFiles | None = None, step: int = 0) -> Keyframe:
    """The bytes of a live or recorded keyframe; with a step, of the one before or behind it.

    Raises PictureUnavailable, BeyondFile; may block on the file's drive.
    """
    if isinstance(source, LiveKeyframe):
        return Keyframe(source.track, source.data, source.time_us)

    def find(file: GopFile) -> tuple[Track, ShownKeyframe | None, bool, bool]:
        found, leaves_out = past_damage(file, source.media_ticks, step, file.keyframe)
        return file.track, found, leaves_out, file.is_closed

    track, found, leaves_out, is_closed = (files or RecordedFiles()).look(source, find)
    if found is None:
        raise BeyondFile
    span = None if step else span_of(source, found.pts_ticks, found.until_ticks, is_closed=is_closed)
    return Keyframe(
        track,
        found.data,
        source.wall_us(found.pts_ticks, track.time_base_hz),
        span,
        None if found.until_ticks is None else source.wall_us(found.until_ticks, track.time_base_hz),
        found.pts_ticks,
        leaves_out,
    )


def past_damage(file: GopFile, media_ticks: int, step: int, find: Callable[[int, int], T]) -> tuple[T, bool]:
    """What `find` (GopFile.keyframe, GopFile.frame) finds there; a step goes on over parts that cannot be read, and says so.

    Raises SegmentDamaged and VolumeError when there is no step, or nothing behind can be read.
    """
    try:
        return find(media_ticks, step), False
    except (SegmentDamaged, VolumeError):
        for start_ticks in islice(file.starts_beside(media_ticks, step), PARTS_LIMIT if step else 0):
            with suppress(SegmentDamaged, VolumeError):
                return find(start_ticks, 0), True
        raise


def span_of(source: RecordedKeyframe, pts_ticks: int, until_ticks: int | None, *, is_closed: bool) -> Span:
    """The moments for which this picture is the answer."""
    if until_ticks is None:
        # The last one holds to the end of a closed file; in a growing one another may follow any moment.
        until_ticks = SPAN_LIMIT_TICKS if is_closed else source.media_ticks + 1
    return Span(
        start_ticks=min(pts_ticks, source.media_ticks), until_ticks=until_ticks, keyframe_ticks=pts_ticks
    )


def open_decoder(track: Track, *, is_reordered: bool = False, lowres: int = 0) -> av.VideoCodecContext:
    """One thread, and no delay where pictures are shown as they are coded. Raises PictureUnavailable."""
    libav_name = _LIBAV_NAMES.get(track.codec)
    if libav_name is None:
        raise PictureUnavailable(f"{track.codec} is not video")
    context = av.CodecContext.create(libav_name, "r")
    assert isinstance(context, av.VideoCodecContext)
    context.thread_count = 1
    if not is_reordered:
        context.flags |= Flags.low_delay
    elif track.codec is Codec.H264:
        # Streams that do not say how far they are reordered: wait rather than guess and drop.
        context.options = {"strict": "1"}
    if lowres:
        context.options = {"lowres": str(lowres)}
    return context


def decode(keyframe: Keyframe, *, is_rough: bool = False, wanted_px: int = 0) -> DecodedFrame:
    """Raises PictureUnavailable saying what is wrong with the frame.

    `is_rough` leaves out the smoothing of block edges, a third of the work: for small pictures, and those that only a
    program looks at. A rough JPEG is decoded at the least size that is at least `wanted_px` wide (0 = as coded).
    """
    track = keyframe.track
    lowres = _lowres(track, wanted_px) if is_rough else 0
    context = open_decoder(track, lowres=lowres)
    context.skip_frame = "NONKEY"
    if is_rough and not lowres:
        context.options = {"skip_loop_filter": "all"}
    try:
        frames = context.decode(av.Packet(coded_bytes(track, keyframe.data, with_parameters=True)))
        frames += context.decode(None)
    except (av.FFmpegError, ValueError, MemoryError) as exc:
        raise PictureUnavailable(f"the {track.codec} frame is corrupt: {exc}") from exc
    if not frames:
        raise PictureUnavailable(f"the {track.codec} frame is corrupt: it holds no picture")
    frame = frames[0]
    if frame.is_corrupt:
        raise PictureUnavailable(f"the {track.codec} frame is corrupt: parts of the picture are missing")
    width_px, height_px = (track.width, track.height) if lowres else (frame.width, frame.height)
    return decoded_frame(context, frame, keyframe.time_us, width_px, height_px)


def decoded_frame(
    context: av.VideoCodecContext, frame: av.VideoFrame, time_us: int, width_px: int = 0, height_px: int = 0
) -> DecodedFrame:
    aspect = plausible_aspect(float(context.sample_aspect_ratio or 1))
    return DecodedFrame(frame, width_px or frame.width, height_px or frame.height, time_us, aspect)


def _lowres(track: Track, wanted_px: int) -> int:
    """Halvings at which a JPEG is still large enough; 0 for codecs that know none."""
    if track.codec is not Codec.MJPEG or not wanted_px or not track.width or not track.height:
        return 0
    return next(
        (halvings for halvings in range(_LOWRES_LIMIT, 0, -1) if track.width >> halvings >= wanted_px), 0
    )


def coded_bytes(track: Track, data: bytes, *, with_parameters: bool) -> bytes:
    """Stored form (4-byte lengths) to a byte stream, with the parameter sets in front where wanted; a JPEG as it is."""
    if track.codec is Codec.MJPEG:
        return data
    sets = track.parameter_sets if with_parameters else ()
    pieces = [piece for unit in sets for piece in (_START_CODE, unit)]
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
