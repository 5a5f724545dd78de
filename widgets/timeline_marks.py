"""What stands above the bar of one track: how much went on, events, bookmarks, hits of a search. Values and pure arithmetic.

    Tag(start_us, end_us, sign, tone)          an event: one character, and which of TONES colours it
    TimelineMarks(activity=(), activity_start_us=0, activity_end_us=0, tags=(), bookmarks=(), hits=())
    level_cells(marks, start_us, end_us, cells) -> list[int]     highest activity of each cell, -1 = none known
    tag_cells(tags, ...) -> list[TagCell | None];  covered_cells(stretches, ...) -> list[bool]

Intervals are half-open, in microseconds UTC. Whatever is shorter than a cell still takes one. Nothing here draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

TONES: Final = ("motion", "analytics", "device", "trouble", "other")
"""Classes of events as they are coloured."""


@dataclass(frozen=True, slots=True)
class Tag:
    """An event of a track."""

    start_us: int
    end_us: int
    sign: str
    """One cell."""
    tone: str
    """One of TONES."""


@dataclass(frozen=True, slots=True)
class TimelineMarks:
    """Of one track."""

    activity: tuple[int, ...] = ()
    """Equal parts of [activity_start_us, activity_end_us): 0 to 100, -1 = nothing is recorded there."""
    activity_start_us: int = 0
    activity_end_us: int = 0
    tags: tuple[Tag, ...] = ()
    """In the order of time."""
    bookmarks: tuple[tuple[int, int], ...] = ()
    hits: tuple[tuple[int, int], ...] = ()
    """Of a search: drawn bright."""


@dataclass(frozen=True, slots=True)
class TagCell:
    """What stands in one cell of the row of tags."""

    sign: str
    """Of the first event in the cell; `+` when several kinds meet there."""
    tone: str
    is_start: bool
    """The event begins here; the cells after it are its length."""


def cells_of(start_us: int, end_us: int, view_start_us: int, span_us: int, cells: int) -> range:
    """Cells that a stretch touches, at least one while it is in view."""
    first = (start_us - view_start_us) * cells // span_us
    last = (max(end_us, start_us + 1) - 1 - view_start_us) * cells // span_us
    return range(max(first, 0), min(last, cells - 1) + 1)


def level_cells(marks: TimelineMarks, start_us: int, end_us: int, cells: int) -> list[int]:
    """The highest activity of each cell: a moment of motion is not averaged away."""
    levels = [-1] * max(cells, 0)
    length_us = marks.activity_end_us - marks.activity_start_us
    count = len(marks.activity)
    if not count or length_us <= 0 or end_us <= start_us:
        return levels
    for number, level in enumerate(marks.activity):
        if level < 0:
            continue
        bin_start_us = marks.activity_start_us + number * length_us // count
        bin_end_us = marks.activity_start_us + (number + 1) * length_us // count
        # By its middle when it is shorter than a cell, so that neighbours do not both show it.
        if (bin_end_us - bin_start_us) * cells <= end_us - start_us:
            bin_start_us = bin_end_us = (bin_start_us + bin_end_us) // 2
        for cell in cells_of(bin_start_us, bin_end_us, start_us, end_us - start_us, cells):
            levels[cell] = max(levels[cell], level)
    return levels


def tag_cells(tags: Sequence[Tag], start_us: int, end_us: int, cells: int) -> list[TagCell | None]:
    """The events of each cell; a beginning is never hidden by the length of another."""
    result: list[TagCell | None] = [None] * max(cells, 0)
    if end_us <= start_us:
        return result
    for tag in tags:
        for cell in cells_of(tag.start_us, tag.end_us, start_us, end_us - start_us, cells):
            is_start = (tag.start_us - start_us) * cells // (end_us - start_us) == cell
            known = result[cell]
            if known is None or (is_start and not known.is_start):
                result[cell] = TagCell(tag.sign, tag.tone, is_start)
            elif is_start and known.sign != tag.sign:
                tone = known.tone if TONES.index(known.tone) >= TONES.index(tag.tone) else tag.tone
                result[cell] = TagCell("+", "trouble" if "trouble" in (known.tone, tag.tone) else tone, True)
    return result


def covered_cells(stretches: Iterable[tuple[int, int]], start_us: int, end_us: int, cells: int) -> list[bool]:
    """Whether anything is in each cell."""
    result = [False] * max(cells, 0)
    if end_us > start_us:
        for stretch_start_us, stretch_end_us in stretches:
            for cell in cells_of(stretch_start_us, stretch_end_us, start_us, end_us - start_us, cells):
                result[cell] = True
    return result
