"""Sample entries: how each codec is described in `stsd`. Used by segments and by exports.

Video: `avc1`+`avcC` and `hvc1`+`hvcC` (ISO/IEC 14496-15), JPEG as `mp4v`+`esds` with object type 0x6C.
Audio: `mp4a`+`esds` (AAC), `Opus`+`dOps`, `ulaw`, `alaw`, `twos` (16-bit big-endian PCM): the forms that
ffmpeg, VLC, QuickTime and browsers read where they have the codec at all.
"""

from __future__ import annotations

import struct

from storage.segments.boxes import box, full_box
from storage.segments.packet import Codec, Track
from storage.segments.parameter_sets import (
    H264_PPS,
    H264_PROFILES_WITH_CHROMA,
    H264_SPS,
    H264_SPS_EXTENSION,
    H265_PPS,
    H265_SPS,
    H265_VPS,
    H265Sps,
    h264_nal_type,
    h265_nal_type,
    parse_h264_sps,
    parse_h265_sps,
)

_AAC_OBJECT_TYPE = 0x40
_JPEG_OBJECT_TYPE = 0x6C
_MAX_U16 = 0xFFFF
_VISUAL_STREAM = 4
_AUDIO_STREAM = 5
_RESOLUTION_72_DPI = 0x00480000


def sample_entry(track: Track) -> bytes:
    """The box that describes the track inside `stsd`."""
    match track.codec:
        case Codec.H264:
            # Without parameter sets in the entry they must be in the stream, which `avc3` says.
            kind = b"avc1" if track.parameter_sets else b"avc3"
            return _visual(kind, track, box(b"avcC", avc_configuration(track.parameter_sets)))
        case Codec.H265:
            kind = b"hvc1" if track.parameter_sets else b"hev1"
            return _visual(kind, track, box(b"hvcC", hevc_configuration(track.parameter_sets)))
        case Codec.MJPEG:
            return _visual(b"mp4v", track, _esds(_JPEG_OBJECT_TYPE, _VISUAL_STREAM, b""))
        case Codec.AAC:
            return _audio(b"mp4a", track, _esds(_AAC_OBJECT_TYPE, _AUDIO_STREAM, track.config))
        case Codec.OPUS:
            return _audio(b"Opus", track, box(b"dOps", track.config or _default_dops(track)))
        case Codec.PCMU:
            return _audio(b"ulaw", track)
        case Codec.PCMA:
            return _audio(b"alaw", track)
        case Codec.L16:
            return _audio(b"twos", track)


def display_size(track: Track) -> tuple[int, int]:
    """Width and height as announced, else from the SPS, else 0."""
    if 0 < track.width <= _MAX_U16 and 0 < track.height <= _MAX_U16:
        return track.width, track.height
    if track.codec is Codec.H264:
        for nal in track.parameter_sets:
            if h264_nal_type(nal) == H264_SPS and (avc := parse_h264_sps(nal)):
                return avc.width, avc.height
    if track.codec is Codec.H265:
        for nal in track.parameter_sets:
            if h265_nal_type(nal) == H265_SPS and (hevc := parse_h265_sps(nal)):
                return hevc.width, hevc.height
    return 0, 0


def avc_configuration(parameter_sets: tuple[bytes, ...]) -> bytes:
    """AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1), NAL lengths of 4 bytes."""
    parameter_sets = _describable(parameter_sets)
    sps = [nal for nal in parameter_sets if h264_nal_type(nal) == H264_SPS][:31]
    pps = [nal for nal in parameter_sets if h264_nal_type(nal) == H264_PPS][:255]
    extensions = [nal for nal in parameter_sets if h264_nal_type(nal) == H264_SPS_EXTENSION][:255]
    first = sps[0] if sps else b""
    profile, compatibility, level = first[1:4] if len(first) >= 4 else b"\x42\x00\x1e"
    record = bytes([1, profile, compatibility, level, 0xFC | 3, 0xE0 | len(sps)])
    record += b"".join(map(_with_length, sps)) + bytes([len(pps)]) + b"".join(map(_with_length, pps))
    parsed = parse_h264_sps(first) if profile in H264_PROFILES_WITH_CHROMA else None
    if parsed:
        record += bytes(
            [
                0xFC | parsed.chroma_format,
                0xF8 | parsed.luma_bits - 8,
                0xF8 | parsed.chroma_bits - 8,
                len(extensions),
            ]
        )
        record += b"".join(map(_with_length, extensions))
    return record


