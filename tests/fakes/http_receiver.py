"""A real HTTP server that remembers what it was sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


class Receiver:
    """Remembers each request; answers as a test says."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.status = 200
        self.redirects: dict[str, tuple[int, str]] = {}
        self.sent_bytes = 0
        self.port = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path_qs, dict(request.headers), await request.read()))
        if request.path in self.redirects:
            status, to = self.redirects[request.path]
            return web.Response(status=status, headers={"Location": to})
        if request.path == "/flood":
            return await self._flood(request)
        return web.Response(status=self.status, text="secret-of-the-server")

    async def _flood(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            for _ in range(10_000):
                await response.write(bytes(64 * 1024))
                self.sent_bytes += 64 * 1024
        except (ConnectionError, asyncio.CancelledError):
            pass
        return response

    def url(self, rest: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{rest}"


@asynccontextmanager
async def http_receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    receiver.port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    try:
        yield receiver
    finally:
        await runner.cleanup()
