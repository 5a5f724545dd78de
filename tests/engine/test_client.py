"""The client where there is no engine, a wrong one, or one that breaks off; and the shared rule for the socket's place."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine import socket_path
from engine.client import EngineClient, rebuilt_error
from engine.socket_path import client_socket_path, engine_socket_path
from storage import errors


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="wd-", dir="/tmp") as name:
        yield Path(name)


@asynccontextmanager
async def answering(folder: Path, answer: bytes, *, stays: bool = False) -> AsyncIterator[EngineClient]:
    """Something on the socket that answers every request with these bytes."""
    open_connections: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_connections.add(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        if stays:
            await reader.read()
        writer.close()

    async with await asyncio.start_unix_server(serve, folder / "s"):
        async with EngineClient(folder / "s", call_timeout_ms=300) as client:
            yield client
        for writer in open_connections:
            await writer.wait_closed()


def http(status: int, body: bytes, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


async def test_no_engine_says_how_to_start_one(folder: Path) -> None:
    async with EngineClient(folder / "none") as client:
        with pytest.raises(errors.EngineUnreachable) as raised:
            await client.status()
        assert str(folder / "none") in raised.value.what
        assert "watchdeck demo" in raised.value.remedy
        with pytest.raises(errors.EngineUnreachable):
            await anext(client.stream())
        with pytest.raises(errors.EngineUnreachable):
            async with client.export("x", 1, 2):
                raise AssertionError


async def test_socket_without_listener_is_no_engine(folder: Path) -> None:
    server = await asyncio.start_unix_server(lambda r, w: None, folder / "s")
    server.close()
    await server.wait_closed()
    async with EngineClient(folder / "s") as client:
        with pytest.raises(errors.EngineUnreachable, match="no engine answers"):
            await client.status()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every socket")
async def test_forbidden_socket_is_not_permitted(folder: Path) -> None:
    async with await asyncio.start_unix_server(lambda r, w: None, folder / "s"):
        (folder / "s").chmod(0)
        async with EngineClient(folder / "s") as client:
            with pytest.raises(errors.NotPermitted):
                await client.status()


async def test_silent_engine_is_given_up(folder: Path) -> None:
    async with answering(folder, b"", stays=True) as client:
        with pytest.raises(errors.EngineUnreachable, match="in time"):
            await client.status()


async def test_something_else_on_the_socket_is_recognised(folder: Path) -> None:
    async with answering(folder, http(404, b"<html>nginx</html>")) as client:
        with pytest.raises(errors.EngineUnreachable, match="no engine"):
            await client.status()


async def test_answer_of_another_version_is_said_to_be(folder: Path) -> None:
    async with answering(folder, http(200, b"{}")) as client:
        with pytest.raises(errors.EngineUnreachable, match="StationView"):
            await client.status()


async def test_export_that_breaks_off_is_an_error_and_says_where(folder: Path) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nWatchdeck-Start-Us: 1\r\nWatchdeck-End-Us: 2\r\n\r\n"
    async with answering(folder, head.encode() + b"x" * 40) as client, client.export("a", 1, 2) as export:
        assert (export.total_bytes, export.start_us, export.end_us) == (100, 1, 2)
        with pytest.raises(errors.EngineUnreachable, match="40 of 100"):
            async for _ in export:
                pass


@pytest.mark.parametrize("code", sorted(errors.error_classes()))
def test_every_error_comes_back_as_its_own_class(code: str) -> None:
    body = f'{{"code":"{code}","what":"w","remedy":"r","new_field":1}}'.encode()
    error = rebuilt_error(body, 400)
    assert type(error) is errors.error_classes()[code]
    assert (error.what, error.remedy) == ("w", "r")


def test_unknown_code_of_a_newer_engine_is_still_an_error() -> None:
    error = rebuilt_error(b'{"code":"from_the_future","what":"w"}', 418)
    assert type(error) is errors.WatchdeckError


def test_importing_the_client_does_not_import_aiohttp() -> None:
    code = "import sys, engine.client; sys.exit(any(m in sys.modules for m in ('aiohttp', 'yarl', 'asyncio.tools')))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_default_socket_is_found_by_engine_and_client_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, state = tmp_path / "run", tmp_path / "state"
    runtime.mkdir()
    state.mkdir()
    monkeypatch.delenv("WATCHDECK_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDECK_STATE", raising=False)
    monkeypatch.setattr(socket_path, "RUNTIME_FOLDER", runtime)
    monkeypatch.setattr(socket_path, "DEFAULT_STATE_FOLDER", state)
    assert engine_socket_path(state) == runtime / "engine.sock"
    assert engine_socket_path(tmp_path / "other") == tmp_path / "other" / "engine.sock"
    assert client_socket_path() == runtime / "engine.sock"
    (state / "engine.sock").touch()
    assert client_socket_path() == state / "engine.sock"
    (runtime / "engine.sock").touch()
    assert client_socket_path() == runtime / "engine.sock"
    assert client_socket_path(tmp_path / "other") == tmp_path / "other" / "engine.sock"
    monkeypatch.setenv("WATCHDECK_SOCKET", "/x/y.sock")
    assert client_socket_path() == engine_socket_path(state) == Path("/x/y.sock")
