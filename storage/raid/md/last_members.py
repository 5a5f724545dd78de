"""Which drives a failed array was last made of: read from their superblocks, so that it is put together again from exactly these.

Every member writes down which places worked when it was last written. One that was lost at the end names just those that are
brought together now; one that failed earlier names a place that went after it, and is never used: its data is older.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from storage.command import Runner
from storage.errors import OperationRefused
from storage.plain_text import plain_text
from storage.raid.md.checks import label
from storage.raid.md.drive_source import ScannedDrive
from storage.raid.md.look import Look
from storage.raid.md.stack import Stack
from storage.raid.md.sysfs import MdArray

BEARS = {"raid5": 1, "raid6": 2}
"""Levels this is done for, and how many drives they can miss."""
EVENTS_BEHIND = 64
"""md counts a few when drives go and when a file system notices; an array that went on working without a drive counts on."""
_RECOVERING = 0x2
"""Bit of the feature map: it is being rebuilt onto."""
_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Superblock:
    uuid: str
    events: int
    place: int | None
    """None for a spare."""
    working: frozenset[int]
    """Places with a working drive when this was written."""
    is_recovering: bool
    is_clean: bool
    """Nothing was being written when this was."""
    name: str
    level: str
    wanted: int
    """Places."""


def parse_superblock(text: str) -> Superblock | None:
    """Of `mdadm --examine` with metadata 1.2; None when something is missing."""
    fields = {
        key.strip(): value.strip() for key, _, value in (line.partition(" : ") for line in text.splitlines())
    }
    states = fields.get("Array State", "").partition(" ")[0]
    events, uuid = fields.get("Events", ""), fields.get("Array UUID", "")
    if not events.isdecimal() or not uuid or not re.fullmatch(r"[A.R]+", states):
        return None
    role = re.fullmatch(r"Active device (\d+)", fields.get("Device Role", ""))
    features = fields.get("Feature Map", "0x0")
    return Superblock(
        uuid=uuid,
        events=int(events),
        place=int(role[1]) if role else None,
        working=frozenset(place for place, state in enumerate(states) if state != "."),
        is_recovering=bool(int(features, 16) & _RECOVERING) if features.startswith("0x") else True,
        is_clean=fields.get("State") == "clean",
        name=plain_text(fields.get("Name", "").partition(" ")[0].rpartition(":")[2]),
        level=fields.get("Raid Level", ""),
        wanted=len(states),
    )


def last_members(
    returned: ScannedDrive, array: MdArray, stack: Stack, look: Look, run: Runner
) -> tuple[ScannedDrive, ...]:
    """Of an array that is not nested. The drives to assemble it from, in the order of their places. Raises OperationRefused."""
    own = _superblock(returned, array, run)
    if own.place is None or own.is_recovering:
        raise OperationRefused(
            f"{label(returned)} was not yet a whole member of {stack.name}",
            "put back the drives pulled after it",
        )
    found: dict[int, tuple[ScannedDrive, Superblock]] = {own.place: (returned, own)}
    in_service = {member.name for member in array.members if member.is_in_sync}
    for drive in look.drives:
        if drive.id == returned.id or (drive.name not in in_service and drive.md_uuid != array.uuid):
            continue
        other = _superblock(drive, array, run)
        is_working = drive.name in in_service or (other.working == own.working and not other.is_recovering)
        if other.place is not None and is_working:
            found.setdefault(other.place, (drive, other))
    _require_whole(returned, own, stack, array, found)
    return tuple(drive for _, (drive, _) in sorted(found.items()))


def _require_whole(
    returned: ScannedDrive,
    own: Superblock,
    stack: Stack,
    array: MdArray,
    found: dict[int, tuple[ScannedDrive, Superblock]],
) -> None:
    absent = sorted(own.working - found.keys())
    if absent:
        whom = ", ".join(_who_was(place, stack) for place in absent)
        raise OperationRefused(
            f"{stack.name} still worked with {whom} when {label(returned)} went: it cannot go on from this one alone",
            f"put back {whom}, and re-add that one",
        )
    newer = sorted(found.keys() - own.working)
    if newer or array.wanted - len(found) > BEARS[array.level]:
        raise OperationRefused(
            f"{label(returned)} and what is left of {stack.name} do not belong together",
            "put back all drives that were pulled",
        )
    newest = max(superblock.events for _, superblock in found.values())
    for drive, superblock in found.values():
        if newest - superblock.events > EVENTS_BEHIND:
            raise OperationRefused(
                f"{label(drive)} is {newest - superblock.events} steps behind {stack.name}: its data is older",
                "see docs/raid-md.md, 'An array that lost too many drives at once'",
            )


def _who_was(place: int, stack: Stack) -> str:
    slots = stack.known.slots[0] if stack.known is not None and stack.known.slots else ()
    known = slots[place] if place < len(slots) else None
    if known is None:
        return f"the drive of its place {place + 1}"
    where = f"bay {known.bay}" if known.bay is not None else known.place or "no bay"
    return f"the drive of {where} (serial {known.serial or 'unknown'})"


def examined(drive: ScannedDrive, run: Runner) -> Superblock | None:
    """What it tells of itself now. Raises ToolMissing, CommandTimeout."""
    return parse_superblock(run(["mdadm", "--examine", drive.device], timeout_s=_TIMEOUT_S).text)


def _superblock(drive: ScannedDrive, array: MdArray, run: Runner) -> Superblock:
    said = run(["mdadm", "--examine", drive.device], timeout_s=_TIMEOUT_S)
    found = parse_superblock(said.text)
    if found is None or found.uuid != array.uuid:
        raise OperationRefused(
            f"{label(drive)} does not tell which place it had in {array.name}",
            f"see `mdadm --examine` of it: {said.complaint}"
            if said.status
            else "see `mdadm --examine` of it",
        )
    return found
