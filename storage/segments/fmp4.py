"""The bytes of a segment file (ISO/IEC 14496-12, fragmented): header, parts, closing index.

    ftyp  moov(mvhd, trak..., mvex(mehd | free, trex...))  uuid(identity)  { moof mdat }...  mfra(tfra, mfro)

While a segment is open its `mehd` is a `free` box of the same size; closing overwrites it with the duration,
so one look at the header tells whether the file was closed. Layout by byte: docs/recording-format.md.
Not here: files. Reading is fragments.py.
"""

from __future__ import annotations

import struct
import sys
from array import array
from dataclasses import dataclass

import msgspec

from storage.segments.boxes import HEADER_BYTES, LARGE_HEADER_BYTES, box, full_box
from storage.segments.identity import IDENTITY_BOX_UUID, SegmentIdentity
from storage.segments.packet import Track
from storage.segments.part import TrackRun
from storage.segments.places import PartPlace
from storage.segments.sample_entry import display_size, sample_entry
from storage.units import US_PER_SECOND

SYNC_FLAGS = 0x0200_0000
"""sample_depends_on = 2 (nothing)."""
NON_SYNC_FLAGS = 0x0101_0000
"""sample_depends_on = 1, sample_is_non_sync_sample."""

TFHD_DEFAULT_DURATION, TFHD_DEFAULT_SIZE, TFHD_DEFAULT_FLAGS = 0x8, 0x10, 0x20
TFHD_BASE_IS_MOOF = 0x2_0000
TRUN_DATA_OFFSET, TRUN_FIRST_FLAGS = 0x1, 0x4
TRUN_DURATION, TRUN_SIZE, TRUN_FLAGS, TRUN_OFFSET = 0x100, 0x200, 0x400, 0x800

MEHD_BYTES = 20
_UNITY_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x4000_0000)
_SECONDS_1904_TO_1970 = 2_082_844_800
_MAX_SMALL_MDAT_BYTES = 0xFFFF_FFFF


class IdentityBox(msgspec.Struct, frozen=True, kw_only=True):
    """Body of the `uuid` box, as JSON: who the segment is, and its tracks exactly as the source announced them."""

    identity: SegmentIdentity
    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True)
class FileHeader:
    """What stands before the first part."""

    data: bytes
    mehd_offset_bytes: int
    """Of the box that closing overwrites."""


def video_track_index(tracks: tuple[Track, ...]) -> int:
    """The first video track: it rules GOPs and durations. Raises ValueError when there is none."""
    for index, track in enumerate(tracks):
        if track.is_video:
            return index
    raise ValueError("a segment needs a video track")


def file_header(
    identity: SegmentIdentity, tracks: tuple[Track, ...], zeros_ticks: tuple[int, ...]
) -> FileHeader:
    """`ftyp`, `moov` and the identity box of a new segment.

    `zeros_ticks`: where on each track's media time line the segment's zero lies, written as an edit list.
    """
    stream = stream_header(tracks, zeros_ticks, start_us=identity.start_us)
    body = msgspec.json.encode(IdentityBox(identity=identity, tracks=tracks))
    return FileHeader(stream.data + box(b"uuid", IDENTITY_BOX_UUID.bytes, body), stream.mehd_offset_bytes)


def stream_header(tracks: tuple[Track, ...], zeros_ticks: tuple[int, ...], *, start_us: int) -> FileHeader:
    """`ftyp` and `moov` in front of fragments, without a word of whose they are; `start_us` = wall time, 0 = untold."""
    file_type = box(b"ftyp", b"iso5", struct.pack(">I", 512), b"iso5iso6mp41")
    movie_hz = tracks[video_track_index(tracks)].time_base_hz
    traks = [_trak(index + 1, track, zeros_ticks[index]) for index, track in enumerate(tracks)]
    mvex = box(
        b"mvex",
        unknown_duration(),
        *(
            full_box(
                b"trex",
                0,
                0,
                struct.pack(">IIIII", index + 1, 1, 0, 0, NON_SYNC_FLAGS if track.is_video else SYNC_FLAGS),
            )
            for index, track in enumerate(tracks)
        ),
    )
    moov = box(b"moov", movie_header(movie_hz, 0, len(tracks) + 1, start_us), *traks, mvex)
    return FileHeader(file_type + moov, len(file_type) + len(moov) - len(mvex) + HEADER_BYTES)


def unknown_duration() -> bytes:
    """Stands where `mehd` will be: a segment that is still open has no duration to state."""
    return box(b"free", bytes(MEHD_BYTES - HEADER_BYTES))


