"""Which moments a thumbnail search shows: span, interval, and the way down to single frames. Pure. Manual rows TH-01 to TH-04, Q-15."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tui.clip import CLIP_US

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
SPAN_US = 100 * MINUTE_US
"""TH-01."""
BEFORE_NOW_US = HOUR_US
FRAMES_US = 4 * SECOND_US
"""A stretch this short is gone into frame by frame."""
EXACT_US = 5 * SECOND_US
"""Moments nearer to each other than keyframes may be need the exact frame."""
LEAST_INTERVAL_US = 200_000
COUNT_MAX = 20_000
"""Pictures of one search."""

STEPS_US: tuple[int, ...] = (
    *(SECOND_US * tenths // 10 for tenths in (2, 5)),
    *(SECOND_US * seconds for seconds in (1, 2, 3, 5, 10, 15, 20, 30)),
    *(MINUTE_US * minutes for minutes in (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30)),
    *(HOUR_US * hours for hours in (1, 2, 3, 4, 6, 8, 12, 24)),
)


@dataclass(frozen=True, slots=True)
class ThumbnailPlan:
    """A stretch of time in slots of one interval, each shown by its first recorded moment."""

    start_us: int
    end_us: int
    interval_us: int
    clip_us: int = CLIP_US
    is_by_frame: bool = False
    """Every single frame instead: how many there are is known once they were seen."""

    @property
    def span_us(self) -> int:
        return self.end_us - self.start_us

    @property
    def count(self) -> int:
        """Slots; the last one may be shorter."""
        return max(1, -(-self.span_us // self.interval_us))

    @property
    def is_exact(self) -> bool:
        """Keyframes are too far apart for this."""
        return self.is_by_frame or self.interval_us < EXACT_US

    def slot(self, index: int) -> tuple[int, int]:
        """[start, end) of a slot."""
        start_us = self.start_us + index * self.interval_us
        return start_us, min(start_us + self.interval_us, self.end_us)

    def index_at(self, time_us: int) -> int:
        """The slot a time lies in, or the nearest."""
        return max(0, min((time_us - self.start_us) // self.interval_us, self.count - 1))

    def moved(self, spans: int, now_us: int) -> ThumbnailPlan:
        """The stretch before (-1) or after (1); not beyond now."""
        start_us = max(0, self.start_us + spans * self.span_us)
        end_us = start_us + self.span_us
        if end_us > now_us:
            start_us, end_us = max(0, now_us - self.span_us), now_us
        return replace(self, start_us=start_us, end_us=end_us)

    def with_interval(self, interval_us: int) -> ThumbnailPlan:
        """Within what makes sense for the span."""
        least_us = max(LEAST_INTERVAL_US, -(-self.span_us // COUNT_MAX))
        return replace(self, interval_us=max(least_us, min(interval_us, self.span_us)))

    def stepped(self, steps: int) -> ThumbnailPlan:
        """The next longer (1) or shorter (-1) round interval."""
        if steps > 0:
            wanted_us = next((step for step in STEPS_US if step > self.interval_us), self.interval_us)
        else:
            shorter = [step for step in STEPS_US if step < self.interval_us]
            wanted_us = shorter[-1] if shorter else self.interval_us
        return self.with_interval(wanted_us)


def opening_stretch(now_us: int, around_us: int | None = None) -> tuple[int, int]:
    """100 minutes from an hour before now, or around a time; what would lie in the future is cut off (Q-15)."""
    start_us = now_us - BEFORE_NOW_US if around_us is None else around_us - SPAN_US // 2
    return max(0, start_us), max(min(start_us + SPAN_US, now_us), 1)


def fitting_interval_us(span_us: int, cells: int) -> int:
    """The shortest round interval with which the whole span fits on so many cells."""
    exact_us = max(LEAST_INTERVAL_US, -(-span_us // max(cells, 1)))
    return next((step for step in STEPS_US if step >= exact_us), exact_us)


def plan_of(start_us: int, end_us: int, cells: int, clip_us: int = CLIP_US) -> ThumbnailPlan:
    """The whole stretch on one page."""
    return ThumbnailPlan(start_us, end_us, fitting_interval_us(end_us - start_us, cells), clip_us)


def deeper(plan: ThumbnailPlan, index: int, cells: int) -> ThumbnailPlan | None:
    """More snapshots of one slot (TH-04), in the end every frame of it; None = these are single frames already."""
    if plan.is_by_frame:
        return None
    start_us, end_us = plan.slot(index)
    if end_us - start_us <= FRAMES_US:
        return ThumbnailPlan(start_us, end_us, max(end_us - start_us, 1), plan.clip_us, is_by_frame=True)
    # Where there is room for one picture only, the stretch gets shorter all the same.
    return plan_of(start_us, end_us, max(cells, 2), plan.clip_us)


def first_recorded(recorded: tuple[tuple[int, int], ...], start_us: int, end_us: int) -> int | None:
    """The first moment of [start, end) with footage; `recorded` in the order of time."""
    for begin_us, finish_us in recorded:
        if finish_us > start_us:
            return max(begin_us, start_us) if begin_us < end_us else None
    return None


def cause_of(gaps: tuple[tuple[int, int, str], ...], start_us: int, end_us: int) -> str:
    """Of the gap that covers most of [start, end); empty = none does."""
    covered = [
        (min(finish, end_us) - max(begin, start_us), cause)
        for begin, finish, cause in gaps
        if begin < end_us and finish > start_us
    ]
    return max(covered)[1] if covered else ""
