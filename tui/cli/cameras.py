"""`watchdeck camera ...`: what the station records from."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from engine import wire
from engine.client import EngineClient, InvalidInput, WatchdeckError, error_classes
from tui.cli.camera_analytics import analytics, io_
from tui.cli.lengths import AROUND_EVENT
from tui.cli.output import print_fields, print_json, print_line, print_table
from tui.cli.passwords import asked_password, password_from_file, refuse_credentials
from tui.cli.schedules import schedule_of, schedule_text
from tui.cli.session import Session, json_option, pass_session
from tui.cli.values import CAMERA, GROUP
from widgets.format import bit_rate, frame_rate, local_time_with_zone, resolution

F = TypeVar("F", bound=Callable[..., Any])

TRANSPORTS = ("auto", "tcp", "udp")
MODES = ("continuous", "schedule", "events", "off")


@click.group()
def camera() -> None:
    """Add, change, test and remove cameras."""


camera.add_command(analytics)
camera.add_command(io_)


def _shared_options(command: F) -> F:
    """Of `add` and `edit`."""
    for option in reversed(
        [
            click.option("--user", metavar="NAME", help="User name at the camera."),
            click.option(
                "--password-file",
                metavar="FILE|-",
                help="Take the password from the first line of FILE, or of stdin (-).",
            ),
            click.option("--no-password", is_flag=True, help="The camera wants no password."),
            click.option(
                "--live-url",
                metavar="URL",
                help="Address of its smaller stream, for live pictures; '' = it has none.",
            ),
            click.option("--group", type=GROUP, metavar="GROUP", help="Recording group."),
            click.option("--transport", type=click.Choice(TRANSPORTS), help="How the stream is fetched."),
            click.option("--mode", type=click.Choice(MODES), help="When to record."),
            click.option(
                "--schedule",
                multiple=True,
                metavar="TIMES",
                help="Recording times, for example 'Mon-Fri 08:00-18:00'; may be repeated.",
            ),
            click.option(
                "--pre",
                type=AROUND_EVENT,
                metavar="TIME",
                help="Mode events: kept before an event, for example 5s or 2m.",
            ),
            click.option(
                "--post", type=AROUND_EVENT, metavar="TIME", help="Mode events: recorded after an event."
            ),
            click.option("--audio/--no-audio", default=None, help="Record sound too."),
            click.option(
                "--verify-tls/--no-verify-tls", default=None, help="Check the certificate of rtsps and https."
            ),
        ]
    ):
        command = option(command)
    return command


def given_password(user: str | None, password_file: str | None, no_password: bool) -> str | None:
    """None = not mentioned. Raises InvalidInput, FileError."""
    if password_file is not None and no_password:
        raise InvalidInput("--password-file and --no-password contradict each other", "give one of them")
    if password_file is not None:
        return password_from_file(password_file)
    if no_password:
        return ""
    return asked_password(user) if user else None


def _choices(session: Session, options: dict[str, Any]) -> dict[str, Any]:
    """The shared options that were given, as fields of the request."""
    if options["live_url"]:
        refuse_credentials(options["live_url"])
    fields: dict[str, Any] = {
        "group": options["group"],
        "live_url": options["live_url"],
        "transport": options["transport"],
        "mode": options["mode"],
        "record_audio": options["audio"],
        "verify_tls": options["verify_tls"],
        "user": options["user"],
        "pre_event_s": options["pre"],
        "post_event_s": options["post"],
    }
    if options["schedule"]:
        fields["schedule"] = schedule_of(options["schedule"], session.zone)
        fields["mode"] = options["mode"] or "schedule"
    return {name: value for name, value in fields.items() if value is not None}


@camera.command()
@click.argument("name")
@click.argument("url")
@_shared_options
@json_option
@pass_session
def add(
    session: Session, /, name: str, url: str, password_file: str | None, no_password: bool, **options: Any
) -> None:
    """Add a camera; it is recorded as soon as its group has a volume.

    URL is rtsp://, rtsps://, rtmp://, http(s):// or file://, without user and password. With --user the password is
    asked for, unless --password-file or --no-password is given.
    """
    refuse_credentials(url)
    password = given_password(options["user"], password_file, no_password) or ""
    request = wire.CameraAdd(name=name, url=url, password=password, **_choices(session, options))

    async def work(engine: EngineClient) -> wire.CameraView:
        return await engine.add_camera(request)

    added = session.call(work)
    if session.is_json:
        print_json(added)
    else:
        print_line(f"camera {added.name} added to group {added.group}")


@camera.command("list")
@click.option("--removed", is_flag=True, help="The removed cameras of which footage is left.")
@json_option
@pass_session
def list_(session: Session, removed: bool) -> None:
    """List all cameras with their state."""

    async def work(engine: EngineClient) -> tuple[wire.CameraView, ...]:
        return await engine.cameras(removed=removed)

    cameras = session.call(work)
    if session.is_json:
        print_json({"cameras": cameras})
        return
    if removed:
        print_table(
            ["ID", "NAME", "UUID", "OLDEST FOOTAGE"],
            [
                [str(each.id), each.name, each.uuid, local_time_with_zone(each.oldest_us, session.zone)]
                for each in cameras
                if each.oldest_us
            ],
            right=["ID"],
        )
        return
    rows = []
    for each in cameras:
        video = next((track for track in each.tracks if track.width or track.codec in _VIDEO), None)
        rows.append(
            [
                str(each.id),
                each.name,
                each.group,
                each.state,
                video.codec if video else "",
                resolution(video.width, video.height) if video else "",
                frame_rate(each.fps),
                bit_rate(each.bitrate_bps or None),
                each.cause,
            ]
        )
    print_table(
        ["ID", "NAME", "GROUP", "STATE", "CODEC", "SIZE", "FPS", "RATE", "CAUSE"],
        rows,
        right=["ID", "FPS", "RATE"],
    )


@camera.command()
@click.argument("camera", type=CAMERA)
@json_option
@pass_session
def show(session: Session, camera: str) -> None:
    """Show a camera's settings and state; never its password."""

    async def work(engine: EngineClient) -> wire.CameraView:
        return await engine.camera(camera)

    found = session.call(work)
    if session.is_json:
        print_json(found)
        return

    def moment(time_us: int | None) -> str:
        return local_time_with_zone(time_us, session.zone) if time_us else ""

    print_fields(
        [
            ("name", found.name),
            ("number", str(found.id)),
            ("uuid", found.uuid),
            ("address", found.url),
            ("live address", found.live_url),
            ("user", f"{found.user}{' (with password)' if found.has_password else ''}"),
            ("group", found.group),
            ("transport", found.transport),
            ("mode", found.mode if found.is_enabled else "disabled"),
            (
                "around events",
                f"{found.pre_event_s} s before, {found.post_event_s} s after"
                if found.mode == "events"
                else "",
            ),
            (
                "schedule",
                f"{schedule_text(found.schedule)} ({found.schedule.zone})" if found.schedule else "",
            ),
            ("sound", "recorded" if found.record_audio else "not recorded"),
            ("state", f"{found.state} since {moment(found.state_since_us)}".removesuffix(" since ")),
            ("cause", found.cause),
            ("tries again", moment(found.retry_at_us)),
            ("streams", "; ".join(map(track_text, found.tracks))),
            ("rate", f"{bit_rate(found.bitrate_bps)}, {frame_rate(found.fps)}" if found.bitrate_bps else ""),
            ("last picture", moment(found.last_picture_us)),
            ("on disk up to", moment(found.last_written_us)),
            ("volume", found.volume),
            ("oldest", moment(found.oldest_us)),
            ("lost packets", str(found.lost_packets or "")),
            ("retries", str(found.reconnects or "")),
        ]
    )


