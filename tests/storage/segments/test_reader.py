"""Reading segments that are whole, growing or damaged."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.errors import NotFound, SegmentDamaged
from storage.segments import fragments
from storage.segments.places import PartPlace, decode_places, encode_places
from storage.segments.reader import SegmentReader
from storage.segments.recover import recover_segment
from storage.segments.writer import SegmentWriter
from tests.fakes.encoded_video import encoded, merged
from tests.fakes.segment_files import identity, parts_of, write_segment

ANY_FIXTURE = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read_everything(path: Path) -> None:
    """Everything a reader can be asked."""
    with SegmentReader.open(path) as reader:
        assert reader.parts is not None
        assert reader.damage is None or isinstance(reader.damage, SegmentDamaged)
        for _ in reader.samples():
            pass
        reader.keyframe_before(20_000)


def allowing_damage(act: Callable[[Path], Any], path: Path) -> None:
    """The act succeeds, or says where the file is damaged; anything else is a failure."""
    found = None
    with contextlib.suppress(SegmentDamaged):
        try:
            act(path)
        except SegmentDamaged as exc:
            found = exc
            raise
    assert found is None or "at byte" in found.what


@pytest.mark.parametrize("video", ["h264", "h264_b", "h265", "mjpeg"])
def test_a_closed_segment_gives_back_what_was_written(tmp_path: Path, video: str) -> None:
    sources = (encoded(video), encoded("opus"))
    tracks, packets = merged(*sources)
    path, summary = write_segment(tmp_path, "s.mp4", tracks, parts_of(tracks, packets))
    with SegmentReader.open(path) as reader:
        assert reader.is_closed
        assert reader.tracks == tracks
        assert reader.identity == identity()
        assert reader.video_duration_ticks == summary.video_duration_ticks == 4 * 90_000
        assert tuple(place for place in reader.parts if place.is_keyframe) == summary.keyframes
        for index, source in enumerate(sources):
            samples = list(reader.samples(index))
            assert [sample.data for sample in samples] == [packet.data for packet in source.packets]
            assert [sample.is_keyframe for sample in samples] == [p.is_keyframe for p in source.packets]
            zero = source.packets[0].pts_ticks
            assert [sample.pts_ticks for sample in samples] == [p.pts_ticks - zero for p in source.packets]


def test_an_open_segment_shows_whole_parts_as_they_come(tmp_path: Path) -> None:
    tracks, packets = merged(encoded("h264"))
    parts = parts_of(tracks, packets)
    writer = SegmentWriter.create(tmp_path, "s.mp4", identity(), tracks)
    places = [writer.append(parts[0])]
    with SegmentReader.open(writer.path) as reader:
        assert not reader.is_closed
        for part in parts[1:]:
            assert reader.parts == tuple(places)
            places.append(writer.append(part))
            assert reader.parts == tuple(places[:-1])
            reader.refresh()
        assert reader.parts == tuple(places)
        assert reader.video_duration_ticks == writer.video_duration_ticks
        writer.close()
        reader.refresh()
        assert reader.parts == tuple(places)
        assert reader.damage is None


def test_a_part_that_is_being_written_does_not_count_and_is_no_damage(tmp_path: Path) -> None:
    tracks, packets = merged(encoded("h264"))
    writer = SegmentWriter.create(tmp_path, "s.mp4", identity(), tracks)
    first, second = (writer.append(part) for part in parts_of(tracks, packets)[:2])
    whole = writer.path.read_bytes()
    for missing in (1, second.size_bytes // 2, second.size_bytes - 9, second.size_bytes - 1):
        writer.path.write_bytes(whole[: len(whole) - missing])
        with SegmentReader.open(writer.path) as reader:
            assert reader.parts == (first,)
            assert reader.damage is None


@pytest.mark.parametrize("video", ["h264", "h264_b", "h265_b", "mjpeg"])
@pytest.mark.parametrize("is_closed", [True, False])
def test_the_keyframe_before_a_time_is_found(tmp_path: Path, video: str, is_closed: bool) -> None:
    stream = encoded(video)
    tracks, packets = merged(stream)
    writer = SegmentWriter.create(tmp_path, "s.mp4", identity(), tracks)
    for part in parts_of(tracks, packets):
        writer.append(part)
    if is_closed:
        writer.close()
    zero = packets[0].pts_ticks
    keyframes = [(p.pts_ticks - zero, p.data) for p in packets if p.is_keyframe]
    with SegmentReader.open(writer.path) as reader:
        for ticks in (-5, 0, 1, 89_999, 90_000, 100_000, 350_000, 10**9):
            found = reader.keyframe_before(ticks)
            expected = max((k for k in keyframes if k[0] <= ticks), default=keyframes[0])
            assert (found.media_ticks, found.data) == expected
            assert found.track == tracks[0]
            assert found.until_ticks == min((k[0] for k in keyframes if k[0] > expected[0]), default=None)


def test_a_closed_segment_is_sought_without_reading_its_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracks, packets = merged(encoded("h264", 8.0))
    path, _ = write_segment(tmp_path, "s.mp4", tracks, parts_of(tracks, packets))
    read_bytes: list[int] = []
    real = os.pread

    def counted(fd: int, size: int, offset: int) -> bytes:
        data = real(fd, size, offset)
        read_bytes.append(len(data))
        return data

    with SegmentReader.open(path) as reader:
        monkeypatch.setattr(fragments.os, "pread", counted)
        reader.keyframe_before(500_000)
    assert len(read_bytes) <= 4


def test_places_survive_the_way_through_the_catalog(tmp_path: Path) -> None:
    stream = encoded("h264_b")
    tracks, packets = merged(stream)
    path, summary = write_segment(tmp_path, "s.mp4", tracks, parts_of(tracks, packets))
    places = decode_places(encode_places(summary.keyframes))
    assert places == summary.keyframes


def test_an_index_that_leads_nowhere_is_no_obstacle(small_segment: Path) -> None:
    content = bytearray(small_segment.read_bytes())
    entry = content.rindex(b"tfra") + 4 + 16 + 8
    content[entry + 6] ^= 1
    small_segment.write_bytes(content)
    with SegmentReader.open(small_segment) as reader:
        assert reader.keyframe_before(0).media_ticks == 0


def test_missing_files_and_links_are_refused(tmp_path: Path, small_segment: Path) -> None:
    with pytest.raises(NotFound):
        SegmentReader.open(tmp_path / "gone.mp4")
    (tmp_path / "link.mp4").symlink_to(small_segment)
    with pytest.raises(Exception, match="symbolic links"):
        SegmentReader.open(tmp_path / "link.mp4")


def test_cut_at_every_byte_is_whole_parts_or_damage(small_segment: Path, tmp_path: Path) -> None:
    content = small_segment.read_bytes()
    cut = tmp_path / "cut.mp4"
    for size_bytes in range(0, len(content), 7):
        cut.write_bytes(content[:size_bytes])
        allowing_damage(read_everything, cut)


@ANY_FIXTURE
@given(
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), min_size=1, max_size=6)
)
def test_flipped_bits_are_at_worst_damage(small_segment: Path, flips: list[tuple[float, int]]) -> None:
    content = bytearray(small_segment.read_bytes())
    for place, bit in flips:
        content[int(place * len(content))] ^= 1 << bit
    damaged_path = small_segment.with_name("flipped.mp4")
    damaged_path.write_bytes(content)
    for act in (read_everything, recover_segment):
        allowing_damage(act, damaged_path)


def test_every_flipped_byte_of_header_and_tables_is_at_worst_damage(small_segment: Path) -> None:
    content = small_segment.read_bytes()
    with SegmentReader.open(small_segment) as reader:
        first = reader.parts[0].offset_bytes
        tables = [range(first)] + [range(p.offset_bytes, p.offset_bytes + 200) for p in reader.parts]
    damaged_path = small_segment.with_name("flipped.mp4")
    for offset in (offset for table in tables for offset in table):
        for value in (0, 1, 0xFF, content[offset] ^ 0x80):
            damaged_path.write_bytes(content[:offset] + bytes([value]) + content[offset + 1 :])
            allowing_damage(read_everything, damaged_path)


@ANY_FIXTURE
@given(data=st.binary(max_size=600), keep=st.sampled_from([0, 28, 700, 1500]))
def test_random_bytes_are_damage(small_segment: Path, data: bytes, keep: int) -> None:
    path = small_segment.with_name("random.mp4")
    path.write_bytes(small_segment.read_bytes()[:keep] + data)
    for act in (read_everything, recover_segment):
        allowing_damage(act, path)


@st.composite
def places(draw: Any) -> list[PartPlace]:
    """In file order, as a segment has them."""
    made = []
    end = 0
    for _ in range(draw(st.integers(0, 30))):
        offset = end + draw(st.integers(0, 1 << 33))
        size = draw(st.integers(0, 1 << 30))
        made.append(PartPlace(offset, size, draw(st.integers(-(1 << 40), 1 << 40)), draw(st.booleans())))
        end = offset + size
    return made


@given(places())
def test_encoded_places_come_back(made: list[PartPlace]) -> None:
    assert decode_places(encode_places(made)) == tuple(made)


@given(st.binary(max_size=60))
def test_foreign_bytes_are_no_places_but_an_error(data: bytes) -> None:
    with contextlib.suppress(SegmentDamaged):
        decode_places(data)


def test_places_are_compact() -> None:
    gop_bytes = 1_000_000
    made = [PartPlace(2000 + i * gop_bytes, gop_bytes, i * 180_000, True) for i in range(60)]
    assert len(encode_places(made)) < 60 * 8
