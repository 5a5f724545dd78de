"""What a demo camera can be told to do wrong, while it runs. Each switch is one failure seen in the field."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Garbage(StrEnum):
    """Kinds of nonsense a camera can send instead of video."""

    PAYLOAD = "payload"
    """Well-formed RTP with random payloads."""
    RTP = "rtp"
    """Interleaved frames that hold no RTP."""
    FRAMING = "framing"
    """Random bytes on the connection."""


@dataclass(slots=True)
class Faults:
    """Switches of one camera; change them at any time, they count from the next frame or request."""

    is_stalled: bool = False
    """Connections stay, requests are answered, no more packets."""
    is_deaf: bool = False
    """Requests are read and never answered."""
    garbage: Garbage | None = None
    refuse_status: int = 0
    """DESCRIBE is answered with this RTSP status (404, 453, 503 ...); 0 = served."""
    hangs_up: bool = False
    """The connection is closed at the first request that names the camera."""
    wrong_password: bool = False
    """No password is right any more."""
    size_px: tuple[int, int] = (640, 360)
    """Of the pictures from the next frame on; width 80 n, height 45 n so that the time code stays readable."""
    time_leap_ms: int = 0
    """Added to the RTP timestamps once, then reset to 0."""
    lose_every: int = 0
    """Every n-th RTP packet is not sent; 0 = none lost."""
