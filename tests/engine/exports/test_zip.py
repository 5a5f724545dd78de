"""The encrypted ZIP: other programs open it with the password, nobody without, and nothing plain touches the disk."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import pyzipper

from engine.exports import making, package
from engine.exports.folder import Space
from engine.exports.package import ZipPackage
from engine.verify.command import main as verify
from engine.wire_evidence import ExportAsk, ExportJobView, ExportRange, ExportState, PrivacyMask
from storage.errors import SegmentDamaged
from tests.engine.exports.conftest import at, demuxed, ended, frames
from tests.fakes.encoded_video import encoded
from tests.fakes.station import FakeStation

PASSWORD = "pass word; $(touch x) ünï"
SEVEN_ZIP = next((found for name in ("7zz", "7z") if (found := shutil.which(name))), "")
BSDTAR = shutil.which("bsdtar") or ""


async def made(station: FakeStation, *wanted: ExportRange) -> ExportJobView:
    ask = ExportAsk(ranges=wanted, password=PASSWORD, name="for the police", comment="secret reason")
    done = await ended(station, (await station.client.start_export_job(ask)).id)
    assert done.state is ExportState.DONE, done.trouble
    return done


def gate(*masks: PrivacyMask) -> ExportRange:
    return ExportRange(camera="gate", start_us=at(0), end_us=at(4), masks=masks)


def unpacked_by_another_process(zip_path: Path, folder: Path) -> None:
    """pyzipper elsewhere, the password on its stdin."""
    code = (
        "import sys, pyzipper; z = pyzipper.AESZipFile(sys.argv[1]); z.setpassword(sys.stdin.buffer.read());"
        " z.extractall(sys.argv[2])"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(zip_path), str(folder)], input=PASSWORD.encode(), check=True
    )


async def test_one_zip_and_nothing_else_opens_with_the_password(station: FakeStation, tmp_path: Path) -> None:
    job = await made(station, gate())
    (file,) = job.files
    path = Path(job.folder) / file.name
    assert os.listdir(job.folder) == [file.name]
    assert file.name.startswith("for_the_police-")
    assert file.name.endswith(".zip")
    content = path.read_bytes()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (file.bytes, file.sha256)
    assert b"secret reason" not in content
    picture = encoded("h264").packets[0].data
    assert picture[:64] not in content
    unpacked_by_another_process(path, tmp_path)
    video = next(tmp_path.glob("gate-*.mp4"))
    assert demuxed(video)["video"] == [packet.data for packet in encoded("h264").packets]
    assert "secret reason" in (tmp_path / "index.html").read_text()
    listing = subprocess.run(["unzip", "-Z", "-v", str(path)], capture_output=True, text=True, check=False)
    assert "stored" in listing.stdout or "unknown method (99)" in listing.stdout or "(99)" in listing.stdout


@pytest.mark.skipif(not SEVEN_ZIP, reason="7-Zip is not installed (packaging/install-test-tools)")
async def test_seven_zip_opens_it(station: FakeStation, tmp_path: Path) -> None:
    job = await made(station, gate())
    path = Path(job.folder) / job.files[0].name
    listing = subprocess.run([SEVEN_ZIP, "l", "-slt", str(path)], capture_output=True, text=True, check=True)
    assert "AES-256" in listing.stdout
    opened = subprocess.run(
        [SEVEN_ZIP, "x", f"-p{PASSWORD}", f"-o{tmp_path}", str(path)], capture_output=True, text=True
    )
    assert opened.returncode == 0, opened.stdout + opened.stderr
    video = next(tmp_path.glob("gate-*.mp4"))
    assert demuxed(video)["video"] == [packet.data for packet in encoded("h264").packets]
    wrong = subprocess.run([SEVEN_ZIP, "t", "-pwrong password", str(path)], capture_output=True)
    assert wrong.returncode != 0


@pytest.mark.skipif(not BSDTAR, reason="bsdtar is not installed (packaging/install-test-tools)")
async def test_libarchive_opens_it(station: FakeStation, tmp_path: Path) -> None:
    job = await made(station, gate())
    path = Path(job.folder) / job.files[0].name
    subprocess.run([BSDTAR, "-x", "--passphrase", PASSWORD, "-f", str(path), "-C", str(tmp_path)], check=True)
    assert len(demuxed(next(tmp_path.glob("gate-*.mp4")))["video"]) == 100


async def test_masked_first_then_encrypted(station: FakeStation, tmp_path: Path) -> None:
    job = await made(station, gate(PrivacyMask(left=0, top=0, width=10_000, height=10_000)))
    assert os.listdir(job.folder) == [job.files[0].name]
    unpacked_by_another_process(Path(job.folder) / job.files[0].name, tmp_path)
    _, pixels = frames(next(tmp_path.glob("gate-*.mp4")))[10]
    assert pixels.max() < 40


async def test_the_password_is_nowhere(
    station: FakeStation, caplog: pytest.LogCaptureFixture, short_folder: Path
) -> None:
    caplog.set_level("DEBUG")
    job = await made(station, gate())
    await station.operations.flush()
    await station.events.flush()
    assert PASSWORD not in caplog.text
    assert PASSWORD not in repr(station.exports._jobs)
    for path in short_folder.rglob("*"):
        if path.is_file():
            assert PASSWORD.encode() not in path.read_bytes(), path
            assert b"$(touch x)" not in path.read_bytes(), path
    assert (await station.client.export_job(job.id)).is_encrypted


def test_beyond_four_gibibytes_it_is_zip64(tmp_path: Path) -> None:
    """As the size is announced, not as it is: headers have room for it."""
    zipped = ZipPackage(tmp_path / "x.zip", "password", lambda: Space(1 << 40, 1))
    zipped.begin("big.mp4", size_bytes=5 << 30, is_text=False, time_us=at(0))
    zipped.write(b"video" * 1000)
    plain = zipped.end()
    assert list(zipped.finish())
    assert plain.bytes == 5000
    head = (tmp_path / "x.zip").read_bytes()[:80]
    name_bytes = int.from_bytes(head[26:28], "little")
    assert head[30 + name_bytes :][:4] == b"\x01\x00\x10\x00", "sizes of eight bytes (APPNOTE 4.5.3)"
    assert head[8:10] == (99).to_bytes(2, "little")


def test_given_up_in_the_middle_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "SYNC_BYTES", 1)
    space = [Space(1 << 40, 1 << 30)]
    zipped = ZipPackage(tmp_path / "x.zip", "password", lambda: space[0])
    zipped.begin("a.mp4", size_bytes=5, is_text=False, time_us=at(0))
    zipped.write(b"video")
    space[0] = Space(1, 1 << 30)
    with pytest.raises(package.VolumeFull):
        zipped.write(b"video")
    zipped.discard()
    zipped.discard()
    assert os.listdir(tmp_path) == []


async def test_a_range_that_breaks_is_left_out_of_the_zip(
    station: FakeStation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a folder: fifteen cameras are not lost with the sixteenth."""
    real = making.Making._copy_one
    calls = iter(range(10_000))

    def breaks_once(chunks: object, package: object) -> int:
        if next(calls) == 3:
            raise making._SourceFailed(SegmentDamaged("torn"))
        return real(chunks, package)  # type: ignore[arg-type]

    monkeypatch.setattr(making, "CHUNK_BYTES", 4096)
    monkeypatch.setattr(making.Making, "_copy_one", staticmethod(breaks_once))
    job = await made(station, gate(), ExportRange(camera="yard", start_us=at(0), end_us=at(4)))
    path = Path(job.folder) / job.files[0].name
    assert any(note.startswith("gate") and "torn" in note for note in job.notes)
    assert job.files[0].bytes == path.stat().st_size
    assert b"gate-" not in path.read_bytes()
    unpacked_by_another_process(path, tmp_path)
    assert [found.name.partition("-")[0] for found in tmp_path.glob("*.mp4")] == ["yard"]
    assert demuxed(next(tmp_path.glob("*.mp4")))["video"] == [p.data for p in encoded("h265").packets]
    assert "Not exported" in (tmp_path / "index.html").read_text()
    if SEVEN_ZIP:
        subprocess.run([SEVEN_ZIP, "t", f"-p{PASSWORD}", str(path)], check=True, capture_output=True)
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    assert verify([str(path), "--password-file", str(secret)]) == 0


def test_what_is_taken_back_leaves_a_zip_as_if_it_had_never_been(tmp_path: Path) -> None:
    zipped = ZipPackage(tmp_path / "x.zip", "password", lambda: Space(1 << 40, 1))
    for name, is_kept in (("a", True), ("b", False), ("c", False), ("d", True)):
        zipped.begin(name, size_bytes=5000, is_text=name == "c", time_us=at(0))
        zipped.write(name.encode() * 5000)
        if is_kept:
            zipped.end()
        else:
            zipped.drop()
            zipped.drop()
    assert list(zipped.finish())
    with pyzipper.AESZipFile(tmp_path / "x.zip") as found:
        found.setpassword(b"password")
        assert [(name, found.read(name)) for name in found.namelist()] == [
            ("a", b"a" * 5000),
            ("d", b"d" * 5000),
        ]
        assert found.testzip() is None
    assert (tmp_path / "x.zip").stat().st_size < 11_000
