"""Ten thousand events a second for ten seconds: counted to the last one, and nobody is kept waiting. Issue: rules, "a storm"."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

from engine.alarms.rule_desk import RuleDesk
from engine.alarms.service import AlarmService
from engine.catalog_thread import CatalogThread
from engine.events import EventBus
from engine.wire_alarm_rules import AlarmRuleAdd, LiveAction
from storage.clock import SystemClock
from tests.engine.alarms.makers import trigger
from tests.fakes.action_runner import FakeRunner

BURSTS = 1_000
A_BURST = 100
SOURCES = 32


class Storm:
    """A bus with alarms behind it, on a catalog with its threads."""

    def __init__(self, catalog: CatalogThread) -> None:
        clock = SystemClock()
        self.bus = EventBus(catalog, clock)
        self.runner = FakeRunner()
        self.alarms = AlarmService(catalog, clock, self.runner)
        self.alarms.camera_names = lambda: [f"camera {number}" for number in range(SOURCES)]
        self.desk = RuleDesk(self.alarms, catalog, self.bus, clock)
        self.bus.watch(self.alarms.take)
        self.turns = 0
        self.most_waiting = 0

    async def blow(self, gust: Callable[[int], None], bursts: int = BURSTS) -> None:
        """All bursts, with the bus and the alarms at work in between; returns when everything is written."""
        async with asyncio.TaskGroup() as group:
            works: tuple[Callable[[], Awaitable[None]], ...] = (self.bus.run, self.alarms.run, self._beat)
            tasks = [group.create_task(work()) for work in works]  # type: ignore[arg-type]
            for burst in range(bursts):
                for number in range(A_BURST):
                    gust(burst * A_BURST + number)
                self.most_waiting = max(self.most_waiting, len(self.bus._pending))
                await asyncio.sleep(0)
            await self.alarms.close()
            await self.bus.flush()
            for task in tasks:
                task.cancel()

    async def _beat(self) -> None:
        while True:
            self.turns += 1
            await asyncio.sleep(0)


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    database = sqlite3.connect(path)
    try:
        return database.execute(sql).fetchall()
    finally:
        database.close()


async def test_a_hundred_thousand_events_are_counted_exactly_and_the_loop_turns(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    async with CatalogThread(path) as catalog:
        storm = Storm(catalog)
        live = (LiveAction(),)
        await storm.desk.add(AlarmRuleAdd(name="All", triggers=(trigger("detection"),), actions=live), "ada")
        await storm.desk.add(
            AlarmRuleAdd(name="One", triggers=(trigger("detection.motion", "camera 3"),), actions=live), "ada"
        )

        def gust(number: int) -> None:
            storm.bus.publish("detection.motion", f"moves {number}", source=f"camera {number % SOURCES}")

        await storm.blow(gust)
        assert storm.alarms.counts.new == SOURCES + 1
    total = BURSTS * A_BURST
    assert rows(path, "SELECT sum(count) FROM event WHERE kind = 'detection.motion'") == [(total,)]
    assert rows(path, "SELECT rule, sum(count) FROM alarm GROUP BY rule ORDER BY rule") == [
        ("All", total),
        ("One", total // SOURCES),
    ]
    ((fewest, most),) = rows(
        path,
        "SELECT min(n), max(n) FROM (SELECT sum(count) AS n FROM event WHERE kind = 'detection.motion' GROUP BY source)",
    )
    assert (fewest, most) == (total // SOURCES, total // SOURCES)
    assert len(storm.runner.started) == SOURCES + 1
    assert storm.turns >= BURSTS
    assert storm.most_waiting < 1_000


async def test_whoever_sends_from_without_number_of_addresses_is_counted_too(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    async with CatalogThread(path) as catalog:
        storm = Storm(catalog)
        await storm.desk.add(AlarmRuleAdd(name="All", triggers=(trigger("external"),), retrigger_s=0), "ada")

        def gust(number: int) -> None:
            storm.bus.publish("external.webhook", "x", source=f"sender {number % 5_000}")

        await storm.blow(gust, bursts=150)
    total = 150 * A_BURST
    assert rows(path, "SELECT sum(count) FROM event WHERE kind = 'external.webhook'") == [(total,)]
    assert rows(path, "SELECT sum(count) FROM alarm") == [(total,)]
