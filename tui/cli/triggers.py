"""`watchdeck trigger ...`: buttons that rules have, pressed from a script. Manual rows VR."""

from __future__ import annotations

import click

from engine.client import EngineClient
from engine.wire_sources import VirtualTrigger
from tui.cli.default_group import FiringGroup
from tui.cli.output import print_json, print_line, print_table
from tui.cli.session import Session, json_option, pass_session
from tui.cli.values import BUTTON
from widgets.format import local_time


@click.group(cls=FiringGroup)
def trigger() -> None:
    """List and fire virtual triggers; `trigger NAME` fires one."""


@trigger.command("list")
@json_option
@pass_session
def list_(session: Session) -> None:
    """List the virtual triggers that rules have."""

    async def work(engine: EngineClient) -> tuple[VirtualTrigger, ...]:
        return await engine.virtual_triggers()

    found = session.call(work)
    if session.is_json:
        print_json({"virtual_triggers": found})
        return
    print_table(
        ["NAME", "RULES", "LAST FIRED"],
        [
            [
                each.name,
                ", ".join(each.rules),
                local_time(each.last_fired_us, session.zone) if each.last_fired_us else "never",
            ]
            for each in found
        ],
    )


@trigger.command()
@click.argument("name", type=BUTTON)
@click.option("--text", default="", metavar="TEXT", help="Goes into the event.")
@json_option
@pass_session
def fire(session: Session, name: str, text: str) -> None:
    """Fire a virtual trigger: the rules that have it raise an alarm."""

    async def work(engine: EngineClient) -> None:
        await engine.fire_trigger(name, text)

    session.call(work)
    if session.is_json:
        print_json({"fired": name})
    else:
        print_line(f"trigger {name} fired")
