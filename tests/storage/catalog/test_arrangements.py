from __future__ import annotations

import pytest

from storage.catalog import arrangements
from storage.catalog.arrangements import ArrangementKind, StartUpRecord
from storage.catalog.db import Catalog
from storage.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from tests.storage.catalog.footage import T0


def put(
    catalog: Catalog, kind: ArrangementKind, name: str, body: str = "{}", known_as: str | None = None
) -> str:
    return catalog.put_arrangement(
        kind, name if known_as is None else known_as, name=name, body=body, changed_us=T0, changed_by="ann"
    )


def tour_of(*views: str) -> str:
    return '{"stops":[' + ",".join(f'{{"view":"{view}","seconds":5}}' for view in views) + "]}"


def bodies(catalog: Catalog) -> dict[tuple[str, str], str]:
    return {(row.kind, row.name): row.body for row in catalog.arrangements()[0]}


def test_names_are_the_same_in_any_case_and_of_each_kind_for_itself(catalog: Catalog) -> None:
    assert put(catalog, "view", "Gates", '{"a":1}') == ""
    assert put(catalog, "layout", "gates") == ""
    assert put(catalog, "view", "GATES", '{"a":2}') == "Gates"
    assert bodies(catalog) == {("view", "GATES"): '{"a":2}', ("layout", "gates"): "{}"}


def test_a_name_that_is_taken_or_was_never_there_is_refused(catalog: Catalog) -> None:
    put(catalog, "view", "a")
    put(catalog, "view", "b")
    with pytest.raises(AlreadyExists):
        put(catalog, "view", "B", known_as="a")
    with pytest.raises(NotFound):
        put(catalog, "view", "c", known_as="nobody")
    with pytest.raises(InvalidInput):
        put(catalog, "view", "a/b", known_as="a")
    assert set(bodies(catalog)) == {("view", "a"), ("view", "b")}


def test_tours_and_start_up_follow_a_renamed_view(catalog: Catalog) -> None:
    put(catalog, "view", "yard")
    put(catalog, "view", "doors")
    put(catalog, "tour", "night", tour_of("YARD", "doors", "yard"))
    catalog.put_start_up([StartUpRecord(terminal="tty1", shows="view YARD")])
    assert put(catalog, "view", "court", known_as="Yard") == "yard"
    assert bodies(catalog)["tour", "night"] == tour_of("court", "doors", "court")
    assert catalog.arrangements()[1] == (StartUpRecord(terminal="tty1", shows="view court"),)


def test_start_up_follows_a_renamed_tour_and_rows_about_others_stay(catalog: Catalog) -> None:
    put(catalog, "view", "night")
    put(catalog, "tour", "night", tour_of("night"))
    rows = [
        StartUpRecord(terminal="tty1", shows="tour night"),
        StartUpRecord(terminal="ssh", shows="view night"),
        StartUpRecord(terminal="*", shows="dashboard"),
    ]
    catalog.put_start_up(rows)
    put(catalog, "tour", "rounds", tour_of("night"), known_as="night")
    assert [row.shows for row in catalog.arrangements()[1]] == ["tour rounds", "view night", "dashboard"]


def test_what_is_shown_is_not_removed_and_the_error_says_by_what(catalog: Catalog) -> None:
    put(catalog, "view", "yard")
    put(catalog, "tour", "night", tour_of("yard"))
    catalog.put_start_up([StartUpRecord(terminal="tty1", shows="tour night")])
    with pytest.raises(Conflict, match="the tour 'night'"):
        catalog.remove_arrangement("view", "YARD")
    with pytest.raises(Conflict, match="consoles on tty1"):
        catalog.remove_arrangement("tour", "night")
    catalog.put_start_up([])
    assert catalog.remove_arrangement("tour", "Night") == "night"
    assert catalog.remove_arrangement("view", "yard") == "yard"
    assert bodies(catalog) == {}
    with pytest.raises(NotFound):
        catalog.remove_arrangement("view", "yard")


def test_tours_and_start_up_name_what_is_there(catalog: Catalog) -> None:
    put(catalog, "view", "yard")
    with pytest.raises(NotFound, match="'roof'"):
        put(catalog, "tour", "night", tour_of("yard", "roof"))
    with pytest.raises(NotFound, match="no tour is called 'night'"):
        catalog.put_start_up([StartUpRecord(terminal="tty1", shows="tour night")])
    assert catalog.arrangements()[1] == ()


def test_there_is_an_end_to_how_many(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrangements, "KIND_LIMIT", 2)
    put(catalog, "view", "a")
    put(catalog, "view", "b")
    with pytest.raises(Conflict, match="2 views"):
        put(catalog, "view", "c")
    put(catalog, "view", "c", known_as="b")
    put(catalog, "layout", "c")


def test_what_is_no_json_is_refused(catalog: Catalog) -> None:
    with pytest.raises(Conflict):
        put(catalog, "view", "a", "{")
    assert bodies(catalog) == {}


def test_how_a_wall_was_left_is_each_persons_own_by_terminal(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrangements, "TERMINAL_LIMIT", 2)
    assert catalog.last_wall("ann", "tty1") is None
    catalog.put_last_wall("ann", "tty1", '{"a":1}')
    catalog.put_last_wall("ann b", "tty1", '{"b":1}')
    catalog.put_last_wall("ann", "tty2", '{"a":2}')
    catalog.put_last_wall("ann", "tty1", '{"a":3}')
    assert catalog.last_wall("ann", "tty1") == '{"a":3}'
    assert catalog.last_wall("ann b", "tty1") == '{"b":1}'
    assert catalog.last_wall("ann b", "tty2") is None
    catalog.put_last_wall("ann", "ssh", "{}")
    assert [catalog.last_wall("ann", terminal) for terminal in ("tty2", "tty1", "ssh")] == [
        None,
        '{"a":3}',
        "{}",
    ]
