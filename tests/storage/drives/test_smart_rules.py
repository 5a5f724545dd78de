from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.drives import smart_rules, warmth
from storage.drives.health import DriveHealth, HealthSample, Verdict
from storage.drives.smart_report import Attribute, SelfTestResult, SmartReport
from storage.drives.smart_rules import COUNTER_RULES, judge
from storage.drives.smartctl_json import parse_report
from storage.drives.warmth import limits_c
from storage.errors import DriveError
from storage.units import US_PER_DAY, US_PER_HOUR
from tests.storage.drives.captures import NEED_PUBLIC, all_captures, capture, is_scan

NOW = 1_790_000_000_000_000
GOOD, WARNING, FAILING, UNKNOWN = Verdict.GOOD, Verdict.WARNING, Verdict.FAILING, Verdict.UNKNOWN


def report(**changes: object) -> SmartReport:
    values: dict[str, object] = {
        "time_us": NOW,
        "protocol": "ata",
        "serial": "ZA1",
        "passed": True,
        "rotation_rpm": 7200,
        "reallocated": 0,
        "pending": 0,
        "uncorrectable": 0,
    }
    return SmartReport(**{**values, **changes})  # type: ignore[arg-type]


def history(field: str, *values: int, every_us: int = US_PER_HOUR) -> list[HealthSample]:
    """Samples up to one step before now."""
    return [
        HealthSample(time_us=NOW - (len(values) - index) * every_us, **{field: value})  # type: ignore[arg-type]
        for index, value in enumerate(values)
    ]


def verdict(of: SmartReport, samples: Sequence[HealthSample] = ()) -> Verdict:
    return judge(of, None, None, samples).verdict


# -- real drives ---------------------------------------------------------------------------------------------

KNOWN_BAD = {
    "smart-fail2": (FAILING, "1975 reallocated"),
    "smart-megaraid1": (WARNING, "387 reallocated sectors"),
    "ST3500418AS_12": (WARNING, "304 reallocated sectors"),
    "smart-nvme-failed": (WARNING, "7 media errors"),
    "smart-scsi": (WARNING, "56 reallocated sectors"),
    "SEAGATE_ST373453LC_26": (WARNING, "536 uncorrectable errors"),
    "MB0500EBNCR_13": (WARNING, "1 uncorrectable error"),
    "MZWLL3T2HAJQ-00005-nvme0": (FAILING, "backup of the volatile memory failed"),
    "nvme-critical-warning-1": (FAILING, "spare blocks below the threshold"),
    "nvme-critical-warning-2": (WARNING, "temperature above or below"),
    "nvme-critical-warning-4": (FAILING, "reliability degraded"),
    "nvme-critical-warning-6": (FAILING, "reliability degraded"),
    "nvme-critical-warning-8": (FAILING, "media is read-only"),
    "nvme-overtemp-threshold": (WARNING, "temperature above or below"),
    "scsi_debug-failure-prediction": (FAILING, "5D/FF FAILURE PREDICTION"),
}
NO_VERDICT = {
    "smart-raid": "it has no SMART",
    "qemu-virtio-scsi": "it has no SMART",
    "smartctl_info_nvme": "no SMART values",
    "smartctl_info_sata_smart_support_bool": "no SMART values",
    "smartctl_info_sata_smart_support_object": "no SMART values",
}


@pytest.mark.parametrize("name", KNOWN_BAD)
def test_a_drive_known_to_be_bad_is_found_with_its_reason(name: str) -> None:
    health = judge(parse_report(capture(name)), None, None)
    wanted, reason = KNOWN_BAD[name]
    assert health.verdict is wanted
    assert any(reason in said for said in health.reasons), health.reasons


@pytest.mark.parametrize("name", NO_VERDICT)
def test_a_drive_that_says_nothing_is_unknown_and_the_reason_says_why(name: str) -> None:
    health = judge(parse_report(capture(name)), None, None)
    assert health.verdict is UNKNOWN
    assert NO_VERDICT[name] in health.reasons[0]


