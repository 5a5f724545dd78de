"""Begins what upkeep.py finds due, and keeps the settings and what was begun when. Loop only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec

from engine.chassis.access import CatalogAccess
from engine.chassis.happenings import Happening, happening
from engine.chassis.upkeep import UpkeepDue, UpkeepRecord, due, edited, schedule_view
from engine.wire_chassis import ScheduleView, UpkeepEdit
from storage.clock import Clock
from storage.errors import Unsupported, WatchdeckError
from storage.raid.inventory import Inventory
from storage.raid.operations import RaidOperation, StartCheck, StartPatrolRead

ROUND_S = 60.0
SETTINGS_KEY = "upkeep"
RECORD_KEY = "upkeep_done"


class UpkeepRounds:
    """The regular reading of everything."""

    def __init__(
        self,
        catalog: CatalogAccess,
        clock: Clock,
        inventory: Callable[[], Inventory],
        perform: Callable[[RaidOperation, Inventory], Awaitable[Inventory]],
        self_test: Callable[[str], Awaitable[None]],
        say: Callable[[Iterable[Happening]], None],
    ) -> None:
        self._catalog = catalog
        self._clock = clock
        self._inventory = inventory
        self._perform = perform
        self._self_test = self_test
        self._say = say
        self._record = UpkeepRecord()
        self._postponed = ""
        self.settings = ScheduleView()

    async def load(self) -> None:
        kept: Any = await self._catalog.read("chassis_setting", SETTINGS_KEY)
        if kept is not None:
            self.settings = msgspec.convert(kept, ScheduleView)
        record: Any = await self._catalog.read("chassis_setting", RECORD_KEY)
        if record is not None:
            self._record = msgspec.convert(record, UpkeepRecord)
        if not self._record.first_us:
            self._record.first_us = self._clock.now_us()
            await self._keep()

    def view(self) -> ScheduleView:
        return schedule_view(self._inventory(), self.settings, self._record, self._clock.now_us())

    async def edit(self, changes: UpkeepEdit) -> ScheduleView:
        """Raises InvalidInput."""
        settings = edited(self.settings, changes)
        await self._catalog.write("set_chassis_setting", SETTINGS_KEY, msgspec.to_builtins(settings))
        self.settings = settings
        return self.view()

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(ROUND_S)
            await self.round()

    async def round(self) -> None:
        """Begin at most one thing."""
        found = due(self._inventory(), self.settings, self._record, self._clock.now_us())
        if found.postponed:
            self._say_postponed(found)
        elif found.self_test:
            await self._test(found)
        elif found.operation is not None:
            await self._begin(found, found.operation)

    def _say_postponed(self, found: UpkeepDue) -> None:
        """Once a cause, not each minute of the night."""
        text = f"{found.text}: postponed, {found.postponed}"
        if text != self._postponed:
            self._postponed = text
            self._say([happening("upkeep.postponed", text, found.source)])

    async def _begin(self, found: UpkeepDue, operation: RaidOperation) -> None:
        now_us = self._clock.now_us()
        try:
            await self._perform(operation, self._inventory())
        except WatchdeckError as error:
            self._say([happening("upkeep.postponed", f"{found.text}: not possible: {error}", found.source)])
        else:
            self._say([happening("upkeep.started", found.text, found.source)])
        # What did not work is not tried each minute either: it waits for its next time.
        match operation:
            case StartCheck():
                self._record.checks[operation.virtual_drive] = now_us
            case StartPatrolRead():
                self._record.patrols[operation.controller] = now_us
        await self._keep()

    async def _test(self, found: UpkeepDue) -> None:
        self._record.self_tests[found.self_test] = self._clock.now_us()
        try:
            await self._self_test(found.self_test)
        except Unsupported:
            pass  # a drive that cannot test itself: asked again when its time comes, without a word
        except WatchdeckError as error:
            self._say([happening("upkeep.postponed", f"{found.text}: not possible: {error}", found.source)])
        await self._keep()

    async def _keep(self) -> None:
        await self._catalog.write("set_chassis_setting", RECORD_KEY, msgspec.to_builtins(self._record))
