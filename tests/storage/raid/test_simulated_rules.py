"""The rules of the manual that the contract cannot ask of every back-end: rows RB, BG, BY-12 on the simulated one."""

import os
from collections.abc import Callable

import msgspec
import pytest

from storage.errors import CommandFailed, Conflict, InvalidInput, NotFound, OperationRefused, Unsupported
from storage.raid import operations as ops
from storage.raid.inventory import Drive, Inventory, Rates, Task
from storage.raid.simulated import EventFd, SimulatedBackend
from storage.raid.simulated_layout import FRONT_16, DriveSpec, full_chassis
from storage.raid.simulated_state import SimState
from storage.raid.states import (
    Capability,
    DriveState,
    RaidLevel,
    SpareKind,
    TaskKind,
    TaskState,
    VirtualDriveState,
)
from tests.fakes.clock import FakeClock
from tests.storage.raid.contract import create, good_drives, run, vd_named
from tests.storage.raid.simulated_box import SimulatedBox

PASS_S = 90


@pytest.fixture
def box() -> SimulatedBox:
    return SimulatedBox(full_chassis(FRONT_16, "front-16"))


def at(box: SimulatedBox, bay: int) -> Drive:
    found = box.backend.inventory().drive_in(bay)
    assert found is not None
    return found


def state(box: SimulatedBox) -> VirtualDriveState:
    vd = vd_named(box.backend.inventory(), "A")
    assert vd is not None
    return vd.state


def tasks(box: SimulatedBox, *kinds: TaskKind) -> list[Task]:
    return [task for task in box.backend.inventory().tasks if not kinds or task.kind in kinds]


def settled_blank(box: SimulatedBox, bay: int, spec: DriveSpec | None = None) -> str:
    id = box.backend.insert_blank(bay, spec or DriveSpec())
    box.wait(10)
    return id


def test_the_failed_drive_is_ready_when_the_rebuild_to_the_spare_begins(box: SimulatedBox) -> None:
    create(box, RaidLevel.RAID5, 3, spares=1)
    failed = at(box, 1)
    box.backend.fail(1)
    now = box.backend.inventory()
    ready = now.drive(failed.id)
    assert ready is not None
    assert (ready.state, ready.is_awaiting_removal, ready.group) == (DriveState.UNCONFIGURED_GOOD, True, "")
    assert at(box, 3).state is DriveState.REBUILD
    assert 0 <= (tasks(box, TaskKind.REBUILD)[0].progress or 0) < 0.01


def test_a_source_that_fails_in_a_rebuild_is_offline_and_the_spare_is_a_spare_again(
    box: SimulatedBox,
) -> None:
    vd = create(box, RaidLevel.RAID5, 3, spares=1)
    box.backend.fail(0)
    box.wait(PASS_S / 2)
    box.backend.fail(1)
    now = box.backend.inventory()
    assert (at(box, 1).state, state(box)) == (DriveState.OFFLINE, VirtualDriveState.FAILED)
    spare = at(box, 3)
    assert (spare.state, spare.spare, spare.spare_groups) == (
        DriveState.HOT_SPARE,
        SpareKind.DEDICATED,
        (vd.group,),
    )
    assert now.tasks == ()


def test_a_global_spare_stays_global_when_its_rebuild_fails(box: SimulatedBox) -> None:
    vd = create(box, RaidLevel.RAID5, 3)
    spare = at(box, 3).id
    run(box, ops.AssignSpare(drive=spare))
    box.backend.fail(0)
    run(box, ops.StartRebuild(group=vd.group, drive=spare))
    box.backend.fail(2)
    assert (at(box, 3).state, at(box, 3).spare) == (DriveState.HOT_SPARE, SpareKind.GLOBAL)


def test_a_source_that_was_pulled_and_put_back_saves_the_data(box: SimulatedBox) -> None:
    create(box, RaidLevel.RAID5, 3, spares=1)
    box.backend.fail(0)
    box.wait(PASS_S / 2)
    pulled = at(box, 1).id
    box.pull(1)
    assert state(box) is VirtualDriveState.FAILED
    box.insert(1)
    run(box, ops.ReAddMember(drive=pulled))
    assert state(box) is VirtualDriveState.DEGRADED
    assert at(box, 3).state is DriveState.REBUILD, "the spare begins again"
    box.wait(PASS_S + 1)
    assert state(box) is VirtualDriveState.ONLINE


