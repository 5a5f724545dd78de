"""Instead of engine.alarms.actions.runner: remembers what it was told to do."""

from __future__ import annotations

from engine.wire_alarm_rules import ActionResult, ActionState, AlarmAction
from storage.catalog.alarm_records import AlarmRow


class FakeRunner:
    """`started` and `tested`: alarm, actions, rule."""

    def __init__(self) -> None:
        self.started: list[tuple[AlarmRow, tuple[AlarmAction, ...], str]] = []
        self.tested: list[tuple[AlarmRow, tuple[AlarmAction, ...], str]] = []

    def start(self, row: AlarmRow, actions: tuple[AlarmAction, ...], rule: str) -> None:
        self.started.append((row, actions, rule))

    async def run_now(
        self, row: AlarmRow, actions: tuple[AlarmAction, ...], rule: str
    ) -> tuple[ActionResult, ...]:
        self.tested.append((row, actions, rule))
        return tuple(ActionResult(action=type(each).__name__, state=ActionState.DONE) for each in actions)
