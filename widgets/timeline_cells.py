"""Stretches of time as half-cells of a strip: the values of a `Timeline` and the pure arithmetic below it.

    GapKind                        class of causes, with a letter
    GapMark(start_us, end_us, kind, label="")
    TimelineTrack(key, title, recorded=(), gaps=(), locks=(), tone="")
    Strip halves: `strip_cells(track, start_us, end_us, cells) -> list[StripCell]`

All intervals are half-open, in microseconds UTC, in order of time. Nothing here draws.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from enum import Enum


class GapKind(Enum):
    """Classes of causes as they are coloured; the value is the letter shown."""

    CAMERA = "C"
    """Not reachable, refused, stalled, not understood."""
    LOSS = "L"
    """Frames lost on the way."""
    STORAGE = "S"
    """Volume full, failed, missing, stalled, or none."""
    ENGINE = "E"
    """Recorder stopped or crashed."""
    CLOCK = "T"
    """The clock was set."""
    PLANNED = "P"
    """Schedule or switched off."""
    UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class GapMark:
    """Expected and not recorded."""

    start_us: int
    end_us: int
    kind: GapKind
    label: str = ""
    """Why, in words: for the line that explains what is under the playhead."""


@dataclass(frozen=True, slots=True)
class TimelineTrack:
    """One row: a camera's coverage."""

    key: Hashable
    title: str
    recorded: tuple[tuple[int, int], ...] = ()
    gaps: tuple[GapMark, ...] = ()
    locks: tuple[tuple[int, int], ...] = ()


class Fill(Enum):
    """What half a cell shows."""

    NOTHING = 0
    RECORDED = 1
    GAP = 2


@dataclass(slots=True)
class StripCell:
    """One cell: two halves, and what is too small to fill one."""

    left: Fill = Fill.NOTHING
    right: Fill = Fill.NOTHING
    gap: GapKind | None = None
    """Kind of the gap shown or hinted at."""
    is_gap_start: bool = False
    """The letter stands here."""
    has_hint: bool = False
    """What fills no half is inside: a gap in a recorded cell, or footage in a cell of gap."""
    is_locked: bool = False

    @property
    def is_whole(self) -> bool:
        """Both halves show the same."""
        return self.left is self.right


def _overlaps(
    stretches: Iterable[tuple[int, int]], start_us: int, end_us: int, parts: int
) -> tuple[list[float], list[bool]]:
    """Share of each of `parts` equal parts that is covered (0..1), and whether anything at all touches it."""
    shares = [0.0] * parts
    touched = [False] * parts
    length = (end_us - start_us) / parts
    for begin_us, stop_us in stretches:
        begin = (max(begin_us, start_us) - start_us) / length
        stop = (min(stop_us, end_us) - start_us) / length
        if stop <= begin:
            continue
        first, last = int(begin), min(int(stop), parts - 1)
        if first >= parts:
            continue
        if first == last:
            shares[first] += stop - begin
            touched[first] = True
            continue
        shares[first] += first + 1 - begin
        touched[first] = True
        for index in range(first + 1, last):
            shares[index] = 1.0
            touched[index] = True
        if stop > last:
            shares[last] += stop - last
            touched[last] = True
    return shares, touched


LETTER_EVERY_CELLS = 6
"""A long gap repeats its letter."""


def strip_cells(
    track: TimelineTrack, start_us: int, end_us: int, cells: int, *, has_half_cells: bool = True
) -> list[StripCell]:
    """The strip of a track over [start_us, end_us) in `cells` cells.

    A half shows what covers most of it. Nothing is lost: a gap that fills no half leaves `has_hint` in its cell, and
    of a cell with any footage half is recorded. Without half-cells a cell is judged whole, and footage in a cell of
    gap leaves the hint.
    """
    result = [StripCell() for _ in range(max(cells, 0))]
    if cells <= 0 or end_us <= start_us:
        return result
    parts = cells * 2 if has_half_cells else cells
    recorded, has_recorded = _overlaps(track.recorded, start_us, end_us, parts)
    gap_share = [0.0] * parts
    gap_kind: list[GapKind | None] = [None] * parts
    for kind in GapKind:
        marks = [(gap.start_us, gap.end_us) for gap in track.gaps if gap.kind is kind]
        if not marks:
            continue
        shares, touched = _overlaps(marks, start_us, end_us, parts)
        for index, share in enumerate(shares):
            if touched[index] and (gap_kind[index] is None or share > gap_share[index]):
                gap_share[index], gap_kind[index] = share, kind
    fills = [
        Fill.GAP
        if kind is not None and (share >= 0.5 or not has_recorded[index])
        else Fill.RECORDED
        if has_recorded[index]
        else Fill.NOTHING
        for index, (share, kind) in enumerate(zip(gap_share, gap_kind, strict=True))
    ]
    locked, _ = _overlaps(track.locks, start_us, end_us, cells)
    step = 2 if has_half_cells else 1
    run = 0
    previous: GapKind | None = None
    for index, cell in enumerate(result):
        left, right = index * step, index * step + step - 1
        is_footage_hidden = Fill.RECORDED not in fills[left : right + 1] and any(
            has_recorded[left : right + 1]
        )
        if is_footage_hidden and has_half_cells:
            fills[left if recorded[left] >= recorded[right] else right] = Fill.RECORDED
            is_footage_hidden = False
        cell.left, cell.right = fills[left], fills[right]
        cell.is_locked = locked[index] >= 0.5
        shown = (
            gap_kind[left] if cell.left is Fill.GAP else gap_kind[right] if cell.right is Fill.GAP else None
        )
        hint = gap_kind[left] or gap_kind[right]
        cell.gap = shown or hint
        cell.has_hint = is_footage_hidden or (shown is None and hint is not None)
        run = run + 1 if shown is not None and shown is previous else 0
        cell.is_gap_start = shown is not None and cell.is_whole and run % LETTER_EVERY_CELLS == 0
        if shown is not None and not cell.is_whole:
            run = -1  # the letter goes into the first whole cell
        previous = shown
    return result
