"""From what the engine says of the box to what each bay shows. Pure; drawing is widgets/drive_bay.py."""

from __future__ import annotations

import re
from typing import cast

from engine.wire_chassis import (
    BayView,
    ChassisView,
    Drive,
    DriveHealth,
    DriveState,
    Task,
    TaskKind,
    TrayPattern,
    Verdict,
)
from tui.bay_wording import DRIVE_STATES, VERDICTS, group_letters
from tui.profile import Blinking
from widgets import format
from widgets.blink import Rate
from widgets.drive_bay import GROUP_STYLES, BayFace
from widgets.line_source import Tone

WRITING_TASKS = (TaskKind.REBUILD, TaskKind.COPYBACK)
ACTIVITY = ("idle", "active")
_PERCENT = re.compile(r"\s*\d+\s*%$")
_ROUND = re.compile(r"\.0+ ")


def bay_faces(chassis: ChassisView, blinking: Blinking, now_us: int) -> dict[int, BayFace]:
    """One face for every bay of the front."""
    letters = group_letters(chassis)
    styles = {group: number % GROUP_STYLES + 1 for number, group in enumerate(letters)}
    faces = {}
    for number in chassis.layout.bays:
        view = chassis.bay(number)
        drive = drive_of(chassis, number)
        if view is None:
            faces[number] = BayFace(number, "?")
            continue
        green, amber = _lamps(view, blinking)
        if drive is None:
            faces[number] = BayFace(number, view.word or "empty", green=green, amber=amber)
            continue
        health = chassis.health_of(drive.id)
        task = writing_task(chassis, drive)
        note, note_tone = _note(view, drive, health, now_us)
        temperature, warmth = _temperature(drive, health)
        faces[number] = BayFace(
            number,
            _word(view, drive, letters),
            _tone(view, drive),
            size=_ROUND.sub(" ", format.decimal_bytes(drive.size_bytes or None)),
            temperature=temperature,
            temperature_tone=warmth,
            green=green,
            amber=amber,
            group=letters.get(drive.group, ""),
            group_style=styles.get(drive.group, 0),
            progress=task.progress if task is not None else None,
            note=note,
            note_tone=note_tone,
            serial=drive.serial,
            model=drive.model,
        )
    return faces


def drive_of(chassis: ChassisView, bay: int) -> Drive | None:
    """The drive in a bay, or the one that is missing from it."""
    view = chassis.bay(bay)
    found = chassis.inventory.drive(view.drive) if view is not None and view.drive else None
    return found or chassis.inventory.drive_in(bay)


def writing_task(chassis: ChassisView, drive: Drive) -> Task | None:
    """What is being written onto this drive."""
    tasks = [task for task in chassis.inventory.tasks if task.drive == drive.id]
    return next((task for task in tasks if task.kind in WRITING_TASKS and task.progress is not None), None)


def _lamps(view: BayView, blinking: Blinking) -> tuple[Rate, Rate]:
    green, amber = cast("Rate", str(view.led.green)), cast("Rate", str(view.led.amber))
    if blinking == "off":
        return _still(green), _still(amber)
    if blinking == "calm" and view.pattern is TrayPattern.ACTIVE:
        return _still(green), amber
    return green, amber


def _still(rate: Rate) -> Rate:
    return "off" if rate == "off" else "steady"


def _word(view: BayView, drive: Drive, letters: dict[str, str]) -> str:
    word = _PERCENT.sub("", view.word)
    if word in ACTIVITY and drive.state is DriveState.ONLINE:
        word = DRIVE_STATES[drive.state].word  # what it does stands below
    if drive.state is DriveState.HOT_SPARE and drive.spare_groups and view.pattern is not TrayPattern.LOCATE:
        return f"{word} {''.join(letters.get(group, '?') for group in drive.spare_groups)}"
    return word


def _tone(view: BayView, drive: Drive) -> Tone:
    if view.pattern is TrayPattern.FAIL:
        return "error"
    if view.pattern is TrayPattern.LOCATE:
        return "accent"
    return DRIVE_STATES[drive.state].tone


def _note(view: BayView, drive: Drive, health: DriveHealth | None, now_us: int) -> tuple[str, Tone]:
    if view.settles_at_us is not None and view.settles_at_us > now_us:
        return f"settles {(view.settles_at_us - now_us + 999_999) // 1_000_000} s", "accent"
    if drive.is_awaiting_removal:
        return ("" if "pull" in view.word else "pull it"), "warning"
    if health is not None and health.verdict in (Verdict.WARNING, Verdict.FAILING):
        verdict = VERDICTS[health.verdict]
        return f"{verdict.sign} SMART", verdict.tone
    if view.pattern is TrayPattern.ACTIVE:
        return "active", "muted"
    if view.pattern is TrayPattern.IDLE and drive.state is DriveState.ONLINE:
        return "idle", "muted"
    return "", ""


def _temperature(drive: Drive, health: DriveHealth | None) -> tuple[str, Tone]:
    value = drive.temperature_c
    if value is None and health is not None:
        value = health.temperature_c
    if value is None:
        return "", ""
    if health is not None and health.temperature_critical_c and value >= health.temperature_critical_c:
        return f"{value} C!!", "error"
    if health is not None and health.temperature_warning_c and value >= health.temperature_warning_c:
        return f"{value} C!", "warning"
    return f"{value} C", ""
