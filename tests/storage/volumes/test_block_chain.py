from __future__ import annotations

from pathlib import Path

import pytest

from storage.roots import Roots
from storage.volumes.block_chain import BlockChain, parse_mountinfo
from tests.storage.drives.fake_machine import FakeMachine


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    """Two drives, a mirror of their partitions, a volume on it."""
    made = FakeMachine(tmp_path)
    for disk in ("sda", "sdb"):
        made.add_drive(disk)
        made.add_partition(f"{disk}1", disk)
    made.add_above("md127", "sda1", "sdb1")
    made.add_partition("md127p1", "md127")
    made.add_above("dm-0", "md127p1")
    made.write(made.folder("dm-0"), "dm/name", "vg-recordings")
    return made


def test_a_stack_is_followed_down_to_the_drives_and_up_to_what_is_mounted(machine: FakeMachine) -> None:
    machine.mount("dm-0", "/srv/my recordings", "xfs")
    chain = BlockChain(machine.roots)
    assert chain.below("dm-0") == {"sda", "sdb"}
    assert chain.above("sda") == {"sda", "sda1", "md127", "md127p1", "dm-0"}
    assert [point.path for point in chain.mounts_of("sdb")] == ["/srv/my recordings"]
    assert [point.path for point in chain.mounts_of("md127")] == ["/srv/my recordings"]
    assert chain.holders("sda") == ("md127",)
    assert chain.name_of("/dev/mapper/vg-recordings") == "dm-0"
    assert chain.name_of("/dev/nothing") is None


def test_a_ring_of_holders_ends(machine: FakeMachine) -> None:
    (machine.folder("dm-0") / "holders" / "sda").mkdir(parents=True)
    assert "sdb" not in BlockChain(machine.roots).above("sda")


def test_swap_on_a_mapped_device_makes_its_drives_the_systems(machine: FakeMachine) -> None:
    machine.swap("/dev/mapper/vg-recordings")
    assert BlockChain(machine.roots).system_drives() == {"sda", "sdb"}


def test_the_drives_below_a_folder_are_found_by_what_is_mounted_there(
    machine: FakeMachine, tmp_path: Path
) -> None:
    machine.mount("dm-0", str(tmp_path.resolve()), device="0:99")
    chain = BlockChain(machine.roots)
    # The file system's own number is not in this tree: the mount table's source leads on.
    machine.write(machine.roots.proc, "x", "")
    assert chain.name_of("/dev/dm-0") == "dm-0"
    assert chain.drives_of_path(tmp_path / "not" / "there" / "yet") == {"sda", "sdb"}


def test_lines_that_are_no_mounts_are_left_out() -> None:
    text = "nonsense\n36 35 98:0 / /mnt\\040one ro,noatime shared:1 master:2 - ext3 /dev/root rw\n1 2 - x\n"
    (point,) = parse_mountinfo(text)
    assert (point.path, point.device, point.file_system, point.is_read_only) == (
        "/mnt one",
        "98:0",
        "ext3",
        True,
    )


def test_this_machine_can_be_read() -> None:
    chain = BlockChain(Roots())
    assert any(point.path == "/" for point in chain.mount_points)