@camera.command()
@click.argument("camera", type=CAMERA)
@click.option("--name", metavar="NAME", help="New name.")
@click.option("--url", metavar="URL", help="New address, without user and password.")
@_shared_options
@click.option("--enable/--disable", "is_enabled", default=None, help="Connect to it, or leave it alone.")
@json_option
@pass_session
def edit(
    session: Session,
    /,
    camera: str,
    name: str | None,
    url: str | None,
    is_enabled: bool | None,
    password_file: str | None,
    no_password: bool,
    **options: Any,
) -> None:
    """Change what is given, and nothing else."""
    if url is not None:
        refuse_credentials(url)
    fields = _choices(session, options)
    fields |= {"name": name, "url": url, "is_enabled": is_enabled}
    fields["password"] = given_password(options["user"], password_file, no_password)
    fields = {field: value for field, value in fields.items() if value is not None}
    if not fields:
        raise click.UsageError("nothing to change: give an option")

    async def work(engine: EngineClient) -> wire.CameraView:
        return await engine.edit_camera(camera, wire.CameraEdit(**fields))

    changed = session.call(work)
    if session.is_json:
        print_json(changed)
    else:
        print_line(f"camera {changed.name} changed")


@camera.command()
@click.argument("camera", type=CAMERA)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_session
def remove(session: Session, camera: str, yes: bool) -> None:
    """Remove a camera; its recordings stay until they are recycled."""
    confirm(session, f"Remove camera {camera}?", yes)

    async def work(engine: EngineClient) -> None:
        await engine.remove_camera(camera)

    session.call(work)
    if session.is_json:
        print_json({"removed": camera})
    else:
        print_line(f"camera {camera} removed")


