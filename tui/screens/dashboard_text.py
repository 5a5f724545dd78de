"""The dashboard as lines of text: pure functions of the mirror and the room, so that every size can be tested.

At 80 columns one column of sections; from 170 columns two. Sections shrink before anything is cut in the middle:
cameras that do not record come first, then storage, then events.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from engine import wire
from engine.wire_alarms import AlarmView
from tui.mirror import Mirror
from tui.screens.dashboard_alarms import alarm_lines
from tui.screens.dashboard_box import box_lines
from tui.screens.paper import BLOCK_DIGITS, Paper, heading
from tui.screens.text_pane import cut
from tui.wording import CAMERA_STATES, VOLUME_STATES, severity_wording
from widgets import format
from widgets.glyphs import Glyphs

LIMIT_PERCENT = 90.0
"""CPU, memory or network strictly over this is abnormal."""
WIDE_COLUMNS = 170
EVENTS_MIN_ROWS = 3
FULL_DAYS = 0.02
"""Half an hour of room: recycling begins a little before the last byte."""
BAR_CELLS = 14


def dashboard_lines(mirror: Mirror, paper: Paper, alarms: Sequence[AlarmView] = ()) -> list[Content]:
    """Everything, at most `paper.rows` lines; muted as a whole when it is not the present."""
    station = mirror.station
    if station is None:
        return [Content("waiting for the engine's first word ...")]
    lines = (
        _wide(mirror, station, paper, alarms)
        if paper.columns >= WIDE_COLUMNS
        else _narrow(mirror, station, paper, alarms)
    )
    lines = lines[: paper.rows]
    return lines if mirror.is_live else [Content.styled(line.plain, "dim") for line in lines]


def _narrow(
    mirror: Mirror, station: wire.StationView, paper: Paper, alarms: Sequence[AlarmView]
) -> list[Content]:
    recording = recording_lines(mirror, station, paper.glyphs)
    sections = [
        alarm_lines(mirror.alarm_counts, alarms, mirror.now_us, paper),
        problem_lines(mirror, paper),
        box_lines(mirror.chassis, paper),
        storage_lines(mirror, paper),
    ]
    if paper.columns < 70:
        machine = station_lines(station, paper.glyphs, paper.columns)
        if paper.rows >= 16:
            return _stacked(recording + machine, sections, event_lines(mirror, paper, paper.rows), paper)
        return _stacked(recording, [*sections, machine], [], paper)
    at = min(paper.columns - 36, max(40, max(map(len, recording)) + 2))
    machine = station_lines(station, paper.glyphs, paper.columns - at)
    top = _beside(recording, machine, at, paper.columns, paper.glyphs.ellipsis)
    return _stacked(top, sections, event_lines(mirror, paper, paper.rows), paper)


def _wide(
    mirror: Mirror, station: wire.StationView, paper: Paper, alarms: Sequence[AlarmView]
) -> list[Content]:
    left_columns = paper.columns * 11 // 20
    left_paper = Paper(left_columns - 2, paper.rows, paper.glyphs, paper.zone)
    right_columns = paper.columns - left_columns
    right_paper = Paper(right_columns, paper.rows, paper.glyphs, paper.zone)
    left = [Content(""), *recording_lines(mirror, station, paper.glyphs), Content("")]
    sections = [
        alarm_lines(mirror.alarm_counts, alarms, mirror.now_us, left_paper),
        problem_lines(mirror, left_paper),
        box_lines(mirror.chassis, left_paper),
        storage_lines(mirror, left_paper),
    ]
    left += _spaced(sections)
    right = [Content(""), *station_lines(station, paper.glyphs, right_columns - 1)]
    right += [*engine_lines(station), Content("")]
    right += event_lines(mirror, right_paper, paper.rows - len(right))
    return _beside(left, right, left_columns, paper.columns, paper.glyphs.ellipsis)


def _stacked(
    top: list[Content], sections: list[list[Content]], events: list[Content], paper: Paper
) -> list[Content]:
    """Sections below each other; the longest give way until some events fit."""
    sections = [section for section in sections if section]
    room = paper.rows - len(top) - (EVENTS_MIN_ROWS + 1 if paper.rows >= 16 else 0)
    while sum(map(len, sections)) > room and any(len(section) > 3 for section in sections):
        longest = max(sections, key=len)
        at = sections.index(longest)
        hidden = _hidden_count(longest[-1]) + 1 + (0 if _hidden_count(longest[-1]) else 1)
        longest = longest[:-2] if len(longest) > 2 else longest
        sections[at] = [*longest, Content.styled(f"  ... and {hidden} more", "dim")]
    lines = list(top)
    spare = paper.rows - len(top) - sum(map(len, sections)) - EVENTS_MIN_ROWS - 1
    for section in sections:
        if spare > 0:
            lines.append(Content(""))
            spare -= 1
        lines += section
    if spare > 0:
        lines.append(Content(""))
    return lines + events[: max(0, paper.rows - len(lines))]


def _hidden_count(line: Content) -> int:
    text = line.plain.strip()
    return int(text.split()[2]) if text.startswith("... and ") and text.endswith(" more") else 0


def _spaced(sections: Sequence[list[Content]]) -> list[Content]:
    lines: list[Content] = []
    for section in sections:
        if section:
            lines += [*section, Content("")]
    return lines


def _beside(left: list[Content], right: list[Content], at: int, columns: int, ellipsis: str) -> list[Content]:
    lines = []
    for row in range(max(len(left), len(right))):
        start = cut(left[row], at - 1, ellipsis) if row < len(left) else Content("")
        end = cut(right[row], columns - at, ellipsis) if row < len(right) else Content("")
        lines.append(start + Content(" " * (at - start.cell_length)) + end)
    return lines


# -- sections --------------------------------------------------------------------------------------------


def recording_lines(mirror: Mirror, station: wire.StationView, glyphs: Glyphs) -> list[Content]:
    """ "recording n of m", big."""
    recording, expected = station.cameras_recording, station.cameras_expected
    waiting = station.cameras_waiting
    off = station.cameras_total - expected - waiting
    missing = expected - recording
    style = "$text-success" if not missing else ("$text-error" if not recording else "$text-warning")
    if not station.cameras_total:
        words = ["no cameras yet", "press 2, then a", "to add the first"]
    elif not expected:
        words = ["recording", f"all {off} off", "none should now"]
        if waiting:
            words[1:] = [f"{waiting} for events", f"{off} off" if off > 0 else "none now"]
    elif missing > 0:
        words = [
            "recording",
            f"{recording} of {expected}",
            f"{missing} {'is' if missing == 1 else 'are'} not",
        ]
    else:
        rest = f"all, {off} off" if off > 0 else "all of them"
        words = ["recording", f"{recording} of {expected}", f"{waiting} for events" if waiting else rest]
    if glyphs.name == "ascii":
        return [
            Content.styled(f"  {recording} / {expected}  ", f"bold reverse {style}"),
            Content.styled(f"{words[0]} {words[1]}", "bold"),
            Content.styled(words[2], f"bold {style}" if missing else style),
        ]
    digits = [BLOCK_DIGITS[character] for character in f"{recording}/{expected}"]
    lines = []
    for row in range(3):
        big = " ".join(digit[row] for digit in digits)
        word_style = ("bold", "", f"bold {style}" if missing else style)[row]
        lines.append(Content.assemble(" ", (big, style), "  ", (words[row], word_style)))
    return lines


def station_lines(station: wire.StationView, glyphs: Glyphs, columns: int) -> list[Content]:
    """CPU, memory, and each network link."""
    lines = [
        _load_line("CPU", station.cpu_percent, glyphs, columns),
        _load_line("Memory", station.memory_percent, glyphs, columns),
    ]
    for link in sorted(station.links, key=lambda link: not link.is_up)[:3]:
        lines.append(_link_line(link, columns))
    return lines


def _load_line(title: str, value: float, glyphs: Glyphs, columns: int) -> Content:
    is_high = value > LIMIT_PERCENT
    cells = max(6, min(20, columns - 8 - 7 - 10))
    tail = f" {format.percent(value):>6}" + (" over 90 %" if is_high else "")
    return Content.assemble(
        f"{title:<8}",
        bar(value, cells, glyphs, is_high=is_high),
        (tail, "bold $text-error" if is_high else ""),
    )


def bar(value: float, cells: int, glyphs: Glyphs, *, is_high: bool = False) -> Content:
    """Filled to `value` percent."""
    filled = max(0, min(cells, round(value * cells / 100)))
    return Content.assemble(
        (glyphs.full * filled, "$text-error" if is_high else "$primary"),
        (glyphs.bar_empty * (cells - filled), "dim"),
    )


def _link_line(link: wire.LinkView, columns: int) -> Content:
    name = format.fit(link.name, 8)
    if not link.is_up:
        return Content.styled(f"{name}down", "dim")
    busiest = max(link.receive_bps, link.send_bps)
    if link.speed_bps and busiest * 100 > LIMIT_PERCENT * link.speed_bps:
        way = "in" if link.receive_bps == busiest else "out"
        return Content.styled(f"{name}{format.bit_rate(busiest)} {way}, over 90 %", "bold $text-error")
    text = f"{format.bit_rate(link.receive_bps)} in, {format.bit_rate(link.send_bps)} out"
    if link.speed_bps and len(name) + len(text) + 12 < columns:
        text += f" of {format.bit_rate(link.speed_bps)}"
    return Content(f"{name}{text}")


def engine_lines(station: wire.StationView) -> list[Content]:
    """The engine's own share; only where there is room."""
    up = format.duration(station.now_us - station.started_us)
    memory = format.binary_bytes(station.engine_rss_bytes)
    text = f"{format.percent(station.engine_cpu_percent)} CPU, {memory}, up {up}, version {station.version}"
    return [Content(f"{'engine':<8}{text}")]


