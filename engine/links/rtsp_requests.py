"""What an RTSP player sends, cut into requests, and what it is answered (RFC 2326). Pure. For video links and for simulated cameras."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

from engine.cameras.rtsp_message import RtspMessage, parse_message
from storage.errors import CameraProtocolError

REQUEST_LIMIT_BYTES = 16 * 1024
"""With its body."""
METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"
_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    415: "Unsupported Media Type",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
    501: "Not Implemented",
    503: "Service Unavailable",
}
_INTERLEAVED = 0x24
_FRAME_HEAD_BYTES = 4


class RtspRequests:
    """Invariant: keeps less than a request or a frame (64 KiB) between two calls."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[RtspMessage]:
        """The requests that are whole now; receiver reports between them are passed over.

        Raises CameraProtocolError for what is no request or too long. Whoever stops asking asks no more.
        """
        buffer = self._buffer
        buffer += data
        at = 0  # moves on, so that a thousand small frames do not copy the rest a thousand times
        try:
            while at < len(buffer):
                if buffer[at] == _INTERLEAVED:
                    size_bytes = _FRAME_HEAD_BYTES + int.from_bytes(buffer[at + 2 : at + 4])
                    if len(buffer) - at < max(size_bytes, _FRAME_HEAD_BYTES):
                        return
                    at += size_bytes
                    continue
                window = bytes(buffer[at : at + REQUEST_LIMIT_BYTES])
                parsed = parse_message(window)
                if parsed is None:
                    if len(window) == REQUEST_LIMIT_BYTES:
                        raise CameraProtocolError(f"a request of more than {REQUEST_LIMIT_BYTES} bytes")
                    return
                message, length = parsed
                at += length
                yield message
        finally:
            del buffer[:at]


def interleaved_channel(transport: str, default: int) -> int | None:
    """The RTP channel of the first offer over TCP, or None when there is none."""
    for offer in transport.split(","):
        fields = [part.strip() for part in offer.split(";")]
        if fields[0].upper() != "RTP/AVP/TCP":
            continue
        for part in fields[1:]:
            name, _, value = part.partition("=")
            first = value.partition("-")[0]
            if name.lower() == "interleaved" and re.fullmatch("[0-9]{1,3}", first) and int(first) < 255:
                return int(first)
        return default
    return None


def path_of(request: RtspMessage) -> list[str] | None:
    """The parts of the path it asks for; None when its address is none."""
    try:
        return unquote(urlsplit(request.url).path).strip("/").split("/")
    except ValueError:
        return None


def is_of_session(request: RtspMessage, session: str) -> bool:
    return bool(session) and request.header("session").partition(";")[0] == session


def reply(
    request: RtspMessage | None,
    status: int,
    session: str = "",
    extra: Mapping[str, str] | None = None,
    body: str = "",
) -> bytes:
    """`request`: None when it could not be read."""
    cseq = request.cseq if request is not None and request.cseq is not None else 0
    lines = [f"RTSP/1.0 {status} {_REASONS.get(status, 'Error')}", f"CSeq: {cseq}"]
    if session:
        lines.append(f"Session: {session};timeout=60")
    lines += [f"{name}: {value}" for name, value in (extra or {}).items()]
    if body:
        lines.append(f"Content-Length: {len(body.encode())}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
