"""Work that is dropped when its caller goes away: pictures somebody has scrolled past.

aiohttp can cancel handlers of lost connections, but only all or none; an edit that was begun must be carried to its end.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from aiohttp import web

LOOK_S = 0.1


class UntilCallerLeaves:
    """`async with UntilCallerLeaves(request):` the block is cancelled soon after the connection is lost. One use each."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.current_task()
        assert self._task is not None, "a call belongs to a task"
        self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        assert self._task is not None
        transport = self._request.transport
        if transport is None or transport.is_closing():
            self._task.cancel()
            return
        self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look)
