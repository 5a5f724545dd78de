"""The regular reading: when checks, patrol reads and self-tests begin, and when they wait."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chassis.happenings import Happening
from engine.chassis.upkeep import (
    TEST_GAP_US,
    WINDOW_HOURS,
    UpkeepDue,
    UpkeepRecord,
    due,
    edited,
    is_in_window,
    schedule_view,
)
from engine.chassis.upkeep_rounds import UpkeepRounds
from engine.wire_chassis import ScheduleView, UpkeepEdit
from storage.errors import InvalidInput, OperationRefused, Unsupported, WatchdeckError
from storage.raid.inventory import Controller, Inventory, Task
from storage.raid.operations import RaidOperation, StartCheck, StartPatrolRead
from storage.raid.states import Capability, DriveState, RaidLevel, TaskKind, TaskState
from storage.units import US_PER_DAY, US_PER_HOUR
from tests.engine.chassis.raids import raid
from tests.fakes.clock import FakeClock
from tests.fakes.direct_catalog import DirectCatalog

ON = DriveState.ONLINE
HEALTHY = raid(RaidLevel.RAID5, [ON, ON, ON])
SETTINGS = ScheduleView()


def night(days: int = 0) -> int:
    """Two o'clock on this machine's wall, so many days after a day in January."""
    at_us = 1_767_225_600_000_000 + days * US_PER_DAY
    while time.localtime(at_us / 1e6).tm_hour != SETTINGS.hour:
        at_us += US_PER_HOUR
    return at_us


RECORD = UpkeepRecord(first_us=night())


def at(
    days: int, inventory: Inventory = HEALTHY, record: UpkeepRecord = RECORD, **settings: int
) -> UpkeepDue:
    return due(inventory, msgspec.structs.replace(SETTINGS, **settings), record, night(days))


def test_check_comes_each_month_and_the_patrol_read_each_week() -> None:
    assert at(6) == UpkeepDue()
    assert at(7).operation == StartPatrolRead(controller="md")
    read = msgspec.structs.replace(RECORD, patrols={"md": night(28)})
    assert at(29, record=read, self_test_days=0) == UpkeepDue()
    assert at(30, record=read).operation == StartCheck(virtual_drive="v")
    checked = raid(RaidLevel.RAID5, [ON, ON, ON], checked_us=night(29))
    assert at(30, checked, read, self_test_days=0) == UpkeepDue(), "somebody checked it yesterday"


def test_nothing_begins_by_day() -> None:
    noon_us = night(99) + 10 * US_PER_HOUR
    assert due(HEALTHY, SETTINGS, RECORD, noon_us) == UpkeepDue()


@given(st.integers(0, 23), st.integers(0, 400 * 24))
def test_window_is_open_four_hours_a_day(hour: int, hours: int) -> None:
    start_us = night() + hours * US_PER_HOUR
    is_open = [is_in_window(hour, start_us + step * US_PER_HOUR) for step in range(24)]
    # The day the clocks change has an hour more or less.
    assert WINDOW_HOURS - 1 <= sum(is_open) <= WINDOW_HOURS + 1


def test_zero_days_is_never() -> None:
    assert at(999, check_days=0, patrol_days=0, self_test_days=0) == UpkeepDue()


def test_level_without_redundancy_is_not_checked() -> None:
    found = at(99, raid(RaidLevel.RAID0, [ON, ON]), patrol_days=0, self_test_days=0)
    assert found == UpkeepDue()


def test_controller_that_cannot_is_not_asked() -> None:
    unable = msgspec.structs.replace(
        HEALTHY,
        controllers=(
            Controller(
                id="md", backend="md", refusals={Capability.CHECK: "no", Capability.PATROL_READ: "no"}
            ),
        ),
    )
    assert at(99, unable, self_test_days=0) == UpkeepDue()


def test_everything_waits_while_an_array_is_not_in_order_or_busy() -> None:
    degraded = raid(RaidLevel.RAID5, [ON, ON, DriveState.MISSING])
    found = at(99, degraded)
    assert (found.operation, found.postponed) == (None, "virtual drive A is not in order")
    rebuild = Task(id="r", kind=TaskKind.MIGRATION, state=TaskState.RUNNING, virtual_drive="v")
    busy = msgspec.structs.replace(HEALTHY, tasks=(rebuild,))
    assert at(99, busy).postponed == "another background operation is under way"


def test_drives_test_themselves_one_every_ten_minutes_and_then_a_week_later() -> None:
    record = UpkeepRecord(first_us=night(), patrols={"md": night(7)})
    tested, now_us = [], night(7)
    for _ in range(40):
        found = due(HEALTHY, SETTINGS, record, now_us)
        if found.self_test:
            tested.append((found.self_test, (now_us - night(7)) // TEST_GAP_US))
            record.self_tests[found.self_test] = now_us
        now_us += TEST_GAP_US // 5
    assert tested == [("d0", 0), ("d1", 1), ("d2", 2)]
    assert due(HEALTHY, SETTINGS, record, night(13) + US_PER_HOUR) == UpkeepDue()


def test_no_self_test_while_an_array_is_being_rebuilt() -> None:
    task = Task(id="r", kind=TaskKind.REBUILD, state=TaskState.RUNNING, virtual_drive="v")
    busy = msgspec.structs.replace(HEALTHY, tasks=(task,))
    assert at(99, busy, check_days=0, patrol_days=0) == UpkeepDue()


def test_view_says_when_the_next_ones_come() -> None:
    view = schedule_view(HEALTHY, SETTINGS, RECORD, night(1))
    assert view.next_check_us == night(30)
    assert view.next_patrol_us == night(7)
    none = schedule_view(Inventory(), SETTINGS, RECORD, night(1))
    assert (none.next_check_us, none.next_patrol_us) == (None, None)
    overdue = schedule_view(HEALTHY, SETTINGS, RECORD, night(99) + 10 * US_PER_HOUR)
    assert overdue.next_check_us is not None
    assert is_in_window(SETTINGS.hour, overdue.next_check_us)
    assert overdue.next_check_us > night(99)


def test_only_what_is_given_changes_and_nonsense_is_refused() -> None:
    assert edited(SETTINGS, UpkeepEdit(hour=0, auto_rebuild=False)) == msgspec.structs.replace(
        SETTINGS, hour=0, auto_rebuild=False
    )
    for wrong in (UpkeepEdit(hour=24), UpkeepEdit(smart_minutes=1), UpkeepEdit(check_days=-1)):
        with pytest.raises(InvalidInput, match="is not from"):
            edited(SETTINGS, wrong)


# -- the rounds ------------------------------------------------------------------------------------------


class Bench:
    def __init__(self, catalog: DirectCatalog, clock: FakeClock) -> None:
        self.inventory = HEALTHY
        self.done: list[RaidOperation] = []
        self.tested: list[str] = []
        self.said: list[str] = []
        self.error: WatchdeckError | None = None
        self.rounds = UpkeepRounds(catalog, clock, lambda: self.inventory, self.perform, self.test, self.say)

    async def perform(self, operation: RaidOperation, inventory: Inventory) -> Inventory:
        if self.error is not None:
            raise self.error
        self.done.append(operation)
        return inventory

    async def test(self, drive: str) -> None:
        if self.error is not None:
            raise self.error
        self.tested.append(drive)

    def say(self, happenings: Any) -> None:
        said: list[Happening] = list(happenings)
        self.said += [f"{each.kind}: {each.text}" for each in said]


@pytest.fixture
def catalog(tmp_path: Path) -> Any:
    opened = DirectCatalog(tmp_path / "catalog.sqlite")
    yield opened
    opened.close()


async def test_what_was_begun_is_remembered_over_a_restart(catalog: DirectCatalog) -> None:
    clock = FakeClock(night())
    bench = Bench(catalog, clock)
    await bench.rounds.load()
    await bench.rounds.edit(UpkeepEdit(self_test_days=0, check_days=0))
    clock.advance(7 * US_PER_DAY)
    await bench.rounds.round()
    assert bench.done == [StartPatrolRead(controller="md")]
    again = Bench(catalog, clock)
    await again.rounds.load()
    await again.rounds.round()
    assert again.done == []
    assert again.rounds.settings.check_days == 0
    assert bench.said == ["upkeep.started: Patrol read of controller md: every 7 days"]


async def test_what_is_postponed_is_said_once_a_cause(catalog: DirectCatalog) -> None:
    clock = FakeClock(night())
    bench = Bench(catalog, clock)
    await bench.rounds.load()
    bench.inventory = raid(RaidLevel.RAID5, [ON, ON, DriveState.MISSING])
    clock.advance(7 * US_PER_DAY)
    await bench.rounds.round()
    await bench.rounds.round()
    [said] = bench.said
    assert said.startswith("upkeep.postponed")
    assert said.endswith("virtual drive A is not in order")
    bench.inventory = HEALTHY
    await bench.rounds.round()
    assert bench.done == [StartPatrolRead(controller="md")]


async def test_what_does_not_work_waits_for_its_next_time(catalog: DirectCatalog) -> None:
    clock = FakeClock(night())
    bench = Bench(catalog, clock)
    await bench.rounds.load()
    bench.error = OperationRefused("the controller says no")
    clock.advance(7 * US_PER_DAY)
    await bench.rounds.round()
    assert "the controller says no" in bench.said[0]
    bench.error = Unsupported("no self-test")
    await bench.rounds.round()
    assert len(bench.said) == 1, "a drive that cannot test itself is no news"
    bench.error = None
    clock.advance(TEST_GAP_US)
    await bench.rounds.round()
    assert (bench.done, bench.tested) == ([], ["d1"])
