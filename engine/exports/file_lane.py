"""Blocking steps of one export, one after another, on the file threads. Loop only.

A step is short (a mebibyte is read and written), so that a few exports, previews and looks at volumes share the threads. An
export that is cancelled leaves its step to end by itself, however long a dead drive takes, and is tidied up after it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar

from engine.deadline import Deadline

log = logging.getLogger(__name__)

T = TypeVar("T")
TIDY_LIMIT_S = 5.0


class FileLane:
    """Invariant: at most one step runs."""

    def __init__(self, files: Executor) -> None:
        self._files = files
        self._last: asyncio.Future[Any] | None = None

    async def do(self, work: Callable[..., T], *args: Any) -> T:
        """`work(*args)` on a thread. Cancelled, it ends by itself, and the next step waits for that."""
        if self._last is not None and not self._last.done():
            await asyncio.wait([self._last])
        future = asyncio.get_running_loop().run_in_executor(self._files, work, *args)
        self._last = future
        future.add_done_callback(_heard)
        return await asyncio.shield(future)

    async def tidy(self, work: Callable[[], None]) -> None:
        """When the last step has ended; waited for a moment only, then it happens whenever that is."""
        last = self._last

        def then(_: object = None) -> asyncio.Future[None] | None:
            with contextlib.suppress(RuntimeError):  # the engine is stopping: the next start tidies up
                future = asyncio.get_running_loop().run_in_executor(self._files, work)
                future.add_done_callback(_heard)
                return future
            return None

        if last is not None and not last.done():
            with contextlib.suppress(TimeoutError, Exception):
                async with Deadline(TIDY_LIMIT_S):
                    await asyncio.shield(last)
            if not last.done():
                last.add_done_callback(then)
                return
        future = then()
        if future is not None:
            with contextlib.suppress(TimeoutError):
                async with Deadline(TIDY_LIMIT_S):
                    await asyncio.shield(future)


def _heard(future: asyncio.Future[Any]) -> None:
    """Whoever waited may be gone: an error nobody asks for is no defect."""
    if not future.cancelled() and future.exception() is not None:
        log.debug("a step of an export failed: %s", future.exception())
