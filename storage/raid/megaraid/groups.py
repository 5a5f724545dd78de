"""Drive groups and virtual drives of a controller, from its topology table; and the tasks that work on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from storage.raid.inventory import Drive, DriveGroup, Span, Task, VirtualDrive
from storage.raid.levels import span_can_lose, state_of_span
from storage.raid.megaraid.addresses import SlotAddress, slot_of_row
from storage.raid.megaraid.storcli_json import as_rows, seconds_left, section, size_bytes, text, whole
from storage.raid.states import DriveState, RaidLevel, TaskKind, TaskState, VirtualDriveState

VALID = frozenset({DriveState.ONLINE, DriveState.COPYBACK})
"""States of a member whose data counts."""
_STATES: Mapping[str, VirtualDriveState] = {
    "Optl": VirtualDriveState.ONLINE,
    "Rec": VirtualDriveState.ONLINE,
    "Pdgd": VirtualDriveState.PARTIALLY_DEGRADED,
    "Dgrd": VirtualDriveState.DEGRADED,
    "OfLn": VirtualDriveState.OFFLINE,
}
_ACTIVE = {
    "Consistency Check": TaskKind.CHECK,
    "Background Initialization": TaskKind.INITIALISATION,
    "BGI": TaskKind.INITIALISATION,
    "Reconstruction": TaskKind.MIGRATION,
    "OCE": TaskKind.MIGRATION,
    "Migration": TaskKind.MIGRATION,
}


class Place(msgspec.Struct, frozen=True):
    """A member's place: drive group, span, row."""

    group: int
    span: int
    row: int


class Member(msgspec.Struct, frozen=True, kw_only=True):
    place: Place
    slot: SlotAddress | None
    """None = missing."""
    state: DriveState


def level_of(word: str) -> RaidLevel | None:
    name = word.strip().upper().removeprefix("RAID")
    return RaidLevel(name) if name in tuple(RaidLevel) else None


def members_of(controller: int, topology: Any, states: Mapping[str, DriveState]) -> list[Member]:
    """The drive rows of a TOPOLOGY table: the only place where a missing drive is listed."""
    found = []
    for row in as_rows(topology):
        group, span, index = whole(row.get("DG")), whole(row.get("Arr")), whole(row.get("Row"))
        if group is None or span is None or index is None:
            continue
        found.append(
            Member(
                place=Place(group, span, index),
                slot=slot_of_row(controller, row.get("EID:Slot")),
                state=states.get(text(row.get("State")), DriveState.OFFLINE),
            )
        )
    return found


def group_of(
    controller: int, number: int, level: RaidLevel, members: list[tuple[Member, Drive]]
) -> DriveGroup:
    """Of one number; `members` in any order, each with the drive (or the stand-in for a missing one)."""
    spans = []
    for span in sorted({member.place.span for member, _ in members}):
        here = sorted(
            ((member, drive) for member, drive in members if member.place.span == span),
            key=lambda pair: pair[0].place.row,
        )
        lost = sum(drive.state not in VALID for _, drive in here)
        spans.append(
            Span(
                drives=tuple(drive.id for _, drive in here),
                state=state_of_span(level, lost),
                can_lose=span_can_lose(level, lost),
            )
        )
    return DriveGroup(
        id=f"c{controller}-dg{number}",
        name=f"DG{number}",
        level=level,
        spans=tuple(spans),
        controller=f"c{controller}",
    )


def virtual_drives_of(
    controller: int, fields: dict[str, Any], groups: Mapping[str, DriveGroup]
) -> list[VirtualDrive]:
    """Of `/cN/vall show all`."""
    found = []
    for key, value in fields.items():
        if not key.startswith(f"/c{controller}/v"):
            continue
        number = key.rpartition("/v")[2]
        properties = section(fields, f"VD{number} Properties")
        for row in as_rows(value):
            drive = _virtual_drive(
                controller, number, row, properties if isinstance(properties, dict) else {}, groups
            )
            if drive is not None:
                found.append(drive)
    return found


