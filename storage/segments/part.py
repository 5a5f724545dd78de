"""A part: one GOP (or at most 2 s of a longer one) in memory, from packets to what one `moof`+`mdat` needs.

Called once a packet on the event loop, so `add` does nothing but append; the arithmetic is in `take`, once
a part. Not here: bytes of boxes (fmp4.py) and when to cut (the recorder).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from storage.segments.packet import Codec, Packet, Track
from storage.units import ticks_to_us

_MAX_DURATION_TICKS = 0xFFFF_FFFF
_MAX_OFFSET_TICKS = 0x7FFF_FFFF
_AAC_FRAME_TICKS = 1024
# RFC 6716, 3.1: frame size in 1/48000 s by the configuration number in the first byte.
_OPUS_FRAME_TICKS = (480, 960, 1920, 2880) * 3 + (480, 960) * 2 + (120, 240, 480, 960) * 4


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of a part, for those who want them one by one."""

    dts_ticks: int
    duration_ticks: int
    composition_offset_ticks: int
    is_keyframe: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class TrackRun:
    """The samples of one track in a part, in decode order, column by column."""

    track: int
    """Index into the tracks."""
    dts_ticks: list[int]
    """Strictly increasing, on the session's own zero."""
    durations_ticks: list[int]
    composition_offsets_ticks: list[int] | None
    """None when every sample is presented at its decode time; may be negative."""
    keyframes: list[bool] | None
    """None when every sample can be decoded by itself (audio, JPEG)."""
    sizes_bytes: list[int]
    buffers: list[bytes]
    """The samples' data in order; for audio joined into one."""

    @property
    def samples(self) -> Iterator[Sample]:
        """One by one; copies audio, not for the recording path."""
        data = self.buffers[0] if len(self.buffers) == 1 else b"".join(self.buffers)
        start = 0
        for index, size_bytes in enumerate(self.sizes_bytes):
            yield Sample(
                self.dts_ticks[index],
                self.durations_ticks[index],
                self.composition_offsets_ticks[index] if self.composition_offsets_ticks else 0,
                self.keyframes[index] if self.keyframes else True,
                data[start : start + size_bytes],
            )
            start += size_bytes


@dataclass(frozen=True, slots=True)
class Part:
    """What one `moof`+`mdat` will hold; the video run first."""

    runs: tuple[TrackRun, ...]
    bytes: int
    """Of sample data."""
    video_start_ticks: int
    """Earliest presentation time of its video, on the session's zero."""
    video_duration_ticks: int
    has_keyframe_first: bool


