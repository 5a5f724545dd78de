from __future__ import annotations

from pathlib import Path

import pytest

from storage.catalog.check import FindingKind, check
from storage.catalog.db import Catalog
from storage.catalog.rebuild import rebuild
from storage.catalog.records import GapCause, Segment
from storage.errors import AlreadyExists, VolumeMissing
from storage.segments.identity import PastGap
from storage.volumes.volume import Volume
from tests.storage.catalog.footage import T0
from tests.storage.catalog.volume_footage import SECOND, Recording, add_volume

ALL_TIME = (0, T0 * 2)


def told(segments: list[Segment]) -> list[tuple[object, ...]]:
    """What must be the same again, whatever the row numbers."""
    return [
        (each.path, each.start_us, each.end_us, each.bytes, each.media_duration_ticks) for each in segments
    ]


@pytest.fixture
def roots(catalog: Catalog, tmp_path: Path) -> list[Path]:
    """Two volumes, two cameras, a gap between two runs of the first; the settings copied to both."""
    catalog.add_group(name="yard")
    cameras = [
        catalog.add_camera(name="gate", url="rtsp://192.0.2.1/a", user="viewer", password="hidden-word"),
        catalog.add_camera(name="gone", url="rtsp://192.0.2.8/"),
        catalog.add_camera(name="door", url="rtsp://192.0.2.2/b", group="yard", transport="udp"),
    ]
    catalog.remove_camera(cameras[1].uuid)
    volumes = [add_volume(catalog, tmp_path / name, name) for name in ("one", "two")]
    first = Recording(catalog, volumes[0], cameras[0], T0)
    first.segment()
    first.segment()
    first.end()
    second = Recording(catalog, volumes[1], cameras[0], T0 + 20 * SECOND)
    gap = PastGap(T0 + 8 * SECOND, T0 + 20 * SECOND, GapCause.CAMERA_STALLED, "no video for 10 s")
    catalog.add_past_gaps(cameras[0].id, [gap])
    second.segment(gaps=(gap,))
    other = Recording(catalog, volumes[1], cameras[2], T0 + SECOND // 3)
    other.segment(seconds=6)
    for volume in volumes:
        volume.write_settings_copy(catalog.cameras())
        volume.close()
    return [volume.root for volume in volumes]


def test_cameras_times_and_gaps_come_back_from_the_volumes_alone(
    catalog: Catalog, roots: list[Path], tmp_path: Path
) -> None:
    path = tmp_path / "again.db"
    result = rebuild(path, roots)
    assert (result.cameras, result.volumes, result.segments, result.gaps) == (2, 2, 4, 1)
    assert result.findings == ()
    assert path.stat().st_mode & 0o777 == 0o600
    assert "hidden-word" not in path.read_bytes().decode("latin-1")
    with Catalog.open(path) as again:
        assert again.station().uuid == catalog.station().uuid
        for before in catalog.cameras():
            after = again.camera(before.uuid)
            assert (after.id, after.name, after.url, after.user, after.group, after.transport) == (
                before.id,
                before.name,
                before.url,
                before.user,
                before.group,
                before.transport,
            )
            assert not after.has_password
            assert told(again.segments([after.id], *ALL_TIME)) == told(
                catalog.segments([before.id], *ALL_TIME)
            )
            assert again.coverage([after.id], *ALL_TIME) == catalog.coverage([before.id], *ALL_TIME)
        gap, *going_on = sorted(again.gaps([1, 2, 3], *ALL_TIME), key=lambda each: each.end_us is None)
        last_us = {each: again.segments([each], *ALL_TIME)[-1].end_us for each in (1, 3)}
        assert {each.camera_id: each.start_us for each in going_on} == last_us, "from there on nobody knows"
        assert {(each.end_us, each.cause) for each in going_on} == {(None, GapCause.UNKNOWN)}
        assert (gap.camera_id, gap.start_us, gap.end_us, gap.cause, gap.detail) == (
            1,
            T0 + 8 * SECOND,
            T0 + 20 * SECOND,
            GapCause.CAMERA_STALLED,
            "no video for 10 s",
        )
        assert [volume.path for volume in again.volumes()] == [str(root) for root in roots]
        for volume in again.volumes():
            assert again.volume_usage(volume.id) == catalog.volume_usage(catalog.volume(volume.uuid).id)
        assert again.unended_runs() == []
        volumes = [Volume(record) for record in again.volumes()]
        assert check(again, volumes, repair=False) == []
        for opened in volumes:
            opened.close()


def test_footage_without_a_settings_copy_keeps_its_camera_apart(roots: list[Path], tmp_path: Path) -> None:
    for root in roots:
        (root / ".watchdeck" / "cameras.json").unlink()
    with_result = rebuild(tmp_path / "again.db", roots)
    assert with_result.segments == 4
    with Catalog.open(tmp_path / "again.db") as again:
        assert again.cameras() == []
        names = {camera.name for camera in again.cameras(with_removed=True)}
        assert names == {"gate", "door"}
        gate = again.camera("gate", with_removed=True)
        assert len(again.segments([gate.id], *ALL_TIME)) == 3


def test_a_segment_lost_inside_a_run_is_a_gap_of_unknown_cause(catalog: Catalog, tmp_path: Path) -> None:
    volume = add_volume(catalog, tmp_path / "one")
    camera = catalog.add_camera(name="gate", url="rtsp://192.0.2.1/")
    recording = Recording(catalog, volume, camera, T0)
    recording.segment()
    recording.segment().unlink()
    recording.segment()
    volume.close()
    result = rebuild(tmp_path / "again.db", [volume.root])
    assert [finding.kind for finding in result.findings] == [FindingKind.LOST_SEGMENT]
    with Catalog.open(tmp_path / "again.db") as again:
        (gap,) = again.gaps([1], *ALL_TIME)
        assert (gap.start_us, gap.end_us, gap.cause) == (
            T0 + 4 * SECOND,
            T0 + 8 * SECOND,
            GapCause.UNKNOWN,
        )


def test_segments_of_a_run_touch_as_they_did_before(catalog: Catalog, tmp_path: Path) -> None:
    """Wall time is slewed: a segment's media time may say 200 us more than its successor's start."""
    volume = add_volume(catalog, tmp_path / "one")
    camera = catalog.add_camera(name="gate", url="rtsp://192.0.2.1/")
    recording = Recording(catalog, volume, camera, T0)
    recording.segment()
    recording.end_us -= 200
    recording.segment()
    volume.close()
    rebuild(tmp_path / "again.db", [volume.root])
    with Catalog.open(tmp_path / "again.db") as again:
        first, second = again.segments([1], *ALL_TIME)
        assert first.end_us == second.start_us == T0 + 4 * SECOND - 200


def test_a_catalog_that_exists_is_never_replaced(roots: list[Path], catalog: Catalog) -> None:
    with pytest.raises(AlreadyExists):
        rebuild(catalog.path, roots)


def test_a_folder_that_is_no_volume_is_refused_and_leaves_nothing(roots: list[Path], tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    with pytest.raises(VolumeMissing):
        rebuild(tmp_path / "again.db", [*roots, tmp_path / "plain"])
    assert [path.name for path in tmp_path.iterdir() if "again" in path.name] == []
