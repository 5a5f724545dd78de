"""The part of a SMART report that only NVMe drives have: the health log, its critical bits, the self-test log."""

from __future__ import annotations

import msgspec

from storage.drives.smart_report import Attribute, SelfTestKind, SelfTestResult, SmartReport
from storage.drives.smartctl_document import Document

TEMPERATURE_WARNING = "temperature above or below its threshold"
CRITICAL_BITS = (
    (0x01, "spare blocks below the threshold"),
    (0x02, TEMPERATURE_WARNING),
    (0x04, "reliability degraded by media or internal errors"),
    (0x08, "media is read-only"),
    (0x10, "backup of the volatile memory failed"),
    (0x20, "persistent memory region unreliable"),
)
"""NVM Express Base Specification 2.0, figure 207."""
COUNTERS = (
    "available_spare",
    "available_spare_threshold",
    "percentage_used",
    "media_errors",
    "num_err_log_entries",
    "unsafe_shutdowns",
    "warning_temp_time",
    "critical_comp_time",
    "data_units_read",
    "data_units_written",
)
_KINDS = {1: SelfTestKind.SHORT, 2: SelfTestKind.LONG}
_PASSED = 0
_FAILED = (5, 6, 7)
"""Results; the others are aborts."""


def add_nvme(report: SmartReport, document: Document) -> SmartReport:
    """The report with what the drive's NVMe logs say."""
    log = document.at("nvme_smart_health_information_log")
    bits = log.number("critical_warning") or document.number("smart_status", "nvme", "value") or 0
    words = [word for bit, word in CRITICAL_BITS if bits & bit]
    if bits & ~0x3F:
        words.append(f"unknown warning {bits & ~0x3F:#x}")
    tests = document.at("nvme_self_test_log")
    return msgspec.structs.replace(
        report,
        wwn=report.wwn or _eui64(document),
        rotation_rpm=0,
        temperature_warning_c=_limit(document, "warning", "op_limit_max"),
        temperature_critical_c=_limit(document, "critical", "critical_limit_max"),
        hours=report.hours if report.hours is not None else log.number("power_on_hours"),
        power_cycles=report.power_cycles if report.power_cycles is not None else log.number("power_cycles"),
        media_errors=log.number("media_errors"),
        wear_percent=log.number("percentage_used"),
        spare_percent=log.number("available_spare"),
        spare_threshold_percent=log.number("available_spare_threshold"),
        critical_warnings=tuple(words),
        attributes=tuple(
            Attribute(name=name, raw=value) for name in COUNTERS if (value := log.number(name)) is not None
        ),
        self_tests=tuple(_self_test(row) for row in tests.rows("table")),
        self_test_progress=_progress(tests),
    )


def _eui64(document: Document) -> str:
    for namespace in document.rows("nvme_namespaces"):
        oui, extension = namespace.number("eui64", "oui"), namespace.number("eui64", "ext_id")
        if oui and extension is not None:
            return f"eui.{oui:06x}{extension:010x}"
    return ""


def _limit(document: Document, newer: str, older: str) -> int | None:
    """WCTEMP and CCTEMP, under the names of smartctl 7.5 and of 7.4; 0 K means that there is none."""
    limit_c = document.number("nvme_composite_temperature_threshold", newer)
    if limit_c is None:
        limit_c = document.number("temperature", older)
    return limit_c if limit_c is not None and 30 <= limit_c <= 130 else None


def _progress(tests: Document) -> float | None:
    if not tests.number("current_self_test_operation", "value"):
        return None
    return (tests.number("current_self_test_completion_percent") or 0) / 100


def _self_test(row: Document) -> SelfTestResult:
    code, result = row.number("self_test_code", "value"), row.number("self_test_result", "value")
    return SelfTestResult(
        kind=_KINDS[code].value if code in _KINDS else row.text("self_test_code", "string"),
        passed=True if result == _PASSED else False if result in _FAILED else None,
        text=row.text("self_test_result", "string"),
        at_hours=row.number("power_on_hours"),
        first_bad_lba=row.number("lba"),
    )
