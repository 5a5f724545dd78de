"""Rules and schedules are made, edited and removed, and nothing that cannot work is kept."""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec
import pytest

from engine.alarms.kinds import TRIGGER_KINDS
from engine.wire_alarm_rules import (
    AlarmRuleAdd,
    AlarmRuleEdit,
    BookmarkAction,
    HttpAction,
    LiveAction,
    MailAction,
    PresetAction,
    PushAction,
    RecordAction,
    ScheduleTemplate,
    SoundAction,
)
from engine.wire_schedule import ScheduleMessage
from storage.camera_url import PLACEHOLDER
from storage.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from tests.engine.alarms.conftest import Bench
from tests.engine.alarms.makers import ALL_DAY, NEVER, trigger

NEVER_WEEK = ScheduleMessage(zone="Europe/Berlin", days=(NEVER,) * 7)
ALWAYS_WEEK = ScheduleMessage(zone="Europe/Berlin", days=(ALL_DAY,) * 7)
SECRET = HttpAction(url="https://ada:hush@hooks.example.org/in", headers=(("X-Key", "sesame"),))


async def alarms(bench: Bench) -> int:
    bench.say()
    await bench.alarms.flush()
    rows = await bench.rows()
    for row in rows:
        await bench.catalog.write("triage", ids=(row.id,), status="closed", actor="x", time_us=1)
    return len([row for row in rows if row.status == "new"])


async def test_a_rule_is_kept_as_it_was_given_and_says_so(bench: Bench) -> None:
    view = await bench.rule(
        " Motion at night ",
        triggers=(trigger("detection.motion", "gate"),),
        actions=(RecordAction(cameras=("YARD",)), LiveAction()),
        instructions="Look.",
        severity="critical",
        retrigger_s=0,
    )
    assert (view.name, view.severity, view.retrigger_s, view.is_enabled, view.is_active) == (
        "Motion at night",
        "critical",
        0,
        True,
        True,
    )
    assert view.triggers[0].sources == ("Gate",)
    assert view.actions == (RecordAction(cameras=("Yard",)), LiveAction())
    assert bench.desk.view("MOTION AT NIGHT") == bench.desk.view(str(view.id)) == view
    (said,) = bench.said
    assert (said.kind, said.source, said.actor) == ("alarm_rule.added", "Motion at night", "ada")
    bench.start()
    await bench.alarms.load()
    assert bench.desk.views() == (view,)


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"name": "  "}, "name"),
        ({"name": "7"}, "number"),
        ({"triggers": ()}, "triggers is empty"),
        ({"triggers": (trigger("camera.exploded"),)}, r"triggers\[0\]\.kind.*camera\.exploded"),
        ({"triggers": (trigger("camera.edited"),)}, r"triggers\[0\]\.kind"),
        ({"triggers": (trigger(), trigger("camera.lost", "Hall"))}, r"triggers\[1\].*'Hall'"),
        ({"triggers": (trigger("external.virtual"),)}, "button"),
        ({"severity": "loud"}, "severity"),
        ({"schedule_name": "nights"}, "nights"),
        ({"schedule": ScheduleMessage(zone="Mars/Base", days=(ALL_DAY,) * 7)}, "schedule.*Mars"),
        ({"schedule": ScheduleMessage(zone="UTC", days=(ALL_DAY,) * 6)}, "seven days"),
        ({"actions": (LiveAction(cameras=("Hall",)),)}, r"actions\[0\].*'Hall'"),
        ({"actions": (PresetAction(camera="Hall", preset="1"),)}, "Hall"),
        ({"actions": (MailAction(to=()),)}, r"actions\[0\]\.to"),
        ({"actions": (MailAction(to=("nobody",)),)}, "nobody"),
        ({"actions": (MailAction(to=("a@b\r\nBcc: x@y",)),)}, "mail address"),
        ({"actions": (HttpAction(url="ftp://a.example.org"),)}, "url"),
        ({"actions": (HttpAction(url="http://a.example.org", method="PUT"),)}, "PUT"),
        ({"actions": (HttpAction(url="http://a.example.org", headers=(("A", "b\nc"),)),)}, "one line"),
        ({"actions": (PushAction(url="topic"),)}, "notification"),
        ({"actions": (PushAction(url=f"ntfy://{PLACEHOLDER}"),)}, "not known"),
        ({"actions": (SoundAction(where="roof"),)}, "roof"),
        ({"actions": (MailAction(to=("a@b.example",), body="{secret}"),)}, r"actions\[0\]\.body.*secret"),
        ({"actions": (MailAction(to=("a@b.example",), subject="{"),)}, r"actions\[0\]\.subject"),
        (
            {"triggers": (trigger("recording.stopped"),), "actions": (RecordAction(),)},
            r"recording\.stopped.*cannot start a recording",
        ),
        ({"triggers": (trigger("recording"),), "actions": (RecordAction(),)}, "cannot start a recording"),
        ({"triggers": (trigger("volume.full"),), "actions": (BookmarkAction(),)}, "name at least one"),
    ],
)
async def test_what_cannot_work_is_refused_and_nothing_is_kept(
    bench: Bench, wrong: dict[str, Any], what: str
) -> None:
    rule = {"name": "Motion", "triggers": (trigger(),)} | wrong
    with pytest.raises(InvalidInput, match=what):
        await bench.desk.add(AlarmRuleAdd(**rule), "ada")
    assert bench.desk.views() == ()
    assert bench.said == []


