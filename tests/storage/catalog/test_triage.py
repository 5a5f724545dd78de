from __future__ import annotations

import sqlite3

import pytest

from storage.catalog.alarm_records import AlarmRowFilter, StepRow
from storage.catalog.db import Catalog
from storage.errors import Conflict, InvalidInput, NotFound
from tests.storage.catalog.alarms import hit, listed, raise_alarms
from tests.storage.catalog.footage import SECOND, T0


def test_a_step_changes_what_it_says_and_leaves_the_rest(catalog: Catalog) -> None:
    raise_alarms(catalog, 2)
    step_id, changed = catalog.triage(
        ids=[1], status="in_progress", comment="I go and look", actor="ann", time_us=T0 + 5
    )
    assert changed == 1
    alarm = catalog.alarm(1)
    assert (alarm.status, alarm.comment, alarm.handler, alarm.muted_until_us) == (
        "in_progress",
        "I go and look",
        "ann",
        None,
    )
    assert catalog.alarm(2).status == "new"
    assert catalog.alarm_steps(1) == [
        StepRow(
            id=step_id,
            time_us=T0 + 5,
            actor="ann",
            what="status",
            old_status="new",
            new_status="in_progress",
            comment="I go and look",
        )
    ]
    assert catalog.alarm_steps(2) == []


def test_every_step_is_in_the_history_oldest_first(catalog: Catalog) -> None:
    raise_alarms(catalog, 1)
    catalog.triage(ids=[1], comment="a", actor="ann", time_us=T0)
    catalog.triage(ids=[1], muted_until_us=T0 * 2, actor="ben", time_us=T0 + 1)
    catalog.triage(ids=[1], muted_until_us=0, actor="ann", time_us=T0 + 2)
    catalog.triage(ids=[1], status="closed", actor="ben", time_us=T0 + 3)
    steps = catalog.alarm_steps(1)
    assert [(step.what, step.actor, step.muted_until_us) for step in steps] == [
        ("comment", "ann", None),
        ("mute", "ben", T0 * 2),
        ("mute", "ann", None),
        ("status", "ben", None),
    ]
    alarm = catalog.alarm(1)
    assert (alarm.status, alarm.comment, alarm.handler, alarm.muted_until_us) == ("closed", "a", "ben", None)


def test_ten_thousand_alarms_are_one_step(catalog: Catalog) -> None:
    catalog.add_hits(
        [hit(number, source=f"camera {number % 100}", retrigger_us=0) for number in range(10_000)]
    )
    statements: list[str] = []
    catalog._connection.set_trace_callback(statements.append)
    step_id, changed = catalog.triage(ids=range(1, 10_001), status="false_alarm", actor="ann", time_us=T0)
    catalog._connection.set_trace_callback(None)
    assert (step_id, changed) == (1, 10_000)
    assert len(set(statements)) < 40, "a statement for each alarm"
    assert catalog.alarm_totals(T0).new == 0
    assert catalog.undo_triage("ann", T0) == (2, 10_000)
    assert catalog.alarm_totals(T0).new == 10_000


def test_a_filter_means_what_was_there_when_the_operator_looked(catalog: Catalog) -> None:
    raise_alarms(catalog, 5)
    catalog.triage(ids=[2], muted_until_us=T0 + 60 * SECOND, actor="ann", time_us=T0)
    filter = AlarmRowFilter(up_to_id=3, text="camera")
    assert catalog.triage(filter=filter, status="closed", actor="ann", time_us=T0 + 1)[1] == 2
    assert {row.id: row.status for row in listed(catalog)} == {
        1: "closed",
        2: "new",
        3: "closed",
        4: "new",
        5: "new",
    }


def test_a_group_is_all_open_alarms_up_to_the_one_that_was_seen(catalog: Catalog) -> None:
    catalog.add_hits([hit(number * 100) for number in range(5)])
    catalog.add_hits([hit(0, source="yard"), hit(0, kind="detection.audio")])
    catalog.triage(ids=[2], status="closed", actor="ben", time_us=T0)
    catalog.triage(ids=[3], muted_until_us=T0 * 2, actor="ben", time_us=T0)
    assert catalog.triage(ids=[4, 1], with_groups=True, status="false_alarm", actor="ann", time_us=T0)[1] == 3
    assert {row.id: row.status for row in listed(catalog)} == {
        1: "false_alarm",
        2: "closed",
        3: "false_alarm",
        4: "false_alarm",
        5: "new",
        6: "new",
        7: "new",
    }


def test_ids_that_are_gone_or_given_twice_do_no_harm(catalog: Catalog) -> None:
    raise_alarms(catalog, 2)
    assert catalog.triage(ids=[1, 1, 99], comment="x", actor="ann", time_us=T0)[1] == 1
    with pytest.raises(NotFound, match="none of these alarms"):
        catalog.triage(ids=[98, 99], comment="x", actor="ann", time_us=T0)
    with pytest.raises(NotFound, match="no alarm is like that"):
        catalog.triage(filter=AlarmRowFilter(text="elephant"), comment="x", actor="ann", time_us=T0)
    assert catalog._rows("SELECT count(*) FROM alarm_step") == [(1,)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "closed"},
        {"ids": [1], "filter": AlarmRowFilter(), "status": "closed"},
        {"ids": [1]},
        {"ids": [1], "status": "lost"},
    ],
)
def test_a_step_that_says_too_much_or_too_little_is_refused(
    catalog: Catalog, wrong: dict[str, object]
) -> None:
    raise_alarms(catalog, 1)
    with pytest.raises(InvalidInput):
        catalog.triage(**wrong, actor="ann", time_us=T0)  # type: ignore[arg-type]
    assert catalog.alarm_steps(1) == []


