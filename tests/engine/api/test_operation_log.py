"""Operations on their way into the catalog: none lost, callers held up when it does not take them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.api import operation_log
from engine.api.operation_log import OperationLog, keep_operations
from engine.background import in_background
from storage.catalog.alarm_records import LogFilter, OperationRow
from storage.errors import CatalogDamaged
from tests.fakes.direct_catalog import DirectCatalog


def row(number: int) -> OperationRow:
    return OperationRow(time_us=1 + number, actor="anna", type="camera.edit", text=str(number))


class ShutCatalog:
    """Takes nothing until it is opened; each refusal is counted."""

    def __init__(self) -> None:
        self.is_open = False
        self.refused = 0
        self.rows: list[OperationRow] = []

    async def read(self, call: str, /, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError(call)

    async def write(self, call: str, /, *args: Any, **kwargs: Any) -> Any:
        assert call == "add_operations"
        if not self.is_open:
            self.refused += 1
            raise CatalogDamaged("no disk", "")
        self.rows.extend(args[0])


async def yielding(_: float) -> None:
    await asyncio.sleep(0)


async def test_all_of_many_writers_are_kept_once_each_and_in_their_order(tmp_path: Path) -> None:
    catalog = DirectCatalog(tmp_path / "catalog.sqlite")

    async def write(log: OperationLog, first: int) -> None:
        for number in range(first, first + 300):
            await log.add(row(number))

    async with keep_operations(catalog) as log, asyncio.TaskGroup() as group:
        for first in (0, 1_000, 2_000, 3_000):
            group.create_task(write(log, first), name=f"writer {first}")
    page = await catalog.read("operations", LogFilter(), limit=2_000)
    texts = [int(each.text) for each in reversed(page)]
    assert len(texts) == 1_200
    for first in (0, 1_000, 2_000, 3_000):
        assert [text for text in texts if first <= text < first + 1_000] == list(range(first, first + 300))
    assert (await catalog.read("verify_operations")).is_whole
    catalog.close()


async def test_callers_wait_while_the_catalog_takes_nothing_and_nothing_is_forgotten() -> None:
    catalog = ShutCatalog()
    log = OperationLog(catalog, limit=4, sleep=yielding)
    added: list[int] = []

    async def caller() -> None:
        for number in range(20):
            await log.add(row(number))
            added.append(number)

    async with in_background(operations=log.run), asyncio.TaskGroup() as group:
        group.create_task(caller(), name="caller")
        while catalog.refused < 5:
            await asyncio.sleep(0)
        assert len(added) < 20, "a full queue holds the callers up"
        catalog.is_open = True
    assert [int(each.text) for each in catalog.rows] == list(range(20))


async def test_a_stop_does_not_wait_for_ever_and_says_what_is_lost(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(operation_log, "STOP_S", 0.05)
    async with keep_operations(ShutCatalog()) as log:
        await log.add(row(1))
        await log.add(row(2))
    assert "operations are lost" in caplog.text


def test_one_that_cannot_wait_stands_in_the_engines_log_when_there_is_no_room(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = OperationLog(ShutCatalog(), limit=1)
    log.add_at_once(row(1))
    log.add_at_once(row(2))
    assert "not kept: anna camera.edit" in caplog.text
