"""The index that pictures are read by is about the file as the recorder leaves it."""

from __future__ import annotations

from pathlib import Path

from engine.pictures.decode import read_keyframe
from engine.pictures.keyframe import RecordedKeyframe
from engine.pictures.recorded_files import RecordedFiles
from storage.catalog.picture_footage import PictureFootage
from storage.segments.places import decode_places
from tests.engine.recording.rig import Rig
from tests.fakes.camera import PacketScript

S = 1_000_000


async def test_every_keyframe_of_a_closed_segment_is_read_by_the_index_alone(rig: Rig, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    await rig.add_volume()
    camera = await rig.add_camera()
    await rig.start()
    sent = await rig.stream(300, PacketScript(rig.clock, gop=50))
    # Cuts are staggered, so the first one may be short.
    segment = max(
        (each for each in await rig.segments() if not each.is_open),
        key=lambda each: each.media_duration_ticks,
    )
    found: PictureFootage = await rig.catalog.read("picture_footage", camera.id, segment.start_us)
    assert Path(found.path).stat().st_size == segment.bytes
    monkeypatch.setattr(RecordedFiles, "_scanned", None)
    hz = found.tracks[0].time_base_hz
    files, seen, ticks = RecordedFiles(), [], 0
    while ticks < segment.media_duration_ticks:
        source = RecordedKeyframe(
            camera=str(camera.uuid),
            path=found.path,
            media_ticks=ticks,
            start_us=segment.start_us,
            end_us=segment.end_us,
            duration_ticks=segment.media_duration_ticks,
            tracks=found.tracks,
            places=found.places,
            file_bytes=segment.bytes,
        )
        seen.append(read_keyframe(source, files).data)
        ticks += 2 * hz
    keyframes = [packet.data for packet in sent if packet.is_keyframe]
    first = keyframes.index(seen[0])
    assert seen == keyframes[first : first + len(seen)]
    assert len(seen) == len(decode_places(found.places)) >= 55
