"""Whatever is done to an exported file is found, and named: which second, which byte, and what it looks like."""

from __future__ import annotations

import shutil
import struct
import subprocess
from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.errors import KeyUnusable
from storage.evidence.content import FileContent
from storage.evidence.encoded_seal import EncodedSeal, Piece, recorded_of, worst
from storage.evidence.findings import FileReport, KeyCheck
from storage.evidence.manifest import (
    MANIFEST_BOX_UUID,
    Manifest,
    MaskedArea,
    MaskStyle,
    NamedUuid,
    ProvedPart,
    parse_box,
    read_manifest,
    signed_box,
)
from storage.evidence.station_key import StationKey, StationKeys
from storage.evidence.verify_export import verify_export
from storage.segments.chain import Recorded
from storage.segments.export import plan_export
from tests.fakes.evidence import LATER_US, exported, proof, recorded, statement
from tests.fakes.segment_files import CAMERA, KEY, START_US

MIB = 1024 * 1024


def named(key: StationKey = KEY) -> KeyCheck:
    return lambda found: found == key.public


def verified(path: Path, key: KeyCheck | None = None) -> FileReport:
    return verify_export(FileContent(path), key)


def counts(report: FileReport) -> tuple[int, int, int]:
    return report.matched, report.not_matched, report.without_signature


def manifest_of(path: Path) -> Manifest:
    content = path.read_bytes()
    found = parse_box(content[-int.from_bytes(content[-4:], "big") :])
    assert found is not None
    manifest = read_manifest(found.body)
    assert manifest is not None
    return manifest


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return exported(recorded(tmp_path), tmp_path / "dock.mp4")


def test_an_untouched_export_is_matched_and_says_what_it_is(export: Path) -> None:
    report = verified(export, named())
    assert report.is_authentic
    assert counts(report) == (4, 0, 0)
    assert (report.camera, report.station, report.exported_by) == ("Loading dock", "Warehouse", "anna")
    assert (report.start_us, report.end_us, report.exported_us) == (START_US, START_US + 4_000_000, LATER_US)
    assert (report.comment, report.software) == ("stolen pallet", "watchdeck 1.2.3")
    assert report.key == KEY.fingerprint.hex()
    assert report.is_key_given
    assert not verified(export).is_key_given, "without a key a person has to compare"
    (stretch,) = report.stretches
    assert (stretch.parts, stretch.start_us, stretch.end_us) == (4, START_US, START_US + 4_000_000)


def test_the_manifest_covers_every_byte_before_it(export: Path) -> None:
    manifest = manifest_of(export)
    position = manifest.head_bytes
    for part in manifest.parts:
        assert part.offset_bytes == position
        assert part.end_us - part.start_us == 1_000_000
        position += part.size_bytes
    content = export.read_bytes()
    assert content[position + 8 : position + 24] == MANIFEST_BOX_UUID.bytes


@pytest.mark.parametrize("video", ["h264_b", "h265", "mjpeg"])
def test_other_streams_are_proved_as_well(tmp_path: Path, video: str) -> None:
    report = verified(exported(recorded(tmp_path, video, "opus"), tmp_path / "x.mp4"), named())
    assert report.is_authentic


def test_a_shorter_stretch_of_a_part_is_proved_by_all_of_it(tmp_path: Path) -> None:
    sources = recorded(tmp_path)
    plan = plan_export(sources, START_US + 1_200_000, START_US + 2_300_000, proof=proof())
    path = tmp_path / "short.mp4"
    path.write_bytes(b"".join(plan.chunks()))
    assert counts(verified(path, named())) == (2, 0, 0)
    manifest = manifest_of(path)
    assert (manifest.asked_start_us, manifest.asked_end_us) == (START_US + 1_200_000, START_US + 2_300_000)
    assert [part.recorded for part in manifest.parts] == [Recorded.MATCHED] * 2


def flipped(path: Path, offset: int, bit: int = 0x04) -> Path:
    content = bytearray(path.read_bytes())
    content[offset] ^= bit
    path.write_bytes(content)
    return path


