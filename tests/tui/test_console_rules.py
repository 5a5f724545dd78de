"""Alarm rules by Pilot, keyboard only at 80x24: from nothing to tested, edits that keep secrets, switching, deleting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from textual.pilot import Pilot
from textual.widgets import Input

from engine.wire_alarm_rules import (
    ActionState,
    AlarmRuleAdd,
    AlarmRuleEdit,
    HttpAction,
    MailAction,
    OutputAction,
    RecordAction,
    ScheduleTemplate,
    SoundAction,
    TextMatch,
    Trigger,
)
from engine.wire_sources import AlarmSettings, CameraAnalytics, CameraIo, ListenSettings, MailSettings
from tests.fakes.engine import FakeEngine
from tests.fakes.scripted_alarms import scripted_results
from tests.tui.desk_for import app_for, screen_text, shows, until
from tui.app import WatchdeckApp
from tui.commands import Scope
from widgets.line_list import LineList

SIZE = (80, 24)


def called(engine: FakeEngine, name: str) -> list[Any]:
    return [argument for what, argument in engine.calls if what == name]


async def open_rules(pilot: Pilot[Any]) -> None:
    await shows(pilot, "5 of 8")
    await pilot.press("colon", *"rules", "enter")
    await shows(pilot, "Alarm rules  4, 1 off", "Camera trouble")


async def move_to(pilot: Pilot[Any], name: str) -> None:
    """Down to the row of that name."""
    rows = pilot.app.screen.query_one(LineList)
    for _ in range(20):
        line = rows.cursor_line
        if line is not None and name in str(line.cells):
            return
        await pilot.press("down")
    raise AssertionError(f"no row {name!r}:\n{screen_text(pilot.app)}")


def console(engine: FakeEngine, folder: Path) -> WatchdeckApp:
    return app_for(engine, folder)


async def test_a_rule_is_made_from_nothing_and_tested(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.alarm_state.analytics["driveway"] = CameraAnalytics(onvif=True)
    engine.alarm_state.test_results = scripted_results(engine.clock.now_us())
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_rules(pilot)
        await pilot.press("a")
        await shows(pilot, "New alarm rule", "1 Triggers 0", "enter or a adds the first")
        # triggers: family, kind with what must be set up first, cameras
        await until(pilot, lambda: bool(called(engine, "analytics")))
        await pilot.press("enter")
        await shows(pilot, "What raises the alarm?", "Video content analysis", "I/O and external")
        await pilot.press("6")
        await shows(pilot, "Volume full", "give a TCP port in the settings")
        await pilot.press("slash", *"line")
        await shows(pilot, "1 Line crossed", "reported by 1 camera")
        await pilot.press("enter", "enter")
        await shows(pilot, "Line crossed: which cameras?", "any camera")
        await pilot.press("slash", *"front", "enter", "space", "enter")
        await shows(pilot, "1 Triggers 1", "Line crossed", "front-door")
        # actions
        await pilot.press("n")
        await shows(pilot, "2 Actions 0", "no mail server yet (m sets one up)")
        await pilot.press("space")
        await shows(pilot, "Record which cameras?", "the camera the event is about")
        await pilot.press("enter")
        await shows(pilot, "Before, seconds")
        await pilot.press("end", "backspace", *"10", "f10")
        await shows(pilot, "[x] Record", "10 s before to 5 s after")
        await move_to(pilot, "Sound")
        await pilot.press("space")
        await shows(pilot, "Pattern", "< 1 >")
        await pilot.press("3", "f10")
        await shows(pilot, "pattern 3, consoles")
        # schedule: not left without a choice
        await pilot.press("right")
        await shows(pilot, "3 Schedule ?", "( ) Always", "( ) night")
        await pilot.press("n")
        await shows(pilot, "choose when the rule works first")
        await pilot.press("down", "enter")
        await shows(pilot, "When the rule works", "UTC time")
        await pilot.press("shift+right", "shift+right", "w", "enter")
        await shows(pilot, "(x) Its own times", "Mon-Fri 08:00-09:30")
        # name
        await pilot.press("n")
        await shows(pilot, "Name and instructions")
        await pilot.press(*"Yard", "enter", "c", "tab", "tab", "tab", *r"Look\nCall", "f10")
        await shows(pilot, "4 Name", "Yard", "critical", "Look / Call")
        await pilot.press("f10")
        await shows(pilot, "saved the rule Yard (t tests it)", "5, 1 off")
        await pilot.press("t")
        await shows(pilot, "Test of Yard", "done      mail to guard@example.org: 250 queued", "(3 tries)")
    added = called(engine, "add_alarm_rule")
    assert added == [
        AlarmRuleAdd(
            name="Yard",
            triggers=(Trigger(kind="detection.line_crossing", sources=("front-door",)),),
            actions=(RecordAction(pre_event_s=10), SoundAction(pattern=3)),
            instructions="Look\nCall",
            severity="critical",
            schedule=added[0].schedule,
        )
    ]
    assert added[0].schedule.days == ("." * 16 + "xxx" + "." * 29,) * 5 + ("." * 48,) * 2
    assert called(engine, "test_alarm_rule") == ["5"]


async def test_an_edit_sends_only_what_changed_and_keeps_secrets(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_rules(pilot)
        await move_to(pilot, "Panic button")
        await pilot.press("e")
        await shows(pilot, "Alarm rule Panic button", "Virtual trigger", "panic")
        await pilot.press("2")
        await shows(pilot, "POST https://gate.example.org/lock")
        await move_to(pilot, "gate.example.org")
        await pilot.press("enter")
        await shows(pilot, "Header 1", "Authorization", "unchanged")
        assert "{password}" not in screen_text(app)
        await pilot.press("tab", "right", "f10")
        await shows(pilot, "GET https://gate.example.org/lock", "changed, not saved")
        await pilot.press("f10")
        await shows(pilot, "saved the rule Panic button")
    http = HttpAction(
        url="https://gate.example.org/lock", method="GET", headers=(("Authorization", "{password}"),)
    )
    assert called(engine, "edit_alarm_rule") == [
        ("3", AlarmRuleEdit(actions=(SoundAction(pattern=5, where="both"), http)))
    ]


async def test_a_typed_secret_is_hidden_and_sent(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_rules(pilot)
        await move_to(pilot, "Panic button")
        await pilot.press("e", "2")
        await move_to(pilot, "gate.example.org")
        await pilot.press("enter")
        await shows(pilot, "unchanged")
        app.screen.query_one("#field-value0", Input).focus()
        await pilot.press(*"Bearer 1", "f10")
        await pilot.press("f10")
        await shows(pilot, "saved the rule Panic button")
        assert "Bearer" not in screen_text(app)
    edit = called(engine, "edit_alarm_rule")[0][1]
    assert edit.actions[1].headers == (("Authorization", "Bearer 1"),)


async def test_leaving_with_changes_asks_first(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_rules(pilot)
        await pilot.press("e")
        await shows(pilot, "Alarm rule Camera trouble")
        await pilot.press("escape")
        await shows(pilot, "Alarm rules  4")
        await pilot.press("e")
        await shows(pilot, "Alarm rule Camera trouble")
        await pilot.press("d", "escape")
        await shows(pilot, "Leave without saving?")
        await pilot.press("escape")
        await shows(pilot, "1 Triggers 1")
        await pilot.press("escape", "y")
        await shows(pilot, "Alarm rules  4")
    assert called(engine, "edit_alarm_rule") == []


async def test_saving_goes_to_the_step_in_which_something_is_missing(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_rules(pilot)
        await pilot.press("a", "2", "f10")
        await shows(pilot, "a rule needs at least one trigger", "enter or a adds the first")
        await pilot.press("a")
        await shows(pilot, "What raises the alarm?")
        await pilot.press("3")
        await shows(pilot, "CPU over 90 %")
        await pilot.press("1")
        await shows(pilot, "1 Triggers 1")
        await pilot.press("f10")
        await shows(pilot, "choose when the rule works", "( ) Always")
        await pilot.press("space", "f10")
        await shows(pilot, "the rule needs a name")
        # actions of a rule that is about no camera name theirs
        await pilot.press("2", "space")
        await shows(pilot, "Record which cameras?")
        await pilot.press("enter")
        await shows(pilot, "no trigger of this rule is about a camera")
    assert called(engine, "add_alarm_rule") == []


async def test_recording_is_not_offered_when_recording_stops(tmp_path: Path) -> None:
    app = console(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_rules(pilot)
        await pilot.press("a", "a")
        await shows(pilot, "What raises the alarm?")
        await pilot.press("1")
        await shows(pilot, "Recording stopped")
        await pilot.press("3")
        await shows(pilot, "which cameras?")
        await pilot.press("enter")
        await shows(pilot, "1 Triggers 1")
        await pilot.press("n")
        await shows(pilot, "-  Record", "not when recording stops")
        await pilot.press("space")
        await shows(pilot, "not when recording stops: there is nothing to record")


async def test_a_message_is_matched_as_typed(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_rules(pilot)
        await pilot.press("a", "a")
        await shows(pilot, "What raises the alarm?")
        await pilot.press("slash", *"external", "enter", "enter")
        await shows(pilot, "TCP message", "give a TCP port in the settings")
        await pilot.press("1")
        await shows(pilot, "Case sensitive", "matches: the whole")
        await pilot.press("f10")
        await shows(pilot, "Text is needed")
        await pilot.press(*"door forced", "enter", "right", "down", "right", "f10")
        await shows(pilot, 'is exactly "door forced" (case counts)')
        await pilot.press("3", "space", "4")
        await shows(pilot, "Name and instructions")
        await pilot.press(*"Door", "f10", "f10")
        await shows(pilot, "saved the rule Door")
    assert called(engine, "add_alarm_rule")[0].triggers == (
        Trigger(
            kind="external.tcp_message",
            text="door forced",
            match=TextMatch.MATCHES,
            is_case_sensitive=True,
        ),
    )


async def test_outputs_are_read_from_cameras_and_those_without_are_counted(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.alarm_state.analytics = {"driveway": CameraAnalytics(onvif=True)}
    engine.alarm_state.io = CameraIo(presets=(("1", "gate"),), outputs=("DO1", "DO2"))
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_rules(pilot)
        await pilot.press("e", "2")
        await move_to(pilot, "Digital output")
        await pilot.press("space")
        await shows(pilot, "7 cameras without outputs hidden (7 with ONVIF off)", "driveway", "2 outputs")
        await pilot.press("1")
        await shows(pilot, "Output of driveway", "< DO1 >")
        await pilot.press("right", "f10")
        await shows(pilot, "driveway DO2 on, for 15 s")
        await pilot.press("f10")
        await shows(pilot, "saved the rule Camera trouble")
    assert called(engine, "camera_io") == ["driveway"]
    edit = called(engine, "edit_alarm_rule")[0][1]
    assert edit.actions == (
        MailAction(to=("guard@example.org",)),
        OutputAction(camera="driveway", output="DO2"),
    )


async def test_without_a_mail_server_the_editor_leads_to_its_settings(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_rules(pilot)
        await pilot.press("a", "2")
        await move_to(pilot, "E-mail")
        await pilot.press("space")
        await shows(pilot, "no mail server yet (m sets one up)")
        await pilot.press("m")
        await shows(pilot, "Mail server", "Test message to")
        await pilot.press(*"mx.example.org", "f10")
        await shows(pilot, "[ ] E-mail")
        await pilot.press("space")
        await shows(pilot, "With a snapshot")
        await pilot.press(*"guard@example.org", "f10")
        await shows(pilot, "to guard@example.org, with a snapshot")
    sent = called(engine, "edit_alarm_settings")
    assert sent == [AlarmSettings(mail=MailSettings(host="mx.example.org"))]


async def test_a_rule_is_switched_and_switched_back(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_rules(pilot)
        await pilot.press("space")
        await shows(pilot, "Camera trouble is switched off", "4, 2 off")
        await pilot.press("z")
        await shows(pilot, "undone: Camera trouble switched off", "4, 1 off")


async def test_deleting_asks_and_says_what_stays(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_rules(pilot)
        await pilot.press("d")
        await shows(pilot, "Delete the rule Camera trouble?", "17 alarms")
        await pilot.press("enter")
        await shows(pilot, "Alarm rules  4")
        await pilot.press("delete", "y")
        await shows(pilot, "deleted the rule Camera trouble", "Alarm rules  3")
    assert called(engine, "remove_alarm_rule") == ["2"]


async def test_a_test_that_fails_says_why(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.alarm_state.test_results = tuple(
        msgspec.structs.replace(result, state=ActionState.SKIPPED, text="no mail server")
        for result in scripted_results(engine.clock.now_us())[:1]
    )
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_rules(pilot)
        await pilot.press("t")
        await shows(pilot, "- skipped   mail to guard@example.org: no mail server")
        await pilot.press("escape")
        await shows(pilot, "Alarm rules")


async def test_templates_are_made_painted_and_kept_while_used(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("colon", *"schedules", "enter")
        await shows(pilot, "Schedules  2 templates", "Mon-Fri 08:00-18:00", "Motion at night")
        await pilot.press("d")
        await shows(pilot, "night is used by Motion at night")
        await pilot.press("a")
        await shows(pilot, "New schedule template")
        await pilot.press(*"night", "f10")
        await shows(pilot, "a template of that name exists")
        await pilot.press("ctrl+u", *"lunch", "f10")
        await shows(pilot, "Template lunch")
        await pilot.press("enter")
        await shows(pilot, "nothing is on")
        await pilot.press(*["right"] * 8, "x", "x", "w", "enter")
        await shows(pilot, "saved the schedule lunch: Mon-Fri 12:00-13:00", "3 templates")
        await pilot.press("d", "y")
        await shows(pilot, "deleted the schedule lunch", "2 templates")
        await pilot.press("escape")
        await shows(pilot, "Alarm rules")
    put = called(engine, "put_schedule")
    assert put == [ScheduleTemplate(name="lunch", schedule=put[0].schedule)]
    assert put[0].schedule.zone == "UTC"


async def test_a_painted_week_is_not_lost_by_escape(tmp_path: Path) -> None:
    app = console(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("colon", *"schedules", "enter")
        await shows(pilot, "Mon-Fri 08:00-18:00")
        await pilot.press("e")
        await shows(pilot, "Template night")
        await pilot.press("A", "escape")
        await shows(pilot, "Drop what was painted?")
        await pilot.press("n")
        await shows(pilot, "168 h a week")
        await pilot.press("escape", "y")
        await shows(pilot, "Schedules  2 templates")


async def test_ports_keep_their_token_and_show_what_was_heard(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.alarm_state.settings = AlarmSettings(listen=ListenSettings(webhook_token="{password}"))
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_rules(pilot)
        await pilot.press("m")
        await shows(pilot, "Ports for messages", "Messages heard")
        await pilot.press("2")
        await shows(pilot, "TCP port", "its token")
        await pilot.press("ctrl+u", "home", "ctrl+k", *"3444", "f10")
        await shows(pilot, "saved: ports")
        await pilot.press("colon", *"alarm settings heard", "enter")
        await shows(pilot, "TCP port closed", "nothing yet")
    sent = called(engine, "edit_alarm_settings")
    assert sent == [AlarmSettings(listen=ListenSettings(tcp_port=3444, webhook_token="{password}"))]


async def test_a_mail_test_saves_first_and_says_the_answer(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_rules(pilot)
        await pilot.press("colon", *"alarm settings mail", "enter")
        await shows(pilot, "Test message to")
        await pilot.press(*"mx.example.org", "f5")
        await shows(pilot, "to which address?")
        await pilot.press(*"me@example.org", "f5")
        await shows(pilot, "sent: 250 queued")
    assert called(engine, "test_mail") == ["me@example.org"]


async def test_preservation_takes_days_only(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_rules(pilot)
        await pilot.press("colon", *"alarm settings preservation", "enter")
        await shows(pilot, "Bookmarks, days", "for ever")
        await pilot.press("x", "f10")
        await shows(pilot, "days: 1 to 36500")
        await pilot.press("backspace", "backspace", "backspace", "backspace", *"30", "f10")
        await shows(pilot, "saved: preservation")
    sent = called(engine, "edit_alarm_settings")[0].preservation
    assert (sent.alarms_days, sent.log_major_days, sent.bookmark_days) == (30, 730, None)


async def test_from_the_alarms_r_leads_to_the_rules_and_escape_back(tmp_path: Path) -> None:
    app = console(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("6")
        await until(pilot, lambda: app.front is Scope.ALARMS)
        await pilot.press("r")
        await shows(pilot, "Alarm rules  4, 1 off")
        await pilot.press("c")
        await shows(pilot, "Schedules  2 templates")
        await pilot.press("escape")
        await shows(pilot, "Alarm rules  4, 1 off")
        await pilot.press("escape")
        await until(pilot, lambda: app.front is Scope.ALARMS)
        await pilot.press("L")
        await shows(pilot, "Alarm tab")
        await pilot.press("escape")
        await until(pilot, lambda: app.front is Scope.ALARMS)
