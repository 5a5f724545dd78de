"""The words of the manual for drives, virtual drives and what goes on with them (rows RL-01, VD-08..22, BG-*)."""

from __future__ import annotations

from enum import StrEnum


class RaidLevel(StrEnum):
    """Row RL-01. 00, 50 and 60 span several drive groups of level 0, 5 and 6; 10 spans mirrors."""

    RAID0 = "0"
    RAID00 = "00"
    RAID1 = "1"
    RAID5 = "5"
    RAID6 = "6"
    RAID10 = "10"
    RAID50 = "50"
    RAID60 = "60"


class DriveState(StrEnum):
    """Rows VD-13..22, and the two that real machines add."""

    ONLINE = "online"
    UNCONFIGURED_GOOD = "unconfigured_good"
    """Usable, in no virtual drive: the "ready" of the rebuild rules."""
    HOT_SPARE = "hot_spare"
    FAILED = "failed"
    """Was online or a hot spare; unrecoverable error."""
    REBUILD = "rebuild"
    UNCONFIGURED_BAD = "unconfigured_bad"
    MISSING = "missing"
    """Was online, is no longer in its bay."""
    OFFLINE = "offline"
    """Part of a virtual drive, but with data that is not valid for it."""
    SHIELD = "shield"
    """Taken aside for diagnosis; goes back to where it was."""
    COPYBACK = "copyback"
    """Receives a copy of a member that still works, or gets its place back from a spare."""
    FOREIGN = "foreign"
    """Carries the configuration of an array that is not active here."""
    PROTECTED = "protected"
    """Holds the system, a mounted file system or another program's array: never offered for anything."""


class VirtualDriveState(StrEnum):
    """Rows VD-08..12."""

    ONLINE = "online"
    PARTIALLY_DEGRADED = "partially_degraded"
    """RAID 6 (and a RAID 60 span) with exactly one loss."""
    DEGRADED = "degraded"
    FAILED = "failed"
    OFFLINE = "offline"


class SpareKind(StrEnum):
    """Rows HS-06..08."""

    GLOBAL = "global"
    DEDICATED = "dedicated"


class TaskKind(StrEnum):
    """Background operations."""

    REBUILD = "rebuild"
    COPYBACK = "copyback"
    CHECK = "check"
    """Consistency check; may repair."""
    INITIALISATION = "initialisation"
    """Background initialisation."""
    MIGRATION = "migration"
    """Level migration or capacity expansion."""
    PATROL_READ = "patrol_read"
    SELF_TEST = "self_test"


class TaskState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    WAITING = "waiting"
    """For another one on the same drives, or for its time."""


class DriveKind(StrEnum):
    HDD = "hdd"
    SSD = "ssd"
    NVME = "nvme"
    UNKNOWN = "unknown"


class Capability(StrEnum):
    """What a back-end may be able to do; what it cannot it gives a reason for."""

    CREATE = "create"
    DELETE = "delete"
    GLOBAL_SPARE = "global_spare"
    DEDICATED_SPARE = "dedicated_spare"
    AFFINITY = "affinity"
    REBUILD = "rebuild"
    REPLACE = "replace"
    CHECK = "check"
    PATROL_READ = "patrol_read"
    INITIALISE = "initialise"
    MIGRATE = "migrate"
    PAUSE = "pause"
    RATES = "rates"
    SET_OFFLINE = "set_offline"
    SET_GOOD = "set_good"
    PREPARE_REMOVAL = "prepare_removal"
    FOREIGN = "foreign"
    LOCATE = "locate"
    SILENCE = "silence"
