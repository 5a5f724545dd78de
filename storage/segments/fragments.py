"""Understands the parts of a segment file as fmp4.py writes them, and finds the whole ones. Reads by descriptor.

Input is untrusted: a bit may have flipped, a crash may have torn the file anywhere. Every failure is a BoxError
with its offset; nothing is allocated on the word of a length that the file does not hold.
"""

from __future__ import annotations

import os
import struct
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from storage.segments.boxes import (
    HEADER_BYTES,
    LARGE_HEADER_BYTES,
    BoxError,
    Fields,
    only,
    parse_header,
    walk,
)
from storage.segments.chain import END_BOX_BYTES, LINK_BOX_BYTES
from storage.segments.fmp4 import (
    NON_SYNC_FLAGS,
    SYNC_FLAGS,
    TFHD_BASE_IS_MOOF,
    TFHD_DEFAULT_DURATION,
    TFHD_DEFAULT_FLAGS,
    TFHD_DEFAULT_SIZE,
    TRUN_DATA_OFFSET,
    TRUN_DURATION,
    TRUN_FIRST_FLAGS,
    TRUN_FLAGS,
    TRUN_OFFSET,
    TRUN_SIZE,
)
from storage.segments.packet import Track
from storage.segments.places import PartPlace
from storage.segments.stored_header import SegmentHeader, read_exactly
from storage.segments.stored_header import read_header as read_header  # one import for who reads both

_FIRST_READ_BYTES = 4096
_MAX_MOOF_BYTES = 64 * 1024 * 1024
_MAX_SAMPLES = 1 << 20
_IS_NON_SYNC = 0x1_0000
_TFHD_FLAGS = TFHD_BASE_IS_MOOF | TFHD_DEFAULT_DURATION | TFHD_DEFAULT_SIZE | TFHD_DEFAULT_FLAGS
_TRUN_FLAGS = TRUN_DATA_OFFSET | TRUN_FIRST_FLAGS | TRUN_DURATION | TRUN_SIZE | TRUN_FLAGS | TRUN_OFFSET


class TimeLines(Protocol):
    """What of a segment's header is needed to understand its parts."""

    @property
    def tracks(self) -> tuple[Track, ...]: ...

    @property
    def video(self) -> int: ...

    @property
    def zeros_ticks(self) -> tuple[int, ...]: ...


@dataclass(frozen=True, slots=True)
class StoredRun:
    """The samples of one track in a stored part, in decode order; their data lies in one stretch of the file."""

    track: int
    decode_ticks: int
    """From the segment's zero; audio may begin a little before it."""
    durations_ticks: list[int]
    sizes_bytes: list[int]
    composition_offsets_ticks: list[int] | None
    keyframes: list[bool] | None
    """None when all are."""
    data_offset_bytes: int
    """In the file."""
    data_bytes: int

    @property
    def end_ticks(self) -> int:
        """Decode time at which the run ends."""
        return self.decode_ticks + sum(self.durations_ticks)

    def is_keyframe(self, index: int) -> bool:
        """Of the sample."""
        return self.keyframes is None or self.keyframes[index]

    def times_ticks(self) -> list[int]:
        """Presentation time of each sample."""
        times = []
        decode = self.decode_ticks
        for duration in self.durations_ticks:
            times.append(decode)
            decode += duration
        if self.composition_offsets_ticks:
            return [at + offset for at, offset in zip(times, self.composition_offsets_ticks, strict=True)]
        return times


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A whole part of a segment file."""

    place: PartPlace
    runs: tuple[StoredRun, ...]

    def run_of(self, track: int) -> StoredRun | None:
        """The track's samples in this part."""
        return next((run for run in self.runs if run.track == track), None)


class TailKind(Enum):
    """How the stretch of whole parts ends."""

    END = "end of file"
    INDEX = "index"
    TORN = "torn"
    """The last box is not all there: a crash, or a part that is just being written."""
    DAMAGED = "damaged"
    """Bytes that no writer of segments put there."""


