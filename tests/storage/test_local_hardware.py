from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from storage.command import Completed
from storage.drives.chassis import Chassis
from storage.drives.indicators import TrayPattern
from storage.drives.scan import DriveScan
from storage.errors import InvalidInput, NotFound, StateChanged
from storage.local_hardware import LocalHardware, open_local_hardware
from storage.raid.backend import Command, Wakeup
from storage.raid.inventory import (
    Controller,
    Drive,
    DriveGroup,
    Inventory,
    Span,
    Task,
    VirtualDrive,
)
from storage.raid.operations import (
    AssignSpare,
    CreateVirtualDrive,
    DeleteVirtualDrive,
    PauseTask,
    RaidOperation,
    ReplaceMember,
    Silence,
    StartRebuild,
)
from storage.raid.routing import controller_of
from storage.raid.states import DriveState, RaidLevel, TaskKind, TaskState, VirtualDriveState
from storage.roots import Roots
from storage.volumes.block_chain import BlockChain
from tests.fakes.clock import FakeClock
from tests.storage.drives.fake_machine import FakeMachine, FakeRunner

SATA = {"ID_BUS": "ata", "ID_ATA": "1", "ID_MODEL": "M", "ID_SERIAL_SHORT": "S1", "ID_WWN": "0x51"}
ID = "wwn-0x51"


class FixedBackend:
    """Says what it was given, keeps what it was asked."""

    def __init__(self, kind: str, inventory: Inventory) -> None:
        self.kind = kind
        self.said = inventory
        self.performed: list[RaidOperation] = []
        self.is_closed = False

    def inventory(self) -> Inventory:
        return self.said

    def wakeups(self) -> Sequence[Wakeup]:
        return ()

    def plan(self, operation: RaidOperation, inventory: Inventory) -> tuple[Command, ...]:
        return (Command(argv=(self.kind,)),)

    def perform(self, operation: RaidOperation, inventory: Inventory) -> Inventory:
        self.performed.append(operation)
        return self.said

    def tend(self, inventory: Inventory) -> tuple[str, ...]:
        return (f"{self.kind} tended",)

    def close(self) -> None:
        self.is_closed = True


def md_part() -> Inventory:
    return Inventory(
        controllers=(Controller(id="md", backend="md"),),
        drives=(
            Drive(id=ID, controller="md", device="/dev/sda", serial="S1", place="pci-1", bay=None),
            Drive(id="wwn-0x52", controller="md", device="/dev/sdj", serial="JBOD", place="pci-2"),
        ),
        groups=(
            DriveGroup(
                id="md-1", name="E", level=RaidLevel.RAID5, spans=(Span(drives=(ID,)),), controller="md"
            ),
        ),
        virtual_drives=(
            VirtualDrive(
                id="md-1",
                name="E",
                group="md-1",
                level=RaidLevel.RAID5,
                state=VirtualDriveState.ONLINE,
                device="/dev/md127",
            ),
        ),
        tasks=(Task(id="check:md-1", kind=TaskKind.CHECK, state=TaskState.RUNNING, virtual_drive="md-1"),),
    )


def controller_part() -> Inventory:
    return Inventory(
        controllers=(Controller(id="c0", backend="megaraid"),),
        drives=(
            Drive(id="wwn-0x52", controller="c0", serial="JBOD", place="c0:e252:s7", bay=7, group="c0-g0"),
            Drive(id="wwn-0x53", controller="c0", serial="R3", place="c0:e252:s3", bay=3),
        ),
    )


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    made = FakeMachine(tmp_path)
    made.add_drive("sda", hctl="0:0:0:0", udev=SATA | {"ID_PATH": "pci-1"})
    made.add_above("md127", "sda")
    made.mount("md127", "/srv/e", "xfs")
    return made


