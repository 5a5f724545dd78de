"""The real engine as a process, for tests that kill it, starve it and read what it left."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from engine import wire
from engine.client import EngineClient
from storage.errors import EngineUnreachable

PATIENCE = 6
"""Limits are given as on an idle machine; a busy one fails no test, and one that passes waits no longer than it has to."""
START_TIMEOUT_S = 40

T = TypeVar("T")


class EngineProcess:
    """One engine on a state folder; may be killed and started again."""

    def __init__(
        self,
        state: Path,
        *,
        config: str = "",
        environment: dict[str, str] | None = None,
        python: Sequence[str] = (sys.executable,),
    ) -> None:
        """`python`: how the interpreter is called, for an engine of another user."""
        self.state = state
        self.python = tuple(python)
        self.environment = environment or {}
        self.socket = state.parent / f"{state.name}.sock"
        self.log = state.parent / f"{state.name}.log"
        self.config = state.parent / f"{state.name}.toml"
        # Engines of several tests share this machine: none takes the usual ports of video links unasked.
        self.config.write_text(config if "[links]" in config else f'{config}\n[links]\nlisten = ""\n')
        self.process: subprocess.Popen[bytes] | None = None
        self._clients: list[EngineClient] = []

    async def start(self) -> EngineClient:
        """Start it and return a connected client once it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(*self.python, "-X", "faulthandler", "-m", "engine", "--state", str(self.state)),
                    *("--socket", str(self.socket), "--config", str(self.config)),
                ],
                stderr=log,
                stdout=log,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", **self.environment},
            )
        async with asyncio.timeout(START_TIMEOUT_S * PATIENCE):
            while True:
                if self.process.poll() is not None:
                    raise AssertionError(f"engine ended with {self.process.returncode}:\n{self.tail()}")
                client = EngineClient(self.socket)
                try:
                    await client.status()
                    self._clients.append(client)
                    return client
                except EngineUnreachable:
                    await client.close()
                    await asyncio.sleep(0.05)

    def another_client(self) -> EngineClient:
        """Of the engine that runs; closed at the end."""
        client = EngineClient(self.socket)
        self._clients.append(client)
        return client

    def kill(self) -> None:
        """SIGKILL, as a power button does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self, timeout_s: float = 25) -> int:
        """SIGTERM and the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_s)

    async def end(self) -> None:
        """Whatever state it is in, it and its clients are gone afterwards."""
        for client in self._clients:
            await client.close()
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def tail(self, lines: int = 40) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


async def until(
    client: EngineClient, truth: Callable[[wire.Snapshot], bool], what: str, timeout_s: float = 60
) -> wire.Snapshot:
    """Poll the station until `truth` holds; a failure says what was waited for and what was seen."""
    snapshot = await client.snapshot()
    try:
        async with asyncio.timeout(timeout_s * PATIENCE):
            while not truth(snapshot):
                await asyncio.sleep(0.1)
                snapshot = await client.snapshot()
    except TimeoutError:
        raise AssertionError(f"waited {timeout_s * PATIENCE} s for: {what}; last seen: {snapshot}") from None
    return snapshot


async def eventually(
    ask: Callable[[], Awaitable[T]], truth: Callable[[T], bool], what: str, timeout_s: float = 20
) -> T:
    """Ask until the answer satisfies `truth`: the catalog follows the recorders by up to a sync interval."""
    answer = await ask()
    try:
        async with asyncio.timeout(timeout_s * PATIENCE):
            while not truth(answer):
                await asyncio.sleep(0.1)
                answer = await ask()
    except TimeoutError:
        raise AssertionError(f"waited {timeout_s * PATIENCE} s for: {what}; last answer: {answer}") from None
    return answer
