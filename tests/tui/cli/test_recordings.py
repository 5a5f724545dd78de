"""What is on disk, on the command line: lists, locks, exports, snapshots."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.api import handlers_exports
from storage import errors
from storage.catalog.changes import CloseGap, OpenGap
from storage.catalog.db import Catalog
from storage.catalog.records import GapCause
from tests.fakes.station import FakeStation
from tests.storage.catalog.volume_footage import Recording
from tests.tui.cli.conftest import NOW_US, SECOND, Shell
from tui.cli.output import iso_time

FROM_TO = ("--from", "-10s", "--to", "now")


def test_recordings_are_listed_with_readable_times_and_real_paths(footage: Recording, shell: Shell) -> None:
    document = shell.json("recording", "list", "--camera", "gate", "--from", "-15m", "--to", "now")
    first, second = document["recordings"]
    assert first["camera"] == "gate"
    assert (first["start"], first["end"]) == ("2025-12-31T23:59:50.000000Z", "2025-12-31T23:59:54.000000Z")
    assert Path(first["path"]).stat().st_size == first["bytes"]
    assert shell.json("recording", "list", "--from", "-5s")["recordings"] == [second]
    assert shell.json("recording", "list", "--from", "2026-01-01T00:59:55+01:00")["recordings"] == [second]
    assert shell.json("recording", "list", "--from", "2026-01-01T00:59:55")["recordings"] == [second]
    table = shell("recording", "list").out
    assert "2026-01-01 00:59:50" in table  # as the operator's clock has it


def test_gaps_are_listed_with_their_cause(station: FakeStation, footage: Recording, shell: Shell) -> None:
    with Catalog.open(station.socket_path.with_name("catalog.sqlite")) as catalog:
        catalog.apply(
            [
                OpenGap(1, NOW_US - 60 * SECOND, GapCause.CAMERA_STALLED, "no video"),
                CloseGap(1, NOW_US - 30 * SECOND),
                OpenGap(1, NOW_US - 2 * SECOND, GapCause.NO_VOLUME),
            ]
        )
    first, second = shell.json("recording", "gaps")["gaps"]
    assert (first["cause"], first["detail"], first["end"]) == (
        "camera_stalled",
        "no video",
        iso_time(NOW_US - 30 * SECOND),
    )
    assert second["end"] is None
    assert "goes on" in shell("recording", "gaps", "--camera", "gate").out


def test_a_stretch_is_locked_and_released(footage: Recording, shell: Shell) -> None:
    lock = shell.json("recording", "lock", "gate", *FROM_TO, "--reason", "theft", "--expires", "+30d")
    assert (lock["camera"], lock["reason"]) == ("gate", "theft")
    assert lock["expires"] == iso_time(NOW_US + 30 * 86_400 * SECOND)
    assert shell.json("recording", "list")["recordings"][0]["is_locked"] is True
    assert shell.json("recording", "locks", "--camera", "gate", "--from", "-1h")["locks"] == [lock]
    assert "theft" in shell("recording", "locks").out
    slip = shell("recording", "unlock", str(lock["id"]), "999", "--json")
    assert (slip.code, slip.error["what"]) == (3, "no lock 999")
    assert shell.json("recording", "locks")["locks"] == [lock]
    assert shell.json("recording", "unlock", str(lock["id"])) == {"removed": [lock["id"]]}
    assert shell.json("recording", "locks") == {"locks": []}


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--from", "now", "--to", "-1h"),
        ("list", "--from", "yesterwhen"),
        ("lock", "gate", "--from", "-1h"),
        ("export", "gate", "--from", "-1h", "--to", "now"),
    ],
)
def test_impossible_stretches_are_refused(shell: Shell, arguments: tuple[str, ...]) -> None:
    result = shell("recording", *arguments, "--json")
    assert (result.code, result.error["code"]) == (2, "invalid_input")


# -- export ----------------------------------------------------------------------------------------------


class ScriptedExport:
    """Stands for the planned export of the engine."""

    total_bytes = 300_000
    start_us = NOW_US - 10 * SECOND
    end_us = NOW_US - 2 * SECOND
    parts = ((NOW_US - 10 * SECOND, NOW_US - 6 * SECOND), (NOW_US - 5 * SECOND, NOW_US - 2 * SECOND))

    def __init__(self, fails: bool = False) -> None:
        self._fails = fails

    def chunks(self, chunk_bytes: int) -> Iterator[bytes]:
        for number in range(3):
            if self._fails and number == 2:
                raise errors.SegmentDamaged("torn")
            yield bytes([number]) * 100_000


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    holder = SimpleNamespace(export=ScriptedExport())
    monkeypatch.setattr(handlers_exports, "plan_export", lambda *_, **__: holder.export)
    return holder


def test_an_export_is_complete_or_not_there(
    footage: Recording, shell: Shell, scripted: SimpleNamespace, tmp_path: Path
) -> None:
    target = tmp_path / "out" / "gate.mp4"
    target.parent.mkdir()
    target.write_bytes(b"older")
    scripted.export = ScriptedExport(fails=True)
    broken = shell("recording", "export", "gate", *FROM_TO, "-o", str(target), "--json")
    assert broken.code == errors.EngineUnreachable.exit_code
    assert [(path.name, path.read_bytes()) for path in target.parent.iterdir()] == [("gate.mp4", b"older")]
    scripted.export = ScriptedExport()
    saved = shell.json("recording", "export", "gate", *FROM_TO, "-o", str(target))
    assert saved["bytes"] == target.stat().st_size == 300_000
    assert (saved["camera"], saved["path"], len(saved["parts"])) == ("gate", str(target), 2)
    assert saved["start"] == iso_time(ScriptedExport.start_us)
    assert [path.name for path in target.parent.iterdir()] == ["gate.mp4"]
    assert "with 1 gap inside" in shell("recording", "export", "gate", *FROM_TO, "-o", str(target)).out


def test_an_export_that_has_no_room_is_not_begun(
    footage: Recording,
    shell: Shell,
    scripted: SimpleNamespace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    result = shell("recording", "export", "gate", *FROM_TO, "-o", str(tmp_path / "gate.mp4"), "--json")
    assert (result.code, result.error["code"]) == (8, "file_error")
    assert list(tmp_path.glob("*gate*")) == []


def test_ctrl_c_leaves_nothing_of_an_export(
    footage: Recording,
    shell: Shell,
    scripted: SimpleNamespace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tui.cli import saving

    def interrupted(self: saving.Progress, done_bytes: int) -> None:
        assert len(list(tmp_path.glob(".gate.mp4.*.part"))) == 1
        raise KeyboardInterrupt

    monkeypatch.setattr(saving.Progress, "at", interrupted)
    assert shell("recording", "export", "gate", *FROM_TO, "-o", str(tmp_path / "gate.mp4")).code == 130
    assert list(tmp_path.glob("*gate*")) == []


def test_an_export_cannot_replace_a_folder(
    footage: Recording, shell: Shell, scripted: SimpleNamespace, tmp_path: Path
) -> None:
    for target in (tmp_path, tmp_path / "absent" / "gate.mp4", ".", "/"):
        result = shell("recording", "export", "gate", *FROM_TO, "-o", str(target), "--json")
        assert (result.code, result.error["code"]) == (8, "file_error")


def test_a_place_that_may_not_even_be_looked_at_is_an_error_of_that_file(
    footage: Recording, shell: Shell, scripted: SimpleNamespace, tmp_path: Path
) -> None:
    """Root may look everywhere: a name that no file system takes is refused in the same place as a closed folder."""
    result = shell("recording", "export", "gate", *FROM_TO, "-o", str(tmp_path / ("x" * 300)), "--json")
    assert (result.code, result.error["code"]) == (8, "file_error")
    assert "cannot be written: File name too long" in result.error["what"]


def test_the_real_export_of_real_segments_is_saved(footage: Recording, shell: Shell, tmp_path: Path) -> None:
    target = tmp_path / "gate.mp4"
    saved = shell.json("recording", "export", "gate", *FROM_TO, "-o", str(target))
    content = target.read_bytes()
    assert len(content) == saved["bytes"]
    assert content[4:8] == b"ftyp"


# -- snapshot --------------------------------------------------------------------------------------------


def test_a_snapshot_is_saved_as_it_came(footage: Recording, shell: Shell, tmp_path: Path) -> None:
    target = tmp_path / "gate.jpg"
    saved = shell.json("snapshot", "gate", "--at", "-6s", "-o", str(target))
    assert target.read_bytes() == b"\xff\xd8picture"
    assert (saved["camera"], saved["bytes"]) == ("gate", target.stat().st_size)
    assert saved["time"].endswith("Z")
    assert "gate" in shell("snapshot", "gate", "--at", "-6s", "--width", "320", "-o", str(target)).out


def test_a_moment_without_footage_has_no_picture(footage: Recording, shell: Shell, tmp_path: Path) -> None:
    result = shell("snapshot", "gate", "--at", "-3h", "-o", str(tmp_path / "gate.jpg"), "--json")
    assert (result.code, result.error["code"]) == (13, "picture_unavailable")
    assert not (tmp_path / "gate.jpg").exists()
