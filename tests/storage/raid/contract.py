"""What every RAID back-end must do, told as scenarios: run on the simulated chassis here and on md in the lab.

A scenario takes a `Box`: a back-end with at least eight empty drives of one size, and hands. Bays are told apart by the
inventory alone. Each leaves the box as it found it or is given a fresh one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import pytest

from storage.errors import DriveError, InvalidInput, NotFound, OperationRefused, StateChanged
from storage.raid import operations as ops
from storage.raid.backend import RaidBackend
from storage.raid.inventory import Drive, DriveGroup, Inventory, VirtualDrive
from storage.raid.levels import usable_bytes
from storage.raid.states import DriveState, RaidLevel, SpareKind, TaskKind, TaskState, VirtualDriveState


class Box(Protocol):
    """A back-end and the hands of a person in front of it."""

    backend: RaidBackend

    def pull(self, bay: int) -> None: ...

    def insert(self, bay: int) -> None:
        """The same drive again."""
        ...

    def insert_blank(self, bay: int) -> None:
        """A new one of the same size."""
        ...

    def wait_until(self, is_so: Callable[[Inventory], bool]) -> Inventory:
        """Look (and tend) again until it is so; fails the test when it takes too long."""
        ...


def good_drives(inventory: Inventory) -> list[Drive]:
    found = [d for d in inventory.drives if d.state is DriveState.UNCONFIGURED_GOOD and d.bay is not None]
    return sorted(found, key=lambda drive: drive.bay or 0)


def create(box: Box, level: RaidLevel, *counts: int, spares: int = 0, name: str = "A") -> VirtualDrive:
    """A virtual drive of so many drives in each span, its first synchronisation over."""
    before = box.backend.inventory()
    ids = [drive.id for drive in good_drives(before)]
    spans = []
    for count in counts:
        spans.append(tuple(ids[:count]))
        ids = ids[count:]
    operation = ops.CreateVirtualDrive(name=name, level=level, spans=tuple(spans), spares=tuple(ids[:spares]))
    assert box.backend.plan(operation, before), "a plan names its commands"
    box.backend.perform(operation, before)
    after = box.wait_until(lambda now: vd_named(now, name) is not None and is_quiet(now))
    made = vd_named(after, name)
    assert made is not None
    return made


def vd_named(inventory: Inventory, name: str) -> VirtualDrive | None:
    return inventory.virtual_drive(name)


def is_quiet(inventory: Inventory) -> bool:
    return not inventory.tasks


def is_state(name: str, *states: VirtualDriveState) -> Callable[[Inventory], bool]:
    def look(inventory: Inventory) -> bool:
        vd = vd_named(inventory, name)
        return vd is not None and vd.state in states

    return look


def group_of(inventory: Inventory, vd: VirtualDrive) -> DriveGroup:
    found = inventory.group(vd.group)
    assert found is not None
    return found


def members(inventory: Inventory, vd: VirtualDrive, span: int = 0) -> list[Drive]:
    found = [inventory.drive(id) for id in group_of(inventory, vd).spans[span].drives]
    assert all(drive is not None for drive in found), "every member is in the inventory, a missing one too"
    return [drive for drive in found if drive is not None]


def bay_of(drive: Drive) -> int:
    assert drive.bay is not None
    return drive.bay


def run(box: Box, operation: ops.RaidOperation) -> Inventory:
    return box.backend.perform(operation, box.backend.inventory())


# -- scenarios -----------------------------------------------------------------------------------------------


def each_level_is_made_and_deleted(box: Box, level: RaidLevel, counts: tuple[int, ...]) -> None:
    vd = create(box, level, *counts)
    now = box.backend.inventory()
    group = group_of(now, vd)
    assert vd.level is level
    assert vd.state is VirtualDriveState.ONLINE
    drives = [drive for span in range(len(group.spans)) for drive in members(now, vd, span)]
    assert len(drives) == sum(counts)
    assert {drive.state for drive in drives} == {DriveState.ONLINE}
    assert all(drive.group == group.id for drive in drives)
    size = min(drive.coerced_bytes for drive in drives)
    whole = usable_bytes(level, [[size] * count for count in counts])
    assert 0.9 * whole <= vd.size_bytes <= 1.01 * whole
    run(box, ops.DeleteVirtualDrive(virtual_drive=vd.id))
    after = box.wait_until(lambda now: not now.virtual_drives)
    assert {d.state for d in after.drives if d.id in {drive.id for drive in drives}} == {
        DriveState.UNCONFIGURED_GOOD
    }


def a_pulled_member_is_missing_and_the_virtual_drive_degraded(box: Box) -> None:
    vd = create(box, RaidLevel.RAID5, 3)
    victim = members(box.backend.inventory(), vd)[1]
    box.pull(bay_of(victim))
    after = box.wait_until(is_state("A", VirtualDriveState.DEGRADED))
    gone = after.drive(victim.id)
    assert gone is not None
    assert gone.state is DriveState.MISSING
    assert (gone.bay, gone.serial) == (victim.bay, victim.serial)
    assert group_of(after, vd).spans[0].can_lose == 0


def a_drive_put_back_is_re_added(box: Box) -> None:
    vd = create(box, RaidLevel.RAID5, 3)
    victim = members(box.backend.inventory(), vd)[0]
    box.pull(bay_of(victim))
    box.wait_until(is_state("A", VirtualDriveState.DEGRADED))
    box.insert(bay_of(victim))
    group = group_of(box.backend.inventory(), vd).id
    box.wait_until(lambda now: (back := now.drive(victim.id)) is not None and back.foreign_group == group)
    run(box, ops.ReAddMember(drive=victim.id))
    after = box.wait_until(lambda now: is_quiet(now) and is_state("A", VirtualDriveState.ONLINE)(now))
    assert victim.id in {drive.id for drive in members(after, vd)}


def a_new_drive_is_rebuilt_onto(box: Box) -> None:
    vd = create(box, RaidLevel.RAID5, 3)
    victim = members(box.backend.inventory(), vd)[2]
    bay = bay_of(victim)
    box.pull(bay)
    box.wait_until(is_state("A", VirtualDriveState.DEGRADED))
    box.insert_blank(bay)
    there = box.wait_until(lambda now: any(d.bay == bay for d in good_drives(now)))
    new = next(drive for drive in good_drives(there) if drive.bay == bay)
    assert new.id != victim.id

    def accept(now: Inventory) -> bool:
        try:
            box.backend.perform(ops.StartRebuild(group=vd.group, drive=new.id), now)
        except OperationRefused:  # it was inserted just now
            return False
        return True

    box.wait_until(accept)
    seen = box.backend.inventory()
    if not is_quiet(seen):
        assert [task.kind for task in seen.tasks] == [TaskKind.REBUILD]
        assert next(d for d in seen.drives if d.id == new.id).state is DriveState.REBUILD
    after = box.wait_until(lambda now: is_quiet(now) and is_state("A", VirtualDriveState.ONLINE)(now))
    assert new.id in {drive.id for drive in members(after, vd)}
    assert after.drive(victim.id) is None


def a_dedicated_spare_takes_over_by_itself(box: Box) -> None:
    vd = create(box, RaidLevel.RAID5, 3, spares=1)
    now = box.backend.inventory()
    spare = next(drive for drive in now.drives if drive.state is DriveState.HOT_SPARE)
    assert (spare.spare, spare.spare_groups) == (SpareKind.DEDICATED, (vd.group,))
    box.pull(bay_of(members(now, vd)[0]))
    after = box.wait_until(
        lambda now: (
            is_quiet(now) and is_state("A", VirtualDriveState.ONLINE)(now) and spare.id in _ids(now, vd)
        )
    )
    taken = after.drive(spare.id)
    assert taken is not None
    assert taken.state is DriveState.ONLINE


def _ids(inventory: Inventory, vd: VirtualDrive) -> set[str]:
    return {id for span in group_of(inventory, vd).spans for id in span.drives}


def a_global_spare_is_remembered_and_waits_to_be_told(box: Box) -> None:
    vd = create(box, RaidLevel.RAID5, 3)
    candidate = good_drives(box.backend.inventory())[0]
    run(box, ops.AssignSpare(drive=candidate.id, kind=SpareKind.GLOBAL))
    box.pull(bay_of(members(box.backend.inventory(), vd)[0]))
    degraded = box.wait_until(is_state("A", VirtualDriveState.DEGRADED))
    waiting = degraded.drive(candidate.id)
    assert waiting is not None
    assert (waiting.state, waiting.spare) == (DriveState.HOT_SPARE, SpareKind.GLOBAL)
    run(box, ops.StartRebuild(group=vd.group, drive=candidate.id))
    box.wait_until(lambda now: is_quiet(now) and is_state("A", VirtualDriveState.ONLINE)(now))


def a_spare_is_assigned_and_released(box: Box) -> None:
    candidate = good_drives(box.backend.inventory())[0]
    run(box, ops.AssignSpare(drive=candidate.id))
    assert _state(box, candidate) is DriveState.HOT_SPARE
    run(box, ops.ReleaseSpare(drive=candidate.id))
    assert _state(box, candidate) is DriveState.UNCONFIGURED_GOOD


def _state(box: Box, drive: Drive) -> DriveState:
    found = box.backend.inventory().drive(drive.id)
    assert found is not None
    return found.state


def a_working_member_is_copied_onto_another_drive(box: Box) -> None:
    vd = create(box, RaidLevel.RAID5, 3)
    now = box.backend.inventory()
    old, new = members(now, vd)[1], good_drives(now)[0]
    run(box, ops.ReplaceMember(member=old.id, replacement=new.id))
    states: set[VirtualDriveState] = set()

    def is_done(now: Inventory) -> bool:
        seen = vd_named(now, "A")
        assert seen is not None
        states.add(seen.state)
        return is_quiet(now) and new.id in _ids(now, vd) and old.id not in _ids(now, vd)

    box.wait_until(is_done)
    assert states == {VirtualDriveState.ONLINE}, "redundancy is kept all the while"


def raid_0_fails_at_once(box: Box) -> None:
    vd = create(box, RaidLevel.RAID0, 3)
    box.pull(bay_of(members(box.backend.inventory(), vd)[0]))
    box.wait_until(is_state("A", VirtualDriveState.FAILED))


def raid_6_is_partially_degraded_then_degraded(box: Box) -> None:
    vd = create(box, RaidLevel.RAID6, 4)
    first, second = members(box.backend.inventory(), vd)[:2]
    box.pull(bay_of(first))
    box.wait_until(is_state("A", VirtualDriveState.PARTIALLY_DEGRADED))
    box.pull(bay_of(second))
    box.wait_until(is_state("A", VirtualDriveState.DEGRADED))


def two_losses_in_one_raid_5_set_of_a_raid_50_fail_it(box: Box) -> None:
    vd = create(box, RaidLevel.RAID50, 3, 3)
    now = box.backend.inventory()
    a, b = members(now, vd, 0), members(now, vd, 1)
    box.pull(bay_of(a[0]))
    box.pull(bay_of(b[0]))
    box.wait_until(is_state("A", VirtualDriveState.DEGRADED))
    box.pull(bay_of(a[1]))
    box.wait_until(is_state("A", VirtualDriveState.FAILED))


def what_a_nested_array_held_is_not_found_again(box: Box) -> None:
    """The sets of a RAID 50 carry the array on top of them at the place where the next array begins."""
    first = create(box, RaidLevel.RAID50, 3, 3)
    run(box, ops.DeleteVirtualDrive(virtual_drive=first.id))
    box.wait_until(lambda now: not now.virtual_drives)
    vd = create(box, RaidLevel.RAID0, 3)
    assert [found.id for found in box.backend.inventory().virtual_drives] == [vd.id]
    run(box, ops.DeleteVirtualDrive(virtual_drive=vd.id))
    box.wait_until(lambda now: not now.virtual_drives)


def a_check_runs_pauses_goes_on_and_reports(box: Box) -> None:
    vd = create(box, RaidLevel.RAID5, 3)
    run(box, ops.StartCheck(virtual_drive=vd.id))
    task = next(task for task in box.backend.inventory().tasks if task.kind is TaskKind.CHECK)
    run(box, ops.PauseTask(task=task.id))
    assert {t.state for t in box.backend.inventory().tasks if t.id == task.id} == {TaskState.PAUSED}
    run(box, ops.ResumeTask(task=task.id))
    after = box.wait_until(is_quiet)
    checked = vd_named(after, "A")
    assert checked is not None
    assert checked.mismatches == 0


def a_check_can_be_stopped(box: Box) -> None:
    vd = create(box, RaidLevel.RAID5, 3)
    run(box, ops.StartCheck(virtual_drive=vd.id))
    task = next(task for task in box.backend.inventory().tasks if task.kind is TaskKind.CHECK)
    run(box, ops.StopTask(task=task.id))
    box.wait_until(is_quiet)


def what_would_lose_data_is_refused(box: Box) -> None:
    vd = create(box, RaidLevel.RAID5, 3)
    first, second, _ = members(box.backend.inventory(), vd)
    _refused(box, ops.AssignSpare(drive=first.id), "in use by a group")
    _refused(
        box,
        ops.StartRebuild(group=vd.group, drive=good_drives(box.backend.inventory())[0].id),
        "nothing is lost",
    )
    run(box, ops.SetOffline(drive=first.id))
    box.wait_until(is_state("A", VirtualDriveState.DEGRADED))
    _refused(box, ops.SetOffline(drive=second.id), "the last redundancy")
    protected = next((d for d in box.backend.inventory().drives if d.state is DriveState.PROTECTED), None)
    assert protected is not None, "the box has a system drive"
    _refused(box, ops.AssignSpare(drive=protected.id), "a protected drive as a spare")
    others = [d.id for d in good_drives(box.backend.inventory())[:2]]
    _refused(
        box,
        ops.CreateVirtualDrive(name="B", level=RaidLevel.RAID5, spans=((*others, protected.id),)),
        "a protected drive in a group",
    )


def _refused(box: Box, operation: ops.RaidOperation, what: str) -> None:
    before = box.backend.inventory()
    with pytest.raises(OperationRefused) as planned:
        box.backend.plan(operation, before)
    assert planned.value.remedy, f"{what}: says what to do instead"
    with pytest.raises(OperationRefused):
        box.backend.perform(operation, before)
    after = box.backend.inventory()
    assert {d.id: d.state for d in after.drives} == {d.id: d.state for d in before.drives}, what


def wrong_input_is_told_apart(box: Box) -> None:
    ids = [drive.id for drive in good_drives(box.backend.inventory())]
    now = box.backend.inventory()
    with pytest.raises(InvalidInput):
        box.backend.plan(
            ops.CreateVirtualDrive(name="A", level=RaidLevel.RAID5, spans=(tuple(ids[:2]),)), now
        )
    with pytest.raises(NotFound):
        box.backend.plan(ops.DeleteVirtualDrive(virtual_drive="nothing"), now)
    with pytest.raises(NotFound):
        box.backend.plan(ops.AssignSpare(drive="wwn-0x0"), now)


def redundancy_is_needed_for_spares_and_checks(box: Box) -> None:
    vd = create(box, RaidLevel.RAID0, 2)
    spare = good_drives(box.backend.inventory())[0]
    now = box.backend.inventory()
    with pytest.raises(DriveError):
        box.backend.plan(ops.AssignSpare(drive=spare.id, kind=SpareKind.DEDICATED, groups=(vd.group,)), now)
    with pytest.raises(DriveError):
        box.backend.plan(ops.StartCheck(virtual_drive=vd.id), now)


def an_operation_on_what_has_changed_since_is_not_done(box: Box) -> None:
    vd = create(box, RaidLevel.RAID5, 3)
    seen = box.backend.inventory()
    victim = members(seen, vd)[0]
    box.pull(bay_of(victim))
    box.wait_until(is_state("A", VirtualDriveState.DEGRADED))
    with pytest.raises(StateChanged):
        box.backend.perform(ops.SetOffline(drive=victim.id), seen)


LEVEL_CASES = [
    (RaidLevel.RAID0, (3,)),
    (RaidLevel.RAID00, (2, 2)),
    (RaidLevel.RAID1, (2,)),
    (RaidLevel.RAID5, (4,)),
    (RaidLevel.RAID6, (4,)),
    (RaidLevel.RAID10, (2, 2)),
    (RaidLevel.RAID50, (3, 3)),
    (RaidLevel.RAID60, (4, 4)),
]

SCENARIOS: tuple[Callable[[Box], None], ...] = (
    a_pulled_member_is_missing_and_the_virtual_drive_degraded,
    a_drive_put_back_is_re_added,
    a_new_drive_is_rebuilt_onto,
    a_dedicated_spare_takes_over_by_itself,
    a_global_spare_is_remembered_and_waits_to_be_told,
    a_spare_is_assigned_and_released,
    a_working_member_is_copied_onto_another_drive,
    raid_0_fails_at_once,
    raid_6_is_partially_degraded_then_degraded,
    two_losses_in_one_raid_5_set_of_a_raid_50_fail_it,
    what_a_nested_array_held_is_not_found_again,
    a_check_runs_pauses_goes_on_and_reports,
    a_check_can_be_stopped,
    what_would_lose_data_is_refused,
    wrong_input_is_told_apart,
    redundancy_is_needed_for_spares_and_checks,
    an_operation_on_what_has_changed_since_is_not_done,
)
