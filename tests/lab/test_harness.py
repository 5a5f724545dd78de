"""The lab itself: bays, faults and power do in the guest what they are called."""

from __future__ import annotations

import pytest

from tests.lab.lab_drive import MIB
from tests.lab.machine import Machine

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]

NVME_BAY = 8
SPARE_BAY = 6
SECTOR_OF_DATA = 200_000
"""Well behind md's superblock and data offset."""


@pytest.fixture(scope="module")
def box(machine: Machine) -> Machine:
    """RAID 5 of bays 0 to 3 that has had its first synchronisation; bay 3's drive can fail."""
    for bay in range(4):
        machine.insert(bay, machine.drive(f"BAY{bay}", size_bytes=128 * MIB, can_fail=bay == 3))
    machine.insert(NVME_BAY, machine.drive("FLASH", is_nvme=True))
    machine.start()
    members = " ".join(machine.wait_drive(bay) for bay in range(4))
    machine.sh(f"mdadm --create /dev/md/a --name a --run --level 5 -n 4 {members}", timeout_s=60)
    idle(machine)
    return machine


def idle(machine: Machine) -> None:
    machine.until(
        lambda: machine.sh("cat /sys/block/md127/md/sync_action").strip(),
        lambda action: action == "idle",
        "md at rest",
        timeout_s=120,
    )


def members(machine: Machine) -> list[str]:
    return machine.sh("ls -d /sys/block/md127/md/dev-*").split()


def states(machine: Machine) -> str:
    """mdstat's letters: UUUU."""
    return machine.sh(r"grep -o '\[[U_]*\]' /proc/mdstat").strip("[]\n")


def test_drives_keep_their_serial_and_place_whatever_the_kernel_calls_them(box: Machine) -> None:
    for bay in range(4):
        seen = box.sh(f"udevadm info --query=property {box.place(bay)}")
        assert f"ID_SCSI_SERIAL=BAY{bay}" in seen
        assert f"ID_WWN=0x{box.bays[bay].wwn:x}" in seen


def test_a_command_that_fails_or_hangs_is_told_apart(box: Machine) -> None:
    assert box.run("sh", "-c", "echo out; echo err >&2; exit 7").exit_code == 7
    done = box.run("sleep", "1000", timeout_s=0.5)
    assert done.timed_out
    box.put("/tmp/file", bytes(range(256)))
    assert box.get("/tmp/file") == bytes(range(256))


def test_a_pulled_drive_leaves_its_array_and_is_taken_back_by_the_bitmap(box: Machine) -> None:
    box.sh("mdadm --grow /dev/md127 --bitmap=internal")
    drive = box.pull(1)
    box.wait_gone(1)
    box.until(lambda: states(box), lambda seen: seen == "U_UU", "bay 1 missing from the array")
    # Debian's udev rule mostly takes the failed member out of the list, but not always; it cannot be added again before.
    box.sh("mdadm /dev/md127 --remove detached || true")
    box.until(lambda: members(box), lambda seen: len(seen) == 3, "the failed member forgotten")
    box.insert(1, drive)
    name = box.wait_drive(1)
    box.sh(f"mdadm /dev/md127 --re-add {name}")
    box.until(lambda: states(box), lambda seen: seen == "UUUU", "bay 1 back")
    idle(box)


def test_a_blank_drive_in_an_empty_bay_is_seen(box: Machine) -> None:
    box.insert(SPARE_BAY, box.drive("NEW6", size_bytes=128 * MIB))
    name = box.wait_drive(SPARE_BAY)
    assert box.run("blkid", "-p", name).exit_code == 2, "something is on it"
    box.pull(SPARE_BAY)
    box.wait_gone(SPARE_BAY)


def test_a_pending_sector_is_healed_by_a_check(box: Machine) -> None:
    faults = box.bays[3].faults
    assert faults is not None
    faults.make_pending(SECTOR_OF_DATA, 8)
    box.sh("echo check > /sys/block/md127/md/sync_action")
    idle(box)
    assert faults.pending_sectors == 0
    assert faults.counted.healed_sectors == 8
    assert "read error corrected" in box.sh("dmesg")
    assert states(box) == "UUUU"


def test_a_failed_write_throws_the_drive_out(box: Machine) -> None:
    drive = box.bays[3]
    assert drive.faults is not None
    name = box.wait_drive(3)
    drive.faults.fails_writes = True
    box.sh("dd if=/dev/urandom of=/dev/md127 bs=1M count=8 oflag=direct status=none")
    box.until(lambda: states(box), lambda seen: seen == "UUU_", "bay 3 failed")
    drive.faults.heal()
    box.sh(f"mdadm /dev/md127 --remove {name}; mdadm --zero-superblock {name}; mdadm /dev/md127 --add {name}")
    box.until(lambda: states(box), lambda seen: seen == "UUUU", "bay 3 rebuilt", timeout_s=120)


def test_nvme_warns_and_is_unplugged(box: Machine) -> None:
    name = box.wait_drive(NVME_BAY)
    box.warn_nvme(NVME_BAY, 1)
    done = box.run("smartctl", "-H", name)
    assert done.exit_code == 8, done.out
    box.warn_nvme(NVME_BAY, 0)
    assert box.run("smartctl", "-H", name).exit_code == 0
    drive = box.pull(NVME_BAY)
    box.wait_gone(NVME_BAY)
    box.insert(NVME_BAY, drive)
    box.wait_drive(NVME_BAY)


def test_a_power_cut_takes_what_was_not_flushed_and_drives_may_come_back_in_other_bays(box: Machine) -> None:
    faults = box.bays[3].faults
    assert faults is not None
    box.sh("mkfs.ext4 -q -F /dev/md127; mount /dev/md127 /mnt; echo kept >/mnt/kept; sync", timeout_s=120)
    box.sh("echo lost >/mnt/lost")
    box.power_cut()
    first, last = box.pull(0), box.pull(2)
    box.insert(0, last)
    box.insert(2, first)
    box.start()
    box.until(lambda: states(box), lambda seen: seen == "UUUU", "the array assembled again")
    assert "BAY2" in box.sh(f"udevadm info --query=property {box.place(0)}")
    box.sh("mount /dev/md127 /mnt")
    assert box.sh("ls /mnt").split() == ["kept", "lost+found"]
    box.sh("umount /mnt")


def test_an_orderly_stop_ends_the_machine(box: Machine) -> None:
    box.shut_down()
    box.start()
    assert states(box) == "UUUU"