async def test_every_trigger_but_stop_recording_can_start_a_recording(bench: Bench) -> None:
    for number, kind in enumerate(TRIGGER_KINDS):
        rule = AlarmRuleAdd(
            name=f"rule {number}",
            triggers=(trigger(kind.kind, *(("Panic",) if kind.source == "button" else ())),),
            actions=(RecordAction(cameras=("Gate",)),),
        )
        if kind.can_record:
            await bench.desk.add(rule, "ada")
        else:
            assert kind.kind == "recording.stopped"
            with pytest.raises(InvalidInput):
                await bench.desk.add(rule, "ada")


async def test_names_are_taken_once_whatever_their_case(bench: Bench) -> None:
    await bench.rule("Motion")
    other = await bench.rule("Other")
    with pytest.raises(AlreadyExists):
        await bench.rule("MOTION")
    with pytest.raises(AlreadyExists):
        await bench.desk.edit("Other", AlarmRuleEdit(name="motion"), "ada")
    renamed = await bench.desk.edit("Other", AlarmRuleEdit(name="OTHER"), "ada")
    assert (renamed.id, renamed.name) == (other.id, "OTHER")


async def test_an_edit_changes_what_is_given_and_holds_at_once(bench: Bench) -> None:
    before = await bench.rule(instructions="Look.", actions=(LiveAction(),))
    after = await bench.desk.edit("motion", AlarmRuleEdit(severity="info", retrigger_s=5), "bob")
    assert after == msgspec.structs.replace(before, severity="info", retrigger_s=5)
    assert bench.said[-1].text == "Alarm rule Motion edited: severity, retrigger_s"
    await bench.desk.edit("motion", AlarmRuleEdit(is_enabled=False), "bob")
    assert bench.said[-1].text == "Alarm rule Motion edited: switched off"
    assert await alarms(bench) == 0


async def test_an_edit_of_triggers_is_checked_against_the_actions_that_stay(bench: Bench) -> None:
    await bench.rule(actions=(RecordAction(),))
    with pytest.raises(InvalidInput, match="cannot start a recording"):
        await bench.desk.edit("motion", AlarmRuleEdit(triggers=(trigger("recording.stopped"),)), "ada")
    assert bench.desk.view("motion").triggers == (trigger(),)


async def test_secrets_are_in_no_view_no_event_and_no_body_but_reach_the_runner(bench: Bench) -> None:
    view = await bench.rule(actions=(SECRET,))
    view = await bench.desk.edit("motion", AlarmRuleEdit(actions=view.actions, severity="critical"), "ada")
    assert view.actions == (
        HttpAction(url=f"https://ada:{PLACEHOLDER}@hooks.example.org/in", headers=(("X-Key", PLACEHOLDER),)),
    )
    (row,) = await bench.catalog.read("alarm_rules")
    shown = row.body + msgspec.json.encode((view, bench.said)).decode()
    assert "hush" not in shown
    assert "sesame" not in shown
    bench.start()
    await bench.alarms.load()
    bench.say()
    await bench.alarms.flush()
    assert bench.runner.started[0][1] == (SECRET,)


async def test_secrets_of_what_is_gone_are_gone(bench: Bench) -> None:
    await bench.rule("Other", actions=(SECRET,))
    await bench.rule(actions=(SECRET,))
    new = msgspec.structs.replace(SECRET, headers=(("X-Key", "new"),))
    await bench.desk.edit("motion", AlarmRuleEdit(actions=(new,)), "ada")
    assert secrets(bench) == 2
    await bench.desk.remove("motion", "ada")
    assert secrets(bench) == 1
    await bench.desk.edit("other", AlarmRuleEdit(actions=()), "ada")
    assert secrets(bench) == 0


def secrets(bench: Bench) -> int:
    database = sqlite3.connect(bench.path)
    try:
        return int(database.execute("SELECT count(*) FROM secret").fetchone()[0])
    finally:
        database.close()


async def test_a_rule_that_is_gone_is_not_found(bench: Bench) -> None:
    await bench.rule()
    await bench.desk.remove("Motion", "ada")
    assert bench.kinds_said()[-1] == "alarm_rule.removed"
    for call in (bench.desk.remove, bench.desk.test):
        with pytest.raises(NotFound):
            await call("Motion", "ada")


