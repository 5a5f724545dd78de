"""The part of a SMART report that only ATA drives have: attributes, device statistics, self-test log.

Vendor attributes are believed by number AND name: on SSDs the numbers mean other things. Of a raw value only the leading
integer of its string counts: `raw.value` packs minima, maxima and minutes into the upper bytes.
"""

from __future__ import annotations

import re

import msgspec

from storage.drives.smart_report import Attribute, SelfTestKind, SelfTestResult, SmartReport
from storage.drives.smartctl_document import Document
from storage.plain_text import plain_number

COUNTERS: dict[str, tuple[tuple[int, ...], str]] = {
    "reallocated": ((5,), "realloc"),
    "pending": ((197,), "pending"),
    "offline_uncorrectable": ((198,), "uncorrect"),
    "reported_uncorrectable": ((187,), "uncorrect"),
    "interface_errors": ((199, 218), "crc"),
    "command_timeouts": ((188,), "timeout"),
}
"""Field: attribute numbers, and what the name must contain."""
REMAINING_LIFE = (
    "media_wearout_indicator",
    "ssd_life_left",
    "percent_life",
    "remaining_lifetime",
    "wear_leveling",
)
"""Attributes whose normalised value is the life that is left, in percent."""
_LEADING_INTEGER = re.compile(r"\s*([+-]?\d+)")
_HOURS_WRAP = 1 << 16
"""The self-test log counts hours in 16 bits."""
_KINDS = {
    1: SelfTestKind.SHORT,
    2: SelfTestKind.LONG,
    3: SelfTestKind.CONVEYANCE,
    0x81: SelfTestKind.SHORT,
    0x82: SelfTestKind.LONG,
    0x83: SelfTestKind.CONVEYANCE,
}
"""0x8x: captive."""
_IN_PROGRESS = 15
_INCONCLUSIVE = (1, 2, _IN_PROGRESS)
"""Aborted, interrupted, running: upper half of the status byte. smartctl calls a running one passed."""
_FATAL = 3


def add_ata(report: SmartReport, document: Document) -> SmartReport:
    """The report with what the drive's ATA logs say."""
    attributes = tuple(_attribute(row) for row in document.rows("ata_smart_attributes", "table"))
    statistics = _statistics(document)
    counters = {field: _counter(attributes, *where) for field, where in COUNTERS.items()}
    timeouts = _raw_value(document, 188)
    if counters["command_timeouts"] is not None and timeouts is not None:
        counters["command_timeouts"] = (
            timeouts & 0xFFFF
        )  # 0xHHHHMMMMLLLL: all, over 5 s, over 7.5 s; all is the lowest
    offline = counters.pop("offline_uncorrectable")
    reported = _first(
        counters["reported_uncorrectable"], statistics.get("Number of Reported Uncorrectable Errors")
    )
    running = document.at("ata_smart_data", "self_test", "status")
    return msgspec.structs.replace(
        report,
        temperature_c=_first(report.temperature_c, _temperature(attributes)),
        temperature_warning_c=_limit(document, "op_limit_max"),
        temperature_critical_c=_limit(document, "limit_max"),
        reallocated=_first(counters["reallocated"], statistics.get("Number of Reallocated Logical Sectors")),
        pending=_first(counters["pending"], document.number("ata_pending_defects_log", "count")),
        uncorrectable=None if offline is None and reported is None else (offline or 0) + (reported or 0),
        reported_uncorrectable=reported,
        interface_errors=_first(
            counters["interface_errors"], statistics.get("Number of Interface CRC Errors")
        ),
        command_timeouts=counters["command_timeouts"],
        wear_percent=_first(
            statistics.get("Percentage Used Endurance Indicator"),
            _wear(attributes) if report.rotation_rpm in (0, None) else None,
        ),
        attributes=attributes,
        self_tests=_self_tests(document, report.hours),
        self_test_progress=_progress(running),
        short_minutes=document.number("ata_smart_data", "self_test", "polling_minutes", "short"),
        long_minutes=document.number("ata_smart_data", "self_test", "polling_minutes", "extended"),
    )


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)


