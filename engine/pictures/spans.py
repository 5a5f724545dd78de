"""Which keyframe answers for which moments of a segment file, as the workers found out.

Scrubbing inside one group of pictures asks for many moments and means one keyframe: with its span known, all of them
share one decoding and one entry of the cache. Plain values; loop only.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict

import msgspec

SPAN_LIMIT_TICKS = 1 << 62
"""End of the last span of a closed file."""
FILE_LIMIT = 64
SPANS_A_FILE = 4_096
"""More, from a camera that sends only keyframes, are learnt anew."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Media times [start, until) that are all answered by one keyframe."""

    start_ticks: int
    until_ticks: int
    keyframe_ticks: int


class KnownSpans:
    """Spans of the files last asked for; bounded: the file least recently asked for is forgotten first."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, list[Span]] = OrderedDict()

    def keyframe_ticks(self, path: str, media_ticks: int) -> int | None:
        """The keyframe that answers for that moment; None when that is not known yet."""
        spans = self._files.get(path)
        if spans is None:
            return None
        self._files.move_to_end(path)
        position = bisect_right(spans, media_ticks, key=_start) - 1
        if position < 0 or media_ticks >= spans[position].until_ticks:
            return None
        return spans[position].keyframe_ticks

    def learn(self, path: str, span: Span) -> None:
        spans = self._files.setdefault(path, [])
        self._files.move_to_end(path)
        if len(self._files) > FILE_LIMIT:
            self._files.popitem(last=False)
        if len(spans) >= SPANS_A_FILE:
            spans.clear()
        position = bisect_right(spans, span.start_ticks, key=_start)
        if position and spans[position - 1].start_ticks == span.start_ticks:
            # The same keyframe of a file that grew.
            spans[position - 1] = span
        else:
            spans.insert(position, span)


def _start(span: Span) -> int:
    return span.start_ticks
