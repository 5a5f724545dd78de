"""`watchdeck link ...`: addresses from which a player on another machine takes full-rate video for a while."""

from __future__ import annotations

import os
import socket

import click

from engine.client import EngineClient
from engine.wire_links import VideoLink, VideoLinkAsk
from tui.cli.default_group import DefaultGroup
from tui.cli.output import print_json, print_line, print_table
from tui.cli.session import Session, json_option, pass_session
from tui.cli.values import WHEN, When, now_us
from tui.paste_line import paste_lines
from widgets.format import local_time


@click.group(cls=DefaultGroup)
def link() -> None:
    """Addresses for players on other machines; `link` alone lists them."""


@link.command("add")
@click.argument("camera")
@click.option("--from", "start", type=WHEN, metavar="TIME", help="A recorded clip from here; else live.")
@click.option("--to", "end", type=WHEN, metavar="TIME", help="Up to here.")
@click.option(
    "--minutes",
    type=click.IntRange(1, 1_440),
    default=10,
    metavar="N",
    help="How long it opens (default: 10).",
)
@click.option("--host", default="", metavar="NAME", help="How the player's machine calls this one.")
@json_option
@pass_session
def add(session: Session, camera: str, start: When | None, end: When | None, minutes: int, host: str) -> None:
    """Open an address for mpv, VLC or a browser, live or for a recorded clip."""

    async def work(engine: EngineClient) -> VideoLink:
        now = await now_us(engine) if start or end else 0
        return await engine.add_video_link(
            VideoLinkAsk(
                camera=camera,
                start_us=start.time_us(now, session.zone) if start else None,
                end_us=end.time_us(now, session.zone) if end else None,
                minutes=minutes,
                host=host,
            )
        )

    made = session.call(work)
    lines = paste_lines(made, os.environ, socket.gethostname(), minutes * 60)
    if session.is_json:
        print_json({"video_link": made, "commands": {each.label: each.text for each in lines}})
        return
    print_line(f"link {made.id}, until {local_time(made.expires_us, session.zone)}; on your own machine:")
    for each in lines:
        print_line(f"{each.label + ':':9}{each.text}")


@link.command("list")
@json_option
@pass_session
def list_(session: Session) -> None:
    """List the addresses that are open; those of others without the secret in them."""

    async def work(engine: EngineClient) -> tuple[VideoLink, ...]:
        return await engine.video_links()

    found = session.call(work)
    if session.is_json:
        print_json({"links": found})
        return
    print_table(
        ["ID", "CAMERA", "SHOWS", "UNTIL", "PLAYERS", "BY", "ADDRESS"],
        [
            [
                each.id,
                each.camera,
                "live" if each.start_us is None else local_time(each.start_us, session.zone),
                local_time(each.expires_us, session.zone),
                str(each.players),
                each.created_by,
                each.rtsp_url or each.http_url,
            ]
            for each in found
        ],
    )


@link.command()
@click.argument("id")
@json_option
@pass_session
def remove(session: Session, id: str) -> None:
    """Close an address; whoever watches is cut off."""

    async def work(engine: EngineClient) -> None:
        await engine.remove_video_link(id)

    session.call(work)
    if session.is_json:
        print_json({"removed": id})
    else:
        print_line(f"link {id} closed")