# -- undo ------------------------------------------------------------------------------------------------


def test_undo_restores_status_mute_comment_and_handler_exactly(catalog: Catalog) -> None:
    raise_alarms(catalog, 3)
    catalog.triage(ids=[2], muted_until_us=T0 + 9, comment="seen", actor="ben", time_us=T0)
    catalog.triage(ids=[3], status="in_progress", actor="cid", time_us=T0)
    before = listed(catalog)
    catalog.triage(
        ids=[1, 2, 3], status="closed", muted_until_us=T0 + 99, comment="", actor="ann", time_us=T0
    )
    assert catalog.undo_triage("ann", T0 + 1)[1] == 3
    assert listed(catalog) == before


def test_an_undo_is_a_step_of_its_own_and_nothing_of_the_history_goes(catalog: Catalog) -> None:
    raise_alarms(catalog, 1)
    catalog.triage(ids=[1], status="closed", comment="a", actor="ann", time_us=T0)
    catalog.undo_triage("ann", T0 + 1)
    first, second = catalog.alarm_steps(1)
    assert (first.what, first.comment, first.is_undone) == ("status", "a", True)
    assert (second.what, second.actor, second.old_status, second.new_status, second.is_undone) == (
        "undo",
        "ann",
        "closed",
        "new",
        False,
    )


def test_a_second_undo_takes_back_the_step_before(catalog: Catalog) -> None:
    raise_alarms(catalog, 1)
    before = listed(catalog)
    catalog.triage(ids=[1], comment="a", actor="ann", time_us=T0)
    between = listed(catalog)
    catalog.triage(ids=[1], status="closed", actor="ann", time_us=T0)
    catalog.undo_triage("ann", T0)
    assert listed(catalog) == between
    catalog.undo_triage("ann", T0)
    assert listed(catalog) == before
    with pytest.raises(NotFound, match="no step to take back"):
        catalog.undo_triage("ann", T0)


def test_alarms_somebody_has_touched_since_are_left(catalog: Catalog) -> None:
    raise_alarms(catalog, 3)
    catalog.triage(ids=[1, 2, 3], status="closed", actor="ann", time_us=T0)
    catalog.triage(ids=[2], comment="no, look", actor="ben", time_us=T0)
    assert catalog.undo_triage("ann", T0)[1] == 2
    assert {row.id: row.status for row in listed(catalog)} == {1: "new", 2: "closed", 3: "new"}
    assert [step.is_undone for step in catalog.alarm_steps(2)] == [False, False]
    assert catalog.undo_triage("ben", T0)[1] == 1
    assert catalog.alarm(2).handler == "ann"


def test_a_step_that_others_have_gone_over_entirely_is_not_taken_back(catalog: Catalog) -> None:
    raise_alarms(catalog, 1)
    catalog.triage(ids=[1], status="closed", actor="ann", time_us=T0)
    catalog.triage(ids=[1], comment="mine now", actor="ben", time_us=T0)
    with pytest.raises(Conflict, match="handled all of these alarms since"):
        catalog.undo_triage("ann", T0)
    catalog.undo_triage("ben", T0)
    assert catalog.undo_triage("ann", T0)[1] == 1


def test_nobody_takes_back_the_step_of_another(catalog: Catalog) -> None:
    raise_alarms(catalog, 1)
    catalog.triage(ids=[1], status="closed", actor="ann", time_us=T0)
    with pytest.raises(NotFound):
        catalog.undo_triage("ben", T0)


def test_undo_gives_back_what_came_of_events_meanwhile(catalog: Catalog) -> None:
    catalog.add_hits([hit()])
    catalog.triage(ids=[1], status="in_progress", actor="ann", time_us=T0)
    catalog.add_hits([hit(5, count=7)])
    catalog.undo_triage("ann", T0)
    alarm = catalog.alarm(1)
    assert (alarm.status, alarm.count, alarm.last_us) == ("new", 8, T0 + 5 * SECOND)


# -- history is not edited -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE alarm_step SET actor = 'somebody'",
        "UPDATE alarm_step SET comment = ''",
        "UPDATE alarm_step SET is_undone = 0 WHERE is_undone = 1",
        "DELETE FROM alarm_step",
        "INSERT OR REPLACE INTO alarm_step (id, time_us, actor, what) VALUES (1, 1, 'somebody', 'status')",
        "UPDATE alarm_step_alarm SET old_status = 3",
        "UPDATE alarm_step_alarm SET new_muted_until_us = 1",
        "UPDATE alarm_step_alarm SET is_undone = 0 WHERE is_undone = 1",
        "DELETE FROM alarm_step_alarm",
        "REPLACE INTO alarm_step_alarm SELECT alarm_id, step_id, 3, NULL, '', '', NULL, 3, NULL, 0 FROM alarm_step_alarm",
    ],
)
@pytest.mark.parametrize("other", [False, True])
def test_history_refuses_to_be_changed_through_any_connection(
    catalog: Catalog, statement: str, other: bool
) -> None:
    raise_alarms(catalog, 1)
    catalog.triage(ids=[1], status="closed", comment="a", actor="ann", time_us=T0)
    catalog.undo_triage("ann", T0)
    history = catalog.alarm_steps(1)
    connection = sqlite3.connect(catalog.path, isolation_level=None) if other else catalog._connection
    with pytest.raises(sqlite3.IntegrityError, match="the history of alarms"):
        connection.execute(statement)
    if other:
        connection.close()
    assert catalog.alarm_steps(1) == history
