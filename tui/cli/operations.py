"""Plan, show, ask, run: how every command that changes drives or arrays goes, with the same plan as the console's.

`--dry-run` stops after the plan. What erases something wants a word typed; scripts give it with --confirm, because `--yes`
alone would not show that they know which drive they mean.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from engine.client import EngineClient, InvalidInput, OperationRefused, WatchdeckError
from engine.wire_chassis import (
    ChassisOperation,
    ChassisView,
    JobState,
    JobView,
    OperationDone,
    OperationPlan,
    OperationRun,
)
from tui.cli.output import print_json, print_line
from tui.cli.session import Session
from widgets.format import decimal_bytes, local_date

F = TypeVar("F", bound=Callable[..., Any])
JOB_POLL_S = 1.0
_ENDED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


def plan_options(command: F) -> F:
    """`--dry-run`, `--confirm`, `--yes`."""
    for option in (
        click.option("--yes", "is_sure", is_flag=True, help="Do not ask where nothing is lost."),
        click.option(
            "--confirm", "word", metavar="WORD", help="The word that the plan asks for, for scripts."
        ),
        click.option(
            "--dry-run", "is_dry", is_flag=True, help="Show the plan with its commands; change nothing."
        ),
    ):
        command = option(command)
    return command


def carry_out(
    session: Session,
    make: Callable[[ChassisView], ChassisOperation],
    *,
    is_dry: bool,
    word: str | None,
    is_sure: bool,
    is_waiting: bool = False,
) -> None:
    """The whole way of one operation. `make` finds the drives in what the engine says of the box. Raises WatchdeckError."""

    async def look(engine: EngineClient) -> OperationPlan:
        return await engine.plan_operation(make(await engine.chassis()))

    plan = session.call(look)
    if is_dry:
        show_plan(session, plan)
        return
    if plan.refused:
        raise OperationRefused(plan.refused, plan.refused_remedy)
    confirmation = _confirmed(session, plan, word, is_sure)

    async def work(engine: EngineClient) -> tuple[OperationDone, JobView | None]:
        done = await engine.run_operation(
            OperationRun(operation=plan.operation, fingerprint=plan.fingerprint, confirmation=confirmation)
        )
        if not done.job:
            return done, None
        return done, await (
            follow_job(session, engine, done.job) if is_waiting else engine.chassis_job(done.job)
        )

    done, job = session.call(work)
    if session.is_json:
        print_json({"done": done, "job": job})
    else:
        print_line(done.text)
        if job is not None and not is_waiting:
            print_line(f"it goes on as job {job.id}: watchdeck chassis job {job.id}")
    if job is not None and job.state is JobState.FAILED:
        raise WatchdeckError(f"{job.title} failed: {job.result}", f"see watchdeck chassis job {job.id}")


def _confirmed(session: Session, plan: OperationPlan, word: str | None, is_sure: bool) -> str:
    """What was typed. Raises InvalidInput when a word is needed and none can be asked for, click.Abort on a no."""
    if word is not None:
        return word
    can_ask = sys.stdin.isatty() and not session.is_json
    if not plan.confirmation:
        if can_ask and not is_sure:
            show_plan(session, plan)
            click.confirm("Go on?", abort=True, err=True)
        return ""
    if not can_ask:
        raise InvalidInput(
            f"{plan.title}: this needs a confirmation",
            f"look at --dry-run, then give --confirm {plan.confirmation!r}",
        )
    show_plan(session, plan)
    typed = click.prompt(f"Type {plan.confirmation} to go on", default="", show_default=False, err=True)
    if typed != plan.confirmation:
        raise click.Abort
    return str(typed)


def show_plan(session: Session, plan: OperationPlan) -> None:
    """What would happen, in the order in which a person wants to know."""
    if session.is_json:
        print_json(plan)
        return
    print_line(plan.title)
    if plan.refused:
        print_line(f"REFUSED: {plan.refused}")
        if plan.refused_remedy:
            print_line(f"  {plan.refused_remedy}")
    radius = plan.radius
    _section("Erases", radius.erases)
    _section("At risk" if radius.erases else "At risk meanwhile", radius.at_risk)
    cameras = [
        f"{each.camera}: {decimal_bytes(each.bytes)}, {local_date(each.from_us, session.zone)} to"
        f" {local_date(each.to_us, session.zone)}"
        + (f", {decimal_bytes(each.locked_bytes)} locked" if each.locked_bytes else "")
        + ("; " if radius.erases else "; should it be lost: ")
        + (f"goes on recording on {each.other_volume}" if each.other_volume else "records NOWHERE then")
        for each in radius.cameras
    ]
    _section(f"Recordings {'erased' if radius.erases else 'at risk meanwhile'}", cameras)
    if radius.locked_bytes:
        print_line(
            f"LOCKED EVIDENCE: {decimal_bytes(radius.locked_bytes)} of {decimal_bytes(radius.footage_bytes)}"
        )
    _section("Mind", radius.warnings)
    _section(
        "Commands", [f"{each.text}{f'    # {each.note}' if each.note else ''}" for each in plan.commands]
    )


def _section(title: str, lines: tuple[str, ...] | list[str]) -> None:
    if lines:
        print_line(f"{title}:")
        for line in lines:
            print_line(f"  {line}")


async def follow_job(session: Session, engine: EngineClient, id: str) -> JobView:
    """Until it ends or waits for a person; each new step is a line."""
    said = ""
    while True:
        job = await engine.chassis_job(id)
        now = next((step for step in job.steps if step.state == "now"), None)
        line = job.needs or (f"{now.title}{f': {now.detail}' if now.detail else ''}" if now else "")
        if line and line != said and not session.is_json:
            print_line(f"  {line}")
            said = line
        if job.state in _ENDED or job.state is JobState.WAITING:
            return job
        await asyncio.sleep(JOB_POLL_S)
