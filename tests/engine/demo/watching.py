"""A bare RTSP viewer for tests of the demo server: it sends requests and takes RTP apart, and judges nothing."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import av
import numpy as np
from numpy.typing import NDArray


def decode_units(frames: Iterable[Sequence[bytes]]) -> list[NDArray[np.uint8]]:
    """Access units to RGB pictures."""
    context = av.CodecContext.create("h264", "r")
    assert isinstance(context, av.VideoCodecContext)
    context.thread_count = 1
    pictures = []
    for units in frames:
        for frame in context.decode(av.Packet(b"".join(b"\x00\x00\x00\x01" + unit for unit in units))):
            pictures.append(frame.to_ndarray(format="rgb24"))
    pictures += [frame.to_ndarray(format="rgb24") for frame in context.decode(None)]
    return pictures


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str


@dataclass
class Frame:
    """One access unit put together from RTP."""

    timestamp: int
    units: list[bytes] = field(default_factory=list)


class Watcher:
    """One connection. `requests` answers in order; interleaved data met meanwhile is kept."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, url: str) -> None:
        self.reader, self.writer, self.url = reader, writer, url
        self.session = ""
        self.received: list[tuple[int, bytes]] = []
        self._cseq = 0
        self._taken = 0

    @classmethod
    async def connect(cls, url: str) -> Watcher:
        host, port = re.match(r"rtsp://([^:/]+):(\d+)/", url).groups()  # type: ignore[union-attr]
        return cls(*await asyncio.open_connection(host, int(port)), url)

    async def request(self, method: str, url: str = "", **headers: str) -> Answer:
        await self.send(method, url, **headers)
        return await self.answer()

    async def send(self, method: str, url: str = "", **headers: str) -> None:
        self._cseq += 1
        lines = [f"{method} {url or self.url} RTSP/1.0", f"CSeq: {self._cseq}"]
        if self.session:
            lines.append(f"Session: {self.session}")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await self.writer.drain()

    async def answer(self) -> Answer:
        while True:
            first = await self.reader.readexactly(1)
            if first != b"$":
                break
            await self._interleaved()
        head = (first + await self.reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.strip().split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        body = (await self.reader.readexactly(int(headers.get("content-length", "0")))).decode()
        self.session = headers.get("session", self.session).partition(";")[0]
        assert headers["cseq"] == str(self._cseq)
        return Answer(int(lines[0].split()[1]), headers, body)

    async def _interleaved(self) -> None:
        channel, high, low = await self.reader.readexactly(3)
        self.received.append((channel, await self.reader.readexactly(high << 8 | low)))

    async def packets(self) -> tuple[int, bytes]:
        """The next interleaved frame."""
        while self._taken >= len(self.received):
            assert await self.reader.readexactly(1) == b"$"
            await self._interleaved()
        self._taken += 1
        return self.received[self._taken - 1]

    async def play(self, *tracks: int) -> Answer:
        for track in tracks or (0,):
            answer = await self.request(
                "SETUP",
                f"{self.url}/trackID={track}",
                Transport=f"RTP/AVP/TCP;unicast;interleaved={2 * track}-{2 * track + 1}",
            )
            assert answer.status == 200, answer
        return await self.request("PLAY")

    async def frames(self, count: int) -> list[Frame]:
        """The next whole access units of the video track."""
        done: list[Frame] = []
        frame: Frame | None = None
        while len(done) < count:
            channel, packet = await self.packets()
            if channel != 0:
                continue
            timestamp, payload = int.from_bytes(packet[4:8]), packet[12:]
            frame = frame or Frame(timestamp)
            if payload[0] & 31 != 28:
                frame.units.append(payload)
            elif payload[1] & 0x80:
                frame.units.append(bytes([payload[0] & 0xE0 | payload[1] & 31]) + payload[2:])
            else:
                frame.units[-1] += payload[2:]
            if packet[1] & 0x80:
                done.append(frame)
                frame = None
        return done

    async def closed(self) -> None:
        """Returns when the server has ended the connection."""
        try:
            while await self.reader.read(65536):
                pass
        except ConnectionResetError:
            return

    def close(self) -> None:
        self.writer.close()


def digest(user: str, password: str, method: str, url: str, challenge: str) -> str:
    """Value of an Authorization header."""
    realm, nonce = re.search(r'realm="([^"]*)", nonce="([^"]*)"', challenge).groups()  # type: ignore[union-attr]
    secret = hashlib.md5(f"{user}:{realm}:{password}".encode()).hexdigest()
    request = hashlib.md5(f"{method}:{url}".encode()).hexdigest()
    response = hashlib.md5(f"{secret}:{nonce}:{request}".encode()).hexdigest()
    return f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{url}", response="{response}"'
