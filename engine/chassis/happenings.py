"""What can be said about drives, arrays and the box, by kind: the words of docs/events.md with their severity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from storage.catalog.records import Severity

KINDS: Mapping[str, Severity] = {
    "drive.inserted": Severity.INFO,
    "drive.removed": Severity.INFO,
    "drive.moved": Severity.INFO,
    "drive.missing": Severity.WARNING,
    "drive.returned": Severity.INFO,
    "drive.failed": Severity.WARNING,
    "drive.offline": Severity.WARNING,
    "drive.bad": Severity.WARNING,
    "drive.foreign": Severity.WARNING,
    "drive.shield": Severity.INFO,
    "drive.online": Severity.INFO,
    "drive.ready": Severity.INFO,
    "drive.predicted_failure": Severity.WARNING,
    "drive.health_warning": Severity.WARNING,
    "drive.health_ok": Severity.INFO,
    "drive.media_errors": Severity.WARNING,
    "drive.notice": Severity.WARNING,
    "drive.self_test_failed": Severity.WARNING,
    "drive.self_test_passed": Severity.INFO,
    "drive.temperature_high": Severity.WARNING,
    "drive.temperature_critical": Severity.CRITICAL,
    "drive.temperature_ok": Severity.INFO,
    "spare.assigned": Severity.INFO,
    "spare.released": Severity.INFO,
    "spare.removed": Severity.WARNING,
    "spare.failed": Severity.WARNING,
    "spare.silent": Severity.WARNING,
    "spare.answers": Severity.INFO,
    "spare.took_over": Severity.INFO,
    "virtual_drive.created": Severity.INFO,
    "virtual_drive.deleted": Severity.INFO,
    "virtual_drive.online": Severity.INFO,
    "virtual_drive.partially_degraded": Severity.WARNING,
    "virtual_drive.degraded": Severity.WARNING,
    "virtual_drive.failed": Severity.CRITICAL,
    "virtual_drive.offline": Severity.CRITICAL,
    "virtual_drive.mismatch": Severity.WARNING,
    "task.started": Severity.INFO,
    "task.resumed": Severity.INFO,
    "task.paused": Severity.INFO,
    "task.finished": Severity.INFO,
    "task.failed": Severity.WARNING,
    "task.stopped": Severity.INFO,
    "fan.failed": Severity.WARNING,
    "fan.warning": Severity.WARNING,
    "fan.ok": Severity.INFO,
    "power.failed": Severity.CRITICAL,
    "power.warning": Severity.WARNING,
    "power.ok": Severity.INFO,
    "temperature.critical": Severity.CRITICAL,
    "temperature.high": Severity.WARNING,
    "temperature.ok": Severity.INFO,
    "voltage.failed": Severity.WARNING,
    "voltage.warning": Severity.WARNING,
    "voltage.ok": Severity.INFO,
    "intrusion.detected": Severity.WARNING,
    "intrusion.ok": Severity.INFO,
    "chassis.problem": Severity.WARNING,
    "chassis.problem_solved": Severity.INFO,
    "chassis.tended": Severity.INFO,
    "rebuild.automatic": Severity.INFO,
    "rebuild.not_started": Severity.WARNING,
    "initialisation.automatic": Severity.INFO,
    "upkeep.started": Severity.INFO,
    "upkeep.postponed": Severity.WARNING,
}


@dataclass(frozen=True, slots=True)
class Happening:
    """Something to be said once."""

    kind: str
    text: str
    source: str = ""
    """The virtual drive, sensor, or `bay 3`."""
    severity: Severity = Severity.INFO


def happening(kind: str, text: str, source: str = "", severity: Severity | None = None) -> Happening:
    """With the kind's own severity unless told otherwise."""
    return Happening(kind, text, source, KINDS[kind] if severity is None else severity)
