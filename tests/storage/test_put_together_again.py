"""Around an array that is put together again: what was mounted of it is unmounted before and mounted as it was after it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from storage.command import Completed
from storage.errors import CommandFailed, Conflict, OperationRefused
from storage.local_hardware import LocalHardware
from storage.raid.backend import Command
from storage.raid.inventory import Inventory
from storage.raid.operations import RaidOperation, ReAddMember
from storage.raid.states import VirtualDriveState
from storage.volumes import remounting
from storage.volumes.mount_files import unit_text
from tests.storage.drives.fake_machine import FakeMachine
from tests.storage.test_local_hardware import ID, SATA, FixedBackend, hardware_of, md_part

UUID = "f273c996-1811-4f1d-bb3e-431e910d006f"


class Mounts:
    """umount, mount and systemctl."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.busy = 0
        self.is_damaged = False

    def __call__(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Completed:
        status = 0
        if argv[0] in ("umount", "mount", "systemctl"):
            self.ran.append(" ".join(argv))
            if argv[0] == "umount" and self.busy:
                self.busy -= 1
                status = 32
            elif argv[0] != "umount" and self.is_damaged:
                status = 1
        return Completed(argv=tuple(argv), status=status, output=b"", errors=b"busy" if status else b"")


class Array(FixedBackend):
    def __init__(self, mounts: Mounts, inventory: Inventory, refusal: str = "") -> None:
        super().__init__("md", inventory)
        self._mounts, self._refusal = mounts, refusal

    def plan(self, operation: RaidOperation, inventory: Inventory) -> tuple[Command, ...]:
        if self._refusal:
            raise OperationRefused(self._refusal)
        return super().plan(operation, inventory)

    def perform(self, operation: RaidOperation, inventory: Inventory) -> Inventory:
        self._mounts.ran.append("md")
        return super().perform(operation, inventory)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMachine:
    monkeypatch.setattr(remounting, "PAUSE_S", 0.0)
    made = FakeMachine(tmp_path)
    made.add_drive("sda", hctl="0:0:0:0", udev=SATA | {"ID_PATH": "pci-1"})
    made.add_above("md127", "sda")
    made.mount("md127", "/srv/e", "xfs")
    return made


def failed_part() -> Inventory:
    part = md_part()
    drive = msgspec.structs.replace(part.drives[0], foreign_group="md-1")
    [vd] = part.virtual_drives
    vd = msgspec.structs.replace(vd, state=VirtualDriveState.FAILED, file_system_uuid=UUID)
    return msgspec.structs.replace(part, drives=(drive, *part.drives[1:]), virtual_drives=(vd,))


def box(machine: FakeMachine, folder: Path, mounts: Mounts, refusal: str = "") -> LocalHardware:
    return hardware_of(machine, folder, mounts, [Array(mounts, failed_part(), refusal)])


def test_what_was_mounted_by_hand_is_mounted_again_by_its_uuid(machine: FakeMachine, tmp_path: Path) -> None:
    mounts = Mounts()
    mounts.busy = 3
    hardware = box(machine, tmp_path, mounts)
    steps = [str(step) for step in hardware.plan(ReAddMember(drive=ID), hardware.inventory())]
    assert steps == ["umount /srv/e", "md", f"mount -t xfs -o noatime UUID={UUID} /srv/e"]
    assert mounts.ran == []
    hardware.perform(ReAddMember(drive=ID), hardware.inventory())
    assert mounts.ran == ["umount /srv/e"] * 3 + steps


def test_a_unit_of_ours_is_started_even_when_nothing_was_mounted_any_more(
    machine: FakeMachine, tmp_path: Path
) -> None:
    units = machine.roots.etc / "systemd" / "system"
    units.mkdir(parents=True)
    (machine.roots.run / "systemd" / "system").mkdir(parents=True)
    (units / "srv-e.mount").write_text(unit_text(UUID, "/srv/e", "xfs", "E"))
    (units / "srv-f.mount").write_text(unit_text("another", "/srv/f", "xfs", "F"))
    (units / "srv-g.mount").write_text(unit_text(UUID, "/srv/g%", "xfs", "G").replace("# written", "#"))
    mounts = Mounts()
    hardware = box(machine, tmp_path, mounts)
    hardware.perform(ReAddMember(drive=ID), hardware.inventory())
    assert mounts.ran == ["umount /srv/e", "md", "systemctl start srv-e.mount"]
    machine._mounts.clear()
    machine._write_tables()
    mounts.ran.clear()
    hardware.perform(ReAddMember(drive=ID), hardware.inventory())
    assert mounts.ran == ["md", "systemctl start srv-e.mount"]


def test_a_line_of_fstab_is_used(machine: FakeMachine, tmp_path: Path) -> None:
    (machine.roots.etc / "fstab").write_text(f"UUID={UUID} /srv/e xfs noatime 0 2\n")
    mounts = Mounts()
    hardware = box(machine, tmp_path, mounts)
    hardware.perform(ReAddMember(drive=ID), hardware.inventory())
    assert mounts.ran == ["umount /srv/e", "md", "mount /srv/e"]


def test_an_array_that_somebody_holds_on_to_is_not_stopped(machine: FakeMachine, tmp_path: Path) -> None:
    mounts = Mounts()
    mounts.busy = 1_000
    hardware = box(machine, tmp_path, mounts)
    with pytest.raises(Conflict, match="/srv/e"):
        hardware.perform(ReAddMember(drive=ID), hardware.inventory())
    assert set(mounts.ran) == {"umount /srv/e"}


def test_nothing_is_unmounted_for_what_is_refused(machine: FakeMachine, tmp_path: Path) -> None:
    mounts = Mounts()
    hardware = box(machine, tmp_path, mounts, "its data is older")
    with pytest.raises(OperationRefused, match="older"):
        hardware.perform(ReAddMember(drive=ID), hardware.inventory())
    assert mounts.ran == []


def test_a_file_system_that_cannot_be_mounted_is_said(machine: FakeMachine, tmp_path: Path) -> None:
    mounts = Mounts()
    mounts.is_damaged = True
    hardware = box(machine, tmp_path, mounts)
    with pytest.raises(CommandFailed, match="E works again, but is not mounted"):
        hardware.perform(ReAddMember(drive=ID), hardware.inventory())
