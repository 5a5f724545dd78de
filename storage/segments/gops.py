"""The pictures of a segment file in the order in which they are shown: which frame at a time, which one before and behind.

Where keyframes lie is known beforehand (the catalog's index, or a SegmentReader); so a keyframe costs one read of the
file's bytes, and no header. Parts that do not open with a keyframe carry on the GOP before them. Blocking; reads only.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from storage.errors import SegmentDamaged
from storage.segments.boxes import BoxError, parse_header
from storage.segments.chain import LINK_BOX_BYTES
from storage.segments.fragments import StoredPart, StoredRun, TimeLines, part_in
from storage.segments.packet import Track
from storage.segments.reader import damaged
from storage.segments.stored_header import read_exactly
from storage.volumes.errno_map import volume_error

FIRST_READ_BYTES = 256 * 1024
"""Of a part: its tables and, of most cameras, the whole keyframe."""
_TABLE_READ_BYTES = 16 * 1024
"""Of a part that only carries a GOP on."""
_ZERO_LIMIT_S = 30
"""No decode order needs a longer delay; more is a wrong index."""
_KEPT_GROUPS = 24


@dataclass(frozen=True, slots=True)
class PlacedSample:
    """One coded picture and where its bytes lie."""

    pts_ticks: int
    """Presentation time from the segment's zero."""
    offset_bytes: int
    size_bytes: int
    is_keyframe: bool


@dataclass(frozen=True, slots=True)
class Gop:
    """A keyframe and what is decoded with its help. Invariant: `shown_ticks` is not empty and increases."""

    samples: tuple[PlacedSample, ...]
    """In decode order, the keyframe first. With an open GOP behind it: also that one's keyframe and the pictures shown before it."""
    shown_ticks: tuple[int, ...]
    """Presentation times of its pictures."""
    until_ticks: int | None
    """When the next GOP's keyframe is shown; None when none is known."""
    is_reordered: bool
    """Pictures are shown in another order than decoded (B-frames)."""

    @property
    def start_ticks(self) -> int:
        return self.samples[0].pts_ticks

    @property
    def place(self) -> int:
        """Offset of its keyframe: names it inside its file."""
        return self.samples[0].offset_bytes


@dataclass(frozen=True, slots=True)
class ShownKeyframe:
    """One keyframe, read."""

    pts_ticks: int
    data: bytes
    until_ticks: int | None
    """When the next keyframe is shown."""


@dataclass(frozen=True, slots=True)
class ShownFrame:
    """One picture of a GOP."""

    gop: Gop
    pts_ticks: int
    until_ticks: int | None
    """When the next picture is shown."""


@dataclass(frozen=True, slots=True)
class KnownLines:
    """Of a file whose header is not read: tracks from the catalog, and the zero is seen from the index."""

    tracks: tuple[Track, ...]
    video: int
    zeros_ticks: tuple[int, ...]


class GopTables:
    """Tables of the GOPs looked at last, of any file: playing on must not read them again for each picture."""

    def __init__(self) -> None:
        self._groups: OrderedDict[tuple[Path, int, int], list[Gop]] = OrderedDict()

    def get(self, key: tuple[Path, int, int]) -> list[Gop] | None:
        found = self._groups.get(key)
        if found is not None:
            self._groups.move_to_end(key)
        return found

    def put(self, key: tuple[Path, int, int], gops: list[Gop]) -> None:
        self._groups[key] = gops
        if len(self._groups) > _KEPT_GROUPS:
            self._groups.popitem(last=False)