def test_raid_6_rebuilds_one_after_the_other(box: SimulatedBox) -> None:
    vd = create(box, RaidLevel.RAID6, 5)
    box.backend.fail(0)
    box.backend.fail(1)
    assert state(box) is VirtualDriveState.DEGRADED
    for bay in (5, 6):
        run(box, ops.StartRebuild(group=vd.group, drive=at(box, bay).id))
    assert [task.state for task in tasks(box)] == [TaskState.RUNNING, TaskState.WAITING]
    box.wait(PASS_S + 1)
    assert state(box) is VirtualDriveState.PARTIALLY_DEGRADED
    assert [task.state for task in tasks(box)] == [TaskState.RUNNING]
    box.wait(PASS_S)
    assert state(box) is VirtualDriveState.ONLINE


def test_two_dedicated_spares_of_a_raid_6_start_one_after_the_other(box: SimulatedBox) -> None:
    create(box, RaidLevel.RAID6, 4, spares=2)
    box.backend.fail(0)
    box.backend.fail(1)
    assert len(tasks(box, TaskKind.REBUILD)) == 1
    box.wait(2 * PASS_S + 2)
    assert state(box) is VirtualDriveState.ONLINE


def test_raid_60_rebuilds_two_drives_of_a_set_at_the_same_time(box: SimulatedBox) -> None:
    vd = create(box, RaidLevel.RAID60, 4, 4)
    box.backend.fail(0)
    box.backend.fail(1)
    for bay in (8, 9):
        run(box, ops.StartRebuild(group=vd.group, drive=at(box, bay).id))
    assert [task.state for task in tasks(box)] == [TaskState.RUNNING, TaskState.RUNNING]
    box.wait(PASS_S + 1)
    assert state(box) is VirtualDriveState.ONLINE


def test_a_raid_6_drive_that_fails_while_another_is_rebuilt_costs_no_data(box: SimulatedBox) -> None:
    vd = create(box, RaidLevel.RAID6, 5)
    box.backend.fail(0)
    run(box, ops.StartRebuild(group=vd.group, drive=at(box, 5).id))
    box.wait(10)
    box.backend.fail(1)
    assert state(box) is VirtualDriveState.DEGRADED
    assert at(box, 1).state is DriveState.FAILED
    assert [task.state for task in tasks(box)] == [TaskState.RUNNING]


def test_after_a_loss_in_a_migration_the_rebuild_is_started_by_hand_when_it_is_over(
    box: SimulatedBox,
) -> None:
    vd = create(box, RaidLevel.RAID5, 4, spares=1)
    run(box, ops.Migrate(virtual_drive=vd.id, level=RaidLevel.RAID6, add=(at(box, 5).id,)))
    box.backend.fail(0)
    spare = at(box, 4).id
    rebuild = ops.StartRebuild(group=vd.group, drive=spare)
    with pytest.raises(OperationRefused, match="level"):
        run(box, rebuild)
    box.wait(PASS_S + 1)
    assert at(box, 4).state is DriveState.HOT_SPARE, "not by itself"
    assert vd_named(box.backend.inventory(), "A").level is RaidLevel.RAID6  # type: ignore[union-attr]
    run(box, rebuild)
    box.wait(PASS_S + 1)
    assert state(box) is VirtualDriveState.ONLINE


def test_a_restart_goes_on_where_the_rebuild_was(box: SimulatedBox) -> None:
    kept: list[bytes] = []
    clock = FakeClock()
    layout = full_chassis()
    backend = SimulatedBackend(layout, clock, keep=lambda now: kept.append(msgspec.json.encode(now)))
    ids = [drive.id for drive in good_drives(backend.inventory())]
    backend.perform(
        ops.CreateVirtualDrive(name="A", level=RaidLevel.RAID5, spans=(tuple(ids[:3]),), spares=(ids[3],)),
        backend.inventory(),
    )
    backend.fail(0)
    clock.advance(45_000_000)
    before = backend.inventory()
    backend.close()
    clock.advance(3_600_000_000)
    again = SimulatedBackend(layout, clock, msgspec.json.decode(kept[-1], type=SimState))
    assert again.inventory() == before
    assert 0.45 < (before.tasks[0].progress or 0) < 0.55


