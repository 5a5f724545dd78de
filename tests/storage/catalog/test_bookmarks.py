"""Bookmarks and their locks: made, moved, given up, outlived. Manual rows BM, rule 1, Q-14."""

from __future__ import annotations

from typing import Any

import pytest

from storage.catalog.bookmarks import LENGTH_LIMIT_US, UNWRITTEN_US, BookmarkFilter, BookmarkRow
from storage.catalog.changes import EndRun
from storage.catalog.db import Catalog
from storage.errors import InvalidInput, NotFound
from storage.units import US_PER_DAY
from tests.storage.catalog.footage import SECOND, T0, add_camera, add_segment, add_volume, begin_run

NOW = T0 + 30 * US_PER_DAY


class Footage:
    """Ten segments of ten seconds of camera 1."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.camera_id, volume_id = add_camera(catalog), add_volume(catalog)
        self.run = begin_run(catalog, self.camera_id)
        self.segments = [
            add_segment(
                catalog, self.run, each, volume_id, T0 + each * 10 * SECOND, T0 + (each + 1) * 10 * SECOND
            )
            for each in range(10)
        ]

    def bookmark(self, start_s: float, length_s: float = 10, **fields: Any) -> BookmarkRow:
        start_us = T0 + int(start_s * SECOND)
        return self.catalog.add_bookmark(
            **{
                "camera_id": self.camera_id,
                "start_us": start_us,
                "end_us": start_us + int(length_s * SECOND),
                "now_us": NOW,
                **fields,
            }
        )

    def recyclable(self) -> list[int]:
        """Which of the ten may go."""
        return [self.segments.index(each.id) for each in self.catalog.recycle_candidates(1, 99)]

    def recycle_all(self) -> None:
        gone = self.catalog.mark_deleting(self.segments)
        self.catalog.forget(gone)


@pytest.fixture
def footage(catalog: Catalog) -> Footage:
    return Footage(catalog)


def test_what_is_bookmarked_is_not_recycled_until_the_bookmark_goes(footage: Footage) -> None:
    made = footage.bookmark(25, name="theft", note="a red van", created_by="anna")
    assert (made.camera, made.name, made.note, made.created_by) == ("gate", "theft", "a red van", "anna")
    assert (made.is_valid, made.is_protected, made.expires_us) == (True, True, None)
    assert footage.recyclable() == [0, 1, 4, 5, 6, 7, 8, 9]
    (lock,) = footage.catalog.locks()
    assert (lock.reason, lock.created_by) == ("theft: a red van", "anna")
    assert footage.catalog.remove_bookmark(made.id, now_us=NOW) == made
    assert footage.recyclable() == list(range(10))
    assert footage.catalog.locks() == []
    with pytest.raises(NotFound, match="no bookmark"):
        footage.catalog.bookmark(made.id, now_us=NOW)
    assert footage.catalog.miscounted_locks() == 0


def test_an_edit_takes_the_lock_along(footage: Footage) -> None:
    made = footage.bookmark(25, keep_days=3)
    moved = footage.catalog.edit_bookmark(
        made.id, now_us=NOW, start_us=T0 + 55 * SECOND, end_us=T0 + 79 * SECOND
    )
    assert (moved.start_us, moved.end_us) == (T0 + 55 * SECOND, T0 + 79 * SECOND)
    assert moved.expires_us == made.expires_us == NOW + 3 * US_PER_DAY
    assert footage.recyclable() == [0, 1, 2, 3, 4, 8, 9]
    longer = footage.catalog.edit_bookmark(made.id, now_us=NOW + 5, keep_days=9, name="van")
    assert (longer.expires_us, longer.name, longer.start_us) == (
        NOW + 5 + 9 * US_PER_DAY,
        "van",
        moved.start_us,
    )
    for_ever = footage.catalog.edit_bookmark(made.id, now_us=NOW + 5, keep_days=0)
    assert (for_ever.is_protected, for_ever.expires_us) == (True, None)
    assert [lock.reason for lock in footage.catalog.locks()] == ["van"]
    assert footage.catalog.miscounted_locks() == 0


def test_a_bookmark_outlives_its_protection_and_then_its_video(footage: Footage) -> None:
    made = footage.bookmark(25, keep_days=1)
    later_us = NOW + 2 * US_PER_DAY
    assert not footage.catalog.bookmark(made.id, now_us=later_us).is_protected, (
        "before the lock is swept away"
    )
    footage.catalog.expire_locks(later_us)
    over = footage.catalog.bookmark(made.id, now_us=later_us)
    assert (over.is_valid, over.is_protected) == (True, False)
    footage.recycle_all()
    gone = footage.catalog.bookmark(made.id, now_us=later_us)
    assert (gone.is_valid, gone.is_protected) == (False, False)


def test_one_that_lost_its_protection_can_get_it_back(footage: Footage) -> None:
    made = footage.bookmark(25, keep_days=1)
    later_us = NOW + 2 * US_PER_DAY
    footage.catalog.expire_locks(later_us)
    named = footage.catalog.edit_bookmark(made.id, now_us=later_us, name="only the name")
    assert not named.is_protected
    again = footage.catalog.edit_bookmark(made.id, now_us=later_us, actor="ben", keep_days=5)
    assert (again.is_protected, again.expires_us) == (True, later_us + 5 * US_PER_DAY)
    assert footage.recyclable() == [0, 1, 4, 5, 6, 7, 8, 9]
    (lock,) = footage.catalog.locks()
    assert lock.created_by == "ben"


def test_a_lock_taken_away_by_hand_leaves_the_bookmark(footage: Footage) -> None:
    made = footage.bookmark(25)
    (lock,) = footage.catalog.locks()
    footage.catalog.remove_lock(lock.id)
    assert not footage.catalog.bookmark(made.id, now_us=NOW).is_protected
    assert footage.catalog.database_faults() == []


def test_any_video_left_of_it_keeps_it_valid(footage: Footage) -> None:
    edge = footage.bookmark(99, length_s=60, keep_days=1)
    beside = footage.bookmark(100, length_s=60)
    by_id = {row.id: row for row in footage.catalog.bookmarks(BookmarkFilter(), now_us=NOW)}
    assert by_id[edge.id].is_valid
    assert not by_id[beside.id].is_valid
    footage.catalog.remove_volume(footage.catalog.volume("array").uuid)
    assert not footage.catalog.bookmark(edge.id, now_us=NOW).is_valid, "nobody can play it"


def test_what_was_filmed_a_moment_ago_is_not_gone(footage: Footage) -> None:
    made = footage.bookmark(1000, now_us=T0 + 1000 * SECOND)
    assert made.is_valid
    assert not footage.catalog.bookmark(made.id, now_us=made.end_us + UNWRITTEN_US).is_valid


def test_a_removed_camera_stays_known_while_a_bookmark_names_it(footage: Footage) -> None:
    made = footage.bookmark(25, keep_days=1)
    footage.catalog.apply([EndRun(footage.run, T0 + 100 * SECOND, "removed")])
    footage.catalog.remove_camera(footage.catalog.camera("gate").uuid)
    footage.catalog.expire_locks(NOW + 2 * US_PER_DAY)
    footage.recycle_all()
    left = footage.catalog.bookmark(made.id, now_us=NOW)
    assert (left.camera, left.is_valid) == ("gate", False)
    assert footage.catalog.database_faults() == []
    footage.catalog.remove_bookmark(made.id, now_us=NOW)
    assert footage.catalog.cameras(with_removed=True) == []


def test_a_removed_camera_stays_known_while_a_case_names_it(footage: Footage) -> None:
    footage.catalog._run("INSERT INTO evidence_case (id, name, created_us) VALUES (1, 'theft', 1)")
    footage.catalog._run(
        "INSERT INTO case_item (case_id, place, camera_id, start_us, end_us, added_us) VALUES (1, 0, ?, 1, 2, 1)",
        (footage.camera_id,),
    )
    footage.catalog.apply([EndRun(footage.run, T0 + 100 * SECOND, "removed")])
    footage.catalog.remove_camera(footage.catalog.camera("gate").uuid)
    footage.recycle_all()
    assert [camera.name for camera in footage.catalog.cameras(with_removed=True)] == ["gate"]


@pytest.mark.parametrize(
    ("start_us", "end_us"), [(T0, T0), (T0 + 1, T0), (0, T0), (T0, T0 + LENGTH_LIMIT_US + 1), (NOW, NOW + 2)]
)
def test_impossible_stretches_are_refused(footage: Footage, start_us: int, end_us: int) -> None:
    with pytest.raises(InvalidInput):
        footage.bookmark(0, start_us=start_us, end_us=end_us, latest_us=NOW + 1)
    made = footage.bookmark(5)
    with pytest.raises(InvalidInput):
        footage.catalog.edit_bookmark(
            made.id, now_us=NOW, start_us=start_us, end_us=end_us, latest_us=NOW + 1
        )
    assert footage.catalog.bookmark(made.id, now_us=NOW) == made
    assert len(footage.catalog.locks()) == 1


# -- the list --------------------------------------------------------------------------------------------


def names(catalog: Catalog, **filter: Any) -> list[str]:
    return [row.name for row in catalog.bookmarks(BookmarkFilter(**filter), now_us=NOW)]


def test_the_list_is_paged_by_the_newest_footage(footage: Footage) -> None:
    for number in range(7):
        footage.bookmark(number // 2, name=str(number))
    seen: list[str] = []
    before = None
    while page := footage.catalog.bookmarks(BookmarkFilter(), now_us=NOW, before=before, limit=2):
        seen += [row.name for row in page]
        before = (page[-1].start_us, page[-1].id)
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


def test_each_filter_holds_and_all_together(footage: Footage) -> None:
    catalog = footage.catalog
    other = add_camera(catalog, "Back Door Ä")
    footage.bookmark(10, name="theft", note="red VAN", created_by="anna", now_us=NOW)
    footage.bookmark(30, name="fight", note="two men", created_by="ben", now_us=NOW + 5)
    footage.bookmark(20, name="van", camera_id=other, now_us=NOW + 9)
    assert names(catalog) == ["fight", "van", "theft"]
    assert names(catalog, camera="door ä") == ["van"]
    assert names(catalog, camera="o") == ["van"]
    assert names(catalog, camera="a") == ["fight", "van", "theft"]
    assert names(catalog, camera="nobody") == []
    assert names(catalog, text="van") == ["van", "theft"]
    assert names(catalog, text="ANNA re") == ["theft"]
    assert names(catalog, text="100%") == []
    assert names(catalog, start_us=T0 + 20 * SECOND) == ["fight", "van"]
    assert names(catalog, start_us=T0 + 20 * SECOND - 1, end_us=T0 + 30 * SECOND) == ["van", "theft"]
    assert names(catalog, made_start_us=NOW + 5, made_end_us=NOW + 9) == ["fight"]
    assert names(catalog, text="van", camera="gate", made_end_us=NOW + 1) == ["theft"]


def test_many_cameras_of_a_name_are_one_list(footage: Footage) -> None:
    cameras = [add_camera(footage.catalog, f"yard {number}") for number in range(20)]
    for number, camera_id in enumerate(cameras):
        footage.bookmark(number, camera_id=camera_id, name=str(number))
    footage.bookmark(3, name="of the gate")
    assert names(footage.catalog, camera="YARD") == [str(number) for number in reversed(range(20))]
    assert names(footage.catalog, camera="yard 1") == [
        str(number) for number in reversed([1, *range(10, 20)])
    ]


def test_another_try_finds_the_first(footage: Footage) -> None:
    first = footage.bookmark(5, name="rule", created_by="alarm rule", once=True)
    assert footage.bookmark(5, name="rule", created_by="alarm rule", once=True) == first
    assert footage.bookmark(5, name="rule", created_by="alarm rule").id != first.id
    assert footage.bookmark(5, name="other", created_by="alarm rule", once=True).id != first.id
    assert len(footage.catalog.locks()) == 3


def test_what_rules_bookmarked_goes_when_nothing_of_it_is_left(footage: Footage) -> None:
    rule = {"created_by": "alarm rule", "keep_days": 1}
    footage.bookmark(5, name="old", **rule)
    footage.bookmark(50, name="newer", **rule)
    footage.bookmark(5, name="of a person", created_by="anna", keep_days=1)
    footage.bookmark(5, name="kept", created_by="alarm rule", camera_id=add_camera(footage.catalog, "yard"))
    limit_us = T0 + 20 * SECOND
    footage.catalog.expire_locks(NOW + 2 * US_PER_DAY)
    assert footage.catalog.prune_bookmarks(limit_us, "alarm rule") == 0, "its video is still there"
    footage.recycle_all()
    assert footage.catalog.prune_bookmarks(limit_us, "alarm rule") == 1
    assert sorted(names(footage.catalog)) == ["kept", "newer", "of a person"]
