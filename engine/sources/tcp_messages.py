"""Messages by TCP, as access control and other systems send them: one a line, or whatever came before a pause (manual rows TM).

Bounded in everything: connections, length, time, and rate. A sender over the rate is not read from until it may go on, so
that TCP itself slows it down: a flood costs nobody a message.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import StreamReader, StreamWriter

from engine.deadline import Deadline
from engine.sources.heard import Heard
from engine.supervise import Sleep

log = logging.getLogger(__name__)

KIND = "external.tcp_message"
CONNECTION_LIMIT = 64
MESSAGE_LIMIT_BYTES = 4096
PAUSE_S = 0.5
"""A message without an end of line is over after it: many devices send none."""
IDLE_LIMIT_S = 600.0
RATE = 1_000
"""Messages a second from one connection; more wait in its socket."""
READ_BYTES = 64 * 1024


class TcpMessages:
    """One listening port. `serve` is an asyncio.start_server callback."""

    def __init__(self, heard: Heard, *, sleep: Sleep = asyncio.sleep, pause_s: float = PAUSE_S) -> None:
        self._heard = heard
        self._sleep = sleep
        self._pause_s = pause_s
        self._connected: set[StreamWriter] = set()

    def hang_up(self) -> None:
        """The port was closed: so are those who came through it."""
        for writer in list(self._connected):
            writer.close()

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        peer = _address(writer)
        if len(self._connected) >= CONNECTION_LIMIT:
            self._heard.dropped += 1
            log.warning("TCP messages: %s turned away, %d are connected", peer, CONNECTION_LIMIT)
            writer.close()
            return
        self._connected.add(writer)
        try:
            await self._listen(reader, peer)
        except (ConnectionError, OSError) as error:
            log.info("TCP messages: %s: %s", peer, error)
        finally:
            self._connected.discard(writer)
            writer.close()

    async def _listen(self, reader: StreamReader, peer: str) -> None:
        waiting = b""
        is_skipping = False
        """The rest of a message that was too long."""
        taken = 0
        while True:
            data, is_pause = await self._read(reader, has_some=bool(waiting))
            *lines, rest = (waiting + data).split(b"\n")
            for line in lines:
                if not is_skipping:
                    self._take(line, peer)
                    taken += 1
                is_skipping = False
                if taken >= RATE:
                    taken = 0
                    await self._sleep(1)
            if len(rest) > MESSAGE_LIMIT_BYTES:
                if not is_skipping:
                    self._heard.dropped += 1
                    log.warning("TCP messages: %s sent one of over %d bytes", peer, MESSAGE_LIMIT_BYTES)
                rest, is_skipping = b"", True
            if is_pause or not data:
                if not is_skipping:
                    self._take(rest, peer)
                rest, is_skipping = b"", is_skipping and is_pause
            if not data and not is_pause:
                return
            waiting = b"" if is_skipping else rest

    async def _read(self, reader: StreamReader, *, has_some: bool) -> tuple[bytes, bool]:
        """What came, or (empty, True) when what is here has waited long enough; (empty, False) = it hung up."""
        try:
            async with Deadline(self._pause_s if has_some else IDLE_LIMIT_S):
                return await reader.read(READ_BYTES), False
        except TimeoutError:
            return b"", has_some

    def _take(self, line: bytes, peer: str) -> None:
        if len(line) > MESSAGE_LIMIT_BYTES:
            self._heard.dropped += 1
            return
        text = line.decode("utf-8", "replace").strip("\r\0 ")
        if text:
            self._heard.take(KIND, peer, peer, text)


def _address(writer: StreamWriter) -> str:
    peer = writer.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else "?"
