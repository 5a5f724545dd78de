"""What proves an export: `watchdeck verify` on folders, ZIPs, masked files, and on what somebody changed."""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import av
import pytest

from engine.wire_evidence import ExportAsk, ExportJobView, ExportRange, ExportState, PrivacyMask
from storage.errors import KeyUnusable
from storage.evidence.manifest import (
    Manifest,
    NamedUuid,
    ProvedPart,
    manifest_key,
    parse_box,
    read_manifest,
    signed_box,
)
from storage.evidence.public_key import grouped
from storage.evidence.station_key import StationKeys
from storage.segments.chain import Recorded
from tests.engine.exports.conftest import at, ended
from tests.fakes.station import FakeStation

MIB = 1 << 20
PASSWORD = "correct horse"
MASK = PrivacyMask(left=0, top=0, width=5_000, height=5_000, start_us=at(1), end_us=at(2))


def wanted(camera: str, *masks: PrivacyMask) -> ExportRange:
    return ExportRange(camera=camera, start_us=at(0), end_us=at(4), masks=masks)


async def made(station: FakeStation, *ranges: ExportRange, password: str = "") -> ExportJobView:
    ask = ExportAsk(ranges=ranges, password=password, comment="why")
    done = await ended(station, (await station.client.start_export_job(ask)).id)
    assert done.state is ExportState.DONE, done.trouble
    return done


def verified(path: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit code, and what it says."""
    ran = subprocess.run(
        [sys.executable, "-m", "engine", "verify", "--json", *arguments, "--", str(path)],
        capture_output=True,
        input=PASSWORD.encode() + b"\n",
    )
    assert ran.stdout, ran.stderr
    return ran.returncode, json.loads(ran.stdout)


async def test_a_folder_is_proved_with_nothing_but_itself_and_the_key(station: FakeStation) -> None:
    job = await made(station, wanted("gate"), wanted("yard"))
    key = station.services.keys.signer()
    code, found = verified(Path(job.folder), "--key", key.fingerprint.hex())
    assert code == 0, found
    package, *files = found["files"]
    assert (package["kind"], package["is_key_given"], package["comment"]) == ("package", True, "why")
    videos = [each for each in files if each["kind"] == "export"]
    assert [each["camera"] for each in videos] == ["gate", "yard"]
    assert all(each["matched"] >= 4 and not each["troubles"] for each in videos)
    names = {file.name for file in job.files}
    assert {"index.html", "manifest.json", "manifest.sig", "station-key.pem", "VERIFY.txt"} < names
    page = (Path(job.folder) / "index.html").read_text()
    assert grouped(key.fingerprint) in page


@pytest.mark.parametrize("which", ["index.html", ".mp4", "manifest.json"])
async def test_one_changed_byte_is_found(station: FakeStation, which: str) -> None:
    job = await made(station, wanted("gate"))
    path = next(Path(job.folder) / file.name for file in job.files if file.name.endswith(which))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    code, _ = verified(Path(job.folder))
    assert code == 1


async def test_a_missing_and_an_added_file_are_found(station: FakeStation) -> None:
    job = await made(station, wanted("gate"), wanted("yard"))
    gone = next(file.name for file in job.files if file.name.startswith("yard"))
    (Path(job.folder) / gone).unlink()
    code, found = verified(Path(job.folder))
    assert code == 1
    assert f"{gone} is missing" in found["files"][0]["troubles"]


async def test_a_zip_is_proved_with_its_password(station: FakeStation) -> None:
    job = await made(station, wanted("gate"), password=PASSWORD)
    code, found = verified(Path(job.folder) / job.files[0].name, "--password-file", "-")
    assert code == 0, found
    assert any(each["kind"] == "export" and each["matched"] >= 4 for each in found["files"])


@pytest.mark.parametrize("password", ["", PASSWORD])
async def test_a_masked_file_says_that_it_is_encoded_anew_and_what_it_hides(
    station: FakeStation, password: str
) -> None:
    job = await made(station, wanted("gate", MASK), password=password)
    path = Path(job.folder) / job.files[0].name if password else Path(job.folder)
    code, found = verified(path, *(("--password-file", "-") if password else ()))
    assert code == 0, found
    (video,) = [each for each in found["files"] if each["kind"] == "export"]
    assert video["is_encoded_anew"]
    assert video["matched"] >= 1


async def test_the_first_altered_second_of_a_masked_file_is_named(station: FakeStation) -> None:
    """Its pictures lie between the bytes that the manifest says, and the second is the one on the wall."""
    job = await made(station, ExportRange(camera="gate", start_us=at(0), end_us=at(14), masks=(MASK,)))
    path = next(Path(job.folder) / file.name for file in job.files if file.name.endswith(".mp4"))
    content = path.read_bytes()
    box = parse_box(content[-int.from_bytes(content[-4:], "big") :])
    assert box is not None
    manifest = read_manifest(box.body)
    assert manifest is not None
    assert [part.start_us for part in manifest.parts] == [
        at(second) for second in (0, 1, 2, 3, 10, 11, 12, 13)
    ]
    assert manifest.parts[-1].end_us == manifest.end_us
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            if packet.size:
                part = manifest.parts[int(packet.pts * packet.time_base)]
                assert part.offset_bytes <= packet.pos
                assert packet.pos + packet.size <= part.offset_bytes + part.size_bytes
    for number, second in ((0, 0), (2, 2), (5, 11), (7, 13)):
        changed = bytearray(content)
        part = manifest.parts[number]
        changed[part.offset_bytes + part.size_bytes // 2] ^= 1
        path.write_bytes(changed)
        code, found = verified(path)
        assert code == 1
        (video,) = found["files"]
        assert video["first_altered"]["start_us"] == at(second)
        assert (video["matched"], video["not_matched"]) == (7, 1)


async def test_a_masked_file_of_before_is_verified_as_ever(station: FakeStation, tmp_path: Path) -> None:
    """Blocks of a mebibyte from the first byte on, all of the whole time."""
    key = station.services.keys.signer()
    data = bytes(range(256)) * 10_000
    blocks = [data[start : start + MIB] for start in range(0, len(data), MIB)]
    parts = tuple(
        ProvedPart(at(0), at(4), number * MIB, len(block), sha256(block).hexdigest(), Recorded.MATCHED)
        for number, block in enumerate(blocks)
    )
    manifest = Manifest(
        statement=station.exports._shop.statement("ann", ""),
        key=manifest_key(key.public),
        camera=NamedUuid(uuid="", name="gate"),
        asked_start_us=at(0),
        asked_end_us=at(4),
        start_us=at(0),
        end_us=at(4),
        stretches=((at(0), at(4)),),
        is_encoded_anew=True,
        head_bytes=0,
        head_sha256=sha256(b"").hexdigest(),
        parts=parts,
    )
    path = tmp_path / "x.mp4"
    path.write_bytes(data + signed_box(manifest, key))
    code, found = verified(path)
    assert (code, found["matched"]) == (0, 3)


async def test_without_a_key_nothing_is_begun(station: FakeStation) -> None:
    object.__setattr__(
        station.exports._shop, "keys", StationKeys(None, KeyUnusable("the key is gone", "put it back"))
    )
    with pytest.raises(KeyUnusable, match="the key is gone"):
        await station.client.start_export_job(ExportAsk(ranges=(wanted("gate"),)))
