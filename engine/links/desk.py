"""Video links: made, listed, ended; and the two ports players come to. Loop only.

What a player may see is what its link says, nothing else is served on these ports. A port that cannot be opened is a state with
its reason, not an error of the engine.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aiohttp import web

from engine.config import LinksSection
from engine.events import EventBus
from engine.links.door import Door, DoorLimits, GuardedProtocol, Visitor
from engine.links.link import PLAYERS_LIMIT, Link
from engine.links.live_tap import LiveTaps
from engine.links.rtsp_connection import RtspConnection
from engine.links.sdp_text import RtpTrack, rtp_tracks
from engine.supervise import Sleep
from engine.wire_links import VideoLink, VideoLinkAsk
from storage.catalog.records import Camera
from storage.clock import Clock
from storage.errors import Conflict, InvalidInput, NotFound
from storage.segments.packet import Track
from storage.units import US_PER_SECOND

log = logging.getLogger(__name__)

LINKS_LIMIT = 64
CLIPS_LIMIT = 16
"""Players of recorded clips at the same time, of all links: each keeps disks busy that also record."""
TOKEN_BYTES = 16
"""128 random bits."""
ROUND_S = 1.0
AGAIN_ROUNDS = 10
"""Rounds until a port that could not be opened is tried again."""
STOP_S = 1.0
HTTP, RTSP = "HTTP", "RTSP"
LIMITS = DoorLimits()
_HTTP_LIMITS: dict[str, Any] = {
    "max_line_size": 2048,
    "max_field_size": 4096,
    "max_headers": 64,
    "read_bufsize": 16 * 1024,
    "lingering_time": 0,
    "auto_decompress": False,
}
"""Of aiohttp: what a stranger may send before it is answered."""


@dataclass(slots=True)
class _Ports:
    runner: web.AppRunner | None = None
    http: asyncio.Server | None = None
    rtsp: asyncio.Server | None = None


class LinkDesk:
    """`run` for ever; the rest whenever somebody asks."""

    def __init__(
        self,
        config: LinksSection,
        taps: LiveTaps,
        application: Callable[[LinkDesk], web.Application],
        events: EventBus,
        clock: Clock,
        *,
        sleep: Sleep = asyncio.sleep,
        limits: DoorLimits = LIMITS,
    ) -> None:
        """`application` makes what answers on the HTTP port; `limits`: of each port."""
        self.taps = taps
        self.clock = clock
        self._config = config
        self._application = application
        self._events = events
        self._sleep = sleep
        self._links: dict[str, Link] = {}
        self._ports = _Ports()
        self._troubles: dict[str, str] = {}
        self._connections: set[RtspConnection] = set()
        self._doors = {name: Door(self.opened, clock, limits) for name in (HTTP, RTSP)}
        self._http_visitors: dict[object, Visitor] = {}

    # -- links -----------------------------------------------------------------------------------------------

    def add(self, ask: VideoLinkAsk, camera: Camera, actor: str) -> VideoLink:
        """Raises InvalidInput, Conflict (with the reason) and NotFound."""
        if (ask.start_us is None) is not (ask.end_us is None):
            raise InvalidInput("a clip needs both its start and its end", "give both, or neither for live")
        if ask.host and not _is_host(ask.host):
            raise InvalidInput(f"{ask.host!r} is no host name or address", "leave it out, or correct it")
        if self.http_port is None:
            raise Conflict("video links are off", self._troubles.get(HTTP) or OFF_REMEDY)
        if ask.start_us is None and camera.is_removed:
            raise Conflict(f"camera {camera.name} was removed", "ask for a recorded stretch")
        self._end_expired()
        if len(self._links) >= LINKS_LIMIT:
            raise Conflict(f"{len(self._links)} video links are open", "close one, or wait until one expires")
        link = Link(
            id=secrets.token_hex(4),
            token=secrets.token_urlsafe(TOKEN_BYTES),
            camera=camera.uuid,
            camera_name=camera.name,
            start_us=ask.start_us,
            end_us=ask.end_us,
            expires_us=self.clock.now_us() + ask.minutes * 60 * US_PER_SECOND,
            created_by=actor,
            host=ask.host or self._config.host or _own_host(self._config.listen),
        )
        self._links[link.id] = link
        what = "live" if link.is_live else "a recorded clip"
        self._events.publish(
            "video_link.opened",
            f"Video link {link.id} to {what} of {camera.name}, for {ask.minutes} min",
            source=camera.name,
            actor=actor,
        )
        return self._view(link)

    def views(self, actor: str, *, sees_all: bool) -> tuple[VideoLink, ...]:
        """Of the caller. Those of others are listed without their addresses."""
        self._end_expired()
        return tuple(
            self._view(link, is_open=link.created_by == actor)
            for link in self._links.values()
            if sees_all or link.created_by == actor
        )

    def remove(self, id: str, actor: str, *, sees_all: bool) -> None:
        """Raises NotFound; also for a link of somebody else."""
        link = self._links.get(id)
        if link is None or not (sees_all or link.created_by == actor):
            raise NotFound(f"no video link {id!r}", "`watchdeck link list` shows them")
        self._end(link)

    def opened(self, token: str) -> Link | None:
        """The link this token opens, if it is not over."""
        found = [link for link in self._links.values() if link.is_opened_by(token)]
        if not found or found[0].expires_us <= self.clock.now_us():
            return None
        return found[0]

    def http_visitor(self, transport: object) -> Visitor | None:
        """Whose connection this is; None: it is gone."""
        return self._http_visitors.get(transport)

    @property
    def limits(self) -> DoorLimits:
        return self._doors[HTTP].limits

    def fullness(self, link: Link) -> str:
        """Why there is no room for one more player of it; empty: there is."""
        if len(link.players) >= PLAYERS_LIMIT:
            return f"this link has {len(link.players)} players, which is as many as it may have"
        clips = sum(len(each.players) for each in self._links.values() if not each.is_live)
        if not link.is_live and clips >= CLIPS_LIMIT:
            return f"{clips} recorded clips are played, which is as many as may be: close one"
        return ""

    def forget_camera(self, camera: Camera) -> None:
        """It was removed: live links end, clips stay."""
        for link in [each for each in self._links.values() if each.camera == camera.uuid and each.is_live]:
            self._end(link)
        self.taps.forget(camera.uuid, "the camera was removed")

    def _end(self, link: Link) -> None:
        self._links.pop(link.id, None)
        link.cut_off()

    def _end_expired(self) -> None:
        now_us = self.clock.now_us()
        for link in [each for each in self._links.values() if each.expires_us <= now_us]:
            self._end(link)

    def _view(self, link: Link, *, is_open: bool = True) -> VideoLink:
        token = link.token if is_open else "***"
        host = f"[{link.host}]" if ":" in link.host else link.host
        http_port, rtsp_port = self.http_port or 0, self.rtsp_port or 0
        rtsp_url = ""
        if link.is_live and rtsp_port and self.offer(link.camera)[1]:
            rtsp_url = f"rtsp://{host}:{rtsp_port}/v/{token}"
        return VideoLink(
            id=link.id,
            camera=link.camera_name,
            start_us=link.start_us,
            end_us=link.end_us,
            http_url=f"http://{host}:{http_port}/v/{token}/{link.file_name}",
            rtsp_url=rtsp_url,
            expires_us=link.expires_us,
            created_by=link.created_by,
            players=len(link.players),
            is_loopback=_is_loopback(self._config.listen),
            http_port=http_port,
            rtsp_port=rtsp_port,
        )

    def offer(self, camera: UUID) -> tuple[tuple[Track, ...], tuple[RtpTrack, ...]]:
        """What the camera sends now, and what of it goes over RTP; () without it."""
        try:
            tracks = self.taps.tracks(camera)
            return tracks, rtp_tracks(tracks, self.taps.newest(camera))
        except NotFound:
            return (), ()

    # -- ports -----------------------------------------------------------------------------------------------

    @property
    def http_port(self) -> int | None:
        """As bound; None = closed."""
        return _port(self._ports.http)

    @property
    def rtsp_port(self) -> int | None:
        return _port(self._ports.rtsp)

    @property
    def trouble(self) -> str:
        return "; ".join(self._troubles.values())

    async def run(self) -> None:
        rounds = 0
        try:
            while True:
                if rounds % AGAIN_ROUNDS == 0 and self._config.listen:
                    await self._open()
                rounds += 1
                await self._sleep(ROUND_S)
                self._end_expired()
                for door in self._doors.values():
                    door.look()
        finally:
            await self._close()

    async def _open(self) -> None:
        """What is not open yet."""
        before, self._troubles = self._troubles, {}
        if self._ports.runner is None:
            runner = web.AppRunner(
                self._application(self),
                access_log=None,
                shutdown_timeout=STOP_S,
                handler_cancellation=True,
                **_HTTP_LIMITS,
            )
            await runner.setup()
            self._ports.runner = runner
        if self._ports.http is None:
            self._ports.http = await self._served(HTTP, self._config.http_port, self._http_protocol)
        if self._ports.rtsp is None:
            self._ports.rtsp = await self._served(
                RTSP,
                self._config.rtsp_port,
                lambda: RtspConnection(self, self._doors[RTSP], self._connections),
            )
        for what, words in self._troubles.items():
            if before.get(what) != words:
                log.warning("%s; tried again", words)

    async def _served(
        self, what: str, port: int, protocol: Callable[[], asyncio.Protocol]
    ) -> asyncio.Server | None:
        """None: it cannot be opened, which is noted."""
        try:
            return await asyncio.get_running_loop().create_server(
                protocol, self._config.listen, port, reuse_address=True
            )
        except OSError as error:
            self._troubles[what] = (
                f"port {port} of {self._config.listen} for video links ({what}) cannot be opened:"
                f" {error.strerror or error}"
            )
            return None

    def _http_protocol(self) -> asyncio.Protocol:
        runner = self._ports.runner
        assert runner is not None
        assert runner.server is not None
        return GuardedProtocol(self._doors[HTTP], runner.server(), self._http_visitors)

    async def _close(self) -> None:
        for link in list(self._links.values()):
            self._end(link)
        ports, self._ports = self._ports, _Ports()
        for server in (ports.http, ports.rtsp):
            if server is not None:
                server.close()
        for connection in list(self._connections):
            connection.hang_up()
        if ports.runner is not None:
            await ports.runner.cleanup()


OFF_REMEDY = "set `listen` in [links] of station.toml (docs/operations.md)"


def _port(server: asyncio.Server | None) -> int | None:
    return server.sockets[0].getsockname()[1] if server is not None and server.sockets else None


def _is_loopback(listen: str) -> bool:
    return listen.startswith("127.") or listen in ("::1", "localhost")


def _own_host(listen: str) -> str:
    """How others reach this machine, as far as it knows itself."""
    if _is_loopback(listen):
        return "localhost"
    return socket.gethostname() if listen in ("0.0.0.0", "::") else listen  # noqa: S104 - compared, not bound


def _is_host(text: str) -> bool:
    return text.isascii() and all(each.isalnum() or each in ".-:_" for each in text)
