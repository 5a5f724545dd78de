"""Hits and alarms for tests, at times counted from T0."""

from __future__ import annotations

from typing import Any

from storage.catalog.alarm_records import AlarmHit, AlarmRow, AlarmRowFilter
from storage.catalog.db import Catalog
from storage.catalog.records import Severity
from tests.storage.catalog.footage import SECOND, T0

EVERYTHING = AlarmRowFilter(statuses=(), with_muted=True)
RETRIGGER_US = 30 * SECOND


def hit(at_s: float = 0, **changes: Any) -> AlarmHit:
    """Of motion at the gate, one event."""
    at_us = T0 + int(at_s * SECOND)
    values: dict[str, Any] = {
        "rule_id": 1,
        "rule": "night watch",
        "kind": "detection.motion",
        "source": "gate",
        "camera": "gate",
        "severity": Severity.WARNING,
        "first_us": at_us,
        "last_us": at_us,
        "text": "motion in 12 cells",
        "retrigger_us": RETRIGGER_US,
    }
    return AlarmHit(**{**values, **changes})


def raise_alarms(catalog: Catalog, count: int, **changes: Any) -> list[int]:
    """Of a source each, a second apart; their ids, oldest first."""
    outcomes = catalog.add_hits(
        [hit(number, source=f"camera {number}", **changes) for number in range(count)]
    )
    assert all(outcome.is_new for outcome in outcomes)
    return [outcome.row.id for outcome in outcomes]


def listed(catalog: Catalog, filter: AlarmRowFilter = EVERYTHING, *, now_us: int = T0) -> list[AlarmRow]:
    """All of a list."""
    rows, total = catalog.alarms(filter, now_us=now_us, limit=1_000)
    assert len(rows) == total
    return rows
