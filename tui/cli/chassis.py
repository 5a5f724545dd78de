"""`watchdeck chassis ...`: the box itself, its lamps and sensors, and the jobs that work on it."""

from __future__ import annotations

import click

from engine.client import EngineClient
from engine.wire_chassis import (
    BayView,
    ChassisLayout,
    ChassisView,
    JobAct,
    JobView,
    LearnBay,
    ScheduleView,
    Silence,
    SimulatedStep,
    UidSwitch,
    UpkeepEdit,
)
from tui.cli.chassis_refs import drive_of
from tui.cli.operations import carry_out, follow_job, plan_options
from tui.cli.output import print_fields, print_json, print_line, print_table
from tui.cli.session import Session, json_option, pass_session
from widgets.format import duration, fit, local_time, percent

CELL = 18
"""Cells of one bay in `chassis show`: four bays fit into 80 columns."""


@click.group()
def chassis() -> None:
    """The box: bays, lamps, fans, power supplies, temperatures, jobs."""


@chassis.command()
@json_option
@pass_session
def show(session: Session) -> None:
    """Show the front as it stands in the rack, the sensors, and what is wrong."""

    async def fetch(engine: EngineClient) -> ChassisView:
        return await engine.chassis()

    found = session.call(fetch)
    if session.is_json:
        print_json(found)
        return
    for row in found.layout.rows:
        for line in range(3):
            print_line("  ".join(_bay_line(found, found.bay(bay), bay, line) for bay in row).rstrip())
        print_line()
    print_fields(
        [
            ("chassis", found.layout.name + (" (simulated)" if found.is_simulated else "")),
            (
                "bays",
                ""
                if found.layout.has_mapping
                else "NOT MAPPED: `watchdeck chassis learn` tells which socket is which bay",
            ),
            ("information lamp", found.information.replace("_", " ")),
            ("locate lamp (UID)", "on" if found.uid else ""),
            ("beeper", "on" if found.is_beeping else ""),
        ]
    )
    if found.sensors:
        print_line()
        print_table(
            ["SENSOR", "STATE", "VALUE", "TEXT"],
            [
                [
                    each.name,
                    each.state,
                    "" if each.value is None else f"{each.value:g} {each.unit}".strip(),
                    each.text,
                ]
                for each in found.sensors
            ],
        )
    open_jobs = [job for job in found.jobs if job.ended_us is None]
    if open_jobs:
        print_line()
        _print_jobs(session, open_jobs)
    for problem in found.problems:
        print_line(f"! {problem.what}{f' ({problem.remedy})' if problem.remedy else ''}")


def _bay_line(found: ChassisView, bay: BayView | None, number: int, line: int) -> str:
    drive = found.inventory.drive(bay.drive) if bay is not None and bay.drive else None
    if line == 0:
        text = f"{number:>2}  {bay.word if bay else 'empty'}"
    elif line == 1:
        text = f"    {drive.serial or drive.model}" if drive else ""
    else:
        temperature = (
            next(
                (
                    each.temperature_c
                    for each in (drive, found.health_of(drive.id))
                    if each and each.temperature_c is not None
                ),
                None,
            )
            if drive
            else None
        )
        text = f"    {'' if temperature is None else f'{temperature} C'}"
    return fit(text, CELL)


@chassis.command()
@click.argument("bay", type=int)
@click.argument("ref", metavar="DRIVE")
@json_option
@pass_session
def learn(session: Session, bay: int, ref: str) -> None:
    """Say that DRIVE is in bay BAY now: its socket is that bay from now on.

    To find out which: `watchdeck drive locate DRIVE` and look which lamp blinks, or pull and insert one drive at a time.
    """

    async def work(engine: EngineClient) -> tuple[ChassisLayout, str]:
        drive = drive_of(await engine.chassis(), ref)
        return await engine.learn_bay(LearnBay(bay=bay, drive=drive.id)), drive.serial

    layout, serial = session.call(work)
    if session.is_json:
        print_json(layout)
    else:
        print_line(f"the socket of {serial} is bay {bay}")


@chassis.command()
@click.argument("switch", type=click.Choice(["on", "off"]))
@json_option
@pass_session
def uid(session: Session, switch: str) -> None:
    """Switch the blue lamp that finds this box in a rack."""

    async def work(engine: EngineClient) -> None:
        await engine.switch_uid(UidSwitch(is_on=switch == "on"))

    session.call(work)
    if session.is_json:
        print_json({"uid": switch == "on"})
    else:
        print_line(f"locate lamp (UID) {switch}")


@chassis.command()
@click.option("--controller", metavar="ID", default="", help="When there are several.")
@plan_options
@json_option
@pass_session
def silence(session: Session, controller: str, is_dry: bool, word: str | None, is_sure: bool) -> None:
    """Stop the beeper."""

    def make(found: ChassisView) -> Silence:
        return Silence(controller=controller or next((each.id for each in found.inventory.controllers), ""))

    carry_out(session, make, is_dry=is_dry, word=word, is_sure=is_sure)


