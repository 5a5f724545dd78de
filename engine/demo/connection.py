"""One RTSP connection to the demo server: parses requests, answers them, and passes packets on while it plays.

An asyncio.Protocol without tasks: everything happens in callbacks, so that hundreds of viewers cost little.
"""

from __future__ import annotations

import asyncio
import base64
import secrets

from engine.cameras.rtsp_message import RtspMessage
from engine.demo.access import challenge, is_allowed, new_nonce
from engine.demo.faults import Garbage
from engine.demo.feed import AUDIO, VIDEO, Burst, Feed
from engine.demo.tone import SAMPLE_RATE_HZ
from engine.links.rtp_packets import AUDIO_PAYLOAD_TYPE, VIDEO_CLOCK_HZ, VIDEO_PAYLOAD_TYPE, interleaved
from engine.links.rtsp_requests import (
    METHODS,
    RtspRequests,
    interleaved_channel,
    is_of_session,
    path_of,
    reply,
)
from storage.errors import CameraProtocolError

_BACKLOG_LIMIT_BYTES = 512 << 10
"""Unsent bytes from which a viewer is slow: bursts are left out until they are gone and a keyframe comes."""
_TRACK_NAMES = {"trackID=0": VIDEO, "trackID=1": AUDIO}


class Connection(asyncio.Protocol):
    """State: no session until SETUP, playing from PLAY to TEARDOWN or the end. Event loop only."""

    def __init__(self, feeds: dict[str, Feed], open_connections: set[Connection]) -> None:
        self._feeds = feeds
        self._open = open_connections
        self._transport: asyncio.Transport | None = None
        self._requests = RtspRequests()
        self._nonce = new_nonce()
        self._session = ""
        self._channels: dict[int, int] = {}
        """Track to interleaved RTP channel; RTCP is the next one."""
        self._feed: Feed | None = None
        self._waits_for_keyframe = True

    # -- asyncio.Protocol ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        self._transport = None
        self._stop()

    def data_received(self, data: bytes) -> None:
        try:
            for request in self._requests.feed(data):
                if self._transport is None or self._transport.is_closing():
                    return
                self._handle(request)
        except CameraProtocolError:
            self._answer(None, 400)
            if self._transport is not None:
                self._transport.close()

    # -- Viewer --------------------------------------------------------------------------------------------

    def deliver(self, burst: Burst) -> None:
        transport = self._transport
        if transport is None:
            return
        if transport.get_write_buffer_size() > _BACKLOG_LIMIT_BYTES:
            self._waits_for_keyframe = True
        if self._waits_for_keyframe and not burst.is_keyframe:
            return
        if self._waits_for_keyframe and transport.get_write_buffer_size() > 0 and self._is_behind():
            return
        self._waits_for_keyframe = False
        pieces = [
            interleaved(self._channels[track], packet)
            for track, packet in burst.rtp
            if track in self._channels
        ]
        pieces += [
            interleaved(self._channels[track] + 1, packet)
            for track, packet in burst.rtcp
            if track in self._channels
        ]
        if burst.raw:
            pieces = [burst.raw]
        elif self._feed is not None and self._feed.faults.garbage is Garbage.RTP:
            pieces = [interleaved(channel, b"\x00garbage") for channel in self._channels.values()]
        transport.write(b"".join(pieces))

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _is_behind(self) -> bool:
        """Still more than a tenth of the limit unsent."""
        transport = self._transport
        return transport is not None and transport.get_write_buffer_size() > _BACKLOG_LIMIT_BYTES // 10

    # -- requests ------------------------------------------------------------------------------------------

    def _handle(self, request: RtspMessage) -> None:
        method = request.method
        if method == "OPTIONS":
            self._answer(request, 200, {"Public": METHODS})
            return
        path = path_of(request)
        if path is None:
            self._answer(request, 400)
            return
        name, track_name = path[0], "/".join(path[1:])
        feed = self._feeds.get(name)
        if feed is None:
            self._answer(request, 404)
            return
        if feed.faults.hangs_up:
            self.hang_up()
            return
        if feed.faults.is_deaf or not self._is_welcome(feed, request):
            return
        match method:
            case "DESCRIBE":
                self._describe(feed, request)
            case "SETUP":
                self._set_up(feed, track_name, request)
            case "PLAY":
                self._play(feed, request)
            case "GET_PARAMETER":
                self._answer(request, 200 if is_of_session(request, self._session) else 454)
            case "TEARDOWN":
                self._stop()
                self._answer(request, 200)
                self._session = ""
                self._channels.clear()
            case _:
                self._answer(request, 501, {"Public": METHODS})

    def _is_welcome(self, feed: Feed, request: RtspMessage) -> bool:
        """Asks for the password when there is one and it is not in the request."""
        login = feed.camera.login
        if login is None:
            return True
        is_right = is_allowed(login, request.method, request.header("authorization"), self._nonce)
        if is_right and not feed.faults.wrong_password:
            return True
        self._answer(request, 401, {"WWW-Authenticate": challenge(login, self._nonce)})
        return False

    def _describe(self, feed: Feed, request: RtspMessage) -> None:
        if feed.faults.refuse_status:
            self._answer(request, feed.faults.refuse_status)
            return
        extra = {"Content-Base": request.url.rstrip("/") + "/", "Content-Type": "application/sdp"}
        self._answer(request, 200, extra, session_description(feed))

    def _set_up(self, feed: Feed, track_name: str, request: RtspMessage) -> None:
        track = _TRACK_NAMES.get(track_name)
        if track is None or (track == AUDIO and not feed.camera.has_audio):
            self._answer(request, 404)
            return
        channel = interleaved_channel(request.header("transport"), default=2 * track)
        if channel is None:
            self._answer(request, 461)
            return
        self._session = self._session or secrets.token_hex(8)
        self._channels[track] = channel
        ssrc = (feed.video if track == VIDEO else feed.audio).ssrc
        transport = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1};ssrc={ssrc:08X}"
        self._answer(request, 200, {"Transport": transport})

    def _play(self, feed: Feed, request: RtspMessage) -> None:
        if not is_of_session(request, self._session):
            self._answer(request, 454 if self._session else 455)
            return
        base = request.url.rstrip("/")
        timestamps = feed.next_timestamps()
        info = ",".join(
            f"url={base}/trackID={track};seq={(feed.video, feed.audio)[track].sequence};rtptime={timestamps[track]}"
            for track in sorted(self._channels)
        )
        self._answer(request, 200, {"Range": "npt=now-", "RTP-Info": info})
        self._stop()
        self._feed = feed
        self._waits_for_keyframe = True
        feed.add(self)

    def _stop(self) -> None:
        if self._feed is not None:
            self._feed.remove(self)
            self._feed = None

    def _answer(
        self,
        request: RtspMessage | None,
        status: int,
        extra: dict[str, str] | None = None,
        body: str = "",
    ) -> None:
        if self._transport is not None:
            self._transport.write(reply(request, status, self._session, extra, body))


