"""`LiveCamera`: a ScriptedCamera that films for ever after PLAY, by a script of its own; scripts may misbehave.

    async with LiveCamera(steady) as camera: ... camera.url ...

A script gets an `Air` for each connection and returns to go silent; `Air.hang_up` ends the connection.
"""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.fakes.encoded_video import FRAME_RATE, VIDEO_HZ, Stream, encoded
from tests.rtsp.rtp_packets import PayloadType, fragment, interleave, rtp
from tests.rtsp.scripted import Request, ScriptedCamera

_PAYLOAD_BYTES = 1386
_H265_PARAMETER_SETS = "sprop-vps", "sprop-sps", "sprop-pps"


def film(kind: str = "h264", width: int = 160, height: int = 96) -> Stream:
    """Two seconds in two GOPs, to be played in a loop."""
    return encoded(kind, seconds=2.0, gop=FRAME_RATE, width=width, height=height)


def describe(stream: Stream) -> str:
    """The session description of a film."""
    sets = [base64.b64encode(nal).decode() for nal in stream.track.parameter_sets]
    if stream.track.codec == "h264":
        name, fmtp = "H264", f"packetization-mode=1;sprop-parameter-sets={','.join(sets)}"
    else:
        name = "H265"
        fmtp = ";".join(f"{key}={value}" for key, value in zip(_H265_PARAMETER_SETS, sets, strict=True))
    return (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\na=control:*\r\n"
        f"m=video 0 RTP/AVP 96\r\na=rtpmap:96 {name}/90000\r\na=control:video\r\na=fmtp:96 {fmtp}\r\n"
    )


def nal_units_of(data: bytes) -> list[bytes]:
    """NAL units of a packet with 4-byte lengths."""
    units, at = [], 0
    while at + 4 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        units.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return units


@dataclass
class Air:
    """One connection that plays: what goes out on it."""

    writer: asyncio.StreamWriter
    stream: Stream
    session: int
    """Which connection to this camera it is, from 0."""
    sequence: int = 0
    timestamp: int = 1_000_000
    picture: int = 0
    """Number of the next picture of the film."""
    on_picture: Callable[[], None] = lambda: None

    def frames(self, *, timestamp: int | None = None) -> bytes:
        """The next picture as interleaved frames; keyframes bring their parameter sets."""
        pictures = self.stream.packets
        packet = pictures[self.picture % len(pictures)]
        self.picture += 1
        self.on_picture()
        units = nal_units_of(packet.data)
        if packet.is_keyframe:
            units = [*self.stream.track.parameter_sets, *units]
        return self.packets(units, timestamp=timestamp)

    def packets(self, units: list[bytes], *, timestamp: int | None = None) -> bytes:
        """NAL units as the packets of one picture."""
        codec = str(self.stream.track.codec)
        payloads: list[bytes] = []
        for unit in units:
            payloads += [unit] if len(unit) <= _PAYLOAD_BYTES else fragment(unit, codec, _PAYLOAD_BYTES)
        return b"".join(
            self.packet(payload, marker=index == len(payloads) - 1, timestamp=timestamp)
            for index, payload in enumerate(payloads)
        )

    def packet(self, payload: bytes, *, marker: bool = False, timestamp: int | None = None) -> bytes:
        """One interleaved RTP packet, in sequence."""
        self.sequence += 1
        moment = self.timestamp if timestamp is None else timestamp
        return interleave(rtp(payload, self.sequence, moment, marker=marker, kind=PayloadType.VIDEO))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def film(
        self, pictures: int, *, fps: float = FRAME_RATE, ticks: int = VIDEO_HZ // FRAME_RATE
    ) -> None:
        """Send so many pictures at this pace; each advances media time by `ticks`."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        for number in range(pictures):
            await self.send(self.frames())
            self.timestamp += ticks
            await asyncio.sleep(start + (number + 1) / fps - loop.time())

    def hang_up(self) -> None:
        self.writer.transport.abort()


Script = Callable[[Air], Awaitable[None]]
FOR_EVER = 1 << 40


async def steady(air: Air) -> None:
    """A good camera."""
    await air.film(FOR_EVER)


class LiveCamera(ScriptedCamera):
    """Films by `script` on every connection that plays."""

    def __init__(self, script: Script = steady, *, stream: Stream | None = None) -> None:
        self.stream = stream or film()
        super().__init__(sdp=describe(self.stream))
        self.sessions = 0
        self.pictures = 0
        """Sent by all sessions."""
        self._script = script
        self._tasks = asyncio.TaskGroup()
        self._playing: list[asyncio.Task[None]] = []

    def show(self, stream: Stream) -> None:
        """Another film, from the next session on."""
        self.stream = stream
        self.sdp = describe(stream)

    def _answer(self, text: str, writer: asyncio.StreamWriter) -> None:
        super()._answer(text, writer)
        if text.startswith("PLAY "):
            air = Air(writer, self.stream, self.sessions, on_picture=self._count)
            self.sessions += 1
            self._playing.append(self._tasks.create_task(self._film(air)))

    def _count(self) -> None:
        self.pictures += 1

    async def _film(self, air: Air) -> None:
        try:
            await self._script(air)
        except ConnectionError:
            return

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return await super().__aenter__()

    async def __aexit__(self, *exc: object) -> None:
        for task in self._playing:
            task.cancel()
        await super().__aexit__(*exc)
        await self._tasks.__aexit__(None, None, None)


def answering(method: str, answer: Callable[[Request], bytes], script: Script = steady) -> LiveCamera:
    """A good camera but for one answer."""
    camera = LiveCamera(script)
    camera.on[method] = answer
    return camera


async def _serve(cameras: int) -> None:
    """Good cameras until stdin is closed; their URLs go to stdout."""
    async with AsyncExitStack() as stack:
        urls = [(await stack.enter_async_context(LiveCamera())).url for _ in range(cameras)]
        print(json.dumps(urls), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


@contextmanager
def good_cameras(count: int) -> Iterator[list[str]]:
    """URLs of good cameras in a process of their own, which a flood in the test's process does not slow down."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.communicate()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
