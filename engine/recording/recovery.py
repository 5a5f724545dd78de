"""After a crash: finish the segments that were left open, and unlink again what was being recycled.

Runs on the upkeep threads of the volumes, each for itself: at start-up, and when a volume comes back that was
missing or broken. Reads only what the catalog names; a look at everything is `watchdeck fsck`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from engine.catalog_thread import CatalogThread
from engine.recording.volume_thread import VolumeThread
from storage.catalog.changes import Change, CloseSegment, DropSegment
from storage.catalog.records import Run, Segment
from storage.errors import NotFound, SegmentDamaged
from storage.segments.chain import Signer
from storage.segments.places import encode_places
from storage.segments.recover import RecoveredSegment, recover_segment
from storage.units import Interval, ticks_to_us

log = logging.getLogger(__name__)


@dataclass(slots=True)
class RecoveryReport:
    """What was found on one or more volumes."""

    segments: int = 0
    truncated_bytes: int = 0
    dropped: int = 0
    """Segments without one whole part."""
    removed: int = 0
    """Segments whose recycling was interrupted."""
    found: dict[int, Interval] = field(default_factory=dict)
    """Camera id -> from the start of its first to the end of its last segment that was open."""

    def add(self, other: RecoveryReport) -> None:
        self.segments += other.segments
        self.truncated_bytes += other.truncated_bytes
        self.dropped += other.dropped
        self.removed += other.removed
        for camera_id, interval in other.found.items():
            self.saw(camera_id, interval.start_us, interval.end_us)

    def saw(self, camera_id: int, start_us: int, end_us: int) -> None:
        known = self.found.get(camera_id)
        if known is not None:
            start_us, end_us = min(start_us, known.start_us), max(end_us, known.end_us)
        self.found[camera_id] = Interval(start_us, end_us)

    @property
    def is_empty(self) -> bool:
        return not (self.segments or self.dropped or self.removed)

    @property
    def words(self) -> str:
        parts = [f"{self.segments} segments recovered"]
        if self.truncated_bytes:
            parts.append(f"{self.truncated_bytes} bytes of torn ends cut off")
        if self.dropped:
            parts.append(f"{self.dropped} without a whole part dropped")
        if self.removed:
            parts.append(f"{self.removed} interrupted removals finished")
        return ", ".join(parts)


async def recover_volume(
    volume: VolumeThread, catalog: CatalogThread, signer: Signer | None = None
) -> RecoveryReport:
    """Everything of this volume that is open in the catalog and written by nobody. Raises VolumeError."""
    report = RecoveryReport()
    await catalog.flush()
    for segment in await catalog.read("open_segments"):
        if segment.volume_id != volume.record.id or segment.path in volume.writing_paths:
            continue
        run = await catalog.read("run", segment.run_id)
        change = await volume.call(partial(_recovered, volume, segment, run, report, signer))
        if change is not None:
            catalog.record(change)
    deleting = [
        segment for segment in await catalog.read("deleting") if segment.volume_id == volume.record.id
    ]
    for segment in deleting:
        await volume.call(partial(volume.upkeep_volume.remove_segment, segment.path))
    if deleting:
        report.removed += len(deleting)
        await catalog.write("forget", [segment.id for segment in deleting])
    return report


def _recovered(
    volume: VolumeThread, segment: Segment, run: Run, report: RecoveryReport, signer: Signer | None
) -> Change | None:
    """Volume thread. What the catalog is to be told."""
    path = Path(volume.record.path) / segment.path
    try:
        found = recover_segment(path, signer)
    except NotFound:
        report.dropped += 1
        return DropSegment(run.uuid, segment.sequence)
    except SegmentDamaged as error:
        if segment.media_duration_ticks:
            # Footage was there when last told: it is not thrown away; fsck says what can be done.
            log.warning("segment %s on volume %s: %s", segment.path, volume.name, error)
            report.saw(segment.camera_id, segment.start_us, segment.end_us)
            return CloseSegment(
                run.uuid,
                segment.sequence,
                segment.end_us,
                segment.media_duration_ticks,
                segment.bytes,
                is_recovered=True,
            )
        volume.upkeep_volume.remove_segment(segment.path)
        report.dropped += 1
        return DropSegment(run.uuid, segment.sequence)
    end_us = _end_us(segment, run, found)
    report.segments += 1
    report.truncated_bytes += found.truncated_bytes
    report.saw(segment.camera_id, segment.start_us, end_us)
    return CloseSegment(
        run.uuid,
        segment.sequence,
        end_us,
        found.video_duration_ticks,
        found.bytes,
        encode_places(found.keyframes),
        is_recovered=True,
    )


def _end_us(segment: Segment, run: Run, found: RecoveredSegment) -> int:
    """Wall time of its end: as last told, and from there at the segment's own pace of wall to media time."""
    hz = next(track.time_base_hz for track in run.tracks if track.is_video)
    if segment.media_duration_ticks:
        told_us = segment.end_us - segment.start_us
        return segment.start_us + told_us * found.video_duration_ticks // segment.media_duration_ticks
    return segment.start_us + ticks_to_us(found.video_duration_ticks, hz)
