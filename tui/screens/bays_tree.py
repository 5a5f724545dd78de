"""The tree of storage: virtual drives, their drives, the volume on each, the recording group and its cameras.

Read downwards it says what a drive carries; the words beside a row say the way back: from a camera to the bays its
recordings are in. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

from engine.wire_chassis import ChainView, ChassisView, Drive, DriveState, VirtualDrive
from tui.bay_wording import DRIVE_STATES, VIRTUAL_DRIVE_STATES, bay_numbers, drive_label
from tui.screens.bays_text import camera_names, pair, risk_lines
from tui.screens.paper import Paper
from widgets import format
from widgets.line_source import Column, Line, Tone

COLUMNS = (
    Column("what", "Drives, volumes, cameras", 22, grow=1, is_sortable=False),
    Column("state", "State", 12, priority=1, max_width=20, is_sortable=False),
    Column("size", "Size", 8, priority=2, is_right=True, is_sortable=False),
)
LOOSE = (
    ("Hot spares", (DriveState.HOT_SPARE,)),
    ("Unused drives", (DriveState.UNCONFIGURED_GOOD, DriveState.SHIELD)),
    ("Foreign drives", (DriveState.FOREIGN,)),
    ("Bad drives", (DriveState.FAILED, DriveState.UNCONFIGURED_BAD, DriveState.MISSING, DriveState.OFFLINE)),
    ("Other drives", (DriveState.PROTECTED, DriveState.ONLINE, DriveState.REBUILD, DriveState.COPYBACK)),
)


@dataclass(frozen=True, slots=True)
class Node:
    """Key of a row: what it is, which one, and in which virtual drive's branch it stands."""

    kind: str
    """virtual, drive, volume, group, camera or heading."""
    id: str
    virtual_drive: str = ""


def tree_rows(chassis: ChassisView) -> list[Line]:
    """All rows, unfolded: a box has few."""
    inventory = chassis.inventory
    rows: list[Line] = []
    placed: set[str] = set()
    for virtual in inventory.virtual_drives:
        wording = VIRTUAL_DRIVE_STATES[virtual.state]
        title = f"{virtual.name}  RAID {virtual.level}"
        size = format.decimal_bytes(virtual.size_bytes or None)
        rows.append(_row(Node("virtual", virtual.id, virtual.id), 0, title, wording.word, size, wording.tone))
        for drive in members(chassis, virtual):
            placed.add(drive.id)
            rows.append(_drive_row(drive, virtual.id))
        chain = chassis.chain_of(virtual.id)
        if chain is not None and chain.volume:
            rows += _chain_rows(chain)
        else:
            rows.append(_row(Node("volume", "", virtual.id), 1, "no volume on it", "", "", "muted"))
    for title, states in LOOSE:
        loose = [drive for drive in inventory.drives if drive.state in states and drive.id not in placed]
        if loose:
            rows.append(_row(Node("heading", title), 0, title, "", "", "accent"))
            rows += [_drive_row(drive, "") for drive in sorted(loose, key=_by_bay)]
    return rows


def members(chassis: ChassisView, virtual: VirtualDrive) -> list[Drive]:
    """Drives of the virtual drive's group by bay, with those that failed out of it."""
    group = chassis.inventory.group(virtual.group)
    in_spans = {id for span in group.spans for id in span.drives} if group is not None else set()
    found = [
        drive
        for drive in chassis.inventory.drives
        if drive.id in in_spans or (drive.group == virtual.group and drive.group)
    ]
    return sorted(found, key=_by_bay)


def _by_bay(drive: Drive) -> tuple[int, str]:
    return (drive.bay if drive.bay is not None else 1_000, drive.serial)


def _chain_rows(chain: ChainView) -> list[Line]:
    key = chain.virtual_drive
    rows = [_row(Node("volume", chain.volume, key), 1, f"volume {chain.volume}", chain.volume_path, "", "")]
    if chain.group:
        count = format.plural(len(chain.cameras), "camera")
        rows.append(_row(Node("group", chain.group, key), 2, f"group {chain.group}", count, "", ""))
        rows += [_row(Node("camera", name, key), 3, name, "", "", "muted") for name in chain.cameras]
    return rows


def _drive_row(drive: Drive, virtual_drive: str) -> Line:
    wording = DRIVE_STATES[drive.state]
    size = format.decimal_bytes(drive.size_bytes or None)
    place = f"bay {drive.bay}" if drive.bay is not None else "no bay"
    title = f"{place}  {drive.serial}"
    return _row(Node("drive", drive.id, virtual_drive), 1, title, wording.word, size, wording.tone)


