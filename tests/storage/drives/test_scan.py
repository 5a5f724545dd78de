from __future__ import annotations

from pathlib import Path

import pytest

from storage.drives import scan
from storage.drives.chassis import Chassis
from storage.drives.identity import DriveIdentity
from storage.drives.scan import DriveScan, ScannedDrive
from storage.drives.udev_data import UdevEntry
from storage.errors import CommandTimeout
from storage.raid.states import DriveKind
from tests.storage.drives.fake_machine import FakeMachine, FakeRunner

SATA = {
    "ID_BUS": "ata",
    "ID_ATA": "1",
    "ID_MODEL": "WDC_WD40EFRX-68N32N0",
    "ID_MODEL_ENC": r"WDC\x20WD40EFRX-68N32N0\x20\x20\x20",
    "ID_SERIAL_SHORT": "WD-WCC7K0000001",
    "ID_WWN": "0x50014ee2b0000001",
    "ID_REVISION": "82.00A82",
    "ID_PATH": "pci-0000:00:17.0-ata-3.0",
    "ID_ATA_ROTATION_RATE_RPM": "5400",
}
BLANK = (2, "", "")


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    return FakeMachine(tmp_path)


def look(
    machine: FakeMachine, run: FakeRunner | None = None, chassis: Chassis | None = None
) -> list[ScannedDrive]:
    runner = run or FakeRunner({"blkid": BLANK})
    return DriveScan(machine.roots, runner, chassis or Chassis.load("chassis_8")).drives()


def test_a_sata_drive_says_who_it_is_and_where_it_is_plugged_in(machine: FakeMachine) -> None:
    machine.add_drive(
        "sdb", hctl="2:0:0:0", udev=SATA, device__vendor="ATA     ", device__model="WDC WD40EFRX-68N"
    )
    (drive,) = look(machine)
    assert drive.id == "wwn-0x50014ee2b0000001"
    assert (drive.model, drive.serial) == ("WDC WD40EFRX-68N32N0", "WD-WCC7K0000001")
    assert (drive.vendor, drive.interface, drive.kind) == ("", "SATA", DriveKind.HDD)
    assert (drive.place, drive.hctl) == ("pci-0000:00:17.0-ata-3.0", "2:0:0:0")
    assert (drive.rotation_rpm, drive.size_bytes, drive.requests) == (5400, 512_000_000, 15)
    assert drive.firmware == "82.00A82"
    assert drive.signature == ""


def test_a_sas_drive_has_the_serial_of_its_label_not_its_wwn(machine: FakeMachine) -> None:
    udev = {"ID_BUS": "scsi", "ID_SERIAL_SHORT": "5000cca0e0000000", "ID_SCSI_SERIAL": "K1A00001"}
    machine.add_drive(
        "sdc",
        hctl="1:0:3:0",
        udev={**udev, "ID_WWN": "0x5000cca0e0000000"},
        device__sas_address="0x5000cca0e0000001",
    )
    (drive,) = look(machine)
    assert (drive.serial, drive.interface) == ("K1A00001", "SAS")


def test_without_udev_the_kernel_tells_wwn_serial_and_rotation(machine: FakeMachine) -> None:
    folder = machine.add_drive(
        "sda",
        hctl="0:0:1:0",
        device__wwid="naa.5000c500000000aa",
        device__model="LABDISK",
        device__rev="0001",
    )
    (folder / "device" / "vpd_pg80").write_bytes(b"\x00\x80\x00\x08K1A00009")
    (folder / "device" / "vpd_pgb1").write_bytes(b"\x00\xb1\x00\x3c\x00\x01" + bytes(58))
    (drive,) = look(machine)
    assert (drive.id, drive.serial, drive.firmware) == ("wwn-0x5000c500000000aa", "K1A00009", "0001")
    assert (drive.kind, drive.rotation_rpm) == (DriveKind.SSD, None)
    assert drive.place == "pci-0000:00:02.0-scsi-0:0:1:0"


