"""Corners of a polygon and what they enclose. Pure, and known to commands that draw nothing.

Points are in 1/10,000 of the picture's width and height from its upper left corner.
"""

from __future__ import annotations

from collections.abc import Sequence

SHARE = 10_000
Point = tuple[int, int]


def area(points: Sequence[Point]) -> int:
    """Twice what the polygon covers, in squared 1/10,000; 0 = nothing."""
    total = 0
    for (x1, y1), (x2, y2) in zip(points, (*points[1:], *points[:1]), strict=True):
        total += x1 * y2 - x2 * y1
    return abs(total)
