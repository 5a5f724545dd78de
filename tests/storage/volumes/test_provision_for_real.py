"""A file system is really made, on a loop device. As root only; no systemd and no udev needed."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from storage.command import run
from storage.errors import Conflict, OperationRefused, StateChanged
from storage.raid.inventory import VirtualDrive
from storage.raid.states import RaidLevel, VirtualDriveState
from storage.roots import Roots
from storage.volumes.provision import Provision

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        os.geteuid() != 0 or not Path("/dev/loop-control").exists(), reason="needs root and loop devices"
    ),
]
SIZE_BYTES = 512 * 1024**2


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[VirtualDrive]:
    image = tmp_path / "drive.img"
    with image.open("wb") as file:
        file.truncate(SIZE_BYTES)
    done = subprocess.run(
        ["losetup", "--find", "--show", "--partscan", str(image)], capture_output=True, text=True
    )
    if done.returncode != 0:
        pytest.skip(f"no loop device: {done.stderr.strip()}")
    device = done.stdout.strip()
    yield VirtualDrive(
        id="c0-v1",
        name="E",
        group="g",
        level=RaidLevel.RAID5,
        state=VirtualDriveState.ONLINE,
        device=device,
        size_bytes=SIZE_BYTES,
    )
    subprocess.run(["umount", "--quiet", f"{device}p1"], capture_output=True)
    subprocess.run(["losetup", "--detach", device], check=True)


@pytest.fixture
def mount_point() -> Iterator[str]:
    place = Path(f"/mnt/watchdeck-test-{os.getpid()}/the volume")
    yield str(place)
    for folder in (place, place.parent):
        if folder.exists():
            folder.rmdir()


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "fstab").write_text("UUID=1-2 / ext4 defaults 0 1\n")
    return Roots(etc=tmp_path / "etc", run=tmp_path / "run")


@pytest.mark.parametrize("file_system", ["xfs", "ext4"])
def test_a_blank_virtual_drive_becomes_a_mounted_file_system_and_stops_being_one(
    drive: VirtualDrive, mount_point: str, roots: Roots, file_system: str
) -> None:
    provision = Provision(roots, run, (1234, 1235))
    planned = provision.plan(drive, "rec 1", mount_point, file_system)
    assert [command.argv[0] for command in planned if command.argv] == [
        "sgdisk",
        "sgdisk",
        "wipefs",
        f"mkfs.{file_system}",
        "mount",
        "chown",
    ]
    umask = os.umask(0o077)  # the drive service's
    try:
        made = provision.make(drive, "rec 1", mount_point, file_system)
    finally:
        os.umask(umask)
    assert os.stat(Path(mount_point).parent).st_mode & 0o7777 == 0o755, "the engine's user must get through"
    status = os.stat(mount_point)
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (1234, 1235, 0o755)
    assert os.path.ismount(mount_point)
    said = run(["blkid", "-p", "-o", "export", f"{drive.device}p1"], timeout_s=10).text
    assert f"UUID={made.uuid}" in said.splitlines()
    assert f"TYPE={file_system}" in said.splitlines()
    fstab = (roots.etc / "fstab").read_text()
    escaped = mount_point.replace(" ", r"\040")
    assert f"UUID={made.uuid} {escaped} {file_system} " in fstab
    # Called again after an interruption at the very end: nothing is made anew.
    assert provision.make(drive, "rec 1", mount_point, file_system) == made
    with pytest.raises(OperationRefused, match="in use"):
        provision.make(drive, "rec 1", "/mnt/elsewhere", file_system)

    with open(f"{mount_point}/open file", "w"), pytest.raises(Conflict, match="cannot be unmounted"):
        provision.unmake(drive)
    assert os.path.ismount(mount_point)
    provision.unmake(drive)
    assert not os.path.ismount(mount_point)
    assert (roots.etc / "fstab").read_text() == "UUID=1-2 / ext4 defaults 0 1\n"

    # A new array of the same drives: its table is gone, but the old file system shows through where the partition begins.
    subprocess.run(["sgdisk", "--zap-all", drive.device], check=True, capture_output=True)
    subprocess.run(["partx", "--update", drive.device], capture_output=True)
    assert provision.make(drive, "rec 1", mount_point, file_system).uuid != made.uuid
    provision.unmake(drive)

    # And half of the table is still there, which blkid takes for nothing and sgdisk for damage; where the partition begins stands a whole
    # one, because the earlier array's data began elsewhere.
    halve_the_table(drive.device)
    nest_a_table(drive.device, 2048)
    again = provision.make(drive, "rec 1", mount_point, file_system)
    assert again.uuid != made.uuid
    provision.unmake(drive)


def halve_the_table(device: str) -> None:
    """Leave the first header with entries that are not its own, and nothing of the second."""
    size_bytes = int(run(["blockdev", "--getsize64", device], timeout_s=10).text)
    with open(device, "r+b") as raw:
        for offset, data in ((0, bytes(512)), (1024, b"x" * 512), (size_bytes - 33 * 512, bytes(33 * 512))):
            raw.seek(offset)
            raw.write(data)
    subprocess.run(["partx", "--delete", device], capture_output=True)


def nest_a_table(device: str, start_sector: int) -> None:
    """As it would stand at the beginning of a disk."""
    size_bytes = int(run(["blockdev", "--getsize64", device], timeout_s=10).text) - start_sector * 512
    with tempfile.NamedTemporaryFile() as disk:
        os.truncate(disk.name, size_bytes)
        subprocess.run(["sgdisk", "--new=1:2048:0", disk.name], check=True, capture_output=True)
        with open(device, "r+b") as raw:
            raw.seek(start_sector * 512)
            raw.write(Path(disk.name).read_bytes()[: 34 * 512])


def test_a_file_system_of_somebody_else_is_not_overwritten(
    drive: VirtualDrive, mount_point: str, roots: Roots
) -> None:
    subprocess.run(["mkfs.ext4", "-q", "-F", drive.device], check=True)
    before = Path(drive.device).read_bytes()[: 4 * 1024**2]
    provision = Provision(roots, run, (0, 0))
    for call in (provision.plan, provision.make):
        with pytest.raises(OperationRefused, match="carries ext4"):
            call(drive, "rec", mount_point, "xfs")
    assert Path(drive.device).read_bytes()[: 4 * 1024**2] == before


def test_what_was_interrupted_after_the_partition_goes_on_and_a_foreign_partition_is_refused(
    drive: VirtualDrive, mount_point: str, roots: Roots
) -> None:
    provision = Provision(roots, run, (0, 0))
    partition = provision.plan(drive, "rec", mount_point, "xfs")[1]
    run(partition.argv, timeout_s=30).checked()
    run(["partx", "--update", drive.device], timeout_s=30)
    assert provision.plan(drive, "rec", mount_point, "xfs")[0].argv[0] == "mkfs.xfs"
    with pytest.raises(OperationRefused, match="has partitions"):
        provision.plan(drive, "other", mount_point, "xfs")
    assert provision.make(drive, "rec", mount_point, "xfs").path == mount_point
    provision.unmake(drive)


def test_a_device_of_another_size_is_not_the_virtual_drive_that_was_shown(
    drive: VirtualDrive, mount_point: str, roots: Roots
) -> None:
    other = msgspec.structs.replace(drive, size_bytes=SIZE_BYTES * 2)
    with pytest.raises(StateChanged, match="has 536870912 bytes"):
        Provision(roots, run, (0, 0)).plan(other, "rec", mount_point, "xfs")
