"""A served fake station for the API's tests."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.fakes.station import FakeStation, fake_station


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Unix socket paths hold 107 bytes; pytest's own folders can be longer."""
    with tempfile.TemporaryDirectory(prefix="wd-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
async def station(short_folder: Path) -> AsyncIterator[FakeStation]:
    """Lives in one task of its own: pytest-asyncio sets up and tears down in different ones, task groups cannot."""
    ready: asyncio.Future[FakeStation] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    async def live() -> None:
        async with fake_station(short_folder) as served:
            ready.set_result(served)
            await done.wait()

    life = asyncio.create_task(live())
    await asyncio.wait([life, ready], return_when=asyncio.FIRST_COMPLETED)
    if life.done():
        await life
    yield ready.result()
    done.set()
    await life
