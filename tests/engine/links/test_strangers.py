"""Strangers and dead players at the two ports, on real sockets: how many, for how long, how much, and what they may keep."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest

from engine.links.desk import LIMITS
from engine.links.door import _neighbourhood
from engine.links.rtsp_requests import RtspRequests, interleaved_channel
from storage.errors import CameraProtocolError
from storage.segments.export import ExportFile
from storage.segments.packet import Packet, Track
from tests.engine.links.rig import Rig, rig
from tests.engine.links.test_players import playing
from tests.fakes.encoded_video import encoded, merged

S = 1_000_000
PORTS = ("http", "rtsp")


class Peer(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def is_hung_up_on(self) -> bool:
        """Whatever is still to come is read; True when that ends within a moment."""
        try:
            async with asyncio.timeout(3):
                while await self.reader.read(65536):
                    pass
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return True

    async def stays(self) -> bool:
        try:
            async with asyncio.timeout(0.2):
                return bool(await self.reader.read(1))
        except TimeoutError:
            return True
        except ConnectionError:
            return False


def port_of(made: Rig, port: str) -> int:
    number = made.desk.http_port if port == "http" else made.desk.rtsp_port
    assert number
    return number


@asynccontextmanager
async def peers(
    made: Rig, port: str, count: int = 1, receive_bytes: int | None = None
) -> AsyncIterator[list[Peer]]:
    found = []
    for _ in range(count):
        sock = socket.socket()
        sock.setblocking(False)
        if receive_bytes is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port_of(made, port)))
        reader, writer = await asyncio.open_connection(sock=sock, limit=4096)
        found.append(Peer(reader, writer))
    try:
        yield found
    finally:
        for peer in found:
            peer.writer.transport.abort()


def visitors(made: Rig, port: str) -> int:
    return len(made.desk._doors[port.upper()].visitors)


async def until_visitors(made: Rig, port: str, count: int) -> None:
    async with asyncio.timeout(10):
        while visitors(made, port) != count:
            await asyncio.sleep(0.01)


def path_of(url: str) -> str:
    return "/v/" + url.split("/v/")[1]


@pytest.mark.parametrize("port", PORTS)
async def test_a_stranger_that_says_nothing_or_dribbles_has_ten_seconds(
    tmp_path: Path, port: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with rig(tmp_path) as made, peers(made, port, 2) as (silent, dribbling):
        await until_visitors(made, port, 2)
        dribbling.writer.write(b"OPTIONS rtsp://x/ RTSP/1.0\r\nA: ")
        made.clock.advance(9 * S)
        assert await silent.stays()
        dribbling.writer.write(b"b")
        made.clock.advance(2 * S)
        assert await silent.is_hung_up_on()
        assert await dribbling.is_hung_up_on()
        await until_visitors(made, port, 0)
    assert "127.0.0.1" not in caplog.text, "strangers do not fill the log"


@pytest.mark.parametrize("port", PORTS)
async def test_only_so_many_strangers_of_an_address_and_a_watcher_is_not_one(
    tmp_path: Path, port: str
) -> None:
    async with rig(tmp_path) as made, aiohttp.ClientSession() as session:
        made.cameras.tracks = merged(encoded("h264"))[0]
        link = made.link()
        async with session.get(link.http_url) as response:
            assert response.status == 200
            async with peers(made, port, LIMITS.strangers_this_machine) as strangers:
                await until_visitors(made, port, LIMITS.strangers_this_machine + (port == "http"))
                assert await strangers[-1].stays()
                async with peers(made, port) as (one_more,):
                    assert await one_more.is_hung_up_on()
            await until_visitors(made, port, int(port == "http"))
            async with peers(made, port) as (again,):
                assert await again.stays()


@pytest.mark.parametrize("port", PORTS)
async def test_only_so_many_connections_in_all(tmp_path: Path, port: str) -> None:
    few = replace(LIMITS, connections=3, strangers=2, strangers_an_address=9)
    async with rig(tmp_path, limits=few) as made, peers(made, port, 2) as strangers:
        await until_visitors(made, port, 2)
        async with peers(made, port) as (third,):
            assert await third.is_hung_up_on()
        assert await strangers[0].stays()


@pytest.mark.parametrize("port", PORTS)
async def test_who_says_too_much_before_a_link_is_hung_up_on(tmp_path: Path, port: str) -> None:
    async with rig(tmp_path) as made, peers(made, port) as (peer,):
        head = b"GET /v/x/y HTTP/1.1\r\n" if port == "http" else b"DESCRIBE rtsp://x/v/x RTSP/1.0\r\n"
        peer.writer.write(head + b"A: " + b"a" * 70_000)
        assert await peer.is_hung_up_on()
        await until_visitors(made, port, 0)


async def test_a_body_without_an_end_is_not_read(tmp_path: Path) -> None:
    async with rig(tmp_path) as made, peers(made, "http") as (peer,):
        peer.writer.write(b"POST /v/x/y.mp4 HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n")
        peer.writer.write(b"x" * 100_000)
        assert await peer.is_hung_up_on()
        await until_visitors(made, "http", 0)


GUESSES = {
    "http": b"GET /v/guess/x.mp4 HTTP/1.1\r\nHost: x\r\n\r\n",
    "rtsp": b"DESCRIBE rtsp://x/v/guess RTSP/1.0\r\nCSeq: 1\r\n\r\n",
}


@pytest.mark.parametrize("port", PORTS)
async def test_guesses_wait_for_their_answer_and_each_takes_a_connection(tmp_path: Path, port: str) -> None:
    async with (
        rig(tmp_path, limits=replace(LIMITS, wrong_pause_s=3600)) as made,
        peers(made, port) as (peer,),
    ):
        peer.writer.write(GUESSES[port] * 5)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await peer.reader.read()
    (tmp_path / "2").mkdir()
    async with (
        rig(tmp_path / "2", limits=replace(LIMITS, wrong_pause_s=0.01)) as made,
        peers(made, port) as (peer,),
    ):
        peer.writer.write(GUESSES[port] * 5)
        async with asyncio.timeout(5):
            answer = await peer.reader.read()
        assert answer.count(b" 404 Not Found") == 1


async def test_an_address_that_is_none_is_answered_in_words(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with rig(tmp_path) as made, peers(made, "rtsp") as (peer,):
        peer.writer.write(b"DESCRIBE rtsp://[::1/v/x RTSP/1.0\r\nCSeq: 7\r\n\r\n")
        assert (await peer.reader.readline()) == b"RTSP/1.0 400 Bad Request\r\n"
        assert (await peer.reader.readline()) == b"CSeq: 7\r\n"
    assert "Traceback" not in caplog.text
    assert interleaved_channel(f"RTP/AVP/TCP;unicast;interleaved={'1' * 5000}-2", 4) == 4


async def test_who_asks_without_reading_is_hung_up_on(tmp_path: Path) -> None:
    async with rig(tmp_path) as made, peers(made, "rtsp") as (peer,):
        made.cameras.tracks = merged(encoded("h264"))[0]
        path = path_of(made.link().rtsp_url)
        peer.writer.write(f"DESCRIBE rtsp://x{path} RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
        assert b"200 OK" in await peer.reader.readline()
        peer.writer.write(b"OPTIONS rtsp://x/ RTSP/1.0\r\n\r\n" * 5000)
        assert await peer.is_hung_up_on()
        await until_visitors(made, "rtsp", 0)


async def test_a_guest_that_wants_nothing_is_sent_away(tmp_path: Path) -> None:
    async with rig(tmp_path) as made, peers(made, "rtsp") as (peer,):
        made.cameras.tracks = merged(encoded("h264"))[0]
        path = path_of(made.link(minutes=60).rtsp_url)
        peer.writer.write(f"DESCRIBE rtsp://x{path} RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
        assert b"200 OK" in await peer.reader.readline()
        made.clock.advance(59 * S)
        await asyncio.sleep(0.1)
        assert visitors(made, "rtsp") == 1
        made.clock.advance(2 * S)
        await until_visitors(made, "rtsp", 0)


def flood(track: Track) -> AsyncIterator[Packet]:
    """Pictures of 200 KB that are keyframes, 25 a second, without an end."""

    async def packets() -> AsyncIterator[Packet]:
        body = (200_000 - 4).to_bytes(4, "big") + b"\x65" + bytes(200_000 - 5)
        number = 0
        while True:
            yield Packet(0, number * 3600, True, body, number)
            number += 1
            await asyncio.sleep(0)

    return packets()


@pytest.mark.parametrize("port", PORTS)
async def test_a_player_that_stops_reading_loses_its_place_its_memory_and_its_tap(
    tmp_path: Path, port: str
) -> None:
    tracks, _ = merged(encoded("h264"))
    async with rig(tmp_path) as made, peers(made, port, receive_bytes=16_384) as (peer,):
        made.cameras.tracks = tracks
        link = made.link(minutes=60)
        if port == "http":
            peer.writer.write(f"GET {path_of(link.http_url)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        else:
            await play(peer, path_of(link.rtsp_url))
        await made.watched()
        number = 0
        async for packet in flood(tracks[0]):
            made.cameras.push(packet)
            number += 1
            if number == 200:
                break
        assert made.desk.views("ann", sees_all=True)[0].players == 1
        await asyncio.sleep(0.1)
        made.clock.advance(19 * S)
        await asyncio.sleep(0.1)
        assert made.cameras.sinks
        made.clock.advance(2 * S)
        await until_visitors(made, port, 0)
        async with asyncio.timeout(5):
            while made.cameras.sinks:
                await asyncio.sleep(0.01)
        assert made.desk.views("ann", sees_all=True)[0].players == 0
        assert not made.desk._http_visitors


async def play(peer: Peer, path: str) -> None:
    async def ask(text: str) -> str:
        peer.writer.write(text.encode())
        return (await peer.reader.readuntil(b"\r\n\r\n")).decode()

    described = await ask(f"DESCRIBE rtsp://x{path} RTSP/1.0\r\nCSeq: 1\r\n\r\n")
    size = int(described.lower().split("content-length: ")[1].split("\r\n")[0])
    await peer.reader.readexactly(size)
    transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"
    answer = await ask(f"SETUP rtsp://x{path}/trackID=0 RTSP/1.0\r\nCSeq: 2\r\n{transport}\r\n\r\n")
    session = answer.split("Session: ")[1].split(";")[0]
    assert " 200 " in await ask(f"PLAY rtsp://x{path} RTSP/1.0\r\nCSeq: 3\r\nSession: {session}\r\n\r\n")


async def test_a_player_that_goes_on_reading_is_left_alone(tmp_path: Path) -> None:
    tracks, packets = merged(encoded("h264"))
    async with rig(tmp_path) as made:
        made.cameras.tracks = tracks
        link = made.link(minutes=60)
        async with playing(link.rtsp_url) as sink:
            await made.watched()
            for number, packet in enumerate(packets):
                made.cameras.push(packet)
                if number % 10 == 0:
                    made.clock.advance(15 * S)
                    await asyncio.sleep(0.05)
            wanted = sum(packet.track == 0 for packet in packets)
            await sink.wait_for(wanted - 1)


async def test_a_clip_may_be_paused_for_ten_minutes_and_not_for_ever(tmp_path: Path) -> None:
    class Long:
        total_bytes = 1 << 30

        def stretch(self, start: int, length: int, chunk_bytes: int):  # type: ignore[no-untyped-def]
            while True:
                yield bytes(65536)

    async def clip(link: object) -> ExportFile:
        return Long()  # type: ignore[return-value]

    async with rig(tmp_path, clip) as made, peers(made, "http", receive_bytes=16_384) as (peer,):
        link = made.link(start_us=1, end_us=2, minutes=60)
        peer.writer.write(f"GET {path_of(link.http_url)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert b"200 OK" in await peer.reader.readline()
        await asyncio.sleep(0.2)
        made.clock.advance(590 * S)
        await asyncio.sleep(0.1)
        assert visitors(made, "http") == 1
        made.clock.advance(20 * S)
        await until_visitors(made, "http", 0)
        assert made.desk.views("ann", sees_all=True)[0].players == 0


# -- pure ------------------------------------------------------------------------------------------------


def test_a_thousand_small_frames_do_not_copy_the_rest_each() -> None:
    requests = RtspRequests()
    assert (
        list(requests.feed(b"$\0\0\0" * 500_000 + b"$\0")) == []
    )  # seconds of the event loop when each does
    assert len(requests._buffer) == 2
    (request,) = requests.feed(b"\0\x01xOPTIONS * RTSP/1.0\r\n\r\nGET_P")
    assert request.method == "OPTIONS"
    with pytest.raises(CameraProtocolError):
        list(requests.feed(b"x" * 20_000))


def test_one_network_of_ipv6_is_one_neighbour() -> None:
    assert _neighbourhood(("2001:db8::1", 5, 0, 0)) == _neighbourhood(("2001:db8::ffff:9", 6, 0, 0))
    assert _neighbourhood(("2001:db8::1", 5, 0, 0)) != _neighbourhood(("2001:db8:0:1::1", 5, 0, 0))
    assert _neighbourhood(("::ffff:192.0.2.1", 5, 0, 0)) == _neighbourhood(("192.0.2.1", 5))
    assert _neighbourhood(("fe80::1%eth0", 5, 0, 2)) == "fe80::/64"
    assert _neighbourhood(None) == "?"
