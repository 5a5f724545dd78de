"""The error vocabulary: every error a person or a script may meet has a stable code, what happened and what to do.

Subclasses tell the caller what it may do about it: retry, wait for a person, degrade, refuse or stop.
Foreign errors (errno, libav, SQLite) are mapped to these in one place per library, with `from`.
"""

from __future__ import annotations

from typing import ClassVar


class WatchdeckError(Exception):
    """Root: `code` is stable and documented, `what` says what was seen and on which thing, `remedy` what to do."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what} ({self.remedy})" if self.remedy else self.what


# -- the caller is wrong: refuse -------------------------------------------------------------------------


class InvalidInput(WatchdeckError):
    """A value that cannot be accepted; nothing was changed."""

    code = "invalid_input"
    exit_code = 2


class NotFound(WatchdeckError):
    """The named thing does not exist."""

    code = "not_found"
    exit_code = 3


class AlreadyExists(WatchdeckError):
    """The name or path is taken."""

    code = "already_exists"
    exit_code = 4


class NotPermitted(WatchdeckError):
    """The caller is known and may not do this."""

    code = "not_permitted"
    exit_code = 5


class EngineUnreachable(WatchdeckError):
    """No engine answers on the socket."""

    code = "engine_unreachable"
    exit_code = 6


class Conflict(WatchdeckError):
    """The thing is in a state that does not allow this now."""

    code = "conflict"
    exit_code = 7


class FileError(WatchdeckError):
    """A file the caller named (an export, a password file) cannot be read or written."""

    code = "file_error"
    exit_code = 8


# -- cameras: retry, or wait for a person ----------------------------------------------------------------


class CameraError(WatchdeckError):
    """A session with a camera ended or could not begin."""

    code = "camera_error"
    exit_code = 10


class CameraUnreachable(CameraError):
    """No connection: refused, no route, name not found, time-out. Retried with back-off."""

    code = "camera_unreachable"


class CameraRefused(CameraError):
    """The camera answers and says no (wrong password, no such stream). Retried slowly; a person must act."""

    code = "camera_refused"


class CameraStalled(CameraError):
    """Connected, but no video arrives. Retried."""

    code = "camera_stalled"


class CameraProtocolError(CameraError):
    """The camera sends what cannot be understood. Retried."""

    code = "camera_protocol_error"


class CameraUnsupported(CameraError):
    """The camera offers nothing Watchdeck can record. Retried slowly; a person must act."""

    code = "camera_unsupported"


# -- volumes: degrade ------------------------------------------------------------------------------------


class VolumeError(WatchdeckError):
    """A volume cannot be used as asked; the recorder fails over or writes a gap."""

    code = "volume_error"
    exit_code = 11


class VolumeMissing(VolumeError):
    """The registered volume is not mounted there: its identity file is absent."""

    code = "volume_missing"


class VolumeMismatch(VolumeError):
    """Another volume is mounted there: the identity file names a different one."""

    code = "volume_mismatch"


class VolumeFull(VolumeError):
    """No space above the floor, or ENOSPC."""

    code = "volume_full"


class VolumeReadOnly(VolumeError):
    """The file system is (or went) read-only."""

    code = "volume_read_only"


class VolumeFailed(VolumeError):
    """Input/output errors from the drive or file system."""

    code = "volume_failed"


class VolumeStalled(VolumeError):
    """The drive does not answer in time; its queue is full."""

    code = "volume_stalled"


# -- recordings ------------------------------------------------------------------------------------------


class SegmentDamaged(WatchdeckError):
    """A segment file cannot be read as one; says where it broke."""

    code = "segment_damaged"
    exit_code = 12


class PictureUnavailable(WatchdeckError):
    """No picture can be made for that camera and time; says why."""

    code = "picture_unavailable"
    exit_code = 13


class ExportFailed(WatchdeckError):
    """An export could not be made, for a reason that is neither its disk nor its footage."""

    code = "export_failed"
    exit_code = 19


# -- evidence --------------------------------------------------------------------------------------------


class KeyUnusable(WatchdeckError):
    """The station's key is missing, unreadable or another than before: nothing can be signed until a person acts."""

    code = "key_unusable"
    exit_code = 17


# -- alarms ----------------------------------------------------------------------------------------------


class ActionFailed(WatchdeckError):
    """An action of an alarm could not be carried out."""

    code = "action_failed"
    exit_code = 16

    def __init__(self, what: str, remedy: str = "", *, is_final: bool = False) -> None:
        super().__init__(what, remedy)
        self.is_final = is_final
        """Another try would end the same way: a person must change something."""


# -- drives and RAID: refuse, or wait for a person ---------------------------------------------------------


class DriveError(WatchdeckError):
    """Something about a drive, an array or the chassis did not work."""

    code = "drive_error"
    exit_code = 15


class ToolMissing(DriveError):
    """A system program that this needs is not installed; the remedy names the package."""

    code = "tool_missing"


class CommandFailed(DriveError):
    """A system program failed, or the state after it is not what was asked for."""

    code = "command_failed"


class CommandTimeout(DriveError):
    """A system program did not end in its time: a drive that does not answer."""

    code = "command_timeout"


class OperationRefused(DriveError):
    """Not done because it would cost data or touch what is not ours: says what and why."""

    code = "operation_refused"


class Unsupported(DriveError):
    """This controller cannot do that."""

    code = "unsupported"


class StateChanged(DriveError):
    """Drives or arrays are no longer as they were when the operation was planned; plan again."""

    code = "state_changed"


# -- stop ------------------------------------------------------------------------------------------------


class CatalogDamaged(WatchdeckError):
    """The catalog cannot be opened or is newer than this software; the engine stops."""

    code = "catalog_damaged"
    exit_code = 14


class ConfigError(WatchdeckError):
    """station.toml has an unknown key or a wrong value; names the key's path."""

    code = "config_error"
    exit_code = 78


class InternalError(WatchdeckError):
    """A defect: the engine logged the details, the caller gets none."""

    code = "internal_error"
    exit_code = 70


def error_classes() -> dict[str, type[WatchdeckError]]:
    """Every code and its class, for documentation and for rebuilding an error from its code."""
    found: dict[str, type[WatchdeckError]] = {}
    waiting: list[type[WatchdeckError]] = [WatchdeckError]
    while waiting:
        cls = waiting.pop()
        found[cls.code] = cls
        waiting.extend(cls.__subclasses__())
    return found
