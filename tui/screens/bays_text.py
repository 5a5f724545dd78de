"""The words beside the map of the bays: title, the drive in hand, background operations, troubles.

Pure functions of the engine's view and the room there is, so that every size can be tested. What matters most comes
first; what has no room falls off the end.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from engine.wire_chassis import (
    INFORMATION_TABLE,
    Blink,
    ChainView,
    ChassisView,
    Drive,
    DriveDetail,
    DriveHealth,
    InformationPattern,
    JobState,
    Task,
    Verdict,
)
from tui.bay_wording import (
    DRIVE_STATES,
    INFORMATION,
    JOB_STATES,
    TASK_STATES,
    TASKS,
    VERDICTS,
    VIRTUAL_DRIVE_STATES,
    bay_numbers,
    drive_label,
)
from tui.box_troubles import troubles
from tui.screens.bay_faces import drive_of, writing_task
from tui.screens.help import hanging
from tui.screens.paper import Paper
from widgets import format
from widgets.drive_bay import progress_parts
from widgets.glyphs import Glyphs
from widgets.meters import spark_text

INDENT = 8
REASONS = 3
TEMPERATURE_SPAN_C = 10.0
"""A sparkline of temperatures shows at least so many degrees: half a degree is no mountain."""

LEGEND = (
    (("dark", "dark"), "no drive"),
    (("green", "dark"), "drive, idle"),
    (("green 4 Hz", "dark"), "drive, active"),
    (("dark", "amber 4 Hz"), "locate"),
    (("dark", "amber"), "FAIL"),
    (("dark", "amber 1 Hz"), "rebuild"),
)


def pair(name: str, value: str | Content, style: str = "", *, width: int) -> list[Content]:
    """`serial  ZL2A01BC`, wrapped below its words."""
    text = value if isinstance(value, Content) else Content.styled(format.harmless(value), style)
    return hanging(Content.styled(f"{name:<{INDENT}}", "dim") + text, width, INDENT)


def title_line(chassis: ChassisView | None, *, is_live: bool, is_lamp_lit: bool, glyphs: Glyphs) -> Content:
    """How many bays and drives, and the information lamp of the front."""
    parts: list[tuple[str, str] | str | Content] = [(" Bays", "bold")]
    if chassis is None:
        return Content.assemble(*parts, ("  the drives have not been looked at yet", "dim"))
    inventory = chassis.inventory
    in_bays = sum(drive.bay is not None for drive in inventory.drives)
    parts.append(f"  {in_bays} of {len(chassis.layout.bays)} with a drive")
    if chassis.is_simulated:
        parts.append(("  SIMULATED", "bold"))
    parts.append("  lamp ")
    parts.append(information_lamp(chassis.information, is_lit=is_lamp_lit, glyphs=glyphs))
    if chassis.is_beeping:
        parts.append(("  BEEPING (m stops)", "bold $text-warning"))
    if not is_live:
        parts.append(("  not live", "bold $text-warning"))
    return Content.assemble(*parts)


def information_lamp(pattern: InformationPattern, *, is_lit: bool, glyphs: Glyphs) -> Content:
    """The one lamp of the box: red or blue, and its word."""
    led, wording = INFORMATION_TABLE[pattern], INFORMATION[pattern]
    style = "$text-error" if led.red is not Blink.OFF else "$text-accent"
    lamp = glyphs.lamp_lit if is_lit and pattern is not InformationPattern.OFF else glyphs.lamp_dark
    return Content.assemble((lamp, style), " ", (wording.word, wording.style))


# -- the drive in hand -----------------------------------------------------------------------------------


def bay_lines(
    chassis: ChassisView, bay: int, detail: DriveDetail | None, paper: Paper, now_us: int
) -> list[Content]:
    """Everything about one bay that fits."""
    drive = drive_of(chassis, bay)
    if drive is None:
        return _empty_bay(chassis, bay, paper)
    return drive_lines(chassis, drive, detail, paper, now_us)


def drive_lines(
    chassis: ChassisView, drive: Drive, detail: DriveDetail | None, paper: Paper, now_us: int
) -> list[Content]:
    width = paper.columns
    wording = DRIVE_STATES[drive.state]
    place = f"Bay {drive.bay}" if drive.bay is not None else "Not in a bay"
    lines = [Content.assemble((place, "bold $text-accent"), "  ", (wording.word, wording.style or "bold"))]
    lines += pair("serial", drive.serial or "not known", "bold", width=width)
    lines += pair("model", drive.model or "not known", width=width)
    speed = f"{drive.rotation_rpm} rpm" if drive.rotation_rpm else ""
    kind = " ".join(part for part in (drive.vendor, drive.interface, str(drive.kind).upper(), speed) if part)
    lines += pair("kind", kind, width=width)
    firmware = f"  firmware {drive.firmware}" if drive.firmware else ""
    lines += pair("size", f"{format.decimal_bytes(drive.size_bytes or None)}{firmware}", width=width)
    if drive.cause:
        lines += pair("why", drive.cause, wording.style, width=width)
    if drive.is_awaiting_removal:
        lines += pair("", "its place is taken: it may be pulled (r replaces it)", "bold", width=width)
    view = chassis.bay(drive.bay) if drive.bay is not None else None
    if view is not None and view.is_located:
        left = format.until(view.locate_until_us, now_us)
        lines += pair("locate", f"amber lamp blinks, off {left}", "$text-accent", width=width)
    task = writing_task(chassis, drive)
    if task is not None:
        lines += _progress(task, paper)
    health = chassis.health_of(drive.id)
    lines += _verdict_lines(health, paper, now_us)
    lines += chain_lines(chassis, drive, paper)
    return lines + (_history_lines(health, detail, paper) if health is not None else [])


def _progress(task: Task, paper: Paper) -> list[Content]:
    parts = progress_parts(task.progress or 0.0, min(20, paper.columns - INDENT), paper.glyphs)
    styles = {"bar": "$text-warning", "frame": "dim", "": ""}
    bar = Content.assemble(*((text, styles[part]) for text, part in parts))
    words = [format.byte_rate(task.rate_bps)] if task.rate_bps else []
    if task.eta_s is not None:
        words.append(f"{format.duration(task.eta_s * format.SECOND_US)} left")
    if task.state in TASK_STATES and TASK_STATES[task.state]:
        words.append(TASK_STATES[task.state])
    lines = pair(TASKS[task.kind][: INDENT - 1], bar, width=paper.columns)
    return lines + (pair("", ", ".join(words), width=paper.columns) if words else [])


def _verdict_lines(health: DriveHealth | None, paper: Paper, now_us: int) -> list[Content]:
    if health is None:
        return pair("SMART", "not read yet", "dim", width=paper.columns)
    wording = VERDICTS[health.verdict]
    checked = format.age(health.checked_us, now_us) if health.checked_us else "never read"
    verdict = Content.assemble((f"{wording.sign} {wording.word}".strip(), wording.style), f", {checked}")
    lines = pair("SMART", verdict, width=paper.columns)
    for reason in health.reasons[:REASONS]:
        style = wording.style if health.verdict is not Verdict.GOOD else "dim"
        lines += pair("", reason, style, width=paper.columns)
    return lines


def _history_lines(health: DriveHealth, detail: DriveDetail | None, paper: Paper) -> list[Content]:
    lines: list[Content] = []
    history = detail.history if detail is not None else ()
    lines += _curve(
        "temp", [sample.temperature_c for sample in history], _celsius(health), paper, is_warmth=True
    )
    for name, attribute in (("realloc", "reallocated"), ("pending", "pending")):
        value = getattr(health, attribute)
        if value is not None:
            lines += _curve(name, [getattr(sample, attribute) for sample in history], str(value), paper)
    if health.self_test:
        lines += pair("test", health.self_test, width=paper.columns)
    if health.hours is not None:
        lines += pair("hours", format.count(health.hours), width=paper.columns)
    return lines


def _celsius(health: DriveHealth) -> str:
    if health.temperature_c is None:
        return ""
    limit = f", warns at {health.temperature_warning_c}" if health.temperature_warning_c else ""
    return f"{health.temperature_c} C{limit}"


def _curve(
    name: str, values: Sequence[float | None], text: str, paper: Paper, *, is_warmth: bool = False
) -> list[Content]:
    """History as bars, then the value of now."""
    if not text:
        return []
    known = [float(value) for value in values if value is not None]
    cells = max(0, min(16, paper.columns - INDENT - len(text) - 1))
    bars = ""
    if known and cells >= 4:
        buckets = thinned(known, cells)
        bottom = min(min(known), max(known) - TEMPERATURE_SPAN_C) - 1.0 if is_warmth else 0.0
        bars = spark_text(buckets, paper.glyphs.levels, bottom=bottom, top=max(known)) + " "
    value = Content.assemble((bars, "$primary"), text)
    return pair(name, value, width=paper.columns)


def thinned(values: Sequence[float], cells: int) -> list[float]:
    """At most so many values; each the highest of its stretch, so that no peak is lost."""
    if len(values) <= cells:
        return list(values)
    edges = [index * len(values) // cells for index in range(cells + 1)]
    return [max(values[start:end]) for start, end in zip(edges, edges[1:], strict=False)]


def chain_lines(chassis: ChassisView, drive: Drive, paper: Paper) -> list[Content]:
    """Bay, virtual drive, volume, recording group, cameras; and what one more failure would do."""
    width = paper.columns
    if drive.spare is not None and not drive.group:
        names = [group.name for group in chassis.inventory.groups if group.id in drive.spare_groups]
        return pair(
            "spare",
            f"of virtual drive {', '.join(names)}" if names else "for every virtual drive",
            width=width,
        )
    lines: list[Content] = []
    for virtual in chassis.inventory.virtual_drives_of(drive.group) if drive.group else ():
        state = VIRTUAL_DRIVE_STATES[virtual.state]
        chain = chassis.chain_of(virtual.id)
        bays = f" of bays {bay_numbers(chain.bays)}" if chain is not None else ""
        words = Content.assemble(f"{virtual.name}: RAID {virtual.level}{bays}, ", (state.word, state.style))
        lines += pair("virtual", words, width=width)
        if chain is None or not chain.volume:
            lines += pair("volume", "none: nothing records on it", "dim", width=width)
        else:
            lines += pair("volume", f"{chain.volume}  {chain.volume_path}", width=width)
            lines += pair("records", f"group {chain.group}: {camera_names(chain)}", width=width)
        if chain is not None:
            lines += risk_lines(chain, width)
    return lines


def camera_names(chain: ChainView) -> str:
    return ", ".join(chain.cameras) or "no camera"


def risk_lines(chain: ChainView, width: int) -> list[Content]:
    """What one more failure does."""
    if chain.exposure:
        return pair("risk", chain.exposure, "bold $text-error", width=width)
    if not chain.can_lose:
        return pair("risk", "no drive may fail", "bold $text-warning", width=width)
    drives = "one drive" if chain.can_lose == 1 else f"{chain.can_lose} drives"
    return pair("risk", f"any {drives} may fail", width=width)


def _empty_bay(chassis: ChassisView, bay: int, paper: Paper) -> list[Content]:
    view = chassis.bay(bay)
    lines = [
        Content.assemble(
            (f"Bay {bay}", "bold $text-accent"), "  ", (view.word if view else "not known", "bold")
        )
    ]
    if view is not None and view.is_located:
        lines += pair("locate", "its amber lamp blinks", "$text-accent", width=paper.columns)
    if not chassis.layout.has_mapping:
        text = "Which socket is which bay is not known here: :learn BAY SERIAL says it."
        lines += hanging(Content.styled(text, "$text-warning"), paper.columns, 0)
    lines += [Content(""), Content.styled("The two lamps of a bay", "bold")]
    for (green, amber), meaning in LEGEND:
        lines.append(Content.assemble(f" {green:<11}", (f"{amber:<11}", ""), (meaning, "bold")))
    return lines


# -- below the map ---------------------------------------------------------------------------------------


def task_lines(chassis: ChassisView, paper: Paper) -> list[Content]:
    """Jobs that wait or run, troubles, and background operations with their numbers, as far as there is room."""
    lines: list[Content] = []
    for job in chassis.jobs:
        if job.state in (JobState.RUNNING, JobState.WAITING):
            wording = JOB_STATES[job.state]
            text = Content.assemble(
                ("o ", "bold $text-accent"), f"{job.title}: ", (wording.word, wording.style)
            )
            lines += hanging(text, paper.columns, 2)
    operations = [
        line
        for number, task in enumerate(chassis.inventory.tasks, 1)
        for line in operation_lines(chassis, number, task, paper)
    ]
    found = [
        row
        for trouble in troubles(chassis)
        for row in hanging(Content.styled(f"{trouble.sign} {trouble.text}", trouble.style), paper.columns, 2)
    ]
    room = max(0, paper.rows - len(lines))
    # Both are worth something: neither may push the other out.
    of_operations = max(min(len(operations), room // 2), room - len(found))
    shown = found[: max(0, room - min(len(operations), of_operations))]
    lines += shown + operations[: max(0, room - len(shown))]
    if not found and not operations and not lines:
        if not chassis.inventory.virtual_drives and chassis.inventory.drives:
            return hanging(
                Content.styled("nothing records here yet: n sets up storage", "bold"), paper.columns, 0
            )
        return [Content.styled("no trouble, nothing under way", "$text-success")]
    return lines


def operation_lines(chassis: ChassisView, number: int, task: Task, paper: Paper) -> list[Content]:
    """`1 rebuild A, bay 7 (ZL2A07BC)` and below it bar, rate and time left."""
    virtual = chassis.inventory.virtual_drive(task.virtual_drive)
    drive = chassis.inventory.drive(task.drive) if task.drive else None
    what = [part for part in (virtual.name if virtual else "", drive_label(drive) if drive else "") if part]
    head = Content.assemble((f"{number} ", "bold"), f"{TASKS[task.kind]} {', '.join(what)}".rstrip())
    words = [TASK_STATES[task.state]] if TASK_STATES[task.state] else []
    if task.rate_bps:
        words.append(format.byte_rate(task.rate_bps))
    if task.eta_s is not None:
        words.append(f"{format.duration(task.eta_s * format.SECOND_US)} left")
    if task.detail:
        words.append(task.detail)
    parts = progress_parts(task.progress, 14, paper.glyphs) if task.progress is not None else []
    bar = "".join(text for text, _ in parts)
    return [head, Content(f"  {bar} {', '.join(words)}".rstrip())]


def page_lines(
    chassis: ChassisView, drive: Drive, detail: DriveDetail | None, paper: Paper, now_us: int
) -> list[Content]:
    """The page of one drive: the side panel without limits, then each SMART attribute and self-test."""
    lines = drive_lines(chassis, drive, detail, paper, now_us)
    if detail is None or detail.smart is None:
        return lines
    smart = detail.smart
    lines.append(Content(""))
    lines.append(
        Content.styled(f"SMART as the drive tells it ({smart.protocol or 'unknown'})", "bold $text-accent")
    )
    for attribute in smart.attributes:
        number = f"{attribute.id:>3} " if attribute.id is not None else "    "
        limits = f"{attribute.value:>4} of {attribute.threshold}" if attribute.value is not None else ""
        failed = f"  FAILED {attribute.failed}" if attribute.failed else ""
        lines.append(
            Content.assemble(
                (number, "dim"),
                f"{format.fit(attribute.name, 26, paper.glyphs.ellipsis)} {attribute.text or attribute.raw:>14} ",
                (limits, "dim"),
                (failed, "bold $text-error"),
            )
        )
    if smart.self_tests:
        lines += [Content(""), Content.styled("Self-tests, newest first", "bold $text-accent")]
        for test in smart.self_tests:
            sign = {True: "passed", False: "FAILED", None: "-"}[test.passed]
            at = f" at {format.count(test.at_hours)} h" if test.at_hours is not None else ""
            bad = f", first bad sector {test.first_bad_lba}" if test.first_bad_lba is not None else ""
            lines.append(Content(f" {test.kind:<12} {sign:<7} {test.text}{at}{bad}"))
    lines += [Content.styled(f" {message}", "dim") for message in smart.messages]
    return lines
