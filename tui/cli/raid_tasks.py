"""`watchdeck raid ...`, the part about what works in the background, its rates, and foreign drives."""

from __future__ import annotations

import click

from engine.client import EngineClient
from engine.wire_chassis import (
    ChassisView,
    ClearForeign,
    ImportForeign,
    PauseTask,
    Rates,
    ResumeTask,
    SetRates,
    StartPatrolRead,
    StopTask,
    Task,
)
from tui.cli.chassis_refs import drive_of, drives_of, named_drive, task_of
from tui.cli.operations import carry_out, plan_options
from tui.cli.output import print_json, print_table
from tui.cli.raid import raid as raid
from tui.cli.session import Session, json_option, pass_session
from widgets.format import byte_rate, duration, percent

_PERCENT = click.IntRange(1, 100)


@raid.command()
@json_option
@pass_session
def tasks(session: Session) -> None:
    """List background operations with progress, rate and time left."""

    async def fetch(engine: EngineClient) -> ChassisView:
        return await engine.chassis()

    chassis = session.call(fetch)
    if session.is_json:
        print_json({"tasks": chassis.inventory.tasks})
        return
    print_table(
        ["TASK", "WHAT", "STATE", "OF", "DONE", "RATE", "LEFT", "DETAIL"],
        [_task_row(chassis, each) for each in chassis.inventory.tasks],
        right=["DONE", "RATE", "LEFT"],
    )


def _task_row(chassis: ChassisView, each: Task) -> list[str]:
    virtual_drive = chassis.inventory.virtual_drive(each.virtual_drive)
    drive = chassis.inventory.drive(each.drive)
    return [
        each.id,
        each.kind.replace("_", " "),
        each.state,
        " ".join(
            filter(None, (virtual_drive.name if virtual_drive else "", named_drive(drive) if drive else ""))
        ),
        percent(None if each.progress is None else each.progress * 100),
        byte_rate(each.rate_bps),
        duration(None if each.eta_s is None else each.eta_s * 1_000_000),
        each.detail,
    ]


def _on_task(name: str, text: str, operation: type[StopTask | PauseTask | ResumeTask]) -> None:
    @raid.command(name, help=text)
    @click.argument("ref", metavar="TASK")
    @plan_options
    @json_option
    @pass_session
    def command(session: Session, ref: str, is_dry: bool, word: str | None, is_sure: bool) -> None:
        carry_out(
            session,
            lambda chassis: operation(task=task_of(chassis, ref).id),
            is_dry=is_dry,
            word=word,
            is_sure=is_sure,
        )


_on_task("stop", "Stop a background operation; TASK is its id or a virtual drive's name.", StopTask)
_on_task("pause", "Pause a background operation.", PauseTask)
_on_task("resume", "Go on with a paused one.", ResumeTask)


@raid.command("patrol-read")
@click.option("--controller", metavar="ID", help="When there are several.")
@plan_options
@json_option
@pass_session
def patrol_read(
    session: Session, controller: str | None, is_dry: bool, word: str | None, is_sure: bool
) -> None:
    """Read every drive once at low priority, looking for bad sectors."""
    carry_out(
        session,
        lambda chassis: StartPatrolRead(controller=controller or _first_controller(chassis)),
        is_dry=is_dry,
        word=word,
        is_sure=is_sure,
    )


def _first_controller(chassis: ChassisView) -> str:
    return next((each.id for each in chassis.inventory.controllers), "")


@raid.command()
@click.option("--controller", metavar="ID", help="When there are several.")
@click.option("--rebuild", type=_PERCENT, help="Percent of a drive's speed under load.")
@click.option("--check", type=_PERCENT, help="Percent.")
@click.option("--initialisation", type=_PERCENT, help="Percent; a running one keeps its rate.")
@click.option("--patrol-read", type=_PERCENT, help="Percent.")
@click.option("--migration", type=_PERCENT, help="Percent.")
@plan_options
@json_option
@pass_session
def rates(
    session: Session,
    /,
    controller: str | None,
    is_dry: bool,
    word: str | None,
    is_sure: bool,
    **wanted: int | None,
) -> None:
    """Set how much background work may slow recording; without options they are shown."""
    if not any(wanted.values()):
        _show_rates(session)
        return

    def make(chassis: ChassisView) -> SetRates:
        id = controller or _first_controller(chassis)
        now = next((each.rates for each in chassis.inventory.controllers if each.id == id), Rates())
        return SetRates(
            controller=id,
            rates=Rates(**{name: value or getattr(now, name) for name, value in wanted.items()}),
        )

    carry_out(session, make, is_dry=is_dry, word=word, is_sure=is_sure)


def _show_rates(session: Session) -> None:
    async def fetch(engine: EngineClient) -> ChassisView:
        return await engine.chassis()

    controllers = session.call(fetch).inventory.controllers
    if session.is_json:
        print_json({"rates": {each.id: each.rates for each in controllers}})
        return
    print_table(
        ["CONTROLLER", "REBUILD", "CHECK", "INITIALISATION", "PATROL READ", "MIGRATION"],
        [
            [
                each.id,
                *(
                    f"{value} %"
                    for value in (
                        each.rates.rebuild,
                        each.rates.check,
                        each.rates.initialisation,
                        each.rates.patrol_read,
                        each.rates.migration,
                    )
                ),
            ]
            for each in controllers
        ],
    )


@raid.command("import")
@click.argument("foreign")
@plan_options
@json_option
@pass_session
def import_(session: Session, foreign: str, is_dry: bool, word: str | None, is_sure: bool) -> None:
    """Take over the array that foreign drives carry; FOREIGN is its name, or one of its drives."""

    def make(chassis: ChassisView) -> ImportForeign:
        known = {each.foreign for each in chassis.inventory.drives if each.foreign}
        return ImportForeign(foreign=foreign if foreign in known else drive_of(chassis, foreign).foreign)

    carry_out(session, make, is_dry=is_dry, word=word, is_sure=is_sure)


@raid.command("clear-foreign")
@click.argument("drive_refs", metavar="DRIVES")
@plan_options
@json_option
@pass_session
def clear_foreign(session: Session, drive_refs: str, is_dry: bool, word: str | None, is_sure: bool) -> None:
    """Forget the array that foreign drives carry. Erases them."""
    carry_out(
        session,
        lambda chassis: ClearForeign(drives=tuple(each.id for each in drives_of(chassis, drive_refs))),
        is_dry=is_dry,
        word=word,
        is_sure=is_sure,
    )
