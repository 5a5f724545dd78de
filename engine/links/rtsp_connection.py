"""One player on the RTSP port (RFC 2326): DESCRIBE, SETUP over TCP, PLAY of the live camera its link names.

An asyncio.Protocol without tasks. The link's token is in the path; whoever has none that is open gets 404, late, and no more. A player that
does not keep up loses pictures up to the next keyframe, never the camera's recording anything.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from engine.cameras.rtsp_message import RtspMessage
from engine.links.door import Door, Visitor
from engine.links.rtp_packets import interleaved
from engine.links.rtp_sender import RtpSender
from engine.links.rtsp_requests import (
    METHODS,
    RtspRequests,
    interleaved_channel,
    is_of_session,
    path_of,
    reply,
)
from engine.links.sdp_text import RtpTrack, session_description
from storage.errors import CameraProtocolError, NotFound
from storage.segments.packet import Packet, Track

if TYPE_CHECKING:
    from engine.links.desk import LinkDesk
    from engine.links.link import Link

BACKLOG_LIMIT_BYTES = 4 * 1024 * 1024
"""Unsent bytes from which a player is slow; at twice as much, whoever goes on asking without reading is hung up on."""


class RtspConnection(asyncio.Protocol):
    """State: no session until SETUP, playing from PLAY to TEARDOWN or the end."""

    def __init__(self, desk: LinkDesk, door: Door, open_connections: set[RtspConnection]) -> None:
        self._desk = desk
        self._door = door
        self._open = open_connections
        self._transport: asyncio.Transport | None = None
        self._visitor: Visitor | None = None
        self._requests = RtspRequests()
        self._refusal: asyncio.TimerHandle | None = None
        """It named a link that is not there, and waits for its answer."""
        self._session = ""
        self._link: Link | None = None
        self._tracks: tuple[Track, ...] = ()
        self._offered: tuple[RtpTrack, ...] = ()
        self._channels: dict[int, int] = {}
        """Track of the camera to interleaved RTP channel; RTCP is the next one."""
        self._sender: RtpSender | None = None
        self._stop_watching: Callable[[], None] | None = None
        self._waits_for_keyframe = True

    # -- asyncio.Protocol ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._visitor = self._door.enter(transport)
        if self._visitor is not None:
            self._transport = transport
            self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        self._transport = None
        if self._visitor is not None:
            self._visitor.leave()
        if self._refusal is not None:
            self._refusal.cancel()
        self._stop()

    def data_received(self, data: bytes) -> None:
        visitor = self._visitor
        if visitor is None or self._transport is None or self._refusal is not None:
            return
        if not visitor.hears(len(data)):
            return
        try:
            for request in self._requests.feed(data):
                if not visitor.asks():
                    return
                self._handle(request)
                if self._transport.is_closing() or self._refusal is not None:
                    return
        except CameraProtocolError:
            self._answer(None, 400)
            self._transport.close()

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # -- Watcher -------------------------------------------------------------------------------------------

    def packet(self, packet: Packet) -> None:
        transport, sender = self._transport, self._sender
        if transport is None or sender is None:
            return
        is_video = self._tracks[packet.track].is_video
        if transport.get_write_buffer_size() > BACKLOG_LIMIT_BYTES:
            self._waits_for_keyframe = True
            return
        if self._waits_for_keyframe:
            if not is_video or not packet.is_keyframe:
                return
            if transport.get_write_buffer_size() > BACKLOG_LIMIT_BYTES // 10:
                return
            self._waits_for_keyframe = False
        transport.write(
            b"".join(
                interleaved(self._channels[track] + is_rtcp, data)
                for track, is_rtcp, data in sender.packets(packet, self._desk.clock.now_us())
            )
        )

    def ended(self, reason: str) -> None:
        self.hang_up()

    # -- requests ------------------------------------------------------------------------------------------

    def _handle(self, request: RtspMessage) -> None:
        if request.method == "OPTIONS":
            self._answer(request, 200, {"Public": METHODS})
            return
        path = path_of(request)
        if path is None:
            self._answer(request, 400)
            return
        assert self._visitor is not None
        link = self._visitor.names(path[1]) if len(path) >= 2 and path[0] == "v" else None
        if link is None:
            self._refuse_later(request)
            return
        if not link.is_live or (self._link is not None and link is not self._link):
            self._answer(request, 404)
            return
        match request.method:
            case "DESCRIBE":
                self._describe(link, request)
            case "SETUP":
                self._set_up(link, path[2] if len(path) > 2 else "", request)
            case "PLAY":
                self._play(link, request)
            case "GET_PARAMETER":
                self._answer(request, 200 if self._is_session(request) else 454)
            case "TEARDOWN":
                self._stop()
                self._answer(request, 200)
                self._session = ""
                self._channels.clear()
            case _:
                self._answer(request, 501, {"Public": METHODS})

    def _refuse_later(self, request: RtspMessage) -> None:
        """Whoever guesses waits for each answer, and has to come again for the next."""

        def refuse() -> None:
            self._answer(request, 404)
            if self._transport is not None:
                self._transport.close()

        pause_s = self._door.limits.wrong_pause_s
        self._refusal = asyncio.get_running_loop().call_later(pause_s, refuse)

    def _look(self, link: Link) -> int:
        """What the camera sends now; an RTSP status when there is nothing to be had."""
        self._tracks, self._offered = self._desk.offer(link.camera)
        if self._offered:
            return 200
        # Of a camera that sends video, and is heard of by HTTP all the same.
        return 415 if any(track.is_video for track in self._tracks) else 503

    def _describe(self, link: Link, request: RtspMessage) -> None:
        status = self._look(link)
        if status != 200:
            self._answer(request, status)
            return
        extra = {"Content-Base": request.url.rstrip("/") + "/", "Content-Type": "application/sdp"}
        self._answer(request, 200, extra, session_description(self._offered, link.camera_name))

    def _set_up(self, link: Link, control: str, request: RtspMessage) -> None:
        if not self._offered and (status := self._look(link)) != 200:
            self._answer(request, status)
            return
        match = re.fullmatch(r"trackID=(\d{1,2})", control)
        if match is None or int(match[1]) >= len(self._offered):
            self._answer(request, 404)
            return
        number = int(match[1])
        channel = interleaved_channel(request.header("transport"), default=2 * number)
        if channel is None:
            self._answer(request, 461)
            return
        self._link = link
        self._session = self._session or secrets.token_hex(8)
        self._channels[self._offered[number].index] = channel
        transport = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
        self._answer(request, 200, {"Transport": transport})

    def _play(self, link: Link, request: RtspMessage) -> None:
        if not self._is_session(request):
            self._answer(request, 454 if self._session else 455)
            return
        if self._stop_watching is None and (status := self._begin(link)) != 200:
            self._answer(request, status)
            return
        self._answer(request, 200, {"Range": "npt=now-"})

    def _begin(self, link: Link) -> int:
        """Watch the camera. An RTSP status."""
        if self._desk.fullness(link):
            return 453
        try:
            if self._desk.taps.tracks(link.camera) != self._tracks:
                return 503  # what was described is over: it has to ask anew
            stop = self._desk.taps.watch(link.camera, self)
        except NotFound:
            return 404
        sent = [track for track in self._offered if track.index in self._channels]
        self._sender = RtpSender(self._tracks, sent)
        self._stop_watching = stop
        link.players[self] = self.hang_up
        assert self._visitor is not None
        self._visitor.is_playing = True
        return 200

    def _is_session(self, request: RtspMessage) -> bool:
        return is_of_session(request, self._session)

    def _stop(self) -> None:
        if self._link is not None:
            self._link.players.pop(self, None)
        stop, self._stop_watching = self._stop_watching, None
        self._sender = None
        if self._visitor is not None:
            self._visitor.is_playing = False
        if stop is not None:
            stop()

    def _answer(
        self,
        request: RtspMessage | None,
        status: int,
        extra: dict[str, str] | None = None,
        body: str = "",
    ) -> None:
        if self._transport is None:
            return
        if self._transport.get_write_buffer_size() > 2 * BACKLOG_LIMIT_BYTES:
            self._transport.abort()
            return
        self._transport.write(reply(request, status, self._session, extra, body))
