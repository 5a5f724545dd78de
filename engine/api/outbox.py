"""What still has to be sent to one reader of the event stream: the newest state of each object, and some events.

Bounded whatever the reader does: a newer view of an object replaces the older one, and too many waiting events empty
the outbox and ask for a new snapshot instead. Loop only.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Hashable

EVENT_LIMIT = 500
"""Events that wait for one reader. One more and the reader gets a snapshot, with the newest events in it, instead."""


class Outbox:
    """Messages in the order of their sequence numbers."""

    def __init__(self, event_limit: int = EVENT_LIMIT) -> None:
        self._event_limit = event_limit
        self._messages: OrderedDict[Hashable, bytes] = OrderedDict()
        self._events = 0
        self._needs_snapshot = True
        """So it begins."""
        self._filled = asyncio.Event()
        self._filled.set()

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def needs_snapshot(self) -> bool:
        return self._needs_snapshot

    def put_state(self, key: Hashable, message: bytes) -> None:
        """Replaces what still waits about the same object."""
        if self._needs_snapshot:
            return
        self._messages.pop(key, None)
        self._messages[key] = message
        self._filled.set()

    def put_event(self, sequence: int, message: bytes) -> None:
        if self._needs_snapshot:
            return
        if self._events >= self._event_limit:
            self._messages.clear()
            self._events = 0
            self._needs_snapshot = True
        else:
            self._messages["event", sequence] = message
            self._events += 1
        self._filled.set()

    async def wait(self) -> None:
        """Until there is something to send."""
        await self._filled.wait()

    def snapshot_taken(self) -> None:
        """Whatever is put from now on goes on from the snapshot."""
        self._needs_snapshot = False

    def take(self) -> list[bytes]:
        """All messages, in order; the outbox is empty afterwards."""
        messages = list(self._messages.values())
        self._messages.clear()
        self._events = 0
        self._filled.clear()
        return messages
