"""The seconds before an event: whole GOPs of a camera in memory, as parts that could be written at any moment. Loop only.

Bounded in seconds for each camera and in bytes for all of them: when memory is full the camera that holds most lets go of its oldest
GOP, and says how far back it no longer reaches. Manual row RO-02.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from engine.recording.run import Run
from storage.segments.part import Part
from storage.units import US_PER_SECOND

LATE_US = 3 * US_PER_SECOND
"""Kept beyond what the operator asked for: an event is known, and its action carried out, a moment after it happened."""


@dataclass(frozen=True, slots=True)
class HeldPart:
    """A part, the run it is of, and when it was filmed by the run's line at that time."""

    run: Run
    part: Part
    start_us: int
    end_us: int

    @property
    def is_keyed(self) -> bool:
        return self.part.has_keyframe_first


@dataclass(slots=True)
class _Gop:
    """A part that begins with a keyframe, and the parts up to the next."""

    start_us: int
    parts: list[HeldPart] = field(default_factory=list)
    bytes: int = 0

    def is_over(self, time_us: int) -> bool:
        last = self.parts[-1]
        return last.run.ended is not None and last.end_us <= time_us


class RingBudget:
    """Memory for the rings of all cameras."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.bytes = 0
        self._rings: set[PreEventRing] = set()

    def join(self, ring: PreEventRing) -> None:
        self._rings.add(ring)

    def leave(self, ring: PreEventRing) -> None:
        self._rings.discard(ring)

    def keep_within(self) -> None:
        """Whoever holds most gives up its oldest GOP, until all of it fits."""
        while self.bytes > self.limit_bytes:
            max(self._rings, key=lambda ring: ring.bytes).give_up_oldest()


class PreEventRing:
    """Invariant: what is held begins with a keyframe, and reaches `reach_us` back from its end where it was let."""

    def __init__(self, budget: RingBudget, reach_us: int) -> None:
        self.reach_us = reach_us
        self.bytes = 0
        self.given_up_until_us = 0
        """What ended by then was let go for want of memory."""
        self._budget = budget
        self._gops: deque[_Gop] = deque()
        budget.join(self)

    @property
    def start_us(self) -> int | None:
        return self._gops[0].start_us if self._gops else None

    @property
    def end_us(self) -> int:
        """0 when nothing is held."""
        return self._gops[-1].parts[-1].end_us if self._gops else 0

    def add(self, held: HeldPart) -> None:
        """The rest of a GOP whose beginning is not here is of no use, and left out."""
        if held.is_keyed:
            self._gops.append(_Gop(held.start_us))
        elif not self._gops:
            return
        gop = self._gops[-1]
        gop.parts.append(held)
        self._weigh(gop, held.part.bytes)
        while len(self._gops) > 1 and self._gops[1].start_us <= held.end_us - self.reach_us:
            self._drop_oldest()
        self._budget.keep_within()

    def take(self, since_us: int) -> list[HeldPart]:
        """Everything from the keyframe at or before that moment on (or from the first), oldest first; nothing is left.

        A session that ended before that moment has no part in it.
        """
        while len(self._gops) > 1 and self._gops[1].start_us <= since_us:
            self._drop_oldest()
        while self._gops and self._gops[0].is_over(since_us):
            self._drop_oldest()
        parts = [held for gop in self._gops for held in gop.parts]
        self.clear()
        return parts

    def give_up_oldest(self) -> None:
        """For want of memory."""
        self.given_up_until_us = self._drop_oldest().parts[-1].end_us

    def clear(self) -> None:
        while self._gops:
            self._drop_oldest()

    def close(self) -> None:
        self.clear()
        self._budget.leave(self)

    def _drop_oldest(self) -> _Gop:
        gop = self._gops.popleft()
        self.bytes -= gop.bytes
        self._budget.bytes -= gop.bytes
        return gop

    def _weigh(self, gop: _Gop, size_bytes: int) -> None:
        gop.bytes += size_bytes
        self.bytes += size_bytes
        self._budget.bytes += size_bytes
