"""The chassis service over a simulated box: what it shows, says and does by itself."""

from __future__ import annotations

from pathlib import Path

from engine.wire_chassis import (
    ChassisView,
    DriveState,
    InformationPattern,
    JobKind,
    JobState,
    JobView,
    SelfTestKind,
    TaskKind,
    TrayPattern,
    VirtualDriveState,
)
from storage.catalog.records import Severity
from storage.raid.operations import SetOffline, Silence
from tests.fakes.chassis_service import (
    RAID5,
    RAID5_WITH_SPARE,
    ChassisBench,
    NotedEvents,
    OpenJobs,
    chassis_bench,
)


def serial_in(bench: ChassisBench, bay: int) -> str:
    drive = bench.service.inventory().drive_in(bay)
    assert drive is not None
    return drive.serial


def state_of(view: ChassisView) -> VirtualDriveState:
    return view.inventory.virtual_drives[0].state


def pattern(view: ChassisView, bay: int) -> TrayPattern:
    found = view.bay(bay)
    assert found is not None
    return found.pattern


async def test_box_in_order_is_shown_whole_and_says_nothing(tmp_path: Path) -> None:
    async with chassis_bench(tmp_path) as bench:
        view = await bench.until(lambda view: len(view.health) == 5 and bool(view.sensors))
        assert [bay.bay for bay in view.bays] == list(range(8))
        assert [bay.word for bay in view.bays] == ["online"] * 4 + ["empty"] * 4
        assert (view.is_simulated, view.is_beeping, view.problems) == (True, False, ())
        [chain] = view.chains
        assert (chain.bays, chain.volume, chain.cameras, chain.can_lose, chain.exposure) == (
            (0, 1, 2, 3),
            "A",
            ("Gate",),
            1,
            "",
        )
    assert bench.events.said == []


async def test_pulled_member_is_said_once_with_bay_serial_and_what_the_next_failure_costs(
    tmp_path: Path,
) -> None:
    async with chassis_bench(tmp_path) as bench:
        serial = serial_in(bench, 2)
        bench.do("pull 2")
        view = await bench.until(lambda view: state_of(view) is VirtualDriveState.DEGRADED)
        assert pattern(view, 2) is TrayPattern.FAIL
        assert view.is_beeping
        bench.wait(60)
        bench.wait(60)
        await bench.until(lambda view: view.read_us == bench.clock.now_us())
        [missing] = bench.events.of("drive.missing")
        assert f"bay 2 (serial {serial})" in missing.text
        assert "one more failure in bays 0 1 3 loses volume A" in missing.text
        [degraded] = bench.events.of("virtual_drive.degraded")
        assert degraded.severity is Severity.CRITICAL


async def test_member_pulled_by_mistake_is_brought_up_to_date_when_it_is_back(tmp_path: Path) -> None:
    async with chassis_bench(tmp_path) as bench:
        bench.do("pull 2")
        await bench.until(lambda view: state_of(view) is VirtualDriveState.DEGRADED)
        bench.do("insert 2")
        await bench.until_said("drive.returned")
        assert bench.events.of("rebuild.automatic") == []
        bench.wait(11)
        await bench.until_said("rebuild.automatic")
        bench.wait(3600)
        await bench.until(lambda view: state_of(view) is VirtualDriveState.ONLINE)
        assert len(bench.events.of("virtual_drive.online")) == 1
        assert not (await bench.until(lambda view: not view.is_beeping)).is_beeping


async def test_global_spare_takes_over_without_being_asked(tmp_path: Path) -> None:
    async with chassis_bench(tmp_path, RAID5_WITH_SPARE) as bench:
        bench.do("pull 1")
        await bench.until_said("drive.missing")
        bench.wait(3)
        said = await bench.until_said("rebuild.automatic")
        assert "global hot spare in bay 4" in said.text
        view = await bench.until(lambda view: pattern(view, 4) is TrayPattern.REBUILD)
        assert not view.is_beeping, "nobody is needed"
        bench.wait(3600)
        await bench.until(lambda view: state_of(view) is VirtualDriveState.ONLINE)
        assert [event.kind for event in bench.events.said if event.kind.startswith("task.")] == [
            "task.started",
            "task.finished",
        ]


async def test_new_drive_in_the_bay_of_a_lost_one_is_used_after_ten_seconds(tmp_path: Path) -> None:
    async with chassis_bench(tmp_path) as bench:
        bench.do("pull 3")
        await bench.until_said("drive.missing")
        bench.do("insert 3 blank")
        await bench.until_said("drive.inserted")
        view = bench.service.view()
        bay = view.bay(3)
        assert bay is not None
        assert bay.settles_at_us is not None
        assert bench.events.of("rebuild.automatic") == []
        bench.wait(10.1)
        said = await bench.until_said("rebuild.automatic")
        assert "bay 3" in said.text


