"""What is recycled, in which order, and when it stops: days, bytes and free space together."""

from __future__ import annotations

from uuid import uuid4

import pytest

from engine.recording.retention import margin_bytes
from storage.catalog.changes import BeginRun, CloseSegment, EndRun, OpenSegment
from storage.catalog.records import Volume as VolumeRecord
from storage.errors import CameraUnreachable
from storage.segments.packet import Track
from tests.engine.recording.rig import Rig
from tests.fakes.camera import H264_TRACK, PacketScript

S = 1_000_000
DAY_US = 86_400 * S
MB = 1_000_000
GB = 1_000 * MB


async def footage(
    rig: Rig, volume: VolumeRecord, count: int, *, age_days: float, size_bytes: int = 10 * MB
) -> None:
    """`count` segments of two minutes, the oldest so many days old; the files are there, if small."""
    tracks: tuple[Track, ...] = (H264_TRACK,)
    run = uuid4()
    start_us = rig.clock.now_us() - round(age_days * DAY_US)
    rig.catalog.record(BeginRun(run, 1, start_us, tracks))
    for sequence in range(count):
        path = f"{run}/2026-01-01/{sequence}.mp4"
        file = rig.folder / volume.name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as sparse:
            sparse.truncate(size_bytes)
        at_us = start_us + sequence * 120 * S
        rig.catalog.record(
            OpenSegment(run, sequence, volume.id, path, at_us),
            CloseSegment(run, sequence, at_us + 120 * S, 120 * 90_000, size_bytes),
        )
    rig.catalog.record(EndRun(run, start_us + count * 120 * S, "test"))
    await rig.catalog.flush()


async def prepared(rig: Rig, *, free_bytes: int | None = None, floor_bytes: int = 0) -> VolumeRecord:
    volume = await rig.add_volume(free_bytes=free_bytes, floor_bytes=floor_bytes)
    await rig.add_camera()
    rig.camera().refuses = CameraUnreachable("camera yard: no answer")
    return volume


async def settled(rig: Rig) -> None:
    """Volumes were looked at, and what retention has to do is done."""
    for _ in range(2):
        await rig.wait(12)
        await rig.retain()


async def test_footage_older_than_the_days_goes_and_younger_stays(rig: Rig) -> None:
    volume = await prepared(rig)
    await footage(rig, volume, 40, age_days=10)
    await footage(rig, volume, 5, age_days=6.9)
    await rig.catalog.write("update_group", 1, retention_days=7)
    await rig.start()
    await settled(rig)
    assert len(await rig.segments()) == 5
    assert len(list((rig.folder / "v1").rglob("*.mp4"))) == 5


async def test_the_group_stays_at_or_below_its_bytes_oldest_first(rig: Rig) -> None:
    volume = await prepared(rig)
    second = await rig.add_volume("v2")
    await footage(rig, volume, 10, age_days=5)
    await footage(rig, second, 10, age_days=4)
    await rig.catalog.write("update_group", 1, retention_bytes=95 * MB)
    await rig.start()
    await settled(rig)
    left = await rig.segments()
    assert sum(segment.bytes for segment in left) == 90 * MB
    assert {segment.volume_id for segment in left} == {second.id}
    assert rig.group_view().used_bytes == 90 * MB


async def test_locked_footage_is_stepped_over_and_counted(rig: Rig) -> None:
    volume = await prepared(rig)
    await footage(rig, volume, 10, age_days=10)
    start_us = (await rig.segments())[2].start_us
    await rig.catalog.write(
        "add_lock", camera_id=1, start_us=start_us, end_us=start_us + 1, created_us=rig.clock.now_us()
    )
    await rig.catalog.write("update_group", 1, retention_days=7)
    await rig.start()
    await settled(rig)
    (left,) = await rig.segments()
    assert left.start_us == start_us
    assert rig.group_view().locked_bytes == left.bytes


