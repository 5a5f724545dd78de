from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.catalog.changes import (
    BeginRun,
    CloseGap,
    CloseSegment,
    DropSegment,
    EndRun,
    GrowSegment,
    OpenGap,
    OpenSegment,
)
from storage.catalog.db import Catalog
from storage.catalog.records import GapCause
from storage.errors import NotFound, WatchdeckError
from storage.units import Interval, merged
from tests.storage.catalog.footage import (
    SECOND,
    T0,
    TRACKS,
    add_camera,
    add_segment,
    add_volume,
    begin_run,
)


def test_a_run_goes_from_open_over_growing_to_closed(catalog: Catalog) -> None:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    run = begin_run(catalog, camera_id)
    catalog.apply([OpenSegment(run, 0, volume_id, "a/0.mp4", T0)])
    assert catalog.coverage([camera_id], T0, T0 + SECOND) == {camera_id: []}
    catalog.apply([GrowSegment(run, 0, T0 + 2 * SECOND, 180_000, 500)])
    (segment,) = catalog.open_segments()
    assert (segment.is_open, segment.end_us, segment.bytes) == (True, T0 + 2 * SECOND, 500)
    assert catalog.volume_usage(volume_id) == 500
    catalog.apply(
        [
            CloseSegment(run, 0, T0 + 3 * SECOND, 270_000, 800, b"index", is_recovered=True),
            EndRun(run, T0 + 3 * SECOND, "camera went away"),
        ]
    )
    (closed,) = catalog.segments([camera_id], T0, T0 + SECOND)
    assert (closed.is_open, closed.is_recovered, closed.media_duration_ticks) == (False, True, 270_000)
    assert catalog.segment(closed.id) == closed
    assert catalog.keyframes(closed.id) == b"index"
    assert catalog.run(closed.run_id).tracks == TRACKS
    assert (catalog.open_segments(), catalog.unended_runs()) == ([], [])
    assert catalog.volume_usage(volume_id) == 800


def test_a_batch_applied_twice_changes_nothing_more(catalog: Catalog) -> None:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    run = uuid4()
    batch = [
        OpenGap(camera_id, T0 - SECOND, GapCause.CAMERA_UNREACHABLE),
        CloseGap(camera_id, T0),
        BeginRun(run, camera_id, T0, TRACKS),
        OpenSegment(run, 0, volume_id, "a/0.mp4", T0),
        GrowSegment(run, 0, T0 + SECOND, 90_000, 100),
        CloseSegment(run, 0, T0 + 2 * SECOND, 180_000, 200, b"k"),
        OpenSegment(run, 1, volume_id, "a/1.mp4", T0 + 2 * SECOND),
    ]
    catalog.apply(batch)
    before = catalog.segments([camera_id], T0 - SECOND, T0 + 9 * SECOND), catalog.group_usage(1)
    catalog.apply(batch[2:])
    assert (catalog.segments([camera_id], T0 - SECOND, T0 + 9 * SECOND), catalog.group_usage(1)) == before


def test_changes_about_what_is_gone_are_passed_over(catalog: Catalog) -> None:
    add_camera(catalog)
    volume_id = add_volume(catalog)
    run = uuid4()
    catalog.apply(
        [
            BeginRun(run, 99, T0, TRACKS),
            OpenSegment(run, 0, volume_id, "a/0.mp4", T0),
            GrowSegment(run, 0, T0 + 1, 1, 1),
            CloseSegment(run, 0, T0 + 1, 1, 1),
            DropSegment(run, 0),
            EndRun(run, T0, "gone"),
            OpenGap(99, T0, GapCause.UNKNOWN),
            CloseGap(99, T0 + 1),
        ]
    )
    assert catalog.unended_runs() == []


def test_a_batch_is_applied_whole_or_not_at_all(catalog: Catalog) -> None:
    camera_id = add_camera(catalog)
    run = uuid4()
    with pytest.raises(WatchdeckError):
        catalog.apply([BeginRun(run, camera_id, T0, TRACKS), OpenSegment(run, 0, 12345, "a/0.mp4", T0)])
    assert catalog.unended_runs() == []


def test_an_empty_segment_and_its_run_leave_no_trace(catalog: Catalog) -> None:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    run = begin_run(catalog, camera_id)
    catalog.apply(
        [OpenSegment(run, 0, volume_id, "a", T0), DropSegment(run, 0), EndRun(run, T0, "no keyframe")]
    )
    assert (catalog.open_segments(), catalog.unended_runs()) == ([], [])
    with pytest.raises(NotFound):
        catalog.run(1)
    with pytest.raises(NotFound):
        catalog.segment(1)