@dataclass(frozen=True, slots=True)
class Tail:
    """What follows the last whole part."""

    kind: TailKind
    offset_bytes: int
    what: str = ""


# -- parts -----------------------------------------------------------------------------------------------


class PartScan:
    """Iterates over the whole parts from an offset on; afterwards `tail` says what follows them.

    Reads `moof` boxes only, and steps over the links of the hash chain. The file's size is taken when the scan begins,
    so a growing file is no trouble.
    """

    def __init__(self, fd: int, header: SegmentHeader, offset_bytes: int) -> None:
        self._fd = fd
        self._header = header
        self._file_bytes = os.fstat(fd).st_size
        self.offset_bytes = offset_bytes
        """Of the next part, or of what follows the last whole one."""
        self.tail: Tail | None = None
        self.end_box = b""
        """What closes the hash chain, once it was come by."""
        self._is_behind_part = offset_bytes > header.size_bytes

    def __iter__(self) -> Iterator[StoredPart]:
        while self.tail is None:
            try:
                part = self._next()
            except BoxError as exc:
                self.tail = Tail(TailKind.DAMAGED, exc.offset_bytes, exc.what)
                return
            if part is None:
                return
            self.offset_bytes += part.place.size_bytes
            self._is_behind_part = True
            yield part

    def _next(self) -> StoredPart | None:
        offset_bytes = self.offset_bytes
        if offset_bytes >= self._file_bytes:
            self.tail = Tail(TailKind.END, offset_bytes)
            return None
        opening = os.pread(self._fd, min(_FIRST_READ_BYTES, self._file_bytes - offset_bytes), offset_bytes)
        header = parse_header(opening, offset_bytes)
        if header is None:
            self.tail = Tail(TailKind.TORN, offset_bytes, "box header is cut off")
            return None
        left_bytes = self._file_bytes - offset_bytes
        if header.kind == b"uuid":
            if header.size_bytes > left_bytes:
                self.tail = Tail(TailKind.TORN, offset_bytes, "link is cut off")
                return None
            self._step_over(header.size_bytes, opening)
            return self._next()
        if header.kind == b"mfra":
            is_whole = header.size_bytes <= left_bytes
            self.tail = Tail(TailKind.INDEX if is_whole else TailKind.TORN, offset_bytes, "index")
            return None
        if self.end_box or header.kind != b"moof" or header.size_bytes > _MAX_MOOF_BYTES:
            raise BoxError(f"{header.kind!r} of {header.size_bytes} bytes instead of a part", offset_bytes)
        if header.size_bytes + HEADER_BYTES > left_bytes:
            self.tail = Tail(TailKind.TORN, offset_bytes, "moof is cut off")
            return None
        part = _parse_part(self._fd, self._header, offset_bytes, opening, left_bytes)
        if part is None:
            self.tail = Tail(TailKind.TORN, offset_bytes, "mdat is cut off")
        return part

    def _step_over(self, size_bytes: int, opening: bytes) -> None:
        """One link behind a part, or the end of the chain: whether they are right is not asked here. Else BoxError."""
        if size_bytes == LINK_BOX_BYTES and self._is_behind_part:
            self._is_behind_part = False
        elif size_bytes == END_BOX_BYTES and not self.end_box:
            self.end_box = opening[:END_BOX_BYTES]
        else:
            raise BoxError(f"uuid box of {size_bytes} bytes instead of a part", self.offset_bytes)
        self.offset_bytes += size_bytes


def read_part(fd: int, header: SegmentHeader, offset_bytes: int) -> StoredPart:
    """The part whose `moof` is there. Raises BoxError when there is none or it is not whole, OSError."""
    left_bytes = os.fstat(fd).st_size - offset_bytes
    if offset_bytes < header.size_bytes or left_bytes < HEADER_BYTES:
        raise BoxError("no part is there", offset_bytes)
    opening = os.pread(fd, min(_FIRST_READ_BYTES, left_bytes), offset_bytes)
    return part_in(opening, fd, header, offset_bytes, left_bytes)


