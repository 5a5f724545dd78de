"""The dashboard's lines about the box: bays in one line, lamp, fans, power supplies, temperatures, the worst trouble. Pure.

A[0 1F 2] B[4 5! 6] rebuild 7R  3 empty      a letter or sign only behind a bay that is not as it should be
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from engine.wire_chassis import (
    INFORMATION_TABLE,
    Blink,
    ChassisView,
    Drive,
    DriveState,
    InformationPattern,
    Sensor,
    SensorKind,
    SensorState,
    Verdict,
)
from tui.bay_wording import DRIVE_STATES, INFORMATION, VERDICTS, bay_numbers, group_letters
from tui.box_troubles import troubles
from tui.screens.bay_faces import drive_of
from tui.screens.paper import Paper, heading
from tui.screens.text_pane import cut
from widgets import format

Piece = tuple[str, str]


def box_lines(chassis: ChassisView | None, paper: Paper) -> list[Content]:
    """At most four lines; none where nobody looked at drives, or there are none and no trouble."""
    if chassis is None or not (chassis.layout.bays and (chassis.inventory.drives or chassis.problems)):
        return []
    ellipsis = paper.glyphs.ellipsis
    found = troubles(chassis)
    lines = [cut(heading("Drives") + Content("  ") + bay_strip(chassis), paper.columns, ellipsis)]
    machine = machine_line(chassis, paper)
    if machine.plain.strip():
        lines.append(cut(machine, paper.columns, ellipsis))
    if found:
        more = f"  (+{len(found) - 1} more: key 5)" if len(found) > 1 else "  (key 5)"
        room = max(8, paper.columns - 3 - len(more))
        text = format.fit(f"{found[0].sign} {found[0].text}", room, ellipsis).rstrip()
        lines.append(Content.assemble(" ", (text, found[0].style), (more, "dim")))
    return lines


def bay_strip(chassis: ChassisView) -> Content:
    """All bays in one line, by drive group."""
    letters = group_letters(chassis)
    bays = {bay: drive_of(chassis, bay) for bay in sorted(chassis.layout.bays)}
    pieces: list[Piece] = []
    for group, letter in letters.items():
        own = {bay: drive for bay, drive in bays.items() if drive is not None and drive.group == group}
        if own:
            pieces += [(f"{letter}[", "bold"), *_bays(chassis, own), ("] ", "bold")]
    for title, states in (("spare", (DriveState.HOT_SPARE,)), ("free", (DriveState.UNCONFIGURED_GOOD,))):
        own = {
            bay: drive
            for bay, drive in bays.items()
            if drive is not None and not drive.group and drive.state in states
        }
        if own:
            pieces += [(f"{title} ", ""), *_bays(chassis, own), (" ", "")]
    rest = {
        bay: drive
        for bay, drive in bays.items()
        if drive is not None
        and drive.group not in letters
        and drive.state not in (DriveState.HOT_SPARE, DriveState.UNCONFIGURED_GOOD)
    }
    if rest:
        pieces += [("other ", ""), *_bays(chassis, rest), (" ", "")]
    empty = [bay for bay, drive in bays.items() if drive is None]
    if empty:
        pieces.append((f"empty {bay_numbers(empty)}", "dim"))
    return Content.assemble(*pieces)


def _bays(chassis: ChassisView, drives: dict[int, Drive]) -> list[Piece]:
    """`0123`, with blanks between where numbers have two digits or a sign stands behind one."""
    marks = {bay: _mark(chassis, drive) for bay, drive in drives.items()}
    blank = " " if max(drives) > 9 or any(sign for sign, _ in marks.values()) else ""
    pieces: list[Piece] = []
    for number, (bay, (sign, style)) in enumerate(marks.items()):
        pieces.append((f"{blank if number else ''}{bay}{sign}", style))
    return pieces


def _mark(chassis: ChassisView, drive: Drive) -> Piece:
    wording = DRIVE_STATES[drive.state]
    if wording.sign:
        return wording.sign, wording.style
    health = chassis.health_of(drive.id)
    if health is not None and health.verdict in (Verdict.WARNING, Verdict.FAILING):
        verdict = VERDICTS[health.verdict]
        return verdict.sign, verdict.style
    return "", wording.style


def machine_line(chassis: ChassisView, paper: Paper) -> Content:
    """Lamp, fans, power supplies, the hottest reading."""
    pattern = chassis.information
    wording = INFORMATION[pattern]
    parts: list[Content] = []
    if pattern is not InformationPattern.OFF:
        led = INFORMATION_TABLE[pattern]
        color = "$text-error" if led.red is not Blink.OFF else "$text-accent"
        parts.append(Content.assemble((paper.glyphs.lamp_lit, color), " ", (wording.word, wording.style)))
    parts += [
        _count(chassis.sensors, SensorKind.FAN, "fan"),
        _count(chassis.sensors, SensorKind.POWER_SUPPLY, "PSU"),
    ]
    parts.append(_hottest(chassis))
    return Content(" ") + Content("  ").join(part for part in parts if part.plain)


def _count(sensors: Sequence[Sensor], kind: SensorKind, noun: str) -> Content:
    there = [sensor for sensor in sensors if sensor.kind is kind and sensor.state is not SensorState.ABSENT]
    if not there:
        return Content("")
    bad = [sensor for sensor in there if sensor.state is not SensorState.OK]
    if not bad:
        return Content(f"{format.plural(len(there), noun)} ok")
    names = ", ".join(sensor.name for sensor in bad)
    return Content.styled(f"{len(bad)} of {format.plural(len(there), noun)} bad: {names}", "bold $text-error")


def _hottest(chassis: ChassisView) -> Content:
    """The warmest drive and the warmest of the box's own sensors."""
    drives = [
        (drive.temperature_c, drive)
        for drive in chassis.inventory.drives
        if drive.temperature_c is not None and drive.bay is not None
    ]
    words = []
    style = ""
    if drives:
        warmest, drive = max(drives, key=lambda pair: pair[0])
        words.append(f"drives up to {warmest} C (bay {drive.bay})")
    for sensor in chassis.sensors:
        if sensor.kind is SensorKind.TEMPERATURE and sensor.value is not None:
            words.append(f"{sensor.name.removesuffix(' Temp')} {sensor.value:.0f} C")
            if sensor.state in (SensorState.WARNING, SensorState.FAILED):
                style = "bold $text-error"
    return Content.styled(", ".join(words[:3]), style)
