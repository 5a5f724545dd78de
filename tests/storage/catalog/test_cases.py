"""Cases: order, names, limits, and the locks that keep their footage."""

from __future__ import annotations

import pytest

from storage.catalog import cases
from storage.catalog.cases import CaseRow
from storage.catalog.changes import EndRun
from storage.catalog.db import Catalog
from storage.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from tests.storage.catalog.footage import SECOND, T0, add_camera, add_segment, add_volume, begin_run


@pytest.fixture
def gate(catalog: Catalog) -> int:
    """A camera with three segments of 10 s each."""
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    run = begin_run(catalog, camera_id)
    for number in range(3):
        start_us = T0 + number * 10 * SECOND
        add_segment(catalog, run, number, volume_id, start_us, start_us + 10 * SECOND)
    return camera_id


def add(catalog: Catalog, name: str = "theft", comment: str = "") -> CaseRow:
    return catalog.add_case(name=name, comment=comment, created_us=T0, created_by="ann")


def put(
    catalog: Catalog, case: CaseRow, camera_id: int, from_s: int, to_s: int, comment: str = ""
) -> CaseRow:
    return catalog.add_case_item(
        case.id,
        camera_id=camera_id,
        start_us=T0 + from_s * SECOND,
        end_us=T0 + to_s * SECOND,
        comment=comment,
        added_us=T0,
        added_by="ann",
    )