def known_duration(duration_ticks: int) -> bytes:
    """`mehd` of a closed segment, in the video track's ticks."""
    return full_box(b"mehd", 1, 0, struct.pack(">Q", duration_ticks))


def movie_header(movie_hz: int, duration_ticks: int, next_track: int, start_us: int) -> bytes:
    """`mvhd`, version 1: durations of 64 bits, creation time = wall time of the first picture."""
    created = max(start_us // US_PER_SECOND + _SECONDS_1904_TO_1970, 0)
    return full_box(
        b"mvhd",
        1,
        0,
        struct.pack(">QQIQ", created, created, movie_hz, duration_ticks),
        struct.pack(">IH10x", 0x10000, 0x100),
        _UNITY_MATRIX,
        bytes(24),
        struct.pack(">I", next_track),
    )


def track_header(track_id: int, track: Track, duration_ticks: int, size: tuple[int, int]) -> bytes:
    """`tkhd` of an enabled track; the duration is in the movie's ticks, the size in pixels."""
    width, height = size
    return full_box(
        b"tkhd",
        1,
        0x3,
        struct.pack(">QQIIQ", 0, 0, track_id, 0, duration_ticks),
        struct.pack(">8xhhHH", 0, 0, 0 if track.is_video else 0x100, 0),
        _UNITY_MATRIX,
        struct.pack(">II", width << 16, height << 16),
    )


def media(track: Track, duration_ticks: int, sample_table: bytes) -> bytes:
    """`mdia` around a finished `stbl`."""
    handler, name = (b"vide", b"Video\0") if track.is_video else (b"soun", b"Audio\0")
    header = full_box(b"vmhd", 0, 1, bytes(8)) if track.is_video else full_box(b"smhd", 0, 0, bytes(4))
    return box(
        b"mdia",
        full_box(
            b"mdhd",
            1,
            0,
            struct.pack(">QQIQHH", 0, 0, track.time_base_hz, duration_ticks, 0x55C4, 0),  # language: und
        ),
        full_box(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, handler), name),
        box(
            b"minf",
            header,
            box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1))),
            sample_table,
        ),
    )


def edit_list(*edits: tuple[int, int]) -> bytes:
    """`edts` of (duration in the movie's ticks, start on the media time line or -1 for a pause)."""
    rows = b"".join(struct.pack(">QqI", duration, start, 0x10000) for duration, start in edits)
    return box(b"edts", full_box(b"elst", 1, 0, struct.pack(">I", len(edits)), rows))


def _trak(track_id: int, track: Track, zero_ticks: int) -> bytes:
    nothing = struct.pack(">I", 0)
    sample_table = box(
        b"stbl",
        full_box(b"stsd", 0, 0, struct.pack(">I", 1), sample_entry(track)),
        full_box(b"stts", 0, 0, nothing),
        full_box(b"stsc", 0, 0, nothing),
        full_box(b"stsz", 0, 0, nothing, nothing),
        full_box(b"stco", 0, 0, nothing),
    )
    size = display_size(track) if track.is_video else (0, 0)
    # A duration of 0 in a file with fragments: the edit lasts as long as they do.
    edits = edit_list((0, zero_ticks)) if zero_ticks else b""
    return box(b"trak", track_header(track_id, track, 0, size), edits, media(track, 0, sample_table))


# -- parts -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunPlacement:
    """A run of a part with its place on the segment's own time line; leading samples may be left out."""

    run: TrackRun
    first: int
    """Index of the first sample that is written."""
    decode_ticks: int
    """tfdt: decode time of that sample on the track's media time line."""
    skip_bytes: int
    """Data of the samples that are left out."""
    offset_shift_ticks: int = 0
    """Added to composition offsets: the track's zero, where that is what its edit list undoes."""


def part_header(sequence: int, placements: list[RunPlacement]) -> bytes:
    """`moof` and the header of the `mdat` whose body is the runs' data in the given order."""
    fragment_header = full_box(b"mfhd", 0, 0, struct.pack(">I", sequence & 0xFFFF_FFFF))
    tables = [_run_table(placement) for placement in placements]
    moof_bytes = HEADER_BYTES + len(fragment_header) + sum(table.traf_bytes for table in tables)
    data_bytes = sum(table.data_bytes for table in tables)
    is_large = data_bytes + HEADER_BYTES > _MAX_SMALL_MDAT_BYTES
    data_offset = moof_bytes + (LARGE_HEADER_BYTES if is_large else HEADER_BYTES)
    trafs = []
    for table in tables:
        trafs.append(table.traf(data_offset))
        data_offset += table.data_bytes
    if is_large:
        mdat_header = struct.pack(">I4sQ", 1, b"mdat", data_bytes + LARGE_HEADER_BYTES)
    else:
        mdat_header = struct.pack(">I4s", data_bytes + HEADER_BYTES, b"mdat")
    return box(b"moof", fragment_header, *trafs) + mdat_header


