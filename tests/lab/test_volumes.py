"""Drives, their bays and file systems as the drive service sees them, on a real Linux with udev and systemd."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lab.lab_drive import MIB
from tests.lab.machine import Machine

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]

STATE = "/var/lib/watchdeck-drives"
MOUNT_POINT = "/srv/the recordings-1"
PRELUDE = f"""
import sys; sys.path.insert(0, "/opt/watchdeck")
from pathlib import Path
import msgspec
from storage.clock import SystemClock
from storage.errors import WatchdeckError
from storage.local_hardware import open_local_hardware
Path("{STATE}").mkdir(parents=True, exist_ok=True)
hardware = open_local_hardware(Path("{STATE}"), "front-8", SystemClock(), (1234, 1235))
def say(value): print(msgspec.json.encode(value).decode())
"""


def ask(box: Machine, script: str, *, timeout_s: float = 120) -> Any:
    """Run it in the guest with `hardware` at hand; what it says, decoded."""
    done = box.run("python3", "-", stdin=(PRELUDE + script).encode(), timeout_s=timeout_s)
    assert done.exit_code == 0, done.err
    return json.loads(done.out)


@pytest.fixture(scope="module")
def box(machine: Machine) -> Machine:
    for bay in range(4):
        machine.insert(bay, machine.drive(f"BAY{bay}", size_bytes=512 * MIB))
    machine.start()
    members = " ".join(machine.wait_drive(bay) for bay in range(3))
    machine.sh(
        f"mdadm --create /dev/md/e --name e --run --level 5 -n 3 --chunk 256 {members}; udevadm settle",
        timeout_s=60,
    )
    return machine


def test_every_drive_is_known_by_serial_and_place_and_the_system_is_protected(box: Machine) -> None:
    found = {
        drive["serial"]: drive
        for drive in ask(box, "say(hardware.inventory().drives)")
        if drive.get("serial")
    }
    for bay in range(4):
        drive = found[f"BAY{bay}"]
        assert f"/dev/disk/by-path/{drive['place']}" == box.place(bay)
        assert drive["id"] == f"wwn-0x{box.bays[bay].wwn:x}"
    states = {serial: drive.get("state", "unconfigured_good") for serial, drive in found.items()}
    assert states["BAY3"] == "unconfigured_good"
    root = box.sh("findmnt -no SOURCE /").strip()
    scanned = ask(
        box,
        "say([(drive.name, drive.is_system, drive.signature, drive.md_uuid) for drive in hardware._scan.drives()])",
    )
    assert [name for name, is_system, *_ in scanned if is_system] == [
        root.removeprefix("/dev/")[: len("nvme0n1")]
    ]
    uuid = box.sh("mdadm --detail /dev/md/e | sed -n 's/ *UUID : //p'").strip()
    assert [md_uuid for *_, signature, md_uuid in scanned if signature == "linux_raid_member"] == [uuid] * 3


def test_a_learned_bay_stays_with_the_socket_when_another_drive_is_inserted(box: Machine) -> None:
    id = f"wwn-0x{box.bays[3].wwn:x}"
    layout = ask(box, f"say(hardware.learn(7, {id!r}))")
    assert layout["rows"] == [[4, 5, 6, 7], [0, 1, 2, 3]]
    old = box.pull(3)
    box.wait_gone(3)
    box.insert(3, box.drive("OTHER", size_bytes=512 * MIB))
    box.wait_drive(3)
    drives = ask(box, "say(hardware.inventory().drives)")
    assert [drive["serial"] for drive in drives if drive.get("bay") == 7] == ["OTHER"]
    assert old.serial not in {drive.get("serial") for drive in drives}


def test_a_volume_is_made_survives_a_reboot_and_is_unmade(box: Machine) -> None:
    make = f"""
inventory = hardware.inventory()
virtual_drive = inventory.virtual_drive("e")
steps = [str(step) for step in hardware.plan_volume(virtual_drive, "rec", {MOUNT_POINT!r}, "xfs")]
made = hardware.make_volume(virtual_drive, "rec", {MOUNT_POINT!r}, "xfs")
say((steps, made, hardware.inventory().virtual_drive("e").mounts))
"""
    steps, made, mounts = ask(box, make)
    # Two data drives of 256 KiB: the partition begins on a multiple of 512 KiB, and mkfs knows the stripe.
    assert any("--new=1:2048:0" in step for step in steps)
    assert any("su=262144,sw=2" in step for step in steps)
    assert [mount["path"] for mount in mounts] == [MOUNT_POINT]
    assert box.sh(f"stat -c %u:%g:%a '{MOUNT_POINT}'").strip() == "1234:1235:755"
    unit = r"srv-the\x20recordings\x2d1.mount"
    assert box.sh(f"systemctl is-enabled '{unit}'").strip() == "enabled"
    box.sh(f"touch '{MOUNT_POINT}/kept'")

    box.shut_down()
    box.start()
    box.until(
        lambda: box.run("findmnt", "-no", "UUID,OPTIONS", MOUNT_POINT).out,
        lambda said: made["uuid"] in said,
        "the volume mounted again",
        timeout_s=60,
    )
    assert "noatime" in box.sh(f"findmnt -no OPTIONS '{MOUNT_POINT}'")
    box.sh(f"test -e '{MOUNT_POINT}/kept'")

    unmake = """
try:
    hardware.unmake_volume(hardware.inventory().virtual_drive("e"))
except WatchdeckError as error:
    say([error.code, str(error)])
else:
    say([])
"""
    box.sh(f"sleep 600 > '{MOUNT_POINT}/open' 2>&1 < /dev/null & echo $! > /tmp/holder")
    assert ask(box, unmake)[0] == "conflict"
    box.sh("kill $(cat /tmp/holder); sleep 0.2")
    assert ask(box, unmake) == []
    assert box.run("findmnt", MOUNT_POINT).exit_code == 1
    assert box.run("sh", "-c", "ls -d /etc/systemd/system/*srv* /etc/systemd/system/dev-disk*").out == ""
    box.sh(
        "wipefs --all --quiet /dev/md/e1 /dev/md/e* && sgdisk --zap-all $(realpath /dev/md/e); udevadm settle"
    )


def test_the_box_starts_without_the_drives_of_a_volume(box: Machine) -> None:
    ask(
        box,
        f'say(hardware.make_volume(hardware.inventory().virtual_drive("e"), "rec", {MOUNT_POINT!r}, "xfs"))',
    )
    box.shut_down()
    drives = [box.pull(bay) for bay in range(3)]
    box.start()
    assert box.run("findmnt", MOUNT_POINT).exit_code == 1
    assert box.sh("systemctl is-system-running || true").strip() in ("running", "degraded", "starting")
    box.shut_down()
    for bay, drive in enumerate(drives):
        box.insert(bay, drive)
    box.start()
    box.until(
        lambda: box.run("findmnt", MOUNT_POINT).exit_code,
        lambda code: code == 0,
        "mounted again",
        timeout_s=60,
    )
