"""What came of actions, on its way to the catalog: the newest of each, gathered and written together. Loop only."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

from engine.supervise import Sleep
from storage.catalog.alarm_records import ResultRow
from storage.errors import WatchdeckError

log = logging.getLogger(__name__)

GATHER_S = 0.2
PENDING_LIMIT = 20_000
"""Results not yet written. When full (a storm, or a catalog that takes nothing) the oldest are given up and counted in the log."""
ROWS_A_WRITE = 500
"""The catalog's writer is shared with the recorder: no transaction holds it for long."""


class ResultCatalog(Protocol):
    async def write(self, call: str, /, *args: Any, **kwargs: Any) -> Any: ...


class ResultBook:
    """Keeps of each action its newest result until it is written."""

    def __init__(self, catalog: ResultCatalog, *, sleep: Sleep = asyncio.sleep) -> None:
        self._catalog = catalog
        self._sleep = sleep
        self._pending: dict[tuple[int, int], ResultRow] = {}
        self._arrived = asyncio.Event()
        self.lost = 0
        """Results given up, since the start."""

    def put(self, row: ResultRow) -> None:
        """Never waits."""
        key = row.alarm_id, row.position
        if key not in self._pending and len(self._pending) >= PENDING_LIMIT:
            del self._pending[next(iter(self._pending))]
            if self.lost == 0:
                log.error("results of actions come faster than the catalog takes them: the oldest are lost")
            self.lost += 1
        self._pending[key] = row
        self._arrived.set()

    async def run(self) -> None:
        """For ever. Raises WatchdeckError when the catalog takes nothing; what waits then stays."""
        while True:
            await self._arrived.wait()
            await self._sleep(GATHER_S)
            await self.flush()

    async def flush(self) -> None:
        """Everything put so far is in the catalog on return."""
        self._arrived.clear()
        while self._pending:
            keys = list(self._pending)[:ROWS_A_WRITE]
            rows = [self._pending.pop(key) for key in keys]
            try:
                await self._catalog.write("put_action_results", rows)
            except WatchdeckError:
                # Behind what came meanwhile nothing older is put: of each action the newest counts.
                self._pending = {(row.alarm_id, row.position): row for row in rows} | self._pending
                self._arrived.set()
                raise
