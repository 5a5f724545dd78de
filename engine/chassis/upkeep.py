"""When everything is read regularly: consistency checks each month, patrol reads and self-tests each week, at night, one at a
time, and never while an array is not in order. Pure: settings, inventory and what was done -> what is due.

Reading SMART is smart_sweep.py.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from engine.chassis.drive_words import drive_words
from engine.wire_chassis import ScheduleView, UpkeepEdit
from storage.errors import InvalidInput
from storage.raid.inventory import Drive, Inventory, VirtualDrive
from storage.raid.levels import LEVELS
from storage.raid.operations import RaidOperation, StartCheck, StartPatrolRead
from storage.raid.states import Capability, DriveState, TaskKind, VirtualDriveState
from storage.units import US_PER_DAY, US_PER_HOUR, US_PER_SECOND

WINDOW_HOURS = 4
"""After the hour that is set: what has not begun by then waits for the next night."""
TEST_GAP_US = 600 * US_PER_SECOND
"""Between the starts of two drives' self-tests."""
_TESTED = frozenset({DriveState.ONLINE, DriveState.HOT_SPARE, DriveState.UNCONFIGURED_GOOD})
_LIMITS = {
    "check_days": (0, 3650),
    "patrol_days": (0, 3650),
    "smart_minutes": (5, 1440),
    "self_test_days": (0, 365),
    "hour": (0, 23),
}


class UpkeepRecord(msgspec.Struct, kw_only=True):
    """What was begun when; kept in the catalog."""

    first_us: int = 0
    """When this station began to count: nothing is due in its first night only because it was never done."""
    checks: dict[str, int] = {}
    """By virtual drive."""
    patrols: dict[str, int] = {}
    """By controller."""
    self_tests: dict[str, int] = {}
    """By drive."""


@dataclass(slots=True)
class UpkeepDue:
    operation: RaidOperation | None = None
    """A check or a patrol read to begin now."""
    self_test: str = ""
    """Id of a drive that is to test itself now."""
    text: str = ""
    source: str = ""
    postponed: str = ""
    """Why something that is due does not begin."""


def edited(settings: ScheduleView, changes: UpkeepEdit) -> ScheduleView:
    """Raises InvalidInput."""
    wanted = {
        name: value for name in changes.__struct_fields__ if (value := getattr(changes, name)) is not None
    }
    for name, (lowest, highest) in _LIMITS.items():
        if name in wanted and not lowest <= wanted[name] <= highest:
            raise InvalidInput(f"$.{name}: {wanted[name]} is not from {lowest} to {highest}")
    return msgspec.structs.replace(settings, **wanted)


def due(inventory: Inventory, settings: ScheduleView, record: UpkeepRecord, now_us: int) -> UpkeepDue:
    """At most one thing at a time."""
    if not is_in_window(settings.hour, now_us):
        return UpkeepDue()
    wanted = _checks(inventory, settings, record, now_us) or _patrols(inventory, settings, record, now_us)
    if wanted is not None:
        wanted.postponed = why_postponed(inventory)
        if wanted.postponed:
            wanted.operation = None
        return wanted
    return _self_tests(inventory, settings, record, now_us)


def is_in_window(hour: int, now_us: int) -> bool:
    """By the clock on this machine's wall."""
    return (time.localtime(now_us / US_PER_SECOND).tm_hour - hour) % 24 < WINDOW_HOURS


def why_postponed(inventory: Inventory) -> str:
    """Nothing is read through while an array needs its drives' strength; one thing at a time."""
    for vd in inventory.virtual_drives:
        if vd.state is not VirtualDriveState.ONLINE:
            return f"virtual drive {vd.name} is not in order"
    for task in inventory.tasks:
        if task.kind is not TaskKind.SELF_TEST:
            return "another background operation is under way"
    return ""


def _checks(
    inventory: Inventory, settings: ScheduleView, record: UpkeepRecord, now_us: int
) -> UpkeepDue | None:
    waiting = [
        (at_us, vd)
        for vd in inventory.virtual_drives
        if (at_us := next_check_us(inventory, vd, settings, record)) is not None and at_us <= now_us
    ]
    if not waiting:
        return None
    _, vd = min(waiting, key=lambda each: (each[0], each[1].id))
    text = f"Consistency check of virtual drive {vd.name}: every {settings.check_days} days"
    return UpkeepDue(StartCheck(virtual_drive=vd.id), text=text, source=vd.name)


