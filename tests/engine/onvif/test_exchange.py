"""HTTP with things that answer too slowly, too much, or not at all: each is an error with a name, within its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from engine.onvif.address import ServiceUrl
from engine.onvif.exchange import REPLY_LIMIT_BYTES, Exchange, HttpAccess
from storage.errors import CameraProtocolError, CameraStalled, CameraUnreachable

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def asked(answer: Answer) -> AsyncIterator[Callable[..., Awaitable[bytes]]]:
    """Posts to a server that does what the test says."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = ServiceUrl("http", "127.0.0.1", server.sockets[0].getsockname()[1], "/")
    exchange = Exchange()

    async def post(deadline_s: float = 5.0) -> bytes:
        reply = await exchange.post(url, b"<a/>", {}, HttpAccess("ada", "pw", False), deadline_s=deadline_s)
        return reply.content

    try:
        yield post
    finally:
        await exchange.close()
        server.close()


async def test_a_whole_answer_is_given() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 500 no\r\nContent-Length: 3\r\n\r\nabc")
        await writer.drain()

    async with asked(answer) as post:
        assert await post() == b"abc"


async def test_silence_ends_at_the_deadline() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with asked(answer) as post:
        with pytest.raises(CameraStalled):
            await post(deadline_s=0.1)


async def test_an_answer_that_never_ends_ends_at_the_deadline() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with asked(answer) as post:
        with pytest.raises(CameraStalled):
            await post(deadline_s=0.2)


@pytest.mark.parametrize("head", [b"Content-Length: 99999999\r\n", b"", b"Transfer-Encoding: chunked\r\n"])
async def test_too_large_an_answer_is_not_read(head: bytes) -> None:
    sent = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
        while sent < 20 * REPLY_LIMIT_BYTES:
            piece = b"x" * 65_536
            writer.write(b"10000\r\n" + piece + b"\r\n" if head.startswith(b"Transfer") else piece)
            await writer.drain()
            sent += len(piece)

    async with asked(answer) as post:
        with pytest.raises(CameraProtocolError, match="MiB"):
            await post()
    assert sent < 10 * REPLY_LIMIT_BYTES


async def test_what_is_no_http_is_named() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        await writer.drain()

    async with asked(answer) as post:
        with pytest.raises(CameraProtocolError, match="no HTTP"):
            await post()


async def test_a_connection_that_is_cut_or_refused_is_unreachable() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with asked(answer) as post:
        with pytest.raises(CameraUnreachable):
            await post()
    exchange = Exchange()
    try:
        with pytest.raises(CameraUnreachable):
            await exchange.post(ServiceUrl("http", "127.0.0.1", 9, "/"), b"", {}, HttpAccess("", "", False))
    finally:
        await exchange.close()


async def test_a_redirection_is_not_followed() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 5\r\n\r\nmoved")
        await writer.drain()

    async with asked(answer) as post:
        assert await post() == b"moved"
