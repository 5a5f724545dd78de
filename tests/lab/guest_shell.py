"""Commands in the guest: the host's end of `guest/usr/local/lib/watchdeck-lab/agent.py`. Blocking, one command at a time."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from pathlib import Path

from tests.lab.qmp import connected

ANSWER_MARGIN_S = 20.0
"""The guest ends a command at its time limit and says so; a guest that does not even say so hangs."""


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    exit_code: int
    out: str
    err: str
    timed_out: bool = False


class GuestShell:
    def __init__(self, path: Path, timeout_s: float) -> None:
        self._socket = connected(path, timeout_s)
        self._waiting = b""
        self._last_id = 0

    def wait_ready(self, timeout_s: float) -> bool:
        """Until the guest's end has started; False when it did not in time."""
        try:
            return bool(self._line(timeout_s).get("ready"))
        except TimeoutError:
            return False

    def run(self, argv: list[str], *, stdin: bytes = b"", timeout_s: float = 60) -> Done:
        done, out, err = self.run_bytes(argv, stdin=stdin, timeout_s=timeout_s)
        return Done(
            done["exit_code"], out.decode(errors="replace"), err.decode(errors="replace"), done["timed_out"]
        )

    def run_bytes(
        self, argv: list[str], *, stdin: bytes = b"", timeout_s: float = 60
    ) -> tuple[dict, bytes, bytes]:
        """The same, with output that need not be text."""
        self._last_id += 1
        request = {
            "id": self._last_id,
            "argv": argv,
            "stdin": base64.b64encode(stdin).decode("ascii"),
            "timeout_s": timeout_s,
        }
        self._socket.settimeout(timeout_s + ANSWER_MARGIN_S)
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        end = time.monotonic() + timeout_s + ANSWER_MARGIN_S
        while True:
            try:
                answer = self._line(end - time.monotonic())
            except TimeoutError:
                raise AssertionError(f"the guest does not answer any more; asked: {argv}") from None
            if answer["id"] == self._last_id:
                return answer, base64.b64decode(answer["stdout"]), base64.b64decode(answer["stderr"])

    def close(self) -> None:
        self._socket.close()

    def _line(self, timeout_s: float) -> dict:
        end = time.monotonic() + timeout_s
        while b"\n" not in self._waiting:
            left_s = end - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            self._socket.settimeout(left_s)
            data = self._socket.recv(1 << 20)
            if not data:
                raise ConnectionError("QEMU closed the guest's port")
            self._waiting += data
        line, self._waiting = self._waiting.split(b"\n", 1)
        answer: dict = json.loads(line)
        return answer
