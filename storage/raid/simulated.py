"""A RAID controller in memory: the simulated chassis as a back-end, and the hands that pull and insert its drives.

Time is the clock's: progress is computed from what has passed since the last look, nothing sleeps. Like md it starts a
rebuild by itself only onto a dedicated spare; global spares, drives put into the bay of a lost one and background
initialisation are the engine's policy. Any thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence

from storage.clock import Clock
from storage.errors import Conflict, InvalidInput, NotFound, StateChanged
from storage.raid import operations as ops
from storage.raid.backend import Command, Wakeup
from storage.raid.inventory import Inventory
from storage.raid.simulated_layout import DriveSpec, SimulatedLayout
from storage.raid.simulated_members import fail, insert, pull, release, start_rebuild
from storage.raid.simulated_operations import apply
from storage.raid.simulated_rules import check
from storage.raid.simulated_state import ForeignConfig, SimDrive, SimState, SimVolume, new_state
from storage.raid.simulated_tasks import run_until
from storage.raid.simulated_view import inventory_of
from storage.raid.spares import choose_spare, lost_places, may_rebuild_now
from storage.raid.states import DriveState, RaidLevel, SpareKind

KEEP_EVERY_US = 5_000_000
"""Progress is written down this often; every change at once."""
NOTES_LIMIT = 100
"""Kernel messages nobody has read; the oldest go."""


class EventFd:
    """A Wakeup of the simulated controller."""

    def __init__(self) -> None:
        self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._notes: list[str] = []
        self._lock = threading.Lock()

    def fire(self, note: str = "") -> None:
        with self._lock:
            if note:
                self._notes = [*self._notes, note][-NOTES_LIMIT:]
            if self._fd >= 0:
                os.eventfd_write(self._fd, 1)

    def fileno(self) -> int:
        return self._fd

    def drain(self) -> Sequence[str]:
        with self._lock:
            notes, self._notes = self._notes, []
            try:
                os.eventfd_read(self._fd)
            except BlockingIOError:
                pass
            return notes

    def close(self) -> None:
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1

    __del__ = close
    """A chassis that nobody keeps any more keeps no descriptor."""


class SimulatedBackend:
    """RaidBackend, and hands: pull, insert, fail, heal, grow_errors. `keep` is called with the state after changes,
    `changed` when drives or virtual drives may be in another state than before; both under the lock."""

    kind = "simulated"

    def __init__(
        self,
        layout: SimulatedLayout,
        clock: Clock,
        state: SimState | None = None,
        keep: Callable[[SimState], None] = lambda state: None,
        changed: Callable[[SimState], None] = lambda state: None,
    ) -> None:
        self._layout = layout
        self._clock = clock
        self._keep = keep
        self._changed = changed
        self._lock = threading.RLock()
        self._wakeup = EventFd()
        self._state = state if state is not None else new_state(layout)
        self._looked_us = clock.monotonic_us()
        self._kept_us = self._state.elapsed_us

    # -- RaidBackend ---------------------------------------------------------------------------------------

    def inventory(self) -> Inventory:
        with self._lock:
            self._advance()
            return inventory_of(self._state, self._layout)

    def wakeups(self) -> Sequence[Wakeup]:
        return (self._wakeup,)

    def plan(self, operation: ops.RaidOperation, inventory: Inventory) -> tuple[Command, ...]:
        with self._lock:
            self._advance()
            return check(self._state, self._layout, operation)

    def perform(self, operation: ops.RaidOperation, inventory: Inventory) -> Inventory:
        with self._lock:
            self._advance()
            _compare(operation, inventory, inventory_of(self._state, self._layout))
            check(self._state, self._layout, operation)
            try:
                apply(self._state, operation)
            finally:
                self._after_change()
            return inventory_of(self._state, self._layout)

    def tend(self, inventory: Inventory) -> tuple[str, ...]:
        """Nothing to do: a dedicated spare starts at once."""
        return ()

    def close(self) -> None:
        with self._lock:
            try:
                self._keep(self._state)
            finally:
                self._wakeup.close()

    # -- hands -----------------------------------------------------------------------------------------------

    def pull(self, bay: int) -> None:
        """Take the drive out of a bay. Raises NotFound."""
        with self._lock:
            self._advance()
            pull(self._state, self._in(bay))
            self._after_change()

    def insert(self, bay: int, serial: str = "") -> None:
        """Put the drive that was pulled from this bay last (or the one with this serial number) into it.

        Raises NotFound, Conflict.
        """
        with self._lock:
            self._advance()
            self._must_be_free(bay)
            outside = [drive for drive in self._state.drives.values() if not drive.is_present]
            fit = [drive for drive in outside if (drive.serial == serial if serial else drive.bay == bay)]
            if not fit:
                raise NotFound(f"no drive was pulled from bay {bay}", "insert a blank one")
            insert(self._state, max(fit, key=lambda drive: drive.pulled_us), bay)
            self._after_change()

    def insert_blank(self, bay: int, spec: DriveSpec = DriveSpec(hours=0)) -> str:  # noqa: B008  # frozen
        """Put a new drive into a bay. Returns its id. Raises Conflict, InvalidInput."""
        return self._insert_new(bay, spec, None)

    def insert_foreign(
        self, bay: int, name: str = "OLD", level: RaidLevel = RaidLevel.RAID0, drives: int = 1, slot: int = 0
    ) -> str:
        """Put a drive of another box's array into a bay. Returns its id. Raises Conflict, InvalidInput."""
        return self._insert_new(bay, DriveSpec(), ForeignConfig(name, level, drives, slot))

    def fail(self, bay: int, cause: str = "does not answer any more") -> None:
        """Raises NotFound."""
        with self._lock:
            self._advance()
            drive = self._in(bay)
            fail(self._state, drive, cause)
            self._after_change(f"{drive.label} {cause}")

    def heal(self, bay: int) -> None:
        """Works again, as a drive does after its cable was pushed in. Raises NotFound."""
        with self._lock:
            self._advance()
            drive = self._in(bay)
            drive.is_broken, drive.pending = False, 0
            if drive.state is DriveState.UNCONFIGURED_BAD:
                release(drive)
            self._after_change()

    def grow_errors(self, bay: int, sectors: int) -> None:
        """So many more sectors cannot be read. Raises NotFound, InvalidInput."""
        if sectors < 1:
            raise InvalidInput(f"{sectors} bad sectors make no sense", "give 1 or more")
        with self._lock:
            self._advance()
            drive = self._in(bay)
            drive.pending += sectors
            drive.media_errors += sectors
            drive.uncorrectable += sectors // 8
            self._after_change(f"{drive.label}: {sectors} sectors cannot be read")

    def spoil_parity(self, virtual_drive: str, sectors: int) -> None:
        """The next check finds so many sectors that do not match. Raises NotFound."""
        with self._lock:
            self._state.group_with(virtual_drive).inconsistent_sectors = sectors
            self._after_change()

    # -- for the simulated hardware ------------------------------------------------------------------------

    def drive_now(self, id: str) -> tuple[SimDrive, int]:
        """The drive and the time of the simulation. Raises NotFound when it is not in the box."""
        with self._lock:
            self._advance()
            drive = self._state.drive(id)
            if not drive.is_present:
                raise NotFound(f"{drive.label} is not in the box", "look at `watchdeck drive list`")
            return drive, self._state.elapsed_us

    def present_drives(self) -> tuple[SimDrive, ...]:
        with self._lock:
            return tuple(drive for drive in self._state.drives.values() if drive.is_present)

    def volumes(self) -> dict[str, SimVolume]:
        """Group -> its volume."""
        with self._lock:
            groups = self._state.groups.values()
            return {group.id: group.volume for group in groups if group.volume is not None}

    def touch(self) -> None:
        """Something else about the box changed: write it down, wake whoever watches."""
        with self._lock:
            self._write_down()
            self._wakeup.fire()

    def set_volume(self, virtual_drive: str, volume: SimVolume | None) -> None:
        """Raises NotFound."""
        with self._lock:
            self._state.group_with(virtual_drive).volume = volume
            self._after_change()

    # -- inside --------------------------------------------------------------------------------------------

    def _in(self, bay: int) -> SimDrive:
        drive = self._state.drive_in(bay)
        if drive is None:
            raise NotFound(f"bay {bay} is empty", "name a bay with a drive")
        return drive

    def _must_be_free(self, bay: int) -> None:
        if bay not in self._layout.chassis.bays:
            raise InvalidInput(
                f"there is no bay {bay}", f"bays are {', '.join(map(str, self._layout.chassis.bays))}"
            )
        there = self._state.drive_in(bay)
        if there is not None:
            raise Conflict(f"{there.label} is there already", "pull it first")

    def _insert_new(self, bay: int, spec: DriveSpec, foreign: ForeignConfig | None) -> str:
        with self._lock:
            self._advance()
            self._must_be_free(bay)
            drive = self._state.make_drive(spec, bay)
            drive.foreign = foreign
            insert(self._state, drive, bay)
            self._after_change()
            return drive.id

    def _advance(self) -> None:
        now_us = self._clock.monotonic_us()
        until_us = self._state.elapsed_us + now_us - self._looked_us
        self._looked_us = now_us
        self._state.wall_offset_us = self._clock.now_us() - until_us
        has_ended = run_until(self._state, self._layout, until_us, self._use_dedicated_spares)
        if has_ended:
            self._after_change()
        elif self._state.tasks and until_us - self._kept_us >= KEEP_EVERY_US:
            self._write_down()

    def _after_change(self, note: str = "") -> None:
        self._use_dedicated_spares()
        try:
            self._changed(self._state)
            self._write_down()
        finally:
            self._wakeup.fire(note)

    def _write_down(self) -> None:
        self._kept_us = self._state.elapsed_us
        self._keep(self._state)

    def _use_dedicated_spares(self) -> None:
        """Row HS-08, as md does: at once, and again when one rebuild has made room for the next."""
        while True:
            view = inventory_of(self._state, self._layout)
            start = next(
                (
                    (group, place, spare)
                    for group in view.groups
                    if not self._state.groups[group.id].needs_manual_rebuild
                    for place in lost_places(view, group)
                    if not may_rebuild_now(view, group, place.span)
                    and (spare := choose_spare(view, group, place.drive)) is not None
                    and spare.spare is SpareKind.DEDICATED
                ),
                None,
            )
            if start is None:
                return
            group, place, spare = start
            where = (place.span, place.slot)
            start_rebuild(self._state, self._state.groups[group.id], where, self._state.drives[spare.id])


