"""The gaps of one camera: what was expected and is not on disk, from the first moment to the first that is again.

A gap has one cause, the first that was true. It is in the catalog while it goes on, and travels in the identity
of the segment that ends it, so that it survives the loss of the catalog. Loop only; called by the recorder.
"""

from __future__ import annotations

from engine.catalog_thread import CatalogThread
from storage.catalog.changes import CloseGap, OpenGap
from storage.catalog.records import Gap, GapCause
from storage.segments.identity import PastGap
from storage.units import US_PER_SECOND

SHORTEST_US = US_PER_SECOND
"""A hole up to this long between two stretches is no gap: the timeline joins them."""
PAST_LIMIT = 64
"""Gaps that wait for a segment to carry them. When more, the oldest are left to the catalog alone."""


class GapTracker:
    """At most one gap goes on; those that ended wait in `past` until a segment that names them is on disk."""

    def __init__(self, camera_id: int, catalog: CatalogThread, going_on: Gap | None = None) -> None:
        self._camera_id = camera_id
        self._catalog = catalog
        self._past: list[PastGap] = []
        self._start_us: int | None = going_on.start_us if going_on else None
        self._cause = going_on.cause if going_on else GapCause.UNKNOWN
        self._detail = going_on.detail if going_on else ""

    @property
    def is_open(self) -> bool:
        return self._start_us is not None

    @property
    def start_us(self) -> int | None:
        return self._start_us

    @property
    def cause(self) -> GapCause:
        return self._cause

    def began_after(self, start_us: int) -> bool:
        """A gap goes on that a segment of that start does not end: it takes another one."""
        return self._start_us is not None and self._start_us > start_us

    def open(self, start_us: int, cause: GapCause, detail: str = "") -> None:
        """Nothing is on disk from here on. Changes nothing while a gap goes on."""
        if self._start_us is not None:
            return
        self._start_us, self._cause, self._detail = start_us, cause, detail
        self._catalog.record(OpenGap(self._camera_id, start_us, cause, detail))

    def move_start(self, start_us: int) -> None:
        """More, or less, reached the disk than was known when the gap was opened."""
        if self._start_us is None or self._start_us == start_us:
            return
        self._catalog.record(
            CloseGap(self._camera_id, self._start_us),  # an open gap that ends where it starts vanishes
            OpenGap(self._camera_id, start_us, self._cause, self._detail),
        )
        self._start_us = start_us

    def ending_at(self, end_us: int) -> tuple[PastGap, ...]:
        """For the identity of a segment that begins there: what ended before it and what it ends."""
        if self._start_us is None or self._start_us >= end_us:
            return tuple(self._past)
        return (*self._past, PastGap(self._start_us, end_us, self._cause, self._detail))

    def ended(self, end_us: int, carried: tuple[PastGap, ...]) -> None:
        """A segment that begins there and carries these gaps is on disk."""
        if self._start_us is not None:
            self._catalog.record(CloseGap(self._camera_id, end_us))
            self._start_us = None
        self._past = [gap for gap in self._past if gap not in carried]

    def expectation_ended(self, at_us: int) -> None:
        """From here on nothing is expected (switched off, not scheduled): a gap that goes on ends."""
        if self._start_us is None:
            return
        self._keep(PastGap(self._start_us, at_us, self._cause, self._detail))
        self._catalog.record(CloseGap(self._camera_id, at_us))
        self._start_us = None

    def add_past(self, start_us: int, end_us: int, cause: GapCause, detail: str = "") -> None:
        """A hole that is known only now that it is over. Short ones are none."""
        if self._start_us is not None or end_us - start_us <= SHORTEST_US:
            return
        self._catalog.record(
            OpenGap(self._camera_id, start_us, cause, detail), CloseGap(self._camera_id, end_us)
        )
        self._keep(PastGap(start_us, end_us, cause, detail))

    def _keep(self, gap: PastGap) -> None:
        if gap.end_us > gap.start_us:
            self._past.append(gap)
            del self._past[:-PAST_LIMIT]
