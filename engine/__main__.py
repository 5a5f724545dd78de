"""The engine daemon: `python -m engine --state DIR [--socket PATH] [--config FILE]`, and `python -m engine fsck|verify ...`.

Runs in the foreground, logs to stderr, tells systemd how it is. SIGTERM and SIGINT stop it in order. Exit codes
(documented in docs/operations.md): 0 ordered stop; 2 wrong arguments; 7 an engine runs on that folder or socket already;
14 the catalog cannot be used; 70 a defect; 75 the ordered stop took longer than 20 s; 78 configuration.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from engine.config import StationConfig, load_config
from engine.logs import start_log
from engine.sd_notify import ServiceManager
from engine.socket_path import default_state_folder, engine_socket_path
from engine.state_folder import locked_state_folder
from engine.station import Station
from engine.stop_budget import start_stop_budget
from engine.supervise import as_error
from storage.clock import SystemClock
from storage.errors import ConfigError, InternalError, WatchdeckError

log = logging.getLogger("engine")


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["fsck"]:
        from engine.fsck import main as fsck  # the daemon does not need it

        return fsck(given[1:])
    if given[:1] == ["verify"]:
        from engine.verify.command import main as verify

        return verify(given[1:])
    options = _parser().parse_args(given)
    start_log("info")
    try:
        config = load_config(options.config)
        start_log(config.log.level)
        state = (options.state or default_state_folder()).absolute()
        with locked_state_folder(state):
            return _run(state, _socket_path(options.socket, config, state), config, is_demo=options.demo)
    except WatchdeckError as error:
        log.critical("%s", error)
        return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="watchdeck engine", description="Record cameras; the console and the command line connect to it."
    )
    parser.add_argument(
        "--state", type=Path, metavar="DIR", help="catalog, lock and socket (default /var/lib/watchdeck)"
    )
    parser.add_argument(
        "--socket", type=Path, metavar="PATH", help="unix socket of the API (default: see docs/api.md)"
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="station.toml (default /etc/watchdeck/station.toml)"
    )
    parser.add_argument("--demo", action="store_true", help=argparse.SUPPRESS)
    return parser


def _socket_path(asked: Path | None, config: StationConfig, state: Path) -> Path:
    if asked is not None:
        return asked.absolute()
    return Path(config.api.socket) if config.api.socket else engine_socket_path(state)


def _run(state: Path, socket_path: Path, config: StationConfig, *, is_demo: bool) -> int:
    """The engine's life. Returns the exit code; other errors of Watchdeck are raised."""
    if not socket_path.parent.is_dir():
        raise ConfigError(
            f"the folder of the socket {socket_path} does not exist", "make it, or name another with --socket"
        )
    manager = ServiceManager()
    station = Station(state, socket_path, config, clock=SystemClock(), manager=manager, is_demo=is_demo)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(station, manager))
    except Exception as error:  # noqa: BLE001 - the process ends: what came from anywhere becomes log line and exit code
        known = as_error(error, "engine")
        if known.exit_code == WatchdeckError.exit_code:
            known = InternalError(known.what, known.remedy)
        raise known from error
    finally:
        manager.close()
    log.info("stopped")
    return 0


async def _serve(station: Station, manager: ServiceManager) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def stop_asked(number: int) -> None:
        if not stop.is_set():
            log.info("%s: stopping", signal.Signals(number).name)
            manager.stopping()
            start_stop_budget(loop)
            stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop_asked, number)
    async with asyncio.TaskGroup() as tasks:
        beating = tasks.create_task(_heartbeat(manager), name="watchdog")
        try:
            await station.run(stop)
        finally:
            beating.cancel()


async def _heartbeat(manager: ServiceManager) -> None:
    """A loop that is stuck does not come here any more, and systemd restarts the engine (WatchdogSec)."""
    if not manager.watchdog_us:
        return
    while True:
        manager.alive()
        await asyncio.sleep(manager.watchdog_us / 2e6)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