def hardware_of(
    machine: FakeMachine, tmp_path: Path, run: object = None, backends: Sequence[FixedBackend] = ()
) -> LocalHardware:
    runner = run or FakeRunner()
    assert callable(runner)
    scan = DriveScan(machine.roots, runner, Chassis.load("chassis_8"))
    return LocalHardware(
        roots=machine.roots,
        run=runner,
        clock=FakeClock(),
        scan=scan,
        backends=backends or [FixedBackend("md", md_part()), FixedBackend("megaraid", controller_part())],
        chassis_file=tmp_path / "chassis.toml",
        owner=(0, 0),
    )


def test_back_ends_are_joined_and_a_handed_through_drive_is_listed_once(
    machine: FakeMachine, tmp_path: Path
) -> None:
    inventory = hardware_of(machine, tmp_path).inventory()
    assert [controller.id for controller in inventory.controllers] == ["md", "c0"]
    assert sorted(drive.id for drive in inventory.drives) == [ID, "wwn-0x52", "wwn-0x53"]
    twice = inventory.drive("wwn-0x52")
    assert twice is not None
    assert (twice.controller, twice.bay) == ("c0", 7)
    (virtual_drive,) = inventory.virtual_drives
    assert [mount.path for mount in virtual_drive.mounts] == ["/srv/e"]


def test_an_operation_goes_to_the_controller_of_what_it_names(machine: FakeMachine, tmp_path: Path) -> None:
    md, megaraid = FixedBackend("md", md_part()), FixedBackend("megaraid", controller_part())
    hardware = hardware_of(machine, tmp_path, backends=[md, megaraid])
    inventory = hardware.inventory()
    assert hardware.plan(AssignSpare(drive="wwn-0x53"), inventory)[0].argv == ("megaraid",)
    hardware.perform(DeleteVirtualDrive(virtual_drive="E"), inventory)
    assert md.performed == [DeleteVirtualDrive(virtual_drive="E")]
    assert megaraid.performed == []
    assert hardware.tend(inventory) == ("md tended", "megaraid tended")
    hardware.close()
    assert md.is_closed
    assert megaraid.is_closed


@pytest.mark.parametrize(
    ("operation", "controller"),
    [
        (AssignSpare(drive=ID), "md"),
        (StartRebuild(group="md-1", drive=ID), "md"),
        (PauseTask(task="check:md-1"), "md"),
        (Silence(controller="c0"), "c0"),
        (CreateVirtualDrive(name="F", level=RaidLevel.RAID0, spans=(("wwn-0x53",),)), "c0"),
    ],
)
def test_the_controller_of_an_operation(operation: RaidOperation, controller: str) -> None:
    whole = Inventory(
        drives=md_part().drives[:1] + controller_part().drives,
        groups=md_part().groups,
        virtual_drives=md_part().virtual_drives,
        tasks=md_part().tasks,
    )
    assert controller_of(operation, whole) == controller


def test_drives_of_two_controllers_are_not_mixed_and_unknown_things_are_not_found(
    machine: FakeMachine, tmp_path: Path
) -> None:
    inventory = hardware_of(machine, tmp_path).inventory()
    with pytest.raises(InvalidInput, match="different controllers: c0, md"):
        controller_of(ReplaceMember(member=ID, replacement="wwn-0x53"), inventory)
    for operation in (
        AssignSpare(drive="nobody"),
        DeleteVirtualDrive(virtual_drive="nobody"),
        PauseTask(task="nobody"),
        StartRebuild(group="nobody", drive=ID),
    ):
        with pytest.raises(NotFound, match="nobody"):
            controller_of(operation, inventory)


def report(serial: str) -> tuple[int, str, str]:
    text = msgspec.json.encode(
        {
            "json_format_version": [1, 0],
            "smartctl": {"exit_status": 0},
            "device": {"name": "/dev/sda", "type": "sat", "protocol": "ATA"},
            "serial_number": serial,
            "smart_status": {"passed": True},
            "ata_smart_data": {},
            "temperature": {"current": 30},
        }
    ).decode()
    return 0, text, ""


def test_a_report_of_another_drive_under_the_same_name_is_not_believed(
    machine: FakeMachine, tmp_path: Path
) -> None:
    run = FakeRunner({"smartctl": report("S1")})
    hardware = hardware_of(machine, tmp_path, run)
    found = hardware.smart(ID)
    assert (found.drive, found.serial, found.temperature_c) == (ID, "S1", 30)
    run.answers["smartctl"] = report("S9")
    with pytest.raises(StateChanged, match="answered with serial S9, not S1"):
        hardware.smart(ID)