def test_a_drive_is_not_used_in_its_first_ten_seconds(box: SimulatedBox) -> None:
    box.pull(9)
    id = box.backend.insert_blank(9)
    with pytest.raises(OperationRefused, match="inserted just now"):
        run(box, ops.AssignSpare(drive=id))
    box.wait(10)
    run(box, ops.AssignSpare(drive=id))


def test_a_drive_that_is_too_small_is_refused_with_both_sizes(box: SimulatedBox) -> None:
    vd = create(box, RaidLevel.RAID5, 3)
    box.pull(0)
    small = settled_blank(box, 0, DriveSpec(size_bytes=4 * 10**12))
    with pytest.raises(OperationRefused, match=r"4\.00 TB, 6\.00 TB"):
        run(box, ops.StartRebuild(group=vd.group, drive=small))


def test_rates_count_only_for_what_starts_after_them(box: SimulatedBox) -> None:
    vd = create(box, RaidLevel.RAID5, 3)
    run(box, ops.StartCheck(virtual_drive=vd.id))
    before = tasks(box)[0].eta_s
    run(box, ops.SetRates(controller="sim", rates=Rates(check=90)))
    assert tasks(box)[0].eta_s == before == PASS_S
    run(box, ops.StopTask(task=tasks(box)[0].id))
    run(box, ops.StartCheck(virtual_drive=vd.id))
    assert tasks(box)[0].eta_s == PASS_S // 3
    with pytest.raises(InvalidInput):
        run(box, ops.SetRates(controller="sim", rates=Rates(check=0)))


def test_a_new_virtual_drive_is_initialised_by_hand_and_then_is(box: SimulatedBox) -> None:
    vd = create(box, RaidLevel.RAID5, 3)
    assert not vd.is_initialised
    run(box, ops.StartInitialisation(virtual_drive=vd.id))
    box.wait(PASS_S + 1)
    assert vd_named(box.backend.inventory(), "A").is_initialised  # type: ignore[union-attr]
    with pytest.raises(OperationRefused, match="initialised"):
        run(box, ops.StartInitialisation(virtual_drive=vd.id))


def test_a_check_finds_what_does_not_match_and_a_repairing_one_mends_it(box: SimulatedBox) -> None:
    vd = create(box, RaidLevel.RAID5, 3)
    box.backend.spoil_parity("A", 16)
    found: list[int | None] = []
    for repair in (False, True, False):
        run(box, ops.StartCheck(virtual_drive=vd.id, repair=repair))
        checked = vd_named(box.wait(PASS_S + 1), "A")
        assert checked is not None
        found.append(checked.mismatches)
        assert checked.checked_us is not None
        assert box.clock.now_us() - 2_000_000 <= checked.checked_us <= box.clock.now_us()
    assert found == [16, 16, 0]


def test_work_waits_for_a_rebuild_of_the_same_group(box: SimulatedBox) -> None:
    vd = create(box, RaidLevel.RAID6, 5)
    run(box, ops.StartInitialisation(virtual_drive=vd.id))
    box.backend.fail(0)
    run(box, ops.StartRebuild(group=vd.group, drive=at(box, 5).id))
    waiting = tasks(box, TaskKind.INITIALISATION)[0]
    assert (waiting.state, waiting.eta_s) == (TaskState.WAITING, None)
    assert "bay 5" in waiting.detail
    box.wait(2 * PASS_S + 2)
    assert tasks(box) == []


def test_a_copy_whose_source_fails_becomes_a_rebuild_and_keeps_its_progress(box: SimulatedBox) -> None:
    create(box, RaidLevel.RAID5, 3)
    old, new = at(box, 0).id, at(box, 5).id
    run(box, ops.ReplaceMember(member=old, replacement=new))
    assert at(box, 5).state is DriveState.COPYBACK
    box.wait(PASS_S * 0.9)
    box.backend.fail(0)
    (task,) = tasks(box)
    assert (task.kind, task.drive, round(task.progress or 0, 1)) == (TaskKind.REBUILD, new, 0.9)
    box.wait(PASS_S * 0.1 + 1)
    assert state(box) is VirtualDriveState.ONLINE


