"""RTP and RTCP packets as a server sends them (RFC 3550), of whole pictures and audio frames. Pure functions and one counter class.

H.264: RFC 6184; H.265: RFC 7798; AAC: RFC 3640; G.711 and L16: RFC 3551; Opus: RFC 7587.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from storage.units import US_PER_SECOND

VIDEO_CLOCK_HZ = 90_000
VIDEO_PAYLOAD_TYPE = 96
AUDIO_PAYLOAD_TYPE = 0
PAYLOAD_LIMIT_BYTES = 1400
_FU_A = 28
_FU_H265 = 49
_NTP_EPOCH_OFFSET_S = 2_208_988_800
"""From 1900 to 1970."""


class RtpStream:
    """Sequence numbers, timestamps and sender reports of one track. Shared by all clients of the camera."""

    def __init__(self, ssrc: int, payload_type: int, clock_hz: int, sequence: int, timestamp: int) -> None:
        self.ssrc = ssrc
        self.clock_hz = clock_hz
        self.sequence = sequence & 0xFFFF
        """Of the next packet."""
        self.timestamp_offset = timestamp
        self._payload_type = payload_type
        self._packets = 0
        self._payload_bytes = 0

    def timestamp(self, ticks: int) -> int:
        return (self.timestamp_offset + ticks) & 0xFFFFFFFF

    def packet(self, payload: bytes, ticks: int, is_last: bool) -> bytes:
        header = struct.pack(
            ">BBHII",
            0x80,
            self._payload_type | (is_last << 7),
            self.sequence,
            self.timestamp(ticks),
            self.ssrc,
        )
        self.sequence = (self.sequence + 1) & 0xFFFF
        self._packets += 1
        self._payload_bytes += len(payload)
        return header + payload

    def sender_report(self, ticks: int, time_us: int) -> bytes:
        """RTCP SR with an SDES CNAME: says which wall time an RTP timestamp is."""
        seconds, us = divmod(time_us, US_PER_SECOND)
        report = struct.pack(
            ">BBHIIIIII",
            0x80,
            200,
            6,
            self.ssrc,
            (seconds + _NTP_EPOCH_OFFSET_S) & 0xFFFFFFFF,
            (us << 32) // US_PER_SECOND,
            self.timestamp(ticks),
            self._packets & 0xFFFFFFFF,
            self._payload_bytes & 0xFFFFFFFF,
        )
        name = b"watchdeck"
        item = struct.pack(">IBB", self.ssrc, 1, len(name)) + name
        item += bytes(4 - len(item) % 4)
        return report + struct.pack(">BBH", 0x81, 202, len(item) // 4) + item


def h264_payloads(units: tuple[bytes, ...]) -> Iterator[tuple[bytes, bool]]:
    """RTP payloads of one access unit and whether each is the last: single NAL units, FU-A for large ones."""
    for number, unit in enumerate(units):
        is_last_unit = number == len(units) - 1
        if len(unit) <= PAYLOAD_LIMIT_BYTES:
            yield unit, is_last_unit
            continue
        indicator, kind = bytes(((unit[0] & 0xE0) | _FU_A,)), unit[0] & 0x1F
        for piece, header, is_end in _fragments(unit, 1, kind):
            yield indicator + header + piece, is_last_unit and is_end


def h265_payloads(units: tuple[bytes, ...]) -> Iterator[tuple[bytes, bool]]:
    """As h264_payloads, with the two-byte NAL unit header of H.265 and its fragmentation units (RFC 7798, 4.4.3)."""
    for number, unit in enumerate(units):
        is_last_unit = number == len(units) - 1
        if len(unit) <= PAYLOAD_LIMIT_BYTES:
            yield unit, is_last_unit
            continue
        head = bytes(((unit[0] & 0x81) | _FU_H265 << 1, unit[1]))
        for piece, header, is_end in _fragments(unit, 2, unit[0] >> 1 & 0x3F):
            yield head + header + piece, is_last_unit and is_end


def _fragments(unit: bytes, start: int, kind: int) -> Iterator[tuple[bytes, bytes, bool]]:
    """Pieces of a NAL unit without its header, each with its fragmentation header and whether it is the last."""
    room = PAYLOAD_LIMIT_BYTES - 3
    begins = range(start, len(unit), room)
    for begin in begins:
        is_end = begin == begins[-1]
        header = kind | (0x80 if begin == start else 0) | (0x40 if is_end else 0)
        yield unit[begin : begin + room], bytes((header,)), is_end


def aac_payload(frame: bytes) -> bytes:
    """One access unit in mode AAC-hbr: a 13-bit size, a 3-bit index (RFC 3640, 3.3.6). Larger than 8191 bytes it never is."""
    return struct.pack(">HH", 16, len(frame) << 3 & 0xFFFF) + frame


def audio_pieces(frame: bytes, frame_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Samples that may be cut anywhere between two frames of so many bytes: (frames before, payload)."""
    room = PAYLOAD_LIMIT_BYTES // frame_bytes * frame_bytes
    for start in range(0, len(frame), room):
        yield start // frame_bytes, frame[start : start + room]


def interleaved(channel: int, packet: bytes) -> bytes:
    """RFC 2326 section 10.12 framing on the RTSP connection."""
    return struct.pack(">BBH", 0x24, channel, len(packet)) + packet
