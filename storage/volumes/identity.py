"""Who a volume is: a small file on the volume itself, so that an empty mount point or another disk is noticed."""

from __future__ import annotations

import os
from uuid import UUID

import msgspec

from storage.errors import VolumeMismatch

OWN_FOLDER = ".watchdeck"
IDENTITY_NAME = "volume.json"
_MAX_BYTES = 64 * 1024


class VolumeIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Content of `.watchdeck/volume.json`. Unknown fields are tolerated on reading."""

    version: int = 1
    uuid: UUID
    name: str
    """When it was added; the catalog's name counts."""
    station: UUID
    """The station that added it."""


_IDENTITY = msgspec.json.Decoder(VolumeIdentity)
"""Made here: several volumes are looked at by threads of their own at the same moment (tests/storage/test_decoders.py)."""


def read_identity_at(root_fd: int, where: str) -> VolumeIdentity:
    """Identity of the volume whose root is open.

    Raises FileNotFoundError (or another OSError) when there is none, VolumeMismatch when it cannot be understood.
    """
    folder_fd = os.open(
        OWN_FOLDER, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=root_fd
    )
    try:
        fd = os.open(IDENTITY_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder_fd)
    finally:
        os.close(folder_fd)
    with os.fdopen(fd, "rb") as file:
        content = file.read(_MAX_BYTES)
    try:
        return _IDENTITY.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise VolumeMismatch(
            f"the identity file of {where} is damaged: {exc}",
            f"compare {OWN_FOLDER}/{IDENTITY_NAME} with `watchdeck volume list`",
        ) from exc
