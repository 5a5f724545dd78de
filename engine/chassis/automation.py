"""Performs what spare_policy.py finds due, and the small steps arrays need to go on by themselves. Loop only.

Each operation is said when it was done; one that fails is said once and tried again with growing pauses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from engine.chassis.access import CatalogAccess
from engine.chassis.happenings import Happening, happening
from engine.chassis.lanes import Lane
from engine.chassis.spare_policy import Automatic, Due, PolicyMemory, SpareRole, due, remember
from engine.deadline import Deadline
from storage.clock import Clock
from storage.errors import Conflict, StateChanged, WatchdeckError
from storage.hardware import Hardware
from storage.raid.inventory import Inventory
from storage.raid.operations import RaidOperation
from storage.raid.states import VirtualDriveState
from storage.units import US_PER_SECOND

TEND_TIMEOUT_S = 60.0
BUSY_RETRY_US = 2 * US_PER_SECOND
FIRST_RETRY_US = 60 * US_PER_SECOND
LAST_RETRY_US = 3600 * US_PER_SECOND
SHORTEST_WAIT_S = 0.05
LONGEST_WAIT_S = 60.0
"""Between two looks at what is due (row HS-09)."""
NOT_USED_LIMIT = 1_000
"""Drives that were said not to be used: what drives say of themselves must not fill the memory."""
SPARES_KEY = "spares"
"""Setting in the catalog: which drives are spares, so that one that is pulled while the engine is off is one again."""


@dataclass(slots=True)
class _Failure:
    retry_us: int
    pause_us: int
    is_real: bool = True
    """Not just somebody else at work."""


@dataclass(frozen=True, slots=True)
class _Repeat:
    """An operation that was done, and may be due again because what it began did not last."""

    done_us: int
    times: int = 1

    @property
    def again_us(self) -> int:
        """Once more at once, then with growing pauses."""
        pause_us = min(FIRST_RETRY_US << min(self.times - 2, 10), LAST_RETRY_US) if self.times > 1 else 0
        return self.done_us + pause_us


class Automation:
    """The service's hands when nobody is there."""

    def __init__(
        self,
        hardware: Hardware,
        catalog: CatalogAccess,
        clock: Clock,
        inventory: Callable[[], Inventory],
        perform: Callable[[RaidOperation, Inventory], Awaitable[Inventory]],
        say: Callable[[Iterable[Happening]], None],
        *,
        work: Lane,
        auto_rebuild: Callable[[], bool],
        claimed: Callable[[], frozenset[str]],
    ) -> None:
        self._hardware = hardware
        self._catalog = catalog
        self._clock = clock
        self._inventory = inventory
        self._perform = perform
        self._say = say
        self._work = work
        self._auto_rebuild = auto_rebuild
        self._claimed = claimed
        self._wake = asyncio.Event()
        self._failures: dict[str, _Failure] = {}
        self._repeats: dict[str, _Repeat] = {}
        self._not_used: set[tuple[str, str]] = set()
        self._tended: Inventory | None = None
        self._kept_spares: dict[str, SpareRole] = {}
        self.memory = PolicyMemory()

    async def load(self) -> None:
        """The spares of before the restart."""
        kept: Any = await self._catalog.read("chassis_setting", SPARES_KEY)
        if kept is not None:
            self.memory.spares = msgspec.convert(kept, dict[str, SpareRole])
            self._kept_spares = dict(self.memory.spares)

    def take(self, inventory: Inventory) -> None:
        """A new inventory: remember, and look at what is due."""
        remember(self.memory, inventory, self._clock.monotonic_us())
        self._wake.set()

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            self._wake.clear()
            pause_s = await self.round()
            try:
                async with Deadline(pause_s):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def round(self) -> float:
        """Do what is due; seconds until there may be more."""
        await self._tend()
        await self._keep_spares()
        found = self.due()
        for refused in found.not_used:
            if (refused.drive, refused.text) not in self._not_used:
                if len(self._not_used) >= NOT_USED_LIMIT:
                    self._not_used.clear()
                self._not_used.add((refused.drive, refused.text))
                self._say([happening("rebuild.not_started", refused.text, refused.source)])
        for step in found.operations:
            await self._do(step)
        keys = {step.key for step in found.operations}
        self._failures = {key: failure for key, failure in self._failures.items() if key in keys}
        past_us = self._clock.monotonic_us() - 2 * LAST_RETRY_US
        self._repeats = {key: repeat for key, repeat in self._repeats.items() if repeat.done_us > past_us}
        return self._pause_s(found)

    def due(self) -> Due:
        return due(
            self._inventory(),
            self.memory,
            self._clock.monotonic_us(),
            auto_rebuild=self._auto_rebuild(),
            claimed=self._claimed(),
            failing=[key for key, failure in self._failures.items() if failure.is_real],
        )

    async def _do(self, step: Automatic) -> None:
        failure = self._failures.get(step.key)
        now_us = self._clock.monotonic_us()
        if failure is not None and now_us < failure.retry_us:
            return
        repeat = self._repeats.get(step.key)
        if repeat is not None and now_us < repeat.again_us:
            return
        try:
            await self._perform(step.operation, self._inventory())
        except (StateChanged, Conflict):
            # Somebody else was quicker, or is at work: the next look shows what is left to do.
            self._failures[step.key] = _Failure(now_us + BUSY_RETRY_US, FIRST_RETRY_US, is_real=False)
            return
        except WatchdeckError as error:
            if failure is None or not failure.is_real:
                text = f"{step.text}: not possible: {error}"
                self._say([happening("rebuild.not_started", text, step.source)])
            self._failed(step, now_us, failure)
            return
        self._failures.pop(step.key, None)
        self._repeats[step.key] = _Repeat(now_us, repeat.times + 1 if repeat is not None else 1)
        self._say([happening(step.kind, step.text, step.source)])

    def _failed(self, step: Automatic, now_us: int, before: _Failure | None) -> None:
        pause_us = FIRST_RETRY_US if before is None else min(before.pause_us * 2, LAST_RETRY_US)
        self._failures[step.key] = _Failure(now_us + pause_us, pause_us)

    def _pause_s(self, found: Due) -> float:
        now_us = self._clock.monotonic_us()
        times = [failure.retry_us for failure in self._failures.values() if failure.retry_us > now_us]
        if found.next_us is not None:
            times.append(found.next_us)
        wait_s = (min(times) - now_us) / US_PER_SECOND if times else LONGEST_WAIT_S
        return min(max(wait_s, SHORTEST_WAIT_S), LONGEST_WAIT_S)

    async def _tend(self) -> None:
        """After every change, and again and again while something is not in order."""
        inventory, before = self._inventory(), self._tended
        if not inventory.groups and (before is None or not before.groups):
            return  # a machine without arrays is none of our business
        is_hurt = any(vd.state is not VirtualDriveState.ONLINE for vd in inventory.virtual_drives)
        if inventory is self._tended or not (is_hurt or inventory != self._tended):
            return
        self._tended = inventory
        try:
            notes = await self._work.call(TEND_TIMEOUT_S, partial(self._hardware.tend, inventory))
        except WatchdeckError as error:
            self._say([happening("chassis.tended", f"Arrays could not be looked after: {error}")])
            return
        self._say(happening("chassis.tended", note) for note in notes)

    async def _keep_spares(self) -> None:
        if self.memory.spares != self._kept_spares:
            self._kept_spares = dict(self.memory.spares)
            await self._catalog.write(
                "set_chassis_setting", SPARES_KEY, msgspec.to_builtins(self._kept_spares)
            )
