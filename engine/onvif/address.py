"""Where a camera's ONVIF services are asked: derived from its stream, and from what the camera announces.

Cameras announce addresses that nobody can reach: 0.0.0.0, the one behind a router, the one of another network card. And a
camera must not be able to send its user and password to another host. So whatever it announces, the host that was dialled is
asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from storage.errors import InvalidInput

DEVICE_PATH = "/onvif/device_service"
_PORTS = {"http": 80, "https": 443}
_DOUBLED_PORT = re.compile(r"^(https?://[^/\[\]:]+:\d+):\d+(?=/|$)", re.IGNORECASE)
"""`http://192.168.1.106:8106:8106/onvif/…`, home-assistant/core#92603."""


@dataclass(frozen=True, slots=True)
class ServiceUrl:
    """One address of a camera, without credentials."""

    scheme: str
    host: str
    port: int
    path: str
    """With its query."""

    @property
    def text(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"

    @property
    def place(self) -> str:
        """For messages: host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_tls(self) -> bool:
        return self.scheme == "https"


def parse_service_url(text: str) -> ServiceUrl:
    """Raises InvalidInput; the message repeats nothing of the text."""
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise InvalidInput(
            "the ONVIF address has no valid host and port", f"http://host{DEVICE_PATH}"
        ) from error
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not host or port == 0:
        raise InvalidInput("the ONVIF address is no HTTP address with a host", f"http://host{DEVICE_PATH}")
    if parts.username is not None or parts.password is not None:
        raise InvalidInput(
            "user and password do not belong into the ONVIF address",
            "the ones of the camera's stream are used",
        )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return ServiceUrl(scheme, host, port or _PORTS[scheme], path)


def device_url(stream_url: str, onvif_url: str = "") -> ServiceUrl:
    """Of the device service: as the operator gave it, else where ONVIF puts it on the stream's host (Core, 5.1.1).

    Raises InvalidInput when neither names a host.
    """
    if onvif_url:
        given = parse_service_url(onvif_url)
        return given if given.path != "/" else ServiceUrl(given.scheme, given.host, given.port, DEVICE_PATH)
    try:
        host = urlsplit(stream_url).hostname or ""
    except ValueError:
        host = ""
    if not host:
        raise InvalidInput("the camera's stream has no host", "give its ONVIF address")
    return ServiceUrl("http", host, 80, DEVICE_PATH)


def reachable(announced: str, dialled: ServiceUrl) -> ServiceUrl:
    """The announced path on the host that was dialled.

    The announced port counts when the host is the one dialled: elsewhere it belongs to another address. A dialogue that
    began encrypted stays encrypted, on its port. Raises InvalidInput when it is no address at all.
    """
    text = _DOUBLED_PORT.sub(r"\1", announced.strip())
    if text.startswith("/"):
        return ServiceUrl(dialled.scheme, dialled.host, dialled.port, text)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise InvalidInput("the camera announces an address that is none") from error
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not host:
        raise InvalidInput("the camera announces an address that is none")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if host != dialled.host or dialled.is_tls:
        return ServiceUrl(
            dialled.scheme,
            dialled.host,
            port if host == dialled.host and scheme == "https" and port else dialled.port,
            path,
        )
    return ServiceUrl(scheme, host, port or _PORTS[scheme], path)
