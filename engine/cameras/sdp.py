"""Session descriptions (SDP, RFC 4566) as real cameras send them: read leniently into the streams worth recording.

Only what Watchdeck uses is read; a line nobody understands is never an error. Which media are recorded is decided in
`media_format.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from storage.errors import CameraProtocolError

MAX_MEDIA = 64


@dataclass(slots=True)
class Format:
    """One payload type of a media section."""

    payload_type: int
    encoding: str = ""
    """Upper case: H264, MPEG4-GENERIC...; empty when neither rtpmap nor the static table names it."""
    clock_hz: int = 0
    channels: int = 0
    parameters: dict[str, str] = field(default_factory=dict)
    """fmtp, names in lower case."""


@dataclass(slots=True)
class Media:
    """One `m=` section."""

    kind: str
    protocol: str
    formats: list[Format] = field(default_factory=list)
    control: str = ""
    direction: str = ""
    """recvonly, sendonly, sendrecv, inactive or empty."""
    width: int = 0
    height: int = 0
    """From x-dimensions or framesize, 0 when not told; the stream itself knows better."""

    @property
    def is_encrypted(self) -> bool:
        return "SAVP" in self.protocol.upper()


@dataclass(slots=True)
class SessionDescription:
    """What DESCRIBE answered."""

    media: list[Media] = field(default_factory=list)
    control: str = ""
    has_session_keys: bool = False


# RFC 3551 table 4 and 5: what a payload type means without an rtpmap.
_STATIC_FORMATS = {
    0: ("PCMU", 8000, 1),
    3: ("GSM", 8000, 1),
    8: ("PCMA", 8000, 1),
    9: ("G722", 8000, 1),
    10: ("L16", 44100, 2),
    11: ("L16", 44100, 1),
    14: ("MPA", 90000, 1),
    26: ("JPEG", 90000, 0),
    32: ("MPV", 90000, 0),
    33: ("MP2T", 90000, 0),
}
_RTPMAP = re.compile(r"\s*(\d{1,3})\s+([^/\s]+)\s*(?:/\s*(\d{1,9}))?\s*(?:/\s*(\d{1,3}))?")
_FMTP = re.compile(r"\s*(\d{1,3})\s+(.*)", re.DOTALL)
_TWO_NUMBERS = re.compile(r"\s*(?:\d+\s+)?(\d{1,5})\s*[,\-xX]\s*(\d{1,5})")
_DIRECTIONS = frozenset({"recvonly", "sendonly", "sendrecv", "inactive"})


def parse_sdp(body: bytes) -> SessionDescription:
    """Raises CameraProtocolError when it is no session description at all."""
    session = SessionDescription()
    media: Media | None = None
    understood = 0
    for line in body.decode("utf-8", "replace").replace("\r", "\n").split("\n"):
        kind, equals, value = line.strip().partition("=")
        if not equals or len(kind) != 1:
            continue
        understood += 1
        if kind == "m":
            if len(session.media) >= MAX_MEDIA:
                raise CameraProtocolError(f"the camera describes more than {MAX_MEDIA} media")
            media = _parse_media(value)
            session.media.append(media)
        elif kind == "a":
            name, _, argument = value.partition(":")
            if media is None:
                _session_attribute(session, name.strip().lower(), argument.strip())
            else:
                _media_attribute(session, media, name.strip().lower(), argument.strip())
    if not understood:
        raise CameraProtocolError("the camera's answer to DESCRIBE holds no session description (SDP)")
    return session


def _parse_media(value: str) -> Media:
    words = value.split()
    media = Media(
        kind=words[0].split("/")[0].lower() if words else "", protocol=words[2] if len(words) > 2 else ""
    )
    for word in words[3:]:
        # "smart/1/90000" and the like stand where a number should: such media are left without formats.
        if word.isascii() and word.isdigit() and int(word) < 128:
            encoding, clock_hz, channels = _STATIC_FORMATS.get(int(word), ("", 0, 0))
            media.formats.append(Format(int(word), encoding, clock_hz, channels))
    return media


def _session_attribute(session: SessionDescription, name: str, argument: str) -> None:
    if name == "control":
        session.control = argument
    elif name == "key-mgmt":
        session.has_session_keys = True


def _media_attribute(session: SessionDescription, media: Media, name: str, argument: str) -> None:
    if name == "control":
        media.control = argument
    elif name in _DIRECTIONS:
        media.direction = name
    elif name == "rtpmap":
        if match := _RTPMAP.match(argument):
            _apply_rtpmap(session, media, match)
    elif name == "fmtp":
        if match := _FMTP.match(argument):
            target = _find_format(session, media, int(match[1]))
            if target is not None:
                target.parameters.update(_parse_parameters(match[2]))
    elif name in ("x-dimensions", "framesize", "cliprect"):
        _apply_size(media, name, argument)


def _apply_rtpmap(session: SessionDescription, media: Media, match: re.Match[str]) -> None:
    target = _find_format(session, media, int(match[1]))
    if target is None:
        return
    target.encoding = match[2].upper()
    target.clock_hz = int(match[3] or 0)
    target.channels = int(match[4] or 0)


def _apply_size(media: Media, name: str, argument: str) -> None:
    if name == "cliprect":  # top, left, bottom, right
        numbers = re.findall(r"\d{1,5}", argument)
        if len(numbers) == 4 and not media.width:
            media.height, media.width = int(numbers[2]), int(numbers[3])
    elif match := _TWO_NUMBERS.match(argument):
        media.width, media.height = int(match[1]), int(match[2])


def _find_format(session: SessionDescription, media: Media, payload_type: int) -> Format | None:
    """Of this media or, because cameras put attributes after the wrong `m=` line, of an earlier one."""
    for section in (media, *reversed(session.media)):
        for candidate in section.formats:
            if candidate.payload_type == payload_type:
                return candidate
    return None


def _parse_parameters(text: str) -> dict[str, str]:
    parameters = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            parameters[name.strip().lower()] = value.strip()
    return parameters
