"""JPEG pictures as RTP payloads (RFC 2435): headers that every player knows are left out, quantisers go along with each picture. Pure.

    for payload, is_last in jpeg_payloads(picture): ...

A picture that RTP cannot carry gives none: progressive, another colour sampling than 4:2:0 and 4:2:2, Huffman tables of its own, more
than 2040 pixels, or damaged. The other way round: engine/cameras/mjpeg.py.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.cameras.mjpeg import STANDARD_HUFFMAN
from engine.links.rtp_packets import PAYLOAD_LIMIT_BYTES

LARGEST_PX = 2040
_BLOCK_PX = 8
_KINDS = {0x21: 0, 0x22: 1}
"""Sampling of the luma to the RTP type: 4:2:2 and 4:2:0."""
_WITH_RESTARTS = 64
_TABLES_IN_BAND = 255
_WHOLE_PICTURE = 0xFFFF
"""Of restart intervals: not cut between packets on purpose."""
_OFFSET_LIMIT = 1 << 24
_SOI, _EOI, _SOF, _DHT, _SOS, _DQT, _DRI = 0xD8, 0xD9, 0xC0, 0xC4, 0xDA, 0xDB, 0xDD
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length."""


@dataclass(slots=True)
class _Picture:
    kind: int = -1
    width_blocks: int = 0
    height_blocks: int = 0
    luma_table: int = -1
    chroma_table: int = -1
    quantisers: dict[int, bytes] = field(default_factory=dict)
    huffman: dict[int, bytes] = field(default_factory=dict)
    restart_interval: int = 0
    scan: memoryview = field(default_factory=lambda: memoryview(b""))


def fits_rtp(width_px: int, height_px: int) -> bool:
    """Its size can be said in the header."""
    return all(0 < side <= LARGEST_PX and side % _BLOCK_PX == 0 for side in (width_px, height_px))


def is_carried(data: bytes) -> bool:
    """RTP can carry this picture."""
    return next(jpeg_payloads(data), None) is not None


def jpeg_payloads(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """Payloads of one picture and whether each is the last."""
    try:
        picture = _parsed(memoryview(data))
    except (IndexError, struct.error):
        return
    if picture is None:
        return
    tables = picture.quantisers[picture.luma_table], picture.quantisers[picture.chroma_table]
    precision = sum((len(table) == 128) << number for number, table in enumerate(tables))
    kind = picture.kind + (_WITH_RESTARTS if picture.restart_interval else 0)
    restarts = (
        struct.pack(">HH", picture.restart_interval, _WHOLE_PICTURE) if picture.restart_interval else b""
    )
    first = struct.pack(">BBH", 0, precision, sum(map(len, tables))) + b"".join(tables)
    offset = 0
    while offset < len(picture.scan):
        head = struct.pack(
            ">IBBBB", offset, kind, _TABLES_IN_BAND, picture.width_blocks, picture.height_blocks
        )
        head += restarts + (first if offset == 0 else b"")
        piece = picture.scan[offset : offset + PAYLOAD_LIMIT_BYTES - len(head)]
        offset += len(piece)
        yield head + piece, offset == len(picture.scan)


def _parsed(data: memoryview) -> _Picture | None:
    """Raises IndexError and struct.error for what ends in the middle."""
    if data[:2] != bytes((0xFF, _SOI)):
        return None
    picture, at = _Picture(), 2
    while True:
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # filling
            at += 1
            continue
        at += 2
        if marker in _ALONE:
            continue
        (length,) = struct.unpack_from(">H", data, at)
        body = data[at + 2 : at + length]
        if length < 2 or len(body) != length - 2:
            return None
        at += length
        if marker == _SOS:
            picture.scan = _without_end(data[at:])
            return picture if _is_carried(picture) else None
        if marker == _DQT:
            _take_tables(body, picture.quantisers)
        elif marker == _DHT:
            _take_huffman(body, picture.huffman)
        elif marker == _DRI:
            (picture.restart_interval,) = struct.unpack_from(">H", body)
        elif marker == _SOF:
            _take_frame(body, picture)
        elif marker == _EOI or 0xC1 <= marker <= 0xCF:  # another process than baseline, or arithmetic coding
            return None


def _take_frame(body: memoryview, picture: _Picture) -> None:
    depth, height_px, width_px, components = struct.unpack_from(">BHHB", body)
    if depth != 8 or components != 3 or not fits_rtp(width_px, height_px):
        return
    (_, luma, luma_table, _, blue, blue_table, _, red, red_table) = body[6:15]
    if blue == red == 0x11 and blue_table == red_table:
        picture.kind = _KINDS.get(luma, -1)
    picture.luma_table, picture.chroma_table = luma_table, blue_table
    picture.width_blocks, picture.height_blocks = width_px // _BLOCK_PX, height_px // _BLOCK_PX


def _take_tables(body: memoryview, quantisers: dict[int, bytes]) -> None:
    at = 0
    while at < len(body):
        size_bytes = 128 if body[at] >> 4 else 64
        quantisers[body[at] & 15] = bytes(body[at + 1 : at + 1 + size_bytes])
        at += 1 + size_bytes


def _take_huffman(body: memoryview, huffman: dict[int, bytes]) -> None:
    at = 0
    while at < len(body):
        size_bytes = 16 + sum(body[at + 1 : at + 17])
        huffman[body[at]] = bytes(body[at + 1 : at + 1 + size_bytes])
        at += 1 + size_bytes


def _is_carried(picture: _Picture) -> bool:
    tables = [picture.quantisers.get(number, b"") for number in (picture.luma_table, picture.chroma_table)]
    return (
        picture.kind >= 0
        and all(len(table) in (64, 128) for table in tables)
        # Without any, as some cameras send them, the same are meant.
        and all(STANDARD_HUFFMAN.get(which) == table for which, table in picture.huffman.items())
        and 0 < len(picture.scan) < _OFFSET_LIMIT
    )


def _without_end(scan: memoryview) -> memoryview:
    """Up to its end marker: what some cameras write behind it is no picture."""
    end = bytes(scan).rfind(bytes((0xFF, _EOI)))
    return scan if end < 0 else scan[:end]
