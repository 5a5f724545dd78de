"""The one place where an OSError on a volume becomes a VolumeError."""

from __future__ import annotations

import errno
import os

from storage.errors import (
    VolumeError,
    VolumeFailed,
    VolumeFull,
    VolumeMissing,
    VolumeReadOnly,
)

_CLASSES: dict[int, type[VolumeError]] = {
    errno.ENOSPC: VolumeFull,
    errno.EDQUOT: VolumeFull,
    errno.EROFS: VolumeReadOnly,
    errno.EIO: VolumeFailed,
    errno.ESTALE: VolumeFailed,
    errno.ENODEV: VolumeFailed,
    errno.ENXIO: VolumeFailed,
    errno.EUCLEAN: VolumeFailed,
    errno.ESHUTDOWN: VolumeFailed,
    errno.ETIMEDOUT: VolumeFailed,
    errno.EREMOTEIO: VolumeFailed,
    errno.ENOENT: VolumeMissing,
    errno.ENOTDIR: VolumeMissing,
    errno.ENOTCONN: VolumeMissing,
}

_REMEDIES: dict[type[VolumeError], str] = {
    VolumeFull: "free space on it, lower its retention, or add a volume to the group",
    VolumeReadOnly: "look at the kernel log, check the file system and mount it read-write",
    VolumeFailed: "look at the kernel log and the drive; replace it if it fails",
    VolumeMissing: "mount it, or remove it from Watchdeck",
    VolumeError: "check the owner and mode of the folder",
}


def volume_error(exc: OSError, volume_name: str) -> VolumeError:
    """What the error means for that volume; raise it `from` the OSError."""
    number = exc.errno or 0
    cls = _CLASSES.get(number, VolumeError)
    seen = os.strerror(number) if number else str(exc)
    where = f" at {exc.filename}" if isinstance(exc.filename, str) else ""
    return cls(f"volume {volume_name}: {seen}{where}", _REMEDIES[cls])
