"""A child process of the demo: started with its log in a file, gone when the demo is gone, ended in good order."""

from __future__ import annotations

import asyncio
import ctypes
import signal
import subprocess
import sys
from pathlib import Path

from engine.deadline import Deadline

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class DemoFailed(Exception):
    """A part of the demo did not start or ended by itself. Never crosses the API, hence no WatchdeckError."""

    def __init__(self, what: str, detail: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.detail = detail


class Child:
    """One Python module as a process of its own session, so that Ctrl-C in the terminal is not for it."""

    def __init__(self, title: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.title = title
        self._process = process
        self._log = log

    @classmethod
    async def start(cls, title: str, log: Path, *arguments: str) -> Child:
        """`python -m <arguments>`; stdin and stdout are pipes, stderr goes to the log. Raises DemoFailed."""
        try:
            with log.open("ab") as file:  # noqa: ASYNC230  # the demo's own scratch folder, before anything runs
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    *arguments,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=file,
                    start_new_session=True,
                    preexec_fn=_end_with_parent,
                )
        except OSError as exc:
            raise DemoFailed(f"{title} cannot be started: {exc.strerror or exc}") from exc
        return cls(title, process, log)

    async def say(self, line: str) -> None:
        """One line to its stdin."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()

    async def hear(self, limit_s: float) -> str:
        """The next line of its stdout. Raises DemoFailed when it ends or is silent for too long."""
        assert self._process.stdout is not None
        try:
            async with Deadline(limit_s):
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise DemoFailed(f"{self.title} did not start within {limit_s:g} s", self.log_end()) from None
        if not line:
            raise DemoFailed(f"{self.title} did not start", self.log_end())
        return line.decode().strip()

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    async def ended(self) -> int:
        return await self._process.wait()

    def log_end(self, lines: int = 2) -> str:
        text = self._log.read_text(errors="replace").strip().splitlines()
        return "its last words: " + " | ".join(text[-lines:]) if text else "it said nothing"

    async def stop(self, limit_s: float) -> None:
        """SIGTERM, and SIGKILL when it takes longer than the limit."""
        if self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with Deadline(limit_s):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def _end_with_parent() -> None:
    """The kernel sends SIGTERM when the demo dies, even by SIGKILL: no orphan keeps recording."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
