"""The simulated chassis as hardware: reports, sensors, volumes, scenario lines, and that a restart finds it again."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import simulated_hardware
from storage.drives.health import Verdict
from storage.drives.indicators import InformationPattern, TrayPattern
from storage.drives.sensors import SensorKind, SensorState
from storage.drives.smart_report import SelfTestKind
from storage.drives.smart_rules import judge
from storage.errors import (
    CommandFailed,
    Conflict,
    DriveError,
    InvalidInput,
    NotFound,
    OperationRefused,
    Unsupported,
)
from storage.hardware import Hardware
from storage.raid import operations as ops
from storage.raid.inventory import Drive, VirtualDrive
from storage.raid.simulated_layout import DEMO_LAYOUT
from storage.raid.states import DriveKind, DriveState, RaidLevel, SpareKind, VirtualDriveState
from storage.simulated_hardware import STATE_FILE, SimulatedHardware
from storage.simulated_steps import parse_step
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def chassis(tmp_path: Path, clock: FakeClock) -> Iterator[SimulatedHardware]:
    made = SimulatedHardware(tmp_path / "chassis", clock)
    yield made
    made.close()


def at(chassis: SimulatedHardware, bay: int) -> Drive:
    found = chassis.inventory().drive_in(bay)
    assert found is not None
    return found


def vd(chassis: SimulatedHardware, name: str = "A") -> VirtualDrive:
    found = chassis.inventory().virtual_drive(name)
    assert found is not None
    return found


def test_the_demo_has_two_recorded_virtual_drives_a_spare_and_a_system_drive(
    chassis: SimulatedHardware,
) -> None:
    hardware: Hardware = chassis
    now = hardware.inventory()
    assert hardware.layout().rows == ((4, 5, 6, 7), (0, 1, 2, 3))
    assert [(v.name, v.level, v.state, v.is_initialised) for v in now.virtual_drives] == [
        ("A", RaidLevel.RAID5, VirtualDriveState.ONLINE, True),
        ("B", RaidLevel.RAID5, VirtualDriveState.ONLINE, True),
    ]
    assert [(d.bay, d.spare) for d in now.drives if d.spare] == [(7, SpareKind.GLOBAL)]
    assert [(d.kind, d.bay) for d in now.drives if d.state is DriveState.PROTECTED] == [
        (DriveKind.NVME, None)
    ]
    for v in now.virtual_drives:
        assert Path(v.mounts[0].path).is_dir()
        assert v.file_system_uuid == v.mounts[0].uuid


def test_a_volume_is_out_of_reach_while_its_virtual_drive_has_failed(chassis: SimulatedHardware) -> None:
    path = Path(vd(chassis).mounts[0].path)
    (path / "recording").write_text("kept")
    chassis.do("pull 0")
    assert path.is_dir()
    first, second = at(chassis, 0).id, at(chassis, 1).id
    chassis.do("pull 1")
    assert vd(chassis).state is VirtualDriveState.FAILED
    assert not path.exists()
    assert vd(chassis).mounts == ()
    assert vd(chassis).file_system_uuid
    chassis.do("insert 1")
    chassis.do("insert 0")
    with pytest.raises(OperationRefused, match="lost last"):
        chassis.perform(ops.ReAddMember(drive=first), chassis.inventory())
    chassis.perform(ops.ReAddMember(drive=second), chassis.inventory())
    assert (path / "recording").read_text() == "kept"


def test_a_folder_made_in_its_place_is_kept_aside(chassis: SimulatedHardware) -> None:
    path = Path(vd(chassis).mounts[0].path)
    ids = [at(chassis, bay).id for bay in (0, 1)]
    chassis.do("pull 0")
    chassis.do("pull 1")
    path.mkdir()
    (path / "stray").write_text("x")
    chassis.do("insert 1")
    chassis.perform(ops.ReAddMember(drive=ids[1]), chassis.inventory())
    assert list(path.iterdir()) == []
    assert [p.read_text() for p in path.parent.glob(".stray-*/stray")] == ["x"]


def test_a_restart_finds_the_same_chassis(tmp_path: Path, clock: FakeClock) -> None:
    first = SimulatedHardware(tmp_path, clock)
    for line in ("pull 0", "errors 1 24", "fan 3 fail", "insert 0 blank 8TB", "temperature cpu 92"):
        first.do(line)
    first.start_self_test(at(first, 2).id, SelfTestKind.LONG)
    inventory, sensors = first.inventory(), first.sensors()
    # The process is killed: nothing is closed.
    second = SimulatedHardware(tmp_path, clock)
    assert (second.inventory(), second.sensors()) == (inventory, sensors)
    assert second.smart(at(second, 2).id).self_test_progress is not None
    second.close()
    first.close()


def test_a_damaged_state_file_is_named_with_what_to_do(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / STATE_FILE).write_text("{")
    with pytest.raises(DriveError, match=STATE_FILE) as damaged:
        SimulatedHardware(tmp_path, clock)
    assert "delete" in damaged.value.remedy


def test_a_disk_that_is_full_is_said_and_the_chassis_goes_on_in_memory(
    chassis: SimulatedHardware, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(simulated_hardware, "write_atomically", full)
        with pytest.raises(DriveError, match="No space left") as said:
            chassis.do("pull 0")
    assert said.value.remedy
    assert at(chassis, 0).state is DriveState.MISSING


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DriveError, match="file"):
        SimulatedHardware(tmp_path / "file" / "chassis", clock)


def test_reports_agree_with_the_drive_and_predict_before_it_fails(
    chassis: SimulatedHardware, clock: FakeClock
) -> None:
    id = at(chassis, 1).id
    healthy = chassis.smart(id)
    assert (healthy.protocol, healthy.serial, healthy.passed) == ("ata", at(chassis, 1).serial, True)
    assert judge(healthy, None, None).verdict is Verdict.GOOD
    clock.advance(3_600_000_000)
    chassis.do("errors 1 24")
    ill = chassis.smart(id)
    assert (ill.pending, ill.hours) == (24, (healthy.hours or 0) + 1)
    assert judge(ill, healthy, None).verdict is not Verdict.GOOD
    chassis.do("errors 1 100")
    assert chassis.smart(id).passed is False
    chassis.do("fail 1")
    with pytest.raises(CommandFailed, match="bay 1"):
        chassis.smart(id)


def test_the_system_drive_is_an_nvme_with_its_own_counters(chassis: SimulatedHardware) -> None:
    id = next(d.id for d in chassis.inventory().drives if d.kind is DriveKind.NVME)
    report = chassis.smart(id)
    assert (report.protocol, report.media_errors, report.pending) == ("nvme", 0, None)
    assert report.wear_percent is not None
    assert judge(report, None, None).verdict is Verdict.GOOD


def test_a_check_gives_unreadable_sectors_a_new_place(chassis: SimulatedHardware, clock: FakeClock) -> None:
    chassis.do("errors 2 8")
    chassis.perform(ops.StartCheck(virtual_drive="A"), chassis.inventory())
    clock.advance(100_000_000)
    chassis.inventory()
    report = chassis.smart(at(chassis, 2).id)
    assert (report.pending, report.reallocated) == (0, 8)


def test_a_self_test_takes_its_time_and_is_logged(chassis: SimulatedHardware, clock: FakeClock) -> None:
    id = at(chassis, 3).id
    assert "bay 3" in chassis.start_self_test(id, SelfTestKind.SHORT)
    with pytest.raises(Conflict):
        chassis.start_self_test(id, SelfTestKind.LONG)
    clock.advance(9_000_000)
    assert chassis.smart(id).self_test_progress == pytest.approx(0.5)
    clock.advance(9_000_000)
    assert [(t.kind, t.passed) for t in chassis.smart(id).self_tests] == [("short", True)]
    chassis.do("errors 3 8")
    chassis.start_self_test(id, SelfTestKind.LONG)
    clock.advance(90_000_000)
    assert [t.passed for t in chassis.smart(id).self_tests] == [False, True]
    chassis.start_self_test(id, SelfTestKind.LONG)
    chassis.abort_self_test(id)
    assert [t.passed for t in chassis.smart(id).self_tests] == [None, False, True]
    with pytest.raises(NotFound):
        chassis.abort_self_test(id)


def test_sensors_follow_the_scenario(chassis: SimulatedHardware) -> None:
    def bad() -> dict[str, SensorState]:
        return {s.name: s.state for s in chassis.sensors() if s.state is not SensorState.OK}

    kinds = [sensor.kind for sensor in chassis.sensors()]
    assert [
        kinds.count(kind) for kind in (SensorKind.FAN, SensorKind.POWER_SUPPLY, SensorKind.TEMPERATURE)
    ] == [6, 2, 4]
    assert bad() == {}
    for line in ("fan 3 fail", "psu 1 fail", "temperature cpu 92", "temperature inlet 41", "intrusion on"):
        chassis.do(line)
    assert bad() == {
        "FAN3": SensorState.FAILED,
        "PS1 Status": SensorState.FAILED,
        "CPU Temp": SensorState.FAILED,
        "Inlet Temp": SensorState.WARNING,
        "Chassis Intru": SensorState.WARNING,
    }
    for line in ("fan 3 ok", "psu 1 ok", "temperature cpu ok", "temperature inlet ok", "intrusion off"):
        chassis.do(line)
    assert bad() == {}


def test_a_drive_gets_warm_when_told_and_when_it_works(chassis: SimulatedHardware) -> None:
    id = at(chassis, 3).id
    cool = chassis.temperatures()[id]
    chassis.perform(ops.StartCheck(virtual_drive="A"), chassis.inventory())
    assert chassis.temperatures()[id] > cool
    chassis.do("temperature 3 58")
    assert chassis.temperatures()[id] == chassis.smart(id).temperature_c == 58


def test_activity_follows_what_is_written_and_what_is_read(
    chassis: SimulatedHardware, clock: FakeClock
) -> None:
    member, spare, other = at(chassis, 0).id, at(chassis, 7).id, at(chassis, 5).id
    day = Path(vd(chassis).mounts[0].path) / "camera" / "2026-01-01"
    day.mkdir(parents=True)
    (day / "1.mp4").write_bytes(b"x" * 1000)
    before = chassis.activity()
    (day / "1.mp4").write_bytes(b"x" * 500_000)
    after = chassis.activity()
    assert after[member] > before[member]
    assert (after[spare], after[other]) == (before[spare], before[other])
    chassis.perform(ops.StartCheck(virtual_drive="B"), chassis.inventory())
    first = chassis.activity()[other]
    clock.advance(2_000_000)
    assert chassis.activity()[other] > first


def test_a_volume_is_made_and_unmade(chassis: SimulatedHardware, clock: FakeClock) -> None:
    chassis.do("fail 6")
    b = vd(chassis, "B")
    path = Path(b.mounts[0].path)
    with pytest.raises(OperationRefused, match="carries"):
        chassis.plan_volume(b, "B", "/srv/B2", "xfs")
    with pytest.raises(OperationRefused, match="mounted"):
        chassis.perform(ops.DeleteVirtualDrive(virtual_drive=b.id), chassis.inventory())
    fd = os.open(path, os.O_RDONLY)
    with pytest.raises(Conflict):
        chassis.unmake_volume(b)
    os.close(fd)
    chassis.unmake_volume(b)
    assert not path.exists()
    assert vd(chassis, "B").mounts == ()
    chassis.perform(ops.DeleteVirtualDrive(virtual_drive=b.id), chassis.inventory())
    assert list(path.parent.glob(".erased*")) == []
    chassis.perform(
        ops.CreateVirtualDrive(
            name="C", level=RaidLevel.RAID1, spans=((at(chassis, 4).id, at(chassis, 5).id),)
        ),
        chassis.inventory(),
    )
    assert chassis.plan_volume(vd(chassis, "C"), "C", "/srv/watchdeck/C", "ext4")
    made = chassis.make_volume(vd(chassis, "C"), "C", "/srv/watchdeck/C", "ext4")
    assert Path(made.path).is_dir()
    assert (vd(chassis, "C").mounts[0].path, vd(chassis, "C").file_system_uuid) == (made.path, made.uuid)


def test_lamps_and_beeper_are_remembered(chassis: SimulatedHardware) -> None:
    assert chassis.show_trays({3: TrayPattern.FAIL}, chassis.inventory()) == ()
    chassis.show_information(InformationPattern.FAN_FAILURE)
    chassis.beep(True)
    assert (chassis.trays, chassis.information, chassis.is_beeping) == (
        {3: TrayPattern.FAIL},
        InformationPattern.FAN_FAILURE,
        True,
    )
    with pytest.raises(Unsupported):
        chassis.learn(3, at(chassis, 3).id)


def test_every_change_wakes_the_engine(chassis: SimulatedHardware) -> None:
    (wakeup,) = chassis.wakeups()
    os.set_blocking(wakeup.fileno(), False)
    wakeup.drain()
    for line in ("fan 1 fail", "pull 3", "insert 3", "errors 2 8"):
        chassis.do(line)
        assert os.eventfd_read(wakeup.fileno()) > 0, line
    (note,) = wakeup.drain()
    assert "8 sectors cannot be read" in note
    assert chassis.do("say  hello") == "say hello"
    assert wakeup.drain() == []


@pytest.mark.parametrize(
    "line",
    [
        "wait 5", "say hello there", "pull 3", "insert 3", "insert 3 blank", "insert 3 blank 8TB", "insert 3 foreign",
        "fail 2", "heal 2", "errors 1 24", "mismatches A 8", "fan 3 fail", "psu 1 ok", "temperature cpu 92",
        "temperature 3 58", "temperature cpu ok", "intrusion on",
    ],
)  # fmt: skip
def test_steps_are_understood(line: str) -> None:
    assert parse_step(line).verb == line.split()[0]


@pytest.mark.parametrize(
    "line",
    [
        "", "dance", "pull", "pull x", "pull 99", "pull 1 2", "insert 3 old", "insert 3 blank huge", "insert 3 foreign 8TB",
        "errors 1", "errors 1 none", "errors 1 nan", "fan 7 fail", "fan 1 broken", "psu 3 ok", "temperature attic 20",
        "temperature cpu 900", "intrusion maybe", "wait soon", "wait -1",
    ],
)  # fmt: skip
def test_other_lines_are_refused_with_what_was_expected(line: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_step(line)
    assert refused.value.remedy


def test_the_demo_layout_is_the_manuals_front() -> None:
    assert DEMO_LAYOUT.chassis.bays == tuple(range(8))
