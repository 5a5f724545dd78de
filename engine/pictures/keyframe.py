"""Which keyframe a picture is made of: one that just arrived, or one inside a segment file.

Plain values that cross the pipe to a picture worker; made by the API from the recorder or the catalog.
"""

from __future__ import annotations

import msgspec

from storage.errors import PictureUnavailable
from storage.segments.packet import Track
from storage.units import US_PER_SECOND, ticks_to_us


class LiveKeyframe(msgspec.Struct, frozen=True, kw_only=True, tag="live"):
    """The newest keyframe of a camera, still in memory."""

    camera: str
    """UUID: identity in the cache and of the camera's palette."""
    time_us: int
    """Wall time; together with `camera` it identifies the picture."""
    track: Track
    data: bytes
    """As stored: NAL units behind 4-byte lengths, or a JPEG file."""


class RecordedKeyframe(msgspec.Struct, frozen=True, kw_only=True, tag="recorded"):
    """A moment of a segment file: its keyframe, or with `exact` its picture; read by the worker itself."""

    camera: str
    path: str
    """Absolute path of the segment file; it may still be growing."""
    media_ticks: int
    """Media time inside the segment, in ticks of its video track."""
    start_us: int
    """Wall time of media time 0 of the file."""
    end_us: int
    """Wall time of its (present) end."""
    duration_ticks: int
    """Media duration up to `end_us`; 0 = unknown, then ticks are taken at their nominal length."""
    tracks: tuple[Track, ...] = ()
    """Of its run, by the catalog; empty = the file's header says."""
    places: bytes = b""
    """Where its keyframes are (storage.segments.places), by the catalog; empty = the file says."""
    file_bytes: int = 0
    """Size of a closed file by the catalog: when it has another one, `places` is not about it."""

    def wall_us(self, media_ticks: int, time_base_hz: int) -> int:
        """Wall time of a media time, on the line between the segment's two ends (the slew is in there)."""
        if self.duration_ticks <= 0 or self.end_us <= self.start_us:
            return self.start_us + ticks_to_us(media_ticks, time_base_hz)
        return self.start_us + media_ticks * (self.end_us - self.start_us) // self.duration_ticks


def ticks_at(at_us: int, *, start_us: int, end_us: int, duration_ticks: int, time_base_hz: int) -> int:
    """The last tick that `RecordedKeyframe.wall_us` places at or before that moment, so that a picture is found at its own time."""
    after_us = at_us - start_us
    if duration_ticks <= 0 or end_us <= start_us:
        return (time_base_hz * (2 * after_us + 1) - 1) // (2 * US_PER_SECOND)
    return ((after_us + 1) * duration_ticks - 1) // (end_us - start_us)


class BeyondSegment(Exception):
    """The picture before or behind is not in this segment: it is the beginning or the end of its neighbour."""


LEFT_OUT = "damaged pictures were left out"
"""Said beside the picture that a step led to."""


class Unreadable(PictureUnavailable):
    """This footage gives no picture, whoever tries: it is damaged, gone, or its volume is. The worker is well."""


KeyframeSource = LiveKeyframe | RecordedKeyframe


def keyframe_name(source: KeyframeSource) -> str:
    """For error messages: names the thing, not the camera (the caller knows its name)."""
    if isinstance(source, LiveKeyframe):
        return f"the live keyframe of {source.time_us} us ({source.track.codec}, {len(source.data)} bytes)"
    return f"{source.path} at tick {source.media_ticks}"
