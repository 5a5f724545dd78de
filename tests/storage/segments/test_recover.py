"""Recovery: torn anywhere, every whole part stays; doing it twice changes nothing."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.errors import NotFound, SegmentDamaged
from storage.segments.chain import (
    END_BOX_BYTES,
    END_BOX_UUID,
    LINK_BOX_BYTES,
    RunChain,
    parse_end,
    parse_link,
)
from storage.segments.reader import SegmentReader
from storage.segments.recover import recover_segment
from storage.segments.writer import SegmentWriter
from tests.fakes.encoded_video import encoded, merged
from tests.fakes.segment_files import KEY, identity, parts_of, write_segment


def test_torn_at_every_byte_keeps_every_whole_part_before_it(small_segment: Path, tmp_path: Path) -> None:
    content = small_segment.read_bytes()
    with SegmentReader.open(small_segment) as reader:
        parts = reader.parts
        whole_end = {part.offset_bytes + part.size_bytes for part in parts}
    assert len(parts) == 3
    torn = tmp_path / "torn.mp4"
    first_end = min(whole_end)
    for size_bytes in range(len(content)):
        torn.write_bytes(content[:size_bytes])
        if size_bytes < first_end:
            with pytest.raises(SegmentDamaged):
                recover_segment(torn)
            assert torn.stat().st_size == size_bytes
            continue
        kept = tuple(part for part in parts if part.offset_bytes + part.size_bytes <= size_bytes)
        recovered = recover_segment(torn)
        assert recovered.parts == kept, size_bytes
        after = torn.read_bytes()
        assert recovered.bytes == len(after)
        end = kept[-1].offset_bytes + kept[-1].size_bytes
        if size_bytes >= end + LINK_BOX_BYTES:
            assert parse_link(after[end:])
            end += LINK_BOX_BYTES
        if size_bytes >= end + END_BOX_BYTES and size_bytes > max(whole_end):
            assert parse_end(after[end:])
            end += END_BOX_BYTES
        assert after[end:][4:8] == b"mfra"
        if size_bytes % 97 == 0 or size_bytes in whole_end:
            again = recover_segment(torn)
            assert torn.read_bytes() == after
            assert (again.parts, again.video_duration_ticks, again.truncated_bytes) == (
                recovered.parts,
                recovered.video_duration_ticks,
                0,
            )


def test_an_untouched_segment_is_left_as_it_is(small_segment: Path) -> None:
    before = small_segment.read_bytes()
    recovered = recover_segment(small_segment)
    assert small_segment.read_bytes() == before
    assert recovered.truncated_bytes == 0
    assert recovered.identity == identity()
    assert [place.is_keyframe for place in recovered.keyframes] == [True] * 3


def end_of(path: Path) -> bytes:
    """The box that closes the hash chain."""
    content = path.read_bytes()
    start = content.rindex(END_BOX_UUID.bytes) - 8
    return content[start : start + END_BOX_BYTES]


@pytest.mark.parametrize("video", ["h264", "h264_b", "h265_b", "mjpeg"])
def test_a_recovered_segment_equals_one_closed_in_order(
    tmp_path: Path, video: str, assert_plays: Callable[[Path], None]
) -> None:
    tracks, packets = merged(encoded(video), encoded("aac"))
    parts = parts_of(tracks, packets)
    closed, _ = write_segment(tmp_path, "closed.mp4", tracks, parts[:-1])
    writer = SegmentWriter.create(tmp_path, "torn.mp4", identity(), tracks, chain=RunChain(KEY))
    for part in parts:
        place = writer.append(part)
    writer.abandon()
    os.truncate(writer.path, place.offset_bytes + place.size_bytes - 1)
    recovered = recover_segment(writer.path)
    unsealed = closed.read_bytes().replace(end_of(closed), b"")
    assert writer.path.read_bytes() == unsealed
    assert recover_segment(writer.path, KEY).parts == recovered.parts
    sealed = writer.path.read_bytes()
    assert sealed.replace(end_of(writer.path), end_of(closed)) == closed.read_bytes()
    assert [parse_end(end_of(path)).is_recovered for path in (closed, writer.path)] == [False, True]
    recover_segment(writer.path)
    assert writer.path.read_bytes() == sealed, "an end that fits is kept"
    assert recovered.truncated_bytes == place.size_bytes - 1
    assert_plays(writer.path)


@pytest.mark.parametrize("tail", [bytes(5000), b"\xff" * 5000, b"garbage!" * 600, b"\0\0\0\x08moof"])
def test_garbage_behind_the_parts_is_cut_off(small_segment: Path, tail: bytes) -> None:
    content = small_segment.read_bytes()
    index = content.rindex(b"mfra") - 4
    small_segment.write_bytes(content[:index] + tail)
    assert recover_segment(small_segment).truncated_bytes == len(tail)
    assert small_segment.read_bytes() == content


def test_pages_that_never_reached_the_disk_are_noticed(tmp_path: Path) -> None:
    tracks, packets = merged(encoded("h264"))
    writer = SegmentWriter.create(tmp_path, "s.mp4", identity(), tracks)
    places = [writer.append(part) for part in parts_of(tracks, packets)]
    writer.abandon()
    with writer.path.open("r+b") as file:
        file.seek(places[2].offset_bytes + places[2].size_bytes - 900)
        file.write(bytes(800))
    recovered = recover_segment(writer.path)
    assert recovered.parts == tuple(places[:2])
    assert recovered.truncated_bytes == places[2].size_bytes + places[3].size_bytes
    assert recover_segment(writer.path).parts == tuple(places[:2])


def test_a_closed_file_damaged_in_its_middle_is_not_cut(small_segment: Path) -> None:
    with SegmentReader.open(small_segment) as reader:
        second = reader.parts[1]
    content = bytearray(small_segment.read_bytes())
    content[second.offset_bytes + 4] ^= 0x10
    small_segment.write_bytes(content)
    with pytest.raises(SegmentDamaged, match=f"byte {second.offset_bytes}"):
        recover_segment(small_segment)
    assert small_segment.read_bytes() == content


def test_a_file_that_is_gone_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        recover_segment(tmp_path / "gone.mp4")
