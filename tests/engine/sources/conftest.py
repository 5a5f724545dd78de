from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.catalog_thread import CatalogThread
from engine.events import EventBus
from storage.catalog.records import EventRecord
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def catalog(tmp_path: Path) -> AsyncIterator[CatalogThread]:
    async with CatalogThread(tmp_path / "catalog.db") as opened:
        yield opened


@pytest.fixture
def events(catalog: CatalogThread, clock: FakeClock) -> EventBus:
    return EventBus(catalog, clock)


class Said:
    """What was published, oldest first."""

    def __init__(self, catalog: CatalogThread, events: EventBus) -> None:
        self._catalog, self._events = catalog, events

    async def __call__(self, kind: str = "") -> list[EventRecord]:
        await self._events.flush()
        found: list[EventRecord] = await self._catalog.read(
            "events", limit=10_000, kinds=[kind] if kind else None
        )
        return found[::-1]


@pytest.fixture
def said(catalog: CatalogThread, events: EventBus) -> Said:
    return Said(catalog, events)
