"""`watchdeck export ...`: exports that the engine makes, with a report, a password or masks; and their files fetched. Manual rows EX."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from pathlib import Path
from typing import Any

import click

from engine.client import EngineClient, ExportFailed, FileError, InvalidInput
from engine.wire_evidence import (
    ExportAsk,
    ExportedFile,
    ExportJobView,
    ExportPlanView,
    ExportRange,
    ExportState,
)
from tui.cli.output import print_fields, print_json, print_line, print_table
from tui.cli.passwords import password_from_file
from tui.cli.progress_line import ProgressLine
from tui.cli.saving import FileBeingSaved, Progress
from tui.cli.session import Session, json_option, pass_session
from tui.cli.values import CAMERA, WHEN, When, now_us
from tui.mask_words import EXAMPLE, NoMask, parse_mask
from widgets.format import NOTHING, clock_length, decimal_bytes, local_time, local_time_with_zone

POLL_S = 0.5
ENDED = (ExportState.DONE, ExportState.FAILED, ExportState.CANCELLED)
_FOLDER = click.Path(path_type=Path, file_okay=False, readable=False)


@click.group()
def export() -> None:
    """Exports made by the engine: several ranges, a report, a password, masks; they go on without you."""


@export.command()
@click.argument("cameras", type=CAMERA, nargs=-1, metavar="[CAMERA]...")
@click.option("--from", "start", type=WHEN, metavar="TIME", help="From here, of each camera named.")
@click.option("--to", "end", type=WHEN, metavar="TIME", help="Up to here.")
@click.option(
    "--range",
    "ranges",
    type=(CAMERA, WHEN, WHEN),
    multiple=True,
    metavar="CAMERA FROM TO",
    help="One more range; may be repeated.",
)
@click.option("--case", metavar="CASE", help="All of a case instead, with its comments.")
@click.option("--name", default="", metavar="TEXT", help="Of the export (default: camera and time).")
@click.option("--comment", default="", metavar="TEXT", help="Why: goes into the manifest and the report.")
@click.option(
    "--password-file", metavar="FILE", help="One ZIP with AES-256: the first line of this file; - is stdin."
)
@click.option("--password-prompt", is_flag=True, help="One ZIP with AES-256: the password is asked for.")
@click.option(
    "--mask",
    "masks",
    multiple=True,
    metavar="X,Y,W,H[:pixelate][@FROM..TO]",
    help="Hide a rectangle, in percent of the picture, in all ranges; may be repeated.",
)
@click.option("--no-audio", is_flag=True, help="Leave the sound out.")
@click.option("--no-report", is_flag=True, help="Of one range: the MP4 alone.")
@click.option("--dry-run", is_flag=True, help="Only say how large it would be and whether there is room.")
@click.option("--wait", is_flag=True, help="Until it has ended.")
@click.option("--fetch", "target", type=_FOLDER, metavar="FOLDER", help="Wait, then copy its files there.")
@json_option
@pass_session
def start(session: Session, /, **options: Any) -> None:
    """Begin an export; it goes on when this command has ended."""
    password = _password(options["password_file"], is_asked=options["password_prompt"])

    async def work(engine: EngineClient) -> ExportJobView | ExportPlanView:
        ask = await _ask(engine, session, options, password)
        if options["dry_run"]:
            return await engine.plan_export_job(ask)
        job = await engine.start_export_job(ask)
        if options["wait"] or options["target"] is not None:
            job = await _ended(engine, job, is_quiet=session.is_json)
        if options["target"] is not None:
            await _fetch(engine, job, options["target"], is_quiet=session.is_json)
        return job

    made = session.call(work)
    if session.is_json:
        print_json(made)
    elif isinstance(made, ExportPlanView):
        _print_plan(session, made)
    else:
        _print(session, made)


async def _ask(engine: EngineClient, session: Session, options: dict[str, Any], password: str) -> ExportAsk:
    now = await now_us(engine)
    cameras, begin, end = options["cameras"], options["start"], options["end"]
    if options["case"] and (cameras or options["ranges"] or options["masks"]):
        raise InvalidInput("--case goes without cameras, ranges and masks", "export them one after the other")
    if cameras and (begin is None or end is None):
        raise InvalidInput("cameras need --from and --to", "for example --from 14:30 --to 14:32")
    if not (options["case"] or cameras or options["ranges"]):
        raise InvalidInput("nothing to export was named", "name a camera with --from and --to, or --case")

    def meant(when: When) -> int:
        return when.time_us(now, session.zone)

    spans = [(camera, meant(begin), meant(end)) for camera in cameras]
    spans += [(camera, meant(first), meant(last)) for camera, first, last in options["ranges"]]
    for camera, first_us, last_us in spans:
        if first_us >= last_us:
            raise InvalidInput(f"the range of {camera} ends at or before its start", "exchange the two times")

    def mask_time(text: str) -> int | None:
        try:
            return When(text).time_us(spans[0][1] if spans else now, session.zone)
        except InvalidInput:
            return None

    try:
        masks = tuple(parse_mask(each, mask_time) for each in options["masks"])
    except NoMask as error:
        raise InvalidInput(str(error), f"for example {EXAMPLE}") from error
    return ExportAsk(
        ranges=tuple(
            ExportRange(camera=camera, start_us=first_us, end_us=last_us, masks=masks)
            for camera, first_us, last_us in spans
        ),
        case=options["case"] or "",
        name=options["name"],
        comment=options["comment"],
        password=password,
        with_audio=not options["no_audio"],
        with_report=not options["no_report"],
    )


def _password(file: str | None, *, is_asked: bool) -> str:
    if file is not None and is_asked:
        raise InvalidInput("--password-file and --password-prompt exclude each other", "give one of them")
    if file is not None:
        password = password_from_file(file)
        if not password:
            raise InvalidInput(f"the password file {file} is empty", "write the password into its first line")
        return password
    if not is_asked:
        return ""
    if not sys.stdin.isatty():
        raise InvalidInput("there is no terminal to ask for a password on", "give --password-file FILE")
    typed: str = click.prompt(
        "Password of the export", hide_input=True, confirmation_prompt="The same again", err=True
    )
    return typed


async def _ended(engine: EngineClient, job: ExportJobView, *, is_quiet: bool) -> ExportJobView:
    """Raises ExportFailed for one that ended without files."""
    with ProgressLine(is_quiet=is_quiet) as line:
        while job.state not in ENDED:
            line.say(job.progress, job.doing or job.state.value)
            await asyncio.sleep(POLL_S)
            job = await engine.export_job(job.id)
    if job.state is not ExportState.DONE:
        raise ExportFailed(f"export {job.name}: {job.trouble or job.state.value}", job.remedy)
    return job


async def _fetch(engine: EngineClient, job: ExportJobView, target: Path, *, is_quiet: bool) -> None:
    """Each file whole, checked against the hash in the list. Raises FileError, NotFound, Conflict."""
    _make_folder(target)
    progress = Progress(sum(file.bytes for file in job.files), is_quiet=is_quiet)
    before_bytes = 0
    try:
        for file in job.files:
            await _fetch_file(engine, job, file, target, progress, before_bytes)
            before_bytes += file.bytes
    finally:
        progress.done()


def _make_folder(target: Path) -> None:
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{target} cannot be made: {error.strerror}", "name another folder") from error


async def _fetch_file(
    engine: EngineClient,
    job: ExportJobView,
    wanted: ExportedFile,
    target: Path,
    progress: Progress,
    before_bytes: int,
) -> None:
    if "/" in wanted.name or wanted.name in ("", ".", ".."):
        raise FileError(f"no name for a file: {wanted.name!r}", "see the engine's log")
    digest = hashlib.sha256()
    async with engine.export_file(job.id, wanted.name) as stream:
        with FileBeingSaved(target / wanted.name, stream.total_bytes) as file:
            done_bytes = 0
            async for piece in stream:
                file.write(piece)
                digest.update(piece)
                done_bytes += len(piece)
                progress.at(before_bytes + done_bytes)
            if digest.hexdigest() != wanted.sha256:
                raise FileError(f"{wanted.name} is not what the engine wrote", "fetch it again")
            file.keep()


@export.command("list")
@json_option
@pass_session
def list_(session: Session) -> None:
    """List the exports, newest first."""
    jobs = session.call(lambda engine: engine.export_jobs())
    if session.is_json:
        print_json({"exports": jobs})
        return
    print_table(
        ["ID", "STATE", "NAME", "SIZE", "RANGES", "ASKED FOR", "KEPT UNTIL", "BY"],
        [
            [
                each.id[:8],
                _state(each),
                each.name,
                decimal_bytes(each.bytes if each.state is ExportState.DONE else each.total_bytes),
                str(len(each.ranges)),
                local_time(each.created_us, session.zone),
                local_time(each.expires_us, session.zone) if each.folder else NOTHING,
                each.created_by,
            ]
            for each in jobs
        ],
        right=["SIZE", "RANGES"],
    )


def _state(job: ExportJobView) -> str:
    if job.is_expired:
        return "expired"
    return f"{job.progress * 100:.0f} %" if job.state is ExportState.RUNNING else job.state.value


@export.command()
@click.argument("ref", metavar="EXPORT")
@json_option
@pass_session
def show(session: Session, ref: str) -> None:
    """Show one, by id (or its beginning), name or folder: files with their hashes, what should be known."""
    job = session.call(lambda engine: engine.export_job(ref))
    if session.is_json:
        print_json(job)
    else:
        _print(session, job)


@export.command()
@click.argument("ref", metavar="EXPORT")
@json_option
@pass_session
def cancel(session: Session, ref: str) -> None:
    """Stop one that waits or runs; nothing of it is left."""
    job = session.call(lambda engine: engine.cancel_export_job(ref))
    if session.is_json:
        print_json(job)
    else:
        print_line(f"export {job.name}: {job.state}")


@export.command()
@click.argument("refs", nargs=-1, required=True, metavar="EXPORT...")
@json_option
@pass_session
def remove(session: Session, refs: tuple[str, ...]) -> None:
    """Remove ended exports with their files."""
    if sys.stdin.isatty() and not session.is_json:
        click.confirm("Remove them with their files?", abort=True, err=True)

    async def work(engine: EngineClient) -> None:
        jobs = [await engine.export_job(ref) for ref in refs]  # a slip of the pen among them removes nothing
        for id in dict.fromkeys(job.id for job in jobs):
            await engine.remove_export_job(id)

    session.call(work)
    if session.is_json:
        print_json({"removed": refs})
    else:
        print_line(f"removed: {', '.join(refs)}")


@export.command()
@click.argument("ref", metavar="EXPORT")
@click.option(
    "-o", "--output", "target", type=_FOLDER, metavar="FOLDER", help="Where to (default: its own name, here)."
)
@json_option
@pass_session
def fetch(session: Session, ref: str, target: Path | None) -> None:
    """Copy the files of one to this machine; waits until it has ended."""

    async def work(engine: EngineClient) -> tuple[ExportJobView, Path]:
        job = await _ended(engine, await engine.export_job(ref), is_quiet=session.is_json)
        folder = target or Path(job.folder.rpartition("/")[2] or "export")
        await _fetch(engine, job, folder, is_quiet=session.is_json)
        return job, folder

    job, folder = session.call(work)
    if session.is_json:
        print_json({"folder": str(folder.absolute()), "files": job.files})
    else:
        size = decimal_bytes(sum(file.bytes for file in job.files))
        print_line(f"{folder}: {len(job.files)} files, {size}; `watchdeck verify {folder}` proves them")


def _print(session: Session, job: ExportJobView) -> None:
    print_fields(
        [
            ("export", job.id),
            ("name", job.name),
            ("state", _state(job)),
            ("case", job.case),
            ("comment", job.comment),
            ("asked for", local_time_with_zone(job.created_us, session.zone)),
            ("by", job.created_by),
            ("folder", job.folder),
            ("kept until", local_time_with_zone(job.expires_us, session.zone) if job.folder else ""),
            ("trouble", job.trouble),
            ("remedy", job.remedy),
        ]
    )
    for file in job.files:
        print_line(f"  {file.sha256}  {file.name}  {decimal_bytes(file.bytes)}")
    for note in job.notes:
        print_line(f"note: {note}")


def _print_plan(session: Session, plan: ExportPlanView) -> None:
    for each in plan.ranges:
        if each.trouble:
            print_line(f"{each.camera}: {each.trouble}")
            continue
        length = clock_length(each.end_us - each.start_us)
        size = "masked: encoded anew" if each.is_masked else decimal_bytes(each.bytes)
        gaps = len(each.parts) - 1
        holes = f", {gaps} gaps" if gaps > 1 else ", one gap" if gaps else ""
        print_line(f"{each.camera}: {local_time(each.start_us, session.zone)}, {length}, {size}{holes}")
    print_line(
        f"{decimal_bytes(plan.bytes)} to {plan.folder}, {decimal_bytes(plan.free_bytes)} may be used there"
    )
    if plan.trouble:
        print_line(plan.trouble)
