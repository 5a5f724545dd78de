"""What the kernel says about drives between two inventories (unreadable sectors, above all): passed on, but never as a storm.

A dying drive repeats itself a thousand times a minute. Pure but for its memory.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.chassis.happenings import Happening, happening
from storage.units import US_PER_SECOND

REPEAT_US = 3600 * US_PER_SECOND
"""The same words are not said again before."""
WINDOW_US = 60 * US_PER_SECOND
WINDOW_LIMIT = 5
"""Different notices a minute; the rest are counted."""
MEMORY_LIMIT = 1_000


class NoticeTeller:
    """Remembers what was said when, on the monotonic clock."""

    def __init__(self) -> None:
        self._said_us: dict[str, int] = {}
        self._window_us = 0
        self._in_window = 0
        self._left_out = 0

    def take(self, notices: Sequence[str], now_us: int) -> list[Happening]:
        said: list[Happening] = []
        if now_us - self._window_us >= WINDOW_US:
            if self._left_out:
                said.append(
                    happening("drive.notice", f"{self._left_out} more messages of the kernel about drives")
                )
            self._window_us, self._in_window, self._left_out = now_us, 0, 0
        for notice in notices:
            last_us = self._said_us.get(notice)
            if last_us is not None and now_us - last_us < REPEAT_US:
                continue
            if self._in_window >= WINDOW_LIMIT:
                self._left_out += 1
                continue
            self._in_window += 1
            self._remember(notice, now_us)
            said.append(happening("drive.notice", notice))
        return said

    def _remember(self, notice: str, now_us: int) -> None:
        if len(self._said_us) >= MEMORY_LIMIT:
            self._said_us.pop(next(iter(self._said_us)))
        self._said_us.pop(notice, None)
        self._said_us[notice] = now_us
