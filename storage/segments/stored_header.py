"""What a segment file says about itself: its header before the parts, and the closing index behind them.

Input is untrusted: every failure is a BoxError with its offset, and nothing is allocated on the word of a
length that the file does not hold.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass

import msgspec

from storage.segments.boxes import HEADER_BYTES, Box, BoxError, Fields, only, parse_header, walk
from storage.segments.chain import START_BOX_BYTES, ChainStart, parse_start
from storage.segments.fmp4 import MEHD_BYTES, IdentityBox
from storage.segments.identity import IDENTITY_BOX_UUID, SegmentIdentity
from storage.segments.packet import Track

_IDENTITY_BOX = msgspec.json.Decoder(IdentityBox)
_FIRST_READ_BYTES = 4096
_MAX_MOOV_BYTES = 4 * 1024 * 1024
_MAX_INDEX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """What stands before the first part."""

    identity: SegmentIdentity
    tracks: tuple[Track, ...]
    video: int
    """Index of the track that rules GOPs."""
    zeros_ticks: tuple[int, ...]
    """Where the segment's zero lies on each track's media time line, by its edit list."""
    mehd_offset_bytes: int
    duration_ticks: int | None
    """Of a closed segment; None while it is open."""
    size_bytes: int
    """Up to the first part, with the start box."""
    start: ChainStart | None = None
    """Where its hash chain begins; None for a segment recorded without one."""


def read_exactly(fd: int, size_bytes: int, offset_bytes: int) -> bytes:
    """Bytes of the file; BoxError when it ends before. Raises OSError."""
    data = os.pread(fd, size_bytes, offset_bytes)
    while len(data) < size_bytes:
        more = os.pread(fd, size_bytes - len(data), offset_bytes + len(data))
        if not more:
            raise BoxError("file ends", offset_bytes + len(data))
        data += more
    return data


def read_header(fd: int) -> SegmentHeader:
    """`ftyp`, `moov` and identity. Raises BoxError when they are not whole or not ours, OSError."""
    file_bytes = os.fstat(fd).st_size
    offset_bytes, moov = _read_box(fd, b"moov", _read_box(fd, b"ftyp", 0, file_bytes)[0], file_bytes)
    identity_offset_bytes = offset_bytes
    size_bytes, body = _read_box(fd, b"uuid", offset_bytes, file_bytes)
    if body[:16] != IDENTITY_BOX_UUID.bytes:
        raise BoxError("identity box has another UUID", identity_offset_bytes)
    try:
        content = _IDENTITY_BOX.decode(body[16:])
    except (msgspec.MsgspecError, UnicodeDecodeError, OverflowError, RecursionError) as exc:
        raise BoxError(f"identity box cannot be read: {exc}", identity_offset_bytes) from exc
    video = next((index for index, track in enumerate(content.tracks) if track.is_video), None)
    if video is None or any(track.time_base_hz <= 0 for track in content.tracks):
        raise BoxError("identity box describes no video", identity_offset_bytes)
    moov_body_offset_bytes = offset_bytes - len(moov)
    moov_boxes = list(walk(memoryview(moov), moov_body_offset_bytes))
    zeros_ticks = tuple(_zero_ticks(found) for found in moov_boxes if found.kind == b"trak")
    if len(zeros_ticks) != len(content.tracks):
        raise BoxError(
            f"{len(zeros_ticks)} tracks in moov, {len(content.tracks)} in identity", moov_body_offset_bytes
        )
    mvex = only(moov_boxes, b"mvex", moov_body_offset_bytes)
    first = next(walk(mvex.body, mvex.body_offset_bytes), None)
    if first is None or first.kind not in (b"mehd", b"free") or len(first.body) != MEHD_BYTES - HEADER_BYTES:
        raise BoxError("mvex has no place for the duration", mvex.offset_bytes)
    duration_ticks = int.from_bytes(first.body[4:], "big") if first.kind == b"mehd" else None
    start = parse_start(os.pread(fd, START_BOX_BYTES, size_bytes))
    return SegmentHeader(
        content.identity,
        content.tracks,
        video,
        zeros_ticks,
        first.offset_bytes,
        duration_ticks,
        size_bytes + (START_BOX_BYTES if start else 0),
        start,
    )


def _zero_ticks(trak: Box) -> int:
    """Media time of the one edit a segment's track may have."""
    for edts in walk(trak.body, trak.body_offset_bytes):
        if edts.kind == b"edts":
            elst = only(list(walk(edts.body, edts.body_offset_bytes)), b"elst", edts.offset_bytes)
            fields = Fields(elst.body, elst.body_offset_bytes)
            version, _ = fields.version_and_flags()
            count, _, media_ticks = fields.uint(4), fields.uint(8), fields.uint(8)
            if version != 1 or count != 1 or media_ticks >> 32:
                raise BoxError("edit list of an unknown form", elst.offset_bytes)
            return media_ticks
    return 0


def _read_box(fd: int, kind: bytes, offset_bytes: int, file_bytes: int) -> tuple[int, bytes]:
    """Where the next box begins, and the body of this one."""
    opening = os.pread(fd, _FIRST_READ_BYTES, offset_bytes)
    header = parse_header(opening, offset_bytes)
    if header is None or offset_bytes + header.size_bytes > file_bytes:
        raise BoxError(f"header is cut off in {kind.decode()!r}", offset_bytes)
    if header.kind != kind or header.size_bytes > _MAX_MOOV_BYTES:
        raise BoxError(f"{header.kind!r} of {header.size_bytes} bytes instead of {kind!r}", offset_bytes)
    data = opening[: header.size_bytes]
    if len(data) < header.size_bytes:
        data += read_exactly(fd, header.size_bytes - len(data), offset_bytes + len(data))
    return offset_bytes + header.size_bytes, data[header.header_bytes :]


def read_index(fd: int, header: SegmentHeader) -> list[tuple[int, int]] | None:
    """(time in ticks, offset of the part) of each keyframe by the closing index; None without a usable one."""
    file_bytes = os.fstat(fd).st_size
    try:
        mfra_bytes = int.from_bytes(read_exactly(fd, 4, max(file_bytes - 4, 0)), "big")
        if not 24 <= mfra_bytes <= min(file_bytes - header.size_bytes, _MAX_INDEX_BYTES):
            return None
        start = file_bytes - mfra_bytes
        mfra = only(list(walk(memoryview(read_exactly(fd, mfra_bytes, start)), start)), b"mfra", start)
        tfra = only(list(walk(mfra.body, mfra.body_offset_bytes)), b"tfra", start)
        fields = Fields(tfra.body, tfra.body_offset_bytes)
        version, _ = fields.version_and_flags()
        track, lengths, count = fields.uint(4) - 1, fields.uint(4), fields.uint(4)
        if version != 1 or track != header.video or lengths or count * 19 != fields.left_bytes:
            return None
        zero_ticks = header.zeros_ticks[header.video]
        entries = [
            (time - zero_ticks, offset)
            for time, offset, *_ in struct.iter_unpack(">QQ3s", fields.take(19 * count))
        ]
    except BoxError:
        return None
    offsets = [offset for _, offset in entries]
    is_ordered = offsets == sorted(set(offsets)) and all(header.size_bytes <= at < start for at in offsets)
    return entries if is_ordered else None
