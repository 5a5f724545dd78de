"""`watchdeck alarm rule ...`: which events call a person, when, and what is done by itself."""

from __future__ import annotations

from typing import Any

import click

from engine.client import EngineClient
from engine.wire_alarm_rules import (
    ActionState,
    AlarmAction,
    AlarmRuleAdd,
    AlarmRuleEdit,
    AlarmRuleView,
    AlarmTestReply,
    BookmarkAction,
    HttpAction,
    LiveAction,
    MailAction,
    OutputAction,
    PresetAction,
    PushAction,
    RecordAction,
    SoundAction,
    TextMatch,
    Trigger,
    TriggerKind,
)
from tui.cli.alarm_rule_options import fields_of_file, given_fields, rule_options
from tui.cli.cameras import confirm
from tui.cli.output import print_fields, print_json, print_line, print_table
from tui.cli.schedules import schedule_text
from tui.cli.session import Session, json_option, pass_session
from tui.cli.values import RULE
from widgets.format import duration, local_time, local_time_with_zone, plural

US_PER_SECOND = 1_000_000
TEST_FAILED_EXIT = 1


@click.group()
def rule() -> None:
    """Add, change, test, list and remove alarm rules."""


@rule.command()
@click.argument("name", required=False)
@rule_options
@click.option("--disabled", is_flag=True, help="Add it, but let it raise nothing yet.")
@json_option
@pass_session
def add(session: Session, /, name: str | None, disabled: bool, **options: Any) -> None:
    """Add an alarm rule: events of --on raise an alarm, and the actions are carried out.

    With --file the rule is in a file: what `alarm rule show --json` prints, or the same as TOML.
    """
    fields = fields_of_file(options["file"], AlarmRuleAdd) if options["file"] else {}
    fields |= given_fields(session, options)
    if "schedule" in fields and fields.get("schedule_name") and options["times"]:
        fields["schedule_name"] = ""
    if options["schedule"]:
        fields["schedule"] = None
    fields["name"] = name or fields.get("name")
    if disabled:
        fields["is_enabled"] = False
    if not fields["name"]:
        raise click.UsageError("the rule needs a name")
    if not fields.get("triggers"):
        raise click.UsageError("what raises it? Give --on KIND; `watchdeck alarm rule kinds` lists them")
    request = AlarmRuleAdd(**fields)

    async def work(engine: EngineClient) -> AlarmRuleView:
        return await engine.add_alarm_rule(request)

    _print_changed(session, session.call(work), "added")


def _print_changed(session: Session, view: AlarmRuleView, what: str) -> None:
    if session.is_json:
        print_json(view)
    else:
        print_line(f"alarm rule {view.name} {what}")


@rule.command()
@click.argument("rule", type=RULE)
@click.option("--name", metavar="NAME", help="New name.")
@rule_options
@click.option("--always", is_flag=True, help="At all times: take the schedule off.")
@click.option("--no-actions", is_flag=True, help="Take all actions off.")
@json_option
@pass_session
def edit(
    session: Session, /, rule: str, name: str | None, always: bool, no_actions: bool, **options: Any
) -> None:
    """Change what is given: triggers, or actions, are replaced as a whole."""
    fields = fields_of_file(options["file"], AlarmRuleEdit) if options["file"] else {}
    given = given_fields(session, options)
    if always and ("schedule" in given or "schedule_name" in given):
        raise click.UsageError("--always contradicts --schedule and --times")
    if no_actions and "actions" in given:
        raise click.UsageError("--no-actions contradicts the actions given")
    fields |= given
    if name is not None:
        fields["name"] = name
    if no_actions:
        fields["actions"] = ()
    if always:
        fields |= {"is_always": True, "schedule": None, "schedule_name": None}
    if not fields:
        raise click.UsageError("nothing to change: give an option")
    _edit(session, rule, AlarmRuleEdit(**fields), "changed")


def _edit(session: Session, rule: str, changes: AlarmRuleEdit, what: str) -> None:
    async def work(engine: EngineClient) -> AlarmRuleView:
        return await engine.edit_alarm_rule(rule, changes)

    _print_changed(session, session.call(work), what)


@rule.command()
@click.argument("rule", type=RULE)
@json_option
@pass_session
def enable(session: Session, rule: str) -> None:
    """Let a rule raise alarms again."""
    _edit(session, rule, AlarmRuleEdit(is_enabled=True), "enabled")


@rule.command()
@click.argument("rule", type=RULE)
@json_option
@pass_session
def disable(session: Session, rule: str) -> None:
    """Let a rule raise nothing; it stays as it is."""
    _edit(session, rule, AlarmRuleEdit(is_enabled=False), "disabled")


@rule.command()
@click.argument("rule", type=RULE)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_session
def remove(session: Session, rule: str, yes: bool) -> None:
    """Remove a rule; the alarms it raised stay."""
    confirm(session, f"Remove alarm rule {rule}?", yes)

    async def work(engine: EngineClient) -> None:
        await engine.remove_alarm_rule(rule)

    session.call(work)
    if session.is_json:
        print_json({"removed": rule})
    else:
        print_line(f"alarm rule {rule} removed")


