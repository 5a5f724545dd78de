"""A search in what was stored while recording: two hours of blocks at a time, decoded on a thread. And which footage nobody looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from storage.catalog.motion_blocks import MotionBlock
from storage.catalog.motion_looks import SEEN_GAP_US, MotionLook, decode_block, summary
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
    moments: list[tuple[int, int, int]] = field(default_factory=list)
    """Start, end, cells that moved inside the region."""


def search_blocks(blocks: Iterable[MotionBlock], window: Interval, cells: int, least_cells: int) -> Pass:
    """Blocking for some milliseconds an hour of busy footage. Raises CatalogDamaged."""
    found = Pass()
    for block in blocks:
        first_us, last_us = max(block.start_us, window.start_us), min(block.end_us, window.end_us)
        found.seen.append(Interval(first_us, max(first_us, last_us)))
        head = summary(block.looks)
        is_inside = window.start_us <= block.start_us and block.end_us < window.end_us
        if is_inside and not head.cells & cells:
            found.looks += head.looks
            continue
        add_looks(found, decode_block(block.start_us, block.looks), window, cells, least_cells)
    return found


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
