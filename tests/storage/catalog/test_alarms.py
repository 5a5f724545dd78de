from __future__ import annotations

import pytest

from storage.catalog.alarm_records import AlarmRow, ResultRow
from storage.catalog.db import Catalog
from storage.catalog.records import Severity
from storage.errors import Conflict, NotFound
from tests.storage.catalog.alarms import hit, listed, raise_alarms
from tests.storage.catalog.footage import SECOND, T0


def test_the_first_hit_raises_an_alarm_with_all_it_says(catalog: Catalog) -> None:
    (outcome,) = catalog.add_hits(
        [hit(count=3, last_us=T0 + 5, sound=2, is_live=True, severity=Severity.CRITICAL)]
    )
    assert outcome.is_new
    assert outcome.row == AlarmRow(
        id=1,
        rule_id=1,
        rule="night watch",
        kind="detection.motion",
        source="gate",
        camera="gate",
        severity=Severity.CRITICAL,
        status="new",
        first_us=T0,
        last_us=T0 + 5,
        count=3,
        text="motion in 12 cells",
        comment="",
        handler="",
        muted_until_us=None,
        sound=2,
        is_live=True,
        is_test=False,
    )
    assert catalog.alarm(1) == outcome.row


def test_a_hit_within_the_interval_joins_with_its_count_and_text(catalog: Catalog) -> None:
    first, second = catalog.add_hits([hit(), hit(30, count=9_999, text="motion in 500 cells")])
    assert (first.is_new, second.is_new) == (True, False)
    assert (second.row.id, second.row.count, second.row.last_us) == (1, 10_000, T0 + 30 * SECOND)
    assert catalog.alarm(1).text == "motion in 500 cells"


def test_the_interval_counts_from_the_last_event_not_from_the_first(catalog: Catalog) -> None:
    outcomes = catalog.add_hits([hit(0), hit(25), hit(50), hit(75), hit(105.000_001)])
    assert [outcome.is_new for outcome in outcomes] == [True, False, False, False, True]


@pytest.mark.parametrize(
    "other", [{"rule_id": 2}, {"rule_id": None}, {"kind": "detection.audio"}, {"source": "yard"}]
)
def test_only_hits_of_one_rule_kind_and_source_join(catalog: Catalog, other: dict[str, object]) -> None:
    outcomes = catalog.add_hits([hit(), hit(1, **other), hit(2), hit(3, **other)])
    assert [outcome.row.id for outcome in outcomes] == [1, 2, 1, 2]


def test_an_interval_of_nothing_raises_an_alarm_each(catalog: Catalog) -> None:
    outcomes = catalog.add_hits([hit(retrigger_us=0) for _ in range(3)])
    assert [outcome.is_new for outcome in outcomes] == [True, True, True]


def test_a_test_joins_nothing_and_nothing_joins_it(catalog: Catalog) -> None:
    outcomes = catalog.add_hits([hit(is_test=True), hit(), hit(is_test=True), hit()])
    assert [outcome.row.id for outcome in outcomes] == [1, 2, 3, 2]
    assert catalog.alarm(1).is_test


@pytest.mark.parametrize("status", ["closed", "false_alarm"])
def test_after_an_alarm_was_dealt_with_the_next_hit_raises_another(catalog: Catalog, status: str) -> None:
    catalog.add_hits([hit()])
    catalog.triage(ids=[1], status=status, actor="guard", time_us=T0)
    (outcome,) = catalog.add_hits([hit(1)])
    assert (outcome.is_new, outcome.row.id) == (True, 2)


def test_an_alarm_in_progress_or_muted_is_joined_and_stays_so(catalog: Catalog) -> None:
    catalog.add_hits([hit()])
    catalog.triage(ids=[1], status="in_progress", muted_until_us=T0 * 2, actor="guard", time_us=T0)
    (outcome,) = catalog.add_hits([hit(1)])
    assert not outcome.is_new
    assert (outcome.row.status, outcome.row.muted_until_us, outcome.row.count) == ("in_progress", T0 * 2, 2)


def test_an_older_open_alarm_is_not_joined_past_a_newer_one_that_is_closed(catalog: Catalog) -> None:
    catalog.add_hits([hit(0), hit(100)])
    catalog.triage(ids=[2], status="closed", actor="guard", time_us=T0)
    assert catalog.add_hits([hit(20)])[0].row.id == 3


def test_an_alarm_of_before_the_clock_was_set_back_swallows_nothing(catalog: Catalog) -> None:
    outcomes = catalog.add_hits([hit(86_400), hit(86_395), hit(0)])
    assert [outcome.is_new for outcome in outcomes] == [True, False, True]
    assert catalog.alarm(1).first_us == T0 + 86_395 * SECOND


def test_a_storm_is_counted_exactly_in_one_transaction(catalog: Catalog) -> None:
    hits = [
        hit(number / 1000, source=f"camera {number % 16}", count=1 + number % 7) for number in range(5_000)
    ]
    outcomes = catalog.add_hits(hits)
    assert sum(outcome.is_new for outcome in outcomes) == 16
    assert sum(row.count for row in listed(catalog)) == sum(each.count for each in hits)


def test_a_batch_that_cannot_be_written_leaves_nothing(catalog: Catalog) -> None:
    with pytest.raises(Conflict):
        catalog.add_hits([hit(), hit(1, source="yard", count=0)])
    assert (listed(catalog), catalog.alarm_totals(T0).revision) == ([], 0)
    assert catalog.add_hits([]) == []


