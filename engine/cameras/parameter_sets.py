"""H.264 and H.265 parameter sets: the displayed size from an SPS, and which NAL units are parameter sets at all.

Damaged sets yield None, never an exception: cameras announce rubbish and correct it in-band.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from storage.segments.parameter_sets import (
    H264_PPS,
    H264_SPS,
    H265_PPS,
    H265_SPS,
    H265_VPS,
    H264Sps,
    H265Sps,
    parse_h264_sps,
    parse_h265_sps,
)

__all__ = [
    "H264_PPS",
    "H264_SPS",
    "H265_PPS",
    "H265_SPS",
    "H265_VPS",
    "PictureSize",
    "decode_sets",
    "h264_size",
    "h264_type",
    "h265_size",
    "h265_type",
    "split_start_codes",
]

_MAX_SIDE = 16384
_START_CODE = re.compile(rb"\x00\x00\x01")


@dataclass(frozen=True, slots=True)
class PictureSize:
    """Pixels after cropping."""

    width: int
    height: int


def h264_type(nal: bytes) -> int:
    return nal[0] & 0x1F if nal and not nal[0] & 0x80 else 0


def h265_type(nal: bytes) -> int:
    return nal[0] >> 1 if len(nal) > 2 and not nal[0] & 0x80 else -1


def split_start_codes(data: bytes) -> list[bytes]:
    """The NAL units in a stretch of Annex B bytes; one without start codes is returned as it is."""
    return [nal for piece in _START_CODE.split(data) if (nal := piece.rstrip(b"\x00"))]


def decode_sets(text: str) -> list[bytes]:
    """NAL units of an sprop list: comma-separated Base64, padded with zeros or start codes by some cameras."""
    found: list[bytes] = []
    for part in text.split(","):
        cleaned = re.sub(r"[\s\"]", "", part)
        try:
            data = base64.b64decode(cleaned + "=" * (-len(cleaned) % 4), validate=True)
        except (binascii.Error, ValueError):
            continue
        found += split_start_codes(data)
    return found


def h264_size(sps: bytes) -> PictureSize | None:
    """The picture size an H.264 SPS declares; None when it cannot be read."""
    return _plausible(parse_h264_sps(sps)) if h264_type(sps) == H264_SPS else None


def h265_size(sps: bytes) -> PictureSize | None:
    """The picture size an H.265 SPS declares; None when it cannot be read."""
    return _plausible(parse_h265_sps(sps)) if h265_type(sps) == H265_SPS else None


def _plausible(sps: H264Sps | H265Sps | None) -> PictureSize | None:
    if sps is None or sps.width > _MAX_SIDE or sps.height > _MAX_SIDE:
        return None
    return PictureSize(sps.width, sps.height)
