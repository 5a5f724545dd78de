"""Wall time and media time of a planned export: where masks fall, which moments are worth a picture, what is missing. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from engine.exports.mask_messages import TimedMask
from engine.exports.report import MissingFootage
from engine.wire_evidence import PrivacyMask
from storage.catalog.records import Gap
from storage.segments.export import MediaSpan
from storage.units import US_PER_SECOND, Interval

SHORTEST_GAP_US = US_PER_SECOND
EDGE_US = 200_000
"""Rather a picture masked too many than one too few, where a mask reaches to or over the end of a recorded stretch."""


def timed_masks(masks: Sequence[PrivacyMask], spans: Sequence[MediaSpan]) -> tuple[TimedMask, ...]:
    """Masks in the export's own time; those that fall into none of it are left out."""
    found = []
    for mask in masks:
        stretches = tuple(
            stretch
            for number in range(len(spans))
            if (stretch := _media_stretch(mask, spans, number)) is not None
        )
        if stretches:
            found.append(
                TimedMask(
                    left=mask.left,
                    top=mask.top,
                    width=mask.width,
                    height=mask.height,
                    style=mask.style,
                    stretches_us=stretches,
                )
            )
    return tuple(found)


def _media_stretch(mask: PrivacyMask, spans: Sequence[MediaSpan], number: int) -> tuple[int, int] | None:
    span = spans[number]
    start_us = span.start_us if mask.start_us is None else max(mask.start_us, span.start_us)
    end_us = span.end_us if mask.end_us is None else min(mask.end_us, span.end_us)
    if start_us >= end_us:
        return None
    first, last = media_us(start_us, span), media_us(end_us, span)
    # Decode and display order differ at the ends of what was recorded without a pause: no picture may be left bare there.
    if start_us == span.start_us and not _follows(spans, number):
        first -= EDGE_US
    if end_us == span.end_us and not _follows(spans, number + 1):
        last += EDGE_US
    return first, max(last, first + 1)


def _follows(spans: Sequence[MediaSpan], number: int) -> bool:
    """The span continues the one before it without a pause."""
    return 0 < number < len(spans) and abs(spans[number].start_us - spans[number - 1].end_us) < EDGE_US


def media_us(time_us: int, span: MediaSpan) -> int:
    """Media time of a wall time inside the span."""
    length_us = max(1, span.end_us - span.start_us)
    return (
        span.media_start_us
        + (time_us - span.start_us) * (span.media_end_us - span.media_start_us) // length_us
    )


def wall_us(at_us: int, spans: Sequence[MediaSpan]) -> int:
    """Wall time of a media time; of what is before the first span or in none, the nearest."""
    span = spans[0]
    for each in spans:
        if each.media_start_us > at_us:
            break
        span = each
    length_us = max(1, span.media_end_us - span.media_start_us)
    shown_us = (at_us - span.media_start_us) * (span.end_us - span.start_us) // length_us
    return span.start_us + min(max(0, shown_us), span.end_us - span.start_us)


def moments(spans: Sequence[MediaSpan], count: int) -> tuple[tuple[int, int], ...]:
    """(wall, media) of `count` moments spread evenly over what was recorded."""
    total_us = sum(span.media_end_us - span.media_start_us for span in spans)
    found = []
    for number in range(count):
        offset_us = total_us * (2 * number + 1) // (2 * count)
        for span in spans:
            length_us = span.media_end_us - span.media_start_us
            if offset_us < length_us:
                wall_us = span.start_us + offset_us * (span.end_us - span.start_us) // length_us
                found.append((wall_us, span.media_start_us + offset_us))
                break
            offset_us -= length_us
    return tuple(found)


def missing(
    start_us: int, end_us: int, parts: Sequence[tuple[int, int]], gaps: Sequence[Gap]
) -> tuple[MissingFootage, ...]:
    """What of [start_us, end_us) is longer than a second and in no part, with what the catalog knows of it."""
    found = []
    at_us = start_us
    for part_start_us, part_end_us in [*sorted(parts), (end_us, end_us)]:
        if part_start_us - at_us > SHORTEST_GAP_US:
            found.append(MissingFootage(at_us, part_start_us, _cause(at_us, part_start_us, gaps)))
        at_us = max(at_us, part_end_us)
    return tuple(found)


def _cause(start_us: int, end_us: int, gaps: Sequence[Gap]) -> str:
    hole = Interval(start_us, end_us)
    causes = []
    for gap in gaps:
        gap_end_us = end_us if gap.end_us is None else max(gap.end_us, gap.start_us)
        if hole.overlaps(Interval(gap.start_us, max(gap_end_us, gap.start_us))):
            causes.append(gap.cause.value.replace("_", " "))
    return ", ".join(dict.fromkeys(causes))
