"""The simulated back-end as a Box of the contract: time passes when somebody waits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from storage.raid.inventory import Inventory
from storage.raid.simulated import SimulatedBackend
from storage.raid.simulated_layout import SimulatedLayout, full_chassis
from tests.fakes.clock import FakeClock


class SimulatedBox:
    def __init__(self, layout: SimulatedLayout | None = None) -> None:
        self.clock = FakeClock()
        self.backend = SimulatedBackend(layout or full_chassis(), self.clock)

    def pull(self, bay: int) -> None:
        self.backend.pull(bay)

    def insert(self, bay: int) -> None:
        self.backend.insert(bay)

    def insert_blank(self, bay: int) -> None:
        self.backend.insert_blank(bay)

    def wait_until(self, is_so: Callable[[Inventory], bool]) -> Inventory:
        for _ in range(500):
            now = self.backend.inventory()
            if is_so(now):
                return self.backend.inventory()
            self.backend.tend(now)
            self.wait(1)
        pytest.fail("it did not come to that in 500 s")

    def wait(self, seconds: float) -> Inventory:
        self.clock.advance(round(seconds * 1e6))
        return self.backend.inventory()
