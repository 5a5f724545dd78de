"""What the operator may call things, and how a thing is named in a command: by name, UUID or number."""

from __future__ import annotations

import unicodedata
from urllib.parse import urlsplit
from uuid import UUID

from storage.camera_url import PLACEHOLDER, masked
from storage.errors import InvalidInput

NAME_LIMIT = 64
CAMERA_SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "file")


def checked_name(name: str, thing: str) -> str:
    """The name as it is kept: trimmed, 1 to 64 characters, nothing that would garble a terminal."""
    trimmed = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(trimmed) <= NAME_LIMIT:
        raise InvalidInput(f"the name of a {thing} has 1 to {NAME_LIMIT} characters, not {len(trimmed)}")
    for character in trimmed:
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            raise InvalidInput(
                f"the name of a {thing} holds the character U+{ord(character):04X}", "leave it out"
            )
    if "/" in trimmed:
        raise InvalidInput(f"the name of a {thing} cannot hold a slash: {trimmed}", "leave it out")
    return trimmed


def checked_url(url: str) -> str:
    """A camera's address as it is kept: a scheme that can be fetched, and no credentials inside."""
    try:
        parts = urlsplit(url.strip())
        has_host = bool(parts.hostname)
        _ = parts.port
    except ValueError as error:
        raise InvalidInput(f"not an address: {error}") from error
    if parts.scheme.lower() not in CAMERA_SCHEMES:
        raise InvalidInput(
            f"a camera's address begins with one of {', '.join(CAMERA_SCHEMES)}, not {parts.scheme or 'nothing'!r}",
            "for example rtsp://192.0.2.10/stream1",
        )
    if parts.username is not None or parts.password is not None:
        raise InvalidInput("user and password do not belong into the address", "give them apart")
    if masked(url) != url:
        raise InvalidInput("a password does not belong into the address", f"write {PLACEHOLDER} in its place")
    if parts.scheme.lower() == "file":
        if not parts.path.startswith("/"):
            raise InvalidInput("a file address is absolute", "for example file:///var/tmp/test.mp4")
    elif not has_host:
        raise InvalidInput("the address names no host", "for example rtsp://192.0.2.10/stream1")
    return url.strip()


def as_uuid(ref: str) -> UUID | None:
    """The UUID a reference spells, or None."""
    if len(ref) not in (32, 36):
        return None
    try:
        return UUID(ref)
    except ValueError:
        return None


def as_number(ref: str) -> int | None:
    """The row number a reference spells, or None."""
    return int(ref) if ref.isascii() and ref.isdigit() and len(ref) < 19 else None
