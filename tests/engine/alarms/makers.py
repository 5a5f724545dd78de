"""Rules and events in one line, for tests."""

from __future__ import annotations

from typing import Any

from engine.alarms.rule import CompiledRule, ScheduleGate, compile_trigger
from engine.wire_alarm_rules import AlarmAction, TextMatch, Trigger
from storage.catalog.records import EventRecord, Schedule, Severity

AT_US = 1_772_323_200_000_000
"""2026-03-01 00:00 UTC, a Sunday."""
ALL_DAY, NEVER = "x" * 48, "." * 48


def event(
    kind: str = "detection.motion", source: str = "Gate", text: str = "moves", **more: Any
) -> EventRecord:
    return EventRecord(time_us=more.pop("time_us", AT_US), kind=kind, source=source, text=text, **more)


def trigger(
    kind: str = "detection.motion",
    *sources: str,
    text: str = "",
    match: TextMatch = TextMatch.CONTAINS,
    is_case_sensitive: bool = False,
) -> Trigger:
    return Trigger(kind=kind, sources=sources, text=text, match=match, is_case_sensitive=is_case_sensitive)


def rule(
    *triggers: Trigger,
    id: int = 1,
    actions: tuple[AlarmAction, ...] = (),
    retrigger_us: int = 30_000_000,
    since_us: int = 0,
    schedule: Schedule | None = None,
) -> CompiledRule:
    return CompiledRule(
        id=id,
        name=f"rule {id}",
        severity=Severity.WARNING,
        triggers=tuple(compile_trigger(each) for each in triggers or (trigger(),)),
        actions=actions,
        retrigger_us=retrigger_us,
        since_us=since_us,
        gate=ScheduleGate(schedule),
    )