class PartBuilder:
    """Collects the packets of one run into parts. Event loop only; one for a run of equal tracks.

    Packets of a track come in decode order. Decode times of a part are its sorted presentation times, so
    B-frames need no look-ahead and no delay; a part must therefore be cut only where `can_cut_before` allows,
    and where it is cut nevertheless, decode times still never go back.
    """

    __slots__ = (
        "_last_dts",
        "_last_duration",
        "_max_video_pts",
        "_min_video_pts",
        "_packets",
        "_tracks",
        "_video",
        "_video_hz",
        "bytes",
    )

    def __init__(self, tracks: tuple[Track, ...]) -> None:
        video = next((index for index, track in enumerate(tracks) if track.is_video), None)
        if video is None:
            raise ValueError("a run needs a video track")
        self._tracks = tracks
        self._video = video
        self._video_hz = tracks[video].time_base_hz
        self._last_dts: list[int | None] = [None] * len(tracks)
        self._last_duration = [0] * len(tracks)
        self._clear()

    def _clear(self) -> None:
        self._packets: list[list[Packet]] = [[] for _ in self._tracks]
        self._min_video_pts: int | None = None
        self._max_video_pts = 0
        self.bytes = 0

    def add(self, packet: Packet) -> None:
        """Keep the packet for the next `take`."""
        self._packets[packet.track].append(packet)
        self.bytes += len(packet.data)
        if packet.track == self._video:
            pts = packet.pts_ticks
            if self._min_video_pts is None:
                self._min_video_pts = self._max_video_pts = pts
            elif pts > self._max_video_pts:
                self._max_video_pts = pts
            elif pts < self._min_video_pts:
                self._min_video_pts = pts

    @property
    def is_empty(self) -> bool:
        """No packet of any track."""
        return not any(self._packets)

    @property
    def has_video(self) -> bool:
        """At least one picture."""
        return self._min_video_pts is not None

    @property
    def video_span_us(self) -> int:
        """From the earliest to the latest presentation time of the pictures so far."""
        if self._min_video_pts is None:
            return 0
        return ticks_to_us(self._max_video_pts - self._min_video_pts, self._video_hz)

    def can_cut_before(self, packet: Packet) -> bool:
        """This picture is presented after all pictures of the part: it may open the next part."""
        return self._min_video_pts is not None and packet.pts_ticks > self._max_video_pts

    def take(self, next_video_pts_ticks: int | None) -> Part:
        """The part, leaving the builder empty; `next_video_pts_ticks` is of the picture that opens the next one.

        Raises ValueError when there is nothing to take.
        """
        if self.is_empty:
            raise ValueError("nothing to take")
        order = [self._video, *(index for index in range(len(self._tracks)) if index != self._video)]
        runs = tuple(
            self._run(index, next_video_pts_ticks if index == self._video else None)
            for index in order
            if self._packets[index]
        )
        size_bytes = self.bytes
        video = runs[0] if runs[0].track == self._video else None
        self._clear()
        if video is None:
            start_ticks = self._last_dts[self._video] or 0
            return Part(runs, size_bytes, start_ticks, 0, False)
        return Part(
            runs,
            size_bytes,
            video.dts_ticks[0],
            video.dts_ticks[-1] - video.dts_ticks[0] + video.durations_ticks[-1],
            video.keyframes is None or video.keyframes[0],
        )

    def _run(self, index: int, next_pts_ticks: int | None) -> TrackRun:
        packets = self._packets[index]
        track = self._tracks[index]
        pts = [packet.pts_ticks for packet in packets]
        dts = sorted(pts)
        _make_increasing(dts, self._last_dts[index])
        durations = [later - earlier for earlier, later in zip(dts, dts[1:], strict=False)]
        if durations and max(durations) > _MAX_DURATION_TICKS:
            durations = [min(duration, _MAX_DURATION_TICKS) for duration in durations]
        is_reordered = dts != pts
        previous = durations[-1] if durations else self._last_duration[index]
        durations.append(_last_duration(track, packets[-1], dts[-1], next_pts_ticks, previous, is_reordered))
        self._last_dts[index] = dts[-1]
        self._last_duration[index] = durations[-1]
        keyframes = [packet.is_keyframe for packet in packets] if track.is_video else None
        buffers = [packet.data for packet in packets]
        sizes_bytes = [len(data) for data in buffers]
        return TrackRun(
            index,
            dts,
            durations,
            [_clamped(at - decode) for at, decode in zip(pts, dts, strict=True)] if is_reordered else None,
            None if keyframes is None or all(keyframes) else keyframes,
            sizes_bytes,
            buffers if track.is_video else [b"".join(buffers)],
        )


def _make_increasing(dts: list[int], floor: int | None) -> None:
    """Each decode time at least one tick behind the one before: cameras repeat timestamps."""
    for index, value in enumerate(dts):
        if floor is not None and value <= floor:
            value = dts[index] = floor + 1
        floor = value


def _clamped(offset_ticks: int) -> int:
    return max(-_MAX_OFFSET_TICKS, min(_MAX_OFFSET_TICKS, offset_ticks))


def _last_duration(
    track: Track, packet: Packet, dts: int, next_pts: int | None, previous: int, is_reordered: bool
) -> int:
    """Of the last sample of a part, whose successor has no decode time yet."""
    if not track.is_video:
        return audio_duration_ticks(track, packet.data) or previous or 1
    if next_pts is None or next_pts <= dts:
        return previous or track.time_base_hz // 25
    duration = min(next_pts - dts, _MAX_DURATION_TICKS)
    # With B-frames the picture that opens the next part is not the first one shown after this part.
    return min(duration, previous) if is_reordered and previous else duration


def audio_duration_ticks(track: Track, data: bytes) -> int:
    """How long the packet plays by its codec, in the track's ticks; 0 when that cannot be told."""
    rate_hz = track.sample_rate_hz or track.time_base_hz
    match track.codec:
        case Codec.PCMU | Codec.PCMA:
            frames = len(data) // (track.channels or 1)
        case Codec.L16:
            frames = len(data) // (2 * (track.channels or 1))
        case Codec.AAC:
            frames = _AAC_FRAME_TICKS
        case Codec.OPUS:
            frames, rate_hz = _opus_frames(data), 48_000
        case _:
            return 0
    return frames * track.time_base_hz // rate_hz


def _opus_frames(data: bytes) -> int:
    """Length of an Opus packet in 1/48000 s (RFC 6716, 3.1 and 3.2)."""
    if not data:
        return 0
    code = data[0] & 3
    count = 1 if code == 0 else 2 if code < 3 else data[1] & 0x3F if len(data) > 1 else 0
    return _OPUS_FRAME_TICKS[data[0] >> 3] * count
