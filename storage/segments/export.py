"""Exports recordings as one progressive MP4 that plays everywhere: `moov` first, then the data as recorded.

Nothing is transcoded: planning reads the parts' tables, and the data is copied from the segment files while
the export is fetched. The file begins with the keyframe at or before the asked time. Where recordings have
gaps, what was recorded is shown without a pause; `parts` says which times it shows. Blocking.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from storage.errors import InvalidInput, NotFound, WatchdeckError
from storage.evidence.manifest import (
    MANIFEST_LIMIT_BYTES,
    ExportStatement,
    Manifest,
    NamedUuid,
    manifest_key,
    room_bytes,
    signed_box,
)
from storage.evidence.station_key import StationKeys
from storage.segments.boxes import HEADER_BYTES, LARGE_HEADER_BYTES, box
from storage.segments.copies import Copies, SourceFile
from storage.segments.fmp4 import movie_header
from storage.segments.fragments import StoredPart, StoredRun
from storage.segments.identity import SegmentIdentity
from storage.segments.packet import Track
from storage.segments.reader import SegmentReader
from storage.segments.sample_table import SampleTable, stretches
from storage.units import Interval, merged, ticks_to_us

_JOIN_WITHIN_US = 1_000_000
_MAX_START_ERROR_US = 1_000
"""The catalog has a segment's start from the segment itself; two times of one picture differ by rounding only."""
_MAX_SMALL_BYTES = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class ExportSource:
    """A segment file and the wall time the catalog knows for it."""

    path: Path
    start_us: int
    end_us: int
    media_duration_ticks: int
    """In the video track's ticks, what lies between `start_us` and `end_us`."""


@dataclass(frozen=True, slots=True)
class ExportProof:
    """What an export's manifest needs to know besides the footage."""

    statement: ExportStatement
    camera: NamedUuid
    keys: StationKeys
    """Raises nothing here: `plan_export` raises KeyUnusable when there is no key."""


