"""Status, events, the commands that become another program, and how the root behaves."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import wire
from storage.catalog.db import Catalog
from storage.catalog.records import EventRecord, Severity
from tests.fakes.station import FakeStation
from tests.tui.cli.conftest import NOW_US, SECOND, Shell
from tui.cli import events as event_commands
from tui.cli import processes
from tui.cli.main import run


@pytest.fixture
def happened(station: FakeStation) -> None:
    """Five events, one every ten seconds up to now."""
    kinds = ["camera.added", "camera.lost", "volume.full", "camera.back", "engine.started"]
    with Catalog.open(station.socket_path.with_name("catalog.sqlite")) as catalog:
        catalog.add_events(
            [
                EventRecord(
                    time_us=NOW_US - (4 - number) * 10 * SECOND,
                    kind=kind,
                    severity=Severity.CRITICAL if kind == "volume.full" else Severity.INFO,
                    source=kind.partition(".")[0],
                    text=f"text \x1b[31m {number}",
                    actor="anna" if number == 0 else "",
                )
                for number, kind in enumerate(kinds)
            ]
        )


def test_status_is_one_document(shell: Shell) -> None:
    shell("camera", "add", "gate", "rtsp://192.0.2.1/")
    document = shell.json("status")
    assert set(document) == {"station", "cameras", "volumes", "groups"}
    assert document["station"]["now"] == "2026-01-01T00:00:00.000000Z"
    assert "station" in shell("status").out


def test_what_is_amiss_is_shown_with_its_cause(station: FakeStation, shell: Shell) -> None:
    shell("camera", "add", "gate", "rtsp://192.0.2.1/")
    (uuid, view) = next(iter(station.recording.cameras.items()))
    fields = {name: getattr(view, name) for name in view.__struct_fields__}
    fields |= {"state": wire.CameraState.REFUSED, "cause": "wrong password"}
    station.recording.cameras[uuid] = wire.CameraView(**fields)
    assert "wrong password" in shell("status").out


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), [1, 2, 3, 4, 5]),
        (("--limit", "2"), [4, 5]),
        (("--kind", "camera"), [1, 2, 4]),
        (("--kind", "camera.lost", "--kind", "volume.full"), [2, 3]),
        (("--min-severity", "critical"), [3]),
        (("--source", "engine"), [5]),
        (("--from", "-15s"), [4, 5]),
        (("--from", "-35s", "--to", "-15s"), [2, 3]),
        (("--text", "31m 2"), [3]),
    ],
)
def test_events_are_filtered(
    happened: None, shell: Shell, options: tuple[str, ...], expected: list[int]
) -> None:
    assert [each["id"] for each in shell.json("events", *options)["events"]] == expected


def test_events_of_many_pages_are_joined(
    happened: None, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_commands, "PAGE", 2)
    assert [each["id"] for each in shell.json("events")["events"]] == [1, 2, 3, 4, 5]


def test_a_cameras_text_cannot_drive_the_terminal(happened: None, shell: Shell) -> None:
    lines = shell("events").out.splitlines()
    assert len(lines) == 5
    assert "\x1b" not in "".join(lines)
    assert "(anna)" in lines[0]


def test_following_prints_what_is_new_and_misses_nothing(
    happened: None,
    shell: Shell,
    publish: Callable[[str, str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    printed: list[int] = []
    real_print = event_commands._print_event

    def printing(session: Any, event: wire.EventView) -> None:
        printed.append(event.id)
        real_print(session, event)
        if event.id == 5:
            for number in range(3):
                publish("camera.test", str(number))
        if event.kind == "camera.test" and event.text == "2":
            raise KeyboardInterrupt

    monkeypatch.setattr(event_commands, "_print_event", printing)
    result = shell("events", "--follow", "--limit", "2", "--json")
    assert result.code == 130
    assert printed == [4, 5, 6, 7, 8]
    assert [json.loads(line)["id"] for line in result.out.splitlines()] == [4, 5, 6, 7, 8]


def test_following_has_no_end(shell: Shell) -> None:
    assert shell("events", "--follow", "--to", "now", "--json").error["code"] == "invalid_input"


# -- other programs --------------------------------------------------------------------------------------


@pytest.fixture
def became(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Arguments of the program that the process would have become."""
    seen: list[str] = []

    def execv(_: str, arguments: list[str]) -> None:
        seen.extend(arguments[1:])
        raise SystemExit(0)

    monkeypatch.setattr(os, "execv", execv)
    return seen


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["engine", "--state", "/s", "--socket", "/k"], ["-m", "engine", "--state", "/s", "--socket", "/k"]),
        (["--socket", "/k", "engine"], ["-m", "engine", "--socket", "/k"]),
        (["demo", "--no-console"], ["-m", "engine.demo", "--no-console"]),
        (
            ["fsck", "--repair", "--volume", "/a", "--volume", "/b", "--json", "--state", "/s"],
            [
                "-m",
                "engine",
                "fsck",
                "--state",
                "/s",
                "--repair",
                "--json",
                "--volume",
                "/a",
                "--volume",
                "/b",
            ],
        ),
    ],
)
def test_some_commands_become_another_program(
    became: list[str], typed: list[str], expected: list[str]
) -> None:
    with pytest.raises(SystemExit):
        run(typed)
    assert became == expected


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_every_shell(shell_name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell_name]) == 0
    assert processes.COMPLETE_VARIABLE in capsys.readouterr().out