def next_check_us(
    inventory: Inventory, vd: VirtualDrive, settings: ScheduleView, record: UpkeepRecord
) -> int | None:
    """None: never (row BG-01: not of RAID 0)."""
    group = inventory.group(vd.group)
    if not settings.check_days or not LEVELS[vd.level].is_redundant or group is None:
        return None
    if _refuses(inventory, group.controller, Capability.CHECK):
        return None
    last_us = max(vd.checked_us or 0, record.checks.get(vd.id, 0), record.first_us)
    return last_us + settings.check_days * US_PER_DAY


def _patrols(
    inventory: Inventory, settings: ScheduleView, record: UpkeepRecord, now_us: int
) -> UpkeepDue | None:
    waiting = [
        (at_us, controller)
        for controller, at_us in next_patrols(inventory, settings, record).items()
        if at_us <= now_us
    ]
    if not waiting:
        return None
    _, controller = min(waiting)
    text = f"Patrol read of controller {controller}: every {settings.patrol_days} days"
    return UpkeepDue(StartPatrolRead(controller=controller), text=text, source=controller)


def next_patrols(inventory: Inventory, settings: ScheduleView, record: UpkeepRecord) -> Mapping[str, int]:
    """By controller that has something to read."""
    if not settings.patrol_days:
        return {}
    return {
        controller.id: max(record.patrols.get(controller.id, 0), record.first_us)
        + settings.patrol_days * US_PER_DAY
        for controller in inventory.controllers
        if Capability.PATROL_READ not in controller.refusals
        and any(group.controller == controller.id for group in inventory.groups)
    }


def _refuses(inventory: Inventory, controller: str, capability: Capability) -> bool:
    return any(each.id == controller and capability in each.refusals for each in inventory.controllers)


def _self_tests(inventory: Inventory, settings: ScheduleView, record: UpkeepRecord, now_us: int) -> UpkeepDue:
    """Spread over the nights: each drive by its own last time, one every ten minutes."""
    if not settings.self_test_days:
        return UpkeepDue()
    if record.self_tests and max(record.self_tests.values()) + TEST_GAP_US > now_us:
        return UpkeepDue()
    waiting = [
        (last_us, drive)
        for drive in inventory.drives
        if drive.state in _TESTED
        and (last_us := max(record.self_tests.get(drive.id, 0), record.first_us))
        + settings.self_test_days * US_PER_DAY
        <= now_us
    ]
    if not waiting or any(task.kind in _HEAVY for task in inventory.tasks):
        return UpkeepDue()
    _, drive = min(waiting, key=lambda each: (each[0], each[1].id))
    return UpkeepDue(self_test=drive.id, text=_test_words(drive), source=drive.serial)


_HEAVY = (TaskKind.REBUILD, TaskKind.COPYBACK, TaskKind.MIGRATION)


def _test_words(drive: Drive) -> str:
    return f"Short self-test of the drive in {drive_words(drive)}"


def schedule_view(
    inventory: Inventory, settings: ScheduleView, record: UpkeepRecord, now_us: int
) -> ScheduleView:
    """With the times of what comes next."""
    checks = [
        at_us
        for vd in inventory.virtual_drives
        if (at_us := next_check_us(inventory, vd, settings, record)) is not None
    ]
    patrols = next_patrols(inventory, settings, record).values()
    return msgspec.structs.replace(
        settings,
        next_check_us=_at_night(min(checks), settings.hour, now_us) if checks else None,
        next_patrol_us=_at_night(min(patrols), settings.hour, now_us) if patrols else None,
    )


def _at_night(at_us: int, hour: int, now_us: int) -> int:
    """The first moment from then on that lies in the window, to the hour."""
    at_us = max(at_us, now_us)
    if is_in_window(hour, at_us):
        return at_us
    at_us -= at_us % US_PER_HOUR
    return next(
        at
        for at in range(at_us + US_PER_HOUR, at_us + 26 * US_PER_HOUR, US_PER_HOUR)
        if is_in_window(hour, at)
    )