@camera.command()
@click.argument("camera", type=CAMERA, metavar="CAMERA|URL")
@click.option("--user", metavar="NAME", help="User name, when testing a URL.")
@click.option("--password-file", metavar="FILE|-", help="Take the password from FILE, or stdin (-).")
@click.option("--no-password", is_flag=True, help="The camera wants no password.")
@click.option("--transport", type=click.Choice(TRANSPORTS), default="auto", help="How the stream is fetched.")
@click.option("--verify-tls/--no-verify-tls", default=False, help="Check the certificate of rtsps and https.")
@json_option
@pass_session
def test(
    session: Session,
    camera: str,
    user: str | None,
    password_file: str | None,
    no_password: bool,
    transport: str,
    verify_tls: bool,
) -> None:
    """Connect to a camera, or to a URL before adding it, and show what comes.

    Leaves with 0 when video came, else with the exit code of the failure.
    """
    if "://" in camera:
        refuse_credentials(camera)
        password = given_password(user, password_file, no_password) or ""
        request = wire.CameraTest(
            url=camera, user=user or "", password=password, transport=transport, verify_tls=verify_tls
        )
    else:
        request = wire.CameraTest(camera=camera)

    async def work(engine: EngineClient) -> wire.CameraTestReply:
        return await engine.test_camera(request)

    seen = session.call(work)
    if session.is_json:
        print_json(seen)
    elif seen.ok:
        for track in seen.tracks:
            print_line(track_text(track))
        print_line(
            f"{frame_rate(seen.fps)}, {bit_rate(seen.bitrate_bps)}, first picture after {seen.first_picture_ms} ms"
        )
    else:
        print_line(f"failed: {seen.what}")
        print_line(f"  {seen.remedy}")
    if not seen.ok:
        raise click.exceptions.Exit(error_classes().get(seen.code, WatchdeckError).exit_code)


_VIDEO = ("h264", "h265", "mjpeg")


def track_text(track: wire.TrackView) -> str:
    """`h264 1920x1080`, `aac 48000 Hz stereo`."""
    if track.codec in _VIDEO:
        return f"{track.codec} {resolution(track.width, track.height)}".removesuffix(" -")
    channels = {1: " mono", 2: " stereo"}.get(track.channels, f" {track.channels} channels")
    return f"{track.codec} {track.sample_rate_hz} Hz{channels if track.channels else ''}"


def confirm(session: Session, question: str, is_sure: bool) -> None:
    """Ask a person at a terminal; scripts have said what they want. Raises click.Abort."""
    if not is_sure and not session.is_json and sys.stdin.isatty():
        click.confirm(question, abort=True, err=True)
