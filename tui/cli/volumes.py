"""`watchdeck volume ...`: where recordings lie."""

from __future__ import annotations

import os

import click

from engine import wire
from engine.client import EngineClient
from tui.cli.cameras import confirm
from tui.cli.output import print_json, print_line, print_table
from tui.cli.session import Session, json_option, pass_session
from tui.cli.values import GROUP, SIZE, VOLUME
from widgets.format import bit_rate, decimal_bytes


@click.group()
def volume() -> None:
    """Add, list and remove volumes."""


@volume.command()
@click.argument("name")
@click.argument("path")
@click.option("--group", type=GROUP, default="main", metavar="GROUP", help="Recording group (default: main).")
@click.option(
    "--floor",
    type=SIZE,
    metavar="SIZE",
    help="Free space that recording leaves alone, for example 50G (default: by the size of the file system).",
)
@click.option(
    "--allow-system-disk", is_flag=True, help="Accept a folder on the file system that holds the system."
)
@json_option
@pass_session
def add(
    session: Session, name: str, path: str, group: str, floor: int | None, allow_system_disk: bool
) -> None:
    """Make the folder PATH (a mount point, as a rule) a volume; recording on it begins at once."""
    request = wire.VolumeAdd(
        name=name,
        path=os.path.abspath(path),
        group=group,
        floor_bytes=floor,
        allow_system_disk=allow_system_disk,
    )

    async def work(engine: EngineClient) -> wire.VolumeView:
        return await engine.add_volume(request)

    added = session.call(work)
    if session.is_json:
        print_json(added)
    else:
        print_line(
            f"volume {added.name} added to group {added.group}: {decimal_bytes(added.free_bytes)} free,"
            f" {decimal_bytes(added.floor_bytes)} are left alone"
        )


@volume.command("list")
@json_option
@pass_session
def list_(session: Session) -> None:
    """List all volumes with their state and room."""

    async def work(engine: EngineClient) -> tuple[wire.VolumeView, ...]:
        return await engine.volumes()

    volumes = session.call(work)
    if session.is_json:
        print_json({"volumes": volumes})
        return
    print_table(
        ["NAME", "GROUP", "STATE", "USED", "FREE", "OF", "FLOOR", "RATE", "PATH", "CAUSE"],
        [
            [
                each.name,
                each.group,
                each.state,
                decimal_bytes(each.used_bytes),
                decimal_bytes(each.free_bytes),
                decimal_bytes(each.total_bytes),
                decimal_bytes(each.floor_bytes),
                bit_rate(each.write_bps),
                each.path,
                each.cause,
            ]
            for each in volumes
        ],
        right=["USED", "FREE", "OF", "FLOOR", "RATE"],
    )


@volume.command()
@click.argument("volume", type=VOLUME)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_session
def remove(session: Session, volume: str, yes: bool) -> None:
    """Stop recording on a volume and forget it; its files stay, and adding it again brings them back."""
    confirm(session, f"Remove volume {volume}?", yes)

    async def work(engine: EngineClient) -> None:
        await engine.remove_volume(volume)

    session.call(work)
    if session.is_json:
        print_json({"removed": volume})
    else:
        print_line(f"volume {volume} removed; its files are untouched")
