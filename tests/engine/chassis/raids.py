"""Inventories written down in a line: a drive group with its members' states, for tests of pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from storage.raid.inventory import (
    Controller,
    Drive,
    DriveGroup,
    Inventory,
    Mount,
    Problem,
    Span,
    Task,
    VirtualDrive,
)
from storage.raid.levels import can_lose, span_can_lose, state_of, state_of_span
from storage.raid.states import DriveState, RaidLevel, SpareKind

TB = 10**12
_WORKS = (DriveState.ONLINE, DriveState.SHIELD)


def drive(bay: int | None, state: DriveState = DriveState.ONLINE, **more: Any) -> Drive:
    number = more.pop("number", bay)
    values = {
        "id": f"d{number}",
        "serial": f"S{number}",
        "model": "AT6000",
        "controller": "md",
        "size_bytes": 6 * TB,
        "coerced_bytes": 6 * TB,
        **more,
    }
    return Drive(bay=bay, state=state, **values)


def spare(bay: int, kind: SpareKind = SpareKind.GLOBAL, **more: Any) -> Drive:
    return drive(bay, DriveState.HOT_SPARE, spare=kind, **more)


def raid(
    level: RaidLevel,
    *spans: Sequence[DriveState],
    others: Sequence[Drive] = (),
    tasks: Sequence[Task] = (),
    backend: str = "md",
    mount: str = "/srv/A",
    problems: Sequence[Problem] = (),
    **virtual_drive: Any,
) -> Inventory:
    """Group g with virtual drive A (id v); its members in bays 0, 1, 2 ... span after span."""
    members: list[Drive] = []
    groups: list[Span] = []
    lost_by_span = []
    for number, states in enumerate(spans):
        lost = sum(state not in _WORKS for state in states)
        lost_by_span.append(lost)
        drives = [
            drive(len(members) + slot, state, group="g", span=number, slot=slot)
            for slot, state in enumerate(states)
        ]
        members += drives
        groups.append(
            Span(
                drives=tuple(each.id for each in drives),
                state=state_of_span(level, lost),
                can_lose=span_can_lose(level, lost),
            )
        )
    assert can_lose(level, lost_by_span) >= 0
    vd = VirtualDrive(
        id="v",
        name="A",
        group="g",
        level=level,
        state=state_of(level, lost_by_span),
        mounts=(Mount(path=mount, file_system="xfs", uuid="u"),) if mount else (),
    )
    return Inventory(
        controllers=(Controller(id="md", backend=backend),),
        drives=(*members, *others),
        groups=(DriveGroup(id="g", name="A", level=level, spans=tuple(groups), controller="md"),),
        virtual_drives=(msgspec.structs.replace(vd, **virtual_drive),),
        tasks=tuple(tasks),
        problems=tuple(problems),
    )


def changed(inventory: Inventory, which: str, /, **changes: Any) -> Inventory:
    """The same with one drive that is otherwise."""
    drives = tuple(
        msgspec.structs.replace(each, **changes) if each.id == which else each for each in inventory.drives
    )
    return msgspec.structs.replace(inventory, drives=drives)


def with_drives(inventory: Inventory, *more: Drive) -> Inventory:
    return msgspec.structs.replace(inventory, drives=(*inventory.drives, *more))


def without(inventory: Inventory, id: str) -> Inventory:
    return msgspec.structs.replace(
        inventory, drives=tuple(each for each in inventory.drives if each.id != id)
    )
