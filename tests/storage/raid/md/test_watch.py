"""Being woken, what the kernel log says, and what is remembered."""

from __future__ import annotations

import os
import select
from pathlib import Path

import pytest

from storage.raid.md.cross_check import disagreements
from storage.raid.md.kernel_log import KernelLogWatch, notice_of, notices
from storage.raid.md.mdstat import parse_mdstat
from storage.raid.md.memory import MemoryFile, SpareNote
from storage.raid.md.sysfs import read_arrays
from storage.raid.md.watch import ArrayWatch, BlockDeviceWatch
from storage.roots import Roots
from tests.storage.raid.md.fake_machine import Machine


@pytest.mark.parametrize(
    ("line", "drive", "words"),
    [
        ("md/raid:md0: read error corrected (8 sectors at 6000 on sdc)", "sdc", "rewritten"),
        ("md/raid10:md0: sdc: read error corrected (8 sectors at 6000 on sdc)", "sdc", "rewritten"),
        ("md/raid:md0: read error NOT corrected!! (sector 6000 on sdc).", "sdc", "could not be repaired"),
        ("md/raid:md0: read error not correctable (sector 6000 on sdc1).", "sdc", "could not be repaired"),
        ("critical medium error, dev sdb, sector 6000 op 0x0:(READ)", "sdb", "unreadable sectors"),
        ("blk_update_request: critical medium error, dev sdb, sector 6000", "sdb", "unreadable sectors"),
        ("I/O error, dev nvme0n1, sector 5 op 0x0", "nvme0n1", "input/output"),
        ("md/raid:md0: Disk failure on nvme1n1p2, disabling device.", "nvme1n1", "dropped"),
        ("md: super_written gets error=-5", "", "description"),
    ],
)
def test_lines_about_bad_drives_are_found(line: str, drive: str, words: str) -> None:
    found = notice_of(line)
    assert found is not None
    assert found[0] == drive
    assert words in found[1]


def test_other_lines_are_not() -> None:
    for line in ("md/raid:md0: raid level 5 active with 3 out of 3 devices", "usb 1-1: new device", ""):
        assert notice_of(line) is None


@pytest.mark.parametrize(
    "line",
    [
        "usb 1-1: Product: I/O error, dev sda, sector 1",
        "usb 1-1: SerialNumber: md/raid:md0: Disk failure on sda, disabling device.",
        "usb 1-1: Manufacturer: md: sda: super_written gets error=-5",
        "scsi 0:0:0:0: Direct-Access     critical medium error, dev sda PQ: 0",
        "x: read error NOT corrected!! (sector 6 on sda).[77]: segfault at 0",
    ],
)
def test_what_a_device_or_a_process_calls_itself_says_nothing_about_a_drive(line: str) -> None:
    assert notice_of(line) is None


def test_what_programs_write_into_the_kernel_log_is_not_the_kernels_word(tmp_path: Path) -> None:
    pipe = tmp_path / "kmsg"
    os.mkfifo(pipe)
    watch = KernelLogWatch(pipe, lambda name: name)
    writer = os.open(pipe, os.O_WRONLY)
    try:
        os.write(writer, b"11,77,5,-;I/O error, dev sdc, sector 9\n")
        assert list(watch.drain()) == []
    finally:
        os.close(writer)
        watch.close()


def test_many_of_the_same_are_one_notice_that_names_the_drive_by_its_bay() -> None:
    lines = ["I/O error, dev sdc, sector 1", "I/O error, dev sdc, sector 2", "I/O error, dev md0, sector 2"]
    said = notices(lines, lambda name: f"bay 2 (serial X) was {name}")
    assert said == ["bay 2 (serial X) was sdc: input/output errors (2 times)"]


def test_the_kernel_log_is_read_without_blocking(tmp_path: Path) -> None:
    pipe = tmp_path / "kmsg"
    os.mkfifo(pipe)
    watch = KernelLogWatch(pipe, lambda name: f"the drive in bay 2 ({name})")
    writer = os.open(pipe, os.O_WRONLY)
    try:
        assert list(watch.drain()) == []
        os.write(writer, b"3,77,5,-;critical medium error, dev sdc, sector 9\n SUBSYSTEM=block\n")
        assert select.select([watch], [], [], 5)[0]
        assert list(watch.drain()) == ["the drive in bay 2 (sdc): the drive reports unreadable sectors"]
    finally:
        os.close(writer)
        watch.close()


def test_notifying_files_of_this_kernel_can_be_watched() -> None:
    if not Path("/proc/mdstat").exists():
        pytest.skip("this kernel has no md")
    watch = ArrayWatch(Roots())
    assert Path("/proc/mdstat") in watch.watched
    assert watch.drain() == ()
    watch.close()


def test_a_captured_tree_is_watched_in_vain_but_without_harm(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.array("md127", "A", "raid5", ["sda", "sdb", "sdc"])
    backend = machine.backend()
    for wakeup in backend.wakeups():
        assert list(wakeup.drain()) == []
    assert backend.wakeups()
    backend.close()


def test_uevents_are_taken_without_blocking() -> None:
    watch = BlockDeviceWatch()
    assert watch.fileno() > 0
    assert watch.drain() == ()
    watch.close()


def test_memory_survives_a_restart_and_a_damaged_file_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "state" / "md.json"
    file = MemoryFile(path)
    file.memory.spares["wwn-1"] = SpareNote()
    file.save()
    assert MemoryFile(path).memory.spares == {"wwn-1": SpareNote()}
    path.write_text("{")
    again = MemoryFile(path)
    assert again.memory.spares == {}
    assert "md.json.damaged" in again.problem
    assert path.with_name("md.json.damaged").read_text() == "{"


def test_sysfs_and_mdstat_are_compared(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.array("md127", "A", "raid5", ["sda", "sdb", "sdc"])
    arrays = read_arrays(machine.roots)
    text = (machine.roots.proc / "mdstat").read_text()
    assert disagreements(arrays, parse_mdstat(text)) == []
    assert disagreements(arrays, parse_mdstat(text.replace("sdb[1]", "sdb[1](F)"))) != []
    assert disagreements(arrays, parse_mdstat(text.replace("sdb[1] ", ""))) != []
    assert disagreements(arrays, parse_mdstat("")) != []
    assert disagreements([], parse_mdstat("what is this")) != []


def test_a_line_of_mdstat_that_nobody_knows_is_a_problem_of_the_controller(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (machine.roots.proc / "mdstat").write_text("Personalities :\nmd0 is strange\n")
    (problem,) = machine.backend().inventory().controllers[0].problems
    assert "md0 is strange" in problem.what
