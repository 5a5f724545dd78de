"""A time limit that also holds while a cancelled task cleans up.

Before Python 3.11.3 (Debian 12 has 3.11.2) `asyncio.timeout` does not turn its own cancellation into TimeoutError when the
task had been cancelled before: an orderly stop bounded by it would end in the middle. The rule of later releases is used
here on all of them: the limit's own cancellation is taken back, anybody else's is passed on.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class Deadline:
    """`async with Deadline(seconds):` raises TimeoutError when the block takes longer. One use each."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._has_passed = False
        self._cancelling_before = 0
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.current_task()
        assert self._task is not None, "a deadline belongs to a task"
        self._cancelling_before = self._task.cancelling()
        self._timer = asyncio.get_running_loop().call_later(max(self._seconds, 0), self._pass)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        assert self._timer is not None
        self._timer.cancel()
        if not self._has_passed:
            return
        others = self._task.uncancel() - self._cancelling_before
        if others <= 0 and kind is not None and issubclass(kind, asyncio.CancelledError):
            raise TimeoutError from error

    def _pass(self) -> None:
        assert self._task is not None
        self._has_passed = True
        self._task.cancel()
