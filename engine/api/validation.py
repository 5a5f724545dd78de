"""Checks of what callers send, beyond types: camera URLs, paths, times, schedules. No message repeats a secret.

Names, groups and what must be unique are the catalog's business.
"""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from engine import wire
from engine.recording.schedule import check_schedule
from storage.camera_url import split_secret
from storage.catalog.names import CAMERA_SCHEMES
from storage.catalog.records import RecordingMode, Schedule, Severity, Transport
from storage.errors import InvalidInput

URL_LENGTH = 2048
SECRET_LENGTH = 256

E = TypeVar("E", RecordingMode, Transport, Severity)


@dataclass(frozen=True, slots=True)
class CameraAddress:
    """A camera's URL without credentials, and the credentials that were inside."""

    url: str
    user: str
    password: str


def checked_url(url: str) -> CameraAddress:
    """Takes the credentials out. Errors never repeat the URL: it may hold a password in an unexpected place."""
    if not url or len(url) > URL_LENGTH:
        raise InvalidInput(f"a camera's URL has 1 to {URL_LENGTH} characters", "for example rtsp://host/path")
    if not url.isprintable() or " " in url:
        raise InvalidInput(
            "the camera's URL contains spaces or unprintable characters", "write them as %20 and so on"
        )
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise InvalidInput(
            "the camera's URL has no valid host and port",
            "write / ? # @ : in a password as %2F %3F %23 %40 %3A",
        ) from error
    _check_parts(parts)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    host = parts.netloc.rpartition("@")[2]
    bare, inner = split_secret(urlunsplit((parts.scheme.lower(), host, parts.path, parts.query, "")))
    if password and inner and password != inner:
        raise InvalidInput(
            "the camera's URL holds two different passwords", "a camera has one: leave the other out"
        )
    password = password or inner
    return CameraAddress(bare, checked_secret(user, "user name"), checked_secret(password, "password"))


def _check_parts(parts: SplitResult) -> None:
    if parts.scheme.lower() not in CAMERA_SCHEMES:
        raise InvalidInput(
            f"cameras are reached by {', '.join(CAMERA_SCHEMES)}; the URL begins with none of these",
            "for example rtsp://host/path",
        )
    if parts.scheme.lower() == "file":
        if parts.netloc or not parts.path.startswith("/"):
            raise InvalidInput("a file URL names an absolute path", "for example file:///srv/video.mp4")
    elif not parts.hostname:
        raise InvalidInput("the camera's URL names no host", "for example rtsp://host/path")
    if parts.fragment or "@" in parts.path + parts.query:
        raise InvalidInput(
            "the camera's URL has a # or @ behind the host", "write them as %23 and %40, also in a password"
        )


def checked_secret(value: str, what: str) -> str:
    """A user name or password: what fits a header line."""
    if len(value) > SECRET_LENGTH or any(unicodedata.category(c) == "Cc" for c in value):
        raise InvalidInput(f"the {what} is longer than {SECRET_LENGTH} or holds control characters")
    return value


def checked_choice(kind: type[E], value: str, key: str) -> E:
    try:
        return kind(value)
    except ValueError:
        raise InvalidInput(f"$.{key}: {value!r} is none of {', '.join(kind)}") from None


def checked_schedule(message: wire.ScheduleMessage | None) -> Schedule | None:
    """Reads the zone's file: blocking, for a moment, the first time a zone is named."""
    if message is None:
        return None
    schedule = Schedule(zone=message.zone, days=message.days)
    check_schedule(schedule)
    return schedule


def checked_mode(mode: str, schedule: Schedule | None) -> RecordingMode:
    checked = checked_choice(RecordingMode, mode, "mode")
    if checked is RecordingMode.SCHEDULE and schedule is None:
        raise InvalidInput("$.mode is `schedule`, and $.schedule is not given", "give the weekly cells too")
    return checked


def checked_stretch(start_us: int, end_us: int) -> None:
    if not start_us < end_us:
        raise InvalidInput("the stretch of time ends at or before its start", "exchange the two times")


def checked_path(path: str) -> str:
    """Absolute, without `.` and `..`; not resolved: a mount point may be a symbolic link on purpose."""
    if not path.startswith("/") or "\0" in path:
        raise InvalidInput(f"{path!r} is not an absolute path", "begin it with /")
    normal = os.path.normpath(path)
    if normal == "/":
        raise InvalidInput("the root folder is no volume", "name a mount point or a folder")
    return normal.replace("//", "/", 1) if normal.startswith("//") else normal


def checked_limit(value: int | None, key: str, lowest: int = 1) -> int | None:
    if value is not None and value < lowest:
        raise InvalidInput(f"$.{key}: {value} is below {lowest}")
    return value
