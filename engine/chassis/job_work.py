"""What every job works with: the box, the catalog, recording, and operations done in turn after they were judged once more."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from engine.chassis.access import Announcer, CatalogAccess, ChassisAccess, RecordingAccess
from engine.chassis.fact_finding import FactFinder
from engine.chassis.operation_gate import OperationGate, controllers_of
from engine.chassis.refusals import check_safe
from engine.chassis.titles import title_of
from engine.supervise import Sleep
from storage.clock import Clock
from storage.raid.inventory import Inventory
from storage.raid.operations import DeleteVirtualDrive, RaidOperation


@dataclass(frozen=True, slots=True)
class JobWork:
    chassis: ChassisAccess
    catalog: CatalogAccess
    recording: RecordingAccess
    events: Announcer
    clock: Clock
    gate: OperationGate
    sleep: Sleep = field(default=asyncio.sleep)

    @property
    def facts(self) -> FactFinder:
        return FactFinder(self.chassis, self.catalog, self.clock)

    async def perform(self, operation: RaidOperation, *, takes_down: bool = False) -> Inventory:
        """Look, judge, do, look. Waits while another operation is under way. Raises WatchdeckError."""
        before = self.chassis.inventory()
        async with self.gate.turn(controllers_of(operation, before), title_of(operation, before)):
            inventory = await self.chassis.refresh()
            touched = frozenset(
                {operation.virtual_drive} if isinstance(operation, DeleteVirtualDrive) else ()
            )
            facts = await self.facts.gather(inventory, touched)
            check_safe(operation, facts, takes_down=takes_down)
            return await self.chassis.perform(operation, inventory)
