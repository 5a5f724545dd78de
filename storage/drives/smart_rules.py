"""What a drive's reports mean: good, warning or failing, with the reasons in plain words. Pure.

The rules follow change rather than absolute numbers, and the drive's own limits before ours; docs/smart.md has every
number with its reason. "PASSED" is not health, and health is not worse for counters that only look bad (188 of Seagate,
raw values that are packed). Wording for people ends here; who is told is the engine's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from storage.drives.counter_history import CounterHistory, Growth
from storage.drives.health import DriveHealth, HealthSample, Verdict
from storage.drives.smart_nvme import TEMPERATURE_WARNING
from storage.drives.smart_report import Attribute, SelfTestKind, SelfTestResult, SmartReport
from storage.drives.warmth import warmth_of
from storage.units import US_PER_DAY, US_PER_HOUR

WATCH_DAYS = 7
"""A counter that grew, or sectors that healed, keep the warning up for so long; a failing drive is trusted again no sooner."""
STEADY_DAYS = 3
"""Growth on so many of the last WATCH_DAYS days predicts failure, however small each step."""
WEAR_WARNING_PERCENT = 90
INTERFACE_ERRORS_A_DAY = 5
RAID_ERRORS_FAILING = 256
"""Errors the RAID layer counted since it last looked; md counts sectors, eight to a bad block."""
TEMPERATURE_IDS = (190, 194)
MUST_BE_ZERO = (
    ("spin_retry", "times the platters needed another try to spin up"),
    ("end-to-end", "errors inside the drive's own electronics"),
)
"""Attributes by a part of their name (10, 184) that healthy drives never count."""


@dataclass(frozen=True, slots=True)
class CounterRule:
    """How a counter of lost or saved sectors is judged; see the table in docs/smart.md."""

    field: str
    one: str
    many: str
    warn_at: int
    """A warning from this value on, even at first sight."""
    failing_a_day: int
    """This much more within a day predicts failure."""


COUNTER_RULES = (
    CounterRule("pending", "sector cannot be read and waits", "sectors cannot be read and wait", 1, 10),
    CounterRule("uncorrectable", "uncorrectable error", "uncorrectable errors", 1, 10),
    CounterRule("reallocated", "reallocated sector", "reallocated sectors", 17, 50),
    CounterRule("media_errors", "media error", "media errors", 1, 10),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason, and how bad it alone would be; GOOD is worth knowing and no fault."""

    verdict: Verdict
    text: str


_RANK = {Verdict.FAILING: 0, Verdict.WARNING: 1, Verdict.GOOD: 2}


def judge(
    report: SmartReport,
    baseline: SmartReport | None,
    previous: DriveHealth | None,
    samples: Sequence[HealthSample] = (),
    *,
    raid_media_errors: tuple[int, int] | None = None,
) -> DriveHealth:
    """The verdict on this report.

    `baseline` is an older report of the same drive (the one before, or the first), `previous` the last judgement,
    `samples` its history; each may be missing. `raid_media_errors` is what the RAID layer had counted a while ago (when
    the operator was last told, or the drive joined its array) and counts now.
    """
    if report.is_asleep:
        return _asleep(report, previous)
    findings = list(_findings(report, baseline, samples))
    raid_us, raid = _raid(raid_media_errors, previous, report.time_us)
    findings += raid
    warmth = warmth_of(report, was_too_warm=previous is not None and previous.is_too_warm)
    if warmth.text:
        findings.append(Finding(Verdict.WARNING, warmth.text))
    now_us = report.time_us
    failing = [finding for finding in findings if finding.verdict is Verdict.FAILING]
    last_us, last_reason = (now_us, failing[0].text) if failing else _still_failing(previous, now_us)
    if last_us is not None and not failing:
        findings.append(
            Finding(
                Verdict.FAILING,
                f"was failing {_span(now_us - last_us)} ago: {last_reason}"
                f" (trusted again after {WATCH_DAYS} quiet days)",
            )
        )
    findings.sort(key=lambda finding: _RANK[finding.verdict])
    verdict = findings[0].verdict if findings else Verdict.GOOD
    if verdict is Verdict.GOOD and not _has_values(report):
        verdict = Verdict.UNKNOWN
        findings = [Finding(Verdict.GOOD, _why_unknown(report))]
    return DriveHealth(
        drive=report.drive,
        verdict=verdict,
        reasons=tuple(dict.fromkeys(finding.text for finding in findings)),
        checked_us=now_us,
        last_failing_us=last_us,
        last_failing_reason=last_reason,
        raid_errors_us=raid_us,
        is_too_warm=bool(warmth.text),
        temperature_c=report.temperature_c,
        temperature_warning_c=warmth.warning_c,
        temperature_critical_c=warmth.critical_c,
        hours=report.hours,
        reallocated=report.reallocated,
        pending=report.pending,
        uncorrectable=report.uncorrectable,
        interface_errors=report.interface_errors,
        media_errors=report.media_errors,
        wear_percent=report.wear_percent,
        self_test=_self_test_words(report),
        self_test_progress=report.self_test_progress,
    )


