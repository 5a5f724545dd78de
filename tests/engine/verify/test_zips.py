"""ZIPs as `watchdeck verify` takes them: passwords, changed bytes, hostile lists, and how often a byte of one is read."""

from __future__ import annotations

import shutil
import stat
import struct
import zipfile
from pathlib import Path

import pytest
import pyzipper

from engine.verify import command, zip_package
from engine.verify.zip_package import ZipPackage
from storage.errors import FileError
from storage.evidence.package import package_papers, packaged
from tests.engine.verify.shell import FINGERPRINT, Shell, zipped
from tests.fakes.evidence import statement
from tests.fakes.segment_files import KEY


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
