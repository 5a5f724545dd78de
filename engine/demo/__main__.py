"""`python -m engine.demo`: the whole of Watchdeck on simulated cameras and drives, in a scratch folder, gone when you leave.

Starts the camera server and the real engine on a simulated chassis, adds volumes and eight cameras through the API, then runs
the console in the foreground, and a scenario if one is given. The same code paths as in earnest; nothing outside the
scratch folder is touched.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from engine.client import EngineClient
from engine.deadline import Deadline
from engine.demo.access import Login
from engine.demo.alarms import furnish_alarms
from engine.demo.child import Child, DemoFailed
from engine.demo.furnish import FLOOR_BYTES, RETENTION_BYTES, furnish, wait_until_ready
from engine.demo.scenario import Line, play, read_scenario
from storage.errors import WatchdeckError

CAMERAS_START_LIMIT_S = 30.0
ENGINE_START_LIMIT_S = 60.0
ENGINE_STOP_LIMIT_S = 25.0
"""A little more than the engine's own 20 s."""
CAMERAS_STOP_LIMIT_S = 3.0
CONSOLE_STOP_LIMIT_S = 5.0
_DISK_FOLDER = Path("/var/tmp")  # noqa: S108  # mkdtemp makes a private folder in it; /tmp may be in memory
_CONFIG = """\
[station]
name = "demo"

[recording]
segment_s = 30

[pictures]
workers = 2

[links]
http_port = 0
rtsp_port = 0
"""


def main() -> int:
    options = _options()
    if not options.no_console and not sys.stdin.isatty():
        print("watchdeck demo: this is no terminal; --no-console runs the engine alone", file=sys.stderr)
        return 2
    try:
        return asyncio.run(_main(options))
    except KeyboardInterrupt:
        return 130
    except (DemoFailed, WatchdeckError) as exc:
        print(f"watchdeck demo: {exc}", file=sys.stderr)
        if isinstance(exc, DemoFailed) and exc.detail:
            print(f"  {exc.detail}", file=sys.stderr)
        return exc.exit_code if isinstance(exc, WatchdeckError) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="watchdeck demo", description="Watchdeck on eight simulated cameras."
    )
    parser.add_argument("--state", type=Path, help="folder to use and keep (default: a scratch folder)")
    parser.add_argument("--no-console", action="store_true", help="print the engine's socket and wait")
    parser.add_argument("--keep", action="store_true", help="keep the scratch folder")
    parser.add_argument(
        "--script", type=Path, metavar="FILE", help="play a scenario on the simulated chassis, e.g. bad-night"
    )
    return parser.parse_args()


async def _main(options: argparse.Namespace) -> int:
    """Runs in the first task so that a signal can cancel it; cleans up on every way out."""
    scenario = read_scenario(options.script) if options.script is not None else ()
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    received: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        # The first signal ends the demo in order; more of them do not interrupt the cleaning up.
        if not received:
            task.cancel()
        received.append(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop, number)
    folder = _folder(options.state)
    is_scratch = options.state is None and not options.keep
    try:
        return await _run(folder, scenario, has_console=not options.no_console)
    except asyncio.CancelledError:
        if not received:
            raise
        return 128 + received[0]
    finally:
        if is_scratch:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            _say(f"Everything is kept in {folder}")


async def _run(folder: Path, scenario: tuple[Line, ...], *, has_console: bool) -> int:
    """Start, furnish, play, show, and stop in the opposite order."""
    login = Login("demo", secrets.token_urlsafe(12))
    socket = folder / "engine.sock"
    config = folder / "station.toml"
    config.write_text(_CONFIG)
    _say("Starting eight simulated cameras ...")
    cameras = await Child.start("the camera server", folder / "cameras.log", "engine.demo.cameras")
    try:
        await cameras.say(json.dumps({"user": login.user, "password": login.password}))
        port = int(await cameras.hear(CAMERAS_START_LIMIT_S))
        _say("Starting the engine ...")
        engine = await Child.start(
            "the engine",
            folder / "engine.log",
            *("engine", "--state", str(folder / "state"), "--socket", str(socket)),
            *("--config", str(config), "--demo"),
        )
        try:
            async with EngineClient(socket) as client:
                await wait_until_ready(client, engine, ENGINE_START_LIMIT_S)
                await furnish(client, port, login)
                await furnish_alarms(client)
                if not has_console:
                    _say(f"The engine answers on {socket}")
                    _say(f"  watchdeck --socket {socket}\nCtrl-C ends the demo.")
                # A line in the terminal would spoil the console; there the events tell what happens.
                say = _unsaid if has_console else _say
                async with asyncio.TaskGroup() as group:
                    playing = group.create_task(play(client, scenario, say), name="scenario")
                    code = await (_console(socket) if has_console else engine.ended())
                    playing.cancel()
            if has_console:
                return code
            raise DemoFailed(f"the engine ended by itself with exit code {code}", engine.log_end())
        finally:
            _say("Stopping the engine ...")
            await engine.stop(ENGINE_STOP_LIMIT_S)
    finally:
        await cameras.stop(CAMERAS_STOP_LIMIT_S)


async def _console(socket: Path) -> int:
    """The console in this terminal, until it is left."""
    console = await asyncio.create_subprocess_exec(sys.executable, "-m", "tui", "--socket", str(socket))
    try:
        return await console.wait()
    finally:
        if console.returncode is None:
            console.terminate()
            try:
                async with Deadline(CONSOLE_STOP_LIMIT_S):
                    await console.wait()
            except TimeoutError:
                console.kill()
                await console.wait()


def _folder(state: Path | None) -> Path:
    if state is not None:
        folder = state.resolve()
        folder.mkdir(parents=True, exist_ok=True)
    else:
        parent = _DISK_FOLDER if "TMPDIR" not in os.environ and os.access(_DISK_FOLDER, os.W_OK) else None
        folder = Path(tempfile.mkdtemp(prefix="watchdeck-demo-", dir=parent))
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < FLOOR_BYTES * 2:
        raise DemoFailed(
            f"{folder} has {free_bytes >> 20} MiB free",
            f"the demo needs {FLOOR_BYTES >> 19} MiB; name another with --state",
        )
    if free_bytes < FLOOR_BYTES + RETENTION_BYTES:
        _say(f"{folder} is nearly full: the demo will recycle its recordings early.")
    return folder


def _unsaid(text: str) -> None:
    pass


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