def test_a_spare_whose_place_is_given_to_a_new_drive_is_a_spare_again(box: SimulatedBox) -> None:
    create(box, RaidLevel.RAID5, 3, spares=1)
    box.backend.fail(0)
    box.wait(PASS_S + 1)
    box.pull(0)
    new = settled_blank(box, 0)
    run(box, ops.ReplaceMember(member=at(box, 3).id, replacement=new))
    box.wait(PASS_S + 1)
    assert (at(box, 0).state, at(box, 3).state) == (DriveState.ONLINE, DriveState.HOT_SPARE)


def test_a_member_whose_place_was_taken_while_it_was_away_is_foreign_and_can_be_cleared(
    box: SimulatedBox,
) -> None:
    vd = create(box, RaidLevel.RAID5, 3, spares=1)
    old = at(box, 0).id
    box.pull(0)
    box.wait(PASS_S + 1)
    assert box.backend.inventory().drive(old) is None
    box.insert(0)
    back = at(box, 0)
    assert (back.id, back.state, back.foreign_group) == (old, DriveState.FOREIGN, vd.group)
    with pytest.raises(OperationRefused, match="taken"):
        run(box, ops.ReAddMember(drive=old))
    run(box, ops.ClearForeign(drives=(old,)))
    assert at(box, 0).state is DriveState.UNCONFIGURED_GOOD


def test_a_re_added_member_is_quick_by_the_bitmap_and_slow_without(box: SimulatedBox) -> None:
    ids = [drive.id for drive in good_drives(box.backend.inventory())]
    for name, first, has_bitmap in (("A", 0, True), ("B", 3, False)):
        run(
            box,
            ops.CreateVirtualDrive(
                name=name,
                level=RaidLevel.RAID5,
                spans=(tuple(ids[first : first + 3]),),
                has_bitmap=has_bitmap,
            ),
        )
        box.pull(first)
        box.insert(first)
        run(box, ops.ReAddMember(drive=ids[first]))
    quick, slow = tasks(box)
    assert (quick.progress, slow.progress) == (0.95, 0.0)


def test_a_broken_drive_is_never_good_again(box: SimulatedBox) -> None:
    box.backend.fail(6)
    assert at(box, 6).state is DriveState.UNCONFIGURED_BAD
    with pytest.raises(CommandFailed):
        run(box, ops.SetGood(drive=at(box, 6).id))
    assert at(box, 6).state is DriveState.UNCONFIGURED_BAD
    box.backend.heal(6)
    assert at(box, 6).state is DriveState.UNCONFIGURED_GOOD


def test_a_failed_hot_spare_is_failed_and_no_spare(box: SimulatedBox) -> None:
    run(box, ops.AssignSpare(drive=at(box, 6).id))
    box.backend.fail(6)
    assert (at(box, 6).state, at(box, 6).spare) == (DriveState.FAILED, None)


def test_a_member_holding_the_only_copy_is_not_set_good(box: SimulatedBox) -> None:
    create(box, RaidLevel.RAID0, 2)
    id = at(box, 0).id
    box.pull(0)
    box.insert(0)
    with pytest.raises(OperationRefused, match="nowhere else"):
        run(box, ops.SetGood(drive=id))
    run(box, ops.ReAddMember(drive=id))
    assert state(box) is VirtualDriveState.ONLINE


def test_a_foreign_array_is_imported_when_enough_of_it_is_here(box: SimulatedBox) -> None:
    for bay in (13, 14, 15):
        box.pull(bay)
    box.backend.insert_foreign(13, "OLD", RaidLevel.RAID5, 3, 0)
    with pytest.raises(OperationRefused, match="2 of the 3"):
        run(box, ops.ImportForeign(foreign="OLD"))
    box.backend.insert_foreign(14, "OLD", RaidLevel.RAID5, 3, 2)
    run(box, ops.ImportForeign(foreign="OLD"))
    imported = vd_named(box.backend.inventory(), "OLD")
    assert imported is not None
    assert imported.state is VirtualDriveState.DEGRADED
    box.wait(10)
    run(box, ops.StartRebuild(group=imported.group, drive=at(box, 0).id))
    box.wait(PASS_S + 1)
    assert vd_named(box.backend.inventory(), "OLD").state is VirtualDriveState.ONLINE  # type: ignore[union-attr]


