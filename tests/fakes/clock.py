"""A clock that tests drive by hand."""

from __future__ import annotations


class FakeClock:
    """Wall and monotonic time move together with `advance`; `step` moves wall time alone."""

    def __init__(self, now_us: int = 1_767_225_600_000_000, monotonic_us: int = 1_000_000_000) -> None:
        self._now_us = now_us
        self._monotonic_us = monotonic_us

    def now_us(self) -> int:
        return self._now_us

    def monotonic_us(self) -> int:
        return self._monotonic_us

    def advance(self, us: int) -> None:
        self._now_us += us
        self._monotonic_us += us

    def step(self, us: int) -> None:
        self._now_us += us
