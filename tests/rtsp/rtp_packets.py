"""Builds RTP packets and interleaved frames, for tests and benchmarks."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterable
from enum import IntEnum

H264_SPS = base64.b64decode("Z00AKZpkA8ARPyzUBAQFAAADA+gAAOpgBA==")
"""1920x1080."""
H264_PPS = base64.b64decode("aO48gA==")
H264_SETS = [H264_SPS, H264_PPS]
H264_SPS_720P = base64.b64decode("Z00AH5WoFAFuQA==")
H265_VPS = base64.b64decode("QAEMAf//AWAAAAMAsAAAAwAAAwBarAwAAAMABAAAAwAyqA==")
H265_SPS = base64.b64decode("QgEBAWAAAAMAsAAAAwAAAwBaoAWCAeFja5JFL83BQYFBAAADAAEAAAMADKE=")
H265_PPS = base64.b64decode("RAHA8saNA7NA")
H265_SETS = [H265_VPS, H265_SPS, H265_PPS]


class PayloadType(IntEnum):
    """As used here."""

    VIDEO = 96
    AUDIO = 97


def rtp(
    payload: bytes,
    sequence: int,
    timestamp: int,
    *,
    marker: bool = False,
    kind: int = 96,
    ssrc: int = 0x1234ABCD,
) -> bytes:
    """One RTP packet."""
    return (
        struct.pack("!BBHII", 0x80, kind | marker << 7, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
        + payload
    )


def interleave(packet: bytes, channel: int = 0) -> bytes:
    """One frame of RFC 2326 §10.12."""
    return struct.pack("!BBH", 0x24, channel, len(packet)) + packet


def fragment(nal: bytes, codec: str = "h264", size: int = 1386) -> list[bytes]:
    """The FU-A or FU payloads of one NAL unit."""
    if codec == "h264":
        header, kind, body = bytes((nal[0] & 0xE0 | 28,)), nal[0] & 0x1F, nal[1:]
    else:
        header, kind, body = bytes((nal[0] & 0x81 | 49 << 1, nal[1])), nal[0] >> 1 & 0x3F, nal[2:]
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return [
        header
        + bytes((kind | (0x80 if index == 0 else 0) | (0x40 if index == len(parts) - 1 else 0),))
        + part
        for index, part in enumerate(parts)
    ]


def frames_of(
    units: Iterable[tuple[int, list[bytes]]], kind: int = 96, *, channel: int = 0, sequence: int = 0
) -> list[bytes]:
    """Interleaved frames of access units (timestamp, payloads), the marker on the last payload of each."""
    frames = []
    for timestamp, payloads in units:
        for index, payload in enumerate(payloads):
            packet = rtp(payload, sequence, timestamp, marker=index == len(payloads) - 1, kind=kind)
            frames.append(interleave(packet, channel))
            sequence += 1
    return frames
