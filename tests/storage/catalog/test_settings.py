from __future__ import annotations

from uuid import uuid4

import pytest

from storage.catalog.changes import EndRun
from storage.catalog.db import Catalog
from storage.catalog.records import RecordingMode, Schedule, Transport
from storage.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from tests.storage.catalog.footage import SECOND, T0, add_camera, add_segment, add_volume, begin_run

ALWAYS = Schedule(zone="Europe/Berlin", days=("x" * 48,) * 7)


def test_the_group_main_exists_from_the_start_and_stays(catalog: Catalog) -> None:
    main = catalog.group("main")
    assert (main.id, catalog.groups()) == (1, [main])
    with pytest.raises(Conflict):
        catalog.remove_group(main.id)
    with pytest.raises(Conflict):
        catalog.update_group(main.id, name="other")
    assert catalog.update_group(main.id, retention_days=14, retention_bytes=10**12).retention_days == 14
    assert catalog.update_group(main.id, retention_days=None).retention_days is None


def test_a_camera_comes_back_as_it_was_added(catalog: Catalog) -> None:
    camera = catalog.add_camera(
        name="  Gate 1 ",
        url="rtsps://192.0.2.7:322/live?x=1",
        user="viewer",
        password="secret",
        transport="tcp",
        group="MAIN",
        mode="schedule",
        schedule=ALWAYS,
        record_audio=False,
        verify_tls=True,
    )
    assert camera == catalog.camera("gate 1") == catalog.camera(str(camera.uuid)) == catalog.camera(camera.id)
    assert (camera.name, camera.user, camera.has_password) == ("Gate 1", "viewer", True)
    assert (camera.transport, camera.mode, camera.schedule) == (
        Transport.TCP,
        RecordingMode.SCHEDULE,
        ALWAYS,
    )
    assert (camera.record_audio, camera.verify_tls, camera.is_enabled) == (False, True, True)


def test_a_password_is_only_told_when_asked_for(catalog: Catalog) -> None:
    camera = catalog.add_camera(name="gate", url="rtsp://192.0.2.1/", password="hunter2")
    assert "hunter2" not in repr(camera)
    assert catalog.camera_password(camera.uuid) == "hunter2"
    assert catalog.update_camera(camera.uuid, password="").has_password is False
    assert catalog.camera_password(camera.uuid) == ""
    catalog.update_camera(camera.uuid, password="again")
    catalog.remove_camera(camera.uuid)
    assert catalog.camera_password(camera.uuid) == ""


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": ""}, InvalidInput),
        ({"name": "a" * 65}, InvalidInput),
        ({"name": "a\x1b[31m"}, InvalidInput),
        ({"name": "a/b"}, InvalidInput),
        ({"name": "DOOR"}, AlreadyExists),
        ({"url": "192.0.2.1"}, InvalidInput),
        ({"url": "ftp://192.0.2.1/"}, InvalidInput),
        ({"url": "rtsp://user:pass@192.0.2.1/"}, InvalidInput),
        ({"url": "rtsp:///stream"}, InvalidInput),
        ({"url": "rtsp://192.0.2.1:port/"}, InvalidInput),
        ({"url": "file://relative"}, InvalidInput),
        ({"transport": "carrier pigeon"}, InvalidInput),
        ({"mode": "sometimes"}, InvalidInput),
        ({"mode": "schedule"}, InvalidInput),
        ({"schedule": Schedule(zone="UTC", days=("x",) * 7)}, InvalidInput),
        ({"group": "nowhere"}, NotFound),
        ({"colour": "red"}, InvalidInput),
    ],
)
def test_what_a_camera_cannot_be_is_refused_and_changes_nothing(
    catalog: Catalog, changes: dict[str, object], error: type[Exception]
) -> None:
    catalog.add_camera(name="door", url="rtsp://192.0.2.2/")
    camera = catalog.add_camera(name="gate", url="rtsp://192.0.2.1/")
    with pytest.raises(error) as raised:
        catalog.update_camera(camera.uuid, **changes)
    assert "pass" not in str(raised.value).replace("password", "")
    assert catalog.camera("gate") == camera


def test_adding_refuses_what_exists(catalog: Catalog) -> None:
    camera = catalog.add_camera(name="gate", url="rtsp://192.0.2.1/")
    with pytest.raises(AlreadyExists):
        catalog.add_camera(name="GATE", url="rtsp://192.0.2.1/")
    with pytest.raises(AlreadyExists):
        catalog.add_camera(name="other", url="rtsp://192.0.2.1/", uuid=camera.uuid)
    with pytest.raises(InvalidInput):
        catalog.add_camera(name="other", url="rtsp://192.0.2.1/", mode="schedule")
    assert len(catalog.cameras()) == 1


def test_changing_a_camera_changes_only_what_is_named(catalog: Catalog) -> None:
    camera = catalog.add_camera(name="gate", url="rtsp://192.0.2.1/", user="viewer", password="p")
    assert catalog.update_camera(camera.uuid) == camera
    catalog.add_group(name="yard")
    changed = catalog.update_camera(
        camera.uuid, group="yard", is_enabled=False, schedule=ALWAYS, mode="schedule"
    )
    assert (changed.group, changed.is_enabled, changed.user, changed.has_password) == (
        "yard",
        False,
        "viewer",
        True,
    )
    with pytest.raises(InvalidInput):
        catalog.update_camera(camera.uuid, schedule=None)


