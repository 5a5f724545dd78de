"""`watchdeck camera analytics ...` and `camera io`: a camera's own events by ONVIF, motion looked for in its pictures here, and what it can be told."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from engine.client import EngineClient, FileError
from engine.wire_sources import AnalyticsView, CameraIo
from tui.cli.output import print_fields, print_json, print_line
from tui.cli.passwords import refuse_credentials
from tui.cli.session import Session, json_option, pass_session
from tui.cli.values import CAMERA
from widgets.format import local_time_with_zone

MASK_LIMIT_BYTES = 10_000


@click.group()
def analytics() -> None:
    """Show and change what is done with a camera's events and pictures besides recording."""


@analytics.command()
@click.argument("camera", type=CAMERA)
@json_option
@pass_session
def show(session: Session, camera: str) -> None:
    """Show whether a camera's ONVIF events are taken and motion is looked for, and how it goes."""

    async def work(engine: EngineClient) -> AnalyticsView:
        return await engine.analytics(camera)

    _print_view(session, session.call(work))


@click.command("io")
@click.argument("camera", type=CAMERA)
@json_option
@pass_session
def io_(session: Session, camera: str) -> None:
    """Show the presets, outputs and inputs of a camera, asked of it now by ONVIF: what an alarm's actions may name."""

    async def work(engine: EngineClient) -> CameraIo:
        return await engine.camera_io(camera)

    found = session.call(work)
    if session.is_json:
        print_json(found)
        return
    print_fields(
        [
            ("presets", ", ".join(f"{token} ({name})" if name else token for token, name in found.presets)),
            ("outputs", ", ".join(found.outputs)),
            ("inputs", ", ".join(found.inputs)),
        ]
    )


def _print_view(session: Session, view: AnalyticsView) -> None:
    if session.is_json:
        print_json(view)
        return
    settings = view.settings
    last = local_time_with_zone(view.last_motion_us, session.zone) if view.last_motion_us else ""
    print_fields(
        [
            ("camera", view.camera),
            ("ONVIF events", view.onvif_state),
            ("trouble", view.onvif_trouble),
            ("address", settings.onvif_url),
            ("kinds", ", ".join(view.topics)),
            ("motion", view.motion_state),
            (
                "sensitivity",
                f"{settings.sensitivity}, from {settings.min_cells} cells" if settings.motion else "",
            ),
            ("last motion", last),
            ("for searches", view.index_state),
            ("looked at", f"every {view.look_every_s:g} s" if view.look_every_s else ""),
        ]
    )
    if settings.mask:
        print_line()
        for row in settings.mask:
            print_line(row)


@analytics.command("set")
@click.argument("camera", type=CAMERA)
@click.option("--onvif/--no-onvif", default=None, help="Take its own events by ONVIF.")
@click.option(
    "--onvif-url",
    metavar="URL",
    help="Of its device service, where it is not the usual one; '' = the usual one.",
)
@click.option(
    "--onvif-verify-tls/--no-onvif-verify-tls", default=None, help="Check the certificate of an https URL."
)
@click.option("--motion/--no-motion", default=None, help="Look for motion in its pictures, here.")
@click.option(
    "--motion-index/--no-motion-index",
    default=None,
    help="Keep what moved where while recording, for motion searches and the timeline.",
)
@click.option("--sensitivity", type=click.IntRange(1, 100), metavar="1-100", help="Of motion (50).")
@click.option(
    "--min-cells",
    type=click.IntRange(1, 576),
    metavar="N",
    help="So many of the 32 x 18 cells must change (4).",
)
@click.option(
    "--mask",
    metavar="FILE|-|none",
    help="18 rows of 32 `x` (looked at) or `.` (not) from FILE or stdin; none = look at all.",
)
@json_option
@pass_session
def set_(session: Session, /, camera: str, mask: str | None, **options: Any) -> None:
    """Change what is given. The user and password of the camera are used for ONVIF too."""
    if options["onvif_url"]:
        refuse_credentials(options["onvif_url"])
    fields = {name: value for name, value in options.items() if value is not None}
    if mask is not None:
        fields["mask"] = () if mask == "none" else _mask(mask)
    if not fields:
        raise click.UsageError("nothing to change: give an option")

    async def work(engine: EngineClient) -> AnalyticsView:
        before = (await engine.analytics(camera)).settings
        return await engine.edit_analytics(camera, msgspec.structs.replace(before, **fields))

    _print_view(session, session.call(work))


def _mask(name: str) -> tuple[str, ...]:
    """Raises FileError."""
    try:
        if name == "-":
            content = sys.stdin.buffer.read(MASK_LIMIT_BYTES)
        else:
            with Path(name).open("rb") as file:
                content = file.read(MASK_LIMIT_BYTES)
        return tuple(line.strip() for line in content.decode("ascii").splitlines() if line.strip())
    except OSError as error:
        raise FileError(f"the mask {name} cannot be read: {error.strerror}", "check its path") from error
    except UnicodeDecodeError as error:
        raise FileError(f"the mask {name} is no plain text", "18 rows of 32 `x` or `.`") from error
