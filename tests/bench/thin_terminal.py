"""A terminal at the far end of a thin line: it drains a pseudo-terminal at so many bytes a second and answers in its turn.

    with ThinTerminal(argv, bytes_s=125_000) as shown:
        shown.wait_for("Live", 60)                 on its way the line is as thin as ever
        shown.watch()                              from here on a thread drains; `send` keys meanwhile
        pieces = shown.stop()                      [(monotonic seconds, bytes)], as they were drained

Questions are answered when the line has brought them, after everything that was written before: as a terminal behind
ssh does. Screens are made of the pieces afterwards (`shown.show`), so that the emulator takes no time from the line.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType

from tests.pty_console import Answers, PtyConsole

PACKET_BYTES = 1_400
"""Drained at once, at most."""
_PARTIAL = re.compile(rb"\x1b(?:\[[\d;?$]*|_G[^\x1b]{0,80})?\Z")


class ThinTerminal(PtyConsole):
    """Use as a context manager."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        bytes_s: float,
        env: Mapping[str, str | None],
        columns: int,
        rows: int,
        answers: Answers,
        cwd: str,
    ) -> None:
        self._bytes_s = bytes_s
        self._free_s = 0.0
        self._cut = b""
        self._pieces: list[tuple[float, bytes]] = []
        self._draining: threading.Thread | None = None
        self._is_ending = threading.Event()
        super().__init__(
            argv,
            env=env,
            columns=columns,
            rows=rows,
            pixels=(columns * 10, rows * 20),
            answers=answers,
            cwd=cwd,
        )

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.stop()
        super().__exit__(kind, value, trace)

    def read(self, timeout_s: float) -> bytes:
        """One packet, when the line has brought it."""
        if (wait_s := self._free_s - time.monotonic()) > 0:
            time.sleep(min(wait_s, timeout_s))
            if wait_s > timeout_s:
                return b""
        return super().read(timeout_s)

    def _most_bytes(self) -> int:
        return PACKET_BYTES

    def _answer(self, data: bytes) -> None:
        # The packet is at the terminal only after the line has carried it.
        begun_s = max(self._free_s, time.monotonic() - PACKET_BYTES / self._bytes_s)
        self._free_s = begun_s + len(data) / self._bytes_s
        if (wait_s := self._free_s - time.monotonic()) > 0:
            time.sleep(wait_s)
        data = self._cut + data
        partial = _PARTIAL.search(data)
        self._cut = partial[0] if partial is not None else b""
        super()._answer(data[: len(data) - len(self._cut)])

    def watch(self) -> None:
        """Drain in a thread from now on."""
        self._is_ending.clear()
        self._pieces = []
        self._draining = threading.Thread(target=self._drain, name="thin line")
        self._draining.start()

    def _drain(self) -> None:
        while not self._is_ending.is_set():
            if data := self.read(0.05):
                self._pieces.append((time.monotonic(), data))

    def stop(self) -> list[tuple[float, bytes]]:
        """What was drained since `watch`."""
        if self._draining is not None:
            self._is_ending.set()
            self._draining.join()
            self._draining = None
        return self._pieces
