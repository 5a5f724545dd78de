"""One segment as the recorder sees it: what was handed to the volume, and what is known to be in the file. Loop only."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from engine.catalog_thread import CatalogThread
from engine.recording.volume_thread import SegmentFile, VolumeThread
from storage.catalog.changes import Change, CloseSegment, DropSegment, GrowSegment, OpenSegment
from storage.errors import WatchdeckError
from storage.segments.chain import RunChain
from storage.segments.identity import SegmentIdentity
from storage.segments.packet import Track
from storage.segments.part import Part
from storage.segments.places import encode_places
from storage.segments.writer import SegmentSummary
from storage.volumes.volume import segment_path


@dataclass(frozen=True, slots=True)
class SegmentTail:
    """What is in a segment's file now; its row in the catalog follows with the next sync."""

    camera_id: int
    volume_id: int
    path: str
    start_us: int
    end_us: int
    media_duration_ticks: int
    bytes: int


class SegmentOwner(Protocol):
    """The recorder, as its segments need it."""

    def segment_written(self, segment: RecordedSegment, is_first: bool) -> None:
        """One more part is in the file."""

    def segment_finished(self, segment: RecordedSegment) -> None:
        """Its file is closed, one way or another."""

    def segment_broken(self, segment: RecordedSegment, error: WatchdeckError) -> None:
        """Nothing more gets into the file. Called once."""

    def segment_tail_lost(self, segment: RecordedSegment) -> None:
        """What was written behind `durable_end_us` may not be on the disk. The volume is out of use."""


class RecordedSegment:
    """Times and bytes are of parts known to be in the file; parts in flight are kept until they are."""

    def __init__(
        self,
        volume: VolumeThread,
        identity: SegmentIdentity,
        tracks: tuple[Track, ...],
        start_ticks: int,
        owner: SegmentOwner,
        catalog: CatalogThread,
        chain: RunChain | None = None,
    ) -> None:
        self.volume = volume
        self.start_us = identity.start_us
        self.start_ticks = start_ticks
        self.end_us = identity.start_us
        """Up to here it is in the file."""
        self.durable_end_us = identity.start_us
        """Up to here it survives a power cut."""
        self._told_end_us = identity.start_us
        self.accepted_end_us = identity.start_us
        """Up to here it was handed over."""
        self._ticks = 0
        self._bytes = 0
        self._run = identity.run
        self._sequence = identity.sequence
        self._owner = owner
        self._catalog = catalog
        self._summary: SegmentSummary | None = None
        self._is_given_up = False
        self._end_us: int | None = None
        self._is_end_awaited = False
        # Bounded by the volume's queue: each is in it, or is being written.
        self._in_flight: deque[tuple[Part, int]] = deque()
        relative = segment_path(identity.camera, identity.start_us, identity.run, identity.sequence)
        self.file = SegmentFile(relative, identity, tracks, self, chain)

    def announce(self, *before: Change) -> None:
        """Tell the catalog before the file exists: after a crash, a file that no row names would be lost footage."""
        self._catalog.record(
            *before,
            OpenSegment(self._run, self._sequence, self.volume.record.id, self.file.relative, self.start_us),
            is_urgent=True,
        )

    def append(self, part: Part, end_us: int) -> bool:
        """Hand over a part that ends at that wall time; False when the volume does not take it."""
        if not self.volume.append(self.file, part):
            return False
        self._in_flight.append((part, end_us))
        self.accepted_end_us = end_us
        return True

    def close(self) -> None:
        """No more parts; what was handed over is still written."""
        self.volume.close(self.file)

    def await_end(self) -> None:
        """Its wall time is wrong by now: `end_at` will tell when it ended. The catalog is told nothing until then."""
        self._is_end_awaited = True

    def end_at(self, end_us: int | None) -> None:
        """It lasted until here, whatever its media time says; None = as that says."""
        self._is_end_awaited = False
        self._end_us = end_us if end_us is None else max(end_us, self.start_us)
        self.volume.tell_again(self.file)

    def give_up(self) -> list[Part]:
        """The volume is in trouble: finish the file as it is. Returns the parts that are not known to be in it."""
        self._is_given_up = True
        self.volume.cancel(self.file)
        parts = [part for part, _ in self._in_flight]
        self._in_flight.clear()
        self.accepted_end_us = self.end_us
        return parts

    def tail(self, camera_id: int) -> SegmentTail:
        return SegmentTail(
            camera_id,
            self.volume.record.id,
            self.file.relative,
            self.start_us,
            self.end_us,
            self._ticks,
            self._bytes,
        )

    @property
    def has_in_flight(self) -> bool:
        return bool(self._in_flight)

    # -- told by the volume's thread -----------------------------------------------------------------------

    def part_written(self, file: SegmentFile, part: Part, size_bytes: int) -> None:
        self._bytes = size_bytes
        if self._is_given_up:
            # It was in the middle of a write that ended after all; the part is on its way to another volume.
            return
        is_first = self._ticks == 0
        _, self.end_us = self._in_flight.popleft()
        self._ticks = part.video_start_ticks + part.video_duration_ticks - self.start_ticks
        self._owner.segment_written(self, is_first)

    def segment_failed(self, file: SegmentFile, error: WatchdeckError) -> None:
        if not self._is_given_up:
            self._owner.segment_broken(self, error)

    def segment_closed(
        self, file: SegmentFile, summary: SegmentSummary | None, error: WatchdeckError | None
    ) -> None:
        self._summary = summary
        self._owner.segment_finished(self)
        if summary is None and error is None:
            self._catalog.record(DropSegment(self._run, self._sequence))
        # With an error the row stays open: start-up or the return of the volume recovers the file.

    def synced(self, file: SegmentFile) -> None:
        self.durable_end_us = self._told_end_us

    def sync_failed(self, file: SegmentFile) -> None:
        self._owner.segment_tail_lost(self)

    def growth(self) -> Change | None:
        self._told_end_us = self.end_us
        if self._is_end_awaited:
            return None
        if self._summary is not None:
            return CloseSegment(
                self._run,
                self._sequence,
                self.end_us if self._end_us is None else self._end_us,
                self._ticks,
                self._summary.bytes,
                encode_places(self._summary.keyframes),
            )
        return (
            GrowSegment(self._run, self._sequence, self.end_us, self._ticks, self._bytes)
            if self._bytes
            else None
        )
