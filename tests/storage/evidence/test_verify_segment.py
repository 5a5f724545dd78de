"""Segment files straight from a volume: whatever was done to one, or to a run of them, is found."""

from __future__ import annotations

import struct
import tempfile
import tracemalloc
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.errors import FileError, SegmentDamaged
from storage.evidence.findings import FileReport, KeyCheck
from storage.evidence.station_key import StationKey
from storage.evidence.verify_segment import END_OPEN, looks_like_segment, verify_runs, verify_segment
from storage.segments.boxes import HEADER_BYTES, box, full_box
from storage.segments.chain import END_BOX_UUID, LINK_BOX_BYTES, RunChain
from storage.segments.fmp4 import (
    TFHD_BASE_IS_MOOF,
    TFHD_DEFAULT_DURATION,
    TFHD_DEFAULT_SIZE,
    TRUN_DATA_OFFSET,
)
from storage.segments.identity import IDENTITY_BOX_UUID
from storage.segments.reader import SegmentReader
from storage.segments.recover import recover_segment
from storage.segments.writer import SegmentWriter
from tests.fakes.encoded_video import encoded, merged
from tests.fakes.segment_files import KEY, START_US, identity, parts_of, write_run, write_segment


def named(key: StationKey = KEY) -> KeyCheck:
    return lambda found: found == key.public


def verified(*paths: Path, key: KeyCheck | None = None) -> list[FileReport]:
    return verify_runs(verify_segment(path, key or named()) for path in paths)


def counts(report: FileReport) -> tuple[int, int, int]:
    return report.matched, report.not_matched, report.without_signature


@pytest.fixture
def run(tmp_path: Path) -> list[Path]:
    tracks, packets = merged(encoded("h264"), encoded("aac"))
    parts = parts_of(tracks, packets)
    return [path for path, *_ in write_run(tmp_path, tracks, [*parts, *parts[:2]], 2)]


def open_segment(folder: Path, chain: RunChain | None, name: str = "open.mp4") -> SegmentWriter:
    tracks, packets = merged(encoded("h264"))
    writer = SegmentWriter.create(folder, name, identity(), tracks, chain=chain)
    for part in parts_of(tracks, packets):
        writer.append(part)
    return writer


def test_an_untouched_run_is_matched_and_continues(run: list[Path]) -> None:
    assert all(looks_like_segment(path) for path in run)
    reports = verified(*reversed(run))
    assert [report.name for report in reports] == [str(path) for path in run]
    assert all(report.is_authentic and report.is_key_given for report in reports)
    assert [counts(report) for report in reports] == [(2, 0, 0)] * 3
    assert reports[0].start_us == START_US
    assert reports[0].camera == "Loading dock"
    assert [len(report.notes) for report in reports] == [0, 1, 1]
    assert "without a hole" in reports[1].notes[0]


def test_a_segment_of_another_run_or_a_missing_one_does_not_continue(run: list[Path], tmp_path: Path) -> None:
    (report,) = verified(run[1])
    assert report.is_authentic
    assert "not looked at" in report.notes[0]
    reports = verified(run[0], run[2])
    assert [len(report.notes) for report in reports] == [0, 1]

    tracks, packets = merged(encoded("h265"))
    other, _ = write_segment(tmp_path, "other.mp4", tracks, parts_of(tracks, packets))  # same run, same place
    reports = verified(other, run[1])
    assert any("does not continue" in trouble for trouble in reports[1].troubles)


def test_a_volume_change_that_repeats_the_end_is_a_note(tmp_path: Path) -> None:
    tracks, packets = merged(encoded("h264"))
    parts = parts_of(tracks, packets)
    chain = RunChain(KEY)
    first = SegmentWriter.create(tmp_path, "a.mp4", identity(0), tracks, chain=chain)
    first.append(parts[0])
    second = SegmentWriter.create(tmp_path, "b.mp4", identity(1, START_US + 1_000_000), tracks, chain=chain)
    second.append(parts[1])
    first.append(parts[1])  # the write that hung went through after all
    first.close()
    second.append(parts[2])
    second.close()
    reports = verified(first.path, second.path)
    assert all(report.is_authentic for report in reports)
    assert "volume was changed" in reports[1].notes[0]


