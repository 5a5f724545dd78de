"""Each operation: what would be run, what is refused, and what is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.errors import (
    CommandFailed,
    Conflict,
    InvalidInput,
    NotFound,
    OperationRefused,
    Unsupported,
)
from storage.raid.inventory import Rates
from storage.raid.operations import (
    AssignSpare,
    ClearForeign,
    CreateVirtualDrive,
    DeleteVirtualDrive,
    ImportForeign,
    Migrate,
    PauseTask,
    PrepareRemoval,
    ReAddMember,
    ReleaseSpare,
    ResumeTask,
    SetGood,
    SetOffline,
    SetRates,
    Silence,
    StartCheck,
    StartInitialisation,
    StartPatrolRead,
    StartRebuild,
    StopTask,
)
from storage.raid.states import DriveState, RaidLevel, SpareKind, TaskKind, TaskState
from tests.storage.raid.md.fake_machine import MIB, Machine, uuid_of


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path, count=12)


def ids(*numbers: int) -> tuple[str, ...]:
    return tuple(f"wwn-BAY{number:02d}" for number in numbers)


def planned(machine: Machine, operation: object) -> list[str]:
    backend = machine.backend()
    return [str(command) for command in backend.plan(operation, backend.inventory())]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("level", "spans", "count"),
    [
        (RaidLevel.RAID0, (ids(0),), 1),
        (RaidLevel.RAID1, (ids(0, 1),), 1),
        (RaidLevel.RAID5, (ids(0, 1, 2),), 1),
        (RaidLevel.RAID6, (ids(0, 1, 2, 3),), 1),
        (RaidLevel.RAID10, (ids(0, 1), ids(2, 3)), 1),
        (RaidLevel.RAID00, (ids(0, 1), ids(2, 3)), 3),
        (RaidLevel.RAID50, (ids(0, 1, 2), ids(3, 4, 5)), 3),
        (RaidLevel.RAID60, (ids(0, 1, 2, 3), ids(4, 5, 6, 7)), 3),
    ],
)
def test_every_level_is_made_and_found_again(
    machine: Machine, level: RaidLevel, spans: tuple[tuple[str, ...], ...], count: int
) -> None:
    backend = machine.backend()
    after = backend.perform(CreateVirtualDrive(name="V", level=level, spans=spans), backend.inventory())
    assert [(vd.name, vd.level) for vd in after.virtual_drives] == [("V", level)]
    creates = [line for line in machine.ran if "--create" in line]
    assert len(creates) == count
    for line in creates:
        assert "--metadata=1.2" in line
        assert "--homehost=any" in line
        assert ("--bitmap=internal" in line) is ("--level=0" not in line)
    members = [drive for drive in after.drives if drive.state is DriveState.ONLINE]
    assert len(members) == sum(len(span) for span in spans)
    gone = backend.perform(DeleteVirtualDrive(virtual_drive="V"), backend.inventory())
    assert (gone.virtual_drives, gone.groups) == ((), ())
    assert {drive.state for drive in gone.drives} == {DriveState.UNCONFIGURED_GOOD}


def test_the_first_megabytes_of_each_member_are_blank_before_an_array_is_made(machine: Machine) -> None:
    machine.found[0].size_bytes = 16 * 1000**4
    machine.found[1].size_bytes = 4 * 1000**4
    backend = machine.backend()
    backend.perform(
        CreateVirtualDrive(name="V", level=RaidLevel.RAID0, spans=(ids(0, 1, 2),)), backend.inventory()
    )
    assert machine.ran[:3] == [
        f"blkdiscard --zeroout --length={132 * MIB} /dev/sda",
        f"blkdiscard --zeroout --length={132 * MIB} /dev/sdb",
        f"blkdiscard --zeroout --length={4 * MIB} /dev/sdc",
    ]
    assert "--create" in machine.ran[3]


def test_what_cannot_be_made_blank_becomes_no_array(machine: Machine) -> None:
    machine.statuses["blkdiscard"] = (1, "blkdiscard: /dev/sda: BLKZEROOUT ioctl failed: Input/output error")
    backend = machine.backend()
    op = CreateVirtualDrive(name="V", level=RaidLevel.RAID0, spans=(ids(0, 1),))
    with pytest.raises(CommandFailed, match="Input/output error"):
        backend.perform(op, backend.inventory())
    assert not any("--create" in line for line in machine.ran)


def test_a_creation_that_fails_half_way_leaves_nothing_behind(machine: Machine) -> None:
    backend = machine.backend()
    run = machine._mdadm

    def fail_top(argv: list[str]) -> None:
        if "--level=0" not in argv:
            run(argv)

    machine._mdadm = fail_top  # type: ignore[method-assign]
    machine.statuses["--level=0"] = (1, "mdadm: cannot open /dev/md/V-1")
    op = CreateVirtualDrive(name="V", level=RaidLevel.RAID50, spans=(ids(0, 1, 2), ids(3, 4, 5)))
    with pytest.raises(CommandFailed, match="cannot open"):
        backend.perform(op, backend.inventory())
    after = backend.inventory()
    assert after.groups == ()
    assert {drive.state for drive in after.drives} == {DriveState.UNCONFIGURED_GOOD}


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        (CreateVirtualDrive(name="bad name", level=RaidLevel.RAID5, spans=(ids(0, 1, 2),)), InvalidInput),
        (CreateVirtualDrive(name="A", level=RaidLevel.RAID5, spans=(ids(4, 5, 6),)), InvalidInput),
        (CreateVirtualDrive(name="V", level=RaidLevel.RAID5, spans=(ids(4, 5),)), InvalidInput),
        (CreateVirtualDrive(name="V", level=RaidLevel.RAID1, spans=(ids(4, 5, 6, 7),)), Unsupported),
        (CreateVirtualDrive(name="V", level=RaidLevel.RAID6, spans=(ids(4, 5, 6),)), Unsupported),
        (CreateVirtualDrive(name="V", level=RaidLevel.RAID5, spans=(ids(0, 5, 6),)), OperationRefused),
        (CreateVirtualDrive(name="V", level=RaidLevel.RAID5, spans=(("nobody", *ids(5, 6)),)), NotFound),
        (CreateVirtualDrive(name="V", level=RaidLevel.RAID0, spans=(ids(5),), spares=ids(6)), InvalidInput),
        (DeleteVirtualDrive(virtual_drive="nobody"), NotFound),
        (StartRebuild(group="A", drive="wwn-BAY05"), OperationRefused),
        (ReAddMember(drive="wwn-BAY05"), Conflict),
        (SetGood(drive="wwn-BAY05"), Conflict),
        (SetGood(drive="wwn-BAY00"), OperationRefused),
        (SetOffline(drive="wwn-BAY05"), Conflict),
        (PrepareRemoval(drive="wwn-BAY00"), OperationRefused),
        (ClearForeign(drives=ids(5)), OperationRefused),
        (ImportForeign(foreign="md-nobody"), NotFound),
        (Migrate(virtual_drive="A", level=RaidLevel.RAID1), Unsupported),
        (Migrate(virtual_drive="A", level=RaidLevel.RAID6), InvalidInput),
        (StopTask(task="check:A"), NotFound),
        (SetRates(controller="md", rates=Rates(check=0)), OperationRefused),
        (Silence(controller="md"), Unsupported),
        (ReleaseSpare(drive="wwn-BAY05"), Conflict),
        (AssignSpare(drive="wwn-BAY00", kind=SpareKind.GLOBAL), OperationRefused),
        (AssignSpare(drive="wwn-BAY05", kind=SpareKind.DEDICATED), InvalidInput),
    ],
    ids=repr,
)
def test_what_cannot_be_done_is_refused_before_anything_runs(
    machine: Machine, operation: object, error: type[Exception]
) -> None:
    machine.array("md127", "A", "raid5", ["sda", "sdb", "sdc"])
    backend = machine.backend()
    with pytest.raises(error):
        backend.perform(operation, backend.inventory())  # type: ignore[arg-type]
    assert machine.ran == []


def test_a_mounted_virtual_drive_is_not_deleted(machine: Machine) -> None:
    machine.array("md127", "A", "raid5", ["sda", "sdb", "sdc"])
    (machine.roots.proc / "self").mkdir()
    (machine.roots.proc / "self" / "mountinfo").write_text("30 1 9:127 / /srv/a rw - xfs /dev/md127 rw\n")
    with pytest.raises(OperationRefused, match="/srv/a"):
        planned(machine, DeleteVirtualDrive(virtual_drive="A"))


def test_a_global_spare_is_remembered_over_a_restart_and_used_by_a_rebuild(machine: Machine) -> None:
    machine.array("md127", "A", "raid5", ["sda", "sdb", "sdc"])
    backend = machine.backend()
    backend.perform(AssignSpare(drive="wwn-BAY05", kind=SpareKind.GLOBAL), backend.inventory())
    backend = machine.backend()
    drive = backend.inventory().drive("wwn-BAY05")
    assert drive is not None
    assert (drive.state, drive.spare) == (DriveState.HOT_SPARE, SpareKind.GLOBAL)
    machine.pull(1)
    inventory = backend.inventory()
    after = backend.perform(StartRebuild(group=inventory.groups[0].id, drive="wwn-BAY05"), inventory)
    assert machine.ran == ["mdadm /dev/md127 --add /dev/sdf"]
    assert [(task.kind, task.drive) for task in after.tasks] == [(TaskKind.REBUILD, "wwn-BAY05")]
    machine.member("md127", "sdf", slot=None, state="spare")  # the rebuild failed (row RB-06)
    machine.set("md127", "sync_action", "idle")
    drive = backend.inventory().drive("wwn-BAY05")
    assert drive is not None
    assert (drive.state, drive.spare) == (DriveState.HOT_SPARE, SpareKind.GLOBAL)
    machine.member("md127", "sdf", slot=1)
    backend.inventory()
    assert backend.memory.spares == {}


def test_a_dedicated_spare_is_mds_own_for_a_plain_array_and_remembered_for_a_nested_one(
    machine: Machine,
) -> None:
    machine.array("md127", "A", "raid5", ["sda", "sdb", "sdc"])
    machine.array("md125", "B-0", "raid5", ["sdd", "sde", "sdf"])
    machine.array("md124", "B-1", "raid5", ["sdg", "sdh", "sdi"])
    machine.array("md126", "B", "raid0", ["md125", "md124"])
    backend = machine.backend()
    groups = {group.name: group.id for group in backend.inventory().groups}
    for id, name in (("wwn-BAY09", "A"), ("wwn-BAY10", "B")):
        op = AssignSpare(drive=id, kind=SpareKind.DEDICATED, groups=(groups[name],))
        after = backend.perform(op, backend.inventory())
        drive = after.drive(id)
        assert drive is not None
        assert (drive.state, drive.spare_groups) == (DriveState.HOT_SPARE, (groups[name],))
    assert machine.ran == ["mdadm /dev/md127 --add-spare /dev/sdj"]
    backend.perform(ReleaseSpare(drive="wwn-BAY09"), backend.inventory())
    backend.perform(ReleaseSpare(drive="wwn-BAY10"), backend.inventory())
    assert [drive.spare for drive in backend.inventory().drives] == [None] * 12


def test_re_adding_says_plainly_when_md_does_not_take_the_drive_back(machine: Machine) -> None:
    machine.array("md127", "A", "raid5", ["sda", "sdb", "sdc"])
    backend = machine.backend()
    backend.inventory()
    machine.pull(1)
    back = machine.add_drive(1)
    back.signature, back.md_uuid = "linux_raid_member", uuid_of("A")
    machine.is_asleep = True
    machine.statuses["--re-add"] = (1, "mdadm: --re-add for /dev/sdb to /dev/md127 is not possible")
    with pytest.raises(CommandFailed, match="did not take it back.*not possible"):
        backend.perform(ReAddMember(drive="wwn-BAY01"), backend.inventory())
    machine.is_asleep = False
    machine.statuses.clear()
    after = backend.perform(ReAddMember(drive="wwn-BAY01"), backend.inventory())
    assert [task.kind for task in after.tasks] == [TaskKind.REBUILD]


def test_a_check_is_started_paused_resumed_where_it_was_and_its_result_kept(machine: Machine) -> None:
    machine.array("md127", "A", "raid5", ["sda", "sdb", "sdc"])
    backend = machine.backend()
    after = backend.perform(StartCheck(virtual_drive="A", repair=True), backend.inventory())
    (task,) = after.tasks
    machine.set("md127", "sync_completed", "5000 / 20000")
    machine.set("md127", "sync_speed", "1000")
    (running,) = backend.inventory().tasks
    assert (running.progress, running.rate_bps, running.eta_s) == (0.25, 1_024_000, 7)
    after = backend.perform(PauseTask(task=task.id), backend.inventory())
    assert machine.get("md127", "sync_action") == "idle"
    assert [(task.state, task.progress) for task in after.tasks] == [(TaskState.PAUSED, 0.25)]
    after = machine.backend().perform(ResumeTask(task=task.id), machine.backend().inventory())
    assert (machine.get("md127", "sync_min"), machine.get("md127", "sync_action")) == ("5000", "repair")
    machine.set("md127", "sync_action", "idle")
    machine.set("md127", "last_sync_action", "repair")
    machine.set("md127", "sync_min", "0")
    machine.set("md127", "mismatch_cnt", "128")
    (vd,) = machine.backend().inventory().virtual_drives
    assert (vd.mismatches, vd.checked_us) == (128, 1_700_000_000_000_000)


def test_a_rebuild_is_frozen_and_goes_on(machine: Machine) -> None:
    machine.array("md127", "A", "raid5", ["sda", "sdb", "sdc"])
    machine.member("md127", "sdc", slot=2, state="spare")
    machine.set("md127", "sync_action", "recover")
    backend = machine.backend()
    (task,) = backend.inventory().tasks
    assert not task.can_stop
    after = backend.perform(PauseTask(task=task.id), backend.inventory())
    assert machine.get("md127", "sync_action") == "frozen"
    assert [task.state for task in after.tasks] == [TaskState.PAUSED]
    backend.perform(ResumeTask(task=task.id), backend.inventory())
    assert machine.get("md127", "sync_action") == "idle"


def test_a_patrol_read_checks_what_is_redundant_and_is_named_as_one(machine: Machine) -> None:
    machine.array("md127", "A", "raid5", ["sda", "sdb", "sdc"])
    machine.array("md126", "S", "raid0", ["sdd", "sde"])
    backend = machine.backend()
    after = backend.perform(StartPatrolRead(controller="md"), backend.inventory())
    assert [task.kind for task in after.tasks] == [TaskKind.PATROL_READ]
    with pytest.raises(Conflict, match="self-test"):
        backend.perform(StartPatrolRead(controller="md"), backend.inventory())
    with pytest.raises(Unsupported):
        backend.perform(StartCheck(virtual_drive="S"), backend.inventory())
    with pytest.raises(Unsupported):
        backend.perform(StartInitialisation(virtual_drive="S"), backend.inventory())


def test_rates_become_limits_of_the_work_that_runs_below_the_systems_own(machine: Machine) -> None:
    machine.array("md127", "A", "raid5", ["sda", "sdb", "sdc"], sync_action="check")
    (machine.roots.proc / "sys/dev/raid/speed_limit_max").write_text("100000")
    backend = machine.backend()
    backend.perform(SetRates(controller="md", rates=Rates(check=10)), backend.inventory())
    assert machine.get("md127", "sync_speed_max") == str(180 * 1024 // 10)
    assert machine.get("md127", "sync_speed_min") == str(180 * 1024 // 10)
    backend.perform(SetRates(controller="md", rates=Rates(check=100)), backend.inventory())
    assert machine.get("md127", "sync_speed_max") == "100000"
    assert machine.backend().inventory().controllers[0].rates.check == 100


def test_a_drive_that_is_prepared_is_let_go_of_by_the_kernel_and_stays_on_view(machine: Machine) -> None:
    machine.drive(5).interface = "SATA"
    assert planned(machine, PrepareRemoval(drive="wwn-BAY05")) == [
        "hdparm -y /dev/sdf",
        f"echo 1 > {machine.roots.sys}/block/sdf/device/delete",
    ]
    backend = machine.backend()
    backend.perform(PrepareRemoval(drive="wwn-BAY05"), backend.inventory())
    machine.pull(5)
    backend.inventory()
    assert (machine.roots.sys / "block/sdf/device/delete").read_text() == "1"


def test_growing_adds_drives_and_says_what_happens_to_one_replaced_meanwhile(machine: Machine) -> None:
    machine.array("md127", "A", "raid5", ["sda", "sdb", "sdc"])
    backend = machine.backend()
    op = Migrate(virtual_drive="A", level=RaidLevel.RAID6, add=ids(5))
    commands = backend.plan(op, backend.inventory())
    assert [str(command).partition(" --backup")[0] for command in commands] == [
        "mdadm /dev/md127 --add-spare /dev/sdf",
        "mdadm --grow /dev/md127 --raid-devices=4 --level=6",
    ]
    assert "by hand" in commands[-1].note
    (machine.roots.run / "systemd/system").rmdir()
    with pytest.raises(Unsupported, match="systemd"):
        backend.plan(op, backend.inventory())


def test_foreign_drives_are_imported_or_cleared(machine: Machine) -> None:
    for number in (0, 1, 2):
        machine.drive(number).signature = "linux_raid_member"
        machine.drive(number).md_uuid = uuid_of("F")
    foreign = f"md-{uuid_of('F').replace(':', '-')}"
    (command,) = planned(machine, ImportForeign(foreign=foreign))
    assert command.startswith(f"mdadm --assemble --run --uuid={uuid_of('F')}")
    assert command.endswith("/dev/sda /dev/sdb /dev/sdc")
    backend = machine.backend()
    after = backend.perform(ClearForeign(drives=ids(0, 1, 2)), backend.inventory())
    assert {drive.state for drive in after.drives} == {DriveState.UNCONFIGURED_GOOD}


def test_mdadms_configuration_lists_what_runs_and_keeps_strangers_waiting(machine: Machine) -> None:
    (machine.roots.etc / "mdadm").mkdir()
    (machine.roots.etc / "mdadm" / "mdadm.conf").write_text(f"ARRAY /dev/md0 UUID={uuid_of('listed')}\n")
    machine.array("md127", "A", "raid5", ["sda", "sdb", "sdc"])
    machine.array("md0", "listed", "raid1", ["sdd1", "sde1"])
    machine.array("md1", "other", "raid1", ["sdd2", "sde2"])
    backend = machine.backend()
    assert "2 arrays" in backend.tend(backend.inventory())[0]
    assert backend.tend(backend.inventory()) == ()
    text = (machine.roots.etc / "mdadm/mdadm.conf.d/watchdeck.conf").read_text()
    assert "AUTO -all" in text
    assert [uuid_of(name) in text for name in ("A", "other", "listed")] == [True, True, False]
