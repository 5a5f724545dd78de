"""The md back-end on real md: made, pulled, rebuilt, copied, grown, taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from storage.raid.inventory import Drive, Inventory
from storage.raid.operations import (
    CreateVirtualDrive,
    DeleteVirtualDrive,
    Migrate,
    RaidOperation,
    ReplaceMember,
    SetGood,
    SetOffline,
    StartRebuild,
)
from storage.raid.states import DriveState, RaidLevel, VirtualDriveState
from tests.lab.lab_drive import MIB
from tests.lab.machine import Machine

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]

BAYS = 8
GUEST_SCRIPT = "/root/md_session.py"


class Answer(msgspec.Struct, frozen=True):
    inventory: Inventory
    said: tuple[str, ...]
    error: str


@dataclass
class Raid:
    """The back-end in the guest, a new process each time: what it knows it must have written down."""

    machine: Machine

    def order(self, operation: RaidOperation | None = None, *, tend: bool = False) -> Answer:
        stdin = msgspec.json.encode({"do": operation, "tend": tend})
        done = self.machine.run("python3", GUEST_SCRIPT, stdin=stdin, timeout_s=120)
        assert done.exit_code == 0, done.err
        return msgspec.json.decode(done.out, type=Answer)

    def done(self, operation: RaidOperation) -> Inventory:
        answer = self.order(operation)
        assert answer.error == ""
        return answer.inventory

    def quiet(self) -> Inventory:
        """When nothing runs in the background any more; tended meanwhile."""
        return self.machine.until(
            lambda: self.order(tend=True).inventory, lambda seen: not seen.tasks, "md at rest", timeout_s=120
        )

    def cleared(self) -> None:
        """No arrays, all drives blank."""
        for vd in self.order().inventory.virtual_drives:
            self.done(DeleteVirtualDrive(virtual_drive=vd.id))
        for one in self.order().inventory.drives:
            if one.is_awaiting_removal or one.state is DriveState.FOREIGN:
                self.done(SetGood(drive=one.id))

    def id(self, bay: int) -> str:
        serial = f"BAY{bay}"
        return next(drive.id for drive in self.order().inventory.drives if drive.serial == serial)


def drive(inventory: Inventory, bay: int) -> Drive:
    return next(drive for drive in inventory.drives if drive.serial == f"BAY{bay}")


@pytest.fixture(scope="module")
def raid(machine: Machine) -> Raid:
    for bay in range(BAYS):
        machine.insert(bay, machine.drive(f"BAY{bay}", size_bytes=128 * MIB))
    machine.start()
    machine.put(GUEST_SCRIPT, Path(__file__).with_name("md_session.py").read_bytes())
    for bay in range(BAYS):
        machine.wait_drive(bay)
    return Raid(machine)


def test_a_pulled_member_is_replaced_by_the_spare_even_on_an_array_nobody_writes_to(raid: Raid) -> None:
    members = tuple(raid.id(bay) for bay in (0, 1, 2))
    raid.done(CreateVirtualDrive(name="A", level=RaidLevel.RAID5, spans=(members,), spares=(raid.id(3),)))
    raid.quiet()
    raid.machine.pull(1)
    raid.machine.wait_gone(1)
    after = raid.machine.until(
        lambda: raid.order(tend=True).inventory,
        lambda seen: drive(seen, 3).state in (DriveState.REBUILD, DriveState.ONLINE),
        "the spare used",
    )
    after = raid.quiet()
    assert after.virtual_drives[0].state is VirtualDriveState.ONLINE
    assert drive(after, 3).state is DriveState.ONLINE
    raid.machine.insert(1, raid.machine.drive("NEW", size_bytes=128 * MIB))
    raid.machine.wait_drive(1)


def test_a_member_is_copied_and_then_ready_to_be_pulled(raid: Raid) -> None:
    raid.cleared()
    members = tuple(raid.id(bay) for bay in (0, 2, 3))
    raid.done(CreateVirtualDrive(name="A", level=RaidLevel.RAID5, spans=(members,)))
    raid.quiet()
    raid.done(ReplaceMember(member=raid.id(2), replacement=raid.id(4)))
    after = raid.quiet()
    assert after.virtual_drives[0].state is VirtualDriveState.ONLINE
    assert (drive(after, 2).is_awaiting_removal, drive(after, 4).state) == (True, DriveState.ONLINE)


def test_a_raid_5_grows_to_a_raid_6(raid: Raid) -> None:
    raid.cleared()
    members = tuple(raid.id(bay) for bay in (0, 2, 3))
    raid.done(CreateVirtualDrive(name="A", level=RaidLevel.RAID5, spans=(members,)))
    raid.quiet()
    raid.done(Migrate(virtual_drive="A", level=RaidLevel.RAID6, add=(raid.id(5),)))
    (vd,) = raid.quiet().virtual_drives
    assert (vd.level, vd.state) == (RaidLevel.RAID6, VirtualDriveState.ONLINE)
    after = raid.done(DeleteVirtualDrive(virtual_drive="A"))
    assert after.groups == ()


def test_a_leg_of_a_raid_50_bears_one_loss_and_is_rebuilt(raid: Raid) -> None:
    raid.cleared()
    spans = tuple(tuple(raid.id(bay) for bay in span) for span in ((0, 2, 3), (4, 5, 6)))
    after = raid.done(CreateVirtualDrive(name="B", level=RaidLevel.RAID50, spans=spans))
    group = after.groups[0].id
    raid.quiet()
    raid.done(SetOffline(drive=raid.id(0)))
    assert raid.order(SetOffline(drive=raid.id(2))).error.startswith("operation_refused")
    raid.done(StartRebuild(group=group, drive=raid.id(7)))
    after = raid.quiet()
    assert after.virtual_drives[0].state is VirtualDriveState.ONLINE
    raid.done(DeleteVirtualDrive(virtual_drive="B"))