def test_one_bit_names_the_second(run: list[Path]) -> None:
    with SegmentReader.open(run[0]) as reader:
        place = reader.parts[1]
    content = bytearray(run[0].read_bytes())
    content[place.offset_bytes + place.size_bytes - 9] ^= 1
    run[0].write_bytes(content)
    (report, *_) = verified(*run)
    assert counts(report) == (1, 1, 0)
    assert report.first_altered is not None
    assert report.first_altered.start_us == START_US + 1_000_000
    assert report.first_altered.offset_bytes == place.offset_bytes


@pytest.mark.parametrize("is_hidden", [False, True])
def test_a_link_taken_away_names_the_part_it_proved(run: list[Path], is_hidden: bool) -> None:
    """Changed, its link removed, or hidden at the end of its own data, where the part behind still finds what it continues."""
    with SegmentReader.open(run[0]) as reader:
        first, second = reader.parts
        (picture, *_) = reader.part(first).runs
    content = bytearray(run[0].read_bytes())
    content[picture.data_offset_bytes + 20] ^= 1
    if is_hidden:
        at = content.index(b"mdat", first.offset_bytes) - 4
        (data_bytes,) = struct.unpack_from(">I", content, at)
        struct.pack_into(">I", content, at, data_bytes + LINK_BOX_BYTES)
    else:
        del content[second.offset_bytes - LINK_BOX_BYTES : second.offset_bytes]
    run[0].write_bytes(content)
    report = verify_segment(run[0], named()).report
    assert counts(report) == ((1, 1, 0) if is_hidden else (0, 2, 0))
    assert report.first_altered is not None
    assert report.first_altered.start_us == START_US


def test_another_key_is_not_the_stations(run: list[Path]) -> None:
    (report,) = verified(run[0], key=named(StationKey.generate()))
    assert counts(report) == (0, 2, 0)
    assert "another key" in report.troubles[0]


def test_segments_without_a_chain_are_without_signature(tmp_path: Path) -> None:
    tracks, packets = merged(encoded("h264"))
    parts = parts_of(tracks, packets)
    old, _ = write_segment(tmp_path, "old.mp4", tracks, parts, is_hashed=False)
    unsigned, _ = write_segment(tmp_path, "unsigned.mp4", tracks, parts, chain=RunChain(None))
    for path in (old, unsigned):
        (report,) = verified(path)
        assert counts(report) == (0, 0, 4)
        assert report.troubles == ()
        assert report.key == ""


def test_parts_taken_off_the_end_are_missed(run: list[Path]) -> None:
    """With the index made anew, as recovery does: only the sealed end tells."""
    content = run[0].read_bytes()
    with SegmentReader.open(run[0]) as reader:
        second = reader.parts[1]
    run[0].write_bytes(content[: second.offset_bytes])
    recover_segment(run[0])
    (report, *rest) = verified(run[0], run[1])
    assert counts(report) == (1, 0, 0)
    assert END_OPEN in report.troubles
    assert any("does not continue" in trouble for trouble in rest[0].troubles)
    # Its own end kept, behind one part less:
    end_at = content.index(b"uuid", second.offset_bytes + second.size_bytes + LINK_BOX_BYTES) - 4
    run[0].write_bytes(content[: second.offset_bytes] + content[end_at:])
    (report,) = verified(run[0])
    assert any("taken away" in trouble for trouble in report.troubles)


def test_a_growing_segment_is_open_and_one_closed_after_a_crash_says_so(tmp_path: Path) -> None:
    writer = open_segment(tmp_path, RunChain(KEY))
    (report,) = verified(writer.path)
    assert counts(report) == (4, 0, 0)
    assert report.troubles == (END_OPEN,)
    writer.abandon()
    recover_segment(writer.path, KEY)
    (report,) = verified(writer.path)
    assert report.is_authentic
    assert "crash" in report.notes[0]


@pytest.mark.parametrize("recorded_by", [KEY, None])
def test_a_segment_is_not_ended_by_a_key_that_came_after_it(
    tmp_path: Path, recorded_by: StationKey | None
) -> None:
    """The engine crashed, and its key was replaced before it started again: nobody changed what it had recorded."""
    writer = open_segment(tmp_path, RunChain(recorded_by))
    writer.abandon()
    recover_segment(writer.path, StationKey.generate())
    content = writer.path.read_bytes()
    assert END_BOX_UUID.bytes not in content
    report = verify_segment(writer.path, named()).report
    assert report.troubles == ()
    assert report.not_matched == 0
    recover_segment(writer.path, StationKey.generate())
    assert writer.path.read_bytes() == content


