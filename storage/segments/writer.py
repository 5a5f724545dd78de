"""Writes one segment file: parts as they come, the index at the end. Volume thread only; blocking.

One `writev` a part, with the link of the hash chain behind it (the header rides with the first), so a crash leaves whole
parts and at most one torn one.
No fsync here: the volume syncs once for all its files.
"""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import dataclass
from pathlib import Path

from storage.errors import AlreadyExists
from storage.segments.chain import RunChain, SegmentChain
from storage.segments.fmp4 import (
    RunPlacement,
    file_header,
    known_duration,
    part_header,
    part_index,
    video_track_index,
)
from storage.segments.identity import SegmentIdentity
from storage.segments.packet import Track
from storage.segments.part import Part, TrackRun
from storage.segments.places import PartPlace
from storage.volumes.errno_map import volume_error
from storage.volumes.folders import create_file, open_root

_IOV_MAX = os.sysconf("SC_IOV_MAX") if os.sysconf("SC_IOV_MAX") > 0 else 16
_MAX_AUDIO_LEAD_S = 5


@dataclass(frozen=True, slots=True)
class SegmentSummary:
    """What a closed segment holds."""

    bytes: int
    """Size of the file."""
    video_duration_ticks: int
    keyframes: tuple[PartPlace, ...]
    """Of the parts that open with a keyframe."""
    is_indexed: bool
    """False when the volume had no room left for the index; the file plays without it."""


