"""Where the engine's socket and state are, by default: one rule for the engine and for its clients.

$WATCHDECK_SOCKET, else /run/watchdeck/engine.sock where that folder exists (systemd makes it), else
`engine.sock` in the state folder ($WATCHDECK_STATE, else /var/lib/watchdeck).
"""

from __future__ import annotations

import os
from pathlib import Path

RUNTIME_FOLDER = Path("/run/watchdeck")
DEFAULT_STATE_FOLDER = Path("/var/lib/watchdeck")
SOCKET_NAME = "engine.sock"


def default_state_folder() -> Path:
    return Path(os.environ.get("WATCHDECK_STATE") or DEFAULT_STATE_FOLDER)


def client_socket_path(state: Path | None = None) -> Path:
    """The socket a client tries when it is told nothing."""
    named = os.environ.get("WATCHDECK_SOCKET")
    if named:
        return Path(named)
    if state is None and (RUNTIME_FOLDER / SOCKET_NAME).exists():
        return RUNTIME_FOLDER / SOCKET_NAME
    folder = state or default_state_folder()
    if state is None and not (folder / SOCKET_NAME).exists():
        return RUNTIME_FOLDER / SOCKET_NAME  # the place to name in "nothing answers on ..."
    return folder / SOCKET_NAME


def engine_socket_path(state: Path) -> Path:
    """The socket an engine opens when it is told nothing: in the runtime folder only for the installed engine."""
    named = os.environ.get("WATCHDECK_SOCKET")
    if named:
        return Path(named)
    is_installed = state == DEFAULT_STATE_FOLDER and os.access(RUNTIME_FOLDER, os.W_OK)
    return (RUNTIME_FOLDER if is_installed else state) / SOCKET_NAME
