"""What was asked for: the drives that leave their place on purpose and the tasks that were stopped, so that nobody is called for it.

A planned replacement ends with the same news of md as a failure.
"""

from __future__ import annotations

from storage.raid.inventory import Inventory
from storage.raid.operations import (
    DeleteVirtualDrive,
    PrepareRemoval,
    RaidOperation,
    ReplaceMember,
    SetOffline,
    StopTask,
)
from storage.raid.states import DriveState, TaskKind


class Planned:
    """Told before an operation is performed, and forgotten with its end."""

    def __init__(self) -> None:
        self._drives: dict[str, bool] = {}
        """Id -> it has left its place (is out of service, or gone)."""
        self._stopped: set[str] = set()

    def expect(self, operation: RaidOperation, inventory: Inventory) -> None:
        match operation:
            case ReplaceMember():
                self._drives[operation.member] = False
            case SetOffline() | PrepareRemoval():
                self._drives[operation.drive] = False
            case DeleteVirtualDrive():
                vd = inventory.virtual_drive(operation.virtual_drive)
                ids = {task.id for task in inventory.tasks if vd is not None and task.virtual_drive == vd.id}
                self._stopped |= ids
            case StopTask():
                self._stopped.add(operation.task)

    def give_up(self, operation: RaidOperation) -> None:
        """It was not done."""
        match operation:
            case ReplaceMember():
                self._drives.pop(operation.member, None)
            case SetOffline() | PrepareRemoval():
                self._drives.pop(operation.drive, None)
            case StopTask():
                self._stopped.discard(operation.task)

    @property
    def drives(self) -> frozenset[str]:
        return frozenset(self._drives)

    @property
    def stopped(self) -> frozenset[str]:
        return frozenset(self._stopped)

    def forget(self, inventory: Inventory) -> None:
        """After everything about this inventory was said: what is over. A drive is no longer expected to leave once it has left, is
        gone, or is back at work with no copy of it under way."""
        self._stopped &= {task.id for task in inventory.tasks}
        is_copying = any(task.kind is TaskKind.COPYBACK for task in inventory.tasks)
        for id, has_left in list(self._drives.items()):
            drive = inventory.drive(id)
            if drive is None:
                del self._drives[id]
            elif drive.state is not DriveState.ONLINE:
                self._drives[id] = True
            elif has_left and not is_copying:
                del self._drives[id]
