"""The readings that come round by themselves: sensors, temperatures, activity. Each on its own lane; loop only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from engine.chassis.happenings import Happening
from engine.chassis.lanes import Lane
from engine.chassis.problems import Problems
from engine.chassis.sensor_changes import SensorTeller
from engine.chassis.smart_sweep import SmartSweep
from engine.deadline import Deadline
from storage.drives.sensors import Sensor
from storage.errors import WatchdeckError
from storage.hardware import Hardware
from storage.raid.inventory import Inventory, Problem

SENSOR_S = 15.0
TEMPERATURE_S = 60.0
ACTIVITY_S = 1.0
SWEEP_S = 5.0
SENSOR_TIMEOUT_S = 30.0
QUICK_TIMEOUT_S = 10.0


class Readings:
    """Newest first; `active` are the drives that were read or written within the last second that somebody looked."""

    def __init__(
        self,
        hardware: Hardware,
        sweep: SmartSweep,
        inventory: Callable[[], Inventory],
        problems: Problems,
        say: Callable[[Iterable[Happening]], None],
        changed: Callable[[], None],
    ) -> None:
        self._hardware = hardware
        self._sweep = sweep
        self._inventory = inventory
        self._problems = problems
        self._say = say
        self._changed = changed
        self._sensor_lane = Lane("sensors")
        self._kernel_lane = Lane("drive counters")
        self._teller = SensorTeller()
        self._counters: Mapping[str, int] = {}
        self._sweep_now = asyncio.Event()
        self.sensors: tuple[Sensor, ...] = ()
        self.active: frozenset[str] = frozenset()

    # -- sensors -------------------------------------------------------------------------------------------

    async def watch_sensors(self) -> None:
        """For ever."""
        while True:
            await self.read_sensors()
            await asyncio.sleep(SENSOR_S)

    async def read_sensors(self) -> None:
        try:
            readings = await self._sensor_lane.call(SENSOR_TIMEOUT_S, self._hardware.sensors)
        except WatchdeckError as error:
            self._problems.put("sensors", Problem(code="sensors", what=error.what, remedy=error.remedy))
            return
        self._problems.put("sensors", None)
        before = self.sensors
        self.sensors, said = self._teller.update(readings)
        self._say(said)
        if self.sensors != before:
            self._changed()

    # -- drives --------------------------------------------------------------------------------------------

    async def watch_temperatures(self) -> None:
        """For ever."""
        while True:
            await self.read_temperatures()
            await asyncio.sleep(TEMPERATURE_S)

    async def read_temperatures(self) -> None:
        try:
            temperatures = await self._kernel_lane.call(QUICK_TIMEOUT_S, self._hardware.temperatures)
        except WatchdeckError:
            return  # the next SMART reading has it too, and says why if that does not answer either
        await self._sweep.warm(self._inventory(), temperatures)

    async def watch_activity(self, is_wanted: Callable[[], bool]) -> None:
        """For ever; only while somebody looks at the lamps."""
        while True:
            if is_wanted():
                await self.read_activity()
            await asyncio.sleep(ACTIVITY_S)

    async def read_activity(self) -> None:
        try:
            counters = await self._kernel_lane.call(QUICK_TIMEOUT_S, self._hardware.activity)
        except WatchdeckError:
            counters = {}
        before, self._counters = self._counters, counters
        active = frozenset(id for id, count in counters.items() if count != before.get(id, count))
        if active != self.active:
            self.active = active
            self._changed()

    # -- SMART ---------------------------------------------------------------------------------------------

    def sweep_soon(self) -> None:
        """Other drives are here: do not wait for the next round."""
        self._sweep_now.set()

    async def sweep(self, minutes: Callable[[], int]) -> None:
        """For ever."""
        while True:
            self._sweep_now.clear()
            await self._sweep.round(self._inventory(), minutes())
            try:
                async with Deadline(SWEEP_S):
                    await self._sweep_now.wait()
            except TimeoutError:
                pass

    def close(self) -> None:
        self._sensor_lane.close()
        self._kernel_lane.close()
        self._sweep.close()
