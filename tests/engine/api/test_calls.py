"""Calls through the real client, socket and server to the real catalog, with recording and pictures made up."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import wire
from engine.pictures.keyframe import LiveKeyframe, RecordedKeyframe
from storage import errors
from storage.catalog.changes import BeginRun, CloseGap, CloseSegment, GrowSegment, OpenGap, OpenSegment
from storage.catalog.records import GapCause
from tests.fakes.station import H264, FakeKeyframe, FakeStation

T0 = 1_767_225_600_000_000
SECOND = 1_000_000


def gate(**changes: object) -> wire.CameraAdd:
    return wire.CameraAdd(**{"name": "Gate", "url": "rtsp://10.0.0.9/main", **changes})  # type: ignore[arg-type]


async def newest_events(station: FakeStation, count: int) -> list[wire.EventView]:
    await station.events.flush()
    return list(await station.client.events(limit=count))


async def test_added_camera_is_listed_and_its_credentials_are_kept_apart(station: FakeStation) -> None:
    added = await station.client.add_camera(gate(url="RTSP://admin:p%40ss@10.0.0.9:554/main?x=1"))
    assert added.url == "rtsp://10.0.0.9:554/main?x=1"
    assert (added.user, added.has_password) == ("admin", True)
    assert station.recording.passwords == ["p@ss"]
    assert await station.client.cameras() == (added,)
    for ref in ("Gate", added.uuid, str(added.id)):
        assert await station.client.camera(ref) == added


async def test_operations_are_events_with_the_callers_name_and_without_the_password(
    station: FakeStation,
) -> None:
    await station.client.add_camera(gate(url="rtsp://admin:geheim@10.0.0.9/main"))
    await station.client.edit_camera("Gate", wire.CameraEdit(password="topsecret", name="Door"))
    await station.client.remove_camera("Door")
    events = await newest_events(station, 3)
    assert [event.kind for event in events] == ["camera.removed", "camera.edited", "camera.added"]
    assert {event.actor for event in events} == {"root"} or all(event.actor for event in events)
    assert "name = Door, password" in events[1].text
    assert not any("geheim" in event.text or "topsecret" in event.text for event in events)


async def test_a_password_in_the_query_is_kept_apart_and_put_back_only_for_connecting(
    station: FakeStation,
) -> None:
    added = await station.client.add_camera(gate(url="http://10.0.0.9/v.cgi?user=a&pwd=geh%20eim"))
    assert (added.url, added.has_password) == ("http://10.0.0.9/v.cgi?user=a&pwd={password}", True)
    assert station.recording.passwords == ["geh eim"]
    edited = await station.client.edit_camera("Gate", wire.CameraEdit(url="http://10.0.0.9/w.cgi?token=zwei"))
    assert (edited.url, station.recording.passwords[-1]) == ("http://10.0.0.9/w.cgi?token={password}", "zwei")
    kept = await station.client.edit_camera(
        "Gate", wire.CameraEdit(url="http://10.0.0.8/w.cgi?token={password}")
    )
    assert (kept.has_password, station.recording.passwords[-1]) == (True, "zwei")
    with pytest.raises(errors.InvalidInput) as raised:
        await station.client.add_camera(gate(name="x", url="http://10.0.0.9/?pwd=eins&token=drei"))
    with pytest.raises(errors.InvalidInput) as also:
        await station.client.add_camera(gate(name="x", url="http://a:eins@10.0.0.9/?pwd=drei"))
    assert "drei" not in f"{raised.value}{also.value}"
    shown = str(await newest_events(station, 9))
    assert not any(secret in shown for secret in ("geh", "zwei", "eins", "drei"))


async def test_edit_changes_only_what_is_given(station: FakeStation) -> None:
    before = await station.client.add_camera(gate(user="admin", password="x"))
    after = await station.client.edit_camera("Gate", wire.CameraEdit(record_audio=False, is_enabled=False))
    assert (after.record_audio, after.is_enabled) == (False, False)
    assert (after.url, after.user, after.has_password) == (before.url, "admin", True)
    await station.events.flush()
    count = len(await station.client.events())
    assert await station.client.edit_camera("Gate", wire.CameraEdit(record_audio=False)) == after
    await station.events.flush()
    assert len(await station.client.events()) == count, "an edit that changes nothing is no event"


async def test_a_password_can_be_taken_away(station: FakeStation) -> None:
    await station.client.add_camera(gate(password="x"))
    assert not (await station.client.edit_camera("Gate", wire.CameraEdit(password=""))).has_password


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": "a/b"}, errors.InvalidInput),
        ({"name": ""}, errors.InvalidInput),
        ({"name": "x" * 65}, errors.InvalidInput),
        ({"name": "tab\there"}, errors.InvalidInput),
        ({"url": "ftp://host/x"}, errors.InvalidInput),
        ({"url": "rtsp:///nohost"}, errors.InvalidInput),
        ({"url": "rtsp://admin:pa/ss@host/x"}, errors.InvalidInput),
        ({"url": "rtsp://admin:12#4@host/x"}, errors.InvalidInput),
        ({"url": "rtsp://admin:12?4@host/x"}, errors.InvalidInput),
        ({"url": "rtsp://host:99999/x"}, errors.InvalidInput),
        ({"url": "rtsp://host/a b"}, errors.InvalidInput),
        ({"url": "file://relative.mp4"}, errors.InvalidInput),
        ({"password": "a\nb"}, errors.InvalidInput),
        ({"transport": "pigeon"}, errors.InvalidInput),
        ({"mode": "schedule"}, errors.InvalidInput),
        ({"schedule": wire.ScheduleMessage(zone="Mars/Base", days=("x" * 48,) * 7)}, errors.InvalidInput),
        ({"schedule": wire.ScheduleMessage(zone="UTC", days=("x" * 47,) * 7)}, errors.InvalidInput),
        ({"group": "nowhere"}, errors.NotFound),
    ],
)
async def test_wrong_values_are_refused_and_change_nothing(
    station: FakeStation, changes: dict[str, object], error: type[errors.WatchdeckError]
) -> None:
    with pytest.raises(error) as raised:
        await station.client.add_camera(gate(**changes))
    assert "12" not in raised.value.what or "12?4" not in str(changes["url"])
    assert "pa/ss" not in str(raised.value)
    assert await station.client.cameras() == ()


async def test_taken_name_is_refused_by_its_own_error(station: FakeStation) -> None:
    await station.client.add_camera(gate())
    with pytest.raises(errors.AlreadyExists):
        await station.client.add_camera(gate(name="GATE"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(name=st.text(min_size=1, max_size=64))
def test_whatever_name_is_accepted_can_be_asked_for(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    import tempfile

    from tests.fakes.station import fake_station

    async def round_trip(folder: Path) -> None:
        async with fake_station(folder) as station:
            try:
                added = await station.client.add_camera(gate(name=name))
            except errors.InvalidInput:
                return
            assert (await station.client.camera(added.name)).uuid == added.uuid

    with tempfile.TemporaryDirectory(prefix="wd-", dir="/tmp") as folder:
        asyncio.run(round_trip(Path(folder)))


@pytest.mark.parametrize("name", [".", "..", "%2F", "a?b", "a#b", "{x}", "ä é", "%", "+", "a&b=c", "\\"])
async def test_odd_names_survive_the_path(station: FakeStation, name: str) -> None:
    added = await station.client.add_camera(gate(name=name))
    assert (await station.client.camera(name)).uuid == added.uuid
    await station.client.remove_camera(name)
    assert await station.client.cameras() == ()


async def test_unknown_camera_is_not_found_by_every_call(station: FakeStation) -> None:
    for call in (
        station.client.camera("Nobody"),
        station.client.edit_camera("Nobody", wire.CameraEdit(name="x")),
        station.client.remove_camera("Nobody"),
        station.client.recordings("Nobody", T0, T0 + 1),
        station.client.timeline(["Nobody"], T0, T0 + 1),
        station.client.plan_export("Nobody", T0, T0 + 1),
        station.client.picture(wire.PictureRequest(camera="Nobody")),
        station.client.test_camera(wire.CameraTest(camera="Nobody")),
    ):
        with pytest.raises(errors.NotFound):
            await call


# -- volumes and groups ----------------------------------------------------------------------------------


async def test_volume_on_the_system_disk_needs_to_be_meant(
    station: FakeStation, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.api.new_volume.is_on_system_disk", lambda path: True)
    wanted = wire.VolumeAdd(name="Disk", path=str(short_folder / "v"))
    with pytest.raises(errors.InvalidInput, match="system's own disk"):
        await station.client.add_volume(wanted)
    assert not (short_folder / "v").exists()
    added = await station.client.add_volume(
        wire.VolumeAdd(name="Disk", path=str(short_folder / "v"), allow_system_disk=True)
    )
    assert added.floor_bytes > 0
    assert (short_folder / "v" / ".watchdeck" / "volume.json").exists()
    assert (await station.client.volume("Disk")).uuid == added.uuid


async def test_volumes_do_not_overlap_and_come_back_with_their_identity(
    station: FakeStation, short_folder: Path
) -> None:
    def volume(name: str, path: str) -> wire.VolumeAdd:
        return wire.VolumeAdd(name=name, path=str(short_folder / path), allow_system_disk=True)

    first = await station.client.add_volume(volume("One", "v"))
    with pytest.raises(errors.AlreadyExists):
        await station.client.add_volume(volume("Two", "v"))
    with pytest.raises(errors.InvalidInput, match="inside each other"):
        await station.client.add_volume(volume("Two", "v/inner"))
    with pytest.raises(errors.InvalidInput, match="absolute"):
        await station.client.add_volume(wire.VolumeAdd(name="Two", path="relative"))
    await station.client.remove_volume("One")
    assert await station.client.volumes() == ()
    again = await station.client.add_volume(volume("Again", "v"))
    assert again.uuid == first.uuid


async def test_volume_of_another_station_is_refused(station: FakeStation, short_folder: Path) -> None:
    from storage.volumes.volume import Volume

    Volume.initialise(short_folder / "v", uuid4(), "theirs", uuid4())
    with pytest.raises(errors.Conflict, match="another station"):
        await station.client.add_volume(
            wire.VolumeAdd(name="Mine", path=str(short_folder / "v"), allow_system_disk=True)
        )


async def test_volume_in_a_missing_folder_is_a_volume_error(station: FakeStation, short_folder: Path) -> None:
    with pytest.raises(errors.VolumeError):
        await station.client.add_volume(
            wire.VolumeAdd(name="Disk", path=str(short_folder / "no" / "such"), allow_system_disk=True)
        )
    assert await station.client.volumes() == ()


async def test_group_limits_are_set_and_taken_away(station: FakeStation) -> None:
    added = await station.client.add_group(wire.GroupAdd(name="Yard", retention_days=7))
    assert added.retention_days == 7
    edited = await station.client.edit_group(
        "Yard", wire.GroupEdit(retention_days=-1, retention_bytes=10**12)
    )
    assert (edited.retention_days, edited.retention_bytes) == (None, 10**12)
    with pytest.raises(errors.InvalidInput):
        await station.client.edit_group("Yard", wire.GroupEdit(retention_days=0))
    assert [group.name for group in await station.client.groups()] == ["main", "Yard"]
    await station.client.add_camera(gate(group="Yard"))
    with pytest.raises(errors.Conflict):
        await station.client.remove_group("Yard")
    await station.client.remove_camera("Gate")
    await station.client.remove_group("Yard")
    assert [group.name for group in await station.client.groups()] == ["main"]


# -- recordings ------------------------------------------------------------------------------------------


async def record(station: FakeStation, folder: Path, segments: int, start_us: int = T0) -> wire.CameraView:
    """A camera with segments of 10 s and then a gap that goes on."""
    camera = await station.client.add_camera(gate())
    volume = await station.client.add_volume(
        wire.VolumeAdd(name="Disk", path=str(folder / "v"), allow_system_disk=True)
    )
    run = uuid4()
    changes: list[object] = [BeginRun(run, camera.id, start_us, (H264,))]
    for number in range(segments):
        at_us = start_us + number * 10 * SECOND
        changes += [
            OpenSegment(run, number, volume.id, f"cam/{number}.mp4", at_us),
            CloseSegment(run, number, at_us + 10 * SECOND, 900_000, 1000),
        ]
    end_us = start_us + segments * 10 * SECOND
    changes += [
        OpenGap(camera.id, end_us, GapCause.CAMERA_STALLED),
        CloseGap(camera.id, end_us + SECOND),
        OpenGap(camera.id, end_us + SECOND, GapCause.CAMERA_UNREACHABLE, "no route"),
    ]
    await station.catalog.write("apply", changes)
    return camera


async def test_recordings_are_fetched_in_pages_and_only_once(
    station: FakeStation, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine import wire_calls

    await record(station, short_folder, 57)
    fields = wire_calls.RecordingQuery.__struct_fields__
    assert "limit" in fields
    page = await station.client._call(
        "GET",
        "/v1/recordings",
        wire_calls.RecordingList,
        query={"camera": "Gate", "start_us": T0, "end_us": T0 + 600 * SECOND, "limit": 5},
    )
    assert len(page.recordings) == 7
    assert page.resume_us == page.recordings[-1].start_us
    whole = await station.client.recordings(None, T0, T0 + 600 * SECOND)
    assert [recording.start_us for recording in whole] == [T0 + 10 * SECOND * n for n in range(57)]
    assert whole[3].path == f"{short_folder}/v/cam/3.mp4"
    assert (whole[3].camera, whole[3].volume, whole[3].is_locked) == ("Gate", "Disk", False)


async def test_a_lock_marks_what_it_overlaps_until_it_is_released(
    station: FakeStation, short_folder: Path
) -> None:
    await record(station, short_folder, 4)
    lock = await station.client.add_lock(
        wire.LockAdd(camera="Gate", start_us=T0 + 15 * SECOND, end_us=T0 + 25 * SECOND, reason="theft")
    )
    assert lock.created_by
    locked = [r.is_locked for r in await station.client.recordings("Gate", T0, T0 + 100 * SECOND)]
    assert locked == [False, True, True, False]
    assert await station.client.locks() == (lock,)
    assert await station.client.locks("Gate", T0, T0 + SECOND) == ()
    await station.client.remove_lock(lock.id)
    assert await station.client.locks() == ()
    with pytest.raises(errors.NotFound):
        await station.client.remove_lock(lock.id)
    with pytest.raises(errors.InvalidInput):
        await station.client.add_lock(wire.LockAdd(camera="Gate", start_us=5, end_us=5))


async def test_timeline_shows_coverage_gaps_and_locks_of_the_asked_cameras(
    station: FakeStation, short_folder: Path
) -> None:
    await record(station, short_folder, 3)
    station.clock.advance(60 * SECOND)
    await station.client.add_lock(wire.LockAdd(camera="Gate", start_us=T0, end_us=T0 + 20 * SECOND))
    line = await station.client.timeline(["Gate"], T0 + 5 * SECOND, T0 + 100 * SECOND)
    (row,) = line.rows
    assert row.recorded == ((T0 + 5 * SECOND, T0 + 30 * SECOND),)
    assert row.gaps == (
        (T0 + 30 * SECOND, T0 + 31 * SECOND, "camera_stalled"),
        (T0 + 31 * SECOND, T0 + 60 * SECOND, "camera_unreachable"),
    )
    assert row.locks == ((T0 + 5 * SECOND, T0 + 20 * SECOND),)
    assert row.oldest_us == T0
    assert line.now_us == T0 + 60 * SECOND
    gaps = await station.client.gaps(None, T0, T0 + 100 * SECOND)
    assert [(gap.cause, gap.end_us, gap.detail) for gap in gaps] == [
        ("camera_stalled", T0 + 31 * SECOND, ""),
        ("camera_unreachable", None, "no route"),
    ]
    with pytest.raises(errors.InvalidInput):
        await station.client.timeline([], T0, T0)


# -- events ----------------------------------------------------------------------------------------------


async def test_events_are_filtered_and_paged(station: FakeStation) -> None:
    for number in range(5):
        station.events.publish("camera.lost", f"lost {number}", source="Gate")
    station.events.publish("volume.full", "full")
    await station.events.flush()
    assert [e.text for e in await station.client.events(kinds=["camera"], limit=2)] == ["lost 4", "lost 3"]
    page = await station.client.events(limit=2)
    assert [e.text for e in await station.client.events(before_id=page[-1].id, limit=1)] == ["lost 3"]
    assert [e.text for e in await station.client.events(after_id=page[-1].id)] == ["full"]
    assert [e.text for e in await station.client.events(text="FULL")] == ["full"]
    with pytest.raises(errors.InvalidInput, match="min_severity"):
        await station.client.events(min_severity="terrible")


# -- pictures --------------------------------------------------------------------------------------------


async def test_live_picture_is_the_newest_keyframe_and_none_says_why(station: FakeStation) -> None:
    added = await station.client.add_camera(gate())
    with pytest.raises(errors.PictureUnavailable, match="Gate"):
        await station.client.picture(wire.PictureRequest(camera="Gate"))
    (uuid,) = station.recording.cameras
    station.recording.newest[uuid] = FakeKeyframe(b"x", H264, T0)
    reply = await station.client.picture(wire.PictureRequest(camera=added.uuid))
    assert (reply.camera, reply.time_us, reply.data) == ("Gate", T0, b"\xff\xd8picture")


async def test_picture_at_a_time_comes_from_the_segment_and_a_gap_says_its_cause(
    station: FakeStation, short_folder: Path
) -> None:
    await record(station, short_folder, 2)
    reply = await station.client.picture(wire.PictureRequest(camera="Gate", at_us=T0 + 15 * SECOND))
    (source,) = station.pictures.asked
    assert source.media_ticks == 450_000  # type: ignore[union-attr]
    assert source.path == f"{short_folder}/v/cam/1.mp4"  # type: ignore[union-attr]
    assert reply.camera == "Gate"
    with pytest.raises(errors.PictureUnavailable, match="camera stalled"):
        await station.client.picture(wire.PictureRequest(camera="Gate", at_us=T0 + 20 * SECOND + 1))


async def test_picture_just_behind_live_comes_from_the_file_that_is_being_written(
    station: FakeStation, short_folder: Path
) -> None:
    camera = await record(station, short_folder, 1)
    station.clock.advance(60 * SECOND)
    now_us = station.clock.now_us()
    (uuid,) = station.recording.cameras
    run, start_us = uuid4(), now_us - 10 * SECOND
    changes = [
        CloseGap(camera.id, start_us),
        BeginRun(run, camera.id, start_us, (H264,)),
        OpenSegment(run, 0, 1, "cam/open.mp4", start_us),
    ]
    await station.catalog.write("apply", changes)

    async def asked(at_us: int) -> object:
        await station.client.picture(wire.PictureRequest(camera="Gate", at_us=at_us))
        return station.pictures.asked[-1]

    source = await asked(start_us + 2 * SECOND)
    assert source.media_ticks == 180_000, "of a segment just begun, at its nominal rate"  # type: ignore[attr-defined]
    await station.catalog.write("apply", [GrowSegment(run, 0, start_us + 4 * SECOND, 360_360, 1000)])
    source = await asked(start_us + 8 * SECOND)
    assert source.media_ticks == 720_720  # type: ignore[attr-defined]
    station.recording.newest[uuid] = FakeKeyframe(b"x", H264, now_us - SECOND)
    assert isinstance(await asked(now_us - 2 * SECOND), RecordedKeyframe)
    assert isinstance(await asked(now_us - SECOND), LiveKeyframe)
    for missing_us in (start_us - 2 * SECOND, now_us + SECOND):
        with pytest.raises(errors.PictureUnavailable):
            await asked(missing_us)


async def test_picture_of_a_part_not_yet_written_is_the_live_one(
    station: FakeStation, short_folder: Path
) -> None:
    camera = await record(station, short_folder, 1)
    station.clock.advance(60 * SECOND)
    now_us = station.clock.now_us()
    (uuid,) = station.recording.cameras
    run = uuid4()
    await station.catalog.write(
        "apply",
        [
            CloseGap(camera.id, now_us - 3 * SECOND),
            BeginRun(run, camera.id, now_us - 3 * SECOND, (H264,)),
            OpenSegment(run, 0, 1, "cam/open.mp4", now_us - 3 * SECOND),
        ],
    )
    station.pictures.refused.append(RecordedKeyframe)
    asked = wire.PictureRequest(camera="Gate", at_us=now_us - 2 * SECOND)
    with pytest.raises(errors.PictureUnavailable):
        await station.client.picture(asked)
    station.recording.newest[uuid] = FakeKeyframe(b"x", H264, now_us - SECOND)
    assert (await station.client.picture(asked)).time_us == now_us - SECOND


async def test_footage_of_a_removed_camera_stays_within_reach(
    station: FakeStation, short_folder: Path
) -> None:
    camera = await record(station, short_folder, 2)
    client, end_us = station.client, T0 + 60 * SECOND
    assert await client.cameras(removed=True) == ()
    await client.remove_camera("Gate")
    (removed,) = await client.cameras(removed=True)
    assert (removed.name, removed.uuid, removed.is_removed, removed.oldest_us) == (
        "Gate",
        camera.uuid,
        True,
        T0,
    )
    assert await client.cameras() == ()
    for ref in ("Gate", camera.uuid):
        assert await client.camera(ref) == removed
        assert len(await client.recordings(ref, T0, end_us)) == 2
        assert len(await client.gaps(ref, T0, end_us)) == 2
        assert (await client.timeline([ref], T0, end_us)).rows[0].recorded == ((T0, T0 + 20 * SECOND),)
        await client.picture(wire.PictureRequest(camera=ref, at_us=T0 + SECOND))
        with pytest.raises(errors.PictureUnavailable):
            await client.picture(wire.PictureRequest(camera=ref))
        with pytest.raises(errors.PictureUnavailable):
            await client.picture(wire.PictureRequest(camera=ref, at_us=end_us))
    await client.add_lock(wire.LockAdd(camera=camera.uuid, start_us=T0, end_us=T0 + SECOND))
    assert [lock.camera for lock in await client.locks()] == ["Gate"]
    with pytest.raises(errors.NotFound):
        await client.edit_camera("Gate", wire.CameraEdit(name="x"))
    new = await client.add_camera(gate())
    assert (await client.camera("Gate")).uuid == new.uuid
    assert len(await client.recordings(camera.uuid, T0, end_us)) == 2
    assert await client.recordings("Gate", T0, end_us) == ()
