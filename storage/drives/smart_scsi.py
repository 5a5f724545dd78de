"""The part of a SMART report that only SCSI and SAS drives have: grown defects, error counters, informational exceptions."""

from __future__ import annotations

import msgspec

from storage.drives.smart_report import Attribute, SelfTestKind, SelfTestResult, SmartReport
from storage.drives.smartctl_document import Document

_KINDS = {1: SelfTestKind.SHORT, 2: SelfTestKind.LONG, 5: SelfTestKind.SHORT, 6: SelfTestKind.LONG}
"""Background and foreground (SPC-4, self-test code)."""
_PASSED = 0
_FAILED = (3, 4, 5, 6, 7)
_LOG_LENGTH = 20


def add_scsi(report: SmartReport, document: Document) -> SmartReport:
    """The report with what the drive's log pages say."""
    trip_c = document.number("temperature", "drive_trip") or document.number("scsi_temperature", "drive_trip")
    long_s = document.number("scsi_extended_self_test_seconds")
    return msgspec.structs.replace(
        report,
        temperature_c=report.temperature_c
        if report.temperature_c is not None
        else document.number("scsi_environmental_reports", "temperature_1", "current"),
        temperature_critical_c=trip_c if trip_c is not None and 30 <= trip_c <= 110 else None,
        reallocated=document.number("scsi_grown_defect_list"),
        pending=document.number("scsi_pending_defects", "count"),
        uncorrectable=_uncorrected(document),
        wear_percent=_first(
            document.number("endurance_used", "current_percent"),
            document.number("scsi_percentage_used_endurance_indicator"),
        ),
        scsi_trip=_trip(document),
        attributes=tuple(_counters(document)),
        self_tests=tuple(_self_tests(document)),
        self_test_progress=_progress(document),
        long_minutes=None if long_s is None else -(-long_s // 60),
    )


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)


def _uncorrected(document: Document) -> int | None:
    counts = [
        count
        for _, page in document.at("scsi_error_counter_log").items()
        if (count := page.number("total_uncorrected_errors")) is not None
    ]
    return sum(counts) if counts else None


def _counters(document: Document) -> list[Attribute]:
    found = []
    for operation, page in document.at("scsi_error_counter_log").items():
        for field in ("errors_corrected_by_rereads_rewrites", "total_uncorrected_errors"):
            count = page.number(field)
            if count is not None:
                found.append(Attribute(name=f"{operation}_{field}", raw=count))
    return found


def _trip(document: Document) -> str:
    """`5D/FF FAILURE PREDICTION ...`: the additional sense code says which kind it is."""
    code, qualifier = (document.number("smart_status", "scsi", key) for key in ("asc", "ascq"))
    if code is None:
        return ""
    return f"{code:02X}/{qualifier or 0:02X} {document.text('smart_status', 'scsi', 'ie_string')}".strip()


def _progress(document: Document) -> float | None:
    """smartctl before 7.5 says only that a test is running, not how far it is."""
    status = document.at("scsi_self_test_status")
    if status.flag("in_progress"):
        return (status.number("completion_percent") or 0) / 100
    return None


def _self_tests(document: Document) -> list[SelfTestResult]:
    results = []
    for number in range(_LOG_LENGTH):
        row = document.at(f"scsi_self_test_{number}")
        if not row:
            continue
        code, result = row.number("code", "value"), row.number("result", "value")
        results.append(
            SelfTestResult(
                kind=_KINDS[code].value if code in _KINDS else row.text("code", "string"),
                passed=True if result == _PASSED else False if result in _FAILED else None,
                text=row.text("result", "string"),
                at_hours=row.number("power_on_time", "hours"),
                first_bad_lba=row.number("lba_first_failure", "value"),
            )
        )
    return results
