"""What waits, what goes at once, in which order, and what happens when the catalog does not take it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from engine import catalog_thread
from engine.catalog_thread import CatalogThread
from storage.catalog.changes import BeginRun, Change, CloseSegment, GrowSegment, OpenGap, OpenSegment
from storage.catalog.db import Catalog
from storage.catalog.records import GapCause
from storage.errors import CatalogDamaged, VolumeFull
from tests.fakes.camera import H264_TRACK
from tests.fakes.clock import FakeClock
from tests.fakes.timer import FakeTimer, settle

CAMERA: dict[str, Any] = {
    "name": "yard",
    "url": "rtsp://yard",
    "user": "",
    "password": "",
    "transport": "auto",
    "group": "main",
    "mode": "continuous",
    "schedule": None,
    "record_audio": True,
    "verify_tls": False,
}


@pytest.fixture
def timer() -> FakeTimer:
    return FakeTimer(FakeClock())


@pytest.fixture
async def catalog(tmp_path: Path, timer: FakeTimer) -> AsyncIterator[CatalogThread]:
    async with CatalogThread(tmp_path / "catalog.db", sleep=timer.sleep) as catalog:
        await catalog.write(
            "add_camera",
            **CAMERA,
        )
        await catalog.write("add_volume", uuid=uuid4(), name="v1", path="/v1", group="main", floor_bytes=0)
        yield catalog


def begun(run: UUID) -> list[Change]:
    return [BeginRun(run, 1, 1_000, (H264_TRACK,)), OpenSegment(run, 0, 1, f"{run}.mp4", 1_000)]


async def test_a_write_sees_everything_recorded_before_it(catalog: CatalogThread) -> None:
    catalog.record(*begun(uuid4()))
    await catalog.write("mark_deleting", [])
    assert len(await catalog.read("open_segments")) == 1


async def test_changes_wait_for_others_up_to_a_second(catalog: CatalogThread, timer: FakeTimer) -> None:
    task = asyncio.create_task(catalog.run())
    catalog.record(*begun(uuid4()))
    await timer.advance(0.9)
    assert await catalog.read("open_segments") == []
    await timer.advance(0.2)
    await until_applied(catalog)
    assert len(await catalog.read("open_segments")) == 1
    task.cancel()


async def test_an_urgent_change_does_not_wait(catalog: CatalogThread, timer: FakeTimer) -> None:
    task = asyncio.create_task(catalog.run())
    await settle()
    catalog.record(*begun(uuid4()), is_urgent=True)
    await until_applied(catalog)
    assert len(await catalog.read("open_segments")) == 1
    task.cancel()


async def test_only_the_newest_growth_of_a_segment_is_applied(
    catalog: CatalogThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = uuid4()
    applied: list[Change] = []
    plain = Catalog.apply
    monkeypatch.setattr(
        Catalog, "apply", lambda self, changes: (applied.extend(changes), plain(self, changes))[1]
    )
    catalog.record(*begun(run))
    for second in range(2, 10):
        catalog.record(GrowSegment(run, 0, second * 1_000, 90_000, 100))
    catalog.record(CloseSegment(run, 0, 10_000, 90_000, 200))
    await catalog.flush()
    assert [type(change) for change in applied] == [BeginRun, OpenSegment, GrowSegment, CloseSegment]
    assert applied[2] == GrowSegment(run, 0, 9_000, 90_000, 100)


async def test_changes_the_catalog_does_not_take_wait_and_go_later(
    catalog: CatalogThread, timer: FakeTimer, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Catalog.apply

    def full(self: Catalog, changes: Sequence[Change]) -> None:
        raise VolumeFull("no space left for the catalog")

    monkeypatch.setattr(Catalog, "apply", full)
    task = asyncio.create_task(catalog.run())
    await settle()
    catalog.record(OpenGap(1, 1_000, GapCause.NO_VOLUME), is_urgent=True)
    while not timer.delays_s:
        await asyncio.sleep(0)
    monkeypatch.setattr(Catalog, "apply", plain)
    catalog.record(*begun(uuid4()))
    await timer.advance(2)
    await until_applied(catalog)
    assert len(await catalog.read("gaps", [1], 1, 1 << 60)) == 1
    assert len(await catalog.read("open_segments")) == 1
    task.cancel()


async def test_a_catalog_that_never_takes_anything_ends_the_engine(
    catalog: CatalogThread, timer: FakeTimer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Catalog, changes: Sequence[Change]) -> None:
        raise VolumeFull("no space left for the catalog")

    monkeypatch.setattr(Catalog, "apply", full)
    monkeypatch.setattr(catalog_thread, "PENDING_LIMIT", 10)
    catalog.record(*(OpenGap(1, 1_000, GapCause.NO_VOLUME) for _ in range(11)), is_urgent=True)
    with pytest.raises(CatalogDamaged, match="does not take changes"):
        await catalog.run()
    monkeypatch.undo()
    catalog._pending.clear()


async def test_what_waits_is_applied_when_the_catalog_is_closed(tmp_path: Path) -> None:
    run = uuid4()
    async with CatalogThread(tmp_path / "catalog.db") as catalog:
        await catalog.write("add_volume", uuid=uuid4(), name="v1", path="/v1", group="main", floor_bytes=0)
        await catalog.write("add_camera", **CAMERA)
        catalog.record(*begun(run))
    with Catalog.open(tmp_path / "catalog.db", read_only=True) as closed:
        assert [segment.path for segment in closed.open_segments()] == [f"{run}.mp4"]


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


async def until_applied(catalog: CatalogThread) -> None:
    """The run task has handed its batch to the writer, and the writer has done it."""
    while catalog._pending or catalog._applying.locked():
        await asyncio.sleep(0)
