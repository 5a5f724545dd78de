"""The data of an export: stretches of segment files in order, grouped by the recorded parts they come from.

While it is read, each part on the volume is held against its link, and what leaves is hashed: together they are what the
export's manifest says. Compact: a day has some 86,000 parts. Blocking; one reader at a time.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from storage.errors import SegmentDamaged
from storage.evidence.manifest import NO_SHA256, ProvedPart
from storage.evidence.public_key import PublicKey
from storage.evidence.recorded_check import RecordedCheck
from storage.segments.boxes import BoxError
from storage.segments.chain import Recorded
from storage.segments.places import PartPlace
from storage.segments.reader import damaged, open_segment_file
from storage.segments.stored_header import SegmentHeader
from storage.volumes.errno_map import volume_error

_STATES = tuple(Recorded)
_UNKNOWN = _STATES.index(Recorded.UNHASHED)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A segment file, as it was when the export was planned."""

    path: Path
    device_and_inode: tuple[int, int]
    header: SegmentHeader
    is_right_place: bool = True
    """Its identity says the camera and the time under which it is exported."""


class Copies:
    """Stretches in the order in which they make up the data of an export."""

    def __init__(self) -> None:
        self._files: list[SourceFile] = []
        self._offset = array("Q")
        self._length = array("Q")
        self._part_file = array("I")
        self._part_offset = array("Q")
        self._part_size = array("Q")
        self._part_start_us = array("q")
        self._part_end_us = array("q")
        self._part_stretch = array("I")
        """Index of the part's first stretch."""
        self._part_placed = array("Q")
        """Where the part's bytes lie in the export's data."""
        self._hashes = bytearray()
        self._recorded = bytearray()
        self.total_bytes = 0

    def begin_file(self, source: SourceFile) -> None:
        """The parts that are begun next lie in this file."""
        self._files.append(source)

    def begin_part(self, place: PartPlace, start_us: int, end_us: int) -> None:
        """What is added next comes from this part, which shows these times."""
        if self._part_stretch and self._part_stretch[-1] == len(self._offset):
            self._drop_part()  # nothing of it was wanted
        self._part_file.append(len(self._files) - 1)
        self._part_offset.append(place.offset_bytes)
        self._part_size.append(place.size_bytes)
        self._part_start_us.append(start_us)
        self._part_end_us.append(end_us)
        self._part_stretch.append(len(self._offset))
        self._part_placed.append(self.total_bytes)

    def _drop_part(self) -> None:
        for column in (
            self._part_file,
            self._part_offset,
            self._part_size,
            self._part_start_us,
            self._part_end_us,
            self._part_stretch,
            self._part_placed,
        ):
            column.pop()

    def add(self, offset_bytes: int, length_bytes: int) -> int:
        """Append a stretch of the part; returns where it lies in the export's data."""
        placed_bytes = self.total_bytes
        self.total_bytes += length_bytes
        is_same_part = self._part_stretch[-1] < len(self._offset)
        if is_same_part and self._offset[-1] + self._length[-1] == offset_bytes:
            self._length[-1] += length_bytes
        else:
            self._offset.append(offset_bytes)
            self._length.append(length_bytes)
        return placed_bytes

    def finish(self) -> None:
        """Nothing more is added."""
        if self._part_stretch and self._part_stretch[-1] == len(self._offset):
            self._drop_part()
        self._forget()

    def _forget(self) -> None:
        self._hashes = bytearray(hashlib.sha256().digest_size * len(self._part_file))
        self._recorded = bytearray([_UNKNOWN]) * len(self._part_file)

    def parts(self, data_start_bytes: int) -> tuple[ProvedPart, ...]:
        """All parts, with the hashes and findings of what was read so far."""
        found = []
        ends = [*self._part_placed[1:], self.total_bytes]
        for number, end_bytes in enumerate(ends if self._part_placed else []):
            digest = self._hashes[32 * number : 32 * number + 32]
            found.append(
                ProvedPart(
                    self._part_start_us[number],
                    self._part_end_us[number],
                    data_start_bytes + self._part_placed[number],
                    end_bytes - self._part_placed[number],
                    digest.hex() if any(digest) else NO_SHA256,
                    _STATES[self._recorded[number]],
                )
            )
        return tuple(found)

    def read(self, chunk_bytes: int, known: Mapping[bytes, PublicKey] | None) -> Iterator[bytes]:
        """The data, at most so many bytes at once. With the station's keys, each part is checked on the way."""
        self._forget()
        opened, fd = -1, -1
        check: RecordedCheck | None = None
        try:
            for number, source_number in enumerate(self._part_file):
                if source_number != opened:
                    if fd >= 0:
                        os.close(fd)
                        fd = -1
                    source = self._files[source_number]
                    fd = _open(source)
                    opened = source_number
                    check = None if known is None else _checked(source, fd, known)
                yield from self._read_part(number, fd, check, chunk_bytes)
        finally:
            if fd >= 0:
                os.close(fd)

    def read_range(self, start_bytes: int, length_bytes: int, chunk_bytes: int) -> Iterator[bytes]:
        """So many bytes of the data from an offset on, for a player that seeks: neither hashed nor checked."""
        opened, fd = -1, -1
        ends = [*self._part_stretch[1:], len(self._offset)]
        try:
            for number, source_number in enumerate(self._part_file):
                for index in range(self._part_stretch[number], ends[number]):
                    stretch_bytes = self._length[index]
                    if start_bytes >= stretch_bytes:
                        start_bytes -= stretch_bytes
                        continue
                    if source_number != opened:
                        if fd >= 0:
                            os.close(fd)
                            fd = -1
                        fd, opened = _open(self._files[source_number]), source_number
                    wanted_bytes = min(stretch_bytes - start_bytes, length_bytes)
                    path, offset_bytes = self._files[source_number].path, self._offset[index] + start_bytes
                    yield from _read_stretch(path, fd, offset_bytes, wanted_bytes, chunk_bytes)
                    start_bytes, length_bytes = 0, length_bytes - wanted_bytes
                    if not length_bytes:
                        return
        finally:
            if fd >= 0:
                os.close(fd)

    def _read_part(
        self, number: int, fd: int, check: RecordedCheck | None, chunk_bytes: int
    ) -> Iterator[bytes]:
        source = self._files[self._part_file[number]]
        if check is not None:
            found = _finding(source, check, self._part_offset[number], self._part_size[number])
            self._recorded[number] = _STATES.index(found)
        digest = hashlib.sha256()
        is_last = number + 1 == len(self._part_stretch)
        end = len(self._offset) if is_last else self._part_stretch[number + 1]
        for index in range(self._part_stretch[number], end):
            for data in _read_stretch(source.path, fd, self._offset[index], self._length[index], chunk_bytes):
                digest.update(data)
                yield data
        self._hashes[32 * number : 32 * number + 32] = digest.digest()


