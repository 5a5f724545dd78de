"""What a segment's header must know of H.264 and H.265 sequence parameter sets (ITU-T H.264 7.3.2.1.1, H.265 7.3.2.2).

Parsing is lenient: cameras send sets with wrong trailing bits, and a set that cannot be understood must not
stop a recording; then the caller gets None and writes what can be said without it.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.segments.bits import BitReader, OutOfBits, unescape

H264_SPS, H264_PPS, H264_SPS_EXTENSION = 7, 8, 13
H265_VPS, H265_SPS, H265_PPS = 32, 33, 34

H264_PROFILES_WITH_CHROMA = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_SPS_BYTES = 1024
"""Any real one is far shorter; whatever a camera sends instead is not worth reading."""
_SUB_WIDTH = {0: 1, 1: 2, 2: 2, 3: 1}
_SUB_HEIGHT = {0: 1, 1: 2, 2: 1, 3: 1}


@dataclass(frozen=True, slots=True)
class H264Sps:
    """Fields of an H.264 SPS that `avcC` and the sample entry carry."""

    chroma_format: int
    luma_bits: int
    chroma_bits: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class H265Sps:
    """Fields of an H.265 SPS that `hvcC` and the sample entry carry."""

    profile_tier_level: bytes
    """The 12 bytes of general profile, compatibility, constraints and level, as in the SPS."""
    temporal_layers: int
    is_temporal_nested: bool
    chroma_format: int
    luma_bits: int
    chroma_bits: int
    width: int
    height: int


def h264_nal_type(nal: bytes) -> int:
    """nal_unit_type of an H.264 NAL unit."""
    return nal[0] & 0x1F if nal else 0


def h265_nal_type(nal: bytes) -> int:
    """nal_unit_type of an H.265 NAL unit."""
    return nal[0] >> 1 & 0x3F if nal else 0


def parse_h264_sps(nal: bytes) -> H264Sps | None:
    """None when the set ends early or makes no sense."""
    try:
        return _h264_sps(BitReader(unescape(nal[1:_SPS_BYTES])))
    except OutOfBits:
        return None


def parse_h265_sps(nal: bytes) -> H265Sps | None:
    """None when the set ends early or makes no sense."""
    try:
        return _h265_sps(unescape(nal[2:_SPS_BYTES]))
    except OutOfBits:
        return None


def _skip_scaling_list(bits: BitReader, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _h264_sps(bits: BitReader) -> H264Sps:
    profile = bits.read(8)
    bits.read(16)  # constraint flags, level
    bits.ue()
    chroma_format, luma_bits, chroma_bits = 1, 8, 8
    is_separate_plane = 0
    if profile in H264_PROFILES_WITH_CHROMA:
        chroma_format = bits.ue()
        if chroma_format == 3:
            is_separate_plane = bits.read(1)
        luma_bits, chroma_bits = 8 + bits.ue(), 8 + bits.ue()
        bits.read(1)
        if bits.read(1):
            for index in range(12 if chroma_format == 3 else 8):
                if bits.read(1):
                    _skip_scaling_list(bits, 16 if index < 6 else 64)
    bits.ue()  # log2_max_frame_num
    order_type = bits.ue()
    if order_type == 0:
        bits.ue()
    elif order_type == 1:
        bits.read(1)
        bits.se()
        bits.se()
        for _ in range(min(bits.ue(), 256)):
            bits.se()
    bits.ue()  # max_num_ref_frames
    bits.read(1)
    width, map_units = 16 * (bits.ue() + 1), bits.ue() + 1
    is_frame_only = bits.read(1)
    height = 16 * map_units * (2 - is_frame_only)
    if not is_frame_only:
        bits.read(1)
    bits.read(1)  # direct_8x8_inference
    if bits.read(1):
        left, right, top, bottom = bits.ue(), bits.ue(), bits.ue(), bits.ue()
        array_type = 0 if is_separate_plane else chroma_format
        width -= (left + right) * _SUB_WIDTH.get(array_type, 1)
        height -= (top + bottom) * _SUB_HEIGHT.get(array_type, 1) * (2 - is_frame_only)
    if chroma_format > 3 or luma_bits > 14 or chroma_bits > 14 or not _is_sane_size(width, height):
        raise OutOfBits
    return H264Sps(chroma_format, luma_bits, chroma_bits, width, height)


def _h265_sps(data: bytes) -> H265Sps:
    bits = BitReader(data)
    bits.read(4)
    sub_layers = bits.read(3)
    is_nested = bool(bits.read(1))
    profile_tier_level = bits.read(96).to_bytes(12, "big")
    present = [(bits.read(1), bits.read(1)) for _ in range(sub_layers)]
    if sub_layers:
        bits.read(2 * (8 - sub_layers))
    for has_profile, has_level in present:
        bits.read(88 * has_profile)
        bits.read(8 * has_level)
    bits.ue()
    chroma_format = bits.ue()
    is_separate_plane = bits.read(1) if chroma_format == 3 else 0
    width, height = bits.ue(), bits.ue()
    if bits.read(1):
        left, right, top, bottom = bits.ue(), bits.ue(), bits.ue(), bits.ue()
        array_type = 0 if is_separate_plane else chroma_format
        width -= (left + right) * _SUB_WIDTH.get(array_type, 1)
        height -= (top + bottom) * _SUB_HEIGHT.get(array_type, 1)
    luma_bits, chroma_bits = 8 + bits.ue(), 8 + bits.ue()
    if chroma_format > 3 or luma_bits > 15 or chroma_bits > 15 or not _is_sane_size(width, height):
        raise OutOfBits
    return H265Sps(
        profile_tier_level, sub_layers + 1, is_nested, chroma_format, luma_bits, chroma_bits, width, height
    )


def _is_sane_size(width: int, height: int) -> bool:
    return 0 < width <= 0xFFFF and 0 < height <= 0xFFFF