def test_the_shell_completes_commands_and_names(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shell("camera", "add", "Gate 1", "rtsp://192.0.2.1/")
    monkeypatch.setenv(processes.COMPLETE_VARIABLE, "fish_complete")
    for words, last, expected in (
        ("watchdeck rec", "rec", "recording"),
        (f"watchdeck --socket {shell.socket_path} camera show g", "g", "Gate 1"),
        (f"watchdeck --socket {shell.socket_path}.gone camera show g", "g", ""),
    ):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", last)
        capsys.readouterr()
        with pytest.raises(SystemExit):
            run([])
        assert expected in capsys.readouterr().out


# -- the root --------------------------------------------------------------------------------------------


def test_no_engine_is_an_error_with_a_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--socket", str(tmp_path / "none"), "status"]) == 6
    error = capsys.readouterr().err
    assert error.startswith("watchdeck: no engine answers on ")
    assert "watchdeck demo" in error


@pytest.mark.parametrize("arguments", [["--help"], ["recording", "--help"], ["--version"]])
def test_help_is_on_stdout(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 0
    assert "watchdeck" in capsys.readouterr().out


def test_a_noun_alone_shows_its_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["camera"]) == 2
    assert "remove" in capsys.readouterr().err


def test_a_reader_that_leaves_is_no_error(monkeypatch: pytest.MonkeyPatch, shell: Shell) -> None:
    def broken(*_: object, **__: object) -> None:
        raise BrokenPipeError

    silenced: list[bool] = []
    monkeypatch.setattr("tui.cli.status.print_json", broken)
    monkeypatch.setattr("tui.cli.main.silence_stdout", lambda: silenced.append(True))
    assert shell("status", "--json").code == 141
    assert silenced == [True]


# -- station key -----------------------------------------------------------------------------------------


def test_the_stations_key_is_shown_in_groups_and_as_pem(shell: Shell) -> None:
    document = shell.json("station", "key")
    assert document["algorithm"] == "ed25519"
    groups = document["fingerprint"].split()
    assert [len(group) for group in groups] == [4] * 16
    shown = shell("station", "key").out
    assert " ".join(groups[:8]) in shown
    assert " ".join(groups[8:]) in shown
    assert document["public_key"] in shown
    pem = shell("station", "key", "--pem").out
    assert pem == document["pem"]
    assert pem.startswith("-----BEGIN PUBLIC KEY-----\n")
    assert "PRIVATE" not in shown + pem


def test_an_option_without_all_its_values_says_what_to_do(shell: Shell) -> None:
    found = shell("export", "start", "--json", "--range", "gate", "14:30")
    assert found.code == 2
    assert "'--range' requires 3 arguments" in found.error["what"]
    assert "--help" in found.error["remedy"]


def test_what_may_not_be_read_is_for_verify_itself_to_say(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its exit code is that of a file (8), not that of a wrong option."""
    given: list[list[str]] = []
    file = tmp_path / "dock.mp4"
    file.touch()
    monkeypatch.setattr(processes, "become", lambda module, arguments: given.append([module, *arguments]))
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    assert shell("verify", str(file)).code == 0
    assert given == [["engine", "verify", "--", str(file)]]
