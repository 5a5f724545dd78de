"""The guided replacement of a drive as a value: where it stands, what it remembers, what it may be told. Kept in the catalog.

How it goes on is replace.py, how a newcomer is judged replace_checks.py, how it is shown replace_view.py.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from engine.chassis.drive_words import usable_bytes
from engine.chassis.facts import has_valid_data, home
from storage.raid.inventory import Drive, Inventory
from storage.raid.states import DriveState, SpareKind


class Phase(StrEnum):
    """EXPLAIN -> COPY (if asked for) -> TAKE_OUT -> PULL -> INSERT -> SETTLE -> REBUILD -> FINISH -> DONE.

    From PULL and INSERT to WRONG_PULLED and back; from PULL and INSERT to PUT_BACK and then CANCELLED.
    """

    EXPLAIN = "explain"
    COPY = "copy"
    """Onto another drive, redundancy kept."""
    TAKE_OUT = "take_out"
    PULL = "pull"
    WRONG_PULLED = "wrong_pulled"
    INSERT = "insert"
    SETTLE = "settle"
    REBUILD = "rebuild"
    FINISH = "finish"
    PUT_BACK = "put_back"
    """The old drive goes back into service."""
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


ENDED = frozenset({Phase.DONE, Phase.CANCELLED, Phase.FAILED})


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of the values of this module."""


class KnownSpare(Value, frozen=True, kw_only=True):
    """A hot spare, remembered so that the new drive can take over its work."""

    drive: str
    kind: SpareKind = SpareKind.GLOBAL
    groups: tuple[str, ...] = ()
    has_affinity: bool = False


class Seat(Value, frozen=True, kw_only=True):
    """Who sat where when the pull was asked for."""

    drive: str
    bay: int | None = None
    serial: str = ""
    state: DriveState = DriveState.UNCONFIGURED_GOOD
    group: str = ""


class ReplaceState(Value, frozen=True, kw_only=True):
    drive: str
    """Id of the one to be replaced."""
    bay: int | None = None
    serial: str = ""
    model: str = ""
    need_bytes: int = 0
    """The new drive has at least this."""
    sector_bytes: int = 512
    group: str = ""
    """Id of the drive group it is or was a member of; empty = of none."""
    group_name: str = ""
    was_working: bool = False
    """It held valid data at the start: it may go back into service."""
    role: KnownSpare | None = None
    """It was a hot spare itself."""
    phase: Phase = Phase.EXPLAIN
    copy_to: str = ""
    spares: tuple[KnownSpare, ...] = ()
    seats: tuple[Seat, ...] = ()
    wrong: tuple[Seat, ...] = ()
    """Pulled by mistake and not yet back in order."""
    new_drive: str = ""
    elsewhere: str = ""
    """A new drive in another bay."""
    inserted_us: int = 0
    is_prepared: bool = False
    is_spare_called: bool = False
    """A hot spare was asked to take over until the new drive is there."""
    tried: str = ""
    """The operation asked for last, and how often in a row."""
    tries: int = 0
    trouble: str = ""
    """Why it does not go on by itself."""
    notice: str = ""
    result: str = ""


def begin(drive: Drive, inventory: Inventory) -> ReplaceState:
    """Of the drive as it is now."""
    at_home = home(inventory, drive)
    group = at_home[0] if at_home is not None else inventory.group(drive.foreign_group)
    sizes = [
        size
        for other in inventory.drives
        if group is not None and other.group == group.id and (size := usable_bytes(other))
    ]
    return ReplaceState(
        drive=drive.id,
        bay=drive.bay,
        serial=drive.serial,
        model=drive.model,
        need_bytes=usable_bytes(drive) or min(sizes, default=0),
        sector_bytes=max(drive.sector_bytes, 512),
        group=group.id if group is not None else "",
        group_name=group.name if group is not None else "",
        was_working=has_valid_data(inventory, drive),
        role=_as_spare(drive),
        spares=known_spares((), inventory),
    )


def _as_spare(drive: Drive) -> KnownSpare | None:
    if drive.state is not DriveState.HOT_SPARE:
        return None
    return KnownSpare(
        drive=drive.id,
        kind=drive.spare or SpareKind.GLOBAL,
        groups=drive.spare_groups,
        has_affinity=drive.has_affinity,
    )


def known_spares(before: tuple[KnownSpare, ...], inventory: Inventory) -> tuple[KnownSpare, ...]:
    """With those of now: a spare that is used is no spare any more, and must not be forgotten."""
    known = {spare.drive: spare for spare in before}
    for drive in inventory.drives:
        if (spare := _as_spare(drive)) is not None:
            known[drive.id] = spare
    return tuple(known.values())


def is_here(inventory: Inventory, id: str) -> bool:
    """It is plugged in. A pulled member stays in the inventory as missing."""
    drive = inventory.drive(id)
    return drive is not None and drive.state is not DriveState.MISSING


def seats_now(inventory: Inventory, except_for: str) -> tuple[Seat, ...]:
    return tuple(
        Seat(drive=drive.id, bay=drive.bay, serial=drive.serial, state=drive.state, group=drive.group)
        for drive in inventory.drives
        if drive.id != except_for and drive.state is not DriveState.MISSING
    )
