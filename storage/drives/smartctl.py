"""Running smartctl: one call a drive and sweep, with a deadline, and never waking a drive that sleeps. Blocking.

`-x` reads every log in one go; `-n standby,3` makes smartctl leave a sleeping drive alone and say so. How a drive must
be asked (`-d`) comes from one `--scan-open`, which the caller keeps.
"""

from __future__ import annotations

import re

import msgspec

from storage.clock import Clock
from storage.command import Completed, Runner
from storage.drives.smart_report import SmartReport
from storage.drives.smartctl_json import ScannedDevice, parse_report, parse_scan
from storage.errors import CommandFailed, DriveError, InvalidInput

READ_TIMEOUT_S = 60.0
"""A drive that retries a bad sector holds its logs back for tens of seconds."""
SCAN_TIMEOUT_S = 120.0
"""Opens every drive in turn."""
_DEVICE = re.compile(r"/dev/[A-Za-z0-9][A-Za-z0-9._:=+@#-]*(?:/[A-Za-z0-9][A-Za-z0-9._:=+@#-]*)*")
_TYPE = re.compile(r"[a-z][a-z0-9_]*(?:[,+/-][a-z0-9_]+)*")


def checked_device(device: str) -> str:
    """The path of a device. Raises InvalidInput for everything else: it becomes an argument of a program run by root."""
    if not _DEVICE.fullmatch(device):
        raise InvalidInput(f"{device!r} is not the path of a device", "give it as /dev/...")
    return device


def checked_type(type: str) -> str:
    """What may follow `-d`: `sat`, `nvme`, `megaraid,8`, `sat+megaraid,8`; empty = smartctl finds out. Raises InvalidInput."""
    if type and not _TYPE.fullmatch(type):
        raise InvalidInput(f"{type!r} is not a device type of smartctl", "see smartctl -d help")
    return type


def read_smart(run: Runner, device: str, type: str = "", *, clock: Clock, drive: str = "") -> SmartReport:
    """The drive's report now; one of a sleeping drive says only that it sleeps.

    Raises ToolMissing, CommandTimeout, DriveError, InvalidInput.
    """
    how = ["-d", checked_type(type)] if type else []
    argv = ["smartctl", "--json=c", "-x", "-n", "standby,3", *how, checked_device(device)]
    completed = run(argv, timeout_s=READ_TIMEOUT_S)
    _require_output(completed, device)
    try:
        report = parse_report(completed.output, drive=drive, time_us=clock.now_us())
    except DriveError as error:
        if device in error.what:
            raise
        raise DriveError(f"{device}: {error.what}", error.remedy) from error
    return report


def scan_types(run: Runner) -> tuple[ScannedDevice, ...]:
    """Every drive smartctl can reach, and how. Opens them all: once at the start and after changes, not every sweep.

    Raises ToolMissing, CommandTimeout, DriveError.
    """
    completed = run(["smartctl", "--scan-open", "--json=c"], timeout_s=SCAN_TIMEOUT_S)
    _require_output(completed, "the scan")
    return tuple(
        msgspec.structs.replace(found, problem=found.problem or "its path cannot be used")
        if not _DEVICE.fullmatch(found.device)
        else found
        for found in parse_scan(completed.output)
    )


def _require_output(completed: Completed, what: str) -> None:
    if not completed.output.strip():
        raise CommandFailed(
            f"smartctl says nothing about {what}: {completed.complaint}",
            f"run by hand: {' '.join(completed.argv)}",
        )
