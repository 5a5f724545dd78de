"""Arrays that are not assembled: whether their drives are gone, or only nobody has started them.

`mdadm --incremental --fail`, which udev runs when a drive is pulled, stops an array that cannot miss it and that nobody has mounted.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from storage.raid.md.backend import MdBackend
from storage.raid.states import DriveState, VirtualDriveState
from tests.storage.raid.md.fake_machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def known(machine: Machine, level: str, members: int, name: str = "A", device: str = "md127") -> MdBackend:
    machine.array(device, name, level, [f"sd{chr(97 + slot)}" for slot in range(members)])
    backend = machine.backend()
    backend.inventory()
    return backend


def pulled(machine: Machine, *bays: int, device: str = "md127") -> None:
    for bay in bays:
        machine.found.remove(machine.drive(bay))
    for drive in machine.found:
        drive.holders = ()
    shutil.rmtree(machine.roots.sys / "block" / device)


@pytest.mark.parametrize(
    ("level", "members", "lost"),
    [("raid0", 3, 1), ("raid5", 3, 2), ("raid6", 4, 3), ("raid1", 2, 2), ("raid1", 3, 3)],
)
def test_one_whose_drives_are_gone_has_failed(machine: Machine, level: str, members: int, lost: int) -> None:
    backend = known(machine, level, members)
    pulled(machine, *range(lost))
    [vd] = backend.inventory().virtual_drives
    assert vd.state is VirtualDriveState.FAILED
    assert vd.cause == f"{lost} of {members} drives lost; it is not assembled"


@pytest.mark.parametrize(
    ("level", "members", "lost"), [("raid0", 3, 0), ("raid5", 3, 1), ("raid6", 4, 2), ("raid1", 3, 2)]
)
def test_one_that_could_be_started_is_offline(machine: Machine, level: str, members: int, lost: int) -> None:
    backend = known(machine, level, members)
    pulled(machine, *range(lost))
    [vd] = backend.inventory().virtual_drives
    assert (vd.state, vd.cause.partition(":")[0]) == (VirtualDriveState.OFFLINE, "not assembled")


def test_a_drive_that_carries_something_else_now_is_gone(machine: Machine) -> None:
    backend = known(machine, "raid0", 3)
    pulled(machine)
    machine.drive(1).md_uuid = "11111111:22222222:33333333:44444444"
    [vd] = backend.inventory().virtual_drives
    assert vd.state is VirtualDriveState.FAILED


def test_its_drives_come_back(machine: Machine) -> None:
    backend = known(machine, "raid0", 3)
    gone = machine.drive(0)
    pulled(machine, 0)
    assert backend.inventory().virtual_drives[0].state is VirtualDriveState.FAILED
    machine.found.append(gone)
    assert backend.inventory().virtual_drives[0].state is VirtualDriveState.OFFLINE
    machine.array("md126", "A", "raid0", ["sda", "sdb", "sdc"])
    assert backend.inventory().virtual_drives[0].state is VirtualDriveState.ONLINE


def test_only_drives_that_are_gone_are_missing(machine: Machine) -> None:
    """Nobody is to look for a drive that sits in its bay."""
    backend = known(machine, "raid0", 3)
    pulled(machine, 0)
    now = backend.inventory()
    members = [(drive.bay, drive.state, drive.cause) for drive in now.drives if drive.bay in (0, 1, 2)]
    here = "is a member of A, which is not assembled"
    assert sorted(members) == [
        (0, DriveState.MISSING, "pulled or no longer seen: it was a member of A in bay 0"),
        (1, DriveState.FOREIGN, here),
        (2, DriveState.FOREIGN, here),
    ]
    [group] = now.groups
    assert [id for span in group.spans for id in span.drives] == ["wwn-BAY00", "wwn-BAY01", "wwn-BAY02"]
