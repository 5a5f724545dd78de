"""Finishes a segment that a crash left open: keeps every whole part, cuts off the torn end, writes the index.

Called for segments nobody writes any more. Doing it again changes nothing.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from storage.segments.boxes import BoxError
from storage.segments.chain import LINK_BOX_BYTES, Signer, end_box, parse_end, parse_link
from storage.segments.fmp4 import known_duration, part_index
from storage.segments.fragments import PartScan, StoredPart, TailKind
from storage.segments.identity import SegmentIdentity
from storage.segments.packet import Codec, Track
from storage.segments.places import PartPlace
from storage.segments.reader import damaged, open_segment_file
from storage.segments.stored_header import SegmentHeader, read_exactly, read_header, read_index
from storage.volumes.errno_map import volume_error

_HOLE = bytes(512)
_YOUNG_S = 15
"""The end of a segment that may be younger than the last sync of the volume: only there can pages be missing."""


@dataclass(frozen=True, slots=True)
class RecoveredSegment:
    """What a segment holds after recovery."""

    identity: SegmentIdentity
    tracks: tuple[Track, ...]
    bytes: int
    """Size of the file now."""
    video_duration_ticks: int
    parts: tuple[PartPlace, ...]
    truncated_bytes: int
    """Cut off the end; 0 when the file was whole."""

    @property
    def keyframes(self) -> tuple[PartPlace, ...]:
        """Parts that open with a keyframe, for the catalog's index."""
        return tuple(place for place in self.parts if place.is_keyframe)


def recover_segment(path: Path, signer: Signer | None = None) -> RecoveredSegment:
    """Make the file a closed segment, durable. With `signer`, an end is signed that says: found like this after a crash.

    Raises SegmentDamaged when not one part is whole, or when a closed file is damaged in its middle (it is
    left as it is: what follows the damage may still be wanted); NotFound; VolumeError.
    """
    fd = open_segment_file(path, os.O_RDWR)
    try:
        return _recover(fd, signer)
    except BoxError as exc:
        raise damaged(path, exc) from exc
    except OSError as exc:
        raise volume_error(exc, str(path)) from exc
    finally:
        os.close(fd)


def _recover(fd: int, signer: Signer | None) -> RecoveredSegment:
    header = read_header(fd)
    file_bytes = os.fstat(fd).st_size
    scan = PartScan(fd, header, header.size_bytes)
    parts = list(scan)
    tail = scan.tail
    if tail is not None and tail.kind is TailKind.DAMAGED and read_index(fd, header):
        raise BoxError(tail.what, tail.offset_bytes)
    kept = _up_to_first_hole(fd, header, parts)
    if not kept:
        raise BoxError("not one whole part", header.size_bytes)

    places = [part.place for part in kept]
    end_bytes = places[-1].offset_bytes + places[-1].size_bytes
    closing = b""
    if header.start is not None and (found := parse_link(os.pread(fd, LINK_BOX_BYTES, end_bytes))):
        end_bytes += LINK_BOX_BYTES
        # Only the key that signs the segment ends it: an end by one that replaced it would look forged.
        is_same_key = signer is not None and signer.public_key == header.start.public_key
        closing = _chain_end(scan.end_box, found[0], len(places), signer if is_same_key else None)
    duration_ticks = max(_video_end_ticks(part, header) for part in kept)
    index = closing + part_index(places, header.video, header.zeros_ticks[header.video])
    is_whole = (
        header.duration_ticks == duration_ticks
        and file_bytes == end_bytes + len(index)
        and read_exactly(fd, len(index), end_bytes) == index
    )
    is_data_whole = (
        tail is not None and tail.kind in (TailKind.END, TailKind.INDEX) and len(kept) == len(parts)
    )
    kept_bytes = end_bytes + (len(closing) if closing is scan.end_box else 0)
    truncated_bytes = 0 if is_data_whole else file_bytes - kept_bytes
    size_bytes = file_bytes
    if not is_whole:
        size_bytes = _finish(fd, header, end_bytes, duration_ticks, index, file_bytes)
    return RecoveredSegment(
        header.identity, header.tracks, size_bytes, duration_ticks, tuple(places), truncated_bytes
    )


def _chain_end(there: bytes, link: bytes, part_count: int, signer: Signer | None) -> bytes:
    """The end of the hash chain as it stands in the file, if it fits; else a new one, if somebody signs."""
    end = parse_end(there)
    if end is not None and (end.link, end.part_count) == (link, part_count):
        return there
    return end_box(link, part_count, signer, is_recovered=True)


def _finish(
    fd: int, header: SegmentHeader, end_bytes: int, duration_ticks: int, index: bytes, file_bytes: int
) -> int:
    """Cut the end off, write index and duration, make it durable; returns the file's size."""
    if file_bytes != end_bytes:
        os.ftruncate(fd, end_bytes)
    try:
        written = os.pwrite(fd, index, end_bytes)
        if written != len(index):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        size_bytes = end_bytes + len(index)
    except OSError as exc:
        os.ftruncate(fd, end_bytes)
        if exc.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        size_bytes = end_bytes  # no room for the index: the file plays without it
    os.pwrite(fd, known_duration(duration_ticks), header.mehd_offset_bytes)
    os.fsync(fd)
    return size_bytes


def _video_end_ticks(part: StoredPart, header: SegmentHeader) -> int:
    video = part.run_of(header.video)
    return video.end_ticks if video else 0


def _up_to_first_hole(fd: int, header: SegmentHeader, parts: list[StoredPart]) -> list[StoredPart]:
    """The parts before the first one in which a power cut left zeros where its pictures should be.

    A file system may have made the file longer before its data arrived. Coded pictures never hold such a
    stretch of zeros (emulation prevention in H.264 and H.265; a JPEG does not begin or end with one).
    """
    track = header.tracks[header.video]
    end_ticks = max((_video_end_ticks(part, header) for part in parts), default=0)
    for position, part in enumerate(parts):
        run = part.run_of(header.video)
        if run is None or run.end_ticks < end_ticks - _YOUNG_S * track.time_base_hz:
            continue
        data = read_exactly(fd, run.data_bytes, run.data_offset_bytes)
        is_jpeg = track.codec is Codec.MJPEG
        if (data.startswith(_HOLE) or data.endswith(_HOLE)) if is_jpeg else _HOLE in data:
            return parts[:position]
    return parts