# -- no report to judge --------------------------------------------------------------------------------------


def _asleep(report: SmartReport, previous: DriveHealth | None) -> DriveHealth:
    """What was known stays true: a sleeping drive does not change."""
    if previous is not None:
        return msgspec.structs.replace(previous, self_test_progress=None)
    return DriveHealth(drive=report.drive, reasons=("asleep, not woken: not read since the start",))


def _has_values(report: SmartReport) -> bool:
    counters = (
        report.passed,
        report.temperature_c,
        report.reallocated,
        report.media_errors,
        report.uncorrectable,
    )
    return report.is_capable and (bool(report.attributes) or any(value is not None for value in counters))


def _why_unknown(report: SmartReport) -> str:
    if not report.is_capable:
        return "it has no SMART: a virtual drive, or a bridge or controller that does not pass it on"
    return "its report holds no SMART values" + (f": {report.messages[0]}" if report.messages else "")


def _still_failing(previous: DriveHealth | None, now_us: int) -> tuple[int | None, str]:
    if previous is None or previous.last_failing_us is None:
        return None, ""
    if not 0 <= now_us - previous.last_failing_us < WATCH_DAYS * US_PER_DAY:
        return None, ""
    return previous.last_failing_us, previous.last_failing_reason


# -- the rules -----------------------------------------------------------------------------------------------


def _findings(
    report: SmartReport,
    baseline: SmartReport | None,
    samples: Sequence[HealthSample],
) -> Iterator[Finding]:
    yield from _own_judgement(report)
    yield from _attributes(report.attributes)
    yield from _self_tests(report.self_tests)
    known = [baseline] if baseline is not None and baseline.serial == report.serial else []
    history: list[SmartReport | HealthSample] = [*known, *samples]
    for rule in COUNTER_RULES:
        value = getattr(report, rule.field)
        if value is not None:
            points = ((point.time_us, getattr(point, rule.field)) for point in history)
            yield from _counter(rule, CounterHistory(points, report.time_us, value))
    if report.interface_errors:
        points = ((point.time_us, point.interface_errors) for point in history)
        yield from _interface(CounterHistory(points, report.time_us, report.interface_errors))
    if report.wear_percent is not None and report.wear_percent >= WEAR_WARNING_PERCENT:
        yield Finding(Verdict.WARNING, f"{report.wear_percent} % of its rated write endurance is used")


def _own_judgement(report: SmartReport) -> Iterator[Finding]:
    """What the drive says of itself, in the words of its protocol."""
    serious = [word for word in report.critical_warnings if word != TEMPERATURE_WARNING]
    for word in serious:
        yield Finding(Verdict.FAILING, f"the drive warns: {word}")
    if len(serious) < len(report.critical_warnings):
        yield Finding(Verdict.WARNING, f"the drive warns: {TEMPERATURE_WARNING}")
    spare, threshold = report.spare_percent, report.spare_threshold_percent
    if spare is not None and threshold is not None and spare < threshold:
        yield Finding(Verdict.FAILING, f"{spare} % of its spare blocks are left, its limit is {threshold} %")
    if report.scsi_trip:
        # 5D: failure prediction threshold exceeded; 0B: warnings, of which some are only about temperature (SPC-4)
        verdict = Verdict.WARNING if report.scsi_trip.startswith("0B/") else Verdict.FAILING
        yield Finding(
            verdict,
            f"the drive predicts its failure: {report.scsi_trip}"
            if verdict is Verdict.FAILING
            else f"the drive warns: {report.scsi_trip}",
        )
    if report.passed is False and not report.critical_warnings and not report.scsi_trip:
        yield Finding(Verdict.FAILING, "the drive itself says that it is failing")


def _attributes(attributes: tuple[Attribute, ...]) -> Iterator[Finding]:
    for attribute in attributes:
        at = f"{attribute.name} ({attribute.id})"
        is_temperature = attribute.id in TEMPERATURE_IDS
        if attribute.failed == "now":
            is_failing = attribute.is_prefailure and not is_temperature
            yield Finding(
                Verdict.FAILING if is_failing else Verdict.WARNING,
                f"{at} is at {attribute.value}, the drive's own limit is {attribute.threshold}",
            )
        elif attribute.failed == "past":
            is_notable = attribute.is_prefailure and not is_temperature
            yield Finding(
                Verdict.WARNING if is_notable else Verdict.GOOD,
                f"{at} once fell to {attribute.worst}, the drive's own limit is {attribute.threshold}",
            )
        for part, words in MUST_BE_ZERO:
            if attribute.raw > 0 and part in attribute.name.lower():
                yield Finding(Verdict.WARNING, f"{attribute.raw} {words}")


