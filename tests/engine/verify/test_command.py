"""`watchdeck verify` as a shell calls it: files, folders, keys, and what it leaves with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import pyzipper

from storage.evidence.public_key import grouped
from storage.evidence.station_key import StationKey
from storage.segments.chain import END_BOX_UUID
from tests.engine.verify.shell import FINGERPRINT, Shell
from tests.fakes.evidence import exported, recorded
from tests.fakes.segment_files import KEY


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
