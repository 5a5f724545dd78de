"""What proves an export: `watchdeck verify` on folders, ZIPs, masked files, and on what somebody changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.wire_evidence import ExportAsk, ExportJobView, ExportRange, ExportState, PrivacyMask
from storage.errors import KeyUnusable
from storage.evidence.public_key import grouped
from storage.evidence.station_key import StationKeys
from tests.engine.exports.conftest import at, ended
from tests.fakes.station import FakeStation

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


async def test_without_a_key_nothing_is_begun(station: FakeStation) -> None:
    object.__setattr__(
        station.exports._shop, "keys", StationKeys(None, KeyUnusable("the key is gone", "put it back"))
    )
    with pytest.raises(KeyUnusable, match="the key is gone"):
        await station.client.start_export_job(ExportAsk(ranges=(wanted("gate"),)))
