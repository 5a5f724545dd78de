"""Sample tables of a progressive MP4 (`stbl` and `elst`, ISO/IEC 14496-12, 8.6 and 8.7), gathered run by run.

Compact while it grows: a day of 25 pictures a second is two million samples. Knows no files; export.py does.
"""

from __future__ import annotations

import struct
import sys
from array import array
from itertools import groupby

from storage.segments.boxes import box, full_box
from storage.segments.fmp4 import edit_list, media, track_header
from storage.segments.packet import Track
from storage.segments.sample_entry import display_size, sample_entry

_MAX_U32 = 0xFFFF_FFFF


class _RunLengths:
    """(count, value) pairs of a column in which neighbours are mostly equal."""

    __slots__ = ("counts", "values")

    def __init__(self) -> None:
        self.counts: list[int] = []
        self.values: list[int] = []

    def add(self, value: int, count: int = 1) -> None:
        if self.values and self.values[-1] == value:
            self.counts[-1] += count
        else:
            self.values.append(value)
            self.counts.append(count)


class SampleTable:
    """The samples of one output track, in decode order; times in the track's own ticks from the file's zero."""

    def __init__(self, track: Track) -> None:
        self.track = track
        self.next_ticks = 0
        """No later sample may be decoded before this; one tick behind the last one's decode time."""
        self._start_ticks: int | None = None
        self._last_ticks = 0
        self._last_duration_ticks = 0
        self._entries: list[bytes] = []
        self._size = (0, 0)
        self._sizes = array("I")
        self._durations = _RunLengths()
        self._offsets = _RunLengths()
        self._keyframes = array("I")
        self._chunk_offsets = array("Q")
        self._chunks: list[tuple[int, int, int]] = []
        """(first chunk, samples a chunk, description) where they change, chunks from 1."""

    @property
    def is_empty(self) -> bool:
        return not self._sizes

    @property
    def end_ticks(self) -> int:
        """Decode time at which the last sample ends."""
        return self._last_ticks + self._last_duration_ticks

    def describe(self, track: Track) -> int:
        """Number of the sample description for these parameters, from 1; a new one where they are new."""
        entry = sample_entry(track)
        if entry not in self._entries:
            self._entries.append(entry)
            if track.is_video:
                width, height = display_size(track)
                self._size = max(self._size[0], width), max(self._size[1], height)
        return self._entries.index(entry) + 1

    def add_chunk(
        self,
        description: int,
        data_offset_bytes: int,
        decode_ticks: list[int],
        last_duration_ticks: int,
        offsets_ticks: list[int],
        sizes_bytes: list[int],
        keyframes: list[bool] | None,
    ) -> None:
        """Samples whose data lies in one stretch. Decode times that would stand still or go back are moved on."""
        self._chunk_offsets.append(data_offset_bytes)
        if not self._chunks or self._chunks[-1][1:] != (len(sizes_bytes), description):
            self._chunks.append((len(self._chunk_offsets), len(sizes_bytes), description))
        first_number = len(self._sizes) + 1
        self._sizes.extend(sizes_bytes)
        for wanted_ticks, offset_ticks in zip(decode_ticks, offsets_ticks, strict=True):
            ticks = max(wanted_ticks, self.next_ticks)
            if self._start_ticks is None:
                self._start_ticks = ticks
            else:
                self._durations.add(min(ticks - self._last_ticks, _MAX_U32))
            self._offsets.add(offset_ticks + wanted_ticks - ticks)
            self._last_ticks = ticks
            self.next_ticks = ticks + 1
        self._last_duration_ticks = max(last_duration_ticks, 1)
        numbers = range(first_number, first_number + len(sizes_bytes))
        if keyframes is None:
            self._keyframes.extend(numbers)
        else:
            self._keyframes.extend(
                number for number, is_key in zip(numbers, keyframes, strict=True) if is_key
            )

    def trak(self, track_id: int, movie_hz: int, data_start_bytes: int, *, is_large: bool) -> bytes:
        """The finished box; `data_start_bytes` is where the data offsets count from."""
        start_ticks = self._start_ticks or 0
        # Decoders want composition offsets that are not negative; the edit list takes the shift back.
        shift_ticks = -min(0, *self._offsets.values)
        duration_ticks = self.end_ticks - start_ticks
        lead = start_ticks * movie_hz // self.track.time_base_hz
        duration = duration_ticks * movie_hz // self.track.time_base_hz
        edits = [(lead, -1)] if lead else []
        return box(
            b"trak",
            track_header(track_id, self.track, lead + duration, self._size),
            edit_list(*edits, (duration, shift_ticks)),
            media(self.track, duration_ticks, self._stbl(shift_ticks, data_start_bytes, is_large)),
        )

    def _stbl(self, shift_ticks: int, data_start_bytes: int, is_large: bool) -> bytes:
        durations = _RunLengths()
        for count, value in zip(self._durations.counts, self._durations.values, strict=True):
            durations.add(value, count)
        durations.add(self._last_duration_ticks)
        boxes = [
            full_box(b"stsd", 0, 0, struct.pack(">I", len(self._entries)), *self._entries),
            _table(b"stts", _pairs(durations.counts, durations.values), 2),
        ]
        if any(self._offsets.values) or shift_ticks:
            shifted = [value + shift_ticks for value in self._offsets.values]
            boxes.append(_table(b"ctts", _pairs(self._offsets.counts, shifted), 2))
        if len(self._keyframes) < len(self._sizes):
            boxes.append(_table(b"stss", self._keyframes, 1))
        boxes.append(_table(b"stsc", array("I", [field for row in self._chunks for field in row]), 3))
        # A table even when all sizes are equal: readers take a common size of PCM for that of one frame.
        boxes.append(
            full_box(b"stsz", 0, 0, struct.pack(">II", 0, len(self._sizes)), _big_endian(self._sizes))
        )
        offsets = array("Q" if is_large else "I", [data_start_bytes + at for at in self._chunk_offsets])
        boxes.append(_table(b"co64" if is_large else b"stco", offsets, 1))
        return box(b"stbl", *boxes)


def _pairs(counts: list[int], values: list[int]) -> array[int]:
    pairs = array("I", bytes(8 * len(counts)))
    pairs[0::2], pairs[1::2] = array("I", counts), array("I", values)
    return pairs


def _table(kind: bytes, fields: array[int], fields_a_row: int) -> bytes:
    return full_box(kind, 0, 0, struct.pack(">I", len(fields) // fields_a_row), _big_endian(fields))


def _big_endian(fields: array[int]) -> bytes:
    if sys.byteorder == "big":
        return fields.tobytes()
    swapped = fields[:]
    swapped.byteswap()
    return swapped.tobytes()


def stretches(flags: list[bool]) -> list[tuple[int, int]]:
    """[first, end) of each stretch of true flags."""
    found = []
    position = 0
    for value, group in groupby(flags):
        length = len(list(group))
        if value:
            found.append((position, position + length))
        position += length
    return found
