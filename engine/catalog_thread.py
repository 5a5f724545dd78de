"""The catalog's two threads: one writes, one reads. Everything of the engine that touches SQLite goes through here.

What the recorder reports (`record`) is gathered and applied at most once a second in one transaction; what an
operator asks (`write`) goes at once, behind what was recorded before it, so that the order of things is kept.
Loop only; the work runs on the threads.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from engine.supervise import Sleep
from storage.catalog.changes import Change, GrowSegment
from storage.catalog.db import Catalog
from storage.errors import CatalogDamaged, WatchdeckError

log = logging.getLogger(__name__)

BATCH_S = 1.0
"""How long a change may wait for others; what the recorder marks urgent does not wait."""
RETRY_S = 1.0
PENDING_LIMIT = 100_000
"""Changes not yet applied: hours of 128 cameras. When full, the catalog is given up and the engine ends."""


class CatalogThread:
    """The open catalog of a running engine. Use as `async with CatalogThread(path) as catalog`, with `run` as a task.

    A `write` or `read` that is cancelled still happens; only its answer is lost.
    """

    def __init__(self, path: Path, *, sleep: Sleep = asyncio.sleep) -> None:
        self._path = path
        self._sleep = sleep
        self._writer = ThreadPoolExecutor(1, "catalog writer")
        self._reader = ThreadPoolExecutor(1, "catalog reader")
        self._write_catalog: Catalog | None = None
        self._read_catalog: Catalog | None = None
        self._pending: list[Change] = []
        self._arrived = asyncio.Event()
        self._is_urgent = asyncio.Event()
        self._applying = asyncio.Lock()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._write_catalog = await loop.run_in_executor(self._writer, Catalog.open, self._path)
        self._read_catalog = await loop.run_in_executor(
            self._reader, lambda: Catalog.open(self._path, read_only=True)
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Apply what waits, then close. A thread stuck in a dead disk is left behind after the caller's patience."""
        try:
            await self.flush()
        except WatchdeckError as error:
            log.error("%d changes of the catalog are lost: %s", len(self._pending), error)
        finally:
            loop = asyncio.get_running_loop()
            for executor, catalog in (
                (self._reader, self._read_catalog),
                (self._writer, self._write_catalog),
            ):
                if catalog is not None:
                    await loop.run_in_executor(executor, catalog.close)
                executor.shutdown(wait=False)

    # -- calls ---------------------------------------------------------------------------------------------

    async def write(self, call: str, /, *args: Any, **kwargs: Any) -> Any:
        """`Catalog.<call>(*args, **kwargs)` on the writer, after everything recorded so far."""
        if self._pending:
            await self.flush()
        return await self._on_writer(call, *args, **kwargs)

    async def read(self, call: str, /, *args: Any, **kwargs: Any) -> Any:
        """`Catalog.<call>(*args, **kwargs)` on the reader; sees what was committed before, not what waits."""
        catalog = self._read_catalog
        assert catalog is not None, "the catalog is not open"
        return await asyncio.get_running_loop().run_in_executor(
            self._reader, lambda: getattr(catalog, call)(*args, **kwargs)
        )

    async def _on_writer(self, call: str, /, *args: Any, **kwargs: Any) -> Any:
        catalog = self._write_catalog
        assert catalog is not None, "the catalog is not open"
        # Shielded: cancelling a call that still waits for the thread would take it out of the queue, and a batch with it.
        return await asyncio.shield(
            asyncio.get_running_loop().run_in_executor(
                self._writer, lambda: getattr(catalog, call)(*args, **kwargs)
            )
        )

    # -- changes of the recorder ---------------------------------------------------------------------------

    def record(self, *changes: Change, is_urgent: bool = False) -> None:
        """Apply the changes within a second, in order; at once when urgent. Never waits.

        Urgent is what must be known after a crash, such as a file that was just begun.
        """
        self._pending.extend(changes)
        self._arrived.set()
        if is_urgent:
            self._is_urgent.set()

    async def run(self) -> None:
        """Apply batches for ever. Raises CatalogDamaged when the catalog does not take them any more."""
        while True:
            await self._arrived.wait()
            if not self._is_urgent.is_set():
                await self._gather_more()
            try:
                await self.flush()
            except WatchdeckError as error:
                if len(self._pending) > PENDING_LIMIT:
                    raise CatalogDamaged(
                        f"{self._path} does not take changes: {error}", "check the disk it is on"
                    ) from error
                log.error("catalog: %s; %d changes wait", error, len(self._pending))
                await self._sleep(RETRY_S)

    async def _gather_more(self) -> None:
        async with asyncio.TaskGroup() as group:
            pause = group.create_task(self._pause(), name="catalog batch")
            await self._is_urgent.wait()
            pause.cancel()

    async def _pause(self) -> None:
        await self._sleep(BATCH_S)
        self._is_urgent.set()

    async def flush(self) -> None:
        """Everything recorded so far is in the catalog on return."""
        async with self._applying:
            self._arrived.clear()
            self._is_urgent.clear()
            batch = _without_superseded(self._pending)
            if not batch:
                return
            self._pending = []
            try:
                await self._on_writer("apply", batch)
            except WatchdeckError:
                self._pending = [*batch, *self._pending]
                self._arrived.set()
                raise


def _without_superseded(changes: Sequence[Change]) -> list[Change]:
    """Of several GrowSegment of one segment the newest is enough."""
    newest = {
        (change.run, change.sequence): index
        for index, change in enumerate(changes)
        if isinstance(change, GrowSegment)
    }
    return [
        change
        for index, change in enumerate(changes)
        if not isinstance(change, GrowSegment) or newest[change.run, change.sequence] == index
    ]
