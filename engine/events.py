"""What happened, in plain words: published by anyone in the engine, kept in the catalog, fanned out to clients.

Not a log (that is `logging`) and not state (that is the views of engine/wire.py): an event is said once, when
something goes down and when it comes up. Loop only, except where noted.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import partial

from engine.catalog_thread import CatalogThread
from engine.pending_events import PendingEvents
from engine.supervise import Sleep, attempt_blocking
from storage.catalog.records import EventRecord, Severity
from storage.clock import Clock
from storage.errors import WatchdeckError

log = logging.getLogger(__name__)

SUBSCRIBER_LIMIT = 1_000
STORM_PAUSE_S = 0.5
"""After a batch in which events had to be counted together: the next ones gather."""


class Subscription:
    """One client's view of the events from now on.

    Bounded: a client that does not keep up loses the oldest ones; `dropped` says how many, and the catalog has them.
    """

    def __init__(self, limit: int = SUBSCRIBER_LIMIT) -> None:
        self._events: deque[EventRecord] = deque(maxlen=limit)
        self._arrived = asyncio.Event()
        self.dropped = 0

    def offer(self, event: EventRecord) -> None:
        if len(self._events) == self._events.maxlen:
            self.dropped += 1
        self._events.append(event)
        self._arrived.set()

    def take_all(self) -> list[EventRecord]:
        """Everything that waits, oldest first; empty when nothing does."""
        events = list(self._events)
        self._events.clear()
        self._arrived.clear()
        return events

    async def __aiter__(self) -> AsyncIterator[EventRecord]:
        while True:
            await self._arrived.wait()
            for event in self.take_all():
                yield event


class EventBus:
    """Publishes events: numbered and kept by the catalog first, then handed to the subscribers.

    `publish` never waits and never fails. Events reach subscribers in order, with their catalog id; when the
    catalog cannot be written they are handed out all the same, with id 0. A flood is counted, not dropped: see
    engine/pending_events.py. Watchers see each event at the moment it is published, one by one.
    """

    def __init__(self, catalog: CatalogThread, clock: Clock, *, sleep: Sleep = asyncio.sleep) -> None:
        self._catalog = catalog
        self._clock = clock
        self._sleep = sleep
        self._pending = PendingEvents()
        self._watchers: list[Callable[[EventRecord], None]] = []
        self._arrived = asyncio.Event()
        self._settled = asyncio.Condition()
        self._is_writing = False
        self._subscribers: set[Subscription] = set()

    def publish(
        self,
        kind: str,
        text: str,
        *,
        severity: Severity = Severity.INFO,
        source: str = "",
        actor: str = "",
        count: int = 1,
    ) -> EventRecord:
        """Say that something happened, `count` times. The record returned has no id yet."""
        event = EventRecord(
            time_us=self._clock.now_us(),
            kind=kind,
            severity=severity,
            source=source,
            text=text,
            actor=actor,
            count=count,
        )
        self._pending.add(event)
        self._arrived.set()
        for watcher in self._watchers:
            attempt_blocking("event watcher", partial(watcher, event))
        return event

    def watch(self, callback: Callable[[EventRecord], None]) -> None:
        """Call it for every event from now on, inside `publish` and before any queue: it must be quick, and must not publish.

        One that fails is said in the log; the event goes its way.
        """
        self._watchers.append(callback)

    @contextmanager
    def subscribe(self, limit: int = SUBSCRIBER_LIMIT) -> Iterator[Subscription]:
        subscription = Subscription(limit)
        self._subscribers.add(subscription)
        try:
            yield subscription
        finally:
            self._subscribers.discard(subscription)

    async def run(self) -> None:
        """Write batches for ever: all that arrived while the last batch was written is the next one."""
        while True:
            await self._arrived.wait()
            is_storm = self._pending.is_storm
            await self._write_pending()
            if is_storm:
                await self._sleep(STORM_PAUSE_S)

    async def flush(self) -> None:
        """Return when everything published so far is in the catalog (or could not be). For the ordered stop."""
        while self._pending or self._is_writing:
            if self._is_writing:
                async with self._settled:
                    await self._settled.wait_for(lambda: not self._is_writing)
            else:
                await self._write_pending()

    async def _write_pending(self) -> None:
        batch = self._pending.take_all()
        self._arrived.clear()
        if not batch:
            return
        self._is_writing = True
        try:
            batch = await self._persisted(batch)
        finally:
            self._is_writing = False
            async with self._settled:
                self._settled.notify_all()
        for event in batch:
            for subscriber in self._subscribers:
                subscriber.offer(event)

    async def _persisted(self, batch: list[EventRecord]) -> list[EventRecord]:
        try:
            kept: list[EventRecord] = await self._catalog.write("add_events", batch)
        except WatchdeckError as exc:
            log.error("%d events not kept: %s", len(batch), exc)
            return batch
        return kept