def _compare(operation: ops.RaidOperation, seen: Inventory, now: Inventory) -> None:
    """Raises StateChanged when a drive, group or virtual drive that the operation names is no longer as it was seen."""
    named = _named(operation)
    for drive in (*seen.drives, *now.drives):
        if drive.id in named:
            before, after = seen.drive(drive.id), now.drive(drive.id)
            if before is None or after is None or _essence(before) != _essence(after):
                raise StateChanged(
                    f"{drive.serial or drive.id} is no longer as it was", "look again, then decide"
                )
    for vd in (*seen.virtual_drives, *now.virtual_drives):
        if named & {vd.id, vd.name, vd.group}:
            old, new = seen.virtual_drive(vd.id), now.virtual_drive(vd.id)
            if old is None or new is None or (old.state, old.level) != (new.state, new.level):
                raise StateChanged(
                    f"virtual drive {vd.name} is no longer as it was", "look again, then decide"
                )


def _essence(drive: object) -> tuple[object, ...]:
    names = ("bay", "serial", "state", "group", "span", "slot", "spare", "foreign", "is_awaiting_removal")
    return tuple(getattr(drive, name) for name in names)


def _named(operation: ops.RaidOperation) -> set[str]:
    """Every id that the operation mentions."""
    found: set[str] = set()

    def collect(value: object) -> None:
        if isinstance(value, tuple):
            for item in value:
                collect(item)
        elif type(value) is str:
            found.add(value)

    for field in operation.__struct_fields__:
        collect(getattr(operation, field))
    return found
