from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import Sequence

import pytest

from storage.command import Completed
from storage.drives.detection import DetectedDrive, detection_differences
from storage.drives.self_tests import SelfTests
from storage.drives.smart_report import SelfTestKind
from storage.errors import CommandTimeout, DriveError, InvalidInput, OperationRefused, Unsupported
from storage.raid.inventory import Drive

HEAD = "smartctl 7.4 [x86_64-linux] (local build)\nCopyright\n\n"

ATA = (
    HEAD
    + """=== START OF INFORMATION SECTION ===
Device Model:     WATCHDECK DISK
Serial Number:    ATA0001
Firmware Version: 1.0
User Capacity:    8,001,563,222,016 bytes [8.00 TB]
SMART support is: Available - device has SMART capability.
SMART support is: Enabled

=== START OF READ SMART DATA SECTION ===
SMART overall-health self-assessment test result: PASSED

Self-test execution status:      ({status})	{words}
{second}SMART execute Offline immediate.
					Conveyance Self-test supported.
					Self-test supported.
Short self-test routine
recommended polling time: 	 (   2) minutes.
Extended self-test routine
recommended polling time: 	 ( 740) minutes.
Conveyance self-test routine
recommended polling time: 	 (   5) minutes.

SMART Attributes Data Structure revision number: 10
Vendor Specific SMART Attributes with Thresholds:
ID# ATTRIBUTE_NAME          FLAG     VALUE WORST THRESH TYPE      UPDATED  WHEN_FAILED RAW_VALUE
  5 Reallocated_Sector_Ct   0x0033   100   100   010    Pre-fail  Always       -       0

SMART Self-test log structure revision number 1
Num  Test_Description    Status                  Remaining  LifeTime(hours)  LBA_of_first_error
# 1  Extended offline    Completed: read failure       90%      1200         77001
# 2  Short offline       Completed without error       00%      1100         -
"""
)
ATA_IDLE = ATA.format(status="  0", words="The previous self-test routine completed", second="")
ATA_RUNNING = ATA.format(
    status="246", words="Self-test routine in progress...", second="\t\t\t\t\t60% of test remaining.\n"
)
ATA_BEGUN = HEAD + "Testing has begun.\nPlease wait 740 minutes for test to complete.\n"

NVME = (
    HEAD
    + """=== START OF INFORMATION SECTION ===
Model Number:                       WATCHDECK NVME
Serial Number:                      NVM0001
Total NVM Capacity:                 2,000,398,934,016 [2.00 TB]
Optional Admin Commands (0x001f):   Security Format Frmw_DL{ability}

=== START OF SMART DATA SECTION ===
SMART overall-health self-assessment test result: PASSED

SMART/Health Information (NVMe Log 0x02)
Critical Warning:                   0x00
Temperature:                        36 Celsius
Power On Hours:                     300

Self-test Log (NVMe Log 0x06)
Self-test status: {status}
Num  Test_Description  Status                       Power_on_Hours  Failing_LBA  NSID Seg SCT Code
 0   Short             Completed without error                 250            -     -   -   -    -

"""
)
NVME_IDLE = NVME.format(ability=" Self_Test", status="No self-test in progress")
NVME_RUNNING = NVME.format(ability=" Self_Test", status="Extended self-test in progress (41% completed)")
NVME_UNABLE = NVME.format(ability="", status="No self-test in progress")
NVME_BEGUN = HEAD + "Self-test has begun (NSID 0x1)\nUse smartctl -X to abort test\n"

SCSI = (
    HEAD
    + """=== START OF INFORMATION SECTION ===
Vendor:               WATCHDEC
Product:              SASDISK
Revision:             0001
User Capacity:        4,000,787,030,016 bytes [4.00 TB]
Serial number:        SAS0001
Transport protocol:   SAS (SPL-4)
SMART support is:     Available - device has SMART capability.
SMART support is:     Enabled

=== START OF READ SMART DATA SECTION ===
SMART Health Status: OK

Current Drive Temperature:     31 C
Elements in grown defect list: 0
number of hours powered up = 900.00
{status}SMART Self-test log
Num  Test              Status                 segment  LifeTime  LBA_first_err [SK ASC ASQ]
     Description                              number   (hours)
# 1  Background long   Completed                   -     800                 - [-   -    -]

"""
)
SCSI_IDLE = SCSI.format(status="")
SCSI_RUNNING = SCSI.format(status="Self-test execution status:\t\t70% of test remaining\n")
SCSI_BEGUN = HEAD + "Extended Background Self Test has begun\n"
ASLEEP = HEAD + "Device is in STANDBY mode, exit(3)\n"
NOT_THERE = HEAD + "Smartctl open device: /dev/sdz failed: No such device\n"


