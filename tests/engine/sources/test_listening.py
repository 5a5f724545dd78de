"""Messages from outside, by real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from engine.events import EventBus
from engine.sources import tcp_messages, webhook
from engine.sources.listening import Listening
from engine.sources.token_bucket import TokenBucket
from engine.sources.webhook import body_text
from engine.wire_sources import ListenSettings
from storage.catalog.records import EventRecord
from tests.engine.sources.conftest import Said
from tests.fakes.clock import FakeClock
from tests.rtsp.server import free_port

TOKEN = "a-token-nobody-guesses"


def named(event: EventRecord) -> tuple[str, ...]:
    return ("door forced",) if "FORCED" in event.text else ()


@asynccontextmanager
async def opened(events: EventBus, clock: FakeClock, settings: ListenSettings) -> AsyncIterator[Listening]:
    listening = Listening(events, clock, named, again_s=0.05)
    listening.apply(settings)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(listening.run())
        try:
            yield listening
        finally:
            running.cancel()


async def until(truth: object) -> None:
    assert callable(truth)
    async with asyncio.timeout(10):
        while not truth():
            await asyncio.sleep(0.01)


@pytest.fixture
async def tcp(events: EventBus, clock: FakeClock) -> AsyncIterator[Listening]:
    async with opened(events, clock, ListenSettings(tcp_port=free_port())) as listening:
        await until(lambda: listening.view().is_tcp_open)
        yield listening


async def send(port: int | None, *pieces: bytes, wait_end: bool = True) -> None:
    assert port is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    writer.write_eof()
    if wait_end:
        await reader.read()
    writer.close()
    await writer.wait_closed()


async def test_each_line_is_a_message_with_its_sender(tcp: Listening, said: Said) -> None:
    await send(tcp.tcp_port, b"DOOR 3 FOR", b"CED\r\nDOOR 4 OPEN\n\n", b"without an end")
    events = await said("external")
    assert [event.text for event in events] == ["DOOR 3 FORCED", "DOOR 4 OPEN", "without an end"]
    assert {(event.kind, event.source) for event in events} == {("external.tcp_message", "127.0.0.1")}
    heard = tcp.view().heard
    assert [message.text for message in heard] == ["without an end", "DOOR 4 OPEN", "DOOR 3 FORCED"]
    assert [message.matched for message in heard] == [(), (), ("door forced",)]


async def test_a_message_without_an_end_of_line_is_taken_after_a_pause(tcp: Listening) -> None:
    assert tcp.tcp_port is not None
    _, writer = await asyncio.open_connection("127.0.0.1", tcp.tcp_port)
    writer.write(b"half a message, and nothing more")
    await until(lambda: tcp.view().heard)
    assert tcp.view().heard[0].text == "half a message, and nothing more"
    writer.close()
    await writer.wait_closed()


async def test_what_cannot_be_printed_or_decoded_is_harmless(tcp: Listening, said: Said) -> None:
    await send(tcp.tcp_port, b"a\x1b[2Jb\xff\x00\n" + "rtl \u202e".encode() + b"\n")
    texts = [event.text for event in await said("external")]
    assert all(text.isprintable() for text in texts)
    assert texts[0].startswith("a?[2Jb")


async def test_a_message_without_end_is_dropped_and_the_next_one_is_heard(tcp: Listening, said: Said) -> None:
    await send(tcp.tcp_port, b"x" * 300_000, b"\nthe next one\n")
    assert [event.text for event in await said("external")] == ["the next one"]
    assert tcp.view().dropped == 1


async def test_a_flood_is_slowed_down_and_not_one_message_is_lost(
    events: EventBus, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp_messages, "RATE", 100)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    got: list[str] = []

    class Heard:
        dropped = 0

        def take(self, kind: str, source: str, peer: str, text: str) -> None:
            got.append(text)

    server = await asyncio.start_server(
        tcp_messages.TcpMessages(Heard(), sleep=sleep).serve,  # type: ignore[arg-type]
        "127.0.0.1",
        0,
    )
    await send(server.sockets[0].getsockname()[1], b"".join(b"%d\n" % number for number in range(1_000)))
    server.close()
    assert got == [str(number) for number in range(1_000)]
    assert len(slept) == 10


async def test_a_connection_too_many_is_turned_away(tcp: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_messages, "CONNECTION_LIMIT", 1)
    assert tcp.tcp_port is not None
    _, first = await asyncio.open_connection("127.0.0.1", tcp.tcp_port)
    first.write(b"here\n")
    await until(lambda: tcp.view().heard)
    reader, second = await asyncio.open_connection("127.0.0.1", tcp.tcp_port)
    assert await reader.read() == b""
    assert tcp.view().dropped == 1
    for writer in (first, second):
        writer.close()
        await writer.wait_closed()


async def test_ports_are_off_until_configured_and_closed_when_taken_out_again(
    events: EventBus, clock: FakeClock
) -> None:
    async with opened(events, clock, ListenSettings()) as listening:
        assert listening.tcp_port is None
        port = free_port()
        listening.apply(ListenSettings(tcp_port=port))
        await until(lambda: listening.view().is_tcp_open)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        listening.apply(ListenSettings())
        assert await reader.read() == b"", "connections end with their port"
        writer.close()
        await until(lambda: not listening.view().is_tcp_open)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)


async def test_a_port_somebody_else_has_is_named_and_opened_when_it_is_free(
    events: EventBus, clock: FakeClock
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        async with opened(events, clock, ListenSettings(tcp_port=port)) as listening:
            await until(lambda: listening.view().trouble)
            assert str(port) in listening.view().trouble
            other.close()
            await until(lambda: listening.view().is_tcp_open)
            assert not listening.view().trouble


# -- webhooks ------------------------------------------------------------------------------------------------


@pytest.fixture
async def hook(events: EventBus, clock: FakeClock) -> AsyncIterator[Listening]:
    settings = ListenSettings(webhook_port=free_port(), webhook_token=TOKEN)
    async with opened(events, clock, settings) as listening:
        await until(lambda: listening.view().is_webhook_open)
        yield listening


async def post(listening: Listening, path: str, data: bytes, token: str | None = TOKEN) -> int:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{listening.webhook_port}{path}"
        async with session.post(url, data=data, headers=headers) as response:
            return response.status


async def test_a_webhook_is_an_event_of_its_name(hook: Listening, said: Said) -> None:
    assert await post(hook, "/hook/gate", b'{"text": "lorry at the gate"}') == 204
    (event,) = await said("external.webhook")
    assert (event.source, event.text) == ("gate", "lorry at the gate")


async def test_without_the_token_nothing_happens_and_it_is_told(hook: Listening, said: Said) -> None:
    for token in (None, "", "wrong", TOKEN + "x"):
        assert await post(hook, "/hook/gate", b"x", token) == 401
    assert not await said("external")
    refused = await said("login.refused")
    assert {event.source for event in refused} == {"127.0.0.1"}
    assert all(TOKEN not in event.text for event in refused)


async def test_refusals_are_told_a_few_times_a_minute_only(hook: Listening, said: Said) -> None:
    for _ in range(20):
        await post(hook, "/hook/gate", b"x", "wrong")
    assert len(await said("login.refused")) == 6


async def test_a_body_too_large_a_bad_name_and_other_paths_are_refused(hook: Listening, said: Said) -> None:
    assert await post(hook, "/hook/gate", b"x" * (webhook.BODY_LIMIT_BYTES + 1)) == 413
    assert await post(hook, "/hook/" + "n" * 65, b"x") == 400
    assert await post(hook, "/v1/station", b"x") == 404
    assert not await said("external")


async def test_too_many_are_told_to_wait(
    hook: Listening, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses = [await post(hook, "/hook/gate", b"x") for _ in range(webhook.BURST + 5)]
    assert statuses == [204] * webhook.BURST + [429] * 5, "the fake clock stands still"
    assert hook.view().dropped == 5


async def test_webhooks_without_a_token_are_not_opened(events: EventBus, clock: FakeClock) -> None:
    async with opened(events, clock, ListenSettings(webhook_port=free_port())) as listening:
        await until(lambda: listening.view().trouble)
        assert not listening.view().is_webhook_open
        assert "token" in listening.view().trouble


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"message": "m", "title": "t"}', "m"),
        (b'{"title": "t", "n": 1}', "t"),
        (b'{"text": 5}', '{"text": 5}'),
        (b"[" * 100_000, "[" * 100_000),
        (b"plain \xff", "plain \ufffd"),
        (b"", ""),
    ],
)
def test_the_text_of_a_body(body: bytes, text: str) -> None:
    assert body_text(body) == text


def test_a_bucket_fills_with_time_and_not_beyond_its_size(clock: FakeClock) -> None:
    bucket = TokenBucket(clock, rate=2, burst=3)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    clock.advance(1_000_000)
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    clock.advance(3_600_000_000)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
