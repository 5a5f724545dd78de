"""Two inventories -> events, each change once, with bay, serial and consequence."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chassis.changes import inventory_changes
from engine.chassis.exposure import chains
from engine.chassis.happenings import KINDS, Happening
from engine.chassis.task_changes import task_changes
from storage.catalog.records import Severity
from storage.raid.inventory import Inventory, Task
from storage.raid.states import DriveState, RaidLevel, SpareKind, TaskKind, TaskState
from tests.engine.chassis.raids import changed, drive, raid, spare, with_drives, without

ON, LOST, FAILED = DriveState.ONLINE, DriveState.MISSING, DriveState.FAILED
HEALTHY = raid(RaidLevel.RAID5, [ON, ON, ON, ON])


def said(before: Inventory | None, now: Inventory, planned: tuple[str, ...] = ()) -> list[Happening]:
    return inventory_changes(before, now, chains(now), planned)


def kinds(before: Inventory | None, now: Inventory, planned: tuple[str, ...] = ()) -> list[str]:
    return [each.kind for each in said(before, now, planned)]


def test_pulled_member_is_missing_with_what_it_costs() -> None:
    missing, degraded = said(HEALTHY, raid(RaidLevel.RAID5, [ON, ON, ON, LOST]))
    assert missing.text == (
        "Drive in bay 3 (serial S3) is missing: virtual drive A is degraded, "
        "one more failure in bays 0 1 2 loses virtual drive A"
    )
    assert (missing.kind, missing.source, missing.severity) == ("drive.missing", "bay 3", Severity.WARNING)
    assert (degraded.kind, degraded.source) == ("virtual_drive.degraded", "A")
    assert degraded.severity is Severity.CRITICAL


def test_same_state_says_nothing() -> None:
    degraded = raid(RaidLevel.RAID5, [ON, ON, ON, LOST])
    assert said(degraded, degraded) == []
    assert said(HEALTHY, HEALTHY) == []


def test_first_look_says_only_trouble_one_event_a_virtual_drive() -> None:
    assert said(None, HEALTHY) == []
    [only] = said(None, raid(RaidLevel.RAID6, [ON, LOST, FAILED, ON]))
    assert only.kind == "virtual_drive.degraded"
    assert "bay 1 (serial S1) is missing; bay 2 (serial S2) has failed" in only.text


def test_raid6_with_one_loss_is_no_alarm() -> None:
    before = raid(RaidLevel.RAID6, [ON] * 5)
    _, degraded = said(before, raid(RaidLevel.RAID6, [ON, LOST, ON, ON, ON]))
    assert (degraded.kind, degraded.severity) == ("virtual_drive.partially_degraded", Severity.WARNING)


def test_second_loss_is_failure_and_coming_back_is_said() -> None:
    degraded = raid(RaidLevel.RAID5, [ON, ON, LOST, ON])
    failed = raid(RaidLevel.RAID5, [ON, LOST, LOST, ON])
    assert kinds(degraded, failed) == ["drive.missing", "virtual_drive.failed"]
    assert kinds(failed, degraded) == ["drive.returned", "virtual_drive.degraded"]
    assert kinds(degraded, HEALTHY) == ["drive.returned", "virtual_drive.online"]


def test_planned_removal_calls_nobody() -> None:
    now = raid(RaidLevel.RAID5, [ON, ON, ON, FAILED])
    failed, degraded = said(HEALTHY, now, ("d3",))
    assert (failed.severity, "as planned" in failed.text) == (Severity.INFO, True)
    assert degraded.severity is Severity.WARNING


def test_drives_in_no_array_come_and_go() -> None:
    new = drive(5, DriveState.UNCONFIGURED_GOOD)
    assert kinds(HEALTHY, with_drives(HEALTHY, new)) == ["drive.inserted"]
    assert kinds(with_drives(HEALTHY, new), HEALTHY) == ["drive.removed"]
    assert kinds(with_drives(HEALTHY, spare(5)), HEALTHY) == ["spare.removed"]


def test_inserted_drive_says_why_it_is_not_used() -> None:
    [foreign] = said(HEALTHY, with_drives(HEALTHY, drive(5, DriveState.FOREIGN, foreign="x")))
    assert "import or clear" in foreign.text
    taken = drive(5, DriveState.PROTECTED, cause="it holds an ext4 file system")
    [protected] = said(HEALTHY, with_drives(HEALTHY, taken))
    assert "ext4" in protected.text


def test_missing_place_without_a_name_is_the_same_drive() -> None:
    """A back-end that lost the drive may name its place: one event, not a removal and a loss."""
    gone = changed(raid(RaidLevel.RAID5, [ON, ON, ON, LOST]), "d3", id="missing-g-3")
    assert kinds(HEALTHY, gone) == ["drive.missing", "virtual_drive.degraded"]


def test_drive_in_another_bay_is_moved() -> None:
    [moved] = said(HEALTHY, changed(HEALTHY, "d1", bay=6))
    assert moved.text == "Drive in bay 6 (serial S1) was in bay 1 before"


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (DriveState.UNCONFIGURED_GOOD, DriveState.UNCONFIGURED_BAD, "drive.bad"),
        (DriveState.UNCONFIGURED_GOOD, DriveState.FOREIGN, "drive.foreign"),
        (DriveState.UNCONFIGURED_BAD, DriveState.UNCONFIGURED_GOOD, "drive.ready"),
        (DriveState.REBUILD, DriveState.ONLINE, "drive.online"),
        (DriveState.ONLINE, DriveState.SHIELD, "drive.shield"),
        (DriveState.ONLINE, DriveState.OFFLINE, "drive.offline"),
    ],
)
def test_each_state_has_its_event(before: DriveState, after: DriveState, kind: str) -> None:
    old = with_drives(HEALTHY, drive(7, before))
    new = with_drives(HEALTHY, drive(7, after))
    assert kinds(old, new) == [kind]


def test_life_of_a_spare() -> None:
    ready = with_drives(HEALTHY, drive(6, DriveState.UNCONFIGURED_GOOD))
    assigned = with_drives(HEALTHY, spare(6, SpareKind.DEDICATED))
    [said_so] = said(ready, assigned)
    assert said_so.text == "Drive in bay 6 (serial S6) is a dedicated hot spare"
    assert kinds(assigned, ready) == ["spare.released"]
    assert kinds(assigned, with_drives(HEALTHY, drive(6, DriveState.REBUILD))) == ["spare.took_over"]
    assert kinds(assigned, with_drives(HEALTHY, drive(6, FAILED))) == ["spare.failed"]


def test_failure_that_a_controller_never_showed_is_said_all_the_same() -> None:
    """Row RB-04: the drive is ready awaiting removal at the first sight."""
    before = with_drives(HEALTHY, drive(6))
    after = with_drives(HEALTHY, drive(6, DriveState.UNCONFIGURED_GOOD, is_awaiting_removal=True))
    assert kinds(before, after) == ["drive.failed", "drive.ready"]


def test_members_of_a_deleted_virtual_drive_are_not_news() -> None:
    freed = Inventory(
        controllers=HEALTHY.controllers,
        drives=tuple(drive(bay, DriveState.UNCONFIGURED_GOOD) for bay in range(4)),
    )
    assert kinds(HEALTHY, freed) == ["virtual_drive.deleted"]
    assert kinds(freed, HEALTHY) == ["virtual_drive.created"]


def test_mismatches_are_said_once_a_check() -> None:
    found = raid(RaidLevel.RAID5, [ON] * 4, mismatches=8, checked_us=5)
    assert kinds(HEALTHY, found) == ["virtual_drive.mismatch"]
    assert kinds(found, found) == []
    again = raid(RaidLevel.RAID5, [ON] * 4, mismatches=8, checked_us=6)
    assert kinds(found, again) == ["virtual_drive.mismatch"]


STATES = st.lists(st.sampled_from(DriveState), min_size=4, max_size=4)


@given(STATES, STATES)
def test_whatever_happens_every_event_is_documented_and_names_bay_and_serial(
    before: list[DriveState], after: list[DriveState]
) -> None:
    for each in said(raid(RaidLevel.RAID5, before), raid(RaidLevel.RAID5, after)):
        assert each.kind in KINDS
        if each.kind.startswith("drive."):
            assert "bay" in each.text
            assert "serial S" in each.text


# -- tasks -----------------------------------------------------------------------------------------------


def task(kind: TaskKind = TaskKind.CHECK, state: TaskState = TaskState.RUNNING, **more: object) -> Task:
    values: dict[str, object] = {"virtual_drive": "v", "controller": "md", "progress": 0.37, **more}
    return Task(id=f"{kind}:v", kind=kind, state=state, **values)  # type: ignore[arg-type]


def test_tasks_begin_pause_go_on_and_end() -> None:
    running = msgspec.structs.replace(HEALTHY, tasks=(task(),))
    paused = msgspec.structs.replace(HEALTHY, tasks=(task(state=TaskState.PAUSED),))

    def words(
        before: Inventory | None, now: Inventory, stopped: tuple[str, ...] = ()
    ) -> list[tuple[str, str]]:
        return [(each.kind, each.text) for each in task_changes(before, now, stopped)]

    check = "Consistency check of virtual drive A"
    assert words(HEALTHY, running) == [("task.started", f"{check} began")]
    assert words(running, running) == []
    assert words(running, paused) == [("task.paused", f"{check} is paused at 37 %")]
    assert words(paused, running) == [("task.resumed", f"{check} goes on at 37 %")]
    assert words(running, HEALTHY) == [("task.finished", f"{check} is done: nothing amiss")]
    assert words(running, HEALTHY, ("check:v",)) == [("task.stopped", f"{check} was stopped at 37 %")]
    assert words(None, running) == [("task.resumed", f"{check} goes on at 37 %")]
    assert words(None, HEALTHY) == []


def test_rebuild_is_done_when_its_drive_is_online_and_has_failed_else() -> None:
    rebuilding = raid(
        RaidLevel.RAID5, [ON, ON, ON, DriveState.REBUILD], tasks=[task(TaskKind.REBUILD, drive="d3")]
    )
    [done] = task_changes(rebuilding, HEALTHY)
    assert done.kind == "task.finished"
    assert done.text == "Rebuild of virtual drive A onto bay 3 (serial S3) is done"
    [failed] = task_changes(rebuilding, raid(RaidLevel.RAID5, [ON, ON, ON, FAILED]))
    assert (failed.kind, failed.severity) == ("task.failed", Severity.WARNING)
    [gone] = task_changes(rebuilding, without(HEALTHY, "d3"))
    assert gone.kind == "task.failed"


def test_self_tests_are_told_by_their_results() -> None:
    testing = msgspec.structs.replace(HEALTHY, tasks=(task(TaskKind.SELF_TEST, drive="d1"),))
    assert task_changes(HEALTHY, testing) == []
    assert task_changes(testing, HEALTHY) == []