def test_numbers_of_cameras_are_never_used_again(catalog: Catalog) -> None:
    first = catalog.add_camera(name="gate", url="rtsp://192.0.2.1/")
    catalog.remove_camera(first.uuid)
    assert catalog.add_camera(name="gate", url="rtsp://192.0.2.1/").id == first.id + 1
    with pytest.raises(NotFound):
        catalog.camera(first.id)


def test_a_removed_camera_shows_its_footage_until_it_is_recycled(catalog: Catalog) -> None:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    camera = catalog.camera(camera_id)
    run = begin_run(catalog, camera_id)
    segment_id = add_segment(catalog, run, 0, volume_id, T0, T0 + 60 * SECOND)
    catalog.apply([EndRun(run, T0 + 60 * SECOND, "removed")])
    catalog.remove_camera(camera.uuid)
    assert catalog.cameras() == []
    with pytest.raises(NotFound):
        catalog.camera("gate")
    assert catalog.camera("gate", with_removed=True).uuid == camera.uuid
    assert [each.uuid for each in catalog.cameras(with_removed=True)] == [camera.uuid]
    newer = catalog.add_camera(name="gate", url="rtsp://192.0.2.9/")
    assert catalog.camera("gate", with_removed=True) == newer
    assert len(catalog.segments([camera_id], T0, T0 + SECOND)) == 1
    catalog.mark_deleting([segment_id])
    catalog.forget([segment_id])
    assert [each.uuid for each in catalog.cameras(with_removed=True)] == [newer.uuid]


def test_a_removed_camera_comes_back_by_its_uuid(catalog: Catalog) -> None:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    camera = catalog.camera(camera_id)
    add_segment(catalog, begin_run(catalog, camera_id), 0, volume_id, T0, T0 + SECOND)
    catalog.remove_camera(camera.uuid)
    assert catalog.add_camera(name="gate", url="rtsp://192.0.2.3/", uuid=camera.uuid).id == camera_id


def test_volumes_are_found_by_name_uuid_and_number(catalog: Catalog) -> None:
    volume = catalog.volume(add_volume(catalog, "Array"))
    assert volume == catalog.volume("array") == catalog.volume(str(volume.uuid))
    assert catalog.volumes() == [volume]
    with pytest.raises(NotFound):
        catalog.volume("other")
    for uuid, name, path in (
        (volume.uuid, "b", "/srv/b"),
        (uuid4(), "ARRAY", "/srv/b"),
        (uuid4(), "b", volume.path),
    ):
        with pytest.raises(AlreadyExists):
            catalog.add_volume(uuid=uuid, name=name, path=path, group="main", floor_bytes=0)
    for path, floor in (("relative", 0), ("/srv/../etc", 0), ("/srv/b", -1)):
        with pytest.raises(InvalidInput):
            catalog.add_volume(uuid=uuid4(), name="b", path=path, group="main", floor_bytes=floor)


def test_a_removed_volume_hides_its_footage_until_it_is_registered_again(catalog: Catalog) -> None:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    volume = catalog.volume(volume_id)
    add_segment(catalog, begin_run(catalog, camera_id), 0, volume_id, T0, T0 + SECOND)
    catalog.remove_volume(volume.uuid)
    window = ([camera_id], T0, T0 + SECOND)
    assert catalog.segments(*window) == []
    assert catalog.coverage(*window) == {camera_id: []}
    assert catalog.segment_at(camera_id, T0) is None
    assert catalog.oldest_us([camera_id]) == {}
    assert catalog.group_usage(1).bytes == 0
    assert catalog.recycle_candidates(1, 10) == []
    catalog.add_group(name="yard")
    again = catalog.add_volume(uuid=volume.uuid, name="moved", path="/mnt/moved", group="yard", floor_bytes=5)
    assert (again.id, again.path) == (volume_id, "/mnt/moved")
    assert len(catalog.segments(*window)) == 1
    assert catalog.group_usage(catalog.group("yard").id).bytes == 1000


def test_a_group_in_use_cannot_be_removed(catalog: Catalog) -> None:
    group = catalog.add_group(name="yard", retention_days=7)
    camera = catalog.add_camera(name="gate", url="rtsp://192.0.2.1/", group="yard")
    with pytest.raises(Conflict, match="1 camera"):
        catalog.remove_group(group.id)
    catalog.update_camera(camera.uuid, group="main")
    volume_id = add_volume(catalog, group="yard")
    with pytest.raises(Conflict, match="1 volume"):
        catalog.remove_group(group.id)
    catalog.remove_volume(catalog.volume(volume_id).uuid)
    catalog.remove_group(group.id)
    with pytest.raises(NotFound):
        catalog.group("yard")
    with pytest.raises(NotFound):
        catalog.update_group(group.id, name="x")


def test_groups_refuse_wrong_values(catalog: Catalog) -> None:
    group = catalog.add_group(name="yard")
    assert catalog.group(str(group.id)) == group
    for changes in (
        {"retention_days": 0},
        {"retention_days": 40_000},
        {"retention_bytes": 0},
        {"size": 1},
    ):
        with pytest.raises(InvalidInput):
            catalog.update_group(group.id, **changes)
    for name in ("Yard", "main"):
        with pytest.raises(AlreadyExists):
            catalog.add_group(name=name)
    assert catalog.update_group(group.id, name="YARD").name == "YARD"


def test_the_station_can_be_renamed(catalog: Catalog) -> None:
    before = catalog.station()
    after = catalog.rename_station("North gate")
    assert (after.uuid, after.name) == (before.uuid, "North gate")