@NEED_PUBLIC
def test_every_other_real_drive_is_good() -> None:
    named = tuple({**KNOWN_BAD, **NO_VERDICT})
    judged = 0
    alarms = {}
    for path in all_captures():
        if is_scan(path) or path.stem.endswith((*named, "smart-fail")):
            continue
        health = judge(parse_report(path.read_bytes()), None, None)
        judged += 1
        if health.verdict is not GOOD:
            alarms[path.stem] = health.reasons
    assert alarms == {}
    assert judged == len(all_captures()) - len(named) - 1 - sum(map(is_scan, all_captures()))
    assert judged > 150


@pytest.mark.parametrize("path", all_captures(), ids=lambda path: path.stem)
def test_whatever_is_not_good_has_a_reason_a_person_can_read(path: Path) -> None:
    if is_scan(path):
        return
    try:
        health = judge(parse_report(path.read_bytes()), None, None)
    except DriveError:
        assert path.stem.endswith("smart-fail")
        return
    assert health.verdict is GOOD or health.reasons
    assert all(reason == reason.strip() and "None" not in reason for reason in health.reasons)


# -- false alarms of others --------------------------------------------------------------------------------


def test_command_timeouts_of_seagate_are_no_reason() -> None:
    attribute = Attribute(name="Command_Timeout", raw=17180131332, text="17180131332", id=188, value=100)
    assert verdict(report(command_timeouts=4, attributes=(attribute,))) is GOOD


def test_a_sleeping_drive_keeps_what_was_known_of_it() -> None:
    asleep = SmartReport(time_us=NOW, is_asleep=True, drive="wwn-1")
    before = judge(report(pending=8, time_us=NOW - US_PER_DAY), None, None)
    assert judge(asleep, None, before) == before
    first = judge(asleep, None, None)
    assert (first.verdict, first.drive) == (UNKNOWN, "wwn-1")
    assert "asleep" in first.reasons[0]


def test_a_temperature_that_was_once_too_high_is_named_and_no_warning() -> None:
    past = Attribute(
        name="Airflow_Temperature_Cel",
        raw=30,
        id=190,
        worst=40,
        threshold=45,
        failed="past",
        is_prefailure=True,
    )
    health = judge(report(attributes=(past,)), None, None)
    assert health.verdict is GOOD
    assert "once fell to 40" in health.reasons[0]


def test_old_transfer_errors_are_named_and_new_ones_blame_the_cable() -> None:
    old = judge(report(interface_errors=3_118_119), None, None)
    assert old.verdict is GOOD
    assert "not the drive" in old.reasons[0]
    samples = history("interface_errors", 10, 10, 10)
    assert verdict(report(interface_errors=12), samples) is GOOD
    new = judge(report(interface_errors=47), None, None, samples)
    assert new.verdict is WARNING
    assert "37 more in 1 hour" in new.reasons[0]
    assert "cable or backplane" in new.reasons[0]


def test_a_worn_ssd_is_a_warning_and_not_a_failure() -> None:
    assert [verdict(report(wear_percent=wear)) for wear in (89, 90, 140)] == [GOOD, WARNING, WARNING]


# -- what the drive says itself ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"id": 5, "failed": "now", "is_prefailure": True}, FAILING),
        ({"id": 9, "failed": "now"}, WARNING),
        ({"id": 190, "failed": "now", "is_prefailure": True}, WARNING),
        ({"id": 5, "failed": "past", "is_prefailure": True}, WARNING),
        ({"id": 9, "failed": "past"}, GOOD),
        ({"id": 10, "name": "Spin_Retry_Count", "raw": 2}, WARNING),
        ({"id": 184, "name": "End-to-End_Error", "raw": 1}, WARNING),
        ({"id": 196, "name": "Reallocated_Event_Count", "raw": 2111}, GOOD),
    ],
)
def test_attributes_count_by_the_drives_own_limits(changes: dict[str, object], wanted: Verdict) -> None:
    attribute = Attribute(**{"name": "X", "raw": 0, "value": 1, "worst": 1, "threshold": 5, **changes})  # type: ignore[arg-type]
    assert verdict(report(attributes=(attribute,))) is wanted


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"passed": False}, FAILING),
        ({"spare_percent": 9, "spare_threshold_percent": 10}, FAILING),
        ({"spare_percent": 10, "spare_threshold_percent": 10}, GOOD),
        ({"spare_percent": 0, "spare_threshold_percent": 0}, GOOD),
        ({"passed": False, "scsi_trip": "5D/10 HARDWARE IMPENDING FAILURE"}, FAILING),
        ({"passed": False, "scsi_trip": "0B/01 WARNING - SPECIFIED TEMPERATURE EXCEEDED"}, WARNING),
    ],
)
def test_the_drives_own_word_is_taken(changes: dict[str, object], wanted: Verdict) -> None:
    assert verdict(report(**changes)) is wanted


