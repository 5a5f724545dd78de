from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from storage.catalog.changes import CloseSegment, DropSegment, EndRun, GrowSegment, OpenSegment
from storage.catalog.db import Catalog
from storage.errors import InvalidInput, NotFound
from tests.storage.catalog.footage import SECOND, T0, add_camera, add_segment, add_volume, begin_run


def test_the_oldest_unlocked_segments_of_all_volumes_of_the_group_come_first(catalog: Catalog) -> None:
    camera_id = add_camera(catalog)
    catalog.add_group(name="yard")
    volumes = [add_volume(catalog, "a"), add_volume(catalog, "b"), add_volume(catalog, "c", "yard")]
    run = begin_run(catalog, camera_id)
    ids = [
        add_segment(
            catalog, run, number, volumes[number % 3], T0 + number * SECOND, T0 + (number + 1) * SECOND
        )
        for number in range(9)
    ]
    assert [each.id for each in catalog.recycle_candidates(1, 4)] == [ids[0], ids[1], ids[3], ids[4]]
    assert [each.id for each in catalog.recycle_candidates(1, 9, volume_id=volumes[1])] == [
        ids[1],
        ids[4],
        ids[7],
    ]
    assert catalog.recycle_candidates(1, 9, volume_id=volumes[2]) == []
    before = catalog.recycle_candidates(1, 9, before_us=T0 + 4 * SECOND)
    assert [each.id for each in before] == [ids[0], ids[1], ids[3]]


def test_locked_segments_are_stepped_over_and_counted(catalog: Catalog) -> None:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    run = begin_run(catalog, camera_id)
    ids = [
        add_segment(catalog, run, number, volume_id, T0 + number * SECOND, T0 + (number + 1) * SECOND)
        for number in range(4)
    ]
    lock = catalog.add_lock(
        camera_id=camera_id,
        start_us=T0 + SECOND,
        end_us=T0 + 2 * SECOND + 1,
        created_us=T0,
        reason="theft",
        created_by="anna",
    )
    assert [each.id for each in catalog.recycle_candidates(1, 9)] == [ids[0], ids[3]]
    usage = catalog.group_usage(1)
    assert (usage.bytes, usage.locked_bytes) == (4000, 2000)
    assert (usage.oldest_us, usage.newest_us) == (T0, T0 + 3 * SECOND)
    assert catalog.mark_deleting(ids) == [ids[0], ids[3]]
    assert catalog.locks([camera_id], T0, T0 + 2 * SECOND) == [lock] == catalog.locks()
    assert catalog.locks([camera_id], T0, T0 + SECOND) == []
    catalog.remove_lock(lock.id)
    assert [each.id for each in catalog.recycle_candidates(1, 9)] == [ids[1], ids[2]]
    with pytest.raises(NotFound):
        catalog.remove_lock(lock.id)


def test_a_lock_protects_what_is_recorded_later(catalog: Catalog) -> None:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    catalog.add_lock(camera_id=camera_id, start_us=T0, end_us=T0 + 10 * SECOND, created_us=T0)
    run = begin_run(catalog, camera_id)
    add_segment(catalog, run, 0, volume_id, T0 + 9 * SECOND, T0 + 11 * SECOND)
    later = add_segment(catalog, run, 1, volume_id, T0 + 11 * SECOND, T0 + 12 * SECOND)
    assert [each.id for each in catalog.recycle_candidates(1, 9)] == [later]


def test_a_lock_ends_by_itself_when_its_days_are_over(catalog: Catalog) -> None:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    add_segment(catalog, begin_run(catalog, camera_id), 0, volume_id, T0, T0 + SECOND)
    for expires_us in (T0 + 5, T0 + 9, None):
        catalog.add_lock(
            camera_id=camera_id, start_us=T0, end_us=T0 + 1, created_us=T0, expires_us=expires_us
        )
    assert [catalog.expire_locks(now_us) for now_us in (T0 + 4, T0 + 5, T0 + 100)] == [0, 1, 1]
    assert catalog.recycle_candidates(1, 1) == []
    assert len(catalog.locks()) == 1


def test_impossible_locks_are_refused(catalog: Catalog) -> None:
    camera_id = add_camera(catalog)
    for start_us, end_us, expires_us in ((T0, T0, None), (0, T0, None), (T0, T0 + 1, T0)):
        with pytest.raises(InvalidInput):
            catalog.add_lock(
                camera_id=camera_id, start_us=start_us, end_us=end_us, created_us=T0, expires_us=expires_us
            )


