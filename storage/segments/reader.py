"""Reads segment files: closed ones, and open ones to which another thread or process is appending.

Only whole parts count. Memory stays at one part's tables and one sample's data. Blocking; one reader is used
by one thread at a time.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from storage.errors import NotFound, SegmentDamaged
from storage.segments.boxes import BoxError
from storage.segments.fragments import PartScan, StoredPart, StoredRun, Tail, TailKind, read_part
from storage.segments.identity import SegmentIdentity
from storage.segments.packet import Track
from storage.segments.places import PartPlace
from storage.segments.stored_header import SegmentHeader, read_exactly, read_header, read_index
from storage.volumes.errno_map import volume_error

_REMEDY = "run `watchdeck fsck --repair`"


@dataclass(frozen=True, slots=True)
class KeyframeSample:
    """One picture that can be decoded by itself."""

    data: bytes
    """As in Packet.data: NAL units behind 4-byte lengths, or a JPEG file."""
    track: Track
    media_ticks: int
    """Its presentation time from the segment's zero."""
    until_ticks: int | None = None
    """Presentation time of the next keyframe; None behind the last one known."""


@dataclass(frozen=True, slots=True)
class StoredSample:
    """One sample of a segment file."""

    track: int
    dts_ticks: int
    pts_ticks: int
    duration_ticks: int
    is_keyframe: bool
    data: bytes


def damaged(path: Path, error: BoxError) -> SegmentDamaged:
    """The error as callers know it."""
    return SegmentDamaged(f"segment {path}: {error.what} (at byte {error.offset_bytes})", _REMEDY)


def open_segment_file(path: Path, flags: int = os.O_RDONLY) -> int:
    """Descriptor of a segment file, never through a link. Raises NotFound or VolumeError."""
    try:
        return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError as exc:
        raise NotFound(f"segment {path} is not there", "it may have been recycled meanwhile") from exc
    except OSError as exc:
        raise volume_error(exc, str(path)) from exc


