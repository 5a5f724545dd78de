"""Tasks that run beside a block and end with it: what the station's nested layers are made of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager


@asynccontextmanager
async def in_background(**works: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """The works run, as tasks of these names, while the block does; one that fails ends the block with its error."""

    async def run(work: Callable[[], Awaitable[None]]) -> None:
        await work()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run(work), name=name) for name, work in works.items()]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
