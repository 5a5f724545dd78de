"""Alarm rules, triggers, schedules, settings and the log on the command line."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from engine.wire_alarm_rules import HttpAction, PushAction
from storage.camera_url import PLACEHOLDER
from tests.fakes.station import FakeStation
from tests.tui.cli.conftest import Shell

RULE = """
name = "Fire"
severity = "critical"
retrigger_s = 0
[[triggers]]
kind = "external.tcp_message"
text = "FIRE"
match = "matches"
[[actions]]
type = "http"
url = "https://gate.example.org/open"
headers = [["Authorization", "Bearer s3cret"]]
[[actions]]
type = "sound"
pattern = 5
"""


def test_a_common_rule_is_made_with_options(shell: Shell) -> None:
    shell.json("camera", "add", "door", "rtsp://192.0.2.1/a")
    shell.json("schedule", "set", "night", "22:00-06:00")
    added = shell.json(
        *("alarm", "rule", "add", "Door", "--on", "camera.lost", "--on", "detection.motion"),
        *("--camera", "door", "--record", "--pre", "20s", "--bookmark", "--live", "--sound", "2"),
        *("--mail", "guard@example.org", "--mail", "boss@example.org", "--http", "http://gate.example.org/x"),
        *("--severity", "critical", "--schedule", "night", "--retrigger", "5m", "--instructions", "call"),
    )
    assert [(each["kind"], each["sources"]) for each in added["triggers"]] == [
        ("camera.lost", ["door"]),
        ("detection.motion", ["door"]),
    ]
    assert [each["type"] for each in added["actions"]] == [
        "record",
        "bookmark",
        "live",
        "sound",
        "mail",
        "http",
    ]
    assert added["actions"][0]["pre_event_s"] == 20
    assert added["actions"][4]["to"] == ["guard@example.org", "boss@example.org"]
    assert (added["severity"], added["schedule_name"], added["retrigger_s"]) == ("critical", "night", 300)
    shown = shell("alarm", "rule", "show", "door").out
    assert "on          camera.lost of door" in shown
    assert "action      mail to guard@example.org, boss@example.org with a snapshot" in shown
    listed = shell("alarm", "rule", "list").out
    assert "camera.lost, detection.motion" in listed
    assert "record, bookmark, live, sound, mail, http" in listed


def test_a_rule_is_changed_switched_tested_and_removed(shell: Shell) -> None:
    shell.json("alarm", "rule", "add", "Door", "--on", "camera.lost", "--mail", "guard@example.org")
    edited = shell.json("alarm", "rule", "edit", "door", "--times", "Mon-Fri 18:00-06:00", "--name", "Gate")
    assert (edited["name"], edited["schedule"]["zone"]) == ("Gate", "Europe/Berlin")
    assert shell.json("alarm", "rule", "edit", "Gate", "--always", "--no-actions")["schedule"] is None
    assert shell("alarm", "rule", "disable", "Gate").out == "alarm rule Gate disabled\n"
    assert "disabled" in shell("alarm", "rule", "list").out
    assert shell.json("alarm", "rule", "enable", "Gate")["is_enabled"] is True
    shell.json("alarm", "rule", "edit", "Gate", "--sound", "1")
    tested = shell.json("alarm", "rule", "test", "Gate")
    assert [result["state"] for result in tested["results"]] == ["done"]
    assert "raised as a test" in shell("alarm", "test", "Gate").out
    assert shell.json("alarm", "rule", "remove", "Gate") == {"removed": "Gate"}
    assert shell.json("alarm", "rule", "list") == {"alarm_rules": []}
    kinds = {each["kind"] for each in shell.json("alarm", "rule", "kinds")["trigger_kinds"]}
    assert {"camera.lost", "detection.motion", "external.virtual"} <= kinds
    assert "external.virtual" in shell("alarm", "rule", "kinds").out


def test_everything_there_is_can_be_in_a_file(station: FakeStation, shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "fire.toml"
    file.write_text(RULE)
    added = shell.json("alarm", "rule", "add", "--file", str(file), "--severity", "warning")
    assert (added["name"], added["severity"], added["retrigger_s"]) == ("Fire", "warning", 0)
    assert added["actions"][0]["headers"] == [["Authorization", PLACEHOLDER]]
    assert "s3cret" not in shell("alarm", "rule", "show", "Fire").out
    kept = station.alarms.book.rule("Fire").actions[0]
    assert isinstance(kept, HttpAction)
    assert kept.headers == (("Authorization", "Bearer s3cret"),)


def test_what_show_prints_can_be_added_again(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.json("alarm", "rule", "add", "A", "--on", "camera.lost", "--times", "08:00-18:00", "--sound", "3")
    shown = shell("alarm", "rule", "show", "A", "--json").out
    file = tmp_path / "rule.json"
    file.write_text(shown)
    copy = shell.json("alarm", "rule", "add", "B", "--file", str(file))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(shown.encode())))
    other = shell.json("alarm", "rule", "add", "C", "--file", "-")
    for made in (copy, other):
        before = json.loads(shown)
        assert {**made, "id": 0, "name": ""} == {**before, "id": 0, "name": ""}
    assert shell.json("alarm", "rule", "edit", "B", "--file", str(file), "--name", "D")["name"] == "D"


def test_the_address_of_a_push_comes_from_a_file_and_is_never_shown(
    station: FakeStation, shell: Shell, tmp_path: Path
) -> None:
    file = tmp_path / "push"
    file.write_text("ntfy://t0pic@ntfy.example.org/door\n")
    result = shell("alarm", "rule", "add", "P", "--on", "camera.lost", "--push-file", str(file), "--json")
    assert result.code == 0
    assert "t0pic" not in result.out + shell("alarm", "rule", "show", "P").out
    assert station.alarms.book.rule("P").actions == (PushAction(url="ntfy://t0pic@ntfy.example.org/door"),)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("add", "x"), 2),
        (("add", "--on", "camera.lost"), 2),
        (("add", "x", "--on", "camera.lost", "--pre", "10m"), 2),
        (("add", "x", "--on", "camera.lost", "--retrigger", "soon"), 2),
        (("add", "x", "--on", "camera.lost", "--sound", "6"), 2),
        (("add", "x", "--on", "camera.lost", "--preset", "gate"), 2),
        (("add", "x", "--on", "camera.lost", "--exact"), 2),
        (("add", "x", "--on", "camera.lost", "--times", "08:00-09:00", "--schedule", "night"), 2),
        (("add", "x", "--on", "camera.lost", "--http", "https://anna:geheim@example.org/"), 2),
        (("add", "x", "--on", "camera.lost", "--http", "https://example.org/?token=geheim"), 2),
        (("add", "x", "--camera", "door", "--sound", "1"), 2),
        (("add", "x", "--file", "/nowhere/at/all.json"), 8),
        (("edit", "nobody", "--sound", "1"), 3),
        (("edit", "nobody"), 2),
        (("show", "nobody"), 3),
    ],
)
def test_rules_that_make_no_sense_are_refused(shell: Shell, arguments: tuple[str, ...], code: int) -> None:
    result = shell("alarm", "rule", *arguments, "--json")
    assert result.code == code
    assert "geheim" not in result.err


@pytest.mark.parametrize("content", ["{", "[]", '{"name": "x", "trigers": []}', '{"name": 3}'])
def test_a_file_that_holds_no_rule_is_refused(shell: Shell, tmp_path: Path, content: str) -> None:
    file = tmp_path / "rule.json"
    file.write_text(content)
    assert shell("alarm", "rule", "add", "--file", str(file), "--json").error["code"] == "invalid_input"


# -- triggers and schedules ------------------------------------------------------------------------------


def test_a_button_is_pressed_by_its_name_alone(station: FakeStation, shell: Shell) -> None:
    shell.json("alarm", "rule", "add", "Panic", "--on", "external.virtual", "--source", "panic")
    assert shell("trigger", "panic").out == "trigger panic fired\n"
    assert shell.json("trigger", "fire", "panic", "--text", "front desk") == {"fired": "panic"}
    (listed,) = shell.json("trigger", "list")["virtual_triggers"]
    assert (listed["name"], listed["rules"]) == ("panic", ["Panic"])
    assert "panic" in shell("trigger").out
    assert shell("trigger", "nobody", "--json").error["code"] == "not_found"
    assert "Usage: watchdeck trigger" in shell("trigger", "--help").out


def test_named_schedules_are_made_shown_and_removed(shell: Shell) -> None:
    assert "Mon-Fri 18:00-24:00" in shell("schedule", "set", "late", "Mon-Fri 18:00-24:00").out
    assert shell.json("schedule", "show", "LATE")["schedule"]["days"][0] == "." * 36 + "x" * 12
    assert "Mon  " in shell("schedule", "show", "late").out
    assert "Mon-Fri 18:00-24:00" in shell("schedule", "list").out
    shell.json("alarm", "rule", "add", "A", "--on", "camera.lost", "--schedule", "late")
    assert shell("schedule", "remove", "late", "--json").error["code"] == "conflict"
    shell.json("alarm", "rule", "remove", "A")
    assert shell.json("schedule", "remove", "late") == {"removed": "late"}
    assert shell("schedule", "show", "late", "--json").error["code"] == "not_found"


# -- settings --------------------------------------------------------------------------------------------


def test_the_password_of_the_mail_server_goes_in_and_never_comes_out(
    station: FakeStation, shell: Shell, tmp_path: Path
) -> None:
    assert "no mail server" in shell("mail", "show").out
    file = tmp_path / "password"
    file.write_text("hunter2\n")
    host = ("--host", "mail.example.org", "--sender", "nvr@example.org")
    result = shell("mail", "set", *host, "--user", "nvr", "--password-file", str(file), "--json")
    assert result.document["has_password"] is True
    shown = shell("mail", "show").out
    assert "user         nvr (with password)" in shown
    assert "hunter2" not in result.out + shown
    other = shell("mail", "set", "--host", "mail.example.net", "--json")
    assert other.error["code"] == "invalid_input", "the password is for the server it was given for"
    assert shell.json("mail", "set", "--security", "tls")["security"] == "tls"
    assert (
        shell("mail", "test", "guard@example.org").out == "mail to guard@example.org: done, said the server\n"
    )
    station.mail.is_broken = True
    assert shell("mail", "test", "guard@example.org", "--json").code == 1
    assert shell.json("mail", "set", "--off")["host"] == ""
    assert shell("mail", "set", "--json").code == 2
    assert shell("mail", "set", "--off", "--port", "25", "--json").code == 2


def test_ports_are_off_until_they_are_set_and_the_token_is_never_shown(shell: Shell, tmp_path: Path) -> None:
    assert "TCP messages  off" in shell("listen", "show").out
    token = tmp_path / "token"
    token.write_text("0123456789abcdef0123\n")
    result = shell("listen", "set", "--webhook-token-file", str(token), "--tcp-port", "off", "--json")
    assert result.document["settings"]["has_webhook_token"] is True
    assert "0123456789abcdef" not in result.out
    assert shell("listen", "set", "--json").code == 2
    assert shell("listen", "set", "--tcp-address", "nowhere", "--json").error["code"] == "invalid_input"
    token.write_text("\n")
    assert shell("listen", "set", "--webhook-token-file", str(token), "--json").code == 2


def test_days_of_preservation_are_set_one_by_one(shell: Shell) -> None:
    shell.json("preservation", "set", "--alarms", "30", "--bookmarks", "90")
    changed = shell.json("preservation", "set", "--log-minor", "7")
    assert (changed["alarms_days"], changed["log_minor_days"], changed["bookmark_days"]) == (30, 7, 90)
    assert shell.json("preservation", "set", "--bookmarks", "never")["bookmark_days"] is None
    assert "bookmarks    for ever" in shell("preservation", "show").out
    assert shell("preservation", "set", "--alarms", "0", "--json").code == 2


def test_what_is_done_with_a_cameras_pictures_is_shown_and_set(shell: Shell, tmp_path: Path) -> None:
    shell.json("camera", "add", "yard", "rtsp://192.0.2.1/a")
    mask = tmp_path / "mask"
    mask.write_text("\n".join(["x" * 32] * 18))
    changed = shell.json("camera", "analytics", "set", "yard", "--motion", "--sensitivity", "70")
    assert (changed["settings"]["motion"], changed["settings"]["sensitivity"]) == (True, 70)
    changed = shell.json("camera", "analytics", "set", "yard", "--no-motion-index")
    assert changed["settings"]["motion_index"] is False
    changed = shell.json("camera", "analytics", "set", "yard", "--onvif", "--mask", str(mask))
    assert (changed["settings"]["onvif"], changed["settings"]["motion"]) == (True, True)
    assert len(changed["settings"]["mask"]) == 18
    assert "x" * 32 in shell("camera", "analytics", "show", "yard").out
    assert shell.json("camera", "analytics", "set", "yard", "--mask", "none")["settings"]["mask"] == []
    assert shell("camera", "analytics", "set", "yard", "--json").code == 2
    secret = ("--onvif-url", "http://anna:geheim@192.0.2.1/")
    refused = shell("camera", "analytics", "set", "yard", *secret, "--json")
    assert refused.code == 2
    assert "geheim" not in refused.err


# -- events and log --------------------------------------------------------------------------------------


def test_what_people_did_is_listed_saved_and_verified(shell: Shell, tmp_path: Path) -> None:
    shell.json("group", "add", "yard")
    shell("group", "remove", "nobody")
    shell.json("log", "verify")
    entries = shell.json("log", "--category", "operation")["entries"]
    assert [(each["type"], each["source"], each["is_success"]) for each in entries] == [
        ("group.add", "yard", True),
        ("group.remove", "nobody", False),
    ]
    shown = shell("log", "list", "--type", "group.remove").out
    assert "fail" in shown
    assert "nobody" in shown
    assert shell.json("log", "--source", "yard", "--category", "operation")["entries"] == entries[:1]
    assert shell.json("log", "-n", "1", "--category", "operation")["entries"] == entries[1:]
    file = tmp_path / "log.csv"
    shell.json("log", "--category", "operation", "--csv", str(file))
    assert len(file.read_text().splitlines()) == 3
    assert "the log is whole: 2 operations" in shell("log", "verify").out
    assert shell.json("log", "verify")["is_whole"] is True
    assert shell("log", "--min-severity", "dire", "--json").code == 2


def test_events_are_saved_as_a_file(shell: Shell, tmp_path: Path) -> None:
    shell.json("group", "add", "yard")
    shell.json("group", "add", "hall")
    file = tmp_path / "events.csv"
    shell.json("events", "--kind", "group.added", "--source", "yard", "--csv", str(file))
    head, row = file.read_text().splitlines()
    assert head.startswith("time,event type,")
    assert "Recording group yard added" in row
    assert shell("events", "--csv", str(file), "--follow", "--json").code == 2


def test_what_a_camera_can_be_told_is_listed(shell: Shell) -> None:
    shell.json("camera", "add", "yard", "rtsp://192.0.2.1/a")
    assert shell("camera", "io", "yard").out.splitlines() == ["presets  1 (gate)", "outputs  DO1"]
    assert shell.json("camera", "io", "yard")["outputs"] == ["DO1"]
