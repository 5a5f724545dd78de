"""A RAID 5 or 6 that lost too many drives is put together again when the one that went last is back, and from no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.errors import OperationRefused
from storage.raid.inventory import Inventory
from storage.raid.md.backend import MdBackend
from storage.raid.md.last_members import parse_superblock
from storage.raid.operations import ReAddMember
from storage.raid.states import DriveState, VirtualDriveState
from tests.storage.raid.md.fake_machine import FakeDrive, Machine

SUPERBLOCK = """/dev/sda:
          Magic : a92b4efc
        Version : 1.2
    Feature Map : 0x1
     Array UUID : bf9bbd6e:0b71e0f8:099ca021:35fbfe03
           Name : any:e
  Creation Time : Sun Nov 22 13:28:07 2026
     Raid Level : raid5
   Raid Devices : 3
          State : active
    Update Time : Sun Nov 22 13:30:39 2026
         Events : 30
   Device Role : Active device 1
   Array State : .AA ('A' == active, '.' == missing, 'R' == replacing)
"""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    machine.array("md127", "A", "raid5", ["sda", "sdb", "sdc"])
    return machine


def pull(machine: Machine, backend: MdBackend, bay: int) -> FakeDrive:
    drive = machine.pull(bay)
    backend.inventory()
    drive.holders = ()
    return drive


def re_added(backend: MdBackend, bay: int) -> Inventory:
    return backend.perform(ReAddMember(drive=f"wwn-BAY{bay:02d}"), backend.inventory())


def test_what_a_member_tells_of_its_array_is_read() -> None:
    found = parse_superblock(SUPERBLOCK)
    assert found is not None
    assert (found.events, found.place, found.working, found.is_recovering) == (
        30,
        1,
        frozenset({1, 2}),
        False,
    )
    assert (found.name, found.level, found.wanted, found.is_clean) == ("e", "raid5", 3, False)
    spare = parse_superblock(SUPERBLOCK.replace("Active device 1", "spare").replace("0x1", "0x3"))
    assert spare is not None
    assert (spare.place, spare.is_recovering) == (None, True)
    assert parse_superblock("mdadm: No md superblock detected on /dev/sda.") is None
    assert parse_superblock(SUPERBLOCK.replace("Events : 30", "")) is None


def test_the_member_that_went_last_brings_the_data_back_and_nothing_is_rebuilt(machine: Machine) -> None:
    backend = machine.backend()
    backend.inventory()
    first, second = pull(machine, backend, 0), pull(machine, backend, 1)
    machine.superblocks = {"sda": (25, 0, "AAA"), "sdb": (30, 1, ".AA"), "sdc": (33, 2, "..A")}
    machine.found += [first, second]
    after = re_added(backend, 1)
    (vd,) = after.virtual_drives
    assert (vd.state, after.tasks) == (VirtualDriveState.DEGRADED, ())
    assert machine.ran == [
        "mdadm --stop /dev/md127",
        "mdadm --assemble --force --run --config=none /dev/md/A /dev/sdb /dev/sdc",
    ]
    states = {drive.bay: drive.state for drive in after.drives if drive.device}
    assert (states[0], states[1], states[2]) == (DriveState.FOREIGN, DriveState.ONLINE, DriveState.ONLINE)


def test_the_member_that_failed_first_is_refused_and_the_one_that_is_needed_is_named(
    machine: Machine,
) -> None:
    backend = machine.backend()
    backend.inventory()
    first, second = pull(machine, backend, 0), pull(machine, backend, 1)
    machine.superblocks = {"sda": (25, 0, "AAA"), "sdb": (30, 1, ".AA"), "sdc": (33, 2, "..A")}
    machine.found.append(first)
    with pytest.raises(OperationRefused, match=r"bay 1 \(serial BAY01\)"):
        re_added(backend, 0)
    machine.found.append(second)
    with pytest.raises(OperationRefused):
        re_added(backend, 0)
    assert machine.ran == []


def test_drives_that_went_together_come_back_together(machine: Machine) -> None:
    """A shelf lost its power: neither had written down that the other one was gone."""
    backend = machine.backend()
    backend.inventory()
    pulled = [pull(machine, backend, 0), pull(machine, backend, 1)]
    machine.superblocks = {"sda": (30, 0, "AAA"), "sdb": (30, 1, "AAA"), "sdc": (33, 2, "..A")}
    machine.found.append(pulled[0])
    with pytest.raises(OperationRefused, match="BAY01"):
        re_added(backend, 0)
    machine.found.append(pulled[1])
    (vd,) = re_added(backend, 0).virtual_drives
    assert vd.state is VirtualDriveState.ONLINE
    assert machine.ran[-1].endswith("/dev/sda /dev/sdb /dev/sdc")


def test_a_member_far_behind_is_not_used(machine: Machine) -> None:
    backend = machine.backend()
    backend.inventory()
    pull(machine, backend, 0)
    machine.found.append(pull(machine, backend, 1))
    machine.superblocks = {"sdb": (30, 1, ".AA"), "sdc": (3000, 2, "..A")}
    with pytest.raises(OperationRefused, match="2970 steps behind"):
        re_added(backend, 1)
    assert machine.ran == []


def test_of_a_raid_6_the_one_that_went_last_is_enough_and_the_second_is_too_old(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.array("md127", "A", "raid6", ["sda", "sdb", "sdc", "sdd"])
    backend = machine.backend()
    backend.inventory()
    pull(machine, backend, 0)
    machine.found += [pull(machine, backend, 1), pull(machine, backend, 2)]
    machine.superblocks = {"sdb": (30, 1, ".AAA"), "sdc": (34, 2, "..AA"), "sdd": (37, 3, "...A")}
    with pytest.raises(OperationRefused):
        re_added(backend, 1)
    (vd,) = re_added(backend, 2).virtual_drives
    assert vd.state is VirtualDriveState.DEGRADED
    assert machine.ran[-1].endswith("/dev/md/A /dev/sdc /dev/sdd")