def problem_lines(mirror: Mirror, paper: Paper) -> list[Content]:
    """Each camera that should record and does not: state, since when, why."""
    not_recording = [
        camera
        for camera in mirror.cameras
        if camera.state not in (wire.CameraState.RECORDING, wire.CameraState.WAITING, wire.CameraState.OFF)
    ]
    if not not_recording:
        return []
    order = list(wire.CameraState)
    not_recording.sort(key=lambda camera: (-order.index(camera.state), camera.state_since_us))
    names = min(24 if paper.columns >= 60 else 12, max(len(camera.name) for camera in not_recording))
    lines = [heading("Not recording", "state, camera, for how long, why" if paper.columns >= 60 else "")]
    for camera in not_recording:
        wording = CAMERA_STATES[camera.state]
        since = format.duration(
            max(0, mirror.now_us - camera.state_since_us) // 60_000_000 * 60_000_000 or 1_000_000
        )
        if mirror.now_us - camera.state_since_us < 60_000_000:
            since = "< 1 min"
        line = Content.assemble(
            " ",
            (f"{wording.sign or paper.glyphs.mark} {wording.word:<12}", wording.style),
            (format.fit(camera.name, names, paper.glyphs.ellipsis), "bold"),
            f" {format.fit(since, 10)} " if paper.columns >= 60 else " ",
        )
        room = max(0, paper.columns - len(line))
        lines.append(line + Content(format.fit(camera.cause, room, paper.glyphs.ellipsis).rstrip()))
    return lines


