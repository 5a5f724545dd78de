"""An alarm as it was raised a moment ago."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.alarms.actions.occasion import Occasion
from storage.catalog.alarm_records import AlarmRow
from storage.catalog.records import Severity

AT_US = 1_767_225_600_000_000

ROW = AlarmRow(
    id=7,
    rule_id=1,
    rule="door opened",
    kind="detection.motion",
    source="yard",
    camera="yard",
    severity=Severity.WARNING,
    status="new",
    first_us=AT_US,
    last_us=AT_US,
    count=1,
    text="motion in 12 cells",
    comment="",
    handler="",
    muted_until_us=None,
    sound=0,
    is_live=False,
    is_test=False,
)


def alarm_row(**changes: Any) -> AlarmRow:
    return msgspec.structs.replace(ROW, **changes)


def occasion(**changes: Any) -> Occasion:
    row = alarm_row(**changes)
    return Occasion(row, row.rule, "gate house")
