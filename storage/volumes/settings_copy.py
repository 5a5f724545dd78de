"""A copy of the cameras' settings on each volume, so that a lost catalog can be rebuilt with their names.

Never holds a password or a URL with one.
"""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import msgspec

from storage.camera_url import masked
from storage.catalog.records import Camera, Transport

SETTINGS_NAME = "cameras.json"


class CameraCopy(msgspec.Struct, frozen=True, kw_only=True):
    """What is needed to recognise a camera and to add it again but for its password."""

    id: int
    uuid: UUID
    name: str
    url: str
    user: str = ""
    group: str
    transport: Transport = Transport.AUTO
    record_audio: bool = True


class SettingsCopy(msgspec.Struct, frozen=True, kw_only=True):
    """Content of `.watchdeck/cameras.json`. Unknown fields are tolerated on reading."""

    version: int = 1
    cameras: tuple[CameraCopy, ...]


def camera_copy(camera: Camera) -> CameraCopy:
    """The camera as it is copied."""
    return CameraCopy(
        id=camera.id,
        uuid=camera.uuid,
        name=camera.name,
        url=_without_credentials(camera.url),
        user=camera.user,
        group=camera.group,
        transport=camera.transport,
        record_audio=camera.record_audio,
    )


def _without_credentials(url: str) -> str:
    """The catalog's URLs have none; this copy leaves the machine with the disk, so it is made sure here."""
    try:
        parts = urlsplit(url)
        return masked(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))
    except ValueError:
        return ""