def _virtual_drive(
    controller: int,
    number: str,
    row: Mapping[str, Any],
    properties: Mapping[str, Any],
    groups: Mapping[str, DriveGroup],
) -> VirtualDrive | None:
    level = level_of(text(row.get("TYPE")))
    if level is None:  # CacheCade and the like: no virtual drive of ours
        return None
    group_id = f"c{controller}-dg{text(row.get('DG/VD')).partition('/')[0]}"
    word = text(row.get("State"))
    state = _STATES.get(word, VirtualDriveState.OFFLINE)
    group = groups.get(group_id)
    if state is VirtualDriveState.PARTIALLY_DEGRADED and level not in (RaidLevel.RAID6, RaidLevel.RAID60):
        state = VirtualDriveState.DEGRADED  # the manual has it for RAID 6 only (row VD-10)
    if (
        state is VirtualDriveState.OFFLINE
        and group is not None
        and any(span.state is VirtualDriveState.FAILED for span in group.spans)
    ):
        state = VirtualDriveState.FAILED
    cache = text(row.get("Cache"))
    blocks = whole(properties.get("Number of Blocks"))
    return VirtualDrive(
        id=f"c{controller}-v{number}",
        name=text(row.get("Name")) or f"v{number}",
        group=group_id,
        level=level,
        state=state,
        cause="" if state is VirtualDriveState.ONLINE else f"the controller says {word}",
        size_bytes=blocks * 512 if blocks else size_bytes(row.get("Size")),
        stripe_bytes=size_bytes(properties.get("Strip Size")),
        device=text(properties.get("OS Drive Name")),
        is_read_only=text(row.get("Access")).casefold() in ("ro", "b", "blocked"),
        has_bitmap=False,
        cache=cache,
        is_initialised=text(row.get("Consist")).casefold() == "yes",
    )


def naa_of(fields: dict[str, Any], number: str) -> str:
    """The name under which the operating system knows a virtual drive: /dev/disk/by-id/wwn-0x<this>."""
    properties = section(fields, f"VD{number} Properties")
    return text(properties.get("SCSI NAA Id")).casefold() if isinstance(properties, dict) else ""


def active_operation(fields: dict[str, Any], virtual_drive: VirtualDrive, controller: int) -> Task | None:
    """From `Active Operations`: `Consistency Check (36%)`."""
    number = virtual_drive.id.rpartition("-v")[2]
    properties = section(fields, f"VD{number} Properties")
    said = text(properties.get("Active Operations")) if isinstance(properties, dict) else ""
    kind = next((kind for start, kind in _ACTIVE.items() if said.startswith(start)), None)
    if kind is None:
        return None
    progress = whole(said.partition("(")[2])
    return Task(
        id=f"{kind}:{virtual_drive.id}",
        kind=kind,
        state=TaskState.PAUSED if "paused" in said.casefold() else TaskState.RUNNING,
        controller=f"c{controller}",
        virtual_drive=virtual_drive.id,
        progress=None if progress is None else progress / 100,
        can_pause=kind is TaskKind.CHECK,
        can_stop=kind in (TaskKind.CHECK, TaskKind.INITIALISATION),
    )


def drive_task(kind: TaskKind, row: Mapping[str, Any], drive: Drive, virtual_drive: str) -> Task | None:
    """A row of `show rebuild` or `show copyback`; None when nothing goes on."""
    progress, word = whole(row.get("Progress%")), text(row.get("Status")).casefold()
    if "not" in word or (progress is None and "progress" not in word and "paus" not in word):
        return None
    return Task(
        id=f"{kind}:{virtual_drive}:{drive.id}",
        kind=kind,
        state=TaskState.PAUSED if "paus" in word else TaskState.RUNNING,
        controller=drive.controller,
        virtual_drive=virtual_drive,
        drive=drive.id,
        progress=None if progress is None else progress / 100,
        eta_s=seconds_left(row.get("Estimated Time Left")),
        can_pause=True,
        can_stop=True,
    )