@dataclass(frozen=True, slots=True)
class _RunTable:
    """`traf` of one run, all but its data offset."""

    fragment: bytes
    """`tfhd` and `tfdt`."""
    trun_flags: int
    sample_count: int
    first_flags: bytes
    columns: bytes
    data_bytes: int

    @property
    def traf_bytes(self) -> int:
        return 2 * HEADER_BYTES + 12 + len(self.fragment) + len(self.first_flags) + len(self.columns)

    def traf(self, data_offset: int) -> bytes:
        """The box, now that it is known where the run's data begins, counted from the `moof`."""
        return box(
            b"traf",
            self.fragment,
            full_box(
                b"trun",
                1,
                self.trun_flags,
                struct.pack(">Ii", self.sample_count, data_offset),
                self.first_flags,
                self.columns,
            ),
        )


def _run_table(placement: RunPlacement) -> _RunTable:
    run, first = placement.run, placement.first
    durations, sizes = run.durations_ticks[first:], run.sizes_bytes[first:]
    shift_ticks = placement.offset_shift_ticks
    offsets = run.composition_offsets_ticks[first:] if run.composition_offsets_ticks else None
    if shift_ticks:
        offsets = [offset + shift_ticks for offset in offsets or [0] * len(sizes)]
    tfhd_flags, trun_flags = TFHD_BASE_IS_MOOF, TRUN_DATA_OFFSET
    defaults = first_flags = b""
    columns: list[list[int]] = []
    if durations.count(durations[0]) == len(durations):
        tfhd_flags |= TFHD_DEFAULT_DURATION
        defaults += struct.pack(">I", durations[0])
    else:
        trun_flags |= TRUN_DURATION
        columns.append(durations)
    if len(sizes) > 1 and sizes.count(sizes[0]) == len(sizes):
        tfhd_flags |= TFHD_DEFAULT_SIZE
        defaults += struct.pack(">I", sizes[0])
    else:
        trun_flags |= TRUN_SIZE
        columns.append(sizes)
    keyframes = run.keyframes[first:] if run.keyframes else None
    if keyframes is None:
        tfhd_flags |= TFHD_DEFAULT_FLAGS
        defaults += struct.pack(">I", SYNC_FLAGS)
    elif True in keyframes[1:]:
        trun_flags |= TRUN_FLAGS
        columns.append([SYNC_FLAGS if is_key else NON_SYNC_FLAGS for is_key in keyframes])
    elif keyframes[0]:
        trun_flags |= TRUN_FIRST_FLAGS
        first_flags = struct.pack(">I", SYNC_FLAGS)
    if offsets and any(offsets):
        trun_flags |= TRUN_OFFSET
        columns.append([offset & 0xFFFF_FFFF for offset in offsets])
    fragment = full_box(b"tfhd", 0, tfhd_flags, struct.pack(">I", run.track + 1), defaults)
    fragment += full_box(b"tfdt", 1, 0, struct.pack(">Q", placement.decode_ticks))
    return _RunTable(fragment, trun_flags, len(sizes), first_flags, _interleaved(columns), sum(sizes))


def _interleaved(columns: list[list[int]]) -> bytes:
    """Columns as rows of big-endian 32-bit numbers."""
    if not columns:
        return b""
    if len(columns) == 1:
        rows = array("I", columns[0])
    else:
        rows = array("I", bytes(4 * len(columns) * len(columns[0])))
        for index, column in enumerate(columns):
            rows[index :: len(columns)] = array("I", column)
    if sys.byteorder == "little":
        rows.byteswap()
    return rows.tobytes()


def part_index(places: list[PartPlace], video_track: int, zero_ticks: int) -> bytes:
    """`mfra`: a `tfra` entry for each part that opens with a keyframe, and `mfro` as the file's last bytes."""
    entries = b"".join(
        # traf, trun and sample number 1: the video run is the first, its keyframe the first sample.
        struct.pack(">QQBBB", max(place.start_ticks + zero_ticks, 0), place.offset_bytes, 1, 1, 1)
        for place in places
        if place.is_keyframe
    )
    count = len(entries) // 19
    tfra = full_box(b"tfra", 1, 0, struct.pack(">III", video_track + 1, 0, count), entries)
    mfra_bytes = HEADER_BYTES + len(tfra) + 16
    return box(b"mfra", tfra, full_box(b"mfro", 0, 0, struct.pack(">I", mfra_bytes)))
