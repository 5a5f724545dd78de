"""Self-tests of drives, and a second opinion on which drives there are, through pySMART. Blocking.

pySMART reads smartctl's text, has no time limit and keeps options in one object for the whole process. Here it gets a
smartctl of its own for every question, which runs through `storage.command` with a deadline; reports and verdicts do not
come from it (smartctl_json.py, smart_rules.py).
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from storage.command import Completed, Runner
from storage.drives.detection import DetectedDrive
from storage.drives.smart_report import SelfTestKind, SelfTestState
from storage.drives.smartctl import checked_device, checked_type
from storage.drives.smartctl_json import ASLEEP_STATUS, OPEN_FAILED
from storage.errors import DriveError, OperationRefused, Unsupported

# Importing pySMART changes LANG and the logger class for the whole process: both are put back.
_language, _logger_class = os.environ.get("LANG"), logging.getLoggerClass()
from pySMART import Device, DeviceList  # noqa: E402
from pySMART.interface.ata import AtaAttributes  # noqa: E402
from pySMART.smartctl import Smartctl  # noqa: E402
from pySMART.utils import smartctl_isvalid_type  # noqa: E402

logging.setLoggerClass(_logger_class)
if _language is None:
    os.environ.pop("LANG", None)
else:
    os.environ["LANG"] = _language

CALL_TIMEOUT_S = 60.0
"""Of each smartctl; a question takes one to four."""
_SCAN_LINE = re.compile(r"(?P<device>/dev/\S+) -d (?P<type>\S+)")
_NVME_REMEDY = "NVMe self-tests need smartmontools 7.4 or newer, and a drive that has them"
_FAILED_BITS = 0x07
"""Of the exit status: bad arguments, not opened, command refused; the others tell of the drive's health."""
_ODD_TEXT = (ValueError, IndexError, KeyError, AttributeError, TypeError, StopIteration)
"""What pySMART raises when smartctl prints something it does not know."""


class SelfTests:
    """Self-tests on any drive. Holds nothing but the runner: several threads may use it at once."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def start(self, device: str, type: str, kind: SelfTestKind) -> str:
        """Begin one; the drive runs it by itself. Wakes a sleeping drive. Returns in plain words how long it takes.

        Raises Unsupported, OperationRefused (one is running), ToolMissing, CommandTimeout, DriveError.
        """
        smartctl = _RunnerSmartctl(self._run)
        with _odd_text(device):
            drive = _opened(smartctl, device, type)
            ability = drive.ability()
            if kind not in ability.kinds:
                can = ", ".join(ability.kinds) or "none"
                raise Unsupported(
                    f"{device} cannot run a {kind} self-test (it can: {can})",
                    _NVME_REMEDY if drive.is_nvme else "",
                )
            code, _, _ = drive.run_selftest(kind.value)
        if code == 1:
            raise OperationRefused(
                f"{device} is running a self-test, {drive.progress or 0.0:.0%} done",
                "wait, or abort it first",
            )
        if code != 0 and drive.is_nvme:
            raise Unsupported(f"{device}: this smartctl starts no self-tests of NVMe drives", _NVME_REMEDY)
        if code != 0:
            raise DriveError(
                f"{device} did not start the {kind} self-test: {smartctl.complaint}", "look at its report"
            )
        minutes = ability.minutes.get(kind)
        return f"{kind} self-test started" + (f", takes about {minutes} min" if minutes else "")

    def state(self, device: str, type: str) -> SelfTestState:
        """What it can run, what it runs, how the last one ended. Wakes nobody.

        Raises Unsupported, ToolMissing, CommandTimeout, DriveError.
        """
        smartctl = _RunnerSmartctl(self._run, ("-n", f"standby,{ASLEEP_STATUS}"))
        with _odd_text(device):
            drive = _opened(smartctl, device, type)
            if smartctl.status == ASLEEP_STATUS:
                return SelfTestState(text="asleep, not woken", is_asleep=True)
            ability = drive.ability()
        progress, text = _now(drive)
        return msgspec.structs.replace(ability, progress=progress, text=text)

    def abort(self, device: str, type: str) -> None:
        """End the one that runs; none running is no error. Raises ToolMissing, CommandTimeout, DriveError."""
        smartctl = _RunnerSmartctl(self._run)
        with _odd_text(device):
            status = _opened(smartctl, device, type).abort_selftest()
        if status & _FAILED_BITS:
            raise DriveError(
                f"{device} did not abort its self-test: {smartctl.complaint}", "look at its report"
            )

    def detect(self) -> tuple[DetectedDrive, ...]:
        """Every drive pySMART can open; asks each, so for diagnosis and not for every sweep. Raises ToolMissing."""
        smartctl = _RunnerSmartctl(self._run, ("-n", f"standby,{ASLEEP_STATUS}"))
        with _odd_text("the scan"):
            found = _FoundDrives(smartctl=smartctl)
        return tuple(
            DetectedDrive(
                device=drive.dev_reference,
                type=drive.interface or "",
                model=drive.model or "",
                serial=drive.serial or "",
                size_bytes=drive.size,
            )
            for drive in found.devices
        )


# -- pySMART with our runner -----------------------------------------------------------------------------------


class _RunnerSmartctl(Smartctl):  # type: ignore[misc]  # pySMART has no types
    """pySMART's way to smartctl, one object a question: nothing is shared, every call has a deadline."""

    def __init__(self, run: Runner, options: Sequence[str] = ()) -> None:
        super().__init__(smartctl_path="smartctl", options=list(options), sudo=False)
        self._runner = run
        self._last: Completed | None = None
        self.status = 0
        """Exit status of the last reading of the drive as a whole."""

    def _exec(self, cmd: list[str]) -> tuple[list[str], int]:
        self._last = self._runner(cmd, timeout_s=CALL_TIMEOUT_S)
        if "--all" in cmd:
            self.status = self._last.status
        return self._last.text.splitlines(), self._last.status

    @property
    def complaint(self) -> str:
        return "" if self._last is None else self._last.complaint


