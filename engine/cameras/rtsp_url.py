"""RTSP URLs: where to connect, what to ask for, and how media URLs are made from what cameras describe."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from engine.cameras.sdp import Media, SessionDescription
from storage.camera_url import masked
from storage.errors import InvalidInput

_DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322}
_ABSOLUTE = re.compile(r"rtsps?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RtspUrl:
    """A camera's address; `text` is without credentials and fit for a request line."""

    text: str
    host: str
    port: int
    is_tls: bool

    @property
    def place(self) -> str:
        """For messages: host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def path(self) -> str:
        """For messages: without the password some cameras want in there."""
        return masked(re.sub(r"^rtsps?://[^/?]*", "", self.text, flags=re.IGNORECASE)) or "/"


def parse_rtsp_url(text: str) -> RtspUrl:
    """Raises InvalidInput; credentials in the text are left out, and out of the message."""
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise InvalidInput("the camera's URL has no valid host and port", "rtsp://host:port/path") from error
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or not host or port == 0:
        raise InvalidInput("the camera's URL is no RTSP URL with a host", "rtsp://host:port/path")
    shown_host = f"[{host}]" if ":" in host else host
    rest = text.strip()[text.strip().index("://") + 3 :]
    rest = rest[len(parts.netloc) :]
    clean = quote(rest.split("#")[0], safe="/?:@!$&'()*+,;=%-._~[]|{}\\^`\"<>")
    shown_port = f":{port}" if port else ""
    return RtspUrl(
        f"{scheme}://{shown_host}{shown_port}{clean}", host, port or _DEFAULT_PORTS[scheme], scheme == "rtsps"
    )


def base_url(request: RtspUrl, content_base: str, content_location: str) -> str:
    """What relative controls are added to; a Content-Base without scheme is worth nothing."""
    for told in (content_base, content_location):
        if _ABSOLUTE.match(told):
            return told
    return request.text


def aggregate_url(base: str, session: SessionDescription) -> str:
    """What PLAY and TEARDOWN are asked of."""
    return _join(base, session.control)


def media_url(base: str, session: SessionDescription, media: Media, *, has_base: bool) -> str:
    """What SETUP is asked of. `has_base`: the camera told its base; else the session's own URL may serve as one."""
    if not has_base and _ABSOLUTE.match(session.control):
        base = session.control
    return _join(base, media.control)


def _join(base: str, control: str) -> str:
    """Cameras expect gluing, not RFC 3986 resolution: also behind a query string."""
    if _ABSOLUTE.match(control):
        return control
    if control in ("", "*"):
        return base
    if base.endswith("/"):
        return base + control.lstrip("/")
    return base + control if control[0] in "/?" else f"{base}/{control}"
