"""The catalog forgets old events and gaps by itself, in steps."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from engine import catalog_upkeep
from engine.catalog_thread import CatalogThread
from engine.catalog_upkeep import upkeep_round
from engine.config import CatalogSection
from engine.wire_sources import PreservationSettings
from storage.catalog.alarm_records import AlarmHit, AlarmRowFilter, OperationRow
from storage.catalog.changes import CloseGap, OpenGap
from storage.catalog.chassis import ChassisJobKind, ChassisJobRow, ChassisJobState
from storage.catalog.records import EventRecord, GapCause, Severity
from storage.units import US_PER_DAY
from tests.fakes.clock import FakeClock

LIMITS = CatalogSection(keep_events_days=10, keep_gaps_days=5)


async def test_a_round_goes_on_in_steps_until_the_limits_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog_upkeep, "EVENTS_A_STEP", 2)
    monkeypatch.setattr(catalog_upkeep, "KEEP_AT_LEAST", 1)
    clock, pauses = FakeClock(), []

    async def sleep(delay_s: float) -> None:
        pauses.append(delay_s)

    async with CatalogThread(tmp_path / "catalog.sqlite") as catalog:
        old_us = clock.now_us() - 20 * US_PER_DAY
        camera = await catalog.write("add_camera", name="gate", url="rtsp://192.0.2.1/x")
        await catalog.write(
            "add_events",
            [EventRecord(time_us=old_us + number, kind="a", text="x") for number in range(5)]
            + [EventRecord(time_us=clock.now_us(), kind="b", text="y")],
        )
        catalog.record(
            OpenGap(camera.id, old_us, GapCause.UNKNOWN),
            CloseGap(camera.id, old_us + 1),
            OpenGap(camera.id, clock.now_us() - US_PER_DAY, GapCause.UNKNOWN),
        )
        await upkeep_round(catalog, clock, LIMITS, sleep=sleep)
        assert [event.kind for event in await catalog.read("events", limit=9)] == ["b"]
        assert len(await catalog.read("gaps", [camera.id], 1, clock.now_us() + 1)) == 1
    assert len(pauses) == 3


async def test_the_newest_events_survive_a_clock_set_years_ahead(tmp_path: Path) -> None:
    clock = FakeClock()
    async with CatalogThread(tmp_path / "catalog.sqlite") as catalog:
        await catalog.write("add_events", [EventRecord(time_us=clock.now_us(), kind="a", text="x")])
        clock.step(3_650 * US_PER_DAY)
        await upkeep_round(catalog, clock, LIMITS)
        assert len(await catalog.read("events", limit=9)) == 1


async def test_ended_jobs_of_the_chassis_go_with_the_events_of_their_time(tmp_path: Path) -> None:
    clock = FakeClock()
    old_us = clock.now_us() - 20 * US_PER_DAY

    def job(number: int, ended_us: int | None) -> ChassisJobRow:
        state = ChassisJobState.WAITING if ended_us is None else ChassisJobState.DONE
        return ChassisJobRow(
            uuid=UUID(int=number),
            kind=ChassisJobKind.REPLACE,
            state=state,
            body=msgspec.Raw(b"{}"),
            started_us=old_us,
            ended_us=ended_us,
        )

    async with CatalogThread(tmp_path / "catalog.sqlite") as catalog:
        for row in (job(1, old_us), job(2, clock.now_us()), job(3, None)):
            await catalog.write("save_chassis_job", row)
        await upkeep_round(catalog, clock, LIMITS)
        assert {row.uuid.int for row in await catalog.read("chassis_jobs")} == {2, 3}


async def test_alarms_operations_and_events_are_kept_as_the_preservation_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog_upkeep, "KEEP_AT_LEAST", 0)
    clock = FakeClock()
    start_us = clock.now_us()
    kept = PreservationSettings(alarms_days=3, log_major_days=9, log_normal_days=6, log_minor_days=2)
    days_us = [start_us + day * US_PER_DAY for day in range(10)]
    clock.step(10 * US_PER_DAY)
    async with CatalogThread(tmp_path / "catalog.sqlite") as catalog:
        for at_us in days_us:
            await catalog.write(
                "add_events",
                [EventRecord(time_us=at_us, kind="a", text="x", severity=severity) for severity in Severity],
            )
            await catalog.write(
                "add_operations", [OperationRow(time_us=at_us, actor="ann", type="b", text="x")]
            )
            await catalog.write(
                "add_hits",
                [
                    AlarmHit(
                        rule_id=None,
                        rule="r",
                        kind="a",
                        source="",
                        severity=Severity.INFO,
                        first_us=at_us,
                        last_us=at_us,
                        text="x",
                        retrigger_us=0,
                    )
                ],
            )
        await catalog.write("put_station_setting", "preservation", msgspec.json.encode(kept))
        await upkeep_round(catalog, clock, LIMITS)
        left = {
            severity: sum(event.severity is severity for event in await catalog.read("events", limit=99))
            for severity in Severity
        }
        assert left == {Severity.INFO: 2, Severity.WARNING: 6, Severity.CRITICAL: 9}
        assert (await catalog.read("alarms", AlarmRowFilter(), now_us=1))[1] == 3
        assert (await catalog.read("verify_operations"))[:2] == (True, 6)


async def test_settings_nobody_can_read_let_the_defaults_hold(tmp_path: Path) -> None:
    async with CatalogThread(tmp_path / "catalog.sqlite") as catalog:
        assert await catalog_upkeep.preservation(catalog) is None
        await catalog.write("put_station_setting", "preservation", '{"alarms_days": "for ever"}')
        assert await catalog_upkeep.preservation(catalog) is None
        await upkeep_round(catalog, FakeClock(), LIMITS)
