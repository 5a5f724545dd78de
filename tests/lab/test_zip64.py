"""An encrypted export beyond 4 GiB, really written: 7-Zip, libarchive, pyzipper and `watchdeck verify` read it. Two minutes, 5 GiB of disk."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import pyzipper

from engine.exports.folder import Space
from engine.exports.package import ZipPackage
from engine.verify.zip_package import ZipPackage as FoundZip
from storage.evidence.content import hash_of_next

pytestmark = pytest.mark.lab

GIB = 1 << 30
MIB = 1 << 20
PASSWORD = "correct horse battery"
BIG_BYTES = 4 * GIB + 200 * MIB
SMALL = b"a page" * 1000
NEEDED_BYTES = 6 * GIB


def video() -> Iterator[bytes]:
    """A mebibyte each, no two alike."""
    for number in range(BIG_BYTES // MIB):
        yield number.to_bytes(16, "big") * (MIB // 16)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """The ZIP, and the hash of each file in it."""
    folder = tmp_path_factory.mktemp("zip64")
    if shutil.disk_usage(folder).free < NEEDED_BYTES:
        pytest.skip(f"{folder} has less than {NEEDED_BYTES // GIB} GiB free")
    path = folder / "x.zip"
    zipped = ZipPackage(path, PASSWORD, lambda: Space(1 << 40, 1))
    hashes = {}
    for name, size_bytes, chunks in (
        ("first.mp4", 5000, [b"v" * 5000]),
        ("big.mp4", BIG_BYTES, video()),
        ("behind 4 GiB.mp4", 7000, [b"w" * 7000]),
        ("index.html", len(SMALL), [SMALL]),
    ):
        zipped.begin(name, size_bytes=size_bytes, is_text=name == "index.html", time_us=1_790_000_000_000_000)
        for chunk in chunks:
            zipped.write(chunk)
        hashes[name] = zipped.end().sha256
    whole_bytes = 0
    for looked_bytes in zipped.finish():
        whole_bytes = looked_bytes
    assert whole_bytes == path.stat().st_size > BIG_BYTES
    yield path, hashes
    shutil.rmtree(folder)


def test_its_headers_are_those_of_zip64(made: tuple[Path, dict[str, str]]) -> None:
    with pyzipper.AESZipFile(made[0]) as found:
        big, behind = found.getinfo("big.mp4"), found.getinfo("behind 4 GiB.mp4")
    assert big.file_size == BIG_BYTES
    assert behind.header_offset > 4 * GIB
    assert big.extract_version >= 45
    with made[0].open("rb") as file:
        file.seek(-98, 2)
        assert b"PK\x06\x06" in file.read(), "the record of ZIP64's end (APPNOTE 4.3.14)"


@pytest.mark.parametrize(
    "command",
    [
        ("7zz", "x", "-so", f"-p{PASSWORD}", "{zip}", "{name}"),
        ("bsdtar", "-x", "-O", "--passphrase", PASSWORD, "-f", "{zip}", "{name}"),
    ],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize("name", ["first.mp4", "big.mp4", "behind 4 GiB.mp4", "index.html"])
def test_another_program_takes_each_file_out(
    made: tuple[Path, dict[str, str]], command: tuple[str, ...], name: str
) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed (packaging/install-test-tools)")
    path, hashes = made
    words = [word.format(zip=path, name=name) for word in command]
    digest = hashlib.sha256()
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        while data := process.stdout.read(MIB):
            digest.update(data)
        assert process.stderr is not None
        errors = process.stderr.read()
    assert process.returncode == 0, errors
    assert digest.hexdigest() == hashes[name]


def test_pyzipper_and_our_own_reading_find_the_same(made: tuple[Path, dict[str, str]]) -> None:
    path, hashes = made
    with pyzipper.AESZipFile(path) as found:
        found.setpassword(PASSWORD.encode())
        for name, wanted in hashes.items():
            digest = hashlib.sha256()
            with found.open(name) as file:
                while data := file.read(MIB):
                    digest.update(data)
            assert digest.hexdigest() == wanted
    with FoundZip(path) as package:
        package.open_with(PASSWORD)
        contents = package.contents()
        last = (BIG_BYTES // MIB - 1).to_bytes(16, "big")
        assert contents["big.mp4"].tail(16) == last
        assert contents["behind 4 GiB.mp4"].tail(5) == b"w" * 5
        with contents["behind 4 GiB.mp4"].open() as file:
            assert hash_of_next(file, 7000, "x")[0] == hashes["behind 4 GiB.mp4"]