@chassis.command()
@click.option(
    "--check-days", type=int, help="A consistency check of each virtual drive every so many days; 0 = never."
)
@click.option("--patrol-days", type=int, help="A patrol read every so many days; 0 = never.")
@click.option("--smart-minutes", type=int, help="Time between two readings of SMART.")
@click.option(
    "--self-test-days", type=int, help="A short self-test of each drive every so many days; 0 = never."
)
@click.option("--hour", type=click.IntRange(0, 23), help="Local hour at which checks and patrol reads begin.")
@click.option(
    "--auto-rebuild/--no-auto-rebuild",
    default=None,
    help="Use a new drive in the bay of a failed one without asking.",
)
@json_option
@pass_session
def upkeep(session: Session, /, **changes: object) -> None:
    """Show or change the regular reading of everything."""
    given = {name: value for name, value in changes.items() if value is not None}

    async def work(engine: EngineClient) -> ScheduleView:
        if given:
            return await engine.edit_upkeep(UpkeepEdit(**given))  # type: ignore[arg-type]
        return (await engine.chassis()).upkeep

    found = session.call(work)
    if session.is_json:
        print_json(found)
        return
    print_fields(
        [
            ("consistency check", _every(found.check_days)),
            ("patrol read", _every(found.patrol_days)),
            ("SMART", f"every {found.smart_minutes} min"),
            ("self-test", _every(found.self_test_days)),
            ("begin at", f"{found.hour:02}:00"),
            ("automatic rebuild", "on" if found.auto_rebuild else "off"),
            ("next check", local_time(found.next_check_us, session.zone) if found.next_check_us else ""),
            (
                "next patrol read",
                local_time(found.next_patrol_us, session.zone) if found.next_patrol_us else "",
            ),
        ]
    )


def _every(days: int) -> str:
    return f"every {days} days" if days else "never"


@chassis.command()
@json_option
@pass_session
def jobs(session: Session) -> None:
    """List set-ups, replacements and take-downs, newest first."""

    async def fetch(engine: EngineClient) -> tuple[JobView, ...]:
        return await engine.chassis_jobs()

    found = session.call(fetch)
    if session.is_json:
        print_json({"jobs": found})
    else:
        _print_jobs(session, found)


def _print_jobs(session: Session, found: tuple[JobView, ...] | list[JobView]) -> None:
    print_table(
        ["JOB", "WHAT", "STATE", "SINCE", "BY", "NEEDS"],
        [
            [
                each.id,
                each.title,
                each.state,
                local_time(each.started_us, session.zone),
                each.actor,
                each.alarm or each.needs or each.result,
            ]
            for each in found
        ],
    )


@chassis.command()
@click.argument("id", metavar="JOB")
@click.option("--answer", metavar="ACTION", help="Answer it; `chassis job JOB` lists what may be answered.")
@click.option("--value", default="", metavar="TEXT", help="What the answer needs besides.")
@click.option("--follow", is_flag=True, help="Until it ends or wants something done.")
@json_option
@pass_session
def job(session: Session, id: str, answer: str | None, value: str, follow: bool) -> None:
    """Show a job with its steps, answer it, or follow it."""

    async def work(engine: EngineClient) -> JobView:
        if answer:
            await engine.act_on_job(id, JobAct(action=answer, value=value))
        return await follow_job(session, engine, id) if follow else await engine.chassis_job(id)

    found = session.call(work)
    if session.is_json:
        print_json(found)
        return
    print_line(found.title)
    for step in found.steps:
        print_line(
            f"  [{_MARKS.get(step.state, '?')}] {step.title}{f': {step.detail}' if step.detail else ''}"
        )
    print_fields(
        [
            ("state", found.state),
            ("progress", "" if found.progress is None else percent(found.progress * 100)),
            ("left", "" if found.eta_s is None else duration(found.eta_s * 1_000_000)),
            ("ALARM", found.alarm),
            ("needs", found.needs),
            ("answers", ", ".join(found.actions)),
            ("result", found.result),
        ]
    )


_MARKS = {"done": "x", "now": ">", "to_do": " ", "failed": "!", "skipped": "-"}


@chassis.command()
@click.argument("step", nargs=-1, required=True)
@json_option
@pass_session
def simulate(session: Session, step: tuple[str, ...]) -> None:
    """Do something to a simulated chassis, as in `pull 3`, `insert 3 blank`, `fan 2 fail`. Refused on a real one."""
    line = " ".join(step)

    async def work(engine: EngineClient) -> None:
        await engine.simulate(SimulatedStep(step=line))

    session.call(work)
    if session.is_json:
        print_json({"step": line})
    else:
        print_line(f"simulated: {line}")
