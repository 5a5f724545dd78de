"""The box as clients see it, made from what the chassis service knows at one moment. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from engine.chassis.indicators import tray_pattern, tray_word
from engine.wire_chassis import BayView, ChainView, ChassisView, JobView, ScheduleView
from storage.drives.health import DriveHealth
from storage.drives.indicators import TRAY_TABLE, InformationPattern
from storage.drives.sensors import Sensor
from storage.hardware import ChassisLayout
from storage.raid.inventory import Drive, Inventory, Problem, Task
from storage.raid.states import DriveState, TaskKind, TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Everything that is known now."""

    layout: ChassisLayout
    inventory: Inventory
    healths: tuple[DriveHealth, ...] = ()
    chains: tuple[ChainView, ...] = ()
    sensors: tuple[Sensor, ...] = ()
    jobs: tuple[JobView, ...] = ()
    upkeep: ScheduleView = field(default_factory=ScheduleView)
    problems: tuple[Problem, ...] = ()
    information: InformationPattern = InformationPattern.OFF
    uid: bool = False
    is_beeping: bool = False
    read_us: int = 0
    is_simulated: bool = False
    located: Mapping[int, int] = field(default_factory=dict)
    """Bay -> until when."""
    settling: Mapping[str, int] = field(default_factory=dict)
    """Drive id -> until when."""
    active: Collection[str] = ()
    """Ids of drives that have been read or written a moment ago."""


def chassis_view(moment: Moment) -> ChassisView:
    return ChassisView(
        layout=moment.layout,
        bays=bay_views(moment),
        inventory=moment.inventory,
        health=moment.healths,
        chains=moment.chains,
        sensors=moment.sensors,
        information=moment.information,
        uid=moment.uid,
        is_beeping=moment.is_beeping,
        jobs=moment.jobs,
        upkeep=moment.upkeep,
        problems=moment.problems,
        read_us=moment.read_us,
        is_simulated=moment.is_simulated,
    )


def bay_views(moment: Moment) -> tuple[BayView, ...]:
    """One for each bay of the front, and for each that a drive claims to be in though the chassis file lacks it."""
    drives = drives_in_bays(moment.inventory)
    healths = {health.drive: health for health in moment.healths}
    return tuple(
        _bay(moment, bay, drives.get(bay), healths) for bay in sorted({*moment.layout.bays, *drives})
    )


def drives_in_bays(inventory: Inventory) -> dict[int, Drive]:
    """A drive that is there wins over one that is missing from the same bay."""
    found: dict[int, Drive] = {}
    for drive in inventory.drives:
        if drive.bay is None:
            continue
        if drive.bay not in found or found[drive.bay].state is DriveState.MISSING:
            found[drive.bay] = drive
    return found


def _bay(moment: Moment, bay: int, drive: Drive | None, healths: Mapping[str, DriveHealth]) -> BayView:
    is_active = drive is not None and drive.id in moment.active
    until_us = moment.located.get(bay)
    pattern = tray_pattern(drive, is_located=until_us is not None, is_active=is_active)
    health = healths.get(drive.id) if drive is not None else None
    return BayView(
        bay=bay,
        pattern=pattern,
        led=TRAY_TABLE[pattern],
        word=tray_word(drive, health, moment.inventory.tasks, is_active=is_active),
        drive=drive.id if drive is not None else "",
        is_located=until_us is not None,
        locate_until_us=until_us,
        settles_at_us=moment.settling.get(drive.id) if drive is not None else None,
    )


def with_self_tests(inventory: Inventory, healths: Iterable[DriveHealth]) -> Inventory:
    """Drives that test themselves are among the background operations."""
    known = {task.id for task in inventory.tasks}
    tests = tuple(
        Task(
            id=id,
            kind=TaskKind.SELF_TEST,
            state=TaskState.RUNNING,
            drive=health.drive,
            progress=health.self_test_progress,
            detail=health.self_test,
            can_stop=True,
        )
        for health in healths
        if health.self_test_progress is not None and (id := f"self_test:{health.drive}") not in known
    )
    return msgspec.structs.replace(inventory, tasks=inventory.tasks + tests) if tests else inventory
