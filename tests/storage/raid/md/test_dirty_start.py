"""A power cut in the middle of a rebuild: md refuses such an array, and recording must go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.raid.md.backend import MdBackend
from storage.raid.states import VirtualDriveState
from tests.storage.raid.md.fake_machine import Machine

STARTED = [
    "mdadm --stop /dev/md127",
    "mdadm --assemble --force --run --config=none /dev/md/A /dev/sda /dev/sdb /dev/sdc",
]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """RAID 5 of three, known; the power was cut while sdc was rebuilt, udev has begun to assemble it and md has refused."""
    machine = Machine(tmp_path)
    machine.array("md127", "A", "raid5", ["sda", "sdb", "sdc"])
    machine.backend().inventory()
    machine.set("md127", "array_state", "inactive")
    machine.superblocks = {"sda": (31, 0, "AAA"), "sdb": (31, 1, "AAA"), "sdc": (30, 2, "AAA")}
    machine.recovering = {"sdc"}
    machine.is_dirty = True
    return machine


def tended(machine: Machine, backend: MdBackend) -> list[str]:
    backend.tend(backend.inventory())
    return [line for line in machine.ran if line.startswith("mdadm")]


def test_it_is_started_from_the_drives_that_worked_last_and_that_is_said(machine: Machine) -> None:
    backend = machine.backend()
    [said] = [text for text in backend.tend(backend.inventory()) if "all the same" in text]
    assert said.startswith("A was written to when it ended, 1 of its drives missing or being rebuilt")
    assert machine.ran == STARTED
    assert backend.inventory().virtual_drives[0].state is not VirtualDriveState.OFFLINE


def test_one_that_lacked_a_drive_before_is_started_without_it(machine: Machine) -> None:
    machine.pull(2)
    machine.recovering = set()
    machine.superblocks = {"sda": (31, 0, "AA."), "sdb": (31, 1, "AA.")}
    assert tended(machine, machine.backend()) == [STARTED[0], STARTED[1].removesuffix(" /dev/sdc")]


def test_a_drive_that_worked_last_is_waited_for(machine: Machine) -> None:
    """It may be slow to spin up; without it more would be given up than was lost."""
    machine.pull(2)
    machine.recovering = set()
    machine.superblocks = {"sda": (31, 0, "AAA"), "sdb": (31, 1, "AAA")}
    assert tended(machine, machine.backend()) == []


def test_what_mdadm_starts_by_itself_is_left_to_it(machine: Machine) -> None:
    machine.is_dirty = False
    assert tended(machine, machine.backend()) == []
    machine.is_dirty, machine.recovering = True, set()
    assert tended(machine, machine.backend()) == [], "all drives are whole: it is resynchronised"


def test_too_few_whole_drives_or_old_ones_start_nothing(machine: Machine) -> None:
    machine.recovering = {"sdb", "sdc"}
    assert tended(machine, machine.backend()) == []
    machine.recovering = {"sdc"}
    machine.superblocks["sdb"] = (31 - 100, 1, "AAA")
    assert tended(machine, machine.backend()) == []


def test_a_member_that_hangs_is_waited_for_and_keeps_nothing_else_from_being_tended(machine: Machine) -> None:
    machine.hanging = {"sdb"}
    backend = machine.backend()
    backend.tend(backend.inventory())
    assert not [line for line in machine.ran if line.startswith("mdadm")]
    machine.hanging = set()
    assert tended(machine, backend) == STARTED


def test_an_array_that_nobody_knows_is_left_alone(machine: Machine) -> None:
    (machine.folder / "state" / "md.json").unlink()
    assert tended(machine, machine.backend()) == []
