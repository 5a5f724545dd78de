"""One player on the RTSP port (RFC 2326): DESCRIBE, SETUP over TCP, PLAY of the live camera its link names.

An asyncio.Protocol without tasks. The link's token is in the path; whoever has none that is open gets 404 and no more. A player that
does not keep up loses pictures up to the next keyframe, never the camera's recording anything.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote, urlsplit

from engine.cameras.rtsp_message import RtspMessage, parse_message
from engine.links.rtp_packets import interleaved
from engine.links.rtp_sender import RtpSender
from engine.links.sdp_text import RtpTrack, rtp_tracks, session_description
from storage.errors import CameraProtocolError, NotFound
from storage.segments.packet import Packet, Track

if TYPE_CHECKING:
    from engine.links.desk import LinkDesk
    from engine.links.link import Link

HEAD_LIMIT_BYTES = 16 * 1024
BACKLOG_LIMIT_BYTES = 4 * 1024 * 1024
"""Unsent bytes from which a player is slow."""
METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"
CONNECTIONS_LIMIT = 64
_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
    501: "Not Implemented",
    503: "Service Unavailable",
}


class RtspConnection(asyncio.Protocol):
    """State: no session until SETUP, playing from PLAY to TEARDOWN or the end."""

    def __init__(self, desk: LinkDesk, open_connections: set[RtspConnection]) -> None:
        self._desk = desk
        self._open = open_connections
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
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
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        if len(self._open) >= CONNECTIONS_LIMIT:
            self._transport.abort()
            return
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        self._transport = None
        self._stop()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._transport is not None and self._take_message():
            pass

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

    def _take_message(self) -> bool:
        """Use up one request or interleaved frame; False when more bytes are needed."""
        buffer = self._buffer
        if buffer[:1] == b"$":  # receiver reports
            if len(buffer) < 4 or len(buffer) < 4 + int.from_bytes(buffer[2:4]):
                return False
            self._buffer = buffer[4 + int.from_bytes(buffer[2:4]) :]
            return True
        if not buffer:
            return False
        try:
            parsed = parse_message(buffer)
        except CameraProtocolError:
            self.hang_up()
            return False
        if parsed is None:
            if len(buffer) > HEAD_LIMIT_BYTES:
                self.hang_up()
            return False
        message, length = parsed
        self._buffer = buffer[length:]
        self._handle(message)
        return True

    def _handle(self, request: RtspMessage) -> None:
        if request.method == "OPTIONS":
            self._answer(request, 200, {"Public": METHODS})
            return
        path = unquote(urlsplit(request.url).path).strip("/").split("/")
        link = self._desk.opened(path[1]) if len(path) >= 2 and path[0] == "v" else None
        if link is None or not link.is_live or (self._link is not None and link is not self._link):
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

    def _look(self, link: Link) -> int:
        """What the camera sends now; an RTSP status when there is nothing to be had."""
        try:
            self._tracks = self._desk.taps.tracks(link.camera)
        except NotFound:
            return 404
        self._offered = rtp_tracks(self._tracks)
        return 200 if self._offered else 503

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
        if self._stop_watching is None:
            if not self._desk.has_room(link):
                self._answer(request, 453)
                return
            sent = [track for track in self._offered if track.index in self._channels]
            self._sender = RtpSender(self._tracks, sent)
            link.players[self] = self.hang_up
            self._stop_watching = self._desk.taps.watch(link.camera, self)
        self._answer(request, 200, {"Range": "npt=now-"})

    def _is_session(self, request: RtspMessage) -> bool:
        return bool(self._session) and request.header("session").partition(";")[0] == self._session

    def _stop(self) -> None:
        if self._link is not None:
            self._link.players.pop(self, None)
        stop, self._stop_watching = self._stop_watching, None
        self._sender = None
        if stop is not None:
            stop()

    def _answer(
        self, request: RtspMessage, status: int, extra: dict[str, str] | None = None, body: str = ""
    ) -> None:
        if self._transport is None:
            return
        cseq = request.cseq if request.cseq is not None else 0
        lines = [f"RTSP/1.0 {status} {_REASONS.get(status, 'Error')}", f"CSeq: {cseq}"]
        if self._session:
            lines.append(f"Session: {self._session};timeout=60")
        lines += [f"{name}: {value}" for name, value in (extra or {}).items()]
        if body:
            lines.append(f"Content-Length: {len(body.encode())}")
        self._transport.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())


def interleaved_channel(transport: str, default: int) -> int | None:
    """The RTP channel of the first offer over TCP, or None when there is none."""
    for offer in transport.split(","):
        fields = [part.strip() for part in offer.split(";")]
        if fields[0].upper() != "RTP/AVP/TCP":
            continue
        for part in fields[1:]:
            name, _, value = part.partition("=")
            first = value.partition("-")[0]
            if name.lower() == "interleaved" and first.isdecimal() and int(first) < 255:
                return int(first)
        return default
    return None
