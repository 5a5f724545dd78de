"""The JSON of smartctl (6.7 to 7.5) as a SmartReport, and of its scan as a list. Pure; running it is smartctl.py.

The exit status is a bit mask of smartctl(8), not success or failure: bit 2 (some command failed) is usual on SAS and
virtual drives with a perfectly good report.
"""

from __future__ import annotations

import msgspec

from storage.drives.smart_ata import add_ata
from storage.drives.smart_nvme import add_nvme
from storage.drives.smart_report import SmartReport
from storage.drives.smart_scsi import add_scsi
from storage.drives.smartctl_document import Document
from storage.errors import DriveError

ASLEEP_STATUS = 3
"""What `-n standby,3` makes of a sleeping drive; smartctl never ends so by itself."""
BAD_COMMAND = 0x01
OPEN_FAILED = 0x02
DISK_FAILING = 0x08
_HAS_VALUES = {
    "ata": ("ata_smart_attributes", "ata_smart_data", "ata_device_statistics"),
    "nvme": ("nvme_smart_health_information_log",),
    "scsi": ("scsi_error_counter_log", "scsi_grown_defect_list", "scsi_environmental_reports"),
}


class ScannedDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `smartctl --scan-open`: how a drive is to be asked."""

    device: str
    """/dev/sda, or /dev/bus/6 for drives behind a controller."""
    type: str
    """For `-d`: sat, scsi, nvme, `megaraid,8`, `sat+megaraid,8`."""
    protocol: str
    """ata, scsi or nvme."""
    problem: str = ""
    """Why it could not be opened."""


def parse_report(data: bytes, *, drive: str = "", time_us: int = 0) -> SmartReport:
    """One drive's report. Raises DriveError for what is no report, with smartctl's own reason where it gave one."""
    document = Document.parse(data)
    messages = tuple(row.text("string") for row in document.rows("smartctl", "messages"))
    status = document.number("smartctl", "exit_status") or 0
    protocol = _protocol(document)
    report = SmartReport(
        drive=drive,
        time_us=time_us,
        protocol=protocol,
        model=_model(document),
        serial=document.text("serial_number"),
        wwn=_wwn(document),
        firmware=_one_of(document, "firmware_version", "revision", "scsi_revision"),
        size_bytes=document.number("user_capacity", "bytes") or document.number("nvme_total_capacity") or 0,
        rotation_rpm=document.number("rotation_rate"),
        messages=messages,
    )
    if _is_asleep(document, status):
        return msgspec.structs.replace(report, is_asleep=True)
    if not protocol:
        reason = "; ".join(messages) or "it names no drive"
        raise DriveError(
            f"smartctl gives no report of {_name(document)}: {reason}",
            "check that the drive is there and answers, and the rights",
        )
    if status & (BAD_COMMAND | OPEN_FAILED) and not _has_values(document, protocol) and messages:
        raise DriveError(
            f"smartctl gives no report of {_name(document)}: {'; '.join(messages)}",
            "see the kernel log for this drive",
        )
    report = msgspec.structs.replace(
        report,
        is_capable=_is_capable(document, protocol),
        passed=_passed(document, status),
        temperature_c=_temperature(document),
        hours=document.number("power_on_time", "hours"),
        power_cycles=document.number("power_cycle_count"),
    )
    if protocol == "ata":
        return add_ata(report, document)
    return add_nvme(report, document) if protocol == "nvme" else add_scsi(report, document)


def parse_scan(data: bytes) -> tuple[ScannedDevice, ...]:
    """What `smartctl --scan --json` or `--scan-open --json` found. Raises DriveError."""
    document = Document.parse(data)
    found = tuple(
        ScannedDevice(
            device=row.text("name"),
            type=row.text("type"),
            protocol=row.text("protocol").lower(),
            problem=row.text("open_error"),
        )
        for row in document.rows("devices")
        if row.text("name")
    )
    messages = "; ".join(row.text("string") for row in document.rows("smartctl", "messages"))
    if not found and "smartctl" not in document:
        raise DriveError("what smartctl printed is not a scan", "run smartctl --scan-open by hand")
    if not found and messages:
        raise DriveError(f"smartctl cannot scan: {messages}", "run smartctl --scan-open by hand")
    return found


def _name(document: Document) -> str:
    return document.text("device", "name") or "the drive"


def _protocol(document: Document) -> str:
    stated = document.text("device", "protocol").lower()
    if stated in _HAS_VALUES:
        return stated
    return next((name for name in _HAS_VALUES if _has_values(document, name)), "")


def _has_values(document: Document, protocol: str) -> bool:
    return any(key in document for key in _HAS_VALUES[protocol])


def _is_asleep(document: Document, status: int) -> bool:
    if status == ASLEEP_STATUS:
        return True
    # Without a number of its own, `-n standby` ends with 2: as after a failed open, but without a complaint.
    is_silent = not document.rows("smartctl", "messages") and "smart_status" not in document
    return status == OPEN_FAILED and is_silent and bool(document.text("device", "name"))


def _is_capable(document: Document, protocol: str) -> bool:
    """What the drive says of itself; older smartctl does not, then there must be values."""
    stated = document.flag("smart_support", "available")
    if stated is None:
        stated = document.flag("smart_support")
    if stated is not None:
        return stated
    return protocol == "nvme" or "smart_status" in document or _has_values(document, protocol)


def _passed(document: Document, status: int) -> bool | None:
    stated = document.flag("smart_status", "passed")
    return False if stated is None and status & DISK_FAILING else stated


def _temperature(document: Document) -> int | None:
    """0 is what drives and controllers say that do not measure."""
    temperature_c = document.number("temperature", "current")
    return (
        temperature_c if temperature_c is not None and -40 <= temperature_c <= 150 and temperature_c else None
    )


def _one_of(document: Document, *keys: str) -> str:
    return next((text for key in keys if (text := document.text(key))), "")


def _model(document: Document) -> str:
    name = _one_of(document, "model_name", "scsi_model_name")
    if name:
        return " ".join(name.split())
    vendor, product = _one_of(document, "vendor", "scsi_vendor"), _one_of(document, "product", "scsi_product")
    return f"{vendor} {product}".strip()


def _wwn(document: Document) -> str:
    naa, oui, id = (document.number("wwn", key) for key in ("naa", "oui", "id"))
    if naa is not None and oui is not None and id is not None:
        return f"0x{naa:x}{oui:06x}{id:09x}"
    return document.text("logical_unit_id")
