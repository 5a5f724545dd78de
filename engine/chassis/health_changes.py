"""What drives say about themselves -> events: a new verdict, a growing count of errors, a test's result, heat. Each once.

The verdict itself is judged by storage/drives/smart_rules.py. Pure but for what was said already.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.chassis.changes import source_of, the_drive
from engine.chassis.happenings import Happening, happening
from storage.drives.health import DriveHealth, Verdict
from storage.drives.smart_report import SmartReport
from storage.raid.inventory import Drive
from storage.raid.states import DriveState

HYSTERESIS_C = 3
"""Below the limit before a drive counts as cool again."""
_KNOWN = (Verdict.GOOD, Verdict.WARNING, Verdict.FAILING)


class HealthTeller:
    """Remembers what it said, by the drive's id."""

    def __init__(self, known: Iterable[DriveHealth] = ()) -> None:
        """`known` was said before the restart."""
        self._verdicts = {health.drive: health.verdict for health in known if health.verdict in _KNOWN}
        self._predicted: set[str] = set()
        """By their controller."""
        self._media_errors: dict[str, int] = {}
        self._heat: dict[str, str] = {}

    def verdict(self, drive: Drive, health: DriveHealth) -> list[Happening]:
        """A verdict that is not known now (asleep) changes nothing."""
        before = self._verdicts.get(drive.id, Verdict.GOOD)
        if health.verdict not in _KNOWN or health.verdict is before:
            return []
        self._verdicts[drive.id] = health.verdict
        if health.verdict is Verdict.FAILING and drive.id in self._predicted:
            return []
        why = f": {health.reasons[0]}" if health.reasons else ""
        name, source = the_drive(drive), source_of(drive)
        match health.verdict:
            case Verdict.FAILING:
                text = f"{name} is predicted to fail{why}; replace it"
                return [happening("drive.predicted_failure", text, source)]
            case Verdict.WARNING:
                text = f"{name} needs watching{why}; have a replacement ready"
                return [happening("drive.health_warning", text, source)]
            case _:
                return [happening("drive.health_ok", f"{name} is in good health again", source)]

    def counted(self, drives: Iterable[Drive], *, is_first: bool = False) -> list[Happening]:
        """What the RAID layer counted and what a controller predicts. A growing count is said when it begins, and then whenever it
        has doubled."""
        said = []
        for drive in drives:
            if drive.state is DriveState.MISSING:
                continue
            told = self._media_errors.get(drive.id)
            if told is None or drive.media_errors < told or is_first:
                # A count that went down began anew with the array.
                self._media_errors[drive.id] = drive.media_errors if told is None or is_first else 0
                told = self._media_errors[drive.id]
            if drive.media_errors > told and drive.media_errors >= 2 * told:
                self._media_errors[drive.id] = drive.media_errors
                text = f"{the_drive(drive)}: {drive.media_errors} media errors so far (were {told})"
                said.append(happening("drive.media_errors", text, source_of(drive)))
            if drive.is_predicted_to_fail and drive.id not in self._predicted:
                self._predicted.add(drive.id)
                if self._verdicts.get(drive.id) is Verdict.FAILING:
                    continue
                text = f"{the_drive(drive)} is predicted to fail by its controller; replace it"
                said.append(happening("drive.predicted_failure", text, source_of(drive)))
        return said

    def media_errors(self, drive: Drive) -> tuple[int, int] | None:
        """As told last, and now: what the verdict takes into account."""
        told = self._media_errors.get(drive.id)
        return None if told is None else (told, drive.media_errors)

    def temperature(self, drive: Drive, health: DriveHealth) -> list[Happening]:
        """Against the drive's own limits."""
        now_c, name = health.temperature_c, the_drive(drive)
        if now_c is None:
            return []
        before = self._heat.get(drive.id, "")
        level = _heat(now_c, health, before)
        if level == before:
            return []
        self._heat[drive.id] = level
        source = source_of(drive)
        if level == "critical":
            text = f"{name} is at {now_c} °C, its limit is {health.temperature_critical_c} °C"
            return [happening("drive.temperature_critical", text, source)]
        if level == "high":
            text = f"{name} is at {now_c} °C, it should stay below {health.temperature_warning_c} °C"
            return [happening("drive.temperature_high", text, source)]
        return [happening("drive.temperature_ok", f"{name} is at {now_c} °C again", source)]


def _heat(now_c: int, health: DriveHealth, before: str) -> str:
    critical_c, warning_c = health.temperature_critical_c, health.temperature_warning_c
    if critical_c is not None and now_c >= critical_c - (HYSTERESIS_C if before == "critical" else 0):
        return "critical"
    if warning_c is not None and now_c >= warning_c - (HYSTERESIS_C if before else 0):
        return "high"
    return ""


def self_test_result(drive: Drive, before: SmartReport | None, now: SmartReport) -> list[Happening]:
    """Of a test that ended between the two reports."""
    if not now.self_tests or before is None or now.self_tests[0] == (before.self_tests[:1] or (None,))[0]:
        return []
    newest = now.self_tests[0]
    if newest.passed is None:
        return []
    kind = "drive.self_test_passed" if newest.passed else "drive.self_test_failed"
    return [happening(kind, f"{the_drive(drive)}: {newest.kind} self-test: {newest.text}", source_of(drive))]
