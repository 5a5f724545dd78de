"""Which picture answers for which moments of a segment file, as the workers found out.

Scrubbing inside one group of pictures asks for many moments and means one keyframe: with its span known, all of them
share one decoding and one entry of the cache; likewise moments between two pictures. Plain values; loop only.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict

import msgspec

SPAN_LIMIT_TICKS = 1 << 62
"""End of the last span of a closed file."""
SPANS_LIMIT = 65_536
"""Of all files together, some 10 MB."""
SPANS_A_FILE = 4_096
"""More, from a camera that sends only keyframes, are learnt anew."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Media times [start, until) that are all answered by one picture."""

    start_ticks: int
    until_ticks: int
    keyframe_ticks: int
    """Of that picture."""


class KnownSpans:
    """Spans of the files last asked for; bounded: the file least recently asked for is forgotten first.

    Keyframes and exact pictures are apart.
    """

    def __init__(self) -> None:
        self._files: OrderedDict[tuple[str, bool], list[Span]] = OrderedDict()
        self._count = 0

    def keyframe_ticks(self, path: str, media_ticks: int, *, exact: bool = False) -> int | None:
        """The picture that answers for that moment; None when that is not known yet."""
        spans = self._files.get((path, exact))
        if spans is None:
            return None
        self._files.move_to_end((path, exact))
        position = bisect_right(spans, media_ticks, key=_start) - 1
        if position < 0 or media_ticks >= spans[position].until_ticks:
            return None
        return spans[position].keyframe_ticks

    def learn(self, path: str, span: Span, *, exact: bool = False) -> None:
        spans = self._files.setdefault((path, exact), [])
        self._files.move_to_end((path, exact))
        if len(spans) >= SPANS_A_FILE:
            self._count -= len(spans)
            spans.clear()
        position = bisect_right(spans, span.start_ticks, key=_start)
        if position and spans[position - 1].start_ticks == span.start_ticks:
            # The same picture of a file that grew.
            spans[position - 1] = span
        else:
            spans.insert(position, span)
            self._count += 1
        while self._count > SPANS_LIMIT:
            _, forgotten = self._files.popitem(last=False)
            self._count -= len(forgotten)


def _start(span: Span) -> int:
    return span.start_ticks
