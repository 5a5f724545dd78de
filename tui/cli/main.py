"""The root of the command line: nouns, verbs, and how errors leave. docs/commands.md is its manual."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import NoReturn

import click

from engine.client import InvalidInput, WatchdeckError
from tui.cli.alarm_settings import listen, mail, preservation
from tui.cli.alarms import alarm
from tui.cli.bookmarks import bookmark
from tui.cli.cameras import camera
from tui.cli.cases import case
from tui.cli.chassis import chassis
from tui.cli.drives import drive
from tui.cli.events import events
from tui.cli.exports import export
from tui.cli.groups import group
from tui.cli.links import link
from tui.cli.log import log
from tui.cli.output import print_error, silence_stdout
from tui.cli.processes import completion, demo, drive_service, engine, fsck, verify
from tui.cli.raid_tasks import raid
from tui.cli.recordings import recording, snapshot
from tui.cli.schedule_templates import schedule
from tui.cli.searches import activity, search
from tui.cli.session import Session
from tui.cli.station import station
from tui.cli.status import status
from tui.cli.triggers import trigger
from tui.cli.volumes import volume
from tui.cli.wall_layouts import layout
from tui.cli.wall_tours import start_up, tour
from tui.cli.wall_views import view

EXIT_INTERRUPTED = 130
"""Ctrl-C, as shells have it: 128 + SIGINT."""
EXIT_NOBODY_READS = 141
"""The reader of the pipe has gone: 128 + SIGPIPE."""


def _version() -> str:
    try:
        return version("watchdeck")
    except PackageNotFoundError:
        return "unknown"


CONSOLE_OPTIONS = (
    "The console, which is started without a command, also takes --graphics auto|kitty|sixel|half|ascii|none, "
    "--colors, --glyphs, --theme NAME, --show SCREEN, --mouse or --no-mouse, and --read-only."
)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog=CONSOLE_OPTIONS
)
@click.option(
    "--socket",
    metavar="PATH",
    help="Socket of the engine (default: $WATCHDECK_SOCKET, then the installed one).",
)
@click.version_option(_version(), prog_name="watchdeck")
@click.pass_context
def cli(context: click.Context, socket: str | None) -> None:
    """Watchdeck, the NVR you run from a terminal. Without a command: the console."""
    session = context.ensure_object(Session)
    session.socket = socket


for _command in (
    status,
    station,
    camera,
    volume,
    group,
    drive,
    raid,
    chassis,
    recording,
    snapshot,
    search,
    activity,
    bookmark,
    case,
    export,
    events,
    alarm,
    trigger,
    link,
    schedule,
    layout,
    view,
    tour,
    start_up,
    log,
    mail,
    listen,
    preservation,
    verify,
    fsck,
    engine,
    drive_service,
    demo,
    completion,
):
    cli.add_command(_command)


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code, with every error printed."""
    is_json = "--json" in arguments
    try:
        code = cli.main(args=list(arguments), prog_name="watchdeck", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except WatchdeckError as error:
        print_error(error, is_json=is_json)
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return InvalidInput.exit_code
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "watchdeck COMMAND"
        remedy = f"`{command} --help` shows what it takes"
        print_error(InvalidInput(error.format_message(), remedy), is_json=is_json)
        return InvalidInput.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        silence_stdout()
        return EXIT_NOBODY_READS


def main(arguments: Sequence[str]) -> NoReturn:
    """Entry of `watchdeck` with arguments. SIGTERM and SIGHUP clean up as Ctrl-C does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    sys.exit(run(arguments))
