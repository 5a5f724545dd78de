"""Alarms over a real catalog: events in, rows out, no task and no wait."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.alarms.rule_desk import RuleDesk
from engine.alarms.service import AlarmService
from engine.wire_alarm_rules import AlarmRuleAdd, AlarmRuleView, LiveAction
from storage.catalog.alarm_records import AlarmRow, AlarmRowFilter
from storage.catalog.records import EventRecord, Severity
from storage.errors import CatalogDamaged
from tests.engine.alarms.makers import trigger
from tests.fakes.action_runner import FakeRunner
from tests.fakes.clock import FakeClock
from tests.fakes.direct_catalog import DirectCatalog

CAMERAS = ("Gate", "Yard")


class SickCatalog(DirectCatalog):
    """Takes nothing while `is_sick`."""

    is_sick = False

    async def read(self, call: str, /, *args: Any, **kwargs: Any) -> Any:
        if self.is_sick:
            raise CatalogDamaged("the disk is gone", "put it back")
        return await super().read(call, *args, **kwargs)

    async def write(self, call: str, /, *args: Any, **kwargs: Any) -> Any:
        if self.is_sick:
            raise CatalogDamaged("the disk is gone", "put it back")
        return await super().write(call, *args, **kwargs)


class Bench:
    """The alarms of a station without a station. `say` is what the event bus does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.catalog = SickCatalog(path)
        self.clock = FakeClock()
        self.runner = FakeRunner()
        self.said: list[EventRecord] = []
        self.raised: list[tuple[int, bool]] = []
        self.changes = 0
        self.start()

    def start(self) -> None:
        """As after a restart: nothing is known that is not in the catalog."""
        self.alarms = AlarmService(self.catalog, self.clock, self.runner)
        self.alarms.camera_names = lambda: CAMERAS
        self.alarms.on_change = self._changed
        self.alarms.on_raised = lambda alarm, is_new: self.raised.append((alarm.id, is_new))
        self.desk = RuleDesk(self.alarms, self.catalog, self, self.clock)

    def _changed(self) -> None:
        self.changes += 1

    def publish(
        self, kind: str, text: str, *, severity: Severity = Severity.INFO, source: str = "", actor: str = ""
    ) -> EventRecord:
        event = EventRecord(
            time_us=self.clock.now_us(), kind=kind, severity=severity, source=source, text=text, actor=actor
        )
        self.said.append(event)
        self.alarms.take(event)
        return event

    def say(self, kind: str = "detection.motion", source: str = "Gate", text: str = "moves") -> None:
        self.publish(kind, text, source=source)

    async def rule(self, name: str = "Motion", **more: Any) -> AlarmRuleView:
        more.setdefault("triggers", (trigger(),))
        more.setdefault("actions", (LiveAction(cameras=("Gate",)),))
        return await self.desk.add(AlarmRuleAdd(name=name, **more), "ada")

    async def rows(self, **filter: Any) -> list[AlarmRow]:
        """Newest first."""
        filter.setdefault("statuses", ())
        rows, _ = await self.catalog.read(
            "alarms", AlarmRowFilter(**filter), now_us=self.clock.now_us(), limit=1_000
        )
        return rows

    def kinds_said(self) -> list[str]:
        return [event.kind for event in self.said]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "catalog.db")
    yield bench
    bench.catalog.close()
