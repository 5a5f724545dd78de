"""What real md does that a naive reader gets wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.errors import CommandFailed, OperationRefused, StateChanged
from storage.raid.inventory import Inventory
from storage.raid.operations import (
    CreateVirtualDrive,
    ReplaceMember,
    SetOffline,
    StartCheck,
    StartRebuild,
)
from storage.raid.states import DriveState, RaidLevel, TaskKind, TaskState, VirtualDriveState
from tests.storage.raid.md.fake_machine import Machine, uuid_of


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def state(inventory: Inventory, number: int) -> DriveState:
    drive = inventory.drive_in(number)
    assert drive is not None
    return drive.state


def raid5(machine: Machine, *, spare: bool = False) -> None:
    machine.array("md127", "A", "raid5", ["sda", "sdb", "sdc"])
    if spare:
        machine.member("md127", "sdd", slot=None, state="spare")


def test_a_pulled_member_stays_as_missing_with_its_bay_and_serial(machine: Machine) -> None:
    raid5(machine)
    backend = machine.backend()
    backend.inventory()
    machine.pull(1)
    inventory = machine.backend().inventory()  # also after a restart
    drive = inventory.drive("wwn-BAY01")
    assert drive is not None
    assert (drive.state, drive.bay, drive.serial, drive.device) == (DriveState.MISSING, 1, "BAY01", "")
    assert inventory.virtual_drives[0].state is VirtualDriveState.DEGRADED
    assert inventory.groups[0].spans[0].drives[1] == "wwn-BAY01"


def test_a_rebuild_with_nothing_to_rebuild_is_refused_as_every_back_end_does(machine: Machine) -> None:
    raid5(machine)
    backend = machine.backend()
    seen = backend.inventory()
    with pytest.raises(OperationRefused, match="no empty place"):
        backend.plan(StartRebuild(group=seen.groups[0].id, drive="wwn-BAY03"), seen)


def test_a_member_pulled_between_the_array_and_the_drives_costs_the_array_nothing_else(
    machine: Machine,
) -> None:
    """Seen in the lab: it was told that the volume is lost, all its drives missing, and two seconds later that all is well."""
    raid5(machine)
    backend = machine.backend()
    backend.inventory()
    machine.found.remove(machine.drive(1))  # the array does not know it yet
    inventory = backend.inventory()
    assert inventory.virtual_drives[0].state is VirtualDriveState.DEGRADED
    assert [state(inventory, number) for number in (0, 1, 2)] == [
        DriveState.ONLINE,
        DriveState.MISSING,
        DriveState.ONLINE,
    ]


def test_a_member_that_comes_back_is_foreign_and_its_place_keeps_an_id_of_its_own(machine: Machine) -> None:
    raid5(machine)
    backend = machine.backend()
    backend.inventory()
    machine.pull(1)
    back = machine.add_drive(1)
    back.signature, back.md_uuid = "linux_raid_member", uuid_of("A")
    inventory = backend.inventory()
    drive = inventory.drive("wwn-BAY01")
    assert drive is not None
    assert (drive.state, drive.foreign_group) == (DriveState.FOREIGN, inventory.groups[0].id)
    place = inventory.drive(inventory.groups[0].spans[0].drives[1])
    assert place is not None
    assert (place.id != drive.id, place.state, place.serial) == (True, DriveState.MISSING, "BAY01")


def test_kernel_names_that_changed_places_change_nothing(machine: Machine) -> None:
    raid5(machine)
    before = machine.backend().inventory()
    a, b = machine.drive(0), machine.drive(1)
    a.name, b.name, a.device, b.device = b.name, a.name, b.device, a.device
    for entry, slot in (("sda", 1), ("sdb", 0)):
        machine.member("md127", entry, slot=slot)
    after = machine.backend().inventory()
    assert after.groups[0].spans[0].drives == before.groups[0].spans[0].drives


def test_tend_wakes_an_array_that_waits_for_a_write_so_that_its_spare_is_used(machine: Machine) -> None:
    raid5(machine, spare=True)
    backend = machine.backend()
    backend.inventory()
    machine.pull(1)
    machine.set("md127", "array_state", "read-auto")
    done = backend.tend(backend.inventory())
    assert machine.ran == ["mdadm --readwrite /dev/md127"]
    assert "hot spare" in done[0]


@pytest.mark.parametrize("prepare", ["whole", "without spare", "working"])
def test_tend_leaves_other_waiting_arrays_alone(machine: Machine, prepare: str) -> None:
    raid5(machine, spare=prepare != "without spare")
    machine.set("md127", "array_state", "read-auto")
    if prepare != "whole":
        machine.pull(1)
    if prepare == "working":
        machine.set("md127", "sync_action", "recover")
    backend = machine.backend()
    backend.tend(backend.inventory())
    assert "mdadm --readwrite /dev/md127" not in machine.ran


def test_a_new_raid_5_builds_parity_and_has_not_failed(machine: Machine) -> None:
    backend = machine.backend()
    op = CreateVirtualDrive(name="A", level=RaidLevel.RAID5, spans=(("wwn-BAY00", "wwn-BAY01", "wwn-BAY02"),))
    after = backend.perform(op, backend.inventory())
    (vd,) = after.virtual_drives
    assert (vd.state, vd.is_initialised) == (VirtualDriveState.ONLINE, False)
    assert after.groups[0].spans[0].can_lose == 0
    assert [task.kind for task in after.tasks] == [TaskKind.INITIALISATION]
    assert state(after, 2) is DriveState.ONLINE
    machine.member("md127", "sdc", slot=2)
    machine.set("md127", "sync_action", "idle")
    after = backend.inventory()
    assert (after.virtual_drives[0].is_initialised, after.groups[0].spans[0].can_lose) == (True, 1)
    machine.pull(2)
    machine.add_drive(2, serial="NEW")
    machine.member("md127", "sdc", slot=2, state="spare")
    machine.set("md127", "sync_action", "recover")
    after = backend.inventory()
    assert after.virtual_drives[0].state is VirtualDriveState.DEGRADED
    assert [task.kind for task in after.tasks] == [TaskKind.REBUILD]


def test_the_last_redundancy_is_refused_before_anything_runs(machine: Machine) -> None:
    raid5(machine)
    backend = machine.backend()
    backend.inventory()
    machine.pull(1)
    with pytest.raises(OperationRefused, match="bay 0.*BAY00"):
        backend.perform(SetOffline(drive="wwn-BAY00"), backend.inventory())
    assert machine.ran == []


def test_an_exit_status_of_failure_does_not_hide_that_it_worked(machine: Machine) -> None:
    raid5(machine)
    machine.statuses["--fail"] = (1, "mdadm: Cannot remove, device or resource busy")
    backend = machine.backend()
    after = backend.perform(SetOffline(drive="wwn-BAY01"), backend.inventory())
    assert state(after, 1) is DriveState.OFFLINE


def test_an_exit_status_of_success_does_not_hide_that_nothing_happened(machine: Machine) -> None:
    raid5(machine)
    machine.is_asleep = True
    backend = machine.backend()
    with pytest.raises(CommandFailed, match="still in service"):
        backend.perform(SetOffline(drive="wwn-BAY01"), backend.inventory())
    assert backend.memory.set_offline == {}


def test_a_drive_with_a_file_system_nobody_had_recorded_is_not_added(machine: Machine) -> None:
    raid5(machine)
    machine.probed["/dev/sdd"] = "ext4"
    backend = machine.backend()
    backend.inventory()
    machine.pull(1)
    inventory = backend.inventory()
    with pytest.raises(OperationRefused, match=r"bay 3 \(serial BAY03\) carries ext4"):
        backend.perform(StartRebuild(group=inventory.groups[0].id, drive="wwn-BAY03"), inventory)
    assert machine.ran == []


def test_a_drive_that_is_too_small_is_not_added(machine: Machine) -> None:
    raid5(machine)
    machine.add_drive(9, size_bytes=1024 * 1024)
    machine.pull(1)
    backend = machine.backend()
    inventory = backend.inventory()
    with pytest.raises(OperationRefused, match="are needed"):
        backend.perform(StartRebuild(group=inventory.groups[0].id, drive="wwn-BAY09"), inventory)


def test_delayed_work_is_a_recovery_that_waits(machine: Machine) -> None:
    raid5(machine)
    machine.member("md127", "sdc", slot=2, state="spare")
    machine.set("md127", "sync_action", "recover")
    machine.set("md127", "sync_completed", "delayed")
    (task,) = machine.backend().inventory().tasks
    assert (task.kind, task.state, task.progress) == (TaskKind.REBUILD, TaskState.WAITING, None)


def test_frozen_for_a_moment_is_not_a_paused_task(machine: Machine) -> None:
    raid5(machine)
    machine.set("md127", "sync_action", "frozen")
    assert machine.backend().inventory().tasks == ()


def test_states_that_flap_while_an_array_is_written_change_nothing(machine: Machine) -> None:
    raid5(machine)
    backend = machine.backend()
    seen = set()
    for word in ("clean", "write-pending", "active", "active-idle"):
        machine.set("md127", "array_state", word)
        seen.add(repr(backend.inventory().virtual_drives))
    assert len(seen) == 1


def test_the_failure_md_reports_at_the_end_of_a_copy_is_a_drive_ready_to_be_pulled(machine: Machine) -> None:
    raid5(machine)
    backend = machine.backend()
    op = ReplaceMember(member="wwn-BAY01", replacement="wwn-BAY04")
    after = backend.perform(op, backend.inventory())
    assert [task.kind for task in after.tasks] == [TaskKind.COPYBACK]
    assert (state(after, 1), state(after, 4)) == (DriveState.ONLINE, DriveState.COPYBACK)
    assert after.virtual_drives[0].state is VirtualDriveState.ONLINE
    machine.member("md127", "sdb", slot=None, state="faulty")
    machine.member("md127", "sde", slot=1)
    machine.set("md127", "sync_action", "idle")
    after = backend.inventory()
    assert state(after, 1) is DriveState.UNCONFIGURED_GOOD
    said = backend.tend(after)
    assert "bay 1 (serial BAY01)" in said[0]
    drive = backend.inventory().drive("wwn-BAY01")
    assert drive is not None
    assert drive.is_awaiting_removal


def test_a_failed_drive_is_ready_for_removal_once_its_rebuild_begins(machine: Machine) -> None:
    raid5(machine, spare=True)
    backend = machine.backend()
    backend.inventory()
    machine.member("md127", "sdb", slot=None, state="faulty")
    assert state(backend.inventory(), 1) is DriveState.FAILED
    machine.member("md127", "sdd", slot=1, state="spare")
    machine.set("md127", "sync_action", "recover")
    backend.tend(backend.inventory())
    after = backend.inventory()
    assert (state(after, 1), state(after, 3)) == (DriveState.UNCONFIGURED_GOOD, DriveState.REBUILD)


def test_corrected_sectors_are_counted_on_the_drive(machine: Machine) -> None:
    raid5(machine)
    machine.member("md127", "sdb", slot=1, errors=1984)
    drive = machine.backend().inventory().drive_in(1)
    assert drive is not None
    assert (drive.media_errors, drive.state) == (1984, DriveState.ONLINE)


def test_members_of_an_inactive_array_are_foreign_not_spares(machine: Machine) -> None:
    machine.array("md0", "X", "", ["sda"], array_state="inactive", raid_disks="")
    drive = machine.backend().inventory().drive_in(0)
    assert drive is not None
    assert (drive.state, drive.foreign) == (DriveState.FOREIGN, f"md-{uuid_of('X').replace(':', '-')}")


def test_an_array_of_partitions_is_protected(machine: Machine) -> None:
    machine.array("md1", "root", "raid1", ["sda1", "sdb1"])
    for number in (0, 1):
        machine.drive(number).partitions = (f"{machine.drive(number).name}1",)
    inventory = machine.backend().inventory()
    assert inventory.groups == ()
    assert (state(inventory, 0), state(inventory, 2)) == (DriveState.PROTECTED, DriveState.UNCONFIGURED_GOOD)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("is_system", True, "operating system"),
        ("mounts", ("/srv",), "/srv"),
        ("partitions", ("sdh1",), "partition"),
        ("holders", ("dm-0",), "dm-0"),
        ("signature", "xfs", "xfs"),
    ],
)
def test_a_drive_that_is_anybodys_is_protected(
    machine: Machine, field: str, value: object, said: str
) -> None:
    setattr(machine.drive(7), field, value)
    drive = machine.backend().inventory().drive_in(7)
    assert drive is not None
    assert drive.state is DriveState.PROTECTED
    assert said in drive.cause


def test_a_leg_that_fails_fails_the_nested_array(machine: Machine) -> None:
    machine.array("md125", "B-0", "raid5", ["sda", "sdb", "sdc"])
    machine.array("md126", "B-1", "raid5", ["sdd", "sde", "sdf"])
    machine.array("md127", "B", "raid0", ["md125", "md126"])
    backend = machine.backend()
    inventory = backend.inventory()
    assert [(vd.name, vd.level, vd.state) for vd in inventory.virtual_drives] == [
        ("B", RaidLevel.RAID50, VirtualDriveState.ONLINE)
    ]
    machine.pull(0)
    inventory = backend.inventory()
    assert inventory.virtual_drives[0].state is VirtualDriveState.DEGRADED
    assert [span.can_lose for span in inventory.groups[0].spans] == [0, 1]
    machine.pull(1)
    assert machine.get("md127", "array_state") == "clean"
    assert backend.inventory().virtual_drives[0].state is VirtualDriveState.FAILED


def test_raid_10_is_lost_with_the_second_drive_of_a_pair_only(machine: Machine) -> None:
    machine.array("md127", "T", "raid10", ["sda", "sdb", "sdc", "sdd"])
    backend = machine.backend()
    backend.inventory()
    machine.pull(0)
    machine.pull(2)
    inventory = backend.inventory()
    assert inventory.virtual_drives[0].state is VirtualDriveState.DEGRADED
    machine.pull(3)
    assert backend.inventory().virtual_drives[0].state is VirtualDriveState.FAILED


def test_what_changed_since_it_was_seen_is_not_acted_upon(machine: Machine) -> None:
    raid5(machine)
    backend = machine.backend()
    seen = backend.inventory()
    machine.member("md127", "sdb", slot=None, state="faulty")
    with pytest.raises(StateChanged, match="bay 1"):
        backend.perform(SetOffline(drive="wwn-BAY01"), seen)
    with pytest.raises(StateChanged, match="has changed"):
        backend.perform(StartCheck(virtual_drive="A"), seen)
    assert machine.ran == []
