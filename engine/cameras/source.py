"""Where packets come from: one interface for the native RTSP client, PyAV and test fakes.

A source is one attempt at one session with one camera. It pushes into a sink from the event loop; the sink
never blocks and never raises. Deciding whether and when to try again is the session's business, not the source's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from storage.segments.packet import Packet, Track


class PacketSink(Protocol):
    """Receives what a source produces, on the event loop."""

    def tracks_changed(self, tracks: tuple[Track, ...]) -> None:
        """Called once before the first packet, and again before the first keyframe that needs new tracks."""
        ...

    def packet(self, packet: Packet) -> None: ...

    def frames_lost(self, detail: str) -> None:
        """RTP loss or damage: the source drops up to the next video keyframe by itself."""
        ...


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """What a source needs to know to fetch one stream."""

    url: str
    """Without credentials."""
    user: str = ""
    password: str = field(default="", repr=False)
    wants_audio: bool = True
    transport: str = "auto"
    verify_tls: bool = False
    connect_timeout_ms: int = 10_000
    stall_timeout_ms: int = 10_000
    """No video packet for this long ends the session with CameraStalled."""


class PacketSource(Protocol):
    """One session with a camera."""

    async def run(self, sink: PacketSink) -> None:
        """Connect, then push packets until the session ends. Cancel to stop (TEARDOWN is attempted, bounded).

        Raises CameraUnreachable, CameraRefused, CameraStalled, CameraProtocolError or CameraUnsupported;
        returns normally only when the stream ends by itself (a file).
        """
        ...
