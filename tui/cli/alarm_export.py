"""`watchdeck alarm export`: the list as CSV, or the clips of alarms as MP4 files. Manual rows AL-15, AL-16."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from engine.client import EngineClient, InvalidInput, NotFound, WatchdeckError
from engine.wire_alarms import AlarmDetail, AlarmFilter
from tui.cli.alarm_filters import Given, as_query, filter_options
from tui.cli.cameras import confirm
from tui.cli.output import print_error, print_json, print_line
from tui.cli.saving import FileBeingSaved, save_export
from tui.cli.session import Session, json_option, pass_session
from widgets.format import decimal_bytes, local_datetime, plural

PAGE = 1_000
LONGEST_US = 24 * 3_600 * 1_000_000
"""Of one export."""
ASKS_FROM = 20
"""Clips."""


@click.command()
@click.argument("ids", type=click.IntRange(1), nargs=-1, metavar="[ID]...")
@filter_options
@click.option("--video", is_flag=True, help="The clips from before to after the events, instead of the list.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, readable=False),
    required=True,
    metavar="PATH",
    help="The CSV file; with --video the folder for the clips.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_session
def export(
    session: Session, /, ids: tuple[int, ...], video: bool, output: Path, yes: bool, **options: Any
) -> None:
    """Save the alarm list as CSV, or with --video the clips of alarms, one MP4 each.

    Alarms by number (--video only) or by filters; without any, those that are new or in progress. Clips begin before the
    first and end after the last event, as the rule records. What cannot be saved is said, and the rest is saved all the same.
    """
    given = Given(session, options)
    if ids and (given.is_any or not video):
        raise click.UsageError(
            "give numbers of alarms or filters, not both"
            if video
            else "numbers choose clips: give --video, or filters for the list"
        )
    if video:
        _export_clips(session, ids, given, output, is_sure=yes)
    else:
        _export_list(session, given, output)


def _export_list(session: Session, given: Given, output: Path) -> None:
    async def work(engine: EngineClient) -> bytes:
        return await engine.alarm_csv(await given.filter(engine))

    save_table(session, session.call(work), output)


def save_table(session: Session, data: bytes, output: Path) -> None:
    """A CSV file from the engine, and what it holds."""
    with FileBeingSaved(output, len(data)) as file:
        file.write(data)
        file.keep()
    if session.is_json:
        print_json({"path": str(output.absolute()), "bytes": len(data)})
    else:
        print_line(f"{output}: {decimal_bytes(len(data))}")


def _export_clips(
    session: Session, ids: tuple[int, ...], given: Given, folder: Path, *, is_sure: bool
) -> None:
    if not os.path.isdir(folder):  # `Path` raises for one that may not be looked at
        raise InvalidInput(f"{folder} is no folder", "name one that exists with -o")
    saved: list[dict[str, Any]] = []
    failed: list[tuple[int, WatchdeckError]] = []

    async def work(engine: EngineClient) -> None:
        chosen = list(ids) or await _ids(engine, await given.filter(engine))
        if len(chosen) >= ASKS_FROM:
            confirm(session, f"Save the clips of {plural(len(chosen), 'alarm')}?", is_sure)
        for id in chosen:
            try:
                detail = await engine.alarm(id)
                for path, start_us, end_us in _clips(session, detail, folder):
                    clip = await save_export(
                        engine, detail.alarm.camera, start_us, end_us, path, is_quiet=session.is_json
                    )
                    saved.append({"alarm": id, **clip})
                    if not session.is_json:
                        print_line(f"{path}: {decimal_bytes(clip['bytes'])}, {detail.alarm.rule}")
            except WatchdeckError as error:
                failed.append((id, error))

    session.call(work)
    if session.is_json:
        failures = [{"alarm": id, "code": error.code, "what": error.what} for id, error in failed]
        print_json({"saved": saved, "failed": failures})
    for id, error in failed:
        if not session.is_json:
            print_error(type(error)(f"alarm {id}: {error.what}", error.remedy), is_json=False)
    if failed:
        raise click.exceptions.Exit(failed[0][1].exit_code)


async def _ids(engine: EngineClient, chosen: AlarmFilter) -> list[int]:
    """Of alarms about a camera."""
    found: list[int] = []
    offset = 0
    while True:
        page = await engine.alarms(as_query(chosen, offset=offset, limit=PAGE))
        found.extend(alarm.id for alarm in page.alarms if alarm.camera)
        offset += len(page.alarms)
        if offset >= page.total or not page.alarms:
            return found


def _clips(session: Session, detail: AlarmDetail, folder: Path) -> Iterator[tuple[Path, int, int]]:
    """File, start and end of each: an alarm that went on for days is cut into days."""
    alarm = detail.alarm
    if not alarm.camera:
        raise NotFound("it is not about a camera, so there is no clip")
    camera = re.sub(r"[^\w.-]+", "_", alarm.camera)
    start_us = detail.clip_start_us
    while start_us < detail.clip_end_us:
        end_us = min(start_us + LONGEST_US, detail.clip_end_us)
        begin = local_datetime(start_us, session.zone)
        yield folder / f"alarm-{alarm.id}-{camera}-{begin:%Y%m%d-%H%M%S}.mp4", start_us, end_us
        start_us = end_us
