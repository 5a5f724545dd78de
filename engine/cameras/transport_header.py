"""The RTSP headers with an inner syntax: Transport, Session, RTP-Info and Public, as cameras spell them."""

from __future__ import annotations

import re
from dataclasses import dataclass

DEFAULT_SESSION_TIMEOUT_S = 60
_MAX_SESSION_TIMEOUT_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Transport:
    """What SETUP answered."""

    is_tcp: bool
    is_secure: bool = False
    """SRTP (RTP/SAVP), which needs keys Watchdeck does not negotiate."""
    channels: tuple[int, int] | None = None
    """Interleaved channels of RTP and RTCP."""
    ssrc: int | None = None


@dataclass(frozen=True, slots=True)
class RtpInfo:
    """Where one stream starts, by the PLAY reply."""

    url: str
    sequence: int | None = None
    timestamp: int | None = None


def parse_transport(value: str) -> Transport:
    """The first transport of the header; parameters may come in any order and with spaces."""
    is_tcp = is_secure = False
    channels: tuple[int, int] | None = None
    ssrc: int | None = None
    for part in _first_of_list(value).split(";"):
        name, _, argument = part.partition("=")
        name, argument = name.strip().lower(), argument.strip().strip('"')
        if name.startswith("rtp/"):
            is_tcp = name.endswith("/tcp")
            is_secure = name.startswith("rtp/savp")
        elif name == "interleaved":
            channels = _parse_channels(argument)
        elif name == "ssrc" and re.fullmatch(r"[0-9A-Fa-f]{1,8}", argument):
            ssrc = int(argument, 16)
    return Transport(is_tcp or channels is not None, is_secure, channels, ssrc)


def _parse_channels(text: str) -> tuple[int, int] | None:
    match = re.fullmatch(r"(\d{1,3})(?:\s*-\s*(\d{1,3}))?", text)
    if match is None:
        return None
    first = int(match[1])
    second = int(match[2]) if match[2] else first + 1
    return (first, second) if first <= 255 and second <= 255 else None


def parse_session(value: str) -> tuple[str, int]:
    """Session identifier and its time-out in seconds (60 when not told or absurd)."""
    identifier, *parameters = value.split(";")
    timeout_s = DEFAULT_SESSION_TIMEOUT_S
    for parameter in parameters:
        name, _, argument = parameter.partition("=")
        if name.strip().lower() == "timeout" and (match := re.match(r"\s*(\d{1,6})", argument)):
            told = int(match[1])
            timeout_s = min(told, _MAX_SESSION_TIMEOUT_S) if told > 0 else DEFAULT_SESSION_TIMEOUT_S
    return identifier.strip(), timeout_s


def parse_rtp_info(value: str) -> list[RtpInfo]:
    """Every stream of the header; an rtptime of -1 or out of range counts as not told."""
    found = []
    # URLs may hold commas and semicolons: a new stream begins at "url=" only.
    for part in re.split(r"(?:^|,)\s*(?=url\s*=)", value.strip(), flags=re.IGNORECASE):
        match = re.match(r"url\s*=\s*(.*?)\s*(?:;\s*(?:seq|rtptime|ssrc)\s*=|;?\s*$)", part, re.IGNORECASE)
        if match is None:
            continue
        found.append(
            RtpInfo(match[1].strip('"'), _number(part, "seq", 0xFFFF), _number(part, "rtptime", 0xFFFFFFFF))
        )
    return found


def _number(part: str, name: str, largest: int) -> int | None:
    match = re.search(rf";\s*{name}\s*=\s*(\d{{1,10}})(?!\d)", part, re.IGNORECASE)
    if match is None or int(match[1]) > largest:
        return None
    return int(match[1])


def parse_public(value: str) -> frozenset[str]:
    """The methods a server lists."""
    return frozenset(method.strip().upper() for method in value.split(",") if method.strip())


def _first_of_list(value: str) -> str:
    return re.split(r",\s*(?=RTP/)", value, flags=re.IGNORECASE)[0]
