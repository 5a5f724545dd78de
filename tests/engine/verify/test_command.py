"""`watchdeck verify` as a shell calls it: files, folders, ZIPs, keys, passwords, and what it leaves with."""

from __future__ import annotations

import json
import os
import shutil
import stat
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import pyzipper

from engine.verify import command, zip_package
from engine.verify.bounds import STRETCHES, WORDS, bounded
from engine.verify.command import main
from engine.verify.zip_package import ZipPackage
from storage.errors import FileError
from storage.evidence.findings import STRETCH_LIMIT, TEXT_LIMIT, FileReport, Findings, Verdict
from storage.evidence.package import package_papers, packaged, write_package_manifest
from storage.evidence.public_key import grouped
from storage.evidence.station_key import StationKey
from storage.segments.chain import END_BOX_UUID
from tests.fakes.evidence import exported, recorded, statement
from tests.fakes.segment_files import KEY

FINGERPRINT = KEY.fingerprint.hex()


class Shell:
    """Calls it, and keeps what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.err = ""

    def __call__(self, *arguments: str | Path) -> tuple[int, str]:
        self._capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, self.err = self._capsys.readouterr()
        return code, out

    def json(self, *arguments: str | Path) -> tuple[int, Any]:
        code, out = self(*arguments, "--json")
        return code, json.loads(out)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("TZ", "UTC")
    return Shell(capsys)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    (tmp_path / "source").mkdir()
    exported(recorded(tmp_path / "source"), folder / "dock.mp4")
    (folder / "index.html").write_text("<html>what happened</html>")
    write_package_manifest(folder, statement("for the police"), KEY, case="Pallet", notes=["a note"])
    return folder


def zipped(folder: Path, path: Path, password: str = "") -> Path:
    options: dict[str, Any] = {"encryption": pyzipper.WZ_AES} if password else {}
    with pyzipper.AESZipFile(path, "w", compression=pyzipper.ZIP_DEFLATED, **options) as archive:
        if password:
            archive.setpassword(password.encode())
        for each in sorted(folder.iterdir()):
            archive.write(each, each.name)
    return path


def test_an_export_by_every_form_of_the_key(tmp_path: Path, shell: Shell) -> None:
    export = exported(recorded(tmp_path), tmp_path / "x.mp4")
    pem = tmp_path / "key.pem"
    pem.write_text(KEY.public.pem)
    for key in (str(pem), FINGERPRINT, grouped(KEY.fingerprint), KEY.public.base64):
        code, out = shell(export, "--key", key)
        assert code == 0
        assert "4 matched, 0 not matched, 0 without signature" in out
        assert "authentic: signed by the key that was given" in out
    code, out = shell(export)
    assert code == 0
    assert "authentic" not in out
    assert grouped(KEY.fingerprint)[:39] in out
    assert "compare it with the station's" in out
    code, out = shell(export, "--key", StationKey.generate().fingerprint.hex())
    assert code == 1
    assert "another key" in out
    code, _ = shell(export, "--key", "nonsense")
    assert code == 2


def test_the_first_altered_second_is_named_in_local_time(tmp_path: Path, shell: Shell) -> None:
    sources = recorded(tmp_path)
    export = exported(sources, tmp_path / "x.mp4")
    content = bytearray(export.read_bytes())
    content[len(content) // 2] ^= 1
    export.write_bytes(content)
    code, out = shell(export, "--key", FINGERPRINT)
    assert code == 1
    assert "NOT MATCHED" in out
    assert "first altered 2026-09-21 " in out
    assert ", byte " in out
    code, document = shell.json(export, "--key", FINGERPRINT)
    assert (code, document["not_matched"], document["is_authentic"]) == (1, 1, False)
    assert document["files"][0]["first_altered"]["why"] == "changed"


def test_a_package_is_whole_or_says_what_is_not(package: Path, shell: Shell) -> None:
    code, out = shell(package, "--key", FINGERPRINT)
    assert code == 0, out
    assert "for the police" in out
    code, document = shell.json(package)
    assert {Path(each["name"]).name: each["matched"] for each in document["files"]} == {
        "package": 0,
        "dock.mp4": 4,
        "index.html": 1,
        "station-key.pem": 1,
        "VERIFY.txt": 1,
    }
    assert document["keys"] == [FINGERPRINT]
    assert "openssl" in (package / "VERIFY.txt").read_text()

    whole = package.with_name("whole")
    shutil.copytree(package, whole)

    def after(change: Any) -> dict[str, Any]:
        shutil.rmtree(package)
        shutil.copytree(whole, package)
        change()
        code, document = shell.json(package, "--key", FINGERPRINT)
        assert code == 1
        return document

    assert after(lambda: (package / "index.html").write_text("another story"))["not_matched"] == 1
    assert after(lambda: (package / "added.txt").write_text("x"))["without_signature"] == 1
    gone = after(lambda: (package / "dock.mp4").unlink())
    assert gone["files"][0]["troubles"] == ["dock.mp4 is missing"]
    swapped = after(lambda: shutil.copy(whole / "index.html", package / "dock.mp4"))
    assert swapped["not_matched"] == 1
    assert after(lambda: (package / "manifest.sig").write_bytes(bytes(64)))["without_signature"] == 3
    assert after(lambda: (package / "manifest.sig").unlink())["without_signature"] == 3
    text = (whole / "manifest.json").read_text()
    assert after(lambda: (package / "manifest.json").write_text(text.replace("police", "polise")))["files"][
        0
    ]["troubles"]
    assert after(lambda: (package / "manifest.json").write_text("[" * 10_000))["files"][0]["troubles"]


def test_another_export_of_the_same_station_in_its_place_is_found(
    package: Path, tmp_path: Path, shell: Shell
) -> None:
    """Signed by the right key, and yet not the file of this package."""
    (tmp_path / "b").mkdir()
    exported(recorded(tmp_path / "b", "h265"), package / "dock.mp4")
    code, document = shell.json(package, "--key", FINGERPRINT)
    assert code == 1
    assert any(
        "not the file that was exported" in trouble
        for each in document["files"]
        for trouble in each["troubles"]
    )


def test_links_in_a_folder_are_refused(package: Path, shell: Shell) -> None:
    (package / "link").symlink_to("/etc/passwd")
    code, _ = shell(package)
    assert code == 8
    assert "neither a file nor a folder" in shell.err


def test_a_zip_with_a_password(
    package: Path, tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = zipped(package, tmp_path / "x.zip", "correct horse battery")
    secret = tmp_path / "password"
    secret.write_text("correct horse battery\n")
    code, out = shell(archive, "--key", FINGERPRINT, "--password-file", secret)
    assert code == 0, out
    secret.write_text("wrong\n")
    code, _ = shell(archive, "--password-file", secret)
    assert code == 2
    assert "password does not open" in shell.err
    code, _ = shell(archive, "--password-file", tmp_path / "gone")
    assert code == 8
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    code, _ = shell(archive)
    assert code == 2
    assert "no terminal" in shell.err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(command.getpass, "getpass", lambda *_, **__: "correct horse battery")
    assert shell(archive)[0] == 0


def test_a_name_cannot_write_to_the_terminal(package: Path, tmp_path: Path, shell: Shell) -> None:
    """Not in what is said of a ZIP or a folder that is refused, either."""
    name = "\x1b[2Jx.mp4"
    (tmp_path / "p").write_text("pw")
    with pyzipper.AESZipFile(tmp_path / "x.zip", "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(b"pw")
        archive.writestr(name, b"what happened")
    content = bytearray((tmp_path / "x.zip").read_bytes())
    content[content.index(name.encode()) + len(name) + 30] ^= 1
    (tmp_path / "x.zip").write_bytes(content)
    assert shell(tmp_path / "x.zip", "--password-file", tmp_path / "p")[0] == 2
    assert "?[2Jx.mp4" in shell.err
    assert "\x1b" not in shell.err
    (package / name).symlink_to("/etc/passwd")
    assert shell(package)[0] == 8
    assert "?[2Jx.mp4" in shell.err
    assert "\x1b" not in shell.err


def test_a_name_that_is_no_text_is_told(tmp_path: Path, shell: Shell) -> None:
    path = tmp_path / os.fsdecode(b"\xff\xc2\x9b2J.mp4")
    exported(recorded(tmp_path), path)
    code, out = shell(path)
    assert code == 0
    assert "??2J.mp4: matched" in out
    code, out = shell(path, "--json")
    assert code == 0
    assert out.isascii()
    assert json.loads(out)["files"][0]["name"] == str(path)
    path.unlink()
    assert shell(path, "--json")[0] == 3
    assert json.loads(shell.err)["code"] == "not_found"


def test_a_zip_whose_bytes_were_changed(package: Path, tmp_path: Path, shell: Shell) -> None:
    secret = tmp_path / "password"
    secret.write_text("correct horse battery\n")
    for password in ("", "correct horse battery"):
        archive = zipped(package, tmp_path / "x.zip", password)
        with zipfile.ZipFile(archive) as listing:
            entry = next(each for each in listing.infolist() if each.filename == "dock.mp4")
        content = bytearray(archive.read_bytes())
        content[entry.header_offset + entry.compress_size // 2] ^= 1
        archive.write_bytes(content)
        code, document = shell.json(archive, "--key", FINGERPRINT, "--password-file", secret)
        assert code == 1
        assert document["not_matched"] >= 1


def test_a_zip_of_a_folder_and_one_of_bare_videos(package: Path, tmp_path: Path, shell: Shell) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "y"), "zip", package.parent, "package"))
    with zipfile.ZipFile(archive) as listing:
        assert "package/manifest.json" in listing.namelist()
    code, out = shell(archive, "--key", FINGERPRINT)
    assert code == 0, out
    bare = tmp_path / "bare.zip"
    with zipfile.ZipFile(bare, "w") as made:
        made.write(package / "dock.mp4", "dock.mp4")
    code, document = shell.json(bare, "--key", FINGERPRINT)
    assert (code, document["matched"]) == (0, 4)
    with zipfile.ZipFile(bare, "w") as made:
        made.writestr("readme", "hello")
    assert shell(bare)[0] == 3


def hostile(path: Path, *entries: tuple[str, bytes, int]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return path


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([("../../etc/cron.d/x.mp4", b"x", 0o100644)], "leads out"),
        ([("/etc/x.mp4", b"x", 0o100644)], "leads out"),
        ([("a\\..\\x.mp4", b"x", 0o100644)], "leads out"),
        ([("c:x.mp4", b"x", 0o100644)], "leads out"),
        ([("x.mp4", b"/etc/passwd", stat.S_IFLNK | 0o777)], "link or a device"),
        ([("x.mp4", b"x", 0o100644), ("x.mp4", b"y", 0o100644)], "there twice"),
        ([("x.mp4", bytes(64 << 20), 0o100644)], "would unpack"),
    ],
)
def test_hostile_zips_are_refused(
    tmp_path: Path, shell: Shell, entries: list[tuple[str, bytes, int]], words: str
) -> None:
    code, _ = shell(hostile(tmp_path / "x.zip", *entries))
    assert code == 2
    assert words in shell.err


def test_a_zip_that_lists_too_much_is_refused_before_it_is_read(
    tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zip_package, "ENTRY_LIMIT", 3)
    path = hostile(tmp_path / "x.zip", *((f"{n}.mp4", b"", 0o100644) for n in range(4)))
    code, _ = shell(path)
    assert code == 2
    assert "lists 4 files" in shell.err
    for content in (b"PK\x03\x04" + bytes(500), b"PK\x05\x06" + bytes(18), b"PK\x05\x06" + b"\xff" * 18):
        path.write_bytes(content)
        assert shell(path)[0] in (2, 3)


@pytest.mark.parametrize("is_large", [False, True])
def test_a_list_longer_than_its_end_says_is_refused(
    tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch, is_large: bool
) -> None:
    """The end says one file of 50 bytes; the library goes by the bytes, or by the ZIP64 record before the end."""
    path = hostile(tmp_path / "x.zip", *((f"{n}.mp4", b"", 0o100644) for n in range(9)))
    monkeypatch.setattr(zip_package, "ENTRY_LIMIT", 8)
    content = path.read_bytes()
    at = content.rfind(b"PK\x05\x06")
    directory_bytes, directory_at = struct.unpack_from("<II", content, at + 12)
    large = b""
    if is_large:
        large = struct.pack(
            "<4sQHHIIQQQQ4sIQI",
            *(b"PK\x06\x06", 44, 45, 45, 0, 0, 9, 9, directory_bytes, directory_at),
            *(b"PK\x06\x07", 0, at, 1),
        )
        assert len(large) == 76
        directory_bytes = 50
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, directory_bytes, directory_at, 0)
    path.write_bytes(content[:at] + large + end)
    with zipfile.ZipFile(path) as listing:
        assert len(listing.infolist()) == 9
    read: list[object] = []
    if is_large:
        monkeypatch.setattr(pyzipper, "AESZipFile", read.append)
    assert shell(path)[0] == 2
    assert "lists 9 files" in shell.err
    assert read == []


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_only_methods_that_exports_use_are_unpacked(tmp_path: Path, shell: Shell, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", method) as archive:
        archive.writestr("x.mp4", b"what happened")
    assert shell(tmp_path / "x.zip")[0] == 2
    assert f"packed by method {method}" in shell.err


def test_a_file_that_unpacks_to_more_than_announced_is_stopped(tmp_path: Path, shell: Shell) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.mp4", bytes(10 << 20))
    content = path.read_bytes()
    size = struct.pack("<I", 10 << 20)
    path.write_bytes(content.replace(size, struct.pack("<I", 1000)))
    code, _ = shell(path)
    assert code in (1, 2, 8)


def test_papers_of_a_zip_that_is_streamed_are_the_same(package: Path) -> None:
    files = [packaged(name, (package / name).read_bytes()) for name in ("dock.mp4", "index.html")]
    papers = package_papers(statement("for the police"), KEY, files, case="Pallet", notes=["a note"])
    assert [name for name, _ in papers] == ["VERIFY.txt", "station-key.pem", "manifest.json", "manifest.sig"]
    for name, content in papers:
        assert (package / name).read_bytes() == content


def test_openssl_agrees(package: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "station-key.pem", "-rawin"]
    done = subprocess.run(
        [*command, "-in", "manifest.json", "-sigfile", "manifest.sig"],
        cwd=package,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, "Verified Successfully" in done.stdout) == (0, True), done.stderr


def test_segments_of_a_volume_are_verified_as_a_run(tmp_path: Path, shell: Shell) -> None:
    for source in recorded(tmp_path):
        assert source.path.exists()
    code, document = shell.json(tmp_path, "--key", FINGERPRINT)
    assert (code, document["matched"]) == (0, 4)
    assert [each["kind"] for each in document["files"]] == ["recording", "recording"]
    assert "without a hole" in document["files"][1]["notes"][0]


def test_a_recording_with_an_open_end_is_not_called_changed(tmp_path: Path, shell: Shell) -> None:
    path = recorded(tmp_path)[-1].path
    content = path.read_bytes()
    path.write_bytes(content[: content.index(END_BOX_UUID.bytes) - 8])
    code, out = shell(path, "--key", FINGERPRINT)
    assert code == 1
    assert ": NOT AUTHENTIC\n" in out
    assert "2 matched, 0 not matched" in out
    assert "its end is not sealed" in out


def test_a_pipe_that_nobody_writes_to_is_no_file(tmp_path: Path) -> None:
    """In a process of its own, which can be ended should it wait."""
    os.mkfifo(tmp_path / "x.mp4")
    call = "import sys; from engine.verify.command import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", call, str(tmp_path / "x.mp4")],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 8
    assert "no plain file" in done.stderr


def test_what_is_not_there_and_what_is_no_video(tmp_path: Path, shell: Shell) -> None:
    assert shell(tmp_path / "gone.mp4")[0] == 3
    assert shell(tmp_path)[0] == 3
    code, _ = shell(tmp_path / "gone.mp4", "--json")
    assert json.loads(shell.err)["code"] == "not_found"


def test_it_runs_from_the_command_line_without_an_engine(tmp_path: Path) -> None:
    export = exported(recorded(tmp_path), tmp_path / "-x.mp4")
    done = subprocess.run(
        [sys.executable, "-m", "tui", "verify", "--key", FINGERPRINT, "--json", "--", export.name],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[3]), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["is_authentic"]


@pytest.mark.parametrize(("packing", "times"), [(pyzipper.ZIP_STORED, 1), (pyzipper.ZIP_DEFLATED, 2)])
def test_an_encrypted_video_is_decrypted_once(
    package: Path, tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch, packing: int, times: int
) -> None:
    """Twice when somebody packed it besides: its manifest is at its end."""
    path = tmp_path / "x.zip"
    with pyzipper.AESZipFile(path, "w", compression=packing, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(b"correct horse")
        for each in sorted(package.iterdir()):
            archive.write(each, each.name)
    secret = tmp_path / "password"
    secret.write_text("correct horse")
    seen_bytes = 0
    real = pyzipper.zipfile_aes.AESZipDecrypter.decrypt

    def counted(self: object, data: bytes) -> bytes:
        nonlocal seen_bytes
        seen_bytes += len(data)
        return real(self, data)  # type: ignore[no-any-return]

    monkeypatch.setattr(pyzipper.zipfile_aes.AESZipDecrypter, "decrypt", counted)
    code, _ = shell(str(path), "--password-file", str(secret))
    assert code == 0
    with pyzipper.AESZipFile(path) as found:
        sizes = [entry.compress_size for entry in found.infolist()]
    # The smallest is opened to try the password.
    assert seen_bytes <= times * sum(sizes) + min(sizes)


@pytest.mark.parametrize("strength", [128, 192, 256, None])
def test_the_end_of_a_stored_file_is_read_where_it_lies(tmp_path: Path, strength: int | None) -> None:
    data = bytes(range(251)) * 4000
    path = tmp_path / "x.zip"
    options = (
        {} if strength is None else {"encryption": pyzipper.WZ_AES, "encryption_kwargs": {"nbits": strength}}
    )
    with pyzipper.AESZipFile(path, "w", **options) as archive:
        if strength is not None:
            archive.setpassword(b"word")
        archive.writestr("before", b"x" * 99)
        archive.writestr("video", data)
        archive.writestr("packed", data, compress_type=pyzipper.ZIP_DEFLATED)
    with ZipPackage(path) as package:
        if strength is not None:
            package.open_with("word")
        contents = package.contents()
        for name in ("video", "packed"):
            for size_bytes in (1, 4, 15, 16, 17, 5000, len(data) - 1, len(data), len(data) + 9):
                assert contents[name].tail(size_bytes) == data[-size_bytes:], (name, size_bytes)


def test_a_stored_file_whose_place_is_a_lie_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with pyzipper.AESZipFile(path, "w") as archive:
        archive.writestr("x.mp4", b"x" * 5000)
    content = bytearray(path.read_bytes())
    content[0:4] = b"PK\x03\x05"
    path.write_bytes(content)
    with ZipPackage(path) as package, pytest.raises(FileError, match="cannot be read"):
        package.contents()["x.mp4"].tail(4)


def test_behind_the_last_stretch_that_is_told_apart_nothing_is_added_to_it() -> None:
    findings = Findings()
    for part in range(STRETCH_LIMIT + 10):
        findings.part(Verdict.NOT_MATCHED if part % 2 else Verdict.MATCHED, part, 1, "", (part, part + 1))
    report = findings.report("x", "export", STRETCH_LIMIT + 10)
    assert len(report.stretches) == STRETCH_LIMIT
    assert {stretch.end_bytes - stretch.offset_bytes for stretch in report.stretches} == {1}
    assert {stretch.parts for stretch in report.stretches} == {1}
    assert report.matched + report.not_matched == STRETCH_LIMIT + 10


def test_what_many_hostile_files_say_is_bounded() -> None:
    def loud(number: int) -> FileReport:
        findings = Findings(notes=["n" * 5_000] * 3_000, troubles=["t" * 5_000] * 3_000)
        for part in range(2_000):
            verdict = Verdict.NOT_MATCHED if part % 2 else Verdict.MATCHED
            findings.part(verdict, part, 1, "why", (part, part + 1))
        return findings.report(
            f"{number}.mp4", "export", 2_000, comment="c" * 1_000_000, camera="c" * 1_000_000
        )

    reports = list(bounded(loud(number) for number in range(100)))
    assert len(reports) == 100
    assert sum(len(report.stretches) for report in reports) == STRETCHES
    for kind in ("notes", "troubles"):
        assert sum(len(each) for report in reports for each in getattr(report, kind)) <= WORDS + 100 * 100
    for report in reports:
        assert (report.matched, report.not_matched) == (1_000, 1_000)
        assert report.first_altered is not None
        assert report.first_altered.start_us == 1
        assert report.troubles
        assert not report.is_authentic
        assert len(report.comment) == len(report.camera) == TEXT_LIMIT
