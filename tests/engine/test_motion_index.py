"""What moved where, kept with the footage it is about: nothing else, nothing twice, at most a minute in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from engine.motion_index import SETTLE_US, WAITING_LIMIT, MotionIndex
from engine.recording.segment import SegmentTail
from storage.catalog.changes import BeginRun, CloseSegment, OpenSegment
from storage.catalog.motion_looks import BLOCK_LIMIT_US, MotionLook, decode_block
from storage.errors import VolumeFull
from tests.fakes.clock import FakeClock
from tests.fakes.direct_catalog import DirectCatalog
from tests.storage.catalog.footage import SECOND, T0, TRACKS, add_camera, add_volume

MOVED = (1 << 575).to_bytes(72, "big")
STILL = bytes(72)


@dataclass
class Kept:
    catalog: DirectCatalog
    clock: FakeClock
    tails: list[SegmentTail] = field(default_factory=list)
    is_full: bool = False
    writes: int = 0

    def __post_init__(self) -> None:
        opened = self.catalog._catalog
        self.camera_id, self.volume_id = add_camera(opened), add_volume(opened)
        self.camera: UUID = opened.camera(self.camera_id).uuid
        self.index = MotionIndex(self, self.clock, lambda: self.tails)
        self.clock.step(T0 - self.clock.now_us())

    async def read(self, call: str, /, *args: Any, **kwargs: Any) -> Any:
        return await self.catalog.read(call, *args, **kwargs)

    async def write(self, call: str, /, *args: Any, **kwargs: Any) -> Any:
        if self.is_full:
            raise VolumeFull("no space left")
        self.writes += 1
        return await self.catalog.write(call, *args, **kwargs)

    def recorded(self, start_s: int, end_s: int) -> None:
        run = UUID(int=start_s + 1)
        self.catalog._catalog.apply(
            [
                BeginRun(run, self.camera_id, T0 + start_s * SECOND, TRACKS),
                OpenSegment(run, 0, self.volume_id, f"{run}.mp4", T0 + start_s * SECOND),
                CloseSegment(run, 0, T0 + end_s * SECOND, 1, 1, b""),
            ]
        )

    def looks(self, start_s: int, end_s: int, cells: bytes = STILL) -> None:
        for second in range(start_s, end_s):
            self.index.note(self.camera, T0 + second * SECOND - 1, cells)

    async def flush_at(self, second: int) -> None:
        self.clock.step(T0 + second * SECOND + SETTLE_US - self.clock.now_us())
        await self.index.flush()

    def stored(self) -> list[list[MotionLook]]:
        blocks = self.catalog._catalog.motion_blocks(self.camera_id, 0, 1 << 60)
        return [decode_block(each.start_us, each.looks) for each in blocks]

    def seconds(self) -> list[int]:
        return [(look.time_us - T0) // SECOND for block in self.stored() for look in block]


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    catalog = DirectCatalog(tmp_path / "catalog.db")
    yield Kept(catalog, FakeClock())
    catalog.close()


async def test_looks_become_one_block_that_grows(kept: Kept) -> None:
    kept.recorded(0, 200)
    kept.looks(0, 40)
    kept.looks(40, 41, MOVED)
    await kept.flush_at(50)
    kept.looks(41, 90)
    await kept.flush_at(90)
    (block,) = kept.stored()
    assert [look.time_us for look in block] == [T0 + each * SECOND for each in range(90)]
    assert [look.cells for look in block if look.cells] == [1 << 575]
    (row,) = kept.catalog._catalog.motion_blocks(kept.camera_id, 0, 1 << 60)
    assert (row.moved, row.start_us, row.end_us) == (1, T0, T0 + 89 * SECOND)


async def test_what_was_never_recorded_is_not_kept(kept: Kept) -> None:
    kept.recorded(20, 30)
    kept.recorded(50, 60)
    kept.tails.append(
        SegmentTail(kept.camera_id, kept.volume_id, "x", T0 + 80 * SECOND, T0 + 90 * SECOND, 1, 1)
    )
    kept.looks(0, 100)
    await kept.flush_at(100)
    # The end of what is written may lie a moment behind its last keyframe.
    assert kept.seconds() == [*range(20, 32), *range(50, 62), *range(80, 92)]
    assert kept.index.recent(kept.camera) == kept.stored()[-1]


async def test_young_looks_wait_and_the_last_flush_takes_them(kept: Kept) -> None:
    kept.recorded(0, 100)
    kept.looks(0, 60)
    await kept.flush_at(30)
    assert kept.seconds() == list(range(31))
    assert [(look.time_us - T0) // SECOND for look in kept.index.recent(kept.camera)] == list(range(60))
    await kept.index.flush(is_last=True)
    assert kept.seconds() == list(range(60))


async def test_blocks_end_when_they_are_long_and_where_nobody_looked(kept: Kept) -> None:
    kept.recorded(0, 2_000)
    kept.looks(0, 400)
    kept.looks(500, 510)
    await kept.flush_at(600)
    lengths = [block[-1].time_us - block[0].time_us for block in kept.stored()]
    assert lengths == [BLOCK_LIMIT_US, 98 * SECOND, 9 * SECOND]


async def test_a_clock_set_back_begins_another_block(kept: Kept) -> None:
    kept.recorded(0, 200)
    kept.looks(100, 110)
    kept.looks(50, 60)
    await kept.flush_at(200)
    assert sorted(kept.seconds()) == [*range(50, 60), *range(100, 110)]
    assert len(kept.stored()) == 2


async def test_a_catalog_that_takes_nothing_costs_the_oldest_looks_at_last(kept: Kept) -> None:
    kept.recorded(0, 2_000)
    kept.is_full = True
    kept.looks(0, 100)
    with pytest.raises(VolumeFull):
        await kept.flush_at(100)
    kept.is_full = False
    await kept.flush_at(100)
    assert kept.seconds() == list(range(100))
    kept.looks(100, 100 + WAITING_LIMIT + 5)
    await kept.flush_at(1_000)
    assert kept.seconds()[100:102] == [105, 106]


async def test_a_camera_that_left_is_forgotten_when_its_looks_are_written(kept: Kept) -> None:
    kept.recorded(0, 100)
    kept.looks(0, 10)
    kept.index.forget(kept.camera)
    await kept.flush_at(50)
    assert kept.seconds() == list(range(10))
    assert kept.index._cameras == {}
    kept.index.note(UUID(int=7), T0, STILL)
    await kept.flush_at(60)
    assert kept.index.recent(UUID(int=7)) == []


async def test_an_ordered_stop_writes_what_is_in_memory(kept: Kept) -> None:
    kept.recorded(0, 100)
    running = asyncio.create_task(kept.index.run())
    await asyncio.sleep(0)
    kept.looks(0, 60)
    running.cancel()
    await asyncio.wait([running])
    assert kept.seconds() == list(range(60))
    kept.looks(60, 70)
    kept.is_full = True
    running = asyncio.create_task(kept.index.run())
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled(), "a catalog that takes nothing does not hold the stop up"
