from __future__ import annotations

import pytest

from storage.catalog.db import Catalog
from storage.catalog.records import EventRecord, Severity
from tests.storage.catalog.footage import T0


@pytest.fixture
def filled(catalog: Catalog) -> Catalog:
    kinds = [
        ("camera.lost", Severity.WARNING, "gate", "no answer"),
        ("camera.back", Severity.INFO, "gate", "is back after 5 s"),
        ("camerax.lost", Severity.INFO, "gate", "another family"),
        ("volume.full", Severity.CRITICAL, "array", "100% full_stop"),
        ("engine.started", Severity.INFO, "", "version 1"),
    ]
    added = catalog.add_events(
        [
            EventRecord(
                time_us=T0 + number, kind=kind, severity=severity, source=source, text=text, actor="x"
            )
            for number, (kind, severity, source, text) in enumerate(kinds)
        ]
    )
    assert [event.id for event in added] == [1, 2, 3, 4, 5]
    return catalog


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [5, 4, 3, 2, 1]),
        ({"limit": 2}, [5, 4]),
        ({"before_id": 4}, [3, 2, 1]),
        ({"after_id": 2, "limit": 2}, [3, 4]),
        ({"kinds": ["camera"]}, [2, 1]),
        ({"kinds": ["camera.lost", "volume"]}, [4, 1]),
        ({"kinds": []}, []),
        ({"min_severity": Severity.INFO}, [5, 4, 3, 2, 1]),
        ({"min_severity": Severity.WARNING}, [4, 1]),
        ({"min_severity": Severity.CRITICAL}, [4]),
        ({"source": "gate", "kinds": ["camera.back"]}, [2]),
        ({"start_us": T0 + 1, "end_us": T0 + 3}, [3, 2]),
        ({"text": "FULL_"}, [4]),
        ({"text": "%"}, [4]),
        ({"text": "gat"}, [3, 2, 1]),
        ({"text": "GATE answer"}, [1]),
        ({"text": "s af"}, [2]),
        ({"text": "gate", "before_id": 3}, [2, 1]),
        ({"text": "gate", "after_id": 1, "limit": 1}, [2]),
        ({"text": "gate", "kinds": ["camera"], "min_severity": Severity.WARNING}, [1]),
        ({"text": "elephant"}, []),
        ({"actor": "x", "source": "gate"}, [3, 2, 1]),
        ({"actor": ""}, []),
    ],
)
def test_a_page_holds_what_was_asked_for(
    filled: Catalog, filters: dict[str, object], expected: list[int]
) -> None:
    found = filled.events(**{"limit": 10, **filters})  # type: ignore[arg-type]
    assert [event.id for event in found] == expected


def test_an_event_comes_back_as_it_was_added(filled: Catalog) -> None:
    (event,) = filled.events(limit=1, source="array")
    assert event == EventRecord(
        id=4,
        time_us=T0 + 3,
        kind="volume.full",
        severity=Severity.CRITICAL,
        source="array",
        text="100% full_stop",
        actor="x",
    )
    assert filled.newest_event_id() == 5


def test_the_oldest_events_go_a_few_at_a_time(filled: Catalog) -> None:
    assert [filled.prune_events(2, step=2) for _ in range(3)] == [2, 1, 0]
    assert [event.id for event in filled.events(limit=9)] == [5, 4]
    assert filled.add_events([EventRecord(time_us=T0, kind="a", text="b")])[0].id == 6


def test_events_of_long_ago_go_but_the_newest_stay_whatever_their_time(filled: Catalog) -> None:
    assert filled.prune_events(9, before_us=T0 + 2) > 0
    assert all(event.time_us >= T0 + 2 for event in filled.events(limit=9))
    left = len(filled.events(limit=9))
    assert filled.prune_events(9, before_us=T0 * 2, keep_at_least=1) == left - 1
    assert [event.id for event in filled.events(limit=9)] == [5]


def test_an_empty_catalog_has_no_events(catalog: Catalog) -> None:
    assert (catalog.events(limit=5), catalog.newest_event_id(), catalog.prune_events(1)) == ([], 0, 0)
    assert catalog.add_events([]) == []


def test_an_event_may_stand_for_many(catalog: Catalog) -> None:
    catalog.add_events([EventRecord(time_us=T0, kind="external.webhook", text="flood", count=70_000)])
    assert catalog.events(limit=1)[0].count == 70_000


def test_each_severity_may_have_a_time_of_its_own(filled: Catalog) -> None:
    before_us = {Severity.INFO: T0 + 9, Severity.WARNING: T0, Severity.CRITICAL: T0 + 9}
    assert filled.prune_events(9, before_us=before_us, keep_at_least=1) == 3
    assert [event.id for event in filled.events(limit=9)] == [5, 1]


def test_what_was_forgotten_is_not_found_by_its_words_either(filled: Catalog) -> None:
    filled.prune_events(2)
    assert filled._rows("SELECT rowid FROM event_words WHERE event_words MATCH 'gate'") == []
    assert [event.id for event in filled.events(limit=9, text="full_stop")] == [4]
    assert filled.rebuild_words() == []
