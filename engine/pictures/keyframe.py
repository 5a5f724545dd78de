"""Which keyframe a picture is made of: one that just arrived, or one inside a segment file.

Plain values that cross the pipe to a picture worker; made by the API from the recorder or the catalog.
"""

from __future__ import annotations

import msgspec

from storage.segments.packet import Track
from storage.units import ticks_to_us


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
    """The keyframe at or before a media time of a segment, read by the worker itself."""

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

    def wall_us(self, media_ticks: int, time_base_hz: int) -> int:
        """Wall time of a media time, on the line between the segment's two ends (the slew is in there)."""
        if self.duration_ticks <= 0 or self.end_us <= self.start_us:
            return self.start_us + ticks_to_us(media_ticks, time_base_hz)
        return self.start_us + media_ticks * (self.end_us - self.start_us) // self.duration_ticks


KeyframeSource = LiveKeyframe | RecordedKeyframe


def keyframe_name(source: KeyframeSource) -> str:
    """For error messages: names the thing, not the camera (the caller knows its name)."""
    if isinstance(source, LiveKeyframe):
        return f"the live keyframe of {source.time_us} us ({source.track.codec}, {len(source.data)} bytes)"
    return f"{source.path} at tick {source.media_ticks}"
