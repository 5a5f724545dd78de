"""A small RTSP/TCP server for the demo's cameras, and for tests that need a camera which misbehaves on command.

It speaks what an engine asks: OPTIONS, DESCRIBE, SETUP (interleaved only; UDP is refused with 461), PLAY,
GET_PARAMETER, TEARDOWN, optionally with a password. It is not a general RTSP server.

    server = DemoServer([DemoCamera("gate", "gate")], SystemClock())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.run())
        url = await server.url("gate")          # once it listens
        server.faults["gate"].is_stalled = True
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from engine.demo.connection import Connection
from engine.demo.faults import Faults
from engine.demo.feed import DemoCamera, Feed
from storage.clock import Clock


class DemoServer:
    """Serves cameras until cancelled. Event loop only."""

    def __init__(
        self,
        cameras: Sequence[DemoCamera],
        clock: Clock,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: dict[str, Faults] | None = None,
        seed: int | None = None,
    ) -> None:
        rng = random.Random(seed)  # sequence numbers and garbage, nothing secret
        self.faults = {camera.name: (faults or {}).get(camera.name, Faults()) for camera in cameras}
        self.feeds = {camera.name: Feed(camera, self.faults[camera.name], clock, rng) for camera in cameras}
        self._host = host
        self._port = port
        self._listening = asyncio.Event()
        self._connections: set[Connection] = set()

    @property
    def port(self) -> int:
        """The real one once `run` listens."""
        return self._port

    async def url(self, camera: str) -> str:
        """Address of a camera; waits until the server listens."""
        await self._listening.wait()
        return f"rtsp://{self._host}:{self._port}/{camera}"

    async def run(self) -> None:
        """Raises OSError when the port is taken. When cancelled, every connection is closed."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._connection, self._host, self._port)
        self._port = server.sockets[0].getsockname()[1]
        try:
            async with asyncio.TaskGroup() as group:
                for name, feed in self.feeds.items():
                    group.create_task(feed.run(), name=f"demo camera {name}")
                self._listening.set()
        finally:
            self._listening.clear()
            server.close()
            for connection in list(self._connections):
                connection.hang_up()

    def drop(self, camera: str) -> None:
        """Cut the connections of everyone who watches the camera."""
        for viewer in list(self.feeds[camera].viewers):
            viewer.hang_up()

    def _connection(self) -> Connection:
        return Connection(self.feeds, self._connections)
