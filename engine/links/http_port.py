"""What answers on the HTTP port of video links: GET /v/TOKEN/NAME.mp4, live as an endless fragmented MP4, recorded as a file with ranges.

Nothing else is served, one request a connection. Whoever has no open token learns nothing but 404, late. A slow player loses live
fragments up to the next keyframe.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler

from engine.links.desk import LinkDesk
from engine.links.link import Link
from engine.links.live_mp4 import LiveFragments, Piece
from storage.errors import NotFound, WatchdeckError
from storage.segments.export import ExportFile
from storage.segments.packet import Packet

log = logging.getLogger(__name__)

BACKLOG_LIMIT_BYTES = 8 * 1024 * 1024
"""Of one live player that does not keep up."""
_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{0,18})$")

Clips = Callable[[Link], Awaitable[ExportFile]]
"""Plan the clip of a link. Raises WatchdeckError when nothing of it is there."""
Answer = TypeVar("Answer", bound=web.StreamResponse)
Copy = Callable[[ExportFile, int, int, web.StreamResponse], Awaitable[None]]
"""Send so many bytes of it from an offset on."""


class LivePlayer:
    """Fragments for one player, bounded in bytes: a Watcher at one end, a response at the other."""

    def __init__(self, fragments: LiveFragments) -> None:
        self._fragments = fragments
        self._pieces: deque[Piece] = deque()
        self._bytes = 0
        self._arrived = asyncio.Event()
        self._waits_for_keyframe = False
        self.end_reason = ""
        self.dropped = 0

    def packet(self, packet: Packet) -> None:
        for piece in self._fragments.add(packet):
            if self._waits_for_keyframe and not piece.has_keyframe_first:
                self.dropped += 1
                continue
            if self._bytes + len(piece.data) > BACKLOG_LIMIT_BYTES:
                self._waits_for_keyframe = True
                self.dropped += 1
                continue
            self._waits_for_keyframe = False
            self._pieces.append(piece)
            self._bytes += len(piece.data)
            self._arrived.set()

    def ended(self, reason: str) -> None:
        self.end_reason = reason
        self._arrived.set()

    async def next_piece(self) -> bytes | None:
        """None = that was all."""
        while not self._pieces:
            if self.end_reason:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        piece = self._pieces.popleft()
        self._bytes -= len(piece.data)
        return piece.data


def link_application(desk: LinkDesk, clips: Clips, copy: Copy) -> web.Application:
    """The application of the port."""

    async def answer(request: web.Request) -> web.StreamResponse:
        visitor = desk.http_visitor(request.transport)
        if visitor is None:
            raise web.HTTPNotFound
        link = visitor.names(request.match_info["token"])
        if link is None:
            await asyncio.sleep(desk.limits.wrong_pause_s)
            raise web.HTTPNotFound(text="no such link, or its time is over\n")
        if request.method == "HEAD":
            return _closing(web.Response(content_type="video/mp4"))
        if fullness := desk.fullness(link):
            raise web.HTTPServiceUnavailable(text=f"{fullness}\n")
        transport = request.transport
        player = object()
        link.players[player] = transport.abort if transport is not None else lambda: None
        visitor.is_playing = True
        try:
            return await (_live(desk, link, request) if link.is_live else _clip(link, request))
        finally:
            visitor.is_playing = False
            link.players.pop(player, None)

    async def _clip(link: Link, request: web.Request) -> web.StreamResponse:
        try:
            async with link.planning:
                export = await clips(link)
        except WatchdeckError as error:
            raise web.HTTPGone(text=f"{error.what}\n") from None
        wanted = wanted_range(request.headers.get("Range", ""), export.total_bytes)
        start, end = wanted or (0, export.total_bytes)
        if start >= export.total_bytes:
            raise web.HTTPRequestRangeNotSatisfiable(
                headers={"Content-Range": f"bytes */{export.total_bytes}"}
            )
        headers = {"Content-Type": "video/mp4", "Accept-Ranges": "bytes", "Cache-Control": "no-store"}
        if wanted:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{export.total_bytes}"
        response = _closing(web.StreamResponse(status=206 if wanted else 200, headers=headers))
        response.content_length = end - start
        await response.prepare(request)
        try:
            await copy(export, start, end - start, response)
        except ConnectionError:
            log.debug("video link %s: the player went away", link.id)
        except (WatchdeckError, OSError) as error:
            log.warning("video link %s broken off: %s", link.id, error)
            if request.transport is not None:
                request.transport.abort()
        return response

    application = web.Application(middlewares=[_one_request_each])
    application.router.add_get("/v/{token}/{name}", answer)
    return application


async def _live(desk: LinkDesk, link: Link, request: web.Request) -> web.StreamResponse:
    try:
        tracks = desk.taps.tracks(link.camera)
    except NotFound:
        raise web.HTTPGone(text="the camera was removed\n") from None
    if not any(track.is_video for track in tracks):
        raise web.HTTPServiceUnavailable(text="the camera sends no video now\n", headers={"Retry-After": "5"})
    player = LivePlayer(LiveFragments(tracks))
    stop = desk.taps.watch(link.camera, player)
    headers = {"Content-Type": "video/mp4", "Cache-Control": "no-store"}
    response = _closing(web.StreamResponse(headers=headers))
    try:
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while (piece := await player.next_piece()) is not None:
                await response.write(piece)
            await response.write_eof()
    finally:
        stop()
    return response


@web.middleware
async def _one_request_each(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers that are no video, those of the router included."""
    try:
        return await handler(request)
    except web.HTTPException as answer:
        _closing(answer)
        raise


def _closing(answer: Answer) -> Answer:
    """One request a connection: a player that seeks makes a new one, which is looked at anew."""
    answer.force_close()
    return answer


def wanted_range(header: str, total_bytes: int) -> tuple[int, int] | None:
    """[start, end) of one range (RFC 9110, 14.1.2), which may begin behind the end; None = all is wanted."""
    match = _RANGE.match(header.strip())
    if match is None:
        return None
    start = int(match[1])
    end = min(int(match[2]) + 1, total_bytes) if match[2] else total_bytes
    return None if start >= end and start < total_bytes else (start, end)
