"""`watchdeck recording ...` and `watchdeck snapshot`: what is on disk, what is not, and taking it away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from engine import wire
from engine.client import EngineClient, NotFound
from tui.cli.output import iso_time, print_json, print_line, print_table
from tui.cli.saving import FileBeingSaved, save_export
from tui.cli.session import Session, json_option, pass_session
from tui.cli.values import CAMERA, WHEN, When, now_us, stretch
from widgets.format import (
    NOTHING,
    clock_length,
    decimal_bytes,
    duration,
    local_time,
    local_time_with_zone,
    plural,
)

F = TypeVar("F", bound=Callable[..., Any])


@click.group()
def recording() -> None:
    """List, lock and export recordings; list what is missing."""


def _stretch_options(command: F) -> F:
    for option in (
        click.option(
            "--to", "end", type=WHEN, default="now", metavar="TIME", help="Up to here (default: now)."
        ),
        click.option(
            "--from", "start", type=WHEN, default="-24h", metavar="TIME", help="From here (default: -24h)."
        ),
        click.option("--camera", type=CAMERA, metavar="CAMERA", help="Only of this camera."),
    ):
        command = option(command)
    return command


def _required_stretch(command: F) -> F:
    for option in (
        click.option("--to", "end", type=WHEN, required=True, metavar="TIME", help="Up to here."),
        click.option("--from", "start", type=WHEN, required=True, metavar="TIME", help="From here."),
    ):
        command = option(command)
    return command


@recording.command("list")
@_stretch_options
@json_option
@pass_session
def list_(session: Session, camera: str | None, start: When, end: When) -> None:
    """List the segments that hold footage of a stretch of time."""

    async def work(engine: EngineClient) -> tuple[wire.RecordingView, ...]:
        return await engine.recordings(camera, *await stretch(engine, start, end, session.zone))

    recordings = session.call(work)
    if session.is_json:
        print_json({"recordings": recordings})
        return
    print_table(
        ["CAMERA", "START", "LENGTH", "SIZE", "FLAGS", "PATH"],
        [
            [
                each.camera,
                local_time(each.start_us, session.zone),
                clock_length(each.end_us - each.start_us),
                decimal_bytes(each.bytes),
                ", ".join(_flags(each)),
                each.path,
            ]
            for each in recordings
        ],
        right=["LENGTH", "SIZE"],
    )


def _flags(view: wire.RecordingView) -> list[str]:
    flags = (("open", view.is_open), ("locked", view.is_locked), ("recovered", view.is_recovered))
    return [name for name, is_set in flags if is_set]


@recording.command()
@_stretch_options
@json_option
@pass_session
def gaps(session: Session, camera: str | None, start: When, end: When) -> None:
    """List what was expected and is not on disk, with its cause."""

    async def work(engine: EngineClient) -> tuple[wire.GapView, ...]:
        return await engine.gaps(camera, *await stretch(engine, start, end, session.zone))

    found = session.call(work)
    if session.is_json:
        print_json({"gaps": found})
        return
    print_table(
        ["CAMERA", "START", "END", "LENGTH", "CAUSE", "DETAIL"],
        [
            [
                each.camera,
                local_time(each.start_us, session.zone),
                local_time(each.end_us, session.zone) if each.end_us else "goes on",
                duration(each.end_us - each.start_us) if each.end_us else NOTHING,
                each.cause,
                each.detail,
            ]
            for each in found
        ],
    )


@recording.command()
@click.argument("camera", type=CAMERA)
@_required_stretch
@click.option("--reason", default="", metavar="TEXT", help="Why; shown with the lock.")
@click.option("--expires", type=WHEN, metavar="TIME", help="The lock ends by itself then, for example +30d.")
@json_option
@pass_session
def lock(session: Session, camera: str, start: When, end: When, reason: str, expires: When | None) -> None:
    """Protect a stretch of a camera from being recycled; it may reach into the future."""

    async def work(engine: EngineClient) -> wire.LockView:
        start_us, end_us = await stretch(engine, start, end, session.zone)
        expires_us = None if expires is None else expires.time_us(await now_us(engine), session.zone)
        return await engine.add_lock(
            wire.LockAdd(
                camera=camera, start_us=start_us, end_us=end_us, reason=reason, expires_us=expires_us
            )
        )

    added = session.call(work)
    if session.is_json:
        print_json(added)
    else:
        print_line(f"lock {added.id}: {added.camera}, {_from_to(session, added.start_us, added.end_us)}")


@recording.command()
@click.argument("lock_ids", type=int, nargs=-1, required=True, metavar="ID...")
@json_option
@pass_session
def unlock(session: Session, lock_ids: tuple[int, ...]) -> None:
    """Release locks by the numbers that `recording locks` shows."""

    async def work(engine: EngineClient) -> None:
        there = {lock.id for lock in await engine.locks()}
        for lock_id in lock_ids:  # a slip of the pen among them releases nothing
            if lock_id not in there:
                raise NotFound(f"no lock {lock_id}", "`watchdeck recording locks` shows all")
        for lock_id in dict.fromkeys(lock_ids):
            await engine.remove_lock(lock_id)

    session.call(work)
    if session.is_json:
        print_json({"removed": lock_ids})
    else:
        print_line(f"released: {', '.join(map(str, lock_ids))}")


@recording.command()
@click.option("--camera", type=CAMERA, metavar="CAMERA", help="Only of this camera.")
@click.option("--from", "start", type=WHEN, metavar="TIME", help="That reach behind this time.")
@click.option("--to", "end", type=WHEN, metavar="TIME", help="That begin before this time.")
@json_option
@pass_session
def locks(session: Session, camera: str | None, start: When | None, end: When | None) -> None:
    """List the stretches that are never recycled."""

    async def work(engine: EngineClient) -> tuple[wire.LockView, ...]:
        now = await now_us(engine) if start or end else 0
        return await engine.locks(
            camera,
            start.time_us(now, session.zone) if start else None,
            end.time_us(now, session.zone) if end else None,
        )

    found = session.call(work)
    if session.is_json:
        print_json({"locks": found})
        return
    print_table(
        ["ID", "CAMERA", "START", "END", "BY", "EXPIRES", "REASON"],
        [
            [
                str(each.id),
                each.camera,
                local_time(each.start_us, session.zone),
                local_time(each.end_us, session.zone),
                each.created_by,
                local_time(each.expires_us, session.zone) if each.expires_us else "never",
                each.reason,
            ]
            for each in found
        ],
        right=["ID"],
    )


@recording.command()
@click.argument("camera", type=CAMERA)
@_required_stretch
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, readable=False),
    required=True,
    metavar="FILE.mp4",
    help="The file; one that exists is replaced when the export is complete.",
)
@json_option
@pass_session
def export(session: Session, camera: str, start: When, end: When, output: Path) -> None:
    """Save a stretch of a camera as one MP4: nothing is encoded again, and it begins on the keyframe before --from."""

    async def work(engine: EngineClient) -> dict[str, Any]:
        start_us, end_us = await stretch(engine, start, end, session.zone)
        return await save_export(engine, camera, start_us, end_us, output, is_quiet=session.is_json)

    saved = session.call(work)
    if session.is_json:
        print_json(saved)
        return
    stretch_text = _from_to(session, saved["start_us"], saved["end_us"])
    print_line(f"{output}: {decimal_bytes(saved['bytes'])}, {stretch_text}")
    if len(saved["parts"]) > 1:
        print_line(
            f"  with {plural(len(saved['parts']) - 1, 'gap')} inside: `watchdeck recording gaps` tells why"
        )


@click.command()
@click.argument("camera", type=CAMERA)
@click.option("--at", type=WHEN, metavar="TIME", help="From the recordings; without it, live.")
@click.option("--width", type=click.IntRange(16, 16_384), metavar="PX", help="Scale down to this width.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, readable=False),
    required=True,
    metavar="FILE.jpg",
    help="The file; one that exists is replaced.",
)
@json_option
@pass_session
def snapshot(session: Session, camera: str, at: When | None, width: int | None, output: Path) -> None:
    """Save one picture of a camera as JPEG: the newest keyframe, or the one at or before --at."""

    async def work(engine: EngineClient) -> wire.PictureReply:
        at_us = None if at is None else at.time_us(await now_us(engine), session.zone)
        return await engine.picture(wire.PictureRequest(camera=camera, at_us=at_us, width_px=width or 0))

    picture = session.call(work)
    with FileBeingSaved(output, len(picture.data)) as file:
        file.write(picture.data)
        file.keep()
    if session.is_json:
        print_json(
            {
                "camera": picture.camera,
                "time": iso_time(picture.time_us),
                "width_px": picture.width_px,
                "height_px": picture.height_px,
                "bytes": len(picture.data),
                "path": str(output.absolute()),
            }
        )
    else:
        print_line(f"{output}: {picture.camera}, {local_time_with_zone(picture.time_us, session.zone)}")


def _from_to(session: Session, start_us: int, end_us: int) -> str:
    start, end = (local_time_with_zone(time_us, session.zone) for time_us in (start_us, end_us))
    return f"{start} to {end}"