def test_a_drive_that_was_pulled_is_not_asked_for_its_report(machine: FakeMachine, tmp_path: Path) -> None:
    run = FakeRunner()
    with pytest.raises(NotFound, match="JBOD is no longer in bay"):
        hardware_of(machine, tmp_path, run, [FixedBackend("md", md_part())]).smart("wwn-0x52")
    assert run.asked == []


def test_a_drive_behind_a_controller_is_found_by_its_serial_number(
    machine: FakeMachine, tmp_path: Path
) -> None:
    listed = {
        "json_format_version": [1, 0],
        "smartctl": {"exit_status": 0},
        "devices": [
            {"name": "/dev/bus/0", "info_name": "/dev/bus/0 [m]", "type": f"megaraid,{n}", "protocol": "SCSI"}
            for n in (8, 9)
        ],
    }
    read = "smartctl --json=c -x -n standby,3 -d megaraid,{} /dev/bus/0"
    run = FakeRunner(
        {
            "smartctl --scan-open --json=c": (0, msgspec.json.encode(listed).decode(), ""),
            read.format(8): report("R2"),
            read.format(9): report("R3"),
        }
    )
    hardware = hardware_of(machine, tmp_path, run)
    assert hardware.smart("wwn-0x53").serial == "R3"
    run.asked.clear()
    hardware.smart("wwn-0x53")
    assert run.lines() == [read.format(9)]


def test_drives_that_hang_do_not_hold_up_the_lamps(machine: FakeMachine, tmp_path: Path) -> None:
    hangs, may_go_on = threading.Event(), threading.Event()

    def run(argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Completed:
        if argv[0] == "smartctl":
            hangs.set()
            assert may_go_on.wait(20)
        output = report("S1")[1].encode() if argv[0] == "smartctl" else b""
        return Completed(argv=tuple(argv), status=0, output=output, errors=b"")

    hardware = hardware_of(machine, tmp_path, run)
    inventory = hardware.inventory()
    thread = threading.Thread(target=hardware.smart, args=(ID,))
    thread.start()
    try:
        assert hangs.wait(20)
        shown = hardware.show_trays(
            {0: TrayPattern.LOCATE}, msgspec.structs.replace(inventory, drives=(_in_bay_0(inventory),))
        )
        assert shown == ()
        assert hardware.temperatures() == {}
        assert hardware.inventory().drives
    finally:
        may_go_on.set()
        thread.join(20)


def _in_bay_0(inventory: Inventory) -> Drive:
    drive = inventory.drive(ID)
    assert drive is not None
    return msgspec.structs.replace(drive, bay=0)


def test_a_learned_bay_is_kept_and_counts_at_once(machine: FakeMachine, tmp_path: Path) -> None:
    hardware = hardware_of(machine, tmp_path)
    assert not hardware.layout().has_mapping
    assert hardware.learn(5, ID).has_mapping
    assert hardware.learn(2, "wwn-0x53").has_mapping
    kept = Chassis.load(tmp_path / "chassis.toml")
    assert kept.bay_of(place="pci-1") == 5
    assert kept.bay_of(controller_slot="c0:e252:s3") == 2


def test_this_machine_opens_with_a_shipped_chassis_and_its_system_drive_is_protected(tmp_path: Path) -> None:
    hardware = open_local_hardware(tmp_path, "front-16", FakeClock())
    assert len(hardware.layout().bays) == 16
    inventory = hardware.inventory()
    assert [controller.id for controller in inventory.controllers if controller.backend == "md"] == ["md"]
    below_root = {f"/dev/{name}" for name in BlockChain(Roots()).drives_of_path(Path("/"))}
    states = {drive.device: drive.state for drive in inventory.drives}
    assert {states.get(device, DriveState.PROTECTED) for device in below_root} <= {DriveState.PROTECTED}
    hardware.close()
