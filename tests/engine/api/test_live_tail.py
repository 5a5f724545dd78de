"""What was written a moment ago is seen at once, though the catalog knows it only after the next sync."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from engine import wire
from engine.recording.segment import SegmentTail
from storage.catalog.changes import BeginRun, GrowSegment, OpenSegment
from tests.fakes.station import H264, FakeStation

SECOND = 1_000_000
T0 = 1_767_225_600_000_000


async def being_written(station: FakeStation, folder: Path, *, known_s: int, written_s: int) -> None:
    """A camera whose open segment the catalog knows `known_s` of, while the file holds `written_s`."""
    camera = await station.client.add_camera(wire.CameraAdd(name="Gate", url="rtsp://camera/"))
    volume = await station.client.add_volume(
        wire.VolumeAdd(name="Disk", path=str(folder / "v"), allow_system_disk=True)
    )
    run = uuid4()
    changes: list[object] = [
        BeginRun(run, camera.id, T0, (H264,)),
        OpenSegment(run, 0, volume.id, "cam/0.mp4", T0),
    ]
    if known_s:
        changes.append(GrowSegment(run, 0, T0 + known_s * SECOND, known_s * 90_000, known_s * 100))
    await station.catalog.write("apply", changes)
    station.recording.open_tails = [
        SegmentTail(
            camera.id,
            volume.id,
            "cam/0.mp4",
            T0,
            T0 + written_s * SECOND,
            written_s * 90_000,
            written_s * 100,
        )
    ]


async def test_an_open_segment_is_as_long_as_its_file(station: FakeStation, short_folder: Path) -> None:
    await being_written(station, short_folder, known_s=5, written_s=9)
    (recording,) = await station.client.recordings("Gate", T0, T0 + 60 * SECOND)
    assert (recording.end_us, recording.bytes, recording.is_open) == (T0 + 9 * SECOND, 900, True)


async def test_what_no_sync_has_covered_yet_is_found_by_its_time(
    station: FakeStation, short_folder: Path
) -> None:
    await being_written(station, short_folder, known_s=5, written_s=9)
    (recording,) = await station.client.recordings("Gate", T0 + 6 * SECOND, T0 + 60 * SECOND)
    assert recording.end_us == T0 + 9 * SECOND
    assert await station.client.recordings("Gate", T0 + 9 * SECOND, T0 + 60 * SECOND) == ()


async def test_a_segment_without_any_sync_is_on_the_timeline(
    station: FakeStation, short_folder: Path
) -> None:
    await being_written(station, short_folder, known_s=0, written_s=3)
    (row,) = (await station.client.timeline(["Gate"], T0, T0 + 60 * SECOND)).rows
    assert row.recorded == ((T0, T0 + 3 * SECOND),)


async def test_what_the_catalog_knows_is_never_shortened(station: FakeStation, short_folder: Path) -> None:
    await being_written(station, short_folder, known_s=9, written_s=5)
    (row,) = (await station.client.timeline(["Gate"], T0, T0 + 60 * SECOND)).rows
    assert row.recorded == ((T0, T0 + 9 * SECOND),)
