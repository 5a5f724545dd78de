from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from storage.command import Completed
from storage.errors import Conflict, InvalidInput, NotFound, OperationRefused, StateChanged
from storage.raid.inventory import VirtualDrive
from storage.raid.states import RaidLevel, VirtualDriveState
from storage.volumes.lasting_mounts import LastingMounts, check_owners, check_spelling
from storage.volumes.provision import Provision
from tests.storage.drives.fake_machine import FakeMachine, FakeRunner

GOOD = (0, "", "")
ARRAY = VirtualDrive(
    id="md-aabbccdd:00112233:44556677:8899aabb",
    name="E",
    group="g",
    level=RaidLevel.RAID5,
    state=VirtualDriveState.ONLINE,
    device="/dev/md127",
    size_bytes=512_000_000,
)


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    """With systemd, and an array md127."""
    made = FakeMachine(tmp_path)
    (made.roots.run / "systemd" / "system").mkdir(parents=True)
    made.add_drive("sda")
    made.add_above("md127", "sda")
    made.write(made.folder("md127"), "md/uuid", "aabbccdd-0011-2233-4455-66778899aabb")
    return made


@pytest.mark.parametrize(
    "path",
    ["srv", "/", "/srv/../etc", "/srv//a", "/srv/a/", "/etc/x", "/usr", "/dev/shm/x", "/srv/a\nb", "//srv"],
)
def test_what_is_no_place_for_recordings_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput):
        check_spelling(path)


def test_a_link_on_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(InvalidInput, match="leads through a link"):
        check_spelling(str(tmp_path / "link" / "volume"))


@pytest.mark.parametrize(("mode", "is_safe"), [(0o755, True), (0o700, True), (0o1777, True), (0o757, False)])
def test_no_volume_goes_below_a_folder_that_somebody_else_may_rename(
    tmp_path: Path, mode: int, is_safe: bool
) -> None:
    """Root makes folders, mounts and gives away the mount point there."""
    tmp_path.chmod(mode)
    try:
        if is_safe:
            check_owners(str(tmp_path / "group" / "volume"))
        else:
            with pytest.raises(OperationRefused, match="other users than root"):
                check_owners(str(tmp_path / "group" / "volume"))
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_no_volume_goes_below_a_folder_of_the_recorder(tmp_path: Path) -> None:
    os.chown(tmp_path, 4711, 4711)
    with pytest.raises(OperationRefused, match="other users than root"):
        check_owners(str(tmp_path / "etc"))


def test_what_is_mounted_over_a_volume_is_not_unmounted_in_its_place(machine: FakeMachine) -> None:
    machine.add_drive("sdb")
    machine.mount("md127", "/srv/rec", "xfs")
    machine.mount("sdb", "/srv/rec", "xfs")
    run = FakeRunner({"blkid": (2, "", ""), "umount": GOOD})
    with pytest.raises(Conflict, match="/dev/sdb is mounted over E at /srv/rec"):
        Provision(machine.roots, run, (0, 0)).unmake(ARRAY)
    assert all(argv[0] != "umount" for argv in run.asked)


def test_a_folder_with_something_in_it_and_a_unit_of_somebody_else_are_refused(
    machine: FakeMachine, tmp_path: Path
) -> None:
    mounts = LastingMounts(machine.roots, FakeRunner())
    place = tmp_path / "volume"
    mounts.check_free(str(place))
    place.mkdir()
    mounts.check_free(str(place))
    (place / "file").write_text("")
    with pytest.raises(OperationRefused, match="not an empty folder"):
        mounts.check_free(str(place))
    machine.write(machine.roots.etc, "systemd/system/srv-x.mount", "[Mount]\nWhere=/srv/x\n")
    with pytest.raises(OperationRefused, match="is there already"):
        mounts.check_free("/srv/x")
    machine.write(machine.roots.etc, "fstab", "/dev/sda1 /srv/y ext4 defaults 0 0\n")
    with pytest.raises(OperationRefused, match="mounts something on /srv/y"):
        mounts.check_free("/srv/y")


@pytest.mark.parametrize(("uuids", "mount_points"), [(["11-22"], []), ([], ["/srv/rec"])])
def test_our_unit_is_written_and_taken_away_and_others_stay(
    machine: FakeMachine, uuids: list[str], mount_points: list[str]
) -> None:
    run = FakeRunner({"systemctl": GOOD})
    mounts = LastingMounts(machine.roots, run)
    units = machine.roots.etc / "systemd" / "system"
    machine.write(units, "srv-other.mount", "[Mount]\nWhat=/dev/disk/by-uuid/11-22\n")
    old_umask = os.umask(0o077)
    try:
        for command in mounts.commands("/dev/md127p1", "11-22", "/srv/rec", "xfs", "rec"):
            if command.write_path:
                mounts.write(command)
    finally:
        os.umask(old_umask)
    assert (units / "srv-rec.mount").stat().st_mode & 0o777 == 0o644
    assert (
        "JobRunningTimeoutSec=30s"
        in (units / r"dev-disk-by\x2duuid-11\x2d22.device.d" / "50-watchdeck.conf").read_text()
    )
    mounts.check_free("/srv/rec")
    mounts.forget({"33-44"}, {"/srv/other"})
    assert (units / "srv-rec.mount").exists()
    mounts.forget(set(uuids), set(mount_points))
    assert [path.name for path in units.iterdir()] == ["srv-other.mount"]
    assert run.lines() == ["systemctl disable srv-rec.mount", "systemctl daemon-reload"]


