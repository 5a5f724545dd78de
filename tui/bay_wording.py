"""The words, signs and colours of drives, virtual drives, health and lamps: one table each, as in tui/wording.py.

The words are those of the manual. Colour never stands alone: every state has a word, and a sign that differs without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.wire_chassis import (
    ChassisView,
    Drive,
    DriveGroup,
    DriveState,
    InformationPattern,
    JobState,
    StepState,
    TaskKind,
    TaskState,
    Verdict,
    VirtualDriveState,
)
from tui.wording import Wording
from widgets.line_source import Tone

_OK, _WARNING, _ERROR = "$text-success", "$text-warning bold", "$text-error bold"


@dataclass(frozen=True, slots=True)
class DriveWording(Wording):
    """`sign` stands behind the bay's number where there is room for one cell only; empty = as it should be."""

    tone: Tone = ""


DRIVE_STATES: dict[DriveState, DriveWording] = {
    DriveState.ONLINE: DriveWording("online", _OK, tone="ok"),
    DriveState.UNCONFIGURED_GOOD: DriveWording("unconfigured good", "", tone=""),
    DriveState.HOT_SPARE: DriveWording("hot spare", "$text-accent", tone="accent"),
    DriveState.FAILED: DriveWording("failed", _ERROR, "F", "error"),
    DriveState.REBUILD: DriveWording("rebuild", _WARNING, "R", "warning"),
    DriveState.UNCONFIGURED_BAD: DriveWording("unconfigured bad", _ERROR, "B", "error"),
    DriveState.MISSING: DriveWording("missing", _ERROR, "M", "error"),
    DriveState.OFFLINE: DriveWording("offline", _ERROR, "O", "error"),
    DriveState.SHIELD: DriveWording("shield state", _WARNING, "S", "warning"),
    DriveState.COPYBACK: DriveWording("copyback", _WARNING, "C", "warning"),
    DriveState.FOREIGN: DriveWording("foreign", _WARNING, "X", "warning"),
    DriveState.PROTECTED: DriveWording("protected", "dim", "P", "muted"),
}

VIRTUAL_DRIVE_STATES: dict[VirtualDriveState, DriveWording] = {
    VirtualDriveState.ONLINE: DriveWording("online", _OK, tone="ok"),
    VirtualDriveState.PARTIALLY_DEGRADED: DriveWording("partial degraded", _WARNING, "d", "warning"),
    VirtualDriveState.DEGRADED: DriveWording("degraded", _WARNING, "D", "warning"),
    VirtualDriveState.FAILED: DriveWording("failed", _ERROR, "F", "error"),
    VirtualDriveState.OFFLINE: DriveWording("offline", _ERROR, "O", "error"),
}

VERDICTS: dict[Verdict, DriveWording] = {
    Verdict.GOOD: DriveWording("good", _OK, tone="ok"),
    Verdict.WARNING: DriveWording("warning", _WARNING, "!", "warning"),
    Verdict.FAILING: DriveWording("FAILING", _ERROR, "!!", "error"),
    Verdict.UNKNOWN: DriveWording("not known", "dim", "?", "muted"),
}

INFORMATION: dict[InformationPattern, Wording] = {
    InformationPattern.OFF: Wording("off: no fault", "dim"),
    InformationPattern.OVERHEAT: Wording("OVERHEAT", _ERROR),
    InformationPattern.FAN_FAILURE: Wording("FAN FAIL", _ERROR),
    InformationPattern.POWER_FAILURE: Wording("PSU FAIL", _ERROR),
    InformationPattern.UID_LOCAL: Wording("UID local", "$text-accent bold"),
    InformationPattern.UID_REMOTE: Wording("UID remote", "$text-accent bold"),
}

TASKS: dict[TaskKind, str] = {
    TaskKind.REBUILD: "rebuild",
    TaskKind.COPYBACK: "copyback",
    TaskKind.CHECK: "consistency check",
    TaskKind.INITIALISATION: "initialisation",
    TaskKind.MIGRATION: "migration",
    TaskKind.PATROL_READ: "patrol read",
    TaskKind.SELF_TEST: "self-test",
}

TASK_STATES: dict[TaskState, str] = {
    TaskState.RUNNING: "",
    TaskState.PAUSED: "paused",
    TaskState.WAITING: "waiting",
}

JOB_STATES: dict[JobState, Wording] = {
    JobState.RUNNING: Wording("under way", "$text-accent"),
    JobState.WAITING: Wording("waits for you", _WARNING),
    JobState.DONE: Wording("done", _OK),
    JobState.FAILED: Wording("failed", _ERROR),
    JobState.CANCELLED: Wording("cancelled", "dim"),
}

STEPS: dict[StepState, Wording] = {
    StepState.TO_DO: Wording("to do", "dim", " "),
    StepState.NOW: Wording("now", "bold", ">"),
    StepState.DONE: Wording("done", _OK, "x"),
    StepState.FAILED: Wording("failed", _ERROR, "!"),
    StepState.SKIPPED: Wording("skipped", "dim", "-"),
}

ACTIONS: dict[str, str] = {
    "continue": "Go on: take it out, then pull it",
    "copy_first": "Copy it to another drive first",
    "put_back": "Put the old drive back into service",
    "use_it": "Use the new drive where it is",
    "go_on": "Leave that drive out and go on",
    "retry": "Retry",
    "stop": "Stop after this step",
    "undo": "Undo what this job made",
    "leave": "Leave it as it is",
    "cancel": "Cancel the job",
}
"""Answers to a job. One that a later engine adds is shown as it is named."""


def action_words(action: str) -> str:
    return ACTIONS.get(action, action.replace("_", " ").capitalize())


def group_letters(chassis: ChassisView) -> dict[str, str]:
    """One letter for each drive group: the first of its name where that tells them apart."""
    groups = chassis.inventory.groups
    letters = [group.name[:1].upper() for group in groups]
    if len(set(letters)) < len(letters) or "" in letters:
        letters = [chr(ord("A") + number % 26) for number in range(len(groups))]
    return {group.id: letter for group, letter in zip(groups, letters, strict=True)}


def drive_label(drive: Drive | None, bay: int | None = None) -> str:
    """`bay 7 (ZL2A07BC)`: every text names both."""
    if drive is None:
        return f"bay {bay}" if bay is not None else "an unknown drive"
    place = f"bay {drive.bay}" if drive.bay is not None else "not in a bay"
    return f"{place} ({drive.serial or drive.model or drive.id})"


def group_bays(chassis: ChassisView, group: DriveGroup) -> str:
    """`0-3` or `0 2 7`: the bays of its members."""
    members = [chassis.inventory.drive(id) for span in group.spans for id in span.drives]
    return bay_numbers(drive.bay for drive in members if drive is not None and drive.bay is not None)


def bay_numbers(bays: Iterable[int]) -> str:
    """Bays as a person writes them: `0-3`, `0 2 7`."""
    numbers = sorted(set(bays))
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]}-{numbers[-1]}"
    return " ".join(str(number) for number in numbers)
