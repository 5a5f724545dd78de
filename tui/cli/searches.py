"""`watchdeck search ...` and `watchdeck activity`: where something happened in recorded footage. Manual rows SS, TH."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click
import msgspec

from engine.client import EngineClient, WatchdeckError
from engine.wire_search import ActivityView, MotionDecoding, MotionSearch, MotionSearchView, SearchState
from tui.cli.lengths import SecondsType
from tui.cli.output import print_json, print_line, print_table
from tui.cli.polygons import POLYGON, Polygon
from tui.cli.progress_line import ProgressLine
from tui.cli.session import Session, json_option, pass_session
from tui.cli.thumbnail_files import SavedThumbnails, save_thumbnails
from tui.cli.values import CAMERA, WHEN, When, stretch
from widgets.format import duration, local_time, plural

FOUND, NOT_FOUND = 0, 1
WAIT_MS = 2_000
BAR_CELLS = 50


@click.group()
def search() -> None:
    """Look through recorded footage: for motion, by pictures."""


@search.command()
@click.argument("camera", type=CAMERA)
@click.option("--from", "start", type=WHEN, default="-24h", metavar="TIME", help="From here (default: -24h).")
@click.option("--to", "end", type=WHEN, default="now", metavar="TIME", help="Up to here (default: now).")
@click.option(
    "--polygon",
    type=POLYGON,
    metavar="CORNERS",
    help="Only in this part of the picture: corners in percent, for example '10,10 90,10 90,90'.",
)
@click.option(
    "--sensitivity",
    type=click.IntRange(1, 100),
    default=50,
    metavar="N",
    help="1 for near to 100 for far scenes (default: 50); of what is decoded.",
)
@click.option(
    "--min-cells", type=click.IntRange(1, 576), default=1, metavar="N", help="Of 32 x 18 cells (default: 1)."
)
@click.option(
    "--min-length",
    type=SecondsType(0, 3_600),
    default=0,
    metavar="LENGTH",
    help="The time filter: shorter motion is left out.",
)
@click.option(
    "--join",
    type=SecondsType(0, 3_600),
    default=10,
    metavar="LENGTH",
    help="Motion that begins again within this is one (default: 10s).",
)
@click.option(
    "--decode",
    type=click.Choice([each.value for each in MotionDecoding]),
    default="auto",
    help="Look at pictures where no motion was stored (auto), never, or always.",
)
@click.option(
    "--limit", "-n", type=click.IntRange(1, 5_000), default=1_000, metavar="N", help="At most so many."
)
@json_option
@pass_session
def motion(
    session: Session,
    camera: str,
    start: When,
    end: When,
    polygon: Polygon | None,
    sensitivity: int,
    min_cells: int,
    min_length: int,
    join: int,
    decode: str,
    limit: int,
) -> int:
    """Find motion in a part of a camera's picture.

    Leaves with 0 when something was found, with 1 when nothing was.
    """

    async def work(engine: EngineClient) -> MotionSearchView:
        start_us, end_us = await stretch(engine, start, end, session.zone)
        wanted = MotionSearch(
            camera=camera,
            start_us=start_us,
            end_us=end_us,
            polygon=polygon or (),
            sensitivity=sensitivity,
            min_cells=min_cells,
            min_length_s=min_length,
            join_s=join,
            limit=limit,
            decoding=MotionDecoding(decode),
        )
        return await _watched(engine, wanted, is_quiet=session.is_json)

    found = session.call(work)
    if session.is_json:
        print_json(_document(found))
    else:
        _print_hits(session, found)
    return FOUND if found.hits else NOT_FOUND


async def _watched(engine: EngineClient, wanted: MotionSearch, *, is_quiet: bool) -> MotionSearchView:
    """The search at its end. Ctrl-C ends it in the engine, too. Raises WatchdeckError when it fails."""
    view = await engine.search_motion(wanted)
    with ProgressLine(is_quiet=is_quiet) as line:
        try:
            while view.state is SearchState.RUNNING:
                line.say(view.progress, f"{len(view.hits):,} found")
                view = await engine.motion_search(view.id, wait_ms=WAIT_MS)
        except asyncio.CancelledError:
            await _end(engine, view.id)
            raise
    if view.state is not SearchState.DONE:
        raise WatchdeckError(
            f"the search came to no end: {view.trouble or view.state.value}",
            "begin it again, or a shorter one",
        )
    return view


async def _end(engine: EngineClient, id: str) -> None:
    try:
        await engine.cancel_motion_search(id)
    except WatchdeckError:
        return  # the engine forgets it by itself


def _document(found: MotionSearchView) -> dict[str, Any]:
    """For JSON: a length is no time."""
    document: dict[str, Any] = msgspec.to_builtins(found)
    document["unseen_s"] = document.pop("unseen_us") / 1_000_000
    return document


def _print_hits(session: Session, found: MotionSearchView) -> None:
    print_table(
        ["START", "LENGTH", "MOST AT", "CELLS"],
        [
            [
                local_time(hit.start_us, session.zone),
                duration(hit.end_us - hit.start_us),
                local_time(hit.peak_us, session.zone),
                str(hit.peak_cells),
            ]
            for hit in found.hits
        ],
        right=["CELLS"],
    )
    words = [f"{len(found.hits):,} found in {found.stored_looks + found.decoded_looks:,} moments"]
    if found.decoded_looks:
        words.append(f"{found.decoded_looks:,} of them decoded")
    if found.is_cut:
        words.append("there are more (--limit)")
    if found.unseen_us:
        words.append(f"{duration(found.unseen_us)} of recordings not looked at")
    click.echo(", ".join(words), err=True)


@search.command()
@click.argument("camera", type=CAMERA)
@click.option("--from", "start", type=WHEN, required=True, metavar="TIME", help="From here.")
@click.option("--to", "end", type=WHEN, required=True, metavar="TIME", help="Up to here.")
@click.option(
    "--every",
    type=SecondsType(1, 86_400),
    default=60,
    metavar="LENGTH",
    help="A picture so often (default: 60s).",
)
@click.option(
    "--width",
    type=click.IntRange(16, 16_384),
    default=640,
    metavar="PX",
    help="At most so wide (default: 640).",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, readable=False),
    required=True,
    metavar="FOLDER",
    help="Where to; it is made. Files of the same names are replaced.",
)
@json_option
@pass_session
def thumbnails(
    session: Session, camera: str, start: When, end: When, every: int, width: int, output: Path
) -> int:
    """Save pictures over a stretch of time as JPEG files, with an index page.

    Leaves with 0 when there were pictures, with 1 when nothing is recorded.
    """

    async def work(engine: EngineClient) -> SavedThumbnails:
        start_us, end_us = await stretch(engine, start, end, session.zone)
        with ProgressLine(is_quiet=session.is_json) as line:
            return await save_thumbnails(
                engine,
                camera,
                (start_us, end_us),
                every * 1_000_000,
                width,
                output,
                session.zone,
                on_progress=lambda done, total: line.say(done / total, f"{done:,} of {total:,} pictures"),
            )

    saved = session.call(work)
    if session.is_json:
        print_json(saved.document())
    else:
        print_line(f"{output}: {plural(len(saved.pictures), 'picture')}, {saved.index.name}")
        for each in saved.missing:
            click.echo(f"  {local_time(each.time_us, session.zone)}  {each.reason}", err=True)
    return FOUND if saved.pictures else NOT_FOUND


@click.command()
@click.argument("camera", type=CAMERA)
@click.option("--from", "start", type=WHEN, default="-24h", metavar="TIME", help="From here (default: -24h).")
@click.option("--to", "end", type=WHEN, default="now", metavar="TIME", help="Up to here (default: now).")
@click.option("--bins", type=click.IntRange(1, 2_000), default=24, metavar="N", help="Lines (default: 24).")
@json_option
@pass_session
def activity(session: Session, camera: str, start: When, end: When, bins: int) -> None:
    """Show how much went on, as bars: from stored motion, elsewhere from the size of pictures."""

    async def work(engine: EngineClient) -> ActivityView:
        return await engine.activity(camera, *await stretch(engine, start, end, session.zone), bins)

    view = session.call(work)
    if session.is_json:
        print_json(view)
        return
    span_us = view.end_us - view.start_us
    for index, value in enumerate(view.bins):
        time = local_time(view.start_us + span_us * index // len(view.bins), session.zone)
        if value < 0:
            print_line(f"{time}    -  nothing recorded")
            continue
        sign = "#" if view.seen[index] else "."
        bar = sign * max(round(value * BAR_CELLS / 100), 1 if value else 0)
        print_line(f"{time}  {value:3}  {bar}".rstrip())
    print_line("# from stored motion   . from the size of pictures")