def storage_lines(mirror: Mirror, paper: Paper) -> list[Content]:
    """Groups with their days, and the volumes of each."""
    volumes = mirror.volumes
    if not volumes:
        return [
            heading("Storage"),
            Content.styled(
                " no volume: nothing can be recorded. Add one: watchdeck volume add NAME PATH",
                "bold $text-error",
            ),
        ]
    lines = [heading("Storage")]
    for group in mirror.groups:
        own = [volume for volume in volumes if volume.group == group.name]
        if own or group.cameras:
            lines.append(_group_line(group, paper))
            lines += [_volume_line(volume, paper) for volume in own]
    return lines


def _group_line(group: wire.GroupView, paper: Paper) -> Content:
    parts = [f"{_days_or_less(group.recorded_days)} recorded"]
    if group.remaining_days is not None:
        is_full = group.remaining_days < FULL_DAYS
        room = f"room for {_days_or_less(group.remaining_days)}"
        parts.append("full: the oldest is overwritten" if is_full else room)
    if group.retention_days is not None:
        parts.append(f"keep {group.retention_days} d")
    if group.retention_bytes is not None:
        parts.append(f"keep {format.decimal_bytes(group.retention_bytes)}")
    line = Content.assemble(
        " ", (format.fit(group.name, 12, paper.glyphs.ellipsis), "bold"), " ", ", ".join(parts)
    )
    if group.is_below_retention:
        line += Content.styled("  ! below retention", "bold $text-warning")
    return line


def _days_or_less(days: float) -> str:
    # Whole minutes: the engine rounds days to about a minute.
    minutes = round(days * 24 * 60)
    return format.duration(minutes * format.MINUTE_US) if 0 < days < 1 else format.days(days)


def _volume_line(volume: wire.VolumeView, paper: Paper) -> Content:
    wording = VOLUME_STATES[volume.state]
    line = Content.assemble(
        "   ",
        (f"{wording.sign or paper.glyphs.mark} {wording.word:<12} ", wording.style),
        format.fit(volume.name, 12, paper.glyphs.ellipsis),
        " ",
    )
    if volume.total_bytes and volume.state in (wire.VolumeState.OK, wire.VolumeState.FULL):
        used = 100.0 * (volume.total_bytes - volume.free_bytes) / volume.total_bytes
        line += bar(used, BAR_CELLS if paper.columns >= 70 else 6, paper.glyphs)
        line += Content(f" {format.percent(used):>5}  {format.decimal_bytes(volume.free_bytes)} free")
        if volume.write_bps and paper.columns >= 70:
            line += Content(f"  {format.bit_rate(volume.write_bps)}")
    if volume.cause and len(line) + 12 < paper.columns:
        cause = format.fit(volume.cause, paper.columns - len(line) - 2, paper.glyphs.ellipsis).rstrip()
        line += Content.styled(f"  {cause}", wording.style)
    return line


def event_lines(mirror: Mirror, paper: Paper, rows: int) -> list[Content]:
    """The newest, as many as fit."""
    lines = [heading("Newest events")]
    sources = min(20, max((len(event.source) for event in mirror.events[:rows]), default=0))
    for event in mirror.events[: max(0, rows - 1)]:
        wording = severity_wording(event.severity)
        when = format.recent_time(event.time_us, mirror.now_us, paper.zone)
        line = Content.assemble(
            f" {when:<11} " if paper.columns >= 60 else f" {when:<8} ",
            (f"{wording.sign} {wording.word:<8} ", wording.style),
            (format.fit(event.source, sources, paper.glyphs.ellipsis), "bold"),
            " ",
        )
        room = max(0, paper.columns - len(line))
        lines.append(line + Content(format.fit(event.text, room, paper.glyphs.ellipsis).rstrip()))
    if len(lines) == 1:
        lines.append(Content.styled(" none yet", "dim"))
    return lines