def test_one_bit_of_the_data_names_the_second(export: Path) -> None:
    part = manifest_of(export).parts[2]
    report = verified(flipped(export, part.offset_bytes + part.size_bytes // 2), named())
    assert not report.is_authentic
    assert counts(report) == (3, 1, 0)
    assert report.first_altered is not None
    assert report.first_altered.start_us == START_US + 2_000_000
    assert report.first_altered.offset_bytes == part.offset_bytes
    assert [stretch.parts for stretch in report.stretches] == [2, 1, 1]


def test_one_bit_of_the_head_is_found(export: Path) -> None:
    report = verified(flipped(export, 200), named())
    assert not report.is_authentic
    assert "head was changed" in report.troubles[0]


def test_one_bit_of_the_manifest_or_its_signature_proves_nothing_any_more(export: Path) -> None:
    whole = export.read_bytes()
    box_at = len(whole) - int.from_bytes(whole[-4:], "big")
    body_bytes = int.from_bytes(whole[box_at + 24 : box_at + 28], "big")
    comment_at = whole.index(b"stolen pallet")
    for at in (comment_at, box_at + 28 + body_bytes + 5):
        export.write_bytes(whole)
        report = verified(flipped(export, at), named())
        assert counts(report) == (0, 4, 0)
        assert "manifest was changed" in report.troubles[0]


def test_a_frame_replaced_by_another_is_found(export: Path) -> None:
    content = bytearray(export.read_bytes())
    first, second = manifest_of(export).parts[:2]
    length = min(first.size_bytes, second.size_bytes) // 3
    content[second.offset_bytes : second.offset_bytes + length] = content[
        first.offset_bytes : first.offset_bytes + length
    ]
    export.write_bytes(content)
    assert counts(verified(export, named())) == (3, 1, 0)


def test_parts_in_another_order_are_called_so(tmp_path: Path) -> None:
    export = exported(recorded(tmp_path, "h264", ""), tmp_path / "x.mp4")
    content = bytearray(export.read_bytes())
    manifest = manifest_of(export)
    body = content[manifest.head_bytes : manifest.parts[-1].offset_bytes + manifest.parts[-1].size_bytes]
    pieces = [body[part.offset_bytes - manifest.head_bytes :][: part.size_bytes] for part in manifest.parts]
    pieces[1], pieces[2] = pieces[2], pieces[1]
    content[manifest.head_bytes : manifest.head_bytes + len(body)] = b"".join(pieces)
    export.write_bytes(content)
    report = verified(export, named())
    assert report.not_matched == 2
    sizes = [len(piece) for piece in pieces]
    if sizes[1] == sizes[2]:
        assert {stretch.why for stretch in report.stretches} == {"", "in the wrong order"}


def test_equal_parts_in_another_order_are_called_so(tmp_path: Path) -> None:
    """Of one size, so that each is found whole in the other's place."""
    data = [bytes([number]) * 1000 for number in range(4)]
    path = tmp_path / "x.mp4"
    seal = EncodedSeal(
        statement(),
        NamedUuid(uuid=str(CAMERA), name="Dock"),
        KEY,
        asked_us=(0, 1),
        shown_us=(0, 1),
        stretches=[(0, 1)],
        masks=[],
        data_bytes=4 * MIB,
        pieces=[Piece(number * MIB, 0, 1) for number in range(4)],
    )
    blocks = [piece * 1049 for piece in data]
    blocks = [block[: 1024 * 1024] for block in blocks]
    for block in blocks:
        seal.update(block)
    path.write_bytes(b"".join([blocks[0], blocks[2], blocks[1], blocks[3], seal.box([Recorded.MATCHED] * 4)]))
    report = verified(path, named())
    assert counts(report) == (2, 2, 0)
    assert [stretch.why for stretch in report.stretches] == ["", "in the wrong order", ""]


def test_a_truncated_export_is_without_signature_and_called_cut_off(export: Path) -> None:
    content = export.read_bytes()
    part = manifest_of(export).parts[1]
    export.write_bytes(content[: part.offset_bytes + 10])
    report = verified(export, named())
    assert counts(report) == (0, 0, 1)
    assert "cut off" in report.stretches[0].why


def test_data_taken_out_with_the_manifest_kept_is_found(export: Path) -> None:
    content = export.read_bytes()
    part = manifest_of(export).parts[1]
    export.write_bytes(content[: part.offset_bytes] + content[part.offset_bytes + part.size_bytes :])
    report = verified(export, named())
    assert report.not_matched == 3
    assert report.first_altered is not None
    assert report.first_altered.start_us == part.start_us


@pytest.mark.parametrize("tail", [b"\0", b"hello", bytes(4096), struct.pack(">I4s", 8, b"free")])
def test_appended_bytes_are_found(export: Path, tail: bytes) -> None:
    export.write_bytes(export.read_bytes() + tail)
    report = verified(export, named())
    assert not report.is_authentic
    assert f"{len(tail)} bytes were appended" in report.troubles


def test_a_remuxed_export_is_without_signature(export: Path, tmp_path: Path) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    out = tmp_path / "remuxed.mp4"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(export), "-c", "copy", str(out)]
    subprocess.run(command, check=True, timeout=60)
    report = verified(out, named())
    assert counts(report) == (0, 0, 1)
    assert "no manifest" in report.stretches[0].why


def test_the_manifest_of_another_file_does_not_fit(export: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = exported(recorded(tmp_path / "other", "h265", ""), tmp_path / "other.mp4")
    foreign, own = other.read_bytes(), export.read_bytes()
    box = foreign[-int.from_bytes(foreign[-4:], "big") :]
    export.write_bytes(own[: -int.from_bytes(own[-4:], "big")] + box)
    report = verified(export, named())
    assert report.matched == 0
    assert report.not_matched == 4
    assert any("head was changed" in trouble for trouble in report.troubles)


def test_another_key_than_the_one_named_is_not_the_stations(tmp_path: Path) -> None:
    forger = StationKey.generate()
    export = exported(recorded(tmp_path), tmp_path / "x.mp4", proof(key=forger))
    report = verified(export, named())
    assert counts(report) == (0, 4, 0)
    assert "another key" in report.troubles[0]
    assert not report.is_key_given
    report = verified(export)
    assert report.is_authentic, "with no key named it is consistent, and says by which key"
    assert report.key == forger.fingerprint.hex()


def test_an_attacker_who_signs_again_is_found_by_the_key(export: Path) -> None:
    """Data changed, manifest made anew to fit, signed by a key of his own - or with the station's key written in it."""
    forger = StationKey.generate()
    content = bytearray(export.read_bytes())
    manifest = manifest_of(export)
    box_bytes = int.from_bytes(content[-4:], "big")
    part = manifest.parts[0]
    content[part.offset_bytes + 50] ^= 1
    import hashlib

    data = bytes(content[part.offset_bytes : part.offset_bytes + part.size_bytes])
    first = msgspec.structs.replace(part, sha256=hashlib.sha256(data).hexdigest())
    forged = msgspec.structs.replace(manifest, parts=(first, *manifest.parts[1:]))
    export.write_bytes(content[:-box_bytes] + signed_box(forged, forger, box_bytes))
    report = verified(export)
    assert counts(report) == (0, 4, 0), "the key in the manifest is not the one that signed"

    from storage.evidence.manifest import manifest_key

    claimed = msgspec.structs.replace(forged, key=manifest_key(forger.public))
    export.write_bytes(content[:-box_bytes] + signed_box(claimed, forger))
    assert counts(verified(export, named())) == (0, 4, 0)
    assert verified(export).key == forger.fingerprint.hex()


def test_a_segment_edited_before_the_export_is_named_by_the_export(tmp_path: Path) -> None:
    sources = recorded(tmp_path)
    content = bytearray(sources[0].path.read_bytes())
    content[len(content) // 2] ^= 1
    sources[0].path.write_bytes(content)
    export = exported(sources, tmp_path / "x.mp4")
    assert [part.recorded for part in manifest_of(export).parts].count(Recorded.ALTERED) == 1
    report = verified(export, named())
    assert counts(report) == (3, 1, 0)
    assert report.first_altered is not None
    assert "before it was exported" in report.first_altered.why


def test_footage_without_hashes_is_exported_and_called_so(tmp_path: Path) -> None:
    export = exported(recorded(tmp_path, is_hashed=False), tmp_path / "x.mp4")
    report = verified(export, named())
    assert counts(report) == (0, 0, 4)
    assert report.troubles == ()


def test_footage_of_a_key_the_station_does_not_know_is_unproved(tmp_path: Path) -> None:
    other = StationKey.generate()
    export = exported(recorded(tmp_path), tmp_path / "x.mp4", proof(key=other, known=other))
    assert counts(verified(export)) == (0, 0, 4)


def test_a_segment_put_in_the_place_of_another_is_altered(tmp_path: Path) -> None:
    from dataclasses import replace

    sources = [
        replace(each, start_us=each.start_us + 2_000, end_us=each.end_us) for each in recorded(tmp_path)
    ]
    report = verified(exported(sources, tmp_path / "x.mp4"), named())
    assert report.matched == 0
    assert report.not_matched == 4
    (tmp_path / "other").mkdir()
    export = exported(recorded(tmp_path / "other"), tmp_path / "y.mp4", proof(camera="another"))
    assert counts(verified(export, named()))[:2] == (0, 4)


def test_without_a_key_nothing_is_exported_as_proved(tmp_path: Path) -> None:
    sources = recorded(tmp_path)
    keyless = msgspec_free_proof()
    with pytest.raises(KeyUnusable, match="gone"):
        plan_export(sources, START_US, LATER_US, proof=keyless)


def msgspec_free_proof():  # type: ignore[no-untyped-def]
    from dataclasses import replace

    return replace(proof(), keys=StationKeys(None, KeyUnusable("the station's key is gone")))


def test_a_masked_export_is_proved_and_says_what_was_masked(tmp_path: Path) -> None:
    data = b"ftyp and whatever an encoder wrote" * 40_000
    mask = MaskedArea(
        left=0.1, top=0.1, width=0.2, height=0.2, start_us=0, end_us=9, style=MaskStyle.PIXELATE
    )
    seal = EncodedSeal(
        statement(),
        NamedUuid(uuid=str(CAMERA), name="Dock"),
        KEY,
        asked_us=(0, 9),
        shown_us=(0, 9),
        stretches=[(0, 9)],
        masks=[mask],
        data_bytes=len(data),
        pieces=[Piece(100, 0, 4), Piece(MIB, 4, 9)],
        notes=["made invisible: a passer-by"],
    )
    for start in range(0, len(data), 300_000):
        seal.update(data[start : start + 300_000])
    box = seal.box([Recorded.MATCHED] * 2)
    assert len(box) == seal.box_bytes
    path = tmp_path / "masked.mp4"
    path.write_bytes(data + box)
    report = verified(path, named())
    assert report.is_authentic
    assert report.is_encoded_anew
    assert report.notes == ("made invisible: a passer-by",)
    assert manifest_of(path).masks == (mask,)
    assert worst([Recorded.MATCHED, Recorded.ALTERED, Recorded.UNHASHED]) is Recorded.ALTERED
    changed = verified(flipped(path, 1_200_000), named())
    assert counts(changed) == (1, 1, 0)
    assert changed.first_altered is not None
    assert changed.first_altered.start_us == 4
    assert "the head was changed" in verified(flipped(path, 50), named()).troubles[0]
    with pytest.raises(ValueError, match="not as long"):
        EncodedSeal(
            statement(),
            NamedUuid(uuid="", name=""),
            KEY,
            asked_us=(0, 9),
            shown_us=(0, 9),
            stretches=[],
            masks=[],
            data_bytes=9,
            pieces=[Piece(0, 0, 9)],
        ).box([Recorded.MATCHED])


def test_a_piece_is_what_the_worst_recorded_part_of_its_time_was() -> None:
    sources = [
        ProvedPart(start, start + 10, 0, 1, "", how)
        for start, how in (
            (0, Recorded.MATCHED),
            (10, Recorded.ALTERED),
            (20, Recorded.MATCHED),
            (40, Recorded.UNHASHED),
        )
    ]
    pieces = [Piece(number, start, start + 4) for number, start in enumerate((0, 5, 12, 21, 25, 34, 42, 60))]
    assert recorded_of(pieces, sources) == [
        Recorded.MATCHED,
        Recorded.MATCHED,
        Recorded.ALTERED,
        Recorded.MATCHED,
        Recorded.MATCHED,
        Recorded.ALTERED,  # of a time that none shows: the worst of all
        Recorded.UNHASHED,
        Recorded.ALTERED,
    ]


@pytest.mark.parametrize("offsets", [[], [5, 5], [5, 4], [9], [-1]])
def test_pieces_that_do_not_fit_the_file_are_refused(offsets: list[int]) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        EncodedSeal(
            statement(),
            NamedUuid(uuid="", name=""),
            KEY,
            asked_us=(0, 9),
            shown_us=(0, 9),
            stretches=[],
            masks=[],
            data_bytes=9,
            pieces=[Piece(offset, 0, 9) for offset in offsets],
        )


@cache
def small_export() -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        tracks_options = {"gop": 6, "width": 32, "height": 32}
        sources = recorded(root, "h264", "", **tracks_options)
        return exported(sources, root / "x.mp4").read_bytes()


@given(st.data())
@settings(max_examples=300)
def test_any_byte_changed_anywhere_is_found(data: st.DataObject) -> None:
    import tempfile

    content = bytearray(small_export())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(content)
        file.flush()
        assert not verified(Path(file.name), named()).is_authentic, at


@given(st.data())
@settings(max_examples=100)
def test_any_cut_and_any_addition_is_found(data: st.DataObject) -> None:
    import tempfile

    content = small_export()
    at = data.draw(st.integers(0, len(content)))
    added = data.draw(st.binary(max_size=40))
    until = data.draw(st.integers(at, len(content)))
    changed = content[:at] + added + content[until:]
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(changed)
        file.flush()
        assert verified(Path(file.name), named()).is_authentic is (changed == content)