def test_the_plan_shows_every_step_and_changes_nothing(machine: FakeMachine) -> None:
    machine.write(machine.folder("md127"), "queue/minimum_io_size", "262144")
    machine.write(machine.folder("md127"), "queue/optimal_io_size", "524288")
    run = FakeRunner({"blkid": (2, "", ""), "wipefs": GOOD})
    before = sorted(machine.roots.etc.rglob("*"))
    steps = Provision(machine.roots, run, (998, 997)).plan(ARRAY, "rec", "/srv/rec", "xfs")
    assert [str(step).split(" ")[0] for step in steps] == [
        "sgdisk",
        "sgdisk",
        "wipefs",
        "mkfs.xfs",
        "echo",
        "echo",
        "systemctl",
        "systemctl",
        "chown",
    ]
    assert "su=262144,sw=2" in steps[3].argv
    assert steps[-1].argv == ("chown", "998:997", "/srv/rec")
    assert {argv[0] for argv in run.asked} == {"blkid", "wipefs"}
    assert sorted(machine.roots.etc.rglob("*")) == before
    assert Provision(machine.roots, run, (998, 997)).plan(ARRAY, "rec", "/srv/rec", "xfs") == steps


def plan(machine: FakeMachine, run: FakeRunner, label: str = "rec", file_system: str = "xfs") -> None:
    Provision(machine.roots, run, (0, 0)).plan(ARRAY, label, "/srv/rec", file_system)


def test_anything_on_the_array_is_a_reason_to_refuse(machine: FakeMachine) -> None:
    blank = FakeRunner({"blkid": (2, "", ""), "wipefs": GOOD})
    with pytest.raises(OperationRefused, match="carries LVM2_member already"):
        plan(machine, FakeRunner({"blkid": (0, "TYPE=LVM2_member\n", "")}))
    with pytest.raises(OperationRefused, match="signatures of several kinds"):
        plan(machine, FakeRunner({"blkid": (8, "", "")}))
    wiped = "# offset,uuid,label,type\n0x1fe,,,dos\n"
    with pytest.raises(OperationRefused, match="carries dos already"):
        plan(machine, FakeRunner({"blkid": (2, "", ""), "wipefs": (0, wiped, "")}))
    machine.add_above("dm-3", "md127")
    with pytest.raises(OperationRefused, match="is used by dm-3"):
        plan(machine, blank)
    machine.mount("dm-3", "/srv/old")
    with pytest.raises(OperationRefused, match="is mounted on /srv/old"):
        plan(machine, blank)


def test_another_array_under_the_same_name_is_not_touched(machine: FakeMachine) -> None:
    machine.write(machine.folder("md127"), "md/uuid", "00000000-0011-2233-4455-66778899aabb")
    with pytest.raises(StateChanged, match="is no longer E"):
        plan(machine, FakeRunner())
    machine.write(machine.folder("md127"), "md/uuid", "aabbccdd-0011-2233-4455-66778899aabb")
    machine.write(machine.folder("md127"), "size", "1000001")
    with pytest.raises(StateChanged, match="has 512000512 bytes"):
        plan(machine, FakeRunner())


@pytest.mark.parametrize(
    ("label", "file_system"),
    [
        ("", "xfs"),
        ("x" * 13, "xfs"),
        ("x" * 17, "ext4"),
        ("-x", "xfs"),
        ("a:b", "xfs"),
        ("ä", "xfs"),
        ("a", "btrfs"),
    ],
)
def test_labels_and_file_systems_that_do_not_go_are_refused(
    machine: FakeMachine, label: str, file_system: str
) -> None:
    with pytest.raises(InvalidInput):
        plan(machine, FakeRunner(), label, file_system)


def test_an_array_without_a_device_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="has no device"):
        plan(FakeMachine(tmp_path), FakeRunner())


def test_a_dead_array_is_forgotten_by_its_mount_point(machine: FakeMachine) -> None:
    machine.mount("md127", "/srv/rec", "xfs")
    machine.write(machine.roots.etc, "fstab", "# written by watchdeck\nUUID=1-2 /srv/rec xfs noatime 0 2\n")

    class Unmounting(FakeRunner):
        def __call__(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Completed:
            if argv[0] == "umount":
                machine.write(machine.roots.proc, "self/mountinfo", "")
            return super().__call__(argv, timeout_s=timeout_s, stdin=stdin)

    run = Unmounting({"blkid": (2, "", "blkid: error: /dev/md127: Input/output error"), "umount": GOOD})
    Provision(machine.roots, run, (0, 0)).unmake(ARRAY)
    assert "umount /srv/rec" in run.lines()
    assert (machine.roots.etc / "fstab").read_text() == ""
