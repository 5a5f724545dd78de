"""Boxes of ISO/IEC 14496-12: building them from bytes and walking them in bytes. Knows no box's meaning.

Parsing is of untrusted bytes: every length is checked against what is there, and every failure is a
BoxError with the offset, which the reader turns into SegmentDamaged.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

HEADER_BYTES = 8
LARGE_HEADER_BYTES = 16


class BoxError(ValueError):
    """Bytes that are not the expected boxes; `offset_bytes` is absolute when the caller said where they lie."""

    def __init__(self, what: str, offset_bytes: int) -> None:
        super().__init__(what)
        self.what = what
        self.offset_bytes = offset_bytes


def box(kind: bytes, *content: bytes) -> bytes:
    """A box with a 32-bit size."""
    return struct.pack(">I4s", HEADER_BYTES + sum(map(len, content)), kind) + b"".join(content)


def full_box(kind: bytes, version: int, flags: int, *content: bytes) -> bytes:
    """A box that opens with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *content)


@dataclass(frozen=True, slots=True)
class Box:
    """A box found in bytes: its kind, where its body lies in those bytes, and where it lies in the file."""

    kind: bytes
    body: memoryview
    offset_bytes: int
    """Of the box's header in the file."""
    body_offset_bytes: int
    """Of the body in the file."""


@dataclass(frozen=True, slots=True)
class BoxHeader:
    """Kind and extent of a box whose body may not have been read."""

    kind: bytes
    header_bytes: int
    size_bytes: int
    """Header and body."""


def parse_header(data: bytes | memoryview, offset_bytes: int) -> BoxHeader | None:
    """The header at the start of `data`; None when it is not whole yet.

    A size of 0 ("to the end of the file") is refused: a segment never has one, a zero-filled tail looks so.
    """
    if len(data) < HEADER_BYTES:
        return None
    size_bytes, kind = struct.unpack_from(">I4s", data)
    header_bytes = HEADER_BYTES
    if size_bytes == 1:
        if len(data) < LARGE_HEADER_BYTES:
            return None
        (size_bytes,) = struct.unpack_from(">Q", data, HEADER_BYTES)
        header_bytes = LARGE_HEADER_BYTES
    if size_bytes < header_bytes:
        raise BoxError(f"box {kind!r} claims {size_bytes} bytes", offset_bytes)
    return BoxHeader(kind, header_bytes, size_bytes)


def walk(data: memoryview, offset_bytes: int) -> Iterator[Box]:
    """The boxes that fill `data` exactly; `offset_bytes` is where `data` lies in the file."""
    position = 0
    while position < len(data):
        here = offset_bytes + position
        header = parse_header(data[position:], here)
        if header is None or position + header.size_bytes > len(data):
            raise BoxError("box is cut off", here)
        body_start, body_end = position + header.header_bytes, position + header.size_bytes
        yield Box(header.kind, data[body_start:body_end], here, here + header.header_bytes)
        position = body_end


def only(boxes: list[Box], kind: bytes, offset_bytes: int) -> Box:
    """The one box of that kind."""
    found = [candidate for candidate in boxes if candidate.kind == kind]
    if len(found) != 1:
        raise BoxError(f"{len(found)} boxes {kind.decode('latin-1')!r} where one is expected", offset_bytes)
    return found[0]


class Fields:
    """Reads big-endian integers from a body, in order; BoxError when it is too short."""

    __slots__ = ("_body", "_offset_bytes", "position")

    def __init__(self, body: memoryview, offset_bytes: int) -> None:
        self._body = body
        self._offset_bytes = offset_bytes
        self.position = 0

    def take(self, size_bytes: int) -> memoryview:
        """The next bytes as they are."""
        end = self.position + size_bytes
        if end > len(self._body):
            raise BoxError("box is too short", self._offset_bytes + self.position)
        taken = self._body[self.position : end]
        self.position = end
        return taken

    def uint(self, size_bytes: int) -> int:
        """The next unsigned integer."""
        return int.from_bytes(self.take(size_bytes), "big")

    def version_and_flags(self) -> tuple[int, int]:
        """The opening of a full box."""
        word = self.uint(4)
        return word >> 24, word & 0xFFFFFF

    @property
    def left_bytes(self) -> int:
        return len(self._body) - self.position
