"""From a camera's packets to parts of runs: where a run begins and ends, where parts and segments are cut.

`packet` is called from the socket's callback for every access unit of every camera: it appends to a list, and
once a GOP (or every 1.5 s of a longer one) hands a part on. Nothing here waits. Which moment a picture belongs to is decided
by wall_time.py; what happens to a part, by footage.py. One Recorder a camera. Loop only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from engine.cameras.source import PacketSink
from engine.recording.byte_rate import ByteRate
from engine.recording.event_clips import EventClips
from engine.recording.footage import Footage
from engine.recording.pre_event import RingBudget
from engine.recording.run import Run
from engine.recording.settings import RecordingConfig
from storage.catalog.records import GapCause
from storage.clock import Clock
from storage.segments.packet import Packet, Track
from storage.segments.part import Part
from storage.units import US_PER_SECOND, us_to_ticks

STARVING_US = 4 * US_PER_SECOND
LOSS_PATIENCE_US = 10 * US_PER_SECOND
"""Lost frames are a gap when the next keyframe comes; if it does not, from this long on at once."""
LEAP_US = 3 * US_PER_SECOND
"""Media time that advances this much more between two pictures than they are apart on arrival has jumped."""
LEAST_PART_US = US_PER_SECOND // 2
"""Shorter GOPs share a part: a camera that sends only keyframes is not written picture by picture."""
CLOCK_STEP_US = US_PER_SECOND // 2
"""Wall time that moves so much against monotonic time from one look to the next was set by somebody."""
STEP_WORDS = "the system's clock was set"
PART_LIMIT_BYTES = 32 * 1024 * 1024
"""A part that cannot be cut (media time stands still) ends its run at this size."""


@dataclass(frozen=True, slots=True)
class LiveKeyframe:
    """The newest keyframe of a camera."""

    data: bytes
    track: Track
    time_us: int
    footage_us: int = 0
    """When it is in the footage, which the slew of its run may move a little; `time_us` while it is in none."""


class PartOutput(Protocol):
    """Where parts go: Footage, or EventClips in front of it. Never waits."""

    @property
    def recorded_until_us(self) -> int: ...

    def begin_run(self, run: Run) -> None: ...

    def submit(self, run: Run, part: Part) -> None: ...

    def end_run(self, run: Run, reason: str, hole_cause: GapCause, *, has_drifted: bool = False) -> None: ...

    def is_cut_due(self, run: Run, pts_ticks: int) -> bool: ...

    def close_segment(self) -> None: ...

    def note_loss(self, start_us: int, end_us: int) -> None: ...

    def blame(self, cause: GapCause, detail: str) -> None: ...

    def forget_run(self) -> None: ...

    def lose(self, cause: GapCause, detail: str) -> None: ...


class Recorder:
    """A PacketSink that records."""

    def __init__(
        self,
        footage: Footage,
        *,
        clock: Clock,
        config: RecordingConfig,
        on_change: Callable[[], None],
        on_keyframe: Callable[[], None] = lambda: None,
    ) -> None:
        self.footage = footage
        self.output: PartOutput = footage
        self.clips: EventClips | None = None
        """Only what is asked for goes to disk (mode `events`)."""
        self.tracks: tuple[Track, ...] = ()
        self.taps: list[PacketSink] = []
        """Who else wants what the camera sends: live, at full rate. Most often nobody."""
        self.frames = 0
        """Pictures received, ever."""
        self.losses = 0
        self.rate = ByteRate(clock)
        self.has_video = False
        """A keyframe arrived in this session."""
        self._clock = clock
        self._config = config
        self._on_change = on_change
        self._on_keyframe = on_keyframe
        self._video = -1
        self._run: Run | None = None
        self._keyframe: tuple[Packet, Track, int] | None = None
        self._arrived_at_us = 0
        self._media_rate = 1.0
        """What a media second of this camera lasts on the wall, as measured by a run that drifted."""

    # -- PacketSink: never waits, never raises ---------------------------------------------------------------

    def tracks_changed(self, tracks: tuple[Track, ...]) -> None:
        for tap in tuple(self.taps):
            tap.tracks_changed(tracks)
        if tracks == self.tracks and self._run is not None:
            return
        self._end_run("the camera changed its stream", GapCause.CAMERA_STALLED)
        self.tracks = tracks
        self._video = next((index for index, track in enumerate(tracks) if track.is_video), -1)
        self._on_change()

    def packet(self, packet: Packet) -> None:
        run = self._run
        self.rate.add(len(packet.data))
        if self.taps:
            for tap in tuple(self.taps):  # one whose last watcher goes is taken off the list
                tap.packet(packet)
        if packet.track != self._video:
            if run is not None:
                run.builder.add(packet)
            return
        self.frames += 1
        self._arrived_at_us = packet.arrival_monotonic_us
        if run is not None:
            pts_ticks, arrival_us = packet.pts_ticks, packet.arrival_monotonic_us
            if packet.is_discontinuity or (
                not -run.leap_ticks <= pts_ticks - run.last_ticks <= run.leap_ticks and _leaps(run, packet)
            ):
                self._end_run("the camera's media time jumped", GapCause.CAMERA_PROTOCOL_ERROR)
                run = None
            else:
                run.last_ticks = pts_ticks
                run.last_arrival_us = arrival_us
                run.wall.observe(pts_ticks, arrival_us)
                if (
                    packet.is_keyframe
                    or arrival_us - run.part_arrival_us >= self._config.part_us
                    or pts_ticks - run.part_ticks >= run.part_length_ticks
                    or run.builder.bytes > PART_LIMIT_BYTES
                ) and self._is_cut(run, packet):
                    run = self._cut(run, packet)
        if packet.is_keyframe:
            # Its time is taken once: it is the picture's name for everybody who asks.
            time_us = packet.arrival_monotonic_us + self._wall_minus_monotonic_us()
            self._keyframe = (packet, self.tracks[self._video], time_us)
            self._on_keyframe()
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
        run.leap_ticks = us_to_ticks(LEAP_US, run.hz)
        run.part_length_ticks = us_to_ticks(self._config.part_us, run.hz)
        run.least_part_ticks = us_to_ticks(LEAST_PART_US, run.hz)
        run.wall.observe(packet.pts_ticks, packet.arrival_monotonic_us)
        self._run = run
        return run

    def _is_cut(self, run: Run, packet: Packet) -> bool:
        """A GOP is complete, or a part of a longer one, and the picture may open the next part."""
        builder = run.builder
        if not builder.has_video:
            return packet.is_keyframe
        if builder.bytes > PART_LIMIT_BYTES:
            return True
        if packet.is_keyframe and not run.part_is_keyed:
            # The rest of a long GOP, however short: the next GOP has to open a part, or nobody finds its keyframe.
            return builder.can_cut_before(packet)
        is_short = (
            packet.arrival_monotonic_us - run.part_arrival_us < LEAST_PART_US
            and packet.pts_ticks - run.part_ticks < run.least_part_ticks
        )
        return not is_short and builder.can_cut_before(packet)

    def _cut(self, run: Run, packet: Packet) -> Run | None:
        """`packet` opens the next part; perhaps the next segment or run. None when a new run is to begin with it."""
        if run.builder.has_video:
            if not run.builder.can_cut_before(packet):
                self._end_run("the camera's media time stands still", GapCause.CAMERA_PROTOCOL_ERROR)
                return None
            self._hand_over(run, run.builder.take(packet.pts_ticks))
        run.part_arrival_us = packet.arrival_monotonic_us
        run.part_ticks = packet.pts_ticks
        run.part_is_keyed = packet.is_keyframe
        if not packet.is_keyframe:
            return run
        if run.lost_from_ticks is not None:
            self._note_loss(run, packet)
        if run.is_begun and not self._keeps_time(run):
            return None
        if self.output.is_cut_due(run, packet.pts_ticks):
            self.output.close_segment()
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
                f"a second of the camera's media time lasts {self._media_rate:.4f} s",
                GapCause.CAMERA_STALLED,
                has_drifted=True,
            )
            return False
        return True

    def _hand_over(self, run: Run, part: Part) -> None:
        if run.is_begun:
            self.output.submit(run, part)
        elif run.hold(part):
            self._begin_on_disk(run)

    def _begin_on_disk(self, run: Run) -> None:
        """Take the run's wall time and let go of what was held for it."""
        recorded_until_us = self.output.recorded_until_us
        run.wall_minus_monotonic_us = self._wall_minus_monotonic_us()
        run.wall.begin(run.first_ticks, run.wall_minus_monotonic_us, not_before_us=recorded_until_us)
        run.is_begun = True
        parts = run.take_held(recorded_until_us)
        run.start_us = run.wall.at(parts[0].video_start_ticks)
        self.output.begin_run(run)
        for part in parts:
            self.output.submit(run, part)

    def _end_run(self, reason: str, hole_cause: GapCause, *, has_drifted: bool = False) -> None:
        run = self._run
        if run is None:
            return
        if run.builder.has_video:
            part = run.builder.take(None)
            if run.is_begun:
                self.output.submit(run, part)
            else:
                run.hold(part)
        if run.held:
            self._begin_on_disk(run)
        self._run = None
        self.output.end_run(run, reason, hole_cause, has_drifted=has_drifted)

    def _note_loss(self, run: Run, packet: Packet) -> None:
        lost_from_ticks, run.lost_from_ticks = run.lost_from_ticks, None
        if lost_from_ticks is not None and run.is_begun:
            self.output.note_loss(run.wall.at(lost_from_ticks), run.wall.at(packet.pts_ticks))

    def _wall_minus_monotonic_us(self) -> int:
        return self._clock.now_us() - self._clock.monotonic_us()

    # -- the camera's session --------------------------------------------------------------------------------

    def session_ended(self, reason: str, cause: GapCause | None, detail: str = "") -> None:
        """Write what is left. With a cause, a gap begins where the footage ends."""
        self._end_run(reason, cause or GapCause.CAMERA_STALLED)
        self.has_video = False
        self.output.forget_run()
        if cause is not None:
            self.output.lose(cause, detail)

    def record_all(self) -> None:
        """Everything goes to disk. Between two sessions only."""
        if self.clips is not None:
            self.clips.close()
        self.clips, self.output = None, self.footage

    def record_events(self, budget: RingBudget, pre_event_us: int) -> None:
        """Only what is asked for goes to disk, from so long before. Between two sessions only, if it was otherwise."""
        if self.clips is not None:
            self.clips.set_pre_event(pre_event_us)
            return
        self.clips = self.output = EventClips(
            self.footage,
            budget,
            pre_event_us,
            clock=self._clock,
            segment_us=self._config.segment_us,
            on_change=self._on_change,
        )

    def engine_stops(self) -> None:
        """After the last session ended."""
        (self.clips or self.footage).engine_stops()

    def clock_stepped(self) -> None:
        """The system's clock was set. A run notices it by itself at its next keyframe; a later one is told why."""
        if self.clips is not None:
            self.clips.clock_stepped()
        if self._run is None:
            self.output.blame(GapCause.CLOCK_STEPPED, STEP_WORDS)

    @property
    def is_starving(self) -> bool:
        """No picture has arrived for some seconds: the camera's fault, not the disk's."""
        return self._clock.monotonic_us() - self._arrived_at_us > STARVING_US

    def watch(self) -> None:
        """Once a second: lost frames that no keyframe follows are a gap that goes on."""
        self.rate.tick()
        run = self._run
        if self.clips is not None:
            self.clips.watch(has_run=run is not None)
        if (
            run is not None
            and run.is_begun
            and run.lost_from_ticks is not None
            and self._clock.monotonic_us() - run.last_arrival_us > LOSS_PATIENCE_US
        ):
            self.output.lose(GapCause.FRAMES_LOST, "waiting for a keyframe")

    def last_keyframe(self) -> LiveKeyframe | None:
        if self._keyframe is None:
            return None
        packet, track, time_us = self._keyframe
        run = self._run
        footage_us = run.wall.at(packet.pts_ticks) if run is not None and run.is_begun else time_us
        return LiveKeyframe(packet.data, track, time_us, footage_us)


def _leaps(run: Run, packet: Packet) -> bool:
    """A media time far from that of the picture before is not explained by a pause of the camera."""
    advance_us = (packet.pts_ticks - run.last_ticks) * US_PER_SECOND // run.hz
    return advance_us < 0 or advance_us > packet.arrival_monotonic_us - run.last_arrival_us + LEAP_US
