"""`watchdeck group ...`: cameras that share volumes and retention."""

from __future__ import annotations

import click

from engine import wire
from engine.client import EngineClient
from tui.cli.cameras import confirm
from tui.cli.output import print_json, print_line, print_table
from tui.cli.session import Session, json_option, pass_session
from tui.cli.values import GROUP, SIZE, LimitType
from widgets.format import days, decimal_bytes

_DAYS = LimitType(click.IntRange(1, 36_500))
_SIZE = LimitType(SIZE)


@click.group()
def group() -> None:
    """Add, change, list and remove recording groups."""


@group.command()
@click.argument("name")
@click.option("--retention-days", type=_DAYS, metavar="N", help="Recycle footage older than N days.")
@click.option("--retention-size", type=_SIZE, metavar="SIZE", help="Keep at most SIZE, for example 4TB.")
@json_option
@pass_session
def add(session: Session, name: str, retention_days: int | None, retention_size: int | None) -> None:
    """Add a recording group; without limits the oldest footage is recycled when the volumes are full."""
    request = wire.GroupAdd(
        name=name,
        retention_days=None if retention_days == -1 else retention_days,
        retention_bytes=None if retention_size == -1 else retention_size,
    )

    async def work(engine: EngineClient) -> wire.GroupView:
        return await engine.add_group(request)

    added = session.call(work)
    if session.is_json:
        print_json(added)
    else:
        print_line(f"group {added.name} added")


@group.command("list")
@json_option
@pass_session
def list_(session: Session) -> None:
    """List all recording groups with what they hold and for how long it lasts."""

    async def work(engine: EngineClient) -> tuple[wire.GroupView, ...]:
        return await engine.groups()

    groups = session.call(work)
    if session.is_json:
        print_json({"groups": groups})
        return
    print_table(
        ["NAME", "CAMERAS", "VOLUMES", "USED", "LOCKED", "RECORDED", "REMAINING", "RETENTION", "LIMIT"],
        [
            [
                each.name,
                str(len(each.cameras)),
                ", ".join(each.volumes),
                decimal_bytes(each.used_bytes),
                decimal_bytes(each.locked_bytes),
                days(each.recorded_days),
                days(each.remaining_days),
                days(each.retention_days),
                decimal_bytes(each.retention_bytes),
            ]
            for each in groups
        ],
        right=["CAMERAS", "USED", "LOCKED", "RECORDED", "REMAINING", "RETENTION", "LIMIT"],
    )


@group.command()
@click.argument("group", type=GROUP)
@click.option("--name", metavar="NAME", help="New name.")
@click.option("--retention-days", type=_DAYS, metavar="N|none", help="Recycle footage older than N days.")
@click.option("--retention-size", type=_SIZE, metavar="SIZE|none", help="Keep at most SIZE.")
@json_option
@pass_session
def edit(
    session: Session, group: str, name: str | None, retention_days: int | None, retention_size: int | None
) -> None:
    """Change what is given; `none` takes a limit away."""
    if name is None and retention_days is None and retention_size is None:
        raise click.UsageError("nothing to change: give an option")
    request = wire.GroupEdit(name=name, retention_days=retention_days, retention_bytes=retention_size)

    async def work(engine: EngineClient) -> wire.GroupView:
        return await engine.edit_group(group, request)

    changed = session.call(work)
    if session.is_json:
        print_json(changed)
    else:
        print_line(f"group {changed.name} changed")


@group.command()
@click.argument("group", type=GROUP)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_session
def remove(session: Session, group: str, yes: bool) -> None:
    """Remove a recording group that has no cameras and no volumes."""
    confirm(session, f"Remove group {group}?", yes)

    async def work(engine: EngineClient) -> None:
        await engine.remove_group(group)

    session.call(work)
    if session.is_json:
        print_json({"removed": group})
    else:
        print_line(f"group {group} removed")
