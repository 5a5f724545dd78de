"""The wall-time rule of a run: which moment a picture belongs to. Pure arithmetic; docs/time.md explains it.

A run takes wall time once. Within a segment wall time is a straight line over media time; the next segment
begins exactly where the last ended, its slope bent by at most 500 ppm so that the line creeps towards the
times at which pictures arrive. No clock is read here: arrival times and the wall clock's offset are handed in.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from storage.units import US_PER_SECOND

SLEW_LIMIT = 500e-6
DRIFT_LIMIT_US = 2 * US_PER_SECOND
"""Off by more than this although slewed: the camera's clock rate is not what it says."""
BUCKET_US = US_PER_SECOND
WINDOW_BUCKETS = 10
"""The delay of a picture is judged by the least of this many seconds: bursts and stalls only ever add delay."""
MIN_RATE, MAX_RATE = 1 / 16, 16.0
"""Wall seconds a media second may stand for; a measurement outside is a fault of the camera, not a rate."""


@dataclass(frozen=True, slots=True)
class _Delay:
    """The least (arrival - media) of one second of arrivals, and at which media time it was seen."""

    bucket: int
    offset_us: float
    media_us: float


class WallTime:
    """The map from media time to wall time of one run.

    `rate` is what a media second lasts on the wall, 1.0 unless an earlier run of this camera measured otherwise.
    Call `observe` for each picture, `begin` once, then `end_segment` at each cut. Media time only ever grows
    in `end_segment`; results never go back.
    """

    __slots__ = (
        "_allowed_us",
        "_arrived_first_us",
        "_delays",
        "_first_ticks",
        "_hz",
        "_least",
        "_rate",
        "_segment_start_media_us",
        "_segment_start_us",
        "_settled",
        "_slope",
    )

    def __init__(self, time_base_hz: int, rate: float = 1.0) -> None:
        self._hz = time_base_hz
        self._rate = rate
        self._slope = rate
        self._first_ticks: int | None = None
        self._arrived_first_us = 0
        self._least: _Delay | None = None
        self._delays: deque[_Delay] = deque(maxlen=WINDOW_BUCKETS)
        self._settled: _Delay | None = None
        self._allowed_us = 0.0
        self._segment_start_us = 0.0
        self._segment_start_media_us = 0.0

    def observe(self, pts_ticks: int, arrival_monotonic_us: int) -> None:
        """A picture with this media time arrived. A few operations; called for every picture."""
        if self._first_ticks is None:
            self._first_ticks = pts_ticks
            self._arrived_first_us = arrival_monotonic_us
        media_us = (pts_ticks - self._first_ticks) * US_PER_SECOND / self._hz
        offset_us = arrival_monotonic_us - media_us * self._rate
        bucket = (arrival_monotonic_us - self._arrived_first_us) // BUCKET_US
        least = self._least
        if least is None or bucket != least.bucket:
            if least is not None:
                self._delays.append(least)
                while self._delays and self._delays[0].bucket < bucket - WINDOW_BUCKETS:
                    self._delays.popleft()
            self._least = _Delay(bucket, offset_us, media_us)
        elif offset_us < least.offset_us:
            self._least = _Delay(bucket, offset_us, media_us)

    def begin(self, pts_ticks: int, wall_minus_monotonic_us: int, *, not_before_us: int = 0) -> int:
        """Take wall time: the moment of the run's first picture.

        It is the arrival of the first picture, or earlier when what followed at once proves that the camera
        sent a pre-buffer: video of 5 s that arrives within 1 s was not filmed in that second. `not_before_us` is
        the end of what is recorded already: a start that lies a little before it (at most 2 s) is moved there.
        """
        delay = self._window_least()
        self._segment_start_media_us = self._media_us(pts_ticks)
        self._segment_start_us = (
            delay.offset_us + self._segment_start_media_us * self._rate + wall_minus_monotonic_us
        )
        if self._segment_start_us < not_before_us <= self._segment_start_us + DRIFT_LIMIT_US:
            self._segment_start_us = float(not_before_us)
        return round(self._segment_start_us)

    def at(self, pts_ticks: int) -> int:
        """Wall time of a moment of the current segment."""
        return round(self._at_media(self._media_us(pts_ticks)))

    def end_segment(self, pts_ticks: int, wall_minus_monotonic_us: int, next_length_us: int) -> int:
        """The current segment ends and the next begins at this media time; returns its wall time.

        The next segment, expected to last `next_length_us`, takes away as much of the present error as 500 ppm allow.
        """
        media_us = self._media_us(pts_ticks)
        wall_us = round(self._at_media(media_us))
        self._segment_start_us = wall_us
        self._segment_start_media_us = media_us
        error_us = self.error_us(wall_minus_monotonic_us)
        correction = max(-SLEW_LIMIT, min(SLEW_LIMIT, error_us / max(next_length_us, US_PER_SECOND)))
        self._slope = self._rate * (1 + correction)
        return wall_us

    def error_us(self, wall_minus_monotonic_us: int) -> float:
        """How far arrivals are from the line now; positive: the line is early, pictures come later than it says."""
        delay = self._window_least()
        arrival_us = delay.offset_us + delay.media_us * self._rate + wall_minus_monotonic_us
        return arrival_us - self._at_media(delay.media_us)

    def drifted(self, wall_minus_monotonic_us: int) -> bool:
        """The line is off by more than 2 s although slewed: begin a new run with `measured_rate`.

        Not before the first window is complete; an error that a late burst left there (a slow pre-buffer) is
        the slew's business and no reason to begin again.
        """
        least = self._least
        if least is None or least.bucket < WINDOW_BUCKETS:
            return False
        error_us = self.error_us(wall_minus_monotonic_us)
        if self._settled is None:
            self._settled = self._window_least()
            self._allowed_us = min(error_us, 0.0)
        return error_us > DRIFT_LIMIT_US or error_us < self._allowed_us - DRIFT_LIMIT_US

    def measured_rate(self) -> float:
        """Wall seconds a media second took in this run, from its first complete window to now."""
        settled = self._settled
        newest = self._window_least()
        if settled is None or newest.media_us - settled.media_us < US_PER_SECOND / 4:
            return self._rate
        rate = self._rate + (newest.offset_us - settled.offset_us) / (newest.media_us - settled.media_us)
        return max(MIN_RATE, min(MAX_RATE, rate))

    def _window_least(self) -> _Delay:
        least = self._least
        assert least is not None, "no picture was observed"
        for delay in self._delays:
            if delay.offset_us < least.offset_us:
                least = delay
        return least

    def _media_us(self, pts_ticks: int) -> float:
        assert self._first_ticks is not None, "no picture was observed"
        return (pts_ticks - self._first_ticks) * US_PER_SECOND / self._hz

    def _at_media(self, media_us: float) -> float:
        return self._segment_start_us + (media_us - self._segment_start_media_us) * self._slope
