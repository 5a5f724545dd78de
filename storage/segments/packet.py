"""What a camera's stream is made of: tracks and packets. Shared by the sources, the recorder and the segment writer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec


class Codec(StrEnum):
    """Codecs that can be recorded without transcoding."""

    H264 = "h264"
    H265 = "h265"
    MJPEG = "mjpeg"
    AAC = "aac"
    PCMU = "pcmu"
    PCMA = "pcma"
    OPUS = "opus"
    L16 = "l16"
    """Linear PCM, 16 bit, big-endian as on the wire (RFC 3551)."""


VIDEO_CODECS = frozenset({Codec.H264, Codec.H265, Codec.MJPEG})


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """One elementary stream as it will be described in a segment's `moov`.

    A changed Track (new resolution, new codec) begins a new run; equal Tracks may share a run.
    """

    codec: Codec
    time_base_hz: int
    """Ticks per second of this track's packets: 90,000 for video, normally the sample rate for audio."""
    parameter_sets: tuple[bytes, ...] = ()
    """H.264: SPS then PPS NAL units; H.265: VPS, SPS, PPS; without start codes or lengths. Else empty."""
    config: bytes = b""
    """AAC: AudioSpecificConfig (ISO 14496-3). Opus: body of the `dOps` box (RFC 7845 in MP4). Else empty."""
    width: int = 0
    height: int = 0
    """Pixels as displayed, after cropping; 0 for audio, or for video whose size is not known yet."""
    sample_rate_hz: int = 0
    channels: int = 0

    @property
    def is_video(self) -> bool:
        return self.codec in VIDEO_CODECS


@dataclass(slots=True)
class Packet:
    """One access unit: a whole coded picture, or one audio frame. Created once, never changed, dropped after writing."""

    track: int
    """Index into the tracks announced last; the first video track is the one that rules GOPs."""
    pts_ticks: int
    """Presentation time in the track's ticks, unwrapped to 64 bits, counted from a zero that all tracks of
    the session share; starts anywhere; may go back a little in decode order (B-frames)."""
    is_keyframe: bool
    """A picture from which decoding can start; True for audio."""
    data: bytes
    """As it is stored: H.264/H.265 NAL units each behind a 4-byte big-endian length; a JPEG file; raw audio."""
    arrival_monotonic_us: int
    """Clock.monotonic_us() when its last byte was received."""
    is_discontinuity: bool = False
    """The source's timestamps jumped here (RTP time leap, camera clock reset): a new run must begin."""