def part_in(opening: bytes, fd: int, lines: TimeLines, offset_bytes: int, left_bytes: int) -> StoredPart:
    """The part of which `opening` is the beginning; `left_bytes` of the file follow `offset_bytes`. Raises as read_part."""
    found = parse_header(opening, offset_bytes)
    if found is None or found.kind != b"moof" or not found.size_bytes <= min(left_bytes, _MAX_MOOF_BYTES):
        raise BoxError("no part is there", offset_bytes)
    part = _parse_part(fd, lines, offset_bytes, opening, left_bytes)
    if part is None:
        raise BoxError("part is cut off", offset_bytes)
    return part


def _parse_part(
    fd: int, header: TimeLines, offset_bytes: int, opening: bytes, left_bytes: int
) -> StoredPart | None:
    """The part at the offset, whose `moof` is known to be whole; None when its `mdat` is not."""
    (moof_bytes,) = struct.unpack_from(">I", opening)
    if moof_bytes < 2 * HEADER_BYTES:  # 1 = a 64-bit size, which no part needs
        raise BoxError("moof with an unusable size", offset_bytes)
    wanted_bytes = min(moof_bytes + LARGE_HEADER_BYTES, left_bytes)
    if len(opening) < wanted_bytes:
        opening += read_exactly(fd, wanted_bytes - len(opening), offset_bytes + len(opening))
    mdat = parse_header(opening[moof_bytes : moof_bytes + LARGE_HEADER_BYTES], offset_bytes + moof_bytes)
    if mdat is not None and mdat.kind != b"mdat":
        raise BoxError(f"{mdat.kind!r} behind moof instead of mdat", offset_bytes + moof_bytes)
    if mdat is None or moof_bytes + mdat.size_bytes > left_bytes:
        return None
    runs = _parse_moof(
        memoryview(opening)[HEADER_BYTES:moof_bytes],
        offset_bytes,
        header,
        range(moof_bytes + mdat.header_bytes, moof_bytes + mdat.size_bytes),
    )
    video = next((run for run in runs if run.track == header.video), None)
    start_ticks = video.times_ticks()[0] if video else min((run.decode_ticks for run in runs), default=0)
    is_keyframe = video is not None and video.is_keyframe(0)
    place = PartPlace(offset_bytes, moof_bytes + mdat.size_bytes, start_ticks, is_keyframe)
    return StoredPart(place, runs)


def _parse_moof(
    body: memoryview, moof_offset_bytes: int, header: TimeLines, data: range
) -> tuple[StoredRun, ...]:
    runs: list[StoredRun] = []
    sample_count = 0
    for found in walk(body, moof_offset_bytes + HEADER_BYTES):
        if found.kind == b"traf":
            runs.append(_parse_traf(found.body, found.body_offset_bytes, moof_offset_bytes, header, data))
            sample_count += len(runs[-1].sizes_bytes)
            if sample_count > _MAX_SAMPLES:
                raise BoxError("part of too many samples", found.offset_bytes)
        elif found.kind != b"mfhd":
            raise BoxError(f"{found.kind!r} inside moof", found.offset_bytes)
    if len({run.track for run in runs}) != len(runs):
        raise BoxError("a track occurs twice in a part", moof_offset_bytes)
    return tuple(runs)