class Texts:
    """A smartctl that prints what each kind of question is given; keeps what was asked."""

    def __init__(self, everything: str, begun: str = "", *, status: int = 0, abort_status: int = 0) -> None:
        self.everything, self.begun, self.status, self.abort_status = everything, begun, status, abort_status
        self.asked: list[list[str]] = []

    def __call__(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Completed:
        assert argv[0] == "smartctl"
        assert 0 < timeout_s <= 60
        self.asked.append(list(argv[1:]))
        text, status = "", 0
        if "--all" in argv:
            text, status = self.everything, self.status
        elif "-t" in argv:
            text = self.begun
        elif "-X" in argv:
            text, status = "Self-testing aborted!\n", self.abort_status
        return Completed(argv=tuple(argv), status=status, output=text.encode(), errors=b"")


@pytest.mark.parametrize(
    ("device", "type", "idle", "begun", "answer"),
    [
        ("/dev/sdc", "sat", ATA_IDLE, ATA_BEGUN, "long self-test started, takes about 740 min"),
        ("/dev/nvme1", "nvme", NVME_IDLE, NVME_BEGUN, "long self-test started"),
        ("/dev/sdd", "scsi", SCSI_IDLE, SCSI_BEGUN, "long self-test started"),
        ("/dev/bus/6", "sat+megaraid,8", ATA_IDLE, ATA_BEGUN, "long self-test started, takes about 740 min"),
    ],
    ids=["ata", "nvme", "scsi", "megaraid"],
)
def test_a_self_test_is_started_on_every_kind_of_drive(
    device: str, type: str, idle: str, begun: str, answer: str
) -> None:
    smartctl = Texts(idle, begun)
    assert SelfTests(smartctl).start(device, type, SelfTestKind.LONG) == answer
    assert smartctl.asked[-1] == ["-d", type, "-t", "long", device]
    assert [question for question in smartctl.asked if "-t" in question] == [smartctl.asked[-1]]
    assert len(smartctl.asked) <= 5


@pytest.mark.parametrize(
    ("device", "type", "text", "progress"),
    [
        ("/dev/sdc", "sat", ATA_RUNNING, 0.4),
        ("/dev/nvme1", "nvme", NVME_RUNNING, 0.41),
        ("/dev/sdd", "scsi", SCSI_RUNNING, 0.3),
    ],
    ids=["ata", "nvme", "scsi"],
)
def test_a_running_self_test_says_how_far_it_is_and_is_not_started_twice(
    device: str, type: str, text: str, progress: float
) -> None:
    smartctl = Texts(text)
    tests = SelfTests(smartctl)
    state = tests.state(device, type)
    assert (state.progress, state.text) == (
        pytest.approx(progress),
        f"self-test running, {progress:.0%} done",
    )
    with pytest.raises(OperationRefused, match=f"{progress:.0%} done"):
        tests.start(device, type, SelfTestKind.SHORT)
    assert not any("-t" in question for question in smartctl.asked)


@pytest.mark.parametrize(
    ("device", "type", "text", "words"),
    [
        ("/dev/sdc", "sat", ATA_IDLE, "Extended offline: Completed: read failure, at 1200 h of running"),
        ("/dev/nvme1", "nvme", NVME_IDLE, "Short: Completed without error, at 250 h of running"),
        ("/dev/sdd", "scsi", SCSI_IDLE, "Background long: Completed, at 800 h of running"),
    ],
    ids=["ata", "nvme", "scsi"],
)
def test_the_last_result_is_told_when_none_runs(device: str, type: str, text: str, words: str) -> None:
    state = SelfTests(Texts(text)).state(device, type)
    assert (state.progress, state.text) == (None, words)


def test_following_a_self_test_wakes_nobody() -> None:
    smartctl = Texts(ASLEEP, status=3)
    state = SelfTests(smartctl).state("/dev/sdc", "sat")
    assert (state.progress, state.text, state.is_asleep) == (None, "asleep, not woken", True)
    assert all(question[:2] == ["-n", "standby,3"] for question in smartctl.asked)


def test_questions_about_two_drives_share_nothing() -> None:
    smartctl = Texts(ATA_IDLE, ATA_BEGUN)
    tests = SelfTests(smartctl)
    for device in ("/dev/sdc", "/dev/sdd", "/dev/sde"):
        tests.state(device, "sat")
    assert all(question.count("-n") == 1 for question in smartctl.asked)
    tests.start("/dev/sdc", "sat", SelfTestKind.SHORT)
    assert "-n" not in smartctl.asked[-1]


def test_what_a_drive_can_do_comes_with_its_own_times() -> None:
    ata = SelfTests(Texts(ATA_IDLE)).state("/dev/sdc", "sat")
    assert ata.minutes == {SelfTestKind.SHORT: 2, SelfTestKind.LONG: 740, SelfTestKind.CONVEYANCE: 5}
    scsi = SelfTests(Texts(SCSI_IDLE)).state("/dev/sdd", "scsi")
    assert (scsi.kinds, scsi.minutes) == ((SelfTestKind.SHORT, SelfTestKind.LONG), {})
    assert SelfTests(Texts(NVME_UNABLE)).state("/dev/nvme1", "nvme").kinds == ()
    lacks = (
        HEAD + "Product:  QEMU HARDDISK\nSMART support is:     Unavailable - device lacks SMART capability.\n"
    )
    assert SelfTests(Texts(lacks)).state("/dev/sdd", "scsi").kinds == ()


def test_a_test_the_drive_does_not_have_is_refused_before_anything_is_asked_of_it() -> None:
    smartctl = Texts(SCSI_IDLE, SCSI_BEGUN)
    with pytest.raises(Unsupported, match="cannot run a conveyance self-test .it can: short, long"):
        SelfTests(smartctl).start("/dev/sdd", "scsi", SelfTestKind.CONVEYANCE)
    assert not any("-t" in question for question in smartctl.asked)
    with pytest.raises(Unsupported, match=r"7\.4"):
        SelfTests(Texts(NVME_UNABLE)).start("/dev/nvme1", "nvme", SelfTestKind.SHORT)


def test_a_smartctl_too_old_for_nvme_is_told_apart_from_a_drive_that_refuses() -> None:
    with pytest.raises(Unsupported, match=r"7\.4"):
        SelfTests(Texts(NVME_IDLE, HEAD)).start("/dev/nvme1", "nvme", SelfTestKind.SHORT)
    refused = HEAD + "Command failed: Input/output error\n"
    with pytest.raises(DriveError, match="Input/output error"):
        SelfTests(Texts(ATA_IDLE, refused)).start("/dev/sdc", "sat", SelfTestKind.SHORT)


def test_a_self_test_is_aborted() -> None:
    smartctl = Texts(ATA_RUNNING)
    SelfTests(smartctl).abort("/dev/sdc", "sat")
    assert smartctl.asked[-1] == ["-d", "sat", "-X", "/dev/sdc"]
    SelfTests(Texts(ATA_RUNNING, abort_status=64)).abort("/dev/sdc", "sat")
    with pytest.raises(DriveError, match="did not abort"):
        SelfTests(Texts(ATA_RUNNING, abort_status=4)).abort("/dev/sdc", "sat")


def test_a_drive_that_is_not_there_or_hangs_is_an_error_with_its_name() -> None:
    with pytest.raises(DriveError, match="/dev/sdz .*No such device"):
        SelfTests(Texts(NOT_THERE, status=2)).state("/dev/sdz", "sat")

    def hangs(argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Completed:
        raise CommandTimeout("smartctl did not end")

    for question in (SelfTests(hangs).state, SelfTests(hangs).abort):
        with pytest.raises(CommandTimeout):
            question("/dev/sdc", "sat")
    with pytest.raises(CommandTimeout):
        SelfTests(hangs).start("/dev/sdc", "scsi", SelfTestKind.SHORT)


def test_only_devices_and_types_that_are_some_get_to_smartctl() -> None:
    smartctl = Texts(ATA_IDLE)
    with pytest.raises(InvalidInput):
        SelfTests(smartctl).state("/dev/sda;reboot", "sat")
    with pytest.raises(InvalidInput):
        SelfTests(smartctl).state("/dev/sda", "-x")
    with pytest.raises(Unsupported, match="areca"):
        SelfTests(smartctl).state("/dev/sg3", "areca,3/2")
    assert smartctl.asked == []


def test_a_path_keeps_every_letter() -> None:
    smartctl = Texts(ATA_IDLE)
    SelfTests(smartctl).state("/dev/disk/by-id/ata-nvd-X", "sat")
    assert smartctl.asked[0][-1] == "/dev/disk/by-id/ata-nvd-X"


def test_text_of_another_kind_never_escapes_as_a_bug_of_the_parser() -> None:
    odd = [b"\xff\xfe\x00", b"SMART Health Status\n" * 9, ATA_IDLE[:900].encode(), b"Serial Number\n" * 8]
    for output in odd:

        def says(
            argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"", said: bytes = output
        ) -> Completed:
            return Completed(argv=tuple(argv), status=0, output=said, errors=b"")

        for type in ("sat", "scsi", "nvme"):
            with contextlib.suppress(DriveError):
                state = SelfTests(says).state("/dev/sda", type)
                assert (state.progress, bool(state.text)) == (None, True)


class Scan:
    """Three drives; the second does not answer in time, a fourth line is none."""

    def __call__(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Completed:
        if "--scan-open" in argv:
            text = (
                "/dev/sda -d sat # /dev/sda [SAT], ATA device\n/dev/sdb -d sat # /dev/sdb [SAT], ATA device\n"
                "/dev/nvme0 -d nvme # /dev/nvme0, NVMe device\n# /dev/sdx -d scsi # failed: No such device\n"
                "/dev/sg9 -d areca,1 # odd\n"
            )
        elif argv[-1] == "/dev/sdb":
            raise CommandTimeout("smartctl did not end")
        else:
            text = NVME_IDLE if "nvme" in argv[-1] else ATA_IDLE
        return Completed(argv=tuple(argv), status=0, output=text.encode(), errors=b"")


def test_drives_found_both_ways_are_compared_by_serial_number() -> None:
    detected = SelfTests(Scan()).detect()
    assert [(each.device, each.type, each.serial) for each in detected] == [
        ("/dev/nvme0", "nvme", "NVM0001"),
        ("/dev/sda", "sat", "ATA0001"),
    ]
    assert detected[1].size_bytes == 8_001_563_222_016
    inventory = [
        Drive(id="a", serial="ATA0001", device="/dev/sda", bay=1),
        Drive(id="b", serial="SAS0002 X", model="SASDISK", device="/dev/sdq", bay=4),
        Drive(id="c", serial="BEHIND", bay=5),
    ]
    assert detection_differences(detected, inventory) == (
        "smartctl finds WATCHDECK NVME NVM0001 (/dev/nvme0), the inventory does not",
        "smartctl does not find SASDISK SAS0002 X in bay 4",
    )
    agreed = [DetectedDrive(device="/dev/sda", type="sat", model="", serial="ATA0001", size_bytes=1)]
    assert detection_differences(agreed, inventory[:1]) == ()


def test_importing_pysmart_changes_nothing_for_the_rest_of_the_process() -> None:
    assert logging.getLoggerClass() is logging.Logger
    for language in ("de_DE.UTF-8", None):
        environment = {key: value for key, value in os.environ.items() if key != "LANG"}
        if language is not None:
            environment["LANG"] = language
        script = "import os, storage.drives.self_tests; print(os.environ.get('LANG'))"
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, check=True
        )
        assert done.stdout.decode().strip() == str(language)