class GopFile:
    """An open segment file. Every method that reads raises SegmentDamaged and VolumeError.

    `keyframe_parts`: (time in ticks, offset) of each part that opens with a keyframe, in file order, not empty.
    `is_indexed`: those come from the catalog; a part that is not as they say raises SegmentDamaged.
    """

    def __init__(
        self,
        path: Path,
        fd: int,
        lines: TimeLines,
        keyframe_parts: Sequence[tuple[int, int]],
        tables: GopTables,
        *,
        is_indexed: bool,
        is_closed: bool = True,
    ) -> None:
        self.is_closed = is_closed
        """Nothing will be appended to it."""
        self._path = path
        self._fd = fd
        self._lines = lines
        self._starts = [ticks for ticks, _ in keyframe_parts]
        self._offsets = [offset_bytes for _, offset_bytes in keyframe_parts]
        self._tables = tables
        self._is_indexed = is_indexed
        self._zero_ticks: int | None = None
        self._file_bytes = os.fstat(fd).st_size
        self._opening = b""
        self._opening_bytes = 0

    @property
    def track(self) -> Track:
        return self._lines.tracks[self._lines.video]

    # -- which picture ---------------------------------------------------------------------------------------

    def keyframe(self, media_ticks: int, step: int = 0) -> ShownKeyframe | None:
        """The last keyframe at or before that time (the first when there is none), or the one before or behind it.

        None when there is none before (`step` -1) or behind (+1) in this file.
        """
        group = bisect_right(self._starts, media_ticks) - 1
        keys = self._keyframes(max(group, 0))
        position = max(bisect_right([key.pts_ticks for key in keys], media_ticks) - 1, 0)
        if group < 0:  # the moment is before the first one
            group = 0
            if step < 0:
                return None
            step = 0
        position += step
        if position < 0:
            if group == 0:
                return None
            group -= 1
            keys = self._keyframes(group)
            position = len(keys) - 1
        elif position == len(keys):
            if group + 1 == len(self._starts):
                return None
            group += 1
            keys, position = self._keyframes(group), 0
        chosen = keys[position]
        until_ticks = keys[position + 1].pts_ticks if position + 1 < len(keys) else self._start_behind(group)
        return ShownKeyframe(chosen.pts_ticks, self.read(chosen), until_ticks)

    def frame(self, media_ticks: int, step: int = 0) -> ShownFrame | None:
        """The picture shown at that time (the first when there is none), or the one before or behind it; None as `keyframe`."""
        group = bisect_right(self._starts, media_ticks) - 1
        gops = self._gops(max(group, 0))
        number = max(bisect_right([gop.start_ticks for gop in gops], media_ticks) - 1, 0)
        position = max(bisect_right(gops[number].shown_ticks, media_ticks) - 1, 0)
        if group < 0:
            group = 0
            if step < 0:
                return None
            step = 0
        position += step
        if position < 0:
            number -= 1
            if number < 0:
                if group == 0:
                    return None
                gops = self._gops(group - 1)
                number = len(gops) - 1
            position = len(gops[number].shown_ticks) - 1
        elif position == len(gops[number].shown_ticks):
            number, position = number + 1, 0
            if number == len(gops):
                if group + 1 == len(self._starts):
                    return None
                gops, number = self._gops(group + 1), 0
        gop = gops[number]
        shown = gop.shown_ticks
        until_ticks = shown[position + 1] if position + 1 < len(shown) else gop.until_ticks
        return ShownFrame(gop, shown[position], until_ticks)

    def starts_beside(self, media_ticks: int, step: int) -> Iterator[int]:
        """By the index alone, for who finds the part at that time damaged: moments whose picture is the first one of each part behind, or
        the last one of each before it, in the direction of the step.
        """
        group = max(bisect_right(self._starts, media_ticks) - 1, 0)
        if step > 0:
            yield from self._starts[group + 1 :]
        else:
            yield from (self._starts[number] - 1 for number in range(group, 0, -1))

    def _start_behind(self, group: int) -> int | None:
        return self._starts[group + 1] if group + 1 < len(self._starts) else None

    # -- tables ----------------------------------------------------------------------------------------------

    def _keyframes(self, group: int) -> list[PlacedSample]:
        samples = self._samples_of(self._keyed_part(group))
        return [sample for sample in samples if sample.is_keyframe]

    def _gops(self, group: int) -> list[Gop]:
        """All GOPs from one part that opens with a keyframe to the next such part."""
        end_bytes = self._offsets[group + 1] if group + 1 < len(self._offsets) else self._file_bytes
        key = (self._path, self._offsets[group], end_bytes)
        known = self._tables.get(key)
        if known is None:
            known = self._walked(group, end_bytes)
            self._tables.put(key, known)
        return known

    def _walked(self, group: int, end_bytes: int) -> list[Gop]:
        part = self._keyed_part(group)
        samples = self._samples_of(part)
        offset_bytes = part.place.offset_bytes + part.place.size_bytes
        while (following := self._carried_on(offset_bytes, end_bytes)) is not None:
            samples += self._samples_of(following)
            offset_bytes = following.place.offset_bytes + following.place.size_bytes
        starts = [index for index, sample in enumerate(samples) if sample.is_keyframe]
        pieces = [samples[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]
        behind = self._leading_behind(group) if any(map(_is_reordered, pieces)) else []
        return [
            _gop(piece, following, self._start_behind(group))
            for piece, following in zip(pieces, [*pieces[1:], behind], strict=True)
        ]

    def _leading_behind(self, group: int) -> list[PlacedSample]:
        """The beginning of the next GOP, if that is there."""
        if group + 1 == len(self._starts):
            return []
        return self._samples_of(self._keyed_part(group + 1))

    def _keyed_part(self, group: int) -> StoredPart:
        """The part that the index says opens with a keyframe."""
        offset_bytes = self._offsets[group]
        end_bytes = self._offsets[group + 1] if group + 1 < len(self._offsets) else self._file_bytes
        part = self._part(offset_bytes, min(FIRST_READ_BYTES, end_bytes - offset_bytes))
        run = part.run_of(self._lines.video)
        if run is None or not run.is_keyframe(0):
            raise damaged(self._path, BoxError("no keyframe where the index has one", offset_bytes))
        if self._is_indexed:
            zero_ticks = run.times_ticks()[0] - self._starts[group]
            if self._zero_ticks is None and 0 <= zero_ticks <= _ZERO_LIMIT_S * self.track.time_base_hz:
                self._zero_ticks = zero_ticks
            if zero_ticks != self._zero_ticks:
                raise damaged(self._path, BoxError("the index has another time", offset_bytes))
        return part

    def _carried_on(self, offset_bytes: int, end_bytes: int) -> StoredPart | None:
        """The whole part there, or behind the link of the hash chain; None where the parts end, by rights or not."""
        try:
            opening = os.pread(self._fd, _TABLE_READ_BYTES, offset_bytes)
            header = parse_header(opening, offset_bytes)
            if header is not None and header.kind == b"uuid" and header.size_bytes == LINK_BOX_BYTES:
                opening, offset_bytes = opening[LINK_BOX_BYTES:], offset_bytes + LINK_BOX_BYTES
                header = parse_header(opening, offset_bytes)
            if offset_bytes >= end_bytes or header is None or header.kind != b"moof":
                return None
            return part_in(opening, self._fd, self._lines, offset_bytes, self._file_bytes - offset_bytes)
        except BoxError:
            return None
        except OSError as exc:
            raise volume_error(exc, str(self._path)) from exc

    def _part(self, offset_bytes: int, first_bytes: int) -> StoredPart:
        left_bytes = self._file_bytes - offset_bytes
        try:
            if left_bytes < 0 or first_bytes < 0:
                raise BoxError("no part is there", offset_bytes)
            opening = os.pread(self._fd, min(first_bytes, left_bytes), offset_bytes)
            part = part_in(opening, self._fd, self._lines, offset_bytes, left_bytes)
        except BoxError as exc:
            raise damaged(self._path, exc) from exc
        except OSError as exc:
            raise volume_error(exc, str(self._path)) from exc
        self._opening, self._opening_bytes = opening, offset_bytes
        return part

    def _samples_of(self, part: StoredPart) -> list[PlacedSample]:
        run = part.run_of(self._lines.video)
        return [] if run is None else _placed(run, self._zero_ticks or 0)

    # -- bytes -----------------------------------------------------------------------------------------------

    def read(self, sample: PlacedSample) -> bytes:
        """As in Packet.data."""
        start = sample.offset_bytes - self._opening_bytes
        if 0 <= start and start + sample.size_bytes <= len(self._opening):
            return self._opening[start : start + sample.size_bytes]
        try:
            return read_exactly(self._fd, sample.size_bytes, sample.offset_bytes)
        except BoxError as exc:
            raise damaged(self._path, exc) from exc
        except OSError as exc:
            raise volume_error(exc, str(self._path)) from exc


def known_lines(tracks: tuple[Track, ...]) -> KnownLines:
    """Of the tracks of a run. Raises SegmentDamaged when none is video."""
    video = next((index for index, track in enumerate(tracks) if track.is_video), None)
    if video is None:
        raise SegmentDamaged("the catalog knows no video track of the run", "run `watchdeck fsck --repair`")
    return KnownLines(tracks, video, (0,) * len(tracks))


def _placed(run: StoredRun, zero_ticks: int) -> list[PlacedSample]:
    samples = []
    offset_bytes = run.data_offset_bytes
    for index, (pts_ticks, size_bytes) in enumerate(zip(run.times_ticks(), run.sizes_bytes, strict=True)):
        samples.append(PlacedSample(pts_ticks - zero_ticks, offset_bytes, size_bytes, run.is_keyframe(index)))
        offset_bytes += size_bytes
    return samples


def _gop(samples: list[PlacedSample], following: list[PlacedSample], start_behind: int | None) -> Gop:
    """`following` begins with the keyframe of the next GOP; of its pictures those shown before that belong here."""
    start_ticks = samples[0].pts_ticks
    own = [sample for sample in samples if sample.pts_ticks >= start_ticks]
    until_ticks = following[0].pts_ticks if following else start_behind
    leading = []
    for sample in following[1:]:
        if sample.is_keyframe or sample.pts_ticks > following[0].pts_ticks:
            break
        leading.append(sample)
    is_reordered = _is_reordered(own)
    shown = {sample.pts_ticks for sample in own} | {sample.pts_ticks for sample in leading}
    if leading:
        own = [*own, following[0], *leading]
    return Gop(tuple(own), tuple(sorted(shown)), until_ticks, is_reordered or bool(leading))


def _is_reordered(samples: list[PlacedSample]) -> bool:
    return any(
        later.pts_ticks < earlier.pts_ticks for earlier, later in zip(samples, samples[1:], strict=False)
    )
