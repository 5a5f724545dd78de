"""A job as the desk keeps it and as clients see it: the parts that follow from the job's own state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from engine.wire_chassis import JobKind, JobState, JobStep
from storage.raid.inventory import Inventory


@dataclass(frozen=True, slots=True)
class Shown:
    """The parts of a JobView that follow from a job's state."""

    state: JobState
    title: str
    steps: tuple[JobStep, ...]
    needs: str = ""
    actions: tuple[str, ...] = ()
    alarm: str = ""
    bay: int | None = None
    serial: str = ""
    progress: float | None = None
    eta_s: int | None = None
    result: str = ""


class Job(Protocol):
    """One kind of job. Driven by one task of the desk; what it remembers is `encoded` after every step."""

    @property
    def kind(self) -> JobKind: ...

    @property
    def is_ended(self) -> bool: ...

    def encoded(self) -> bytes:
        """JSON, from which it is made again after a restart."""
        ...

    def shown(self, inventory: Inventory) -> Shown: ...

    async def advance(self) -> float:
        """Do what can be done now; returns seconds until it is worth another look (less when something changes).
        What goes wrong is a state of the job, not an exception."""
        ...

    def answer(self, action: str, value: str, inventory: Inventory) -> None:
        """Raises Conflict, InvalidInput."""
        ...

    def bays(self) -> frozenset[int]:
        """Bays in which only this job decides what happens."""
        ...

    def subjects(self) -> frozenset[str]:
        """Drives and virtual drives that no second job may take on."""
        ...

    async def clear_away(self) -> None:
        """After it has ended: lamps off."""
        ...