def _parse_traf(
    body: memoryview, offset_bytes: int, moof_offset_bytes: int, header: TimeLines, data: range
) -> StoredRun:
    boxes = list(walk(body, offset_bytes))
    tfhd_box, tfdt_box, trun_box = (only(boxes, kind, offset_bytes) for kind in (b"tfhd", b"tfdt", b"trun"))
    tfhd = Fields(tfhd_box.body, tfhd_box.body_offset_bytes)
    _, flags = tfhd.version_and_flags()
    track = tfhd.uint(4) - 1
    if not 0 <= track < len(header.tracks) or flags & ~_TFHD_FLAGS:
        raise BoxError("tfhd of an unknown track or form", tfhd_box.offset_bytes)
    duration = tfhd.uint(4) if flags & TFHD_DEFAULT_DURATION else None
    size = tfhd.uint(4) if flags & TFHD_DEFAULT_SIZE else None
    default_flags = tfhd.uint(4) if flags & TFHD_DEFAULT_FLAGS else NON_SYNC_FLAGS
    tfdt = Fields(tfdt_box.body, tfdt_box.body_offset_bytes)
    version, _ = tfdt.version_and_flags()
    decode_ticks = tfdt.uint(8 if version else 4)
    if decode_ticks >> 62:
        raise BoxError("decode time beyond any segment", tfdt_box.offset_bytes)

    trun = Fields(trun_box.body, trun_box.body_offset_bytes)
    _, flags = trun.version_and_flags()
    count = trun.uint(4)
    if flags & ~_TRUN_FLAGS or not flags & TRUN_DATA_OFFSET or not 0 < count <= _MAX_SAMPLES:
        raise BoxError("trun of an unknown form", trun_box.offset_bytes)
    data_offset_bytes = trun.uint(4)
    first_flags = trun.uint(4) if flags & TRUN_FIRST_FLAGS else None
    columns = _columns(trun, flags, count)
    durations = columns.get(TRUN_DURATION) or _constant(duration, count, trun_box.offset_bytes)
    sizes = columns.get(TRUN_SIZE) or _constant(size, count, trun_box.offset_bytes)
    data_bytes = sum(sizes)
    if data_offset_bytes < data.start or data_offset_bytes + data_bytes > data.stop:
        raise BoxError("sample data lies outside its mdat", trun_box.offset_bytes)
    sample_flags = columns.get(TRUN_FLAGS)
    keyframes: list[bool] | None = None
    if sample_flags is not None:
        keyframes = [not value & _IS_NON_SYNC for value in sample_flags]
    elif default_flags != SYNC_FLAGS or first_flags is not None:
        keyframes = [not default_flags & _IS_NON_SYNC] * count
    if keyframes and first_flags is not None:
        keyframes[0] = not first_flags & _IS_NON_SYNC
    offsets = columns.get(TRUN_OFFSET)
    if offsets is not None:
        offsets = [value - (value >> 31 << 32) for value in offsets]
    # Undo the edit list: of pictures in their offsets, of audio in its decode times.
    zero_ticks = header.zeros_ticks[track]
    if zero_ticks and header.tracks[track].is_video:
        offsets = [value - zero_ticks for value in offsets or [0] * count]
    else:
        decode_ticks -= zero_ticks
    return StoredRun(
        track,
        decode_ticks,
        durations,
        sizes,
        offsets if offsets and any(offsets) else None,
        None if keyframes is None or all(keyframes) else keyframes,
        moof_offset_bytes + data_offset_bytes,
        data_bytes,
    )


def _columns(trun: Fields, flags: int, count: int) -> dict[int, list[int]]:
    """Per-sample fields by the flag that announces them."""
    present = [flag for flag in (TRUN_DURATION, TRUN_SIZE, TRUN_FLAGS, TRUN_OFFSET) if flags & flag]
    rows = array("I", bytes(trun.take(4 * len(present) * count)))
    if sys.byteorder == "little":
        rows.byteswap()
    return {flag: rows[index :: len(present)].tolist() for index, flag in enumerate(present)}


def _constant(value: int | None, count: int, offset_bytes: int) -> list[int]:
    if value is None:
        raise BoxError("trun leaves out what tfhd does not say", offset_bytes)
    return [value] * count
