"""Tells those who wait that a camera has a new keyframe. Costs a look into a dict when nobody waits. Loop only."""

from __future__ import annotations

import asyncio
from uuid import UUID


class KeyframeNews:
    """Who waits for which camera."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, set[asyncio.Future[None]]] = {}

    @property
    def waiting(self) -> int:
        """How many wait, for all cameras."""
        return sum(len(waiting) for waiting in self._waiting.values())

    def arrived(self, camera: UUID) -> None:
        """Called from the socket's callback."""
        for waiter in self._waiting.pop(camera, ()):
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, camera: UUID) -> None:
        """Until the next keyframe of that camera."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(camera, set()).add(waiter)
        try:
            await waiter
        finally:
            waiting = self._waiting.get(camera)
            if waiting is not None:
                waiting.discard(waiter)
                if not waiting:
                    del self._waiting[camera]
