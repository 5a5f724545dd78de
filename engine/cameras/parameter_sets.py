"""H.264 and H.265 parameter sets: the displayed size from an SPS, and which NAL units are parameter sets at all.

Damaged sets yield None, never an exception: cameras announce rubbish and correct it in-band.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from engine.cameras.bits import BitReader, OutOfBits, unescape

H264_SPS, H264_PPS = 7, 8
H265_VPS, H265_SPS, H265_PPS = 32, 33, 34

_MAX_SIDE = 16384
_CHROMA_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
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
    if h264_type(sps) != H264_SPS:
        return None
    try:
        return _h264_size(BitReader(unescape(sps[1:256])))
    except OutOfBits:
        return None


def _h264_size(bits: BitReader) -> PictureSize | None:
    profile = bits.read(8)
    bits.skip(16)
    bits.ue()
    chroma_format, is_separate_plane = 1, False
    if profile in _CHROMA_PROFILES:
        chroma_format = bits.ue()
        if chroma_format > 3:
            return None
        is_separate_plane = chroma_format == 3 and bits.flag()
        bits.ue()
        bits.ue()
        bits.skip(1)
        if bits.flag():
            _skip_scaling_lists(bits, 8 if chroma_format != 3 else 12)
    bits.ue()
    order_type = bits.ue()
    if order_type == 0:
        bits.ue()
    elif order_type == 1:
        bits.skip(1)
        bits.se()
        bits.se()
        for _ in range(_bounded(bits.ue(), 255)):
            bits.se()
    bits.ue()
    bits.skip(1)
    width = (bits.ue() + 1) * 16
    map_units = bits.ue() + 1
    frame_only = bits.flag()
    height = map_units * 16 * (1 if frame_only else 2)
    if not frame_only:
        bits.skip(1)
    bits.skip(1)
    if bits.flag():
        left, right, top, bottom = bits.ue(), bits.ue(), bits.ue(), bits.ue()
        array_type = 0 if is_separate_plane else chroma_format
        unit_x = 2 if array_type in (1, 2) else 1
        unit_y = (2 if array_type == 1 else 1) * (1 if frame_only else 2)
        width -= (left + right) * unit_x
        height -= (top + bottom) * unit_y
    return _plausible(width, height)


def _skip_scaling_lists(bits: BitReader, count: int) -> None:
    for index in range(count):
        if not bits.flag():
            continue
        last = following = 8
        for _ in range(16 if index < 6 else 64):
            if following:
                following = (last + bits.se()) % 256
            last = following or last


def h265_size(sps: bytes) -> PictureSize | None:
    """The picture size an H.265 SPS declares; None when it cannot be read."""
    if h265_type(sps) != H265_SPS:
        return None
    try:
        return _h265_size(BitReader(unescape(sps[2:256])))
    except OutOfBits:
        return None


def _h265_size(bits: BitReader) -> PictureSize | None:
    bits.skip(4)
    sub_layers = bits.read(3)
    bits.skip(1)
    _skip_profile_tier_level(bits, sub_layers)
    bits.ue()
    chroma_format = bits.ue()
    if chroma_format > 3:
        return None
    is_separate_plane = chroma_format == 3 and bits.flag()
    width, height = bits.ue(), bits.ue()
    if bits.flag():
        left, right, top, bottom = bits.ue(), bits.ue(), bits.ue(), bits.ue()
        array_type = 0 if is_separate_plane else chroma_format
        width -= (left + right) * (2 if array_type in (1, 2) else 1)
        height -= (top + bottom) * (2 if array_type == 1 else 1)
    return _plausible(width, height)


def _skip_profile_tier_level(bits: BitReader, sub_layers: int) -> None:
    bits.skip(88)
    bits.skip(8)
    present = [(bits.flag(), bits.flag()) for _ in range(sub_layers)]
    if sub_layers:
        bits.skip(2 * (8 - sub_layers))
    for has_profile, has_level in present:
        bits.skip(88 * has_profile + 8 * has_level)


def _bounded(value: int, largest: int) -> int:
    if value > largest:
        raise OutOfBits
    return value


def _plausible(width: int, height: int) -> PictureSize | None:
    if 0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE:
        return PictureSize(width, height)
    return None