def session_description(feed: Feed) -> str:
    """SDP of a camera (RFC 8866, RFC 6184 section 8.2)."""
    sps, pps = feed.parameter_sets()
    sets = ",".join(base64.b64encode(unit).decode() for unit in (sps, pps))
    width_px, height_px = feed.faults.size_px
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        f"s={feed.camera.name}",
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        "a=control:*",
        f"m=video 0 RTP/AVP {VIDEO_PAYLOAD_TYPE}",
        f"a=rtpmap:{VIDEO_PAYLOAD_TYPE} H264/{VIDEO_CLOCK_HZ}",
        f"a=fmtp:{VIDEO_PAYLOAD_TYPE} packetization-mode=1;profile-level-id={sps[1:4].hex().upper()};"
        f"sprop-parameter-sets={sets}",
        f"a=framesize:{VIDEO_PAYLOAD_TYPE} {width_px}-{height_px}",
        "a=control:trackID=0",
    ]
    if feed.camera.has_audio:
        lines += [
            f"m=audio 0 RTP/AVP {AUDIO_PAYLOAD_TYPE}",
            f"a=rtpmap:{AUDIO_PAYLOAD_TYPE} PCMU/{SAMPLE_RATE_HZ}",
            "a=control:trackID=1",
        ]
    return "\r\n".join(lines) + "\r\n"