def results_of(*results: tuple[str, bool | None]) -> tuple[SelfTestResult, ...]:
    return tuple(SelfTestResult(kind=kind, passed=passed, text="said so") for kind, passed in results)


@pytest.mark.parametrize(
    ("results", "wanted"),
    [
        ([("short", False), ("short", True)], FAILING),
        ([("short", True), ("short", False)], GOOD),
        ([("short", None), ("short", False)], FAILING),
        ([("short", True), ("long", False)], FAILING),
        ([("long", True), ("short", False), ("conveyance", False)], GOOD),
        ([("long", None), ("long", True), ("long", False)], GOOD),
        ([("long", None)], GOOD),
    ],
)
def test_a_failed_self_test_counts_until_one_as_thorough_passes(
    results: list[tuple[str, bool | None]], wanted: Verdict
) -> None:
    assert verdict(report(self_tests=results_of(*results))) is wanted


def test_the_last_self_test_is_told_in_plain_words() -> None:
    passed = SelfTestResult(kind="long", passed=True, text="Completed without error", at_hours=988)
    assert judge(report(hours=1000, self_tests=(passed,)), None, None).self_test == (
        "long self-test passed, 12 h of running ago"
    )
    running = judge(report(self_tests=(passed,), self_test_progress=0.4), None, None)
    assert (running.self_test, running.self_test_progress) == (
        "self-test running, 40% done",
        0.4,
    )
    stopped = SelfTestResult(kind="short", passed=None, text="Aborted by host")
    assert judge(report(self_tests=(stopped,)), None, None).self_test == (
        "short self-test not finished: Aborted by host"
    )


# -- change --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", COUNTER_RULES, ids=lambda rule: rule.field)
def test_each_counter_warns_from_its_threshold_on_at_first_sight(rule: smart_rules.CounterRule) -> None:
    below = rule.warn_at - 1
    assert verdict(report(**{rule.field: below})) is GOOD
    assert verdict(report(**{rule.field: rule.warn_at})) is WARNING
    assert verdict(report(**{rule.field: 100_000})) is WARNING  # old numbers alone predict nothing


@pytest.mark.parametrize("rule", COUNTER_RULES, ids=lambda rule: rule.field)
def test_each_counter_predicts_failure_when_it_grows_fast(rule: smart_rules.CounterRule) -> None:
    samples = history(rule.field, 3, 3, 3)
    slow = judge(report(**{rule.field: 3 + rule.failing_a_day - 1}), None, None, samples)
    fast = judge(report(**{rule.field: 3 + rule.failing_a_day}), None, None, samples)
    assert (slow.verdict, fast.verdict) == (WARNING, FAILING)
    assert f"{rule.failing_a_day} more in 1 hour" in fast.reasons[0]


@pytest.mark.parametrize("rule", COUNTER_RULES, ids=lambda rule: rule.field)
def test_each_counter_predicts_failure_when_it_grows_day_after_day(rule: smart_rules.CounterRule) -> None:
    two_days = history(rule.field, 1, 1, 1, 1, 2, every_us=US_PER_DAY)
    assert verdict(report(**{rule.field: 3}), two_days) is WARNING
    three_days = history(rule.field, 1, 1, 1, 2, 3, every_us=US_PER_DAY)
    health = judge(report(**{rule.field: 4}), None, None, three_days)
    assert health.verdict is FAILING
    assert "grew on 3 of the last 7 days" in health.reasons[0]


def test_growth_over_a_hole_in_the_history_is_spread_over_it() -> None:
    month_ago = HealthSample(time_us=NOW - 30 * US_PER_DAY, pending=0)
    assert verdict(report(pending=200), [month_ago]) is WARNING
    assert verdict(report(pending=300), [month_ago]) is FAILING


