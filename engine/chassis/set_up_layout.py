"""Simple configuration (rows VD-03..07, VO-07): from empty drives to virtual drives, volumes and recording groups, on paper. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

import msgspec

from engine.chassis.drive_words import drive_words
from engine.chassis.replace_checks import why_not_erase
from engine.wire_chassis import SetUpStorage
from storage.catalog.groups import MAIN_GROUP
from storage.errors import Conflict, InvalidInput, NotFound
from storage.raid.inventory import Drive, Inventory
from storage.raid.levels import simple_layout
from storage.raid.operations import AssignSpare, CreateVirtualDrive, RaidOperation
from storage.raid.states import RaidLevel

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,14}\Z")
"""A controller takes 15 characters, and it is a folder's name too."""
FILE_SYSTEMS = ("xfs", "ext4")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class PlannedVolume(msgspec.Struct, frozen=True, kw_only=True):
    """One virtual drive and what comes on it."""

    name: str
    level: RaidLevel
    spans: tuple[tuple[str, ...], ...]
    stripe_bytes: int
    mount_point: str
    group: str
    has_bitmap: bool = True
    spares: tuple[str, ...] = ()
    """Dedicated to it."""

    @property
    def drives(self) -> frozenset[str]:
        return frozenset(id for span in self.spans for id in span)

    def creation(self) -> CreateVirtualDrive:
        return CreateVirtualDrive(
            name=self.name,
            level=self.level,
            spans=self.spans,
            stripe_bytes=self.stripe_bytes,
            spares=self.spares,
            has_bitmap=self.has_bitmap,
        )


class SetUpLayout(msgspec.Struct, frozen=True, kw_only=True):
    volumes: tuple[PlannedVolume, ...]
    spares: tuple[str, ...] = ()
    left_over: tuple[str, ...] = ()
    file_system: str = "xfs"

    def operations(self) -> tuple[RaidOperation, ...]:
        creates = [volume.creation() for volume in self.volumes]
        return (*creates, *(AssignSpare(drive=id) for id in self.spares))


def lay_out(
    asked: SetUpStorage, inventory: Inventory, *, volumes: Iterable[str], is_main_empty: bool
) -> SetUpLayout:
    """`volumes`: names in use; `is_main_empty`: the group `main` has no volume yet, so that the first one goes there.

    Raises InvalidInput, NotFound, Conflict.
    """
    if asked.file_system not in FILE_SYSTEMS:
        raise InvalidInput(
            f"the file system is one of {', '.join(FILE_SYSTEMS)}, not {asked.file_system!r}", ""
        )
    root = PurePosixPath(asked.mount_root)
    if not root.is_absolute() or ".." in root.parts or root == PurePosixPath("/"):
        raise InvalidInput(f"volumes are mounted below an absolute folder, not {asked.mount_root!r}", "")
    if asked.spares < 0 or asked.virtual_drives < 0:
        raise InvalidInput("a number of spares or virtual drives is not below zero", "")
    chosen = _chosen(asked, inventory)
    if asked.spares >= len(chosen):
        raise InvalidInput(
            f"{len(chosen)} drives are free: none is left beside {asked.spares} hot spares",
            "ask for fewer spares, or insert drives",
        )
    ids = [drive.id for drive in chosen]
    if asked.dedicated_spares and (asked.virtual_drives != 1 or set(asked.dedicated_spares) & set(ids)):
        raise InvalidInput(
            "dedicated hot spares serve one virtual drive, and are none of its members",
            "name its drives and its spares, or assign the spares afterwards",
        )
    layout = simple_layout(asked.level, ids[: len(ids) - asked.spares], asked.virtual_drives, asked.spans)
    names = _names(asked, inventory, volumes, len(layout.virtual_drives))
    return SetUpLayout(
        volumes=tuple(
            PlannedVolume(
                name=name,
                level=asked.level,
                spans=spans,
                stripe_bytes=asked.stripe_bytes,
                mount_point=str(root / name),
                group=MAIN_GROUP if not asked.group_each or (is_main_empty and number == 0) else name,
                has_bitmap=asked.has_bitmap,
                spares=asked.dedicated_spares,
            )
            for number, (name, spans) in enumerate(zip(names, layout.virtual_drives, strict=True))
        ),
        spares=tuple(ids[len(ids) - asked.spares :]),
        left_over=layout.left_over,
        file_system=asked.file_system,
    )


def _chosen(asked: SetUpStorage, inventory: Inventory) -> list[Drive]:
    """In the order of the bays; of several controllers the one with most free drives."""
    if asked.drives:
        found = []
        for id in asked.drives:
            drive = inventory.drive(id)
            if drive is None:
                raise NotFound(f"no drive {id!r} is here", "`watchdeck drive list` shows all")
            found.append(drive)
        controllers = {drive.controller for drive in found}
        if len(controllers) > 1:
            raise InvalidInput(
                f"drives of several controllers ({', '.join(sorted(controllers))}) make no group",
                "choose drives of one controller",
            )
        return sorted(found, key=_place)
    free = [drive for drive in inventory.drives if not why_not_erase(drive)]
    if not free:
        raise Conflict("no drive is free: none is unconfigured good", _why_none(inventory))
    counts = {drive.controller: 0 for drive in free}
    for drive in free:
        counts[drive.controller] += 1
    most = max(counts, key=lambda id: (counts[id], id))
    return sorted((drive for drive in free if drive.controller == most), key=_place)


def _place(drive: Drive) -> tuple[int, str]:
    return (drive.bay if drive.bay is not None else 1 << 30, drive.id)


def _why_none(inventory: Inventory) -> str:
    reasons = [f"{drive_words(drive)} is {drive.state.replace('_', ' ')}" for drive in inventory.drives[:4]]
    return "; ".join(reasons) or "insert drives"


def _names(asked: SetUpStorage, inventory: Inventory, volumes: Iterable[str], count: int) -> Sequence[str]:
    taken = {vd.name.casefold() for vd in inventory.virtual_drives} | {name.casefold() for name in volumes}
    if not asked.names:
        free = [letter for letter in _LETTERS if letter.casefold() not in taken]
        free += [f"V{number}" for number in range(1, 100) if f"v{number}" not in taken]
        return free[:count]
    if len(asked.names) != count:
        raise InvalidInput(f"{count} virtual drives are made, {len(asked.names)} names are given", "")
    seen: set[str] = set()
    for name in asked.names:
        if not NAME.match(name):
            raise InvalidInput(
                f"{name!r} cannot be the name of a virtual drive", "1 to 15 letters, digits, - and _"
            )
        if name.casefold() in taken | seen:
            raise InvalidInput(f"the name {name} is in use", "choose another name")
        seen.add(name.casefold())
    return asked.names


def spread(cameras: Sequence[str], groups: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Cameras dealt out to groups in even runs, in the order given: 128 over 2 are 64 and 64 (row VD-05)."""
    dealt = []
    begin = 0
    for number, group in enumerate(groups):
        size = (len(cameras) - begin) // (len(groups) - number)
        dealt += [(camera, group) for camera in cameras[begin : begin + size]]
        begin += size
    return tuple(dealt)
