"""Shared by the tests of searches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.search.yard import Yard
from tests.fakes.direct_catalog import DirectCatalog
from tests.fakes.timer import settle


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    catalog = DirectCatalog(tmp_path / "catalog.db")
    (tmp_path / "disk").mkdir()
    made = Yard(catalog, tmp_path / "disk")
    running = asyncio.create_task(made.search.run())
    await settle()
    yield made
    running.cancel()
    await asyncio.wait([running])
    made.files.shutdown()
    catalog.close()
