"""How many bytes a second something writes: quick for the screen, slow for estimates of days. Loop only."""

from __future__ import annotations

import math

from storage.clock import Clock
from storage.units import US_PER_HOUR, US_PER_SECOND

QUICK_US = 5 * US_PER_SECOND
SLOW_US = 6 * US_PER_HOUR
"""Half of an estimate's weight lies in about the last four hours: day and night differ, one storm does not count."""


class ByteRate:
    """Two exponentially weighted means over time, fed by `add` and moved on by `tick`."""

    __slots__ = ("_clock", "_pending_bytes", "_started_us", "_ticked_us", "quick_bps", "slow_bps")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pending_bytes = 0
        self._started_us = self._ticked_us = clock.monotonic_us()
        self.quick_bps = 0.0
        """Bits per second over the last seconds."""
        self.slow_bps = 0.0
        """Bits per second over the last hours (or since the start, if that is less)."""

    def add(self, size_bytes: int) -> None:
        self._pending_bytes += size_bytes

    def tick(self) -> None:
        """Take what was added since the last tick into the means."""
        now_us = self._clock.monotonic_us()
        elapsed_us = now_us - self._ticked_us
        if elapsed_us <= 0:
            return
        age_us = now_us - self._started_us
        bps = self._pending_bytes * 8 * US_PER_SECOND / elapsed_us
        self._pending_bytes = 0
        self._ticked_us = now_us
        # While younger than its horizon, a mean is the plain mean since the start.
        for_quick = 1 - math.exp(-elapsed_us / min(QUICK_US, max(age_us, 1)))
        for_slow = max(1 - math.exp(-elapsed_us / SLOW_US), elapsed_us / age_us if age_us < SLOW_US else 0.0)
        self.quick_bps += (bps - self.quick_bps) * for_quick
        self.slow_bps += (bps - self.slow_bps) * min(for_slow, 1.0)
