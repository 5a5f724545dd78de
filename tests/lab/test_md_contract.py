"""The contract of all back-ends (tests/storage/raid/contract.py) on real md: through the packaged drive service in the guest."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from engine.drive_service.remote_hardware import RemoteHardware
from storage.errors import DriveError
from storage.raid.inventory import Inventory
from storage.raid.states import RaidLevel
from tests.lab.lab_drive import MIB, LabDrive
from tests.lab.machine import Machine
from tests.lab.station import install
from tests.storage.raid.contract import (
    LEVEL_CASES,
    SCENARIOS,
    Box,
    each_level_is_made_and_deleted,
    good_drives,
)

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

BAYS = range(8)
SIZE_BYTES = 128 * MIB
SLOW_KIB_S = 4_000
"""Between two waits: what a scenario has begun is still under way when it looks, pauses or stops."""
FULL_KIB_S = 200_000
LEAST_KIB_S = 1_000
"""The kernel's own limits."""
LOOK_S = 1.0
WAIT_S = 60


@dataclass
class MdBox:
    """Eight bays of the machine, and hands."""

    machine: Machine
    backend: RemoteHardware
    first: dict[int, LabDrive]
    new_drives: int = 0

    def pull(self, bay: int) -> None:
        self._pulled[bay] = self.machine.pull(bay)
        self.machine.wait_gone(bay)

    def insert(self, bay: int) -> None:
        self.machine.insert(bay, self._pulled.pop(bay))
        self.machine.wait_drive(bay)

    def insert_blank(self, bay: int) -> None:
        self.new_drives += 1
        self.machine.insert(bay, self.machine.drive(f"NEW{self.new_drives}", size_bytes=SIZE_BYTES))
        self.machine.wait_drive(bay)

    def wait_until(self, is_so: Callable[[Inventory], bool]) -> Inventory:
        """At full speed meanwhile."""
        end = time.monotonic() + WAIT_S * self.machine.patience
        while not is_so(now := self.backend.inventory()):
            assert time.monotonic() < end, f"it does not come to be; last: {now}"
            self._limit(FULL_KIB_S)
            self.backend.tend(now)
            time.sleep(LOOK_S)
        self._limit(SLOW_KIB_S)
        return now

    def _limit(self, kib_s: int) -> None:
        if kib_s != self._limit_kib_s:
            # The back-end gives arrays that work limits of their own, which come before the system's.
            self.machine.sh(
                f"echo {kib_s} > /proc/sys/dev/raid/speed_limit_max; shopt -s nullglob;"
                f" for file in /sys/block/md*/md/sync_speed_max; do echo {kib_s} > $file; done;"
                f" for file in /sys/block/md*/md/sync_speed_min; do echo {LEAST_KIB_S} > $file; done"
            )
            self._limit_kib_s = kib_s

    def __post_init__(self) -> None:
        self._pulled: dict[int, LabDrive] = {}
        self._limit_kib_s = FULL_KIB_S

    def as_new(self) -> None:
        """The first eight drives in their bays, blank, and a service that remembers nothing."""
        if self._is_as_new():
            return
        machine = self.machine
        machine.sh(
            "systemctl stop watchdeck-drives; mdadm --stop --scan || true; mdadm --stop --scan || true"
        )
        self._pulled.clear()
        for bay, drive in self.first.items():
            if machine.bays.get(bay) is not drive:
                if bay in machine.bays:
                    machine.pull(bay)
                    machine.wait_gone(bay)
                machine.insert(bay, drive)
        places = " ".join(machine.wait_drive(bay) for bay in self.first)
        machine.sh(
            "udevadm settle; mdadm --stop --scan || true; mdadm --stop --scan || true;"
            f" for drive in {places}; do mdadm --zero-superblock $drive || true; wipefs --all --quiet $drive; done;"
            " rm -rf /var/lib/watchdeck-drives/* /etc/mdadm/mdadm.conf.d/watchdeck.conf;"
            " systemctl start watchdeck-drives"
        )
        machine.until(self._seen, lambda seen: len(good_drives(seen)) == len(BAYS), "eight free drives")
        self._limit(SLOW_KIB_S)

    def _is_as_new(self) -> bool:
        """The case before has left it so."""
        if any(self.machine.bays.get(bay) is not drive for bay, drive in self.first.items()):
            return False
        seen = self._seen()
        in_bays = [drive for drive in seen.drives if drive.bay in BAYS]
        return len(in_bays) == len(good_drives(seen)) == len(BAYS) and not seen.virtual_drives

    def _seen(self) -> Inventory:
        try:
            return self.backend.inventory()
        except DriveError:  # the service has not started, or does not listen yet
            return Inventory()


@pytest.fixture(scope="module")
def steel(machine: Machine) -> MdBox:
    first = {bay: machine.drive(f"BAY{bay}", size_bytes=SIZE_BYTES) for bay in BAYS}
    for bay, drive in first.items():
        machine.insert(bay, drive)
    machine.start()
    install(machine)
    # No engine here: its door to the host leads to the drive service instead.
    machine.sh(
        "modprobe md_mod; mkdir -p /run/watchdeck; ln -s /run/watchdeck-drives/drives.sock /run/watchdeck/engine.sock"
    )
    return MdBox(machine, RemoteHardware(machine.engine_socket), first)


@pytest.fixture
def box(steel: MdBox) -> MdBox:
    steel.as_new()
    return steel


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_md_keeps_the_contract(box: MdBox, scenario: Callable[[Box], None]) -> None:
    scenario(box)


@pytest.mark.parametrize(("level", "counts"), LEVEL_CASES, ids=[f"raid {level}" for level, _ in LEVEL_CASES])
def test_md_makes_and_deletes_each_level(box: MdBox, level: RaidLevel, counts: tuple[int, ...]) -> None:
    each_level_is_made_and_deleted(box, level, counts)
