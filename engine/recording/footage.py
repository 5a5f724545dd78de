"""One camera's footage on its way to disk: which volume, which segment, what is lost and why. Loop only.

The recorder hands over parts of runs; this places them in segments, moves to another volume when one is in trouble,
and keeps the gaps. Never waits.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from uuid import UUID

from engine.catalog_thread import CatalogThread
from engine.recording.gaps import GapTracker
from engine.recording.groups import RecordingGroup
from engine.recording.run import Run
from engine.recording.segment import RecordedSegment, SegmentTail
from engine.recording.settings import RecordingConfig
from engine.recording.volume_thread import VolumeThread
from storage.catalog.changes import BeginRun, EndRun
from storage.catalog.records import Camera, GapCause
from storage.clock import Clock
from storage.errors import WatchdeckError
from storage.segments.chain import RunChain
from storage.segments.identity import SegmentIdentity
from storage.segments.part import Part
from storage.units import US_PER_SECOND, us_to_ticks

log = logging.getLogger(__name__)

FRESH_US = 10 * US_PER_SECOND
"""A camera records while its newest part reached the disk at most this long ago."""
CONNECT_US = 10 * US_PER_SECOND
"""From the moment a camera is expected to its first picture: connecting is no gap unless it fails."""


class Footage:
    """Invariants: inside a run segments follow each other without overlap; what `end_us` covers was handed to a
    volume, and if it does not reach the disk a gap begins where the last written part ended.
    """

    def __init__(
        self,
        camera: Camera,
        station: UUID,
        group: RecordingGroup | None,
        *,
        clock: Clock,
        catalog: CatalogThread,
        gaps: GapTracker,
        config: RecordingConfig,
        on_change: Callable[[], None],
        recorded_until_us: int = 0,
    ) -> None:
        self.camera = camera
        self.group = group
        self.gaps = gaps
        self.end_us = recorded_until_us
        """Wall time up to which footage was handed to a volume and not lost there."""
        self.written_end_us: int | None = None
        """Wall time up to which footage is in its file."""
        self.trouble: tuple[GapCause, str] | None = None
        """Why what arrives is not recorded."""
        self.is_expected = False
        """It is to be on disk now: what is missing is a gap."""
        self._station = station
        self._clock = clock
        self._catalog = catalog
        self._config = config
        self._on_change = on_change
        self._run: Run | None = None
        self._segment: RecordedSegment | None = None
        self._unfinished: set[RecordedSegment] = set()
        """Segments whose files are not closed yet, the present one among them."""
        self._recent: deque[RecordedSegment] = deque(maxlen=2)
        """The present segment and the one before: what the catalog may not know in full yet."""
        self._expected_since_us = 0
        self._expected_until_us = 0
        """What was recorded before it is owed, although nothing is expected any more."""
        self._is_fresh = False
        """Expected since a moment ago, and no run since."""
        self._written_at_us: int | None = None
        self._hole_cause = GapCause.CAMERA_STALLED
        self._hole_detail = ""
        self._bent: RecordedSegment | None = None
        """The last segment of a run that ended because its wall time had drifted."""

    # -- runs ------------------------------------------------------------------------------------------------

    @property
    def recorded_until_us(self) -> int:
        """No run begins before this; 0 after a step of the clock, when times before and after do not compare."""
        return 0 if self._hole_cause is GapCause.CLOCK_STEPPED or self._bent is not None else self.end_us

    def begin_run(self, run: Run) -> None:
        """Its wall time was taken. What is missing since the last one is a gap."""
        if self._bent is not None:
            # Nothing is missing between this run and the last, whose line went wrong: they meet here.
            self._bent.end_at(run.start_us)
            self._bent, self.end_us = None, run.start_us
        missing_since_us = self._missing_since_us()
        is_patient = self._is_fresh and run.start_us - missing_since_us < CONNECT_US
        if self.is_expected and not is_patient:
            self.gaps.add_past(missing_since_us, run.start_us, self._hole_cause, self._hole_detail)
        self._hole_cause = GapCause.CAMERA_STALLED
        self._is_fresh = False
        # After a step of the clock, or with a pre-buffer, a run may begin before the last one's end.
        self.end_us = min(self.end_us, run.start_us)
        self._expected_since_us = min(self._expected_since_us, run.start_us)
        self._run = run

    def end_run(self, run: Run, reason: str, hole_cause: GapCause, *, has_drifted: bool = False) -> None:
        """No part of it follows. If the next one does not join it, that is the cause."""
        self._run = None
        self._settle_bent()
        if has_drifted and self._segment is not None:
            self._bent = self._segment
            self._bent.await_end()
        self.close_segment()
        self.blame(hole_cause, reason)
        if run.is_announced:
            self._catalog.record(EndRun(run.uuid, max(self.end_us, run.start_us), reason))

    def blame(self, cause: GapCause, detail: str) -> None:
        """What a hole before the next run comes from."""
        self._hole_cause, self._hole_detail = cause, detail

    def forget_run(self) -> None:
        """The session is over: what the next one brings is measured anew."""
        self._settle_bent()
        self.trouble = None
        self._written_at_us = None

    def _settle_bent(self) -> None:
        """No run has begun where it would have ended."""
        bent, self._bent = self._bent, None
        if bent is not None:
            bent.end_at(None)

    def is_cut_due(self, run: Run, pts_ticks: int) -> bool:
        """A keyframe there is to open a new segment."""
        segment = self._segment
        return segment is not None and (
            pts_ticks >= run.segment_due_ticks or self.gaps.began_after(segment.start_us)
        )

    # -- parts -----------------------------------------------------------------------------------------------

    def submit(self, run: Run, part: Part) -> None:
        """Into the open segment, or a new one if the part can begin it; else it is lost, and a gap says so."""
        end_us = run.wall.at(part.video_start_ticks + part.video_duration_ticks)
        segment = self._segment
        if segment is not None:
            if segment.append(part, end_us):
                self.end_us = max(self.end_us, end_us)
                return
            self.close_segment()
        if part.has_keyframe_first and self._open_segment(run, part, end_us):
            self.end_us = max(self.end_us, end_us)
            return
        if self.trouble is None:
            self._not_recorded(*self._why_not())

    def _open_segment(self, run: Run, part: Part, end_us: int) -> bool:
        volume = self.group.choose(self.camera.uuid) if self.group is not None else None
        if volume is None:
            self._not_recorded(*self._why_not())
            return False
        start_us = run.wall.at(part.video_start_ticks)
        start_us = max(start_us, self.end_us if run.is_announced else run.start_us)
        identity = SegmentIdentity(
            station=self._station,
            camera=self.camera.uuid,
            camera_name=self.camera.name,
            volume=volume.record.uuid,
            run=run.uuid,
            sequence=run.sequence,
            start_us=start_us,
            gaps=self.gaps.ending_at(start_us),
        )
        if run.sequence == 0:
            run.chain = RunChain(self._config.signer)
        segment = RecordedSegment(
            volume, identity, run.tracks, part.video_start_ticks, self, self._catalog, run.chain
        )
        if run.is_announced:
            segment.announce()
        else:
            segment.announce(BeginRun(run.uuid, self.camera.id, start_us, run.tracks))
            run.is_announced = True
        run.sequence += 1
        length_us = self._config.segment_us
        if run.sequence == 1:
            length_us -= self._stagger_us()
        run.segment_due_ticks = part.video_start_ticks + us_to_ticks(round(length_us / run.rate), run.hz)
        self._segment = segment
        self._unfinished.add(segment)
        self._recent.append(segment)
        return segment.append(part, end_us)

    def _stagger_us(self) -> int:
        """Shortens the first segment of a run by up to half, so that cameras started together do not cut together."""
        return self.camera.uuid.int % 1000 * (self._config.segment_us // 2) // 1000

    def tails(self) -> list[SegmentTail]:
        """Segments whose files may reach further than the catalog knows."""
        return [segment.tail(self.camera.id) for segment in self._recent if segment.end_us > segment.start_us]

    def close_segment(self) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.close()

    # -- volumes ---------------------------------------------------------------------------------------------

    def segment_written(self, segment: RecordedSegment, is_first: bool) -> None:
        was_on_disk = self.is_on_disk
        if self._run is not None:
            self._written_at_us = self._clock.monotonic_us()
        self.written_end_us = max(self.written_end_us or 0, segment.end_us)
        if is_first:
            self.gaps.ended(segment.start_us, segment.file.identity.gaps)
            self.trouble = None
        if not was_on_disk or is_first:
            self._on_change()

    def segment_finished(self, segment: RecordedSegment) -> None:
        self._unfinished.discard(segment)

    def segment_broken(self, segment: RecordedSegment, error: WatchdeckError) -> None:
        log.warning(
            "camera %s: segment on volume %s broke off: %s", self.camera.name, segment.volume.name, error
        )
        self._leave(segment)

    def volume_removed(self, volume: VolumeThread) -> None:
        """It leaves the group: its segment ends here, the next keyframe goes elsewhere."""
        if self._segment is not None and self._segment.volume is volume:
            self.close_segment()

    def volume_changed(self, volume: VolumeThread) -> None:
        """A volume of the group is in trouble, or in order again."""
        segment = self._segment
        if segment is not None and segment.volume is volume and not volume.is_ok:
            self._leave(segment)

    def segment_tail_lost(self, segment: RecordedSegment) -> None:
        if segment is self._segment:
            self._leave(segment)
        if segment.durable_end_us < segment.end_us and self._is_owed(segment):
            self._note_lost(segment.durable_end_us, segment.end_us, segment)

    def _leave(self, segment: RecordedSegment) -> None:
        """Move to another volume at once: what is not known to be written goes there, from its first keyframe."""
        parts = segment.give_up()
        is_current = segment is self._segment
        if not is_current:
            self._lost_end(segment, has_lost=bool(parts))
            return
        self._segment = None
        self.end_us = segment.end_us
        run = self._run
        first = next((index for index, part in enumerate(parts) if part.has_keyframe_first), len(parts))
        if run is None or first == len(parts):
            self._not_recorded(*self._why_not())
            return
        for part in parts[first:]:
            self.submit(run, part)

    def _lost_end(self, segment: RecordedSegment, *, has_lost: bool) -> None:
        """The end of an earlier segment did not get to disk; others follow it already, so that its place is lost."""
        if not has_lost or not self._is_owed(segment):
            return
        lost_until_us = self._segment.start_us if self._segment is not None else self.end_us
        self._note_lost(segment.end_us, lost_until_us, segment)

    def _is_owed(self, segment: RecordedSegment) -> bool:
        """It was expected when it was filmed."""
        return self.is_expected or segment.start_us < self._expected_until_us

    def _note_lost(self, start_us: int, end_us: int, segment: RecordedSegment) -> None:
        """A stretch of the past is not on disk: its own gap, or the beginning of the one that goes on."""
        gap_start_us = self.gaps.start_us
        if gap_start_us is not None:
            self.gaps.move_start(min(gap_start_us, start_us))
        else:
            self.gaps.add_past(start_us, end_us, GapCause.VOLUME_FAILED, segment.volume.cause)

    def _why_not(self) -> tuple[GapCause, str]:
        if self.group is None:
            return GapCause.NO_VOLUME, "its recording group does not exist"
        if any(volume.accepts and volume.room_bytes > 0 for volume in self.group.volumes.values()):
            return GapCause.VOLUME_FAILED, "moving to another volume at the next keyframe"
        return self.group.why_none()

    def _not_recorded(self, cause: GapCause, words: str) -> None:
        if self.trouble != (cause, words):
            self.trouble = (cause, words)
            self._on_change()
        if self.is_expected:
            self.gaps.open(self._missing_since_us(), cause, words)

    # -- expectations ----------------------------------------------------------------------------------------

    def expect(self, since_us: int) -> None:
        """From here on this camera is to be on disk."""
        if not self.is_expected:
            self.is_expected = self._is_fresh = True
            self._expected_since_us = since_us

    def expect_nothing(self, at_us: int) -> None:
        if self.is_expected:
            self._expected_until_us = at_us
        self.is_expected = False
        self.gaps.expectation_ended(max(at_us, self.gaps.start_us or 0))
        self.trouble = None

    def miss_until(self, end_us: int, cause: GapCause, detail: str) -> None:
        """What was expected up to there and did not come is a gap, unless one goes on already. Short ones are none."""
        if self.is_expected:
            self.gaps.add_past(self._missing_since_us(), end_us, cause, detail)

    def lose(self, cause: GapCause, detail: str) -> None:
        """Nothing comes any more: a gap begins where the footage ends."""
        if self.is_expected:
            self.gaps.open(self._missing_since_us(), cause, detail)

    def note_loss(self, start_us: int, end_us: int) -> None:
        """Pictures between two moments of the run were lost on the way."""
        if self.is_expected:
            self.gaps.add_past(start_us, end_us, GapCause.FRAMES_LOST)

    def _missing_since_us(self) -> int:
        """Where a gap that is noticed now begins."""
        return max(self.end_us, self._expected_since_us)

    def engine_stops(self, expected_until_us: int | None = None) -> None:
        """After the last segment was closed: a gap begins where the footage on disk ends. It ends where nothing is expected any more."""
        if not self.is_expected:
            return
        lost = [segment.end_us for segment in self._unfinished if segment.has_in_flight]
        start_us = min([self._missing_since_us(), *lost])
        if expected_until_us is None:
            self.gaps.open(start_us, GapCause.ENGINE_STOPPED)
        else:
            self.gaps.add_past(start_us, expected_until_us, GapCause.ENGINE_STOPPED)
            self.expect_nothing(expected_until_us)

    @property
    def volume_name(self) -> str:
        """Of the volume being written; empty when none is."""
        return self._segment.volume.name if self._segment is not None else ""

    @property
    def is_on_disk(self) -> bool:
        """Bytes of this session reached the disk just now."""
        return (
            self.trouble is None
            and self._written_at_us is not None
            and self._clock.monotonic_us() - self._written_at_us <= FRESH_US
        )
