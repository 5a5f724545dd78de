"""QEMU's control socket: commands with their answers, and the events that come between them. Blocking, one user."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Event = dict[str, Any]


class QmpError(Exception):
    """QEMU refused a command."""


class Qmp:
    def __init__(self, path: Path, timeout_s: float) -> None:
        self._socket = connected(path, timeout_s)
        self._lines = self._socket.makefile("rb")
        self._timeout_s = timeout_s
        self.events: list[Event] = []
        """All that came so far, oldest first."""
        self._next()
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: Any) -> Any:
        """The command's return value. Keyword names with `_` for `-`: QEMU's own have only `-`, or are quoted by `raw`."""
        return self.raw(command, {name.replace("_", "-"): value for name, value in arguments.items()})

    def raw(self, command: str, arguments: dict[str, Any]) -> Any:
        request: dict[str, Any] = {"execute": command, "arguments": arguments}
        self._socket.settimeout(self._timeout_s)
        self._socket.sendall(json.dumps(request).encode())
        while True:
            message = self._next()
            if "event" in message:
                self.events.append(message)
            elif "error" in message:
                raise QmpError(f"{command} {arguments}: {message['error']['desc']}")
            else:
                return message["return"]

    def wait_event(self, name: str, timeout_s: float, **data: Any) -> Event:
        """The event, come since the start or within the time, whose data has these values; it is taken from `events`."""
        end = time.monotonic() + timeout_s
        while True:
            for index, event in enumerate(self.events):
                found = event.get("data", {})
                if event["event"] == name and all(found.get(key) == value for key, value in data.items()):
                    return self.events.pop(index)
            left_s = end - time.monotonic()
            if left_s <= 0:
                raise AssertionError(f"no {name} {data} within {timeout_s} s; came: {self.events}")
            self._socket.settimeout(left_s)
            try:
                self.events.append(self._next())
            except TimeoutError:
                continue

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def _next(self) -> dict[str, Any]:
        line = self._lines.readline()
        if not line:
            raise ConnectionError("QEMU closed its control socket")
        message: dict[str, Any] = json.loads(line)
        return message

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connected(path: Path, timeout_s: float) -> socket.socket:
    """A connection to a unix socket that may not be there yet."""
    end = time.monotonic() + timeout_s
    while True:
        attempt = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            attempt.connect(str(path))
            return attempt
        except OSError:
            attempt.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