def test_deleting_releases_members_and_dedicated_spares(box: SimulatedBox) -> None:
    vd = create(box, RaidLevel.RAID5, 3, spares=1)
    box.pull(2)
    run(box, ops.DeleteVirtualDrive(virtual_drive=vd.id))
    now = box.backend.inventory()
    assert now.virtual_drives == now.groups == now.tasks == ()
    assert {d.state for d in now.drives if d.bay is not None} == {DriveState.UNCONFIGURED_GOOD}
    box.insert(2)
    assert at(box, 2).state is DriveState.UNCONFIGURED_GOOD


def test_a_patrol_read_reads_every_drive_once(box: SimulatedBox) -> None:
    run(box, ops.StartPatrolRead(controller="sim"))
    with pytest.raises(OperationRefused):
        run(box, ops.StartPatrolRead(controller="sim"))
    assert box.wait(PASS_S + 1).tasks == ()
    with pytest.raises(NotFound):
        run(box, ops.StartPatrolRead(controller="c7"))


def test_what_it_cannot_do_it_says_so_in_its_refusals_too(box: SimulatedBox) -> None:
    assert Capability.SILENCE in box.backend.inventory().controllers[0].refusals
    with pytest.raises(Unsupported):
        run(box, ops.Silence(controller="sim"))


def test_levels_that_cannot_be_changed_are_unsupported(box: SimulatedBox) -> None:
    vd = create(box, RaidLevel.RAID10, 2, 2)
    with pytest.raises(Unsupported):
        run(box, ops.Migrate(virtual_drive=vd.id, level=RaidLevel.RAID5))


def test_hands_cannot_do_the_impossible(box: SimulatedBox) -> None:
    with pytest.raises(Conflict):
        box.backend.insert_blank(0)
    with pytest.raises(InvalidInput):
        box.backend.insert_blank(77)
    box.pull(0)
    with pytest.raises(NotFound):
        box.pull(0)


def test_a_change_wakes_whoever_waits_and_says_what_the_kernel_would(box: SimulatedBox) -> None:
    (wakeup,) = box.backend.wakeups()
    assert wakeup.drain() == []
    box.backend.grow_errors(2, 24)
    (note,) = wakeup.drain()
    assert "bay 2" in note
    assert "24 sectors" in note
    assert at(box, 2).media_errors == 24


def test_a_drive_is_predicted_to_fail_before_it_fails(box: SimulatedBox) -> None:
    box.backend.grow_errors(2, 20)
    assert not at(box, 2).is_predicted_to_fail
    box.backend.grow_errors(2, 30)
    assert at(box, 2).is_predicted_to_fail


@pytest.mark.parametrize(
    "operation",
    [
        lambda id: ops.CreateVirtualDrive(name="", level=RaidLevel.RAID1, spans=((id, id),)),
        lambda id: ops.AssignSpare(drive=id, kind=SpareKind.DEDICATED),
        lambda id: ops.AssignSpare(drive=id, groups=("sim-group-1",)),
    ],
)
def test_input_that_makes_no_sense_is_refused(
    box: SimulatedBox, operation: Callable[[str], ops.RaidOperation]
) -> None:
    with pytest.raises(InvalidInput):
        run(box, operation(at(box, 0).id))


def test_every_member_stays_in_the_inventory_with_its_bay(box: SimulatedBox) -> None:
    create(box, RaidLevel.RAID6, 4)
    box.pull(1)
    new = box.backend.insert_blank(1)
    now: Inventory = box.backend.inventory()
    assert now.drive_in(1) is not None
    assert now.drive_in(1).id == new  # type: ignore[union-attr]
    assert [d.bay for d in now.drives if d.state is DriveState.MISSING] == [1]


def test_a_chassis_that_nobody_keeps_keeps_no_descriptor() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        EventFd()
    assert len(os.listdir("/proc/self/fd")) <= before
