from __future__ import annotations

import pytest

from storage.catalog.db import Catalog
from storage.catalog.drives import KEEP_ALL_US, KEEP_HOURLY_US
from storage.drives.health import DriveHealth, HealthSample, Verdict
from storage.drives.smart_report import Attribute, SmartReport
from storage.errors import Conflict, NotFound
from storage.raid.inventory import Drive
from storage.raid.states import DriveState
from storage.units import US_PER_DAY, US_PER_HOUR
from tests.storage.catalog.footage import T0

MINUTE = 60_000_000


def drive(**changes: object) -> Drive:
    values: dict[str, object] = {
        "id": "wwn-0x5000c500a1b2c3d4",
        "bay": 3,
        "model": "ST8000NM0055",
        "serial": "ZA1",
        "wwn": "0x5000c500a1b2c3d4",
        "size_bytes": 8_001_563_222_016,
        "place": "pci-0000:00:17.0-ata-3",
        "group": "md-1",
        "state": DriveState.ONLINE,
    }
    return Drive(**{**values, **changes})  # type: ignore[arg-type]


def test_a_drive_that_comes_back_in_another_bay_keeps_its_history(catalog: Catalog) -> None:
    catalog.remember_drives([drive()], T0)
    catalog.add_sample(drive().id, HealthSample(time_us=T0, pending=8, verdict=Verdict.WARNING))
    catalog.remember_drives([], T0 + MINUTE)
    catalog.remember_drives([drive(bay=6, group="", state=DriveState.UNCONFIGURED_GOOD)], T0 + US_PER_DAY)
    known = catalog.known_drive(drive().id)
    assert known is not None
    assert (known.bay, known.membership) == (6, "")
    assert (known.first_seen_us, known.last_seen_us) == (T0, T0 + US_PER_DAY)
    assert [sample.pending for sample in catalog.drive_history(drive().id)] == [8]


def test_a_missing_drive_keeps_its_last_bay_membership_and_time(catalog: Catalog) -> None:
    catalog.remember_drives([drive()], T0)
    gone = drive(bay=None, place="", state=DriveState.MISSING, model="", serial="", wwn="", size_bytes=0)
    catalog.remember_drives([gone], T0 + US_PER_DAY)
    known = catalog.known_drive(drive().id)
    assert known is not None
    assert (known.bay, known.membership, known.serial, known.last_seen_us) == (3, "md-1", "ZA1", T0)


def test_a_place_without_a_drive_is_not_remembered_as_one(catalog: Catalog) -> None:
    catalog.remember_drives([drive(id="missing-md-1-2", state=DriveState.MISSING)], T0)
    assert catalog.known_drives() == []


def test_an_unchanged_inventory_is_not_written_again_at_every_look(catalog: Catalog) -> None:
    catalog.remember_drives([drive()], T0)
    before = catalog._connection.total_changes
    catalog.remember_drives([drive()], T0 + MINUTE)
    assert catalog._connection.total_changes == before
    catalog.remember_drives([drive()], T0 + 11 * MINUTE)
    assert catalog.known_drives()[0].last_seen_us == T0 + 11 * MINUTE


def test_a_forgotten_drive_takes_its_history_along(catalog: Catalog) -> None:
    catalog.remember_drives([drive()], T0)
    catalog.add_sample(drive().id, HealthSample(time_us=T0))
    catalog.forget_drive(drive().id)
    catalog.remember_drives([drive()], T0 + MINUTE)
    assert catalog.drive_history(drive().id) == []
    with pytest.raises(NotFound):
        catalog.forget_drive("wwn-0x1")


def test_a_report_and_its_judgement_come_back_as_they_were(catalog: Catalog) -> None:
    catalog.remember_drives([drive()], T0)
    report = SmartReport(
        drive=drive().id, time_us=T0, passed=True, attributes=(Attribute(name="Pending", raw=8, id=197),)
    )
    health = DriveHealth(drive=drive().id, verdict=Verdict.WARNING, reasons=("8 sectors wait",))
    catalog.save_reading(drive().id, report, health, HealthSample(time_us=T0, verdict=Verdict.WARNING))
    assert catalog.drive_report(drive().id) == report
    assert catalog.drive_health(drive().id) == health
    newer = SmartReport(drive=drive().id, time_us=T0 + MINUTE)
    catalog.save_report(drive().id, newer)
    assert (catalog.drive_report(drive().id), catalog.drive_health(drive().id)) == (newer, health)


