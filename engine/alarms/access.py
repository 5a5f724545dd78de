"""What alarms need of the rest of the engine, behind narrow interfaces: tests put fakes behind the same names."""

from __future__ import annotations

from typing import Protocol

from engine.wire_alarm_rules import ActionResult, AlarmAction
from storage.catalog.alarm_records import AlarmRow
from storage.catalog.records import EventRecord, Severity


class Publisher(Protocol):
    """engine.events.EventBus: says what happened."""

    def publish(
        self, kind: str, text: str, *, severity: Severity = Severity.INFO, source: str = "", actor: str = ""
    ) -> EventRecord: ...


class Runner(Protocol):
    """engine.alarms.actions.runner.ActionRunner: carries out what a rule says. `row.id` 0: the catalog did not take the alarm."""

    def start(self, row: AlarmRow, actions: tuple[AlarmAction, ...], rule: str) -> None:
        """Never waits and never fails."""
        ...

    async def run_now(
        self, row: AlarmRow, actions: tuple[AlarmAction, ...], rule: str
    ) -> tuple[ActionResult, ...]:
        """Returns when every action has ended; one that failed is a result, not an error."""
        ...
