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

WAITING_LIMIT = 256
"""Calls that wait for a lane. When full, the next one is refused: something hangs."""


class Lane:
    """One or more daemon threads that take calls in order. Calls from the loop only."""

    def __init__(self, name: str, workers: int = 1) -> None:
        self.name = name
        self._workers = workers
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        """Never more than there are threads."""
        self._busy = 0
        self._overdue = 0
        self._waiting = 0
        self._news = asyncio.Event()
        """Set, and another one put in its place, when a thread came free or was given up."""
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
        """What `work` returns. A call that is given up still runs on; its result is dropped. The time counts from when a thread
        has taken it.

        Raises what it raises, CommandTimeout when it takes longer (at once while the whole lane is stuck), Conflict when too
        many wait.
        """
        await self._turn()
        future: Future[T] = Future()
        self._start()
        self._calls.put((future, work))
        answer = asyncio.wrap_future(future)
        answer.add_done_callback(self._came_free)
        try:
            async with Deadline(timeout_s):
                return await asyncio.shield(answer)
        except TimeoutError:
            if not answer.done():
                self._overdue += 1
                answer.add_done_callback(self._came_back)
                self._tell()
            raise self._timeout(f"no answer within {timeout_s:g} s") from None

    async def _turn(self) -> None:
        """Wait for a thread that is free."""
        if self._waiting >= WAITING_LIMIT:
            raise Conflict(f"{self.name}: {WAITING_LIMIT} calls wait already", "try again later")
        self._waiting += 1
        try:
            while self._busy >= self._workers:
                if self.is_stuck:
                    raise self._timeout("an earlier call has not come back")
                await self._news.wait()
        finally:
            self._waiting -= 1
        self._busy += 1

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    def _came_free(self, answer: asyncio.Future[Any]) -> None:
        self._busy -= 1
        self._tell()
        if not answer.cancelled():
            answer.exception()  # asyncio complains about errors that nobody took: of a call that was given up, nobody does

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
                self._calls.put(None)
