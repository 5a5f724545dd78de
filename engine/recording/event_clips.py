"""Recording around events: between a recorder and its footage. Parts go into the ring in memory; asked to `keep` a stretch, to disk.

What is kept is a run of its own, from the keyframe at or before the stretch to the first keyframe at or behind its end: no picture
is missing in between and none is written twice. Nothing is expected on disk outside of a stretch; inside, what does not get there is a gap with its
cause. Never waits. Loop only. Manual rows RO-01, RO-02, AA-02; docs/time.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.recording.footage import Footage
from engine.recording.gaps import SHORTEST_US
from engine.recording.pre_event import LATE_US, HeldPart, PreEventRing, RingBudget
from engine.recording.run import Run
from storage.catalog.records import GapCause
from storage.clock import Clock
from storage.segments.part import Part
from storage.units import US_PER_SECOND, us_to_ticks

LONG_GOP_US = 60 * US_PER_SECOND
"""A clip ends with a GOP; of one that does not end so long after the stretch the rest is let go."""
OVER_WORDS = "the event is over"
MEMORY_WORDS = "the memory for pictures before events was full"


@dataclass(slots=True)
class _Stretch:
    """What is to be kept, [start_us, end_us); the end by the monotonic clock too, for when the other is set."""

    start_us: int
    end_us: int
    end_monotonic_us: int


class EventClips:
    """In place of Footage for a camera in mode `events`.

    Idle (no stretch): parts fill the ring. Kept (a stretch): parts go on to the footage, in a clip; while the camera is away there is a stretch and
    no clip. A clip never begins without a keyframe. Invariant: the ring is empty while there is a clip.
    """

    def __init__(
        self,
        footage: Footage,
        budget: RingBudget,
        pre_event_us: int,
        *,
        clock: Clock,
        segment_us: int,
        on_change: Callable[[], None],
    ) -> None:
        self._footage = footage
        self._ring = PreEventRing(budget, pre_event_us + LATE_US)
        self._clock = clock
        self._segment_us = segment_us
        self._on_change = on_change
        self._stretch: _Stretch | None = None
        self._clip: Run | None = None
        self._clip_end_us = 0
        self._away: tuple[GapCause, str] | None = (GapCause.CAMERA_STALLED, "it has not connected yet")
        """Why nothing arrives at present."""
        self._bend_ticks: int | None = None
        """Where the line of an idle run's wall time is bent next, as segments do it otherwise."""

    # -- asked -----------------------------------------------------------------------------------------------

    @property
    def is_keeping(self) -> bool:
        return self._stretch is not None

    @property
    def is_short_of_memory(self) -> bool:
        """The seconds before an event that happens now were let go for want of memory."""
        ring = self._ring
        return self._stretch is None and ring.given_up_until_us > self._clock.now_us() - ring.reach_us

    def set_pre_event(self, pre_event_us: int) -> None:
        self._ring.reach_us = pre_event_us + LATE_US

    def keep(self, start_us: int, end_us: int) -> int:
        """Bring [start_us, end_us) to disk; one that goes on is prolonged. Returns from when on there is footage, or will be."""
        now_us, monotonic_us = self._clock.now_us(), self._clock.monotonic_us()
        stretch = self._stretch
        if stretch is not None:
            if end_us > stretch.end_us:
                stretch.end_us, stretch.end_monotonic_us = end_us, monotonic_us + end_us - now_us
            return max(start_us, stretch.start_us)
        self._stretch = _Stretch(start_us, end_us, monotonic_us + end_us - now_us)
        # All of the camera's time before events, also when this one asks for less: one that follows may ask for more of it, and what
        # is older than a clip cannot be put before it any more.
        held = self._ring.take(min(start_us, now_us - (self._ring.reach_us - LATE_US)))
        since_us = min(now_us, held[0].start_us) if held else now_us
        if self._ring.given_up_until_us > start_us:
            self._footage.blame(GapCause.UNKNOWN, MEMORY_WORDS)
            since_us = min(since_us, start_us)
        self._footage.expect(since_us)
        for number, part in enumerate(held):
            if not self._go_on(part):
                for left in held[number:]:
                    self._ring.add(left)
                break
        self._end_clip_of_the_past()
        self._on_change()
        return max(start_us, since_us)

    def watch(self, *, has_run: bool) -> None:
        """Once a second: a stretch ends also when nothing arrives."""
        stretch = self._stretch
        if stretch is None:
            return
        over_us = self._clock.now_us() - stretch.end_us
        if over_us >= (LONG_GOP_US if has_run else 0):
            self._end_stretch(stretch)

    def clock_stepped(self) -> None:
        """The system's clock was set: a stretch is as long as it was."""
        stretch = self._stretch
        if stretch is not None:
            stretch.end_us = self._clock.now_us() + stretch.end_monotonic_us - self._clock.monotonic_us()

    def close(self) -> None:
        """The camera's mode is another one, or it is gone. What is expected from now on is the caller's to say."""
        self._stretch = self._clip = None
        self._ring.close()

    # -- as Footage: told by the recorder --------------------------------------------------------------------

    @property
    def recorded_until_us(self) -> int:
        return max(self._footage.recorded_until_us, self._ring.end_us)

    def begin_run(self, run: Run) -> None:
        self._away = None
        self._bend_ticks = None

    def submit(self, run: Run, part: Part) -> None:
        start_us = run.wall.at(part.video_start_ticks)
        held = HeldPart(run, part, start_us, run.wall.at(part.video_start_ticks + part.video_duration_ticks))
        if self._stretch is None or not self._go_on(held):
            self._ring.add(held)

    def end_run(self, run: Run, reason: str, hole_cause: GapCause, *, has_drifted: bool = False) -> None:
        run.ended = reason, hole_cause
        self._away = hole_cause, reason
        if self._clip is run:
            self._clip = None
            self._footage.end_run(run, reason, hole_cause, has_drifted=has_drifted)
        elif self._stretch is not None:
            self._footage.blame(hole_cause, reason)
        if hole_cause is GapCause.CLOCK_STEPPED:
            self.clock_stepped()
        if hole_cause is GapCause.CLOCK_STEPPED or has_drifted:
            # Its times do not compare with those that follow.
            self._ring.clear()

    def is_cut_due(self, run: Run, pts_ticks: int) -> bool:
        if self._clip is run:
            self._bend_ticks = None
            return self._footage.is_cut_due(run, pts_ticks)
        due_ticks = self._bend_ticks
        if due_ticks is not None and pts_ticks < due_ticks:
            return False
        self._bend_ticks = pts_ticks + us_to_ticks(self._segment_us, run.hz)
        return due_ticks is not None

    def close_segment(self) -> None:
        if self._clip is not None:
            self._footage.close_segment()

    def note_loss(self, start_us: int, end_us: int) -> None:
        """Holes between parts are seen when they are written."""

    def blame(self, cause: GapCause, detail: str) -> None:
        self._footage.blame(cause, detail)

    def forget_run(self) -> None:
        self._footage.forget_run()

    def lose(self, cause: GapCause, detail: str) -> None:
        self._away = cause, detail
        stretch = self._stretch
        if stretch is not None and self._footage.recorded_until_us >= stretch.end_us:
            self._end_stretch(stretch)
        self._footage.lose(cause, detail)

    def engine_stops(self) -> None:
        stretch, self._stretch = self._stretch, None
        self._footage.engine_stops(stretch.end_us if stretch is not None else None)

    # -- clips -----------------------------------------------------------------------------------------------

    def _go_on(self, held: HeldPart) -> bool:
        """Write it, if it is of the stretch: false when the stretch is over, and it is not."""
        stretch = self._stretch
        if stretch is None:
            return False
        over_us = held.start_us - stretch.end_us
        if (held.is_keyed and over_us >= 0) or over_us >= LONG_GOP_US:
            self._end_stretch(stretch)
            return False
        if self._clip is not held.run:
            if not held.is_keyed:
                # The rest of a GOP whose beginning was let go.
                return True
            self._end_clip_of_the_past()
            self._begin_clip(held)
        elif held.start_us - self._clip_end_us > SHORTEST_US:
            self._footage.note_loss(self._clip_end_us, held.start_us)
        self._clip_end_us = held.end_us
        self._footage.submit(held.run, held.part)
        return True

    def _begin_clip(self, held: HeldPart) -> None:
        run = held.run
        # By the line as it is now. It was bent since the last clip ended, by some milliseconds: they meet, and do not overlap.
        start_us = run.wall.at(held.part.video_start_ticks)
        ended_us = self._footage.recorded_until_us
        run.begin_again(ended_us if start_us < ended_us < held.end_us else start_us)
        self._clip = run
        self._footage.begin_run(run)

    def _end_clip_of_the_past(self) -> None:
        """A clip of a run that had ended before it was asked for has no more parts."""
        clip = self._clip
        if clip is not None and clip.ended is not None:
            self._clip = None
            self._footage.end_run(clip, *clip.ended)

    def _end_stretch(self, stretch: _Stretch) -> None:
        clip, self._clip = self._clip, None
        if clip is not None:
            self._footage.end_run(clip, OVER_WORDS, GapCause.CAMERA_STALLED)
        self._stretch = None
        self._footage.forget_run()
        cause, detail = self._away or (GapCause.FRAMES_LOST, "")
        self._footage.miss_until(stretch.end_us, cause, detail)
        self._footage.expect_nothing(stretch.end_us)
        self._on_change()
