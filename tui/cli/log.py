"""`watchdeck log ...`: what people did and what happened, and whether the record of it is whole. Manual rows LS."""

from __future__ import annotations

from pathlib import Path

import click

from engine.client import EngineClient
from engine.wire_log import LogCategory, LogEntry, LogQuery, LogVerification
from tui.cli.alarm_export import save_table
from tui.cli.default_group import DefaultGroup
from tui.cli.output import print_json, print_line, print_table
from tui.cli.session import Session, json_option, pass_session
from tui.cli.values import WHEN, When, now_us
from widgets.format import local_time

PAGE = 1_000
NOT_WHOLE_EXIT = 1


@click.group(cls=DefaultGroup)
def log() -> None:
    """Show and check the log of operations and events; `log` alone lists it."""


@log.command("list")
@click.option(
    "--category", type=click.Choice([each.value for each in LogCategory]), help="Only operations, or events."
)
@click.option(
    "--type",
    "types",
    multiple=True,
    metavar="TYPE",
    help="Only camera.edit, or camera for all of them; may be repeated.",
)
@click.option(
    "--min-severity", type=click.Choice(["minor", "normal", "major"]), help="Only these and graver ones."
)
@click.option("--actor", metavar="USER", help="Only what this user did.")
@click.option("--source", metavar="NAME", help="Only about this camera, volume, rule ...")
@click.option("--from", "start", type=WHEN, metavar="TIME", help="From here.")
@click.option("--to", "end", type=WHEN, metavar="TIME", help="Up to here.")
@click.option("--text", default="", metavar="WORDS", help="All of which must be there.")
@click.option(
    "--limit", "-n", type=click.IntRange(1), default=100, metavar="N", help="The newest N (default: 100)."
)
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(path_type=Path, readable=False),
    metavar="FILE",
    help="Save all that fit as CSV instead of printing them.",
)
@json_option
@pass_session
def list_(
    session: Session,
    category: str | None,
    types: tuple[str, ...],
    min_severity: str | None,
    actor: str | None,
    source: str | None,
    start: When | None,
    end: When | None,
    text: str,
    limit: int,
    csv_file: Path | None,
) -> None:
    """Show the log, the oldest first."""

    def query(now: int, before: str = "", limit: int = PAGE) -> LogQuery:
        return LogQuery(
            category=category or "",
            types=types,
            min_severity=min_severity,
            actor=actor,
            source=source,
            start_us=start.time_us(now, session.zone) if start else None,
            end_us=end.time_us(now, session.zone) if end else None,
            text=text,
            before=before,
            limit=limit,
        )

    async def fetch(engine: EngineClient) -> list[LogEntry]:
        now = await now_us(engine)
        found: list[LogEntry] = []
        resume = ""
        while len(found) < limit:
            page = await engine.log(query(now, resume, min(PAGE, limit - len(found))))
            found.extend(page.entries)
            resume = page.resume
            if not resume:
                break
        return found[::-1]

    async def fetch_table(engine: EngineClient) -> bytes:
        return await engine.log_csv(query(await now_us(engine)))

    if csv_file is not None:
        save_table(session, session.call(fetch_table), csv_file)
        return
    entries = session.call(fetch)
    if session.is_json:
        print_json({"entries": entries})
        return
    print_table(
        ["TIME", "CATEGORY", "TYPE", "SEVERITY", "STATUS", "WHO", "SOURCE", "DESCRIPTION"],
        [
            [
                local_time(each.time_us, session.zone),
                each.category,
                each.type,
                each.severity,
                "success" if each.is_success else "fail",
                each.actor,
                each.source,
                each.text,
            ]
            for each in entries
        ],
    )


@log.command()
@json_option
@pass_session
def verify(session: Session) -> None:
    """Check that no operation was changed or taken out. Leaves with 1 when the chain is not whole."""

    async def work(engine: EngineClient) -> LogVerification:
        return await engine.verify_log()

    found = session.call(work)
    if session.is_json:
        print_json(found)
    elif found.is_whole:
        span = f", numbers {found.first_id} to {found.last_id}" if found.checked else ""
        print_line(f"the log is whole: {found.checked} operations{span}")
    else:
        print_line(f"THE LOG IS NOT WHOLE: {found.trouble}")
    if not found.is_whole:
        raise click.exceptions.Exit(NOT_WHOLE_EXIT)