async def test_smaller_drive_is_not_used_and_it_is_said_why(tmp_path: Path) -> None:
    async with chassis_bench(tmp_path) as bench:
        bench.do("pull 3")
        await bench.until_said("drive.missing")
        bench.do("insert 3 blank 4TB")
        said = await bench.until_said("rebuild.not_started")
        assert "too small" in said.text
        bench.wait(60)
        await bench.until(lambda view: view.read_us == bench.clock.now_us())
        assert bench.events.of("rebuild.automatic") == []
        assert len(bench.events.of("rebuild.not_started")) == 1


async def test_job_that_replaces_a_drive_is_not_interfered_with(tmp_path: Path) -> None:
    async with chassis_bench(tmp_path) as bench:
        job = JobView(
            id="j",
            kind=JobKind.REPLACE,
            state=JobState.WAITING,
            title="Replace",
            steps=(),
            bay=3,
            serial=serial_in(bench, 3),
        )
        bench.service.follow_jobs(OpenJobs((job,)))
        bench.do("pull 3")
        missing = await bench.until_said("drive.missing")
        assert missing.severity is Severity.INFO, "nobody is called for what a job expects"
        bench.do("insert 3 blank")
        await bench.until_said("drive.inserted")
        bench.wait(30)
        await bench.until(lambda view: view.read_us == bench.clock.now_us())
        assert bench.events.of("rebuild.automatic") == []


async def test_drive_taken_out_on_purpose_calls_nobody(tmp_path: Path) -> None:
    async with chassis_bench(tmp_path) as bench:
        inventory = bench.service.inventory()
        drive = inventory.drive_in(0)
        assert drive is not None
        await bench.service.perform(SetOffline(drive=drive.id), inventory)
        said = [event for event in bench.events.said if event.kind.startswith(("drive.", "virtual_drive."))]
        assert said
        assert all(event.severity is not Severity.CRITICAL for event in said), said


async def test_trouble_found_at_the_start_is_one_event_for_each_virtual_drive(tmp_path: Path) -> None:
    async with chassis_bench(tmp_path) as bench:
        bench.do("pull 2")
        await bench.until_said("virtual_drive.degraded")
    again = NotedEvents()
    async with chassis_bench(tmp_path, RAID5, clock=bench.clock, events=again):
        pass
    assert [event.kind for event in again.said if event.severity is not Severity.INFO] == [
        "virtual_drive.degraded"
    ]


async def test_silenced_beeper_speaks_up_again_for_something_new(tmp_path: Path) -> None:
    async with chassis_bench(tmp_path) as bench:
        bench.do("pull 2")
        await bench.until(lambda view: view.is_beeping)
        await bench.service.perform(Silence(controller=""), bench.service.inventory())
        await bench.until(lambda view: not view.is_beeping)
        bench.do("psu 1 fail")
        await bench.service._readings.read_sensors()
        view = await bench.until(lambda view: view.is_beeping)
        assert view.information is InformationPattern.POWER_FAILURE
        assert len(bench.events.of("power.failed")) == 1


async def test_failed_drive_is_shown_and_the_volume_that_is_lost_named(tmp_path: Path) -> None:
    async with chassis_bench(tmp_path) as bench:
        bench.do("fail 1")
        await bench.until_said("drive.failed")
        bench.do("fail 2")
        said = await bench.until_said("virtual_drive.failed")
        assert said.severity is Severity.CRITICAL
        assert "volume A" in said.text
        [drive] = [drive for drive in bench.service.inventory().drives if drive.bay == 1]
        assert drive.state is DriveState.FAILED


async def test_detail_says_which_self_tests_a_drive_can_run_and_how_far_one_is(tmp_path: Path) -> None:
    async with chassis_bench(tmp_path) as bench:
        await bench.until(lambda view: sum(health.checked_us is not None for health in view.health) == 5)
        detail = await bench.service.detail("2")
        assert detail.self_tests is not None
        assert set(detail.self_tests.kinds) == {SelfTestKind.SHORT, SelfTestKind.LONG}
        await bench.service.start_self_test("2", SelfTestKind.LONG, "eve")
        bench.wait(60)
        view = await bench.until(
            lambda view: any(task.kind is TaskKind.SELF_TEST for task in view.inventory.tasks)
        )
        health = view.health_of(detail.drive.id)
        assert health is not None
        assert "self-test running" in health.self_test
