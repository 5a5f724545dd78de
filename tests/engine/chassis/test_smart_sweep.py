"""Asking the drives: when, how many at a time, what is kept and what is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.chassis.happenings import Happening
from engine.chassis.smart_sweep import RETRY_US, SPARE_POLL_US, SmartSweep
from storage.catalog.db import Catalog
from storage.drives.health import Verdict
from storage.drives.smart_report import SelfTestKind, SelfTestResult, SelfTestState, SmartReport
from storage.errors import CommandFailed, CommandTimeout, DriveError, ToolMissing, Unsupported, WatchdeckError
from storage.no_hardware import NoHardware
from storage.raid.inventory import Inventory
from storage.raid.states import DriveState
from storage.units import US_PER_HOUR
from tests.engine.chassis.raids import drive, spare
from tests.fakes.clock import FakeClock

MINUTE_US = 60_000_000
HOUR = 60


class ReportedHardware(NoHardware):
    """Answers as a test says."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.reports: dict[str, SmartReport | WatchdeckError] = {}
        self.self_test: dict[str, SelfTestState] = {}
        self.asked_tests = 0

    def smart(self, drive: str) -> SmartReport:
        self.asked.append(drive)
        answer = self.reports.get(drive, SmartReport(protocol="ata", passed=True, temperature_c=30, hours=9))
        if isinstance(answer, WatchdeckError):
            raise answer
        return answer

    def self_tests(self, drive: str) -> SelfTestState:
        self.asked_tests += 1
        if drive not in self.self_test:
            raise Unsupported("self-tests through a controller are not possible")
        return self.self_test[drive]


class Bench:
    def __init__(self, path: Path) -> None:
        self.catalog = Catalog.open(path)
        self.clock = FakeClock()
        self.hardware = ReportedHardware()
        self.said: list[Happening] = []
        self.changes = 0
        self.sweep = SmartSweep(self.hardware, self, self.clock, self.said.extend, self.changed)

    async def read(self, call: str, /, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.catalog, call)(*args, **kwargs)

    write = read

    def changed(self) -> None:
        self.changes += 1

    async def round(self, inventory: Inventory) -> list[str]:
        """Who was asked."""
        self.catalog.remember_drives(inventory.drives, self.clock.now_us())
        self.hardware.asked.clear()
        await self.sweep.round(inventory, HOUR)
        return sorted(self.hardware.asked)


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    made = Bench(tmp_path / "catalog.sqlite")
    yield made
    made.sweep.close()
    made.catalog.close()


THREE = Inventory(drives=(drive(0), drive(1), drive(2, DriveState.UNCONFIGURED_GOOD)))


