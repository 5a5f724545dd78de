"""From a camera's packets to segments on disk: runs, parts, cuts, failover and gaps. One Recorder a camera.

`packet` is called from the socket's callback for every access unit of every camera: it appends to a list, and
once a GOP (or every two seconds) hands a part to a volume's queue. Nothing here waits. Which moment a picture
belongs to is decided by wall_time.py, which volume takes a segment by groups.py. Loop only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from engine.catalog_thread import CatalogThread
from engine.recording.byte_rate import ByteRate
from engine.recording.gaps import GapTracker
from engine.recording.groups import RecordingGroup
from engine.recording.run import Run
from engine.recording.segment import RecordedSegment
from engine.recording.volume_thread import VolumeThread
from storage.catalog.changes import BeginRun, EndRun
from storage.catalog.records import Camera, GapCause
from storage.clock import Clock
from storage.errors import WatchdeckError
from storage.segments.identity import SegmentIdentity
from storage.segments.packet import Packet, Track
from storage.segments.part import Part
from storage.units import US_PER_SECOND, us_to_ticks

log = logging.getLogger(__name__)

FRESH_US = 10 * US_PER_SECOND
"""A camera records while its newest part reached the disk at most this long ago."""
STARVING_US = 4 * US_PER_SECOND
LEAP_US = 3 * US_PER_SECOND
"""Media time that advances this much more between two pictures than they are apart on arrival has jumped."""
CLOCK_STEP_US = US_PER_SECOND // 2
"""Wall time that moves so much against monotonic time from one look to the next was set by somebody."""
STEP_WORDS = "the system's clock was set"
CONNECT_US = 10 * US_PER_SECOND
"""From the moment a camera is expected to its first picture: connecting is no gap unless it fails."""
PART_LIMIT_BYTES = 32 * 1024 * 1024
"""A part that cannot be cut (media time stands still) ends its run at this size."""


@dataclass(frozen=True, slots=True)
class RecordingConfig:
    """How recordings are made; from station.toml."""

    segment_us: int = 120 * US_PER_SECOND
    part_us: int = 2 * US_PER_SECOND
    sync_interval_ms: int = 5_000
    queue_bytes: int = 64 * 1024 * 1024
    camera_limit: int = 128
    stop_budget_ms: int = 15_000


@dataclass(frozen=True, slots=True)
class LiveKeyframe:
    """The newest keyframe of a camera."""

    data: bytes
    track: Track
    time_us: int


class Recorder:
    """A PacketSink that records.

    Invariants: inside a run segments follow each other without overlap; what `end_us` covers was handed to a
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
        self.tracks: tuple[Track, ...] = ()
        self.frames = 0
        """Pictures received, ever."""
        self.losses = 0
        self.rate = ByteRate(clock)
        self.has_video = False
        """A keyframe arrived in this session."""
        self.end_us = recorded_until_us
        """Wall time up to which footage was handed to a volume and not lost there."""
        self.written_end_us: int | None = None
        """Wall time up to which footage is in its file."""
        self.trouble: tuple[GapCause, str] | None = None
        """Why what arrives is not recorded."""
        self._station = station
        self._clock = clock
        self._catalog = catalog
        self._config = config
        self._on_change = on_change
        self._video = -1
        self._run: Run | None = None
        self._segment: RecordedSegment | None = None
        self._unfinished: set[RecordedSegment] = set()
        """Segments whose files are not closed yet, the present one among them."""
        self._keyframe: tuple[Packet, Track] | None = None
        self._is_expected = False
        self._expected_since_us = 0
        self._is_fresh = False
        """Expected since a moment ago, and no run since."""
        self._arrived_at_us = 0
        self._written_at_us: int | None = None
        self._media_rate = 1.0
        self._hole_cause = GapCause.CAMERA_STALLED
        self._hole_detail = ""

    # -- PacketSink: never waits, never raises ---------------------------------------------------------------

    def tracks_changed(self, tracks: tuple[Track, ...]) -> None:
        if tracks == self.tracks and self._run is not None:
            return
        self._end_run("the camera changed its stream", GapCause.CAMERA_STALLED)
        self.tracks = tracks
        self._video = next((index for index, track in enumerate(tracks) if track.is_video), -1)
        self._on_change()

    def packet(self, packet: Packet) -> None:
        run = self._run
        self.rate.add(len(packet.data))
        if packet.track != self._video:
            if run is not None:
                run.builder.add(packet)
            return
        self.frames += 1
        self._arrived_at_us = packet.arrival_monotonic_us
        if run is not None:
            if packet.is_discontinuity or _leaps(run, packet):
                self._end_run("the camera's media time jumped", GapCause.CAMERA_PROTOCOL_ERROR)
                run = None
            else:
                run.last_ticks = packet.pts_ticks
                run.last_arrival_us = packet.arrival_monotonic_us
                run.wall.observe(packet.pts_ticks, packet.arrival_monotonic_us)
                if self._is_cut(run, packet):
                    run = self._cut(run, packet)
        if packet.is_keyframe:
            self._keyframe = (packet, self.tracks[self._video])
            if not self.has_video:
                self.has_video = True
                self._on_change()
        if run is None:
            if not packet.is_keyframe:
                return
            run = self._begin_run(packet)
        run.builder.add(packet)

    def frames_lost(self, detail: str) -> None:
        """The source drops up to the next keyframe by itself; what is here so far goes to disk as it is."""
        self.losses += 1
        run = self._run
        if run is None or run.lost_from_ticks is not None or not run.builder.has_video:
            return
        part = run.builder.take(None)
        run.lost_from_ticks = part.video_start_ticks + part.video_duration_ticks
        self._hand_over(run, part)

    # -- runs and parts --------------------------------------------------------------------------------------

    def _begin_run(self, packet: Packet) -> Run:
        run = Run(self.tracks, self._video, packet, self._media_rate)
        run.wall.observe(packet.pts_ticks, packet.arrival_monotonic_us)
        self._run = run
        return run

    def _is_cut(self, run: Run, packet: Packet) -> bool:
        builder = run.builder
        if not builder.has_video:
            return packet.is_keyframe
        if not (
            packet.is_keyframe
            or packet.arrival_monotonic_us - run.part_arrival_us >= self._config.part_us
            or builder.video_span_us >= self._config.part_us
            or builder.bytes > PART_LIMIT_BYTES
        ):
            return False
        return builder.can_cut_before(packet) or builder.bytes > PART_LIMIT_BYTES

    def _cut(self, run: Run, packet: Packet) -> Run | None:
        """`packet` opens the next part; perhaps the next segment or run. None when a new run is to begin with it."""
        if run.builder.has_video:
            if not run.builder.can_cut_before(packet):
                self._end_run("the camera's media time stands still", GapCause.CAMERA_PROTOCOL_ERROR)
                return None
            self._hand_over(run, run.builder.take(packet.pts_ticks))
        run.part_arrival_us = packet.arrival_monotonic_us
        if not packet.is_keyframe:
            return run
        if run.lost_from_ticks is not None:
            self._note_loss(run, packet)
        if run.is_begun and not self._keeps_time(run):
            return None
        segment = self._segment
        if segment is not None and (
            packet.pts_ticks >= run.segment_due_ticks or self.gaps.began_after(segment.start_us)
        ):
            self._close_segment()
            run.wall.end_segment(packet.pts_ticks, self._wall_minus_monotonic_us(), self._config.segment_us)
        return run

    def _keeps_time(self, run: Run) -> bool:
        """False when wall time has to be taken anew: the run has been ended."""
        offset_us = self._wall_minus_monotonic_us()
        step_us, run.wall_minus_monotonic_us = offset_us - run.wall_minus_monotonic_us, offset_us
        if abs(step_us) > CLOCK_STEP_US:
            self._end_run(STEP_WORDS, GapCause.CLOCK_STEPPED)
            return False
        if run.wall.drifted(offset_us):
            self._media_rate = run.wall.measured_rate()
            self._end_run(
                f"a second of the camera's media time lasts {self._media_rate:.4f} s", GapCause.CAMERA_STALLED
            )
            return False
        return True

    def _hand_over(self, run: Run, part: Part) -> None:
        if run.is_begun:
            self._submit(run, part)
        elif run.hold(part):
            self._begin_on_disk(run)

    def _begin_on_disk(self, run: Run) -> None:
        """Take the run's wall time and let go of what was held for it."""
        is_after_step = self._hole_cause is GapCause.CLOCK_STEPPED
        recorded_until_us = 0 if is_after_step else self.end_us
        run.wall_minus_monotonic_us = self._wall_minus_monotonic_us()
        run.wall.begin(run.first_ticks, run.wall_minus_monotonic_us, not_before_us=recorded_until_us)
        run.is_begun = True
        parts = run.take_held(recorded_until_us)
        run.start_us = run.wall.at(parts[0].video_start_ticks)
        missing_since_us = self._missing_since_us()
        is_patient = self._is_fresh and run.start_us - missing_since_us < CONNECT_US
        if self._is_expected and not is_patient:
            self.gaps.add_past(missing_since_us, run.start_us, self._hole_cause, self._hole_detail)
        self._hole_cause = GapCause.CAMERA_STALLED
        self._is_fresh = False
        # After a step of the clock, or with a pre-buffer, a run may begin before the last one's end.
        self.end_us = min(self.end_us, run.start_us)
        self._expected_since_us = min(self._expected_since_us, run.start_us)
        for part in parts:
            self._submit(run, part)

    def _submit(self, run: Run, part: Part) -> None:
        """Into the open segment, or a new one if the part can begin it; else it is lost, and a gap says so."""
        end_us = run.wall.at(part.video_start_ticks + part.video_duration_ticks)
        segment = self._segment
        if segment is not None:
            if segment.append(part, end_us):
                self.end_us = max(self.end_us, end_us)
                return
            self._close_segment()
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
        if run.is_announced:
            start_us = max(start_us, self.end_us)
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
        segment = RecordedSegment(volume, identity, run.tracks, part.video_start_ticks, self, self._catalog)
        if run.is_announced:
            segment.announce()
        else:
            segment.announce(BeginRun(run.uuid, self.camera.id, start_us, run.tracks))
            run.is_announced = True
        run.sequence += 1
        length_us = self._config.segment_us
        if run.sequence == 1:
            length_us -= self._stagger_us()
        run.segment_due_ticks = part.video_start_ticks + us_to_ticks(
            round(length_us / self._media_rate), run.hz
        )
        self._segment = segment
        self._unfinished.add(segment)
        return segment.append(part, end_us)

    def _stagger_us(self) -> int:
        """Shortens the first segment of a run by up to half, so that cameras started together do not cut together."""
        return self.camera.uuid.int % 1000 * (self._config.segment_us // 2) // 1000

    def _close_segment(self) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.close()

    def _end_run(self, reason: str, hole_cause: GapCause) -> None:
        run = self._run
        if run is None:
            return
        if run.builder.has_video:
            part = run.builder.take(None)
            if run.is_begun:
                self._submit(run, part)
            else:
                run.hold(part)
        if run.held:
            self._begin_on_disk(run)
        self._run = None
        self._hole_cause, self._hole_detail = hole_cause, reason
        self._close_segment()
        if run.is_announced:
            self._catalog.record(EndRun(run.uuid, max(self.end_us, run.start_us), reason))

    def _note_loss(self, run: Run, packet: Packet) -> None:
        lost_from_ticks, run.lost_from_ticks = run.lost_from_ticks, None
        if lost_from_ticks is not None and run.is_begun and self._is_expected:
            self.gaps.add_past(
                run.wall.at(lost_from_ticks), run.wall.at(packet.pts_ticks), GapCause.FRAMES_LOST
            )

    def _wall_minus_monotonic_us(self) -> int:
        return self._clock.now_us() - self._clock.monotonic_us()

    # -- volumes ---------------------------------------------------------------------------------------------

    def segment_written(self, segment: RecordedSegment, is_first: bool) -> None:
        was_on_disk = self.is_on_disk
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
            self._close_segment()

    def volume_changed(self, volume: VolumeThread) -> None:
        """A volume of the group is in trouble, or in order again."""
        segment = self._segment
        if segment is not None and segment.volume is volume and not volume.is_ok:
            self._leave(segment)

    def _leave(self, segment: RecordedSegment) -> None:
        """Move to another volume at once: what is not known to be written goes there, from its first keyframe."""
        parts = segment.give_up()
        is_current = segment is self._segment
        if not is_current:
            # The end of an earlier segment; the present one goes on, so that its place is lost.
            if parts and self._is_expected:
                lost_until_us = self._segment.start_us if self._segment is not None else self.end_us
                self.gaps.add_past(
                    segment.end_us, lost_until_us, GapCause.VOLUME_FAILED, segment.volume.cause
                )
            return
        self._segment = None
        self.end_us = segment.end_us
        run = self._run
        first = next((index for index, part in enumerate(parts) if part.has_keyframe_first), len(parts))
        if run is None or first == len(parts):
            self._not_recorded(*self._why_not())
            return
        for part in parts[first:]:
            self._submit(run, part)

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
        if self._is_expected:
            self.gaps.open(self._missing_since_us(), cause, words)

    # -- the camera's session --------------------------------------------------------------------------------

    def expect(self, since_us: int) -> None:
        """From here on this camera is to be on disk."""
        if not self._is_expected:
            self._is_expected = self._is_fresh = True
            self._expected_since_us = since_us

    def expect_nothing(self, at_us: int) -> None:
        self._is_expected = False
        self.gaps.expectation_ended(at_us)
        self.trouble = None

    def session_ended(self, reason: str, cause: GapCause | None, detail: str = "") -> None:
        """Write what is left. With a cause, a gap begins where the footage ends."""
        self._end_run(reason, cause or GapCause.CAMERA_STALLED)
        self.has_video = False
        self.trouble = None
        if cause is not None and self._is_expected:
            self.gaps.open(self._missing_since_us(), cause, detail)

    def _missing_since_us(self) -> int:
        """Where a gap that is noticed now begins."""
        return max(self.end_us, self._expected_since_us)

    def engine_stops(self) -> None:
        """After the last segment was closed: a gap begins where the footage on disk ends."""
        if not self._is_expected:
            return
        lost = [segment.end_us for segment in self._unfinished if segment.has_in_flight]
        self.gaps.open(min([self._missing_since_us(), *lost]), GapCause.ENGINE_STOPPED)

    def clock_stepped(self) -> None:
        """The system's clock was set. A run notices it by itself at its next keyframe; a later one is told why."""
        if self._run is None:
            self._hole_cause, self._hole_detail = GapCause.CLOCK_STEPPED, STEP_WORDS

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

    @property
    def is_starving(self) -> bool:
        """No picture has arrived for some seconds: the camera's fault, not the disk's."""
        return self._clock.monotonic_us() - self._arrived_at_us > STARVING_US

    def watch(self) -> None:
        """Once a second: a camera that sends, expected, of which nothing gets to disk any more has a gap."""
        self.rate.tick()
        if not self._is_expected or not self.has_video or self.gaps.is_open or self.is_on_disk:
            return
        run = self._run
        if run is not None and run.lost_from_ticks is not None:
            if self._clock.monotonic_us() - run.last_arrival_us > FRESH_US:
                self.gaps.open(self.end_us, GapCause.FRAMES_LOST, "waiting for a keyframe")

    def last_keyframe(self) -> LiveKeyframe | None:
        if self._keyframe is None:
            return None
        packet, track = self._keyframe
        time_us = packet.arrival_monotonic_us + self._wall_minus_monotonic_us()
        return LiveKeyframe(packet.data, track, time_us)


def _leaps(run: Run, packet: Packet) -> bool:
    """The picture's media time has nothing to do with that of the one before."""
    advance_us = (packet.pts_ticks - run.last_ticks) * US_PER_SECOND // run.hz
    if -LEAP_US <= advance_us <= LEAP_US:
        return False
    return advance_us < 0 or advance_us > packet.arrival_monotonic_us - run.last_arrival_us + LEAP_US
