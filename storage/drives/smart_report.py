"""What a drive says about itself, in one form for ATA, NVMe and SCSI. Parsing is smartctl_json.py."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class SelfTestKind(StrEnum):
    SHORT = "short"
    LONG = "long"
    CONVEYANCE = "conveyance"


class SelfTestResult(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the drive's own log, newest first in a report."""

    kind: str
    passed: bool | None
    """None: aborted, interrupted or still running."""
    text: str
    at_hours: int | None = None
    first_bad_lba: int | None = None


class SelfTestState(msgspec.Struct, frozen=True, kw_only=True):
    """Which self-tests a drive can run, and the one it runs now."""

    kinds: tuple[SelfTestKind, ...] = ()
    minutes: dict[SelfTestKind, int] = {}
    """How long each takes by the drive's own estimate; only where it says so (ATA)."""
    progress: float | None = None
    """Of the one running now."""
    text: str = ""
    """In plain words: the one that runs, or how the last one ended."""
    is_asleep: bool = False
    """Not asked, so that it is not woken; the rest is empty."""


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """One ATA attribute, or a named counter of NVMe and SCSI (then without id and thresholds)."""

    name: str
    raw: int
    """The leading integer of the raw string: `raw.value` packs other things into the upper bytes."""
    text: str = ""
    id: int | None = None
    value: int | None = None
    worst: int | None = None
    threshold: int | None = None
    is_prefailure: bool = False
    failed: str = ""
    """`now` or `past`, by the drive's own threshold."""


class SmartReport(msgspec.Struct, frozen=True, kw_only=True):
    """One reading. None = the drive does not say."""

    drive: str = ""
    """Id, filled in by whoever asked."""
    time_us: int = 0
    protocol: str = ""
    """ata, nvme or scsi."""
    model: str = ""
    serial: str = ""
    wwn: str = ""
    firmware: str = ""
    size_bytes: int = 0
    rotation_rpm: int | None = None
    """0 = no platters."""
    is_asleep: bool = False
    """Not woken; everything else may be missing."""
    is_capable: bool = True
    passed: bool | None = None
    """The drive's own judgement. True is not health."""
    temperature_c: int | None = None
    temperature_warning_c: int | None = None
    temperature_critical_c: int | None = None
    hours: int | None = None
    power_cycles: int | None = None
    reallocated: int | None = None
    """ATA 5; SCSI grown defects."""
    pending: int | None = None
    uncorrectable: int | None = None
    """ATA 198 and 187 added up; SCSI total uncorrected errors."""
    reported_uncorrectable: int | None = None
    """ATA 187 alone."""
    interface_errors: int | None = None
    command_timeouts: int | None = None
    """ATA 188, unpacked from its three 16-bit counters."""
    media_errors: int | None = None
    wear_percent: int | None = None
    """Used life, 0 = new."""
    spare_percent: int | None = None
    spare_threshold_percent: int | None = None
    critical_warnings: tuple[str, ...] = ()
    """NVMe's bits in words."""
    scsi_trip: str = ""
    """SCSI informational exception (5D/FF ...) in words."""
    attributes: tuple[Attribute, ...] = ()
    self_tests: tuple[SelfTestResult, ...] = ()
    self_test_progress: float | None = None
    """Of the one running now."""
    short_minutes: int | None = None
    long_minutes: int | None = None
    messages: tuple[str, ...] = ()
    """What smartctl complained about."""
