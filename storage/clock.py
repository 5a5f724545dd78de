"""The only reader of clocks: everything that needs the time is handed a Clock, so that tests drive it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Wall time for what is written down, monotonic time for what is measured."""

    def now_us(self) -> int:
        """Microseconds since the Unix epoch, UTC (CLOCK_REALTIME); may step."""
        ...

    def monotonic_us(self) -> int:
        """Microseconds from an arbitrary start that never go back (CLOCK_MONOTONIC)."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic_us(self) -> int:
        return time.monotonic_ns() // 1000