@dataclass(frozen=True, slots=True)
class MediaSpan:
    """A stretch of an export's media time, from its first picture on, and the wall time it shows."""

    media_start_us: int
    media_end_us: int
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A planned export: its size to the byte, and its bytes."""

    total_bytes: int
    start_us: int
    """Of the keyframe at or before the asked start."""
    end_us: int
    parts: tuple[tuple[int, int], ...]
    """[start_us, end_us) stretches it shows; more than one = there are gaps."""
    notes: tuple[str, ...]
    """What was left out, and why."""
    spans: tuple[MediaSpan, ...]
    """What is shown when, in order: at least one a segment."""
    _head: bytes = field(repr=False)
    _copies: Copies = field(repr=False)
    _proof: ExportProof | None = field(default=None, repr=False)
    _asked_us: tuple[int, int] = (0, 0)

    def chunks(self, chunk_bytes: int = 256 * 1024) -> Iterator[bytes]:
        """The file, in pieces of that size (the last is shorter); memory stays at one piece, and the manifest.

        Raises NotFound or SegmentDamaged when a segment was recycled or changed since the plan, VolumeError.
        """
        if chunk_bytes < 1:
            raise ValueError("chunk_bytes must be positive")
        piece = bytearray()
        for data in self._stretches(chunk_bytes):
            piece += data
            while len(piece) >= chunk_bytes:
                yield bytes(piece[:chunk_bytes])
                del piece[:chunk_bytes]
        if piece:
            yield bytes(piece)

    def _stretches(self, chunk_bytes: int) -> Iterator[bytes]:
        yield from _pieces(self._head, chunk_bytes)
        yield from self._copies.read(chunk_bytes, None if self._proof is None else self._proof.keys.known)
        if self._proof is not None:
            room_bytes = self.total_bytes - len(self._head) - self._copies.total_bytes
            yield from _pieces(
                signed_box(self.manifest(), self._proof.keys.signer(), room_bytes), chunk_bytes
            )

    def stretch(self, start_bytes: int, length_bytes: int, chunk_bytes: int) -> Iterator[bytes]:
        """So many bytes from an offset on, for a player that seeks; of an export without a proof. Raises as `chunks`."""
        head = self._head[start_bytes : start_bytes + length_bytes]
        yield from _pieces(head, chunk_bytes)
        if length_bytes > len(head):
            skipped_bytes = max(start_bytes - len(self._head), 0)
            yield from self._copies.read_range(skipped_bytes, length_bytes - len(head), chunk_bytes)

    def manifest(self) -> Manifest:
        """As it is signed; its hashes and findings are known once `chunks` has given all data.

        Raises ValueError for an export that was planned without a proof.
        """
        if self._proof is None:
            raise ValueError("an export without a proof has no manifest")
        return Manifest(
            statement=self._proof.statement,
            key=manifest_key(self._proof.keys.signer().public),
            camera=self._proof.camera,
            asked_start_us=self._asked_us[0],
            asked_end_us=self._asked_us[1],
            start_us=self.start_us,
            end_us=self.end_us,
            stretches=self.parts,
            notes=self.notes,
            head_bytes=len(self._head),
            head_sha256=hashlib.sha256(self._head).hexdigest(),
            parts=self._copies.parts(len(self._head)),
        )


def _pieces(data: bytes, chunk_bytes: int) -> Iterator[bytes]:
    for start in range(0, len(data), chunk_bytes):
        yield data[start : start + chunk_bytes]


def plan_export(
    sources: Sequence[ExportSource],
    start_us: int,
    end_us: int,
    *,
    proof: ExportProof | None = None,
    with_audio: bool = True,
) -> ExportFile:
    """Everything the sources hold between the times, from the keyframe at or before the start.

    Sources are of one camera; open segments count with their whole parts. A source that is gone or damaged is
    left out and noted. With a proof, the file ends with a signed manifest (storage/evidence/manifest.py).
    Raises InvalidInput for an empty span, NotFound when nothing was recorded in it, KeyUnusable.
    """
    if end_us <= start_us:
        raise InvalidInput("an export must end after it starts")
    if proof is not None:
        proof.keys.signer()
    plan = _Plan(start_us, end_us, proof)
    wanted = [source for source in sources if source.start_us < end_us and source.end_us > start_us]
    wanted.sort(key=lambda source: source.start_us)
    plan.choose_tracks(wanted, with_audio=with_audio)
    for source in wanted:
        plan.add(source)
    return plan.finish()


class _Plan:
    """Gathers the tables and copies of one export, source by source."""

    def __init__(self, start_us: int, end_us: int, proof: ExportProof | None) -> None:
        self._start_us = start_us
        self._end_us = end_us
        self._proof = proof
        self._video: SampleTable | None = None
        self._audio: SampleTable | None = None
        self._copies = Copies()
        self._notes: list[str] = []
        self._shown: list[Interval] = []
        self._spans: list[MediaSpan] = []
        self._last: SegmentIdentity | None = None
        self._last_zero_ticks = 0
        """Where the zero of the last source lies in the export, in the export's video ticks."""
        self._last_duration_ticks = 0
        self._stretch_ticks = 0
        """Where the current unbroken stretch begins in the export."""

    def choose_tracks(self, sources: list[ExportSource], *, with_audio: bool = True) -> None:
        """Look at the headers: the first video track's time base, and audio if all have the same."""
        videos: list[Track] = []
        audios: list[Track | None] = []
        for source in sources:
            try:
                with SegmentReader.open(source.path) as reader:
                    videos.append(reader.tracks[reader.video_track])
                    audios.append(next((track for track in reader.tracks if not track.is_video), None))
            except WatchdeckError:
                continue  # noted when its turn comes
        if videos:
            self._video = SampleTable(videos[0])
        if not with_audio:
            return
        kinds = {audio for audio in audios if audio}
        if len(kinds) == 1 and None not in audios:
            self._audio = SampleTable(kinds.pop())
        elif kinds:
            self._notes.append("audio is left out: not all segments have the same audio format")

    def add(self, source: ExportSource) -> None:
        """The wanted stretch of a source, if there is one."""
        try:
            with SegmentReader.open(source.path) as reader:
                self._add(source, reader)
        except WatchdeckError as exc:
            self._notes.append(f"left out: {exc.what}")

    def _add(self, source: ExportSource, reader: SegmentReader) -> None:
        parts = [reader.part(place) for place in reader.parts]
        if reader.damage:
            self._notes.append(f"only up to the damage: {reader.damage.what}")
        clock = _MediaClock(source, reader.tracks[reader.video_track].time_base_hz)
        choice = _choose(parts, reader.video_track, clock, self._start_of(source), self._end_us)
        if choice is None or self._video is None:
            return
        hz = self._video.track.time_base_hz
        identity = reader.identity
        is_continued = (
            self._last is not None
            and self._last.run == identity.run
            and self._last.sequence + 1 == identity.sequence
            and choice.first == (0, 0)
        )
        if is_continued:
            zero_ticks = self._last_zero_ticks + self._last_duration_ticks
        else:
            self._stretch_ticks = 0 if self._video.is_empty else self._video.end_ticks
            zero_ticks = self._stretch_ticks - clock.scaled(choice.start_ticks, hz)
        is_right_place = abs(identity.start_us - source.start_us) <= _MAX_START_ERROR_US and (
            self._proof is None or str(identity.camera) == self._proof.camera.uuid
        )
        self._copies.begin_file(
            SourceFile(source.path, reader.device_and_inode, reader.header, is_right_place)
        )
        if not is_right_place:
            self._notes.append(f"segment {source.path.name} says that it is of another camera or time")
        description = self._video.describe(reader.tracks[reader.video_track])
        for number in range(choice.first[0], choice.last[0] + 1):
            run = parts[number].run_of(reader.video_track)
            first = choice.first[1] if number == choice.first[0] else 0
            end = choice.last[1] + 1 if number == choice.last[0] else len(run.sizes_bytes) if run else 0
            self._begin_part(parts[number], run, first, end, clock)
            if run:
                self._add_video(self._video, description, run, first, end, clock, zero_ticks)
            self._add_audio(parts[number], reader, zero_ticks, choice, clock)
        self._last, self._last_zero_ticks = identity, zero_ticks
        self._last_duration_ticks = clock.scaled(reader.video_duration_ticks, hz)
        shown = Interval(clock.wall_us(choice.start_ticks), clock.wall_us(choice.end_ticks))
        self._shown.append(shown)
        first_us, end_us = (
            ticks_to_us(zero_ticks + clock.scaled(ticks, hz), hz)
            for ticks in (choice.start_ticks, choice.end_ticks)
        )
        self._spans.append(MediaSpan(first_us, end_us, shown.start_us, shown.end_us))

    def _start_of(self, source: ExportSource) -> int:
        """Where it is wanted from. What the source before it shows as well is left out, as far as keyframes allow: a part that
        hung on its way to one volume and was written to another may have reached both."""
        shown_until_us = self._shown[-1].end_us if self._shown else 0
        if shown_until_us - source.start_us <= _MAX_START_ERROR_US:
            return self._start_us
        return max(self._start_us, shown_until_us + _MAX_START_ERROR_US)

    def _begin_part(
        self, part: StoredPart, run: StoredRun | None, first: int, end: int, clock: _MediaClock
    ) -> None:
        """Tell the manifest which times the part's data shows; one without pictures counts with the ones before."""
        if run is None:
            begin_ticks = end_ticks = part.place.start_ticks
        else:
            begin_ticks = min(run.times_ticks()[first:end])
            end_ticks = _decode_ticks(run)[end - 1] + run.durations_ticks[end - 1]
        self._copies.begin_part(part.place, clock.wall_us(begin_ticks), clock.wall_us(end_ticks))

    def _add_video(
        self,
        table: SampleTable,
        description: int,
        run: StoredRun,
        first: int,
        end: int,
        clock: _MediaClock,
        zero_ticks: int,
    ) -> None:
        hz = table.track.time_base_hz
        decode = _decode_ticks(run)[first:end]
        shown = run.times_ticks()[first:end]
        decode_out = [zero_ticks + clock.scaled(ticks, hz) for ticks in decode]
        shown_out = [zero_ticks + clock.scaled(ticks, hz) for ticks in shown]
        sizes = run.sizes_bytes[first:end]
        placed = self._copies.add(run.data_offset_bytes + sum(run.sizes_bytes[:first]), sum(sizes))
        table.add_chunk(
            description,
            placed,
            decode_out,
            clock.scaled(run.durations_ticks[end - 1], hz),
            [at - decoded for at, decoded in zip(shown_out, decode_out, strict=True)],
            sizes,
            None if run.keyframes is None else run.keyframes[first:end],
        )

    def _add_audio(
        self, part: StoredPart, reader: SegmentReader, zero_ticks: int, choice: _Choice, clock: _MediaClock
    ) -> None:
        """The part's audio that belongs to the chosen pictures and does not overlap what is there."""
        table = self._audio
        if table is None or self._video is None:
            return
        run = next((run for run in part.runs if not reader.tracks[run.track].is_video), None)
        if run is None or reader.tracks[run.track] != table.track:
            return
        hz, video_hz = table.track.time_base_hz, self._video.track.time_base_hz
        zero = zero_ticks * hz // video_hz
        begin = self._stretch_ticks * hz // video_hz
        # Audio may run a little ahead of the pictures into the next segment, but not past the asked end.
        end = zero + choice.end_ticks * hz // clock.hz if choice.is_cut else None
        decode = [zero + ticks for ticks in _decode_ticks(run)]
        wanted = []
        floor = max(begin, table.next_ticks)
        for ticks in decode:
            is_wanted = ticks >= floor and (end is None or ticks < end)
            wanted.append(is_wanted)
            if is_wanted:
                floor = ticks + 1
        for first, stop in stretches(wanted):
            sizes = run.sizes_bytes[first:stop]
            placed = self._copies.add(run.data_offset_bytes + sum(run.sizes_bytes[:first]), sum(sizes))
            table.add_chunk(
                table.describe(table.track),
                placed,
                decode[first:stop],
                run.durations_ticks[stop - 1],
                [0] * len(sizes),
                sizes,
                None,
            )

    def finish(self) -> ExportFile:
        """`ftyp` and `moov`, now that everything is known."""
        if self._video is None or self._video.is_empty:
            reasons = "; ".join(self._notes)
            raise NotFound(f"nothing was recorded in that time{': ' + reasons if reasons else ''}")
        tables = [self._video]
        if self._audio is not None and not self._audio.is_empty:
            tables.append(self._audio)
        parts = merged(self._shown, _JOIN_WITHIN_US)
        self._copies.finish()
        data_bytes = self._copies.total_bytes
        file_type = box(b"ftyp", b"isom", struct.pack(">I", 512), b"isomiso2mp41")
        head_bytes = len(file_type) + len(self._moov(tables, 0, is_large=False)) + LARGE_HEADER_BYTES
        is_large = head_bytes + data_bytes > _MAX_SMALL_BYTES
        if is_large:
            mdat_header = struct.pack(">I4sQ", 1, b"mdat", data_bytes + LARGE_HEADER_BYTES)
        else:
            mdat_header = struct.pack(">I4s", data_bytes + HEADER_BYTES, b"mdat")
        # The offsets' values do not change the box's size, so a first pass tells where the data will begin.
        moov_bytes = len(self._moov(tables, 0, is_large=is_large))
        data_start_bytes = len(file_type) + moov_bytes + len(mdat_header)
        head = file_type + self._moov(tables, data_start_bytes, is_large=is_large) + mdat_header
        planned = ExportFile(
            len(head) + data_bytes,
            parts[0].start_us,
            parts[-1].end_us,
            tuple((part.start_us, part.end_us) for part in parts),
            tuple(self._notes),
            tuple(self._spans),
            head,
            self._copies,
            self._proof,
            (self._start_us, self._end_us),
        )
        if self._proof is None:
            return planned
        manifest_bytes = room_bytes(planned.manifest())
        if manifest_bytes > MANIFEST_LIMIT_BYTES:
            raise InvalidInput(
                "too long for one file: its manifest would not fit", "export it in several files"
            )
        return replace(planned, total_bytes=planned.total_bytes + manifest_bytes)

    def _moov(self, tables: list[SampleTable], data_start_bytes: int, *, is_large: bool) -> bytes:
        movie_hz = tables[0].track.time_base_hz
        duration = max(table.end_ticks * movie_hz // table.track.time_base_hz for table in tables)
        traks = [
            table.trak(index + 1, movie_hz, data_start_bytes, is_large=is_large)
            for index, table in enumerate(tables)
        ]
        return box(
            b"moov", movie_header(movie_hz, duration, len(tables) + 1, self._shown[0].start_us), *traks
        )


class _MediaClock:
    """Media time of one source as wall time and as other ticks."""

    def __init__(self, source: ExportSource, hz: int) -> None:
        self.hz = hz
        self._start_us = source.start_us
        has_span = source.media_duration_ticks > 0 and source.end_us > source.start_us
        self._span_us = source.end_us - source.start_us if has_span else 1_000_000
        self._span_ticks = source.media_duration_ticks if has_span else hz

    def wall_us(self, ticks: int) -> int:
        """Wall time, stretched as the catalog says this segment was."""
        return self._start_us + ticks * self._span_us // self._span_ticks

    def scaled(self, ticks: int, hz: int) -> int:
        """The same media time in other ticks."""
        return ticks if hz == self.hz else ticks * hz // self.hz


@dataclass(frozen=True, slots=True)
class _Choice:
    """The stretch of a source that is exported, as (part, sample) of its first and last picture."""

    first: tuple[int, int]
    last: tuple[int, int]
    start_ticks: int
    end_ticks: int
    """Decode times at which it begins and ends, from the source's zero."""
    is_cut: bool
    """Pictures of the source are left out behind it."""


def _choose(
    parts: list[StoredPart], video: int, clock: _MediaClock, start_us: int, end_us: int
) -> _Choice | None:
    """From the last keyframe at or before the start (else the first one) to the last picture before the end."""
    first: tuple[int, int] | None = None
    last: tuple[int, int] | None = None
    start_ticks = end_ticks = 0
    final: tuple[int, int] | None = None
    for number, part in enumerate(parts):
        run = part.run_of(video)
        if run is None:
            continue
        decode = _decode_ticks(run)
        for index, ticks in enumerate(run.times_ticks()):
            wall_us = clock.wall_us(ticks)
            if run.is_keyframe(index) and (first is None or wall_us <= start_us):
                first, start_ticks = (number, index), decode[index]
            if wall_us < end_us:
                last, end_ticks = (number, index), decode[index] + run.durations_ticks[index]
            final = (number, index)
    if first is None or last is None or last < first:
        return None
    return _Choice(first, last, start_ticks, end_ticks, last != final)


def _decode_ticks(run: StoredRun) -> list[int]:
    """Decode time of each sample."""
    ticks = []
    at = run.decode_ticks
    for duration in run.durations_ticks:
        ticks.append(at)
        at += duration
    return ticks