async def test_a_camera_that_is_renamed_is_still_meant(bench: Bench) -> None:
    await bench.rule(
        triggers=(trigger("detection.motion", "Gate"), trigger("external.webhook", "Gate")),
        actions=(LiveAction(cameras=("Gate", "Yard")), PresetAction(camera="Gate", preset="1"), SECRET),
    )
    await bench.desk.camera_renamed("Gate", "Front gate")
    view = bench.desk.view("motion")
    assert [each.sources for each in view.triggers] == [("Front gate",), ("Gate",)]
    assert view.actions[:2] == (
        LiveAction(cameras=("Front gate", "Yard")),
        PresetAction(camera="Front gate", preset="1"),
    )
    bench.say(source="Front gate")
    await bench.alarms.flush()
    assert bench.runner.started[0][1][2] == SECRET
    assert secrets(bench) == 1


# -- schedules -------------------------------------------------------------------------------------------


async def test_a_schedule_of_its_own_says_when(bench: Bench) -> None:
    view = await bench.rule(schedule=NEVER_WEEK)
    assert not view.is_active
    assert await alarms(bench) == 0
    view = await bench.desk.edit("motion", AlarmRuleEdit(is_always=True), "ada")
    assert (view.schedule, view.is_active) == (None, True)
    assert await alarms(bench) == 1


async def test_a_template_that_is_edited_reaches_the_rules_that_name_it(bench: Bench) -> None:
    await bench.desk.put_schedule(ScheduleTemplate(name="Nights", schedule=NEVER_WEEK), "ada")
    view = await bench.rule(schedule_name="nights")
    assert (view.schedule_name, view.is_active) == ("Nights", False)
    assert await alarms(bench) == 0
    kept = await bench.desk.put_schedule(ScheduleTemplate(name="NIGHTS", schedule=ALWAYS_WEEK), "ada")
    assert (kept.name, kept.used_by) == ("Nights", ("Motion",))
    assert await alarms(bench) == 1
    assert len(await bench.desk.schedules()) == 1


async def test_a_template_in_use_cannot_be_removed(bench: Bench) -> None:
    await bench.desk.put_schedule(ScheduleTemplate(name="Nights", schedule=NEVER_WEEK), "ada")
    await bench.rule(schedule_name="Nights")
    with pytest.raises(Conflict, match="Motion"):
        await bench.desk.remove_schedule("nights", "ada")
    await bench.desk.edit("motion", AlarmRuleEdit(schedule=ALWAYS_WEEK), "ada")
    assert bench.desk.view("motion").schedule_name == ""
    await bench.desk.remove_schedule("nights", "ada")
    assert await bench.desk.schedules() == ()
    with pytest.raises(NotFound):
        await bench.desk.remove_schedule("nights", "ada")
    assert bench.kinds_said()[-1] == "schedule.removed"


async def test_one_schedule_at_a_time(bench: Bench) -> None:
    await bench.desk.put_schedule(ScheduleTemplate(name="Nights", schedule=NEVER_WEEK), "ada")
    with pytest.raises(InvalidInput, match="both"):
        await bench.rule(schedule=ALWAYS_WEEK, schedule_name="Nights")
    await bench.rule()
    with pytest.raises(InvalidInput, match="more than one"):
        await bench.desk.edit("motion", AlarmRuleEdit(schedule=ALWAYS_WEEK, is_always=True), "ada")


# -- buttons ---------------------------------------------------------------------------------------------


async def test_a_button_exists_as_long_as_a_rule_has_it(bench: Bench) -> None:
    assert await bench.desk.buttons() == ()
    await bench.rule("Panic", triggers=(trigger("external.virtual", "Panic", "Help"),))
    await bench.rule("Log", triggers=(trigger("external.virtual", "Panic"),))
    buttons = await bench.desk.buttons()
    assert [(button.name, button.rules, button.last_fired_us) for button in buttons] == [
        ("Help", ("Panic",), None),
        ("Panic", ("Log", "Panic"), None),
    ]
    await bench.desk.remove("Panic", "ada")
    assert [button.name for button in await bench.desk.buttons()] == ["Panic"]


async def test_a_button_that_is_pressed_raises_the_alarms_of_its_rules(bench: Bench) -> None:
    await bench.rule("Panic", triggers=(trigger("external.virtual", "Panic"),))
    await bench.desk.fire("panic", "at the\n desk", "ada")
    event = bench.said[-1]
    assert (event.kind, event.source, event.text, event.actor) == (
        "external.virtual",
        "Panic",
        "at the desk",
        "ada",
    )
    await bench.catalog.write("add_events", [event])
    (button,) = await bench.desk.buttons()
    assert button.last_fired_us == event.time_us
    await bench.alarms.flush()
    assert [row.source for row in await bench.rows()] == ["Panic"]
    with pytest.raises(NotFound):
        await bench.desk.fire("Bell", "", "ada")
    with pytest.raises(InvalidInput):
        await bench.desk.fire("Panic", "x" * 501, "ada")
