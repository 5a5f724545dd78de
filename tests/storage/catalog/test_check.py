from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from storage.catalog.alarm_records import AlarmRowFilter, OperationRow
from storage.catalog.changes import CloseGap, OpenGap
from storage.catalog.check import FindingKind, check
from storage.catalog.db import Catalog
from storage.catalog.records import Camera, GapCause
from storage.segments.identity import PastGap
from storage.volumes.volume import Volume
from tests.storage.catalog.alarms import raise_alarms
from tests.storage.catalog.footage import T0
from tests.storage.catalog.volume_footage import SECOND, Recording, add_volume


@pytest.fixture
def volume(catalog: Catalog, tmp_path: Path) -> Iterator[Volume]:
    made = add_volume(catalog, tmp_path / "array")
    yield made
    made.close()


@pytest.fixture
def camera(catalog: Catalog) -> Camera:
    return catalog.add_camera(name="gate", url="rtsp://192.0.2.1/")


def kinds(catalog: Catalog, volume: Volume, *, repair: bool = False) -> list[FindingKind]:
    findings = check(catalog, [volume], repair=repair)
    assert all(finding.what and finding.remedy for finding in findings)
    return [finding.kind for finding in findings]


def test_nothing_is_wrong_with_what_an_engine_left(catalog: Catalog, volume: Volume, camera: Camera) -> None:
    recording = Recording(catalog, volume, camera, T0)
    recording.segment()
    recording.segment()
    recording.end()
    assert kinds(catalog, volume) == []
    assert kinds(catalog, volume, repair=True) == []


def test_a_check_without_repair_changes_nothing(catalog: Catalog, volume: Volume, camera: Camera) -> None:
    recording = Recording(catalog, volume, camera, T0)
    recording.segment().unlink()
    recording.segment(in_catalog=False)
    open_file = recording.segment(is_closed=False)
    before = open_file.read_bytes(), list(catalog._connection.iterdump())
    found = kinds(catalog, volume)
    assert sorted(found) == [FindingKind.MISSING_FILE, FindingKind.OPEN_SEGMENT, FindingKind.ORPHAN_FILE]
    assert (open_file.read_bytes(), list(catalog._connection.iterdump())) == before
    with Catalog.open(catalog.path, read_only=True) as reader:
        assert sorted(kinds(reader, volume)) == sorted(found)


def test_a_missing_file_becomes_a_gap(catalog: Catalog, volume: Volume, camera: Camera) -> None:
    recording = Recording(catalog, volume, camera, T0)
    recording.segment()
    recording.segment().unlink()
    recording.end()
    assert kinds(catalog, volume, repair=True) == [FindingKind.MISSING_FILE]
    (gap,) = catalog.gaps([camera.id], 0, T0 * 2)
    assert (gap.start_us, gap.end_us, gap.cause) == (T0 + 4 * SECOND, T0 + 8 * SECOND, GapCause.UNKNOWN)
    assert len(catalog.segments([camera.id], 0, T0 * 2)) == 1
    assert kinds(catalog, volume) == []


def test_an_orphan_is_added_to_the_camera_inside_it(catalog: Catalog, volume: Volume, camera: Camera) -> None:
    recording = Recording(catalog, volume, camera, T0)
    recording.segment()
    gap = PastGap(T0 - 9 * SECOND, T0, GapCause.CAMERA_UNREACHABLE, "no route")
    path = recording.segment(in_catalog=False, gaps=(gap,))
    open_path = recording.segment(in_catalog=False, is_closed=False)
    assert kinds(catalog, volume, repair=True) == [FindingKind.ORPHAN_FILE] * 2
    segments = catalog.segments([camera.id], 0, T0 * 2)
    assert [str(volume.root / each.path) for each in segments[1:]] == [str(path), str(open_path)]
    assert [(each.start_us - T0, each.end_us - T0) for each in segments] == [
        (number * 4 * SECOND, (number + 1) * 4 * SECOND) for number in range(3)
    ]
    assert [each.is_recovered for each in segments] == [False, False, True]
    assert [each.cause for each in catalog.gaps([camera.id], 0, T0 * 2)] == [GapCause.CAMERA_UNREACHABLE]
    assert catalog.volume_usage(volume.record.id) == sum(
        each.stat().st_size for each in volume.root.rglob("*.mp4")
    )
    assert kinds(catalog, volume) == []


