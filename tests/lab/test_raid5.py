"""RAID 5 of four drives under a station that records: nothing a drive does costs a picture.

The cases share one machine and follow each other as they stand: each begins and ends with the array in order.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.wire_chassis import (
    ChassisView,
    DriveState,
    RaidLevel,
    SetUpStorage,
    StartCheck,
    StartRebuild,
    TrayPattern,
    Verdict,
    VirtualDriveState,
)
from tests.lab.fault_drive import FaultDrive
from tests.lab.lab_drive import MIB
from tests.lab.machine import Machine
from tests.lab.station import Station, camera_stream
from tests.rtsp.server import RtspServer

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]

BAYS = range(4)
SECTOR_OF_DATA = 200_000
NVME_BAY = 8
FILLER = "/srv/watchdeck/A/filler"
REBUILD_S = 60
SETTLE_S = 20
"""A drive just inserted is left alone for a while (row BY-12)."""


@pytest.fixture(scope="module")
def station(machine: Machine) -> Iterator[Station]:
    """RAID 5 of bays 0 to 3, set up by the engine in one flow; one camera records on it."""
    for bay in BAYS:
        machine.insert(bay, machine.drive(f"BAY{bay}", can_fail=True))
    machine.insert(NVME_BAY, machine.drive("FLASH", is_nvme=True))
    machine.start()
    with RtspServer([camera_stream(machine.folder, "gate")]) as server:
        made = Station(machine, server, ("gate",))
        made.install()
        made.start()
        drives = tuple(made.drive_id(bay) for bay in BAYS)
        made.do(SetUpStorage(level=RaidLevel.RAID5, drives=drives, names=("A",), group_each=False), 180)
        made.add_cameras()
        made.until_recording()
        made.until_quiet()
        yield made


def faults(station: Station, bay: int) -> FaultDrive:
    found = station.machine.bays[bay].faults
    assert found is not None
    return found


def in_order(station: Station) -> None:
    station.until_state("A", VirtualDriveState.ONLINE, REBUILD_S)
    for bay in BAYS:
        station.until_bay(bay, DriveState.ONLINE)
    station.until_quiet()


def test_the_set_up_ends_with_a_camera_that_records_onto_an_array_of_the_bays(station: Station) -> None:
    view = station.chassis()
    [drive] = view.inventory.virtual_drives
    assert (drive.name, drive.level, drive.state) == ("A", RaidLevel.RAID5, VirtualDriveState.ONLINE)
    chain = view.chain_of(drive.id)
    assert chain is not None
    assert chain.bays == tuple(BAYS)
    assert len(chain.cameras) == 1
    for bay in BAYS:
        seen, tray = view.inventory.drive_in(bay), view.bay(bay)
        assert seen is not None
        assert tray is not None
        assert (seen.serial, seen.state) == (f"BAY{bay}", DriveState.ONLINE)
        assert tray.pattern in (TrayPattern.IDLE, TrayPattern.ACTIVE)
    with station.complete_footage():
        station.until_bay(0, DriveState.ONLINE)


def test_pending_sectors_are_healed_by_a_check_and_told_of(station: Station) -> None:
    with station.complete_footage() as since_us:
        faults(station, 3).make_pending(SECTOR_OF_DATA, 8)
        station.do(StartCheck(virtual_drive=station.virtual_drive("A").id))
        station.machine.until(
            lambda: faults(station, 3).pending_sectors, lambda left: left == 0, "healed", REBUILD_S
        )
        station.until_quiet()
        station.said("drive.media_errors", since_us, "bay 3", "BAY3", "8 media errors")
        in_order(station)
    assert faults(station, 3).counted.healed_sectors >= 8


def test_a_check_finds_what_does_not_match_and_a_repair_removes_it(station: Station) -> None:
    machine, virtual_drive = station.machine, station.virtual_drive("A").id
    with station.complete_footage() as since_us:
        name = machine.wait_drive(0)
        device = f"of={name} bs=4096 count=1 seek=32500 oflag=direct conv=notrunc"
        machine.sh(f"dd if=/dev/urandom {device} status=none")
        station.do(StartCheck(virtual_drive=virtual_drive))
        station.said("virtual_drive.mismatch", since_us, "A")
        station.until_quiet()
        assert station.virtual_drive("A").mismatches
        station.do(StartCheck(virtual_drive=virtual_drive, repair=True))
        station.until_quiet()
        station.do(StartCheck(virtual_drive=virtual_drive))
        station.until(lambda view: view.inventory.virtual_drives[0].mismatches == 0, "no mismatch", REBUILD_S)
        station.until_quiet()


def test_a_slow_drive_slows_and_loses_nothing(station: Station) -> None:
    with station.complete_footage():
        faults(station, 1).latency_s = 0.2
        station.until_bay(1, DriveState.ONLINE)
        station.machine.sh("sleep 15", timeout_s=30)
        faults(station, 1).heal()
        in_order(station)


def test_a_drive_that_is_pulled_and_put_back_is_brought_up_to_date(station: Station) -> None:
    with station.complete_footage() as since_us:
        drive = station.machine.pull(1)
        station.until_bay(1, DriveState.MISSING, TrayPattern.FAIL)
        station.until_state("A", VirtualDriveState.DEGRADED)
        station.said(
            "drive.missing", since_us, "bay 1", "BAY1", "one more failure in bays 0 2 3 loses volume A"
        )
        station.said("virtual_drive.degraded", since_us, "A")
        station.machine.insert(1, drive)
        station.said("drive.returned", since_us, "bay 1", "BAY1")
        in_order(station)
        station.said("virtual_drive.online", since_us, "A")


def test_a_drive_that_is_too_small_or_foreign_is_not_taken_for_the_missing_one(station: Station) -> None:
    machine = station.machine
    small = machine.drive("SMALL", size_bytes=128 * MIB)
    foreign = machine.drive("ALIEN")
    machine.insert(6, foreign)
    machine.sh(f"mdadm --create /dev/md/alien --run --level 1 --force -n 1 {machine.wait_drive(6)}")
    machine.sh("mdadm --stop /dev/md/alien")
    machine.pull(6)
    machine.wait_gone(6)
    with station.complete_footage():
        old = machine.pull(2)
        station.until_bay(2, DriveState.MISSING, TrayPattern.FAIL)
        machine.insert(2, small)
        station.until_bay(2, DriveState.UNCONFIGURED_GOOD, timeout_s=SETTLE_S)
        group = station.virtual_drive("A").group
        assert station.plan(StartRebuild(group=group, drive=station.drive_id(2))).refused
        machine.pull(2)
        station.until_bay(2, DriveState.MISSING)
        machine.insert(2, foreign)
        station.until_bay(2, DriveState.FOREIGN, timeout_s=SETTLE_S)
        assert station.plan(StartRebuild(group=group, drive=station.drive_id(2))).refused
        machine.pull(2)
        station.until_bay(2, DriveState.MISSING)
        machine.insert(2, old)
        in_order(station)


def test_a_failed_write_fails_the_drive_and_a_new_one_in_its_bay_is_rebuilt(station: Station) -> None:
    with station.complete_footage() as since_us:
        faults(station, 2).fails_writes = True
        station.until_bay(2, DriveState.FAILED, TrayPattern.FAIL)
        station.said("drive.failed", since_us, "bay 2", "BAY2")
        station.machine.pull(2)
        station.until_bay(2, DriveState.MISSING)
        station.machine.insert(2, station.machine.drive("NEW2", can_fail=True))
        station.until_bay(2, DriveState.REBUILD, TrayPattern.REBUILD, timeout_s=SETTLE_S)
        in_order(station)
        station.said("rebuild.automatic", since_us, "bay 2", "NEW2")


def test_an_nvme_drive_that_warns_is_named(station: Station) -> None:
    """Every drive is asked soon after a start; the regular round is minutes at least."""
    station.stop()
    station.machine.warn_nvme(NVME_BAY, 4)
    station.start()
    flash = station.drive_id(NVME_BAY)

    def is_failing(view: ChassisView) -> bool:
        health = view.health_of(flash)
        return health is not None and health.verdict is Verdict.FAILING

    station.until(is_failing, f"bay {NVME_BAY} failing", 60)
    said = station.ask(lambda engine: engine.events(limit=50, kinds=["drive.predicted_failure"]))
    assert any(f"bay {NVME_BAY} (serial FLASH)" in event.text for event in said), said
    station.machine.warn_nvme(NVME_BAY, 0)
    station.until_recording()


def test_after_a_power_cut_and_with_its_drives_in_other_bays_it_records_on(station: Station) -> None:
    machine = station.machine
    before = station.now_us()
    machine.power_cut()
    first, last = machine.pull(0), machine.pull(3)
    machine.insert(0, last)
    machine.insert(3, first)
    machine.start()
    station.start()
    station.until_recording()
    in_order(station)
    moved = station.chassis().inventory.drive_in(0)
    assert moved is not None
    assert moved.serial == "BAY3"
    [*kept] = station.closed_recordings("gate", before - 60_000_000, before)
    assert kept, "the recordings before the cut"
    for recording in kept:
        station.pictures(recording)
    with station.complete_footage():
        in_order(station)


def test_a_rebuild_goes_on_after_a_power_cut(station: Station) -> None:
    machine = station.machine
    machine.sh("echo 4000 > /proc/sys/dev/raid/speed_limit_max")
    machine.pull(1)
    station.until_bay(1, DriveState.MISSING)
    machine.insert(1, machine.drive("NEW1", can_fail=True))
    station.until_bay(1, DriveState.REBUILD, TrayPattern.REBUILD, timeout_s=SETTLE_S)
    # md starts no array that lacks a drive and was written to when it ended: here it always was.
    machine.sh(
        f"(while dd if=/dev/zero of={FILLER} bs=64k count=64 oflag=direct; do :; done) >/dev/null 2>&1 &"
    )
    machine.until(lambda: machine.run("test", "-s", FILLER).exit_code, lambda code: code == 0, "writing")
    before = station.now_us()
    machine.power_cut()
    machine.start()
    station.start()
    station.until_recording()
    station.said("chassis.tended", before, "A was written to when it ended", "started all the same")
    machine.sh(f"rm -f {FILLER}")
    with station.complete_footage():
        in_order(station)
    station.stop()
    found = machine.run("watchdeck", "fsck", "--state", "/var/lib/watchdeck", timeout_s=60)
    assert found.exit_code == 0, found.out + found.err
