"""`ScriptedCamera`: an RTSP server in the test's own loop whose every answer a test may replace.

camera = ScriptedCamera(media=frames)
camera.on["DESCRIBE"] = lambda request: reply(404, "Not Found")
async with camera: ... camera.url ...
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.rtsp.rtp_packets import H264_PPS, H264_SPS

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\na=control:*\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:video\r\n"
    f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={base64.b64encode(H264_SPS).decode()},"
    f"{base64.b64encode(H264_PPS).decode()}\r\n"
)
AUDIO_SDP = "m=audio 0 RTP/AVP 0\r\na=control:audio\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """What the client asked."""

    method: str
    url: str
    headers: dict[str, str]


Answer = Callable[[Request], bytes]


def reply(
    status: int = 200, reason: str = "OK", headers: str = "", body: str = "", *, cseq: str | None = None
) -> bytes:
    """A reply; `{cseq}` is filled in unless one is given."""
    number = "CSeq: {cseq}\r\n" if cseq is None else cseq
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"RTSP/1.0 {status} {reason}\r\n{number}{headers}{length}\r\n{body}".encode()


class ScriptedCamera:
    """Listens on a free port of 127.0.0.1 while entered."""

    def __init__(self, *, media: bytes = b"", sdp: str = SDP, tls_pem: Path | None = None) -> None:
        self.media = media
        self.sdp = sdp
        self.requests: list[Request] = []
        self.received = bytearray()
        self.on: dict[str, Answer] = {
            "OPTIONS": lambda _: reply(
                headers="Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER\r\n"
            ),
            "DESCRIBE": lambda _: reply(headers="Content-Type: application/sdp\r\n", body=self.sdp),
            "SETUP": self._set_up,
            "PLAY": lambda _: reply(headers="Session: 1\r\n") + self.media,
        }
        self._tls_pem = tls_pem
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self.torn_down = asyncio.Event()

    @property
    def url(self) -> str:
        scheme = "rtsps" if self._tls_pem else "rtsp"
        return f"{scheme}://127.0.0.1:{self.port}/stream"

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def methods(self) -> list[str]:
        return [request.method for request in self.requests]

    def send(self, data: bytes) -> None:
        """To the last client that came."""
        self._writers[-1].write(data)

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    def _set_up(self, request: Request) -> bytes:
        channels = request.headers["transport"].rpartition("=")[2]
        return reply(
            headers=f"Session: 1;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved={channels}\r\n"
        )

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        try:
            while True:
                first = await reader.readexactly(1)
                if first == b"$":
                    head = await reader.readexactly(3)
                    self.received += first + head + await reader.readexactly(head[1] << 8 | head[2])
                    continue
                self._answer((first + await reader.readuntil(b"\r\n\r\n")).decode(), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    def _answer(self, text: str, writer: asyncio.StreamWriter) -> None:
        first, *lines = text.split("\r\n")
        method, url, _ = first.split(" ")
        if method.startswith("RTSP/"):
            return
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        request = Request(method, url, headers)
        self.requests.append(request)
        answer = self.on.get(method, lambda _: reply())
        if method == "TEARDOWN":
            self.torn_down.set()
        writer.write(answer(request).replace(b"{cseq}", headers["cseq"].encode()))

    async def __aenter__(self) -> Self:
        context = None
        if self._tls_pem is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._tls_pem)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()
        self.hang_up()
        await self._server.wait_closed()
