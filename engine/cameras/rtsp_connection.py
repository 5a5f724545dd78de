"""One TCP or TLS connection to a camera: requests and replies, and the receive buffer behind them.

Speaks RTSP messages but knows no session: what is asked and when is decided in `rtsp.py`. Socket and TLS errors are
mapped to Camera errors here and nowhere else.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from typing import cast

from engine.cameras.interleaved import InterleavedReader
from engine.cameras.receive_limit import RATE_BYTES_S, ReceiveLimit
from engine.cameras.rtsp_message import RtspMessage, format_reply, format_request
from engine.cameras.rtsp_url import RtspUrl
from engine.deadline import Deadline
from storage.clock import Clock
from storage.errors import CameraError, CameraProtocolError, CameraRefused, CameraUnreachable

_MAX_PENDING = 8
_MAX_UNREAD_BYTES = 64 * 1024
"""Of answers that the camera does not fetch."""
_ANSWERED_METHODS = frozenset({"OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "ANNOUNCE"})
_NETWORK_REASONS = {
    errno.ECONNREFUSED: "refuses the connection",
    errno.EHOSTUNREACH: "cannot be reached: no route to it, or it is off",
    errno.ENETUNREACH: "cannot be reached: no network leads to it",
    errno.ENETDOWN: "cannot be reached: this machine's network is down",
    errno.ETIMEDOUT: "does not answer",
    errno.ECONNRESET: "reset the connection",
    errno.EPIPE: "closed the connection",
}


class RtspConnection(asyncio.BufferedProtocol):
    """The protocol object: created connected by `connect`, used from the event loop only."""

    def __init__(self, url: RtspUrl, clock: Clock) -> None:
        self.url = url
        self.reader = InterleavedReader(self._on_message)
        self.bytes_received = 0
        self.ended: asyncio.Future[CameraError] = asyncio.get_running_loop().create_future()
        """Why the connection is over; its result is the error to raise."""
        self._now_us = clock.monotonic_us
        self._transport: asyncio.Transport | None = None
        self._limit = ReceiveLimit(clock.monotonic_us())
        self._cseq = 0
        # A camera that answers no keep-alive leaves entries behind: the oldest is given up when there are many.
        self._pending: dict[int, asyncio.Future[RtspMessage]] = {}

    # -- asyncio -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.reader.writable()

    def buffer_updated(self, nbytes: int) -> None:
        self.bytes_received += nbytes
        now_us = self._now_us()
        try:
            frames = self.reader.received(nbytes, now_us)
            if pause_us := self._limit.pause_us(nbytes, frames, now_us):
                self._pause(pause_us, now_us)
        except CameraError as error:
            self.end(error)
            self.abort()

    def _pause(self, pause_us: int, now_us: int) -> None:
        """Read on later, so that TCP slows the camera down. Raises CameraProtocolError when it has to be done for long."""
        if self._limit.is_flooded(now_us):
            raise CameraProtocolError(
                f"{self.url.place} floods: more than {RATE_BYTES_S * 8 // 1_000_000} Mbit/s for seconds",
                "restart the camera or update its firmware",
            )
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(pause_us / 1_000_000, self._resume)

    def _resume(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if isinstance(exc, OSError):
            self.end(network_error(exc, self.url))
        else:
            self.end(CameraUnreachable(f"{self.url.place} closed the connection"))

    def end(self, error: CameraError) -> None:
        if self.ended.done():
            return
        self.ended.set_result(error)
        for reply in self._pending.values():
            if not reply.done():
                reply.cancel()
        self._pending.clear()

    def abort(self) -> None:
        """Drop the connection now; nothing is sent any more."""
        if self._transport is not None:
            self._transport.abort()

    # -- messages ----------------------------------------------------------------------------------------

    def send(self, method: str, url: str, headers: dict[str, str]) -> asyncio.Future[RtspMessage]:
        """Send one request; the future brings its reply, or is cancelled when the connection ends."""
        self._cseq += 1
        while len(self._pending) >= _MAX_PENDING:
            self._pending.pop(min(self._pending)).cancel()
        reply: asyncio.Future[RtspMessage] = asyncio.get_running_loop().create_future()
        if self._transport is None or self.ended.done():
            reply.cancel()
            return reply
        self._pending[self._cseq] = reply
        self._transport.write(format_request(method, url, self._cseq, headers))
        return reply

    async def request(self, method: str, url: str, headers: dict[str, str], timeout_ms: int) -> RtspMessage:
        """Send one request and wait for its reply. Raises what ended the connection, or CameraUnreachable in time."""
        reply = self.send(method, url, headers)
        await asyncio.wait(
            (reply, self.ended), timeout=timeout_ms / 1000, return_when=asyncio.FIRST_COMPLETED
        )
        if reply.done() and not reply.cancelled():
            return reply.result()
        reply.cancel()
        if self.ended.done():
            raise self.ended.result()
        raise CameraUnreachable(f"{self.url.place} did not answer {method} within {timeout_ms / 1000:g} s")

    def send_frame(self, frame: bytes) -> None:
        """Send an interleaved frame (RTCP)."""
        if self._transport is not None and not self.ended.done():
            self._transport.write(frame)

    def _on_message(self, message: RtspMessage) -> None:
        if message.method:
            self._answer(message)
            return
        cseq = message.cseq
        if cseq is None or cseq not in self._pending:
            # No number, or one of its own: it can only be meant for the oldest question still open.
            if not self._pending or (cseq is not None and 0 < cseq < min(self._pending)):
                return
            cseq = min(self._pending)
        reply = self._pending.pop(cseq)
        if not reply.done():
            reply.set_result(message)

    def _answer(self, request: RtspMessage) -> None:
        if self._transport is None:
            return
        if self._transport.get_write_buffer_size() > _MAX_UNREAD_BYTES:
            raise CameraProtocolError(f"{self.url.place} asks and asks and reads no answer")
        if request.method in _ANSWERED_METHODS:
            self._transport.write(format_reply(200, "OK", request))
        else:
            self._transport.write(format_reply(501, "Not Implemented", request))
            if request.method in ("TEARDOWN", "REDIRECT"):
                self.end(CameraUnreachable(f"{self.url.place} ended the session ({request.method})"))

    def set_receive_mark(self, count: int) -> None:
        """Let the kernel wake the loop only when this many bytes wait (SO_RCVLOWAT); 1 = at once.

        A camera's picture comes in a dozen TCP segments: one wake-up for most of them instead of one each is a
        large part of what keeps the cost of a camera low. Linux reports readiness anew when the mark changes.
        """
        sock = self._transport.get_extra_info("socket") if self._transport is not None else None
        if sock is None or self.ended.done():
            return
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)
        except OSError:
            return  # only an optimisation


async def connect(url: RtspUrl, clock: Clock, *, verify_tls: bool, timeout_ms: int) -> RtspConnection:
    """Raises CameraUnreachable, or CameraRefused for a certificate that was to be verified."""
    loop = asyncio.get_running_loop()
    context = _tls_context(verify_tls) if url.is_tls else None
    try:
        async with Deadline(timeout_ms / 1000):
            _, connection = await loop.create_connection(
                lambda: RtspConnection(url, clock), url.host, url.port, ssl=context
            )
    except TimeoutError as error:
        raise CameraUnreachable(
            f"{url.place} did not answer within {timeout_ms / 1000:g} s",
            "check that the camera is on and its address",
        ) from error
    except (OSError, UnicodeError) as error:
        raise network_error(error, url) from error
    return connection


def _tls_context(verify_tls: bool) -> ssl.SSLContext:
    if verify_tls:
        return ssl.create_default_context()
    # Cameras come with self-signed certificates and old TLS; encryption without identity is what they offer.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def network_error(error: OSError | UnicodeError, url: RtspUrl) -> CameraError:
    """What an operating system or TLS error means, in words, with host and port."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return CameraRefused(
            f"the certificate of {url.place} cannot be verified: {error.verify_message}",
            "install a certificate this machine trusts, or turn verification off for this camera",
        )
    if isinstance(error, ssl.SSLError):
        return CameraProtocolError(
            f"{url.place} does not speak TLS ({error.reason or 'handshake failed'})",
            "use rtsp:// or another port",
        )
    if isinstance(error, socket.gaierror | UnicodeError):
        return CameraUnreachable(
            f"the host name {url.host!r} cannot be resolved", "check the name, or use the camera's address"
        )
    reason = _NETWORK_REASONS.get(error.errno or 0)
    if reason is None:
        reason = next(
            (text for code, text in _NETWORK_REASONS.items() if f"[Errno {code}]" in str(error)), ""
        )
    return CameraUnreachable(
        f"{url.place} {reason or f'cannot be reached ({error.strerror or type(error).__name__})'}"
    )
