"""No query of the catalog reads a whole large table: every statement is captured and its plan is read."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from storage.catalog.alarm_records import AlarmRowFilter, OperationRow, ResultRow
from storage.catalog.bookmarks import BookmarkFilter
from storage.catalog.changes import (
    BeginRun,
    CloseGap,
    CloseSegment,
    EndRun,
    GrowSegment,
    OpenGap,
    OpenSegment,
)
from storage.catalog.db import Catalog
from storage.catalog.motion_blocks import MotionBlock
from storage.catalog.records import GapCause, Severity
from tests.storage.catalog.alarms import hit
from tests.storage.catalog.footage import SECOND, T0, TRACKS, add_camera, add_segment, add_volume, begin_run

LARGE = (
    "segment",
    "gap",
    "run",
    "event",
    "segment_keyframes",
    "alarm",
    "alarm_step",
    "alarm_step_alarm",
    "alarm_result",
    "operation",
    "bookmark",
    "case_item",
    "motion_block",
)
SMALL_SCANS = (
    "SCAN run USING INDEX run_unended",
    "SCAN alarm_result USING INDEX alarm_result_unended",
    # The list in its own order, from an index that answers all of the filter: it ends with the window.
    "SCAN alarm USING COVERING INDEX alarm_open",
    "SCAN alarm USING COVERING INDEX alarm_open_group",
    "SCAN alarm USING COVERING INDEX alarm_history",
    # Likewise: newest first, until the page is full.
    "SCAN b USING INDEX bookmark_by_start",
)
"""Partial indexes that hold only the few rows asked for, and the list of alarms."""
WINDOW = ([1], T0, T0 + SECOND)
RUN = uuid4()


@pytest.fixture
def filled(catalog: Catalog) -> Catalog:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    hidden = catalog.volume(add_volume(catalog, "removed"))
    catalog.remove_volume(hidden.uuid)
    add_segment(catalog, begin_run(catalog, camera_id), 0, volume_id, T0, T0 + SECOND)
    catalog.add_lock(camera_id=camera_id, start_us=T0, end_us=T0 + 1, created_us=T0, expires_us=T0 + 1)
    for number in range(3):
        catalog.add_bookmark(camera_id=camera_id, start_us=T0 + number, end_us=T0 + 5, now_us=T0, name="x")
    catalog.add_alarm_rule(name="night watch", body="{}", created_us=T0)
    catalog.add_hits([hit(number, source=f"camera {number % 30}", retrigger_us=0) for number in range(60)])
    catalog.triage(ids=[1], comment="x", actor="ann", time_us=T0)
    catalog.add_operations([OperationRow(time_us=T0, actor="ann", type="camera.edit", text="x")])
    return catalog


def plans(catalog: Catalog, call: Callable[[Catalog], object]) -> list[tuple[str, str]]:
    """(statement, plan line) of everything the call runs, triggers included by SQLite itself."""
    seen: list[str] = []
    catalog._connection.set_trace_callback(seen.append)
    try:
        call(catalog)
    finally:
        catalog._connection.set_trace_callback(None)
    found = []
    for statement in seen:
        if statement.startswith(("SELECT", "UPDATE", "DELETE", "INSERT")):
            for row in catalog._connection.execute(f"EXPLAIN QUERY PLAN {statement}"):
                found.append((statement, row[3]))
    assert found
    return found


LISTS = {
    "open": AlarmRowFilter(),
    "of a source": AlarmRowFilter(sources=("camera 1",)),
    "of kinds": AlarmRowFilter(kinds=("camera", "detection.audio")),
    "of a rule and severity": AlarmRowFilter(rules=("night watch",), min_severity=Severity.CRITICAL),
    "of a time": AlarmRowFilter(start_us=T0, end_us=T0 + 1),
    "with words": AlarmRowFilter(text="motion 12"),
    "of history": AlarmRowFilter(statuses=("closed",)),
}

CALLS: dict[str, Callable[[Catalog], object]] = {
    "segments": lambda c: c.segments(*WINDOW, limit=5),
    "coverage": lambda c: c.coverage(*WINDOW),
    "gaps": lambda c: c.gaps(*WINDOW),
    "open_gap": lambda c: c.open_gap(1),
    "forget_gaps": lambda c: c.forget_gaps(T0),
    "segment_at": lambda c: c.segment_at(1, T0),
    "segment": lambda c: c.segment(1),
    "run": lambda c: c.run(1),
    "keyframes": lambda c: c.keyframes(1),
    "oldest_us": lambda c: c.oldest_us([1]),
    "open_segments": lambda c: c.open_segments(),
    "unended_runs": lambda c: c.unended_runs(),
    "apply": lambda c: c.apply(
        [
            BeginRun(RUN, 1, T0, TRACKS),
            OpenSegment(RUN, 0, 1, "x", T0),
            GrowSegment(RUN, 0, T0 + 1, 1, 1),
            CloseSegment(RUN, 0, T0 + 2, 2, 2, b"k"),
            EndRun(RUN, T0 + 2, "x"),
            OpenGap(1, T0, GapCause.UNKNOWN),
            CloseGap(1, T0 + 1),
        ]
    ),
    "recycle_candidates": lambda c: c.recycle_candidates(1, 128),
    "recycle_candidates before": lambda c: c.recycle_candidates(1, 128, before_us=T0, volume_id=1),
    "group_usage": lambda c: c.group_usage(1),
    "volume_usage": lambda c: c.volume_usage(1),
    "footage_span": lambda c: c.footage_span(1),
    "footage_between": lambda c: c.footage_between(1, T0, T0 + SECOND),
    "open_footage": lambda c: c.open_footage(1),
    "locks": lambda c: c.locks([1], T0, T0 + 1),
    "add_lock": lambda c: c.add_lock(camera_id=1, start_us=T0, end_us=T0 + 1, created_us=T0),
    "expire_locks": lambda c: c.expire_locks(T0 + 5),
    "bookmarks": lambda c: c.bookmarks(
        BookmarkFilter(text="x", start_us=T0, end_us=T0 + 9, made_end_us=T0 + 9),
        now_us=T0 + SECOND * 100,
        before=(T0 + 2, 1),
    ),
    "bookmarks of a camera": lambda c: c.bookmarks(BookmarkFilter(camera="GAT", start_us=T0), now_us=T0),
    "add_bookmark": lambda c: c.add_bookmark(camera_id=1, start_us=T0, end_us=T0 + 1, now_us=T0, once=True),
    "edit_bookmark": lambda c: c.edit_bookmark(1, now_us=T0, end_us=T0 + 9, keep_days=3),
    "prune_bookmarks": lambda c: c.prune_bookmarks(T0 + 9, "ann"),
    "remove_bookmark": lambda c: c.remove_bookmark(1, now_us=T0),
    "motion_blocks": lambda c: (
        c.put_motion_blocks([MotionBlock(1, T0, T0 + 1, 0, b"")]),
        c.motion_blocks(1, T0, T0 + SECOND),
        c.forget([1]),
    ),
    "mark_deleting": lambda c: c.mark_deleting([1]),
    "deleting": lambda c: c.deleting(),
    "forget": lambda c: c.forget([1]),
    "remove_camera": lambda c: c.remove_camera(c.camera(1).uuid),
    "events": lambda c: c.events(limit=5, before_id=9),
    "events after": lambda c: c.events(limit=5, after_id=9),
    "events of a kind": lambda c: c.events(limit=5, kinds=["camera"]),
    "events of a source": lambda c: c.events(limit=5, source="gate"),
    "grave events": lambda c: c.events(limit=5, min_severity=Severity.CRITICAL),
    "events of a time": lambda c: c.events(limit=5, start_us=T0, end_us=T0 + 1),
    "prune_events": lambda c: c.prune_events(5, before_us=T0),
    "events with words": lambda c: c.events(limit=5, text="no answer", before_id=9),
    "events of an actor": lambda c: c.events(limit=5, actor="ann"),
    "add_hits": lambda c: c.add_hits([hit(100), hit(101)]),
    "alarm_totals": lambda c: c.alarm_totals(T0),
    "alarm_steps": lambda c: c.alarm_steps(1),
    "action results": lambda c: (
        c.put_action_result(ResultRow(alarm_id=1, position=0, action="mail", state="done")),
        c.action_results(1),
        c.end_action_results("stopped"),
    ),
    "triage": lambda c: c.triage(ids=[1, 2], with_groups=True, status="closed", actor="ann", time_us=T0),
    "triage of a filter": lambda c: c.triage(
        filter=AlarmRowFilter(), status="closed", actor="ann", time_us=T0
    ),
    "undo_triage": lambda c: c.undo_triage("ann", T0),
    "prune_alarms": lambda c: c.prune_alarms(T0 + 5),
    "add_operations": lambda c: c.add_operations(
        [OperationRow(time_us=T0, actor="ann", type="camera.edit", text="x")]
    ),
    "prune_operations": lambda c: c.prune_operations({"normal": T0 + 5}),
    **{f"alarms {name}": lambda c, f=filter: c.alarms(f, now_us=T0) for name, filter in LISTS.items()},
    **{
        f"groups {name}": lambda c, f=filter: c.alarms(f, now_us=T0, grouped=True)
        for name, filter in LISTS.items()
        if "history" not in name
    },
    "alarm_index": lambda c: c.alarm_index(AlarmRowFilter(), 5, now_us=T0),
}


@pytest.mark.parametrize("name", CALLS)
def test_no_large_table_is_scanned(filled: Catalog, name: str) -> None:
    for statement, line in plans(filled, CALLS[name]):
        table = line.split()[1] if line.startswith("SCAN") and line not in SMALL_SCANS else ""
        assert table not in LARGE, f"{line}: {statement}"


def test_the_timeline_reads_only_its_index(filled: Catalog) -> None:
    lines = [line for statement, line in plans(filled, CALLS["coverage"]) if "FROM segment" in statement]
    assert lines
    assert all("COVERING INDEX segment_by_camera" in line for line in lines)
    assert not any("TEMP B-TREE" in line for line in lines)


@pytest.mark.parametrize("name", ["open", "of a rule and severity", "of a time", "of history"])
def test_the_list_comes_from_a_covering_index_in_order(filled: Catalog, name: str) -> None:
    lines = [line for statement, line in plans(filled, CALLS[f"alarms {name}"]) if "LIMIT" in statement]
    assert any("COVERING INDEX alarm_" in line for line in lines)
    assert not any("TEMP B-TREE" in line for line in lines)


def test_a_page_of_bookmarks_ends_with_its_last_row(filled: Catalog) -> None:
    """The newest come straight from the index, and the filter of a whole list is not sorted."""
    filter = BookmarkFilter(text="x", made_start_us=T0)
    lines = [
        line
        for statement, line in plans(filled, lambda c: c.bookmarks(filter, now_us=T0))
        if "FROM bookmark" in statement
    ]
    assert any("INDEX bookmark_by_start" in line for line in lines)
    assert not any("TEMP B-TREE" in line for line in lines)


def test_groups_of_the_open_list_read_no_alarm_but_those_shown(filled: Catalog) -> None:
    lines = [line for _, line in plans(filled, CALLS["groups open"])]
    assert not any(line.startswith("SCAN alarm USING") for line in lines)


def test_retention_reads_the_oldest_straight_from_its_index(filled: Catalog) -> None:
    lines = [
        line for statement, line in plans(filled, CALLS["recycle_candidates"]) if "FROM segment" in statement
    ]
    assert lines
    assert all("INDEX segment_by_age" in line for line in lines)
    assert not any("TEMP B-TREE" in line for line in lines)
