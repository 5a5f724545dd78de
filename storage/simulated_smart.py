"""SMART reports and self-tests of simulated drives: they agree with the condition the drive is in."""

from __future__ import annotations

from typing import Final

from storage.drives.detection import DetectedDrive
from storage.drives.smart_report import (
    Attribute,
    SelfTestKind,
    SelfTestResult,
    SelfTestState,
    SmartReport,
)
from storage.raid.simulated_state import SimDrive
from storage.raid.states import DriveKind
from storage.simulated_box import BoxState

_US_PER_HOUR: Final = 3_600_000_000
_PASSES_BELOW: Final = 100
"""Bad sectors from which the drive itself predicts its failure."""
_LOG_LENGTH: Final = 21
"""Of an ATA self-test log."""
_FIRST_BAD_LBA: Final = 1_234_567_896


def hours_of(drive: SimDrive, elapsed_us: int) -> int:
    return drive.spec.hours + (elapsed_us - drive.born_us) // _US_PER_HOUR


def report_of(
    drive: SimDrive, box: BoxState, temperature_c: int, elapsed_us: int, now_us: int
) -> SmartReport:
    """What smartctl would have read."""
    is_nvme = drive.spec.kind is DriveKind.NVME
    hours = hours_of(drive, elapsed_us)
    bad = drive.pending + drive.reallocated
    test = box.tests.get(drive.id)
    spec = drive.spec
    return SmartReport(
        drive=drive.id,
        time_us=now_us,
        protocol="nvme" if is_nvme else "ata",
        model=f"{spec.vendor} {spec.model}",
        serial=drive.serial,
        wwn=drive.wwn,
        firmware=spec.firmware,
        size_bytes=spec.size_bytes,
        rotation_rpm=spec.rotation_rpm if spec.rotation_rpm is not None else 0,
        passed=bad < _PASSES_BELOW,
        temperature_c=temperature_c,
        temperature_warning_c=70 if is_nvme else 55,
        temperature_critical_c=80 if is_nvme else 60,
        hours=hours,
        power_cycles=40 + hours // 1000,
        reallocated=None if is_nvme else drive.reallocated,
        pending=None if is_nvme else drive.pending,
        uncorrectable=None if is_nvme else drive.pending + drive.uncorrectable,
        reported_uncorrectable=None if is_nvme else drive.uncorrectable,
        interface_errors=None if is_nvme else 0,
        command_timeouts=None if is_nvme else 0,
        media_errors=bad if is_nvme else None,
        wear_percent=min(100, hours // 2000) if is_nvme else None,
        spare_percent=max(0, 100 - bad) if is_nvme else None,
        spare_threshold_percent=10 if is_nvme else None,
        attributes=_nvme_counters(drive, hours) if is_nvme else _ata_attributes(drive, hours, temperature_c),
        self_tests=tuple(box.results.get(drive.id, ())),
        self_test_progress=None
        if test is None
        else min(1.0, (elapsed_us - test.started_us) / test.duration_us),
        short_minutes=2,
        long_minutes=12 if is_nvme else 640,
    )


def _ata_attributes(drive: SimDrive, hours: int, temperature_c: int) -> tuple[Attribute, ...]:
    def row(
        id: int, name: str, raw: int, value: int = 100, threshold: int = 0, *, is_prefailure: bool = False
    ) -> Attribute:
        return Attribute(
            id=id,
            name=name,
            raw=raw,
            text=str(raw),
            value=value,
            worst=value,
            threshold=threshold,
            is_prefailure=is_prefailure,
            failed="now" if threshold and value <= threshold else "",
        )

    left = max(1, 100 - drive.reallocated)
    return (
        row(1, "Raw_Read_Error_Rate", drive.pending, 100, 16, is_prefailure=True),
        row(5, "Reallocated_Sector_Ct", drive.reallocated, left, 10, is_prefailure=True),
        row(9, "Power_On_Hours", hours, max(1, 100 - hours // 1000)),
        row(10, "Spin_Retry_Count", 0, 100, 60, is_prefailure=True),
        row(12, "Power_Cycle_Count", 40 + hours // 1000),
        row(187, "Reported_Uncorrect", drive.uncorrectable, max(1, 100 - drive.uncorrectable)),
        row(188, "Command_Timeout", 0),
        row(194, "Temperature_Celsius", temperature_c, max(1, 100 - temperature_c)),
        row(197, "Current_Pending_Sector", drive.pending, max(1, 100 - drive.pending)),
        row(198, "Offline_Uncorrectable", drive.pending, max(1, 100 - drive.pending)),
        row(199, "UDMA_CRC_Error_Count", 0, 200),
    )


def _nvme_counters(drive: SimDrive, hours: int) -> tuple[Attribute, ...]:
    counters = {
        "power_on_hours": hours,
        "media_errors": drive.pending + drive.reallocated,
        "data_units_written": hours * 5000,
        "unsafe_shutdowns": 3,
    }
    return tuple(Attribute(name=name, raw=raw, text=str(raw)) for name, raw in counters.items())


def self_test_state(report: SmartReport) -> SelfTestState:
    """What pySMART would have said."""
    minutes = {SelfTestKind.SHORT: report.short_minutes, SelfTestKind.LONG: report.long_minutes}
    text = "no self-test in its log"
    if report.self_test_progress is not None:
        text = f"self-test running, {report.self_test_progress:.0%} done"
    elif report.self_tests:
        newest = report.self_tests[0]
        text = f"{newest.kind}: {newest.text}, at {newest.at_hours} h of running"
    return SelfTestState(
        kinds=tuple(minutes),
        minutes={kind: estimate for kind, estimate in minutes.items() if estimate is not None},
        progress=report.self_test_progress,
        text=text,
    )


def detected(drive: SimDrive) -> DetectedDrive:
    """What a scan of smartctl would have found."""
    spec = drive.spec
    return DetectedDrive(
        device="",
        type="nvme" if spec.kind is DriveKind.NVME else "sat",
        model=f"{spec.vendor} {spec.model}",
        serial=drive.serial,
        size_bytes=spec.size_bytes,
    )


def test_seconds(kind: SelfTestKind, full_pass_s: float) -> float:
    """A long test reads everything once."""
    return full_pass_s if kind is SelfTestKind.LONG else full_pass_s / 5


def finish_test(drive: SimDrive, box: BoxState, elapsed_us: int) -> bool:
    """Write the result of a test whose time is over into the drive's log. True when there was one."""
    test = box.tests.get(drive.id)
    if test is None or elapsed_us < test.started_us + test.duration_us:
        return False
    del box.tests[drive.id]
    has_read_all = test.kind is SelfTestKind.LONG
    is_bad = drive.is_predicted_to_fail or (has_read_all and drive.pending > 0)
    log_result(
        drive,
        box,
        SelfTestResult(
            kind=test.kind,
            passed=not is_bad,
            text="Completed: read failure" if is_bad else "Completed without error",
            at_hours=hours_of(drive, elapsed_us),
            first_bad_lba=_FIRST_BAD_LBA if is_bad else None,
        ),
    )
    return True


def log_result(drive: SimDrive, box: BoxState, result: SelfTestResult) -> None:
    box.results[drive.id] = [result, *box.results.get(drive.id, ())][:_LOG_LENGTH]
