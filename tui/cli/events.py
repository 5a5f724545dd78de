"""`watchdeck events`: what happened, page by page or as it happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from engine import wire
from engine.client import EngineClient
from tui.cli.alarm_export import save_table
from tui.cli.output import plain, print_json
from tui.cli.session import Session, json_option, pass_session
from tui.cli.values import WHEN, When, now_us
from widgets.format import local_time

PAGE = 1_000
"""At most so many events in a call."""


@click.command()
@click.option("--follow", "-f", is_flag=True, help="Go on with what happens, until Ctrl-C.")
@click.option(
    "--limit",
    "-n",
    type=click.IntRange(0),
    metavar="N",
    help="The newest N (default: 100; with --follow 10).",
)
@click.option(
    "--kind", multiple=True, metavar="KIND", help="Only this kind: camera.lost, or camera for all of them."
)
@click.option("--source", metavar="NAME", help="Only about this camera, volume or group.")
@click.option(
    "--min-severity", type=click.Choice(["info", "warning", "critical"]), help="Only these and graver ones."
)
@click.option("--from", "start", type=WHEN, metavar="TIME", help="From here.")
@click.option("--to", "end", type=WHEN, metavar="TIME", help="Up to here.")
@click.option("--text", metavar="WORDS", help="All of which must be in text or source.")
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(path_type=Path, readable=False),
    metavar="FILE",
    help="Save all that fit as CSV instead of printing them.",
)
@json_option
@pass_session
def events(
    session: Session,
    follow: bool,
    limit: int | None,
    kind: tuple[str, ...],
    source: str | None,
    min_severity: str | None,
    start: When | None,
    end: When | None,
    text: str | None,
    csv_file: Path | None,
) -> None:
    """Show what happened, the oldest first.

    With --json one document, or with --follow one event a line. --follow leaves with 6 when the engine goes.
    """
    if follow and end is not None:
        raise click.UsageError("--follow has no end: leave --to out")
    if csv_file is not None and (follow or limit is not None):
        raise click.UsageError("--csv takes all that fit: leave --follow and --limit out")

    async def filters(engine: EngineClient) -> dict[str, Any]:
        now = await now_us(engine) if start or end else 0
        return {
            "kinds": kind,
            "source": source,
            "min_severity": min_severity,
            "start_us": start.time_us(now, session.zone) if start else None,
            "end_us": end.time_us(now, session.zone) if end else None,
            "text": text,
        }

    async def fetch_table(engine: EngineClient) -> bytes:
        return await engine.event_csv(**await filters(engine))

    async def work(engine: EngineClient) -> None:
        chosen = await filters(engine)
        if follow:
            await _follow(engine, session, 10 if limit is None else limit, chosen)
            return
        found = await _newest(engine, 100 if limit is None else limit, chosen)
        if session.is_json:
            print_json({"events": found})
        else:
            for event in found:
                _print_event(session, event)

    if csv_file is not None:
        save_table(session, session.call(fetch_table), csv_file)
    else:
        session.call(work)


async def _newest(engine: EngineClient, limit: int, filters: dict[str, Any]) -> list[wire.EventView]:
    """The newest `limit`, the oldest of them first."""
    found: list[wire.EventView] = []
    while len(found) < limit:
        page = await engine.events(
            limit=min(PAGE, limit - len(found)), before_id=found[-1].id if found else None, **filters
        )
        if not page:
            break
        found.extend(page)
    return found[::-1]


async def _follow(engine: EngineClient, session: Session, limit: int, filters: dict[str, Any]) -> None:
    """The stream only says that there is something new: fetching it applies the filters and misses nothing."""
    last_id: int | None = None
    async for message in engine.stream():
        match message:
            case wire.SnapshotMessage(snapshot=snapshot):
                newest_id = max((event.id for event in snapshot.events), default=0)
            case wire.EventMessage(event=event):
                newest_id = event.id
            case _:
                continue
        if last_id is None:
            for shown in await _newest(engine, limit, filters):
                _print_event(session, shown)
                newest_id = max(newest_id, shown.id)
            last_id = newest_id
        while newest_id > last_id:
            page = await engine.events(limit=PAGE, after_id=last_id, **filters)
            for shown in page:
                _print_event(session, shown)
            last_id = (
                page[-1].id if len(page) == PAGE else max(newest_id, *(each.id for each in page), last_id)
            )


def _print_event(session: Session, event: wire.EventView) -> None:
    if session.is_json:
        print_json(event)
        return
    who = f" ({event.actor})" if event.actor else ""
    source = f"{event.source}: " if event.source else ""
    times = f" ({event.count} times)" if event.count > 1 else ""
    line = f"{local_time(event.time_us, session.zone)}  {event.severity:<8}  {event.kind:<20}  {source}{event.text}{times}{who}"
    click.echo(plain(line))
