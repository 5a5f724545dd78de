"""What is done without being asked: rows RB-*, SW-*, HS-*, BG-02..04, BY-12."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.chassis.spare_policy import (
    CONTROLLER_GRACE_US,
    FLAP_GRACE_US,
    INITIALISE_AFTER_US,
    KERNEL_GRACE_US,
    RETURN_GRACE_US,
    SETTLE_US,
    TOGETHER_US,
    Due,
    PolicyMemory,
    due,
    remember,
    settles_at_us,
)
from storage.raid.inventory import Drive, Inventory, Task
from storage.raid.operations import AssignSpare, ReAddMember, StartInitialisation, StartRebuild
from storage.raid.states import DriveState, RaidLevel, SpareKind, TaskKind, TaskState, VirtualDriveState
from tests.engine.chassis.raids import TB, changed, drive, raid, spare, with_drives

ON, LOST, FAILED, GOOD = (
    DriveState.ONLINE,
    DriveState.MISSING,
    DriveState.FAILED,
    DriveState.UNCONFIGURED_GOOD,
)
SECOND_US = 1_000_000


class Story:
    """Inventories one after the other, as the service sees them."""

    def __init__(self, first: Inventory, *, auto_rebuild: bool = True, claimed: Sequence[str] = ()) -> None:
        self.memory = PolicyMemory()
        self.now_us = 1_000 * SECOND_US
        self.inventory = first
        self.auto_rebuild = auto_rebuild
        self.claimed = frozenset(claimed)
        self.failing: list[str] = []
        remember(self.memory, first, self.now_us)

    def then(self, inventory: Inventory, after_us: int = SECOND_US) -> Due:
        self.now_us += after_us
        self.inventory = inventory
        remember(self.memory, inventory, self.now_us)
        return self.due()

    def wait(self, us: int) -> Due:
        return self.then(self.inventory, us)

    def due(self) -> Due:
        return due(
            self.inventory,
            self.memory,
            self.now_us,
            auto_rebuild=self.auto_rebuild,
            claimed=self.claimed,
            failing=self.failing,
        )


def operations(found: Due) -> list[object]:
    return [step.operation for step in found.operations]


HEALTHY = raid(RaidLevel.RAID5, [ON, ON, ON, ON])
DEGRADED = raid(RaidLevel.RAID5, [ON, ON, ON, LOST])


def test_nothing_is_due_in_a_box_in_order() -> None:
    assert Story(with_drives(HEALTHY, spare(5), drive(6, GOOD))).due() == Due()


# -- spares ----------------------------------------------------------------------------------------------


def test_global_spare_takes_over_at_once() -> None:
    story = Story(with_drives(HEALTHY, spare(5)))
    found = story.then(with_drives(raid(RaidLevel.RAID5, [ON, ON, ON, FAILED]), spare(5)))
    assert operations(found) == [StartRebuild(group="g", drive="d5", span=0, slot=3)]
    assert "bay 5 (serial S5) takes the place of bay 3 (serial S3)" in found.operations[0].text


def test_dedicated_spare_is_left_to_the_kernel_for_a_moment() -> None:
    own = spare(5, SpareKind.DEDICATED, spare_groups=("g",))
    story = Story(with_drives(HEALTHY, own, spare(6)))
    found = story.then(with_drives(DEGRADED, own, spare(6)))
    assert (operations(found), found.next_us) == ([], story.now_us + KERNEL_GRACE_US)
    assert operations(story.wait(KERNEL_GRACE_US)) == [StartRebuild(group="g", drive="d5", span=0, slot=3)]


def test_raid_controller_chooses_by_itself_for_a_minute() -> None:
    healthy = raid(RaidLevel.RAID5, [ON, ON, ON], others=[spare(5)], backend="megaraid")
    story = Story(healthy)
    degraded = raid(RaidLevel.RAID5, [ON, ON, FAILED], others=[spare(5)], backend="megaraid")
    assert operations(story.then(degraded)) == []
    assert len(operations(story.wait(CONTROLLER_GRACE_US))) == 1


def test_too_small_spare_and_one_of_another_controller_are_not_used() -> None:
    small, foreign = spare(5, coerced_bytes=5 * TB), spare(6, controller="c0")
    assert operations(Story(with_drives(DEGRADED, small, foreign)).due()) == []


def test_drive_with_larger_sectors_is_not_used_by_itself() -> None:
    """The file system on the array could not be mounted any more after the next boot."""
    story = Story(with_drives(HEALTHY, spare(5, sector_bytes=4096)))
    story.then(with_drives(DEGRADED, spare(5, sector_bytes=4096)))
    assert operations(story.wait(KERNEL_GRACE_US)) == []
    story.then(with_drives(DEGRADED, drive(3, GOOD, number=9, sector_bytes=4096)))
    found = story.wait(SETTLE_US)
    assert operations(found) == []
    assert "sectors of 4096 bytes, the group works with 512" in found.not_used[0].text


def test_levels_without_redundancy_have_nothing_to_rebuild() -> None:
    assert operations(Story(raid(RaidLevel.RAID0, [ON, LOST], others=[spare(5)])).due()) == []


def test_raid6_rebuilds_one_after_the_other_and_raid60_both_at_once() -> None:
    spares = [spare(20), spare(21)]
    six = raid(RaidLevel.RAID6, [ON, ON, FAILED, FAILED], others=spares)
    assert len(operations(Story(six).due())) == 1
    task = Task(id="r", kind=TaskKind.REBUILD, state=TaskState.RUNNING, virtual_drive="v", drive="d2")
    busy = raid(RaidLevel.RAID6, [ON, ON, DriveState.REBUILD, FAILED], others=spares, tasks=[task])
    assert operations(Story(busy).due()) == [], "row RB-08"
    sixty = raid(
        RaidLevel.RAID60, [ON, ON, DriveState.REBUILD, FAILED], [ON] * 4, others=spares, tasks=[task]
    )
    [second] = operations(Story(sixty).due())
    assert isinstance(second, StartRebuild), "row RB-09"
    assert second.slot == 3


def test_two_spans_get_two_different_spares() -> None:
    ten = raid(RaidLevel.RAID10, [ON, FAILED], [FAILED, ON], others=[spare(20), spare(21)])
    first, second = operations(Story(ten).due())
    assert isinstance(first, StartRebuild)
    assert isinstance(second, StartRebuild)
    assert {first.drive, second.drive} == {"d20", "d21"}


def test_drives_that_go_together_are_waited_for() -> None:
    """A cable, a backplane, a shelf without power: the spare of another shelf is not spent on it."""
    healthy = with_drives(raid(RaidLevel.RAID6, [ON] * 6), spare(10))
    story = Story(healthy)
    one_gone = with_drives(raid(RaidLevel.RAID6, [ON] * 5 + [LOST]), spare(10))
    assert operations(story.then(one_gone)) == [], "the others may go a moment later"
    two_gone = with_drives(raid(RaidLevel.RAID6, [ON] * 4 + [LOST] * 2), spare(10))
    found = story.then(two_gone)
    assert (operations(found), found.next_us) == ([], story.now_us + RETURN_GRACE_US)
    assert operations(story.wait(RETURN_GRACE_US - SECOND_US)) == []
    assert len(operations(story.wait(SECOND_US))) == 1, "not for ever"


def test_member_that_goes_with_a_drive_of_no_array_is_waited_for_too() -> None:
    story = Story(with_drives(HEALTHY, spare(10), drive(6, GOOD)))
    story.then(with_drives(DEGRADED, spare(10)))
    assert operations(story.wait(KERNEL_GRACE_US * 2)) == []


def test_members_that_are_missing_at_the_start_may_come_yet() -> None:
    story = Story(raid(RaidLevel.RAID6, [ON, ON, LOST, LOST], others=[spare(10)]))
    assert operations(story.wait(KERNEL_GRACE_US * 2)) == []
    assert len(operations(story.wait(RETURN_GRACE_US))) == 1


def test_two_drives_pulled_one_after_the_other_are_replaced_one_after_the_other() -> None:
    story = Story(with_drives(raid(RaidLevel.RAID6, [ON] * 4), spare(10)))
    story.then(with_drives(raid(RaidLevel.RAID6, [ON] * 3 + [LOST]), spare(10)))
    assert len(operations(story.wait(KERNEL_GRACE_US))) == 1
    story.wait(TOGETHER_US)
    story.then(with_drives(raid(RaidLevel.RAID6, [ON] * 2 + [LOST] * 2), spare(10)))
    assert len(operations(story.wait(KERNEL_GRACE_US))) == 1


def test_member_that_is_back_before_a_spare_is_used_keeps_its_place() -> None:
    story = Story(with_drives(HEALTHY, spare(5)))
    story.then(with_drives(DEGRADED, spare(5)))
    returned = with_drives(back(DEGRADED), spare(5))
    assert operations(story.then(returned)) == []
    assert operations(story.wait(KERNEL_GRACE_US)) == []
    assert operations(story.wait(SETTLE_US)) == [ReAddMember(drive="d3")]


def test_member_that_comes_and_goes_loses_its_place_to_the_spare() -> None:
    story = Story(with_drives(HEALTHY, spare(5)))
    done: list[object] = []
    for second in range(0, FLAP_GRACE_US, 2 * SECOND_US):
        gone = second // SECOND_US % 4 == 0
        inventory = DEGRADED if gone else back(DEGRADED)
        done += operations(story.then(with_drives(inventory, spare(5)), 2 * SECOND_US))
    assert done
    assert set(map(type, done)) == {StartRebuild}


def test_member_that_cannot_be_taken_back_does_not_keep_the_spare_away() -> None:
    story = Story(with_drives(HEALTHY))
    story.then(DEGRADED)
    story.then(with_drives(back(DEGRADED), spare(5)))
    [step] = story.wait(SETTLE_US).operations
    assert step.operation == ReAddMember(drive="d3")
    story.failing = [step.key]
    assert operations(story.due()) == [StartRebuild(group="g", drive="d5", span=0, slot=3)]
    story.inventory = back(DEGRADED)
    assert operations(story.due()) == [ReAddMember(drive="d3")], (
        "where there is no other way, again and again"
    )


def test_data_that_is_lost_is_not_rebuilt() -> None:
    assert operations(Story(raid(RaidLevel.RAID5, [ON, LOST, LOST], others=[spare(5)])).due()) == []


# -- hot swap --------------------------------------------------------------------------------------------


def test_new_drive_in_the_same_bay_is_used_when_it_has_settled() -> None:
    story = Story(HEALTHY)
    story.then(DEGRADED)
    new = drive(3, GOOD, number=9)
    found = story.then(with_drives(DEGRADED, new))
    assert (operations(found), found.next_us) == ([], story.now_us + SETTLE_US)
    assert settles_at_us(story.memory, story.now_us) == {"d9": story.now_us + SETTLE_US}
    assert operations(story.wait(SETTLE_US)) == [StartRebuild(group="g", drive="d9", span=0, slot=3)]
    assert settles_at_us(story.memory, story.now_us) == {}


def test_new_drive_in_another_bay_is_left_alone() -> None:
    story = Story(DEGRADED)
    assert operations(story.then(with_drives(DEGRADED, drive(6, GOOD)), SETTLE_US * 9)) == []


def test_smaller_drive_and_one_that_carries_something_are_not_used_and_it_is_said_why() -> None:
    story = Story(DEGRADED)
    found = story.then(with_drives(DEGRADED, drive(3, GOOD, number=9, coerced_bytes=5 * TB)))
    assert (operations(found), len(found.not_used)) == ([], 1)
    assert "too small" in found.not_used[0].text
    taken = drive(3, DriveState.PROTECTED, number=9, cause="an ext4 file system")
    found = story.then(with_drives(DEGRADED, taken), SETTLE_US * 2)
    assert operations(found) == []
    assert "it carries an ext4 file system" in found.not_used[0].text


def test_failed_drive_itself_is_not_taken_for_its_replacement() -> None:
    story = Story(raid(RaidLevel.RAID5, [ON, ON, ON, FAILED]))
    assert operations(story.wait(SETTLE_US * 9)) == []


def test_switch_turns_it_off_but_not_spares() -> None:
    story = Story(HEALTHY, auto_rebuild=False)
    story.then(DEGRADED)
    new = with_drives(DEGRADED, drive(3, GOOD, number=9))
    story.then(new)
    assert operations(story.wait(SETTLE_US)) == []
    assert len(operations(story.then(with_drives(new, spare(5))))) == 1


def test_members_of_a_job_are_the_jobs() -> None:
    story = Story(HEALTHY, claimed=["S3"])
    story.then(DEGRADED)
    story.then(with_drives(DEGRADED, drive(3, GOOD, number=9), spare(5)))
    assert operations(story.wait(SETTLE_US)) == []


def test_spare_still_takes_over_for_another_drive_of_that_group() -> None:
    six = raid(RaidLevel.RAID6, [ON, FAILED, ON, ON, FAILED], others=[spare(7)])
    [step] = operations(Story(six, claimed=["S1"]).due())
    assert isinstance(step, StartRebuild)
    assert step.slot == 4


def test_drive_replaced_during_a_migration_is_rebuilt_by_hand() -> None:
    """Row RB-07: not while it goes on, and not by itself afterwards either."""
    task = Task(id="m", kind=TaskKind.MIGRATION, state=TaskState.RUNNING, virtual_drive="v")
    migrating = msgspec.structs.replace(with_drives(DEGRADED, spare(5)), tasks=(task,))
    story = Story(with_drives(HEALTHY, spare(5)))
    assert operations(story.then(migrating)) == []
    after = with_drives(DEGRADED, spare(5))
    assert operations(story.then(after, SETTLE_US * 9)) == []
    story.then(with_drives(HEALTHY, spare(5)))
    story.then(after)
    assert len(operations(story.wait(KERNEL_GRACE_US))) == 1, "the next loss is another matter"


# -- drives that come back -------------------------------------------------------------------------------


def back(inventory: Inventory, which: str = "d3") -> Inventory:
    """The member is in its bay again, not in the array."""
    return changed(
        inventory, which, state=DriveState.FOREIGN, group="", span=None, slot=None, foreign_group="g"
    )


def with_empty_place(inventory: Inventory, which: str, place: str) -> Inventory:
    """As md shows it: the drive that is back is apart from the group, whose place has a name of its own."""
    [group] = inventory.groups
    spans = tuple(
        msgspec.structs.replace(span, drives=tuple(place if id == which else id for id in span.drives))
        for span in group.spans
    )
    slot = group.spans[0].drives.index(which)
    empty = Drive(id=place, bay=slot, state=LOST, group="g", span=0, slot=slot)
    groups = (msgspec.structs.replace(group, spans=spans),)
    return msgspec.structs.replace(inventory, groups=groups, drives=(*inventory.drives, empty))


def test_member_that_is_back_is_known_though_its_place_has_another_name_meanwhile() -> None:
    story = Story(with_drives(HEALTHY))
    story.then(DEGRADED)
    settling = story.then(with_empty_place(back(DEGRADED), "d3", "missing-g-3"))
    assert settling.not_used == [], "to clear it would cost the data it brings back"
    assert operations(story.wait(SETTLE_US)) == [ReAddMember(drive="d3")]


def test_member_pulled_by_mistake_comes_back() -> None:
    story = Story(with_drives(HEALTHY))
    story.then(DEGRADED)
    assert operations(story.then(back(DEGRADED))) == []
    assert operations(story.wait(SETTLE_US)) == [ReAddMember(drive="d3")]


def test_member_that_had_failed_does_not() -> None:
    story = Story(HEALTHY)
    story.then(raid(RaidLevel.RAID5, [ON, ON, ON, FAILED]))
    story.then(DEGRADED)
    story.then(back(DEGRADED))
    assert operations(story.wait(SETTLE_US)) == []


def test_spare_that_was_pulled_is_a_spare_again() -> None:
    own = spare(5, SpareKind.DEDICATED, spare_groups=("g",), has_affinity=True)
    story = Story(with_drives(HEALTHY, own))
    story.then(HEALTHY)
    story.then(with_drives(HEALTHY, drive(5, GOOD)))
    assert operations(story.wait(SETTLE_US)) == [
        AssignSpare(drive="d5", kind=SpareKind.DEDICATED, groups=("g",), has_affinity=True)
    ]


def test_spare_that_was_released_stays_released_even_when_it_is_pulled() -> None:
    story = Story(with_drives(HEALTHY, spare(5)))
    story.then(with_drives(HEALTHY, drive(5, GOOD)))
    assert operations(story.wait(SETTLE_US)) == []
    story.then(HEALTHY)
    story.then(with_drives(HEALTHY, drive(5, GOOD)))
    assert operations(story.wait(SETTLE_US)) == []


def test_spare_whose_rebuild_failed_is_a_spare_again() -> None:
    """Row RB-06."""
    story = Story(with_drives(HEALTHY, spare(5)))
    story.then(with_drives(DEGRADED, drive(5, DriveState.REBUILD)))
    broken = raid(RaidLevel.RAID5, [ON, ON, FAILED, LOST], others=[drive(5, GOOD)])
    story.then(broken)
    assert operations(story.wait(SETTLE_US)) == [AssignSpare(drive="d5", kind=SpareKind.GLOBAL)]


def test_spare_that_has_taken_a_place_for_good_is_none_any_more() -> None:
    story = Story(with_drives(HEALTHY, spare(5)))
    story.then(with_drives(HEALTHY, drive(5, ON)))
    story.then(with_drives(HEALTHY, drive(5, GOOD)))
    assert operations(story.wait(SETTLE_US)) == []


# -- background initialisation ---------------------------------------------------------------------------


def made(level: RaidLevel, count: int) -> Story:
    story = Story(Inventory(controllers=HEALTHY.controllers))
    story.then(raid(level, [ON] * count, is_initialised=False))
    return story


def test_initialisation_begins_five_minutes_after_the_virtual_drive_was_made() -> None:
    story = made(RaidLevel.RAID5, 5)
    found = story.due()
    assert (operations(found), found.next_us) == ([], story.now_us + INITIALISE_AFTER_US)
    assert operations(story.wait(INITIALISE_AFTER_US)) == [StartInitialisation(virtual_drive="v")]


def test_initialisation_of_few_drives_is_started_by_hand() -> None:
    """Row BG-04: five for RAID 5, seven for RAID 6."""
    for level, count, is_due in (
        (RaidLevel.RAID5, 4, False),
        (RaidLevel.RAID6, 6, False),
        (RaidLevel.RAID6, 7, True),
        (RaidLevel.RAID1, 2, True),
        (RaidLevel.RAID0, 5, False),
    ):
        assert bool(operations(made(level, count).wait(INITIALISE_AFTER_US))) is is_due, (level, count)


def test_virtual_drives_found_at_the_start_are_not_initialised() -> None:
    story = Story(raid(RaidLevel.RAID5, [ON] * 5, is_initialised=False))
    assert operations(story.wait(INITIALISE_AFTER_US * 2)) == []


# -- whatever happens ------------------------------------------------------------------------------------

OTHERS = st.lists(
    st.sampled_from(
        [
            spare(10),
            spare(11, coerced_bytes=TB),
            spare(12, SpareKind.DEDICATED, spare_groups=("g",)),
            drive(13, GOOD),
            drive(0, GOOD, number=14),
            drive(1, DriveState.PROTECTED, number=15),
            drive(2, DriveState.FOREIGN, number=16),
        ]
    ),
    unique_by=lambda each: each.id,
)


@settings(deadline=None)
@given(
    st.sampled_from([RaidLevel.RAID0, RaidLevel.RAID5, RaidLevel.RAID6]),
    st.lists(st.sampled_from([ON, LOST, FAILED, DriveState.OFFLINE]), min_size=4, max_size=6),
    OTHERS,
)
def test_nothing_that_carries_data_is_ever_overwritten_by_itself(
    level: RaidLevel, states: list[DriveState], others: list[Drive]
) -> None:
    story = Story(Inventory())
    story.then(raid(level, states, others=others))
    for step in operations(story.wait(3600 * SECOND_US)):
        assert isinstance(step, StartRebuild)
        used = story.inventory.drive(step.drive)
        assert used is not None
        assert used.state in (GOOD, DriveState.HOT_SPARE)
        assert used.coerced_bytes >= 6 * TB
        assert level is not RaidLevel.RAID0


def test_member_that_is_back_brings_a_failed_group_back() -> None:
    story = Story(HEALTHY)
    story.then(changed(HEALTHY, "d3", state=LOST))
    both = changed(changed(HEALTHY, "d3", state=LOST), "d2", state=LOST)
    failed = with_failed_span(both)
    assert operations(story.then(failed)) == []
    story.then(with_failed_span(back(both, "d2")))
    found = story.wait(SETTLE_US)
    assert operations(found) == [ReAddMember(drive="d2")]
    assert "works again with it" in found.operations[0].text
    story.claimed = frozenset({"d3"})
    assert operations(story.due()) == []
    story.claimed, story.auto_rebuild = frozenset(), False
    assert operations(story.due()) == []


def test_a_raid_controller_brings_its_failed_group_back_by_itself() -> None:
    story = Story(HEALTHY)
    both = changed(changed(HEALTHY, "d3", state=LOST), "d2", state=LOST)
    of_a_controller = tuple(
        msgspec.structs.replace(controller, backend="megaraid") for controller in HEALTHY.controllers
    )
    assert of_a_controller
    seen = with_failed_span(back(both, "d2"))
    story.then(with_failed_span(both))
    story.then(msgspec.structs.replace(seen, controllers=of_a_controller))
    assert operations(story.wait(SETTLE_US)) == []


def with_failed_span(inventory: Inventory) -> Inventory:
    groups = tuple(
        msgspec.structs.replace(
            group,
            spans=tuple(
                msgspec.structs.replace(span, state=VirtualDriveState.FAILED) for span in group.spans
            ),
        )
        for group in inventory.groups
    )
    return msgspec.structs.replace(inventory, groups=groups)
