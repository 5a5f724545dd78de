"""Pictures out of segment files: the right keyframe, with the wall time it was taken at."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from engine.pictures import spans
from engine.pictures.decode import read_keyframe
from engine.pictures.keyframe import RecordedKeyframe
from engine.wire import PictureReply
from storage.errors import PictureUnavailable
from storage.segments.identity import SegmentIdentity
from storage.segments.packet import Packet
from storage.segments.part import PartBuilder
from storage.segments.writer import SegmentWriter
from tests.engine.pictures.samples import keyframe
from tests.engine.pictures.test_service import HALF
from tests.engine.pictures.test_service import running as running_service

SECOND_TICKS = 90_000


def segment(folder: Path, seconds: int) -> Path:
    """A closed segment with one keyframe a second."""
    writer = open_segment(folder, seconds)
    writer.close()
    return writer.path


def open_segment(folder: Path, seconds: int) -> SegmentWriter:
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
    return writer


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


async def decodings(path: Path, moments: list[int]) -> list[int]:
    """For each moment, one after the other, how many pictures had been decoded by then."""
    decoded: list[PictureReply] = []
    counts = []
    async with running_service() as service:
        for ticks in moments:
            reply = await service.render(recorded(path, ticks, 1_004_000_000), HALF)
            if not any(reply is known for known in decoded):
                decoded.append(reply)
            counts.append(len(decoded))
    return counts


async def test_scrubbing_inside_one_group_of_pictures_decodes_once(tmp_path: Path) -> None:
    path = segment(tmp_path, 4)
    assert await decodings(path, [100_000, 90_000, 179_999, 180_000, 200_000, 100_001]) == [1, 1, 1, 2, 2, 2]
    assert await decodings(path, [280_000, 300_000, 10**9]) == [1, 1, 1], "the last one holds to the end"


async def test_the_newest_keyframe_of_a_growing_file_is_no_answer_for_later_moments(tmp_path: Path) -> None:
    writer = open_segment(tmp_path, 4)
    moments = [280_000, 275_000, 300_000, 290_000]
    assert await decodings(writer.path, moments) == [1, 1, 2, 2]
    writer.close()


def test_spans_are_bounded_in_number_and_within_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "SPANS_LIMIT", 4)
    monkeypatch.setattr(spans, "SPANS_A_FILE", 3)
    known = spans.KnownSpans()
    one = spans.Span(start_ticks=0, until_ticks=10, keyframe_ticks=0)
    for path in ("a", "b", "c", "d"):
        known.learn(path, one)
    assert known.keyframe_ticks("a", 9) == 0
    known.learn("e", one)
    assert [known.keyframe_ticks(path, 9) for path in ("a", "b", "c", "d", "e")] == [0, None, 0, 0, 0]
    for number in range(1, 9):
        span = spans.Span(start_ticks=number * 10, until_ticks=number * 10 + 10, keyframe_ticks=number * 10)
        known.learn("a", span)
        assert known.keyframe_ticks("a", number * 10 + 5) == number * 10
    assert known.keyframe_ticks("a", 5) is None


def test_spans_of_keyframes_and_of_exact_pictures_are_apart() -> None:
    known = spans.KnownSpans()
    known.learn("a", spans.Span(start_ticks=0, until_ticks=100, keyframe_ticks=0))
    known.learn("a", spans.Span(start_ticks=40, until_ticks=50, keyframe_ticks=40), exact=True)
    assert known.keyframe_ticks("a", 45) == 0
    assert known.keyframe_ticks("a", 45, exact=True) == 40
    assert known.keyframe_ticks("a", 55, exact=True) is None
