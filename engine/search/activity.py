"""How much went on, bin by bin, for the histogram of a timeline. Pure, but for reading nothing: what it needs is handed in. Manual row PB.

Where motion was looked for, a bin is half the busiest look of it and half the average, ten seconds by ten seconds; looks count by the square
root of the share of cells that moved, so that one person far away is still seen beside a car that fills the picture: 1 % of the cells
is 10, a tenth 32, all 100. Elsewhere it is how far the camera's bytes a second are above its quiet level, which is what a fifth of
the bins stay below: twice as much is 33, eight times 100. Cameras that send the same rate whatever happens show nothing there.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import log2, sqrt

from storage.catalog.motion_blocks import MotionBlock
from storage.catalog.motion_looks import CELLS, SEEN_GAP_US, SLOT_US, MotionLook, decode_block, summary
from storage.catalog.records import Segment
from storage.segments.places import decode_places
from storage.units import US_PER_SECOND, Interval

NOTHING_RECORDED = -1
FULL = 100
QUIET_SHARE = 0.2
DOUBLINGS_TO_FULL = 3
_LEVELS = tuple(FULL * sqrt(cells / CELLS) for cells in range(CELLS + 1))


@dataclass(frozen=True, slots=True)
class Bins:
    """`count` equal parts of [start, end)."""

    start_us: int
    end_us: int
    count: int

    def span(self, start_us: int, end_us: int) -> range:
        """Those that [start, end) reaches into."""
        length_us = self.end_us - self.start_us
        if end_us <= self.start_us or start_us >= self.end_us:
            return range(0)
        first = (max(start_us, self.start_us) - self.start_us) * self.count // length_us
        last = (min(end_us, self.end_us) - 1 - self.start_us) * self.count // length_us
        return range(first, max(first, last) + 1)

    def edges_us(self, number: int) -> tuple[int, int]:
        length_us = self.end_us - self.start_us
        return (
            self.start_us + number * length_us // self.count,
            self.start_us + (number + 1) * length_us // self.count,
        )

    @property
    def length_us(self) -> float:
        return (self.end_us - self.start_us) / self.count


class Histogram:
    """Filled with what is known, then `bars`."""

    def __init__(self, bins: Bins) -> None:
        self._bins = bins
        zeros = bytes(8 * bins.count)
        self._peak = array("d", zeros)
        self._moved = array("d", zeros)
        """Level times time."""
        self._looked_us = array("q", zeros)
        self._bytes = array("d", zeros)
        self._recorded_us = array("d", zeros)

    # -- motion ------------------------------------------------------------------------------------------------

    @property
    def reads_looks(self) -> bool:
        """Bins are finer than what stands at the front of a block."""
        return self._bins.length_us < SLOT_US

    def add_block(self, block: MotionBlock) -> None:
        """Raises CatalogDamaged."""
        if self.reads_looks:
            self.add_looks(decode_block(block.start_us, block.looks))
            return
        head = summary(block.looks)
        end_us = block.end_us + 1
        if not head.slots:
            self._add(block.start_us, end_us, 0)
            return
        start_us = block.start_us
        for cells, run in groupby(head.slots):
            until_us = start_us + SLOT_US * sum(1 for _ in run)
            self._add(start_us, max(start_us + 1, min(until_us, end_us)), cells)
            start_us = until_us

    def add_looks(self, looks: Sequence[MotionLook]) -> None:
        """Each stands for the time to the next."""
        for number, look in enumerate(looks):
            until_us = look.time_us + US_PER_SECOND
            if number + 1 < len(looks):
                next_us = looks[number + 1].time_us
                until_us = next_us if 0 < next_us - look.time_us <= SEEN_GAP_US else until_us
            self._add(look.time_us, until_us, look.cells.bit_count())

    def _add(self, start_us: int, end_us: int, cells: int) -> None:
        level = _LEVELS[cells]
        for number in self._bins.span(start_us, end_us):
            low_us, high_us = self._bins.edges_us(number)
            looked_us = min(high_us, end_us) - max(low_us, start_us)
            self._looked_us[number] += looked_us
            if level:
                self._moved[number] += level * looked_us
                self._peak[number] = max(self._peak[number], level)

    # -- sizes -------------------------------------------------------------------------------------------------

    def add_recorded(self, stretches: Iterable[Interval]) -> None:
        for stretch in stretches:
            for number in self._bins.span(stretch.start_us, stretch.end_us):
                low_us, high_us = self._bins.edges_us(number)
                self._recorded_us[number] += max(
                    0, min(high_us, stretch.end_us) - max(low_us, stretch.start_us)
                )

    def wants_places(self, segment: Segment) -> bool:
        """Its length is coarser than the bins it lies in, and motion was not looked for in all of them."""
        return segment.end_us - segment.start_us > self._bins.length_us and not all(
            self._looked_us[number] for number in self._bins.span(segment.start_us, segment.end_us)
        )

    def add_segment(self, segment: Segment, places: bytes = b"") -> None:
        """Its bytes, spread evenly, or by the groups of pictures in it. Raises SegmentDamaged."""
        length_us = segment.end_us - segment.start_us
        if not places or not segment.media_duration_ticks:
            self._spread(segment.start_us, segment.end_us, segment.bytes)
            return
        starts = [
            (
                segment.start_us + place.start_ticks * length_us // segment.media_duration_ticks,
                place.size_bytes,
            )
            for place in decode_places(places)
        ]
        for (start_us, size_bytes), (until_us, _) in zip(
            starts, [*starts[1:], (segment.end_us, 0)], strict=True
        ):
            self._spread(start_us, until_us, size_bytes)

    def _spread(self, start_us: int, end_us: int, size_bytes: int) -> None:
        if end_us <= start_us:
            return
        for number in self._bins.span(start_us, end_us):
            low_us, high_us = self._bins.edges_us(number)
            self._bytes[number] += (
                size_bytes * max(0, min(high_us, end_us) - max(low_us, start_us)) / (end_us - start_us)
            )

    # -- together ----------------------------------------------------------------------------------------------

    def bars(self) -> tuple[tuple[int, ...], tuple[bool, ...]]:
        """0 to 100 a bin, -1 where nothing is recorded; and where it comes from motion."""
        rates = [
            size / recorded_us if recorded_us else 0.0
            for size, recorded_us in zip(self._bytes, self._recorded_us, strict=True)
        ]
        known = sorted(rate for rate in rates if rate > 0)
        quiet = known[int(len(known) * QUIET_SHARE)] if known else 0.0
        bars: list[int] = []
        for number, rate in enumerate(rates):
            if not self._recorded_us[number]:
                bars.append(NOTHING_RECORDED)
            elif self._looked_us[number]:
                mean = self._moved[number] / self._looked_us[number]
                level = round((self._peak[number] + mean) / 2)
                bars.append(min(FULL, max(level, int(self._peak[number] > 0))))
            elif rate > quiet > 0:
                bars.append(min(FULL, round(FULL * log2(rate / quiet) / DOUBLINGS_TO_FULL)))
            else:
                bars.append(0)
        return tuple(bars), tuple(
            looked_us > 0 and recorded_us > 0
            for looked_us, recorded_us in zip(self._looked_us, self._recorded_us, strict=True)
        )