def test_rows_refuse_what_makes_no_sense(catalog: Catalog) -> None:
    for wrong in (
        {"last_us": T0 - 1},
        {"first_us": 0, "last_us": 1},
        {"sound": 6},
        {"rule": ""},
        {"kind": ""},
    ):
        with pytest.raises(Conflict):
            catalog.add_hits([hit(**wrong)])


def test_totals_count_open_alarms_and_grow_with_every_change(catalog: Catalog) -> None:
    raise_alarms(catalog, 4, severity=Severity.CRITICAL)
    raised = catalog.alarm_totals(T0)
    assert (raised.new, raised.critical, raised.newest_id, raised.newest_us) == (4, 4, 4, T0 + 3 * SECOND)
    catalog.triage(ids=[1], status="in_progress", actor="guard", time_us=T0)
    catalog.triage(ids=[2], muted_until_us=T0 + 60 * SECOND, actor="guard", time_us=T0)
    catalog.triage(ids=[4], status="closed", actor="guard", time_us=T0)
    totals = catalog.alarm_totals(T0 + 1)
    assert (totals.new, totals.in_progress, totals.muted, totals.critical) == (1, 1, 1, 1)
    assert (totals.newest_id, totals.newest_us) == (4, T0 + 2 * SECOND)
    assert totals.revision > raised.revision
    later = catalog.alarm_totals(T0 + 60 * SECOND)
    assert (later.new, later.muted, later.critical, later.revision) == (2, 0, 2, totals.revision)


def test_a_mute_ends_at_its_very_microsecond(catalog: Catalog) -> None:
    raise_alarms(catalog, 1)
    catalog.triage(ids=[1], muted_until_us=T0 + 10, actor="guard", time_us=T0)
    assert [catalog.alarm_totals(T0 + each).muted for each in (9, 10)] == [1, 0]


# -- what came of the actions ---------------------------------------------------------------------------


def _result(position: int, state: str, **changes: object) -> ResultRow:
    return ResultRow(alarm_id=1, position=position, action=f"action {position}", state=state, **changes)  # type: ignore[arg-type]


def test_results_are_kept_by_their_place_and_the_newest_holds(catalog: Catalog) -> None:
    raise_alarms(catalog, 1)
    catalog.put_action_results([_result(1, "waiting"), _result(0, "running", tries=1, time_us=T0)])
    catalog.put_action_result(_result(1, "failed", tries=3, text="no answer", time_us=T0 + 5))
    assert catalog.action_results(1) == [
        _result(0, "running", tries=1, time_us=T0),
        _result(1, "failed", tries=3, text="no answer", time_us=T0 + 5),
    ]


def test_a_result_of_an_alarm_that_is_gone_is_dropped(catalog: Catalog) -> None:
    catalog.put_action_result(_result(0, "done"))
    assert catalog._rows("SELECT * FROM alarm_result") == []
    with pytest.raises(NotFound):
        catalog.action_results(1)


def test_what_was_under_way_when_the_engine_stopped_has_failed(catalog: Catalog) -> None:
    raise_alarms(catalog, 1)
    catalog.put_action_results([_result(0, "running"), _result(1, "waiting"), _result(2, "done")])
    assert catalog.end_action_results("the engine was stopped") == 2
    assert [each.state for each in catalog.action_results(1)] == ["failed", "failed", "done"]
    assert catalog.end_action_results("again") == 0


# -- the end --------------------------------------------------------------------------------------------


def test_alarms_go_by_their_last_event_whatever_their_status_with_all_they_had(catalog: Catalog) -> None:
    raise_alarms(catalog, 6)
    catalog.triage(ids=[1, 2], status="closed", actor="guard", time_us=T0)
    catalog.triage(ids=[2, 6], comment="look", actor="guard", time_us=T0)
    catalog.put_action_result(_result(0, "done"))
    before_us = T0 + 4 * SECOND
    assert [catalog.prune_alarms(before_us, 3) for _ in range(3)] == [3, 1, 0]
    assert [row.id for row in listed(catalog)] == [6, 5]
    assert catalog._rows("SELECT id FROM alarm_step") == [(2,)]
    assert catalog._rows("SELECT count(*) FROM alarm_result") == [(0,)]
    assert [step.what for step in catalog.alarm_steps(6)] == ["comment"]
    assert catalog.alarm_totals(T0).new == 2
    assert catalog._rows("SELECT rowid FROM alarm_words WHERE alarm_words MATCH 'camera'") == [(5,), (6,)]


def test_the_newest_alarms_stay_whatever_the_clock_says(catalog: Catalog) -> None:
    raise_alarms(catalog, 5)
    assert catalog.prune_alarms(T0 * 2, keep_at_least=2) == 3
    assert catalog.prune_alarms(T0 * 2, keep_at_least=2) == 0
    assert [row.id for row in listed(catalog)] == [5, 4]


def test_ids_of_alarms_are_never_used_again(catalog: Catalog) -> None:
    raise_alarms(catalog, 2)
    assert catalog.prune_alarms(T0 * 2) == 2
    assert catalog.add_hits([hit()])[0].row.id == 3
    with pytest.raises(NotFound):
        catalog.alarm(2)