def _row(key: Node, depth: int, what: str, state: str, size: str, tone: Tone) -> Line:
    return Line(key, ("  " * depth + what, (state, tone), size), "muted" if key.kind == "camera" else "")


# -- the way back ----------------------------------------------------------------------------------------


def node_lines(chassis: ChassisView, node: Node, paper: Paper, now_us: int) -> list[Content]:
    """What stands beside a row that is not a drive."""
    chain = chassis.chain_of(node.virtual_drive)
    virtual = chassis.inventory.virtual_drive(node.virtual_drive)
    if node.kind == "virtual" and virtual is not None:
        return virtual_lines(chassis, virtual, paper, now_us)
    if chain is None or virtual is None:
        return []
    heading = {"volume": "Volume", "group": "Recording group", "camera": "Camera"}.get(node.kind, "")
    lines = [Content.assemble((heading, "bold $text-accent"), "  ", (node.id, "bold"))]
    width = paper.columns
    if node.kind == "camera":
        chains = [one for one in chassis.chains if node.id in one.cameras]
        lines += pair("group", ", ".join(sorted({one.group for one in chains})), width=width)
    elif node.kind == "group":
        chains = [one for one in chassis.chains if one.group == node.id]
        lines += pair("cameras", ", ".join(chain.cameras) or "none", width=width)
    else:
        chains = [chain]
        lines += pair("path", chain.volume_path, width=width)
        lines += pair("group", chain.group or "none", width=width)
        lines += pair("cameras", ", ".join(chain.cameras) or "none", width=width)
    lines += [Content(""), Content.styled("Recorded on", "bold")]
    for one in chains:
        lines += _way_back(chassis, one, paper)
    return lines


def _way_back(chassis: ChassisView, chain: ChainView, paper: Paper) -> list[Content]:
    """Volume, virtual drive and the bays with serial numbers."""
    virtual = chassis.inventory.virtual_drive(chain.virtual_drive)
    if virtual is None:
        return []
    width = paper.columns
    wording = VIRTUAL_DRIVE_STATES[virtual.state]
    words = Content.assemble(f"{virtual.name}: RAID {virtual.level}, ", (wording.word, wording.style))
    lines = pair("volume", chain.volume or "none", width=width)
    lines += pair("virtual", words, width=width)
    for drive in members(chassis, virtual):
        state = DRIVE_STATES[drive.state]
        words = Content.assemble(drive_label(drive), "  ", (state.word, state.style))
        lines += pair("", words, width=width)
    if chain.exposure:
        lines += pair("risk", chain.exposure, "bold $text-error", width=width)
    return lines


def virtual_lines(chassis: ChassisView, virtual: VirtualDrive, paper: Paper, now_us: int) -> list[Content]:
    """A virtual drive: state, layout, last check, and what is on it."""
    width = paper.columns
    wording = VIRTUAL_DRIVE_STATES[virtual.state]
    chain = chassis.chain_of(virtual.id)
    title = Content.assemble(
        (f"Virtual drive {virtual.name}", "bold $text-accent"), "  ", (wording.word, wording.style)
    )
    lines = [title]
    if virtual.cause:
        lines += pair("why", virtual.cause, wording.style, width=width)
    group = chassis.inventory.group(virtual.group)
    spans = f" in {len(group.spans)} spans" if group is not None and len(group.spans) > 1 else ""
    lines += pair("level", f"RAID {virtual.level}{spans}", width=width)
    lines += pair("size", format.decimal_bytes(virtual.size_bytes or None), width=width)
    if virtual.stripe_bytes:
        lines += pair("stripe", format.binary_bytes(virtual.stripe_bytes), width=width)
    lines += pair("bays", bay_numbers(chain.bays) if chain is not None else "not known", width=width)
    checked = "never checked"
    if virtual.checked_us is not None:
        found = format.plural(virtual.mismatches or 0, "sector")
        checked = f"checked {format.age(virtual.checked_us, now_us)}, {found} did not match"
    lines += pair("check", checked, "bold $text-warning" if virtual.mismatches else "", width=width)
    if not virtual.is_initialised:
        lines += pair("", "not initialised yet", "$text-warning", width=width)
    for mount in virtual.mounts:
        lines += pair("mounted", f"{mount.path}  {mount.file_system}", width=width)
    if chain is not None:
        lines += pair("volume", chain.volume or "none: nothing records on it", width=width)
        if chain.group:
            lines += pair("records", f"group {chain.group}: {camera_names(chain)}", width=width)
        lines += risk_lines(chain, width)
    return lines
