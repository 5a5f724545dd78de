"""How fast the terminal drains what is written to it, and how many bytes of pictures may be on the way.

    pace = LinkPace()
    pace.allowed_bytes(now_s)              0 = not now; else write at most about so many, with a question at their end
    pace.wait_s(now_s)                     when to look again
    pace.written(size, now_s, is_asked)    every frame that was written; `is_asked`: the question ended it
    pace.answered(at_s)                    the terminal answered the oldest question

The question is `CSI 6n` (cursor position): a terminal answers it in its turn, so the answer says that everything before it
was drained. From each answer comes a sample of the rate: bytes by the time from the answer before (or from the earliest
time an idle link would have answered) to this one. Two limits follow. No more than `QUEUE_S` worth of bytes stands before
a key's echo at the narrowest place of the link, by what was written and has drained at that rate; and no more is
unanswered than that and one round trip hold, in case the rate is wrong. A fast link is measured first and then never
waits; on a slow one pictures come in slices. (The idea of BBR: N. Cardwell et al., ACM Queue 14(5), 2016.)

A terminal that answers nothing is paced by the clock at a rate that suits thin links. Pure: no terminal, no clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

QUEUE_S: Final = 0.04
"""Of picture bytes ahead of a key."""
FIRST_BYTES_S: Final = 50_000.0
"""Bytes a second until something is measured, and for a terminal that answers nothing."""
LEAST_BYTES: Final = 256
"""No slice is cut smaller."""
LEAST_DRAIN_S: Final = 0.0005
"""Shorter times are noise of this machine."""
PROBE_BYTES: Final = 256
"""A frame no larger, alone on the link, measures the round trip."""
FULL_SLICE: Final = 0.25
"""Of what is allowed: smaller frames may show that the link is faster than thought, but not that it is slower."""
GROWTH: Final = 4.0
"""One sample raises the rate by this factor at most."""
SILENCE_S: Final = 2.0
"""No answer to the very first question within this: the terminal answers none."""
LOST_S: Final = 5.0
"""An answer that has not come by now was lost."""
STALE_RTT_S: Final = 30.0
"""The idle round trip is measured anew after this."""


@dataclass(frozen=True, slots=True)
class _Asked:
    size: int
    """Bytes of the frame that the question ended."""
    at_s: float
    is_full: bool
    """Large enough to tell a slow link from a busy machine."""


class LinkPace:
    """State holder of one link. Times are monotonic seconds.

    Invariant: questions are answered in order; `_asked` holds those not answered.
    """

    def __init__(self) -> None:
        self.bytes_s = FIRST_BYTES_S
        """Measured rate, in bytes a second."""
        self.round_trip_s: float | None = None
        """Of the idle link, least seen lately; None = not measured yet."""
        self.is_silent = False
        """The terminal answers no questions."""
        self._round_trip_at_s = float("-inf")
        self._asked: deque[_Asked] = deque()
        self._asked_bytes = 0
        self._answered_s = float("-inf")
        self._queue_bytes = 0.0
        self._queue_at_s = float("-inf")
        self._has_answered = False

    @property
    def is_measured(self) -> bool:
        """The first question was answered, or never will be."""
        return self.round_trip_s is not None or self.is_silent

    @property
    def is_waiting(self) -> bool:
        """A question is on its way."""
        return bool(self._asked)

    def needs_probe(self, now_s: float) -> bool:
        """The idle round trip is not known, or was measured long ago: ask alone, while nothing is on the way."""
        return not self.is_silent and not self._asked and now_s - self._round_trip_at_s > STALE_RTT_S

    def allowed_bytes(self, now_s: float) -> int:
        """How much of pictures may be written now; 0 = wait."""
        self._give_up_lost(now_s)
        if not self.is_measured or (not self.is_silent and self._is_stale(now_s)):
            return 0
        depth = max(self.bytes_s * QUEUE_S, LEAST_BYTES)
        room = depth - self._queue(now_s)
        if not self.is_silent:
            room = min(room, depth + self.bytes_s * (self.round_trip_s or 0.0) - self._asked_bytes)
        return int(room) if room >= depth / 2 else 0

    def wait_s(self, now_s: float) -> float:
        """How long until more may be allowed, if no answer comes before."""
        depth = max(self.bytes_s * QUEUE_S, LEAST_BYTES)
        wait_s = (self._queue(now_s) - depth / 2) / self.bytes_s
        if self._asked:
            in_flight = depth + self.bytes_s * (self.round_trip_s or 0.0) - self._asked_bytes
            if in_flight < depth / 2 or not self.is_measured or self._is_stale(now_s):
                wait_s = self._asked[0].at_s + self._patience_s - now_s
        return max(wait_s, 0.001)

    def written(self, size: int, now_s: float, *, is_asked: bool) -> None:
        """A frame of so many bytes, of pictures or not."""
        self._queue_bytes = self._queue(now_s) + size
        self._queue_at_s = now_s
        if is_asked:
            is_full = size >= self.bytes_s * QUEUE_S * FULL_SLICE
            self._asked.append(_Asked(size, now_s, is_full))
            self._asked_bytes += size

    def answered(self, at_s: float) -> None:
        """The oldest question was answered."""
        self._has_answered = True
        if self.is_silent or not self._asked:
            self.is_silent = False  # a late answer: from the next question on it counts
            return
        asked = self._asked.popleft()
        self._asked_bytes -= asked.size
        took_s = max(at_s - asked.at_s, 0.0)
        was_idle = asked.at_s >= self._answered_s
        is_probe = was_idle and asked.size <= PROBE_BYTES
        is_new = is_probe and (self.round_trip_s is None or self._is_stale(at_s))
        if is_new or (self.round_trip_s is not None and took_s <= self.round_trip_s):
            self.round_trip_s, self._round_trip_at_s = took_s, at_s
        if self.round_trip_s is not None:
            began_s = max(self._answered_s, asked.at_s + self.round_trip_s)
            sample = asked.size / max(at_s - began_s, LEAST_DRAIN_S)
            # However fast a small frame went: buffers on the way swallow it, and a large one behind it may not.
            self._learn(min(sample, asked.size * GROWTH / QUEUE_S), asked.is_full)
        self._answered_s = at_s
        if not self._asked:
            self._queue_bytes = 0.0

    def _learn(self, sample: float, is_full: bool) -> None:
        if sample > self.bytes_s:
            self.bytes_s += (min(sample, self.bytes_s * GROWTH) - self.bytes_s) * 0.75
        elif is_full:
            self.bytes_s += (sample - self.bytes_s) / 2

    def _queue(self, now_s: float) -> float:
        """Bytes that stand before a key's echo."""
        return max(self._queue_bytes - max(now_s - self._queue_at_s, 0.0) * self.bytes_s, 0.0)

    def _is_stale(self, now_s: float) -> bool:
        return now_s - self._round_trip_at_s > STALE_RTT_S

    @property
    def _patience_s(self) -> float:
        return LOST_S if self._has_answered else SILENCE_S

    def _give_up_lost(self, now_s: float) -> None:
        if not self._asked or now_s - self._asked[0].at_s < self._patience_s:
            return
        self._asked.clear()
        self._asked_bytes = 0
        self._answered_s = now_s
        if not self._has_answered:
            self.is_silent = True
        self.bytes_s = min(self.bytes_s, FIRST_BYTES_S)
