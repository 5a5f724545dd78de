"""Drives that do not answer: shown, said once, and nothing else waits for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from engine.chassis import inventory_watch, smart_sweep
from engine.chassis.inventory_watch import carried_over
from engine.chassis.lanes import WAITING_LIMIT, Lane
from engine.wire_chassis import DriveLocate, TrayPattern, Verdict
from storage.drives.smart_report import SmartReport
from storage.errors import CommandTimeout, Conflict, DriveError, InternalError
from storage.raid.inventory import Controller, Drive, Inventory, Problem
from storage.raid.simulated_layout import SimulatedLayout
from storage.simulated_hardware import SimulatedHardware
from tests.fakes.chassis_service import RAID5, RAID5_WITH_SPARE, chassis_bench
from tests.fakes.clock import FakeClock


class HangingHardware(SimulatedHardware):
    """Its calls hang while a test wants it."""

    def __init__(
        self, folder: Path, clock: FakeClock, layout: SimulatedLayout, answers: threading.Event
    ) -> None:
        self._answers = answers
        self.has_hung_inventory = False
        self.hung_drive = ""
        super().__init__(folder, clock, layout)

    def inventory(self) -> Inventory:
        if self.has_hung_inventory:
            self._answers.wait()
        return super().inventory()

    def smart(self, drive: str) -> SmartReport:
        if drive == self.hung_drive:
            self._answers.wait()
        return super().smart(drive)


async def eventually(is_so: Callable[[], bool]) -> None:
    """What another thread is about to do."""
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.001)


@pytest.fixture
def answers() -> Iterator[threading.Event]:
    """Whatever a test does, no thread is left hanging."""
    event = threading.Event()
    yield event
    event.set()


async def test_hung_inventory_is_a_problem_and_lamps_go_on(
    tmp_path: Path, answers: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    box = HangingHardware(tmp_path / "chassis", clock, RAID5, answers)
    async with chassis_bench(tmp_path, hardware=box, clock=clock) as bench:
        monkeypatch.setattr(inventory_watch, "LOOK_TIMEOUT_S", 0.05)
        box.has_hung_inventory = True
        bench.wait(1)
        said = await bench.until_said("chassis.problem")
        assert "have not answered since 2026-01-01" in said.text
        view = bench.service.view()
        assert [problem.code for problem in view.problems] == ["drives_silent"]
        assert len(view.inventory.drives) == 5, "what was known is still shown"
        await bench.service.locate_drive("2", DriveLocate(seconds=60), "jane")
        await eventually(lambda: box.trays.get(2) is TrayPattern.LOCATE)
        bench.wait(1)
        box.has_hung_inventory = False
        answers.set()
        bench.wait(1)
        await bench.until_said("chassis.problem_solved")
        assert len(bench.events.of("chassis.problem")) == 1
        assert bench.service.view().problems == ()


async def test_one_drive_that_hangs_costs_the_others_nothing(
    tmp_path: Path, answers: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smart_sweep, "READ_TIMEOUT_S", 0.2)
    clock = FakeClock()
    box = HangingHardware(tmp_path / "chassis", clock, RAID5_WITH_SPARE, answers)
    spare = box.inventory().drive_in(4)
    assert spare is not None
    box.hung_drive = spare.id
    async with chassis_bench(tmp_path, hardware=box, clock=clock) as bench:
        view = await bench.until(
            lambda view: (
                len(view.health) == 6 and all(health.reasons or health.hours for health in view.health)
            )
        )
        verdicts = {health.drive: health.verdict for health in view.health}
        assert verdicts.pop(spare.id) is Verdict.UNKNOWN
        assert set(verdicts.values()) == {Verdict.GOOD}
        health = view.health_of(spare.id)
        assert health is not None
        assert "does not answer" in health.reasons[0]


# -- lanes -----------------------------------------------------------------------------------------------


async def test_lane_gives_up_a_call_that_hangs_and_refuses_others_at_once(answers: threading.Event) -> None:
    lane = Lane("test")
    with pytest.raises(CommandTimeout, match="no answer within"):
        await lane.call(0.02, answers.wait)
    assert lane.is_stuck
    with pytest.raises(CommandTimeout, match="an earlier call has not come back"):
        await lane.call(60, lambda: 1)
    answers.set()
    await eventually(lambda: not lane.is_stuck)
    assert await lane.call(60, lambda: 7) == 7
    lane.close()


async def test_lane_with_two_threads_goes_on_beside_one_that_hangs(answers: threading.Event) -> None:
    lane = Lane("test", 2)
    with pytest.raises(CommandTimeout):
        await lane.call(0.02, answers.wait)
    assert not lane.is_stuck
    assert await lane.call(60, lambda: "other") == "other"


async def test_time_spent_waiting_for_a_thread_does_not_count(answers: threading.Event) -> None:
    """A sweep of many drives is not a row of time-outs."""
    lane = Lane("test")
    async with asyncio.TaskGroup() as group:
        first = group.create_task(lane.call(60, answers.wait))
        await eventually(lambda: lane._busy == 1)
        second = group.create_task(lane.call(0.5, lambda: "late"))
        await eventually(lambda: lane._waiting == 1)
        async with asyncio.timeout(60):
            assert not (await asyncio.wait([second], timeout=0.6))[0], "it waits for its turn"
        answers.set()
    assert (first.result(), second.result()) == (True, "late")
    lane.close()


async def test_those_who_wait_are_told_when_the_last_thread_hangs(answers: threading.Event) -> None:
    lane = Lane("test")
    async with asyncio.TaskGroup() as group:
        hung = group.create_task(_outcome(lane.call(0.05, answers.wait)))
        await eventually(lambda: lane._busy == 1)
        waiting = group.create_task(_outcome(lane.call(60, lambda: 1)))
    assert "no answer within" in hung.result()
    assert "an earlier call has not come back" in waiting.result()


async def _outcome(call: Awaitable[object]) -> str:
    try:
        return str(await call)
    except CommandTimeout as error:
        return error.what


async def test_lane_passes_errors_on_and_hides_bugs(caplog: pytest.LogCaptureFixture) -> None:
    lane = Lane("test")

    def broken() -> None:
        raise DriveError("bay 3 is on fire")

    def bug() -> None:
        raise ZeroDivisionError

    with pytest.raises(DriveError, match="bay 3 is on fire"):
        await lane.call(60, broken)
    with pytest.raises(InternalError):
        await lane.call(60, bug)
    assert "ZeroDivisionError" in caplog.text
    lane.close()


async def test_lane_takes_only_so_many_calls(answers: threading.Event) -> None:
    lane = Lane("test")
    async with asyncio.TaskGroup() as group:
        begun = threading.Event()

        def hang() -> None:
            begun.set()
            answers.wait()

        calls = [group.create_task(lane.call(60, hang))]
        await eventually(begun.is_set)
        calls += [group.create_task(lane.call(60, lambda: None)) for _ in range(WAITING_LIMIT)]
        await eventually(lambda: lane._waiting == WAITING_LIMIT)
        with pytest.raises(Conflict, match="wait already"):
            await lane.call(60, lambda: None)
        answers.set()
    assert all(call.done() for call in calls)


# -- a controller that cannot be read --------------------------------------------------------------------


def test_controller_that_cannot_be_read_is_shown_as_it_was() -> None:
    drive = Drive(id="d", bay=1, controller="c0")
    before = Inventory(controllers=(Controller(id="c0", backend="megaraid"),), drives=(drive,))
    problem = Problem(code="command_timeout", what="storcli64 did not end")
    unread = Inventory(controllers=(Controller(id="c0", backend="megaraid", problems=(problem,)),))
    assert carried_over(before, unread).drives == (drive,)
    gone = Inventory(problems=(problem,))
    assert carried_over(before, gone).controllers == before.controllers
    empty = Inventory(controllers=(Controller(id="c0", backend="megaraid"),))
    assert carried_over(before, empty).drives == (), "read well, and there is none"
    assert carried_over(None, empty) is empty
