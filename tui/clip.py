"""A short stretch of one camera's footage: what search screens select, play, export and bookmark. Pure."""

from __future__ import annotations

from dataclasses import dataclass

CLIP_US = 10_000_000
"""Length of a clip unless told otherwise (manual rows TH-02, BM-01)."""
EXPORT_US = 120_000_000
"""Length of an export from a motion search (EX-09)."""


@dataclass(frozen=True, slots=True)
class Clip:
    """[start, end) of a camera."""

    camera: str
    start_us: int
    end_us: int

    def around(self, length_us: int, now_us: int) -> Clip:
        """At least so long, with the clip in the middle; never beyond now."""
        spare_us = max(0, length_us - (self.end_us - self.start_us))
        end_us = min(self.end_us + spare_us // 2, max(now_us, self.end_us))
        start_us = min(self.start_us, end_us - length_us)
        return Clip(self.camera, max(0, start_us), end_us)
