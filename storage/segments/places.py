"""Where parts lie in a segment file, and their compact form for the catalog."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from storage.errors import SegmentDamaged

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class PartPlace:
    """One part (`moof` + `mdat`) of a segment file."""

    offset_bytes: int
    """Of the `moof` in the file."""
    size_bytes: int
    start_ticks: int
    """Presentation time of the part's first video sample in decode order, from the segment's zero."""
    is_keyframe: bool
    """That sample is a keyframe."""


def encode_places(places: Iterable[PartPlace]) -> bytes:
    """One format byte, then per place three varints: offset behind the last place's end, size and keyframe bit,
    zigzag difference of the start."""
    encoded = bytearray([_FORMAT])
    end_bytes = start_ticks = 0
    for place in places:
        advance_ticks = place.start_ticks - start_ticks
        _put_varint(encoded, place.offset_bytes - end_bytes)
        _put_varint(encoded, place.size_bytes << 1 | place.is_keyframe)
        _put_varint(encoded, advance_ticks << 1 if advance_ticks >= 0 else -advance_ticks << 1 | 1)
        end_bytes, start_ticks = place.offset_bytes + place.size_bytes, place.start_ticks
    return bytes(encoded)


def decode_places(encoded: bytes) -> tuple[PartPlace, ...]:
    """Raises SegmentDamaged for bytes that `encode_places` never made. Empty bytes = no places."""
    if not encoded:
        return ()
    if encoded[0] != _FORMAT:
        raise SegmentDamaged(
            f"keyframe index of unknown format {encoded[0]}", "run `watchdeck fsck --repair`"
        )
    values = _varints(encoded)
    if len(values) % 3:
        raise SegmentDamaged("keyframe index is cut off", "run `watchdeck fsck --repair`")
    places = []
    end_bytes = start_ticks = 0
    for skip_bytes, size_and_key, zigzag in zip(values[::3], values[1::3], values[2::3], strict=True):
        offset_bytes = end_bytes + skip_bytes
        start_ticks += -(zigzag >> 1) if zigzag & 1 else zigzag >> 1
        places.append(PartPlace(offset_bytes, size_and_key >> 1, start_ticks, bool(size_and_key & 1)))
        end_bytes = offset_bytes + (size_and_key >> 1)
    return tuple(places)


def _put_varint(encoded: bytearray, value: int) -> None:
    if value < 0:
        raise ValueError("places must be in file order")
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)


def _varints(encoded: bytes) -> list[int]:
    values = []
    value = shift = 0
    for byte in encoded[1:]:
        value |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
            if shift > 63:
                raise SegmentDamaged(
                    "keyframe index holds a number too large", "run `watchdeck fsck --repair`"
                )
        else:
            values.append(value)
            value = shift = 0
    if shift:
        raise SegmentDamaged("keyframe index is cut off", "run `watchdeck fsck --repair`")
    return values