def test_footage_of_a_camera_nobody_knows_is_shown_under_its_own_name(
    catalog: Catalog, volume: Volume, camera: Camera
) -> None:
    stranger = Camera(id=99, uuid=uuid4(), name="gate", url="", group="main")
    Recording(catalog, volume, stranger, T0).segment(in_catalog=False)
    assert kinds(catalog, volume, repair=True) == [FindingKind.ORPHAN_FILE]
    found = catalog.camera(stranger.uuid, with_removed=True)
    assert found.id != camera.id
    assert catalog.cameras() == [camera]
    assert catalog.segments([camera.id], 0, T0 * 2) == []
    assert len(catalog.segments([found.id], 0, T0 * 2)) == 1


def test_a_file_that_names_the_run_of_another_camera_is_left_alone(
    catalog: Catalog, volume: Volume, camera: Camera
) -> None:
    recording = Recording(catalog, volume, camera, T0)
    recording.segment()
    recording.camera = catalog.add_camera(name="door", url="rtsp://192.0.2.2/")
    recording.segment(in_catalog=False)
    recording.end()
    assert kinds(catalog, volume, repair=True) == [FindingKind.CONTRADICTORY_FILE]
    assert len(catalog.segments([1, 2], 0, T0 * 2)) == 1


def test_a_file_in_the_folder_of_another_camera_is_never_assigned_to_it(
    catalog: Catalog, volume: Volume, camera: Camera
) -> None:
    recording = Recording(catalog, volume, camera, T0)
    other = catalog.add_camera(name="door", url="rtsp://192.0.2.2/")
    path = recording.segment(in_catalog=False, camera_uuid=other.uuid)
    (finding,) = check(catalog, [volume], repair=True)
    assert (finding.kind, finding.is_repaired) == (FindingKind.MISPLACED_FILE, False)
    assert str(other.uuid) in finding.remedy
    assert catalog.segments([camera.id, other.id], 0, T0 * 2) == []
    assert path.exists()


def test_a_copy_of_a_known_segment_is_reported_and_left(
    catalog: Catalog, volume: Volume, camera: Camera
) -> None:
    recording = Recording(catalog, volume, camera, T0)
    path = recording.segment()
    path.with_name("120000.000000Z-copy-0.mp4").write_bytes(path.read_bytes())
    recording.end()
    assert kinds(catalog, volume, repair=True) == [FindingKind.DUPLICATE_FILE]
    assert kinds(catalog, volume) == [FindingKind.DUPLICATE_FILE]


def test_a_torn_file_keeps_every_whole_part(catalog: Catalog, volume: Volume, camera: Camera) -> None:
    recording = Recording(catalog, volume, camera, T0)
    path = recording.segment(is_closed=False)
    path.write_bytes(path.read_bytes()[:-50])
    assert kinds(catalog, volume, repair=True) == [FindingKind.OPEN_SEGMENT]
    (segment,) = catalog.segments([camera.id], 0, T0 * 2)
    assert (segment.end_us, segment.bytes, segment.is_open) == (
        T0 + 3 * SECOND,
        path.stat().st_size,
        False,
    )
    assert catalog.keyframes(segment.id)
    assert catalog.unended_runs() == []
    assert kinds(catalog, volume) == []


def test_a_file_of_another_size_is_measured_again(catalog: Catalog, volume: Volume, camera: Camera) -> None:
    recording = Recording(catalog, volume, camera, T0)
    path = recording.segment()
    recording.end()
    path.write_bytes(path.read_bytes()[:-120])
    lock = catalog.add_lock(
        camera_id=camera.id, start_us=T0 + 4 * SECOND - 1, end_us=T0 + 9 * SECOND, created_us=T0
    )
    assert kinds(catalog, volume, repair=True) == [FindingKind.SIZE_DIFFERS]
    assert catalog.volume_usage(volume.record.id) == path.stat().st_size
    assert kinds(catalog, volume) == []
    catalog.remove_lock(lock.id)


def test_a_file_that_is_no_segment_is_reported_and_left(
    catalog: Catalog, volume: Volume, camera: Camera
) -> None:
    recording = Recording(catalog, volume, camera, T0)
    damaged = recording.segment(in_catalog=False)
    damaged.write_bytes(b"not a segment")
    known = recording.segment()
    known.write_bytes(b"rubbish")
    recording.end()
    for repair in (True, False):
        assert kinds(catalog, volume, repair=repair) == [FindingKind.DAMAGED_FILE] * 2
    assert damaged.read_bytes() == b"not a segment"


