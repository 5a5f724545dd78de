"""Threads for calls that may never come back: a hung drive holds its own lane, and neither the loop, the other lanes nor the
end of the process.

Not the executors of the standard library: those wait for their threads when the process ends.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from engine.deadline import Deadline
from engine.supervise import attempt_blocking
from storage.errors import CommandTimeout, Conflict, WatchdeckError

T = TypeVar("T")

WAITING_LIMIT = 64
"""Calls that wait for a lane. When full, the next one is refused: something hangs."""


class Lane:
    """One or more daemon threads that take calls in order. Calls from the loop only."""

    def __init__(self, name: str, workers: int = 1) -> None:
        self.name = name
        self._workers = workers
        self._calls: queue.Queue[tuple[Future[Any], Callable[[], Any]] | None] = queue.Queue(WAITING_LIMIT)
        self._overdue = 0
        self._threads = [
            threading.Thread(target=self._work, name=f"{name} {number}", daemon=True)
            for number in range(workers)
        ]
        self._is_started = False

    @property
    def is_stuck(self) -> bool:
        """Every thread of it sits in a call that is overdue."""
        return self._overdue >= self._workers

    async def call(self, timeout_s: float, work: Callable[[], T]) -> T:
        """What `work` returns. A call that is given up still runs on; its result is dropped.

        Raises what it raises, CommandTimeout when it takes longer (at once while the whole lane is stuck), Conflict when too
        many wait.
        """
        if self.is_stuck:
            raise self._timeout("an earlier call has not come back")
        future: Future[T] = Future()
        self._start()
        try:
            self._calls.put_nowait((future, work))
        except queue.Full:
            raise Conflict(f"{self.name}: {WAITING_LIMIT} calls wait already", "try again later") from None
        answer = asyncio.wrap_future(future)
        answer.add_done_callback(_fetched)
        try:
            async with Deadline(timeout_s):
                return await asyncio.shield(answer)
        except TimeoutError:
            if not future.cancel():
                self._overdue += 1
                answer.add_done_callback(self._came_back)
            raise self._timeout(f"no answer within {timeout_s:g} s") from None

    def _came_back(self, answer: asyncio.Future[Any]) -> None:
        self._overdue -= 1

    def _timeout(self, what: str) -> CommandTimeout:
        return CommandTimeout(f"{self.name}: {what}", "a drive may hang: see the kernel log")

    def _start(self) -> None:
        if not self._is_started:
            self._is_started = True
            for thread in self._threads:
                thread.start()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            future, work = call
            if not future.set_running_or_notify_cancel():
                continue
            result = attempt_blocking(self.name, work)
            if isinstance(result, WatchdeckError):
                future.set_exception(result)
            else:
                future.set_result(result)

    def close(self) -> None:
        """No more calls; a thread that hangs is left behind."""
        if self._is_started:
            for _ in self._threads:
                try:
                    self._calls.put_nowait(None)
                except queue.Full:
                    return


def _fetched(answer: asyncio.Future[Any]) -> None:
    """asyncio complains about errors that nobody took: of a call that was given up, nobody does."""
    if not answer.cancelled():
        answer.exception()
