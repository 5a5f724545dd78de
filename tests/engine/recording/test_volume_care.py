"""What a volume needs from time to time, one thing after the other."""

from __future__ import annotations

import asyncio
from typing import cast

from engine.catalog_thread import CatalogThread
from engine.recording.volume_care import VolumeCare
from engine.recording.volume_thread import VolumeThread
from storage.catalog.changes import Change


class SlowVolume:
    """Owes one sync, which ends when it is let."""

    def __init__(self) -> None:
        self.has_unsynced = True
        self.may_end = asyncio.Event()

    async def sync(self) -> list[Change]:
        self.has_unsynced = False
        await self.may_end.wait()
        return [cast(Change, "closed")]


class Rows:
    def __init__(self) -> None:
        self.recorded: list[object] = []

    def record(self, *changes: object) -> None:
        self.recorded += changes


async def test_who_stops_a_volume_waits_for_the_sync_under_way_and_its_rows() -> None:
    volume, rows = SlowVolume(), Rows()
    care = VolumeCare(
        cast(VolumeThread, volume),
        cast(CatalogThread, rows),
        sync_interval_ms=1000,
        sleep=asyncio.sleep,
        cameras=list,
        on_recovered=lambda *_: None,
        on_inspected=lambda *_: None,
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(care.sync())
        await asyncio.sleep(0)
        stopping = group.create_task(care.sync())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not stopping.done()
        volume.may_end.set()
        await stopping
        assert rows.recorded == ["closed"]
