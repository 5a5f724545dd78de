"""A camera's live packets as RTP for one player: payloads, timestamps, sender reports. Pure, no sockets.

Media time of the tap is the same zero for all tracks; each track gets a random offset of its own (RFC 3550, 5.1).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator

from engine.links.rtp_jpeg import jpeg_payloads
from engine.links.rtp_packets import (
    RtpStream,
    aac_payload,
    audio_pieces,
    h264_payloads,
    h265_payloads,
)
from engine.links.sdp_text import RtpTrack
from storage.segments.packet import Codec, Packet, Track
from storage.units import US_PER_SECOND

REPORT_US = 5 * US_PER_SECOND


class RtpSender:
    """Turns packets into RTP of the tracks that were set up."""

    def __init__(self, tracks: tuple[Track, ...], sent: Iterable[RtpTrack]) -> None:
        self._tracks = tracks
        self._streams = {
            track.index: RtpStream(
                secrets.randbits(32),
                track.payload_type,
                track.clock_hz,
                secrets.randbits(16),
                secrets.randbits(32),
            )
            for track in sent
        }
        self._reported_us: dict[int, int] = {}

    def packets(self, packet: Packet, now_us: int) -> Iterator[tuple[int, bool, bytes]]:
        """(track, is RTCP, bytes) for one packet of the tap; nothing for a track that was not set up."""
        stream = self._streams.get(packet.track)
        if stream is None:
            return
        track = self._tracks[packet.track]
        ticks = packet.pts_ticks * stream.clock_hz // track.time_base_hz
        if now_us - self._reported_us.get(packet.track, -REPORT_US) >= REPORT_US:
            self._reported_us[packet.track] = now_us
            yield packet.track, True, stream.sender_report(ticks, now_us)
        match track.codec:
            case Codec.H264 | Codec.H265:
                units = stored_units(packet.data)
                if packet.is_keyframe:
                    units = _with_parameter_sets(track, units)
                cut = h264_payloads if track.codec is Codec.H264 else h265_payloads
                for payload, is_last in cut(units):
                    yield packet.track, False, stream.packet(payload, ticks, is_last)
            case Codec.MJPEG:
                for payload, is_last in jpeg_payloads(packet.data):
                    yield packet.track, False, stream.packet(payload, ticks, is_last)
            case Codec.PCMU | Codec.PCMA | Codec.L16:
                frame_bytes = (2 if track.codec is Codec.L16 else 1) * (track.channels or 1)
                for before, payload in audio_pieces(packet.data, frame_bytes):
                    yield packet.track, False, stream.packet(payload, ticks + before, False)
            case Codec.AAC:
                yield packet.track, False, stream.packet(aac_payload(packet.data), ticks, True)
            case _:
                yield packet.track, False, stream.packet(packet.data, ticks, False)


def stored_units(data: bytes) -> tuple[bytes, ...]:
    """NAL units of a picture as it is stored, each behind a 4-byte length."""
    units = []
    at = 0
    while at + 4 <= len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4])
        units.append(data[at + 4 : end])
        at = end
    return tuple(units)


def _with_parameter_sets(track: Track, units: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """In front of every keyframe: players may come in at any."""
    present = set(units[: 2 * len(track.parameter_sets)])
    return tuple(unit for unit in track.parameter_sets if unit not in present) + units
