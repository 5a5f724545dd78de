"""RTSP messages as bytes: what cameras answer, read leniently (RFC 2326), and what Watchdeck asks.

Knows nothing of sessions or sockets. `parse_message` works on the receive buffer and is called by the frame loop
whenever the next byte is not an interleaved frame.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from storage.errors import CameraProtocolError

MAX_HEAD_BYTES = 32 * 1024
MAX_BODY_BYTES = 128 * 1024
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(r"RTSP/\d\.\d\s+(\d{3})(?:\s+(.*))?$")
_REQUEST_LINE = re.compile(r"([A-Z_]{3,20})\s+(\S+)\s+RTSP/\d\.\d$")
MESSAGE_START = re.compile(rb"RTSP/\d\.\d |[A-Z][A-Z_]{2,19} ")
"""How a message begins; anything else in its place means that the framing is lost."""
_LONGEST_START_BYTES = 21


@dataclass(slots=True)
class RtspMessage:
    """A reply (`status` > 0) or a request of the camera (`method` set)."""

    status: int = 0
    reason: str = ""
    method: str = ""
    url: str = ""
    """Of a request."""
    headers: dict[str, list[str]] = field(default_factory=dict)
    """Lower-case names; values stripped, in order."""
    body: bytes = b""

    def header(self, name: str) -> str:
        values = self.headers.get(name)
        return values[0] if values else ""

    @property
    def cseq(self) -> int | None:
        """The number the message carries; cameras add spaces, leave it out or spell it `Cseq`."""
        match = re.match(r"\d{1,10}", self.header("cseq"))
        return int(match.group()) if match else None


def could_start_message(data: bytes) -> bool | None:
    """Whether these first bytes begin a message; None when more bytes are needed to tell."""
    if MESSAGE_START.match(data):
        return True
    if len(data) >= _LONGEST_START_BYTES:
        return False
    is_prefix = b"RTSP/".startswith(data[:5]) or re.fullmatch(rb"[A-Z][A-Z_]*|RTSP/\d?\.?\d?", data)
    return None if is_prefix else False


def parse_message(data: bytes) -> tuple[RtspMessage, int] | None:
    """The message at the start of `data` and its length in bytes; None when it is not complete yet.

    Raises CameraProtocolError for what is no RTSP message or is larger than any camera needs.
    """
    end = _END_OF_HEAD.search(data, 0, MAX_HEAD_BYTES)
    if end is None:
        if len(data) >= MAX_HEAD_BYTES:
            raise CameraProtocolError(f"the camera sent an RTSP head of more than {MAX_HEAD_BYTES} bytes")
        return None
    message = _parse_head(data[: end.start()].decode("utf-8", "replace"))
    length_text = message.header("content-length")
    length = int(length_text) if re.fullmatch(r"\d{1,9}", length_text) else 0
    if length > MAX_BODY_BYTES:
        raise CameraProtocolError(f"the camera announced an RTSP body of {length} bytes")
    if len(data) < end.end() + length:
        return None
    message.body = data[end.end() : end.end() + length]
    return message, end.end() + length


def _parse_head(text: str) -> RtspMessage:
    first, *lines = text.split("\n")
    first = first.strip()
    if match := _STATUS_LINE.match(first):
        message = RtspMessage(status=int(match[1]), reason=(match[2] or "").strip())
    elif match := _REQUEST_LINE.match(first):
        message = RtspMessage(method=match[1], url=match[2])
    else:
        raise CameraProtocolError(f"the camera sent {first[:60]!r} where an RTSP message was expected")
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            message.headers.setdefault(name.strip().lower(), []).append(value.strip())
    return message


def format_request(method: str, url: str, cseq: int, headers: dict[str, str]) -> bytes:
    """A request without body. Control characters cannot get in: they would begin another header."""
    lines = [f"{method} {url} RTSP/1.0", f"CSeq: {cseq}", "User-Agent: Watchdeck"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    clean = (re.sub(r"[\r\n\0]", "", line) for line in lines)
    return ("\r\n".join(clean) + "\r\n\r\n").encode()


def format_reply(status: int, reason: str, request: RtspMessage) -> bytes:
    """The answer to a request of the camera."""
    cseq = request.cseq if request.cseq is not None else 0
    return f"RTSP/1.0 {status} {reason}\r\nCSeq: {cseq}\r\n\r\n".encode()
