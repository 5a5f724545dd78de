"""What no operation may erase or give up on md, whatever is asked: each way in which footage could be lost by a command."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.errors import OperationRefused
from storage.raid.md.backend import MdBackend
from storage.raid.operations import (
    AssignSpare,
    ClearForeign,
    CreateVirtualDrive,
    RaidOperation,
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
