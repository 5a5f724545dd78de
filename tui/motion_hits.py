"""Stretches of motion handed from the motion search to the timeline, which draws them brighter (manual row SS-17). Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MotionHits:
    """What a search found in one camera's footage."""

    camera: str
    stretches: tuple[tuple[int, int], ...]
    """[start, end) in the order of time."""