def test_the_report_before_counts_as_history_and_that_of_another_drive_does_not() -> None:
    before = report(time_us=NOW - US_PER_HOUR)
    assert judge(report(pending=40), before, None).verdict is FAILING
    other = report(time_us=NOW - US_PER_HOUR, serial="ZA2")
    assert judge(report(pending=40), other, None).verdict is WARNING


def test_samples_from_the_future_and_counters_that_fall_are_no_growth() -> None:
    ahead = [HealthSample(time_us=NOW + US_PER_DAY, reallocated=1)]
    assert verdict(report(reallocated=10), ahead) is GOOD
    assert verdict(report(reallocated=2), history("reallocated", 16, 16, 2)) is GOOD


def test_the_raid_layers_own_count_is_heard() -> None:
    def with_raid(then: int, now: int) -> DriveHealth:
        return judge(report(), None, None, raid_media_errors=(then, now))

    assert with_raid(1984, 1984).verdict is GOOD
    assert with_raid(0, 8).verdict is WARNING
    grown = with_raid(40, 1984)
    assert grown.verdict is FAILING
    assert "1944 more media errors on it (1984 in all)" in grown.reasons[0]
    # counted from 0 again after an assembly
    assert with_raid(1984, 8).verdict is WARNING
    assert with_raid(1984, 0).verdict is GOOD
    no_smart = judge(report(is_capable=False), None, None, raid_media_errors=(0, 800))
    assert no_smart.verdict is FAILING


def test_what_the_raid_layer_met_is_remembered_for_a_week() -> None:
    met = judge(report(), None, None, raid_media_errors=(0, 8))
    for days in (0, 3, 6):
        met = judge(report(time_us=NOW + days * US_PER_DAY), None, met, raid_media_errors=(8, 8))
        assert met.verdict is WARNING
    assert "media errors on it 6 days ago" in met.reasons[0]
    assert judge(report(time_us=NOW + 7 * US_PER_DAY), None, met, raid_media_errors=(8, 8)).verdict is GOOD


def test_a_drive_that_dies_over_days_is_predicted_to_fail_before_it_does() -> None:
    """Pending sectors as a dying drive shows them: one, then a few each day; on day 9 it says itself that it fails."""
    pending_by_day = [0, 0, 0, 1, 1, 3, 6, 14, 40, 160]
    samples: list[HealthSample] = []
    previous: DriveHealth | None = None
    baseline: SmartReport | None = None
    verdicts: dict[int, Verdict] = {}
    for day, pending in enumerate(pending_by_day):
        for hour in range(0, 24, 6):
            now_us = NOW + day * US_PER_DAY + hour * US_PER_HOUR
            taken = report(time_us=now_us, pending=pending, passed=day < 9)
            previous = judge(taken, baseline, previous, samples)
            samples.append(HealthSample(time_us=now_us, pending=pending, verdict=previous.verdict))
            baseline = taken
            verdicts.setdefault(day, previous.verdict)
    assert [verdicts[day] for day in range(3)] == [GOOD] * 3
    assert [verdicts[day] for day in (3, 4, 5)] == [WARNING] * 3
    assert [verdicts[day] for day in (6, 7, 8, 9)] == [FAILING] * 4


# -- going back ----------------------------------------------------------------------------------------------


def test_healed_sectors_are_watched_for_a_week() -> None:
    samples = history("pending", 8, 0, 0, every_us=2 * US_PER_DAY)
    healed = judge(report(), None, None, samples)
    assert healed.verdict is WARNING
    assert "8 sectors could not be read 6 days ago; healed" in healed.reasons[0]
    assert verdict(report(), history("pending", 8, 0, 0, 0, every_us=2 * US_PER_DAY)) is GOOD


def test_a_failing_drive_is_trusted_again_only_after_quiet_days() -> None:
    failing = judge(report(passed=False), None, None)
    later = judge(report(time_us=NOW + 2 * US_PER_DAY), None, failing)
    assert later.verdict is FAILING
    assert "was failing 2 days ago: the drive itself says that it is failing" in later.reasons[0]
    still = judge(report(time_us=NOW + 6 * US_PER_DAY), None, later)
    assert still.reasons[0].count("was failing") == 1
    quiet = judge(report(time_us=NOW + 7 * US_PER_DAY), None, still)
    assert (quiet.verdict, quiet.last_failing_us, quiet.reasons) == (GOOD, None, ())


