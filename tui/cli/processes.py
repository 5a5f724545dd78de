"""Commands that become another program: the engine, the demo, fsck, verify. And shell completion."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click
from click.shell_completion import get_completion_class

from tui.cli.session import Session, pass_session

COMPLETE_VARIABLE = "_WATCHDECK_COMPLETE"
_FOLDER = click.Path(path_type=Path, readable=False)  # whoever reads it says why not, with its own exit code


def become(module: str, arguments: Sequence[str]) -> NoReturn:
    """This process goes on as `python -m module`: same process id, so that systemd and Ctrl-C reach it."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 - no shell, own interpreter


def _given(**options: Path | str | bool | None) -> list[str]:
    """Options as an argument list: those that were given."""
    arguments: list[str] = []
    for name, value in options.items():
        if value is True:
            arguments.append(f"--{name.replace('_', '-')}")
        elif value:
            arguments.extend([f"--{name.replace('_', '-')}", str(value)])
    return arguments


@click.command()
@click.option(
    "--state", type=_FOLDER, metavar="DIR", help="Catalog, lock and socket (default: /var/lib/watchdeck)."
)
@click.option("--socket", "own_socket", type=_FOLDER, metavar="PATH", help="Unix socket of the API.")
@click.option(
    "--config", type=_FOLDER, metavar="FILE", help="station.toml (default: /etc/watchdeck/station.toml)."
)
@pass_session
def engine(session: Session, state: Path | None, own_socket: Path | None, config: Path | None) -> None:
    """Record: run the engine in the foreground until SIGTERM or Ctrl-C."""
    become("engine", _given(state=state, socket=own_socket or session.socket, config=config))


@click.command("drive-service")
@click.option(
    "--state",
    type=_FOLDER,
    metavar="DIR",
    help="What it has to remember (default: /var/lib/watchdeck-drives).",
)
@click.option(
    "--socket",
    "own_socket",
    type=_FOLDER,
    metavar="PATH",
    help="Its unix socket (default: /run/watchdeck-drives/drives.sock).",
)
@click.option("--user", metavar="NAME", help="The engine's user, who is served (default: watchdeck).")
@click.option("--chassis", metavar="NAME|FILE", help="front-8, front-16, or a chassis file.")
def drive_service(state: Path | None, own_socket: Path | None, user: str | None, chassis: str | None) -> None:
    """Touch drives for an engine that is not root: run the privileged half in the foreground. Needs root."""
    become("engine.drive_service", _given(state=state, socket=own_socket, user=user, chassis=chassis))


@click.command()
@click.option(
    "--state", type=_FOLDER, metavar="DIR", help="Folder to use and keep (default: a scratch folder)."
)
@click.option("--no-console", is_flag=True, help="Print the engine's socket and wait.")
@click.option("--keep", is_flag=True, help="Keep the scratch folder.")
@click.option(
    "--script", metavar="FILE", help="Play a scenario on the simulated chassis: a file, or bad-night."
)
def demo(state: Path | None, no_console: bool, keep: bool, script: str | None) -> None:
    """Try Watchdeck: simulated cameras and drives, recorded by a real engine on a scratch folder, with the console on it."""
    become("engine.demo", _given(state=state, no_console=no_console, keep=keep, script=script))


@click.command()
@click.option(
    "--state", type=_FOLDER, metavar="DIR", help="The engine's state folder (default: /var/lib/watchdeck)."
)
@click.option("--repair", is_flag=True, help="Put right what can be; footage is never deleted.")
@click.option(
    "--volume",
    type=_FOLDER,
    multiple=True,
    metavar="PATH",
    help="With --repair, when the catalog is lost: rebuild it from the volume mounted there. May be repeated.",
)
@click.option(
    "--footage",
    is_flag=True,
    help="Also read all recordings, and find what was changed since it was recorded: hours on a full volume.",
)
@click.option("--json", "is_json", is_flag=True, help="Print one JSON document; errors are JSON on stderr.")
def fsck(state: Path | None, repair: bool, volume: tuple[Path, ...], footage: bool, is_json: bool) -> None:
    """Compare the catalog with the volumes; the engine must be stopped.

    Leaves with 0 when nothing is wrong (any more), with 1 when something is.
    """
    arguments = _given(state=state, repair=repair, footage=footage, json=is_json)
    for path in volume:
        arguments.extend(["--volume", str(path)])
    become("engine", ["fsck", *arguments])


@click.command()
@click.argument("paths", nargs=-1, required=True, type=_FOLDER, metavar="FILE|FOLDER|ZIP...")
@click.option(
    "--key", metavar="KEY", help="The station's public key: a PEM file, its fingerprint, or base64."
)
@click.option(
    "--password-file",
    metavar="FILE",
    help="The password of a ZIP is the first line of this file; - is stdin.",
)
@click.option("--json", "is_json", is_flag=True, help="Print one JSON document; errors are JSON on stderr.")
def verify(paths: tuple[Path, ...], key: str | None, password_file: str | None, is_json: bool) -> None:
    """Tell whether exports and recordings are what the station recorded. Needs no engine and no network.

    Leaves with 0 when every part matched and nothing else is wrong, with 1 when something is not proven.
    """
    arguments = _given(key=key, password_file=password_file, json=is_json)
    become("engine", ["verify", *arguments, "--", *map(str, paths)])


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion of a shell, for example: watchdeck completion bash > ~/.local/share/bash-completion/completions/watchdeck"""
    found = get_completion_class(shell)
    assert found is not None
    root = context.find_root().command
    click.echo(found(root, {}, "watchdeck", COMPLETE_VARIABLE).source())
