"""A RAID 5 that lost a drive, and from which somebody then pulls a healthy one: put back, the footage is there again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.lab_drive import MIB
from tests.lab.machine import Machine
from tests.lab.test_volumes import ask

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]

MOUNT_POINT = "/srv/footage"
SIZE_BYTES = 512 * MIB
LOOK = """
seen = hardware.inventory()
vd = seen.virtual_drive("E")
say({"state": vd.state, "mounts": [mount.path for mount in vd.mounts], "tasks": [task.kind for task in seen.tasks],
     "drives": {drive.serial: [drive.state, drive.cause] for drive in reversed(seen.drives)}})
"""


def look(box: Machine) -> Any:
    return ask(box, LOOK)


def done(box: Machine, operation: str) -> list[str]:
    """Performed; else the code and the words of the error."""
    script = f"""
from storage.raid.operations import *
from storage.raid.states import *
seen = hardware.inventory()
id = {{drive.serial: drive.id for drive in reversed(seen.drives)}}  # missing places come last
try:
    hardware.perform({operation}, seen)
except WatchdeckError as error:
    say([error.code, str(error)])
else:
    say([])
"""
    answer: list[str] = ask(box, script, timeout_s=180)
    return answer


def write(box: Machine, name: str) -> None:
    """Durable, and its sum kept elsewhere."""
    path = f"{MOUNT_POINT}/{name}"
    box.sh(
        f"dd if=/dev/urandom of={path} bs=1M count=24 conv=fsync status=none; sha256sum {path} >> /root/sums"
    )


def until_at_rest(box: Machine) -> None:
    """Nothing runs in the background."""
    box.until(
        lambda: box.sh("cat /sys/block/md*/md/sync_action").split(),
        lambda said: said == ["idle"],
        "at rest",
        120,
    )


@pytest.fixture(scope="module")
def box(machine: Machine) -> Machine:
    for bay in range(3):
        machine.insert(bay, machine.drive(f"BAY{bay}", size_bytes=SIZE_BYTES))
    machine.start()
    for bay in range(3):
        machine.wait_drive(bay)
    members = '(tuple(id[f"BAY{bay}"] for bay in range(3)),)'
    assert done(machine, f'CreateVirtualDrive(name="E", level=RaidLevel.RAID5, spans={members})') == []
    ask(
        machine,
        f'say(hardware.make_volume(hardware.inventory().virtual_drive("E"), "rec", {MOUNT_POINT!r}, "xfs"))',
    )
    until_at_rest(machine)
    return machine


def test_footage_is_there_again_when_the_wrong_drive_is_put_back(box: Machine) -> None:
    write(box, "whole")
    first = box.pull(0)
    box.wait_gone(0)
    write(box, "degraded")
    assert look(box)["state"] == "degraded"
    second = box.pull(1)
    box.wait_gone(1)
    # Whoever writes now is told so, and the file system shuts down.
    assert box.run("sh", "-c", f"dd if=/dev/zero of={MOUNT_POINT}/late bs=1M count=4 conv=fsync").exit_code
    assert look(box)["state"] == "failed"

    # The drive that failed first does not help: its data is older.
    box.insert(0, first)
    box.wait_drive(0)
    code, said = done(box, 'ReAddMember(drive=id["BAY0"])')
    assert code == "operation_refused"
    assert "serial BAY1" in said
    assert look(box)["state"] == "failed"
    box.pull(0)
    box.wait_gone(0)

    box.insert(1, second)
    box.wait_drive(1)
    assert "brings its data back" in look(box)["drives"]["BAY1"][1]
    holder = f"exec 3<{MOUNT_POINT}; sleep 600"
    box.sh(f"({holder}) >/dev/null 2>&1 & (sleep 3; kill $!) >/dev/null 2>&1 &")
    assert done(box, 'ReAddMember(drive=id["BAY1"])') == []
    after = look(box)
    assert (after["state"], after["mounts"], after["tasks"]) == ("degraded", [MOUNT_POINT], [])
    assert after["drives"]["BAY1"][0] == after["drives"]["BAY2"][0] == "online"
    assert box.sh("cat /sys/block/md*/md/sync_action /sys/block/md*/md/degraded").split() == ["idle", "1"]
    assert box.sh("sha256sum --check --quiet /root/sums") == ""
    write(box, "afterwards")


def test_the_drive_that_failed_is_then_replaced_and_rebuilt(box: Machine) -> None:
    box.insert(0, box.drive("NEW0", size_bytes=SIZE_BYTES))
    box.wait_drive(0)
    rebuild = 'StartRebuild(group=seen.virtual_drive("E").group, drive=id["NEW0"])'
    assert done(box, rebuild) == []
    until_at_rest(box)
    assert look(box)["state"] == "online"
    box.sh("systemctl stop srv-footage.mount; xfs_repair -n /dev/md/E1 2>/dev/null", timeout_s=60)
    box.sh("systemctl start srv-footage.mount")
    assert box.sh("sha256sum --check --quiet /root/sums") == ""
    assert done(box, 'StartCheck(virtual_drive="E")') == []
    until_at_rest(box)
    assert box.sh("cat /sys/block/md*/md/mismatch_cnt").split() == ["0"]