def test_each_new_failure_begins_the_quiet_days_again() -> None:
    failing = judge(report(passed=False), None, None)
    again = judge(report(time_us=NOW + 5 * US_PER_DAY, passed=False), None, failing)
    assert judge(report(time_us=NOW + 8 * US_PER_DAY), None, again).verdict is FAILING


def test_a_warm_drive_is_warned_of_until_it_is_clearly_cooler() -> None:
    previous = None
    verdicts = []
    for temperature_c in (49, 50, 48, 47, 49):
        previous = judge(report(temperature_c=temperature_c), None, previous)
        verdicts.append(previous.verdict)
    assert verdicts == [GOOD, WARNING, WARNING, GOOD, GOOD]
    critical = judge(report(temperature_c=61), None, None)
    assert (critical.verdict, critical.reasons) == (WARNING, ("61 °C, its critical limit is 60 °C",))


@pytest.mark.parametrize(
    ("changes", "limits"),
    [
        ({}, (50, 60)),
        ({"rotation_rpm": 0}, (60, 70)),
        ({"protocol": "nvme", "rotation_rpm": 0}, (70, 80)),
        ({"temperature_critical_c": 68}, (50, 68)),
        ({"temperature_critical_c": 50}, (45, 50)),
        ({"temperature_warning_c": 65}, (65, 70)),
        ({"temperature_warning_c": 70, "temperature_critical_c": 70}, (65, 70)),
        ({"protocol": "nvme", "temperature_warning_c": 82, "temperature_critical_c": 85}, (82, 85)),
    ],
)
def test_the_drives_own_limits_come_first(changes: dict[str, object], limits: tuple[int, int]) -> None:
    assert limits_c(report(**changes)) == limits


# -- properties ----------------------------------------------------------------------------------------------

counts = st.none() | st.integers(0, 10_000)
samples_of_a_drive = st.lists(
    st.builds(
        HealthSample,
        time_us=st.integers(NOW - 40 * US_PER_DAY, NOW + US_PER_DAY),
        pending=counts,
        reallocated=counts,
        uncorrectable=counts,
        media_errors=counts,
        interface_errors=counts,
    ),
    max_size=12,
)


@given(counts, counts, counts, samples_of_a_drive)
def test_good_means_below_every_threshold_whatever_the_history(
    pending: int | None, reallocated: int | None, uncorrectable: int | None, samples: list[HealthSample]
) -> None:
    taken = report(pending=pending, reallocated=reallocated, uncorrectable=uncorrectable)
    health = judge(taken, None, None, samples)
    assert health == judge(taken, None, None, list(reversed(samples)))
    if health.verdict is GOOD:
        assert all((getattr(taken, rule.field) or 0) < rule.warn_at for rule in COUNTER_RULES)
    else:
        assert health.reasons


def test_the_numbers_of_the_manual_are_those_of_the_code() -> None:
    manual = (Path(__file__).resolve().parents[3] / "docs" / "smart.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \|[^|]*\|( \d+ \| \d+ )\|", manual, re.MULTILINE))
    for rule in COUNTER_RULES:
        assert rows[rule.field].split() == [str(rule.warn_at), "|", str(rule.failing_a_day)]
    assert f"| {smart_rules.RAID_ERRORS_FAILING} |" in manual
    assert f"{smart_rules.WEAR_WARNING_PERCENT} % or more" in manual
    assert f"{smart_rules.INTERFACE_ERRORS_A_DAY} or more new transfer" in manual
    assert f"growth on {smart_rules.STEADY_DAYS} of the last {smart_rules.WATCH_DAYS} days" in manual
    assert f"{warmth.CRITICAL_MARGIN_C} °C below the critical limit" in manual
    assert f"{warmth.HYSTERESIS_C} °C below its limit" in manual
    for limits in (warmth.HDD_LIMITS_C, warmth.SSD_LIMITS_C, warmth.NVME_LIMITS_C):
        assert "| {} °C | {} °C |".format(*limits) in manual
