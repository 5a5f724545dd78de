"""Operations on their way into the catalog: written in batches behind the calls, none lost.

`add` waits only while the queue is full: what people do is then held up rather than forgotten. An ordered stop writes
all of it (`keep_operations`); a crash loses at most the batch under way. Loop only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.api.services import CatalogAccess
from engine.background import in_background
from engine.deadline import Deadline
from engine.supervise import Sleep
from storage.catalog.alarm_records import OperationRow
from storage.errors import WatchdeckError

log = logging.getLogger(__name__)

QUEUE_LIMIT = 1_000
"""Not yet in the catalog. When full, calls that change something wait before they answer."""
BATCH_LIMIT = 500
RETRY_S = 1.0
STOP_S = 5.0
"""For the last ones when the engine stops, with a catalog that does not take them."""


class OperationLog:
    """`run` writes for ever; `flush` returns when all that was added is in the catalog."""

    def __init__(
        self, catalog: CatalogAccess, *, limit: int = QUEUE_LIMIT, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._catalog = catalog
        self._sleep = sleep
        self._waiting: asyncio.Queue[OperationRow] = asyncio.Queue(limit)

    @property
    def waiting(self) -> int:
        return self._waiting.qsize()

    async def add(self, row: OperationRow) -> None:
        await self._waiting.put(row)

    def add_at_once(self, row: OperationRow) -> None:
        """For those who cannot wait: when there is no room it stands in the engine's log only."""
        try:
            self._waiting.put_nowait(row)
        except asyncio.QueueFull:
            log.error("operation not kept: %s %s %s: %s", row.actor, row.type, row.source, row.text)

    async def run(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < BATCH_LIMIT and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await self._write(batch)
            for _ in batch:
                self._waiting.task_done()

    async def _write(self, batch: list[OperationRow]) -> None:
        """Again and again: the queue fills meanwhile, and then callers wait."""
        while True:
            try:
                await self._catalog.write("add_operations", batch)
                return
            except WatchdeckError as error:
                log.error("%d operations not yet kept: %s", len(batch), error)
                await self._sleep(RETRY_S)

    async def flush(self) -> None:
        await self._waiting.join()


@asynccontextmanager
async def keep_operations(catalog: CatalogAccess) -> AsyncIterator[OperationLog]:
    """Written while the block runs, and to the last one when it ends."""
    operations = OperationLog(catalog)
    async with in_background(operations=operations.run):
        try:
            yield operations
        finally:
            try:
                async with Deadline(STOP_S):
                    await operations.flush()
            except TimeoutError:
                log.error("%d operations are lost: the catalog does not take them", operations.waiting)
