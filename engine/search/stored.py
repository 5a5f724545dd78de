"""A search in what was stored while recording: two hours of blocks at a time, decoded on a thread. And which footage nobody looked at."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from storage.catalog.motion_blocks import MotionBlock
from storage.catalog.motion_looks import SEEN_GAP_US, MotionLook, decode_block, summary
from storage.errors import CatalogDamaged
from storage.units import US_PER_HOUR, US_PER_SECOND, Interval, merged

WINDOW_US = 2 * US_PER_HOUR
HOLD_US = 2 * US_PER_SECOND
"""What is seen to move is taken to move until the next look, but no longer than this."""


@dataclass(slots=True)
class Pass:
    """What a window of blocks shows of a region."""

    looks: int = 0
    seen: list[Interval] = field(default_factory=list)
    """From first to last look of each block."""
    damaged: list[Interval] = field(default_factory=list)
    """Of blocks that make no sense: nobody knows what was seen there."""
    moments: list[tuple[int, int, int]] = field(default_factory=list)
    """Start, end, cells that moved inside the region."""


def search_blocks(blocks: Iterable[MotionBlock], window: Interval, cells: int, least_cells: int) -> Pass:
    """Blocking for some milliseconds an hour of busy footage."""
    found = Pass()
    for block in blocks:
        first_us, last_us = max(block.start_us, window.start_us), min(block.end_us, window.end_us)
        try:
            _add_block(found, block, window, cells, least_cells)
        except CatalogDamaged:
            found.damaged.append(damaged_stretch(block))
        else:
            found.seen.append(Interval(first_us, max(first_us, last_us)))
    return found


def _add_block(found: Pass, block: MotionBlock, window: Interval, cells: int, least_cells: int) -> None:
    """Raises CatalogDamaged, and adds nothing then."""
    head = summary(block.looks)
    is_inside = window.start_us <= block.start_us and block.end_us < window.end_us
    if is_inside and not head.cells & cells:
        found.looks += head.looks
        return
    add_looks(found, decode_block(block.start_us, block.looks), window, cells, least_cells)


def damaged_stretch(block: MotionBlock) -> Interval:
    """Its last look stood for about a second."""
    return Interval(block.start_us, max(block.start_us, block.end_us) + US_PER_SECOND)


def add_looks(
    found: Pass, looks: Sequence[MotionLook], window: Interval, cells: int, least_cells: int
) -> None:
    """Those inside the window; looks of one block, in order of time."""
    last = len(looks) - 1
    for number, look in enumerate(looks):
        if not window.start_us <= look.time_us < window.end_us:
            continue
        found.looks += 1
        moved = (look.cells & cells).bit_count()
        if moved >= least_cells:
            end_us = look.time_us + HOLD_US
            if number < last:
                end_us = min(end_us, looks[number + 1].time_us)
            found.moments.append((look.time_us, end_us, moved))


def split_looks(looks: Sequence[MotionLook]) -> list[list[MotionLook]]:
    """Where nobody looked for a while."""
    parts: list[list[MotionLook]] = []
    for look in looks:
        if parts and look.time_us - parts[-1][-1].time_us <= SEEN_GAP_US:
            parts[-1].append(look)
        else:
            parts.append([look])
    return parts


@dataclass(frozen=True, slots=True)
class Newest:
    """Looks in memory with those of the catalog's blocks around them, each once: what is in memory may be on its way, or the clock was set back."""

    looks: list[MotionLook]
    span: Interval | None
    """From the first to the last in memory; blocks that reach into it are in `looks`. None: nothing is in memory."""
    damaged: list[Interval]

    def holds(self, block: MotionBlock) -> bool:
        return (
            self.span is not None and block.start_us < self.span.end_us and self.span.start_us <= block.end_us
        )


def span_of(recent: Sequence[MotionLook]) -> Interval | None:
    """`recent` in order of time."""
    return Interval(recent[0].time_us, recent[-1].time_us + 1) if recent else None


def newest(recent: Sequence[MotionLook], around: Iterable[MotionBlock]) -> Newest:
    """`around`: all blocks of the catalog with looks in `span_of(recent)`. Blocking as `search_blocks`."""
    looks: dict[int, MotionLook] = {}
    in_memory = {look.time_us for look in recent}
    damaged: list[Interval] = []
    for block in around:
        if block.start_us in in_memory and block.end_us in in_memory:
            continue  # the one that is still being added to
        try:
            looks.update((look.time_us, look) for look in decode_block(block.start_us, block.looks))
        except CatalogDamaged:
            damaged.append(damaged_stretch(block))
    looks.update((look.time_us, look) for look in recent)
    return Newest(sorted(looks.values()), span_of(recent), damaged)


def on_disk(looks: Iterable[MotionLook], recorded: Sequence[Interval]) -> list[MotionLook]:
    """Those inside the recorded stretches, which are apart and in order of time."""
    starts_us = [each.start_us for each in recorded]
    kept: list[MotionLook] = []
    for look in looks:
        place = bisect_right(starts_us, look.time_us) - 1
        if place >= 0 and look.time_us <= recorded[place].end_us:
            kept.append(look)
    return kept


def missing(
    recorded: Sequence[Interval], seen: Sequence[Interval], damaged: Iterable[Interval]
) -> list[Interval]:
    """Recorded stretches of which nothing is known: unseen, or seen and the knowledge of it damaged."""
    starts_us = [each.start_us for each in recorded]
    lost: list[Interval] = []
    for stretch in damaged:
        place = max(0, bisect_right(starts_us, stretch.start_us) - 1)
        while place < len(recorded) and recorded[place].start_us < stretch.end_us:
            part = stretch.clipped_to(recorded[place])
            lost += [] if part is None else [part]
            place += 1
    return [each for each in merged([*unseen(recorded, seen), *lost]) if each.duration_us]


def unseen(recorded: Sequence[Interval], seen: Sequence[Interval]) -> list[Interval]:
    """Recorded stretches without looks for more than SEEN_GAP_US; all of a recording in which there is none."""
    looked = merged(list(seen), SEEN_GAP_US)
    found: list[Interval] = []
    first = 0
    for stretch in recorded:
        while first < len(looked) and looked[first].end_us < stretch.start_us:
            first += 1
        at_us, is_first, place = stretch.start_us, True, first
        while place < len(looked) and looked[place].start_us < stretch.end_us:
            if looked[place].start_us - at_us > SEEN_GAP_US:
                found.append(Interval(at_us, looked[place].start_us))
            at_us, is_first = max(at_us, looked[place].end_us), False
            place += 1
        if (is_first and stretch.duration_us) or stretch.end_us - at_us > SEEN_GAP_US:
            found.append(Interval(at_us, stretch.end_us))
    return found