def _open(source: SourceFile) -> int:
    fd = open_segment_file(source.path)
    stat = os.fstat(fd)
    if (stat.st_dev, stat.st_ino) != source.device_and_inode:
        os.close(fd)
        raise SegmentDamaged(
            f"segment {source.path} was replaced since the export was planned", "export again"
        )
    return fd


def _checked(source: SourceFile, fd: int, known: Mapping[bytes, PublicKey]) -> RecordedCheck:
    try:
        return RecordedCheck(fd, source.header, known)
    except BoxError as exc:
        raise damaged(source.path, exc) from exc
    except OSError as exc:
        raise volume_error(exc, str(source.path)) from exc


def _finding(source: SourceFile, check: RecordedCheck, offset_bytes: int, size_bytes: int) -> Recorded:
    try:
        found = check.part(offset_bytes, size_bytes)
    except BoxError as exc:
        raise damaged(
            source.path, BoxError("file was cut since the export was planned", offset_bytes)
        ) from exc
    except OSError as exc:
        raise volume_error(exc, str(source.path)) from exc
    # A segment of another camera or time, put where the catalog expects this one, proves nothing for this one.
    return found if source.is_right_place else Recorded.ALTERED


def _read_stretch(
    path: Path, fd: int, offset_bytes: int, length_bytes: int, chunk_bytes: int
) -> Iterator[bytes]:
    while length_bytes:
        try:
            data = os.pread(fd, min(chunk_bytes, length_bytes), offset_bytes)
        except OSError as exc:
            raise volume_error(exc, str(path)) from exc
        if not data:
            raise damaged(path, BoxError("file was cut since the export was planned", offset_bytes))
        yield data
        offset_bytes += len(data)
        length_bytes -= len(data)
