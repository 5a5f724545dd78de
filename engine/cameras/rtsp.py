"""The native RTSP/TCP client behind the PacketSource interface: connects, follows redirects, ends sessions.

Only TCP (interleaved) and TLS: what needs UDP goes through `libav.py`.
"""

from __future__ import annotations

from engine.cameras.rtsp_connection import connect
from engine.cameras.rtsp_session import RtspSession
from engine.cameras.rtsp_url import RtspUrl, parse_rtsp_url
from engine.cameras.source import PacketSink, SourceSettings
from storage.clock import Clock, SystemClock
from storage.errors import CameraProtocolError, CameraRefused, InvalidInput

MAX_REDIRECTS = 5


class RtspSource:
    """A PacketSource for rtsp:// and rtsps:// over TCP."""

    def __init__(self, settings: SourceSettings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self.wants_udp = False
        """Set when the camera refused TCP: the caller may try another way."""

    async def run(self, sink: PacketSink) -> None:
        """As PacketSource.run; the stream of a camera has no end of its own, so this always raises."""
        settings = self._settings
        try:
            url = parse_rtsp_url(settings.url)
        except InvalidInput as error:
            raise CameraRefused(error.what, error.remedy) from error
        first = url
        for _ in range(MAX_REDIRECTS + 1):
            connection = await connect(
                url, self._clock, verify_tls=settings.verify_tls, timeout_ms=settings.connect_timeout_ms
            )
            # A password goes to another host only as a digest.
            session = RtspSession(connection, settings, self._clock, is_elsewhere=url.host != first.host)
            try:
                location = await session.describe()
                if not location:
                    await session.set_up(sink)
                    await session.play()
                    await session.stream()
            finally:
                self.wants_udp = session.wants_udp
                await session.close()
            url = _redirected(url, location)
        raise CameraRefused(f"{first.place} redirects more than {MAX_REDIRECTS} times", "enter the final URL")


def _redirected(url: RtspUrl, location: str) -> RtspUrl:
    try:
        target = parse_rtsp_url(location)
    except InvalidInput as error:
        raise CameraProtocolError(f"{url.place} redirects to something that is no RTSP URL") from error
    if url.is_tls and not target.is_tls:
        raise CameraRefused(f"{url.place} redirects from encrypted to plain RTSP", "enter the final URL")
    return target
