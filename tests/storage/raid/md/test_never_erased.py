"""What no operation may erase or give up on md, whatever is asked: each way in which footage could be lost by a command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from storage.command import Completed
from storage.errors import CommandFailed, OperationRefused
from storage.raid.md.backend import MdBackend
from storage.raid.operations import (
    AssignSpare,
    ClearForeign,
    CreateVirtualDrive,
    RaidOperation,
    ReAddMember,
    ReplaceMember,
    SetGood,
    SetOffline,
    StartRebuild,
)
from storage.raid.states import DriveState, RaidLevel
from tests.storage.raid.md.fake_machine import Machine, uuid_of

GROUP = f"md-{uuid_of('A').replace(':', '-')}"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    machine.array("md127", "A", "raid5", ["sda", "sdb", "sdc"])
    return machine


def refused(machine: Machine, backend: MdBackend, operation: RaidOperation, words: str = "A") -> None:
    before = list(machine.ran)
    with pytest.raises(OperationRefused, match=words):
        backend.perform(operation, backend.inventory())
    assert machine.ran == before


def fail(machine: Machine, name: str) -> None:
    machine.member("md127", name, slot=None, state="faulty")


def test_a_member_that_failed_first_is_kept_once_the_array_is_lost(machine: Machine) -> None:
    backend = machine.backend()
    backend.inventory()
    fail(machine, "sda")
    fail(machine, "sdb")
    for id in ("wwn-BAY00", "wwn-BAY01"):
        refused(machine, backend, SetGood(drive=id), "lost its data")
        refused(machine, backend, StartRebuild(group=GROUP, drive=id), "nothing to rebuild from")


def test_a_bad_member_that_was_pulled_and_put_back_is_kept_once_the_array_is_lost(machine: Machine) -> None:
    backend = machine.backend()
    backend.inventory()
    fail(machine, "sda")
    backend.inventory()
    drive = machine.pull(0)
    backend.inventory()
    drive.holders = ()
    machine.found.append(drive)
    seen = backend.inventory().drive("wwn-BAY00")
    assert seen is not None
    assert seen.state is DriveState.UNCONFIGURED_BAD
    fail(machine, "sdb")
    refused(machine, backend, SetGood(drive="wwn-BAY00"), "lost its data")


def test_a_drive_that_waits_for_removal_is_kept_once_its_array_is_lost(machine: Machine) -> None:
    """It was dropped first, a spare began to take its place, then a second one failed."""
    machine.member("md127", "sdd", slot=None, state="spare")
    backend = machine.backend()
    backend.inventory()
    fail(machine, "sda")
    backend.inventory()
    machine.member("md127", "sdd", slot=0, state="spare")
    machine.set("md127", "sync_action", "recover")
    backend.tend(backend.inventory())
    fail(machine, "sdb")
    seen = backend.inventory().drive("wwn-BAY00")
    assert seen is not None
    assert seen.is_awaiting_removal
    refused(machine, backend, SetGood(drive="wwn-BAY00"), "lost its data")
    refused(machine, backend, AssignSpare(drive="wwn-BAY00"), "lost its data")
    make = CreateVirtualDrive(name="B", level=RaidLevel.RAID1, spans=(("wwn-BAY00", "wwn-BAY05"),))
    refused(machine, backend, make, "lost its data")


def test_members_of_an_array_that_is_not_assembled_are_not_cleared(machine: Machine) -> None:
    backend = machine.backend()
    backend.inventory()
    machine._stop("md127")
    seen = backend.inventory().drive("wwn-BAY00")
    assert seen is not None
    assert seen.state is DriveState.FOREIGN
    refused(machine, backend, ClearForeign(drives=("wwn-BAY00",)), "lost its data")
    refused(machine, backend, SetGood(drive="wwn-BAY00"), "lost its data")


def test_a_member_is_needed_until_its_copy_is_whole(machine: Machine) -> None:
    """A copy of one member is under way when another one fails: the source is all there is of its place."""
    backend = machine.backend()
    backend.perform(ReplaceMember(member="wwn-BAY01", replacement="wwn-BAY04"), backend.inventory())
    fail(machine, "sda")
    refused(machine, backend, SetOffline(drive="wwn-BAY01"), "cannot be missed")


def test_a_kernel_name_that_passed_to_another_drive_is_not_touched(machine: Machine) -> None:
    """sdd is pulled and another drive gets its name between two commands of one operation."""
    blocks = machine.roots.sys / "block"
    (blocks / "sdd" / "diskseq").write_text("14")
    backend = machine.backend()
    inventory = backend.inventory()
    machine.array("md126", "old", "raid1", ["sde"])
    machine._stop("md126")
    (blocks / "sde" / "diskseq").write_text("15")
    for name in ("sdd", "sde"):
        (blocks / name / "size").write_text("1048576")
    backend.memory.awaiting_removal["wwn-BAY04"] = "another drive took its place"
    inventory = backend.inventory()
    run = machine.run
    gone: list[str] = []

    def exchange(argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Completed:
        if "--zero-superblock" in argv and not gone:
            (blocks / "sdd" / "diskseq").write_text("99")
            gone.append("sdd")
        return run(argv, timeout_s=timeout_s, stdin=stdin)

    backend._run = exchange
    make = CreateVirtualDrive(name="B", level=RaidLevel.RAID1, spans=(("wwn-BAY03", "wwn-BAY04"),))
    with pytest.raises(CommandFailed, match="/dev/sdd is another drive now"):
        backend.perform(make, inventory)
    assert gone
    assert [line for line in machine.ran if "/dev/sdd" in line] == []


def test_one_drive_on_two_paths_is_never_taken_for_two(machine: Machine) -> None:
    """Set good of the second path would erase a member that works; an array of both would be one drive."""
    twin = machine.add_drive(8, serial="BAY00-again")
    machine.drive(0).wwn = twin.wwn = "0x5000c500a1b2c3d4"
    machine.drive(0).serial = twin.serial = "ZL2A1B2C"
    twin.signature, twin.md_uuid = "linux_raid_member", machine.drive(0).md_uuid
    backend = machine.backend()
    seen = backend.inventory()
    member, other = seen.drive_in(0), seen.drive_in(8)
    assert member is not None
    assert other is not None
    assert (member.state, other.state) == (DriveState.ONLINE, DriveState.PROTECTED)
    assert "bay 0" in other.cause
    refused(machine, backend, SetGood(drive=other.id), "bay 0")
    make = CreateVirtualDrive(name="B", level=RaidLevel.RAID1, spans=((other.id, "wwn-BAY05"),))
    refused(machine, backend, make, "bay 0")


def test_a_drive_that_nobody_could_tell_from_another_is_not_used(machine: Machine) -> None:
    nameless = machine.add_drive(8)
    nameless.serial = nameless.wwn = nameless.place = ""
    backend = machine.backend()
    seen = backend.inventory().drive_in(8)
    assert seen is not None
    assert seen.state is DriveState.PROTECTED
    refused(machine, backend, AssignSpare(drive=seen.id), "serial number")


def test_no_single_member_is_taken_back_by_a_failed_array_of_which_nothing_is_known(machine: Machine) -> None:
    """A shelf lost its power and has it again; the superblocks cannot be read."""
    backend = machine.backend()
    backend.inventory()
    pulled = [machine.pull(0), machine.pull(1)]
    backend.inventory()
    for drive in pulled:
        drive.holders = ()
        machine.found.append(drive)
    seen = backend.inventory().drive("wwn-BAY00")
    assert seen is not None
    assert seen.foreign_group == GROUP
    refused(machine, backend, ReAddMember(drive="wwn-BAY00"), "does not tell which place")
    fail(machine, "sdc")
    refused(machine, backend, ReAddMember(drive="wwn-BAY02"), "does not tell which place")


def test_no_leg_of_a_nested_array_is_taken_apart_for_a_member_that_is_back(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.array("md126", "B-0", "raid5", ["sda", "sdb", "sdc"])
    machine.array("md125", "B-1", "raid5", ["sdd", "sde", "sdf"])
    machine.array("md127", "B", "raid0", ["md126", "md125"])
    backend = machine.backend()
    backend.inventory()
    pulled = [machine.pull(0), machine.pull(1)]
    backend.inventory()
    for drive in pulled:
        drive.holders = ()
        machine.found.append(drive)
    refused(machine, backend, ReAddMember(drive="wwn-BAY01"), "has failed")