class SegmentReader:
    """An opened segment file. Use as a context manager, or `close` it.

    Every method that reads raises SegmentDamaged for what is wrong with the bytes, VolumeError for the drive.
    """

    def __init__(self, path: Path, fd: int, header: SegmentHeader) -> None:
        """See `open`."""
        self.path = path
        self._fd = fd
        self._header = header
        self._parts: list[PartPlace] = []
        self._scanned_bytes = header.size_bytes
        self._tail: Tail | None = None
        self._video_end_ticks = 0

    @classmethod
    def open(cls, path: Path) -> SegmentReader:
        """Raises NotFound, SegmentDamaged (no whole header) or VolumeError."""
        fd = open_segment_file(path)
        try:
            return cls(path, fd, read_header(fd))
        except BoxError as exc:
            os.close(fd)
            raise damaged(path, exc) from exc
        except OSError as exc:
            os.close(fd)
            raise volume_error(exc, str(path)) from exc

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    @property
    def identity(self) -> SegmentIdentity:
        """Who the segment is."""
        return self._header.identity

    @property
    def tracks(self) -> tuple[Track, ...]:
        """As the source announced them."""
        return self._header.tracks

    @property
    def video_track(self) -> int:
        """Index of the track that rules GOPs."""
        return self._header.video

    @property
    def header(self) -> SegmentHeader:
        """What stands before its first part."""
        return self._header

    @property
    def descriptor(self) -> int:
        """Of the open file; it goes with the reader."""
        return self._fd

    @property
    def is_closed(self) -> bool:
        """Its duration had been written when it was opened here."""
        return self._header.duration_ticks is not None

    @property
    def device_and_inode(self) -> tuple[int, int]:
        """Which file it is, whatever its name."""
        stat = os.fstat(self._fd)
        return stat.st_dev, stat.st_ino

    @property
    def parts(self) -> tuple[PartPlace, ...]:
        """All whole parts up to the end, or up to where the file is damaged (see `damage`). Scans what is new."""
        self._scan()
        return tuple(self._parts)

    @property
    def damage(self) -> SegmentDamaged | None:
        """What is wrong behind the last whole part. A torn end is none: it may just be being written."""
        self._scan()
        tail = self._tail
        if tail is None or tail.kind is not TailKind.DAMAGED:
            return None
        return damaged(self.path, BoxError(tail.what, tail.offset_bytes))

    @property
    def video_duration_ticks(self) -> int:
        """From the segment's zero to the end of its last whole part."""
        self._scan()
        return self._video_end_ticks

    def refresh(self) -> None:
        """Look for parts appended since the last look."""
        self._tail = None

    def _scan(self) -> None:
        if self._tail is not None:
            return
        try:
            scan = PartScan(self._fd, self._header, self._scanned_bytes)
            for part in scan:
                self._parts.append(part.place)
                video = part.run_of(self._header.video)
                if video:
                    self._video_end_ticks = max(self._video_end_ticks, video.end_ticks)
        except OSError as exc:
            raise volume_error(exc, str(self.path)) from exc
        self._scanned_bytes, self._tail = scan.offset_bytes, scan.tail

    def part(self, place: PartPlace) -> StoredPart:
        """The tables of a part."""
        return self._part_at(place.offset_bytes)

    def _part_at(self, offset_bytes: int) -> StoredPart:
        try:
            return read_part(self._fd, self._header, offset_bytes)
        except BoxError as exc:
            raise damaged(self.path, exc) from exc
        except OSError as exc:
            raise volume_error(exc, str(self.path)) from exc

    def keyframe_before(self, media_ticks: int) -> KeyframeSample:
        """The last keyframe at or before that time from the segment's zero; the first one when there is none.

        Costs the index and one part of a closed file, the `moof` boxes of an open one; no other sample data.
        """
        if self.is_closed and (index := self._index()):
            position = max(bisect_right([time for time, _ in index], media_ticks) - 1, 0)
            try:
                return self._keyframe_in(
                    self._part_at(index[position][1]), media_ticks, _time_behind(position, index)
                )
            except SegmentDamaged:
                pass  # an index that leads nowhere; the parts themselves may be whole
        keyframes = [place for place in self.parts if place.is_keyframe]
        if not keyframes:
            raise damaged(self.path, BoxError("no keyframe", self._header.size_bytes))
        position = max(bisect_right([place.start_ticks for place in keyframes], media_ticks) - 1, 0)
        next_ticks = _time_behind(position, [(place.start_ticks, 0) for place in keyframes])
        return self._keyframe_in(self.part(keyframes[position]), media_ticks, next_ticks)

    def keyframe_parts(self) -> list[tuple[int, int]]:
        """(time in ticks, offset) of each part that opens with a keyframe: by the index of a closed file, else by its parts."""
        if self.is_closed and (index := self._index()):
            return index
        return [(place.start_ticks, place.offset_bytes) for place in self.parts if place.is_keyframe]

    def _index(self) -> list[tuple[int, int]] | None:
        try:
            return read_index(self._fd, self._header)
        except OSError as exc:
            raise volume_error(exc, str(self.path)) from exc

    def _keyframe_in(
        self, part: StoredPart, media_ticks: int, next_ticks: int | None = None
    ) -> KeyframeSample:
        """The part's last keyframe at or before the time, else its first; `next_ticks` is that of the next part."""
        run = part.run_of(self._header.video)
        times = run.times_ticks() if run else []
        keyframes = [index for index in range(len(times)) if run and run.is_keyframe(index)]
        if run is None or not keyframes:
            raise damaged(self.path, BoxError("part holds no keyframe", part.place.offset_bytes))
        chosen = max((index for index in keyframes if times[index] <= media_ticks), default=keyframes[0])
        offset_bytes = run.data_offset_bytes + sum(run.sizes_bytes[:chosen])
        data = self._read(run.sizes_bytes[chosen], offset_bytes)
        until_ticks = min(
            (times[index] for index in keyframes if times[index] > times[chosen]), default=next_ticks
        )
        return KeyframeSample(data, self.tracks[run.track], times[chosen], until_ticks)

    def samples(self, track: int | None = None) -> Iterator[StoredSample]:
        """All samples in file order, of one track or of all; one sample's data at a time."""
        for place in self.parts:
            for run in self.part(place).runs:
                if track is None or run.track == track:
                    yield from self._samples_of(run)

    def _samples_of(self, run: StoredRun) -> Iterator[StoredSample]:
        decode_ticks, offset_bytes = run.decode_ticks, run.data_offset_bytes
        for index, pts_ticks in enumerate(run.times_ticks()):
            duration_ticks = run.durations_ticks[index]
            yield StoredSample(
                run.track,
                decode_ticks,
                pts_ticks,
                duration_ticks,
                run.is_keyframe(index),
                self._read(run.sizes_bytes[index], offset_bytes),
            )
            decode_ticks += duration_ticks
            offset_bytes += run.sizes_bytes[index]

    def _read(self, size_bytes: int, offset_bytes: int) -> bytes:
        try:
            return read_exactly(self._fd, size_bytes, offset_bytes)
        except BoxError as exc:
            raise damaged(self.path, exc) from exc
        except OSError as exc:
            raise volume_error(exc, str(self.path)) from exc


def _time_behind(position: int, index: list[tuple[int, int]]) -> int | None:
    return index[position + 1][0] if position + 1 < len(index) else None