@pytest.mark.parametrize(
    "name",
    ["loop0", "ram1", "zram0", "dm-0", "md127", "nbd3", "sr0", "mmcblk0boot0", "drbd1", "zd16", "fd0"],
)
def test_what_is_no_drive_is_left_out(machine: FakeMachine, name: str) -> None:
    machine.add_drive(name)
    assert look(machine) == []


def test_an_empty_card_reader_and_a_controllers_virtual_drive_are_no_drives(machine: FakeMachine) -> None:
    machine.add_drive("sdx", sectors=0)
    machine.write(machine.roots.sys / "class/scsi_host/host12", "proc_name", "megaraid_sas\n")
    machine.add_drive("sdv", hctl="12:2:0:0")
    machine.add_drive("sdj", hctl="12:0:8:0")
    assert [drive.name for drive in look(machine)] == ["sdj"]


def test_drives_with_the_same_wwn_or_none_are_told_apart(machine: FakeMachine) -> None:
    cheap = {"ID_BUS": "ata", "ID_MODEL": "CHEAP_SSD", "ID_WWN": "0x5000000000000001"}
    machine.add_drive("sda", hctl="0:0:0:0", udev={**cheap, "ID_SERIAL_SHORT": "A1"})
    machine.add_drive("sdb", hctl="1:0:0:0", udev={**cheap, "ID_SERIAL_SHORT": "A2"})
    same = {"ID_BUS": "usb", "ID_MODEL": "BRIDGE", "ID_SCSI_SERIAL": "0123456789"}
    machine.add_drive("sdc", hctl="2:0:0:0", udev={**same, "ID_PATH": "pci-1-usb-1"})
    machine.add_drive("sdd", hctl="3:0:0:0", udev={**same, "ID_PATH": "pci-1-usb-2"})
    machine.add_drive("sde", hctl="4:0:0:0", udev={"ID_SERIAL_SHORT": "00000000", "ID_PATH": "pci-2-ata-1"})
    assert {drive.name: drive.id for drive in look(machine)} == {
        "sda": "CHEAP_SSD:A1",
        "sdb": "CHEAP_SSD:A2",
        "sdc": "BRIDGE@pci-1-usb-1",
        "sdd": "BRIDGE@pci-1-usb-2",
        "sde": "drive@pci-2-ata-1",
    }


def test_a_drive_under_raid_and_lvm_with_the_root_on_it_is_the_systems(machine: FakeMachine) -> None:
    for name in ("sda", "sdb", "sdc"):
        machine.add_drive(
            name, hctl=f"0:0:{ord(name[2]) - 97}:0", udev=SATA | {"ID_WWN": f"0x{ord(name[2])}"}
        )
    for disk in ("sda", "sdb"):
        machine.add_partition(f"{disk}1", disk)
    machine.add_above("md0", "sda1", "sdb1")
    machine.add_above("dm-0", "md0")
    machine.mount("dm-0", "/")
    machine.add_partition("sdc1", "sdc")
    machine.mount("sdc1", "/srv/the recordings")
    found = {drive.name: drive for drive in look(machine)}
    assert [found[name].is_system for name in ("sda", "sdb", "sdc")] == [True, True, False]
    assert found["sda"].holders == ("md0",)
    assert found["sda"].mounts == ("/",)
    assert found["sdc"].mounts == ("/srv/the recordings",)
    assert found["sdc"].is_in_use


def test_swap_makes_a_drive_the_systems(machine: FakeMachine) -> None:
    machine.add_drive("sda", udev=SATA)
    machine.add_partition("sda2", "sda")
    machine.swap("/dev/sda2")
    (drive,) = look(machine)
    assert drive.is_system
    assert drive.mounts == ("swap",)


