"""Operations and events in one: pages that nothing disturbs."""

from __future__ import annotations

import pytest

from storage.catalog.alarm_records import LogFilter, LogRow, OperationRow
from storage.catalog.db import Catalog
from storage.catalog.records import EventRecord, Severity
from storage.errors import InvalidInput
from tests.storage.catalog.footage import T0


def operation(at: int, **changes: object) -> OperationRow:
    values: dict[str, object] = {"time_us": T0 + at, "actor": "ann", "type": "camera.edit", "text": "edited"}
    return OperationRow(**{**values, **changes})  # type: ignore[arg-type]


def event(at: int, **changes: object) -> EventRecord:
    values: dict[str, object] = {"time_us": T0 + at, "kind": "camera.lost", "text": "no answer"}
    return EventRecord(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def filled(catalog: Catalog) -> Catalog:
    """In order of time: o1 e1 e2 o2 o3 e3 e4 o4 (o3 and e3 at once)."""
    catalog.add_operations([operation(0), operation(30), operation(40), operation(60)])
    catalog.add_events([event(10), event(20), event(40), event(50)])
    return catalog


def names(rows: list[LogRow]) -> str:
    return " ".join(f"{row.category[0]}{row.id}" for row in rows)


def pages(catalog: Catalog, filter: LogFilter, limit: int) -> list[str]:
    found, before = [], ""
    while True:
        page = catalog.log(filter, before=before, limit=limit)
        found.append(names(page.rows))
        before = page.resume
        if not before:
            return found


def test_the_newest_of_both_come_first(filled: Catalog) -> None:
    assert names(filled.log(LogFilter()).rows) == "o4 e4 o3 e3 o2 e2 e1 o1"


@pytest.mark.parametrize("limit", range(1, 10))
def test_pages_of_any_length_hold_everything_once(filled: Catalog, limit: int) -> None:
    found = pages(filled, LogFilter(), limit)
    assert " ".join(found) == "o4 e4 o3 e3 o2 e2 e1 o1"
    assert all(len(page.split()) == limit for page in found[:-1])


def test_what_arrives_or_goes_meanwhile_does_not_disturb_the_pages(filled: Catalog) -> None:
    first = filled.log(LogFilter(), limit=1)
    filled.add_operations([operation(70), operation(5)])
    filled.add_events([event(80), event(1)])
    filled.prune_events(5)
    second = filled.log(LogFilter(), before=first.resume, limit=9)
    assert names(first.rows + second.rows) == "o4 e4 o3 e3 o2 e2 o1"


def test_a_clock_that_was_set_back_does_not_tear_the_order_of_arrival(catalog: Catalog) -> None:
    catalog.add_operations([operation(100), operation(5), operation(101)])
    catalog.add_events([event(50), event(6)])
    assert "".join(pages(catalog, LogFilter(), 9)) == "o3 e2 e1 o2 o1"
    assert " ".join(pages(catalog, LogFilter(), 1)) == "o3 e2 e1 o2 o1"


def test_only_one_category_can_be_asked_for(filled: Catalog) -> None:
    assert pages(filled, LogFilter(category="operation"), 3) == ["o4 o3 o2", "o1"]
    assert pages(filled, LogFilter(category="event"), 2) == ["e4 e3", "e2 e1"]
    with pytest.raises(InvalidInput, match="choose operation or event"):
        filled.log(LogFilter(category="alarm"))


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        (LogFilter(types=("camera",)), "o2 e2 o1 e1"),
        (LogFilter(types=("camera.lost",)), "e1"),
        (LogFilter(min_severity="minor"), "o3 e4 e3 o2 e2 o1 e1"),
        (LogFilter(min_severity="normal"), "e4 o2 e2 o1"),
        (LogFilter(min_severity="major"), "e4 o2"),
        (LogFilter(actor="ben"), "e3 o2"),
        (LogFilter(source="gate"), "o2 e1"),
        (LogFilter(start_us=T0 + 3, end_us=T0 + 6), "e3 o2 e2"),
        (LogFilter(text="GATE"), "o2 e1"),
        (LogFilter(text="of a"), "o3 e4"),
    ],
)
def test_filters_hold_for_both(catalog: Catalog, filter: LogFilter, expected: str) -> None:
    catalog.add_events(
        [
            event(1, source="gate"),
            event(3, kind="camera.refused", severity=Severity.WARNING),
            event(5, kind="drive.removed", actor="ben"),
            event(6, kind="volume.full", severity=Severity.CRITICAL, text="out of a lot"),
        ]
    )
    catalog.add_operations(
        [
            operation(2),
            operation(4, severity="major", actor="ben", source="gate"),
            operation(7, type="raid.scrub", severity="minor", text="half of it, at last"),
        ]
    )
    assert names(catalog.log(filter).rows) == expected


def test_an_entry_says_all_it_knows(catalog: Catalog) -> None:
    (added,) = catalog.add_operations([operation(0, source="gate", severity="major", is_success=False)])
    catalog.add_events([event(1, severity=Severity.WARNING, actor="ben", source="gate", count=312)])
    of_event, of_operation = catalog.log(LogFilter()).rows
    assert of_operation == LogRow(
        id=1,
        time_us=T0,
        category="operation",
        type="camera.edit",
        actor="ann",
        source="gate",
        text="edited",
        severity="major",
        is_success=False,
        digest=added.digest,
    )
    assert of_event == LogRow(
        id=1,
        time_us=T0 + 1,
        category="event",
        type="camera.lost",
        actor="ben",
        source="gate",
        text="no answer (x 312)",
        severity="normal",
    )


@pytest.mark.parametrize("before", ["5", "x.y", "1.2.3", "-1.2", "1.2 ", "9" * 30 + ".1"])
def test_a_cursor_that_is_none_is_refused(filled: Catalog, before: str) -> None:
    with pytest.raises(InvalidInput, match="no place in the log"):
        filled.log(LogFilter(), before=before)


def test_an_empty_log_is_one_empty_page(catalog: Catalog) -> None:
    assert catalog.log(LogFilter()) == ([], "")
