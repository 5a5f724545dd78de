"""`watchdeck fsck`: what it prints, when it refuses, how it leaves."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest

from engine.fsck import main
from engine.state_folder import CATALOG_NAME, locked_state_folder
from storage.catalog.db import Catalog
from storage.evidence.station_key import open_station_keys
from storage.segments.chain import RunChain
from storage.volumes.volume import Volume
from tests.storage.catalog.footage import T0
from tests.storage.catalog.volume_footage import Recording, add_volume


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder whose only volume has one segment the catalog does not know."""
    folder = tmp_path / "state"
    folder.mkdir(0o700)
    with Catalog.open(folder / CATALOG_NAME) as catalog:
        camera = catalog.add_camera(name="gate", url="rtsp://192.0.2.1/")
        volume = add_volume(catalog, tmp_path / "array")
        recording = Recording(catalog, volume, camera, T0)
        recording.segment()
        recording.segment(in_catalog=False)
        recording.end()
        volume.write_settings_copy(catalog.cameras())
        volume.close()
    return folder


def test_what_is_wrong_is_listed_and_put_right_when_asked(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--state", str(state)]) == 1
    assert "orphan_file [array]" in capsys.readouterr().out
    assert main(["--state", str(state), "--repair"]) == 0
    assert "1 found, 1 put right" in capsys.readouterr().out
    assert main(["--state", str(state)]) == 0
    assert "nothing is wrong" in capsys.readouterr().out


def test_json_is_one_document(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--state", str(state), "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    (finding,) = document["findings"]
    assert (finding["kind"], finding["is_repaired"], finding["camera"]) == ("orphan_file", False, "gate")


def test_a_running_engine_is_not_disturbed(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with locked_state_folder(state):
        assert main(["--state", str(state), "--json"]) == 7
    assert json.loads(capsys.readouterr().err)["code"] == "conflict"


def test_a_lost_catalog_is_rebuilt_from_the_volumes(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (state / CATALOG_NAME).unlink()
    assert main(["--state", str(state)]) == 14
    assert "--repair" in capsys.readouterr().err
    assert main(["--state", str(state), "--repair", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rebuilt"]["segments"] == 2
    assert main(["--state", str(state)]) == 0
    assert main(["--state", str(state), "--repair", "--volume", str(state.parent / "array")]) == 2


def test_a_lost_state_folder_is_rebuilt_from_the_volumes_named(
    state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.fsck.mounted_places", lambda: [])
    empty = tmp_path / "empty"
    empty.mkdir()
    assert main(["--state", str(empty), "--repair"]) == 14
    assert "--volume" in capsys.readouterr().err
    assert main(["--state", str(empty), "--repair", "--volume", str(state.parent / "array")]) == 0
    assert "1 camera, 1 volume, 2 segments, 0 gaps" in capsys.readouterr().out
    (empty / CATALOG_NAME).unlink()
    assert main(["--state", str(empty), "--repair"]) == 0


def test_volumes_of_several_stations_are_not_mixed(
    state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    Volume.initialise(other, uuid4(), "other", uuid4())
    monkeypatch.setattr("engine.fsck.mounted_places", lambda: [other, state.parent / "array"])
    (state / CATALOG_NAME).unlink()
    empty = tmp_path / "empty"
    empty.mkdir()
    assert main(["--state", str(empty), "--repair", "--json"]) == 2
    assert "several stations" in capsys.readouterr().err
    assert main(["--state", str(state), "--repair", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rebuilt"]["volumes"] == 1


def test_a_state_folder_that_is_not_there_is_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--state", str(tmp_path / "none")]) == 78
    assert not (tmp_path / "none").exists()
    assert "watchdeck: there is no state folder" in capsys.readouterr().err


def test_altered_footage_is_found_when_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "state"
    folder.mkdir(0o700)
    key = open_station_keys(folder).signer()
    with Catalog.open(folder / CATALOG_NAME) as catalog:
        camera = catalog.add_camera(name="gate", url="rtsp://192.0.2.1/")
        volume = add_volume(catalog, tmp_path / "array")
        recording = Recording(catalog, volume, camera, T0, chain=RunChain(key))
        recording.segment()
        recording.segment()
        recording.end()
        volume.close()
    assert main(["--state", str(folder), "--footage"]) == 0
    assert "nothing is wrong" in capsys.readouterr().out

    first, second = sorted((tmp_path / "array").rglob("*.mp4"))
    content = bytearray(second.read_bytes())
    content[len(content) // 2] ^= 1
    second.write_bytes(content)
    assert main(["--state", str(folder)]) == 0, "only when asked for: it reads everything"
    capsys.readouterr()
    assert main(["--state", str(folder), "--footage", "--json"]) == 1
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["kind"], finding["path"], finding["is_repaired"]) == (
        "altered_footage",
        str(second),
        False,
    )
    assert "at byte" in finding["what"]
    assert first.exists()
    assert sorted(path.name for path in folder.iterdir() if "key" in path.name) == ["keys", "station.key"]


def test_the_name_of_a_file_does_nothing_to_the_terminal(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (orphan,) = [path for path in sorted((state.parent / "array").rglob("*.mp4"))][1:]
    orphan.rename(orphan.with_name("1-2-3\x1b[2J\u202e.mp4"))
    assert main(["--state", str(state)]) == 1
    said = capsys.readouterr().out
    assert "[2J" in said
    assert "\x1b" not in said
    assert "\u202e" not in said
