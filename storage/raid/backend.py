"""The one interface of all RAID back-ends: `md`, `megaraid`, `simulated`. Blocking; a caller gives each its thread.

A back-end knows how, never when: spare choice, schedules, automatic rebuilds and confirmations are the engine's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from storage.raid.inventory import Inventory
from storage.raid.operations import RaidOperation


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a plan: a program with its arguments, or a value written to a kernel file."""

    argv: tuple[str, ...] = ()
    write_path: str = ""
    write_text: str = ""
    note: str = ""
    """What it is for, in a few words."""

    def __str__(self) -> str:
        return f"echo {self.write_text} > {self.write_path}" if self.write_path else " ".join(self.argv)


class Wakeup(Protocol):
    """A source of "look again": md's sysfs and mdstat, the kernel log, udev."""

    def fileno(self) -> int:
        """Becomes readable when there is something; for the event loop's add_reader."""
        ...

    def drain(self) -> Sequence[str]:
        """Never blocks. Re-arms, and says in plain words what was noticed that no inventory shows (kernel messages on bad
        sectors); mostly empty."""
        ...

    def close(self) -> None: ...


class RaidBackend(Protocol):
    """One or more controllers of one kind."""

    @property
    def kind(self) -> str:
        """md, megaraid or simulated."""
        ...

    def inventory(self) -> Inventory:
        """Read everything anew. What cannot be read is a Problem inside, not an exception; a hung tool is bounded by its
        own time limit."""
        ...

    def wakeups(self) -> Sequence[Wakeup]:
        """Made once, at the first call; none for a back-end that must be polled."""
        ...

    def plan(self, operation: RaidOperation, inventory: Inventory) -> tuple[Command, ...]:
        """What `perform` would run. Changes nothing. Raises InvalidInput (numbers, names), NotFound, OperationRefused (safety:
        system drive, mounted, foreign member, last redundancy) and Unsupported (this back-end cannot)."""
        ...

    def perform(self, operation: RaidOperation, inventory: Inventory) -> Inventory:
        """Plan again on a fresh inventory, run, look again: the exit status of the tools is not trusted. `inventory` is what
        the person saw; raises StateChanged when what the operation touches differs from it. Returns the state after."""
        ...

    def tend(self, inventory: Inventory) -> tuple[str, ...]:
        """Small steps this kind of array needs to go on by itself (md: leave auto-read-only so that a spare is used). Says
        what it did."""
        ...

    def close(self) -> None: ...