def test_all_drives_of_a_btrfs_are_in_use_although_the_mount_table_names_one(machine: FakeMachine) -> None:
    for name in ("sda", "sdb"):
        machine.add_drive(name, udev=SATA | {"ID_WWN": f"0x{ord(name[2])}", "ID_FS_TYPE": "btrfs"})
        machine.write(machine.roots.sys / "fs/btrfs/1234/devices" / name, "x", "")
    machine.mount("sda", "/srv/pool", "btrfs", device="0:44")
    assert [drive.mounts for drive in look(machine)] == [("/srv/pool",)] * 2


def test_what_another_mount_namespace_has_mounted_is_in_use_too(machine: FakeMachine) -> None:
    machine.add_drive("sda", udev=SATA)
    number = (machine.folder("sda") / "dev").read_text()
    machine.write(machine.roots.proc, "1/mountinfo", f"30 1 {number} / /backup rw - ext4 /dev/sda rw\n")
    (drive,) = look(machine)
    assert drive.mounts == ("/backup",)


def test_blkid_is_asked_only_where_udev_says_nothing_and_never_about_a_drive_in_use(
    machine: FakeMachine,
) -> None:
    machine.add_drive("sda", udev=SATA | {"ID_WWN": "0x1", "ID_FS_TYPE": "ext4"})
    machine.add_drive("sdb", udev=SATA | {"ID_WWN": "0x2"})
    machine.add_drive("sdc", udev=SATA | {"ID_WWN": "0x3"})
    machine.mount("sdc", "/srv/x")
    run = FakeRunner(
        {"blkid -p -o export /dev/sdb": (0, "DEVNAME=/dev/sdb\nTYPE=xfs\nUUID=1-2-3\nUSAGE=filesystem\n", "")}
    )
    scan = DriveScan(machine.roots, run, Chassis.load("chassis_8"))
    assert [(drive.name, drive.signature) for drive in scan.drives()] == [
        ("sda", "ext4"),
        ("sdb", "xfs"),
        ("sdc", ""),
    ]
    scan.drives()
    assert len(run.asked) == 1
    # Something was written: look again.
    machine.write(machine.folder("sdb"), "stat", "10 0 80 1 6 0 40 1 0 2 2")
    scan.drives()
    assert len(run.asked) == 2


@pytest.mark.parametrize(
    ("answer", "signature"),
    [
        (CommandTimeout("blkid did not end"), "unreadable"),
        ((2, "", "blkid: error: /dev/sda: Input/output error"), "unreadable"),
        ((8, "", ""), "several signatures"),
        ((0, "DEVNAME=/dev/sda\nPTTYPE=dos\n", ""), "dos"),
    ],
)
def test_a_drive_that_cannot_be_read_is_not_blank_and_not_asked_at_every_look(
    machine: FakeMachine, answer: tuple[int, str, str] | Exception, signature: str
) -> None:
    machine.add_drive("sda", udev=SATA)
    run = FakeRunner({"blkid": answer})
    scan = DriveScan(machine.roots, run, Chassis.load("chassis_8"))
    assert [scan.drives()[0].signature for _ in range(20)] == [signature] * 20
    assert len(run.asked) == 1


def test_the_md_superblock_is_found_on_the_drive_and_on_its_partition(machine: FakeMachine) -> None:
    member = {"ID_FS_TYPE": "linux_raid_member", "ID_FS_UUID": "aabbccdd-0011-2233-4455-66778899aabb"}
    machine.add_drive("sda", udev=SATA | {"ID_WWN": "0x1"} | member)
    machine.add_drive("sdb", udev=SATA | {"ID_WWN": "0x2", "ID_PART_TABLE_TYPE": "gpt"})
    machine.add_partition("sdb1", "sdb", udev=member)
    first, second = look(machine)
    assert first.md_uuid == second.md_uuid == "aabbccdd:00112233:44556677:8899aabb"
    assert (first.signature, second.signature) == ("linux_raid_member", "gpt")