def free(catalog: Catalog) -> list[int]:
    """Seconds at which the segments begin that may be recycled."""
    group_id = catalog.group("main").id
    return [(each.start_us - T0) // SECOND for each in catalog.recycle_candidates(group_id, 10)]


def test_an_item_is_locked_while_it_is_in_the_case(catalog: Catalog, gate: int) -> None:
    case = put(catalog, add(catalog), gate, 12, 18)
    assert free(catalog) == [0, 20]
    (lock,) = catalog.locks()
    assert (lock.reason, lock.created_by, lock.expires_us) == ("case theft", "ann", None)
    case = catalog.remove_case_item(case.id, case.items[0].id)
    assert case.items == ()
    assert free(catalog) == [0, 10, 20]
    assert catalog.locks() == []
    assert catalog.miscounted_locks() == 0


def test_two_items_of_the_same_footage_lock_it_twice(catalog: Catalog, gate: int) -> None:
    case = put(catalog, put(catalog, add(catalog), gate, 12, 18), gate, 15, 25)
    case = catalog.remove_case_item(case.id, case.items[0].id)
    assert free(catalog) == [0]
    catalog.remove_case(case.id)
    assert free(catalog) == [0, 10, 20]
    assert catalog.miscounted_locks() == 0


def test_another_stretch_is_locked_and_the_old_one_free(catalog: Catalog, gate: int) -> None:
    case = put(catalog, add(catalog), gate, 2, 8, "he comes")
    (item,) = case.items
    case = catalog.edit_case_item(
        case.id,
        item.id,
        start_us=T0 + 21 * SECOND,
        end_us=T0 + 22 * SECOND,
        edited_us=T0 + 1,
        edited_by="bob",
    )
    assert free(catalog) == [0, 10]
    (moved,) = case.items
    assert (moved.start_us, moved.comment, moved.added_by) == (T0 + 21 * SECOND, "he comes", "ann")
    case = catalog.edit_case_item(case.id, item.id, comment="he goes", edited_us=T0 + 2)
    assert case.items[0].comment == "he goes"
    assert case.items[0].lock_id == moved.lock_id
    assert free(catalog) == [0, 10]
    assert catalog.miscounted_locks() == 0


def test_a_new_name_is_that_of_the_locks_too(catalog: Catalog, gate: int) -> None:
    case = put(catalog, add(catalog), gate, 2, 8)
    catalog.edit_case(case.id, name="burglary")
    assert [lock.reason for lock in catalog.locks()] == ["case burglary"]


def test_items_stand_in_the_order_given(catalog: Catalog, gate: int) -> None:
    case = add(catalog)
    for start in (0, 5, 10):
        case = put(catalog, case, gate, start, start + 2)
    first, second, third = (item.id for item in case.items)
    case = catalog.edit_case(case.id, order=(third, first, second))
    assert [item.id for item in case.items] == [third, first, second]
    case = put(catalog, case, gate, 20, 22)
    assert [item.id for item in case.items][:3] == [third, first, second]
    for wrong in ((third, first), (third, first, first, second), (1, 2, 3, 99)):
        with pytest.raises(InvalidInput, match="each item"):
            catalog.edit_case(case.id, order=wrong)
    assert [item.id for item in catalog.case("theft").items][:3] == [third, first, second]


def test_an_item_is_valid_while_some_of_its_footage_is_there(catalog: Catalog, gate: int) -> None:
    case = put(catalog, put(catalog, add(catalog), gate, 5, 15), gate, 100, 110)
    assert [item.is_valid for item in case.items] == [True, False]
    (lock,) = [lock for lock in catalog.locks() if lock.start_us == T0 + 5 * SECOND]
    catalog.remove_lock(lock.id)
    assert catalog.case(case.id).items[0].lock_id is None
    ids = [each.id for each in catalog.recycle_candidates(catalog.group("main").id, 10)]
    catalog.mark_deleting(ids[:2])
    assert [item.is_valid for item in catalog.case(case.id).items] == [False, False]
    catalog.forget(ids[:2])
    catalog.remove_case(case.id)


def test_a_lock_released_by_hand_does_not_hold_up_the_rest(catalog: Catalog, gate: int) -> None:
    case = put(catalog, add(catalog), gate, 5, 15)
    catalog.remove_lock(catalog.locks()[0].id)
    catalog.remove_case(case.id)
    assert catalog.cases() == []


def test_names_are_one_each_and_found_in_any_case_or_by_number(catalog: Catalog) -> None:
    case = add(catalog, "  Theft 7 ", "at night")
    assert catalog.case("theft 7") == catalog.case(str(case.id)) == catalog.case(case.id) == case
    with pytest.raises(AlreadyExists):
        add(catalog, "THEFT 7")
    other = add(catalog, "other")
    with pytest.raises(AlreadyExists):
        catalog.edit_case(other.id, name="theft 7")
    assert catalog.edit_case(case.id, name="THEFT 7").name == "THEFT 7"
    assert [each.name for each in catalog.cases()] == ["other", "THEFT 7"]
    for ref in ("nothing", "99", 99):
        with pytest.raises(NotFound):
            catalog.case(ref)


def test_a_case_of_an_earlier_version_that_is_called_like_a_number_can_be_edited_and_hides_no_other(
    catalog: Catalog,
) -> None:
    """Consoles name cases by their numbers: a removal must not hit the one that is called so."""
    first = catalog.add_case(name="first", created_us=T0)
    old = catalog.add_case(name="old", created_us=T0)
    catalog._run("UPDATE evidence_case SET name = ? WHERE id = ?", (str(first.id), old.id))
    assert catalog.case(str(first.id)).name == "first"
    assert catalog.edit_case(old.id, name=str(first.id), comment="kept").comment == "kept"
    with pytest.raises(InvalidInput, match="reads as the number"):
        catalog.edit_case(old.id, name="77")
    catalog._run("UPDATE evidence_case SET name = '2024' WHERE id = ?", (old.id,))
    assert catalog.case("2024").id == old.id


def test_what_is_no_case_is_refused(catalog: Catalog, gate: int) -> None:
    with pytest.raises(InvalidInput):
        add(catalog, " ")
    with pytest.raises(InvalidInput):
        add(catalog, "a", "x" * 4_001)
    case = add(catalog)
    for from_s, to_s in ((5, 5), (5, 4), (0, 86_401)):
        with pytest.raises(InvalidInput):
            put(catalog, case, gate, from_s, to_s)
    case = put(catalog, case, gate, 0, 1)
    other = add(catalog, "other")
    with pytest.raises(NotFound):
        catalog.remove_case_item(other.id, case.items[0].id)
    with pytest.raises(NotFound):
        catalog.edit_case_item(case.id, 99, comment="x", edited_us=T0)
    assert free(catalog) == [10, 20]


def test_there_are_only_so_many(catalog: Catalog, gate: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "CASE_LIMIT", 2)
    monkeypatch.setattr(cases, "ITEM_LIMIT", 2)
    case = add(catalog)
    add(catalog, "second")
    with pytest.raises(Conflict):
        add(catalog, "third")
    for _ in range(2):
        put(catalog, case, gate, 0, 1)
    with pytest.raises(Conflict):
        put(catalog, case, gate, 0, 1)
    assert len(catalog.locks()) == 2


def test_footage_that_comes_later_is_locked_too(catalog: Catalog, gate: int) -> None:
    put(catalog, add(catalog), gate, 25, 45)
    volume_id = catalog.volumes()[0].id
    run = begin_run(catalog, gate, T0 + 30 * SECOND)
    add_segment(catalog, run, 0, volume_id, T0 + 30 * SECOND, T0 + 40 * SECOND)
    assert free(catalog) == [0, 10]


def test_a_removed_camera_keeps_its_name_while_a_case_has_it(catalog: Catalog, gate: int) -> None:
    case = put(catalog, add(catalog), gate, 2, 8)
    catalog.remove_lock(catalog.locks()[0].id)
    catalog.remove_camera(catalog.camera(gate).uuid)
    ids = [each.id for each in catalog.recycle_candidates(catalog.group("main").id, 10)]
    catalog.mark_deleting(ids)
    catalog.forget(ids)
    for run in catalog.unended_runs():
        catalog.apply([EndRun(run.uuid, T0 + 40 * SECOND, "stopped")])
    (item,) = catalog.case(case.id).items
    assert (item.camera, item.is_valid) == ("gate", False)
    catalog.remove_case_item(case.id, item.id)
    with pytest.raises(NotFound):
        catalog.camera(gate, with_removed=True)
