from __future__ import annotations

import pytest

from storage.catalog.alarm_records import RuleRow
from storage.catalog.db import Catalog
from storage.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from tests.storage.catalog.alarms import hit
from tests.storage.catalog.footage import T0


def add(catalog: Catalog, name: str = "night watch", body: str | bytes = "{}") -> RuleRow:
    return catalog.add_alarm_rule(name=name, body=body, created_us=T0, created_by="ann")


def test_a_rule_is_found_by_name_and_by_number(catalog: Catalog) -> None:
    rule = add(catalog, "  night watch ", b'{"a": 1}')
    assert rule == RuleRow(
        id=1, name="night watch", body='{"a": 1}', is_enabled=True, created_us=T0, created_by="ann"
    )
    assert [catalog.alarm_rule(ref) for ref in ("NIGHT watch", "1", 1)] == [rule] * 3
    for ref in ("nobody", "2", 2):
        with pytest.raises(NotFound):
            catalog.alarm_rule(ref)


def test_a_name_that_looks_like_a_number_comes_first(catalog: Catalog) -> None:
    add(catalog)
    second = add(catalog, "1")
    assert catalog.alarm_rule("1") == second
    assert catalog.alarm_rule(1).name == "night watch"


def test_two_rules_never_share_a_name(catalog: Catalog) -> None:
    add(catalog)
    other = add(catalog, "other")
    with pytest.raises(AlreadyExists):
        add(catalog, "Night Watch")
    with pytest.raises(AlreadyExists):
        catalog.update_alarm_rule(other.id, name="NIGHT WATCH")
    assert catalog.update_alarm_rule(other.id, name="Other").name == "Other"


def test_an_edit_changes_only_what_it_names(catalog: Catalog) -> None:
    rule = add(catalog)
    assert catalog.update_alarm_rule(rule.id, is_enabled=False).is_enabled is False
    edited = catalog.update_alarm_rule(rule.id, body='{"b": 2}')
    assert (edited.body, edited.is_enabled, edited.name) == ('{"b": 2}', False, "night watch")
    with pytest.raises(NotFound):
        catalog.update_alarm_rule(9, name="x")


def test_what_is_no_rule_is_refused(catalog: Catalog) -> None:
    for name, body, error in (
        ("", "{}", InvalidInput),
        ("a", "no JSON", Conflict),
        ("a", b"\xff", InvalidInput),
    ):
        with pytest.raises(error):
            add(catalog, name, body)
    assert catalog.alarm_rules() == []


def test_a_rule_knows_what_it_raised_and_alarms_outlive_it(catalog: Catalog) -> None:
    rule = add(catalog)
    catalog.add_hits([hit(0, rule_id=rule.id), hit(5, rule_id=rule.id), hit(100, rule_id=rule.id)])
    again = catalog.alarm_rule(rule.id)
    assert (again.raised, again.last_raised_us) == (2, T0 + 100_000_000)
    catalog.prune_alarms(T0 + 50_000_000)
    assert catalog.alarm_rule(rule.id).raised == 1
    catalog.update_alarm_rule(rule.id, name="renamed")
    catalog.remove_alarm_rule(rule.id)
    assert (catalog.alarm(2).rule, catalog.alarm(2).rule_id) == ("night watch", rule.id)
    assert add(catalog).id == rule.id + 1
    with pytest.raises(NotFound):
        catalog.remove_alarm_rule(rule.id)


def test_named_weeks_are_made_changed_and_removed(catalog: Catalog) -> None:
    assert catalog.put_schedule_template("Office hours", '{"zone": "UTC"}') == (
        "Office hours",
        '{"zone": "UTC"}',
    )
    catalog.put_schedule_template("always", b"{}")
    catalog.put_schedule_template("office HOURS", "[]")
    assert catalog.schedule_templates() == [("always", "{}"), ("Office hours", "[]")]
    catalog.remove_schedule_template("OFFICE hours")
    assert [each.name for each in catalog.schedule_templates()] == ["always"]
    with pytest.raises(NotFound):
        catalog.remove_schedule_template("office hours")
    with pytest.raises(InvalidInput):
        catalog.put_schedule_template("", "{}")
