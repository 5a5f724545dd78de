"""`watchdeck export` and `watchdeck case` against a served station with real segment files."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.exports.folder import ExportFolder, Space
from tests.fakes.station import FakeStation
from tests.storage.catalog.volume_footage import Recording
from tests.tui.cli.conftest import Shell
from tui.cli import exports

SPAN = ("--from", "-10s", "--to", "-2s")


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> list[Space]:
    spaces = [Space(100 << 30, 1 << 30)]
    monkeypatch.setattr(ExportFolder, "space", lambda self: spaces[0])
    monkeypatch.setattr(exports, "POLL_S", 0.01)
    return spaces


def test_an_export_is_begun_waited_for_fetched_and_proved(
    shell: Shell, footage: Recording, tmp_path: Path, station: FakeStation
) -> None:
    target = tmp_path / "evidence"
    job = shell.json("export", "start", "gate", *SPAN, "--comment", "bicycle", "--fetch", str(target))
    assert (job["state"], job["comment"]) == ("done", "bicycle")
    names = {file["name"] for file in job["files"]}
    assert {path.name for path in target.iterdir()} == names
    assert {"index.html", "manifest.json"} < names
    key = station.services.keys.signer().fingerprint.hex()
    ran = subprocess.run(
        [sys.executable, "-m", "engine", "verify", "--key", key, "--json", "--", str(target)],
        capture_output=True,
    )
    assert b'"manifest.json"' not in ran.stderr
    assert ran.stdout
    (listed,) = shell.json("export", "list")["exports"]
    assert listed["id"] == job["id"]
    shown = shell("export", "show", job["id"][:8])
    assert "index.html" in shown.out
    assert "bicycle" in shown.out
    again = shell.json("export", "fetch", job["name"], "-o", str(tmp_path / "again"))
    assert {path.name for path in Path(again["folder"]).iterdir()} == names
    assert shell.json("export", "remove", job["id"]) == {"removed": [job["id"]]}
    assert shell.json("export", "list") == {"exports": []}
    assert shell("export", "show", job["id"]).code == 3


def test_of_several_all_are_removed_or_none(shell: Shell, footage: Recording) -> None:
    job = shell.json("export", "start", "gate", *SPAN, "--wait")
    assert shell("export", "remove", job["id"], "absent", "--json").error["what"] == "no export 'absent'"
    assert [each["id"] for each in shell.json("export", "list")["exports"]] == [job["id"]]
    assert shell("export", "remove", job["id"], job["name"]).code == 0
    assert shell.json("export", "list") == {"exports": []}


def test_a_plan_begins_nothing(shell: Shell, footage: Recording, room: list[Space]) -> None:
    plan = shell.json("export", "start", "gate", *SPAN, "--dry-run")
    assert plan["is_possible"]
    assert plan["ranges"][0]["camera"] == "gate"
    words = shell("export", "start", "gate", *SPAN, "--mask", "0,0,50,50", "--dry-run").out
    assert "masked: encoded anew" in words
    room[0] = Space(0, 1 << 30)
    assert "MiB are needed" in shell("export", "start", "gate", *SPAN, "--dry-run").out
    refused = shell("export", "start", "gate", *SPAN, "--json")
    assert (refused.code, refused.error["code"]) == (11, "volume_full")
    assert shell.json("export", "list") == {"exports": []}


def test_a_password_comes_from_a_file_or_stdin_and_makes_a_zip(
    shell: Shell, footage: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("correct horse\nnot this\n")
    job = shell.json("export", "start", "gate", *SPAN, "--password-file", str(secret), "--wait")
    assert job["is_encrypted"]
    assert [file["name"][-4:] for file in job["files"]] == [".zip"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"correct horse\n")))
    job = shell.json("export", "start", "gate", *SPAN, "--password-file", "-", "--wait")
    assert job["is_encrypted"]
    secret.write_text("\n")
    for arguments in (
        ("--password-file", str(secret)),
        ("--password-file", str(secret), "--password-prompt"),
        ("--password-prompt",),
    ):
        assert shell("export", "start", "gate", *SPAN, *arguments).code == 2
    assert shell("export", "start", "gate", *SPAN, "--password-file", str(tmp_path / "none")).code == 8


def test_several_ranges_and_a_case_that_goes_on(shell: Shell, footage: Recording) -> None:
    shell.json("case", "add", "theft", "--comment", "of the bicycle")
    shell.json("case", "add-item", "theft", "gate", "--from", "-10s", "--to", "-7s", "--comment", "he comes")
    case = shell.json("case", "add-item", "THEFT", "gate", "--from", "-5s", "--to", "-3s")
    first, second = (item["id"] for item in case["items"])
    case = shell.json("case", "edit", "theft", "--order", f"{second},{first}", "--comment", "")
    assert [item["id"] for item in case["items"]] == [second, first]
    assert case["comment"] == ""
    case = shell.json("case", "edit-item", "theft", str(first), "--comment", "he goes")
    assert case["items"][1]["comment"] == "he goes"
    job = shell.json("export", "start", "--case", "theft", "--wait")
    assert (job["state"], job["case"], len(job["ranges"])) == ("done", "theft", 2)
    assert "he goes" in shell("case", "show", "theft").out
    assert "theft" in shell("case", "list").out
    case = shell.json("case", "remove-item", "theft", str(first))
    assert len(case["items"]) == 1
    assert shell.json("case", "remove", "theft") == {"removed": "theft"}
    assert shell.json("case", "list") == {"cases": []}
    spans = ("--range", "gate", "-10s", "-7s", "--range", "gate", "-5s", "-3s")
    job = shell.json("export", "start", *spans, "--name", "both", "--no-audio", "--wait")
    assert (job["name"], len(job["ranges"])) == ("both", 2)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("gate",),
        ("gate", "--from", "-10s"),
        ("gate", "--from", "-2s", "--to", "-10s"),
        ("--case", "x", "gate"),
        ("gate", *SPAN, "--mask", "1,2,3"),
        ("gate", *SPAN, "--mask", "1,1,1,1@never..later"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    shell: Shell, footage: Recording, arguments: tuple[str, ...]
) -> None:
    assert shell("export", "start", *arguments).code == 2


def test_waiting_for_one_that_fails_fails(
    shell: Shell, footage: Recording, monkeypatch: pytest.MonkeyPatch, station: FakeStation
) -> None:
    async def breaks(self: Any) -> None:
        raise OSError("a bug")

    monkeypatch.setattr("engine.exports.making.Making._run", breaks)
    failed = shell("export", "start", "gate", *SPAN, "--wait", "--json")
    assert (failed.code, failed.error["code"]) == (19, "export_failed")


def test_one_that_runs_is_cancelled(
    shell: Shell, footage: Recording, monkeypatch: pytest.MonkeyPatch, station: FakeStation
) -> None:
    async def hangs(self: Any) -> None:
        await asyncio.sleep(3600)

    monkeypatch.setattr("engine.exports.making.Making._run", hangs)
    job = shell.json("export", "start", "gate", *SPAN)
    assert job["state"] == "waiting"
    assert shell.json("export", "cancel", job["id"])["state"] == "cancelled"
    assert shell("export", "cancel", job["id"]).code == 7
