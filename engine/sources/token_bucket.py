"""So many a second, and some more at once."""

from __future__ import annotations

from storage.clock import Clock
from storage.units import US_PER_SECOND


class TokenBucket:
    def __init__(self, clock: Clock, *, rate: float, burst: int) -> None:
        self._clock = clock
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._at_us = clock.monotonic_us()

    def take(self) -> bool:
        """False when there is none left now."""
        now_us = self._clock.monotonic_us()
        self._tokens = min(self._burst, self._tokens + (now_us - self._at_us) * self._rate / US_PER_SECOND)
        self._at_us = now_us
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
