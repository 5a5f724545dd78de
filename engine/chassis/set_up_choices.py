"""What can be made of which drives, for a person who chooses: each level and drive, with the reason where it cannot be. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from engine.chassis.drive_words import usable_bytes
from engine.chassis.replace_checks import why_not_erase
from engine.chassis.set_up_layout import FILE_SYSTEMS
from engine.wire_chassis import DriveChoice, LevelChoice, SetUpChoices, SetUpStorage
from storage.errors import InvalidInput, NotFound
from storage.raid import levels
from storage.raid.inventory import Drive, Inventory
from storage.raid.levels import LEVELS, MEGARAID, PROFILES, Profile
from storage.raid.states import DriveState, RaidLevel

CAMERAS_128_DRIVES = 8
CAMERAS_128_VIRTUAL_DRIVES = 2


def set_up_choices(
    inventory: Inventory, drives: Sequence[str], virtual_drives: int = 1, spans: int = 0
) -> SetUpChoices:
    """Of the drives with these ids; none named = all that are free. Raises NotFound, InvalidInput."""
    if virtual_drives < 1 or spans < 0:
        raise InvalidInput("a number of virtual drives or spans below zero", "give 1 or more")
    by_bay = sorted(inventory.drives, key=lambda drive: (drive.bay is None, drive.bay or 0, drive.id))
    free = [drive for drive in by_bay if not why_not_erase(drive)]
    chosen = [_known(inventory, id) for id in drives] or free
    profile = _profile(inventory, chosen)
    eight = tuple(drive.id for drive in free[:CAMERAS_128_DRIVES])
    missing = CAMERAS_128_DRIVES - len(eight)
    return SetUpChoices(
        levels=tuple(_level(level, chosen, virtual_drives, spans, profile) for level in LEVELS),
        drives=tuple(DriveChoice(drive=drive.id, refused=_why_not(drive)) for drive in by_bay),
        stripes_bytes=profile.stripe_sizes,
        file_systems=FILE_SYSTEMS,
        recommended=SetUpStorage(
            level=levels.DEFAULT_LEVEL, virtual_drives=max(1, len(free) // levels.DEFAULT_MEMBERS)
        ),
        for_128_cameras=SetUpStorage(
            level=levels.DEFAULT_LEVEL, virtual_drives=CAMERAS_128_VIRTUAL_DRIVES, drives=eight
        ),
        for_128_refused=f"it takes {CAMERAS_128_DRIVES} free drives, here are {len(eight)}"
        if missing
        else "",
    )


def _known(inventory: Inventory, id: str) -> Drive:
    drive = inventory.drive(id)
    if drive is None:
        raise NotFound(f"no drive {id!r} is here", "`watchdeck drive list` shows all")
    return drive


def _why_not(drive: Drive) -> str:
    """With the cause, where somebody knows it: `it is protected: it holds the system`."""
    why = why_not_erase(drive)
    if why and drive.state is DriveState.ONLINE:
        return "it is in a virtual drive"
    return f"{why}: {drive.cause}" if why and drive.cause else why


def _profile(inventory: Inventory, drives: Sequence[Drive]) -> Profile:
    controllers = {drive.controller for drive in drives}
    backend = next((one.backend for one in inventory.controllers if one.id in controllers), "")
    return PROFILES.get(backend, MEGARAID)


def _level(
    level: RaidLevel, drives: Sequence[Drive], virtual_drives: int, spans: int, profile: Profile
) -> LevelChoice:
    rules = LEVELS[level]
    words = LevelChoice(level=level, strong=rules.strong, weak=rules.weak, use=rules.use, counts=rules.counts)
    sizes = {drive.id: usable_bytes(drive) for drive in drives}
    try:
        layout = levels.simple_layout(level, list(sizes), virtual_drives, spans)
        first = layout.virtual_drives[0]
        notes = levels.check_layout(level, first, sizes, profile=profile)
    except InvalidInput as exc:
        return replace(words, refused=exc.what)
    members = sum(len(span) for span in first)
    return replace(
        words,
        drives=members,
        spans=len(first),
        span_choices=levels.span_choices(level, members),
        left_over=len(layout.left_over),
        usable_bytes=levels.usable_bytes(level, [[sizes[id] for id in span] for span in first]),
        can_lose=rules.tolerance,
        notes=notes,
    )
