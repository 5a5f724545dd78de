from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from storage.command import Completed, run
from storage.drives.smartctl import read_smart, scan_types
from storage.errors import CommandFailed, CommandTimeout, DriveError, InvalidInput, ToolMissing
from tests.fakes.clock import FakeClock
from tests.storage.drives.captures import capture

ASLEEP = b'{"smartctl": {"exit_status": 3}, "device": {"name": "/dev/sda", "protocol": "ATA"}}'


class Recorded:
    """Answers every command with the same output and keeps what was asked."""

    def __init__(self, output: bytes, status: int = 0, errors: bytes = b"") -> None:
        self.output, self.status, self.errors = output, status, errors
        self.asked: list[tuple[list[str], float]] = []

    def __call__(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Completed:
        self.asked.append((list(argv), timeout_s))
        return Completed(argv=tuple(argv), status=self.status, output=self.output, errors=self.errors)


def test_a_drive_is_read_with_one_command_that_has_a_deadline_and_wakes_nobody() -> None:
    runner = Recorded(capture("qemu-ahci-sata"), status=4)
    clock = FakeClock()
    report = read_smart(runner, "/dev/sdc", "sat", clock=clock, drive="wwn-1")
    [(argv, timeout_s)] = runner.asked
    assert argv == ["smartctl", "--json=c", "-x", "-n", "standby,3", "-d", "sat", "/dev/sdc"]
    assert 0 < timeout_s <= 120
    assert (report.drive, report.time_us, report.model) == ("wwn-1", clock.now_us(), "LAB SATA DISK")


def test_without_a_type_smartctl_finds_out_itself() -> None:
    runner = Recorded(ASLEEP, status=3)
    assert read_smart(runner, "/dev/disk/by-id/ata-X_1", clock=FakeClock()).is_asleep
    assert "-d" not in runner.asked[0][0]


@pytest.mark.parametrize(
    "device",
    [
        "sda",
        "/etc/passwd",
        "/dev/../etc/passwd",
        "-t",
        "/dev/sda /dev/sdb",
        "/dev/-x",
        "/dev/",
        "/dev/sda\n",
        "",
    ],
)
def test_only_paths_of_devices_become_arguments(device: str) -> None:
    runner = Recorded(ASLEEP)
    with pytest.raises(InvalidInput):
        read_smart(runner, device, clock=FakeClock())
    assert runner.asked == []


@pytest.mark.parametrize("type", ["-x", "sat -t long", "megaraid,", "../x", "SAT", "sat\n"])
def test_only_types_of_smartctl_become_arguments(type: str) -> None:
    with pytest.raises(InvalidInput):
        read_smart(Recorded(ASLEEP), "/dev/sda", type, clock=FakeClock())


@pytest.mark.parametrize(
    ("device", "type"),
    [
        ("/dev/bus/6", "megaraid,8"),
        ("/dev/sda", "sat+megaraid,12"),
        ("/dev/sg3", "areca,3/2"),
        ("/dev/disk/by-path/pci-0000:00:17.0-ata-3", "sat"),
        ("/dev/nvme0", "nvme"),
        ("/dev/sdb", "jmb39x-q,1"),
    ],
)
def test_the_ways_to_reach_a_drive_are_accepted(device: str, type: str) -> None:
    runner = Recorded(ASLEEP)
    read_smart(runner, device, type, clock=FakeClock())
    assert runner.asked[0][0][-3:] == ["-d", type, device]


def test_an_error_names_the_device() -> None:
    with pytest.raises(DriveError, match="/dev/sdc"):
        read_smart(Recorded(b"garbage"), "/dev/sdc", clock=FakeClock())
    silent = Recorded(b"", status=1, errors=b"/usr/sbin/smartctl: permission denied\n")
    with pytest.raises(CommandFailed, match="/dev/sdc: .*permission denied"):
        read_smart(silent, "/dev/sdc", clock=FakeClock())


def test_a_drive_that_does_not_answer_ends_at_the_deadline() -> None:
    def hangs(argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Completed:
        raise CommandTimeout("smartctl did not end")

    with pytest.raises(CommandTimeout):
        read_smart(hangs, "/dev/sdc", clock=FakeClock())


def test_a_missing_smartctl_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("storage.command._SEARCH", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match="smartmontools"):
        read_smart(run, "/dev/sdc", clock=FakeClock())


def test_the_scan_opens_every_drive_once_and_marks_paths_nobody_can_use() -> None:
    runner = Recorded(
        b'{"smartctl": {}, "devices": [{"name": "/dev/sda", "type": "sat", "protocol": "ATA"},'
        b' {"name": "IOService:/x", "type": "nvme", "protocol": "NVMe"}]}'
    )
    found = scan_types(runner)
    assert runner.asked[0][0] == ["smartctl", "--scan-open", "--json=c"]
    assert [(each.device, bool(each.problem)) for each in found] == [
        ("/dev/sda", False),
        ("IOService:/x", True),
    ]
