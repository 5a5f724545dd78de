"""`watchdeck schedule ...`: named weeks, for alarms and recording alike. Manual rows AS-02, AS-03."""

from __future__ import annotations

import click

from engine.client import EngineClient, NotFound
from engine.wire_alarm_rules import ScheduleTemplate, ScheduleTemplateView
from tui.cli.cameras import confirm
from tui.cli.output import print_fields, print_json, print_line, print_table
from tui.cli.schedules import schedule_of, schedule_text
from tui.cli.session import Session, json_option, pass_session
from tui.cli.values import SCHEDULE


@click.group()
def schedule() -> None:
    """Make, show, list and remove named schedules."""


@schedule.command("list")
@json_option
@pass_session
def list_(session: Session) -> None:
    """List the named schedules."""

    async def work(engine: EngineClient) -> tuple[ScheduleTemplateView, ...]:
        return await engine.schedules()

    found = session.call(work)
    if session.is_json:
        print_json({"schedules": found})
        return
    print_table(
        ["NAME", "TIMES", "ZONE", "USED BY"],
        [
            [each.name, schedule_text(each.schedule) or "never", each.schedule.zone, ", ".join(each.used_by)]
            for each in found
        ],
    )


@schedule.command()
@click.argument("name", type=SCHEDULE)
@json_option
@pass_session
def show(session: Session, name: str) -> None:
    """Show one schedule, half-hour by half-hour."""

    async def work(engine: EngineClient) -> ScheduleTemplateView:
        for each in await engine.schedules():
            if each.name.casefold() == name.casefold():
                return each
        raise NotFound(f"no schedule is called {name!r}", "`watchdeck schedule list` shows them")

    found = session.call(work)
    if session.is_json:
        print_json(found)
        return
    print_fields(
        [
            ("name", found.name),
            ("times", schedule_text(found.schedule) or "never"),
            ("zone", found.schedule.zone),
            ("used by", ", ".join(found.used_by)),
        ]
    )
    print_line()
    print_line("     0     3     6     9     12    15    18    21")
    for day, cells in zip(
        ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), found.schedule.days, strict=True
    ):
        print_line(f"{day}  {cells}")


@schedule.command("set")
@click.argument("name")
@click.argument("times", nargs=-1, required=True, metavar="TIMES...")
@json_option
@pass_session
def set_(session: Session, name: str, times: tuple[str, ...]) -> None:
    """Make a schedule, or give it other times: 'Mon-Fri 18:00-06:00', by half-hours, in your zone."""
    template = ScheduleTemplate(name=name, schedule=schedule_of(times, session.zone))

    async def work(engine: EngineClient) -> ScheduleTemplateView:
        return await engine.put_schedule(template)

    kept = session.call(work)
    if session.is_json:
        print_json(kept)
    else:
        print_line(f"schedule {kept.name}: {schedule_text(kept.schedule)} ({kept.schedule.zone})")


@schedule.command()
@click.argument("name", type=SCHEDULE)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_session
def remove(session: Session, name: str, yes: bool) -> None:
    """Remove a schedule that nothing uses."""
    confirm(session, f"Remove schedule {name}?", yes)

    async def work(engine: EngineClient) -> None:
        await engine.remove_schedule(name)

    session.call(work)
    if session.is_json:
        print_json({"removed": name})
    else:
        print_line(f"schedule {name} removed")
