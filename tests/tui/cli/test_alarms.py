"""Alarms on the command line: the list, triage, files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.station import FakeStation
from tests.storage.catalog.volume_footage import Recording
from tests.tui.cli.conftest import SECOND, Shell

Raise = Callable[..., None]


@pytest.fixture
def raise_alarms(station: FakeStation, station_loop: asyncio.AbstractEventLoop, shell: Shell) -> Raise:
    """Events about these cameras, a second apart, which a rule makes alarms of."""
    shell.json("alarm", "rule", "add", "Lost", "--on", "camera.lost", "--instructions", "look at the cable")

    def on_the_loop(*sources: str) -> None:
        async def happen() -> None:
            for source in sources:
                station.events.publish("camera.lost", f"{source} is lost", source=source)
                station.clock.advance(SECOND)
            await station.alarms.flush()

        asyncio.run_coroutine_threadsafe(happen(), station_loop).result(20)

    return on_the_loop


def listed(shell: Shell, *arguments: str) -> list[str]:
    return [alarm["source"] for alarm in shell.json("alarm", "list", *arguments)["alarms"]]


def test_alarms_are_listed_newest_first_filtered_and_grouped(shell: Shell, raise_alarms: Raise) -> None:
    assert shell.json("alarm", "list") == {"alarms": [], "total": 0}
    raise_alarms("gate", "yard")
    shell.json("alarm", "close", "--source", "gate")
    raise_alarms("gate", "hall")
    assert listed(shell) == ["hall", "gate", "yard"]
    assert listed(shell, "--source", "yard", "--source", "hall") == ["hall", "yard"]
    assert listed(shell, "--status", "closed") == ["gate"]
    assert listed(shell, "--status", "any", "--kind", "camera") == ["hall", "gate", "yard", "gate"]
    assert listed(shell, "--text", "YARD lost") == ["yard"]
    assert listed(shell, "--min-severity", "critical") == []
    assert listed(shell, "--from", "2027-01-01") == []
    grouped = shell.json("alarm", "list", "--group", "--status", "any")["alarms"]
    assert [(row["source"], row["count"], row["members"]) for row in grouped][1] == ("gate", 2, 2)
    found = shell.json("alarm", "list", "-n", "1")
    assert (len(found["alarms"]), found["total"]) == (1, 3)
    shown = shell("alarm", "list", "-n", "1").out
    assert "1 of 3" in shown
    assert "hall is lost" in shown


def test_one_alarm_is_shown_with_what_to_do_and_its_history(shell: Shell, raise_alarms: Raise) -> None:
    raise_alarms("gate")
    shell.json("alarm", "ack", "1", "--comment", "on my way")
    found = shell.json("alarm", "show", "1")
    assert (found["alarm"]["status"], found["instructions"]) == ("in_progress", "look at the cable")
    assert found["steps"][0]["comment"] == "on my way"
    shown = shell("alarm", "show", "1").out
    assert "what to do  look at the cable" in shown
    assert "on my way" in shown
    assert shell("alarm", "show", "77", "--json").error["code"] == "not_found"


def test_every_step_is_said_and_the_last_one_can_be_undone(shell: Shell, raise_alarms: Raise) -> None:
    raise_alarms("gate", "yard", "hall")
    assert shell("alarm", "ack", "1", "2").out == "2 alarms: in progress\n"
    assert shell("alarm", "mute", "2", "--minutes", "5").out == "1 alarm: muted for 5 min\n"
    assert listed(shell) == ["hall", "gate"]
    assert listed(shell, "--muted") == ["hall", "yard", "gate"]
    assert shell("alarm", "unmute", "--source", "yard").out == "1 alarm: no longer muted\n"
    assert shell("alarm", "unmute", "--all", "--json").error["code"] == "not_found"
    assert shell("alarm", "mute", "--all", "--minutes", "5").code == 0
    assert shell("alarm", "unmute", "1").out == "1 alarm: no longer muted\n"
    assert shell("alarm", "unmute", "--all").out == "2 alarms: no longer muted\n"
    assert shell("alarm", "comment", "a cat", "2").out == "1 alarm: commented\n"
    assert shell("alarm", "false", "--all", "--yes").out == "3 alarms: false alarm\n"
    assert listed(shell) == []
    assert shell.json("alarm", "undo")["changed"] == 3
    assert listed(shell) == ["hall", "yard", "gate"]
    assert shell("alarm", "close", "--kind", "camera.lost", "--json").document["what"] == "3 alarms: closed"


def test_a_group_is_handled_by_one_of_its_numbers(shell: Shell, raise_alarms: Raise) -> None:
    shell.json("alarm", "rule", "edit", "Lost", "--retrigger", "0")
    raise_alarms("gate", "gate", "yard", "gate")
    assert shell.json("alarm", "mute", "4", "--groups", "--minutes", "9")["changed"] == 3
    assert listed(shell) == ["yard"]


def test_a_terminal_is_asked_before_a_filter_is_handled(
    shell: Shell, raise_alarms: Raise, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_alarms("gate", "yard")
    asked: list[str] = []

    def confirm(question: str, **_: object) -> None:
        asked.append(question)

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("click.confirm", confirm)
    assert shell("alarm", "close", "--all").code == 0
    assert shell("alarm", "undo").code == 0
    assert shell("alarm", "close", "1", "2").code == 0
    assert asked == ["Close 2 alarms?"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("alarm", "close"),
        ("alarm", "close", "1", "--all"),
        ("alarm", "close", "1", "--source", "gate"),
        ("alarm", "mute", "1"),
        ("alarm", "mute", "1", "--minutes", "10000"),
        ("alarm", "ack", "x"),
        ("alarm", "list", "--status", "gone"),
        ("alarm", "comment", "x" * 2_001, "1"),
        ("alarm", "export", "1", "-o", "list.csv"),
        ("alarm", "export", "--video", "-o", "/nowhere/at/all"),
    ],
)
def test_what_makes_no_sense_is_refused(shell: Shell, arguments: tuple[str, ...]) -> None:
    result = shell(*arguments, "--json")
    assert (result.code, result.error["code"]) == (2, "invalid_input")


def test_the_list_is_saved_as_a_file(shell: Shell, raise_alarms: Raise, tmp_path: Path) -> None:
    raise_alarms("gate", "=1+1")
    file = tmp_path / "alarms.csv"
    found = shell.json("alarm", "export", "-o", str(file))
    assert (found["path"], found["bytes"]) == (str(file), file.stat().st_size)
    head, *rows = file.read_text().splitlines()
    assert head.startswith("event type,receiving station,")
    assert [row.split(",")[2] for row in rows] == ["'=1+1", "gate"]
    assert shell("alarm", "export", "--source", "gate", "-o", str(file)).code == 0
    assert len(file.read_text().splitlines()) == 2


def test_a_folder_for_clips_that_may_not_be_looked_at_is_said(shell: Shell, tmp_path: Path) -> None:
    """Root may look everywhere: a name that no file system takes fails in the same call."""
    result = shell("alarm", "export", "1", "--video", "-o", str(tmp_path / ("x" * 300)), "--json")
    assert (result.code, result.error["code"]) == (2, "invalid_input")
    assert "is no folder" in result.error["what"]


def test_clips_are_saved_and_what_cannot_be_is_said(
    footage: Recording, shell: Shell, raise_alarms: Raise, tmp_path: Path
) -> None:
    raise_alarms("gate", "volume 7")
    result = shell("alarm", "export", "1", "2", "--video", "-o", str(tmp_path), "--json")
    (saved,) = result.document["saved"]
    assert saved["alarm"] == 1
    assert Path(saved["path"]).read_bytes()[4:8] == b"ftyp"
    assert Path(saved["path"]).stat().st_size == saved["bytes"]
    (failed,) = result.document["failed"]
    assert (result.code, failed["alarm"], failed["code"]) == (3, 2, "not_found")
    assert [path.name for path in tmp_path.glob("*.mp4")] == [Path(saved["path"]).name]
    plain = shell("alarm", "export", "--source", "gate", "--video", "-o", str(tmp_path))
    assert plain.code == 0
    assert saved["path"] in plain.out
