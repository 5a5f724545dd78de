"""Cameras, volumes and groups on the command line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from storage import errors
from storage.catalog.db import Catalog
from tests.fakes.station import FakeSource, FakeStation
from tests.tui.cli.conftest import Shell


def test_a_camera_is_added_listed_changed_and_removed(shell: Shell) -> None:
    added = shell.json("camera", "add", "Gate 1", "rtsp://192.0.2.1/a", "--transport", "tcp", "--no-audio")
    assert (added["name"], added["transport"], added["record_audio"]) == ("Gate 1", "tcp", False)
    assert [each["name"] for each in shell.json("camera", "list")["cameras"]] == ["Gate 1"]
    assert shell.json("camera", "edit", "gate 1", "--name", "Door", "--disable")["is_enabled"] is False
    assert shell.json("camera", "show", "Door")["url"] == "rtsp://192.0.2.1/a"
    assert shell.json("camera", "remove", "Door") == {"removed": "Door"}
    assert shell.json("camera", "list") == {"cameras": []}


def test_a_live_address_is_given_shown_and_taken_away(shell: Shell) -> None:
    live_url = "rtsp://192.0.2.1/small"
    assert (
        shell.json("camera", "add", "Gate", "rtsp://192.0.2.1/a", "--live-url", live_url)["live_url"]
        == live_url
    )
    assert live_url in shell("camera", "show", "Gate").out
    assert shell.json("camera", "edit", "Gate", "--live-url", "")["live_url"] == ""
    assert "live address" not in shell("camera", "show", "Gate").out
    refused = shell("camera", "edit", "Gate", "--live-url", "rtsp://u:hunter2@192.0.2.1/small")
    assert refused.code != 0
    assert "hunter2" not in refused.out + refused.err


def test_people_get_aligned_columns(shell: Shell) -> None:
    assert "camera gate added to group main" in shell("camera", "add", "gate", "rtsp://192.0.2.1/a").out
    shell("camera", "add", "a much longer name", "rtsp://192.0.2.2/a")
    head, first, second = shell("camera", "list").out.splitlines()
    assert head.index("GROUP") == first.index("main") == second.index("main")
    shown = shell("camera", "show", "gate").out
    assert "address    rtsp://192.0.2.1/a" in shown
    assert "\x1b" not in shown
    assert shell("camera", "remove", "gate").out == "camera gate removed\n"


@pytest.mark.parametrize("from_stdin", [False, True])
def test_a_password_comes_from_a_file_or_stdin_and_is_never_shown(
    station: FakeStation, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, from_stdin: bool
) -> None:
    source = "-"
    if from_stdin:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"hunter2\nmore\n")))
    else:
        source = str(tmp_path / "password")
        Path(source).write_bytes(b"hunter2\n")
    result = shell(
        "camera", "add", "gate", "rtsp://192.0.2.1/", "--user", "viewer", "--password-file", source, "--json"
    )
    assert result.code == 0
    assert station.recording.passwords == ["hunter2"]
    assert result.document["has_password"] is True
    assert "hunter2" not in result.out + result.err + shell("camera", "show", "gate").out


def test_a_password_is_asked_for_on_a_terminal(
    station: FakeStation, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("click.prompt", lambda *_, **options: "typed" if options["hide_input"] else "seen")
    assert shell("camera", "add", "gate", "rtsp://192.0.2.1/", "--user", "viewer").code == 0
    assert station.recording.passwords == ["typed"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("camera", "add", "gate", "rtsp://viewer:hunter2@192.0.2.1/"),
        ("camera", "edit", "gate", "--url", "rtsp://viewer:hunter2@192.0.2.1/"),
        ("camera", "test", "rtsp://viewer:hunter2@192.0.2.1/"),
    ],
)
def test_a_password_on_the_command_line_is_refused_and_not_repeated(
    shell: Shell, arguments: tuple[str, ...]
) -> None:
    result = shell(*arguments, "--json")
    assert (result.code, result.error["code"]) == (2, "invalid_input")
    assert "hunter2" not in result.err
    assert "--password-file" in result.error["remedy"]


def test_a_user_without_a_password_must_say_so_where_nobody_can_be_asked(
    station: FakeStation, shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    add = ("camera", "add", "gate", "rtsp://192.0.2.1/", "--user", "viewer")
    assert "--no-password" in shell(*add, "--json").error["remedy"]
    assert shell(*add, "--no-password").code == 0
    assert station.recording.passwords == [""]
    missing = shell("camera", "edit", "gate", "--password-file", str(tmp_path / "none"), "--json")
    assert (missing.code, missing.error["code"]) == (8, "file_error")
    both = shell("camera", "edit", "gate", "--password-file", "x", "--no-password", "--json")
    assert both.code == 2


def test_recording_times_are_typed_as_people_say_them(station: FakeStation, shell: Shell) -> None:
    shell.json(
        "camera", "add", "gate", "rtsp://192.0.2.1/", "--schedule", "Mon-Fri 08:00-18:00, Sat 22:00-02:30"
    )
    with Catalog.open(station.socket_path.with_name("catalog.sqlite"), read_only=True) as catalog:
        camera = catalog.camera("gate")
    assert camera.mode == "schedule"
    assert camera.schedule is not None
    assert camera.schedule.zone == "Europe/Berlin"
    assert camera.schedule.days[0] == "." * 16 + "x" * 20 + "." * 12
    assert camera.schedule.days[5] == "." * 44 + "xxxx"
    assert camera.schedule.days[6] == "xxxxx" + "." * 43


def test_a_camera_test_tells_what_comes(station: FakeStation, shell: Shell) -> None:
    station.next_source.append(
        FakeSource([errors.CameraRefused("the camera says 401", "check the password")])
    )
    result = shell("camera", "test", "rtsp://192.0.2.1/", "--json")
    assert result.code == errors.CameraRefused.exit_code
    assert (result.document["ok"], result.document["code"]) == (False, "camera_refused")
    station.next_source.append(
        FakeSource([errors.CameraRefused("the camera says 401", "check the password")])
    )
    assert "failed: the camera says 401" in shell("camera", "test", "rtsp://192.0.2.1/").out
    assert station.sources[0].transport == "auto"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("camera", "show", "nobody"), "not_found"),
        (("camera", "add", "gate", "gopher://192.0.2.1/"), "invalid_input"),
        (("camera", "edit", "gate"), "invalid_input"),
        (("camera", "add", "gate"), "invalid_input"),
        (("camera", "add", "gate", "rtsp://192.0.2.1/", "--schedule", "now and then"), "invalid_input"),
        (("camera", "add", "gate", "rtsp://192.0.2.1/", "--schedule", "Mon 08:15-09:00"), "invalid_input"),
        (("camera", "add", "gate", "rtsp://192.0.2.1/", "--schedule", "Moo 08:00-09:00"), "invalid_input"),
        (("group", "remove", "main"), "conflict"),
        (("group", "edit", "main", "--retention-days", "many"), "invalid_input"),
        (("volume", "add", "array", "/nowhere/at/all", "--floor", "much"), "invalid_input"),
        (("recording", "unlock", "77"), "not_found"),
        (("nonsense",), "invalid_input"),
    ],
)
def test_errors_have_a_stable_code_and_an_exit_code(
    shell: Shell, arguments: tuple[str, ...], code: str
) -> None:
    result = shell(*arguments, "--json")
    assert result.error["code"] == code
    assert result.code == errors.error_classes()[code].exit_code
    assert result.out == ""
    plain = shell(*arguments)
    assert plain.err.startswith("watchdeck: ")
    assert plain.code == result.code


def test_groups_and_their_limits(shell: Shell) -> None:
    added = shell.json("group", "add", "yard", "--retention-days", "14", "--retention-size", "4TB")
    assert (added["retention_days"], added["retention_bytes"]) == (14, 4 * 10**12)
    changed = shell.json("group", "edit", "yard", "--retention-days", "none", "--name", "garden")
    assert (changed["name"], changed["retention_days"], changed["retention_bytes"]) == (
        "garden",
        None,
        4 * 10**12,
    )
    assert [each["name"] for each in shell.json("group", "list")["groups"]] == ["main", "garden"]
    assert "garden" in shell("group", "list").out
    assert shell("group", "edit", "garden", "--retention-size", "none").out == "group garden changed\n"
    assert shell.json("group", "remove", "garden") == {"removed": "garden"}


def test_volumes_are_added_and_removed(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "array").mkdir()
    monkeypatch.chdir(tmp_path)
    refused = shell("volume", "add", "array", "array", "--json")
    if refused.code:  # the tests' folder is on the system's disk
        assert "--allow-system-disk" in refused.error["remedy"]
    added = shell("volume", "add", "array", "array", "--floor", "1.5GiB", "--allow-system-disk", "--json")
    if refused.code:
        assert (added.document["path"], added.document["floor_bytes"]) == (
            str(tmp_path / "array"),
            3 * 2**29,
        )
    (volume,) = shell.json("volume", "list")["volumes"]
    assert volume["name"] == "array"
    assert "array" in shell("volume", "list").out
    assert "its files are untouched" in shell("volume", "remove", "array").out


def test_removing_asks_a_person_at_a_terminal(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell("camera", "add", "gate", "rtsp://192.0.2.1/")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda *_: "n")
    assert shell("camera", "remove", "gate").code == 130
    assert len(shell.json("camera", "list")["cameras"]) == 1
    assert shell("camera", "remove", "gate", "--yes").code == 0


def test_removed_cameras_are_listed_apart(shell: Shell) -> None:
    shell("camera", "add", "gate", "rtsp://192.0.2.1/a")
    assert shell.json("camera", "list", "--removed") == {"cameras": []}
    shell("camera", "remove", "gate")
    assert "NAME" in shell("camera", "list", "--removed").out


def test_a_password_in_an_address_is_refused_on_the_command_line(shell: Shell) -> None:
    refused = shell("camera", "add", "gate", "http://192.0.2.1/?pwd=geheim")
    assert refused.code == 2
    assert "{password}" in refused.err
    assert "geheim" not in refused.err
