"""`watchdeck case ...`: stretches of footage to be handed over together, kept from recycling meanwhile. Manual rows RS."""

from __future__ import annotations

import sys

import click

from engine.client import EngineClient, InvalidInput
from engine.wire_evidence import CaseAdd, CaseEdit, CaseItemAdd, CaseItemEdit, CaseView
from tui.cli.output import print_fields, print_json, print_line, print_table
from tui.cli.session import Session, json_option, pass_session
from tui.cli.values import CAMERA, WHEN, When, now_us, stretch
from widgets.format import clock_length, local_time, local_time_with_zone


@click.group()
def case() -> None:
    """Cases: stretches of footage to be handed over together; what is in one is kept from recycling."""


@case.command("list")
@json_option
@pass_session
def list_(session: Session) -> None:
    """List the cases, newest first."""
    cases = session.call(lambda engine: engine.cases())
    if session.is_json:
        print_json({"cases": cases})
        return
    print_table(
        ["ID", "NAME", "CLIPS", "GONE", "BEGUN", "BY", "COMMENT"],
        [
            [
                str(each.id),
                each.name,
                str(len(each.items)),
                str(sum(not item.is_valid for item in each.items)),
                local_time(each.created_us or None, session.zone),
                each.created_by,
                each.comment,
            ]
            for each in cases
        ],
        right=["ID", "CLIPS", "GONE"],
    )


def _print(session: Session, found: CaseView) -> None:
    if session.is_json:
        print_json(found)
        return
    print_fields(
        [
            ("case", found.name),
            ("id", str(found.id)),
            ("comment", found.comment),
            ("begun", local_time_with_zone(found.created_us or None, session.zone)),
            ("by", found.created_by),
        ]
    )
    print_table(
        ["ITEM", "CAMERA", "FROM", "LENGTH", "VIDEO", "COMMENT"],
        [
            [
                str(item.id),
                item.camera,
                local_time(item.start_us, session.zone),
                clock_length(item.end_us - item.start_us),
                "there" if item.is_valid else "gone",
                item.comment,
            ]
            for item in found.items
        ],
        right=["ITEM", "LENGTH"],
    )


@case.command()
@click.argument("ref", metavar="CASE")
@json_option
@pass_session
def show(session: Session, ref: str) -> None:
    """Show one, by name or id, with what is in it."""
    _print(session, session.call(lambda engine: engine.case(ref)))


@case.command()
@click.argument("name")
@click.option("--comment", default="", metavar="TEXT", help="What it is about.")
@json_option
@pass_session
def add(session: Session, name: str, comment: str) -> None:
    """Begin a case."""
    _print(session, session.call(lambda engine: engine.add_case(CaseAdd(name=name, comment=comment))))


@case.command()
@click.argument("ref", metavar="CASE")
@click.option("--name", metavar="TEXT", help="Another name.")
@click.option("--comment", metavar="TEXT", help="What it is about.")
@click.option("--order", metavar="ID,ID,...", help="All its items, as they shall stand.")
@json_option
@pass_session
def edit(session: Session, ref: str, name: str | None, comment: str | None, order: str | None) -> None:
    """Rename, comment or reorder one: what is given, and nothing else."""
    if (name, comment, order) == (None,) * 3:
        raise InvalidInput("nothing to change was given", "`watchdeck case edit --help` shows what can be")
    try:
        ids = None if order is None else tuple(int(each) for each in order.split(","))
    except ValueError:
        raise InvalidInput(
            f"no items: {order!r}", "for example --order 3,1,2; `case show` lists them"
        ) from None
    changes = CaseEdit(name=name, comment=comment, order=ids)
    _print(session, session.call(lambda engine: engine.edit_case(ref, changes)))


@case.command()
@click.argument("ref", metavar="CASE")
@json_option
@pass_session
def remove(session: Session, ref: str) -> None:
    """Remove a case; what is in it may be recycled then, exports of it stay."""
    if sys.stdin.isatty() and not session.is_json:
        click.confirm("Remove it? What is in it may be recycled then", abort=True, err=True)
    session.call(lambda engine: engine.remove_case(ref))
    if session.is_json:
        print_json({"removed": ref})
    else:
        print_line(f"removed: {ref}")


@case.command("add-item")
@click.argument("ref", metavar="CASE")
@click.argument("camera", type=CAMERA)
@click.option("--from", "start", type=WHEN, required=True, metavar="TIME", help="From here.")
@click.option("--to", "end", type=WHEN, required=True, metavar="TIME", help="Up to here.")
@click.option("--comment", default="", metavar="TEXT", help="What is to be seen.")
@json_option
@pass_session
def add_item(session: Session, ref: str, camera: str, start: When, end: When, comment: str) -> None:
    """Put a stretch of a camera into a case."""

    async def work(engine: EngineClient) -> CaseView:
        start_us, end_us = await stretch(engine, start, end, session.zone)
        item = CaseItemAdd(camera=camera, start_us=start_us, end_us=end_us, comment=comment)
        return await engine.add_case_item(ref, item)

    _print(session, session.call(work))


@case.command("edit-item")
@click.argument("ref", metavar="CASE")
@click.argument("item_id", type=int, metavar="ITEM")
@click.option("--from", "start", type=WHEN, metavar="TIME", help="From here.")
@click.option("--to", "end", type=WHEN, metavar="TIME", help="Up to here.")
@click.option("--comment", metavar="TEXT", help="What is to be seen.")
@json_option
@pass_session
def edit_item(
    session: Session, ref: str, item_id: int, start: When | None, end: When | None, comment: str | None
) -> None:
    """Change times or comment of one: what is given, and nothing else."""
    if (start, end, comment) == (None,) * 3:
        raise InvalidInput(
            "nothing to change was given", "`watchdeck case edit-item --help` shows what can be"
        )

    async def work(engine: EngineClient) -> CaseView:
        now = await now_us(engine) if start or end else 0
        changes = CaseItemEdit(
            start_us=start.time_us(now, session.zone) if start else None,
            end_us=end.time_us(now, session.zone) if end else None,
            comment=comment,
        )
        return await engine.edit_case_item(ref, item_id, changes)

    _print(session, session.call(work))


@case.command("remove-item")
@click.argument("ref", metavar="CASE")
@click.argument("item_id", type=int, metavar="ITEM")
@json_option
@pass_session
def remove_item(session: Session, ref: str, item_id: int) -> None:
    """Take a stretch out of a case; it may be recycled then."""
    _print(session, session.call(lambda engine: engine.remove_case_item(ref, item_id)))