def test_a_segment_being_deleted_is_no_footage_and_is_known_until_forgotten(catalog: Catalog) -> None:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    run = begin_run(catalog, camera_id)
    segment_id = add_segment(catalog, run, 0, volume_id, T0, T0 + SECOND)
    catalog.apply([EndRun(run, T0 + SECOND, "stopped")])
    assert catalog.mark_deleting([segment_id, 999]) == [segment_id]
    assert catalog.mark_deleting([segment_id]) == []
    assert catalog.segments([camera_id], T0, T0 + SECOND) == []
    assert catalog.group_usage(1).bytes == 0
    assert [each.id for each in catalog.deleting()] == [segment_id]
    catalog.forget([segment_id, segment_id])
    assert catalog.deleting() == []
    assert catalog._row("SELECT count(*) FROM run") == (0,)
    assert catalog._row("SELECT count(*) FROM segment_keyframes") == (0,)


def test_a_run_that_goes_on_outlives_its_first_segments(catalog: Catalog) -> None:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    run = begin_run(catalog, camera_id)
    segment_id = add_segment(catalog, run, 0, volume_id, T0, T0 + SECOND)
    catalog.mark_deleting([segment_id])
    catalog.forget([segment_id])
    assert [each.uuid for each in catalog.unended_runs()] == [run]


@settings(max_examples=25, stateful_step_count=40, deadline=None)
class RunningSums(RuleBasedStateMachine):
    """Whatever happens to segments, locks and volumes, the running sums equal a recount."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.catalog = Catalog.open(Path(self.folder.name) / "catalog.db")
        self.catalog._connection.execute("PRAGMA synchronous = OFF")
        self.volumes = [add_volume(self.catalog, name) for name in "ab"]
        self.runs: list[UUID] = []
        for name in ("gate", "door"):
            self.runs.append(begin_run(self.catalog, add_camera(self.catalog, name)))
        self.sequence = 0

    def teardown(self) -> None:
        self.catalog.close()
        self.folder.cleanup()

    @rule(run=st.integers(0, 1), volume=st.integers(0, 1), start=st.integers(0, 50))
    def open_segment(self, run: int, volume: int, start: int) -> None:
        self.sequence += 1
        change = OpenSegment(
            self.runs[run], self.sequence, self.volumes[volume], f"{self.sequence}", T0 + start * SECOND
        )
        self.catalog.apply([change])

    @rule(back=st.integers(0, 5), run=st.integers(0, 1), length=st.integers(0, 20), size=st.integers(0, 99))
    def grow(self, back: int, run: int, length: int, size: int) -> None:
        sequence = self.sequence - back
        self.catalog.apply([GrowSegment(self.runs[run], sequence, T0 + length * SECOND, length, size)])

    @rule(back=st.integers(0, 5), run=st.integers(0, 1), length=st.integers(0, 70), size=st.integers(0, 99))
    def close(self, back: int, run: int, length: int, size: int) -> None:
        sequence = self.sequence - back
        self.catalog.apply([CloseSegment(self.runs[run], sequence, T0 + length * SECOND, length, size)])

    @rule(back=st.integers(0, 5), run=st.integers(0, 1))
    def drop(self, back: int, run: int) -> None:
        self.catalog.apply([DropSegment(self.runs[run], self.sequence - back)])

    @rule(camera=st.integers(1, 2), start=st.integers(0, 60), length=st.integers(1, 30))
    def lock(self, camera: int, start: int, length: int) -> None:
        start_us = T0 + start * SECOND
        self.catalog.add_lock(
            camera_id=camera, start_us=start_us, end_us=start_us + length * SECOND, created_us=T0
        )

    @rule()
    def unlock(self) -> None:
        if locks := self.catalog.locks():
            self.catalog.remove_lock(locks[0].id)

    @rule(limit=st.integers(1, 3), before=st.none() | st.integers(0, 60))
    def recycle(self, limit: int, before: int | None) -> None:
        before_us = None if before is None else T0 + before * SECOND
        chosen = self.catalog.recycle_candidates(1, limit, before_us=before_us)
        assert all(not each.is_open for each in chosen)
        ids = [each.id for each in chosen]
        assert self.catalog.mark_deleting(ids) == ids

    @rule(count=st.integers(0, 3))
    def forget(self, count: int) -> None:
        self.catalog.forget([each.id for each in self.catalog.deleting()[:count]])

    @invariant()
    def sums_equal_a_recount(self) -> None:
        for volume_id, used, locked in self.catalog._rows("SELECT id, used_bytes, locked_bytes FROM volume"):
            assert (used, locked) == self.catalog._row(
                "SELECT coalesce(sum(bytes), 0), coalesce(sum(bytes * (state = 1 AND EXISTS (SELECT 1"
                " FROM footage_lock AS l WHERE l.camera_id = s.camera_id AND l.end_us > s.start_us"
                " AND l.start_us < s.end_us))), 0) FROM segment AS s WHERE volume_id = ? AND state < 2",
                (volume_id,),
            )


TestRunningSums = RunningSums.TestCase
