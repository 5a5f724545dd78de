"""What pictures are made of, in one read: the segment of a moment, and its neighbours over gaps and clocks set back."""

from __future__ import annotations

import pytest

from storage.catalog.changes import CloseSegment, OpenSegment
from storage.catalog.db import Catalog
from storage.catalog.picture_footage import PictureFootage
from storage.errors import InvalidInput
from tests.storage.catalog.footage import SECOND, T0, TRACKS, add_camera, add_volume, begin_run


def stretch(catalog: Catalog, camera_id: int, volume_id: int, start_s: int, end_s: int) -> str:
    """A closed segment; returns its path."""
    run = begin_run(catalog, camera_id, T0 + start_s * SECOND)
    path = f"a/{start_s}-{end_s}.mp4"
    catalog.apply(
        [
            OpenSegment(run, 0, volume_id, path, T0 + start_s * SECOND),
            CloseSegment(run, 0, T0 + end_s * SECOND, (end_s - start_s) * 90_000, 800, b"index"),
        ]
    )
    return path


def relative(found: PictureFootage | None) -> str | None:
    return None if found is None else found.segment.path


def test_one_read_has_all_that_a_picture_needs(catalog: Catalog) -> None:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    path = stretch(catalog, camera_id, volume_id, 0, 10)
    found = catalog.picture_footage(camera_id, T0 + 5 * SECOND)
    assert found is not None
    assert found.segment == catalog.segment_at(camera_id, T0 + 5 * SECOND)
    assert (found.tracks, found.places) == (TRACKS, b"index")
    root = next(volume.path for volume in catalog.volumes() if volume.id == volume_id)
    assert found.path == f"{root}/{path}"
    assert catalog.picture_footage(camera_id, T0 + 10 * SECOND) is None


def test_a_segment_that_grows_has_no_index(catalog: Catalog) -> None:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    run = begin_run(catalog, camera_id)
    catalog.apply([OpenSegment(run, 0, volume_id, "a/0.mp4", T0)])
    (segment,) = catalog.open_segments()
    assert catalog.footage_of(segment).places == b""


def test_neighbours_are_found_over_a_gap_and_not_of_other_cameras(catalog: Catalog) -> None:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    other_id = add_camera(catalog, "other")
    stretch(catalog, other_id, volume_id, 12, 15)
    first, second = (stretch(catalog, camera_id, volume_id, start_s, start_s + 10) for start_s in (0, 30))
    for at_s, until, since in ((-1, None, first), (0, None, first), (5, first, first), (10, first, second)):
        at_us = T0 + at_s * SECOND
        assert relative(catalog.footage_until(camera_id, at_us)) == until
        assert relative(catalog.footage_from(camera_id, at_us)) == since
    assert relative(catalog.footage_until(camera_id, T0 + 30 * SECOND)) == first
    assert relative(catalog.footage_until(camera_id, T0 + 99 * SECOND)) == second
    assert catalog.footage_from(camera_id, T0 + 40 * SECOND) is None


def test_behind_footage_of_a_clock_set_back_the_older_goes_on(catalog: Catalog) -> None:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    long = stretch(catalog, camera_id, volume_id, 0, 100)
    inside = stretch(catalog, camera_id, volume_id, 40, 60)
    assert relative(catalog.picture_footage(camera_id, T0 + 50 * SECOND)) == inside
    assert relative(catalog.footage_from(camera_id, T0 + 60 * SECOND)) == long
    assert relative(catalog.footage_until(camera_id, T0 + 40 * SECOND)) == long


def test_footage_on_a_removed_volume_is_left_out(catalog: Catalog) -> None:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    stretch(catalog, camera_id, volume_id, 0, 10)
    catalog.remove_volume(next(volume.uuid for volume in catalog.volumes()))
    assert catalog.picture_footage(camera_id, T0) is None
    assert catalog.footage_from(camera_id, T0) is None
    assert catalog.footage_until(camera_id, T0 + 99 * SECOND) is None


def test_a_cameras_live_address_is_kept_changed_and_checked(catalog: Catalog) -> None:
    camera = catalog.add_camera(name="Gate", url="rtsp://192.0.2.1/a", live_url="rtsp://192.0.2.1/b")
    assert catalog.camera("Gate").live_url == "rtsp://192.0.2.1/b"
    assert catalog.update_camera(camera.uuid, live_url="").live_url == ""
    for wrong in ("gopher://192.0.2.1/b", "rtsp://user:secret@192.0.2.1/b", "rtsp://192.0.2.1/b?pwd=secret"):
        with pytest.raises(InvalidInput) as refused:
            catalog.update_camera(camera.uuid, live_url=wrong)
        assert "secret" not in str(refused.value)
