"""What is due is done, said, and tried again when it did not work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.chassis.automation import BUSY_RETRY_US, FIRST_RETRY_US, Automation
from engine.chassis.happenings import Happening
from engine.chassis.lanes import Lane
from storage.errors import CommandFailed, Conflict, WatchdeckError
from storage.no_hardware import NoHardware
from storage.raid.inventory import Inventory
from storage.raid.operations import AssignSpare, RaidOperation, StartRebuild
from storage.raid.states import DriveState, RaidLevel, SpareKind
from tests.engine.chassis.raids import drive, raid, spare, with_drives
from tests.fakes.clock import FakeClock
from tests.fakes.direct_catalog import DirectCatalog

ON, LOST, GOOD = DriveState.ONLINE, DriveState.MISSING, DriveState.UNCONFIGURED_GOOD
FAILED = DriveState.FAILED
HEALTHY = with_drives(raid(RaidLevel.RAID5, [ON, ON, ON]), spare(5))
DEGRADED = with_drives(raid(RaidLevel.RAID5, [ON, ON, FAILED]), spare(5))
REBUILD = StartRebuild(group="g", drive="d5", span=0, slot=2)


class TendedHardware(NoHardware):
    def __init__(self) -> None:
        super().__init__()
        self.tended: list[Inventory] = []
        self.notes: tuple[str, ...] = ()

    def tend(self, inventory: Inventory) -> tuple[str, ...]:
        self.tended.append(inventory)
        return self.notes


class Bench:
    def __init__(self, catalog: DirectCatalog) -> None:
        self.clock = FakeClock()
        self.hardware = TendedHardware()
        self.inventory = Inventory()
        self.done: list[RaidOperation] = []
        self.said: list[Happening] = []
        self.error: WatchdeckError | None = None
        self.work = Lane("work")
        self.automation = Automation(
            self.hardware,
            catalog,
            self.clock,
            lambda: self.inventory,
            self.perform,
            self.said.extend,
            work=self.work,
            auto_rebuild=lambda: True,
            claimed=frozenset,
        )

    async def perform(self, operation: RaidOperation, inventory: Inventory) -> Inventory:
        if self.error is not None:
            raise self.error
        self.done.append(operation)
        return inventory

    async def sees(self, inventory: Inventory, after_us: int = 0) -> float:
        self.clock.advance(after_us)
        self.inventory = inventory
        self.automation.take(inventory)
        return await self.automation.round()


@pytest.fixture
def catalog(tmp_path: Path) -> Any:
    opened = DirectCatalog(tmp_path / "catalog.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def bench(catalog: DirectCatalog) -> Any:
    made = Bench(catalog)
    yield made
    made.work.close()


async def test_what_is_due_is_done_and_said(bench: Bench) -> None:
    await bench.sees(HEALTHY)
    await bench.sees(DEGRADED)
    assert bench.done == [REBUILD]
    assert [said.kind for said in bench.said] == ["rebuild.automatic"]


async def test_what_fails_is_said_once_and_tried_again_with_growing_pauses(bench: Bench) -> None:
    bench.error = CommandFailed("mdadm says no")
    pauses = []
    await bench.sees(DEGRADED)
    for _ in range(8):
        pause_s = await bench.automation.round()
        pauses.append(round(pause_s))
        bench.clock.advance(round(pause_s * 1_000_000))
    assert len(bench.said) == 1
    assert "mdadm says no" in bench.said[0].text
    assert pauses[0] == FIRST_RETRY_US // 1_000_000
    bench.error = None
    await bench.sees(DEGRADED, 3600 * 1_000_000)
    assert bench.done == [REBUILD]
    assert [said.kind for said in bench.said] == ["rebuild.not_started", "rebuild.automatic"]


async def test_somebody_who_is_at_work_is_waited_for_without_a_word(bench: Bench) -> None:
    bench.error = Conflict("another operation is under way")
    assert await bench.sees(DEGRADED) == pytest.approx(BUSY_RETRY_US / 1e6)
    assert bench.said == []
    bench.error = None
    await bench.sees(DEGRADED, BUSY_RETRY_US)
    assert bench.done == [REBUILD]


async def test_a_rebuild_that_never_lasts_is_not_begun_for_ever(bench: Bench) -> None:
    """Each begins well and ends at once: every minute of a night would have its event."""
    for _ in range(8 * 360):
        await bench.sees(DEGRADED, 5_000_000)
        await bench.sees(HEALTHY, 5_000_000)
    assert 3 < len(bench.done) < 20
    assert len(bench.said) == len(bench.done)


async def test_what_drives_say_of_themselves_does_not_fill_the_memory(bench: Bench) -> None:
    alone = raid(RaidLevel.RAID5, [ON, ON, LOST])
    for number in range(1200):
        await bench.sees(with_drives(alone, drive(2, DriveState.PROTECTED, number=9, cause=f"{number}")))
    assert len(bench.automation._not_used) <= 1000


async def test_drive_that_is_not_used_is_said_once(bench: Bench) -> None:
    alone = raid(RaidLevel.RAID5, [ON, ON, LOST])
    taken = with_drives(alone, drive(2, DriveState.PROTECTED, number=9, cause="it is mounted"))
    await bench.sees(taken)
    await bench.sees(taken, 60_000_000)
    [said] = bench.said
    assert (said.kind, "it is mounted" in said.text) == ("rebuild.not_started", True)


async def test_spare_pulled_while_the_engine_was_off_is_one_again(
    bench: Bench, catalog: DirectCatalog
) -> None:
    await bench.sees(HEALTHY)
    again = Bench(catalog)
    await again.automation.load()
    await again.sees(with_drives(raid(RaidLevel.RAID5, [ON, ON, ON]), drive(5, GOOD)))
    again.work.close()
    assert again.done == [AssignSpare(drive="d5", kind=SpareKind.GLOBAL)]


async def test_arrays_are_looked_after_when_they_change_and_while_they_are_hurt(bench: Bench) -> None:
    bench.hardware.notes = ("md127 left auto-read-only",)
    await bench.sees(HEALTHY)
    await bench.sees(HEALTHY)
    assert len(bench.hardware.tended) == 1
    alone = raid(RaidLevel.RAID5, [ON, ON, LOST])
    await bench.sees(alone)
    await bench.sees(raid(RaidLevel.RAID5, [ON, ON, LOST]))
    assert len(bench.hardware.tended) == 3
    assert {said.text for said in bench.said} == {"md127 left auto-read-only"}


async def test_machine_without_arrays_is_left_alone(bench: Bench) -> None:
    await bench.sees(Inventory(drives=(drive(0, GOOD),)))
    assert bench.hardware.tended == []
    await bench.sees(HEALTHY)
    await bench.sees(Inventory())
    assert len(bench.hardware.tended) == 2, "the last one that went has to be tidied up after"