class SegmentWriter:
    """One open segment. The file always begins with whole parts: a failed append is cut off again.

    After an error `append` may be tried again, or the segment closed or abandoned.
    """

    __slots__ = (
        "_chain",
        "_duration_ticks",
        "_fd",
        "_mehd_offset_bytes",
        "_next_dts",
        "_origins",
        "_places",
        "_size_bytes",
        "_summary",
        "_tracks",
        "_video",
        "_volume_name",
        "_zeros",
        "identity",
        "relative",
        "root",
    )

    def __init__(
        self,
        fd: int,
        root: Path,
        relative: str,
        identity: SegmentIdentity,
        tracks: tuple[Track, ...],
        volume_name: str,
        chain: RunChain | None = None,
    ) -> None:
        """Takes over `fd`, an empty file; see `create`."""
        self.root = root
        self.relative = relative
        self._fd = fd
        self._tracks = tracks
        self._video = video_track_index(tracks)
        self._volume_name = volume_name
        self._chain = None if chain is None else SegmentChain(chain)
        self.identity = identity
        self._mehd_offset_bytes = 0
        self._origins: tuple[int, ...] = ()
        self._zeros: tuple[int, ...] = ()
        self._duration_ticks = 0
        self._next_dts = [0] * len(tracks)
        self._places: list[PartPlace] = []
        self._size_bytes = 0
        self._summary: SegmentSummary | None = None

    @classmethod
    def create(
        cls,
        root: Path,
        relative: str,
        identity: SegmentIdentity,
        tracks: tuple[Track, ...],
        *,
        volume_name: str = "",
        chain: RunChain | None = None,
    ) -> SegmentWriter:
        """A new file; nothing is written before the first part. `chain` of its run: parts are hashed, and signed.

        Raises VolumeError or AlreadyExists.
        """
        name = volume_name or str(root)
        try:
            root_fd = open_root(root)
        except OSError as exc:
            raise volume_error(exc, name) from exc
        try:
            return cls.create_at(root_fd, root, relative, identity, tracks, name, chain)
        finally:
            os.close(root_fd)

    @classmethod
    def create_at(
        cls,
        root_fd: int,
        root: Path,
        relative: str,
        identity: SegmentIdentity,
        tracks: tuple[Track, ...],
        volume_name: str,
        chain: RunChain | None = None,
    ) -> SegmentWriter:
        """Like `create`, beneath a root that is already open and checked."""
        video_track_index(tracks)  # tracks without video are refused before there is a file
        try:
            fd = create_file(root_fd, relative)
        except FileExistsError as exc:
            raise AlreadyExists(f"volume {volume_name}: segment {relative} exists already") from exc
        except OSError as exc:
            raise volume_error(exc, volume_name) from exc
        return cls(fd, root, relative, identity, tracks, volume_name, chain)

    @property
    def path(self) -> Path:
        """Of the file."""
        return self.root / self.relative

    @property
    def bytes_written(self) -> int:
        """Size of the file's whole parts with the header."""
        return self._size_bytes

    @property
    def video_duration_ticks(self) -> int:
        """From the segment's zero to the end of its last picture."""
        return self._duration_ticks

    @property
    def summary(self) -> SegmentSummary:
        """What the file holds now; for a writer that could not be closed."""
        if self._summary is None:
            keyframes = tuple(place for place in self._places if place.is_keyframe)
            return SegmentSummary(self._size_bytes, self._duration_ticks, keyframes, False)
        return self._summary

    def append(self, part: Part) -> PartPlace:
        """Write the part behind the last. Raises VolumeError; the file then ends with the last whole part."""
        if self._fd < 0:
            raise ValueError("segment is closed")
        buffers: list[bytes] = []
        if not self._places:
            self._begin_time_line(part)
            header = file_header(self.identity, self._tracks, self._zeros)
            self._mehd_offset_bytes = header.mehd_offset_bytes
            buffers.append(header.data)
            if self._chain is not None:
                buffers.append(self._chain.begin(header.data))
        placements = [placement for run in part.runs if (placement := self._placement(run)) is not None]
        offset_bytes = self._size_bytes + sum(map(len, buffers))
        first = len(buffers)
        buffers.append(part_header(len(self._places) + 1, placements))
        for placement in placements:
            _add_data(buffers, placement)
        part_bytes = sum(map(len, buffers[first:]))
        if self._chain is not None:
            buffers.append(self._chain.link_box(buffers[first:]))
        self._size_bytes += self._write(buffers)
        if self._chain is not None:
            self._chain.keep()
        return self._booked(part, placements, offset_bytes, part_bytes)

    def _begin_time_line(self, part: Part) -> None:
        """The segment's zero is its first picture; each track's media time begins far enough before it.

        Pictures: by how far B-frames need their decode times moved ahead. Audio: by how much of it, arriving
        a little after that picture, belongs before it. Players leave it out, an export puts it back in place.
        """
        video_hz = self._tracks[self._video].time_base_hz
        self._origins = tuple(
            (2 * part.video_start_ticks * track.time_base_hz + video_hz) // (2 * video_hz)
            for track in self._tracks
        )
        # Of a track that is silent in the first part nothing is known yet.
        zeros = [0 if track.is_video else track.time_base_hz // 8 for track in self._tracks]
        for run in part.runs:
            if run.track == self._video:
                zeros[run.track] = -min(0, *(run.composition_offsets_ticks or (0, 0)))
            elif not self._tracks[run.track].is_video:
                limit_ticks = _MAX_AUDIO_LEAD_S * self._tracks[run.track].time_base_hz
                lead_ticks = self._origins[run.track] - run.dts_ticks[0]
                zeros[run.track] = min(max(lead_ticks, 0), limit_ticks)
        self._zeros = tuple(zeros)

    def _placement(self, run: TrackRun) -> RunPlacement | None:
        """Where the run lies on its track's media time line; None when all of it is before that begins."""
        first = skip_bytes = shift_ticks = 0
        origin_ticks = self._origins[run.track]
        if run.track == self._video:
            shift_ticks = self._zeros[run.track]
        else:
            origin_ticks -= self._zeros[run.track]
            while first < len(run.dts_ticks) and run.dts_ticks[first] < origin_ticks:
                skip_bytes += run.sizes_bytes[first]
                first += 1
            if first == len(run.dts_ticks):
                return None
        # A part cut where it should not be, or a second builder in one segment: time still never goes back.
        decode_ticks = max(run.dts_ticks[first] - origin_ticks, self._next_dts[run.track])
        return RunPlacement(run, first, decode_ticks, skip_bytes, shift_ticks)

    def _booked(
        self, part: Part, placements: list[RunPlacement], offset_bytes: int, part_bytes: int
    ) -> PartPlace:
        """Take note of the part that has just been written."""
        start_ticks = self._duration_ticks
        for placement in placements:
            run = placement.run
            end_ticks = placement.decode_ticks + run.dts_ticks[-1] - run.dts_ticks[placement.first]
            self._next_dts[run.track] = end_ticks + 1
            if run.track == self._video:
                offset = run.composition_offsets_ticks[0] if run.composition_offsets_ticks else 0
                start_ticks = placement.decode_ticks + offset
                self._duration_ticks = max(self._duration_ticks, end_ticks + run.durations_ticks[-1])
        place = PartPlace(offset_bytes, part_bytes, start_ticks, part.has_keyframe_first)
        self._places.append(place)
        return place

    def close(self) -> SegmentSummary:
        """Write the duration and the index, close the file. A volume without room for the index is no error.

        Raises VolumeError when the file could not be finished; it is then closed as it is, see `summary`.
        Raises ValueError when no part was written.
        """
        if self._summary is not None:
            return self._summary
        if not self._places:
            raise ValueError("a segment without a part cannot be closed; abandon it")
        keyframes = tuple(place for place in self._places if place.is_keyframe)
        index = part_index(self._places, self._video, self._zeros[self._video])
        if self._chain is not None:
            index = self._chain.end_box() + index
        is_indexed = True
        try:
            _pwrite_all(self._fd, known_duration(self._duration_ticks), self._mehd_offset_bytes)
            try:
                _pwrite_all(self._fd, index, self._size_bytes)
            except OSError as exc:
                os.ftruncate(self._fd, self._size_bytes)
                if exc.errno not in (errno.ENOSPC, errno.EDQUOT):
                    raise
                is_indexed = False
        except OSError as exc:
            raise volume_error(exc, self._volume_name) from exc
        finally:
            self._close_fd()
        self._size_bytes += len(index) if is_indexed else 0
        self._summary = SegmentSummary(self._size_bytes, self._duration_ticks, keyframes, is_indexed)
        return self._summary

    def abandon(self) -> None:
        """Close the file as it is; recovery can finish it later. A file without a part is removed. Never raises."""
        if self._fd < 0:
            return
        self._close_fd()
        if not self._places:
            with contextlib.suppress(OSError):
                self.path.unlink()

    def _close_fd(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with contextlib.suppress(OSError):
                os.close(fd)

    def _write(self, buffers: list[bytes]) -> int:
        """All of the buffers at the end of the file, or none of them; returns their bytes."""
        total_bytes = sum(map(len, buffers))
        try:
            written = os.writev(self._fd, buffers[:_IOV_MAX])
            if written < total_bytes:
                self._write_rest(buffers, written)
        except OSError as exc:
            # When even this fails, recovery cuts the torn part off.
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self._size_bytes)
                os.lseek(self._fd, self._size_bytes, os.SEEK_SET)
            raise volume_error(exc, self._volume_name) from exc
        return total_bytes

    def _write_rest(self, buffers: list[bytes], written: int) -> None:
        """Go on after a write that took only the first `written` bytes (a nearly full disk, many buffers)."""
        waiting = [memoryview(buffer) for buffer in buffers if buffer]
        position = 0
        while True:
            while position < len(waiting) and written >= len(waiting[position]):
                written -= len(waiting[position])
                position += 1
            if position == len(waiting):
                return
            waiting[position] = waiting[position][written:]
            written = os.writev(self._fd, waiting[position : position + _IOV_MAX])
            if written == 0:
                raise OSError(errno.EIO, os.strerror(errno.EIO))


def _add_data(buffers: list[bytes], placement: RunPlacement) -> None:
    """The run's data without what is left out."""
    run = placement.run
    if not placement.first:
        buffers.extend(run.buffers)
    elif len(run.buffers) == 1:
        buffers.append(run.buffers[0][placement.skip_bytes :])
    else:
        buffers.extend(run.buffers[placement.first :])


def _pwrite_all(fd: int, data: bytes, offset_bytes: int) -> None:
    while data:
        written = os.pwrite(fd, data, offset_bytes)
        if written == 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        data, offset_bytes = data[written:], offset_bytes + written
