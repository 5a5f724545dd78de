"""Tells systemd how the engine is (sd_notify(3)): ready, status, watchdog, stopping. Does nothing without systemd.

Never blocks and never fails: a full or vanished notification socket must not disturb recording.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping


class ServiceManager:
    """The service manager that started this process, if any."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_us = _watchdog_us(environment) if address else 0
        """The engine is restarted when it is silent for so long; 0 = nobody watches."""
        self._socket: socket.socket | None = None
        if self._address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)

    def ready(self, status: str) -> None:
        self._send("READY=1", f"STATUS={_one_line(status)}")

    def status(self, status: str) -> None:
        """Shown by `systemctl status`."""
        self._send(f"STATUS={_one_line(status)}")

    def alive(self) -> None:
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        self._send("STOPPING=1", "STATUS=stopping")

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, *lines: str) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.sendto("\n".join(lines).encode(), self._address)


def _watchdog_us(environment: Mapping[str, str]) -> int:
    try:
        if int(environment.get("WATCHDOG_PID", os.getpid())) != os.getpid():
            return 0
        return max(0, int(environment.get("WATCHDOG_USEC", "0")))
    except ValueError:
        return 0


def _one_line(text: str) -> str:
    return " ".join(text.split())
