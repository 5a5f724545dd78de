"""A drive's health in one word, with the reasons; and its history. How it is judged is smart_rules.py."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    GOOD = "good"
    WARNING = "warning"
    """Watch it; order a replacement."""
    FAILING = "failing"
    """Predicted to fail, or failing now: replace it."""
    UNKNOWN = "unknown"
    """No report: asleep since the start, not capable, or it does not answer; the reason says which."""


class DriveHealth(msgspec.Struct, frozen=True, kw_only=True):
    """What the newest report (and the ones before it) say about a drive."""

    drive: str
    """Its id."""
    verdict: Verdict = Verdict.UNKNOWN
    reasons: tuple[str, ...] = ()
    """Plain words, worst first: `24 sectors wait to be reallocated (was 8 yesterday)`."""
    checked_us: int | None = None
    last_failing_us: int | None = None
    """When a rule last found it failing: the verdict outlives the symptom for some quiet days."""
    last_failing_reason: str = ""
    raid_errors_us: int | None = None
    """When the RAID layer last counted new media errors on it: the warning outlives the counting."""
    is_too_warm: bool = False
    """Over its limit, and not yet clearly below it again."""
    temperature_c: int | None = None
    temperature_warning_c: int | None = None
    temperature_critical_c: int | None = None
    hours: int | None = None
    reallocated: int | None = None
    pending: int | None = None
    uncorrectable: int | None = None
    interface_errors: int | None = None
    """CRC errors: a cable or a backplane, not the drive."""
    media_errors: int | None = None
    wear_percent: int | None = None
    self_test: str = ""
    """Last result in plain words, or the progress of the one under way."""
    self_test_progress: float | None = None


class HealthSample(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a drive's history."""

    time_us: int
    temperature_c: int | None = None
    hours: int | None = None
    reallocated: int | None = None
    pending: int | None = None
    uncorrectable: int | None = None
    interface_errors: int | None = None
    media_errors: int | None = None
    wear_percent: int | None = None
    verdict: Verdict = Verdict.UNKNOWN
