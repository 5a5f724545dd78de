"""Who is at the two ports of video links, how many at a time and for how long. Loop only.

Everybody comes as a stranger: a few an address, for a few seconds and bytes, until a link that is open was named. Whoever guesses
waits for each answer. A player that takes nothing any more is cut off, so that it keeps neither memory nor a camera's packets.
"""

from __future__ import annotations

import asyncio
import fcntl
import ipaddress
import logging
import socket
import struct
import termios
from collections.abc import Callable
from dataclasses import dataclass

from engine.links.link import Link
from storage.clock import Clock
from storage.units import US_PER_SECOND

log = logging.getLogger(__name__)

KEPT_ALIVE_S = (30, 10, 3)
"""A connection on which nothing is sent is asked after so long, again after so long, so many times (tcp(7))."""
LEAST_PROGRESS_BYTES = 64 * 1024
"""Who takes neither this much in the time below nor all that waited when it began has stopped reading."""
_ACKED_AT = 120
"""`tcpi_bytes_acked` in the kernel's `struct tcp_info` (u64, Linux 4.1)."""


@dataclass(frozen=True, slots=True)
class DoorLimits:
    """Of one port."""

    strangers: int = 32
    strangers_an_address: int = 8
    strangers_this_machine: int = 24
    """Behind an SSH tunnel each is a stranger for as long as its first words take; the rest is for those who come straight."""
    connections: int = 96
    connections_an_address: int = 48
    """Behind an SSH tunnel everybody has the same address."""
    stranger_s: float = 10.0
    """To name a link that is open."""
    stranger_bytes: int = 32 * 1024
    wrong_pause_s: float = 1.0
    """Before a link that is not there is answered: with the strangers there may be, so many guesses a second are possible."""
    idle_s: float = 60.0
    """Without a request and without playing."""
    live_stall_s: float = 20.0
    clip_stall_s: float = 600.0
    """A recorded clip may be paused: it holds a mebibyte, and no camera."""
    requests_a_round: int = 64


class Visitor:
    """One connection. `leave` when it is gone."""

    def __init__(self, door: Door, transport: asyncio.Transport, address: str, now_us: int) -> None:
        self.address = address
        self.link: Link | None = None
        """Named, and was open: it is no stranger any more."""
        self.is_playing = False
        self._door = door
        self._transport = transport
        self._came_us = self._heard_us = self._moved_us = now_us
        self._heard_bytes = 0
        self._requests = 0
        self._goal_bytes = 0
        """Acknowledged from the beginning on: then it has moved."""

    def hears(self, size_bytes: int) -> bool:
        """It sent so many bytes. False: it was hung up on."""
        self._heard_us = self._door.clock.monotonic_us()
        self._heard_bytes += size_bytes
        if self.link is None and self._heard_bytes > self._door.limits.stranger_bytes:
            return self._hang_up("said too much before it named a link")
        return True

    def asks(self) -> bool:
        """It sent a request. False: it was hung up on."""
        self._requests += 1
        if self._requests > self._door.limits.requests_a_round:
            return self._hang_up(f"{self._requests} requests in a second")
        return True

    def names(self, token: str) -> Link | None:
        """The link that this opens; it is no stranger from then on."""
        link = self._door.opened(token)
        self.link = self.link or link
        return link

    def leave(self) -> None:
        self._door.visitors.discard(self)

    def look(self, now_us: int) -> None:
        """Once a round: hang up when its time is over."""
        limits = self._door.limits
        self._requests = 0
        if self.link is None:
            if now_us - self._came_us > limits.stranger_s * US_PER_SECOND:
                self._hang_up("named no link in time")
            return
        pending_bytes, acked_bytes = _on_its_way(self._transport)
        if not pending_bytes or acked_bytes >= self._goal_bytes:
            self._moved_us = now_us
            # Of a thin stream over a long line something is always on its way, and 64 KiB take minutes.
            self._goal_bytes = acked_bytes + min(pending_bytes, LEAST_PROGRESS_BYTES)
        stall_s = limits.live_stall_s if self.link.is_live else limits.clip_stall_s
        if now_us - self._moved_us > stall_s * US_PER_SECOND:
            self._hang_up(f"takes nothing any more ({pending_bytes} bytes wait)")
        elif not self.is_playing and now_us - self._heard_us > limits.idle_s * US_PER_SECOND:
            self._hang_up("wants nothing any more")

    def _hang_up(self, why: str) -> bool:
        if self.link is None:  # anybody could fill the log
            log.debug("video links: a stranger at %s is cut off: %s", self.address, why)
        else:
            log.info("video link %s: a player at %s is cut off: %s", self.link.id, self.address, why)
        self._transport.abort()
        return False