def test_what_another_version_wrote_and_nobody_can_read_is_as_if_it_were_not_there(catalog: Catalog) -> None:
    catalog.remember_drives([drive()], T0)
    catalog._run("""UPDATE drive SET report = '{"time_us": "soon"}', health = '[]'""")
    assert (catalog.drive_report(drive().id), catalog.drive_health(drive().id)) == (None, None)


def test_readings_of_a_drive_that_is_not_known_are_refused(catalog: Catalog) -> None:
    with pytest.raises(NotFound, match="wwn-0x1"):
        catalog.add_sample("wwn-0x1", HealthSample(time_us=T0))
    with pytest.raises(NotFound, match="wwn-0x1"):
        catalog.save_report("wwn-0x1", SmartReport())
    assert catalog.drive_report("wwn-0x1") is None
    assert catalog.drive_history("wwn-0x1") == []


def test_a_failed_sample_takes_the_report_of_the_same_reading_back(catalog: Catalog) -> None:
    catalog.remember_drives([drive()], T0)
    with pytest.raises(Conflict):
        catalog.save_reading(
            drive().id, SmartReport(time_us=T0), DriveHealth(drive=""), HealthSample(time_us=0)
        )
    assert catalog.drive_report(drive().id) is None


def test_history_keeps_two_days_whole_a_month_by_the_hour_and_years_by_the_day(catalog: Catalog) -> None:
    catalog.remember_drives([drive()], T0)
    start_us = T0 // US_PER_DAY * US_PER_DAY
    end_us = start_us + 40 * US_PER_DAY
    times = range(start_us, end_us + 1, 30 * MINUTE)
    for time_us in times:
        catalog.add_sample(drive().id, HealthSample(time_us=time_us, hours=time_us // US_PER_HOUR))
    kept = [sample.time_us for sample in catalog.drive_history(drive().id)]
    whole = [time_us for time_us in kept if time_us >= end_us - KEEP_ALL_US]
    hourly = [time_us for time_us in kept if end_us - KEEP_HOURLY_US <= time_us < end_us - KEEP_ALL_US]
    daily = [time_us for time_us in kept if time_us < end_us - KEEP_HOURLY_US]
    assert len(whole) == 97
    assert len(hourly) == 28 * 24
    assert {later - before for before, later in zip(hourly, hourly[1:], strict=False)} == {US_PER_HOUR}
    assert len(daily) == 10
    # the last of each day, so that a counter's growth over a day is never lost
    assert {time_us % US_PER_DAY for time_us in daily} == {US_PER_DAY - 30 * MINUTE}


def test_history_of_one_drive_is_not_thinned_by_another(catalog: Catalog) -> None:
    other = drive(id="wwn-0x2", serial="ZA2", bay=4)
    catalog.remember_drives([drive(), other], T0)
    for minute in range(4):
        catalog.add_sample(drive().id, HealthSample(time_us=T0 + minute * MINUTE))
    catalog.add_sample(other.id, HealthSample(time_us=T0 + 100 * US_PER_DAY))
    assert len(catalog.drive_history(drive().id)) == 4
    assert [sample.time_us for sample in catalog.drive_history(drive().id, T0 + MINUTE, limit=2)] == [
        T0 + 2 * MINUTE,
        T0 + 3 * MINUTE,
    ]


def test_a_clock_set_years_ahead_costs_no_days_of_history(catalog: Catalog) -> None:
    catalog.remember_drives([drive()], T0)
    for day in range(5):
        catalog.add_sample(drive().id, HealthSample(time_us=T0 + day * US_PER_DAY))
    catalog.add_sample(drive().id, HealthSample(time_us=T0 + 40 * 366 * US_PER_DAY))
    assert len(catalog.drive_history(drive().id)) == 6
