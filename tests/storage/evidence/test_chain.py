"""Parts are hashed and signed while they are recorded, and each finding follows from the bytes on the volume alone."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from storage.evidence.recorded_check import RecordedCheck
from storage.evidence.station_key import StationKey
from storage.segments.chain import LINK_BOX_BYTES, NO_LINK, Recorded, RunChain, link_of, parse_end, parse_link
from storage.segments.fragments import PartScan
from storage.segments.places import PartPlace
from storage.segments.reader import SegmentReader
from storage.segments.stored_header import read_header
from storage.segments.writer import SegmentWriter
from tests.fakes.encoded_video import encoded, merged
from tests.fakes.segment_files import KEY, identity, parts_of, write_run, write_segment

KNOWN = {KEY.fingerprint: KEY.public}
MATCHED, ALTERED, UNHASHED = Recorded.MATCHED, Recorded.ALTERED, Recorded.UNHASHED


def findings(path: Path, places: tuple[PartPlace, ...], known: object = None) -> list[Recorded]:
    fd = os.open(path, os.O_RDONLY)
    try:
        check = RecordedCheck(fd, read_header(fd), KNOWN if known is None else known)  # type: ignore[arg-type]
        return [check.part(place.offset_bytes, place.size_bytes) for place in places]
    finally:
        os.close(fd)


@pytest.fixture
def segment(tmp_path: Path) -> tuple[Path, tuple[PartPlace, ...]]:
    tracks, packets = merged(encoded("h264"), encoded("aac"))
    path, _ = write_segment(tmp_path, "s.mp4", tracks, parts_of(tracks, packets))
    with SegmentReader.open(path) as reader:
        return path, reader.parts


def flip(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 0x10
    path.write_bytes(content)


def test_links_run_through_the_segments_of_a_run(tmp_path: Path) -> None:
    tracks, packets = merged(encoded("h264"))
    made = write_run(tmp_path, tracks, parts_of(tracks, packets), 2)
    last = NO_LINK
    for path, *_ in made:
        fd = os.open(path, os.O_RDONLY)
        header = read_header(fd)
        assert header.start is not None
        assert header.start.previous == last
        last = header.start.link
        scan = PartScan(fd, header, header.size_bytes)
        for part in scan:
            content = os.pread(fd, part.place.size_bytes, part.place.offset_bytes)
            last = link_of(last, hashlib.sha256(content).digest())
            found = parse_link(os.pread(fd, LINK_BOX_BYTES, part.place.offset_bytes + part.place.size_bytes))
            assert found is not None
            assert found[0] == last
        end = parse_end(scan.end_box)
        assert end is not None
        assert (end.link, end.part_count, end.fingerprint) == (last, 2, KEY.fingerprint)
        os.close(fd)
    assert len(made) == 2


def test_each_part_is_proved_by_itself(segment: tuple[Path, tuple[PartPlace, ...]]) -> None:
    path, places = segment
    assert findings(path, places) == [MATCHED] * 4
    whole = path.read_bytes()
    for at, expected in (
        (places[1].offset_bytes + 400, [MATCHED, ALTERED, MATCHED, MATCHED]),  # data
        (places[1].offset_bytes + 20, [MATCHED, ALTERED, MATCHED, MATCHED]),  # moof
        (places[2].offset_bytes - 70, [MATCHED, ALTERED, ALTERED, MATCHED]),  # link between 1 and 2
        (places[2].offset_bytes - 10, [MATCHED, ALTERED, MATCHED, MATCHED]),  # its signature
        (
            places[2].offset_bytes - LINK_BOX_BYTES + 10,
            [MATCHED, UNHASHED, ALTERED, MATCHED],
        ),  # it is none any more
        (40, [ALTERED] * 4),  # moov
        (places[0].offset_bytes - 10, [ALTERED] * 4),  # signature of the start
        (places[0].offset_bytes - 150, [UNHASHED] * 4),  # which key it was
    ):
        path.write_bytes(whole)
        flip(path, at)
        assert findings(path, places) == expected, at


def test_links_made_anew_without_the_key_prove_nothing(tmp_path: Path) -> None:
    tracks, packets = merged(encoded("h264"))
    parts = parts_of(tracks, packets)
    for name, signer, expected in (("forged", StationKey.generate(), UNHASHED), ("unsigned", None, UNHASHED)):
        path, _ = write_segment(tmp_path, f"{name}.mp4", tracks, parts, chain=RunChain(signer))
        with SegmentReader.open(path) as reader:
            assert findings(path, reader.parts) == [expected] * 4
    path, _ = write_segment(tmp_path, "old.mp4", tracks, parts, is_hashed=False)
    with SegmentReader.open(path) as reader:
        assert findings(path, reader.parts) == [UNHASHED] * 4


def test_a_forger_who_claims_the_stations_key_is_found(tmp_path: Path) -> None:
    class Claiming:
        public_key = KEY.public_key
        fingerprint = KEY.fingerprint
        sign = StationKey.generate().sign

    tracks, packets = merged(encoded("h264"))
    path, _ = write_segment(tmp_path, "f.mp4", tracks, parts_of(tracks, packets), chain=RunChain(Claiming()))
    with SegmentReader.open(path) as reader:
        assert findings(path, reader.parts) == [ALTERED] * 4


def test_a_segment_that_was_given_up_says_nothing_to_the_next_any_more() -> None:
    chain = RunChain(KEY)
    hanging, following = object(), object()
    assert chain.begin(hanging) == NO_LINK
    chain.advance(hanging, b"1" * 32)
    assert chain.begin(following) == b"1" * 32
    chain.advance(hanging, b"2" * 32)
    assert chain.begin(object()) == b"1" * 32


def test_a_reader_follows_a_growing_file_whose_link_comes_after_its_part(tmp_path: Path) -> None:
    tracks, packets = merged(encoded("h264"))
    writer = SegmentWriter.create(tmp_path, "s.mp4", identity(), tracks, chain=RunChain(KEY))
    places = [writer.append(part) for part in parts_of(tracks, packets)]
    writer.abandon()
    content = writer.path.read_bytes()
    growing = tmp_path / "growing.mp4"
    growing.write_bytes(content[: places[1].offset_bytes + places[1].size_bytes + 7])
    with SegmentReader.open(growing) as reader:
        assert reader.parts == tuple(places[:2])
        assert reader.damage is None
        growing.write_bytes(content[: places[2].offset_bytes - 3])
        reader.refresh()
        assert reader.parts == tuple(places[:2])
        growing.write_bytes(content)
        reader.refresh()
        assert reader.parts == tuple(places)


def test_a_flood_of_links_is_damage_and_not_walked_for_ever(tmp_path: Path) -> None:
    tracks, packets = merged(encoded("h264"))
    writer = SegmentWriter.create(tmp_path, "s.mp4", identity(), tracks, chain=RunChain(KEY))
    place = writer.append(parts_of(tracks, packets)[0])
    writer.abandon()
    content = writer.path.read_bytes()
    writer.path.write_bytes(content + content[-LINK_BOX_BYTES:] * 5000)
    with SegmentReader.open(writer.path) as reader:
        assert reader.parts == (place,)
        assert reader.damage is not None
