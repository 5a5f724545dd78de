"""`python -m engine.drive_service`: the privileged half, normally started by packaging/watchdeck-drives.service.

Exit codes: 0 ordered stop; 2 wrong arguments; 15 the socket cannot be made or a service runs already; 77 not root.
"""

from __future__ import annotations

import argparse
import logging
import os
import pwd
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.drive_service.remote_hardware import SOCKET_PATH
from engine.drive_service.server import DriveService, listen
from engine.logs import start_log
from storage.clock import SystemClock
from storage.errors import WatchdeckError
from storage.local_hardware import open_local_hardware

log = logging.getLogger("engine.drive_service")

EXIT_NOT_ROOT = 77
"""EX_NOPERM."""
DEFAULT_STATE = Path("/var/lib/watchdeck-drives")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    start_log("info")
    if os.geteuid() != 0:
        log.critical("the drive service runs as root: it alone touches drives")
        return EXIT_NOT_ROOT
    try:
        user = pwd.getpwnam(options.user)
    except KeyError:
        log.critical("there is no user %r for the engine: useradd --system %s", options.user, options.user)
        return 2
    options.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        owner = (user.pw_uid, user.pw_gid)
        hardware = open_local_hardware(options.state, options.chassis, SystemClock(), owner)
        listener = listen(options.socket, user.pw_gid)
    except WatchdeckError as error:
        log.critical("%s", error)
        return error.exit_code
    service = DriveService(hardware, [user.pw_uid])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: service.stop())
    log.info("serving the engine's user %s on %s", options.user, options.socket)
    with listener:
        service.serve(listener)
    service.close()
    options.socket.unlink(missing_ok=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="watchdeck drive-service",
        description="The privileged half: touches drives, arrays and lamps for an engine that is not root.",
    )
    parser.add_argument(
        "--state", type=Path, default=DEFAULT_STATE, metavar="DIR", help="what it has to remember"
    )
    parser.add_argument("--socket", type=Path, default=SOCKET_PATH, metavar="PATH", help="unix socket")
    parser.add_argument(
        "--user", default="watchdeck", help="the engine's user, who alone is served (and root)"
    )
    parser.add_argument(
        "--chassis", default="", metavar="NAME|FILE", help="front-8, front-16, or a chassis file"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