def test_a_drive_in_an_enclosure_gets_its_bay_from_the_file_slot(
    machine: FakeMachine, tmp_path: Path
) -> None:
    machine.add_drive("sdb", hctl="1:0:3:0", udev=SATA)
    machine.add_slot("1:0:15:0", "Slot 05", 4, "sdb", id="0x50060480aabbcc00")
    file = tmp_path / "box.toml"
    file.write_text(
        'name = "box"\nrows = [[0, 1]]\n[[bay]]\nnumber = 1\nenclosure = "0x50060480aabbcc00"\nslot = 4\nside = "left"\n'
    )
    (drive,) = look(machine, chassis=Chassis.load(file))
    assert (drive.bay, drive.side, drive.enclosure, drive.enclosure_slot) == (1, "left", "1:0:15:0", 4)


def test_temperatures_come_from_drivetemp_and_nvme_and_appear_at_the_next_look(machine: FakeMachine) -> None:
    machine.add_drive("sda", hctl="0:0:0:0", udev=SATA, device__hwmon__hwmon2__temp1_input="38000")
    folder = machine.folder("sda") / "device" / "hwmon" / "hwmon2"
    machine.write(folder, "temp1_crit", "65261850")
    machine.write(folder, "temp1_max", "60000")
    machine.add_drive("nvme0n1", udev={"ID_WWN": "eui.0025385b71b12345"}, device__hwmon3__temp1_input="50850")
    scan = DriveScan(machine.roots, FakeRunner({"blkid": BLANK}), Chassis.load("chassis_8"))
    assert {drive.temperature_c for drive in scan.drives()} == {None}
    sata, nvme = "wwn-0x50014ee2b0000001", "wwn-eui.0025385b71b12345"
    assert scan.temperatures() == {sata: 38, nvme: 51}
    found = {drive.id: drive for drive in scan.drives()}
    assert (found[sata].temperature_c, found[sata].temperature_warning_c) == (38, 60)
    assert found[sata].temperature_critical_c is None
    assert found[nvme].kind is DriveKind.NVME


def test_activity_is_not_counted_for_another_drive_under_the_same_name(machine: FakeMachine) -> None:
    machine.add_drive("sda", udev=SATA, diskseq="7")
    scan = DriveScan(machine.roots, FakeRunner({"blkid": BLANK}), Chassis.load("chassis_8"))
    assert scan.activity() == {"wwn-0x50014ee2b0000001": 15}
    machine.write(machine.folder("sda"), "diskseq", "8")
    assert scan.activity() == {}


def test_drives_are_listed_by_bay_whatever_the_kernel_calls_them(
    machine: FakeMachine, tmp_path: Path
) -> None:
    for name, port in (("sda", 2), ("sdb", 0), ("sdc", 1)):
        machine.add_drive(
            name, udev=SATA | {"ID_WWN": f"0x{port + 1}", "ID_PATH": f"pci-0000:00:17.0-ata-{port}.0"}
        )
    file = tmp_path / "box.toml"
    bays = "".join(
        f'[[bay]]\nnumber = {number}\npath = "pci-0000:00:17.0-ata-{number}"\n' for number in range(3)
    )
    file.write_text(f'name = "box"\nrows = [[0, 1, 2]]\n{bays}')
    assert [(drive.bay, drive.name) for drive in look(machine, chassis=Chassis.load(file))] == [
        (0, "sdb"),
        (1, "sdc"),
        (2, "sda"),
    ]


def test_a_drive_that_is_pulled_while_it_is_read_is_nobody(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half an identity would be another drive's: an array then remembered a member without bay and serial number."""
    folder = machine.add_drive("sdb", hctl="2:0:0:0", udev=SATA)
    machine.add_drive("sdc", hctl="2:0:1:0", udev={**SATA, "ID_WWN": "0x50014ee2b0000002"})
    read = scan.read_identity

    def pulled(name: str, where: Path, udev: UdevEntry) -> DriveIdentity:
        identity = read(name, where, udev)
        if name == "sdb":
            (folder / "size").unlink()
        return identity

    monkeypatch.setattr(scan, "read_identity", pulled)
    assert [drive.wwn for drive in look(machine)] == ["0x50014ee2b0000002"]
