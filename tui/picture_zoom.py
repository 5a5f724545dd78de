"""Digital zoom: which part of a camera's picture is shown. Pure. Manual row LV-15."""

from __future__ import annotations

from dataclasses import dataclass, replace

RATIOS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
WHOLE = 10_000
"""Regions are in parts of this."""
PAN = 0.25
"""Of what is seen, a step."""


@dataclass(frozen=True, slots=True)
class Zoom:
    """How often enlarged, and around which point (0 to 1 across and down)."""

    ratio: float = 1.0
    x: float = 0.5
    y: float = 0.5

    @property
    def is_zoomed(self) -> bool:
        return self.ratio > 1.0

    @property
    def words(self) -> str:
        """`2.0x`."""
        return f"{self.ratio:.1f}x"

    @property
    def region(self) -> tuple[int, int, int, int] | None:
        """Left, top, width, height in 1/10,000; None = all of it."""
        if not self.is_zoomed:
            return None
        size = max(1, round(WHOLE / self.ratio))
        left, top = round(self.x * WHOLE - size / 2), round(self.y * WHOLE - size / 2)
        return min(max(left, 0), WHOLE - size), min(max(top, 0), WHOLE - size), size, size

    def nearer(self) -> Zoom:
        return self._at(next((ratio for ratio in RATIOS if ratio > self.ratio), RATIOS[-1]))

    def farther(self) -> Zoom:
        return self._at(next((ratio for ratio in reversed(RATIOS) if ratio < self.ratio), 1.0))

    def _at(self, ratio: float) -> Zoom:
        """The centre stays where it can: nothing beyond the picture is ever seen."""
        return _inside(replace(self, ratio=ratio)) if ratio > 1.0 else Zoom()

    def panned(self, across: int, down: int) -> Zoom:
        step = PAN / self.ratio
        return _inside(replace(self, x=self.x + across * step, y=self.y + down * step))


def _inside(zoom: Zoom) -> Zoom:
    half = 0.5 / zoom.ratio
    return replace(zoom, x=min(max(zoom.x, half), 1 - half), y=min(max(zoom.y, half), 1 - half))