class _TestedDrive(Device):  # type: ignore[misc]  # pySMART has no types
    """A Device that keeps the path it was given and does not probe for finer types with more commands."""

    def __init__(self, device: str, type: str, smartctl: _RunnerSmartctl) -> None:
        self._path = device
        super().__init__(device, interface=type or None, smartctl=smartctl)

    @property
    def dev_reference(self) -> str:
        return self._path

    def _classify(self) -> str:
        return self._interface or ""

    @property
    def is_nvme(self) -> bool:
        return bool(self._interface == "nvme")

    @property
    def is_testing(self) -> bool:
        return bool(self._test_running)

    @property
    def progress(self) -> float | None:
        return None if self._test_progress is None else self._test_progress / 100

    def ability(self) -> SelfTestState:
        """Without what runs now."""
        if not (self.smart_capable or self.smart_enabled or self.assessment):
            return SelfTestState()
        kinds = tuple(kind for kind in SelfTestKind if self.test_capabilities.get(kind.value))
        # Only ATA drives state times; for the others pySMART makes them up.
        is_ata = isinstance(self.if_attributes, AtaAttributes)
        minutes = {kind: int(self.test_polling_time[kind.value]) for kind in kinds if is_ata}
        return SelfTestState(kinds=kinds, minutes=minutes)


class _FoundDrives(DeviceList):  # type: ignore[misc]  # pySMART has no types
    """A DeviceList that goes on after a drive it cannot read."""

    def initialize(self, catch_errors: bool = False) -> None:
        self.devices = []
        for line in self.smartctl.scan():
            match = _SCAN_LINE.match(line)
            if match is None or not smartctl_isvalid_type(match["type"]):
                continue
            try:
                self.devices.append(_TestedDrive(match["device"], match["type"], self.smartctl))
            except (*_ODD_TEXT, DriveError):
                continue
        self._cleanup()
        self.devices.sort(key=lambda drive: drive.dev_reference)


def _now(drive: _TestedDrive) -> tuple[float | None, str]:
    """(progress of the one that runs, plain words), or (None, how the last one ended)."""
    if drive.is_testing:
        done = drive.progress or 0.0
        return done, f"self-test running, {done:.0%} done"
    if not drive.tests:
        return None, "no self-test in its log"
    newest = drive.tests[0]
    return None, f"{newest.type}: {newest.status}, at {newest.hours} h of running"


def _opened(smartctl: _RunnerSmartctl, device: str, type: str) -> _TestedDrive:
    """The drive as it is now. Raises Unsupported for what pySMART cannot reach, DriveError when it does not open."""
    checked_device(device)
    if checked_type(type) and not smartctl_isvalid_type(type):
        raise Unsupported(
            f"self-tests through {type} are not possible ({device})", "use the controller's own tool"
        )
    drive = _TestedDrive(device, type, smartctl)
    has_failed = smartctl.status & OPEN_FAILED and smartctl.status != ASLEEP_STATUS
    if has_failed and not drive.model:
        raise DriveError(
            f"{device} cannot be asked: {smartctl.complaint}", "see the kernel log for this drive"
        )
    return drive


@contextmanager
def _odd_text(device: str) -> Iterator[None]:
    try:
        yield
    except _ODD_TEXT as error:
        raise DriveError(f"what smartctl prints about {device} cannot be understood: {error}") from error