def _self_tests(tests: tuple[SelfTestResult, ...]) -> Iterator[Finding]:
    """A failed test counts until one of its kind, or a long one, passes after it; an aborted one proves nothing."""
    settled: set[str] = set()
    for test in tests:
        if test.passed is None or test.kind in settled or SelfTestKind.LONG in settled:
            continue
        if not test.passed:
            where = "" if test.first_bad_lba is None else f", first bad sector {test.first_bad_lba}"
            when = "" if test.at_hours is None else f", at {test.at_hours} h of running"
            yield Finding(Verdict.FAILING, f"its {test.kind} self-test failed: {test.text}{where}{when}")
        settled.add(test.kind)


def _counter(rule: CounterRule, history: CounterHistory) -> Iterator[Finding]:
    value = history.value
    words = f"{value} {rule.one if value == 1 else rule.many}"
    day, week = history.growth(US_PER_DAY), history.growth(WATCH_DAYS * US_PER_DAY)
    if day.a_day >= rule.failing_a_day:
        yield Finding(Verdict.FAILING, f"{words}{_more(day)}: it grows too fast")
        return
    days = history.growing_days(WATCH_DAYS)
    if days >= STEADY_DAYS:
        yield Finding(
            Verdict.FAILING, f"{words}{_more(week)}: it grew on {days} of the last {WATCH_DAYS} days"
        )
        return
    peak, peak_us = history.peak(WATCH_DAYS * US_PER_DAY)
    if week.by or value >= rule.warn_at:
        yield Finding(Verdict.WARNING, f"{words}{_more(week)}")
    elif rule.field == "pending" and peak >= rule.warn_at:
        ago = _span(history.now_us - peak_us)
        yield Finding(
            Verdict.WARNING,
            f"{peak} sectors could not be read {ago} ago; healed, watched for {WATCH_DAYS} days",
        )
    elif value:
        yield Finding(Verdict.GOOD, f"{words}, not growing")


def _interface(history: CounterHistory) -> Iterator[Finding]:
    """Errors on the way between drive and controller say nothing about the drive."""
    day = history.growth(US_PER_DAY)
    words = f"{history.value} transfer error{'' if history.value == 1 else 's'} since it was new"
    if day.a_day >= INTERFACE_ERRORS_A_DAY:
        yield Finding(
            Verdict.WARNING,
            f"{words}{_more(day)}: seat the drive again, then suspect cable or backplane; not the drive itself",
        )
    else:
        yield Finding(Verdict.GOOD, f"{words}{_more(day)}: cable or backplane, not the drive itself")


def _raid(
    counted: tuple[int, int] | None, previous: DriveHealth | None, now_us: int
) -> tuple[int | None, list[Finding]]:
    """(when it last grew, what to say): whoever counts may forget what he told, the warning stays for its days."""
    then, now = counted or (0, 0)
    grown = now - then if now >= then else now  # md counts from 0 again after an assembly
    if grown > 0:
        verdict = Verdict.FAILING if grown >= RAID_ERRORS_FAILING else Verdict.WARNING
        text = f"the RAID layer met {grown} more media errors on it ({now} in all)"
        return now_us, [Finding(verdict, text)]
    last_us = None if previous is None else previous.raid_errors_us
    if last_us is None or not 0 <= now_us - last_us < WATCH_DAYS * US_PER_DAY:
        return None, []
    return last_us, [
        Finding(Verdict.WARNING, f"the RAID layer met media errors on it {_span(now_us - last_us)} ago")
    ]


# -- words ---------------------------------------------------------------------------------------------------


def _more(growth: Growth) -> str:
    return f" ({growth.by} more in {_span(growth.over_us)})" if growth.by else ""


def _span(us: int) -> str:
    """`40 minutes`, `5 hours`, `3 days`."""
    for unit_us, word in ((US_PER_DAY, "day"), (US_PER_HOUR, "hour"), (US_PER_HOUR // 60, "minute")):
        count = round(us / unit_us)
        if us >= 2 * unit_us or (us >= unit_us and count == 1):
            return f"{count} {word}" + ("s" if count != 1 else "")
    return "a minute"


def _self_test_words(report: SmartReport) -> str:
    if report.self_test_progress is not None:
        return f"self-test running, {report.self_test_progress:.0%} done"
    if not report.self_tests:
        return ""
    newest = report.self_tests[0]
    outcome = {True: "passed", False: "failed", None: "not finished"}[newest.passed]
    words = f"{newest.kind} self-test {outcome}"
    if newest.passed is not True and newest.text:
        words += f": {newest.text}"
    if newest.at_hours is not None and report.hours is not None and newest.at_hours <= report.hours:
        words += f", {report.hours - newest.at_hours} h of running ago"
    return words