def _attribute(row: Document) -> Attribute:
    text = row.text("raw", "string")
    leading = _LEADING_INTEGER.match(text)
    return Attribute(
        name=row.text("name"),
        raw=(plain_number(leading[1]) if leading else row.number("raw", "value")) or 0,
        text=text,
        id=row.number("id"),
        value=row.number("value"),
        worst=row.number("worst"),
        threshold=row.number("thresh"),
        is_prefailure=row.flag("flags", "prefailure") or False,
        failed=row.text("when_failed"),
    )


def _counter(attributes: tuple[Attribute, ...], ids: tuple[int, ...], word: str) -> int | None:
    for attribute in attributes:
        if attribute.id in ids and word in attribute.name.lower():
            return attribute.raw
    return None


def _raw_value(document: Document, id: int) -> int | None:
    for row in document.rows("ata_smart_attributes", "table"):
        if row.number("id") == id:
            return row.number("raw", "value")
    return None


def _temperature(attributes: tuple[Attribute, ...]) -> int | None:
    """194, else 190: where smartctl does not know the drive well enough to say it."""
    by_id = {attribute.id: attribute.raw for attribute in attributes if "temp" in attribute.name.lower()}
    return next((by_id[id] for id in (194, 190) if 0 < by_id.get(id, 0) < 120), None)


def _limit(document: Document, field: str) -> int | None:
    """A limit the drive states; zero and the like mean that it states none."""
    limit_c = _first(
        document.number("temperature", field), document.number("ata_sct_status", "temperature", field)
    )
    return limit_c if limit_c is not None and 30 <= limit_c <= 110 else None


def _wear(attributes: tuple[Attribute, ...]) -> int | None:
    for attribute in attributes:
        name = attribute.name.lower()
        if any(name.startswith(word) for word in REMAINING_LIFE) and attribute.value is not None:
            return 100 - attribute.value if 0 <= attribute.value <= 100 else None
    return None


def _statistics(document: Document) -> dict[str, int]:
    """Valid values of the Device Statistics log (ACS-4, 9.5) by name."""
    found: dict[str, int] = {}
    for page in document.rows("ata_device_statistics", "pages"):
        for row in page.rows("table"):
            value = row.number("value")
            if value is not None and row.flag("flags", "valid"):
                found[row.text("name")] = value
    return found


def _progress(status: Document) -> float | None:
    value = status.number("value")
    if value is None or value >> 4 != _IN_PROGRESS:
        return None
    remaining = status.number("remaining_percent")
    return 1 - (value % 16 * 10 if remaining is None else remaining) / 100


def _self_tests(document: Document, hours: int | None) -> tuple[SelfTestResult, ...]:
    """Newest first, as smartctl prints them."""
    log = document.at("ata_smart_self_test_log")
    rows = log.rows("extended", "table") or log.rows("standard", "table")
    results = []
    for row in rows:
        kind, status = row.number("type", "value"), row.number("status", "value")
        outcome = None if status is None else status >> 4
        passed = row.flag("status", "passed")
        if outcome in _INCONCLUSIVE:
            passed = None
        elif outcome == _FATAL:
            passed = False
        results.append(
            SelfTestResult(
                kind=_KINDS[kind].value if kind in _KINDS else row.text("type", "string"),
                passed=passed,
                text=row.text("status", "string"),
                at_hours=_unwrapped(row.number("lifetime_hours"), hours),
                first_bad_lba=row.number("lba"),
            )
        )
    return tuple(results)


def _unwrapped(at_hours: int | None, hours: int | None) -> int | None:
    """The newest hour that fits: a drive of 70 000 hours logs a test of today as hour 4 464."""
    if at_hours is None or hours is None or at_hours > hours:
        return at_hours
    return at_hours + (hours - at_hours) // _HOURS_WRAP * _HOURS_WRAP
