"""A reading over its limit becomes one event, and one when it is well again. Pure: no clock, no task."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

RESOURCE_LIMIT_PERCENT = 90.0
"""Strictly over it is abnormal (manual row DA-05)."""


class Crossing(Enum):
    ROSE = "rose"
    FELL = "fell"


@dataclass(slots=True)
class Limit:
    """Counts readings: a peak of a moment calls nobody, and a value at the limit does not say so every second."""

    limit: float
    patience: int
    """Readings in a row, over or not over, before it counts."""
    is_over: bool = False
    _row: int = 0

    def read(self, value: float) -> Crossing | None:
        """What this reading changes."""
        if (value > self.limit) is self.is_over:
            self._row = 0
            return None
        self._row += 1
        if self._row < self.patience:
            return None
        self._row = 0
        self.is_over = not self.is_over
        return Crossing.ROSE if self.is_over else Crossing.FELL
