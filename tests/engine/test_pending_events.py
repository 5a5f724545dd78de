"""A flood is counted, never dropped, and what matters stays a row of its own."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import pending_events
from engine.pending_events import FLOOD_LINES, OTHERS, PENDING_LIMIT, STORM_FROM, PendingEvents
from storage.catalog.records import EventRecord, Severity


def event(kind: str, source: str = "Gate", text: str = "x", **more: object) -> EventRecord:
    return EventRecord(time_us=1, kind=kind, source=source, text=text, **more)


def test_few_events_stay_rows_of_their_own() -> None:
    pending = PendingEvents()
    for number in range(STORM_FROM):
        pending.add(event("detection.motion", text=str(number)))
    rows = pending.take_all()
    assert [row.text for row in rows] == [str(number) for number in range(STORM_FROM)]
    assert {row.count for row in rows} == {1}


def test_a_flood_from_one_source_becomes_one_row_with_a_count() -> None:
    pending = PendingEvents()
    for _ in range(10_000):
        pending.add(event("external.tcp_message", "10.0.0.9"))
        pending.add(event("detection.motion", "Gate"))
    rows = pending.take_all()
    assert len(rows) == STORM_FROM
    assert sum(row.count for row in rows if row.kind == "detection.motion") == 10_000
    assert sum(row.count for row in rows if row.source == "10.0.0.9") == 10_000
    assert not pending


@pytest.mark.parametrize(
    "matters",
    [
        event("camera.lost", text="no answer"),
        event("external.virtual", "Panic", "pressed", actor="ada"),
        event("lock.added", actor="ada"),
    ],
)
def test_what_somebody_did_and_words_that_matter_are_not_counted_together(matters: EventRecord) -> None:
    pending = PendingEvents()
    for _ in range(STORM_FROM * 10):
        pending.add(event("detection.motion"))
        pending.add(matters)
    assert sum(1 for row in pending.take_all() if row.kind == matters.kind) == STORM_FROM * 10


def test_a_full_queue_counts_everything_and_stays_bounded() -> None:
    pending = PendingEvents()
    for number in range(PENDING_LIMIT):
        pending.add(event("camera.lost", f"camera {number}"))
    for number in range(5_000):
        pending.add(event("camera.lost", f"camera {number}"))
        pending.add(event("login.refused", f"host {number}"))
        pending.add(event("camera.edited", f"camera {number}", actor=f"user {number}"))
    rows = pending.take_all()
    assert len(rows) == PENDING_LIMIT + 2
    assert sum(row.count for row in rows) == PENDING_LIMIT + 15_000
    assert rows[0].count == 2
    assert {(row.kind, row.source, row.actor, row.count) for row in rows[PENDING_LIMIT:]} == {
        ("login.refused", OTHERS, "", 5_000),
        ("camera.edited", OTHERS, OTHERS, 5_000),
    }


def test_severities_are_kept_apart() -> None:
    pending = PendingEvents()
    for _ in range(STORM_FROM):
        pending.add(event("detection.other"))
    for severity in Severity:
        for _ in range(10):
            pending.add(event("detection.other", severity=severity))
    rows = pending.take_all()
    assert {
        severity: sum(row.count for row in rows if row.severity is severity) for severity in Severity
    } == {
        Severity.INFO: STORM_FROM + 10,
        Severity.WARNING: 10,
        Severity.CRITICAL: 10,
    }


def test_a_flood_is_a_few_lines_of_the_log_and_a_number(caplog: pytest.LogCaptureFixture) -> None:
    pending = PendingEvents()
    with caplog.at_level(logging.INFO):
        for _ in range(1_000):
            pending.add(event("detection.motion"))
        pending.add(event("camera.lost", text="no answer"))
        pending.take_all()
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == FLOOD_LINES + 2
    assert lines[-2:] == [
        "camera.lost [Gate]: no answer",
        f"detection.motion: {1_000 - FLOOD_LINES} more such events",
    ]


@given(
    st.lists(
        st.one_of(
            st.just("take"),
            st.tuples(
                st.sampled_from(["detection.motion", "external.webhook", "camera.lost", "lock.added"]),
                st.sampled_from(["Gate", "Yard", "Hall", "10.0.0.9"]),
                st.sampled_from(["", "ada", "bob"]),
                st.integers(1, 3),
            ),
        ),
        max_size=80,
    )
)
def test_the_counts_are_the_events_whatever_comes(steps: list[object]) -> None:
    limits = pytest.MonkeyPatch()
    limits.setattr(pending_events, "STORM_FROM", 5)
    limits.setattr(pending_events, "PENDING_LIMIT", 12)
    try:
        pending = PendingEvents()
        said: dict[str, int] = {}
        kept: dict[str, int] = {}
        for step in [*steps, "take"]:
            if step == "take":
                for row in pending.take_all():
                    kept[row.kind] = kept.get(row.kind, 0) + row.count
            else:
                kind, source, actor, count = step
                pending.add(event(kind, source, actor=actor, count=count))
                said[kind] = said.get(kind, 0) + count
                assert len(pending) <= 12 + 4 * 2
        assert kept == said
    finally:
        limits.undo()