def test_the_first_cause_of_a_gap_counts(catalog: Catalog) -> None:
    camera_id = add_camera(catalog)
    catalog.apply([OpenGap(camera_id, T0, GapCause.NO_VOLUME, "none in group main")])
    catalog.apply([OpenGap(camera_id, T0 + SECOND, GapCause.CAMERA_STALLED)])
    (gap,) = catalog.gaps([camera_id], T0 + 5 * SECOND, T0 + 6 * SECOND)
    assert (gap.cause, gap.start_us, gap.end_us, gap.detail) == (
        GapCause.NO_VOLUME,
        T0,
        None,
        "none in group main",
    )
    assert catalog.open_gap(camera_id) == gap
    catalog.apply([CloseGap(camera_id, T0 + 2 * SECOND)])
    assert catalog.open_gap(camera_id) is None
    assert catalog.gaps([camera_id], T0 + 2 * SECOND, T0 + 6 * SECOND) == []
    assert [gap.end_us for gap in catalog.gaps([camera_id], T0, T0 + 1)] == [T0 + 2 * SECOND]


def test_a_gap_without_length_vanishes(catalog: Catalog) -> None:
    camera_id = add_camera(catalog)
    catalog.apply([OpenGap(camera_id, T0, GapCause.CLOCK_STEPPED), CloseGap(camera_id, T0)])
    catalog.apply([OpenGap(camera_id, T0, GapCause.CLOCK_STEPPED), CloseGap(camera_id, T0 - SECOND)])
    assert catalog.gaps([camera_id], 1, T0 * 2) == []


def add_gap(catalog: Catalog, camera_id: int, start_us: int, end_us: int | None) -> None:
    catalog.apply([OpenGap(camera_id, start_us, GapCause.UNKNOWN)])
    if end_us is not None:
        catalog.apply([CloseGap(camera_id, end_us)])


def test_gaps_older_than_the_footage_are_forgotten(catalog: Catalog) -> None:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    add_segment(catalog, begin_run(catalog, camera_id), 0, volume_id, T0 + 5 * SECOND, T0 + 10 * SECOND)
    add_gap(catalog, camera_id, T0, T0 + SECOND)
    add_gap(catalog, camera_id, T0 + 10 * SECOND, T0 + 11 * SECOND)
    add_gap(catalog, camera_id, T0 + 20 * SECOND, None)
    assert catalog.forget_gaps(T0 + 100 * SECOND) == 1
    assert [gap.start_us for gap in catalog.gaps([camera_id], 1, T0 * 2)] == [
        T0 + 10 * SECOND,
        T0 + 20 * SECOND,
    ]


def test_gaps_before_footage_of_a_removed_volume_are_kept_for_its_return(catalog: Catalog) -> None:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    add_segment(catalog, begin_run(catalog, camera_id), 0, volume_id, T0, T0 + SECOND)
    catalog.remove_volume(catalog.volume(volume_id).uuid)
    add_gap(catalog, camera_id, T0 + SECOND, T0 + 3 * SECOND)
    assert catalog.forget_gaps(T0 + 100 * SECOND) == 0


def test_gaps_of_a_camera_without_footage_are_kept_for_a_time_and_the_one_going_on_always(
    catalog: Catalog,
) -> None:
    camera_id = add_camera(catalog)
    add_gap(catalog, camera_id, T0, T0 + SECOND)
    add_gap(catalog, camera_id, T0 + 2 * SECOND, T0 + 5 * SECOND)
    add_gap(catalog, camera_id, T0 + 6 * SECOND, None)
    assert catalog.forget_gaps(T0 + SECOND) == 1
    assert catalog.forget_gaps(T0 + 100 * SECOND) == 1
    assert catalog.open_gap(camera_id) is not None


def test_a_moment_is_found_in_the_segment_that_holds_it(catalog: Catalog) -> None:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    run = begin_run(catalog, camera_id)
    first = add_segment(catalog, run, 0, volume_id, T0, T0 + 10 * SECOND)
    second = add_segment(catalog, run, 1, volume_id, T0 + 10 * SECOND, T0 + 20 * SECOND)
    for time_us, expected in (
        (T0 - 1, None),
        (T0, first),
        (T0 + 10 * SECOND - 1, first),
        (T0 + 10 * SECOND, second),
        (T0 + 20 * SECOND, None),
    ):
        segment = catalog.segment_at(camera_id, time_us)
        assert (segment and segment.id) == expected
    assert catalog.oldest_us([camera_id, 99]) == {camera_id: T0}
    assert [each.id for each in catalog.segments([camera_id], T0, T0 + 20 * SECOND, limit=1)] == [first]