async def test_a_lock_whose_time_is_over_protects_nothing(rig: Rig) -> None:
    volume = await prepared(rig)
    await footage(rig, volume, 3, age_days=10)
    segments = await rig.segments()
    now_us = rig.clock.now_us()
    await rig.catalog.write(
        "add_lock",
        camera_id=1,
        start_us=segments[0].start_us,
        end_us=segments[-1].end_us,
        created_us=now_us,
        expires_us=now_us + 15 * S,
    )
    await rig.catalog.write("update_group", 1, retention_days=7)
    await rig.start()
    await rig.wait(6)
    await rig.retain()
    assert len(await rig.segments()) == 3
    await settled(rig)
    assert await rig.segments() == []


async def test_free_space_is_kept_above_the_floor_and_no_more_than_needed_goes(rig: Rig) -> None:
    volume = await prepared(rig, free_bytes=51 * GB, floor_bytes=50 * GB)
    await footage(rig, volume, 60, age_days=10, size_bytes=GB)
    await rig.start()
    await settled(rig)
    free_bytes = rig.volumes["v1"].free_bytes
    assert free_bytes is not None
    # The margin of a volume of 1 TB is 10 GB.
    assert 60 * GB <= free_bytes <= 60 * GB + 16 * GB
    recycled = 60 - len(await rig.segments())
    assert recycled <= 16
    await settled(rig)
    assert 60 - len(await rig.segments()) == recycled
    oldest = (await rig.segments())[0]
    assert oldest.sequence == recycled


async def test_a_full_volume_recycles_its_oldest_segments_and_goes_on_recording(rig: Rig) -> None:
    volume = await prepared(rig, free_bytes=49 * GB, floor_bytes=50 * GB)
    await footage(rig, volume, 60, age_days=10, size_bytes=GB)
    rig.camera().refuses = None
    await rig.start()
    await rig.stream(20, PacketScript(rig.clock))
    assert rig.view().state == "recording"
    assert rig.volume_view().state == "ok"


async def test_a_full_volume_with_nothing_to_recycle_is_full_and_says_so(rig: Rig) -> None:
    await prepared(rig, free_bytes=50 * GB, floor_bytes=50 * GB)
    rig.camera().refuses = None
    await rig.start()
    script = PacketScript(rig.clock)
    await rig.stream(20, script)
    assert rig.view().state == "streaming"
    assert rig.volume_view().state == "full"
    assert (await rig.gaps())[0].cause == "volume_full"
    assert (await rig.said()).count("volume.full") == 1
    rig.volumes["v1"].free_bytes = 500 * GB
    await rig.stream(12, script)
    assert rig.view().state == "recording"
    assert (await rig.said()).count("volume.back") == 1


async def test_a_full_volume_hands_its_cameras_to_another(rig: Rig) -> None:
    await prepared(rig, free_bytes=50 * GB, floor_bytes=50 * GB)
    await rig.add_volume("v2")
    rig.camera().refuses = None
    await rig.start()
    await rig.stream(10, PacketScript(rig.clock))
    assert rig.view().state == "recording"
    assert rig.view().volume == "v2"


async def test_a_volume_in_trouble_is_left_alone_until_it_is_back(rig: Rig) -> None:
    volume = await prepared(rig)
    await footage(rig, volume, 3, age_days=10)
    await rig.catalog.write("update_group", 1, retention_days=7)
    (rig.folder / "v1").rename(rig.folder / "away")
    await rig.start()
    await settled(rig)
    assert len(await rig.segments()) == 3
    (rig.folder / "away").rename(rig.folder / "v1")
    await settled(rig)
    assert await rig.segments() == []


@pytest.mark.parametrize(
    ("total_bytes", "room_bytes", "rate", "expected"),
    [
        (1_000 * GB, 950 * GB, 0, 10 * GB),  # 1 %
        (100 * GB, 95 * GB, 20 * MB, 1_200 * MB),  # a minute of writing
        (100 * GB, 95 * GB, 500 * MB, 2 * 1024**3),  # at most 2 GiB
        (64 * MB, 60 * MB, 500_000, 6 * MB),  # a small one: a tenth of what may be used
        (GB, -5, 0, 0),
    ],
)
def test_the_margin_above_the_floor(total_bytes: int, room_bytes: int, rate: float, expected: int) -> None:
    assert margin_bytes(total_bytes, room_bytes, rate) == expected
