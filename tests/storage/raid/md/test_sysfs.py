"""Dumps of /sys/block/md*/md from real arrays, laid out as a tree and read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.raid.md.stack import build_stacks
from storage.raid.md.sysfs import MdArray, read_array, read_arrays
from storage.raid.states import RaidLevel, VirtualDriveState
from storage.roots import Roots

LAB = Path(__file__).resolve().parents[3] / "data" / "md" / "sysfs"
WITHOUT_ARRAY = {
    "D5-resync-delayed.md5.sysfs",
    "D5-resync-delayed.md6.sysfs",
    "G4-inactive-incremental.md127.sysfs",
}
"""The dump says only that the folder does not exist."""


def laid_out(dump: Path, base: Path) -> MdArray:
    device = dump.name.split(".")[1]
    md = base / "sys" / "block" / device / "md"
    md.mkdir(parents=True)
    for line in dump.read_text().splitlines():
        path, separator, value = line.partition("=")
        if separator and path.startswith("./"):
            (md / path).parent.mkdir(parents=True, exist_ok=True)
            (md / path).write_text(value.strip())
    return read_array(Roots(sys=base / "sys", run=base / "run"), md.parent)


@pytest.mark.parametrize("dump", sorted(LAB.iterdir()), ids=lambda dump: dump.name)
def test_every_dump_is_read(dump: Path, tmp_path: Path) -> None:
    array = laid_out(dump, tmp_path)
    lines = dump.read_text().splitlines()
    members = [line for line in lines if "/state=" in line and line.startswith("./dev-")]
    if dump.name in WITHOUT_ARRAY:
        assert not members
        assert not array.is_active
        return
    assert members
    assert len(array.members) == len(members)
    assert sum(member.is_faulty for member in array.members) == sum("faulty" in line for line in members)
    degraded = next((int(line.partition("=")[2]) for line in lines if line.startswith("./degraded=")), None)
    if array.is_active and degraded is not None:
        assert array.lost() == degraded


def test_a_replacement_shares_the_slot_of_the_member_it_copies(tmp_path: Path) -> None:
    base = tmp_path / "sys" / "block" / "md2" / "md"
    for name, state in (("sdi", "spare,replacement"), ("sde", "in_sync,want_replacement")):
        (base / f"dev-{name}").mkdir(parents=True)
        (base / f"dev-{name}" / "state").write_text(state)
        (base / f"dev-{name}" / "slot").write_text("1")
    (base / "raid_disks").write_text("2")
    array = read_array(Roots(sys=tmp_path / "sys", run=tmp_path / "run"), base.parent)
    assert [member.name for member in array.in_slot(1)] == ["sde", "sdi"]
    assert array.lost() == 1


def test_raid_disks_of_a_running_reshape_is_the_new_number(tmp_path: Path) -> None:
    base = tmp_path / "sys" / "block" / "md0" / "md"
    base.mkdir(parents=True)
    (base / "raid_disks").write_text("4 (3)")
    (base / "sync_completed").write_text("1000 / 4000")
    array = read_array(Roots(sys=tmp_path / "sys", run=tmp_path / "run"), base.parent)
    assert (array.wanted, array.done_sectors, array.total_sectors) == (4, 1000, 4000)


def test_a_nested_array_has_failed_although_its_top_says_clean(tmp_path: Path) -> None:
    top = laid_out(LAB / "E2-raid50-leg-failed.md10.sysfs", tmp_path)
    leg = laid_out(LAB / "E2-raid50-leg-failed.md12.sysfs", tmp_path)
    assert top.state == "clean"
    assert top.degraded is None
    (stack,) = build_stacks([top, leg], {}, {})
    # The dump of the other leg is not among the captures: a leg nobody sees is one that has failed.
    assert stack.level is RaidLevel.RAID50
    assert stack.state({}) is VirtualDriveState.FAILED
    assert [stack.span_state(place, {}) for place in stack.spans()].count(VirtualDriveState.FAILED) == 1


def test_no_arrays_on_a_machine_without_md(tmp_path: Path) -> None:
    assert read_arrays(Roots(sys=tmp_path, run=tmp_path)) == []
