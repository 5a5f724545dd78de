"""The folder of exports: private, with room for others, and without what was not finished."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.exports.folder import ExportFolder
from engine.exports.names import file_name, safe_stem
from storage.errors import VolumeError, VolumeMissing, VolumeReadOnly
from storage.volumes.volume import default_floor_bytes

TIB = 1 << 40


def test_a_disk_on_which_recording_keeps_its_floor_has_room_for_an_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor_bytes = default_floor_bytes(TIB)
    disk = SimpleNamespace(f_bavail=floor_bytes // 4096, f_blocks=TIB // 4096, f_frsize=4096)
    monkeypatch.setattr(os, "statvfs", lambda path: disk)
    space = ExportFolder(tmp_path / "not" / "yet").space()
    assert space.usable_bytes == floor_bytes // 2 > 8 << 30
    disk.f_bavail = 0
    assert ExportFolder(tmp_path).space().usable_bytes == 0


def test_it_is_private_and_what_is_half_written_goes_at_the_start(tmp_path: Path) -> None:
    folder = ExportFolder(tmp_path / "exports")
    part = folder.begin("one")
    (part / "x.mp4").write_bytes(b"x")
    assert os.listdir(folder.path) == [".one.part"]
    assert (folder.path.stat().st_mode & 0o777, part.stat().st_mode & 0o777) == (0o700, 0o700)
    folder.reveal(part, "one")
    two = "two-20261129-120000-0f3a"
    folder.begin(two)
    (folder.path / "a file of somebody").write_bytes(b"")
    (folder.path / ".hidden").write_bytes(b"")
    assert folder.prepare() == [f".{two}.part"]
    assert sorted(os.listdir(folder.path)) == [".hidden", "a file of somebody", "one"]
    folder.discard("one")
    folder.discard("one")
    with pytest.raises(VolumeError):
        ExportFolder(folder.path / ".hidden").begin("x")


def test_a_link_that_was_put_there_is_not_followed(tmp_path: Path) -> None:
    folder = ExportFolder(tmp_path / "exports")
    folder.prepare()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_bytes(b"kept")
    evil = ".evil-20261129-120000-0f3a.part"
    (folder.path / evil).symlink_to(outside)
    assert folder.prepare() == []
    folder.discard("evil-20261129-120000-0f3a")
    assert os.listdir(folder.path) == []
    assert (outside / "kept").exists()


def test_half_written_files_of_others_are_not_ours_to_remove(tmp_path: Path) -> None:
    folder = ExportFolder(tmp_path)
    (tmp_path / ".film.mkv.part").write_bytes(b"a download")
    (tmp_path / ".backup.part").mkdir()
    (tmp_path / ".x-20261129-120000-0f3a.part").write_bytes(b"a file")
    theirs = tmp_path / ".y-20261129-120000-0f3a.part"
    theirs.mkdir()
    if os.geteuid() == 0:
        os.chown(theirs, 12345, 12345)
    else:
        theirs.rmdir()
    before = sorted(os.listdir(tmp_path))
    assert folder.prepare() == []
    assert sorted(os.listdir(tmp_path)) == before


def test_trouble_says_which_folder_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuses)
    with pytest.raises(VolumeReadOnly, match="exports in .*exports: Read-only") as caught:
        ExportFolder(tmp_path / "exports").begin("x")
    assert "station.toml" in caught.value.remedy
    assert issubclass(VolumeMissing, VolumeError)


@pytest.mark.parametrize(
    ("text", "stem"),
    [
        ("Back door / night", "Back_door_night"),
        ("../../etc/passwd", "etc_passwd"),
        ("..", "export"),
        ("\x1b[31m", "31m"),
        ("Tür 3.5", "Tür_3.5"),
        ("玄関", "玄関"),
        ("a" * 300, "a" * 80),
        ("玄" * 100, "玄" * 26),
        ("-rf", "rf"),
        ("a..b", "a.b"),
        (".hidden", "hidden"),
        ("\u202egpj", "gpj"),
        ("con", "con"),
    ],
)
def test_names_from_outside_become_harmless(text: str, stem: str) -> None:
    assert safe_stem(text, otherwise="export") == stem


def test_no_name_is_given_twice(tmp_path: Path) -> None:
    taken: set[str] = set()
    names = [file_name(camera, 1_790_000_000_000_000, ".mp4", taken) for camera in ("Gate", "gate", "GATE")]
    assert len({name.casefold() for name in names}) == 3
