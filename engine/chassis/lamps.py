"""The lamps and the beeper: brings them into the state that indicators.py gives, only when something changed. Loop only.

A locate goes off by itself after its time, and is off after a restart of the engine: nobody stands there any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial

from engine.chassis.indicators import FAIL_STATES, is_power_lost, lamp_pattern
from engine.chassis.lanes import Lane
from engine.deadline import Deadline
from engine.wire_chassis import ChassisView
from storage.clock import Clock
from storage.drives.indicators import InformationPattern, TrayPattern
from storage.errors import WatchdeckError
from storage.hardware import Hardware
from storage.raid.inventory import Inventory, Problem
from storage.raid.states import VirtualDriveState
from storage.units import US_PER_SECOND

log = logging.getLogger(__name__)

LAMP_TIMEOUT_S = 20.0
CLOSE_TIMEOUT_S = 2.0
RETRY_S = 60.0
"""After lamps that could not be driven."""
FOR_EVER_S = 86_400.0


class Lamps:
    """What they show, and what they were told."""

    def __init__(
        self,
        hardware: Hardware,
        clock: Clock,
        view: Callable[[], ChassisView],
        changed: Callable[[], None],
        problem: Callable[[str, Problem | None], None],
    ) -> None:
        """`changed` is called when a locate ended by itself; `problem` takes what cannot be driven, by key."""
        self._hardware = hardware
        self._clock = clock
        self._view = view
        self._changed = changed
        self._problem = problem
        self._lane = Lane("lamps")
        self._wake = asyncio.Event()
        self._located: dict[int, int] = {}
        """Bay -> until when, monotonic."""
        self._trays: Mapping[int, TrayPattern] | None = None
        self._information: InformationPattern | None = None
        self._beeps = False
        self._silenced: frozenset[str] = frozenset()

    # -- what is wanted ------------------------------------------------------------------------------------

    def locate(self, bay: int, is_on: bool, seconds: float) -> None:
        if is_on:
            self._located[bay] = self._clock.monotonic_us() + round(seconds * US_PER_SECOND)
        else:
            self._located.pop(bay, None)
        self._changed()

    def located(self) -> dict[int, int]:
        """Bay -> until when, by the wall clock."""
        shift_us = self._clock.now_us() - self._clock.monotonic_us()
        return {bay: until_us + shift_us for bay, until_us in self._located.items()}

    def silence(self) -> None:
        """Until something else goes wrong."""
        self._silenced = alarms(self._view())
        self._changed()

    def is_beeping(self, view_alarms: frozenset[str]) -> bool:
        return bool(view_alarms - self._silenced)

    def wake(self) -> None:
        self._wake.set()

    # -- driving -------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """For ever."""
        while True:
            self._wake.clear()
            is_done = await self.show()
            pause_s = min(self._next_end_s(), FOR_EVER_S if is_done else RETRY_S)
            try:
                async with Deadline(pause_s):
                    await self._wake.wait()
            except TimeoutError:
                self._end_locates()

    async def show(self) -> bool:
        """Bring everything into its state; False when something could not be done."""
        self._end_locates()
        view = self._view()
        self._silenced &= alarms(view)
        trays = await self._show_trays(view)
        information = await self._show_information(view)
        beeper = await self._beep(self.is_beeping(alarms(view)))
        return trays and information and beeper

    async def _show_trays(self, view: ChassisView) -> bool:
        wanted = {bay.bay: lamp_pattern(bay.pattern) for bay in view.bays}
        if wanted == self._trays:
            return True
        return await self._drive(
            "lamps",
            partial(self._hardware.show_trays, wanted, view.inventory),
            lambda: self._remember_trays(wanted),
        )

    def _remember_trays(self, wanted: Mapping[int, TrayPattern]) -> None:
        self._trays = wanted

    async def _show_information(self, view: ChassisView) -> bool:
        wanted = view.information
        if wanted is self._information:
            return True

        def remember() -> None:
            self._information = wanted

        return await self._drive(
            "information_led", partial(self._hardware.show_information, wanted), remember
        )

    async def _beep(self, is_on: bool) -> bool:
        if is_on == self._beeps:
            return True

        def remember() -> None:
            self._beeps = is_on

        def beep() -> tuple[str, ...]:
            self._hardware.beep(is_on)
            return ()

        return await self._drive("beeper", beep, remember)

    async def _drive(self, key: str, work: Callable[[], tuple[str, ...]], done: Callable[[], None]) -> bool:
        try:
            undone = await self._lane.call(LAMP_TIMEOUT_S, work)
        except WatchdeckError as error:
            self._problem(key, Problem(code=key, what=error.what, remedy=error.remedy))
            return False
        # What cannot be done is said once and not tried again until something changes.
        done()
        self._problem(key, Problem(code=key, what="; ".join(undone)) if undone else None)
        return True

    async def sound(self, is_on: bool) -> None:
        """The beeper, for alarms; one that sounds for the box itself is left sounding. Raises Unsupported, DriveError."""
        if not self._beeps:
            await self._lane.call(LAMP_TIMEOUT_S, partial(self._hardware.beep, is_on))

    def _end_locates(self) -> None:
        now_us = self._clock.monotonic_us()
        ended = [bay for bay, until_us in self._located.items() if until_us <= now_us]
        for bay in ended:
            del self._located[bay]
        if ended:
            self._changed()

    def _next_end_s(self) -> float:
        now_us = self._clock.monotonic_us()
        waits = [(until_us - now_us) / US_PER_SECOND for until_us in self._located.values()]
        return max(0.0, min(waits, default=FOR_EVER_S))

    async def close(self) -> None:
        """No locate is left burning."""
        if self._located and self._trays is not None:
            self._located.clear()
            self._changed()
            try:
                async with Deadline(CLOSE_TIMEOUT_S):
                    await self._show_trays(self._view())
            except TimeoutError:
                log.warning("a locate lamp may be left on: the lamps do not answer")
        self._lane.close()


def alarms(view: ChassisView) -> frozenset[str]:
    """What the box beeps for: an array that is not in order, heat, one power supply left (row HW-16)."""
    found = {
        f"virtual drive {vd.id} {vd.state}" for vd in view.inventory.virtual_drives if _is_hurt(view, vd.id)
    }
    if is_power_lost(view.sensors):
        found.add("power")
    if view.information is InformationPattern.OVERHEAT:
        found.add("heat")
    return frozenset(found)


def _is_hurt(view: ChassisView, id: str) -> bool:
    """An array that waits for a person: one whose lost drives are being rebuilt needs nobody."""
    vd = view.inventory.virtual_drive(id)
    if vd is None or vd.state is VirtualDriveState.ONLINE:
        return False
    return not _is_being_rebuilt(view.inventory, vd.group)


def _is_being_rebuilt(inventory: Inventory, group_id: str) -> bool:
    group = inventory.group(group_id)
    if group is None:
        return False
    members = [inventory.drive(id) for span in group.spans for id in span.drives]
    return not any(drive is None or drive.state in FAIL_STATES for drive in members)
