"""Keeps the newest inventory: looks when something woke it, else every ten seconds, and says so when the drives do not answer.

Event-driven where the back-end has wake-ups (md); the poll is what is left when those fail. One thread looks; a look that hangs
is shown as a problem, and nothing else waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from engine.chassis.lanes import Lane
from engine.deadline import Deadline
from engine.supervise import attempt_blocking
from storage.clock import Clock
from storage.errors import WatchdeckError
from storage.hardware import Hardware
from storage.raid.backend import Wakeup
from storage.raid.inventory import Inventory, Problem
from storage.units import US_PER_SECOND

log = logging.getLogger(__name__)

POLL_S = 10.0
TASK_POLL_S = 1.0
"""While something goes on that a person or a job follows."""
DEBOUNCE_S = 0.05
"""One drive that is pulled makes a dozen wake-ups."""
CALM_S = 1.0
"""Between two looks when wake-ups come without end."""
RESTLESS = 10
"""Looks in a row that nothing but a wake-up asked for."""
LOOK_TIMEOUT_S = 30.0


class Taken(Protocol):
    """Called with every new inventory, and the one before it; on the loop."""

    def __call__(self, before: Inventory | None, now: Inventory) -> None: ...


class InventoryWatch:
    """Loop only."""

    def __init__(
        self,
        hardware: Hardware,
        clock: Clock,
        taken: Taken,
        silent: Callable[[Problem | None], None],
        noticed: Callable[[Sequence[str]], None],
    ) -> None:
        """`silent` hears when the drives stop answering and (None) when they do again; `noticed` what the kernel said."""
        self._hardware = hardware
        self._clock = clock
        self._taken = taken
        self._silent = silent
        self._noticed = noticed
        self._lane = Lane("drives")
        self._wake = asyncio.Event()
        self._inventory: Inventory | None = None
        self._begun_us = -1
        """When the newest inventory was begun to be read, monotonic: answers that come late are dropped."""
        self._is_silent = False
        self._wakeups: Sequence[Wakeup] | None = None
        self._armed: dict[int, Wakeup] = {}
        self._restless = 0
        self.read_us = 0
        """When the newest inventory was read."""

    @property
    def inventory(self) -> Inventory:
        return self._inventory or Inventory()

    @property
    def has_looked(self) -> bool:
        return self._inventory is not None

    def wake(self) -> None:
        """Look now."""
        self._wake.set()

    # -- looking -------------------------------------------------------------------------------------------

    async def refresh(self) -> Inventory:
        """Look now and wait for it. Raises CommandTimeout, DriveError."""
        begun_us = self._clock.monotonic_us()
        found = await self._lane.call(LOOK_TIMEOUT_S, self._hardware.inventory)
        self.take(found, begun_us)
        return self.inventory

    def take(self, found: Inventory, begun_us: int | None = None) -> None:
        """An inventory that somebody read: here, or who has just changed something."""
        begun_us = self._clock.monotonic_us() if begun_us is None else begun_us
        if begun_us < self._begun_us:
            return
        self._begun_us = begun_us
        before, self._inventory = self._inventory, carried_over(self._inventory, found)
        self.read_us = self._clock.now_us()
        self._answered()
        self._taken(before, self._inventory)

    async def look(self) -> None:
        """One look of the round; a failure is a problem that is shown, not an error."""
        try:
            await self.refresh()
        except WatchdeckError as error:
            self._did_not_answer(error)
        if self._inventory is not None and self._wakeups is None:
            await self._listen()

    def _did_not_answer(self, error: WatchdeckError) -> None:
        if self._is_silent:
            return
        self._is_silent = True
        since = ""
        if self.read_us:
            at = datetime.fromtimestamp(self.read_us / US_PER_SECOND, UTC)
            since = f" since {at:%Y-%m-%d %H:%M:%S} UTC"
        self._silent(
            Problem(
                code="drives_silent",
                what=f"the drives have not answered{since}: {error.what}",
                remedy=error.remedy or "what is shown is as it was then; see the kernel log",
            )
        )

    def _answered(self) -> None:
        if self._is_silent:
            self._is_silent = False
            self._silent(None)

    async def run(self, pause_s: Callable[[], float]) -> None:
        """For ever; `pause_s` says how long to wait for a wake-up at most."""
        try:
            while True:
                self._wake.clear()
                await self.look()
                self._rearm()
                await self._rest(pause_s())
        finally:
            self._disarm()

    async def _rest(self, pause_s: float) -> None:
        try:
            async with Deadline(pause_s):
                await self._wake.wait()
        except TimeoutError:
            self._restless = 0
            return
        self._restless += 1
        await asyncio.sleep(DEBOUNCE_S if self._restless < RESTLESS else CALM_S)

    # -- wake-ups ------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        try:
            self._wakeups = await self._lane.call(LOOK_TIMEOUT_S, self._hardware.wakeups)
        except WatchdeckError as error:
            log.warning("no wake-ups from the drives, looking every %.0f s: %s", POLL_S, error)

    def _rearm(self) -> None:
        """A wake-up is heard once a look: one that never falls silent costs no more than that."""
        loop = asyncio.get_running_loop()
        for wakeup in self._wakeups or ():
            fd = wakeup.fileno()
            if fd >= 0 and fd not in self._armed:
                self._armed[fd] = wakeup
                loop.add_reader(fd, partial(self._woken, fd))

    def _woken(self, fd: int) -> None:
        wakeup = self._armed.pop(fd)
        asyncio.get_running_loop().remove_reader(fd)
        notices = attempt_blocking("wake-up of the drives", wakeup.drain)
        if isinstance(notices, WatchdeckError):
            log.warning("%s", notices)
        elif notices:
            self._noticed(notices)
        self._wake.set()

    def _disarm(self) -> None:
        loop = asyncio.get_running_loop()
        for fd in self._armed:
            loop.remove_reader(fd)
        self._armed.clear()

    def close(self) -> None:
        self._lane.close()


def carried_over(before: Inventory | None, now: Inventory) -> Inventory:
    """A controller that could not be read is shown as it was: its drives have not all been pulled at once."""
    if before is None:
        return now
    silent = {
        controller.id
        for controller in before.controllers
        if _is_unread(now, controller.id)
        and any(drive.controller == controller.id for drive in before.drives)
    }
    if not silent:
        return now
    listed = {controller.id for controller in now.controllers}
    groups = {group.id for group in before.groups if group.controller in silent}
    virtual_drives = tuple(vd for vd in before.virtual_drives if vd.group in groups)
    ids = {vd.id for vd in virtual_drives}
    return Inventory(
        controllers=now.controllers
        + tuple(each for each in before.controllers if each.id in silent and each.id not in listed),
        drives=now.drives + tuple(drive for drive in before.drives if drive.controller in silent),
        groups=now.groups + tuple(group for group in before.groups if group.id in groups),
        virtual_drives=now.virtual_drives + virtual_drives,
        tasks=now.tasks + tuple(task for task in before.tasks if task.virtual_drive in ids),
        problems=now.problems,
    )


def _is_unread(now: Inventory, controller: str) -> bool:
    """It has a problem (or is gone while there is one), and not one drive is listed of it."""
    if any(drive.controller == controller for drive in now.drives):
        return False
    known = next((each for each in now.controllers if each.id == controller), None)
    return bool(known.problems if known is not None else now.problems)
