"""How warm a drive may be: its own limits where it states them, ours by its kind; and whether it is too warm. Pure.

Too warm is never a verdict on the drive but on what cools it.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.drives.smart_report import SmartReport

HYSTERESIS_C = 3
"""A drive that was too warm is so until it is this much below its limit."""
HDD_LIMITS_C = (50, 60)
SSD_LIMITS_C = (60, 70)
NVME_LIMITS_C = (70, 80)
"""Warning and critical, for drives that state none."""
CRITICAL_MARGIN_C = 5


@dataclass(frozen=True, slots=True)
class Warmth:
    """A drive's limits, and in plain words that it is over one; empty when it is not."""

    warning_c: int
    critical_c: int
    text: str = ""


def limits_c(report: SmartReport) -> tuple[int, int]:
    """(warning, critical): the drive's own, ours for what it does not state."""
    if report.protocol == "nvme":
        warning_c, critical_c = NVME_LIMITS_C
    else:
        warning_c, critical_c = SSD_LIMITS_C if report.rotation_rpm == 0 else HDD_LIMITS_C
    own_warning_c = report.temperature_warning_c or 0
    critical_c = report.temperature_critical_c or max(critical_c, own_warning_c + CRITICAL_MARGIN_C)
    if 0 < own_warning_c < critical_c:
        return own_warning_c, critical_c
    return min(own_warning_c or warning_c, critical_c - CRITICAL_MARGIN_C), critical_c


def warmth_of(report: SmartReport, *, was_too_warm: bool) -> Warmth:
    """Unknown temperature is not too warm."""
    warning_c, critical_c = limits_c(report)
    text, now_c = "", report.temperature_c
    if now_c is not None:
        if now_c >= critical_c:
            text = f"{now_c} °C, its critical limit is {critical_c} °C"
        elif now_c >= warning_c or (was_too_warm and now_c > warning_c - HYSTERESIS_C):
            text = f"{now_c} °C, its limit is {warning_c} °C"
    return Warmth(warning_c, critical_c, text)
