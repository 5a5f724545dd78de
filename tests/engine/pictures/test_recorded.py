"""Pictures out of segment files: the right keyframe, with the wall time it was taken at."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from engine.pictures.decode import read_keyframe
from engine.pictures.keyframe import RecordedKeyframe
from storage.errors import PictureUnavailable
from storage.segments.identity import SegmentIdentity
from storage.segments.packet import Packet
from storage.segments.part import PartBuilder
from storage.segments.writer import SegmentWriter
from tests.engine.pictures.samples import keyframe

SECOND_TICKS = 90_000


def segment(folder: Path, seconds: int) -> Path:
    """A segment with one keyframe a second."""
    sample = keyframe()
    identity = SegmentIdentity(
        station=uuid4(),
        camera=uuid4(),
        camera_name="gate",
        volume=uuid4(),
        run=uuid4(),
        sequence=0,
        start_us=0,
    )
    writer = SegmentWriter.create(folder, "a.mp4", identity, (sample.track,))
    for second in range(seconds):
        builder = PartBuilder((sample.track,))
        ticks = second * SECOND_TICKS
        builder.add(Packet(0, ticks, True, sample.data, arrival_monotonic_us=0))
        writer.append(builder.take(ticks + SECOND_TICKS))
    writer.close()
    return folder / "a.mp4"


def recorded(path: Path, media_ticks: int, end_us: int) -> RecordedKeyframe:
    return RecordedKeyframe(
        camera="c",
        path=str(path),
        media_ticks=media_ticks,
        start_us=1_000_000_000,
        end_us=end_us,
        duration_ticks=4 * SECOND_TICKS,
    )


def test_the_keyframe_before_the_moment_is_found_with_its_wall_time(tmp_path: Path) -> None:
    path = segment(tmp_path, 4)
    found = read_keyframe(recorded(path, 2 * SECOND_TICKS + 70_000, 1_004_000_000))
    assert found.data == keyframe().data
    assert found.time_us == 1_002_000_000


def test_wall_time_follows_the_segments_own_slew(tmp_path: Path) -> None:
    path = segment(tmp_path, 4)
    found = read_keyframe(recorded(path, 2 * SECOND_TICKS, 1_004_002_000))
    assert found.time_us == 1_002_001_000


def test_a_file_that_is_no_segment_is_an_unavailable_picture_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "noise.mp4"
    path.write_bytes(bytes(range(256)) * 10)
    with pytest.raises(PictureUnavailable, match=r"noise\.mp4"):
        read_keyframe(recorded(path, 0, 1_004_000_000))
