"""The catalog's threads: what was asked for happens, also when nobody waits for the answer any more."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from engine.catalog_thread import CatalogThread
from storage.catalog.db import Catalog


async def test_write_cancelled_while_the_thread_is_busy_still_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go_on = threading.Event()
    async with CatalogThread(tmp_path / "catalog.sqlite") as catalog:
        monkeypatch.setattr(Catalog, "dawdle", lambda self: may_go_on.wait(10), raising=False)
        busy = asyncio.create_task(catalog.write("dawdle"))
        queued = asyncio.create_task(catalog.write("rename_station", "Harbour"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        queued.cancel()
        await asyncio.wait([queued])
        may_go_on.set()
        await busy
        await catalog.flush()
        await catalog.write("station")
        assert (await catalog.read("station")).name == "Harbour"
