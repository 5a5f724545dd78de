"""SMART with a real smartctl: drives that warn on command, read and judged as the engine does it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from storage.command import Completed, Runner
from storage.drives.health import DriveHealth, Verdict
from storage.drives.self_tests import SelfTests
from storage.drives.smart_report import SelfTestKind
from storage.drives.smart_rules import judge
from storage.drives.smartctl import read_smart, scan_types
from storage.errors import DriveError, Unsupported
from tests.fakes.clock import FakeClock
from tests.lab.lab_drive import MIB
from tests.lab.machine import Machine

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

SCSI_BAY, NVME_BAY = 0, 8


@pytest.fixture(scope="module")
def box(machine: Machine) -> Machine:
    machine.insert(SCSI_BAY, machine.drive("PLAIN", size_bytes=64 * MIB))
    machine.insert(NVME_BAY, machine.drive("FLASH", is_nvme=True))
    machine.start()
    return machine


@pytest.fixture(scope="module")
def run(box: Machine) -> Runner:
    """Runs programs in the guest."""

    def in_guest(argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Completed:
        done = box.run(*argv, timeout_s=timeout_s, stdin=stdin)
        assert not done.timed_out, argv
        return Completed(
            argv=tuple(argv), status=done.exit_code, output=done.out.encode(), errors=done.err.encode()
        )

    return in_guest


def health(run: Runner, device: str, type: str = "") -> DriveHealth:
    return judge(read_smart(run, device, type, clock=FakeClock()), None, None)


def test_an_nvme_drive_is_judged_by_each_warning_it_gives(box: Machine, run: Runner) -> None:
    device = box.wait_drive(NVME_BAY)
    assert health(run, device).verdict is Verdict.GOOD
    wanted = {
        1: "spare blocks",
        2: "temperature",
        4: "reliability degraded",
        8: "read-only",
        16: "backup of the volatile",
    }
    try:
        for bit, words in wanted.items():
            box.warn_nvme(NVME_BAY, bit)
            seen = health(run, device)
            assert seen.verdict is (Verdict.WARNING if bit == 2 else Verdict.FAILING), seen
            assert words in seen.reasons[0]
    finally:
        box.warn_nvme(NVME_BAY, 0)
    assert health(run, device).verdict is Verdict.GOOD


@pytest.fixture(scope="module")
def predicting(box: Machine) -> str:
    """The kernel's name of a drive of scsi_debug, which has SMART and can be told to trip."""
    box.sh("modprobe scsi_debug dev_size_mb=64")
    disks = "/sys/bus/pseudo/drivers/scsi_debug/adapter0/host*/target*/*/block/*"
    found = box.until(
        lambda: box.run("sh", "-c", f"udevadm settle; ls -d {disks}").out.split(),
        bool,
        "the drive of scsi_debug",
    )
    return f"/dev/{found[0].split('/')[-1]}"


def test_a_scsi_drive_that_predicts_its_failure_is_failing(
    box: Machine, run: Runner, predicting: str
) -> None:
    before = read_smart(run, predicting, clock=FakeClock())
    assert (before.protocol, before.temperature_c, before.passed) == ("scsi", 40, True)
    assert judge(before, None, None).verdict is Verdict.GOOD
    box.sh(f"sg_wr_mode -p 0x1c -c 1c,0a,04,04,00,00,00,00,00,00,00,01 {predicting}")
    tripped = health(run, predicting, "scsi")
    assert tripped.verdict is Verdict.FAILING
    assert "5D/FF FAILURE PREDICTION" in tripped.reasons[0]


def test_a_self_test_is_started_and_aborted_on_a_real_scsi_drive(run: Runner, predicting: str) -> None:
    tests = SelfTests(run)
    assert tests.state(predicting, "scsi").kinds == (SelfTestKind.SHORT, SelfTestKind.LONG)
    assert tests.start(predicting, "scsi", SelfTestKind.SHORT) == "short self-test started"
    # It is done at once and keeps no log.
    after = tests.state(predicting, "scsi")
    assert (after.progress, after.text) == (None, "no self-test in its log")
    tests.abort(predicting, "scsi")


def test_an_nvme_drive_without_self_tests_says_so(box: Machine, run: Runner) -> None:
    with pytest.raises(Unsupported, match=r"7\.4"):
        SelfTests(run).start(box.wait_drive(NVME_BAY), "nvme", SelfTestKind.SHORT)


def test_a_drive_without_smart_is_unknown_and_has_no_self_tests(box: Machine, run: Runner) -> None:
    device = box.wait_drive(SCSI_BAY)
    seen = health(run, device)
    assert seen.verdict is Verdict.UNKNOWN
    assert "it has no SMART" in seen.reasons[0]
    assert SelfTests(run).state(device, "scsi").kinds == ()
    with pytest.raises(Unsupported):
        SelfTests(run).start(device, "scsi", SelfTestKind.SHORT)


def test_a_drive_that_is_gone_is_an_error_with_its_name(run: Runner) -> None:
    with pytest.raises(DriveError, match="/dev/sdzz"):
        read_smart(run, "/dev/sdzz", clock=FakeClock())
    with pytest.raises(DriveError, match="/dev/sdzz"):
        SelfTests(run).state("/dev/sdzz", "scsi")


def test_the_scan_and_pysmart_find_the_same_drives(box: Machine, run: Runner) -> None:
    scanned = {(found.device, found.type) for found in scan_types(run)}
    assert (box.wait_drive(SCSI_BAY), "scsi") in scanned
    detected = {(drive.device, drive.type): drive.serial for drive in SelfTests(run).detect()}
    assert detected[box.wait_drive(SCSI_BAY), "scsi"] == "PLAIN"
    assert set(detected) <= scanned
