"""Sleeping by a clock that tests drive by hand."""

from __future__ import annotations

import asyncio
import heapq
import itertools

from tests.fakes.clock import FakeClock


class FakeTimer:
    """`sleep` for what is under test; `advance` moves the clock and wakes who is due, in order of their times."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self._numbers = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    async def sleep(self, seconds: float) -> None:
        wake_us = self.clock.monotonic_us() + round(max(0.0, seconds) * 1_000_000)
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (wake_us, next(self._numbers), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Time passes; each sleeper wakes at its own moment and runs until it waits again."""
        end_us = self.clock.monotonic_us() + round(seconds * 1_000_000)
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end_us:
            wake_us, _, future = heapq.heappop(self._sleepers)
            self.clock.advance(max(0, wake_us - self.clock.monotonic_us()))
            if not future.done():
                future.set_result(None)
                await settle()
        self.clock.advance(max(0, end_us - self.clock.monotonic_us()))
        await settle()

    @property
    def delays_s(self) -> list[float]:
        """How long each sleeper still sleeps, the next first."""
        now_us = self.clock.monotonic_us()
        return [
            (wake_us - now_us) / 1e6 for wake_us, _, future in sorted(self._sleepers) if not future.done()
        ]


async def settle(turns: int = 20) -> None:
    """Let every task run until it waits for something outside of the loop."""
    for _ in range(turns):
        await asyncio.sleep(0)