async def test_all_are_asked_at_the_start_and_then_spread_over_the_hour(bench: Bench) -> None:
    assert await bench.round(THREE) == ["d0", "d1", "d2"]
    assert await bench.round(THREE) == []
    minutes = []
    for minute in range(1, HOUR + 1):
        bench.clock.advance(MINUTE_US)
        minutes += [minute] * len(await bench.round(THREE))
    assert len(minutes) == 3
    assert all(minute >= HOUR // 2 for minute in minutes)
    assert len(set(minutes)) == 3, "never all in the same minute again"


async def test_drive_that_came_is_asked_soon_and_a_missing_one_never(bench: Bench) -> None:
    await bench.round(THREE)
    more = Inventory(drives=(*THREE.drives, drive(5), drive(6, DriveState.MISSING)))
    assert await bench.round(more) == ["d5"]


async def test_reading_is_kept_with_its_verdict_and_a_growing_count_is_said_once(bench: Bench) -> None:
    await bench.round(THREE)
    assert bench.said == []
    bench.hardware.reports["d1"] = SmartReport(protocol="ata", passed=True, pending=24, temperature_c=31)
    bench.clock.advance(US_PER_HOUR)
    await bench.round(THREE)
    [said] = bench.said
    assert said.kind in ("drive.predicted_failure", "drive.health_warning")
    assert "bay 1 (serial S1)" in said.text
    bench.clock.advance(US_PER_HOUR)
    await bench.round(THREE)
    assert len(bench.said) == 1
    assert [sample.pending for sample in bench.catalog.drive_history("d1")] == [None, 24, 24]
    kept = bench.catalog.drive_report("d1")
    assert kept is not None
    assert (kept.drive, kept.pending) == ("d1", 24)


async def test_after_a_restart_nothing_is_said_again(bench: Bench, tmp_path: Path) -> None:
    bench.hardware.reports["d1"] = SmartReport(protocol="ata", passed=False)
    await bench.round(THREE)
    assert [said.kind for said in bench.said] == ["drive.predicted_failure"]
    again = SmartSweep(bench.hardware, bench, bench.clock, bench.said.extend, bench.changed)
    await again.remember(["d0", "d1"])
    assert again.healths["d1"].verdict is Verdict.FAILING, "shown before it was asked again"
    bench.clock.advance(MINUTE_US)
    await again.round(THREE, HOUR)
    again.close()
    assert len(bench.said) == 1


async def test_sleeping_drive_keeps_its_verdict_and_is_not_written_down(bench: Bench) -> None:
    await bench.round(THREE)
    bench.hardware.reports["d0"] = SmartReport(is_asleep=True)
    bench.clock.advance(US_PER_HOUR)
    await bench.round(THREE)
    assert len(bench.catalog.drive_history("d0")) == 1
    assert bench.said == []


async def test_drive_that_cannot_be_asked_is_not_known_with_its_reason(bench: Bench) -> None:
    bench.hardware.reports["d0"] = ToolMissing("the program smartctl is not installed")
    await bench.round(THREE)
    [health] = [health for health in bench.sweep.view(THREE) if health.drive == "d0"]
    assert (health.verdict, health.reasons) == (Verdict.UNKNOWN, ("the program smartctl is not installed",))
    assert bench.said == []


async def test_reading_that_failed_is_tried_again_soon_and_then_less_and_less_often(bench: Bench) -> None:
    """The drive service is restarted while the drives are asked: they are not without a verdict until the next hour."""
    bench.hardware.reports["d0"] = DriveError("the drive service closed the connection without an answer")
    await bench.round(THREE)
    bench.clock.advance(RETRY_US)
    assert await bench.round(THREE) == ["d0"]
    bench.clock.advance(RETRY_US)
    assert await bench.round(THREE) == []
    bench.clock.advance(RETRY_US)
    del bench.hardware.reports["d0"]
    assert await bench.round(THREE) == ["d0"]
    assert bench.sweep.healths["d0"].verdict is Verdict.GOOD
    bench.clock.advance(10 * MINUTE_US)
    assert await bench.round(THREE) == []


@pytest.mark.parametrize(
    "error",
    [
        CommandTimeout("smartctl did not end within 60 s"),
        ToolMissing("the program smartctl is not installed"),
        Unsupported("no SMART through this controller"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_reading_that_cannot_go_better_soon_waits_for_its_round(
    bench: Bench, error: WatchdeckError
) -> None:
    bench.hardware.reports["d0"] = error
    await bench.round(THREE)
    bench.clock.advance(10 * MINUTE_US)
    assert await bench.round(THREE) == []


async def test_standby_spare_is_asked_every_minute_and_its_silence_is_said(bench: Bench) -> None:
    """Row HS-09."""
    box = Inventory(drives=(drive(0), spare(5)))
    await bench.round(box)
    bench.clock.advance(SPARE_POLL_US)
    assert await bench.round(box) == ["d5"]
    assert len(bench.catalog.drive_history("d5")) == 1, "only whether it answers"
    bench.hardware.reports["d5"] = CommandFailed("no answer")
    for _ in range(3):
        bench.clock.advance(SPARE_POLL_US)
        await bench.round(box)
    del bench.hardware.reports["d5"]
    bench.clock.advance(SPARE_POLL_US)
    await bench.round(box)
    assert [said.kind for said in bench.said] == ["spare.silent", "spare.answers"]


def running(progress: float) -> SelfTestState:
    return SelfTestState(
        kinds=(SelfTestKind.SHORT,), progress=progress, text=f"self-test running, {progress:.0%} done"
    )


async def test_running_self_test_is_followed_each_minute_and_its_end_is_read_and_told(bench: Bench) -> None:
    await bench.round(THREE)
    bench.hardware.self_test["d0"] = running(0.1)
    bench.sweep.follow("d0")
    for progress in (0.1, 0.5):
        bench.hardware.self_test["d0"] = running(progress)
        assert await bench.round(THREE) == [], "only its self-test is asked about, not all its values"
        [health] = [health for health in bench.sweep.view(THREE) if health.drive == "d0"]
        assert (health.self_test_progress, health.self_test) == (progress, running(progress).text)
        asked = bench.hardware.asked_tests
        await bench.round(THREE)
        assert bench.hardware.asked_tests == asked, "not before a minute has passed"
        bench.clock.advance(MINUTE_US)
    bench.hardware.self_test["d0"] = SelfTestState(kinds=(SelfTestKind.SHORT,), text="Short: Completed")
    bench.hardware.reports["d0"] = SmartReport(
        protocol="ata", passed=True, self_tests=(SelfTestResult(kind="Short", passed=True, text="Completed"),)
    )
    assert await bench.round(THREE) == ["d0"]
    [health] = [health for health in bench.sweep.view(THREE) if health.drive == "d0"]
    assert health.self_test_progress is None
    assert [said.kind for said in bench.said] == ["drive.self_test_passed"]
    bench.clock.advance(MINUTE_US)
    assert await bench.round(THREE) == []


async def test_self_test_that_only_the_report_tells_of_is_followed_too(bench: Bench) -> None:
    bench.hardware.reports["d0"] = SmartReport(protocol="ata", passed=True, self_test_progress=0.1)
    await bench.round(THREE)
    bench.clock.advance(MINUTE_US)
    assert await bench.round(THREE) == ["d0"], "pySMART cannot say: the report is read again"
    del bench.hardware.reports["d0"]
    bench.clock.advance(MINUTE_US)
    assert await bench.round(THREE) == ["d0"]
    bench.clock.advance(MINUTE_US)
    assert await bench.round(THREE) == []


async def test_what_a_drive_can_run_is_asked_once(bench: Bench) -> None:
    bench.hardware.self_test["d1"] = SelfTestState(
        kinds=(SelfTestKind.LONG,), minutes={SelfTestKind.LONG: 740}
    )
    await bench.round(THREE)
    assert bench.sweep.self_tests["d1"].minutes == {SelfTestKind.LONG: 740}
    assert "controller" in bench.sweep.self_tests["d0"].text, "it cannot be asked, and that is known"
    asked = bench.hardware.asked_tests
    bench.clock.advance(US_PER_HOUR)
    await bench.round(THREE)
    assert bench.hardware.asked_tests == asked


async def test_temperatures_in_between_are_shown_and_kept_now_and_then(bench: Bench) -> None:
    await bench.round(THREE)
    for minute in range(30):
        bench.clock.advance(MINUTE_US)
        await bench.sweep.warm(THREE, {"d0": 40 + minute % 2})
    history = bench.catalog.drive_history("d0")
    assert len(history) == 4, "the reading and one every ten minutes"
    [health] = [health for health in bench.sweep.view(THREE) if health.drive == "d0"]
    assert health.temperature_c == 41
    assert health.hours == 9
    hot = msgspec.structs.replace(health, temperature_warning_c=50, temperature_critical_c=60)
    bench.sweep.healths["d0"] = hot
    await bench.sweep.warm(THREE, {"d0": 55})
    assert [said.kind for said in bench.said] == ["drive.temperature_high"]
