"""One RTSP conversation with a camera: what is asked, in which order, and what the answers mean.

Bytes are handled in `interleaved.py`, connections in `rtsp_connection.py`, redirects and retries above.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import Any

from engine.cameras.delivery import Delivery
from engine.cameras.media_format import AudioChoice, VideoChoice, choose_audio, choose_video
from engine.cameras.receive_mark import ReceiveMark
from engine.cameras.rtp import RtpStream, read_sender_report, receiver_report
from engine.cameras.rtp_clock import RtpClock, SessionZero, SoundAlignment
from engine.cameras.rtsp_auth import Authenticator
from engine.cameras.rtsp_connection import RtspConnection
from engine.cameras.rtsp_message import RtspMessage
from engine.cameras.rtsp_url import aggregate_url, base_url, media_url
from engine.cameras.sdp import SessionDescription, parse_sdp
from engine.cameras.source import PacketSink, SourceSettings
from engine.cameras.transport_header import (
    DEFAULT_SESSION_TIMEOUT_S,
    RtpInfo,
    parse_public,
    parse_rtp_info,
    parse_session,
    parse_transport,
)
from storage.clock import Clock
from storage.errors import (
    CameraError,
    CameraProtocolError,
    CameraRefused,
    CameraStalled,
    CameraUnreachable,
    CameraUnsupported,
)

log = logging.getLogger(__name__)

TEARDOWN_TIMEOUT_MS = 1_000
NO_KEYFRAME_TIMEOUT_US = 60_000_000
_REDIRECTS = frozenset({301, 302, 303, 305, 307})
_MIN_KEEPALIVE_US = 1_000_000
_MAX_KEEPALIVE_US = 60_000_000


class RtspSession:
    """One conversation. Methods are awaited in order: describe, set_up, play, stream; close always."""

    def __init__(
        self, connection: RtspConnection, settings: SourceSettings, clock: Clock, *, is_elsewhere: bool
    ) -> None:
        self.wants_udp = False
        self._connection = connection
        self._url = connection.url
        self._settings = settings
        self._clock = clock
        self._is_elsewhere = is_elsewhere
        self._authenticator = Authenticator(settings.user, settings.password)
        self._methods: frozenset[str] = frozenset()
        self._description = SessionDescription()
        self._base = self._url.text
        self._has_base = False
        self._sessions: dict[str, str] = {}
        """Session identifiers and the URL each is played with; one on all but odd cameras."""
        self._timeout_s = DEFAULT_SESSION_TIMEOUT_S
        self._streams: list[tuple[str, RtpClock]] = []
        self._video: RtpStream | None = None
        self._delivery: Delivery | None = None
        self._video_rtcp_channel = 1
        self._own_ssrc = secrets.randbits(32)

    # -- requests ----------------------------------------------------------------------------------------

    async def _request(self, method: str, url: str, headers: dict[str, str] | None = None) -> RtspMessage:
        """One request, authenticated as the camera asks. Raises CameraRefused when it refuses the credentials."""
        reply = await self._request_once(method, url, headers)
        for attempt in range(2):
            if reply.status != 401:
                break
            offers = reply.headers.get("www-authenticate", [])
            if not self._authenticator.has_credentials:
                raise CameraRefused(
                    f"{self._url.place} asks for a user name and password", "set them for this camera"
                )
            challenge = self._authenticator.accept(offers, digest_only=self._is_elsewhere)
            if challenge is None:
                raise CameraRefused(
                    f"{self._url.place} asks for a kind of authentication Watchdeck does not know"
                )
            if attempt and not challenge.is_stale:
                break
            reply = await self._request_once(method, url, headers)
        if reply.status == 401:
            raise CameraRefused(
                f"{self._url.place} refuses the user name or password", "correct them for this camera"
            )
        return reply

    async def _request_once(self, method: str, url: str, headers: dict[str, str] | None) -> RtspMessage:
        return await self._connection.request(
            method, url, self._authorized(method, url, headers), self._settings.connect_timeout_ms
        )

    def _authorized(self, method: str, url: str, headers: dict[str, str] | None) -> dict[str, str]:
        authorization = self._authenticator.authorization(method, url)
        return {**(headers or {}), **({"Authorization": authorization} if authorization else {})}

    def _refusal(self, method: str, reply: RtspMessage) -> CameraError:
        answer = f"{self._url.place} answers {method} with {reply.status} {reply.reason[:60]}".rstrip()
        if reply.status == 404:
            return CameraRefused(
                f"{self._url.place} has no stream {self._url.path!r} (404)", "check the URL's path"
            )
        if reply.status == 403:
            return CameraRefused(answer, "the user may not see this stream: check rights in the camera")
        if reply.status == 453:
            return CameraRefused(answer, "too many viewers: close another connection to this camera")
        if reply.status == 461:
            self.wants_udp = True
            return CameraUnsupported(
                f"{self._url.place} does not offer RTSP over TCP (461)", "try transport udp"
            )
        if reply.status == 503:
            return CameraUnreachable(answer, "the camera is busy or starting")
        return CameraProtocolError(answer)

    # -- describe ----------------------------------------------------------------------------------------

    async def describe(self) -> str:
        """Learn what the camera offers; a non-empty result is the URL it redirects to."""
        options = await self._request_once("OPTIONS", self._url.text, None)
        if options.status == 200:
            self._methods = parse_public(options.header("public"))
        reply = await self._request("DESCRIBE", self._url.text, {"Accept": "application/sdp"})
        if reply.status in _REDIRECTS:
            return reply.header("location") or "nowhere"
        if reply.status != 200:
            raise self._refusal("DESCRIBE", reply)
        self._description = parse_sdp(reply.body)
        told = reply.header("content-base"), reply.header("content-location")
        self._base = base_url(self._url, *told)
        self._has_base = self._base in told
        return ""

    # -- set up ------------------------------------------------------------------------------------------

    async def set_up(self, sink: PacketSink) -> None:
        """Choose the streams and ask for them."""
        zero = SessionZero()
        video = choose_video(self._description)
        audio = choose_audio(self._description) if self._settings.wants_audio else None
        video_clock = RtpClock(video.clock_hz, zero)
        delivery = self._delivery = Delivery(sink, video_clock)
        channels = await self._set_up_media(video, 0)
        if channels is None:
            raise CameraProtocolError(f"{self._url.place} gives the picture no channel")
        self._video = RtpStream(
            video.depacketizer(delivery),
            video.format.payload_type,
            _other_types(video),
            delivery,
            is_video=True,
        )
        reader = self._connection.reader
        reader.add_video(channels[0], self._video)
        self._video_rtcp_channel = channels[1]
        self._streams.append((self._media_url(video), video_clock))
        if audio is not None:
            await self._set_up_audio(audio, RtpClock(audio.clock_hz, zero), video_clock, delivery)

    async def _set_up_audio(
        self, audio: AudioChoice, clock: RtpClock, video_clock: RtpClock, delivery: Delivery
    ) -> None:
        """Sound is welcome, not needed: a camera that refuses it is recorded without."""
        try:
            channels = await self._set_up_media(audio, 2)
        except (CameraProtocolError, CameraUnsupported, CameraRefused) as error:
            log.info("recording %s without sound: %s", self._url.place, error.what)
            return
        reader = self._connection.reader
        if channels is None or reader.has_channel(channels[0]) or channels[0] == self._video_rtcp_channel:
            log.info("recording %s without sound: it gives it the picture's channel", self._url.place)
            return
        stream = RtpStream(
            audio.depacketizer(delivery),
            audio.format.payload_type,
            _other_types(audio),
            delivery,
            is_video=False,
        )
        delivery.add_audio(audio.track, clock)
        alignment = SoundAlignment(video_clock, clock)
        reader.add_channel(channels[0], stream.packet)
        reader.add_channel(channels[1], lambda data, now_us: read_sender_report(data, alignment.audio_report))
        reader.add_channel(
            self._video_rtcp_channel, lambda data, now_us: read_sender_report(data, alignment.video_report)
        )
        self._streams.append((self._media_url(audio), clock))

    def _media_url(self, choice: VideoChoice | AudioChoice) -> str:
        return media_url(self._base, self._description, choice.media, has_base=self._has_base)

    async def _set_up_media(self, choice: VideoChoice | AudioChoice, channel: int) -> tuple[int, int] | None:
        headers = {"Transport": f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"}
        if self._sessions:
            headers["Session"] = next(iter(self._sessions))
        url = self._media_url(choice)
        reply = await self._request("SETUP", url, headers)
        if reply.status != 200:
            raise self._refusal("SETUP", reply)
        told = reply.header("transport")
        transport = parse_transport(told)
        if told and not transport.is_tcp:
            self.wants_udp = True
            raise CameraUnsupported(f"{self._url.place} insists on UDP", "try transport udp")
        identifier, self._timeout_s = parse_session(reply.header("session"))
        if identifier:
            self._sessions.setdefault(identifier, url)
        return transport.channels or (channel, channel + 1)

    # -- play --------------------------------------------------------------------------------------------

    async def play(self) -> None:
        """Start the streams."""
        infos = []
        for reply in await self._play_all():
            infos += [info for value in reply.headers.get("rtp-info", []) for info in parse_rtp_info(value)]
        starts = [_start_of(url, infos, len(self._streams)) for url, _ in self._streams]
        if all(start is not None for start in starts):
            for (_, clock), start in zip(self._streams, starts, strict=True):
                clock.first_timestamp = start
        self._connection.reader.start_streaming()

    def _aggregate(self) -> str:
        return aggregate_url(self._base, self._description)

    async def _play_all(self) -> list[RtspMessage]:
        if len(self._sessions) <= 1:
            targets = [(identifier, self._aggregate()) for identifier in self._sessions or [""]]
        else:
            # Two identifiers in one presentation (XM/H264DVR): each is played by itself.
            targets = list(self._sessions.items())
        replies = [await self._play_one(*target) for target in targets]
        if len(replies) > 1 and any(reply.status == 454 for reply in replies):
            # A camera that changed its mind: the last identifier is the one that counts.
            last, url = self._sessions.popitem()
            self._sessions = {last: url}
            replies = [await self._play_one(last, self._aggregate())]
        for reply in replies:
            if reply.status != 200:
                raise self._refusal("PLAY", reply)
            if "timeout" in reply.header("session").lower():
                _, self._timeout_s = parse_session(reply.header("session"))
        return replies

    async def _play_one(self, identifier: str, url: str) -> RtspMessage:
        headers = {"Session": identifier} if identifier else {}
        reply = await self._request("PLAY", url, {**headers, "Range": "npt=0.000-"})
        if reply.status == 457:  # a camera that knows no time range
            reply = await self._request("PLAY", url, headers)
        return reply

    # -- stream ------------------------------------------------------------------------------------------

    async def stream(self) -> None:
        """Keep the session alive until it ends. Raises what ended it."""
        assert self._video is not None
        assert self._delivery is not None
        keepalive_us = min(max(self._timeout_s * 500_000, _MIN_KEEPALIVE_US), _MAX_KEEPALIVE_US)
        stall_us = self._settings.stall_timeout_ms * 1000
        now_us = self._clock.monotonic_us()
        next_keepalive_us = now_us + keepalive_us
        alive_us = started_us = now_us
        seen = (-1, 0)
        mark = ReceiveMark(self._connection, self._delivery, now_us)
        while True:
            wait_us = min(next_keepalive_us - now_us, max(stall_us // 10, 1000))
            await asyncio.wait((self._connection.ended,), timeout=max(wait_us, 0) / 1_000_000)
            if self._connection.ended.done():
                raise self._connection.ended.result()
            now_us = self._clock.monotonic_us()
            progress = (self._video.next_sequence, self._delivery.video_packets)
            if progress != seen:
                seen, alive_us = progress, now_us
            mark.adapt(now_us)
            if now_us - alive_us >= stall_us:
                raise CameraStalled(
                    f"{self._url.place} sent no picture for {stall_us / 1_000_000:g} s",
                    "reconnecting by itself",
                )
            last_us = self._delivery.last_video_us or started_us
            if now_us - last_us >= max(NO_KEYFRAME_TIMEOUT_US, stall_us):
                raise CameraStalled(
                    f"{self._url.place} sends a picture but no keyframe",
                    "set a keyframe interval in the camera",
                )
            if now_us >= next_keepalive_us:
                next_keepalive_us = now_us + keepalive_us
                self._keep_alive()

    def _keep_alive(self) -> None:
        """Ask for nothing, so that the camera goes on; no answer is needed to go on."""
        method = "GET_PARAMETER" if "GET_PARAMETER" in self._methods else "OPTIONS"
        for identifier in self._sessions or [""]:
            headers = {"Session": identifier} if identifier else {}
            reply = self._connection.send(
                method, self._aggregate(), self._authorized(method, self._aggregate(), headers)
            )
            reply.add_done_callback(self._keepalive_answered)
        self._connection.send_frame(receiver_report(self._video_rtcp_channel, self._own_ssrc))

    def _keepalive_answered(self, reply: asyncio.Future[RtspMessage]) -> None:
        if reply.cancelled():
            return
        answer = reply.result()
        if answer.status == 401:
            challenge = self._authenticator.accept(
                answer.headers.get("www-authenticate", []), digest_only=self._is_elsewhere
            )
            if challenge is not None and challenge.is_stale:
                self._keep_alive()
        elif answer.status == 454:
            self._connection.end(CameraProtocolError(f"{self._url.place} no longer knows the session (454)"))
        elif answer.status >= 400:
            self._methods -= {"GET_PARAMETER"}

    # -- close -------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """TEARDOWN if the connection still stands, waited for briefly; then the connection is gone."""
        connection = self._connection
        connection.reader.stop_streaming()
        try:
            if self._sessions and not connection.ended.done():
                connection.set_receive_mark(1)
                waited: list[asyncio.Future[Any]] = [self._send_teardown(name) for name in self._sessions]
                waited.append(connection.ended)
                await asyncio.wait(
                    waited, timeout=TEARDOWN_TIMEOUT_MS / 1000, return_when=asyncio.FIRST_COMPLETED
                )
        finally:
            connection.abort()

    def _send_teardown(self, identifier: str) -> asyncio.Future[RtspMessage]:
        url = self._aggregate()
        return self._connection.send(
            "TEARDOWN", url, self._authorized("TEARDOWN", url, {"Session": identifier})
        )


def _other_types(choice: VideoChoice | AudioChoice) -> frozenset[int]:
    return frozenset(f.payload_type for f in choice.media.formats) - {choice.format.payload_type}


def _start_of(url: str, infos: list[RtpInfo], streams: int) -> int | None:
    """The RTP-Info timestamp of a stream, whose URL cameras write in any form."""
    for info in infos:
        if info.url == url or (info.url and url.endswith("/" + info.url.rsplit("/", 1)[-1])):
            return info.timestamp
    return infos[0].timestamp if len(infos) == streams == 1 else None