def test_a_deletion_that_a_crash_interrupted_is_finished(
    catalog: Catalog, volume: Volume, camera: Camera
) -> None:
    recording = Recording(catalog, volume, camera, T0)
    path = recording.segment()
    recording.end()
    (segment,) = catalog.recycle_candidates(1, 1)
    catalog.mark_deleting([segment.id])
    assert FindingKind.UNFINISHED_DELETION in kinds(catalog, volume)
    assert kinds(catalog, volume, repair=True) == [FindingKind.UNFINISHED_DELETION]
    assert not path.exists()
    assert kinds(catalog, volume) == []


def test_a_volume_that_is_not_mounted_loses_nothing(catalog: Catalog, volume: Volume, camera: Camera) -> None:
    recording = Recording(catalog, volume, camera, T0)
    recording.segment()
    recording.end()
    away = volume.root.with_name("away")
    volume.close()
    volume.root.rename(away)
    volume.root.mkdir()
    assert kinds(catalog, volume, repair=True) == [FindingKind.VOLUME_UNREADABLE]
    assert len(catalog.segments([camera.id], 0, T0 * 2)) == 1
    volume.root.rmdir()
    away.rename(volume.root)
    assert kinds(catalog, volume) == []


def test_wrong_sums_and_lock_counts_are_counted_again(
    catalog: Catalog, volume: Volume, camera: Camera
) -> None:
    recording = Recording(catalog, volume, camera, T0)
    recording.segment()
    recording.end()
    catalog._connection.execute("UPDATE segment SET lock_count = 3")
    catalog._connection.execute("UPDATE volume SET used_bytes = 5, locked_bytes = 1")
    expected = [FindingKind.WRONG_SUM, FindingKind.WRONG_LOCK_COUNT]
    assert kinds(catalog, volume) == expected
    assert kinds(catalog, volume, repair=True) == expected
    assert kinds(catalog, volume) == []


def test_overlapping_gaps_are_trimmed(catalog: Catalog, volume: Volume, camera: Camera) -> None:
    for start, end in ((0, 10), (5, 20), (6, 8)):
        catalog.apply(
            [
                OpenGap(camera.id, T0 + start * SECOND, GapCause.UNKNOWN),
                CloseGap(camera.id, T0 + end * SECOND),
            ]
        )
    assert kinds(catalog, volume, repair=True) == [FindingKind.GAP_OVERLAP]
    gaps = catalog.gaps([camera.id], 0, T0 * 2)
    assert [((gap.start_us - T0) // SECOND, ((gap.end_us or 0) - T0) // SECOND) for gap in gaps] == [
        (0, 10),
        (10, 20),
    ]
    assert kinds(catalog, volume) == []


def test_alarms_are_counted_again_and_their_words_put_in_again(catalog: Catalog) -> None:
    raise_alarms(catalog, 3)
    assert check(catalog, [], repair=False) == []
    catalog._run("UPDATE alarm_tally SET fresh = 7")
    catalog._run("DELETE FROM alarm_group WHERE source = 'camera 1'")
    catalog._run("INSERT INTO alarm_words (alarm_words) VALUES ('delete-all')")
    assert [finding.kind for finding in check(catalog, [], repair=False)] == [FindingKind.WRONG_SUM]
    repaired = check(catalog, [], repair=True)
    assert [(finding.kind, finding.is_repaired) for finding in repaired] == [
        (FindingKind.WRONG_SUM, True)
    ] * 2
    assert check(catalog, [], repair=True) == []
    assert catalog.alarm_totals(T0).new == 3
    assert catalog.alarms(AlarmRowFilter(text="camera"), now_us=T0, grouped=True)[1] == 3


def test_a_log_that_was_changed_is_told_and_left_as_it_is(catalog: Catalog) -> None:
    catalog.add_operations([OperationRow(time_us=T0, actor="ann", type="camera.edit", text="x")])
    catalog._run("DROP TRIGGER operation_not_edited")
    catalog._run("UPDATE operation SET actor = 'ben'")
    for repair in (False, True):
        (finding,) = check(catalog, [], repair=repair)
        assert (finding.kind, finding.is_repaired) == (FindingKind.BROKEN_LOG, False)
        assert "entry 1 was changed" in finding.what
