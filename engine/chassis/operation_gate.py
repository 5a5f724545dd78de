"""One operation at a time for each controller: two that interleave would each rest on a state the other has changed. Loop only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from engine.chassis.facts import drives_erased
from storage.errors import Conflict
from storage.raid.inventory import Inventory
from storage.raid.operations import (
    ImportForeign,
    PauseTask,
    RaidOperation,
    ResumeTask,
    SetRates,
    Silence,
    StartPatrolRead,
    StartRebuild,
    StopTask,
)


class OperationGate:
    """Who is at work on which controller."""

    def __init__(self) -> None:
        self._titles: dict[str, str] = {}
        self._freed = asyncio.Event()

    def title_of(self, controllers: frozenset[str]) -> str:
        """What is under way on one of them; empty = nothing."""
        return next((self._titles[id] for id in sorted(controllers) if id in self._titles), "")

    @contextmanager
    def hold(self, controllers: frozenset[str], title: str) -> Iterator[None]:
        """Raises Conflict while another operation is under way."""
        if busy := self.title_of(controllers):
            raise Conflict(f"another operation is under way: {busy}", "wait until it has ended")
        self._titles.update(dict.fromkeys(controllers, title))
        try:
            yield
        finally:
            for id in controllers:
                del self._titles[id]
            self._freed.set()

    @asynccontextmanager
    async def turn(self, controllers: frozenset[str], title: str) -> AsyncIterator[None]:
        """Waits for its turn: a job has time."""
        while self.title_of(controllers):
            self._freed.clear()
            await self._freed.wait()
        with self.hold(controllers, title):
            yield


def controllers_of(operation: RaidOperation, inventory: Inventory) -> frozenset[str]:
    """Those an operation works on; all when it does not say."""
    everywhere = frozenset(controller.id for controller in inventory.controllers)
    found: set[str] = set()
    match operation:
        case StartPatrolRead() | SetRates() | Silence():
            return frozenset({operation.controller})
        case StopTask() | PauseTask() | ResumeTask():
            found = {task.controller for task in inventory.tasks if task.id == operation.task}
        case StartRebuild():
            group = inventory.group(operation.group)
            found = {group.controller} if group is not None else set()
        case ImportForeign():
            found = {drive.controller for drive in inventory.drives if drive.foreign == operation.foreign}
        case _:
            found = _named(operation, inventory)
    return frozenset(found - {""}) or everywhere


def _named(operation: RaidOperation, inventory: Inventory) -> set[str]:
    ids = {*drives_erased(operation), getattr(operation, "drive", ""), getattr(operation, "member", "")}
    found = {drive.controller for drive in inventory.drives if drive.id in ids}
    vd = inventory.virtual_drive(getattr(operation, "virtual_drive", ""))
    group = inventory.group(vd.group) if vd is not None else None
    return found | ({group.controller} if group is not None else set())