def test_recordings_of_several_cameras_come_in_order_of_time(catalog: Catalog) -> None:
    volume_id = add_volume(catalog)
    for name, offset_us in (("a", 5), ("b", 3), ("c", 4)):
        camera_id = add_camera(catalog, name)
        run = begin_run(catalog, camera_id, T0 + offset_us)
        for number in range(2):
            start_us = T0 + offset_us + number * SECOND
            add_segment(catalog, run, number, volume_id, start_us, start_us + SECOND)
    found = [each.start_us - T0 for each in catalog.segments([1, 2, 3], T0, T0 + 2 * SECOND, limit=4)]
    assert found == [3, 4, 5, SECOND + 3]


STRETCHES = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 90)).map(lambda pair: (pair[0], pair[0] + pair[1])),
    max_size=25,
)


@given(stretches=STRETCHES, start=st.integers(0, 400), length=st.integers(1, 200))
@settings(max_examples=60, deadline=None)
def test_coverage_segments_and_gaps_agree_with_a_plain_search(
    stretches: list[tuple[int, int]], start: int, length: int
) -> None:
    unit = SECOND // 2
    window = Interval(T0 + start * unit, T0 + (start + length) * unit)
    with (
        TemporaryDirectory() as folder,
        Catalog.open(Path(folder) / "catalog.db") as catalog,
    ):
        catalog._connection.execute("PRAGMA synchronous = OFF")
        camera_id, volume_id = add_camera(catalog), add_volume(catalog)
        run = begin_run(catalog, camera_id)
        footage = [Interval(T0 + begin * unit, T0 + end * unit) for begin, end in stretches]
        for number, stretch in enumerate(footage):
            add_segment(catalog, run, number, volume_id, stretch.start_us, stretch.end_us)
            catalog.apply(
                [
                    OpenGap(camera_id, stretch.start_us, GapCause.UNKNOWN),
                    CloseGap(camera_id, stretch.end_us),
                ]
            )
        inside = [each for each in footage if each.duration_us and each.overlaps(window)]
        found = [
            (each.start_us, each.end_us)
            for each in catalog.segments([camera_id], window.start_us, window.end_us)
        ]
        assert [each[0] for each in found] == sorted(each.start_us for each in inside)
        assert sorted(found) == sorted((each.start_us, each.end_us) for each in inside)
        clipped = [part for each in merged(inside, SECOND) if (part := each.clipped_to(window))]
        assert catalog.coverage([camera_id], window.start_us, window.end_us) == {camera_id: clipped}
        gaps = catalog.gaps([camera_id], window.start_us, window.end_us)
        assert sorted((gap.start_us, gap.end_us) for gap in gaps) == sorted(
            (each.start_us, each.end_us) for each in inside
        )


@pytest.mark.parametrize(
    ("cause", "gap", "left"),
    [
        (GapCause.VOLUME_FAILED, (12, 18), []),
        (GapCause.VOLUME_FAILED, (15, 30), [(20, 30)]),
        (GapCause.VOLUME_FAILED, (15, None), [(20, None)]),
        (GapCause.VOLUME_FAILED, (5, 15), [(5, 10)]),
        (GapCause.VOLUME_FAILED, (5, 30), [(5, 30)]),
        (GapCause.VOLUME_FULL, (20, 30), [(20, 30)]),
        (GapCause.CAMERA_STALLED, (12, 18), [(12, 18)]),
    ],
)
def test_footage_that_a_failing_volume_kept_after_all_is_no_gap(
    catalog: Catalog, cause: GapCause, gap: tuple[int, int | None], left: list[tuple[int, int | None]]
) -> None:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    run = begin_run(catalog, camera_id)
    start, end = gap
    catalog.apply(
        [
            OpenSegment(run, 0, volume_id, "a/0.mp4", T0 + 10 * SECOND),
            OpenGap(camera_id, T0 + start * SECOND, cause),
            *([CloseGap(camera_id, T0 + end * SECOND)] if end is not None else []),
            CloseSegment(run, 0, T0 + 20 * SECOND, 900_000, 1000, b"keys", is_recovered=True),
        ]
    )
    found = catalog.gaps([camera_id], 0, T0 * 2)
    assert [
        ((each.start_us - T0) // SECOND, None if each.end_us is None else (each.end_us - T0) // SECOND)
        for each in found
    ] == left