def hevc_configuration(parameter_sets: tuple[bytes, ...]) -> bytes:
    """HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1), arrays complete, NAL lengths of 4 bytes."""
    parameter_sets = _describable(parameter_sets)
    arrays = [
        (kind, [nal for nal in parameter_sets if h265_nal_type(nal) == kind])
        for kind in (H265_VPS, H265_SPS, H265_PPS)
    ]
    arrays = [(kind, nals) for kind, nals in arrays if nals]
    sps = next((nal for nal in parameter_sets if h265_nal_type(nal) == H265_SPS), b"")
    # Main profile, level 4.1, stands in for a set that cannot be understood; decoders read the set itself.
    fallback = H265Sps(bytes.fromhex("016000000000000000000000")[:11] + b"\x7b", 1, True, 1, 8, 8, 0, 0)
    parsed = parse_h265_sps(sps) or fallback
    record = struct.pack(
        ">B12sHBBBBHB",
        1,
        parsed.profile_tier_level,
        0xF000,  # min_spatial_segmentation_idc: unknown
        0xFC,  # parallelismType: unknown
        0xFC | parsed.chroma_format,
        0xF8 | parsed.luma_bits - 8,
        0xF8 | parsed.chroma_bits - 8,
        0,  # avgFrameRate: unspecified
        parsed.temporal_layers << 3 | parsed.is_temporal_nested << 2 | 3,
    )
    record += bytes([len(arrays)])
    for kind, nals in arrays:
        record += struct.pack(">BH", 0x80 | kind, len(nals)) + b"".join(map(_with_length, nals))
    return record


def _describable(parameter_sets: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Without sets no decoder would take, whose length does not fit its field: a broken camera's."""
    return tuple(nal for nal in parameter_sets if len(nal) <= _MAX_U16)


def _with_length(nal: bytes) -> bytes:
    return struct.pack(">H", len(nal)) + nal


def _visual(kind: bytes, track: Track, configuration: bytes) -> bytes:
    width, height = display_size(track)
    return box(
        kind,
        struct.pack(">6xH16x", 1),
        struct.pack(">HHIIIH32sHh", width, height, _RESOLUTION_72_DPI, _RESOLUTION_72_DPI, 0, 1, b"", 24, -1),
        configuration,
    )


def _audio(kind: bytes, track: Track, configuration: bytes = b"") -> bytes:
    rate_hz = 48_000 if track.codec is Codec.OPUS else track.sample_rate_hz or track.time_base_hz
    # The field is 16.16 fixed point; a rate that does not fit is in the codec's own configuration.
    fixed_rate = rate_hz << 16 if rate_hz <= 0xFFFF else 0
    return box(
        kind,
        struct.pack(">6xH8x", 1),
        struct.pack(">HHHHI", min(track.channels or 1, _MAX_U16), 16, 0, 0, fixed_rate),
        configuration,
    )


def _esds(object_type: int, stream_type: int, specific: bytes) -> bytes:
    """ES_Descriptor (ISO/IEC 14496-1, 7.2.6.5) with decoder and sync-layer configuration."""
    decoder = struct.pack(">BB3sII", object_type, stream_type << 2 | 1, b"\0\0\0", 0, 0)
    if specific:
        decoder += _descriptor(0x05, specific)
    body = struct.pack(">HB", 0, 0) + _descriptor(0x04, decoder) + _descriptor(0x06, b"\x02")
    return full_box(b"esds", 0, 0, _descriptor(0x03, body))


def _descriptor(tag: int, content: bytes) -> bytes:
    """Tag and a length in four 7-bit groups, as most writers do."""
    size = len(content)
    groups = [size >> 21 & 0x7F | 0x80, size >> 14 & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size & 0x7F]
    return bytes([tag, *groups]) + content


def _default_dops(track: Track) -> bytes:
    """`dOps` for a stream that announced none: no pre-skip (RTP has none), mapping family 0."""
    return struct.pack(">BBHIhB", 0, track.channels or 2, 0, track.sample_rate_hz or 48_000, 0, 0)