def test_the_next_segment_seals_an_open_end(tmp_path: Path) -> None:
    tracks, packets = merged(encoded("h264"))
    parts = parts_of(tracks, packets)
    chain = RunChain(KEY)
    first = SegmentWriter.create(tmp_path, "a.mp4", identity(0), tracks, chain=chain)
    first.append(parts[0])
    second = SegmentWriter.create(tmp_path, "b.mp4", identity(1, START_US + 1_000_000), tracks, chain=chain)
    second.append(parts[1])
    second.close()
    first.abandon()
    assert [report.is_authentic for report in verified(first.path, second.path)] == [True, True]
    assert [report.is_authentic for report in verified(first.path)] == [False]


@pytest.mark.parametrize("tail", [b"\0", b"garbage", b"\0\0\0\x08free"])
def test_appended_bytes_are_found(run: list[Path], tail: bytes) -> None:
    run[0].write_bytes(run[0].read_bytes() + tail)
    (report,) = verified(run[0])
    assert not report.is_authentic
    assert report.troubles


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileError):
        verify_segment(tmp_path / "gone.mp4")
    (tmp_path / "link").symlink_to("/etc/passwd")
    assert not looks_like_segment(tmp_path / "link")
    assert not looks_like_segment(tmp_path)


def test_a_part_of_samples_without_end_takes_no_memory(run: list[Path]) -> None:
    """Each table says a million samples of nothing, in 72 bytes: only the sum of them is bounded by their part."""
    with SegmentReader.open(run[0]) as reader:
        place = reader.parts[1]
    samples = 1 << 20
    flags = TFHD_BASE_IS_MOOF | TFHD_DEFAULT_DURATION | TFHD_DEFAULT_SIZE
    table = box(
        b"traf",
        full_box(b"tfhd", 0, flags, struct.pack(">III", 1, 1, 0)),
        full_box(b"tfdt", 1, 0, struct.pack(">Q", 0)),
        full_box(b"trun", 0, TRUN_DATA_OFFSET, struct.pack(">II", samples, 72 * 20 + 16)),
    )
    assert len(table) == 72
    content = run[0].read_bytes()[: place.offset_bytes]
    run[0].write_bytes(content + box(b"moof", table * 20) + box(b"mdat"))
    tracemalloc.start()
    report = verify_segment(run[0], named()).report
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert counts(report) == (1, 1, 0)
    assert report.first_altered is not None
    assert "too many samples" in report.first_altered.why
    assert peak_bytes < 4 * 16 * samples


def test_a_header_nested_without_end_is_changed(run: list[Path]) -> None:
    """In a field that no version knows: a decoder skips it, level by level."""
    content = run[0].read_bytes()
    at = content.index(IDENTITY_BOX_UUID.bytes) - HEADER_BYTES
    (size_bytes,) = struct.unpack_from(">I", content, at)
    body = (
        content[at + HEADER_BYTES : at + size_bytes - 1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    )
    run[0].write_bytes(content[:at] + box(b"uuid", body) + content[at + size_bytes :])
    report = verify_segment(run[0], named()).report
    assert counts(report) == (0, 1, 0)
    assert "header was changed" in report.stretches[0].why
    with pytest.raises(SegmentDamaged):
        SegmentReader.open(run[0])


@cache
def small() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        tracks, packets = merged(encoded("h264_b", 0.72, gop=6, width=32, height=32))
        path, _ = write_segment(Path(folder), "small.mp4", tracks, parts_of(tracks, packets))
        return path.read_bytes()


def test_every_byte_changed_is_found(tmp_path: Path) -> None:
    """All of them, one after the other: none of the format's bytes is without proof."""
    path = tmp_path / "s.mp4"
    whole = small()
    for at in range(len(whole)):
        content = bytearray(whole)
        content[at] ^= 1 << (at % 8)
        path.write_bytes(content)
        reports = verified(path)
        assert not reports[0].is_authentic, at
    path.write_bytes(whole)
    assert verified(path)[0].is_authentic


@given(st.data())
@settings(max_examples=150)
def test_any_cut_and_any_addition_is_found(data: st.DataObject) -> None:
    content = small()
    at = data.draw(st.integers(0, len(content)))
    added = data.draw(st.binary(max_size=40))
    until = data.draw(st.integers(at, len(content)))
    changed = content[:at] + added + content[until:]
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(changed)
        file.flush()
        assert verified(Path(file.name))[0].is_authentic is (changed == content)
