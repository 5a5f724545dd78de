"""`watchdeck alarm ...`: the list, one with its history, triage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from engine.client import EngineClient, NotFound
from engine.wire_alarms import (
    COMMENT_LENGTH,
    MUTE_MINUTES_MAX,
    AlarmDetail,
    AlarmFilter,
    AlarmPage,
    AlarmSelection,
    AlarmStatus,
    AlarmTriage,
    AlarmView,
    TriageDone,
)
from tui.cli.alarm_export import export
from tui.cli.alarm_filters import Given, as_query, filter_options, selected, selection_options
from tui.cli.alarm_rules import rule
from tui.cli.alarm_rules import test as test_rule
from tui.cli.cameras import confirm
from tui.cli.output import print_fields, print_json, print_line, print_table
from tui.cli.session import Session, json_option, pass_session
from tui.cli.values import now_us
from widgets.format import age, local_time, local_time_with_zone, plural

F = TypeVar("F", bound=Callable[..., Any])

PAGE = 1_000
"""At most so many alarms in a call."""
STATUS_WORDS = {
    AlarmStatus.NEW: "new",
    AlarmStatus.IN_PROGRESS: "in progress",
    AlarmStatus.FALSE_ALARM: "false alarm",
    AlarmStatus.CLOSED: "closed",
}


@click.group()
def alarm() -> None:
    """List and handle alarms; the rules that raise them."""


alarm.add_command(rule)
alarm.add_command(export)
alarm.add_command(test_rule, "test")


@alarm.command("list")
@filter_options
@click.option("--group", "-g", "is_grouped", is_flag=True, help="One row for each kind and source.")
@click.option(
    "--limit", "-n", type=click.IntRange(1), default=100, metavar="N", help="The newest N (default: 100)."
)
@json_option
@pass_session
def list_(session: Session, /, is_grouped: bool, limit: int, **options: Any) -> None:
    """List alarms, the one with the newest event first: those that are new or in progress, unless told otherwise."""

    async def work(engine: EngineClient) -> tuple[AlarmPage, int]:
        chosen = await Given(session, options).filter(engine)
        found: list[AlarmView] = []
        while True:
            page = await engine.alarms(
                as_query(chosen, grouped=is_grouped, offset=len(found), limit=min(PAGE, limit - len(found)))
            )
            found.extend(page.alarms)
            if len(found) >= min(limit, page.total) or not page.alarms:
                break
        whole = AlarmPage(total=page.total, revision=page.revision, alarms=tuple(found))
        return whole, await now_us(engine)

    page, now = session.call(work)
    if session.is_json:
        print_json({"alarms": page.alarms, "total": page.total})
        return
    print_table(
        ["ID", "SEVERITY", "TIME", "AGE", "SOURCE", "ALARM", "STATUS", "COUNT", "TEXT", "COMMENT"],
        [
            [
                str(each.id),
                each.severity,
                local_time(each.last_us, session.zone),
                age(each.last_us, now),
                each.source,
                each.rule,
                _status(each, now),
                str(each.count),
                each.text,
                each.comment,
            ]
            for each in page.alarms
        ],
        right=["ID", "AGE", "COUNT"],
    )
    if page.total > len(page.alarms):
        print_line(f"{len(page.alarms)} of {page.total}; --limit shows more")


def _status(view: AlarmView, now: int) -> str:
    word = STATUS_WORDS[view.status]
    return f"{word}, muted" if view.muted_until_us and view.muted_until_us > now else word


@alarm.command()
@click.argument("id", type=click.IntRange(1), metavar="ID")
@json_option
@pass_session
def show(session: Session, id: int) -> None:
    """Show one alarm: what to do, who did what so far, what came of its actions."""

    async def work(engine: EngineClient) -> AlarmDetail:
        return await engine.alarm(id)

    found = session.call(work)
    if session.is_json:
        print_json(found)
        return
    view = found.alarm

    def moment(time_us: int | None) -> str:
        return local_time_with_zone(time_us, session.zone) if time_us else ""

    print_fields(
        [
            ("alarm", f"{view.id}: {view.rule}{' (test)' if view.is_test else ''}"),
            ("event", view.kind),
            ("source", view.source),
            ("camera", view.camera if view.camera != view.source else ""),
            ("severity", view.severity),
            ("status", STATUS_WORDS[view.status]),
            ("muted until", moment(view.muted_until_us)),
            ("first", moment(view.first_us)),
            ("last", moment(view.last_us)),
            ("count", str(view.count)),
            ("text", view.text),
            ("comment", view.comment),
            ("handled by", view.handler),
            ("what to do", found.instructions),
        ]
    )
    if found.results:
        print_line()
        print_table(
            ["ACTION", "STATE", "TRIES", "ANSWER"],
            [[each.action, each.state, str(each.tries or ""), each.text] for each in found.results],
            right=["TRIES"],
        )
    if found.steps:
        print_line()
        print_table(
            ["TIME", "WHO", "STEP", "FROM", "TO", "COMMENT"],
            [
                [
                    local_time(step.time_us, session.zone),
                    step.actor,
                    f"{step.what}{' (undone)' if step.is_undone else ''}",
                    STATUS_WORDS[step.old_status],
                    STATUS_WORDS[step.new_status],
                    step.comment,
                ]
                for step in found.steps
            ],
        )


# -- triage ----------------------------------------------------------------------------------------------


def _comment_option(command: F) -> F:
    return click.option("--comment", metavar="TEXT", help="Say why; kept with the alarm.")(command)


def _groups_option(command: F) -> F:
    return click.option(
        "--groups",
        is_flag=True,
        help="Each number stands for all open alarms of its kind and source up to it.",
    )(command)


def _step(
    session: Session,
    ids: tuple[int, ...],
    options: dict[str, Any],
    question: str,
    **fields: Any,
) -> None:
    """One step on all that are meant."""
    is_all, is_sure = options.pop("is_all"), options.pop("yes")
    with_groups = options.pop("groups", False)
    comment = fields.get("comment")
    if comment is not None and len(comment) > COMMENT_LENGTH:
        raise click.UsageError(f"a comment has at most {COMMENT_LENGTH} characters")

    async def work(engine: EngineClient) -> TriageDone:
        selection = await selected(
            engine,
            session,
            ids,
            options,
            is_all=is_all,
            is_sure=is_sure,
            what=question,
            with_groups=with_groups,
        )
        return await engine.triage(AlarmTriage(selection=selection, **fields))

    _print_done(session, session.call(work))


def _print_done(session: Session, done: TriageDone) -> None:
    if session.is_json:
        print_json(done)
    else:
        print_line(done.what)


@alarm.command()
@selection_options
@_groups_option
@_comment_option
@json_option
@pass_session
def ack(session: Session, /, ids: tuple[int, ...], comment: str | None, **options: Any) -> None:
    """Take alarms on: they are in progress."""
    _step(session, ids, options, "Take on", status=AlarmStatus.IN_PROGRESS, comment=comment)


@alarm.command()
@selection_options
@_groups_option
@_comment_option
@json_option
@pass_session
def close(session: Session, /, ids: tuple[int, ...], comment: str | None, **options: Any) -> None:
    """Close alarms: dealt with. They leave the list, not the history."""
    _step(session, ids, options, "Close", status=AlarmStatus.CLOSED, comment=comment)


@alarm.command("false")
@selection_options
@_groups_option
@_comment_option
@json_option
@pass_session
def false_(session: Session, /, ids: tuple[int, ...], comment: str | None, **options: Any) -> None:
    """Mark false alarms: nothing was wrong. They leave the list, not the history."""
    _step(session, ids, options, "Mark as false", status=AlarmStatus.FALSE_ALARM, comment=comment)


@alarm.command()
@selection_options
@_groups_option
@click.option(
    "--minutes",
    type=click.IntRange(1, MUTE_MINUTES_MAX),
    required=True,
    metavar="N",
    help=f"For so long, at most {MUTE_MINUTES_MAX}; they come back by themselves.",
)
@_comment_option
@json_option
@pass_session
def mute(
    session: Session, /, ids: tuple[int, ...], minutes: int, comment: str | None, **options: Any
) -> None:
    """Take alarms off the list for some minutes."""
    _step(session, ids, options, "Mute", mute_minutes=minutes, comment=comment)


@alarm.command()
@selection_options
@_groups_option
@json_option
@pass_session
def unmute(
    session: Session,
    /,
    ids: tuple[int, ...],
    is_all: bool,
    yes: bool,
    groups: bool,
    **options: Any,
) -> None:
    """Bring muted alarms back at once."""

    async def work(engine: EngineClient) -> TriageDone:
        chosen = AlarmSelection(ids=ids, with_groups=groups)
        if not ids or Given(session, options).is_any or is_all:
            selection = await selected(
                engine, session, ids, {**options, "muted": True}, is_all=is_all, is_sure=True, what=""
            )
            assert selection.filter is not None
            muted = await _muted_ids(engine, selection.filter)
            if not muted:
                raise NotFound("none of these alarms is muted", "`watchdeck alarm list --muted` shows them")
            confirm(session, f"Bring back {plural(len(muted), 'alarm')}?", yes)
            chosen = AlarmSelection(ids=muted)
        return await engine.triage(AlarmTriage(selection=chosen, mute_minutes=0))

    _print_done(session, session.call(work))


async def _muted_ids(engine: EngineClient, chosen: AlarmFilter) -> tuple[int, ...]:
    """Only those: the others would get a step in their history that changed nothing."""
    now = await now_us(engine)
    found: list[int] = []
    offset = 0
    while True:
        page = await engine.alarms(as_query(chosen, offset=offset, limit=PAGE))
        found.extend(
            each.id for each in page.alarms if each.muted_until_us is not None and each.muted_until_us > now
        )
        offset += len(page.alarms)
        if offset >= page.total or not page.alarms:
            return tuple(found)


@alarm.command()
@click.argument("comment", metavar="TEXT")
@selection_options
@_groups_option
@json_option
@pass_session
def comment(session: Session, /, comment: str, ids: tuple[int, ...], **options: Any) -> None:
    """Say something about alarms; kept in their history with time and name."""
    _step(session, ids, options, "Comment on", comment=comment)


@alarm.command()
@json_option
@pass_session
def undo(session: Session) -> None:
    """Take your last step back, on the alarms that nobody has touched since."""

    async def work(engine: EngineClient) -> TriageDone:
        return await engine.undo_triage()

    _print_done(session, session.call(work))