class Door:
    """Of one port."""

    def __init__(self, opened: Callable[[str], Link | None], clock: Clock, limits: DoorLimits) -> None:
        """`opened`: the link a token opens."""
        self.opened = opened
        self.clock = clock
        self.limits = limits
        self.visitors: set[Visitor] = set()

    def enter(self, transport: asyncio.Transport) -> Visitor | None:
        """None: there are too many, and it was hung up on."""
        address = _neighbourhood(transport.get_extra_info("peername"))
        limits = self.limits
        few = limits.strangers_this_machine if _is_this_machine(address) else limits.strangers_an_address
        near = [each for each in self.visitors if each.address == address]
        strangers = [each for each in self.visitors if each.link is None]
        is_full = (
            len(self.visitors) >= limits.connections
            or len(near) >= limits.connections_an_address
            or len(strangers) >= limits.strangers
            or sum(each.link is None for each in near) >= few
        )
        if is_full:
            transport.abort()
            return None
        _keep_alive(transport)
        visitor = Visitor(self, transport, address, self.clock.monotonic_us())
        self.visitors.add(visitor)
        return visitor

    def look(self) -> None:
        """Once a second."""
        now_us = self.clock.monotonic_us()
        for visitor in tuple(self.visitors):
            visitor.look(now_us)


class GuardedProtocol(asyncio.Protocol):
    """A server's protocol behind the door: it hears of nobody who was not let in."""

    def __init__(self, door: Door, inner: asyncio.Protocol, by_transport: dict[object, Visitor]) -> None:
        """`by_transport`: where the visitor is found while it is here."""
        self._door = door
        self._inner = inner
        self._by_transport = by_transport
        self._transport: asyncio.BaseTransport | None = None
        self._visitor: Visitor | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._visitor = self._door.enter(transport)  # type: ignore[arg-type]  # uvloop's is none by inheritance
        if self._visitor is not None:
            self._transport = transport
            self._by_transport[transport] = self._visitor
            self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._visitor is not None and self._visitor.hears(len(data)):
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return None if self._visitor is None else self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._visitor is not None:
            self._visitor.leave()
            self._by_transport.pop(self._transport, None)
            self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()


def _neighbourhood(peer: object) -> str:
    """One network of IPv6 is one household: it has more addresses than there are limits."""
    text = str(peer[0]) if isinstance(peer, tuple) and peer else "?"
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return text
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))


def _is_this_machine(neighbourhood: str) -> bool:
    return neighbourhood.startswith("127.") or neighbourhood == "::/64"


def _keep_alive(transport: asyncio.Transport) -> None:
    sock = transport.get_extra_info("socket")
    idle_s, pause_s, times = KEPT_ALIVE_S
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle_s)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, pause_s)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, times)
    except OSError:
        log.debug("a connection that was gone at once")


def _on_its_way(transport: asyncio.Transport) -> tuple[int, int]:
    """(bytes that wait here or in the kernel, bytes the other end has acknowledged)."""
    sock = transport.get_extra_info("socket")
    here_bytes = transport.get_write_buffer_size()
    try:
        (queued_bytes,) = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4)))
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKED_AT + 8)
        (acked_bytes,) = struct.unpack_from("Q", info, _ACKED_AT)
    except (OSError, ValueError, struct.error):
        return here_bytes, 0  # it is gone: connection_lost comes
    return here_bytes + queued_bytes, acked_bytes