@rule.command("list")
@json_option
@pass_session
def list_(session: Session) -> None:
    """List all alarm rules."""

    async def work(engine: EngineClient) -> tuple[AlarmRuleView, ...]:
        return await engine.alarm_rules()

    rules = session.call(work)
    if session.is_json:
        print_json({"alarm_rules": rules})
        return
    print_table(
        ["ID", "NAME", "STATE", "SEVERITY", "ON", "SCHEDULE", "ACTIONS", "RAISED", "LAST"],
        [
            [
                str(each.id),
                each.name,
                _state(each),
                each.severity,
                ", ".join(dict.fromkeys(trigger.kind for trigger in each.triggers)),
                _schedule(each),
                ", ".join(dict.fromkeys(_verb(action) for action in each.actions)),
                str(each.raised),
                local_time(each.last_raised_us, session.zone) if each.last_raised_us else "never",
            ]
            for each in rules
        ],
        right=["ID", "RAISED"],
    )


def _state(view: AlarmRuleView) -> str:
    if not view.is_enabled:
        return "disabled"
    return "active" if view.is_active else "not now"


def _schedule(view: AlarmRuleView) -> str:
    if view.schedule_name:
        return view.schedule_name
    return schedule_text(view.schedule) if view.schedule else "always"


@rule.command()
@click.argument("rule", type=RULE)
@json_option
@pass_session
def show(session: Session, rule: str) -> None:
    """Show one rule. Its JSON can be given to `alarm rule add --file`; secrets are not in it."""

    async def work(engine: EngineClient) -> AlarmRuleView:
        return await engine.alarm_rule(rule)

    found = session.call(work)
    if session.is_json:
        print_json(found)
        return
    raised = plural(found.raised, "alarm")
    if found.last_raised_us:
        raised += f", the last {local_time_with_zone(found.last_raised_us, session.zone)}"
    print_fields(
        [
            ("name", found.name),
            ("number", str(found.id)),
            ("state", _state(found)),
            ("severity", found.severity),
            ("schedule", f"{_schedule(found)}{f' ({found.schedule.zone})' if found.schedule else ''}"),
            (
                "re-trigger",
                duration(found.retrigger_s * US_PER_SECOND) if found.retrigger_s else "each event",
            ),
            ("what to do", found.instructions),
            ("raised", raised),
            *[("on", trigger_text(trigger)) for trigger in found.triggers],
            *[("action", action_text(action)) for action in found.actions],
        ]
    )


def trigger_text(trigger: Trigger) -> str:
    """`camera.lost of door, gate`, `external.tcp_message holds "fire"`."""
    words = trigger.kind
    if trigger.sources:
        words += f" of {', '.join(trigger.sources)}"
    if trigger.text:
        how = "is" if trigger.match is TextMatch.MATCHES else "holds"
        words += f' {how} "{trigger.text}"{", capitals matter" if trigger.is_case_sensitive else ""}'
    return words


def action_text(action: AlarmAction) -> str:
    """In words, with the secrets as the engine shows them."""
    match action:
        case RecordAction():
            return f"record {_cameras(action.cameras)}, {action.pre_event_s} s before to {action.post_event_s} s after"
        case BookmarkAction():
            kept = f" for {plural(action.preserve_days, 'day')}" if action.preserve_days else ""
            return f"bookmark {action.length_s} s of {_cameras(action.cameras)}{kept}"
        case MailAction():
            return f"mail to {', '.join(action.to)}{' with a snapshot' if action.has_snapshot else ''}"
        case HttpAction():
            return f"{action.method} {action.url}"
        case PushAction():
            return f"push through {action.url}"
        case LiveAction():
            return f"live picture of {_cameras(action.cameras)} in the alarm tab"
        case SoundAction():
            where = {"console": "in consoles", "box": "on the box", "both": "in consoles and on the box"}
            return f"sound {action.pattern} {where.get(action.where, action.where)}"
        case PresetAction():
            return f"{action.camera} goes to preset {action.preset}"
        case OutputAction():
            span = f" for {action.duration_s} s" if action.duration_s else ""
            return f"output {action.output} of {action.camera} {'on' if action.is_on else 'off'}{span}"


def _cameras(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "the camera it is about"


def _verb(action: AlarmAction) -> str:
    tag = type(action).__struct_config__.tag
    return str(tag)


@rule.command()
@json_option
@pass_session
def kinds(session: Session) -> None:
    """List what a rule can be triggered by, and what has to be set up first."""

    async def work(engine: EngineClient) -> tuple[TriggerKind, ...]:
        return await engine.trigger_kinds()

    found = session.call(work)
    if session.is_json:
        print_json({"trigger_kinds": found})
        return
    print_table(
        ["KIND", "FAMILY", "WHAT", "OF", "NEEDS"],
        [[each.kind, each.family, each.title, each.source.replace("_", " "), each.hint] for each in found],
    )


@rule.command()
@click.argument("rule", type=RULE)
@json_option
@pass_session
def test(session: Session, rule: str) -> None:
    """Run the whole chain of a rule now: a real alarm, marked as a test, and every action.

    Leaves with 1 when an action failed.
    """

    async def work(engine: EngineClient) -> AlarmTestReply:
        return await engine.test_alarm_rule(rule)

    reply = session.call(work)
    if session.is_json:
        print_json(reply)
    else:
        print_line(f"alarm {reply.alarm_id} raised as a test")
        for result in reply.results:
            print_line(f"  {result.state:<7}  {result.action}{f': {result.text}' if result.text else ''}")
    if any(result.state is ActionState.FAILED for result in reply.results):
        raise click.exceptions.Exit(TEST_FAILED_EXIT)
